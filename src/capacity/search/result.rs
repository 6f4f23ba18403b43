//! What a search has found, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capacity::axis::relative_width;
use crate::capacity::search::evidence::Standing;
use crate::capacity::search::goal::{Goal, Settings};
use crate::capacity::search::table::{Bounds, Row, Table};
use crate::capacity::search::trial::Measured;

/// A finished search. Loads are in the unit of the axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchResult {
    pub ending: Ending,
    /// Of all goals together: the highest load that keeps each, and the lowest that does not.
    pub bounds: Interval,
    /// The same from what the sub-trials lean to, sure or not: all there is where a search was cut short.
    pub leaning: Interval,
    /// In the order of the settings.
    pub goals: Vec<GoalResult>,
    /// Every load that was tried, the lowest first.
    pub loads: Vec<LoadResult>,
    /// How many counted: all but the warm-up.
    pub sub_trials: u32,
    /// What came of the warm-up; `None` where it was invalid.
    pub warm_up: Option<Measured>,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With both bounds, as narrow as was asked for.
    Found,
    /// With what can be told: the loads between are tossed by noise, or answer nothing. The bounds are as sure as in
    /// [`Found`](Ending::Found), but farther apart, or one is missing.
    Wide,
    /// With a lower bound that is the most load of the range.
    AboveRange,
    /// With an upper bound that is the least load of the range.
    BelowRange,
    /// With the last sub-trial that was allowed.
    Exhausted,
    /// With an invalid sub-trial: what was met is our own limit, and that of the peer is not known.
    Invalid { load: f64, why: String },
}

impl Ending {
    /// Whether the search has come to an answer, if there is a lower bound.
    pub fn is_found(&self) -> bool {
        matches!(self, Ending::Found | Ending::Wide | Ending::AboveRange)
    }
}

/// Between which loads an answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// As a part of the upper end.
    pub width: Option<f64>,
}

/// What was found for one goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalResult {
    pub name: String,
    /// MLRsearch's relevant bounds.
    pub bounds: Interval,
    pub leaning: Interval,
    /// Whether both bounds are there, as narrow as was asked for, and no load above them holds (MLRsearch's regular
    /// goal result).
    pub is_regular: bool,
    /// Whether sub-trials of some load came out differently, so that the width in noise was asked for.
    pub is_noisy: bool,
    /// The load that came through at the lower bound, at least, in as many sub-trials as are to hold.
    pub conditional_throughput: Option<f64>,
    /// Loads that hold above one that does not.
    pub inversions: Vec<Inversion>,
}

/// A load that holds above one that does not: MLRsearch's loss inversion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Inversion {
    pub holds: f64,
    /// The lowest load that does not hold, which is below.
    pub fails: f64,
}

/// One load that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadResult {
    pub load: f64,
    /// What it is for each goal.
    pub standings: Vec<Standing>,
    /// In the order in which they were made.
    pub sub_trials: Vec<Measured>,
}

impl SearchResult {
    pub(super) fn of(settings: &Settings, table: &Table, warm_up: Option<&Measured>, ending: &Ending) -> SearchResult {
        let goals = &settings.goals;
        let all: Vec<usize> = (0..goals.len()).collect();
        SearchResult {
            ending: ending.clone(),
            bounds: Interval::of(table.bounds(goals, &all)),
            leaning: Interval::of(table.bracket(goals, &all)),
            goals: all.iter().map(|goal| GoalResult::of(settings, *goal, table)).collect(),
            loads: table.rows().iter().map(|row| LoadResult::of(goals, row)).collect(),
            sub_trials: table.count(),
            warm_up: warm_up.cloned(),
        }
    }
}

impl Interval {
    fn of(bounds: Bounds) -> Interval {
        let Bounds { lower, upper } = bounds;
        Interval { lower, upper, width: lower.zip(upper).map(|(lower, upper)| relative_width(lower, upper)) }
    }
}

impl GoalResult {
    fn of(settings: &Settings, number: usize, table: &Table) -> GoalResult {
        let (goals, of) = (&settings.goals, [number]);
        let goal = &goals[number];
        let bounds = table.bounds(goals, &of);
        let is_noisy = table.rows().iter().any(|row| row.evidence[number].is_contested());
        let inversions = inversions(goals, number, table, bounds.upper);
        let width = if is_noisy { goal.width_in_noise } else { goal.width };
        let is_narrow =
            bounds.lower.zip(bounds.upper).is_some_and(|(lower, upper)| settings.axis.is_narrow(lower, upper, width));
        GoalResult {
            name: goal.name.clone(),
            bounds: Interval::of(bounds),
            leaning: Interval::of(table.bracket(goals, &of)),
            is_regular: is_narrow && inversions.is_empty(),
            is_noisy,
            conditional_throughput: bounds
                .lower
                .and_then(|load| table.row(load))
                .and_then(|row| conditional_throughput(goal, row)),
            inversions,
        }
    }
}

impl LoadResult {
    fn of(goals: &[Goal], row: &Row) -> LoadResult {
        LoadResult {
            load: row.load,
            standings: (0..goals.len()).map(|goal| row.standing(goals, &[goal])).collect(),
            sub_trials: row.sub_trials.clone(),
        }
    }
}

fn inversions(goals: &[Goal], goal: usize, table: &Table, upper: Option<f64>) -> Vec<Inversion> {
    let Some(fails) = upper else { return Vec::new() };
    let above = table.rows().iter().filter(|row| row.load > fails && row.standing(goals, &[goal]) == Standing::Lower);
    above.map(|row| Inversion { holds: row.load, fails }).collect()
}

/// MLRsearch's conditional throughput (draft-ietf-bmwg-mlrsearch-15, "Conditional Throughput Code"), with the part that
/// came through for one less the loss ratio: the best sub-trials first, as many as are to hold by time, what is missing
/// in trial time counted as nothing that came through; the last of them is the typical one.
fn conditional_throughput(goal: &Goal, row: &Row) -> Option<f64> {
    let mut sub_trials: Vec<(f64, f64)> =
        row.sub_trials.iter().map(|measured| (measured.forwarded, measured.lasted.as_secs_f64())).collect();
    sub_trials.sort_by(|one, other| other.0.total_cmp(&one.0));
    let seen: f64 = sub_trials.iter().map(|(_, lasted)| lasted).sum();
    let mut remaining = seen.max(goal.trial_time.as_secs_f64()) * (1.0 - goal.exceed_ratio);
    let mut typical = None;
    for (forwarded, lasted) in sub_trials {
        if typical.is_some() && remaining <= HAIR {
            break;
        }
        typical = Some(forwarded);
        remaining -= lasted;
    }
    let typical = if remaining > HAIR { typical.map(|_| 0.0) } else { typical };
    typical.map(|forwarded| forwarded * row.load)
}

/// What rounding may take away from an equality of sums of seconds.
const HAIR: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::search::trial::Answer;
    use std::time::Duration;

    /// The conditional throughput at a load of 1,000 whose sub-trials of 1 s let these parts come through.
    fn throughput(forwarded: &[f64], goal: &Goal) -> Option<f64> {
        let mut table = Table::default();
        for forwarded in forwarded {
            let measured =
                Measured { lasted: Duration::from_secs(1), forwarded: *forwarded, answers: vec![Answer::held()] };
            table.add(1_000.0, measured, std::slice::from_ref(goal));
        }
        conditional_throughput(goal, &table.rows()[0])
    }

    #[test]
    fn conditional_throughput_is_that_of_the_worst_of_the_best_that_are_to_hold() {
        let goal = Goal::new("any");
        assert_eq!(throughput(&[0.9, 1.0, 0.5, 0.8], &goal), Some(900.0), "half of four: the second best");
        assert_eq!(throughput(&[0.9, 1.0, 0.5], &goal), Some(900.0), "half of three is the second as well");
        let all = Goal { exceed_ratio: 0.0, risk: None, ..goal.clone() };
        assert_eq!(throughput(&[0.9, 1.0, 0.5, 0.8], &all), Some(500.0));
    }

    #[test]
    fn missing_trial_time_counts_as_nothing_that_came_through() {
        let goal = Goal { trial_time: Duration::from_secs(9), ..Goal::new("any") };
        assert_eq!(throughput(&[1.0, 0.9, 0.8, 0.7], &goal), Some(0.0), "4.5 s are to hold, 4 s were seen");
        assert_eq!(throughput(&[1.0, 0.9, 0.8, 0.7, 0.6], &goal), Some(600.0));
    }
}
