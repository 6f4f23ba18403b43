//! `dmswarm run`: load runs over real HTTPS, one after the other, and then races.

use std::path::PathBuf;

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::races::{self, HowOften};
use crate::cli::report_page;
use crate::cli::scenarios::{Asked, read_all};
use crate::cli::targets::Outside;
use crate::cli::telling::Teller;
use crate::cli::watchers::Watchers;
use crate::report::figures::{count, counted};
use crate::report::{json, table::Table, terminal};
use crate::run::control::Controls;
use crate::run::metrics::Scrape;
use crate::run::prepare::TooLittleMemory;
use crate::run::{self, Finished, Options, RunError, host};
use crate::scenario::Scenario;
use crate::scenario::external::CannotDrive;

/// Runs every scenario that was asked for; none of them, if one has a problem.
pub fn run(paths: &[PathBuf], how: HowOften, watchers: Watchers, outside: Outside, flags: &Flags) -> Exit {
    let Some(scenarios) = without_problems(read_all(paths, &flags.overrides())) else {
        return Exit::Usage;
    };
    let (races, others): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(|(_, scenario)| scenario.expect.is_some());
    if races.is_empty() && how.repeat > 1 {
        output::remark("error: `--repeat` is for races, and no scenario here says what is to be expected of it");
        return Exit::Usage;
    }
    if let Some(flag) = watchers.wanted().filter(|_| !races.is_empty()) {
        output::remark(&format!(
            "error: `{flag}` is of one run after the other; races run side by side: leave it out, or them"
        ));
        return Exit::Usage;
    }
    if let Some(flag) = outside.wanted().filter(|_| !races.is_empty() || others.len() > 1) {
        output::remark(&format!(
            "error: `{flag}` is for one scenario at a time, and no race calls anybody else; run that one alone"
        ));
        return Exit::Usage;
    }
    if let Some((source, cannot)) = others.iter().find_map(|(source, one)| Some((source, CannotDrive::of(one)?))) {
        output::remark(&format!("error: {source}: {cannot}"));
        return Exit::Usage;
    }
    let options = match watchers.watch(outside.apply(options(flags))) {
        Ok(options) => options,
        Err(error) => {
            output::remark(&format!("error: {error}"));
            return Exit::CouldNotRun;
        }
    };
    if let Some(address) = options.metrics.as_ref().and_then(Scrape::address).filter(|_| !flags.quiet) {
        output::remark(&format!("metrics at http://{address}/metrics"));
    }
    let exit = if others.is_empty() { Exit::Passed } else { one_after_the_other(&others, &options, flags) };
    if races.is_empty() || exit.is_interrupted() {
        return exit;
    }
    let apart = if others.is_empty() || flags.json || flags.quiet { Exit::Passed } else { output::data("") };
    Exit::weightiest([exit, apart, races::run(&races, how, flags)])
}

/// Runs scenarios that are no races.
fn one_after_the_other(scenarios: &[(String, Scenario)], options: &Options, flags: &Flags) -> Exit {
    let several = scenarios.len() > 1;
    let mut exits = Vec::with_capacity(scenarios.len());
    let mut table = Table::new(["scenario", "verdict", "flows", "failed", "folder"]);
    for (source, scenario) in scenarios {
        let exit = match run_one(source, scenario, options, flags) {
            Ok(finished) => {
                table.row(row(scenario, &finished));
                Exit::weightiest([show(&finished, flags), ending(&finished)])
            }
            Err(error) => {
                table.row(row_without_run(scenario));
                tell_error(&error)
            }
        };
        exits.push(exit);
        if exit.is_interrupted() {
            break;
        }
    }
    let worst = Exit::weightiest(exits);
    if several && !flags.json && !is_hushed(worst, flags) {
        return Exit::weightiest([worst, output::data(&format!("\n{}", table.words().join("\n")))]);
    }
    worst
}

/// Every scenario with where it comes from, or `None` when one of them has a problem; all problems have been told then.
fn without_problems(asked: Vec<Asked>) -> Option<Vec<(String, Scenario)>> {
    let many = asked.len();
    let mut scenarios = Vec::with_capacity(many);
    for Asked { source, scenario } in asked {
        match scenario {
            Ok(scenario) => scenarios.push((source, scenario)),
            Err(problems) => tell_problems(&problems),
        }
    }
    (scenarios.len() == many).then_some(scenarios)
}

fn run_one(source: &str, scenario: &Scenario, options: &Options, flags: &Flags) -> Result<Finished, RunError> {
    if !flags.quiet {
        let devices = counted(u64::from(scenario.devices), "device");
        output::remark(&format!("{}: {source}, {devices}, seed {}", scenario.name, scenario.seed.0));
    }
    if let Some(lack) = TooLittleMemory::of(scenario, host::memory_bytes()) {
        output::remark(&format!("warning: {source}: {lack}"));
    }
    let (keys, controls) = Controls::new();
    // Gone before anything else is printed: then the terminal is as it was.
    let mut teller = Teller::new(scenario, flags, keys);
    run::run_controlled(scenario, options, controls, |news| teller.hear(&news))
}

/// Why a run could not be run, and how the program ends by it; that somebody did not want it any more is no error.
pub(super) fn tell_error(error: &RunError) -> Exit {
    let kind = if error.signal().is_some() { "" } else { "error: " };
    output::remark(&format!("{kind}{error}"));
    exit_of(error)
}

/// How the program ends by what could not be run.
pub(super) fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::Unreachable { .. } | RunError::NotLetIn { .. } => Exit::Unreachable,
        RunError::Prepare(problem) if problem.is_of_the_scenario() => Exit::Usage,
        _ => Exit::of_error(error.signal()),
    }
}

/// Where a run keeps things, by the flags.
pub(super) fn options(flags: &Flags) -> Options {
    // As it was given, except for what is not UTF-8.
    let command_line = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    Options { certs: flags.certs.clone(), out: flags.out.clone(), command_line, ..Options::default() }
}

/// The result on stdout, and on stderr what of it could not be kept. The report is in the folder by then.
pub(super) fn show(finished: &Finished, flags: &Flags) -> Exit {
    let report = report_page::write(&finished.folder);
    let shown = if flags.json {
        output::data(&json::summary(&finished.summary))
    } else if is_hushed(ending(finished), flags) {
        Exit::Passed
    } else {
        let colour = output::data_has_colour();
        let files = terminal::Files { folder: &finished.folder, report: report.as_ref().ok().map(PathBuf::as_path) };
        output::data(&terminal::summary(&finished.summary, Some(files), colour))
    };
    if let Some(error) = &finished.not_written {
        output::remark(&format!("error: {error}"));
    }
    if let Some(error) = &finished.not_pushed {
        output::remark(&format!("warning: {error}"));
    }
    // Whatever was measured is in the folder, and the report can be made from it at any time.
    if let Err(error) = report {
        output::remark(&format!("warning: no report.html: {error}"));
    }
    shown
}

/// Whether there is nothing to say, because only what went wrong is wanted.
fn is_hushed(exit: Exit, flags: &Flags) -> bool {
    flags.quiet && exit == Exit::Passed
}

pub(super) fn ending(finished: &Finished) -> Exit {
    if finished.summary.had_internal_error() || finished.not_written.is_some() {
        return Exit::CouldNotRun;
    }
    Exit::of_verdict(finished.summary.verdict, finished.interrupted_by)
}

fn row(scenario: &Scenario, finished: &Finished) -> [String; 5] {
    [
        scenario.name.clone(),
        finished.summary.verdict.key().to_owned(),
        count(finished.summary.started()),
        count(finished.summary.failed_flows()),
        finished.folder.display().to_string(),
    ]
}

/// A scenario that could not be run.
fn row_without_run(scenario: &Scenario) -> [String; 5] {
    [scenario.name.clone(), "not run".to_owned(), String::new(), String::new(), String::new()]
}
