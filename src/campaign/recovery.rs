//! When every limit is kept again: what comes after something is cut into windows, and each is judged by itself.

use std::time::Duration;

use crate::measure::limit::{Limit, LimitResult};
use crate::results::capacity::Recovered;
use crate::scenario::Scenario;
use crate::scenario::capacity::CapacitySettings;

/// The windows: whole seconds, each long enough that every limit can be judged in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    pub each: Duration,
    count: u32,
}

/// So much is looked at for each second in which a sub-trial counts, in so many windows at least,
const WATCHED: f64 = 5.0;
const LEAST: u32 = 3;
/// and no longer than this, whatever that takes.
const LONGEST: f64 = 60.0;

impl Windows {
    /// Those of a scenario under this load. What it would take too long to judge is not judged.
    pub fn of(scenario: &Scenario, settings: &CapacitySettings, load: f64) -> Windows {
        // Some flows may fail, and a window has one less than its share where starts fall on its edges.
        let needed = scenario.limits.iter().map(Limit::least_samples).max().unwrap_or(1) as f64 * 1.2 + 1.0;
        let each = (needed / load).ceil().clamp(1.0, LONGEST / f64::from(LEAST));
        let watched = (WATCHED * settings.each.as_secs_f64()).min(LONGEST);
        Windows { each: Duration::from_secs_f64(each), count: ((watched / each).round() as u32).max(LEAST) }
    }

    /// What limits call them.
    pub fn names(self) -> impl Iterator<Item = String> {
        (1..=self.count).map(|number| format!("after-{number}"))
    }

    /// How long all of them are.
    pub fn lasts(self) -> Duration {
        self.count * self.each
    }

    /// The limits of a scenario on each of them; none ends the run.
    pub fn limits(self, scenario: &Scenario) -> Vec<Limit> {
        let limits =
            |name: String| scenario.limits.iter().map(move |limit| limit.clone().of_phase(&name).without_abort());
        self.names().flat_map(limits).collect()
    }

    /// From when on every limit was kept in every window that could be judged.
    pub fn recovered(self, scenario: &Scenario, results: &[LimitResult]) -> Recovered {
        let states: Vec<State> = results.chunks(scenario.limits.len().max(1)).map(State::of).collect();
        let behind = states.iter().rposition(|state| *state == State::Bad).map_or(0, |last| last + 1);
        let kept = states[behind..].iter().position(|state| *state == State::Kept);
        match kept {
            // What lies between the last bad one and this could not be judged.
            Some(further) => Recovered::After((behind + further) as f64 * self.each.as_secs_f64()),
            None if behind == states.len() => Recovered::NotYet,
            None => Recovered::NotKnown,
        }
    }
}

/// What the limits say about a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Kept,
    Bad,
    /// One of them has too few samples.
    Unknown,
}

impl State {
    fn of(limits: &[LimitResult]) -> State {
        let is_broken = |limit: &LimitResult| limit.actual.is_some() && !limit.passed;
        match limits {
            limits if limits.iter().any(is_broken) => State::Bad,
            limits if limits.iter().all(|limit| limit.passed) => State::Kept,
            _ => State::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::limit::Unit;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    fn scenario(limits: &str) -> (Scenario, CapacitySettings) {
        let text = format!("{QUICKSTART}\n[capacity]\nleast = 1\nmost = 500\neach = \"2s\"\n");
        let overrides = Overrides { sets: vec![format!("limits={limits}")], ..Overrides::default() };
        let scenario = parse("quickstart", &text, &overrides).unwrap_or_else(|problems| panic!("{problems}"));
        let settings = scenario.capacity.clone().expect("it says so");
        (scenario, settings)
    }

    /// A window for each letter: kept, bad, or not judged.
    fn recovered(states: &str) -> Recovered {
        let (scenario, settings) = scenario("[\"p50(flow.revoke.asked) < 1s\", \"share(failed) = 0\"]");
        let windows = Windows::of(&scenario, &settings, 100.0);
        let limit = |actual, passed| LimitResult {
            expr: "p50(flow.revoke.asked) < 1s".to_owned(),
            actual,
            limit: 1_000.0,
            unit: Unit::Ms,
            passed,
            optional: false,
            abort: false,
            windows: None,
            note: None,
        };
        let of = |state| match state {
            'k' => [limit(Some(10.0), true), limit(Some(0.0), true)],
            'b' => [limit(Some(3_000.0), false), limit(Some(0.0), true)],
            _ => [limit(None, false), limit(Some(0.0), true)],
        };
        let results: Vec<LimitResult> = states.chars().flat_map(of).collect();
        windows.recovered(&scenario, &results)
    }

    #[test]
    fn what_could_not_be_judged_is_not_taken_for_kept() {
        assert_eq!(recovered("kkkkkkkkkk"), Recovered::After(0.0));
        assert_eq!(recovered("bbkkkkkkkk"), Recovered::After(2.0));
        assert_eq!(recovered("bkkbkkkkkk"), Recovered::After(4.0));
        assert_eq!(recovered("b???kkkkkk"), Recovered::After(4.0), "at the latest");
        assert_eq!(recovered("??kkkkkkkk"), Recovered::After(2.0), "at the latest");
        assert_eq!(recovered("b?????????"), Recovered::NotKnown);
        assert_eq!(recovered("??????????"), Recovered::NotKnown);
        assert_eq!(recovered("kkkkkkkkkb"), Recovered::NotYet);
    }

    #[test]
    fn a_window_is_long_enough_for_every_limit() {
        let windows = |limits, load| {
            let (scenario, settings) = scenario(limits);
            let windows = Windows::of(&scenario, &settings, load);
            (windows.each.as_secs(), windows.names().count())
        };
        assert_eq!(windows("[\"share(failed) = 0\"]", 50.0), (1, 10));
        // 99th percentiles take 100 samples.
        assert_eq!(windows("[\"p99(flow.revoke.asked) < 1s\"]", 50.0), (3, 3));
        assert_eq!(windows("[\"p99(flow.revoke.asked) < 1s\"]", 1.0), (20, 3), "too long to be looked at");
    }
}
