//! A run as its report needs it, read back from its folder in memory that does not grow with the length of the run.
//!
//! | file | its job |
//! |---|---|
//! | `seconds` | `timeline.csv`, taken together into a bounded number of columns |
//! | `intervals` | `latency.hlog`: a distribution for each metric, and what each column brought |
//! | `scenes` | `events.jsonl.zst`: what was seen of the devices of the worst flows |
//! | [`shortfall`] | what the files of a run that came to its end should hold, and do not |
//!
//! A run that was killed reads as far as it came: half a line and half a frame at the end of a file are what a killed
//! process leaves.

mod intervals;
mod scenes;
mod seconds;
pub mod shortfall;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::measure::Summary;
use crate::measure::summary;
use crate::results::RunManifest;
use crate::results::stored::why_no_summary;
use crate::scenario::Scenario;
use crate::scenario::file::{Overrides, parse};

pub use intervals::{Cell, LatencyColumn, LatencyCourse, MetricCourse, percentile_ms};
pub use scenes::WorstFlow;
pub use seconds::{Second, Seconds};

/// Over time a run is told of in at most so many columns of one width.
pub const MOST_COLUMNS: usize = 160;

/// The stored data of a run.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// Where it was read from.
    pub folder: PathBuf,
    pub manifest: RunManifest,
    pub summary: Summary,
    /// As run; `None` when `scenario.toml` is missing or no scenario of this version.
    pub scenario: Option<Scenario>,
    pub seconds: Seconds,
    pub latency: LatencyCourse,
    /// The flows that failed, then those that took longest, with what was seen of their devices meanwhile.
    pub worst: Vec<WorstFlow>,
    /// What could not be read, or is not all that there was, a sentence for each file.
    pub gaps: Vec<String>,
}

/// Why there is no run to read.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    #[error(
        "cannot read `{}`: {source}; expected the folder of a run, as `dmswarm run` makes one in results/",
        file.display()
    )]
    NoRun { file: PathBuf, source: io::Error },
    #[error(
        "`{}` has no summary.json, and there is nothing to tell: {}. Run its scenario again: dmswarm run {}",
        folder.display(),
        why_no_summary(ended.as_deref()),
        folder.join("scenario.toml").display()
    )]
    NoSummary {
        folder: PathBuf,
        /// When the run ended, by its manifest.
        ended: Option<String>,
    },
    #[error("cannot read `{}`: {source}; give yourself the right to read it", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error(
        "expected `{schema}` in `{}`, found something else: {message}; it was changed by hand or written by another \
         version of dmswarm",
        file.display()
    )]
    NotOurs { file: PathBuf, schema: &'static str, message: String },
}

impl Dossier {
    /// Reads the folder of a run.
    ///
    /// # Errors
    /// [`DossierError`] without a `run.json` and a `summary.json`. What else is missing is told in [`Dossier::gaps`].
    pub fn read(folder: &Path) -> Result<Dossier, DossierError> {
        let manifest_file = folder.join("run.json");
        let text = fs::read_to_string(&manifest_file)
            .map_err(|source| DossierError::NoRun { file: manifest_file.clone(), source })?;
        let manifest: RunManifest = from_json(&manifest_file, RunManifest::SCHEMA, &text)?;
        let summary_file = folder.join("summary.json");
        let text = fs::read_to_string(&summary_file).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                DossierError::NoSummary { folder: folder.to_owned(), ended: manifest.ended.clone() }
            }
            _ => DossierError::Unreadable { file: summary_file.clone(), source },
        })?;
        let summary: Summary = from_json(&summary_file, summary::SCHEMA, &text)?;

        let mut gaps = Vec::new();
        let mut tell = |gap: Result<(), String>| gaps.extend(gap.err());
        let mut seconds = Seconds::default();
        let is_whole = manifest.ended.is_some();
        tell(
            read_file(folder, "timeline.csv", |file| seconds.read(file))
                .and_then(|()| all_of_it(is_whole, || shortfall::of_timeline(&seconds, &summary))),
        );
        let mut latency = LatencyCourse::new(seconds.width_s(summary.duration_s));
        tell(
            read_file(folder, "latency.hlog", |file| latency.read(file))
                .and_then(|()| all_of_it(is_whole, || shortfall::of_latency(&latency, &summary))),
        );
        let (scenario, problem) = read_scenario(folder);
        tell(problem);
        let mut worst: Vec<WorstFlow> = summary.worst.iter().cloned().map(WorstFlow::new).collect();
        if let Some(scenario) = &scenario
            && !worst.is_empty()
        {
            let names = scenario.names();
            tell(
                read_file(folder, "events.jsonl.zst", |file| scenes::read(file, &mut worst, &names))
                    .and_then(|is_all| all_of_it(is_whole, || shortfall::of_events(is_all))),
            );
        }
        Ok(Dossier { folder: folder.to_owned(), manifest, summary, scenario, seconds, latency, worst, gaps })
    }

    /// Whether the run came to its end; else it was killed, and this is what had been written by then.
    pub fn is_whole(&self) -> bool {
        self.manifest.ended.is_some()
    }
}

/// A file of ours, if it says that it is of this schema.
fn from_json<T: DeserializeOwned>(file: &Path, schema: &'static str, text: &str) -> Result<T, DossierError> {
    let not_ours = |message: String| DossierError::NotOurs { file: file.to_owned(), schema, message };
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| not_ours(error.to_string()))?;
    match value.get("schema").and_then(|found| found.as_str()) {
        Some(found) if found == schema => {}
        Some(found) => return Err(not_ours(format!("its schema is `{}`", found.escape_default()))),
        None => return Err(not_ours("it names no schema".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| not_ours(error.to_string()))
}

/// Reads one of the files that grow. What is wrong with it is told; the rest of the dossier can do without.
fn read_file<T>(
    folder: &Path,
    name: &str,
    read: impl FnOnce(io::BufReader<fs::File>) -> io::Result<T>,
) -> Result<T, String> {
    match fs::File::open(folder.join(name)).and_then(|file| read(io::BufReader::new(file))) {
        Ok(read) => Ok(read),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{name} is missing: nothing is told of what it would hold"))
        }
        Err(error) => Err(format!("{name} could not be read to its end: {error}")),
    }
}

/// Of a run that came to its end, what a file should hold and does not.
fn all_of_it(is_whole: bool, missing: impl FnOnce() -> Option<String>) -> Result<(), String> {
    if is_whole { missing().map_or(Ok(()), Err) } else { Ok(()) }
}

fn read_scenario(folder: &Path) -> (Option<Scenario>, Result<(), String>) {
    let Ok(text) = fs::read_to_string(folder.join("scenario.toml")) else {
        return (None, Err("scenario.toml is missing: flows cannot be drawn without the names in it".to_owned()));
    };
    match parse("scenario.toml", &text, &Overrides::default()) {
        Ok(scenario) => (Some(scenario), Ok(())),
        Err(_) => {
            let problem = "scenario.toml is no scenario of this version: flows cannot be drawn without the names in it; \
                           `dmswarm check` says what is wrong with it";
            (None, Err(problem.to_owned()))
        }
    }
}
