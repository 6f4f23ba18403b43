//! A plan as people write it: `10M devices in 48h, storm 20k, 2 spare`.
//!
//! ```text
//! COUNT devices in TIME [, storm COUNT] [, COUNT spare]
//! ```
//! A count is a whole number, or one with `k` (thousand), `M` (million) or `G` (thousand million), as in `1.5M`; a time
//! is `48h`, `2d`, `90min`, `1d 12h`. Storm and spare may come in either order, each once.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// What is to be done with how many devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub devices: u64,
    /// In which all of them are to be handed over.
    pub within: Duration,
    /// How many of them may come at once.
    pub storm: Option<u64>,
    /// Peers beyond those that are needed.
    pub spare: u64,
}

/// Text that is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct PlanError {
    /// What would have been right, with an example.
    pub expected: &'static str,
    pub found: String,
    /// Where it stands, in bytes of the text.
    pub at: Range<usize>,
}

const FIRST: &str = "devices and a time, such as `10M devices in 48h`";
const COUNT: &str = "a whole number above 0, such as `250`, `20k` or `1.5M`";
const SPARE: &str = "a whole number of spare peers, a million at most, such as `2`";
const TIME: &str = "a time above 0, such as `48h`, `2d` or `90min`";
const FURTHER: &str = "`storm` and a count, or a count and `spare`, each once, such as `storm 20k, 2 spare`";

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Plan, PlanError> {
        let mut clauses = clauses(text);
        let first = clauses.next().unwrap_or(Part { text, at: 0..text.len() });
        let (devices, within) = first.devices_in_time()?;
        let mut plan = Plan { devices, within, storm: None, spare: 0 };
        let mut has_spare = false;
        for clause in clauses {
            match &clause.words()[..] {
                [storm, count] if storm.text == "storm" && plan.storm.is_none() => plan.storm = Some(count.count()?),
                [count, spare] if spare.text == "spare" && !has_spare => {
                    (plan.spare, has_spare) = (count.spare()?, true);
                }
                _ => return Err(clause.wrong(FURTHER)),
            }
        }
        match plan.storm {
            Some(storm) if storm > devices => {
                let at = text.find("storm").unwrap_or(0)..text.len();
                let found = format!("a storm of {storm} of {devices}");
                Err(PlanError { expected: "a storm of no more than all devices", found, at })
            }
            _ => Ok(plan),
        }
    }
}

/// As it can be read again.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} devices in ", short(self.devices))?;
        match self.within.as_secs() {
            seconds if seconds % HOUR == 0 && self.within.subsec_nanos() == 0 => write!(f, "{}h", seconds / HOUR)?,
            _ => humantime::format_duration(self.within).fmt(f)?,
        }
        if let Some(storm) = self.storm {
            write!(f, ", storm {}", short(storm))?;
        }
        if self.spare > 0 {
            write!(f, ", {} spare", self.spare)?;
        }
        Ok(())
    }
}

const HOUR: u64 = 3_600;

/// A count with the largest letter that leaves it whole.
fn short(count: u64) -> String {
    let letters = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"), (1, "")];
    let (unit, letter) = letters.into_iter().find(|(unit, _)| count.is_multiple_of(*unit)).expect("one divides all");
    format!("{}{letter}", count / unit)
}

/// A part of a text, and where it stands.
#[derive(Debug, Clone)]
struct Part<'t> {
    text: &'t str,
    at: Range<usize>,
}

impl<'t> Part<'t> {
    fn new(whole: &'t str, at: Range<usize>) -> Part<'t> {
        let text = &whole[at.clone()];
        let start = at.start + text.len() - text.trim_start().len();
        let text = text.trim();
        Part { text, at: start..start + text.len() }
    }

    fn wrong(&self, expected: &'static str) -> PlanError {
        PlanError { expected, found: self.text.to_owned(), at: self.at.clone() }
    }

    fn words(&self) -> Vec<Part<'t>> {
        let start = |word: &str| self.at.start + (word.as_ptr() as usize - self.text.as_ptr() as usize);
        let part = |word: &'t str| Part { text: word, at: start(word)..start(word) + word.len() };
        self.text.split_whitespace().map(part).collect()
    }

    fn devices_in_time(&self) -> Result<(u64, Duration), PlanError> {
        let words = self.words();
        let [count, devices, within, time, ..] = &words[..] else { return Err(self.wrong(FIRST)) };
        if devices.text != "devices" || within.text != "in" {
            return Err(self.wrong(FIRST));
        }
        let rest = time.at.start - self.at.start..self.text.len();
        let time = Part { text: &self.text[rest], at: time.at.start..self.at.end };
        let within = humantime::parse_duration(time.text).ok().filter(|within| !within.is_zero());
        Ok((count.count()?, within.ok_or_else(|| time.wrong(TIME))?))
    }

    fn count(&self) -> Result<u64, PlanError> {
        self.count_or_none().and_then(|count| if count > 0 { Ok(count) } else { Err(self.wrong(COUNT)) })
    }

    /// None is enough; so many that nobody can mean it are not.
    fn spare(&self) -> Result<u64, PlanError> {
        let count = self.count_or_none().ok().filter(|count| *count <= MOST_SPARE);
        count.ok_or_else(|| self.wrong(SPARE))
    }

    /// Zero is a count as well.
    fn count_or_none(&self) -> Result<u64, PlanError> {
        let (number, factor) = match self.text.char_indices().last() {
            Some((at, 'k')) => (&self.text[..at], 1e3),
            Some((at, 'M')) => (&self.text[..at], 1e6),
            Some((at, 'G')) => (&self.text[..at], 1e9),
            _ => (self.text, 1.0),
        };
        let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let count = number.parse::<f64>().ok().filter(|_| is_plain).map(|number| number * factor);
        // A decimal fraction times a power of ten is whole but for rounding.
        let whole = count.filter(|count| (count - count.round()).abs() < 1e-6 && *count < MOST);
        whole.map(|count| count.round() as u64).ok_or_else(|| self.wrong(COUNT))
    }
}

const MOST_SPARE: u64 = 1_000_000;

/// Up to here, whole numbers are exact in floating point.
const MOST: f64 = 9e15;

fn clauses(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut start = 0;
    text.split(',').map(move |clause| {
        let at = start..start + clause.len();
        start = at.end + 1;
        Part::new(text, at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<Plan, PlanError> {
        text.parse()
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(3_600 * hours)
    }

    #[test]
    fn plans_are_read_as_people_write_them() {
        let full = Plan { devices: 10_000_000, within: hours(48), storm: Some(20_000), spare: 2 };
        assert_eq!(plan("10M devices in 48h, storm 20k, 2 spare"), Ok(full));
        assert_eq!(plan("  10M devices in 2d,2 spare , storm 20k "), Ok(full));
        let bare = Plan { devices: 1_500, within: Duration::from_secs(5_400), storm: None, spare: 0 };
        assert_eq!(plan("1.5k devices in 90min"), Ok(bare));
        assert_eq!(plan("1500 devices in 1h 30min, 0 spare"), Ok(bare));
    }

    #[test]
    fn a_plan_is_printed_as_it_can_be_read() {
        for text in ["10M devices in 48h, storm 20k, 2 spare", "7 devices in 1d 12h", "1G devices in 90min, 1 spare"] {
            let read = plan(text).expect("a plan");
            assert_eq!(plan(&read.to_string()), Ok(read), "{read}");
        }
        let text = "10M devices in 48h, storm 20k, 2 spare";
        assert_eq!(plan(text).map(|plan| plan.to_string()).as_deref(), Ok(text));
    }

    #[test]
    fn what_is_no_plan_is_pointed_at() {
        for (text, expected, found, at) in [
            ("", FIRST, "", 0..0),
            ("10M in 48h", FIRST, "10M in 48h", 0..10),
            ("10X devices in 48h", COUNT, "10X", 0..3),
            ("0 devices in 48h", COUNT, "0", 0..1),
            ("1e3 devices in 48h", COUNT, "1e3", 0..3),
            ("0.5 devices in 48h", COUNT, "0.5", 0..3),
            ("99999999G devices in 48h", COUNT, "99999999G", 0..9),
            ("10M devices in 48", TIME, "48", 15..17),
            ("10M devices in 0h", TIME, "0h", 15..17),
            ("10M devices in 1h and a bit", TIME, "1h and a bit", 15..27),
            ("10M devices in 48h, storm", FURTHER, "storm", 20..25),
            ("10M devices in 48h, storm many", COUNT, "many", 26..30),
            ("10M devices in 48h, two spare", SPARE, "two", 20..23),
            ("10M devices in 48h, 2M spare", SPARE, "2M", 20..22),
            ("10M devices in 48h, 2 spare, 3 spare", FURTHER, "3 spare", 29..36),
            ("10M devices in 48h,", FURTHER, "", 19..19),
            ("10M devices in 48h, störm 3", FURTHER, "störm 3", 20..28),
        ] {
            assert_eq!(plan(text), Err(PlanError { expected, found: found.to_owned(), at }), "{text}");
        }
        let large = plan("10 devices in 1h, storm 11").expect_err("more than all");
        assert_eq!((large.at, large.found.as_str()), (18..26, "a storm of 11 of 10"));
    }
}
