//! Where in a distribution the change is: quantile by quantile.

use serde::Serialize;

use crate::statistics::bootstrap::{Interval, Ordered, Resampled, resample};
use crate::statistics::median::median_of;
use crate::statistics::options::Options;
use crate::statistics::quantile::{Counted, Uncountable};
use crate::statistics::unfit::{Set, Unfit, check_count};

/// 10 %, 20 % ... 90 %.
pub const DECILES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// How the distribution of one set of runs is shifted against that of another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shift {
    /// How many runs there are.
    pub baseline_runs: usize,
    pub contender_runs: usize,
    /// In the order asked for.
    pub quantiles: Vec<QuantileShift>,
}

/// How one quantile is shifted; in the unit of the samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantileShift {
    /// The share of samples below it: 0.9 is the ninth decile.
    pub share: f64,
    /// Of the baseline's runs, and of the contender's.
    pub baseline: f64,
    pub contender: f64,
    /// Contender minus baseline.
    pub difference: f64,
    /// Where the difference is, with the chosen confidence. `None`: too few runs.
    pub interval: Option<Interval>,
    /// Whether it differs from 0, so sure that it counts among all the quantiles asked for.
    pub is_shifted: bool,
}

/// Compares two sets of runs quantile by quantile: the shift function of Doksum 1974, "Empirical Probability Plots and
/// Statistical Inference for Nonlinear Models in the Two-Sample Case", with the estimator of Harrell and Davis as Wilcox
/// 1995, "Comparing Two Independent Groups via Multiple Quantiles", has it. Each run is its samples, as values and counts in
/// any order. The quantile of a set is the median of that quantile over its runs: the figure that a comparison of the same
/// quantile, run by run, shows too.
///
/// Intervals come from resampled *runs*, never from resampled samples: those of one run depend on each other, and resampling
/// them would count what all samples of a run share as if it were independent (Davison and Hinkley 1997, "Bootstrap Methods
/// and their Application", section 3.8: data with two levels are best resampled at the higher one only; Kalibera, Jones
/// 2013, "Rigorous Benchmarking in Reasonable Time").
///
/// # Errors
///
/// [`Unfit`] for sets of no runs or too many, runs without samples or with some that are no measurements, and options or
/// shares (0 to 1) out of their range. With too few runs there are no intervals, and nothing counts as shifted.
pub fn shift<Run: AsRef<[(f64, u64)]>>(
    baseline: &[Run],
    contender: &[Run],
    shares: &[f64],
    options: &Options,
) -> Result<Shift, Unfit> {
    options.check()?;
    if let Some(value) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        return Err(Unfit::Option { option: "shares", value: *value, range: "0 to 1" });
    }
    let ours = quantiles_of_runs(Set::Baseline, baseline, shares)?;
    let theirs = quantiles_of_runs(Set::Contender, contender, shares)?;
    let resampled = if baseline.len().min(contender.len()) < options.least_runs {
        Vec::new()
    } else {
        resampled_differences(&ours, &theirs, options)
    };
    let of_family = 1.0 - options.risk() / shares.len().max(1) as f64;
    let quantiles = shares.iter().enumerate().map(|(at, share)| {
        let resampled = resampled.get(at);
        let of_runs = |runs: &[f64]| median_of(runs).expect("checked to have runs");
        let (baseline, contender) = (of_runs(&ours[at]), of_runs(&theirs[at]));
        let family_interval = resampled.and_then(|resampled| resampled.interval(of_family));
        QuantileShift {
            share: *share,
            baseline,
            contender,
            difference: contender - baseline,
            interval: resampled.and_then(|resampled| resampled.interval(options.confidence)),
            is_shifted: family_interval.is_some_and(|interval| interval.excludes_zero()),
        }
    });
    Ok(Shift { baseline_runs: baseline.len(), contender_runs: contender.len(), quantiles: quantiles.collect() })
}

/// For each share, that quantile of every run.
fn quantiles_of_runs<Run: AsRef<[(f64, u64)]>>(set: Set, runs: &[Run], shares: &[f64]) -> Result<Vec<Vec<f64>>, Unfit> {
    check_count(set, runs.len())?;
    let mut quantiles = vec![Vec::with_capacity(runs.len()); shares.len()];
    for (run, samples) in runs.iter().enumerate() {
        let counted = Counted::of(samples.as_ref()).map_err(|why| match why {
            Uncountable::Nothing => Unfit::NoSamples { set, run },
            Uncountable::Value(value) => Unfit::NoMeasuredSamples { set, run, value },
        })?;
        for (of_share, share) in quantiles.iter_mut().zip(shares) {
            of_share.push(counted.quantile(*share));
        }
    }
    Ok(quantiles)
}

/// For each share, by how much its quantile differs between resampled sets of runs. All quantiles of a run are drawn
/// together.
fn resampled_differences(baseline: &[Vec<f64>], contender: &[Vec<f64>], options: &Options) -> Vec<Resampled> {
    let runs_of = |quantiles: &[Vec<f64>]| quantiles.first().map_or(0, Vec::len);
    let (ours, theirs) = (runs_of(baseline), runs_of(contender));
    if ours == 0 || theirs == 0 {
        return Vec::new();
    }
    let mut differences = vec![Vec::with_capacity(options.resamples); baseline.len()];
    let ordered = |quantiles: &[Vec<f64>]| -> Vec<Ordered> { quantiles.iter().map(|runs| Ordered::of(runs)).collect() };
    let (baseline, contender) = (ordered(baseline), ordered(contender));
    resample(options.seed, options.resamples, ours, theirs, |ours, theirs| {
        for ((differences, baseline), contender) in differences.iter_mut().zip(&baseline).zip(&contender) {
            differences.push(contender.median(theirs) - baseline.median(ours));
        }
    });
    differences.into_iter().map(Resampled::new).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::statistics::synthetic::{Dice, Shape, assert_close};

    type Run = Vec<(f64, u64)>;

    /// Runs of 400 lognormal samples each, rounded to 0.1. The runs vary by 4 % as a whole; the upper tenth of the samples is
    /// slowed down.
    fn runs(dice: &mut Dice, count: usize, slowdown_of_tail: f64) -> Vec<Run> {
        let pace = dice.runs(count, 100.0, 0.04, Shape::Lognormal);
        let sample = |pace: f64, at: u32| {
            let share = (f64::from(at) + 0.5) / 400.0;
            let slow = if share > 0.85 { slowdown_of_tail } else { 1.0 };
            // A logistic quantile serves as well as a normal one.
            let value = pace * slow * (0.15 * (share / (1.0 - share)).ln()).exp();
            ((value * 10.0).round() / 10.0, 1)
        };
        pace.into_iter().map(|pace| (0..400).map(|at| sample(pace, at)).collect()).collect()
    }

    #[test]
    fn a_slower_tail_shows_at_the_upper_decile_only() {
        let compare = |seed: u64| {
            let mut dice = Dice::new(seed);
            let (ours, theirs) = (runs(&mut dice, 10, 1.0), runs(&mut dice, 10, 1.2));
            shift(&ours, &theirs, &DECILES, &Options { resamples: 1_000, ..Options::default() })
                .expect("these are measurements")
        };
        let mut found = [0; 9];
        for seed in 0..100 {
            let shifted = compare(seed);
            found.iter_mut().zip(&shifted.quantiles).for_each(|(found, at)| *found += usize::from(at.is_shifted));
        }
        println!(
            "upper 15 % of samples slowed down by 20 %, 10 runs each at 4 %: deciles found shifted {found:?} of 100"
        );
        assert!(found[8] >= 90, "{found:?}");
        assert!(found[..8].iter().all(|found| *found <= 5), "{found:?}");
        let one = &compare(0).quantiles[8];
        assert_eq!(one.share, 0.9);
        assert!(one.interval.is_some_and(|interval| interval.low > 0.0 && interval.high < 2.0 * one.difference));
        assert_close(one.difference, one.contender - one.baseline, 0.0);
    }

    #[test]
    fn runs_of_the_same_are_seldom_shifted_anywhere() {
        for count in [5, 10, 20] {
            let is_shifted = |seed: &u64| {
                let mut dice = Dice::new(10_000 + seed);
                let (ours, theirs) = (runs(&mut dice, count, 1.0), runs(&mut dice, count, 1.0));
                let options = Options { resamples: 1_000, ..Options::default() };
                let shifted = shift(&ours, &theirs, &DECILES, &options).expect("these are measurements");
                shifted.quantiles.iter().any(|at| at.is_shifted)
            };
            let alarms = (0..100).filter(is_shifted).count();
            println!("deciles, A against A at 4 %, {count} runs each: shifted anywhere in {alarms} of 100");
            assert!(alarms <= 5, "{alarms}");
        }
    }

    #[test]
    fn dependent_samples_do_not_pass_for_many_runs() {
        // A thousand times the samples in every run say no more about how runs differ.
        let mut dice = Dice::new(3);
        let (ours, theirs) = (runs(&mut dice, 6, 1.0), runs(&mut dice, 6, 1.0));
        let more = |runs: &[Run]| -> Vec<Run> {
            runs.iter().map(|run| run.iter().map(|(value, count)| (*value, count * 1_000)).collect()).collect()
        };
        let width = |ours: &[Run], theirs: &[Run]| {
            let shifted = shift(ours, theirs, &[0.5], &Options::default()).expect("these are measurements");
            shifted.quantiles[0].interval.map(|interval| interval.high - interval.low).expect("six runs suffice")
        };
        let (few, many) = (width(&ours, &theirs), width(&more(&ours), &more(&theirs)));
        assert!((many / few - 1.0).abs() < 0.05, "{few} {many}");
    }

    #[test]
    fn ten_runs_of_a_million_samples_on_each_side_take_no_time() {
        let run = |run: u32| -> Run { (0..10_000).map(|at| (f64::from(at) + f64::from(run), 100)).collect() };
        let set: Vec<Run> = (0..10).map(run).collect();
        let begun = Instant::now();
        let mut shares = DECILES.to_vec();
        shares.extend([0.95, 0.99, 0.999]);
        let shifted = shift(&set, &set, &shares, &Options::default()).expect("these are measurements");
        let took = begun.elapsed();
        println!("12 quantiles of 10 against 10 runs, 10,000 values and 1,000,000 samples each: {took:?}");
        assert!(shifted.quantiles.iter().all(|at| at.difference == 0.0 && !at.is_shifted));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[test]
    fn what_has_no_quantiles_is_told() {
        let well: Run = vec![(1.0, 3)];
        let told = |ours: &[Run], shares: &[f64]| shift(ours, std::slice::from_ref(&well), shares, &Options::default());
        assert_eq!(told(&[], &DECILES), Err(Unfit::NoRuns(Set::Baseline)));
        assert_eq!(told(&[well.clone(), vec![]], &DECILES), Err(Unfit::NoSamples { set: Set::Baseline, run: 1 }));
        let bad = told(&[vec![(f64::INFINITY, 1)]], &DECILES);
        assert_eq!(bad, Err(Unfit::NoMeasuredSamples { set: Set::Baseline, run: 0, value: f64::INFINITY }));
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(told(std::slice::from_ref(&well), &[share]), Err(Unfit::Option { option: "shares", .. })));
        }
        let single = told(std::slice::from_ref(&well), &[0.0, 0.5, 1.0]).expect("a run is a set");
        assert!(single.quantiles.iter().all(|at| at.interval.is_none() && !at.is_shifted && at.baseline == 1.0));
        assert_eq!(told(std::slice::from_ref(&well), &[]).map(|shifted| shifted.quantiles), Ok(vec![]));
    }
}
