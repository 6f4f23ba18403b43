//! A stored run as it is compared.

use std::path::PathBuf;

use crate::compare::metric::Metric;
use crate::compare::settings::Settings;
use crate::measure::Summary;
use crate::results::{Entry, RunManifest, StoredError, StoredRun};

/// A run, read from its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub name: String,
    pub folder: PathBuf,
    pub manifest: RunManifest,
    /// Why its figures cannot be trusted: the machine was the bottleneck. Nothing: they can.
    pub unhealthy: Vec<String>,
    /// What its scenario sets, or what keeps that from being known.
    pub settings: Result<Settings, String>,
    /// The flow of which most ended `done`, such as `flow.revoke.asked`; of several, the first.
    pub busiest: Option<String>,
    /// Its figures.
    pub figures: Vec<(Metric, f64)>,
}

impl Run {
    /// Reads what of a run is compared.
    ///
    /// # Errors
    /// [`StoredError`] without a summary; without a scenario it is up to who compares.
    pub fn read(entry: &Entry) -> Result<Run, StoredError> {
        let stored = StoredRun::at(&entry.folder);
        let summary = stored.summary()?;
        let settings = stored.scenario().map_err(|error| error.to_string());
        let settings = settings
            .and_then(|text| Settings::of(&text).map_err(|problem| format!("scenario.toml is no TOML: {problem}")));
        Ok(Run::of(entry.name.clone(), entry.folder.clone(), entry.manifest.clone(), &summary, settings))
    }

    /// The same of what was read already. What of it is shown has nothing in it that a terminal would obey.
    pub fn of(
        name: String,
        folder: PathBuf,
        mut manifest: RunManifest,
        summary: &Summary,
        settings: Result<Settings, String>,
    ) -> Run {
        for told in [&mut manifest.scenario, &mut manifest.version, &mut manifest.commit, &mut manifest.started] {
            *told = printable(told);
        }
        // A broken promise outweighs a machine that was too slow in the verdict, but not in what the figures are worth.
        let unhealthy = match summary.health.valid {
            true => Vec::new(),
            false => summary.health.reasons.iter().map(|reason| printable(reason)).collect(),
        };
        let most = summary.flows.iter().map(|(_, row)| row.done).max().filter(|most| *most > 0);
        let busiest =
            summary.flows.iter().find(|(_, row)| Some(row.done) == most).map(|(flow, _)| format!("flow.{flow}"));
        Run { name: printable(&name), folder, manifest, unhealthy, settings, busiest, figures: Metric::all_of(summary) }
    }

    /// A figure of it.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(metric, _)| metric.name == name).map(|(_, value)| *value)
    }

    /// Every metric that any of these runs has, each once, in the order of their summaries.
    pub fn metrics<'r>(runs: impl Iterator<Item = &'r Run>) -> Vec<Metric> {
        let mut known: Vec<Metric> = Vec::new();
        for run in runs {
            let mut after = 0;
            for (metric, _) in &run.figures {
                match known.iter().position(|other| other.name == metric.name) {
                    Some(place) => after = place + 1,
                    None => {
                        known.insert(after, metric.clone());
                        after += 1;
                    }
                }
            }
        }
        known
    }
}

fn printable(text: &str) -> String {
    let shown = |one: char| if one.is_control() { one.escape_default().to_string() } else { one.to_string() };
    text.chars().map(shown).collect()
}
