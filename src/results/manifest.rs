//! `run.json`: what was run, where, when, and what it came to.

use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Verdict;
use crate::results::utc;

/// The manifest of a run. It is written before the load starts and once more at the end; until then it says
/// `interrupted`, which is what a run that was killed has been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunManifest {
    /// `dmswarm.run/1`.
    pub schema: String,
    /// Of dmswarm.
    pub version: String,
    /// Of its source, or `unknown`.
    pub commit: String,
    /// The program and its arguments, as they were given.
    pub command_line: Vec<String>,
    pub scenario: String,
    pub seed: u64,
    pub host: HostFacts,
    /// UTC, RFC 3339.
    pub started: String,
    /// UTC, RFC 3339; `null` while the run goes on, or when it was killed.
    pub ended: Option<String>,
    pub verdict: Verdict,
    /// Words of its user, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// The machine that a run took place on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostFacts {
    /// e.g. `linux`.
    pub os: String,
    /// e.g. `x86_64`.
    pub architecture: String,
    /// Cores that the process may use.
    pub cores: u32,
    pub memory_bytes: Option<u64>,
    /// Most open files of the process.
    pub max_open_files: Option<u64>,
}

impl RunManifest {
    /// The version of the manifest's form; a key is added without a new one, never renamed.
    pub const SCHEMA: &'static str = "dmswarm.run/1";

    /// The manifest of a run that starts now. `commit` is what the build was told in `DMSWARM_COMMIT`.
    pub fn starting(
        scenario: &str,
        seed: u64,
        command_line: Vec<String>,
        host: HostFacts,
        now: SystemTime,
    ) -> RunManifest {
        RunManifest {
            schema: RunManifest::SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("DMSWARM_COMMIT").unwrap_or("unknown").to_owned(),
            command_line,
            scenario: scenario.to_owned(),
            seed,
            host,
            started: utc::rfc3339(now),
            ended: None,
            verdict: Verdict::Interrupted,
            tags: Vec::new(),
        }
    }

    /// The run has ended.
    pub fn end(&mut self, verdict: Verdict, now: SystemTime) {
        self.ended = Some(utc::rfc3339(now));
        self.verdict = verdict;
    }
}

/// The JSON Schema of `run.json`.
pub fn run_schema() -> serde_json::Value {
    schemars::schema_for!(RunManifest).to_value()
}
