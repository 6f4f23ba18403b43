//! The second look at `[capacity]`: what is turned up, and whether the scenario has it.

use std::time::Duration;

use crate::faults::rule::{Action, Rule};
use crate::scenario::entry::Entry;
use crate::scenario::problem::{Problem, did_you_mean};
use crate::workload::journey::{Journey, Step};
use crate::workload::population::Cohort;

/// How a capacity is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacitySettings {
    pub axis: LoadAxis,
    /// How many peers take the load together.
    pub peers: u32,
    /// In the unit of the axis, as everything that is a load; above 0, and below `most`.
    pub least: f64,
    pub most: f64,
    /// How long a sub-trial counts.
    pub each: Duration,
    /// How long the load is there before.
    pub settle: Duration,
    pub pause: Duration,
    pub growth: f64,
    pub width: f64,
    pub width_in_noise: f64,
    pub exceed_ratio: f64,
    pub risk: f64,
    /// Whether each limit has an answer of its own.
    pub for_each: bool,
    pub per_load: u32,
    pub sub_trials: u32,
}

/// What is turned up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadAxis {
    /// Starts a second.
    Rate,
    /// Journeys under way at once.
    AtOnce,
    /// Starts at one instant.
    Storm,
    /// The delay of this fault, its index among the scenario's, in milliseconds.
    Latency { fault: usize },
    /// The share of journeys with a revocation, in percent.
    Revocations,
}

impl LoadAxis {
    /// As it stands in a scenario.
    pub fn key(&self) -> &'static str {
        match self {
            LoadAxis::Rate => "rate",
            LoadAxis::AtOnce => "at_once",
            LoadAxis::Storm => "storm",
            LoadAxis::Latency { .. } => "latency",
            LoadAxis::Revocations => "revocations",
        }
    }

    /// What a load is counted in, for people.
    pub fn unit(&self) -> &'static str {
        match self {
            LoadAxis::Rate => "starts/s",
            LoadAxis::AtOnce => "at once",
            LoadAxis::Storm => "in a storm",
            LoadAxis::Latency { .. } => "ms",
            LoadAxis::Revocations => "% revoked",
        }
    }

    /// Whether a search puts a load of its own in the place of the scenario's.
    pub fn replaces_load(&self) -> bool {
        matches!(self, LoadAxis::Rate | LoadAxis::AtOnce | LoadAxis::Storm)
    }

    /// Whether only whole numbers are loads.
    pub fn is_whole(&self) -> bool {
        matches!(self, LoadAxis::AtOnce | LoadAxis::Storm)
    }
}

/// Whether a journey takes back what it hands over.
pub fn revokes(journey: &Journey) -> bool {
    journey.steps.iter().any(|step| matches!(step, Step::Revoke { .. }))
}

/// What a file says of it; `None` where it says nothing.
pub fn read(
    root: &Entry<'_>,
    faults: &[Rule],
    journeys: &[Cohort],
    found: &mut Vec<Problem>,
) -> Option<CapacitySettings> {
    if !root.has("capacity") {
        return None;
    }
    let entry = root.table("capacity");
    let axis = match entry.word("axis") {
        "at_once" => LoadAxis::AtOnce,
        "storm" => LoadAxis::Storm,
        "latency" => LoadAxis::Latency { fault: delaying_fault(&entry, faults, found) },
        "revocations" => LoadAxis::Revocations,
        _ => LoadAxis::Rate,
    };
    if entry.has("fault") && !matches!(axis, LoadAxis::Latency { .. }) {
        let problem = Problem::new(entry.span("fault"), format!("`fault` has no meaning with `{}`", axis.key()));
        found.push(problem.hint("leave it out, or turn up its delay with `axis = \"latency\"`"));
    }
    let (least, most) = (entry.real("least"), entry.real("most"));
    if least > 0.0 && most > 0.0 && most <= least {
        let problem = Problem::new(entry.span("most"), "the search ends where it begins, or before");
        found.push(problem.hint("`most` is above `least`"));
    }
    for key in ["least", "most"].into_iter().filter(|key| axis.is_whole() && entry.real(key).fract() != 0.0) {
        found.push(Problem::new(entry.span(key), format!("`{key}` is a whole number with `{}`", axis.key())));
    }
    if axis == LoadAxis::Revocations {
        let revoking = journeys.iter().filter(|cohort| revokes(&cohort.journey)).count();
        if revoking == 0 || revoking == journeys.len() {
            let problem =
                Problem::new(entry.span("axis"), "a share of revocations needs journeys that revoke, and others");
            found.push(problem.hint("add a journey without a `revoke` step, or one with it"));
        }
        if most > 100.0 {
            found.push(Problem::new(entry.span("most"), "no more than 100 % of the journeys revoke"));
        }
    }
    let (width, width_in_noise) = (entry.real("width"), entry.real("width_in_noise"));
    if width_in_noise < width {
        let problem = Problem::new(entry.span("width_in_noise"), "the answer is not narrower in noise than without");
        found.push(problem.hint("`width_in_noise` is `width` at least"));
    }
    Some(CapacitySettings {
        axis,
        peers: entry.number("peers"),
        least,
        most,
        each: entry.duration("each"),
        settle: entry.duration("settle"),
        pause: entry.duration("pause"),
        growth: entry.real("growth"),
        width,
        width_in_noise,
        exceed_ratio: entry.real("exceed_ratio"),
        risk: entry.real("risk"),
        for_each: entry.word("aim") == "each",
        per_load: entry.number("per_load"),
        sub_trials: entry.number("sub_trials"),
    })
}

/// The fault that is named, which has to delay something.
fn delaying_fault(entry: &Entry<'_>, faults: &[Rule], found: &mut Vec<Problem>) -> usize {
    let delaying = || faults.iter().filter(|rule| matches!(rule.action, Action::Delay(_)));
    let Some(name) = entry.text("fault") else {
        let problem = Problem::new(entry.span("axis"), "a latency is that of a fault, and none is named");
        found.push(
            problem.hint("add `fault = \"NAME\"`, with a `[[fault]]` of that name that does `{ delay = \"1ms\" }`"),
        );
        return 0;
    };
    if !delaying().any(|rule| rule.name == name.text) {
        let message = format!("no fault `{}` delays anything", name.text);
        let hint = did_you_mean(name.text, delaying().map(|rule| rule.name.as_str()));
        let hint = hint.unwrap_or_else(|| "its `[[fault]]` does `{ delay = \"1ms\" }`".to_owned());
        found.push(Problem::new(name.span, message).hint(hint));
    }
    faults.iter().position(|rule| rule.name == name.text).unwrap_or_default()
}

/// The keys as they are printed, each with its value.
pub fn print(settings: &CapacitySettings, faults: &[Rule]) -> Vec<(&'static str, String)> {
    let quoted = |text: &str| format!("\"{text}\"");
    let time = |time: Duration| quoted(&crate::units::Duration(time).to_string());
    let mut keys = vec![
        ("axis", quoted(settings.axis.key())),
        ("peers", settings.peers.to_string()),
        ("least", settings.least.to_string()),
        ("most", settings.most.to_string()),
    ];
    if let LoadAxis::Latency { fault } = settings.axis {
        keys.push(("fault", quoted(&faults[fault].name)));
    }
    keys.extend([
        ("each", time(settings.each)),
        ("settle", time(settings.settle)),
        ("pause", time(settings.pause)),
        ("growth", settings.growth.to_string()),
        ("width", settings.width.to_string()),
        ("width_in_noise", settings.width_in_noise.to_string()),
        ("exceed_ratio", settings.exceed_ratio.to_string()),
        ("risk", settings.risk.to_string()),
        ("aim", quoted(if settings.for_each { "each" } else { "together" })),
        ("per_load", settings.per_load.to_string()),
        ("sub_trials", settings.sub_trials.to_string()),
    ]);
    keys
}
