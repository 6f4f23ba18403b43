//! What is read back from the folder of a run: its scenario as run, and what was seen of devices.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ids::DeviceNumber;

/// What was seen of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub device: DeviceNumber,
    /// For people.
    pub text: String,
    /// For programs: a fact a line.
    pub lines: String,
}

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRun {
    /// The text of `scenario.toml`, with every default filled in.
    pub scenario: String,
    /// By device: the file, and the lines in it.
    pub stories: Vec<(DeviceNumber, PathBuf, String)>,
}

/// Why there is nothing to read back.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(
        "cannot read `{}`: {source}; expected the folder of a run, as `dmswarm run` makes one in results/",
        file.display()
    )]
    NoRun { file: PathBuf, source: io::Error },
    #[error(
        "`{}` holds no stories: no device of this run broke a promise, and no flow failed. There is nothing to go \
         after",
        folder.display()
    )]
    NoStories { folder: PathBuf },
    #[error(
        "`{}` has stories for people only (device-N.txt): it was made before runs kept device-N.jsonl beside them. Run \
         its scenario again: dmswarm run {}",
        folder.display(),
        folder.join("scenario.toml").display()
    )]
    ForPeopleOnly { folder: PathBuf },
    #[error("cannot read `{}`: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
}

impl RecordedRun {
    /// Reads the folder of a run.
    ///
    /// # Errors
    /// [`RecordError`] where there is none, or no device in it.
    pub fn read(folder: &Path) -> Result<RecordedRun, RecordError> {
        let file = folder.join("scenario.toml");
        let scenario = fs::read_to_string(&file).map_err(|source| RecordError::NoRun { file, source })?;
        let Ok(entries) = fs::read_dir(folder.join("stories")) else {
            return Err(RecordError::NoStories { folder: folder.to_owned() });
        };
        let mut stories = Vec::new();
        for file in entries.flatten().map(|entry| entry.path()) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix("device-").and_then(|rest| rest.strip_suffix(".jsonl"));
            let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
            match fs::read_to_string(&file) {
                Ok(lines) => stories.push((DeviceNumber(number), file, lines)),
                Err(source) => return Err(RecordError::Unreadable { file, source }),
            }
        }
        if stories.is_empty() {
            return Err(RecordError::ForPeopleOnly { folder: folder.to_owned() });
        }
        stories.sort_by_key(|(device, ..)| *device);
        Ok(RecordedRun { scenario, stories })
    }
}
