//! What a search for a capacity has found, with every sub-trial behind it: `capacity.json`.

use std::path::PathBuf;

use serde::Serialize;

use crate::capacity::littles_law::Check;
use crate::capacity::scaling::Scaling;
use crate::capacity::search::SearchResult;
use crate::capacity::sizing::Sizing;
use crate::measure::limit::LimitResult;
use crate::measure::summary::Summary;

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CapacityRecord {
    /// `dmswarm.capacity/1`.
    pub schema: &'static str,
    pub scenario: String,
    pub seed: u64,
    pub policy: String,
    /// What was turned up, by its key in a scenario, and what it is counted in.
    pub axis: &'static str,
    pub unit: &'static str,
    pub limits: Vec<String>,
    /// `null` where it was stopped before its end.
    pub result: Option<SearchResult>,
    /// In the order in which they were made.
    pub trials: Vec<Trialed>,
    pub around: Option<Around>,
    /// Of journeys at once: how throughput goes with them.
    pub scaling: Option<Scaling>,
    /// Why not, where it was looked for.
    pub no_scaling: Option<String>,
    pub plan: Option<Planned>,
}

/// A plan, and what it needs of peers like this one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// As people write it.
    pub plan: String,
    pub sizing: Sizing,
    /// The runs that say so: those under the load that is kept, and under the next one that was tried.
    pub kept_in: Vec<PathBuf>,
    pub not_kept_in: Vec<PathBuf>,
}

/// One sub-trial and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trialed {
    pub load: f64,
    pub is_warm_up: bool,
    /// Counted from 0 within its load.
    pub number: u32,
    /// `None` where nothing was run.
    pub figures: Option<Figures>,
    pub not_kept: Vec<LimitResult>,
    /// Whether a promise was broken under the load: then it has not been taken, whatever the limits say.
    pub is_broken: bool,
    /// Why it says nothing about the peer, where it does not.
    pub invalid: Option<String>,
    /// Of journeys at once: whether they, their throughput and their times go together.
    pub littles_law: Option<Check>,
    /// Its run folder.
    pub folder: Option<PathBuf>,
}

/// The figures of one run that people look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
}

/// What was seen around a capacity.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Around {
    /// The least part first.
    pub levels: Vec<Level>,
    /// Of rates: what comes after an overload.
    pub recovery: Option<Recovery>,
}

/// The figures at one part of the capacity. Where those on the way down are worse, the peer remembers what was before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    pub part: f64,
    pub load: f64,
    pub up: Figures,
    /// `None` where it was not come to any more.
    pub down: Option<Figures>,
}

/// What comes after more than a peer can take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovery {
    /// So much for so long,
    pub overload: f64,
    pub overload_s: f64,
    /// and then so much.
    pub back_at: f64,
    /// From when on, in seconds after the overload, every limit was kept in every second; `None`: not by the end.
    pub recovered_s: Option<f64>,
    /// How long that was looked for.
    pub watched_s: f64,
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
        }
    }
}

impl CapacityRecord {
    pub const SCHEMA: &str = "dmswarm.capacity/1";
}
