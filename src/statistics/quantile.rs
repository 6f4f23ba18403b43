//! Quantiles of counted values.

use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

use crate::statistics::unfit::is_measurement;

/// The samples of one run: each value with how often it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Rising.
    values: Vec<f64>,
    /// How many samples are at each value or below.
    up_to: Vec<u64>,
}

/// What cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Uncountable {
    Nothing,
    /// No measurement.
    Value(f64),
}

impl Counted {
    /// Of values and counts in any order; the same value may come several times, a count may be 0.
    ///
    /// # Errors
    ///
    /// For no samples at all, and for a value that is infinite, no number, or beyond 1e100.
    pub fn of(samples: &[(f64, u64)]) -> Result<Counted, Uncountable> {
        if let Some((value, _)) = samples.iter().find(|(value, _)| !is_measurement(*value)) {
            return Err(Uncountable::Value(*value));
        }
        let mut sorted: Vec<(f64, u64)> = samples.iter().copied().filter(|(_, count)| *count > 0).collect();
        if sorted.is_empty() {
            return Err(Uncountable::Nothing);
        }
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut total = 0_u64;
        let up_to = sorted.iter().map(|(_, count)| {
            total = total.saturating_add(*count);
            total
        });
        let up_to = up_to.collect();
        Ok(Counted { values: sorted.into_iter().map(|(value, _)| value).collect(), up_to })
    }

    /// The value that a share of the samples is below, 0 to 1, by Harrell and Davis 1982, "A New Distribution-Free Quantile
    /// Estimator": the mean of all samples in their order, weighted by how likely each is the quantile, which is a beta
    /// distribution of (n + 1) share and (n + 1) (1 - share). It errs less than a single sample does, and it does not jump
    /// where samples are rounded, as histograms round them.
    pub fn quantile(&self, share: f64) -> f64 {
        let count = *self.up_to.last().expect("there is a sample") as f64;
        let weights = Weights::of(count, share.clamp(0.0, 1.0));
        // Beyond a dozen standard deviations nothing weighs anything.
        let reach = 12.0 * weights.deviation;
        let begin = self.up_to.partition_point(|up_to| (*up_to as f64) < (weights.centre - reach) * count);
        let begin = begin.min(self.values.len() - 1);
        let mut before = 0.0;
        // Relative to the first value, so that rounding errs by a share of the differences only.
        let first = self.values[begin];
        let mut sum = 0.0;
        for (value, up_to) in self.values[begin..].iter().zip(&self.up_to[begin..]) {
            let at = *up_to as f64 / count;
            let is_last = at >= (weights.centre + reach).min(1.0);
            let after = if is_last { 1.0 } else { weights.up_to(at) };
            sum += (after - before) * (value - first);
            before = after;
            if is_last {
                break;
            }
        }
        first + sum
    }
}

/// How likely the quantile is among the lowest samples.
struct Weights {
    a: f64,
    b: f64,
    centre: f64,
    deviation: f64,
}

impl Weights {
    fn of(count: f64, share: f64) -> Weights {
        // At the very ends all of the weight is on the last sample: the beta distribution's own limit.
        let (a, b) = (((count + 1.0) * share).max(1e-9), ((count + 1.0) * (1.0 - share)).max(1e-9));
        let centre = a / (a + b);
        Weights { a, b, centre, deviation: (centre * (1.0 - centre) / (a + b + 1.0)).sqrt() }
    }

    /// Of the lowest samples up to a share of all, above 0 and below 1. Where there are many samples on both sides, by the
    /// normal distribution of the same mean and deviation, which the beta distribution becomes: what that errs by is far
    /// below what a sample is rounded by, and it costs the same for a million samples as for a hundred.
    fn up_to(&self, share: f64) -> f64 {
        if self.a.min(self.b) <= 100.0 {
            beta_reg(self.a, self.b, share)
        } else {
            0.5 * erfc((self.centre - share) / self.deviation / std::f64::consts::SQRT_2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::assert_close;

    fn counted(values: &[f64]) -> Counted {
        let samples: Vec<(f64, u64)> = values.iter().map(|value| (*value, 1)).collect();
        Counted::of(&samples).expect("these are measurements")
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy.stats.mstats.hdquantiles(values, prob=[0.1, 0.2 ... 0.9]) of SciPy 1.17.1
        let few = [
            77.0, 87.0, 88.0, 114.0, 151.0, 210.0, 219.0, 246.0, 253.0, 262.0, 296.0, 299.0, 306.0, 376.0, 428.0,
            515.0, 666.0, 1310.0, 2611.0,
        ];
        let deciles = [
            93.304_823_672_049_75,
            135.135_140_197_299_93,
            190.728_548_745_912_18,
            236.044_729_151_249_38,
            271.721_200_549_089_13,
            314.891_929_129_119_94,
            397.256_060_485_252_93,
            618.828_050_977_877_4,
            1_367.915_356_286_319,
        ];
        for (at, decile) in deciles.into_iter().enumerate() {
            let share = (at + 1) as f64 / 10.0;
            assert_close(counted(&few).quantile(share), decile, 1e-9 * decile);
        }
        // The same of [-log(1 - (i * 7919 % 10007) / 10007) for i in 1..3001]: from a few samples on either side to many
        let value = |i: u64| -(1.0 - (i * 7_919 % 10_007) as f64 / 10_007.0).ln();
        let many: Vec<f64> = (1..=3_000).map(value).collect();
        for (share, quantile) in [
            (0.1, 0.105_496_999_417_963_2),
            (0.5, 0.693_516_705_674_060_1),
            (0.9, 2.305_603_452_383_098),
            (0.99, 4.627_506_651_074_412),
            (0.999, 7.350_542_861_865_891),
        ] {
            assert_close(counted(&many).quantile(share), quantile, 2e-5 * quantile);
        }
    }

    #[test]
    fn counts_stand_for_samples() {
        let apart = counted(&[1.0, 2.0, 2.0, 2.0, 5.0, 5.0]);
        let together =
            Counted::of(&[(5.0, 1), (2.0, 3), (7.0, 0), (1.0, 1), (5.0, 1)]).expect("these are measurements");
        for share in [0.1, 0.5, 0.77] {
            assert_close(apart.quantile(share), together.quantile(share), 1e-12);
        }
    }

    #[test]
    fn the_ends_are_the_first_and_the_last_sample() {
        let some = counted(&[3.0, 4.0, 9.0]);
        assert_close(some.quantile(0.0), 3.0, 1e-6);
        assert_close(some.quantile(1.0), 9.0, 1e-6);
        assert_eq!(counted(&[3.0]).quantile(0.5), 3.0);
        let constant = Counted::of(&[(0.1, 1_000_000)]).expect("these are measurements");
        assert_eq!(constant.quantile(0.3), 0.1);
    }

    #[test]
    fn a_million_samples_have_the_quantiles_of_what_they_are_drawn_from() {
        // Evenly from 0 to 10,000
        let even: Vec<(f64, u64)> = (0..10_000).map(|value| (f64::from(value) + 0.5, 100)).collect();
        let even = Counted::of(&even).expect("these are measurements");
        for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999] {
            assert_close(even.quantile(share), 10_000.0 * share, 0.01);
        }
    }

    #[test]
    fn what_cannot_be_counted_is_told() {
        assert_eq!(Counted::of(&[]), Err(Uncountable::Nothing));
        assert_eq!(Counted::of(&[(3.0, 0)]), Err(Uncountable::Nothing));
        assert_eq!(Counted::of(&[(3.0, 1), (f64::INFINITY, 1)]), Err(Uncountable::Value(f64::INFINITY)));
        assert!(matches!(Counted::of(&[(f64::NAN, 1)]), Err(Uncountable::Value(_))));
        let huge = Counted::of(&[(1.0, u64::MAX), (2.0, u64::MAX)]).expect("these are measurements");
        assert!(huge.quantile(0.5).is_finite());
    }
}
