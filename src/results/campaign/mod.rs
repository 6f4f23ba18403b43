//! Many runs of one scenario as data, `campaign.json`, and the folder that they lie in.
//!
//! | file | its job |
//! |---|---|
//! | `folder` | the folder: made, found again, read back |

mod folder;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::measure::Summary;
use crate::measure::Verdict;

pub use folder::{CampaignError, CampaignFolder, Left, Place, Stored};

/// The name of this form of the data; a change that breaks its readers changes the number.
pub const SCHEMA: &str = "dmswarm.campaign/1";

/// A campaign, so far as it has come. Cells, repeats and warm-up runs are counted from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// [`SCHEMA`].
    pub schema: String,
    pub name: String,
    /// Of the order, and of the runs where the scenario has no seed of its own.
    pub seed: u64,
    /// The scenario as the campaign file names it.
    pub scenario: String,
    /// How often each cell is run.
    pub repeats: u32,
    /// The program and its arguments, as it was called first.
    pub command_line: Vec<String>,
    /// What the command line has set over the files.
    pub overrides: Overriding,
    /// RFC 3339, in UTC.
    pub started: String,
    /// When the last run was done; `null` while there are runs to come.
    pub ended: Option<String>,
    pub cells: Vec<CellRow>,
    /// Every run that is done, in the order in which they were.
    pub runs: Vec<RunRow>,
    /// Runs that came before the others, and count for nothing.
    pub warm_up: Vec<WarmUpRow>,
    /// Runs that did not come to their end: they count for nothing, and are made again.
    pub cut: Vec<CutRow>,
    /// What could not be run when its turn came; it is tried again when the campaign is resumed.
    pub not_run: Vec<NotRunRow>,
    /// Files that the scenario names, each with its copy in the folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, String>,
}

/// What the command line has set over a campaign's files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overriding {
    pub sets: Vec<String>,
    pub policy: Option<String>,
}

/// One combination of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRow {
    pub cell: u32,
    /// By the paths of the scenario, as `--set` takes them.
    pub settings: Map<String, Value>,
}

/// A run that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    pub cell: u32,
    pub repeat: u32,
    /// Its folder, as seen from the campaign's.
    pub folder: PathBuf,
    pub verdict: Verdict,
    /// Whether it was interrupted because it took longer than the campaign allows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub over_budget: bool,
    /// Whether something of dmswarm itself went wrong.
    #[serde(default, skip_serializing_if = "is_false")]
    pub internal_error: bool,
    pub seed: u64,
    pub duration_s: f64,
    pub flows_per_s: f64,
    pub exchanges_per_s: f64,
    /// Flows started, and those that ended otherwise than expected.
    pub flows: u64,
    pub failed: u64,
    /// `null` where no flow was started.
    pub share_failed: Option<f64>,
    /// Of all flows that ended `done`, from their intended starts; `null` without enough samples.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// The same by the kind of flow, as far as there were any.
    pub by_flow: Map<String, Value>,
}

/// A run that was thrown away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUpRow {
    pub folder: PathBuf,
    pub verdict: Verdict,
}

/// A run without an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutRow {
    /// `null` where nothing in the folder tells it.
    pub cell: Option<u32>,
    pub repeat: Option<u32>,
    pub folder: PathBuf,
    /// Always `true`: what makes it different from a run that is done.
    pub cut: bool,
    /// `interrupted` or `killed`.
    pub why: String,
}

/// A run that was not begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotRunRow {
    pub cell: u32,
    pub repeat: u32,
    pub why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Campaign {
    /// How many runs there are to be in all.
    pub fn planned(&self) -> usize {
        self.cells.len() * self.repeats as usize
    }

    /// Whether every run is done.
    pub fn is_complete(&self) -> bool {
        self.runs.len() == self.planned()
    }

    /// The runs of a cell that are done, in the order of their repeats.
    pub fn runs_of(&self, cell: u32) -> Vec<&RunRow> {
        let mut runs: Vec<&RunRow> = self.runs.iter().filter(|run| run.cell == cell).collect();
        runs.sort_by_key(|run| run.repeat);
        runs
    }

    /// The settings in which cells differ, in the order in which they are first named.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for key in self.cells.iter().flat_map(|cell| cell.settings.keys()) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        keys
    }
}

impl RunRow {
    /// What is kept of a run.
    pub fn of(cell: u32, repeat: u32, folder: PathBuf, summary: &Summary) -> RunRow {
        let (flows, failed) = (summary.started(), summary.failed_flows());
        let done = summary.latency.iter().filter_map(|(metric, row)| Some((metric.strip_prefix("flow.")?, row)));
        let by_flow = done.filter(|(_, row)| row.count > 0).map(|(flow, row)| {
            let times = row.response_ms;
            (flow.to_owned(), serde_json::json!({ "done": row.count, "p50_ms": times.p50, "p99_ms": times.p99 }))
        });
        RunRow {
            cell,
            repeat,
            folder,
            verdict: summary.verdict,
            over_budget: false,
            internal_error: summary.had_internal_error(),
            seed: summary.seed,
            duration_s: summary.duration_s,
            flows_per_s: summary.rates.flows_per_s,
            exchanges_per_s: summary.rates.exchanges_per_s,
            flows,
            failed,
            share_failed: (flows > 0).then(|| failed as f64 / flows as f64),
            p50_ms: summary.all_flows.response_ms.p50,
            p99_ms: summary.all_flows.response_ms.p99,
            by_flow: by_flow.collect(),
        }
    }
}

impl CellRow {
    /// `population.devices=100 policy=literal`; of a cell without settings, that.
    pub fn words(&self) -> String {
        let one = |(path, value): (&String, &Value)| format!("{path}={}", value_words(value));
        let all: Vec<String> = self.settings.iter().map(one).collect();
        if all.is_empty() { "the scenario as it is".to_owned() } else { all.join(" ") }
    }
}

/// A value as people write it: a string without quotes, and without what a terminal would obey.
pub fn value_words(value: &Value) -> String {
    let harmless = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    match value {
        Value::String(text) => text.chars().map(harmless).collect(),
        Value::Array(items) => items.iter().map(value_words).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}
