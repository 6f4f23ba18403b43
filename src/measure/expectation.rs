//! What the author of a race expects of it, against what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::promise::PromiseResult;

/// Whether a race went as its author expects under the policy that it was run with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// Whether every goal was reached: without that, what became of the promises says nothing about the race.
    pub reproduced: bool,
    /// Promises that are to be broken, in the order of the summary.
    pub expected: Vec<String>,
    /// Promises that were.
    pub broken: Vec<String>,
    /// Whether the race was reproduced and just the expected promises were broken.
    pub met: bool,
}

impl Expectation {
    /// Judges a race; `goals` as they were counted, `expected` in any order.
    pub fn judge(expected: &[String], goals: &[(String, u64)], promises: &[PromiseResult]) -> Expectation {
        let reproduced = goals.iter().all(|(_, times)| *times > 0);
        let broken = promises.iter().filter(|promise| promise.broken > 0);
        let broken: Vec<String> = broken.map(|promise| promise.name.to_owned()).collect();
        let in_order = promises.iter().filter(|promise| expected.iter().any(|name| name == promise.name));
        let mut sorted: Vec<String> = in_order.map(|promise| promise.name.to_owned()).collect();
        // A promise that was not judged at all was not broken either.
        sorted.extend(expected.iter().filter(|name| !promises.iter().any(|one| one.name == name.as_str())).cloned());
        let met = reproduced && sorted == broken;
        Expectation { reproduced, expected: sorted, broken, met }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(name: &'static str, broken: u64) -> PromiseResult {
        PromiseResult { name, says: "", checked: 1, broken, not_observable: 0, breaches: Vec::new() }
    }

    #[track_caller]
    fn check(expected: &[&str], reached: u64, broken: [u64; 2], met: bool) {
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        let goals = [("goal".to_owned(), reached)];
        let promises = [promise("manageable", broken[0]), promise("records_agree", broken[1])];
        assert_eq!(Expectation::judge(&expected, &goals, &promises).met, met);
    }

    #[test]
    fn just_the_expected_promises_are_to_be_broken() {
        check(&[], 1, [0, 0], true);
        check(&["manageable"], 1, [2, 0], true);
        check(&["records_agree", "manageable"], 1, [1, 1], true);
        check(&["manageable"], 1, [0, 0], false);
        check(&["manageable"], 1, [1, 1], false);
        check(&[], 1, [0, 1], false);
        check(&["no_such_promise"], 1, [0, 0], false);
    }

    #[test]
    fn a_race_that_was_not_reproduced_shows_nothing() {
        check(&[], 0, [0, 0], false);
    }
}
