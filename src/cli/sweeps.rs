//! The flags of windows and matrices, and what they mean.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::explore::matrix::{self, Axis};
use crate::units::{self, UnitError};

/// What `explore` is asked to sweep, in place of a search.
#[derive(Debug, Clone, Args)]
pub struct Sweeps {
    /// Move a message past an event in steps, and draw the outcome against the offset
    ///
    /// EVENT is a timer or a fact: `termination timer`, `timer confirmed at home`, `sent delegation_failure by home`.
    /// MESSAGE is the root element of a message, or something that sets out: `answer of partner to delegation_req of
    /// home`, `session visit of partner`.
    #[arg(long, num_args = 2, value_names = ["EVENT", "MESSAGE"], conflicts_with_all = ["runs", "exhaustive", "verify"])]
    pub window: Option<Vec<String>>,
    /// Follow the devices of a run over HTTPS that went wrong; with --window: from this offset, -50ms without it
    ///
    /// RUN is the folder of a run: the machines are given what its devices met with, and a way that breaks a promise is
    /// shrunk. An offset before 0s means that the message comes first.
    #[arg(long, value_name = "RUN|TIME", allow_hyphen_values = true, value_parser = from, conflicts_with_all = ["matrix", "runs", "exhaustive", "verify"])]
    pub from: Option<From>,
    /// ... to this one
    #[arg(long, value_name = "TIME", default_value = "50ms", requires = "window", allow_hyphen_values = true, value_parser = offset)]
    pub to: i64,
    /// ... in steps of this; a twentieth of the way without it
    #[arg(long, value_name = "TIME", requires = "window", value_parser = offset)]
    pub step: Option<i64>,
    /// ... and over real HTTPS too, with timeouts so short that a run takes a second or two
    #[arg(long, requires = "window")]
    pub https: bool,
    /// ... each offset so many times
    #[arg(long, value_name = "N", default_value_t = 1, requires = "https", value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Go through two timeouts against a delay, and map the outcomes
    ///
    /// Each is a key of `[timeouts]` with the values to go from and to: `confirmed=1s..60s`.
    #[arg(long, num_args = 2, value_name = "KEY=TIME..TIME", conflicts_with_all = ["window", "runs", "exhaustive", "verify"], value_parser = range)]
    pub matrix: Option<Vec<Range>>,
    /// ... delays from and to
    #[arg(long, value_name = "TIME..TIME", default_value = "0s..40s", requires = "matrix", value_parser = times)]
    pub delay: Span,
    /// ... delay each message of this kind; each session with the device without it
    #[arg(long, value_name = "MESSAGE|sessions", default_value = "sessions", requires = "matrix")]
    pub delay_of: String,
    /// ... so many values of each timeout
    #[arg(long, value_name = "N", default_value_t = 12, requires = "matrix", value_parser = value_parser!(u16).range(1..=100))]
    pub cells: u16,
    /// ... so many delays
    #[arg(long, value_name = "N", default_value_t = 5, requires = "matrix", value_parser = value_parser!(u16).range(1..=100))]
    pub delays: u16,
}

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
        let step = self.step.unwrap_or_else(|| ((to - from) / 20).max(1));
        if step < 1 {
            return Err(format!("expected a --step of 1ms or more, found {step}ms"));
        }
        let many = (to - from) / step + 1;
        if many > MOST_OFFSETS {
            return Err(format!("expected at most {MOST_OFFSETS} offsets, found {many}; give a longer --step"));
        }
        Ok((step, (0..many).map(|number| from + number * step).collect()))
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
fn offset(text: &str) -> Result<i64, UnitError> {
    let (sign, length) = match text.trim().strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let units::Duration(time) = length.parse()?;
    Ok(sign * i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// An offset, or else a folder; one that is called like an offset can be written `./5ms`.
fn from(text: &str) -> Result<From, UnitError> {
    Ok(offset(text).map_or_else(|_| From::Run(PathBuf::from(text)), From::Offset))
}

fn times(text: &str) -> Result<Span, String> {
    let wrong = || format!("expected two times, the shorter one first, as in `1s..60s`, found `{text}`");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let time = |text: &str| text.parse::<units::Duration>().map(|time| time.0).map_err(|error| error.to_string());
    let span = Span { from: time(from)?, to: time(to)? };
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
    use clap::Parser;

    fn sweeps(line: &str) -> Result<Sweeps, String> {
        let words = line.split(' ').map(|word| word.replace('_', " "));
        match CommandLine::try_parse_from(words).map_err(|error| error.to_string())?.command {
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
        assert_eq!(asked.offsets().unwrap().1, [-2, 498, 998]);
        let wrong = |line: &str| sweeps(line).unwrap().offsets().unwrap_err();
        assert!(wrong("dmswarm explore --window a b --from 5ms --to -5ms").contains("swap them"));
        assert!(wrong("dmswarm explore --window a b --from results/run").contains("found `results/run`"));
        assert!(wrong("dmswarm explore --window a b --to 1h --step 1ms").contains("a longer --step"));
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
            ("dmswarm explore --cells 5", "--matrix"),
            ("dmswarm explore --https", "--window"),
        ] {
            let said = sweeps(line).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
