//! The command line as types: commands, their arguments, and the flags that all of them have.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::examples::{
    CALIBRATE_EXAMPLES, CERTS_EXAMPLES, CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, EXAMPLES, EXPLORE_EXAMPLES,
    REPLAY_EXAMPLES, RUN_EXAMPLES, SCHEMA_EXAMPLES,
};
use crate::cli::exit::Exit;
use crate::cli::modes;
use crate::cli::report;
use crate::cli::runs;
use crate::cli::sweeps::{FOLLOWING, Sweeps};
use crate::cli::values::{self, number};
use crate::cli::watchers::Watchers;
use crate::delegation::policy::Policy;
use crate::scenario::file::Overrides;

/// Simulates and load-tests the OMA Device Management Server Delegation Protocol 1.3.
///
/// Thousands of simulated devices are handed from one DM server to another and back, over real HTTPS with TLS
/// identities on both sides; every flow is measured, and what the servers believe is compared when it is over.
#[derive(Debug, Parser)]
#[command(name = "dmswarm", version, max_term_width = 100, after_help = EXAMPLES, after_long_help = after_long_help())]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub flags: Flags,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios over real HTTPS, and print what was measured
    ///
    /// Without a file, the built-in quickstart. Several files, or a folder: one after the other, then the races (what
    /// has `[expect]`) side by side, and the weightiest exit code.
    #[command(after_help = RUN_EXAMPLES)]
    Run {
        /// Scenario files, or folders of them
        #[arg(value_name = "SCENARIO.toml or FOLDER")]
        scenarios: Vec<PathBuf>,
        /// Run each race so many times
        #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = number::<u32>(1..=1000))]
        repeat: u32,
        /// How many races run side by side
        #[arg(long, value_name = "N", default_value_t = 8, allow_negative_numbers = true, value_parser = number::<u32>(1..=64))]
        at_once: u32,
        #[command(flatten)]
        watchers: Watchers,
    },
    /// Search virtual time for a way that breaks a promise, and shrink it to the few decisions that matter
    ///
    /// The machines are those that run over HTTPS, with nothing real between them: which message comes first, what is
    /// lost, when a timer fires is chosen, not waited for. What is found has a folder each, to be seen again with
    /// `dmswarm replay`. Ends with 4 when something was found.
    #[command(after_help = EXPLORE_EXAMPLES)]
    Explore(Box<Explore>),
    /// Go the way of a finding once more
    ///
    /// Ends with 4 when the same promise breaks again, and with 10 when it does not.
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay {
        /// The folder of a finding, or its finding.toml
        #[arg(value_name = "FINDING")]
        finding: PathBuf,
        /// Over real HTTPS, with gates where the plan holds something, and compare with virtual time
        #[arg(long)]
        https: bool,
        /// Over HTTPS so many times
        #[arg(long, value_name = "N", requires = "https", default_value_t = 1, allow_negative_numbers = true, value_parser = number::<u32>(1..=1000))]
        repeat: u32,
        /// How many runs over HTTPS side by side
        #[arg(long, value_name = "N", requires = "https", default_value_t = 4, allow_negative_numbers = true, value_parser = number::<u32>(1..=64))]
        at_once: u32,
    },
    /// Make a report of a run again from what its folder holds, also of one that was killed
    #[command(after_help = report::EXAMPLES)]
    Report(report::Asked),
    /// The catalogue of runs: list, show, tag, prune
    #[command(after_help = runs::EXAMPLES)]
    Runs(runs::Asked),
    /// Say what scenarios would do, or every problem in them
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// Scenario files, or folders of them
        #[arg(value_name = "SCENARIO.toml", required = true)]
        scenarios: Vec<PathBuf>,
    },
    /// Measure what this machine can generate, and say whether a scenario's load is within it
    ///
    /// Calls a peer in this process that answers at once, on as many threads as a run uses: what comes of that is the
    /// most that any run could come to here. Ends with 5 when the scenario needs more.
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate {
        /// A scenario file; without one, the built-in quickstart
        #[arg(value_name = "SCENARIO.toml")]
        scenario: Option<PathBuf>,
        /// Measure each figure for so long, from 200ms to 10s
        #[arg(long = "for", value_name = "TIME", default_value = "1s", allow_hyphen_values = true, value_parser = values::measuring_time)]
        time: Duration,
    },
    /// Print the schema of scenario files, of results, or of the messages between servers
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema {
        /// Which one
        what: Schema,
    },
    /// Make the certificates of a scenario: an own CA, and one identity per server
    #[command(after_help = CERTS_EXAMPLES)]
    Certs {
        /// A scenario file; without one, the built-in quickstart
        #[arg(value_name = "SCENARIO.toml")]
        scenario: Option<PathBuf>,
        /// Make them all anew, the CA included
        #[arg(long)]
        renew: bool,
    },
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// What `explore` is asked for. Which flag goes with which other one is said in [`modes`].
#[derive(Debug, Clone, Args)]
pub struct Explore {
    /// A scenario file; without one, the built-in quickstart
    #[arg(value_name = "SCENARIO.toml")]
    pub scenario: Option<PathBuf>,
    /// Search for so long: every way within little budgets first, then ways at random
    #[arg(help_heading = SEARCH, long = "for", value_name = "TIME", default_value = "30s", allow_hyphen_values = true, value_parser = values::time)]
    pub time: Duration,
    /// Go so many ways at random instead; the same seed goes the same ways
    #[arg(help_heading = SEARCH, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u64>(1..=u64::MAX))]
    pub runs: Option<u64>,
    /// Go every way within a scope instead, and say what was gone through
    #[arg(help_heading = SEARCH, long)]
    pub exhaustive: bool,
    /// Look at so many devices of each kind of journeys together
    #[arg(help_heading = SEARCH, long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = number::<u8>(1..=4))]
    pub devices: u8,
    /// Work on so many threads; as many as there are cores without this
    #[arg(help_heading = SEARCH, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u16>(1..=256))]
    pub threads: Option<u16>,
    /// Use so much memory at most, all threads together; 16MiB or more
    #[arg(help_heading = SEARCH, long, value_name = "SIZE", default_value = "4GiB", allow_hyphen_values = true, value_parser = values::memory)]
    pub memory: u64,
    /// Search twice, and compare
    #[arg(help_heading = SEARCH, long)]
    pub verify: bool,
    /// So many operators' wishes on each device
    #[arg(help_heading = SCOPE, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u8>(1..=8))]
    pub operations: Option<u8>,
    /// So many timers that fire although something is under way
    #[arg(help_heading = SCOPE, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u8>(0..=8))]
    pub early_timers: Option<u8>,
    /// So many messages, answers or sessions that are lost
    #[arg(help_heading = SCOPE, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u8>(0..=8))]
    pub drops: Option<u8>,
    /// So many messages that come twice
    #[arg(help_heading = SCOPE, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u8>(0..=8))]
    pub duplicates: Option<u8>,
    /// So many servers that die, and come back with what they have written
    #[arg(help_heading = SCOPE, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u8>(0..=8))]
    pub crashes: Option<u8>,
    #[command(flatten)]
    pub sweeps: Sweeps,
    /// Follow this device alone
    #[arg(help_heading = FOLLOWING, long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u32>(0..=u64::from(u32::MAX)))]
    pub device: Option<u32>,
}

/// The parts of the help of `explore`.
const SEARCH: &str = "Search";
const SCOPE: &str = "Scope of --exhaustive, each at most";

/// What there are schemas of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schema {
    /// Scenario files, as JSON Schema
    Scenario,
    /// summary.json, as JSON Schema
    Summary,
    /// run.json, as JSON Schema
    Run,
    /// The messages between servers, as XML Schema
    Xsd,
}

/// The flags that every command has.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// The seed of everything random, in place of the scenario's
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true, value_parser = number::<u64>(0..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// How our servers behave where the specification leaves a hazard open, in place of the scenario's
    #[arg(long, global = true, value_name = "POLICY", value_parser = policies())]
    pub policy: Option<Policy>,
    /// The folder that run folders are made in
    #[arg(long, global = true, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// The folder of certificates
    #[arg(long, global = true, value_name = "DIR", default_value = "certs")]
    pub certs: PathBuf,
    /// Set a key of the scenario, such as `population.devices=50` or `journey.0.share=3`; repeatable
    #[arg(long, global = true, value_name = "PATH=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Print the result as JSON on stdout, and nothing else there; of several runs, one after the other
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more about what happens
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print plain lines of progress, also on a terminal
    #[arg(long, global = true)]
    pub no_live: bool,
}

impl CommandLine {
    /// Reads the words that the program was called with; where they are wrong, says so and ends.
    pub fn read() -> CommandLine {
        CommandLine::read_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads these words, of which the first is the program.
    ///
    /// # Errors
    /// What is wrong with them, or what was asked for with `--help` and `--version`.
    pub fn read_from<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<CommandLine, clap::Error> {
        let mut command = CommandLine::command();
        let mut given = command.try_get_matches_from_mut(words)?;
        if let (Some(explore), Some(given)) =
            (command.find_subcommand_mut("explore"), given.subcommand_matches("explore"))
            && let Err(message) = modes::check(explore, given)
        {
            return Err(explore.error(ErrorKind::ArgumentConflict, message));
        }
        CommandLine::from_arg_matches_mut(&mut given).map_err(|error| error.format(&mut command))
    }
}

impl Flags {
    /// What the flags set over a scenario file.
    pub fn overrides(&self) -> Overrides {
        Overrides { seed: self.seed, policy: self.policy, sets: self.set.clone() }
    }
}

/// The policies, by their words.
fn policies() -> impl TypedValueParser<Value = Policy> {
    PossibleValuesParser::new(Policy::ALL.map(Policy::key)).map(|word| Policy::of(&word).unwrap_or_default())
}

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\nNO_COLOR, when set, turns colours off.", Exit::table())
}

#[cfg(test)]
mod tests {
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
            "dmswarm run --otlp https://collector:4318",
            "dmswarm run --otlp collector:4318",
            "dmswarm run --otlp scenario.toml",
            "dmswarm report latest",
            "dmswarm report latest --format pdf",
            "dmswarm runs tag latest",
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
            let (_, behind) =
                help.split_once(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{heading}: {help}"));
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
        for command in
            ["run", "explore", "replay", "report", "runs", "check", "calibrate", "schema", "certs", "completions"]
        {
            let help = parse(&format!("dmswarm {command} --help")).unwrap_err().to_string();
            assert!(help.contains(&format!("Examples:\n  dmswarm {command}")), "{help}");
        }
    }
}
