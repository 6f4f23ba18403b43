//! `dmswarm report`: any report of a run made again from what its folder holds, also of one that was killed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::facts::{Fact, lines};
use crate::report::figures::time;
use crate::report::finding::mermaid_of_flows;
use crate::report::json;
use crate::report::run_page::run_page;
use crate::results::{Catalogue, CatalogueError, Dossier, Entry, StoredError, StoredRun, junit, latency_log};
use crate::scenario::file::{Overrides, parse};

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

/// The worst flows that are drawn.
const WORST: usize = 3;

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
        Format::Html => match Dossier::read(&entry.folder) {
            Ok(dossier) => run_page(&dossier),
            Err(error) => return Err((Exit::CouldNotRun, error.to_string())),
        },
        Format::Json => json::summary(&run.summary().map_err(unread)?),
        Format::Csv => run.timeline().map_err(unread)?,
        Format::Junit => junit::document(&run.summary().map_err(unread)?, &entry.manifest),
        Format::Mermaid => worst_flows(&entry.folder, &run)?,
        Format::Hgrm => match percentiles(&run, asked, flags)? {
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

/// The text of one metric; `None` once all of them are written into a folder.
fn percentiles(run: &StoredRun, asked: &Asked, flags: &Flags) -> Result<Option<String>, Failure> {
    let latency = run.latency().map_err(unread)?;
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

fn worst_flows(folder: &Path, run: &StoredRun) -> Result<String, Failure> {
    let source = folder.join("scenario.toml").display().to_string();
    let text = run.scenario().map_err(unread)?;
    let scenario = parse(&source, &text, &Overrides::default()).map_err(|problems| {
        tell_problems(&problems);
        (Exit::Usage, String::new())
    })?;
    let names = scenario.names();
    let mut flows: Vec<(String, Vec<Fact>)> = Vec::with_capacity(WORST);
    for flow in run.worst_flows(WORST).map_err(unread)? {
        let title =
            format!("device {}, {}: {}, {}", flow.device, flow.flow, flow.outcome, time(Some(flow.response_ms)));
        let facts = lines::read(&flow.facts, &names).map_err(|error| {
            let file = folder.join("events.jsonl.zst");
            (Exit::CouldNotRun, format!("`{}`, device {}: {error}", file.display(), flow.device))
        })?;
        flows.push((title, facts));
    }
    if flows.is_empty() {
        let message = format!("`{}` holds no flow that has ended: there is nothing to draw", folder.display());
        return Err((Exit::CouldNotRun, message));
    }
    Ok(mermaid_of_flows(&flows, &names))
}
