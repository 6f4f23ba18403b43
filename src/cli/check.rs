//! `dmswarm check`: says what scenarios would do, or every problem in them.

mod load;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::scenarios::{Asked, read_all};
use crate::delegation::policy::Policy;
use crate::report::figures::{count, counted, size, time};
use crate::run::host;
use crate::run::prepare::{TooFewFiles, TooLittleMemory, connections_to_one_target};
use crate::scenario::estimate::Estimate;
use crate::scenario::external::{CannotDrive, Wake};
use crate::scenario::problem::Problems;
use crate::scenario::{Expect, Scenario};

/// Checks every scenario that is asked for.
pub fn check(scenarios: &[PathBuf], flags: &Flags) -> Exit {
    let asked = read_all(scenarios, &flags.overrides());
    let here = Here { files: host::raise_open_files(), memory: host::memory_bytes() };
    let findings: Vec<Finding> = asked.into_iter().map(|asked| Finding::of(asked, here)).collect();
    let mut exits: Vec<Exit> = findings.iter().map(Finding::exit).collect();
    if flags.json {
        let all: Vec<Value> = findings.iter().map(Finding::json).collect();
        exits.push(output::data(&format!("{:#}", Value::Array(all))));
    }
    for finding in &findings {
        match finding {
            Finding::Wrong { problems, .. } => tell_problems(problems),
            Finding::Fine { source, scenario, estimate, shortage, doubt } => {
                if !flags.json && !flags.quiet {
                    exits.push(output::data(&describe(source, scenario, estimate, here)));
                }
                if let Some(doubt) = doubt {
                    output::remark(&format!("warning: {source}: {doubt}"));
                }
                if let Some(shortage) = shortage {
                    output::remark(&format!("error: {source}: {shortage}"));
                }
            }
        }
    }
    Exit::weightiest(exits)
}

/// Writes the problems of a scenario for people.
pub fn tell_problems(problems: &Problems) {
    output::remark(&problems.render(output::remarks_have_colour()));
    output::remark(&format!("\n{}", counted(problems.count() as u64, "problem")));
}

/// What this machine has.
#[derive(Debug, Clone, Copy, Default)]
struct Here {
    /// How many may be open; `None` is "no limit".
    files: Option<u64>,
    /// In bytes; `None` where nobody knows.
    memory: Option<u64>,
}

/// What came of checking one scenario.
enum Finding {
    Wrong {
        source: String,
        problems: Problems,
    },
    Fine {
        source: String,
        scenario: Box<Scenario>,
        estimate: Estimate,
        /// Why this machine cannot run it.
        shortage: Option<TooFewFiles>,
        /// Why it may not be able to.
        doubt: Option<TooLittleMemory>,
    },
}

impl Finding {
    fn of(asked: Asked, here: Here) -> Finding {
        let source = asked.source;
        match asked.scenario {
            Err(problems) => Finding::Wrong { source, problems },
            Ok(scenario) => {
                let estimate = scenario.estimate(connections_to_one_target());
                let shortage = TooFewFiles::of(&scenario, here.files);
                let doubt = TooLittleMemory::of(&scenario, here.memory);
                Finding::Fine { source, scenario: Box::new(scenario), estimate, shortage, doubt }
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Finding::Wrong { .. } => Exit::Usage,
            Finding::Fine { shortage: Some(_), .. } => Exit::CouldNotRun,
            Finding::Fine { shortage: None, .. } => Exit::Passed,
        }
    }

    fn json(&self) -> Value {
        match self {
            Finding::Wrong { source, problems } => {
                json!({ "source": source, "problems": problems.iter().collect::<Vec<_>>() })
            }
            Finding::Fine { source, scenario, estimate, shortage, doubt } => {
                let flows: serde_json::Map<String, Value> =
                    estimate.flows.iter().map(|(kind, flows)| (kind.to_string(), json!(flows))).collect();
                json!({
                    "source": source,
                    "problems": shortage.iter().map(|lack| json!({ "message": lack.to_string() })).collect::<Vec<_>>(),
                    "warnings": doubt.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "scenario": scenario.name,
                    "seed": scenario.seed.0,
                    "servers": scenario.servers.len(),
                    "bootstrap_servers": scenario.bootstrap_servers.len(),
                    "devices": scenario.devices,
                    "starts": estimate.starts,
                    "dropped": estimate.dropped,
                    "flows": flows,
                    "peak_starts_per_s": estimate.peak_rate,
                    "storm": estimate.storm,
                    "at_once": estimate.at_once,
                    "load": estimate.load.iter().map(load::json).collect::<Vec<_>>(),
                    "policy": scenario.policy.key(),
                    "faults": scenario.faults.len(),
                    "goals": scenario.goals.len(),
                    "duration_s": estimate.lasts.as_secs_f64(),
                    "memory_bytes": estimate.memory_bytes,
                    "open_files": estimate.open_files,
                })
            }
        }
    }
}

/// What a scenario would do, for people.
fn describe(source: &str, scenario: &Scenario, estimate: &Estimate, here: Here) -> String {
    let names = |names: Vec<&str>| names.join(", ");
    let servers = names(scenario.servers.iter().map(|server| server.name.as_str()).collect());
    let mut lines = vec![format!("{}: {source} has no problems", scenario.name)];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<10} {text}"));
    line("servers", format!("{} ({servers})", counted(scenario.servers.len() as u64, "DM server")));
    if !scenario.bootstrap_servers.is_empty() {
        let servers = names(scenario.bootstrap_servers.iter().map(|server| server.name.as_str()).collect());
        let number = scenario.bootstrap_servers.len() as u64;
        line("", format!("{} ({servers})", counted(number, "bootstrap server")));
    }
    let by_wap = scenario.external_devices.iter().filter(|wake| matches!(wake, Wake::Udp(_)));
    let by_wap = by_wap.map(|wake| format!("the devices at {wake}"));
    let over_https = scenario.elsewhere().map(|there| format!("{} at {}", there.whose, there.place.url));
    for (place, told) in over_https.chain(by_wap).enumerate() {
        line(if place == 0 { "elsewhere" } else { "" }, told);
    }
    if let Some(cannot) = CannotDrive::of(scenario) {
        line("", format!("for `serve` alone: {cannot}"));
    }
    let classes = scenario.classes.len() as u64;
    let of_classes = if classes == 1 { "of 1 class".to_owned() } else { format!("of {} classes", count(classes)) };
    line("devices", format!("{} {of_classes}", count(u64::from(scenario.devices))));
    let journeys = counted(scenario.journeys.len() as u64, "kind");
    let dropped = match estimate.dropped {
        0 => String::new(),
        dropped => format!("; {} of them find no free device", count(dropped)),
    };
    let at_most = if estimate.load.iter().any(|population| population.starts.is_none()) { "at most " } else { "" };
    line("journeys", format!("{at_most}{} started, of {journeys}{dropped}", count(estimate.starts)));
    let all: u64 = estimate.flows.iter().map(|(_, flows)| flows).sum();
    line("flows", format!("{at_most}{}", count(all)));
    for (kind, flows) in &estimate.flows {
        line("", format!("{:>9}  {kind}", count(*flows)));
    }
    line("load", load::peaks(estimate));
    for told in load::phases(estimate) {
        line("", told);
    }
    if estimate.peak_rate.is_some() {
        line("", format!("`dmswarm calibrate {source}` says whether this machine can generate it"));
    }
    line("policy", scenario.policy.key().to_owned());
    if !scenario.faults.is_empty() {
        line("faults", listed(scenario.faults.iter().map(|fault| fault.name.as_str())));
    }
    if !scenario.goals.is_empty() {
        line("goals", listed(scenario.goals.iter().map(|goal| goal.name.as_str())));
    }
    if let Some(expect) = &scenario.expect {
        line("expected", expected(expect, scenario.policy));
    }
    line("lasts", format!("about {}", time(Some(estimate.lasts.as_secs_f64() * 1e3))));
    let there = here.memory.map_or_else(String::new, |bytes| format!("; {} here", size(bytes)));
    line("memory", format!("about {}{there}", size(estimate.memory_bytes)));
    let allowed =
        here.files.map_or_else(|| "no limit here".to_owned(), |allowed| format!("{} allowed", count(allowed)));
    line("files", format!("at most {} open at once; {allowed}", count(estimate.open_files)));
    lines.join("\n")
}

/// How many, and the first few by name.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST_NAMED: usize = 4;
    let all = names.len();
    let mut told: Vec<&str> = names.take(MOST_NAMED).collect();
    if all > MOST_NAMED {
        told.push("...");
    }
    format!("{} ({})", count(all as u64), told.join(", "))
}

/// What a race is to come to.
fn expected(expect: &Expect, policy: Policy) -> String {
    match (&expect.not_over_https, expect.under(policy)) {
        (Some(why), _) => format!("nothing, it is not run: {why}"),
        (None, []) => "every promise is kept".to_owned(),
        (None, broken) => format!("broken promises: {}", broken.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use crate::cli::scenarios::quickstart;
    use crate::scenario::file::Overrides;

    fn asked(sets: &[&str]) -> Asked {
        quickstart(&Overrides { sets: sets.iter().map(|set| (*set).to_owned()).collect(), ..Overrides::default() })
    }

    #[test]
    fn a_scenario_is_described_by_what_it_would_do() {
        let scenario = asked(&[]).scenario.unwrap();
        let text = describe(
            "demo.toml",
            &scenario,
            &scenario.estimate(128),
            Here { files: Some(20_000), memory: Some(3 << 30) },
        );
        for part in [
            "quickstart: demo.toml has no problems\n",
            "2 DM servers (home, partner)",
            "1 bootstrap server (partner-bootstrap)",
            "1,000 of 5 classes",
            "delegate.dmacc.full.by_delegated",
            "at most 100 starts/s",
            "20,000 allowed",
            " MiB; 3.0 GiB here\n",
        ] {
            assert!(text.contains(part), "`{part}` in\n{text}");
        }
    }

    #[test]
    fn what_goes_wrong_in_a_race_and_what_is_expected_is_described() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/races/r12-orphan-after-full-delegation.toml");
        let told = |policy| {
            let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
            let scenario = read_all(std::slice::from_ref(&file), &overrides).remove(0).scenario.unwrap();
            describe("r12.toml", &scenario, &scenario.estimate(128), Here::default())
        };
        let literal = told(Policy::Literal);
        for part in
            ["policy     literal", "faults     1 (call-lost)", "goals      1 (the delegate cannot", "manageable"]
        {
            assert!(literal.contains(part), "`{part}` in\n{literal}");
        }
        assert!(told(Policy::Hardened).contains("every promise is kept"));
        assert_eq!(listed(["a", "b", "c", "d", "e"].into_iter()), "5 (a, b, c, d, ...)");
    }

    #[test]
    fn findings_have_their_exit_codes() {
        let exit = |asked, files| Finding::of(asked, Here { files, ..Here::default() }).exit();
        assert_eq!(exit(asked(&[]), None), Exit::Passed);
        assert_eq!(exit(asked(&[]), Some(100)), Exit::CouldNotRun);
        assert_eq!(exit(asked(&["population.devices=0"]), None), Exit::Usage);
    }

    #[test]
    fn too_little_memory_is_a_warning_and_no_problem() {
        let tight = Finding::of(asked(&[]), Here { files: None, memory: Some(1 << 20) });
        assert_eq!(tight.exit(), Exit::Passed);
        let told = tight.json();
        assert_eq!(told["problems"], json!([]));
        let warning = told["warnings"][0].as_str().expect("a warning");
        assert!(
            warning.ends_with("take a machine with more") && warning.contains("this machine has 1 MiB"),
            "{warning}"
        );
        assert_eq!(Finding::of(asked(&[]), Here::default()).json()["warnings"], json!([]));
    }

    #[test]
    fn findings_can_be_read_by_programs() {
        let fine = Finding::of(asked(&[]), Here::default()).json();
        assert_eq!((&fine["devices"], &fine["problems"]), (&json!(1000), &json!([])));
        assert!(fine["flows"]["revoke.forced"].as_u64() > Some(0));
        let wrong = Finding::of(asked(&["load.at_once=0"]), Here::default()).json();
        assert_eq!(wrong["problems"][0]["source"], "--set");
    }
}
