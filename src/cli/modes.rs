//! Which flags of `explore` go with what it is asked for: one table, and the check of a command line against it.
//!
//! Clap skips what a flag requires where that is in conflict with something else that is given, so that a flag could be
//! accepted and mean nothing. Here each flag has its row, and what is not in its row is refused.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// What `explore` can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Window,
    Matrix,
    FromRun,
    Exhaustive,
    Runs,
    For,
}

impl Mode {
    const ALL: [Mode; 6] = [Mode::Window, Mode::Matrix, Mode::FromRun, Mode::Exhaustive, Mode::Runs, Mode::For];

    /// The flag that asks for it.
    fn flag(self) -> &'static str {
        match self {
            Mode::Window => "window",
            Mode::Matrix => "matrix",
            Mode::FromRun => "from",
            Mode::Exhaustive => "exhaustive",
            Mode::Runs => "runs",
            Mode::For => "for",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Mode::Window => "--window (one event moved past another)",
            Mode::Matrix => "--matrix (two timeouts against a delay)",
            Mode::FromRun => "--from RUN (what went wrong over HTTPS)",
            Mode::Exhaustive => "--exhaustive (every way within a scope)",
            Mode::Runs => "--runs (ways at random)",
            Mode::For => "--for (a search that ends with its time)",
        }
    }
}

/// Those that search, and choose the ways themselves.
const SEARCHES: &[Mode] = &[Mode::For, Mode::Runs, Mode::Exhaustive];

/// The flags of `explore`, and with what each of them goes. Flags that every command has have no row.
const FLAGS: &[(&str, &[Mode])] = &[
    ("for", &[Mode::For]),
    ("runs", &[Mode::Runs]),
    ("exhaustive", &[Mode::Exhaustive]),
    ("operations", &[Mode::Exhaustive]),
    ("early-timers", &[Mode::Exhaustive]),
    ("drops", &[Mode::Exhaustive]),
    ("duplicates", &[Mode::Exhaustive]),
    ("crashes", &[Mode::Exhaustive]),
    ("devices", SEARCHES),
    ("threads", SEARCHES),
    ("memory", SEARCHES),
    ("verify", SEARCHES),
    ("from", &[Mode::FromRun, Mode::Window]),
    ("device", &[Mode::FromRun]),
    ("window", &[Mode::Window]),
    ("to", &[Mode::Window]),
    ("step", &[Mode::Window]),
    ("https", &[Mode::Window]),
    ("repeat", &[Mode::Window]),
    ("matrix", &[Mode::Matrix]),
    ("delay", &[Mode::Matrix]),
    ("delay-of", &[Mode::Matrix]),
    ("cells", &[Mode::Matrix]),
    ("delays", &[Mode::Matrix]),
];

/// Flags that mean nothing without another one.
const NEEDS: &[(&str, &str)] = &[("repeat", "https")];

/// Whether what is given goes together; in a sentence, what does not.
///
/// # Errors
/// The sentence.
pub fn check(explore: &Command, given: &ArgMatches) -> Result<(), String> {
    let is_given = |flag: &str| {
        let arg = explore.get_arguments().find(|arg| arg.get_long() == Some(flag));
        arg.is_some_and(|arg| given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine))
    };
    // Behind a window --from is an offset.
    let asks = |mode: &Mode| is_given(mode.flag()) && !(*mode == Mode::FromRun && is_given(Mode::Window.flag()));
    let asked: Vec<Mode> = Mode::ALL.into_iter().filter(asks).collect();
    if let [one, other, ..] = asked[..] {
        return Err(format!("{} and {} do not go together: leave one of them out", one.words(), other.words()));
    }
    let mode = asked.first().copied();
    for (flag, modes) in FLAGS.iter().filter(|(flag, _)| is_given(flag)) {
        // Without a word it is a search for some time.
        if !modes.contains(&mode.unwrap_or(Mode::For)) {
            let with = listed(modes);
            return Err(match mode {
                Some(mode) => format!("--{flag} goes with {with}, not with {}: leave one of them out", mode.words()),
                None => format!("--{flag} goes with {with}: ask for that too, or leave --{flag} out"),
            });
        }
    }
    match NEEDS.iter().find(|(flag, other)| is_given(flag) && !is_given(other)) {
        Some((flag, other)) => Err(format!("--{flag} goes with --{other}: ask for that too, or leave --{flag} out")),
        None => Ok(()),
    }
}

fn listed(modes: &[Mode]) -> String {
    let words: Vec<&str> = modes.iter().map(|mode| mode.words()).collect();
    match &words[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::CommandLine;
    use crate::cli::exit::Exit;
    use clap::CommandFactory;

    #[test]
    fn every_flag_of_explore_has_its_row_and_every_row_is_a_flag() {
        let command = CommandLine::command();
        let explore = command.find_subcommand("explore").expect("a command");
        let mut flags: Vec<&str> = explore.get_arguments().filter_map(clap::Arg::get_long).collect();
        let mut rows: Vec<&str> = FLAGS.iter().map(|(flag, _)| *flag).collect();
        flags.sort_unstable();
        rows.sort_unstable();
        assert_eq!(flags, rows);
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        for (line, parts) in [
            ("--runs 100 --drops 3 --crashes 2 --operations 8", ["--operations goes with --exhaustive", "--runs"]),
            ("--drops 1", ["--drops goes with --exhaustive", "ask for that too"]),
            ("--runs 5 --exhaustive", ["--exhaustive (", "--runs ("]),
            ("--exhaustive --https", ["--https goes with --window", "--exhaustive"]),
            ("--matrix confirmed=1s..2s session=1s..2s --https", ["--https goes with --window", "--matrix"]),
            ("--runs 100 --https --repeat 7 --step 1ms --to 5ms", ["--to goes with --window", "--runs"]),
            ("--runs 10 --cells 3 --delay 1s..2s", ["--delay goes with --matrix", "--runs"]),
            ("--exhaustive --device 7", ["--device goes with --from RUN", "--exhaustive"]),
            ("--device 7", ["--device goes with --from RUN", "ask for that too"]),
            ("--window a b --from -5ms --device 7", ["--device goes with --from RUN", "--window"]),
            ("--window a b --drops 3 --cells 3", ["--drops goes with --exhaustive", "--window"]),
            ("--matrix confirmed=1s..2s session=1s..2s --crashes 3", ["--crashes goes with --exhaustive", "--matrix"]),
            ("--matrix confirmed=1s..2s session=1s..2s --from run", ["--matrix (", "--from RUN ("]),
            ("--matrix confirmed=1s..2s session=1s..2s --window a b", ["--window (", "--matrix ("]),
            ("--exhaustive --for 1s", ["--exhaustive (", "--for ("]),
            ("--runs 10 --for 1s", ["--runs (", "--for ("]),
            ("--window a b --for 1s", ["--window (", "--for ("]),
            ("--window a b --devices 2", ["--devices goes with --for", "not with --window"]),
            ("--from run --for 1s", ["--from RUN (", "--for ("]),
            ("--from run --devices 2", ["--devices goes with --for", "not with --from RUN"]),
            ("--from run --memory 1GiB", ["--memory goes with", "not with --from RUN"]),
            ("--from run --verify", ["--verify goes with", "not with --from RUN"]),
            ("--from run --exhaustive", ["--from RUN (", "--exhaustive ("]),
            ("--window a b --repeat 3", ["--repeat goes with --https", "ask for that too"]),
        ] {
            let words = "dmswarm explore".split(' ').chain(line.split(' '));
            let error = CommandLine::read_from(words).expect_err(line);
            assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
            let said = error.to_string();
            parts.iter().for_each(|part| assert!(said.contains(part), "{line}: {said}"));
            assert!(said.contains("Usage: dmswarm explore"), "{said}");
        }
    }

    #[test]
    fn what_goes_together_is_accepted() {
        for line in [
            "--for 1s --devices 2 --threads 1 --memory 1GiB --verify",
            "--devices 2 --seed 7",
            "--runs 5 --verify",
            "--exhaustive --operations 1 --drops 0 --devices 2",
            "--window a b --from -5ms --to 5ms --step 1ms --https --repeat 3",
            "--matrix confirmed=1s..2s session=1s..2s --delay 1s..2s --delay-of sessions --cells 3 --delays 2",
            "--from run --device 7 --json",
        ] {
            let words = "dmswarm explore".split(' ').chain(line.split(' '));
            CommandLine::read_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}
