//! The flags of windows and matrices, and what they mean.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::values::{milliseconds, number};
use crate::explore::matrix::{self, Axis};
use crate::units;

/// What `explore` is asked to sweep, or to follow, in place of a search.
#[derive(Debug, Clone, Args)]
pub struct Sweeps {
    /// Follow the devices of a run over HTTPS that went wrong; with --window it takes the first offset instead
    ///
    /// RUN is the folder of a run: the machines are given what its devices met with, and a way that breaks a promise is
    /// shrunk; where none is broken, one on which a flow fails. What a server that is somebody else's did is not known, and is
    /// taken to be what agrees with the rest.
    #[arg(help_heading = FOLLOWING, long, value_name = "RUN|TIME", allow_hyphen_values = true, value_parser = from)]
    pub from: Option<From>,
    /// Move a message past an event in steps, and draw the outcome against the offset
    ///
    /// EVENT is a timer or a fact: `termination timer`, `timer confirmed at home`, `sent delegation_failure by home`.
    /// MESSAGE is the root element of a message, or something that sets out: `answer of partner to delegation_req of
    /// home`, `session visit of partner`. The first offset is --from, or else -50ms; an offset before 0s means that the
    /// message comes first.
    #[arg(help_heading = WINDOWS, long, num_args = 2, value_names = ["EVENT", "MESSAGE"])]
    pub window: Option<Vec<String>>,
    /// The last offset of a window; --from is the first one, -50ms without it
    #[arg(help_heading = WINDOWS, long, value_name = "TIME", default_value = "50ms", allow_hyphen_values = true, value_parser = offset)]
    pub to: i64,
    /// From one offset to the next; a twentieth of the way without it
    #[arg(help_heading = WINDOWS, long, value_name = "TIME", allow_hyphen_values = true, value_parser = offset)]
    pub step: Option<i64>,
    /// Go over real HTTPS too, with timeouts so short that a run takes a second or two
    #[arg(help_heading = WINDOWS, long)]
    pub https: bool,
    /// Over HTTPS each offset so many times
    #[arg(help_heading = WINDOWS, long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = number::<u32>(1..=1000))]
    pub repeat: u32,
    /// Go through two timeouts against a delay, and map the outcomes
    ///
    /// Each is a key of `[timeouts]` with the values to go from and to: `confirmed=1s..60s`.
    #[arg(help_heading = MATRICES, long, num_args = 2, value_name = "KEY=TIME..TIME", value_parser = range)]
    pub matrix: Option<Vec<Range>>,
    /// The shortest delay and the longest one
    #[arg(help_heading = MATRICES, long, value_name = "TIME..TIME", default_value = "0s..40s", allow_hyphen_values = true, value_parser = times)]
    pub delay: Span,
    /// Delay each message of this kind; each session with the device without it
    #[arg(help_heading = MATRICES, long, value_name = "MESSAGE|sessions", default_value = "sessions")]
    pub delay_of: String,
    /// So many values of each timeout
    #[arg(help_heading = MATRICES, long, value_name = "N", default_value_t = 12, allow_negative_numbers = true, value_parser = number::<u16>(1..=100))]
    pub cells: u16,
    /// So many delays
    #[arg(help_heading = MATRICES, long, value_name = "N", default_value_t = 5, allow_negative_numbers = true, value_parser = number::<u16>(1..=100))]
    pub delays: u16,
}

/// The parts of the help of `explore` that these flags stand in.
pub const FOLLOWING: &str = "Following a run";
const WINDOWS: &str = "Windows";
const MATRICES: &str = "Timeout matrix";

/// Where to begin: the folder of a run, or an offset in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    Run(PathBuf),
    Offset(i64),
}

/// A timeout and what it goes from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    key: &'static str,
    span: Span,
}

/// From a time to another one that is no shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    from: Duration,
    to: Duration,
}

/// Where a window begins if nothing is said.
const EARLIEST: i64 = -50;
/// More offsets are no drawing any more.
const MOST_OFFSETS: i64 = 2_001;

impl Sweeps {
    /// From which offset to which a window goes, in milliseconds; what is wrong with them where they are none.
    pub fn ends(&self) -> Result<(i64, i64), String> {
        match &self.from {
            None => Ok((EARLIEST, self.to)),
            Some(From::Offset(from)) => Ok((*from, self.to)),
            Some(From::Run(run)) => {
                Err(format!("expected an offset such as `-50ms` behind --from, found `{}`", run.display()))
            }
        }
    }

    /// The step and the offsets of a window, in milliseconds; what is wrong with them where there are none.
    pub fn offsets(&self) -> Result<(i64, Vec<i64>), String> {
        let (from, to) = self.ends()?;
        if from > to {
            return Err(format!("expected --from to be no later than --to, found {from}ms and {to}ms; swap them"));
        }
        let span = to.saturating_sub(from);
        let step = self.step.unwrap_or_else(|| (span / 20).max(1));
        if step < 1 {
            return Err(format!("expected a --step of 1ms or more, found {step}ms"));
        }
        // The last offset is tried even where no whole number of steps leads there.
        let is_reached = span % step == 0;
        let many = (span / step).saturating_add(if is_reached { 1 } else { 2 });
        if many > MOST_OFFSETS {
            return Err(format!("expected at most {MOST_OFFSETS} offsets, found {many}; give a longer --step"));
        }
        let mut offsets: Vec<i64> = (0..=span / step).map(|number| from + number * step).collect();
        offsets.extend((!is_reached).then_some(to));
        Ok((step.min(span.max(1)), offsets))
    }
}

impl Range {
    /// So many values, evenly apart.
    pub fn axis(&self, many: u16) -> Axis {
        Axis { key: self.key, values: self.span.values(many) }
    }
}

impl Span {
    /// So many values, evenly apart, in whole milliseconds, and in tenths of a second where that is fine enough.
    pub fn values(&self, many: u16) -> Vec<Duration> {
        let (from, to) = (self.from.as_millis() as u64, self.to.as_millis() as u64);
        let apart = u64::from(many.max(2) - 1);
        let unit = if (to - from) / apart >= 1_000 { 100 } else { 1 };
        let value = |number: u64| match number {
            0 => from,
            last if last == apart => to,
            number => (from + (to - from) * number / apart + unit / 2) / unit * unit,
        };
        let mut values: Vec<u64> = (0..u64::from(many)).map(value).collect();
        values.dedup();
        values.into_iter().map(Duration::from_millis).collect()
    }
}

/// A duration with an optional sign, in milliseconds.
fn offset(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.trim().strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let time = milliseconds(length)?;
    Ok(sign * i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// An offset, or else a folder; one that is called like an offset, or like a flag, can be written `./5ms`.
fn from(text: &str) -> Result<From, String> {
    let is_time = text.trim().trim_start_matches(['-', '+']).parse::<units::Duration>().is_ok();
    match is_time {
        true => offset(text).map(From::Offset),
        false if text.starts_with('-') => {
            Err(format!("expected the folder of a run, or an offset such as `-50ms`, found `{text}`"))
        }
        false => Ok(From::Run(PathBuf::from(text))),
    }
}

fn times(text: &str) -> Result<Span, String> {
    let wrong = || format!("expected two times, the shorter one first, as in `1s..60s`, found `{text}`");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let span = Span { from: milliseconds(from)?, to: milliseconds(to)? };
    if span.from > span.to { Err(wrong()) } else { Ok(span) }
}

fn range(text: &str) -> Result<Range, String> {
    let keys = || matrix::KEYS.join(", ");
    let (name, span) = text.split_once('=').ok_or_else(|| {
        format!("expected a timeout and its values, as in `confirmed=1s..60s`, found `{text}`; timeouts are {}", keys())
    })?;
    let key = matrix::key(name).ok_or_else(|| format!("expected a timeout ({}), found `{name}`", keys()))?;
    let span = times(span)?;
    if span.from.is_zero() && key != "wind_down" {
        return Err(format!("expected `{key}` to be longer than nothing, found `{text}`; begin with 1ms or more"));
    }
    Ok(Range { key, span })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Command, CommandLine};

    fn sweeps(line: &str) -> Result<Sweeps, String> {
        let words = line.split(' ').map(|word| word.replace('_', " "));
        match CommandLine::read_from(words).map_err(|error| error.to_string())?.command {
            Command::Explore(explore) => Ok(explore.sweeps),
            _ => Err("that was no explore".to_owned()),
        }
    }

    #[test]
    fn offsets_go_from_one_end_to_the_other() {
        let asked = sweeps("dmswarm explore --window termination_timer x --from -50ms --to 50ms").unwrap();
        let (step, offsets) = asked.offsets().unwrap();
        assert_eq!((step, offsets.len(), offsets[0], offsets[20]), (5, 21, -50, 50));
        let asked = sweeps("dmswarm explore --window a b --from -2ms --to 1s --step 500ms").unwrap();
        assert_eq!(asked.offsets().unwrap().1, [-2, 498, 998, 1_000], "the last one is tried, whatever the step");
        let asked = sweeps("dmswarm explore --window a b --step 1s").unwrap();
        assert_eq!(asked.offsets().unwrap(), (100, vec![-50, 50]));
        let wrong = |line: &str| sweeps(line).unwrap().offsets().unwrap_err();
        assert!(wrong("dmswarm explore --window a b --from 5ms --to -5ms").contains("swap them"));
        assert!(wrong("dmswarm explore --window a b --from results/run").contains("found `results/run`"));
        assert!(wrong("dmswarm explore --window a b --to 1h --step 1ms").contains("a longer --step"));
        assert!(wrong("dmswarm explore --window a b --from -999999999y --to 999999999y --step 1ms").contains("longer"));
        assert!(wrong("dmswarm explore --window a b --step 0s").contains("1ms or more"));
        assert!(wrong("dmswarm explore --window a b --step -1ms").contains("1ms or more"));
    }

    #[test]
    fn values_are_evenly_apart_and_round() {
        let span = times("1s..60s").unwrap();
        let values: Vec<u128> = span.values(12).iter().map(Duration::as_millis).collect();
        assert_eq!((values[0], values[1], values[11], values.len()), (1_000, 6_400, 60_000, 12));
        assert_eq!(times("0s..40s").unwrap().values(5)[1], Duration::from_secs(10));
        assert_eq!(span.values(1), [Duration::from_secs(1)]);
        assert_eq!(times("3s..3s").unwrap().values(5), [Duration::from_secs(3)]);
    }

    #[test]
    fn what_is_no_range_says_what_would_be_one() {
        for (line, part) in [
            ("dmswarm explore --matrix confirmed=1s..60s", "2 values required"),
            ("dmswarm explore --matrix egg=1s..2s session=1s..2s", "expected a timeout (bootstrap, confirmed"),
            ("dmswarm explore --matrix confirmed session=1s..2s", "as in `confirmed=1s..60s`"),
            ("dmswarm explore --matrix confirmed=9s..2s session=1s..2s", "the shorter one first"),
            ("dmswarm explore --matrix confirmed=0s..2s session=1s..2s", "longer than nothing"),
            ("dmswarm explore --matrix confirmed=0.5ms..2s session=1s..2s", "a whole number of milliseconds"),
            ("dmswarm explore --window a b --from -0.5ms", "a whole number of milliseconds"),
            ("dmswarm explore --window a b --from --to 5ms", "the folder of a run, or an offset"),
            ("dmswarm explore --window a b --to 0.5ms", "a whole number of milliseconds"),
            ("dmswarm explore --window a b --step 0.5ms", "a whole number of milliseconds"),
            ("dmswarm explore --window a b --https --repeat -1", "from 1 to 1000"),
            ("dmswarm explore --cells 5", "--matrix"),
            ("dmswarm explore --https", "--window"),
        ] {
            let said = sweeps(line).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
