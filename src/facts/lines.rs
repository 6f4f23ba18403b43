//! The facts of a device in the form that programs read back: a line of JSON for each, with the names of the scenario.
//!
//! A story ([`telling`](crate::facts::telling)) is for people; what is read from these lines are the very facts again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::dm::uri::Uri;
use crate::facts::pattern::Names;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber, SessionId};

/// Why a text is no record of facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LineError {
    /// From 1.
    pub line: usize,
    pub message: String,
}

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Nanoseconds since the run began.
    at_ns: u64,
    /// Where lines of several devices stand together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<u32>,
    #[serde(flatten)]
    said: Said,
}

/// As [`What`], with names for numbers.
#[derive(Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
enum Said {
    Step { number: usize },
    Wished { at: String, peer: String, flow: String },
    Sent { from: String, to: String, message: String, session: Option<String>, attempt: u32 },
    Misdirected { from: String, to: String, message: String, session: Option<String> },
    Taken { at: String, from: String, message: String, session: Option<String>, how: String, why: Option<String> },
    Heard { at: String, from: String, message: String, session: Option<String>, attempt: u32, answer: Answer },
    TimerFired { at: String, timer: String },
    Moved { at: String, peer: String, side: String, session: String, subtree: String, is_full: bool, state: String },
    Joined { at: String, peer: String, side: String },
    Settled { at: String, peer: String, side: String, outcome: String, reason: Option<u16>, why: Option<String> },
    ErrandBegan { at: String, errand: String },
    ErrandEnded { at: String, errand: String, failure: Option<u16> },
    SessionOpened { with: String },
    SessionEnded { with: String, in_order: bool },
    Operated { by: String, verb: String, target: String, code: u16 },
    Account { of: String, is_there: bool },
    Fetched { from: u16, ok: bool },
    Fault { rule: String },
    Killed { at: String },
    Restarted { at: String },
    FactoryReset,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Message(String),
    NoContent,
    Rejected(u16),
    Unreadable,
    TimedOut,
    Unreachable,
}

/// Facts of one device as lines that say so, one each and without their ends, in their order.
pub fn of_device<'f>(
    device: DeviceNumber,
    facts: &'f [Fact],
    names: &'f dyn Names,
) -> impl Iterator<Item = String> + use<'f> {
    facts.iter().map(move |fact| {
        let line = Line { at_ns: fact.at.nanos(), device: Some(device.0), said: said(&fact.what, names) };
        serde_json::to_string(&line).expect("our own types have JSON forms")
    })
}

/// Facts as lines.
pub fn write(facts: &[Fact], names: &dyn Names) -> String {
    let mut text = String::new();
    for fact in facts {
        let line = Line { at_ns: fact.at.nanos(), device: None, said: said(&fact.what, names) };
        text.push_str(&serde_json::to_string(&line).expect("texts and numbers have a JSON form"));
        text.push('\n');
    }
    text
}

/// The facts of these lines.
///
/// # Errors
/// [`LineError`] for the first line that is no fact of a scenario with these names.
pub fn read(text: &str, names: &dyn Names) -> Result<Vec<Fact>, LineError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let fact = |(number, line): (usize, &str)| {
        let wrong = |message: String| LineError { line: number + 1, message };
        let Line { at_ns, said, .. } = serde_json::from_str(line)
            .map_err(|error| wrong(format!("expected a fact as JSON, found `{}`: {error}", beginning(line))))?;
        Ok(Fact { at: Moment::from_nanos(at_ns), what: what(said, names).map_err(wrong)? })
    };
    lines.map(fact).collect()
}

fn beginning(line: &str) -> String {
    const MOST: usize = 80;
    line.chars().take(MOST).collect()
}

fn said(what: &What, names: &dyn Names) -> Said {
    let name = |server: &ServerNumber| names.server_name(*server);
    let text = |session: &Option<SessionId>| session.as_ref().map(ToString::to_string);
    match what {
        What::Step { number } => Said::Step { number: *number },
        What::Wished { at, peer, flow } => Said::Wished { at: name(at), peer: name(peer), flow: flow_word(*flow) },
        What::Sent { from, to, kind, session, attempt } => Said::Sent {
            from: name(from),
            to: name(to),
            message: kind.root().to_owned(),
            session: text(session),
            attempt: *attempt,
        },
        What::Misdirected { from, to, kind, session } => Said::Misdirected {
            from: name(from),
            to: name(to),
            message: kind.root().to_owned(),
            session: text(session),
        },
        What::Taken { at, from, kind, session, how } => {
            let (how, why) = match how {
                Took::New => ("new", None),
                Took::Copy => ("copy", None),
                Took::Rejected(why) => ("rejected", Some((*why).to_owned())),
            };
            Said::Taken {
                at: name(at),
                from: name(from),
                message: kind.root().to_owned(),
                session: text(session),
                how: how.to_owned(),
                why,
            }
        }
        What::Heard { at, from, kind, session, attempt, answer } => Said::Heard {
            at: name(at),
            from: name(from),
            message: kind.root().to_owned(),
            session: text(session),
            attempt: *attempt,
            answer: match answer {
                Heard::Message(kind) => Answer::Message(kind.root().to_owned()),
                Heard::NoContent => Answer::NoContent,
                Heard::Rejected(status) => Answer::Rejected(*status),
                Heard::Unreadable => Answer::Unreadable,
                Heard::TimedOut => Answer::TimedOut,
                Heard::Unreachable => Answer::Unreachable,
            },
        },
        What::TimerFired { at, timer } => Said::TimerFired { at: name(at), timer: timer.key().to_owned() },
        What::Moved { at, peer, side, session, subtree, is_full, state } => Said::Moved {
            at: name(at),
            peer: name(peer),
            side: side_word(*side).to_owned(),
            session: session.to_string(),
            subtree: subtree.as_str().to_owned(),
            is_full: *is_full,
            state: (*state).to_owned(),
        },
        What::Joined { at, peer, side } => {
            Said::Joined { at: name(at), peer: name(peer), side: side_word(*side).to_owned() }
        }
        What::Settled { at, peer, side, outcome } => {
            let (reason, why) = match outcome {
                Outcome::Refused { reason } | Outcome::Undone { reason } | Outcome::Stranded { reason } => {
                    (Some(*reason), None)
                }
                Outcome::Misbehaved { rule: why }
                | Outcome::Unreachable { phase: why }
                | Outcome::TooLate { step: why } => (None, Some((*why).to_owned())),
                Outcome::Done | Outcome::Lost => (None, None),
            };
            let side = side_word(*side).to_owned();
            Said::Settled { at: name(at), peer: name(peer), side, outcome: outcome.key().to_owned(), reason, why }
        }
        What::ErrandBegan { at, errand } => Said::ErrandBegan { at: name(at), errand: errand.key().to_owned() },
        What::ErrandEnded { at, errand, failure } => {
            Said::ErrandEnded { at: name(at), errand: errand.key().to_owned(), failure: *failure }
        }
        What::SessionOpened { with } => Said::SessionOpened { with: name(with) },
        What::SessionEnded { with, in_order } => Said::SessionEnded { with: name(with), in_order: *in_order },
        What::Operated { by, verb, target, code } => {
            Said::Operated { by: name(by), verb: (*verb).to_owned(), target: target.clone(), code: *code }
        }
        What::Account { of, is_there } => Said::Account { of: name(of), is_there: *is_there },
        What::Fetched { from, ok } => Said::Fetched { from: from.0, ok: *ok },
        What::Fault { rule } => Said::Fault { rule: names.rule_name(*rule) },
        What::Killed { at } => Said::Killed { at: name(at) },
        What::Restarted { at } => Said::Restarted { at: name(at) },
        What::FactoryReset => Said::FactoryReset,
    }
}

fn what(said: Said, names: &dyn Names) -> Result<What, String> {
    let server = |name: String| {
        names.server(&name).ok_or_else(|| format!("expected a server of the scenario beside it, found `{name}`"))
    };
    let session = |text: Option<String>| text.map(SessionId::new);
    Ok(match said {
        Said::Step { number } => What::Step { number },
        Said::Wished { at, peer, flow } => {
            let known = FlowKind::all().chain([FlowKind::Revoke(Revocation::Forced { notice: false })]);
            let flow = one_of("a flow", &flow, known.map(|flow| (flow_word(flow), flow)))?;
            What::Wished { at: server(at)?, peer: server(peer)?, flow }
        }
        Said::Sent { from, to, message, session: of, attempt } => {
            What::Sent { from: server(from)?, to: server(to)?, kind: kind(&message)?, session: session(of), attempt }
        }
        Said::Misdirected { from, to, message, session: of } => {
            What::Misdirected { from: server(from)?, to: server(to)?, kind: kind(&message)?, session: session(of) }
        }
        Said::Taken { at, from, message, session: of, how, why } => {
            let rejected = Took::Rejected(lasting(why.unwrap_or_default()));
            let ways = [("new", Took::New), ("copy", Took::Copy), ("rejected", rejected)];
            let how = one_of("how it was taken", &how, ways)?;
            What::Taken { at: server(at)?, from: server(from)?, kind: kind(&message)?, session: session(of), how }
        }
        Said::Heard { at, from, message, session: of, attempt, answer } => What::Heard {
            at: server(at)?,
            from: server(from)?,
            kind: kind(&message)?,
            session: session(of),
            attempt,
            answer: match answer {
                Answer::Message(message) => Heard::Message(kind(&message)?),
                Answer::NoContent => Heard::NoContent,
                Answer::Rejected(status) => Heard::Rejected(status),
                Answer::Unreadable => Heard::Unreadable,
                Answer::TimedOut => Heard::TimedOut,
                Answer::Unreachable => Heard::Unreachable,
            },
        },
        Said::TimerFired { at, timer } => {
            let timer = one_of("a timer", &timer, Timer::ALL.map(|timer| (timer.key(), timer)))?;
            What::TimerFired { at: server(at)?, timer }
        }
        Said::Moved { at, peer, side, session, subtree, is_full, state } => What::Moved {
            at: server(at)?,
            peer: server(peer)?,
            side: side_of(&side)?,
            session: SessionId::new(session),
            subtree: Uri::parse(&subtree)
                .map_err(|error| format!("expected a sub-tree, found `{subtree}`: {error}"))?,
            is_full,
            state: lasting(state),
        },
        Said::Joined { at, peer, side } => What::Joined { at: server(at)?, peer: server(peer)?, side: side_of(&side)? },
        Said::Settled { at, peer, side, outcome, reason, why } => {
            let (reason, why) = (reason.unwrap_or_default(), lasting(why.unwrap_or_default()));
            let outcomes = [
                Outcome::Done,
                Outcome::Refused { reason },
                Outcome::Undone { reason },
                Outcome::Stranded { reason },
                Outcome::Misbehaved { rule: why },
                Outcome::Unreachable { phase: why },
                Outcome::TooLate { step: why },
                Outcome::Lost,
            ];
            let outcome = one_of("an outcome", &outcome, outcomes.map(|outcome| (outcome.key(), outcome)))?;
            What::Settled { at: server(at)?, peer: server(peer)?, side: side_of(&side)?, outcome }
        }
        Said::ErrandBegan { at, errand } => What::ErrandBegan { at: server(at)?, errand: errand_of(&errand)? },
        Said::ErrandEnded { at, errand, failure } => {
            What::ErrandEnded { at: server(at)?, errand: errand_of(&errand)?, failure }
        }
        Said::SessionOpened { with } => What::SessionOpened { with: server(with)? },
        Said::SessionEnded { with, in_order } => What::SessionEnded { with: server(with)?, in_order },
        Said::Operated { by, verb, target, code } => {
            What::Operated { by: server(by)?, verb: lasting(verb), target, code }
        }
        Said::Account { of, is_there } => What::Account { of: server(of)?, is_there },
        Said::Fetched { from, ok } => What::Fetched { from: BootstrapServerNumber(from), ok },
        Said::Fault { rule } => {
            let known = names.rule(&rule);
            let rule = known.ok_or_else(|| format!("expected a fault of the scenario beside it, found `{rule}`"))?;
            What::Fault { rule }
        }
        Said::Killed { at } => What::Killed { at: server(at)? },
        Said::Restarted { at } => What::Restarted { at: server(at)? },
        Said::FactoryReset => What::FactoryReset,
    })
}

/// The name of a flow; unlike in the summary, a forced revocation says whether the delegate is told.
fn flow_word(flow: FlowKind) -> String {
    let silent = if flow == FlowKind::Revoke(Revocation::Forced { notice: false }) { ".without_notice" } else { "" };
    format!("{flow}{silent}")
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Delegating => "delegating",
        Side::Delegated => "delegated",
    }
}

fn side_of(text: &str) -> Result<Side, String> {
    one_of("a side", text, [Side::Delegating, Side::Delegated].map(|side| (side_word(side), side)))
}

fn kind(root: &str) -> Result<Kind, String> {
    one_of("a message by its root element", root, Kind::ALL.map(|kind| (kind.root(), kind)))
}

fn errand_of(key: &str) -> Result<ErrandKind, String> {
    one_of("an errand", key, ErrandKind::ALL.map(|errand| (errand.key(), errand)))
}

fn one_of<T, N: AsRef<str>>(expected: &str, found: &str, known: impl IntoIterator<Item = (N, T)>) -> Result<T, String> {
    let mut names = Vec::new();
    for (name, value) in known {
        if name.as_ref() == found {
            return Ok(value);
        }
        names.push(name.as_ref().to_owned());
    }
    Err(format!("expected {expected} ({}), found `{found}`", names.join(", ")))
}

/// A word of the machines, such as a state or a reason. There are few of them, and each is kept once, for good.
fn lasting(word: String) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word.as_str()) {
        return known;
    }
    let kept: &'static str = word.leak();
    words.insert(kept);
    kept
}

#[cfg(test)]
mod tests;
