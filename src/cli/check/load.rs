//! What `dmswarm check` says of a load: its peaks, and what each phase does.

use serde_json::{Value, json};

use crate::report::figures::{count, counted, rate, time};
use crate::scenario::estimate::{Estimate, PhaseEstimate, PopulationEstimate};

/// The highest rate, the largest storm, the most places.
pub fn peaks(estimate: &Estimate) -> String {
    let peaks = [
        estimate.peak_rate.map(|peak| format!("at most {} starts/s", rate(peak))),
        estimate.storm.map(|devices| format!("{} in one instant", count(devices))),
        estimate.at_once.map(|at_once| format!("{} at once", count(at_once))),
    ];
    let peaks: Vec<String> = peaks.into_iter().flatten().collect();
    peaks.join(", ")
}

/// A line for each phase, below its population where there are several.
pub fn phases(estimate: &Estimate) -> Vec<String> {
    let mut lines = Vec::new();
    for population in &estimate.load {
        if estimate.load.len() > 1 {
            lines.push(format!("{}: {}", population.name, starts(population.starts, false)));
        }
        let widest = |text: fn(&PhaseEstimate) -> usize| population.phases.iter().map(text).max().unwrap_or(0);
        let name_width = widest(|phase| phase.name.chars().count());
        let text_width = widest(|phase| phase.text.chars().count());
        for phase in &population.phases {
            let what = format!("{:<name_width$}  {:<text_width$}", phase.name, phase.text);
            lines.push(format!("  {what}  {}{}", starts(phase.starts, phase.by_chance), lasts(phase)));
        }
    }
    lines
}

/// A population for programs.
pub fn json(population: &PopulationEstimate) -> Value {
    let phases = population.phases.iter().map(|phase| {
        json!({
            "name": phase.name,
            "phase": phase.text,
            "begins_s": phase.begins.as_secs_f64(),
            "duration_s": phase.lasts.map(|lasts| lasts.as_secs_f64()),
            "starts": phase.starts,
            "by_chance": phase.by_chance,
            "peak_starts_per_s": phase.peak_rate,
        })
    });
    json!({ "population": population.name, "starts": population.starts, "phases": phases.collect::<Vec<_>>() })
}

fn starts(starts: Option<u64>, by_chance: bool) -> String {
    match starts {
        Some(starts) if by_chance => format!("about {}", counted(starts, "start")),
        Some(starts) => counted(starts, "start"),
        None => "as many starts as there are places free".to_owned(),
    }
}

fn lasts(phase: &PhaseEstimate) -> String {
    match phase.lasts {
        Some(lasts) if lasts.is_zero() => " at once".to_owned(),
        Some(lasts) => format!(" in {}", time(Some(lasts.as_secs_f64() * 1e3))),
        None => String::new(),
    }
}
