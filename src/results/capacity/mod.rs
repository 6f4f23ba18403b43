//! What a search for a capacity has found, with every sub-trial behind it: `capacity.json`.
//!
//! | file | its job |
//! |---|---|
//! | `earlier` | such a file read back |

mod earlier;

use std::path::PathBuf;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use crate::capacity::littles_law::Check;
use crate::capacity::scaling::Scaling;
use crate::capacity::search::SearchResult;
use crate::capacity::sizing::Sizing;
use crate::measure::Verdict;
use crate::measure::limit::{LimitResult, Unit};
use crate::measure::summary::Summary;
use crate::scenario::Scenario;
use crate::scenario::capacity::CapacitySettings;

pub use earlier::NoSearch;

/// Its name in the folder of the search.
pub const RECORD: &str = "capacity.json";

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityRecord {
    /// `dmswarm.capacity/1`.
    pub schema: String,
    pub scenario: String,
    pub seed: u64,
    pub policy: String,
    /// What was turned up, by its key in a scenario, and what it is counted in.
    pub axis: String,
    pub unit: String,
    /// How many took the load together.
    pub peers: u32,
    pub limits: Vec<String>,
    /// `null` where it was stopped before its end.
    pub result: Option<SearchResult>,
    /// In the order in which they were made.
    pub trials: Vec<Trialed>,
    pub around: Option<Around>,
    /// Of journeys at once: how throughput goes with them. It is not read back, nor is a plan.
    #[serde(skip_deserializing)]
    pub scaling: Option<Scaling>,
    /// Why not, where it was looked for.
    pub no_scaling: Option<String>,
    #[serde(skip_deserializing)]
    pub plan: Option<Planned>,
}

/// A plan, and what it needs of peers like this one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Planned {
    /// As people write it.
    pub plan: String,
    pub sizing: Sizing,
    /// What is taken of more peers than one: `proportional`, `curve` or `as_measured`.
    pub together: &'static str,
    /// How what peers take together goes with their number, where it is known, in devices a second.
    pub curve: Option<Scaling>,
    /// Why it is not.
    pub no_curve: Option<String>,
    pub evidence: Vec<Evidence>,
}

/// What a plan rests on: one search.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Its folder; `None` for the search that is told of beside the plan.
    pub search: Option<PathBuf>,
    pub axis: String,
    pub peers: u32,
    pub kept: f64,
    pub not_kept: Option<f64>,
    /// The runs that say so.
    pub kept_in: Vec<PathBuf>,
    pub not_kept_in: Vec<PathBuf>,
}

/// One sub-trial and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trialed {
    pub load: f64,
    pub is_warm_up: bool,
    /// Counted from 0 within its load.
    pub number: u32,
    /// `None` where nothing was run.
    pub figures: Option<Figures>,
    pub not_kept: Vec<LimitResult>,
    /// Why it says nothing about the peer, where it does not.
    pub invalid: Option<String>,
    /// Of journeys at once: whether they, their throughput and their times go together.
    pub littles_law: Option<Check>,
    /// Its run folder.
    pub folder: Option<PathBuf>,
}

/// The figures of one run that people look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    pub started: u64,
    /// Flows that ended otherwise than expected.
    pub failed: u64,
    pub flows_per_s: f64,
    /// Response times of all flows that ended `done`, in milliseconds; `null` without enough samples.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// From 0 to 1.
    pub cpu_share: f64,
    /// Why they say nothing about the peer, where they do not.
    pub invalid: Option<String>,
    /// Whether a promise was broken: then the load has not been taken, whatever the limits say.
    pub is_broken: bool,
}

/// What was seen around a capacity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Around {
    /// The least part first.
    pub levels: Vec<Level>,
    /// Of rates: what comes after an overload.
    pub recovery: Option<Recovery>,
    /// Of rates, where journeys revoke: what many revocations at once do.
    pub revocations: Option<RevocationStorm>,
}

/// The figures at one part of the capacity. Where those on the way down are worse, the peer remembers what was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Of the capacity. The least is as little as gives enough samples, and the shortest time, to see anything at all.
    pub part: f64,
    pub load: f64,
    pub up: Figures,
    /// `None` where it was not come to any more.
    pub down: Option<Figures>,
}

/// What comes after more than a peer can take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// So much for so long,
    pub overload: f64,
    pub overload_s: f64,
    /// and then so much.
    pub back_at: f64,
    pub recovered: Recovered,
    /// How long that was looked for.
    pub watched_s: f64,
    /// Of the run that says so.
    pub figures: Figures,
}

/// From when on every limit is kept again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovered {
    /// In seconds, at the latest: from then on none was seen not to be kept.
    After(f64),
    /// Not as long as it was looked at.
    NotYet,
    /// There were too few samples to judge by.
    NotKnown,
}

/// What many revocations at once do to a peer that has half of its capacity to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationStorm {
    /// So many at one instant,
    pub devices: u32,
    /// while so much is started.
    pub into: f64,
    /// Until the last of them is done; `None` where not all are.
    pub took_s: Option<f64>,
    pub effects: Vec<Effect>,
    /// As in [`Recovery`], after the instant of the storm.
    pub recovered: Recovered,
    pub watched_s: f64,
    /// Of the run that says so.
    pub figures: Figures,
}

/// What becomes of a limit's figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    pub limit: String,
    pub unit: Unit,
    /// `None` where there were too few samples, as in what follows.
    pub before: Option<f64>,
    /// In the worst window behind it.
    pub worst: Option<f64>,
}

impl Figures {
    /// Those of a run.
    pub fn of(summary: &Summary) -> Figures {
        let times = summary.all_flows.response_ms;
        Figures {
            started: summary.started(),
            failed: summary.failed_flows(),
            flows_per_s: summary.rates.flows_per_s,
            p50_ms: times.p50,
            p99_ms: times.p99,
            cpu_share: summary.health.cpu_share,
            invalid: (summary.verdict == Verdict::Invalid).then(|| summary.health.reasons.join("; ")),
            is_broken: summary.verdict == Verdict::Broken,
        }
    }
}

impl Trialed {
    /// Whether a promise was broken under the load.
    pub fn is_broken(&self) -> bool {
        self.figures.as_ref().is_some_and(|figures| figures.is_broken)
    }

    /// Whether it kept every limit.
    pub fn is_kept(&self) -> bool {
        self.not_kept.is_empty() && !self.is_broken() && self.invalid.is_none()
    }
}

impl CapacityRecord {
    pub const SCHEMA: &str = "dmswarm.capacity/1";

    /// That of a search that has found nothing yet.
    pub fn begun(scenario: &Scenario, settings: &CapacitySettings) -> CapacityRecord {
        CapacityRecord {
            schema: CapacityRecord::SCHEMA.to_owned(),
            scenario: scenario.name.clone(),
            seed: scenario.seed.0,
            policy: scenario.policy.key().to_owned(),
            axis: settings.axis.key().to_owned(),
            unit: settings.axis.unit().to_owned(),
            peers: settings.peers,
            limits: scenario.limits.iter().map(ToString::to_string).collect(),
            result: None,
            trials: Vec::new(),
            around: None,
            scaling: None,
            no_scaling: None,
            plan: None,
        }
    }

    /// The runs under a load that count.
    pub fn runs_at(&self, load: f64) -> Vec<PathBuf> {
        let those = self.trials.iter().filter(|trial| !trial.is_warm_up && trial.load == load);
        those.filter_map(|trial| trial.folder.clone()).collect()
    }

    /// Revocations a second that one peer did when many came at once.
    pub fn revoked_per_s(&self) -> Option<f64> {
        let RevocationStorm { devices, took_s, figures, .. } = self.around.as_ref()?.revocations.as_ref()?;
        let says_something = figures.invalid.is_none() && !figures.is_broken;
        let took_s = took_s.filter(|seconds| says_something && *seconds > 0.0)?;
        Some(f64::from(*devices) / took_s / f64::from(self.peers.max(1)))
    }
}

/// The JSON Schema of `capacity.json`.
pub fn capacity_schema() -> serde_json::Value {
    let generator = SchemaSettings::default().for_serialize().into_generator();
    generator.into_root_schema_for::<CapacityRecord>().to_value()
}
