//! The smallest change that so many runs can show, and how many runs would be enough.

use std::f64::consts::PI;

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::mann_whitney::smallest_p;

/// How many runs there are of one thing, and how much they vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub runs: usize,
    /// The standard deviation between them.
    pub variation: f64,
}

/// How sure a verdict has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// How often sets of the same thing may be called different in any metric.
    pub risk: f64,
    /// How many metrics are judged at once; 1 or more.
    pub metrics: usize,
    /// How often a change is to be found.
    pub power: f64,
    /// Differences up to this are not called any.
    pub ignored: f64,
}

/// How far the medians of two sets of the same thing are apart by chance: all but a share `risk` of such pairs of sets stay
/// below it. This is the noise of the comparison as its own repeats show it. It is 0 where nothing varies.
pub fn noise(baseline: Sample, contender: Sample, risk: f64) -> f64 {
    let Errors { medians, freedom, .. } = errors(baseline, contender);
    if medians == 0.0 { 0.0 } else { medians * student(1.0 - risk / 2.0, freedom) }
}

/// The smallest difference that is found as often as demanded: `None` if no difference is, because even sets that do not
/// overlap are no surprise among so many metrics.
pub fn detectable(baseline: Sample, contender: Sample, demand: &Demand) -> Option<f64> {
    let risk_of_each = demand.risk / demand.metrics as f64;
    (smallest_p(baseline.runs, contender.runs) <= risk_of_each).then(|| plain(baseline, contender, demand))
}

/// The same, by the size of the difference alone.
///
/// Two hurdles have to be taken. The difference of the medians has to exceed the noise, and with its own error does so with
/// the demanded power from noise + t(power) × error on. And the rank test has to reject, at the risk that is left to one of
/// so many metrics (Bonferroni); it needs as much as a test of means, on 3/pi as many runs (Hodges and Lehmann 1956, "The
/// Efficiency of Some Nonparametric Competitors of the t-Test").
pub fn plain(baseline: Sample, contender: Sample, demand: &Demand) -> f64 {
    let Errors { means, medians, freedom } = errors(baseline, contender);
    if means == 0.0 {
        return demand.ignored;
    }
    let risk_of_each = demand.risk / demand.metrics as f64;
    let noise = medians * student(1.0 - demand.risk / 2.0, freedom);
    let for_medians = noise.max(demand.ignored) + medians * student(1.0 - MISSES * (1.0 - demand.power), freedom);
    let beyond_chance = student(1.0 - risk_of_each / 2.0, freedom) + student(demand.power, freedom);
    let for_ranks = (PI / 3.0).sqrt() * means * beyond_chance;
    for_medians.max(for_ranks)
}

/// The fewest runs of each that would show a difference this large as often as demanded, should they vary as these do: up
/// to [`MOST_RUNS`], `None` beyond.
pub fn runs_needed(baseline: Sample, contender: Sample, difference: f64, demand: &Demand) -> Option<usize> {
    let suffices = |runs: usize| {
        let with = |sample: Sample| Sample { runs, ..sample };
        detectable(with(baseline), with(contender), demand).is_some_and(|detectable| detectable <= difference)
    };
    // More runs never show less. Doubled until they are enough; then between the last two is where it begins.
    let (mut too_few, mut enough) = (1, 2);
    while !suffices(enough) {
        (too_few, enough) = (enough, 2 * enough);
        if too_few >= MOST_RUNS {
            return None;
        }
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if suffices(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    (enough <= MOST_RUNS).then_some(enough)
}

/// What the noise may miss, as a share of what it and the resampled interval together may: they stop much the same sets, but
/// not quite. So found on made-up sets of 5 to 100 runs.
const MISSES: f64 = 0.78;

/// Nobody repeats a run more often to compare it.
pub const MOST_RUNS: usize = 10_000;

/// The standard errors of the difference of two sets, were they normal.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Errors {
    /// Of their means.
    means: f64,
    /// Of their medians.
    medians: f64,
    /// What is unsure in both, as degrees of freedom (Welch 1947, "The Generalization of 'Student's' Problem when Several
    /// Different Population Variances are Involved").
    freedom: f64,
}

fn errors(baseline: Sample, contender: Sample) -> Errors {
    let part = |sample: Sample| sample.variation * sample.variation / sample.runs as f64;
    let (ours, theirs) = (part(baseline), part(contender));
    let both = ours + theirs;
    // Squares of what hardly varies may be lost: then nothing varies.
    if both == 0.0 {
        return Errors { means: 0.0, medians: 0.0, freedom: 1.0 };
    }
    let of_each = |part: f64, sample: Sample| (part / both).powi(2) / (sample.runs.max(2) - 1) as f64;
    let freedom = 1.0 / (of_each(ours, baseline) + of_each(theirs, contender));
    let medians = (ours * cost_of_median(baseline.runs) + theirs * cost_of_median(contender.runs)).sqrt();
    Errors { means: both.sqrt(), medians, freedom }
}

/// How many times the variance of the mean of n normal values that of their median is: pi/2 for many (Kenney and Keeping
/// 1962, "Mathematics of Statistics", part 1, p. 211), less for few. For few it is the variance of a middle value among n
/// (David and Nagaraja 2003, "Order Statistics", section 3.1); this fits its integral within 1 % from three values on.
fn cost_of_median(runs: usize) -> f64 {
    let runs_and = |more: f64| runs as f64 / (runs as f64 + more);
    PI / 2.0 * if runs % 2 == 1 { runs_and(0.46) } else { runs_and(1.36) }
}

/// The quantile of Student's t.
fn student(share: f64, freedom: f64) -> f64 {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are positive");
    t.inverse_cdf(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::assert_close;

    const DEMAND: Demand = Demand { risk: 0.05, metrics: 1, power: 0.8, ignored: 0.0 };

    fn sample(runs: usize, variation: f64) -> Sample {
        Sample { runs, variation }
    }

    #[test]
    fn quantiles_of_students_t_are_those_of_scipy() {
        // scipy.special.stdtrit(freedom, share) of SciPy 1.17.1
        for (freedom, share, quantile) in [
            (1.0, 0.975, 12.706_204_736_174_694),
            (3.0, 0.9975, 7.453_318_505_150_679),
            (8.0, 0.9, 1.396_815_309_743_865_4),
            (18.0, 0.975, 2.100_922_040_241_038_2),
            (18.0, 0.8, 0.862_048_667_989_598_9),
            (18.0, 0.99995, 4.965_706_285_291_594),
            (400.0, 0.975, 1.965_912_343_229_462_7),
        ] {
            assert_close(student(share, freedom), quantile, 1e-8 * quantile);
        }
        assert_close(student(0.5, 5.0), 0.0, 1e-6);
    }

    #[test]
    fn the_median_of_few_costs_what_its_integral_says() {
        // 2 integral of z² f(z) over the density f of the middle one of n normal values, times n, by scipy.integrate.quad of
        // SciPy 1.17.1; even ones from 1,000,000 draws.
        let by_integral =
            [(3, 0.8569), (5, 0.9130), (9, 0.9517), (21, 0.9794), (4, 0.7607), (10, 0.8794), (40, 0.9661)];
        for (runs, of_many) in by_integral {
            assert_close(cost_of_median(runs) / (PI / 2.0), of_many, 0.015);
        }
    }

    #[test]
    fn noise_is_what_medians_of_the_same_differ_by() {
        // sqrt(pi / 2 × 10 / 11.36) × 4 × sqrt(2 / 10) × 2.1009 (18 degrees of freedom): by hand
        assert_close(noise(sample(10, 4.0), sample(10, 4.0), 0.05), 4.419, 0.001);
        assert_eq!(noise(sample(10, 0.0), sample(10, 0.0), 0.05), 0.0);
        let one_sided = noise(sample(10, 0.0), sample(10, 4.0), 0.05);
        assert!(one_sided > 0.0 && one_sided < 4.419);
    }

    #[test]
    fn the_more_runs_vary_the_larger_a_change_has_to_be() {
        let of = |runs, variation| detectable(sample(runs, variation), sample(runs, variation), &DEMAND);
        // sqrt(pi / 2 × 10 / 11.36) × 4 × sqrt(2 / 10) × (2.1009 + t of 0.844): by hand
        assert_close(of(10, 4.0).expect("ten runs suffice"), 6.607, 0.001);
        assert_close(of(10, 15.0).expect("ten runs suffice"), 24.776, 0.005);
        assert!(of(20, 15.0) < of(10, 15.0));
        assert_eq!(of(10, 0.0), Some(0.0));
        let tolerant = Demand { ignored: 1.0, ..DEMAND };
        assert_eq!(detectable(sample(10, 0.0), sample(10, 0.0), &tolerant), Some(1.0));
    }

    #[test]
    fn the_more_metrics_the_more_runs() {
        let needed = |metrics, variation| {
            let demand = Demand { metrics, ..DEMAND };
            runs_needed(sample(10, variation), sample(10, variation), 10.0, &demand)
        };
        let all = [1, 10, 100].map(|metrics| [4.0, 15.0].map(|variation| needed(metrics, variation)));
        println!("runs of each for a change of 10 % at 4 % and 15 % variation, among 1, 10, 100 metrics: {all:?}");
        assert!(all.is_sorted(), "{all:?}");
        // Five runs apart from five others are nothing among seven metrics.
        let seven = Demand { metrics: 7, ..DEMAND };
        assert_eq!(detectable(sample(5, 1.0), sample(5, 1.0), &seven), None);
        assert_eq!(runs_needed(sample(5, 1.0), sample(5, 1.0), 1e9, &seven), Some(6));
        assert_eq!(runs_needed(sample(5, 1.0), sample(5, 1.0), 0.0, &DEMAND), None);
    }

    #[test]
    fn so_many_runs_as_are_needed_are_enough_and_one_less_is_not() {
        for variation in [0.5, 4.0, 15.0, 60.0] {
            let with = |runs| detectable(sample(runs, variation), sample(runs, variation), &DEMAND);
            let needed = runs_needed(sample(9, variation), sample(7, variation), 10.0, &DEMAND).expect("some suffice");
            assert!(with(needed).is_some_and(|detectable| detectable <= 10.0));
            assert!(with(needed - 1).is_none_or(|detectable| detectable > 10.0), "{needed}");
        }
    }
}
