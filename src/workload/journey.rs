//! What a device goes through in a run, step by step.

use std::time::Duration;

use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::dm::uri::Uri;
use crate::facts::pattern::Pattern;
use crate::ids::ServerNumber;

/// A sequence of steps that one device takes, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// For messages; the scenario's own name for it, or `journey 3`.
    pub name: String,
    /// The server that has the authority over its devices at first.
    pub owner: ServerNumber,
    /// Servers other than the owner that already have an account on its devices.
    pub bootstrapped: Vec<ServerNumber>,
    pub steps: Vec<Step>,
    /// What operators do while the steps go on, at the moment when something has been seen on the device.
    pub meanwhile: Vec<Meanwhile>,
}

/// A wish of an operator that waits for a fact, and not for the step before it. It is no flow of the journey: nothing is
/// expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    pub once: Pattern,
    /// `Delegate` or `Revoke`; its expectation counts for nothing.
    pub wish: Step,
}

/// One step of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Delegate {
        from: ServerNumber,
        to: ServerNumber,
        approach: Approach,
        subtree: Uri,
        is_full: bool,
        by_delegated: bool,
        expect: Expected,
    },
    Revoke {
        from: ServerNumber,
        to: ServerNumber,
        how: Revocation,
        expect: Expected,
    },
    /// So long after the step before.
    Wait(Duration),
    /// Until so long after the beginning of the load; not at all where that has gone by. Its pace changes nothing.
    WaitUntil(Duration),
}

/// The outcome that a step's author expects: an outcome's key or `any`, `done` unless the step says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub &'static str);

impl Expected {
    /// Whatever comes of it will do: the journey goes on, and nothing has failed.
    pub const ANY: &str = "any";

    /// What may be expected, in a scenario's words.
    pub const WORDS: [&str; Outcome::KEYS.len() + 1] = {
        let mut words = [Expected::ANY; Outcome::KEYS.len() + 1];
        let mut place = 0;
        while place < Outcome::KEYS.len() {
            words[place] = Outcome::KEYS[place];
            place += 1;
        }
        words
    };

    /// Whether an outcome is what was expected.
    pub fn is_met_by(self, outcome: &Outcome) -> bool {
        self.0 == Expected::ANY || self.0 == outcome.key()
    }
}

impl Step {
    /// The flow this step starts; `None` for a wait.
    pub fn flow(&self) -> Option<FlowKind> {
        match self {
            Step::Delegate { approach, is_full, by_delegated, .. } => {
                Some(FlowKind::Delegate { approach: *approach, is_full: *is_full, by_delegated: *by_delegated })
            }
            Step::Revoke { how, .. } => Some(FlowKind::Revoke(*how)),
            Step::Wait(_) | Step::WaitUntil(_) => None,
        }
    }

    /// The server that starts its flow; `None` for a wait.
    pub fn starter(&self) -> Option<ServerNumber> {
        match self {
            Step::Delegate { to, by_delegated: true, .. } | Step::Revoke { to, how: Revocation::Requested, .. } => {
                Some(*to)
            }
            Step::Delegate { from, .. } | Step::Revoke { from, .. } => Some(*from),
            Step::Wait(_) | Step::WaitUntil(_) => None,
        }
    }

    /// What an operator wants by it: the flow, its delegating and delegated server, and the sub-tree.
    pub fn wish(&self) -> Option<(FlowKind, (ServerNumber, ServerNumber), Uri)> {
        let flow = self.flow()?;
        match self {
            Step::Delegate { from, to, subtree, .. } => Some((flow, (*from, *to), subtree.clone())),
            Step::Revoke { from, to, .. } => Some((flow, (*from, *to), Uri::root())),
            Step::Wait(_) | Step::WaitUntil(_) => None,
        }
    }
}
