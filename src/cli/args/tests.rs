//! The command line as people type it: what is taken, what is refused and how, what the help shows.

use super::*;

fn parse(line: &str) -> Result<CommandLine, clap::Error> {
    CommandLine::read_from(line.split(' '))
}

#[test]
fn the_command_line_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn flags_may_stand_before_and_after_the_command() {
    for line in [
        "dmswarm --seed 7 --set a=1 --set b=2 run x.toml --json",
        "dmswarm run --seed 7 x.toml --set a=1 --json --set b=2",
    ] {
        let line = parse(line).unwrap();
        assert_eq!(
            line.flags.overrides(),
            Overrides { seed: Some(7), sets: vec!["a=1".into(), "b=2".into()], ..Overrides::default() }
        );
        assert!(line.flags.json && !line.flags.quiet);
        assert!(matches!(line.command, Command::Run { scenarios, .. } if scenarios == [PathBuf::from("x.toml")]));
    }
}

#[test]
fn every_command_is_there() {
    for line in [
        "dmswarm run",
        "dmswarm run a.toml folder --no-live -v",
        "dmswarm run a.toml --target dms2.example.test:8443 --target [::1]:9",
        "dmswarm serve a.toml --metrics",
        "dmswarm conform a.toml --only dms1/undo --only DM-DEL-S-004 --target dms2.example.test:8443",
        "dmswarm conform --list",
        "dmswarm campaign a.toml",
        "dmswarm campaign a.toml --dry-run --json",
        "dmswarm campaign --resume",
        "dmswarm campaign a.toml --resume --out elsewhere",
        "dmswarm campaign --resume results/nightly-campaign-1 --target dms2.example.test:8443",
        "dmswarm explore",
        "dmswarm explore a.toml --for 2m --threads 1 --verify",
        "dmswarm explore --exhaustive --operations 3 --drops 0 --memory 1GiB",
        "dmswarm explore --runs 1000 --devices 2",
        "dmswarm explore --from results/run --device 7",
        "dmswarm replay results/found/findings/manageable-0",
        "dmswarm check a.toml b.toml -q",
        "dmswarm calibrate",
        "dmswarm calibrate a.toml --for 200ms --json",
        "dmswarm schema scenario",
        "dmswarm schema campaign",
        "dmswarm schema summary",
        "dmswarm schema run",
        "dmswarm schema xsd",
        "dmswarm run a.toml --metrics",
        "dmswarm run a.toml --metrics 0",
        "dmswarm run a.toml --otlp",
        "dmswarm run a.toml --otlp http://collector:4318/ --metrics",
        "dmswarm report latest --format hgrm --metric bootstrap --output bootstrap.hgrm",
        "dmswarm runs",
        "dmswarm runs --out elsewhere list --verdict broken --tag a --limit 3",
        "dmswarm runs tag latest a b --remove",
        "dmswarm runs prune --older-than 30d --keep 0 --yes",
        "dmswarm runs trend --scenario a --metric flow --metric cpu_share --json",
        "dmswarm compare tag:before results/a --with tag:after latest --metric flow --least-change 5% --force",
        "dmswarm compare a --with b --with c --confidence 99% --format html --output compare.html",
        "dmswarm certs --certs elsewhere",
        "dmswarm completions bash",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    assert_eq!(parse("dmswarm run").unwrap().flags.out, PathBuf::from("results"));
}

#[test]
fn wrong_usage_ends_with_its_exit_code() {
    for line in [
        "dmswarm",
        "dmswarm check",
        "dmswarm replay",
        "dmswarm explore --drops 1",
        "dmswarm explore --runs 5 --exhaustive",
        "dmswarm explore --for soon",
        "dmswarm explore --for 0s",
        "dmswarm explore --memory 1KiB",
        "dmswarm explore --device 7",
        "dmswarm explore --from results/run --exhaustive",
        "dmswarm calibrate --for 1ms",
        "dmswarm calibrate --for 1m",
        "dmswarm walk",
        "dmswarm schema wsdl",
        "dmswarm run --seed x",
        "dmswarm run --metrics :9464",
        "dmswarm run --target dms2.example.test",
        "dmswarm serve",
        "dmswarm campaign",
        "dmswarm campaign a.toml b.toml",
        "dmswarm campaign --dry-run --resume latest",
        "dmswarm conform",
        "dmswarm run --otlp https://collector:4318",
        "dmswarm run --otlp collector:4318",
        "dmswarm run --otlp scenario.toml",
        "dmswarm report latest",
        "dmswarm report latest --format pdf",
        "dmswarm runs tag latest",
        "dmswarm compare a",
        "dmswarm compare --with b",
        "dmswarm compare a --with b --least-change 0",
        "dmswarm compare a --with b --confidence 100%",
        "dmswarm runs list --verdict splendid",
        "dmswarm run -q -v",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), i32::from(Exit::Usage.code()), "{line}");
    }
}

#[test]
fn what_is_negative_is_told_with_what_was_expected() {
    for (line, expected) in [
        ("dmswarm explore --for -1s", "a duration such as"),
        ("dmswarm explore --runs -1", "a whole number of 1 or more"),
        ("dmswarm explore --exhaustive --drops -1", "a whole number from 0 to 8"),
        ("dmswarm explore --memory -1MiB", "a size such as"),
        ("dmswarm explore --from run --device -1", "a whole number from 0 to"),
        ("dmswarm run --repeat -1", "a whole number from 1 to 1000"),
        ("dmswarm run --seed -1", "a whole number from 0 to"),
    ] {
        let said = parse(line).unwrap_err().to_string();
        assert!(said.contains(&format!("expected {expected}")) && !said.contains("tip"), "{line}: {said}");
    }
}

#[test]
fn the_help_of_explore_has_each_flag_below_what_it_is_for() {
    let help = parse("dmswarm explore -h").unwrap_err().to_string();
    let part = |heading: &str| {
        let (_, behind) = help.split_once(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{heading}: {help}"));
        behind.split("\n\n").next().unwrap_or_default()
    };
    for (heading, flags) in [
        (SEARCH, &["--for", "--runs", "--exhaustive", "--devices", "--threads", "--memory", "--verify"][..]),
        (SCOPE, &["--operations", "--early-timers", "--drops", "--duplicates", "--crashes"]),
        ("Following a run", &["--from", "--device"]),
        ("Windows", &["--window", "--to", "--step", "--https", "--repeat"]),
        ("Timeout matrix", &["--matrix", "--delay", "--delay-of", "--cells", "--delays"]),
    ] {
        let lines = part(heading).lines().filter_map(|line| line.trim_start().strip_prefix("--"));
        let found: Vec<String> = lines.map(|line| format!("--{}", line.split(' ').next().unwrap())).collect();
        assert_eq!(found, flags, "{help}");
    }
    assert!(!help.contains(" ... "), "{help}");
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let help = parse("dmswarm --help").unwrap_err().to_string();
    for part in ["Examples:", "dmswarm check scenario.toml", "130  interrupted", "--set"] {
        assert!(help.contains(part), "{help}");
    }
    for command in [
        "run",
        "serve",
        "conform",
        "campaign",
        "explore",
        "replay",
        "report",
        "runs",
        "compare",
        "check",
        "calibrate",
        "schema",
        "certs",
        "completions",
    ] {
        let help = parse(&format!("dmswarm {command} --help")).unwrap_err().to_string();
        assert!(help.contains(&format!("Examples:\n  dmswarm {command}")), "{help}");
    }
}
