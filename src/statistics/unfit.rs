//! Numbers that nothing can be said about.

use std::fmt;

use serde::Serialize;

/// One of the two sets of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Set {
    Baseline,
    Contender,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unfit {
    #[error("the {0} has no runs")]
    NoRuns(Set),
    #[error("the {set} has {runs} runs, at most {LARGEST_SET} can be compared")]
    TooManyRuns { set: Set, runs: usize },
    #[error("value {index} of the {set} is {value}, which is no measurement")]
    NoMeasurement { set: Set, index: usize, value: f64 },
    #[error("run {run} of the {set} has no samples")]
    NoSamples { set: Set, run: usize },
    #[error("run {run} of the {set} has samples of {value}, which is no measurement")]
    NoMeasuredSamples { set: Set, run: usize, value: f64 },
    #[error("value {index} of the series is {value}, which is no measurement")]
    NoMeasurementInSeries { index: usize, value: f64 },
    #[error("the series has {runs} runs, at most {LONGEST_SERIES} can be searched")]
    TooLongSeries { runs: usize },
    #[error("the option `{option}` is {value}, it has to be {range}")]
    Option { option: &'static str, value: f64, range: &'static str },
}

/// Larger sets would be compared in vain: pairs of their runs are formed, and no difference hides from a thousand runs.
pub const LARGEST_SET: usize = 1_000;

/// Longer series would take seconds where they change more than once.
pub const LONGEST_SERIES: usize = 5_000;

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Set::Baseline => "baseline",
            Set::Contender => "contender",
        })
    }
}

/// Whether something can have been measured as this. Sums and squares of what can stay finite.
pub fn is_measurement(value: f64) -> bool {
    value.abs() <= 1e100
}

/// Checks a set of runs, one value each.
///
/// # Errors
///
/// For a set of no runs or more than [`LARGEST_SET`], and for a value that is infinite, no number, or beyond 1e100.
pub fn check_set(set: Set, values: &[f64]) -> Result<(), Unfit> {
    check_count(set, values.len())?;
    match values.iter().position(|value| !is_measurement(*value)) {
        Some(index) => Err(Unfit::NoMeasurement { set, index, value: values[index] }),
        None => Ok(()),
    }
}

/// Checks how many runs a set has.
///
/// # Errors
///
/// For no runs and for more than [`LARGEST_SET`].
pub fn check_count(set: Set, runs: usize) -> Result<(), Unfit> {
    match runs {
        0 => Err(Unfit::NoRuns(set)),
        runs if runs > LARGEST_SET => Err(Unfit::TooManyRuns { set, runs }),
        _ => Ok(()),
    }
}

/// Checks an option.
///
/// # Errors
///
/// For one that is not within its range, both ends of which are within.
pub fn check_option(
    option: &'static str,
    value: f64,
    (from, to): (f64, f64),
    range: &'static str,
) -> Result<(), Unfit> {
    if (from..=to).contains(&value) { Ok(()) } else { Err(Unfit::Option { option, value, range }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_measurement_is_named_with_its_place() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e101, f64::MAX] {
            let message = check_set(Set::Contender, &[1.0, bad]).map_err(|unfit| unfit.to_string());
            let told = message.expect_err("it is no measurement");
            assert!(told.starts_with("value 1 of the contender is "), "{told}");
        }
        assert_eq!(check_set(Set::Baseline, &[-1e100, 0.0, 5e-324]), Ok(()));
        assert_eq!(check_set(Set::Baseline, &[]), Err(Unfit::NoRuns(Set::Baseline)));
        let many = vec![1.0; LARGEST_SET + 1];
        assert_eq!(check_set(Set::Baseline, &many), Err(Unfit::TooManyRuns { set: Set::Baseline, runs: 1_001 }));
    }
}
