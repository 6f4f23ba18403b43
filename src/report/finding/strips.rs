//! What lasts, as bars beside a lane: the phases of records, and the waits of timers.

use std::collections::BTreeMap;

use crate::delegation::machine::Side;
use crate::facts::pattern::Names;
use crate::facts::{Fact, What};
use crate::ids::{ServerNumber, SessionId};
use crate::report::finding::words::{Words, plain};

/// A record in one state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Phase {
    pub at: ServerNumber,
    /// Which of the bars beside the lane, from 0.
    pub bar: usize,
    pub state: &'static str,
    /// Which record it is of.
    pub title: String,
    pub from: usize,
    /// The fact that ended it; `None` when nothing did.
    pub until: Option<usize>,
}

/// A timer that was armed by one fact and fired by the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub at: ServerNumber,
    pub title: String,
    pub armed: usize,
    pub fired: usize,
}

/// The phases of all records in the order of their beginning.
pub(super) fn phases(facts: &[Fact], names: &dyn Names) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    // The phase of each record that has one.
    let mut open: BTreeMap<(ServerNumber, ServerNumber, Side, &SessionId), usize> = BTreeMap::new();
    for (place, fact) in facts.iter().enumerate() {
        match &fact.what {
            What::Moved { at, peer, side, session, state, .. } => {
                let record = (*at, *peer, *side, session);
                let before = open.remove(&record);
                if let Some(before) = before {
                    phases[before].until = Some(place);
                }
                if *state == "Over" {
                    continue;
                }
                let taken: Vec<usize> =
                    open.iter().filter(|((server, ..), _)| server == at).map(|(_, phase)| phases[*phase].bar).collect();
                let free = (0..).find(|bar| !taken.contains(bar)).unwrap_or_default();
                let bar = before.map_or(free, |before| phases[before].bar);
                let title = plain(&format!("{state}, {side:?} with {}, session {session}", names.server_name(*peer)));
                open.insert(record, phases.len());
                phases.push(Phase { at: *at, bar, state, title, from: place, until: None });
            }
            What::Killed { at } => {
                open.retain(|(server, ..), phase| {
                    let stays = server != at;
                    if !stays {
                        phases[*phase].until = Some(place);
                    }
                    stays
                });
            }
            _ => {}
        }
    }
    phases
}

/// The waits of the timers that fired, where it is known since when they were armed.
pub(super) fn waits(facts: &[Fact], words: &Words<'_>) -> Vec<Wait> {
    let waits = facts.iter().enumerate().filter_map(|(fired, fact)| {
        let What::TimerFired { at, timer } = &fact.what else { return None };
        Some(Wait { at: *at, title: format!("timer {}", timer.key()), armed: words.armed(fired)?, fired })
    });
    waits.collect()
}

/// What kind of phase a state is: its class in the drawing.
pub(super) fn class(state: &str) -> &'static str {
    const ENDING: [&str; 11] = [
        "ExpectUndone",
        "ExpectTerminationAck",
        "ExpectTerminationResp",
        "ExpectRemoval",
        "ExpectRemovalAgain",
        "ExpectRevokedAnswered",
        "ExpectFailureAnswered",
        "ExpectEnded",
        "ExpectWoundDown",
        "ExpectRevoked",
        "Over",
    ];
    match state {
        "AtRest" => "rest",
        _ if ENDING.contains(&state) => "ending",
        _ => "handover",
    }
}
