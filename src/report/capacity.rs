//! The highest load that kept every limit, and the sub-trials behind it, for people.

use std::path::PathBuf;

use crate::capacity::littles_law::{self, Check};
use crate::capacity::scaling::{Estimate, Peak};
use crate::capacity::search::{Ending, Interval, SearchResult};
use crate::capacity::sizing::Sizing;
use crate::report::figures::{count, counted, in_unit, rate, share, time};
use crate::report::table::Table;
use crate::results::capacity::{Around, CapacityRecord, Figures, Planned, Recovery, Trialed};
use crate::statistics::median;

/// The whole record.
pub fn told(record: &CapacityRecord) -> String {
    let mut text = trials(record);
    text.push('\n');
    match &record.result {
        None => text.push_str("STOPPED: what was tried so far stands above\n"),
        Some(result) => {
            text.push_str(&format!("{}\n", verdict(result, record.unit)));
            text.push_str(&format!("\n{}", goals(result)));
        }
    }
    record.around.iter().for_each(|around| text.push_str(&format!("\n{}", surroundings(around, record.unit))));
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
            words.extend(trial.is_broken.then(|| "a promise was broken".to_owned()));
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
    let mut loads: Vec<f64> = record.trials.iter().map(|trial| trial.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    let mut table = Table::new([record.unit, "sub-trials", "kept", "flows/s", "failed", "p50", "p99", "CPU"]);
    for at in loads {
        let here: Vec<&Trialed> = record.trials.iter().filter(|trial| trial.load == at && !trial.is_warm_up).collect();
        if here.is_empty() {
            continue;
        }
        let kept = |trial: &&&Trialed| trial.not_kept.is_empty() && !trial.is_broken && trial.invalid.is_none();
        let figures: Vec<&Figures> = here.iter().filter_map(|trial| trial.figures.as_ref()).collect();
        let middle = |of: &dyn Fn(&Figures) -> Option<f64>| {
            median(&mut figures.iter().filter_map(|one| of(one)).collect::<Vec<f64>>())
        };
        let failed: u64 = figures.iter().map(|one| one.failed).sum();
        table.row([
            load(at),
            count(here.len() as u64),
            count(here.iter().filter(kept).count() as u64),
            middle(&|one| Some(one.flows_per_s)).map_or_else(|| "-".to_owned(), rate),
            count(failed),
            time(middle(&|one| one.p50_ms)),
            time(middle(&|one| one.p99_ms)),
            middle(&|one| Some(one.cpu_share)).map_or_else(|| "-".to_owned(), share),
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
        Ending::Wide if lower.is_none() && upper.is_none() => {
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
    if let Some(Recovery { overload, overload_s, back_at, recovered_s, watched_s }) = around.recovery {
        let recovered = match recovered_s {
            Some(0.0) => "every limit is kept at once again".to_owned(),
            Some(seconds) => format!("every limit is kept again {seconds:.0} s later"),
            None => format!("not every limit is kept again within {watched_s:.0} s"),
        };
        text.push_str(&format!(
            "after {} {unit} for {overload_s:.0} s, and back at {} {unit}: {recovered}\n",
            load(overload),
            load(back_at)
        ));
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
        let between = |estimate: Estimate, digits: usize| {
            format!("{:.digits$} ({:.digits$} to {:.digits$})", estimate.value, estimate.low, estimate.high)
        };
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
    match (checks.is_empty(), broken.is_empty()) {
        (true, _) => {}
        (false, true) => text.push_str("Little's law holds: what is at once, throughput and times go together\n"),
        (false, false) => text.push_str(&format!("Little's law does not hold at {}\n", broken.join("; "))),
    }
    text
}

fn plan(planned: &Planned) -> String {
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
    text.push_str(&format!(
        "  {} devices a day; all of them take {} at one peer, {} at {}\n",
        count(devices_a_day as u64),
        long(fleet_at_one_s),
        long(fleet_s),
        counted(working, "peer"),
    ));
    text.push_str(&format!("  so say, of the load that is kept, {}\n", names(&planned.kept_in)));
    if !planned.not_kept_in.is_empty() {
        text.push_str(&format!("  and of the one that is not, {}\n", names(&planned.not_kept_in)));
    }
    if let Some(storm) = storm {
        let known = if storm.is_measured { "" } else { "; that so many may come at once was not measured" };
        text.push_str(&format!("  a storm of {} takes {}{known}\n", count(storm.devices), long(storm.takes_s)));
    }
    text
}

/// The names of run folders; of many the first.
fn names(folders: &[PathBuf]) -> String {
    const MOST: usize = 2;
    let name = |folder: &PathBuf| folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
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
