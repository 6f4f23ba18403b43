//! `dmswarm report`: any report of a run made again from what its folder holds, also of one that was killed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hdrhistogram::Histogram;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::facts::Fact;
use crate::report::figures::time;
use crate::report::finding::mermaid_of_flows;
use crate::report::json;
use crate::report::run_page::run_page;
use crate::results::dossier::{Seconds, WorstFlow, shortfall};
use crate::results::latency_log::{self, SERVICE};
use crate::results::{Catalogue, CatalogueError, Dossier, Entry, StoredError, StoredRun, junit};

/// What `report` is asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// The folder of a run, its name in --out or the beginning of it, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// In which form
    #[arg(long, value_name = "FORMAT")]
    pub format: Format,
    /// Write it into this file instead of stdout; `hgrm` of all metrics into this folder
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The metric of `hgrm`, such as flow.revoke.asked, or flow.revoke.asked.service for its service time
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The page that a run leaves as report.html
    Html,
    /// The summary
    Json,
    /// A row per second
    Csv,
    /// Limits and promises as test cases
    Junit,
    /// The percentiles of a metric, for the plotter of HdrHistogram
    Hgrm,
    /// What happened in the three worst flows, as a sequence diagram
    Mermaid,
}

pub const EXAMPLES: &str = "\
Examples:
  dmswarm report latest --format html --output report.html
  dmswarm report latest --format junit --output junit.xml
  dmswarm report quickstart-2026-11-22 --format hgrm --metric flow.delegate.dmacc
  dmswarm report results/quickstart-... --format hgrm --output percentiles
  dmswarm report latest --format mermaid > worst.mmd";

type Failure = (Exit, String);

/// Makes one report.
pub fn report(asked: &Asked, flags: &Flags) -> Exit {
    match made(asked, flags) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            if !message.is_empty() {
                output::remark(&format!("error: {message}"));
            }
            exit
        }
    }
}

/// The run that a word means; what stands in the way of it is told.
pub(super) fn found(word: &str, flags: &Flags) -> Result<Entry, Failure> {
    Catalogue::find(&flags.out, word).map_err(|error| match error {
        CatalogueError::NotWritten(_) | CatalogueError::NotRemoved { .. } => (Exit::CouldNotRun, error.to_string()),
        _ => (Exit::Usage, error.to_string()),
    })
}

fn made(asked: &Asked, flags: &Flags) -> Result<Exit, Failure> {
    if asked.metric.is_some() && asked.format != Format::Hgrm {
        return Err((Exit::Usage, "--metric goes with --format hgrm; leave it out".to_owned()));
    }
    let entry = found(&asked.run, flags)?;
    let run = StoredRun::at(&entry.folder);
    let text = match asked.format {
        Format::Html => run_page(&dossier(&entry)?),
        Format::Json => json::summary(&run.summary().map_err(unread)?),
        Format::Csv => timeline(&entry, &run)?,
        Format::Junit => junit::document(&run.summary().map_err(unread)?, &entry.manifest),
        Format::Mermaid => worst_flows(&dossier(&entry)?)?,
        Format::Hgrm => match percentiles(&dossier(&entry)?, asked, flags)? {
            Some(text) => text,
            None => return Ok(Exit::Passed),
        },
    };
    match &asked.output {
        Some(file) => write(file, &text).map(|()| told(file, flags)),
        None => Ok(output::data(&text)),
    }
}

fn unread(error: StoredError) -> Failure {
    (Exit::CouldNotRun, error.to_string())
}

fn told(file: &Path, flags: &Flags) -> Exit {
    if !flags.quiet {
        output::remark(&format!("written: {}", file.display()));
    }
    Exit::Passed
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| {
        (Exit::CouldNotRun, format!("cannot write `{}`: {error}; choose another place with --output", file.display()))
    })
}

/// All that a folder holds; what is missing in it is told.
fn dossier(entry: &Entry) -> Result<Dossier, Failure> {
    let dossier = Dossier::read(&entry.folder).map_err(|error| (Exit::CouldNotRun, error.to_string()))?;
    dossier.gaps.iter().for_each(|gap| output::remark(&format!("warning: {gap}")));
    Ok(dossier)
}

/// The rows as they are; of a run that came to its end, it is told when they are not all.
fn timeline(entry: &Entry, run: &StoredRun) -> Result<String, Failure> {
    let text = run.timeline().map_err(unread)?;
    if let Some(summary) = entry.summary.as_ref().filter(|_| entry.manifest.ended.is_some()) {
        let mut seconds = Seconds::default();
        seconds.read(text.as_bytes()).expect("a text is read to its end");
        let missing = shortfall::of_timeline(&seconds, summary);
        missing.iter().for_each(|missing| output::remark(&format!("warning: {missing}")));
    }
    Ok(text)
}

/// The text of one metric; `None` once all of them are written into a folder.
fn percentiles(dossier: &Dossier, asked: &Asked, flags: &Flags) -> Result<Option<String>, Failure> {
    let both = dossier.latency.metrics().flat_map(|(metric, course)| {
        [(metric.to_owned(), &course.response), (format!("{metric}{SERVICE}"), &course.service)]
    });
    let latency: Vec<(String, &Histogram<u64>)> = both.collect();
    if latency.is_empty() {
        let message = format!("`{}` has no metric with samples: there are no percentiles", dossier.folder.display());
        return Err((Exit::CouldNotRun, message));
    }
    let known = || latency.iter().map(|(metric, _)| metric.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(asked) = &asked.metric {
        let found = latency.iter().find(|(metric, _)| metric == asked);
        let Some((_, histogram)) = found else {
            let message = format!("expected a metric that has samples in this run ({}), found `{asked}`", known());
            return Err((Exit::Usage, message));
        };
        return Ok(Some(latency_log::percentiles(histogram)));
    }
    let Some(folder) = &asked.output else {
        let message = format!("expected --metric NAME with one of {}, or --output DIR for all of them", known());
        return Err((Exit::Usage, message));
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        (Exit::CouldNotRun, format!("cannot make the folder `{}`: {error}; choose another one", folder.display()))
    })?;
    for (metric, histogram) in &latency {
        write(&folder.join(format!("{metric}.hgrm")), &latency_log::percentiles(histogram))?;
    }
    told(folder, flags);
    Ok(None)
}

fn worst_flows(dossier: &Dossier) -> Result<String, Failure> {
    let flows = dossier.worst.iter().filter(|flow| !flow.facts.is_empty()).map(|WorstFlow { row, facts, .. }| {
        let title = format!("device {}, {}: {}, {}", row.device, row.flow, row.outcome, time(Some(row.response_ms)));
        (title, facts.clone())
    });
    let flows: Vec<(String, Vec<Fact>)> = flows.collect();
    match &dossier.scenario {
        Some(scenario) if !flows.is_empty() => Ok(mermaid_of_flows(&flows, &scenario.names())),
        _ => {
            let folder = dossier.folder.display();
            let message = format!("`{folder}` tells of no flow that has ended: there is nothing to draw");
            Err((Exit::CouldNotRun, message))
        }
    }
}
