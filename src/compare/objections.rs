//! Why runs should not be compared, and what is worth a warning.

use std::fmt;

use crate::compare::run::Run;
use crate::compare::settings::{Difference, Settings};
use crate::measure::Verdict;
use crate::results::HostFacts;

/// Why runs should not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// Its figures are not about the peer.
    Invalid { run: String, reasons: Vec<String> },
    /// It did not come to its end, or not even to its load.
    CutOff { run: String, verdict: &'static str },
    /// Nobody knows what was run.
    NoScenario { run: String, problem: String },
    /// They are of different scenarios.
    Scenario(Differing),
}

/// Runs of one scenario that is not that of the first run of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The first run of all: what stands `here` in the differences.
    pub from: String,
    /// Those whose scenario differs from it in the same way.
    pub runs: Vec<String>,
    pub differences: Vec<Difference>,
}

/// All that stands against comparing these runs, the first of which is what the others are held against.
pub fn objections<'r>(runs: impl Iterator<Item = &'r Run> + Clone) -> Vec<Objection> {
    let mut objections: Vec<Objection> = runs.clone().filter_map(unfit).collect();
    let mut reference: Option<(&Run, &Settings)> = None;
    let mut others: Vec<(&Settings, Differing)> = Vec::new();
    for run in runs {
        let settings = match &run.settings {
            Ok(settings) => settings,
            Err(problem) => {
                objections.push(Objection::NoScenario { run: run.name.clone(), problem: problem.clone() });
                continue;
            }
        };
        let (first, ours) = *reference.get_or_insert((run, settings));
        if settings == ours {
            continue;
        }
        match others.iter_mut().find(|(other, _)| *other == settings) {
            Some((_, differing)) => differing.runs.push(run.name.clone()),
            None => others.push((
                settings,
                Differing {
                    from: first.name.clone(),
                    runs: vec![run.name.clone()],
                    differences: ours.differences(settings),
                },
            )),
        }
    }
    objections.extend(others.into_iter().map(|(_, differing)| Objection::Scenario(differing)));
    objections
}

/// Why a run says nothing about the peer, whatever it is compared with.
pub fn unfit(run: &Run) -> Option<Objection> {
    let name = || run.name.clone();
    match run.manifest.verdict {
        Verdict::Interrupted | Verdict::Unreachable => {
            Some(Objection::CutOff { run: name(), verdict: run.manifest.verdict.key() })
        }
        Verdict::Invalid => Some(Objection::Invalid { run: name(), reasons: run.unhealthy.clone() }),
        _ if !run.unhealthy.is_empty() => Some(Objection::Invalid { run: name(), reasons: run.unhealthy.clone() }),
        _ => None,
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Invalid { run, reasons } => {
                write!(f, "the run `{run}` is INVALID and says nothing about the peer")?;
                reasons.first().map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Objection::CutOff { run, verdict } => {
                write!(f, "the run `{run}` was {verdict}: it has no figures of a whole run")
            }
            Objection::NoScenario { run, problem } => {
                write!(f, "nobody knows what the run `{run}` was a run of: {problem}")
            }
            Objection::Scenario(Differing { from, runs, differences }) => {
                let keys =
                    if differences.len() == 1 { "1 key".to_owned() } else { format!("{} keys", differences.len()) };
                write!(
                    f,
                    "{} not of the scenario of `{from}`: {keys} differ{}",
                    subject(runs),
                    match differences.len() {
                        1 => "s",
                        _ => "",
                    }
                )
            }
        }
    }
}

/// `the run a is`, `the runs a, b and 3 others are`.
fn subject(runs: &[String]) -> String {
    match runs {
        [one] => format!("the run `{one}` is"),
        several => format!("the runs {} are", names(several)),
    }
}

/// Some of the names, and how many others there are.
fn names(runs: &[String]) -> String {
    const MOST: usize = 3;
    let named: Vec<String> = runs.iter().take(MOST).map(|run| format!("`{run}`")).collect();
    let others = runs.len().saturating_sub(MOST);
    if others == 0 { named.join(", ") } else { format!("{} and {others} more", named.join(", ")) }
}

/// What may be why runs differ, in sentences: other machines, other versions, runs that a limit ended early.
pub fn warnings<'r>(runs: impl Iterator<Item = &'r Run> + Clone) -> Vec<String> {
    let mut warnings = Vec::new();
    let several = |what: &str, of: &dyn Fn(&Run) -> String| {
        let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
        for run in runs.clone() {
            let kind = of(run);
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, names)) => names.push(run.name.clone()),
                None => kinds.push((kind, vec![run.name.clone()])),
            }
        }
        let told = kinds.iter().map(|(kind, runs)| format!("{kind} ({})", names(runs)));
        (kinds.len() > 1).then(|| format!("the runs are of different {what}: {}", told.collect::<Vec<_>>().join("; ")))
    };
    warnings.extend(several("hosts", &|run| host(&run.manifest.host)));
    warnings.extend(several("versions of dmswarm", &|run| {
        format!("{}, commit {}", run.manifest.version, run.manifest.commit)
    }));
    let aborted: Vec<String> =
        runs.clone().filter(|run| run.manifest.verdict == Verdict::Aborted).map(|run| run.name.clone()).collect();
    if !aborted.is_empty() {
        warnings.push(format!("ended early by a limit with `abort`: {}", names(&aborted)));
    }
    warnings
}

fn host(host: &HostFacts) -> String {
    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
    let memory = host.memory_bytes.map_or_else(String::new, |bytes| format!(", {:.0} GiB", bytes as f64 / GIB));
    let plain = |text: &str| text.escape_debug().to_string();
    let cores = if host.cores == 1 { "core" } else { "cores" };
    format!("{} {}, {} {cores}{memory}", plain(&host.os), plain(&host.architecture), host.cores)
}
