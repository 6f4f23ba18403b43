//! `dmswarm run` of races: side by side, as often as asked, and one table at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::{ending, options};
use crate::measure::Verdict;
use crate::measure::expectation::Expectation;
use crate::report::figures::counted;
use crate::report::{json, table::Table};
use crate::run::news::News;
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
    /// How many runs were asked for.
    asked: usize,
    runs: Vec<Run>,
}

/// One run of a race.
enum Run {
    Ended {
        /// `None` where it was interrupted: what had not happened by then says nothing.
        expectation: Option<Expectation>,
        exit: Exit,
        seconds: f64,
        /// What it did not come by, and why this machine was no judge of it.
        doubts: Vec<String>,
        folder: PathBuf,
        not_written: Option<String>,
    },
    NotRun {
        why: String,
        exit: Exit,
    },
}

/// Runs races, and tells how each went: 0 when all went as expected.
pub fn run(scenarios: &[(String, Scenario)], how: HowOften, flags: &Flags) -> Exit {
    let mut cases: Vec<Case> = scenarios.iter().map(|(_, scenario)| Case::of(scenario, how)).collect();
    let to_run: Vec<usize> = (0..how.repeat).flat_map(|_| 0..cases.len()).filter(|&at| cases[at].asked > 0).collect();
    if !flags.quiet && !to_run.is_empty() {
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
                    if run.was_interrupted() {
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
    // Many races may have met with the same.
    let errors: BTreeSet<&str> = cases.iter().flat_map(|case| &case.runs).filter_map(Run::error).collect();
    for error in errors {
        output::remark(&format!("error: {error}"));
    }
    let shown =
        if flags.json || (flags.quiet && worst == Exit::Passed) { Exit::Passed } else { show(&cases, &flags.out) };
    Exit::weightiest([worst, shown])
}

impl<'s> Case<'s> {
    fn of(scenario: &'s Scenario, how: HowOften) -> Case<'s> {
        let asked = if why_not(scenario).is_some() { 0 } else { how.repeat as usize };
        Case { scenario, asked, runs: Vec::new() }
    }

    fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.runs.iter().filter_map(Run::expectation)
    }

    fn met(&self) -> usize {
        self.expectations().filter(|race| race.met).count()
    }

    fn reproduced(&self) -> usize {
        self.expectations().filter(|race| race.reproduced).count()
    }

    /// The run that tells most: where runs differ, the first that was not expected.
    fn telling(&self) -> Option<&Run> {
        let unexpected = self.runs.iter().find(|run| run.expectation().is_some_and(|race| !race.met));
        unexpected.or_else(|| self.runs.iter().find(|run| run.expectation().is_some())).or(self.runs.first())
    }

    fn row(&self) -> [String; 5] {
        let name = self.scenario.name.clone();
        if let Some(why) = why_not(self.scenario) {
            return [name, "not over HTTPS".to_owned(), String::new(), String::new(), why.to_owned()];
        }
        let of_all = |count: usize| format!("{count} of {}", self.asked);
        let (broken, expected) = self
            .telling()
            .and_then(Run::expectation)
            .map_or_else(Default::default, |race| (listed(&race.broken), listed(&race.expected)));
        let verdict = match self.met() {
            met if met == self.asked => "as expected".to_owned(),
            _ if self.runs.iter().all(|run| matches!(run, Run::NotRun { .. })) => "not run".to_owned(),
            met => format!("as expected in {}", of_all(met)),
        };
        [name, of_all(self.reproduced()), broken, expected, verdict]
    }

    /// Where to look for what was not expected.
    fn hints(&self) -> Vec<String> {
        let Some(Run::Ended { expectation: Some(race), doubts, folder, .. }) = self.telling() else {
            return Vec::new();
        };
        if race.met {
            return Vec::new();
        }
        let look = format!("see {}", folder.display());
        doubts.iter().chain([&look]).map(|line| format!("{}: {line}", self.scenario.name)).collect()
    }
}

fn why_not(scenario: &Scenario) -> Option<&str> {
    scenario.expect.as_ref()?.not_over_https.as_deref()
}

fn run_one(scenario: &Scenario, flags: &Flags) -> Run {
    match run::run(scenario, &options(flags), |news| tell(scenario, &news, flags)) {
        Ok(finished) => {
            let told = if flags.json { output::data(&json::summary(&finished.summary)) } else { Exit::Passed };
            Run::of(&finished, told)
        }
        Err(error) => Run::NotRun { why: error.to_string(), exit: Exit::of_error(error.signal()) },
    }
}

impl Run {
    fn of(finished: &Finished, told: Exit) -> Run {
        let summary = &finished.summary;
        let expectation = summary.expectation.clone().filter(|_| summary.verdict != Verdict::Interrupted);
        Run::Ended {
            expectation,
            exit: Exit::weightiest([ending(finished), told]),
            seconds: summary.duration_s,
            doubts: summary.warnings.iter().chain(&summary.health.reasons).cloned().collect(),
            folder: finished.folder.clone(),
            not_written: finished.not_written.as_ref().map(ToString::to_string),
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Run::Ended { not_written, .. } => not_written.as_deref(),
            Run::NotRun { why, exit } => (!exit.is_interrupted()).then_some(why),
        }
    }

    fn was_interrupted(&self) -> bool {
        self.exit().is_interrupted()
    }

    fn exit(&self) -> Exit {
        match self {
            Run::Ended { exit, .. } | Run::NotRun { exit, .. } => *exit,
        }
    }

    fn expectation(&self) -> Option<&Expectation> {
        match self {
            Run::Ended { expectation, .. } => expectation.as_ref(),
            Run::NotRun { .. } => None,
        }
    }
}

/// Words on stderr while races go on.
fn tell(scenario: &Scenario, news: &News<'_>, flags: &Flags) {
    let name = &scenario.name;
    match news {
        News::Ready { folder, .. } if flags.verbose => {
            output::remark(&format!("{name}: results in {}", folder.display()))
        }
        _ => {}
    }
}

/// The table, where to look, and a line that sums it up.
fn show(cases: &[Case<'_>], out: &Path) -> Exit {
    let mut table = Table::new(["case", "reproduced", "promises broken", "expected", ""]);
    cases.iter().for_each(|case| table.row(case.row()));
    let mut text = format!("{}\n\n", table.words().join("\n"));
    let hints: Vec<String> = cases.iter().flat_map(Case::hints).collect();
    if !hints.is_empty() {
        text.push_str(&format!("{}\n\n", hints.join("\n")));
    }
    text.push_str(&summed_up(cases));
    let runs: Vec<&Run> = cases.iter().flat_map(|case| &case.runs).collect();
    let seconds =
        runs.iter().filter_map(|run| if let Run::Ended { seconds, .. } = run { Some(*seconds) } else { None });
    if let Some(longest) = seconds.reduce(f64::max) {
        text.push_str(&format!("; the longest took {longest:.1} s\nsummaries and stories  {}", out.display()));
    }
    if runs.iter().any(|run| run.was_interrupted()) {
        let asked: usize = cases.iter().map(|case| case.asked).sum();
        let whole = runs.iter().filter(|run| run.expectation().is_some()).count();
        text.push_str(&format!("\ninterrupted: {whole} of {} came to their end", counted(asked as u64, "run")));
    }
    output::data(&text)
}

/// How many races were reproduced and went as expected, of those that can be run.
fn summed_up(cases: &[Case<'_>]) -> String {
    let run: Vec<&Case> = cases.iter().filter(|case| case.asked > 0).collect();
    let reproduced = run.iter().filter(|case| case.reproduced() == case.asked).count();
    let as_expected = run.iter().filter(|case| case.met() == case.asked).count();
    let mut parts = Vec::new();
    if !run.is_empty() {
        parts.push(format!("{reproduced} of {0} reproduced, {as_expected} of {0} as expected", run.len()));
    }
    if run.len() < cases.len() {
        parts.push(format!("{} not over HTTPS", cases.len() - run.len()));
    }
    parts.join(", ")
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::scenarios::quickstart;
    use crate::scenario::Expect;
    use crate::scenario::file::Overrides;

    fn race(not_over_https: Option<&str>) -> Scenario {
        let expect =
            Expect { literal: Vec::new(), hardened: Vec::new(), not_over_https: not_over_https.map(str::to_owned) };
        Scenario { expect: Some(expect), ..quickstart(&Overrides::default()).scenario.unwrap() }
    }

    fn ended(reproduced: bool, met: bool, is_whole: bool) -> Run {
        let expectation = Expectation { reproduced, expected: Vec::new(), broken: Vec::new(), met };
        Run::Ended {
            expectation: is_whole.then_some(expectation),
            exit: if is_whole { Exit::Passed } else { Exit::Interrupted },
            seconds: 1.0,
            doubts: vec!["the goal `x` was never reached".to_owned()],
            folder: PathBuf::from("results/x"),
            not_written: None,
        }
    }

    fn case(scenario: &Scenario, repeat: u32, runs: Vec<Run>) -> Case<'_> {
        Case { runs, ..Case::of(scenario, HowOften { repeat, at_once: 1 }) }
    }

    #[test]
    fn runs_that_never_came_are_not_as_expected() {
        let scenario = race(None);
        let case = case(&scenario, 20, vec![ended(true, true, true), ended(false, false, false)]);
        assert_eq!(case.row()[1..], ["1 of 20", "none", "none", "as expected in 1 of 20"]);
        assert_eq!(case.hints(), Vec::<String>::new());
        assert_eq!(summed_up(&[case]), "0 of 1 reproduced, 0 of 1 as expected");
    }

    #[test]
    fn what_was_not_expected_says_why_and_where_to_look() {
        let scenario = race(None);
        let case = case(&scenario, 2, vec![ended(true, true, true), ended(false, false, true)]);
        assert_eq!(case.row()[4], "as expected in 1 of 2");
        assert_eq!(case.hints(), ["quickstart: the goal `x` was never reached", "quickstart: see results/x"]);
    }

    #[test]
    fn a_race_that_is_not_run_is_neither_reproduced_nor_as_expected() {
        let (one, other) = (race(None), race(Some("no such frames")));
        let cases = [case(&one, 1, vec![ended(true, true, true)]), case(&other, 1, Vec::new())];
        assert_eq!(summed_up(&cases), "1 of 1 reproduced, 1 of 1 as expected, 1 not over HTTPS");
        assert_eq!(cases[1].row()[4], "no such frames");
    }
}
