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
        Some(0) => "no starts".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    /// The peaks and the lines of the quickstart's journeys under this load.
    fn told(load: &str) -> (String, Vec<String>) {
        let overrides = Overrides { sets: vec![format!("load={load}")], ..Overrides::default() };
        let scenario = parse("quickstart.toml", QUICKSTART, &overrides).unwrap_or_else(|problems| panic!("{problems}"));
        let estimate = scenario.estimate(128);
        (peaks(&estimate), phases(&estimate))
    }

    #[test]
    fn each_phase_says_what_it_does() {
        let load = r#"{ phases = ["warm-up: ramp 0/s to 80/s in 5s", "pause 2s", "storm of 300", "closed 9 for 4s"] }"#;
        let (peaks, phases) = told(load);
        assert_eq!(peaks, "at most 80.0 starts/s, 300 in one instant, 9 at once");
        let expected = [
            "  warm-up  ramp 0/s to 80/s in 5s  200 starts in 5000 ms",
            "  steady   pause 2s                no starts in 2000 ms",
            "  steady   storm of 300            300 starts at once",
            "  steady   closed 9 for 4s         as many starts as there are places free in 4000 ms",
        ];
        assert_eq!(phases, expected);
        let (peaks, phases) = told(r#"{ at_once = 50 }"#);
        assert_eq!(
            (peaks.as_str(), &phases[..]),
            ("50 at once", &["  steady  closed 50 until done  1,000 starts".to_owned()][..])
        );
        let (_, phases) = told(r#"{ phases = ["hold 9/s for 3s, poisson"] }"#);
        assert!(phases[0].contains("about ") && phases[0].ends_with(" starts in 3000 ms"), "{phases:?}");
    }
}
