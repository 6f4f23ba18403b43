//! One finding as a file: which promise broke, by which plan, in which scenario. Enough to see it again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `finding.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingFile {
    /// `dmswarm.finding/1`.
    pub schema: String,
    /// The stable name of the promise.
    pub promise: String,
    pub says: String,
    /// Every promise that the plan breaks, this one included.
    pub promises: Vec<String>,
    /// What was seen instead of what the promises say.
    pub seen: Vec<String>,
    /// Stands for the plan.
    pub signature: String,
    /// A device of this kind of journeys.
    pub kind: String,
    /// How many devices were looked at.
    pub devices: usize,
    pub policy: String,
    /// What operators wish: steps of a journey, in order.
    pub wishes: Vec<String>,
    /// What happens otherwise than by itself.
    pub decisions: Vec<String>,
    /// The scenario file, with every default filled in.
    pub scenario: String,
}

/// Why there is no finding to read.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    #[error("cannot read `{}`: {source}; expected the folder of a finding, or its finding.toml", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("`{}` is no finding: {message}", file.display())]
    NoFinding { file: PathBuf, message: String },
    #[error("`{}` is of schema `{found}`, and this program reads `{}`", file.display(), FindingFile::SCHEMA)]
    OtherSchema { file: PathBuf, found: String },
}

impl FindingFile {
    pub const SCHEMA: &str = "dmswarm.finding/1";

    /// Reads a finding from its folder, or from the file itself.
    ///
    /// # Errors
    /// [`FindingError`] when there is none.
    pub fn read(path: &Path) -> Result<FindingFile, FindingError> {
        let file = if path.is_dir() { path.join("finding.toml") } else { path.to_owned() };
        let text =
            fs::read_to_string(&file).map_err(|source| FindingError::Unreadable { file: file.clone(), source })?;
        let finding: FindingFile = toml::from_str(&text)
            .map_err(|error| FindingError::NoFinding { file: file.clone(), message: error.to_string() })?;
        if finding.schema != FindingFile::SCHEMA {
            return Err(FindingError::OtherSchema { file, found: finding.schema });
        }
        Ok(finding)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let head = "# What broke, and how to see it again: `dmswarm replay` with this file or its folder.\n\n";
        format!("{head}{}", toml::to_string_pretty(self).expect("texts and lists have a TOML form"))
    }
}
