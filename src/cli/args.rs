//! The command line as types: commands, their arguments, and the flags that all of them have.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::campaign;
use crate::cli::capacity;
use crate::cli::compare;
use crate::cli::conform;
use crate::cli::examples::{
    CALIBRATE_EXAMPLES, CERTS_EXAMPLES, CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, EXAMPLES, EXPLORE_EXAMPLES,
    REPLAY_EXAMPLES, RUN_EXAMPLES, SCHEMA_EXAMPLES, SERVE_EXAMPLES,
};
use crate::cli::exit::Exit;
use crate::cli::modes;
use crate::cli::report;
use crate::cli::runs;
use crate::cli::sweeps::{FOLLOWING, Sweeps};
use crate::cli::targets::Outside;
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
        #[command(flatten)]
        outside: Outside,
    },
    /// Stand up the simulated parties of a scenario, and wait for others to drive them
    ///
    /// The first line on stdout is JSON, with `"ready": true` and every address, once they listen. Nothing is started
    /// here; what others start is counted. SIGINT or SIGTERM ends it in order: what is under way is waited for, and the
    /// run folder is written.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve {
        /// A scenario file
        #[arg(value_name = "SCENARIO.toml")]
        scenario: PathBuf,
        #[command(flatten)]
        watchers: Watchers,
        #[command(flatten)]
        outside: Outside,
    },
    /// Try a real DM server against the specification, item by item
    ///
    /// We play one server, and have devices of our own; the peer plays the other, in both roles. What it does becomes a
    /// verdict for each item: pass, fail, not observable, not supported.
    #[command(after_help = conform::EXAMPLES)]
    Conform(conform::Asked),
    /// Run one scenario many times: every combination of some settings, repeated, in a shuffled order
    ///
    /// Each run is an ordinary run with a folder of its own. The campaign is saved after each, and can be gone on with
    /// whatever has ended it.
    #[command(after_help = campaign::EXAMPLES)]
    Campaign(campaign::Asked),
    /// Search virtual time for a way that breaks a promise, and shrink it to the few decisions that matter
    ///
    /// The machines are those that run over HTTPS, with nothing real between them: which message comes first, what is
    /// lost, when a timer fires is chosen, not waited for. What is found has a folder each, to be seen again with
    /// `dmswarm replay`. Ends with 4 when something was found.
    #[command(after_help = EXPLORE_EXAMPLES)]
    Explore(Box<Explore>),
    /// Go the way of a finding once more
    ///
    /// A server of the finding's scenario may be somebody else's (`external`): then the plan is brought about with it over
    /// HTTPS, by what our side says, hears and holds. Ends with 4 when the same promise breaks again, and with 10 when it
    /// does not.
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
        #[command(flatten)]
        outside: Outside,
    },
    /// Find the highest load that keeps every limit
    ///
    /// One run after the other, each under a load that the outcomes so far ask for. What is turned up is a rate, journeys at
    /// once, a storm, an injected latency, or the share of revocations.
    #[command(after_help = capacity::EXAMPLES)]
    Capacity(capacity::Asked),
    /// Make a report of a run again from what its folder holds, also of one that was killed
    #[command(after_help = report::EXAMPLES)]
    Report(report::Asked),
    /// The catalogue of runs: list, show, tag, trend, prune
    #[command(after_help = runs::EXAMPLES)]
    Runs(runs::Asked),
    /// Compare sets of runs: what got worse, what better, and where there are not enough runs to know
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::Asked),
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
    /// Print the schema of scenario and campaign files, of results, or of the messages between servers
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
    /// Campaign files, as JSON Schema
    Campaign,
    /// summary.json, as JSON Schema
    Summary,
    /// run.json, as JSON Schema
    Run,
    /// capacity.json, as JSON Schema
    Capacity,
    /// What `compare --json` prints, as JSON Schema
    Compare,
    /// What `runs trend --json` prints, as JSON Schema
    Trend,
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
mod tests;
