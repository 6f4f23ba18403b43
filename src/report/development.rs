//! When figures of a scenario changed, for people and for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::{Development, Told};
use crate::report::comparison::words::{difference, figure, percent};
use crate::report::figures::counted;
use crate::report::table::Table;
use crate::statistics::{ChangePoint, Trend, median};

/// The version of the document's form; a key is added without a new one, never renamed.
pub const SCHEMA: &str = "dmswarm.trend/1";

/// A scenario's runs, and a line for each change, or for what did not change.
pub fn text(development: &Development, colour: bool) -> String {
    let mut lines = vec![heading(development)];
    let mut table = Table::new(["metric", "runs", "before", "after", "change", "", "first run after it", "started"]);
    let mut verdicts = vec![None];
    for told in &development.metrics {
        let of = |value| figure(told.metric.unit, value);
        let runs = told.values.len().to_string();
        let row = |cells: [String; 6]| [told.metric.name.clone(), runs.clone()].into_iter().chain(cells);
        let none = || "-".to_owned();
        if told.changes().next().is_none() {
            let words = match &told.trend {
                Trend::NotEnoughRuns { runs, needed } => format!("not enough runs ({runs}; {needed} would be)"),
                Trend::Changes(_) => "no change".to_owned(),
            };
            let values = &mut told.values.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
            let median = median(values).map_or_else(none, of);
            table.row(row([median, none(), none(), words, none(), none()]));
            verdicts.push(None);
        }
        for (place, point) in told.changes() {
            let run = &development.runs[place];
            let words = verdict(told, point);
            table.row(row([
                of(point.before),
                of(point.after),
                point.change.map_or_else(|| difference(told.metric.unit, point.after - point.before), percent),
                words.to_owned(),
                run.name.clone(),
                run.started.split('.').next().unwrap_or_default().replace('T', " "),
            ]));
            verdicts.push(told.is_worse(point));
        }
    }
    if !table.is_empty() {
        let painted =
            table.figures_and_words(&[5, 6, 7]).into_iter().zip(verdicts).map(|(line, verdict)| match verdict {
                Some(true) if colour => format!("\x1b[1;31m{line}\x1b[0m"),
                Some(false) if colour => format!("\x1b[32m{line}\x1b[0m"),
                _ => line,
            });
        lines.extend(painted);
    }
    lines.join("\n")
}

/// `quickstart: 24 runs from 2026-11-20T... to ...; left out: 2 runs that say nothing about the peer`.
fn heading(development: &Development) -> String {
    let Development { scenario, runs, unfit, other_settings, .. } = development;
    let mut heading = format!("{scenario}: {}", counted(runs.len() as u64, "run"));
    if let (Some(first), Some(last)) = (runs.first(), runs.last().filter(|_| runs.len() > 1)) {
        heading.push_str(&format!(" from {} to {}", first.started, last.started));
    }
    let mut left_out = Vec::new();
    if !unfit.is_empty() {
        left_out.push(format!(
            "{} that say nothing about the peer (invalid or cut off)",
            counted(unfit.len() as u64, "run")
        ));
    }
    if !other_settings.is_empty() {
        left_out.push(format!("{} with other settings than the latest", counted(other_settings.len() as u64, "run")));
    }
    if !left_out.is_empty() {
        heading.push_str(&format!("; left out: {}", left_out.join(", ")));
    }
    heading
}

fn verdict(told: &Told, point: &ChangePoint) -> &'static str {
    match told.is_worse(point) {
        Some(true) => "worse",
        Some(false) => "better",
        None => "other",
    }
}

/// The same for programs, as indented JSON that ends with a line end.
pub fn json(developments: &[Development]) -> String {
    let document = Document { schema: SCHEMA, scenarios: developments.iter().map(OneScenario::from).collect() };
    serde_json::to_string_pretty(&document).expect("our own types have JSON forms") + "\n"
}

/// The JSON Schema of [`json`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

/// What `dmswarm runs trend --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
struct Document {
    /// `dmswarm.trend/1`.
    schema: &'static str,
    scenarios: Vec<OneScenario>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneScenario {
    scenario: String,
    /// The runs that count, the earliest first.
    runs: Vec<OneRun>,
    /// Runs that say nothing about the peer, by name.
    unfit: Vec<String>,
    /// Runs with other settings than the latest one has, by name.
    other_settings: Vec<String>,
    metrics: Vec<OneMetric>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneRun {
    name: String,
    /// UTC, RFC 3339.
    started: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneMetric {
    name: String,
    /// `per_s`, `share` (0 to 1), `ms` or `bytes`.
    unit: &'static str,
    /// Of each run; `null` where it has none.
    values: Vec<Option<f64>>,
    /// `null`: there are enough.
    not_enough_runs: Option<Few>,
    changes: Vec<OneChange>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Few {
    /// Without those that went astray.
    runs: usize,
    needed: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OneChange {
    /// The first run after it.
    run: String,
    started: String,
    /// The median from the change before to this one, and from there to the next.
    before: f64,
    after: f64,
    /// As a share of what it was; `null`: it was 0.
    change: Option<f64>,
    /// `worse`, `better` or `other`.
    verdict: &'static str,
    /// How often runs without a change show a split as clear.
    p: f64,
}

impl From<&Development> for OneScenario {
    fn from(development: &Development) -> OneScenario {
        let run =
            |run: &crate::compare::series::Counted| OneRun { name: run.name.clone(), started: run.started.clone() };
        OneScenario {
            scenario: development.scenario.clone(),
            runs: development.runs.iter().map(run).collect(),
            unfit: development.unfit.clone(),
            other_settings: development.other_settings.clone(),
            metrics: development.metrics.iter().map(|told| OneMetric::of(development, told)).collect(),
        }
    }
}

impl OneMetric {
    fn of(development: &Development, told: &Told) -> OneMetric {
        let value = |place: usize| told.values.iter().find(|(of, _)| *of == place).map(|(_, value)| *value);
        let change = |(place, point): (usize, &ChangePoint)| OneChange {
            run: development.runs[place].name.clone(),
            started: development.runs[place].started.clone(),
            before: point.before,
            after: point.after,
            change: point.change,
            verdict: verdict(told, point),
            p: point.p,
        };
        OneMetric {
            name: told.metric.name.clone(),
            unit: told.metric.unit.key(),
            values: (0..development.runs.len()).map(value).collect(),
            not_enough_runs: match told.trend {
                Trend::NotEnoughRuns { runs, needed } => Some(Few { runs, needed }),
                Trend::Changes(_) => None,
            },
            changes: told.changes().map(change).collect(),
        }
    }
}
