//! The `dmswarm` command.

use std::process::ExitCode;

use dmswarm::cli::args::{Command, CommandLine};
use dmswarm::cli::races::HowOften;
use dmswarm::cli::{
    calibrate, campaign, capacity, certs, check, compare, completions, conform, explore, rehearse, replay, report, run,
    runs, schema, serve,
};

fn main() -> ExitCode {
    let CommandLine { command, flags } = CommandLine::read();
    let exit = match command {
        Command::Run { scenarios, repeat, at_once, watchers, outside } => {
            run::run(&scenarios, HowOften { repeat, at_once }, watchers, outside, &flags)
        }
        Command::Serve { scenario, watchers, outside } => serve::serve(&scenario, watchers, outside, &flags),
        Command::Conform(asked) => conform::conform(asked, &flags),
        Command::Campaign(asked) => campaign::campaign(asked, &flags),
        Command::Explore(asked) => explore::explore(&asked, &flags),
        Command::Replay { finding, https: false, .. } => replay::replay(&finding, &flags),
        Command::Replay { finding, https: true, repeat, at_once, outside } => {
            rehearse::rehearse(&finding, HowOften { repeat, at_once }, outside, &flags)
        }
        Command::Capacity(asked) => capacity::capacity(asked, &flags),
        Command::Report(asked) => report::report(&asked, &flags),
        Command::Runs(asked) => runs::runs(&asked, &flags),
        Command::Compare(asked) => compare::compare(&asked, &flags),
        Command::Check { scenarios } => check::check(&scenarios, &flags),
        Command::Calibrate { scenario, time } => calibrate::calibrate(scenario.as_ref(), time, &flags),
        Command::Certs { scenario, renew } => certs::certs(scenario.as_ref(), renew, &flags),
        Command::Schema { what } => schema::print(what),
        Command::Completions { shell } => completions::print(shell),
    };
    exit.into()
}
