//! The highest load that kept every limit, and the sub-trials behind it, for people.
//!
//! | file | its job |
//! |---|---|
//! | `loads` | the sub-trials by their loads |
//! | `page` | the same as one HTML file |
//! | `chart` | its times against loads |

mod chart;
mod loads;
mod page;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::capacity::littles_law::{self, Check};
use crate::capacity::scaling::{Estimate, Peak};
use crate::capacity::search::{Ending, Interval, SearchResult};
use crate::capacity::sizing::Sizing;
use crate::report::capacity::loads::by_load;
use crate::report::figures::{count, counted, in_unit, rate, share, time};
use crate::report::table::Table;
use crate::results::capacity::{
    Around, CapacityRecord, Effect, Evidence, Figures, Planned, Recovered, Recovery, RevocationStorm, Trialed,
};
use crate::scenario::capacity::LoadAxis;

pub use page::page;

/// The whole record.
pub fn told(record: &CapacityRecord) -> String {
    let mut text = trials(record);
    text.push('\n');
    match &record.result {
        None => text.push_str("STOPPED: what was tried so far stands above\n"),
        Some(result) => {
            text.push_str(&format!("{}\n", verdict(result, &record.unit)));
            text.push_str(&format!("\n{}", goals(result)));
        }
    }
    record.around.iter().for_each(|around| text.push_str(&format!("\n{}", surroundings(around, &record.unit))));
    text.push_str(&laws(record));
    record.plan.iter().for_each(|planned| text.push_str(&format!("\n{}", plan(planned))));
    text
}

/// A sub-trial as it ends, in a line.
pub fn line(trial: &Trialed, unit: &str) -> String {
    let about = match trial {
        Trialed { invalid: Some(why), .. } => format!("INVALID: {why}"),
        Trialed { not_kept, .. } => {
            let mut words: Vec<String> = not_kept.iter().map(not_kept_in_words).collect();
            words.extend(trial.is_broken().then(|| "a promise was broken".to_owned()));
            if words.is_empty() { "every limit kept".to_owned() } else { format!("not kept: {}", words.join(", ")) }
        }
    };
    let number = if trial.is_warm_up { "warm-up".to_owned() } else { format!("no. {}", trial.number + 1) };
    format!("{} {unit}, {number}: {about}", load(trial.load))
}

fn not_kept_in_words(limit: &crate::measure::limit::LimitResult) -> String {
    match limit.actual {
        Some(actual) => format!("{} (was {})", limit.expr, in_unit(actual, limit.unit)),
        None => format!("{} (not measured)", limit.expr),
    }
}

/// Loads, the lowest first, each with how many of its sub-trials kept every limit, and the medians of their figures.
fn trials(record: &CapacityRecord) -> String {
    let mut table = Table::new([&record.unit, "sub-trials", "kept", "flows/s", "failed", "p50", "p99", "CPU"]);
    for row in by_load(record) {
        table.row([
            load(row.load),
            count(row.trials.len() as u64),
            count(row.kept as u64),
            row.flows_per_s.map_or_else(|| "-".to_owned(), rate),
            count(row.failed),
            time(row.p50_ms),
            time(row.p99_ms),
            row.cpu_share.map_or_else(|| "-".to_owned(), share),
        ]);
    }
    let mut text: String = table.lines(0).into_iter().map(|line| line + "\n").collect();
    text.push_str("p50 and p99 of all flows that ended done, medians of the sub-trials\n");
    text
}

fn verdict(result: &SearchResult, unit: &str) -> String {
    let Interval { lower, upper, width } = result.bounds;
    let known =
        |bound: Option<f64>| bound.map_or_else(|| "nothing".to_owned(), |bound| format!("{} {unit}", load(bound)));
    let between = format!(
        "every limit is kept at {}, and not at {}{}",
        known(lower),
        known(upper),
        width.map_or_else(String::new, |width| format!(", {} apart", share(width)))
    );
    let loads = counted(result.loads.len() as u64, "load");
    let tried = format!("{loads}, {}", counted(u64::from(result.sub_trials), "sub-trial"));
    match &result.ending {
        Ending::Found => format!("FOUND: {between} ({tried})"),
        Ending::Wide if lower.is_none() && upper.is_some() => format!(
            "NOT DECIDED: a limit is not kept at {}, and below that not every limit could be judged; are there enough samples? \
             ({tried})",
            known(upper)
        ),
        Ending::Wide if lower.is_none() => {
            format!(
                "NOT DECIDED: at no load could every limit be judged; is each about something that happens? ({tried})"
            )
        }
        Ending::Wide => {
            format!("FOUND, farther apart than asked for: {between}; noise hides what lies between ({tried})")
        }
        Ending::AboveRange => {
            format!("AT LEAST: every limit is kept at {}, the most of the range ({tried})", known(lower))
        }
        Ending::BelowRange => {
            format!("BELOW: a limit is not kept at {}, the least of the range ({tried})", known(upper))
        }
        Ending::Exhausted => format!("NOT DECIDED: no more sub-trials are allowed; {between} ({tried})"),
        Ending::Invalid { load: at, why } => format!(
            "INVALID: at {} {unit} this machine was the bottleneck, not the peer: {why}; up to there the sub-trials lean to {} \
             and more ({tried})",
            load(*at),
            known(result.leaning.lower)
        ),
    }
}

fn goals(result: &SearchResult) -> String {
    let bound = |bound: Option<f64>| bound.map_or_else(|| "-".to_owned(), load);
    let mut table = Table::new(["limit", "kept at", "not kept at", "came through", "irregular"]);
    for goal in &result.goals {
        let irregular: Vec<String> = goal
            .inversions
            .iter()
            .map(|one| format!("kept at {}, above {}", load(one.holds), load(one.fails)))
            .collect();
        table.row([
            goal.name.clone(),
            bound(goal.bounds.lower),
            bound(goal.bounds.upper),
            bound(goal.conditional_throughput),
            irregular.join("; "),
        ]);
    }
    table.lines(0).into_iter().map(|line| line + "\n").collect()
}

fn surroundings(around: &Around, unit: &str) -> String {
    let mut table = Table::new(["around it", unit, "p50 up", "p99 up", "p50 down", "p99 down", "failed"]);
    for level in &around.levels {
        let down = |of: fn(&Figures) -> Option<f64>| time(level.down.as_ref().and_then(of));
        table.row([
            share(level.part),
            load(level.load),
            time(level.up.p50_ms),
            time(level.up.p99_ms),
            down(|figures| figures.p50_ms),
            down(|figures| figures.p99_ms),
            count(level.up.failed + level.down.as_ref().map_or(0, |down| down.failed)),
        ]);
    }
    let mut text: String = table.lines(0).into_iter().map(|line| line + "\n").collect();
    for level in &around.levels {
        for (way, figures) in [("up", Some(&level.up)), ("down", level.down.as_ref())] {
            let told = figures.map(reservation).filter(|told| !told.is_empty());
            told.iter()
                .for_each(|told| text.push_str(&format!("at {} {unit} on the way {way}{told}\n", load(level.load))));
        }
    }
    around.recovery.iter().for_each(|one| text.push_str(&recovery(one, unit)));
    if let Some(storm) = &around.revocations {
        text.push_str(&revocations(storm, unit));
    }
    text
}

fn recovery(recovery: &Recovery, unit: &str) -> String {
    let Recovery { overload, overload_s, back_at, recovered, watched_s, figures } = recovery;
    format!(
        "after {} {unit} for {overload_s} s, and back at {} {unit}: {}{}\n",
        load(*overload),
        load(*back_at),
        again(*recovered, *watched_s),
        reservation(figures)
    )
}

fn again(recovered: Recovered, watched_s: f64) -> String {
    match recovered {
        Recovered::After(0.0) => "every limit is kept at once again".to_owned(),
        Recovered::After(seconds) => format!("every limit is kept again {seconds:.0} s later"),
        Recovered::NotYet => format!("not every limit is kept again within {watched_s:.0} s"),
        Recovered::NotKnown => "whether every limit is kept again is not known, for want of samples".to_owned(),
    }
}

/// Why figures are not to be taken as they stand.
fn reservation(figures: &Figures) -> String {
    let broken = figures.is_broken.then_some("; a promise was broken");
    let invalid = figures.invalid.as_ref().map(|why| format!("; INVALID, this machine was the bottleneck: {why}"));
    invalid.as_deref().or(broken).unwrap_or_default().to_owned()
}

fn revocations(storm: &RevocationStorm, unit: &str) -> String {
    let RevocationStorm { devices, into, took_s, effects, recovered, watched_s, figures } = storm;
    let took = match took_s {
        Some(seconds) => format!("the last is done {seconds:.1} s later"),
        None => "not all are done".to_owned(),
    };
    let mut text = format!(
        "{} at once, into {} {unit}: {took}; {}{}\n",
        counted(u64::from(*devices), "revocation"),
        load(*into),
        again(*recovered, *watched_s),
        reservation(figures)
    );
    for Effect { limit, unit, before, worst } in effects {
        let shown = |value: &Option<f64>| value.map_or_else(|| "not known".to_owned(), |value| in_unit(value, *unit));
        text.push_str(&format!("  {limit}: {} before, {} at worst after\n", shown(before), shown(worst)));
    }
    text
}

/// How throughput goes with what is at once, and whether the figures go together.
fn laws(record: &CapacityRecord) -> String {
    let mut text = String::new();
    if let Some(why) = &record.no_scaling {
        text.push_str(&format!("\nno curve of throughput: {why}\n"));
    }
    if let Some(scaling) = &record.scaling {
        let peak = match scaling.peak {
            Peak::Measured(top) => format!("highest at {} at once", between(top.load, 0)),
            Peak::Forecast(top) => format!("highest at {} at once, beyond what was measured", between(top.load, 0)),
            Peak::OutOfReach { furthest } => format!("rising as far as it may be read, {furthest:.0} at once"),
        };
        text.push_str(&format!(
            "\nthroughput by the Universal Scalability Law: {} flows/s of one at once, contention {}, coherence {}; {peak}; R2 {:.3}\n",
            between(scaling.unit, 1),
            between(scaling.contention, 3),
            between(scaling.coherence, 5),
            scaling.goodness.r_squared
        ));
    }
    let checks: Vec<(f64, &Check)> =
        record.trials.iter().filter_map(|trial| Some((trial.load, trial.littles_law.as_ref()?))).collect();
    let broken: Vec<String> = checks
        .iter()
        .filter(|(_, check)| check.verdict == littles_law::Verdict::Broken)
        .map(|(at, check)| {
            format!("{} at once, where throughput and times come to {:.1}", load(*at), check.expected_in_flight)
        })
        .collect();
    let holds = checks.iter().any(|(_, check)| check.verdict == littles_law::Verdict::Holds);
    match (checks.is_empty(), broken.is_empty()) {
        (true, _) => {}
        (false, true) if !holds => {
            text.push_str("whether Little's law holds cannot be told: sub-trials are too short (`each`)\n")
        }
        (false, true) => text.push_str("Little's law holds: what is at once, throughput and times go together\n"),
        (false, false) => text.push_str(&format!("Little's law does not hold at {}\n", broken.join("; "))),
    }
    text
}

/// What a plan needs, and what says so.
pub fn plan(planned: &Planned) -> String {
    let Sizing { needed_per_s, working, spare, capacity_per_s, headroom_percent, devices_a_day, .. } = planned.sizing;
    let Sizing { fleet_at_one_s, fleet_s, storm, working_at_best, .. } = planned.sizing;
    let mut text = format!(
        "plan: {}\n  needs {}/s: {} of the measured size, and {} spare; together they take {}/s, with {headroom_percent:.0} % \
         headroom\n",
        planned.plan,
        rate(needed_per_s),
        counted(working, "peer"),
        count(spare),
        rate(capacity_per_s),
    );
    if let Some(best) = working_at_best.filter(|best| *best < working) {
        text.push_str(&format!("  {} would do if each took as much as its upper bound\n", counted(best, "peer")));
    }
    let at_one = fleet_at_one_s.map_or_else(String::new, |seconds| format!("{} at one peer, ", long(seconds)));
    text.push_str(&format!(
        "  {} devices a day; all of them take {at_one}{} at {}\n",
        count(devices_a_day.round() as u64),
        long(fleet_s),
        counted(working, "peer"),
    ));
    if let Some(storm) = storm {
        let known = if storm.is_measured { "" } else { "; that so many may come at once was not measured" };
        text.push_str(&format!("  a storm of {} takes {}{known}\n", count(storm.devices), long(storm.takes_s)));
        match storm.revoked_s {
            Some(seconds) => text.push_str(&format!(
                "  a storm of as many revocations takes {}, at the pace of those that were seen at once\n",
                long(seconds)
            )),
            None => text.push_str("  what as many revocations at once take was not measured\n"),
        }
    }
    text.push_str(&together(planned));
    planned.evidence.iter().for_each(|evidence| text.push_str(&says_so(evidence)));
    text
}

/// How far it is known what more peers take.
fn together(planned: &Planned) -> String {
    let why = planned.no_curve.as_deref().unwrap_or("nothing is known of more than one");
    let numbers: BTreeSet<u32> =
        planned.evidence.iter().filter(|one| one.axis == LoadAxis::Rate.key()).map(|one| one.peers).collect();
    match &planned.curve {
        Some(curve) => format!(
            "  by a curve through {} to {}: contention {}, coherence {}; it may be read up to {:.0}\n",
            load(curve.measured.0),
            counted(curve.measured.1 as u64, "peer"),
            between(curve.contention, 3),
            between(curve.coherence, 5),
            curve.furthest
        ),
        None if planned.together == "as_measured" => {
            format!("  as measured: these peers hold each other up, and {why}\n")
        }
        None if numbers.len() > 1 => format!(
            "  if so many share as little as those that were measured, {}: {why}\n",
            numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ")
        ),
        None => format!("  if peers share nothing, which was not measured: {why}\n"),
    }
}

/// A search, and its runs.
fn says_so(evidence: &Evidence) -> String {
    let of =
        evidence.search.as_ref().map_or_else(|| "this search".to_owned(), |folder| names(std::slice::from_ref(folder)));
    let mut text = format!(
        "  says {of}, {} of {}: kept at {}",
        evidence.axis,
        counted(u64::from(evidence.peers), "peer"),
        load(evidence.kept)
    );
    let in_runs = |runs: &[PathBuf]| if runs.is_empty() { String::new() } else { format!(" in {}", names(runs)) };
    text.push_str(&in_runs(&evidence.kept_in));
    if let Some(not_kept) = evidence.not_kept {
        text.push_str(&format!(", and not at {}{}", load(not_kept), in_runs(&evidence.not_kept_in)));
    }
    text + "\n"
}

/// An estimate and its interval.
fn between(estimate: Estimate, digits: usize) -> String {
    format!("{:.digits$} ({:.digits$} to {:.digits$})", estimate.value, estimate.low, estimate.high)
}

/// The names of run folders; of many the first.
fn names(folders: &[PathBuf]) -> String {
    const MOST: usize = 2;
    // A record may come from anywhere.
    let name = |folder: &PathBuf| folder.file_name().unwrap_or_default().to_string_lossy().escape_debug().to_string();
    let mut names: Vec<String> = folders.iter().take(MOST).map(name).collect();
    names.extend(folders.len().checked_sub(MOST + 1).map(|more| format!("{} more", more + 1)));
    names.join(", ")
}

/// A load in as many digits as say something.
fn load(load: f64) -> String {
    if load.fract() == 0.0 { count(load as u64) } else { rate(load) }
}

/// Hours and minutes where it takes so long.
fn long(seconds: f64) -> String {
    match seconds {
        _ if seconds < 120.0 => format!("{seconds:.1} s"),
        _ if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}
