//! What a comparison is asked for.

use serde::Serialize;

use crate::statistics::unfit::{Unfit, check_option};

/// In which direction a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    Lower,
    Higher,
}

/// How sure, how fine, how much work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Options {
    /// How often, at least, sets of runs of the same thing are not called different; intervals hold with it too. 0.5 to
    /// 0.9999.
    pub confidence: f64,
    /// How often a change of `least_change` has to be found for the runs to be enough. 0.5 to 0.99.
    pub power: f64,
    /// The smallest change that one wants to see, as a share of the baseline's median; above 0.
    pub least_change: f64,
    /// Changes up to this share of the baseline's median are nobody's business, however sure they are; at most half of
    /// `least_change`.
    pub ignored_change: f64,
    /// With fewer runs in either set there is no verdict. At least 2.
    pub least_runs: usize,
    /// How often the runs are resampled for an interval: 200 to 100,000.
    pub resamples: usize,
    /// Of the resampling.
    pub seed: u64,
}

impl Better {
    /// Whether a metric that went up by this (down, if negative) got worse.
    pub fn worsens(self, difference: f64) -> bool {
        match self {
            Better::Lower => difference > 0.0,
            Better::Higher => difference < 0.0,
        }
    }
}

/// 95 % confidence, and 80 % power for a change of 10 %: with ten runs of each, that is enough for metrics that vary by up
/// to 6 % from run to run. 80 % is the convention of Cohen 1988, "Statistical Power Analysis for the Behavioral Sciences",
/// section 2.4; the ignored 1 % is the habit of benchmark tools.
impl Default for Options {
    fn default() -> Options {
        Options {
            confidence: 0.95,
            power: 0.8,
            least_change: 0.1,
            ignored_change: 0.01,
            least_runs: 5,
            resamples: 4_000,
            seed: 1,
        }
    }
}

impl Options {
    /// # Errors
    ///
    /// For an option out of its range.
    pub fn check(&self) -> Result<(), Unfit> {
        check_option("confidence", self.confidence, (0.5, 0.9999), "0.5 to 0.9999")?;
        check_option("power", self.power, (0.5, 0.99), "0.5 to 0.99")?;
        check_option("least_change", self.least_change, (f64::MIN_POSITIVE, 1e6), "above 0, at most 1,000,000")?;
        check_option("ignored_change", self.ignored_change, (0.0, 1e6), "0 to 1,000,000")?;
        check_option("least_runs", self.least_runs as f64, (2.0, 1e3), "2 to 1,000")?;
        check_option("resamples", self.resamples as f64, (200.0, 1e5), "200 to 100,000")
    }

    /// How often, at most, sets of runs of the same thing are called different.
    pub fn risk(&self) -> f64 {
        1.0 - self.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_their_range_are_refused_by_name() {
        let well = Options::default();
        assert_eq!(well.check(), Ok(()));
        let refused = [
            (Options { confidence: 1.0, ..well }, "confidence"),
            (Options { confidence: f64::NAN, ..well }, "confidence"),
            (Options { power: 0.2, ..well }, "power"),
            (Options { least_change: 0.0, ..well }, "least_change"),
            (Options { ignored_change: f64::INFINITY, ..well }, "ignored_change"),
            (Options { least_runs: 1, ..well }, "least_runs"),
            (Options { resamples: 0, ..well }, "resamples"),
        ];
        for (options, name) in refused {
            assert!(matches!(options.check(), Err(Unfit::Option { option, .. }) if option == name), "{name}");
        }
    }

    #[test]
    fn more_is_worse_where_lower_is_better() {
        assert!(Better::Lower.worsens(1.0) && !Better::Lower.worsens(-1.0) && !Better::Lower.worsens(0.0));
        assert!(Better::Higher.worsens(-1.0) && !Better::Higher.worsens(1.0) && !Better::Higher.worsens(0.0));
    }
}
