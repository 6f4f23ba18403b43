//! Single files of a run's folder, read back as they are: also of a run that was killed while it wrote.
//!
//! Each file is read when it is asked for, and up to its last whole line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::measure::Summary;
use crate::results::RunManifest;
use crate::results::dossier::LatencyCourse;

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    folder: PathBuf,
}

/// Why something cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error("cannot read `{}`: {source}; expected it in the folder of a run", file.display())]
    Missing { file: PathBuf, source: io::Error },
    #[error("there is no `{}`: {}", file.display(), why_no_summary(ended.as_deref()))]
    NoSummary {
        file: PathBuf,
        /// When the run ended, by its manifest.
        ended: Option<String>,
    },
    #[error(
        "`{}`: {problem}; expected what `dmswarm run` has written there. A newer version of dmswarm may be able to read \
         it",
        file.display()
    )]
    Unreadable { file: PathBuf, problem: String },
}

/// What is known of a run without a summary that ended at this time by its manifest.
pub(super) fn why_no_summary(ended: Option<&str>) -> String {
    match ended {
        Some(ended) => {
            format!("by run.json the run ended at {ended}, so that the summary was there and has been removed")
        }
        None => {
            "run.json names no end of the run: it was killed, or its results could not be written, before its first \
                 second was over, or it goes on and that second has not passed; or the summary has been removed"
                .to_owned()
        }
    }
}

impl StoredRun {
    /// The run in this folder.
    pub fn at(folder: &Path) -> StoredRun {
        StoredRun { folder: folder.to_owned() }
    }

    /// `run.json`.
    ///
    /// # Errors
    /// [`StoredError`] where it is not there, or nothing that can be read; here and in what follows.
    pub fn manifest(&self) -> Result<RunManifest, StoredError> {
        self.json("run.json")
    }

    /// `summary.json`; of a run that was killed, the last one that it has written.
    pub fn summary(&self) -> Result<Summary, StoredError> {
        self.json("summary.json").map_err(|error| match error {
            StoredError::Missing { file, source } if source.kind() == io::ErrorKind::NotFound => {
                StoredError::NoSummary { file, ended: self.manifest().ok().and_then(|manifest| manifest.ended) }
            }
            error => error,
        })
    }

    /// The whole lines of `timeline.csv`.
    pub fn timeline(&self) -> Result<String, StoredError> {
        let (file, mut bytes) = self.bytes("timeline.csv")?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        String::from_utf8(bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    /// `scenario.toml`, as run.
    pub fn scenario(&self) -> Result<String, StoredError> {
        let (file, bytes) = self.bytes("scenario.toml")?;
        String::from_utf8(bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    /// The times of `latency.hlog`, each metric's taken together.
    pub fn latency(&self) -> Result<LatencyCourse, StoredError> {
        let file = self.folder.join("latency.hlog");
        let open = fs::File::open(&file).map_err(|source| StoredError::Missing { file: file.clone(), source })?;
        let mut latency = LatencyCourse::new(u64::MAX);
        match latency.read(io::BufReader::new(open)) {
            Ok(()) => Ok(latency),
            Err(error) => Err(StoredError::Unreadable { file, problem: error.to_string() }),
        }
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoredError> {
        let (file, bytes) = self.bytes(name)?;
        serde_json::from_slice(&bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    fn bytes(&self, name: &str) -> Result<(PathBuf, Vec<u8>), StoredError> {
        let file = self.folder.join(name);
        match fs::read(&file) {
            Ok(bytes) => Ok((file, bytes)),
            Err(source) => Err(StoredError::Missing { file, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("dmswarm-stored-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).expect("a scratch folder");
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn half_a_line_of_a_timeline_is_left_out() {
        let scratch = Scratch::new("timeline");
        fs::write(scratch.0.join("timeline.csv"), "second,started\n0,5\n1,").expect("written");
        assert_eq!(StoredRun::at(&scratch.0).timeline().expect("lines"), "second,started\n0,5\n");
    }

    #[test]
    fn what_is_not_there_or_no_json_is_named() {
        let scratch = Scratch::new("missing");
        let run = StoredRun::at(&scratch.0);
        let said = run.summary().expect_err("none is there").to_string();
        assert!(
            said.contains("summary.json`") && said.contains("run.json names no end of the run: it was killed, or"),
            "{said}"
        );
        fs::write(scratch.0.join("run.json"), "{\"schema\":1}").expect("written");
        let said = run.manifest().expect_err("no manifest").to_string();
        assert!(said.contains("run.json`: invalid type: integer `1`"), "{said}");
    }
}
