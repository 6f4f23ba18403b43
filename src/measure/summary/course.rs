//! How a run went in time, as rows of its summary: phases, populations, errors, marks, and the flows that took longest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::summary::LatencyRow;

/// A phase of the load of one population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseRow {
    /// `all` where there is only one.
    pub population: String,
    /// As the scenario calls it; `steady` where it does not.
    pub name: String,
    /// Seconds since the load began.
    pub from_s: f64,
    /// `null` while it goes on.
    pub to_s: Option<f64>,
}

/// How the flows of one population went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PopulationRow {
    pub devices: u64,
    pub started: u64,
    pub done: u64,
    /// Flows that ended otherwise than their journey expects; of a run that was not cut off, or have not ended.
    pub failed: u64,
    /// Of all its flows that ended `done`, whatever their kind.
    pub latency: LatencyRow,
}

/// Something that went wrong: an outcome that was not expected, a request that was rejected, a call without an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorRow {
    pub kind: ErrorKind,
    /// e.g. `undone (408)`, `not_xml`, `delegation_prepared timed out`.
    pub what: String,
    pub times: u64,
    /// In which seconds since the load began it was seen first and last.
    pub first_s: f64,
    pub last_s: f64,
}

/// What went wrong with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A flow.
    Flow,
    /// A request that was rejected.
    Rejected,
    /// A message that had no answer.
    Lost,
}

/// Something that was done to a run from outside: `paused`, `rate x 1.1`, or a mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MarkRow {
    /// Seconds since the load began.
    pub at_s: f64,
    pub what: String,
}

/// A flow that took long, or failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorstRow {
    pub device: u32,
    pub flow: String,
    /// e.g. `done`, `undone (408)`.
    pub outcome: String,
    /// From its intended start.
    pub response_ms: f64,
    /// When it ended, in seconds since the load began.
    pub ended_s: f64,
}
