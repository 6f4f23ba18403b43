//! `dmswarm capacity`: the highest load that keeps every limit.

use std::path::PathBuf;

use clap::Args;

use crate::campaign::around::around;
use crate::campaign::capacity::{Found, Stopped, scaling, search, settings};
use crate::campaign::sizing::{Searched, go_together, sized};
use crate::capacity::search::Ending;
use crate::capacity::sizing::Plan;
use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::{exit_of, options};
use crate::cli::scenarios::read_all;
use crate::cli::targets::Outside;
use crate::clock::wall_now;
use crate::report::capacity as told;
use crate::results::SearchFolder;
use crate::results::capacity::{Around, CapacityRecord, RECORD};
use crate::run::{Options, Watch};
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, LoadAxis};
use crate::scenario::external::CannotDrive;

/// The examples in its help.
pub const EXAMPLES: &str = "\
Examples:
  dmswarm capacity scenarios/capacity/rate.toml
  dmswarm capacity scenario.toml --set capacity.each=20s --set capacity.width=0.02
  dmswarm capacity scenarios/capacity/rate.toml --plan '10M devices in 48h, storm 20k, 2 spare'
  dmswarm capacity --plan '10M devices in 48h' --with one-peer --with two-peers --with four-peers

The scenario says in `[capacity]` what is turned up, from where to where; its limits are what has to be kept. Each load is
tried several times, more often where its outcomes differ, and the first trial does not count. The folder of the search
has capacity.json, capacity.html, capacity.txt, and the folder of every run. `dmswarm schema capacity` describes the first.

A plan goes by the rate that one peer keeps. What more of them share is known from searches with other numbers of peers
(`peers` in `[capacity]`), given by their folders: six of them make a curve, and a plan that needs more than it supports is
refused. A search with `axis = \"storm\"` says how many devices may come at once.

Ends with 0 when the highest load was found or lies above the range, with 3 when a limit is not kept at the least load,
with 5 when this machine was the bottleneck, the sub-trials did not suffice, or a plan needs more than the evidence
supports.";

/// What was asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// A scenario file with `[capacity]`; without one, searches that were made before are the evidence
    #[arg(value_name = "SCENARIO.toml", required_unless_present = "with")]
    scenario: Option<PathBuf>,
    /// Do not take figures around the capacity that was found
    #[arg(long)]
    alone: bool,
    /// What is to be handed over, for the number of peers that it needs: `10M devices in 48h, storm 20k, 2 spare`
    #[arg(long, value_name = "PLAN", value_parser = plan)]
    plan: Option<Plan>,
    /// A search that was made before, as further evidence for the plan: its folder; may be given several times
    #[arg(long, value_name = "FOLDER", requires = "plan")]
    with: Vec<PathBuf>,
    #[command(flatten)]
    outside: Outside,
}

fn plan(text: &str) -> Result<Plan, String> {
    text.parse::<Plan>().map_err(|error| error.to_string())
}

/// Searches, and keeps what was found.
pub fn capacity(asked: Asked, flags: &Flags) -> Exit {
    let earlier: Result<Vec<Earlier>, _> =
        asked.with.iter().map(|folder| CapacityRecord::read(folder, &flags.out)).collect();
    let earlier = match earlier {
        Ok(earlier) => earlier,
        Err(error) => return usage(&error.to_string()),
    };
    let Some(path) = &asked.scenario else { return planned_alone(&asked, &earlier, flags) };
    let read = read_all(std::slice::from_ref(path), &flags.overrides());
    let [read] = &read[..] else {
        return usage("`capacity` takes one scenario, and this is a folder of several; name one of its files");
    };
    let scenario = match &read.scenario {
        Ok(scenario) => scenario,
        Err(problems) => {
            tell_problems(problems);
            return Exit::Usage;
        }
    };
    let Some(capacity) = &scenario.capacity else {
        return usage(&format!(
            "{}: nothing says what is to be turned up; add `[capacity]` with `least` and `most`, or for once \
             --set 'capacity={{ least = 10, most = 10000 }}'",
            read.source
        ));
    };
    if asked.plan.is_some()
        && let Err(error) = go_together(&together(Some(&CapacityRecord::begun(scenario, capacity)), &earlier))
    {
        return usage(&error);
    }
    if let Some(cannot) = CannotDrive::of(scenario) {
        return usage(&format!("{}: {cannot}", read.source));
    }
    if let Err(error) = settings(scenario, capacity) {
        return usage(&format!("{}: {error}", read.source));
    }
    match searched(scenario, capacity, (asked, &earlier), flags) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            output::remark(&format!("error: {message}"));
            exit
        }
    }
}

fn usage(message: &str) -> Exit {
    output::remark(&format!("error: {message}"));
    Exit::Usage
}

fn searched(
    scenario: &Scenario,
    capacity: &CapacitySettings,
    (asked, earlier): (Asked, &[Earlier]),
    flags: &Flags,
) -> Result<Exit, (Exit, String)> {
    let could_not = |error: &dyn std::fmt::Display| (Exit::CouldNotRun, error.to_string());
    let watch = Watch::begin().map_err(|error| could_not(&format!("could not listen for signals: {error}")))?;
    let folder = SearchFolder::create(&flags.out, (&scenario.name, "capacity"), wall_now(), scenario.seed.0)
        .map_err(|error| could_not(&error))?;
    let options = Options { out: folder.path().join("runs"), ..asked.outside.apply(options(flags)) };
    let says = |line: &str| {
        if !flags.quiet {
            output::remark(line)
        }
    };
    let unit = capacity.axis.unit();
    says(&format!(
        "{}: {} from {} to {}, seed {}",
        scenario.name, unit, capacity.least, capacity.most, scenario.seed.0
    ));
    let Found { result, trials, mut stopped } =
        search(scenario, capacity, &options, &watch, |trial| says(&told::line(trial, unit)))
            .map_err(|error| (Exit::Usage, error.to_string()))?;
    let bounds = result.as_ref().map(|result| result.bounds);
    let lower = bounds.and_then(|bounds| bounds.lower);
    // Where our own limit was met, or nothing was decided, there is nothing to look around.
    let is_found = result.as_ref().is_some_and(|result| result.ending.is_found());
    let found = lower.filter(|_| is_found && !asked.alone && stopped.is_none()).map(|lower| {
        let mut found = Around::default();
        stopped = around(scenario, capacity, lower, (&options, &watch), (&mut found, says)).err();
        found
    });
    let scales = (capacity.axis == LoadAxis::AtOnce).then(|| scaling(&trials, scenario.seed));
    let mut record = CapacityRecord {
        result,
        trials,
        around: found,
        no_scaling: scales.as_ref().and_then(|scales| scales.as_ref().err()).map(ToString::to_string),
        scaling: scales.and_then(Result::ok),
        ..CapacityRecord::begun(scenario, capacity)
    };
    let planned = asked.plan.as_ref().map(|plan| sized(plan, &together(Some(&record), earlier)));
    record.plan = planned.as_ref().and_then(|planned| planned.as_ref().ok()).cloned();
    let text = told::told(&record);
    let json = serde_json::to_string_pretty(&record).expect("plain data");
    folder
        .write(RECORD, &json)
        .and_then(|()| folder.write("capacity.txt", &text))
        .and_then(|()| folder.write("capacity.html", &told::page(&record, folder.path())))
        .map_err(|e| could_not(&e))?;
    let shown = match flags.json {
        true => output::data(&json),
        false => output::data(&format!("{text}\nsee {}", folder.path().display())),
    };
    if let Some(Err(why)) = &planned {
        output::remark(&format!("error: no plan: {why}"));
    }
    if let Some(stopped) = stopped {
        let exit = match &stopped {
            Stopped::Interrupted(signal) => return Ok(Exit::of_signal(Some(*signal))),
            Stopped::Run(error) => exit_of(error),
            Stopped::NotWritten(_) => Exit::CouldNotRun,
        };
        return Err((exit, stopped.to_string()));
    }
    let ending = record.result.as_ref().map(|result| &result.ending);
    let exit = exit_of_search(ending, lower, matches!(planned, Some(Err(_))));
    Ok(if shown == Exit::Passed { exit } else { shown })
}

/// `is_refused`: there is no answer to its plan.
fn exit_of_search(ending: Option<&Ending>, lower: Option<f64>, is_refused: bool) -> Exit {
    match ending {
        Some(ending) if ending.is_found() && (lower.is_none() || is_refused) => Exit::Invalid,
        Some(Ending::Found | Ending::Wide | Ending::AboveRange) => Exit::Passed,
        Some(Ending::BelowRange) => Exit::LimitFailed,
        Some(Ending::Exhausted | Ending::Invalid { .. }) | None => Exit::Invalid,
    }
}

/// A search that was made before, and its folder.
type Earlier = (PathBuf, CapacityRecord);

/// The search that is being told of, and those that were made before it.
fn together<'s>(own: Option<&'s CapacityRecord>, earlier: &'s [Earlier]) -> Vec<Searched<'s>> {
    let earlier = earlier.iter().map(|(folder, search)| (Some(folder.as_path()), search));
    own.map(|own| (None, own)).into_iter().chain(earlier).collect()
}

/// A plan by earlier searches alone.
fn planned_alone(asked: &Asked, earlier: &[Earlier], flags: &Flags) -> Exit {
    let plan = asked.plan.as_ref().expect("`--with` goes with a plan");
    let searches = together(None, earlier);
    if let Err(error) = go_together(&searches) {
        return usage(&error);
    }
    match sized(plan, &searches) {
        Ok(planned) if flags.json => output::data(&serde_json::to_string_pretty(&planned).expect("plain data")),
        Ok(planned) => output::data(told::plan(&planned).trim_end()),
        Err(why) => {
            output::remark(&format!("error: no plan: {why}"));
            Exit::Invalid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_passes_where_it_knows_a_load_that_is_kept_and_its_plan_has_an_answer() {
        let invalid = Ending::Invalid { load: 9.0, why: "late".to_owned() };
        for (ending, lower, is_refused, expected) in [
            (Some(&Ending::Found), Some(8.0), false, Exit::Passed),
            (Some(&Ending::Wide), Some(8.0), false, Exit::Passed),
            (Some(&Ending::AboveRange), Some(8.0), false, Exit::Passed),
            (Some(&Ending::Found), Some(8.0), true, Exit::Invalid),
            // An upper bound alone says nothing of what is kept.
            (Some(&Ending::Wide), None, false, Exit::Invalid),
            (Some(&Ending::BelowRange), None, false, Exit::LimitFailed),
            (Some(&Ending::Exhausted), Some(8.0), false, Exit::Invalid),
            (Some(&invalid), Some(8.0), false, Exit::Invalid),
            (None, None, false, Exit::Invalid),
        ] {
            assert_eq!(exit_of_search(ending, lower, is_refused), expected, "{ending:?} {lower:?} {is_refused}");
        }
    }
}
