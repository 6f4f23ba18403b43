//! The words by which a scenario names a fact, read and written: `timer confirmed at home`.
//!
//! ```text
//! step N
//! wish FLOW at SERVER                       FLOW as in the summary: delegate.dmacc.full, revoke.forced
//! sent MESSAGE by SERVER                    it has left, whatever becomes of it
//! taken MESSAGE at SERVER                   applied by the receiver
//! repeated MESSAGE at SERVER                a copy of one that was taken before
//! rejected MESSAGE at SERVER
//! received MESSAGE at SERVER                any of these three
//! answered MESSAGE at SERVER                the sender has a 2xx answer, readable or not
//! unanswered MESSAGE at SERVER              it timed out, or the connection broke
//! turned down MESSAGE at SERVER             the sender has an answer that is no 2xx
//! timer NAME at SERVER                      bootstrap, confirmed, termination, prepared, revoked, wind_down, device, peer
//! state NAME at SERVER [as SIDE]            a record has come to this state, or was in it when its server came back:
//!                                           AtRest, ExpectConfirmed, ..., Over
//! joined at SERVER [as SIDE]                it takes part in a flow; SIDE is delegating or delegated
//! settled OUTCOME at SERVER [as SIDE]       done, refused, undone, too_late, unreachable, misbehaved, stranded, lost
//! errand NAME begins|ends|fails at SERVER   prepare, grant, push-url, visit, remove-account, leave, let-connect, undo
//! session begins|ends with SERVER
//! operation VERB by SERVER accepted|refused VERB as in SyncML: Add, Replace, Delete, Get, ..., or Other
//! account of SERVER appears|goes
//! document fetched|missed                   the device has asked a bootstrap server for it
//! fault NAME                                a rule of the scenario has fired
//! killed SERVER
//! restarted SERVER
//! factory reset
//! ```
//!
//! `any` stands for every SERVER, MESSAGE, FLOW, OUTCOME, VERB, and NAME of a timer, a state or an errand. A name that is
//! no plain word, or that is `any`, goes in double quotes, with a double quote in it written twice.
//!
//! `x2` behind it: the second time. Several in a row, `... then ...`: the facts have to be seen in this order.
//!
//! | file | its job |
//! |---|---|
//! | `reading` | a text to its patterns, or what is wrong with it and where |
//! | `printing` | a pattern to its text |
//! | `naming` | a fact to the pattern that means it |

mod naming;
mod printing;
mod reading;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::delegation::reason;
use crate::dm::script::ErrandKind;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::ServerNumber;

/// One fact that may be seen, in a scenario's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    pub what: Sought,
    /// For the how-manieth time; from 1.
    pub nth: u32,
}

/// What is looked for: one variant for each kind of fact. `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sought {
    Step(usize),
    Wish {
        flow: Option<FlowKind>,
        at: Option<ServerNumber>,
    },
    Sent {
        message: Option<Kind>,
        by: Option<ServerNumber>,
    },
    /// At the receiver of a message.
    Received {
        how: Option<Receipt>,
        message: Option<Kind>,
        at: Option<ServerNumber>,
    },
    /// At the sender of a message.
    Heard {
        how: Hearing,
        message: Option<Kind>,
        at: Option<ServerNumber>,
    },
    Timer {
        timer: Option<Timer>,
        at: Option<ServerNumber>,
    },
    State {
        state: Option<String>,
        at: Option<ServerNumber>,
        side: Option<Side>,
    },
    Joined {
        at: Option<ServerNumber>,
        side: Option<Side>,
    },
    /// `outcome`: one of [`Outcome::KEYS`](crate::delegation::flow::Outcome::KEYS).
    Settled {
        outcome: Option<&'static str>,
        at: Option<ServerNumber>,
        side: Option<Side>,
    },
    Errand {
        errand: Option<ErrandKind>,
        progress: Progress,
        at: Option<ServerNumber>,
    },
    Session {
        begins: bool,
        with: Option<ServerNumber>,
    },
    /// `verb`: one of [`VERBS`].
    Operation {
        verb: Option<&'static str>,
        by: Option<ServerNumber>,
        accepted: bool,
    },
    Account {
        of: Option<ServerNumber>,
        appears: bool,
    },
    Document {
        fetched: bool,
    },
    /// The index of the rule.
    Fault(usize),
    Killed(Option<ServerNumber>),
    Restarted(Option<ServerNumber>),
    FactoryReset,
}

/// What the receiver has done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receipt {
    Taken,
    Repeated,
    Rejected,
}

/// What has become of a message, as far as its sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hearing {
    Answered,
    Unanswered,
    TurnedDown,
}

/// How far an errand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    Begins,
    /// It was done.
    Ends,
    Fails,
}

/// The commands that a device can be asked to carry out, as SyncML names them.
pub const VERBS: [&str; 8] = ["Add", "Replace", "Delete", "Get", "Copy", "Exec", "Atomic", "Other"];

/// The names of a scenario, for reading patterns.
pub trait Names {
    fn server(&self, name: &str) -> Option<ServerNumber>;
    /// The index of the fault of this name.
    fn rule(&self, name: &str) -> Option<usize>;
    fn server_name(&self, server: ServerNumber) -> String;
    fn rule_name(&self, rule: usize) -> String;
    /// Every name that may be meant, for "did you mean".
    fn known(&self) -> Vec<String>;
}

/// Why a text is no pattern: what, where in the text (bytes), and perhaps what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    pub span: Range<usize>,
    pub message: String,
    /// The words that would have been right there, for "did you mean".
    pub known: Vec<String>,
}

impl Pattern {
    /// Reads one pattern.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Pattern, PatternError> {
        reading::one(text, names)
    }

    /// Reads patterns joined by `then`.
    pub fn parse_sequence(text: &str, names: &dyn Names) -> Result<Vec<Pattern>, PatternError> {
        reading::sequence(text, names)
    }

    /// The pattern as it is read.
    pub fn print(&self, names: &dyn Names) -> String {
        printing::print(self, names)
    }

    /// The pattern that means the fact at this place among these and no other; `None` for a fact that no pattern is about.
    pub fn naming(facts: &[Fact], place: usize) -> Option<Pattern> {
        naming::name(facts, place)
    }

    /// Whether this is such a fact, whatever its number.
    pub fn matches(&self, what: &What) -> bool {
        self.what.matches(what)
    }

    /// The place just behind the fact that is meant, among facts in their order; `None` when it has not been seen.
    pub fn seen_in(&self, facts: &[Fact]) -> Option<usize> {
        let hits = facts.iter().enumerate().filter(|(_, fact)| self.matches(&fact.what));
        hits.map(|(place, _)| place + 1).nth(self.nth.max(1) as usize - 1)
    }
}

impl Sought {
    fn matches(&self, what: &What) -> bool {
        match (self, what) {
            (Sought::Step(sought), What::Step { number }) => sought == number,
            (Sought::Wish { flow, at: here }, What::Wished { at, flow: found, .. }) => {
                is(&flow.map(counted_as), &counted_as(*found)) && is(here, at)
            }
            (Sought::Sent { message, by }, What::Sent { from, kind, .. }) => is(message, kind) && is(by, from),
            (Sought::Received { how, message, at: here }, What::Taken { at, kind, how: took, .. }) => {
                is(how, &Receipt::of(took)) && is(message, kind) && is(here, at)
            }
            (Sought::Heard { how, message, at: here }, What::Heard { at, kind, answer, .. }) => {
                *how == Hearing::of(answer) && is(message, kind) && is(here, at)
            }
            (Sought::Timer { timer: sought, at: here }, What::TimerFired { at, timer }) => {
                is(sought, timer) && is(here, at)
            }
            (Sought::State { state: sought, at: here, side: part }, What::Moved { at, side, state, .. }) => {
                sought.as_deref().is_none_or(|sought| sought == *state) && is(here, at) && is(part, side)
            }
            (Sought::Joined { at: here, side: part }, What::Joined { at, side, .. }) => is(here, at) && is(part, side),
            (Sought::Settled { outcome: sought, at: here, side: part }, What::Settled { at, side, outcome, .. }) => {
                is(sought, &outcome.key()) && is(here, at) && is(part, side)
            }
            (Sought::Errand { errand: sought, progress, at: here }, What::ErrandBegan { at, errand }) => {
                *progress == Progress::Begins && is(sought, errand) && is(here, at)
            }
            (Sought::Errand { errand: sought, progress, at: here }, What::ErrandEnded { at, errand, failure }) => {
                let came_to = if failure.is_none() { Progress::Ends } else { Progress::Fails };
                *progress == came_to && is(sought, errand) && is(here, at)
            }
            (Sought::Session { begins: true, with: whom }, What::SessionOpened { with }) => is(whom, with),
            (Sought::Session { begins: false, with: whom }, What::SessionEnded { with, .. }) => is(whom, with),
            (Sought::Operation { verb: sought, by: whom, accepted }, What::Operated { by, verb, code, .. }) => {
                *accepted == reason::is_success(Some(*code)) && is(sought, verb) && is(whom, by)
            }
            (Sought::Account { of: whose, appears }, What::Account { of, is_there }) => {
                appears == is_there && is(whose, of)
            }
            (Sought::Document { fetched }, What::Fetched { ok, .. }) => fetched == ok,
            (Sought::Fault(sought), What::Fault { rule }) => sought == rule,
            (Sought::Killed(sought), What::Killed { at }) | (Sought::Restarted(sought), What::Restarted { at }) => {
                is(sought, at)
            }
            (Sought::FactoryReset, What::FactoryReset) => true,
            _ => false,
        }
    }
}

impl Receipt {
    fn of(took: &Took) -> Receipt {
        match took {
            Took::New => Receipt::Taken,
            Took::Copy => Receipt::Repeated,
            Took::Rejected(_) => Receipt::Rejected,
        }
    }
}

impl Hearing {
    fn of(answer: &Heard) -> Hearing {
        match answer {
            Heard::Message(_) | Heard::NoContent | Heard::Unreadable => Hearing::Answered,
            Heard::Rejected(_) => Hearing::TurnedDown,
            Heard::TimedOut | Heard::Unreachable => Hearing::Unanswered,
        }
    }
}

/// A flow as the summary counts it: a forced revocation is one kind, with or without notice.
fn counted_as(flow: FlowKind) -> FlowKind {
    match flow {
        FlowKind::Revoke(Revocation::Forced { .. }) => FlowKind::Revoke(Revocation::Forced { notice: true }),
        other => other,
    }
}

/// Whether what was found is what is looked for, or anything will do.
fn is<T: PartialEq>(sought: &Option<T>, found: &T) -> bool {
    sought.as_ref().is_none_or(|sought| sought == found)
}
