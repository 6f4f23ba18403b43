//! `dmswarm run` of races: side by side, as often as asked, and one table at the end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::{ending, options};
use crate::measure::expectation::Expectation;
use crate::report::figures::counted;
use crate::report::{json, table::Table};
use crate::run::{self, Finished};
use crate::scenario::Scenario;

/// How races are run.
#[derive(Debug, Clone, Copy)]
pub struct HowOften {
    /// Each race, at least once.
    pub repeat: u32,
    /// Races side by side, at least one.
    pub at_once: u32,
}

/// What became of one race.
struct Case<'s> {
    scenario: &'s Scenario,
    runs: Vec<Run>,
}

/// One run of a race.
enum Run {
    Ended { expectation: Option<Expectation>, exit: Exit, seconds: f64 },
    NotRun { why: String },
}

/// Runs races, and tells how each went: 0 when all went as expected.
pub fn run(scenarios: &[(String, Scenario)], how: HowOften, flags: &Flags) -> Exit {
    let mut cases: Vec<Case> = scenarios.iter().map(|(_, scenario)| Case { scenario, runs: Vec::new() }).collect();
    let to_run: Vec<usize> = (0..how.repeat).flat_map(|_| 0..cases.len()).filter(|&at| is_run(&cases[at])).collect();
    if !flags.quiet {
        let races = counted(to_run.len() as u64, "run");
        output::remark(&format!("races: {races}, {} side by side", how.at_once.min(to_run.len() as u32)));
    }
    let (next, is_interrupted) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ended: Mutex<Vec<(usize, Run)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..how.at_once {
            scope.spawn(|| {
                while !is_interrupted.load(Ordering::Relaxed)
                    && let Some(&at) = to_run.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let run = run_one(&scenarios[at].1, flags);
                    if matches!(run, Run::Ended { exit: Exit::Interrupted | Exit::Terminated, .. }) {
                        is_interrupted.store(true, Ordering::Relaxed);
                    }
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push((at, run));
                }
            });
        }
    });
    for (at, run) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        cases[at].runs.push(run);
    }
    let exits: Vec<Exit> = cases.iter().flat_map(|case| &case.runs).map(Run::exit).collect();
    let worst = Exit::weightiest(exits);
    let shown =
        if flags.json || (flags.quiet && worst == Exit::Passed) { Exit::Passed } else { show(&cases, &flags.out) };
    Exit::weightiest([worst, shown])
}

fn is_run(case: &Case<'_>) -> bool {
    why_not(case.scenario).is_none()
}

fn why_not(scenario: &Scenario) -> Option<&str> {
    scenario.expect.as_ref()?.not_over_https.as_deref()
}

fn run_one(scenario: &Scenario, flags: &Flags) -> Run {
    match run::run(scenario, &options(flags), |_| {}) {
        Ok(finished) => {
            let told = if flags.json { output::data(&json::summary(&finished.summary)) } else { Exit::Passed };
            Run::of(&finished, told)
        }
        Err(error) => Run::NotRun { why: error.to_string() },
    }
}

impl Run {
    fn of(finished: &Finished, told: Exit) -> Run {
        let expectation = finished.summary.expectation.clone();
        Run::Ended {
            expectation,
            exit: Exit::weightiest([ending(finished), told]),
            seconds: finished.summary.duration_s,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Run::Ended { exit, .. } => *exit,
            Run::NotRun { .. } => Exit::CouldNotRun,
        }
    }

    fn expectation(&self) -> Option<&Expectation> {
        match self {
            Run::Ended { expectation, .. } => expectation.as_ref(),
            Run::NotRun { .. } => None,
        }
    }
}

/// The table, and a line that sums it up.
fn show(cases: &[Case<'_>], out: &Path) -> Exit {
    let mut table = Table::new(["case", "reproduced", "promises broken", "expected", ""]);
    let mut reproduced = 0;
    let mut as_expected = 0;
    for case in cases {
        let of_all = |count: usize| format!("{count} of {}", case.runs.len());
        let met = case.runs.iter().filter(|run| run.expectation().is_some_and(|race| race.met)).count();
        let seen = case.runs.iter().filter(|run| run.expectation().is_some_and(|race| race.reproduced)).count();
        if let Some(why) = why_not(case.scenario) {
            as_expected += 1;
            table.row([
                case.scenario.name.clone(),
                "not over HTTPS".to_owned(),
                String::new(),
                String::new(),
                why.to_owned(),
            ]);
            continue;
        }
        let is_met = met == case.runs.len() && !case.runs.is_empty();
        reproduced += usize::from(seen == case.runs.len() && !case.runs.is_empty());
        as_expected += usize::from(is_met);
        // Where runs differ, the first that was not expected tells more than the first.
        let told = case.runs.iter().find(|run| !run.expectation().is_some_and(|race| race.met));
        let told = told.or(case.runs.first());
        let (broken, expected) = told
            .and_then(Run::expectation)
            .map_or_else(Default::default, |race| (listed(&race.broken), listed(&race.expected)));
        let verdict = match told {
            Some(Run::NotRun { why }) => why.clone(),
            _ if is_met => "as expected".to_owned(),
            _ => format!("as expected in {}", of_all(met)),
        };
        table.row([case.scenario.name.clone(), of_all(seen), broken, expected, verdict]);
    }
    let longest = cases.iter().flat_map(|case| &case.runs).filter_map(|run| match run {
        Run::Ended { seconds, .. } => Some(*seconds),
        Run::NotRun { .. } => None,
    });
    let longest = longest.fold(0.0, f64::max);
    let races = cases.len();
    output::data(&format!(
        "{}\n\n{reproduced} of {races} reproduced, {as_expected} of {races} as expected; the longest took {longest:.1} s\nsummaries and stories  {}",
        table.words().join("\n"),
        out.display()
    ))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
