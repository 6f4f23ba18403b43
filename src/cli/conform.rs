//! `dmswarm conform`: a real DM server against the specification, item by item.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::scenarios::read_all;
use crate::cli::targets::Targets;
use crate::cli::values::number;
use crate::clock::wall_now;
use crate::conform::{self, News, Options, items};
use crate::measure::Verdict;
use crate::report::conformance::{json, junit, page, terminal};
use crate::results::conformance::{Conclusion, Conformance};
use crate::results::{FolderError, RunFolder, RunManifest};
use crate::run::host;
use crate::scenario::Scenario;

/// The examples in its help.
pub const EXAMPLES: &str = "\
Examples:
  dmswarm conform scenarios/peers/conform.toml            every item, and a table
  dmswarm conform PEER.toml --json > conform.json
  dmswarm conform PEER.toml --only dms1/delegation_prepared --only DM-DEL-S-004
  dmswarm conform PEER.toml --round 2                     again, against a peer that still knows the devices of round 1
  dmswarm conform --list                                  the items, with their sections

PEER.toml is a scenario with one simulated server, us, and one that is `external`, the peer. Its journeys say which devices
there are: whose they are, by which approach they are delegated, who has an account on them already. A peer remembers what
became of them: where it is not started anew, take others with --round. What only the peer's
operator can start is asked for at its `operator`; without one those items are not observable. The folder of the run has
conform.json, junit.xml and report.html.

Ends with 9 when a mandatory item fails, with 8 when the peer cannot be reached, has gone meanwhile, or refuses our
identity, and with 5 when none fails, but not all could be tried: the reason is told.";

/// What was asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// A scenario file with one simulated server and one external one
    #[arg(value_name = "PEER.toml", required_unless_present = "list")]
    peer: Option<PathBuf>,
    /// Only the cases that bear on this item, or on all that begin with it; once for each
    #[arg(long, value_name = "ITEM")]
    only: Vec<String>,
    /// Take other devices than rounds 1 to N-1 took; without it, any: a peer remembers those of the runs before
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u32>(1..=1_000_000))]
    round: Option<u32>,
    /// Print the items, and try nobody
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    targets: Targets,
}

/// Tries a peer, and keeps what was found.
pub fn conform(asked: Asked, flags: &Flags) -> Exit {
    let Some(path) = asked.peer.as_ref().filter(|_| !asked.list) else { return list(flags) };
    let read = read_all(std::slice::from_ref(path), &flags.overrides());
    let [read] = &read[..] else {
        output::remark("error: `conform` takes one scenario, and this is a folder of several; name one of its files");
        return Exit::Usage;
    };
    let scenario = match &read.scenario {
        Ok(scenario) => scenario,
        Err(problems) => {
            tell_problems(problems);
            return Exit::Usage;
        }
    };
    let options =
        Options { certs: flags.certs.clone(), only: asked.only, round: asked.round, targets: asked.targets.all() };
    let judged = conform::conform(scenario, &options, |news| tell(&news, flags));
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => {
            output::remark(&format!("error: {error}"));
            return if error.is_of_the_file() { Exit::Usage } else { Exit::CouldNotRun };
        }
    };
    let kept = keep(scenario, &judged.conformance, flags);
    let shown = show(&judged.conformance, kept.as_ref().ok(), flags);
    if let Err(error) = &kept {
        output::remark(&format!("error: {error}"));
        return Exit::CouldNotRun;
    }
    if shown != Exit::Passed { shown } else { exit(judged.conformance.conclusion, judged.interrupted_by) }
}

/// How the program ends.
fn exit(conclusion: Conclusion, signal: Option<i32>) -> Exit {
    match conclusion {
        Conclusion::Conforms => Exit::Passed,
        Conclusion::Fails => Exit::NotConforming,
        Conclusion::Unreachable => Exit::Unreachable,
        Conclusion::Inconclusive => Exit::Invalid,
        Conclusion::Interrupted => Exit::of_signal(signal),
    }
}

fn tell(news: &News<'_>, flags: &Flags) {
    match news {
        _ if flags.quiet => {}
        News::Ready { interface, wake } => {
            output::remark(&format!("we take messages at {interface}, and our devices are woken at {wake}<device id>"));
        }
        News::Ended { case, done, of } if flags.verbose => output::remark(&format!("{done} of {of}: {case}")),
        News::Ended { .. } => {}
    }
}

fn list(flags: &Flags) -> Exit {
    let all = items::all().iter();
    if flags.json {
        let items: Vec<serde_json::Value> = all
            .map(|item| {
                serde_json::json!({
                    "id": item.id, "requirement": item.requirement.id(), "section": item.section,
                    "role": item.role.word(), "level": item.level, "says": item.says,
                })
            })
            .collect();
        return output::data(&format!("{:#}", serde_json::Value::Array(items)));
    }
    let rows: Vec<_> =
        all.map(|item| (item.id.clone(), item.section.to_owned(), item.level.word(), item.says.clone())).collect();
    output::data(&terminal::list(&rows))
}

/// Puts everything into a folder of its own.
fn keep(scenario: &Scenario, conformance: &Conformance, flags: &Flags) -> Result<PathBuf, FolderError> {
    let now = wall_now();
    let command_line = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut manifest = RunManifest::starting(&scenario.name, scenario.seed.0, command_line, host::facts(), now);
    let name = format!("{}-conform", scenario.name);
    let folder = RunFolder::create(&flags.out, &name, now, scenario.seed.0, &manifest)?;
    folder.write_scenario(&scenario.to_toml())?;
    for (name, text) in [
        ("conform.json", json(conformance)),
        ("junit.xml", junit::document(conformance)),
        ("report.html", page::page(conformance)),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, text).map_err(|source| FolderError::NotWritten { file, source })?;
    }
    manifest.end(verdict(conformance.conclusion), wall_now());
    folder.write_run(&manifest)?;
    Ok(folder.path().to_owned())
}

/// As runs are told of in the catalogue.
fn verdict(conclusion: Conclusion) -> Verdict {
    match conclusion {
        Conclusion::Conforms => Verdict::Passed,
        Conclusion::Inconclusive => Verdict::Invalid,
        Conclusion::Fails => Verdict::Failed,
        Conclusion::Unreachable => Verdict::Unreachable,
        Conclusion::Interrupted => Verdict::Interrupted,
    }
}

fn show(conformance: &Conformance, folder: Option<&PathBuf>, flags: &Flags) -> Exit {
    let told = if flags.json {
        output::data(&json(conformance))
    } else if flags.quiet && conformance.conclusion == Conclusion::Conforms {
        Exit::Passed
    } else {
        output::data(&terminal::tables(conformance, !flags.quiet, output::data_has_colour()))
    };
    if let Some(folder) = folder.filter(|_| !flags.quiet) {
        output::remark(&format!("see {}", report(folder).display()));
    }
    told
}

fn report(folder: &Path) -> PathBuf {
    folder.join("report.html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_conclusion_has_its_code() {
        assert_eq!(exit(Conclusion::Conforms, None).code(), 0);
        assert_eq!(exit(Conclusion::Fails, None).code(), 9);
        assert_eq!(exit(Conclusion::Unreachable, None).code(), 8);
        assert_eq!(exit(Conclusion::Interrupted, Some(15)).code(), 143);
    }
}
