//! `dmswarm runs trend`: when figures of a scenario changed, over the catalogue.

use clap::Args;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::compare::{self, Chosen, Development, Run};
use crate::report::development;
use crate::results::Entry;
use crate::statistics::TrendOptions;

/// What `runs trend` is asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Of the scenario with this name; without it, of every scenario
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// This metric, such as flow.revoke.asked.p99, or all of flow.revoke.asked, or of `flow`; once for each. Without it,
    /// flows per second, failures, CPU, memory, and p50 and p99 of the busiest flow
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
}

type Failure = (Exit, String);

/// Goes through the runs of the catalogue, in any order.
pub(super) fn trend(entries: &[Entry], asked: &Asked, flags: &Flags) -> Result<Exit, Failure> {
    let is_meant = |run: &&Entry| asked.scenario.as_ref().is_none_or(|name| run.manifest.scenario == *name);
    let meant: Vec<&Entry> = entries.iter().filter(is_meant).collect();
    let mut runs: Vec<Run> = Vec::new();
    for entry in &meant {
        match Run::read(entry) {
            Ok(run) => runs.push(run),
            Err(error) if flags.verbose => output::remark(&format!("left out: {}: {error}", entry.name.escape_debug())),
            Err(_) => {}
        }
    }
    if runs.is_empty() {
        let place = flags.out.display();
        let message = match &asked.scenario {
            Some(name) => format!(
                "`{place}` has no runs of a scenario called `{}`; `dmswarm runs` lists what there is",
                name.escape_debug()
            ),
            None => {
                format!("`{place}` has no runs with figures; `dmswarm run` makes one, and --out DIR looks elsewhere")
            }
        };
        return Err((Exit::Usage, message));
    }
    let chosen =
        Chosen::among(&asked.metric, &Run::metrics(runs.iter())).map_err(|error| (Exit::Usage, error.to_string()))?;
    let defaults = TrendOptions::default();
    let options = TrendOptions { seed: flags.seed.unwrap_or(defaults.seed), ..defaults };
    let mut told: Vec<Development> = Vec::new();
    runs.sort_by(|one, other| one.manifest.scenario.cmp(&other.manifest.scenario));
    for of in runs.chunk_by(|one, other| one.manifest.scenario == other.manifest.scenario) {
        told.push(compare::development(of, &chosen, &options).map_err(|error| (Exit::Usage, error.to_string()))?);
    }
    if flags.json {
        return Ok(output::data(&development::json(&told)));
    }
    let colour = output::data_has_colour();
    let is_shown = |one: &&Development| {
        !flags.quiet
            || one.metrics.iter().any(|told| told.changes().any(|(_, point)| told.is_worse(point) == Some(true)))
    };
    let texts: Vec<String> = told.iter().filter(is_shown).map(|one| development::text(one, colour)).collect();
    if texts.is_empty() { Ok(Exit::Passed) } else { Ok(output::data(&texts.join("\n\n"))) }
}
