//! How the program ends: the one table of exit codes.

use std::process::ExitCode;

use crate::measure::Verdict;

/// Every way to end. The number is what scripts see; it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Passed = 0,
    /// Internal error, disk, ports, too few open files.
    CouldNotRun = 1,
    /// Wrong usage, or a scenario with problems.
    Usage = 2,
    /// A limit was not kept.
    LimitFailed = 3,
    /// A promise was broken, or a race did not go as its file expects.
    PromiseBroken = 4,
    /// This machine or the scenario, not the peer, was the bottleneck.
    Invalid = 5,
    /// A limit with `abort`, or the budget of a campaign, ended the run early.
    Aborted = 6,
    /// `compare`: a regression.
    Regression = 7,
    /// The target could not be reached, or refused our identity.
    Unreachable = 8,
    /// `conform`: a mandatory item failed.
    NotConforming = 9,
    /// `replay`, `explore --from`: did not come about again.
    NotReproduced = 10,
    /// SIGHUP.
    HungUp = 129,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// The numbers of the signals that do not end with 130.
const SIGHUP: i32 = 1;
const SIGTERM: i32 = 15;

impl Exit {
    /// All of them, by number.
    pub const ALL: [Exit; 14] = [
        Exit::Passed,
        Exit::CouldNotRun,
        Exit::Usage,
        Exit::LimitFailed,
        Exit::PromiseBroken,
        Exit::Invalid,
        Exit::Aborted,
        Exit::Regression,
        Exit::Unreachable,
        Exit::NotConforming,
        Exit::NotReproduced,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// Those that can hold at the same time, the weightiest first. The others come only from their own commands.
    const BY_WEIGHT: [Exit; 11] = [
        Exit::CouldNotRun,
        Exit::Usage,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
        Exit::Unreachable,
        Exit::PromiseBroken,
        Exit::Invalid,
        Exit::Aborted,
        Exit::LimitFailed,
        Exit::Passed,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for the help text.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Passed => "passed",
            Exit::CouldNotRun => "could not run (internal error, disk, ports)",
            Exit::Usage => "wrong usage, or a scenario with problems",
            Exit::LimitFailed => "a limit failed",
            Exit::PromiseBroken => "a promise was broken, or a race did not go as its file expects",
            Exit::Invalid => "the run is INVALID: this machine or the scenario, not the peer, was the bottleneck",
            Exit::Aborted => "stopped early by a limit with `abort`, or by a campaign's `budget`",
            Exit::Regression => "compare: a metric got worse",
            Exit::Unreachable => "target unreachable, or it refused our identity",
            Exit::NotConforming => "conform: a mandatory item failed",
            Exit::NotReproduced => "replay, explore --from: it did not come about again",
            Exit::HungUp => "interrupted (SIGHUP: the terminal is gone)",
            Exit::Interrupted => "interrupted (SIGINT)",
            Exit::Terminated => "interrupted (SIGTERM)",
        }
    }

    /// How a run with this verdict ends; `signal` is the number of the signal that interrupted it, if one did.
    pub fn of_verdict(verdict: Verdict, signal: Option<i32>) -> Exit {
        match verdict {
            Verdict::Passed => Exit::Passed,
            Verdict::Failed => Exit::LimitFailed,
            Verdict::Broken => Exit::PromiseBroken,
            Verdict::Invalid => Exit::Invalid,
            Verdict::Aborted => Exit::Aborted,
            Verdict::Unreachable => Exit::Unreachable,
            Verdict::Interrupted => Exit::of_signal(signal),
        }
    }

    /// How the program ends that a signal has interrupted; `None`: its user has, by a key.
    pub fn of_signal(signal: Option<i32>) -> Exit {
        match signal {
            Some(SIGHUP) => Exit::HungUp,
            Some(SIGTERM) => Exit::Terminated,
            _ => Exit::Interrupted,
        }
    }

    /// How the program ends that could not run: interrupted, where this signal is why.
    pub fn of_error(signal: Option<i32>) -> Exit {
        signal.map_or(Exit::CouldNotRun, |signal| Exit::of_signal(Some(signal)))
    }

    /// Whether somebody has interrupted the program, so that it begins nothing more.
    pub fn is_interrupted(self) -> bool {
        matches!(self, Exit::HungUp | Exit::Interrupted | Exit::Terminated)
    }

    /// The weightiest of several; of none, [`Exit::Passed`].
    pub fn weightiest(exits: impl IntoIterator<Item = Exit>) -> Exit {
        let weight = |exit: &Exit| Exit::BY_WEIGHT.iter().position(|other| other == exit);
        exits.into_iter().min_by_key(weight).unwrap_or(Exit::Passed)
    }

    /// The table, one line each, for the help text.
    pub fn table() -> String {
        let line = |exit: &Exit| format!("  {:>3}  {}", exit.code(), exit.meaning());
        let lines: Vec<String> = Exit::ALL.iter().map(line).collect();
        let codes: Vec<String> = Exit::BY_WEIGHT.iter().map(|exit| exit.code().to_string()).collect();
        format!(
            "Exit codes:\n{}\nOf several that hold, or of several scenarios, the weightiest: {}.",
            lines.join("\n"),
            codes.join(", ")
        )
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_table() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 129, 130, 143]);
        assert!(Exit::table().contains("\n  143  interrupted (SIGTERM)"), "{}", Exit::table());
        assert!(Exit::table().contains("\n    7  compare: a metric got worse"), "{}", Exit::table());
        assert!(Exit::table().contains("\n    6  stopped early by a limit"), "{}", Exit::table());
        assert!(Exit::table().ends_with("the weightiest: 1, 2, 129, 130, 143, 8, 4, 5, 6, 3, 0."), "{}", Exit::table());
    }

    #[test]
    fn verdicts_have_their_codes() {
        for (verdict, signal, code) in [
            (Verdict::Passed, None, 0),
            (Verdict::Failed, None, 3),
            (Verdict::Broken, None, 4),
            (Verdict::Invalid, None, 5),
            (Verdict::Aborted, None, 6),
            (Verdict::Unreachable, None, 8),
            (Verdict::Interrupted, Some(1), 129),
            (Verdict::Interrupted, Some(2), 130),
            (Verdict::Interrupted, None, 130),
            (Verdict::Interrupted, Some(15), 143),
        ] {
            assert_eq!(Exit::of_verdict(verdict, signal).code(), code, "{verdict:?}");
        }
    }

    #[test]
    fn the_weightiest_wins() {
        // The order of the documentation: 1, 2, 129/130/143, 8, 4, 5, 6, 3, 0.
        let order = [1, 2, 129, 130, 143, 8, 4, 5, 6, 3, 0];
        assert_eq!(Exit::BY_WEIGHT.map(Exit::code), order);
        assert_eq!(Exit::weightiest([Exit::Passed, Exit::LimitFailed, Exit::PromiseBroken]), Exit::PromiseBroken);
        assert_eq!(Exit::weightiest([Exit::Usage, Exit::CouldNotRun, Exit::Interrupted]), Exit::CouldNotRun);
        assert_eq!(Exit::weightiest([]), Exit::Passed);
    }
}
