//! One metric of a set of runs beside the same of another: the whole answer.

use serde::Serialize;

use crate::statistics::bootstrap::{Interval, Ordered, Resampled, resample};
use crate::statistics::effect::{Effect, hodges_lehmann};
use crate::statistics::family::holm;
use crate::statistics::mann_whitney::{RankTest, mann_whitney, smallest_p};
use crate::statistics::median::median_of;
use crate::statistics::noise::run_variation;
use crate::statistics::options::{Better, Options};
use crate::statistics::power::{Demand, MOST_RUNS, Sample, detectable, noise, plain, runs_needed};
use crate::statistics::unfit::{Set, Unfit, check_set};
use crate::statistics::verdict::{Evidence, Verdict};

/// A metric of two sets of runs, one value for each run, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'v> {
    pub baseline: &'v [f64],
    pub contender: &'v [f64],
    pub better: Better,
    /// The smallest difference that one wants to see, in its unit, where that is more than the options say; 0 or more. For
    /// metrics whose baseline may be 0, such as a share of failures, of which no other share can be taken.
    pub least_difference: f64,
}

/// How two sets of runs differ in one metric. All in the metric's unit, unless it says otherwise; differences are contender
/// minus baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub verdict: Verdict,
    pub better: Better,
    pub baseline: Runs,
    pub contender: Runs,
    /// Between the medians.
    pub difference: Estimate,
    /// The same as a share of the baseline's median: 0.1 is 10 % more, the ratio of the medians less 1. `None` where the
    /// baseline has values on both sides of 0, or at it.
    pub change: Option<Estimate>,
    /// The median of the differences of all pairs of runs (Hodges and Lehmann).
    pub shift: f64,
    pub effect: Effect,
    pub ranks: RankTest,
    /// The p of the ranks, as it counts among all the metrics that were compared together.
    pub adjusted_p: f64,
    /// What chance alone makes of the difference between sets like these, or what is ignored, if that is more: a difference
    /// has to exceed it. `None`: with fewer than two runs in a set nobody knows.
    pub noise: Option<f64>,
    /// The smallest difference that runs so many and so varied would show as often as asked for. `None`: none, or nobody
    /// knows.
    pub detectable: Option<f64>,
    /// The difference that one wants to see.
    pub wanted: f64,
    /// How many runs of each would be enough to see it. `None`: more than 10,000, or nobody knows.
    pub runs_needed: Option<usize>,
}

/// One set of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Runs {
    pub count: usize,
    pub median: f64,
    /// The standard deviation from run to run, estimated so that a few runs that went astray hardly count. `None`: of a
    /// single run.
    pub variation: Option<f64>,
}

/// A figure, and where it is with the chosen confidence: nowhere in particular with too few runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub value: f64,
    pub interval: Option<Interval>,
}

/// Compares one metric of two sets of runs, alone.
///
/// # Errors
///
/// [`Unfit`] for sets that are empty or too large, values that are no measurements, and options out of their range. Too
/// few runs are no error but a verdict.
pub fn compare(baseline: &[f64], contender: &[f64], better: Better, options: &Options) -> Result<Comparison, Unfit> {
    options.check()?;
    Measured::of(&Metric { baseline, contender, better, least_difference: 0.0 }, options).map(|measured| {
        let p = measured.ranks.p;
        measured.judge(p, 1, options)
    })
}

/// Compares several metrics of the same two sets of runs, and takes into account that they are many. The answers come in the
/// order of the metrics; a metric that cannot be compared does not keep the others from it.
///
/// # Errors
///
/// [`Unfit`] for options out of their range; for each metric as [`compare`].
pub fn compare_all(metrics: &[Metric<'_>], options: &Options) -> Result<Vec<Result<Comparison, Unfit>>, Unfit> {
    options.check()?;
    let measured: Vec<Result<Measured, Unfit>> = metrics.iter().map(|metric| Measured::of(metric, options)).collect();
    // Metrics that no chance can make differ do not take any from the others (Tarone 1990, "A Modified Bonferroni Method for
    // Discrete Data").
    let tried: Vec<f64> =
        measured.iter().flatten().filter(|metric| metric.can_differ(options)).map(|metric| metric.ranks.p).collect();
    let count = tried.len().max(1);
    let mut adjusted = holm(&tried).into_iter();
    let mut judge = |metric: Measured| {
        let of_family = if metric.can_differ(options) { adjusted.next() } else { None };
        let p = of_family.unwrap_or(metric.ranks.p);
        metric.judge(p, count, options)
    };
    Ok(measured.into_iter().map(|metric| metric.map(&mut judge)).collect())
}

/// What the numbers say, before anything is decided.
struct Measured {
    better: Better,
    least_difference: f64,
    baseline: Runs,
    contender: Runs,
    ranks: RankTest,
    shift: f64,
    /// Whether all values of both sets are the same.
    is_constant: bool,
    /// `None`: the baseline's median has no shares.
    unit_of_change: Option<f64>,
    /// `None`: too few runs to resample.
    resampled: Option<Differences>,
}

/// What resampled medians differ by.
struct Differences {
    absolute: Resampled,
    relative: Option<Resampled>,
}

impl Measured {
    fn of(metric: &Metric<'_>, options: &Options) -> Result<Measured, Unfit> {
        let Metric { baseline, contender, better, least_difference } = *metric;
        check_set(Set::Baseline, baseline)?;
        check_set(Set::Contender, contender)?;
        // Neither dice nor rounding may see in which order the runs are told.
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (baseline, contender) = (&sorted(baseline)[..], &sorted(contender)[..]);
        let runs = |values: &[f64]| Runs {
            count: values.len(),
            median: median_of(values).expect("checked to have runs"),
            variation: run_variation(values),
        };
        let ours = runs(baseline);
        let has_shares = baseline.iter().all(|value| *value > TINY) || baseline.iter().all(|value| *value < -TINY);
        let mut measured = Measured {
            better,
            least_difference,
            baseline: ours,
            contender: runs(contender),
            ranks: mann_whitney(baseline, contender),
            shift: hodges_lehmann(baseline, contender).expect("checked to have runs"),
            is_constant: baseline.iter().chain(contender).all(|value| *value == baseline[0]),
            unit_of_change: has_shares.then_some(ours.median.abs()),
            resampled: None,
        };
        if measured.has_runs(options) {
            let (ours, theirs) = (Ordered::of(baseline), Ordered::of(contender));
            let mut medians = Vec::with_capacity(options.resamples);
            resample(options.seed, options.resamples, baseline.len(), contender.len(), |of_ours, of_theirs| {
                medians.push((ours.median(of_ours), theirs.median(of_theirs)));
            });
            let differences = |share: &dyn Fn(f64) -> f64| {
                Resampled::new(medians.iter().map(|(ours, theirs)| (theirs - ours) / share(*ours)).collect())
            };
            measured.resampled = Some(Differences {
                absolute: differences(&|_| 1.0),
                relative: measured.unit_of_change.map(|_| differences(&f64::abs)),
            });
        }
        Ok(measured)
    }

    fn has_runs(&self, options: &Options) -> bool {
        self.baseline.count.min(self.contender.count) >= options.least_runs
    }

    fn can_differ(&self, options: &Options) -> bool {
        self.has_runs(options) && !self.is_constant
    }

    fn samples(&self) -> Option<(Sample, Sample)> {
        let sample = |runs: Runs| runs.variation.map(|variation| Sample { runs: runs.count, variation });
        sample(self.baseline).zip(sample(self.contender))
    }

    /// `adjusted_p`, `metrics`: among all that were compared.
    fn judge(self, adjusted_p: f64, metrics: usize, options: &Options) -> Comparison {
        let Options { power, least_change, ignored_change, .. } = *options;
        let risk = options.risk();
        let middle = self.baseline.median.abs();
        let wanted = (least_change * middle).max(self.least_difference);
        // What is asked for is not ignored.
        let ignored = ignored_change.min(least_change / 2.0) * middle;
        let demand = Demand { risk, metrics, power, ignored };
        let difference = self.contender.median - self.baseline.median;
        let effect = Effect::of(self.ranks.u, self.baseline.count, self.contender.count);
        let samples = self.samples();
        let noise = samples.map(|(ours, theirs)| noise(ours, theirs, risk).max(ignored));
        let detectable = samples.and_then(|(ours, theirs)| detectable(ours, theirs, &demand));
        let interval_of = |resampled: &Resampled| resampled.interval(options.confidence);
        let interval = self.resampled.as_ref().and_then(|resampled| interval_of(&resampled.absolute));
        let of_samples = interval.zip(noise).zip(samples);
        let evidence = of_samples.map(|((interval, noise), (ours, theirs))| Evidence {
            difference,
            interval,
            noise,
            p: self.ranks.p,
            adjusted_p,
            smallest_p: smallest_p(ours.runs, theirs.runs) * metrics as f64,
            probability_larger: effect.probability_larger,
            detectable: plain(ours, theirs, &demand),
            wanted,
            risk,
        });
        let change = self.unit_of_change.map(|unit| Estimate {
            value: difference / unit,
            interval: self.resampled.as_ref().and_then(|resampled| resampled.relative.as_ref()).and_then(interval_of),
        });
        let verdict = evidence.map_or(Verdict::NotEnoughRuns, |evidence| evidence.verdict(self.better));
        let needed = samples.and_then(|(ours, theirs)| runs_needed(ours, theirs, wanted, &demand));
        let had = self.baseline.count.min(self.contender.count);
        // The interval may be too wide for runs that vary as these seem to: they vary more than that, or went astray.
        let widened = |needed: usize| match interval {
            Some(Interval { low, high }) if verdict == Verdict::NotEnoughRuns && needed <= had => {
                runs_for_width(had, (high - low) / 2.0, wanted)
            }
            _ => Some(needed),
        };
        Comparison {
            verdict,
            better: self.better,
            baseline: self.baseline,
            contender: self.contender,
            difference: Estimate { value: difference, interval },
            change,
            shift: self.shift,
            effect,
            ranks: self.ranks,
            adjusted_p,
            noise,
            detectable,
            wanted,
            runs_needed: needed.map(|needed| needed.max(options.least_runs)).and_then(widened),
        }
    }
}

/// How many runs make an interval, half as wide as this now, so narrow that two thirds of the difference asked for are on
/// either side of its middle, which is about how wide it is where the runs are just enough. Intervals become narrower by the
/// square root of the number of runs.
fn runs_for_width(runs: usize, half_width: f64, wanted: f64) -> Option<usize> {
    let needed = (runs as f64 * (1.5 * half_width / wanted).powi(2)).ceil();
    (needed <= MOST_RUNS as f64).then_some((needed as usize).max(runs + 1))
}

/// Shares of what is below this are no figures.
const TINY: f64 = 1e-100;
