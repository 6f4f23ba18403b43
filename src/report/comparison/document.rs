//! Everything for programs, and its schema.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::{Difference, Differing, MetricShift, Objection, Row, Run};
use crate::report::comparison::Account;
use crate::statistics::{Better, Estimate, Interval, Runs, Size, Verdict};

/// The version of the document's form; a key is added without a new one, never renamed.
pub const SCHEMA: &str = "dmswarm.compare/1";

/// The document as indented JSON that ends with a line end. The same runs and the same seed give the same octets.
pub fn json(account: &Account<'_>) -> String {
    let text = serde_json::to_string_pretty(&Document::of(account)).expect("our own types have JSON forms");
    text + "\n"
}

/// The JSON Schema of [`json`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

/// What `dmswarm compare --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Document {
    /// `dmswarm.compare/1`.
    schema: &'static str,
    /// `worse` if any metric is; else `not_enough_runs` if any has too few; else `better` if any is; else `same`.
    verdict: Word,
    /// How many runs of each would be enough for every metric that has too few.
    runs_needed: Option<usize>,
    options: Asked,
    baseline: Vec<OneRun>,
    contender: Vec<OneRun>,
    /// What stood against comparing them; they were compared by force.
    objections: Vec<Against>,
    warnings: Vec<String>,
    metrics: Vec<OneMetric>,
    /// Metrics that not all runs have, or that cannot be compared.
    left_out: Vec<NotCompared>,
    /// Where in the distribution of times a change is, quantile by quantile.
    shifts: Vec<OneShift>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Word {
    Better,
    Worse,
    Same,
    NotEnoughRuns,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Asked {
    /// How often, at least, sets of runs of the same thing are not called different; intervals hold with it too.
    confidence: f64,
    /// The smallest change that is to be seen, as a share of the baseline's median.
    least_change: f64,
    /// How often it is to be found for the runs to be enough.
    power: f64,
    /// Changes up to this share are ignored.
    ignored_change: f64,
    least_runs: usize,
    resamples: usize,
    seed: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct OneRun {
    name: String,
    folder: String,
    scenario: String,
    /// UTC, RFC 3339.
    started: String,
    verdict: &'static str,
    version: String,
    commit: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Against {
    /// In a sentence.
    what: String,
    /// The keys in which scenarios differ.
    differences: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Key {
    key: String,
    /// As TOML spells it; `null` where there is no such key.
    here: Option<String>,
    there: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct NotCompared {
    metric: String,
    why: String,
}

/// Differences are contender minus baseline, in the metric's unit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct OneMetric {
    name: String,
    /// `per_s`, `share` (0 to 1), `ms` or `bytes`.
    unit: &'static str,
    /// The direction in which it improves: `lower` or `higher`.
    better: &'static str,
    verdict: Word,
    baseline: OneSet,
    contender: OneSet,
    /// Between the medians.
    difference: Figure,
    /// The same as a share of the baseline's median; `null` where that has no shares.
    change: Option<Figure>,
    /// The median of the differences of all pairs of runs (Hodges and Lehmann).
    shift: f64,
    /// How often a run of the contender has the larger value, ties counting half.
    probability_larger: f64,
    /// Cliff's delta: the same from -1 to 1.
    delta: f64,
    /// `negligible`, `small`, `medium` or `large`.
    effect: &'static str,
    /// Of the rank test of Mann and Whitney, alone; and as it counts among all the metrics (Holm).
    p: f64,
    adjusted_p: f64,
    /// What a difference has to exceed: what chance alone makes of sets that vary like these.
    noise: Option<f64>,
    /// The smallest difference that these runs would show as often as asked for.
    detectable: Option<f64>,
    /// The difference that is to be seen.
    wanted: f64,
    /// How many runs of each would be enough to see it.
    runs_needed: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct OneSet {
    runs: usize,
    median: f64,
    /// The standard deviation from run to run; runs that went astray hardly count.
    variation: Option<f64>,
    /// Of each run, in the order of the runs.
    values: Vec<f64>,
}

/// A figure, and where it is with the chosen confidence: `null` with too few runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Figure {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct OneShift {
    /// What has the times, such as `flow.revoke.asked`, or `flow.revoke.asked.service`.
    of: String,
    quantiles: Vec<Quantile>,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Quantile {
    /// The share of samples below it.
    share: f64,
    baseline: f64,
    contender: f64,
    difference: Figure,
    /// Whether it differs from 0, so sure that it counts among all the quantiles.
    is_shifted: bool,
}

impl Document {
    fn of(account: &Account<'_>) -> Document {
        let Account { baseline, contender, compared, shifts, objections, warnings, options } = *account;
        Document {
            schema: SCHEMA,
            verdict: compared.verdict().into(),
            runs_needed: compared.runs_needed(),
            options: Asked {
                confidence: options.confidence,
                least_change: options.least_change,
                power: options.power,
                ignored_change: options.ignored_change,
                least_runs: options.least_runs,
                resamples: options.resamples,
                seed: options.seed,
            },
            baseline: baseline.iter().map(OneRun::from).collect(),
            contender: contender.iter().map(OneRun::from).collect(),
            objections: objections.iter().map(Against::from).collect(),
            warnings: warnings.to_vec(),
            metrics: compared.rows.iter().map(OneMetric::from).collect(),
            left_out: compared
                .left_out
                .iter()
                .map(|one| NotCompared { metric: one.metric.clone(), why: one.why.clone() })
                .collect(),
            shifts: shifts.iter().map(OneShift::from).collect(),
        }
    }
}

impl From<Verdict> for Word {
    fn from(verdict: Verdict) -> Word {
        match verdict {
            Verdict::Better => Word::Better,
            Verdict::Worse => Word::Worse,
            Verdict::Same => Word::Same,
            Verdict::NotEnoughRuns => Word::NotEnoughRuns,
        }
    }
}

impl From<&Run> for OneRun {
    fn from(run: &Run) -> OneRun {
        let manifest = &run.manifest;
        OneRun {
            name: run.name.clone(),
            folder: run.folder.display().to_string(),
            scenario: manifest.scenario.clone(),
            started: manifest.started.clone(),
            verdict: manifest.verdict.key(),
            version: manifest.version.clone(),
            commit: manifest.commit.clone(),
        }
    }
}

impl From<&Objection> for Against {
    fn from(objection: &Objection) -> Against {
        let key = |Difference { key, here, there }: &Difference| Key {
            key: key.clone(),
            here: here.clone(),
            there: there.clone(),
        };
        let differences = match objection {
            Objection::Scenario(Differing { differences, .. }) => differences.iter().map(key).collect(),
            _ => Vec::new(),
        };
        Against { what: objection.to_string(), differences }
    }
}

impl From<&Row> for OneMetric {
    fn from(row: &Row) -> OneMetric {
        let told = &row.comparison;
        OneMetric {
            name: row.metric.name.clone(),
            unit: row.metric.unit.key(),
            better: match told.better {
                Better::Lower => "lower",
                Better::Higher => "higher",
            },
            verdict: told.verdict.into(),
            baseline: OneSet::of(told.baseline, &row.baseline),
            contender: OneSet::of(told.contender, &row.contender),
            difference: Figure::of(told.difference),
            change: told.change.map(Figure::of),
            shift: told.shift,
            probability_larger: told.effect.probability_larger,
            delta: told.effect.delta,
            effect: match told.effect.size {
                Size::Negligible => "negligible",
                Size::Small => "small",
                Size::Medium => "medium",
                Size::Large => "large",
            },
            p: told.ranks.p,
            adjusted_p: told.adjusted_p,
            noise: told.noise,
            detectable: told.detectable,
            wanted: told.wanted,
            runs_needed: told.runs_needed,
        }
    }
}

impl OneSet {
    fn of(runs: Runs, values: &[f64]) -> OneSet {
        OneSet { runs: runs.count, median: runs.median, variation: runs.variation, values: values.to_vec() }
    }
}

impl Figure {
    fn of(estimate: Estimate) -> Figure {
        Figure::within(estimate.value, estimate.interval)
    }

    fn within(value: f64, interval: Option<Interval>) -> Figure {
        Figure { value, low: interval.map(|interval| interval.low), high: interval.map(|interval| interval.high) }
    }
}

impl From<&MetricShift> for OneShift {
    fn from(shift: &MetricShift) -> OneShift {
        let quantiles = shift.shift.quantiles.iter().map(|one| Quantile {
            share: one.share,
            baseline: one.baseline,
            contender: one.contender,
            difference: Figure::within(one.difference, one.interval),
            is_shifted: one.is_shifted,
        });
        OneShift { of: shift.of.clone(), quantiles: quantiles.collect() }
    }
}
