//! What a run amounts to, in one word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActorRow, PromiseRow};
use crate::measure::expectation::Expectation;
use crate::measure::health::Health;
use crate::measure::limit::LimitResult;

/// What a run amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// A limit was not kept, or an actor panicked.
    Failed,
    /// A promise was broken; of a race: it did not go as its author expects.
    Broken,
    /// This machine or the scenario, not the peer, was the bottleneck.
    Invalid,
    /// A limit with `abort` ended the run early.
    Aborted,
    /// The target could not be reached, or refused our identity.
    Unreachable,
    Interrupted,
}

impl Verdict {
    /// The word in the summary.
    pub fn key(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Broken => "broken",
            Verdict::Invalid => "invalid",
            Verdict::Aborted => "aborted",
            Verdict::Unreachable => "unreachable",
            Verdict::Interrupted => "interrupted",
        }
    }
}

/// How the load came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Everything that was started has ended, or its time to drain was over.
    Drained,
    /// A limit with `abort`.
    Aborted,
    /// The target could not be reached, or refused our identity.
    Unreachable,
    /// A signal.
    Interrupted,
}

/// A race has the verdict of its expectation: promises that are to be broken are no failure, and those that are not are.
pub(super) fn of_a_race(race: &Expectation, health: &Health) -> Verdict {
    match race.met {
        true => Verdict::Passed,
        false if !health.valid => Verdict::Invalid,
        false => Verdict::Broken,
    }
}

/// The weightiest of what holds: interrupted, unreachable, broken, invalid, aborted, failed.
pub(super) fn weightiest(
    ending: Ending,
    promises: &[PromiseRow],
    health: &Health,
    limits: &[LimitResult],
    actors: &ActorRow,
) -> Verdict {
    let failed = limits.iter().any(|limit| !limit.passed) || actors.panicked > 0;
    match ending {
        Ending::Interrupted => Verdict::Interrupted,
        Ending::Unreachable => Verdict::Unreachable,
        _ if promises.iter().any(|promise| promise.broken > 0) => Verdict::Broken,
        _ if !health.valid => Verdict::Invalid,
        Ending::Aborted => Verdict::Aborted,
        Ending::Drained if failed => Verdict::Failed,
        Ending::Drained => Verdict::Passed,
    }
}
