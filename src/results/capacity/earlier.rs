//! Searches that were made before, read back as evidence for a plan.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::capacity::search::SearchResult;
use crate::results::capacity::{CapacityRecord, Figures, RECORD, RevocationStorm, Trialed};
use crate::results::search;
use crate::scenario::Scenario;
use crate::scenario::capacity::CapacitySettings;

/// What a plan takes from a search.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierSearch {
    pub scenario: String,
    pub policy: String,
    /// By its key in a scenario.
    pub axis: String,
    pub peers: u32,
    pub limits: Vec<String>,
    /// `None` where it was stopped before its end.
    pub result: Option<EarlierResult>,
    pub trials: Vec<EarlierTrial>,
    pub around: Option<EarlierAround>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierResult {
    pub bounds: EarlierBounds,
}

/// The highest load that is known to keep every limit, and the lowest that is known not to.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct EarlierBounds {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// One sub-trial.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierTrial {
    pub load: f64,
    pub is_warm_up: bool,
    pub folder: Option<PathBuf>,
}

/// What was seen around the capacity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierAround {
    pub revocations: Option<EarlierStorm>,
}

/// Revocations at once.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierStorm {
    pub devices: u32,
    pub took_s: Option<f64>,
    pub figures: EarlierFigures,
}

/// Whether a run says anything about the peer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EarlierFigures {
    pub invalid: Option<String>,
    pub is_broken: bool,
}

/// Why a folder is no search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` holds no search for a capacity: {problem}; name a folder that `dmswarm capacity` has made", folder.display())]
pub struct NoSearch {
    pub folder: PathBuf,
    pub problem: String,
}

impl EarlierSearch {
    /// Reads the search in a folder, or in the one of that name below `out`; with where that is.
    ///
    /// # Errors
    /// [`NoSearch`] where there is none of this version.
    pub fn read(folder: &Path, out: &Path) -> Result<(PathBuf, EarlierSearch), NoSearch> {
        let below = out.join(folder);
        let place = if folder.exists() || !below.exists() { folder.to_owned() } else { below };
        let none = |problem: String| NoSearch { folder: place.clone(), problem };
        let text = search::read(&place, RECORD).map_err(|error| none(format!("its {RECORD}: {error}")))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| none(format!("its {RECORD} is no JSON: {error}")))?;
        let schema = value["schema"].as_str().unwrap_or("nothing");
        if schema != CapacityRecord::SCHEMA {
            let (found, expected) = (schema.escape_debug(), CapacityRecord::SCHEMA);
            return Err(none(format!("the schema of its {RECORD} is `{found}`, expected `{expected}`")));
        }
        let search = serde_json::from_value(value);
        let search = search.map_err(|error| none(format!("its {RECORD} is none of this version: {error}")))?;
        Ok((place, search))
    }
}

/// A search that has just been made.
impl From<&CapacityRecord> for EarlierSearch {
    fn from(record: &CapacityRecord) -> EarlierSearch {
        let bounds = |result: &SearchResult| EarlierBounds { lower: result.bounds.lower, upper: result.bounds.upper };
        let trial = |trial: &Trialed| EarlierTrial {
            load: trial.load,
            is_warm_up: trial.is_warm_up,
            folder: trial.folder.clone(),
        };
        let storm = |storm: &RevocationStorm| {
            let Figures { invalid, is_broken, .. } = storm.figures.clone();
            EarlierStorm {
                devices: storm.devices,
                took_s: storm.took_s,
                figures: EarlierFigures { invalid, is_broken },
            }
        };
        EarlierSearch {
            scenario: record.scenario.clone(),
            policy: record.policy.clone(),
            axis: record.axis.to_owned(),
            peers: record.peers,
            limits: record.limits.clone(),
            result: record.result.as_ref().map(|result| EarlierResult { bounds: bounds(result) }),
            trials: record.trials.iter().map(trial).collect(),
            around: record
                .around
                .as_ref()
                .map(|around| EarlierAround { revocations: around.revocations.as_ref().map(storm) }),
        }
    }
}

impl EarlierSearch {
    /// One that has not been made yet.
    pub fn to_come(scenario: &Scenario, settings: &CapacitySettings) -> EarlierSearch {
        EarlierSearch {
            scenario: scenario.name.clone(),
            policy: scenario.policy.key().to_owned(),
            axis: settings.axis.key().to_owned(),
            peers: settings.peers,
            limits: scenario.limits.iter().map(ToString::to_string).collect(),
            result: None,
            trials: Vec::new(),
            around: None,
        }
    }

    /// The runs under a load that count.
    pub fn runs_at(&self, load: f64) -> Vec<PathBuf> {
        let those = self.trials.iter().filter(|trial| !trial.is_warm_up && trial.load == load);
        those.filter_map(|trial| trial.folder.clone()).collect()
    }

    /// Revocations a second that one peer did when many came at once.
    pub fn revoked_per_s(&self) -> Option<f64> {
        let EarlierStorm { devices, took_s, figures } = self.around.as_ref()?.revocations.as_ref()?;
        let says_something = figures.invalid.is_none() && !figures.is_broken;
        let took_s = took_s.filter(|seconds| says_something && *seconds > 0.0)?;
        Some(f64::from(*devices) / took_s / f64::from(self.peers.max(1)))
    }
}
