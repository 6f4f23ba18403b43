//! The highest load that keeps every limit, found by running a scenario under one load after the other.

use crate::campaign::loads;
use crate::capacity::littles_law::{Check, Window};
use crate::capacity::scaling::{LEAST_REPLICATES, Point, Scaling, ScalingError};
use crate::capacity::search::{
    Aim, Answer, Goal, Measured, Outcome, Search, SearchResult, Settings, SettingsError, Step, Trial,
};
use crate::capacity::{Axis, AxisError};
use crate::measure::Verdict;
use crate::measure::limit::{Limit, LimitResult};
use crate::measure::summary::Summary;
use crate::results::FolderError;
use crate::results::capacity::{Figures, Trialed};
use crate::run::{self, Finished, Options, RunError, Watch};
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, LoadAxis};
use crate::seed::Seed;
use crate::workload::journey;
use crate::workload::plan::LoadPopulation;

/// What a search has come to.
#[derive(Debug)]
pub struct Found {
    /// `None` where it was stopped.
    pub result: Option<SearchResult>,
    pub trials: Vec<Trialed>,
    pub stopped: Option<Stopped>,
}

/// What ends a search before its end. What was found by then is kept.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The number of the signal.
    #[error("interrupted")]
    Interrupted(i32),
    #[error(transparent)]
    Run(RunError),
    /// A run that could not be kept is no evidence.
    #[error(transparent)]
    NotWritten(FolderError),
}

/// Why nothing can be searched for.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    #[error("`[capacity]`: {0}")]
    Axis(#[from] AxisError),
    #[error("`[capacity]`: {0}")]
    Settings(#[from] SettingsError),
    /// A load that is put in the place of the scenario's has no populations.
    #[error(
        "`[capacity]`: `{limit}` is about the population `{population}` of the load, which a search replaces: name the flow alone"
    )]
    NoSuchPopulation { limit: String, population: String },
    /// Nobody could judge the limit at the least load.
    #[error(
        "`[capacity]`: a sub-trial at the least load has {starts:.0} starts, and `{limit}` takes {needed} that end done to be judged, and some to spare: {hint}"
    )]
    TooFew { limit: String, starts: f64, needed: u64, hint: String },
}

/// How a search is set up by a scenario: its limits are the goals.
///
/// # Errors
/// [`CapacityError`] where its settings do not go together.
pub fn settings(scenario: &Scenario, capacity: &CapacitySettings) -> Result<Settings, CapacityError> {
    let CapacitySettings { least, most, .. } = *capacity;
    let axis = if capacity.axis.is_whole() { Axis::whole(least, most) } else { Axis::new(least, most) }?;
    let goal = |limit: &Limit| Goal {
        width: capacity.width,
        width_in_noise: capacity.width_in_noise,
        exceed_ratio: capacity.exceed_ratio,
        risk: Some(capacity.risk),
        ..Goal::new(limit.to_string())
    };
    let goals = scenario.limits.iter().map(goal).collect();
    let settings = Settings {
        growth: capacity.growth,
        each: capacity.each,
        aim: if capacity.for_each { Aim::Each } else { Aim::Together },
        most_per_load: capacity.per_load,
        most_in_all: capacity.sub_trials,
        ..Settings::new(axis, goals)
    };
    // It is known beforehand whether a search can be made.
    for limit in &scenario.limits {
        if let Some(population) =
            limit.population().filter(|name| capacity.axis.replaces_load() && *name != LoadPopulation::ALL)
        {
            return Err(CapacityError::NoSuchPopulation {
                limit: limit.to_string(),
                population: population.to_owned(),
            });
        }
        let needed = limit.least_samples();
        // A flow may fail, and starts fall on the edges of what counts.
        let wanted = needed + needed.div_ceil(5);
        let (starts, hint) = match capacity.axis {
            LoadAxis::Rate => {
                let seconds = capacity.each.as_secs_f64();
                let least = (wanted as f64 / seconds).ceil();
                (capacity.least * seconds, format!("raise `least` to {least:.0}, or `each`"))
            }
            LoadAxis::Storm => (capacity.least, format!("raise `least` to {wanted}")),
            LoadAxis::AtOnce | LoadAxis::Latency { .. } | LoadAxis::Revocations => continue,
        };
        if starts < wanted as f64 {
            return Err(CapacityError::TooFew { limit: limit.to_string(), starts, needed, hint });
        }
    }
    Search::new(settings.clone())?;
    Ok(settings)
}

/// Runs one sub-trial after the other, until the search is finished or something stops it; `tell` hears of each. The run
/// folders are made in `options.out`.
///
/// # Errors
/// [`CapacityError`] where the settings do not go together: nothing has been run then.
pub fn search(
    scenario: &Scenario,
    capacity: &CapacitySettings,
    options: &Options,
    watch: &Watch,
    mut tell: impl FnMut(&Trialed),
) -> Result<Found, CapacityError> {
    let mut search = Search::new(settings(scenario, capacity)?)?;
    let mut trials = Vec::new();
    while let Step::Trial(trial) = search.next() {
        let (told, outcome) = match sub_trial(scenario, capacity, &trial, (options, watch)) {
            Ok(ended) => ended,
            Err(stopped) => return Ok(Found { result: None, trials, stopped: Some(stopped) }),
        };
        tell(&told);
        trials.push(told);
        search.tell(outcome).expect("a run has an answer for each of its limits");
        watch.rest(capacity.pause);
    }
    Ok(Found { result: search.result(), trials, stopped: None })
}

fn sub_trial(
    scenario: &Scenario,
    capacity: &CapacitySettings,
    trial: &Trial,
    how: (&Options, &Watch),
) -> Result<(Trialed, Outcome), Stopped> {
    let under = match loads::at(scenario, capacity, trial.load) {
        Ok(under) => under,
        Err(too_many) => {
            let outcome = Outcome::Invalid { why: too_many.to_string() };
            return Ok((trialed(trial, None, &outcome), outcome));
        }
    };
    let finished = run_whole(&under, how)?;
    let outcome = outcome(&under, &finished, trial);
    let mut told = trialed(trial, Some(&finished), &outcome);
    if capacity.axis == LoadAxis::AtOnce {
        told.littles_law = littles_law(&under, &finished.summary, trial.load);
    }
    Ok((told, outcome))
}

/// A run to its end, and kept.
///
/// # Errors
/// What has stopped it.
pub fn run_whole(under: &Scenario, (options, watch): (&Options, &Watch)) -> Result<Finished, Stopped> {
    if let Some(signal) = watch.first() {
        return Err(Stopped::Interrupted(signal));
    }
    let finished = run::run(under, options, |_| {}).map_err(|error| match error.signal() {
        Some(signal) => Stopped::Interrupted(signal),
        None => Stopped::Run(error),
    })?;
    match finished {
        Finished { interrupted_by: Some(signal), .. } => Err(Stopped::Interrupted(signal)),
        Finished { not_written: Some(error), .. } => Err(Stopped::NotWritten(error)),
        whole => Ok(whole),
    }
}

/// What a run says about each limit.
fn outcome(under: &Scenario, finished: &Finished, trial: &Trial) -> Outcome {
    let summary = &finished.summary;
    if summary.verdict == Verdict::Invalid {
        return Outcome::Invalid { why: summary.health.reasons.join("; ") };
    }
    // A peer that breaks a promise under a load has not taken it.
    let is_broken = summary.verdict == Verdict::Broken;
    let answer = |(limit, judged): (&Limit, &LimitResult)| match judged.actual {
        _ if is_broken => Answer::exceeded(),
        None if judged.passed => Answer::held(),
        None => Answer::none(),
        Some(actual) => {
            let margin = if judged.windows.is_none() { limit.margin(actual) } else { None };
            Answer { margin, ..if judged.passed { Answer::held() } else { Answer::exceeded() } }
        }
    };
    let answers = under.limits.iter().zip(&summary.limits).map(answer).collect();
    Outcome::Measured(Measured { lasted: trial.lasts, forwarded: came_through(summary), answers })
}

/// The part of what was started that ended as it was meant to.
fn came_through(summary: &Summary) -> f64 {
    let started = summary.started();
    if started == 0 { 1.0 } else { (1.0 - summary.failed_flows() as f64 / started as f64).clamp(0.0, 1.0) }
}

fn trialed(trial: &Trial, finished: Option<&Finished>, outcome: &Outcome) -> Trialed {
    let limits = finished.map_or(&[][..], |finished| &finished.summary.limits);
    Trialed {
        load: trial.load,
        is_warm_up: trial.is_warm_up,
        number: trial.number,
        figures: finished.map(|finished| Figures::of(&finished.summary)),
        not_kept: limits.iter().filter(|limit| !limit.passed).cloned().collect(),
        invalid: match outcome {
            Outcome::Invalid { why } => Some(why.clone()),
            Outcome::Measured(_) => None,
        },
        littles_law: None,
        folder: finished.map(|finished| finished.folder.clone()),
    }
}

/// Whether so many flows at once, their throughput and their times go together. `None` where journeys wait, for then it is
/// not known how many flows there are at once.
fn littles_law(under: &Scenario, summary: &Summary, at_once: f64) -> Option<Check> {
    let waits = |step: &journey::Step| matches!(step, journey::Step::Wait(_) | journey::Step::WaitUntil(_));
    if under.journeys.iter().any(|cohort| cohort.journey.steps.iter().any(waits)) {
        return None;
    }
    let flows = &summary.all_flows;
    let window = Window {
        seconds: summary.duration_s,
        in_flight: at_once,
        per_s: flows.count as f64 / summary.duration_s,
        response_s: flows.response_ms.mean? / 1e3,
    };
    window.check(LITTLES_TOLERANCE).ok()
}

/// What begins and ends in a place between two flows is not in their times.
const LITTLES_TOLERANCE: f64 = 0.1;

/// How throughput goes with journeys at once.
///
/// # Errors
/// [`ScalingError`] where there are too few loads, or too close to each other.
pub fn scaling(trials: &[Trialed], seed: Seed) -> Result<Scaling, ScalingError> {
    let counts = trials.iter().filter(|trial| !trial.is_warm_up && trial.invalid.is_none());
    let point = |trial: &Trialed| {
        let figures = trial.figures.as_ref()?;
        (figures.flows_per_s > 0.0).then_some(Point { load: trial.load, throughput: figures.flows_per_s })
    };
    let points: Vec<Point> = counts.filter_map(point).collect();
    Scaling::fit(&points, LEAST_REPLICATES, &mut seed.stream("scaling", 0))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::file::{self, Overrides};

    #[test]
    fn the_shipped_searches_can_be_made() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/capacity");
        let mut axes = Vec::new();
        for entry in std::fs::read_dir(shipped).expect("the folder") {
            let path = entry.expect("an entry").path();
            let scenario = file::read(&path, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
            let capacity = scenario.capacity.clone().expect("it says what is turned up");
            settings(&scenario, &capacity).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            axes.push(capacity.axis.key());
        }
        axes.sort_unstable();
        assert_eq!(axes, ["at_once", "rate", "storm"]);
    }
}
