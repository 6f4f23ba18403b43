//! Rates, shares, durations, sizes: read, check, print back the same.

use std::fmt;
use std::str::FromStr;

/// Text that is not a value of the unit that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct UnitError {
    /// What would have been right, with an example.
    pub expected: &'static str,
    pub found: String,
}

impl UnitError {
    pub(crate) fn new(expected: &'static str, found: &str) -> UnitError {
        UnitError { expected, found: found.to_owned() }
    }
}

/// The time that a [`Rate`] counts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Second,
    Minute,
    Hour,
}

impl Per {
    fn seconds(self) -> f64 {
        match self {
            Per::Second => 1.0,
            Per::Minute => 60.0,
            Per::Hour => 3600.0,
        }
    }
}

/// How often something happens: `100/s`, `30/min`, `0.5/h`. Never negative, always finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    count: f64,
    per: Per,
}

impl Rate {
    const EXPECTED: &'static str = "a rate such as `100/s`, `30/min` or `5/h`";

    /// So many in a second.
    pub fn per_second(count: f64) -> Rate {
        Rate { count: if count.is_finite() { count.max(0.0) } else { 0.0 }, per: Per::Second }
    }

    /// The rate in events per second.
    pub fn in_seconds(self) -> f64 {
        self.count / self.per.seconds()
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let error = || UnitError::new(Rate::EXPECTED, text);
        let (count, per) = text.trim().split_once('/').ok_or_else(error)?;
        let count = plain_number(count.trim()).ok_or_else(error)?;
        let per = match per.trim() {
            "s" | "sec" => Per::Second,
            "min" | "m" => Per::Minute,
            "h" => Per::Hour,
            _ => return Err(error()),
        };
        Ok(Rate { count, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Second => "s",
            Per::Minute => "min",
            Per::Hour => "h",
        };
        write!(f, "{}/{per}", self.count)
    }
}

/// A part of a whole, from `0%` to `100%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share {
    percent: f64,
}

impl Share {
    const EXPECTED: &'static str = "a share from `0%` to `100%`, such as `5%` or `0.1%`";

    /// Nothing of the whole.
    pub const NONE: Share = Share { percent: 0.0 };

    /// The share as a fraction, 0 to 1.
    pub fn fraction(self) -> f64 {
        self.percent / 100.0
    }
}

/// Percent; a bare `0` is nothing in any unit.
impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Share, UnitError> {
        let error = || UnitError::new(Share::EXPECTED, text);
        let trimmed = text.trim();
        if trimmed == "0" {
            return Ok(Share::NONE);
        }
        let percent = trimmed.strip_suffix('%').ok_or_else(error)?;
        let percent = plain_number(percent.trim_end()).ok_or_else(error)?;
        if percent <= 100.0 { Ok(Share { percent }) } else { Err(error()) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

/// A length of time: `250ms`, `1.5s`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub std::time::Duration);

impl Duration {
    const EXPECTED: &'static str = "a duration such as `250ms`, `1.5s` or `1h30m`";
}

impl FromStr for Duration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Duration, UnitError> {
        humantime::parse_duration(text.trim()).map(Duration).map_err(|_| UnitError::new(Duration::EXPECTED, text))
    }
}

/// Hours and minutes as whole numbers, then seconds with their fraction; below a second the unit that makes it whole.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 && nanos > 0 {
            return match nanos {
                _ if nanos % 1_000_000 == 0 => write!(f, "{}ms", nanos / 1_000_000),
                _ if nanos % 1_000 == 0 => write!(f, "{}us", nanos / 1_000),
                _ => write!(f, "{nanos}ns"),
            };
        }
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if nanos > 0 {
            let fraction = format!("{nanos:09}");
            write!(f, "{rest}.{}s", fraction.trim_end_matches('0'))
        } else if rest > 0 || seconds == 0 {
            write!(f, "{rest}s")
        } else {
            Ok(())
        }
    }
}

/// A number of bytes: `1MiB`, `64KiB`, `1500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The units of a size, the largest first.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

impl Size {
    const EXPECTED: &'static str = "a size such as `1MiB`, `64KiB` or a number of bytes";
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Size, UnitError> {
        let error = || UnitError::new(Size::EXPECTED, text);
        let trimmed = text.trim();
        let (count, unit) = SIZE_UNITS
            .iter()
            .find_map(|(name, bytes)| Some((trimmed.strip_suffix(name)?, *bytes)))
            .unwrap_or((trimmed, 1));
        let count = count.trim_end();
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        let count: u64 = count.parse().map_err(|_| error())?;
        count.checked_mul(unit).map(Size).ok_or_else(error)
    }
}

/// The largest binary unit that leaves a whole number, else plain bytes.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SIZE_UNITS[..3].iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((name, bytes)) => write!(f, "{}{name}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Digits with at most one point: no sign, no exponent, no `inf`.
fn plain_number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    if is_plain { text.parse::<f64>().ok().filter(|number| number.is_finite()) } else { None }
}

macro_rules! travels_as_text {
    ($($type:ident),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

travels_as_text!(Rate, Share, Duration, Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn prints_back<T: FromStr<Err = UnitError> + fmt::Display + PartialEq + fmt::Debug>(text: &str, printed: &str) {
        let value: T = text.parse().unwrap();
        assert_eq!(value.to_string(), printed);
        assert_eq!(printed.parse::<T>().unwrap(), value, "what is printed reads back to the same");
    }

    #[track_caller]
    fn is_refused<T: FromStr<Err = UnitError> + fmt::Debug>(texts: &[&str], expected: &str) {
        for text in texts {
            let error = text.parse::<T>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("expected {expected}")), "{error}");
            assert!(error.to_string().ends_with(&format!("found `{text}`")), "{error}");
        }
    }

    #[test]
    fn units_print_back_what_was_read() {
        for (text, printed) in [("100/s", "100/s"), ("30/min", "30/min"), ("0.5/h", "0.5/h"), (" 7 / s ", "7/s")] {
            prints_back::<Rate>(text, printed);
        }
        for (text, printed) in [("5%", "5%"), ("0.1%", "0.1%"), ("100%", "100%"), ("0", "0%"), ("7 %", "7%")] {
            prints_back::<Share>(text, printed);
        }
        for (text, printed) in [
            ("250ms", "250ms"),
            ("1.5s", "1.5s"),
            ("1h30m", "1h30m"),
            ("90s", "1m30s"),
            ("1m 2.25s", "1m2.25s"),
            ("0s", "0s"),
            ("60s", "1m"),
            ("1500us", "1500us"),
            ("3h", "3h"),
            ("12ns", "12ns"),
        ] {
            prints_back::<Duration>(text, printed);
        }
        for (text, printed) in
            [("1MiB", "1MiB"), ("64KiB", "64KiB"), ("1500", "1500"), ("2048", "2KiB"), ("1 MB", "1000000"), ("0", "0")]
        {
            prints_back::<Size>(text, printed);
        }
    }

    #[test]
    fn wrong_text_says_what_was_expected_and_found() {
        is_refused::<Rate>(&["100", "100/d", "/s", "-1/s", "inf/s", "1e3/s", "x/s", "1.2.3/s"], "a rate");
        is_refused::<Share>(&["5", "101%", "-1%", "%", "0.05", "nan%"], "a share");
        is_refused::<Duration>(&["", "5", "5 lightyears", "-1s"], "a duration");
        is_refused::<Size>(
            &["", "1.5MiB", "MiB", "-1", "1 TiBs", "99999999999999999999", "9999999999999GiB"],
            "a size",
        );
    }

    #[test]
    fn rates_and_shares_have_their_worth() {
        assert_eq!("30/min".parse::<Rate>().unwrap().in_seconds(), 0.5);
        assert_eq!("5%".parse::<Share>().unwrap().fraction(), 0.05);
        assert_eq!("64KiB".parse::<Size>().unwrap(), Size(65_536));
    }

    #[test]
    fn units_travel_as_text() {
        let json = serde_json::to_string(&("100/s".parse::<Rate>().unwrap(), Size(1 << 20))).unwrap();
        assert_eq!(json, r#"["100/s","1MiB"]"#);
        let (rate, size): (Rate, Size) = serde_json::from_str(&json).unwrap();
        assert_eq!((rate.in_seconds(), size.0), (100.0, 1 << 20));
    }
}
