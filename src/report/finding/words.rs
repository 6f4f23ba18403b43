//! What is written beside a row, in few words: the lane says already who it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::delegation::evidence;
use crate::delegation::machine::{Side, Timer};
use crate::facts::pattern::Names;
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::report::finding::lanes::Party;
use crate::report::finding::rows::{Drawn, Tone};

/// What the words depend on.
pub(super) struct Words<'a> {
    facts: &'a [Fact],
    names: &'a dyn Names,
    /// With whom, and as which side, each server has records: one needs no mention.
    records: BTreeMap<ServerNumber, BTreeSet<(ServerNumber, Side)>>,
}

impl<'a> Words<'a> {
    pub fn of(facts: &'a [Fact], names: &'a dyn Names) -> Words<'a> {
        let mut records: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for fact in facts {
            if let What::Moved { at, peer, side, .. } = &fact.what {
                records.entry(*at).or_default().insert((*peer, *side));
            }
        }
        Words { facts, names, records }
    }

    /// The note of a fact that is no message and no command.
    pub fn note(&self, place: usize, what: &What) -> Drawn {
        let at = |server: &ServerNumber, text: String, tone| Drawn::Note(Party::Server(*server), plain(&text), tone);
        let on_device = |text: String, tone| Drawn::Note(Party::Device, plain(&text), tone);
        let name = |server: &ServerNumber| self.names.server_name(*server);
        match what {
            What::Step { number } => Drawn::Across(format!("step {number}"), Tone::Plain),
            What::Fault { rule } => Drawn::Across(plain(&format!("fault {}", self.names.rule_name(*rule))), Tone::Bad),
            What::Wished { at: server, peer, flow } => {
                at(server, format!("wants {flow} with {}", name(peer)), Tone::Plain)
            }
            What::TimerFired { at: server, timer } => {
                let since = self.armed(place).map(|armed| self.facts[place].at - self.facts[armed].at);
                let after = since.map(|since| format!(" after {}", seconds(since)));
                at(server, format!("timer {} fires{}", timer.key(), after.unwrap_or_default()), Tone::Timer)
            }
            What::Moved { at: server, peer, side, state, .. } => {
                at(server, format!("{state}{}", self.of_record(*server, *peer, *side)), Tone::Phase)
            }
            What::Joined { at: server, peer, side } => {
                let side = format!("{side:?}").to_lowercase();
                let with = if self.has_one_peer(*server) { String::new() } else { format!(" with {}", name(peer)) };
                at(server, format!("takes part as {side}{with}"), Tone::Plain)
            }
            What::Settled { at: server, peer, side, outcome } => {
                let tone = if outcome.key() == "done" { Tone::Good } else { Tone::Bad };
                at(server, format!("ended: {outcome}{}", self.of_record(*server, *peer, *side)), tone)
            }
            What::ErrandBegan { at: server, errand } => {
                at(server, format!("wants `{}` on the device", errand.key()), Tone::Plain)
            }
            What::ErrandEnded { at: server, errand, failure: None } => {
                at(server, format!("`{}` is done", errand.key()), Tone::Plain)
            }
            What::ErrandEnded { at: server, errand, failure: Some(code) } => {
                at(server, format!("`{}` failed: {code}", errand.key()), Tone::Bad)
            }
            What::Account { of, is_there: true } => on_device(format!("+ account of {}", name(of)), Tone::Plain),
            What::Account { of, is_there: false } => on_device(format!("- account of {}", name(of)), Tone::Plain),
            What::Killed { at: server } => at(server, "is killed".to_owned(), Tone::Bad),
            What::Restarted { at: server } => at(server, "stands again".to_owned(), Tone::Plain),
            What::FactoryReset => on_device("is reset to how it left the factory".to_owned(), Tone::Bad),
            // These are arrows.
            What::Sent { .. }
            | What::Misdirected { .. }
            | What::Taken { .. }
            | What::Heard { .. }
            | What::SessionOpened { .. }
            | What::SessionEnded { .. }
            | What::Operated { .. }
            | What::Fetched { .. } => Drawn::Across(String::new(), Tone::Plain),
        }
    }

    /// The name of the message that a fact is about.
    pub fn kind(&self, what: &What) -> String {
        match what {
            What::Taken { kind, .. } | What::Heard { kind, .. } => kind.to_string(),
            _ => String::new(),
        }
    }

    /// Commands of one session in one line: the first, and how many there are.
    pub fn commands(&self, commands: &[&What]) -> String {
        let parts = |what: &What| match what {
            What::Operated { verb, target, code, .. } => Some((*verb, target.clone(), *code)),
            _ => None,
        };
        let Some((verb, target, code)) = commands.first().and_then(|what| parts(what)) else { return String::new() };
        let first = if target.is_empty() { format!("{verb} {code}") } else { format!("{verb} {target} {code}") };
        if commands.len() < 2 {
            return first;
        }
        let is_same = commands.iter().all(|what| parts(what).is_some_and(|(.., other)| other == code));
        let how = if is_same { format!("all {code}") } else { "all done".to_owned() };
        format!("{first} ... ({} commands, {how})", commands.len())
    }

    /// The fact by which a timer that fired had been armed: its record's move into the state that waits for it, or its
    /// last firing in that state.
    pub fn armed(&self, fired: usize) -> Option<usize> {
        let What::TimerFired { at, timer } = &self.facts[fired].what else { return None };
        let is_it = |fact: &Fact| match &fact.what {
            What::Moved { at: found, state, .. } => found == at && waits_for(state, *timer),
            What::TimerFired { at: found, timer: other } => found == at && other == timer,
            _ => false,
        };
        self.facts[..fired].iter().rposition(is_it)
    }

    fn has_one_peer(&self, server: ServerNumber) -> bool {
        self.records.get(&server).is_none_or(|records| records.len() < 2)
    }

    fn of_record(&self, server: ServerNumber, peer: ServerNumber, side: Side) -> String {
        if self.has_one_peer(server) {
            return String::new();
        }
        let side = format!("{side:?}").to_lowercase();
        format!(" ({side}, {})", self.names.server_name(peer))
    }
}

/// A text on one line, without anything that would steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if evidence::is_harmless(letter) { letter } else { ' ' }).collect()
}

/// How long something lasted, in as many digits as there are: `10 s`, `0.25 s`.
pub(super) fn seconds(lasted: Duration) -> String {
    format!("{} s", lasted.as_secs_f64())
}

/// Whether a record in this state may wait for this timer.
fn waits_for(state: &str, timer: Timer) -> bool {
    match timer {
        Timer::Bootstrap => ["ExpectBootstrapConfirmed", "ExpectDeviceBootstrapped"].contains(&state),
        Timer::Confirmed => state == "ExpectConfirmed",
        Timer::Termination => state == "ExpectTerminationResp",
        Timer::Prepared => ["ExpectUrlRequest", "ExpectDevice", "ExpectPrepared"].contains(&state),
        Timer::Revoked => state == "ExpectRevoked",
        Timer::WindDown => state == "ExpectWoundDown",
        Timer::Device => state.ends_with("Again") || state == "ExpectUndone",
        Timer::Peer => {
            ["ExpectUndone", "ExpectRevokedAnswered", "ExpectFailureAnswered", "ExpectEnded"].contains(&state)
        }
    }
}
