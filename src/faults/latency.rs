//! Delays drawn from distributions, each by the inverse of its distribution function: one number makes one delay.

use std::time::Duration;

pub use crate::faults::radio::Radio;

/// Where a delay is drawn from. No delay is negative: what lies below zero is zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    Constant(Duration),
    Uniform {
        from: Duration,
        to: Duration,
    },
    Normal {
        mean: Duration,
        deviation: Duration,
    },
    /// `sigma`: the standard deviation of the logarithm; half of all delays are longer than the median.
    LogNormal {
        median: Duration,
        sigma: f64,
    },
    Exponential {
        mean: Duration,
    },
    /// The chance of a delay longer than `t` is `(least / t)^shape`.
    Pareto {
        least: Duration,
        shape: f64,
    },
    /// Measured delays, sorted: quantiles at equal distances from the least to the most, interpolated in between.
    Empirical(Vec<Duration>),
    /// One way over a radio network.
    Radio(Radio),
    /// Another distribution, but never longer than this.
    Capped {
        of: Box<Distribution>,
        most: Duration,
    },
}

/// Longer than any run lasts: heavy tails end here.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Distribution {
    /// The delay that a well-mixed number means. The greater the number, the longer the delay.
    pub fn draw(&self, draw: u64) -> Duration {
        // 52 bits in the middle of their steps: never 0 and never 1, where some inverses have no value.
        self.quantile(((draw >> 12) as f64 + 0.5) / (1u64 << 52) as f64)
    }

    /// The delay that a share `p` of all delays does not exceed; `0 < p < 1`.
    pub fn quantile(&self, p: f64) -> Duration {
        let seconds = match self {
            Distribution::Constant(delay) => return *delay,
            Distribution::Uniform { from, to } => between(*from, *to, p),
            Distribution::Normal { mean, deviation } => mean.as_secs_f64() + deviation.as_secs_f64() * normal(p),
            Distribution::LogNormal { median, sigma } => median.as_secs_f64() * (sigma * normal(p)).exp(),
            Distribution::Exponential { mean } => -mean.as_secs_f64() * (-p).ln_1p(),
            Distribution::Pareto { least, shape } => least.as_secs_f64() * (1.0 - p).powf(-1.0 / shape),
            Distribution::Empirical(table) => return interpolate(table, p),
            Distribution::Radio(radio) => return radio.delay().quantile(p),
            Distribution::Capped { of, most } => return of.quantile(p).min(*most),
        };
        // Only what is too long, or no number at all, has no duration once it is not below zero.
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
    }
}

/// Seconds, this share of the way between two delays.
fn between(from: Duration, to: Duration, share: f64) -> f64 {
    from.as_secs_f64() + (to.as_secs_f64() - from.as_secs_f64()) * share
}

fn interpolate(table: &[Duration], p: f64) -> Duration {
    let Some(last) = table.len().checked_sub(1) else { return Duration::ZERO };
    let place = p.clamp(0.0, 1.0) * last as f64;
    // A float becomes the integer below it.
    let below = (place as usize).min(last);
    let above = (below + 1).min(last);
    let seconds = between(table[below], table[above], place - below as f64);
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST)
}

/// The inverse of the standard normal distribution function, to 1.2e-9 of its value: P. J. Acklam, "An algorithm for
/// computing the inverse normal cumulative distribution function", 2003.
fn normal(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    /// Where the tails begin, which have an approximation of their own.
    const TAIL: f64 = 0.02425;
    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    if p < TAIL {
        tail(p)
    } else if p > 1.0 - TAIL {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        q * polynomial(&A, q * q) / polynomial(&B, q * q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use proptest::prelude::*;

    const DRAWS: u64 = 10_000;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn all() -> Vec<Distribution> {
        let mut all = vec![
            Distribution::Constant(ms(20)),
            Distribution::Uniform { from: ms(10), to: ms(30) },
            Distribution::Normal { mean: ms(100), deviation: ms(20) },
            Distribution::Normal { mean: ms(10), deviation: ms(20) },
            Distribution::LogNormal { median: ms(100), sigma: 0.5 },
            Distribution::Exponential { mean: ms(50) },
            Distribution::Pareto { least: ms(10), shape: 1.5 },
            Distribution::Empirical(vec![ms(1), ms(2), ms(2), ms(50), ms(400)]),
            Distribution::Capped { of: Box::new(Distribution::Exponential { mean: ms(50) }), most: ms(60) },
        ];
        all.extend(Radio::ALL.map(Distribution::Radio));
        all
    }

    /// Keyed draws, in seconds, sorted.
    fn draws(distribution: &Distribution) -> Vec<f64> {
        let draw = |index| distribution.draw(Seed(7).draw("latency", index)).as_secs_f64();
        let mut draws: Vec<f64> = (0..DRAWS).map(draw).collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    /// Checks the share of draws up to a delay against the distribution function there. The share of n draws deviates
    /// by sqrt(p (1 - p) / n), at most 0.005 for 10,000; five deviations happen once in two million tables.
    #[track_caller]
    fn check_share(distribution: Distribution, up_to: Duration, share: f64) {
        let draws = draws(&distribution);
        let found = draws.partition_point(|draw| *draw <= up_to.as_secs_f64()) as f64 / DRAWS as f64;
        let deviation = (share * (1.0 - share) / DRAWS as f64).sqrt();
        assert!((found - share).abs() <= 5.0 * deviation, "{distribution:?}: {found} up to {up_to:?}, not {share}");
    }

    #[test]
    fn draws_are_shared_out_as_the_distribution_functions_say() {
        check_share(Distribution::Uniform { from: ms(10), to: ms(30) }, ms(15), 0.25);
        // One deviation above the mean: 84.134 %; two below: 2.275 %.
        check_share(Distribution::Normal { mean: ms(100), deviation: ms(20) }, ms(120), 0.841_344_7);
        check_share(Distribution::Normal { mean: ms(100), deviation: ms(20) }, ms(60), 0.022_750_1);
        // What is below zero is zero: half a deviation below the mean, 30.854 %.
        check_share(Distribution::Normal { mean: ms(10), deviation: ms(20) }, ms(0), 0.308_537_5);
        check_share(Distribution::LogNormal { median: ms(100), sigma: 0.5 }, ms(100), 0.5);
        // 100 ms times e^0.5, one sigma up.
        let one_up = Duration::from_secs_f64(0.1 * 0.5f64.exp());
        check_share(Distribution::LogNormal { median: ms(100), sigma: 0.5 }, one_up, 0.841_344_7);
        // 1 - 1/e at the mean.
        check_share(Distribution::Exponential { mean: ms(50) }, ms(50), 1.0 - (-1.0f64).exp());
        // 1 - (10/40)^1.5 = 7/8.
        check_share(Distribution::Pareto { least: ms(10), shape: 1.5 }, ms(40), 0.875);
        // Five values are the quantiles 0, 1/4, 1/2, 3/4 and 1.
        check_share(Distribution::Empirical(vec![ms(1), ms(2), ms(2), ms(50), ms(400)]), ms(2), 0.5);
        check_share(Distribution::Empirical(vec![ms(1), ms(2), ms(2), ms(50), ms(400)]), ms(26), 0.625);
        check_share(Distribution::Radio(Radio::Lte), ms(35), 0.5);
    }

    /// Checks the mean of the draws: it deviates by the deviation of one draw over the root of their number.
    #[track_caller]
    fn check_mean(distribution: Distribution, mean: f64, deviation: f64) {
        let found = draws(&distribution).iter().sum::<f64>() / DRAWS as f64;
        let bound = 5.0 * deviation / (DRAWS as f64).sqrt();
        assert!((found - mean).abs() <= bound, "{distribution:?}: {found}, not {mean} ± {bound}");
    }

    #[test]
    fn means_are_those_of_the_formulas() {
        check_mean(Distribution::Constant(ms(20)), 0.020, 1e-12);
        // (to - from) / sqrt(12).
        check_mean(Distribution::Uniform { from: ms(10), to: ms(30) }, 0.020, 0.020 / 12f64.sqrt());
        check_mean(Distribution::Normal { mean: ms(100), deviation: ms(20) }, 0.100, 0.020);
        // median e^(s²/2), and that times sqrt(e^(s²) - 1).
        let mean = 0.1 * 0.125f64.exp();
        check_mean(Distribution::LogNormal { median: ms(100), sigma: 0.5 }, mean, mean * (0.25f64.exp_m1()).sqrt());
        check_mean(Distribution::Exponential { mean: ms(50) }, 0.050, 0.050);
        // shape / (shape - 1) times least; the variance is least² shape / ((shape-1)² (shape-2)), 10² · 5/(16·3).
        let deviation = 0.010 * (5.0f64 / 48.0).sqrt();
        check_mean(Distribution::Pareto { least: ms(10), shape: 5.0 }, 0.0125, deviation);
        // The mean of a capped exponential: 50 ms (1 - e^(-60/50)).
        let capped = Distribution::Capped { of: Box::new(Distribution::Exponential { mean: ms(50) }), most: ms(60) };
        check_mean(capped, 0.050 * (1.0 - (-1.2f64).exp()), 0.050);
    }

    #[test]
    fn the_normal_inverse_has_the_printed_values() {
        // From any table of the normal distribution.
        for (p, x) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.841_344_746_1, 1.0), (1e-6, -4.753_424_309)] {
            assert!((normal(p) - x).abs() < 1e-8, "{p}: {} is not {x}", normal(p));
        }
    }

    #[test]
    fn nothing_exceeds_its_cap() {
        let capped =
            Distribution::Capped { of: Box::new(Distribution::Pareto { least: ms(10), shape: 0.1 }), most: ms(70) };
        let draws = draws(&capped);
        assert_eq!(draws.last(), Some(&0.070));
        assert!(draws.iter().any(|draw| *draw < 0.070), "a cap is no constant");
    }

    #[test]
    fn tables_without_values_delay_nothing_and_of_one_value_are_constant() {
        assert_eq!(Distribution::Empirical(Vec::new()).draw(u64::MAX / 3), Duration::ZERO);
        assert_eq!(Distribution::Empirical(vec![ms(7)]).draw(u64::MAX), ms(7));
    }

    #[test]
    fn tails_without_an_end_stay_within_a_year() {
        let endless = Distribution::Pareto { least: ms(10), shape: 1e-6 };
        assert_eq!(endless.draw(u64::MAX), LONGEST);
        assert_eq!(Distribution::LogNormal { median: ms(1), sigma: f64::INFINITY }.draw(u64::MAX), LONGEST);
        assert_eq!(Distribution::Exponential { mean: Duration::MAX }.draw(u64::MAX), LONGEST);
    }

    proptest! {
        #[test]
        fn a_greater_number_is_a_longer_delay(one: u64, other: u64) {
            let (less, more) = (one.min(other), one.max(other));
            for distribution in all() {
                prop_assert!(distribution.draw(less) <= distribution.draw(more), "{distribution:?}");
            }
        }
    }

    #[test]
    fn the_pieces_of_the_normal_inverse_meet() {
        for seam in [0.02425, 1.0 - 0.02425] {
            assert!((normal(seam - 1e-9) - normal(seam + 1e-9)).abs() < 1e-6);
        }
    }
}
