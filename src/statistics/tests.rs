//! How comparisons behave on made-up sets of runs, of which the truth is known.

use std::fmt;
use std::time::{Duration, Instant};

use crate::statistics::power::{Demand, Sample, detectable};
use crate::statistics::synthetic::{Dice, Shape, assert_close};
use crate::statistics::{Better, Comparison, Metric, Options, Set, Unfit, Verdict, compare, compare_all};

/// How often each verdict was given.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    better: usize,
    worse: usize,
    same: usize,
    not_enough: usize,
}

/// What sets are made of.
#[derive(Debug, Clone, Copy)]
struct Truth {
    shape: Shape,
    /// How much the runs vary, as a share.
    variation: f64,
    /// By how much the contender is slower.
    slowdown: f64,
    runs: usize,
}

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Better => self.better += 1,
            Verdict::Worse => self.worse += 1,
            Verdict::Same => self.same += 1,
            Verdict::NotEnoughRuns => self.not_enough += 1,
        }
    }

    fn alarms(self) -> usize {
        self.better + self.worse
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Truth { shape, variation, slowdown, runs } = self;
        write!(f, "{runs:>3} runs each, {shape:?}, vary by {variation}, slower by {slowdown}")
    }
}

impl Truth {
    /// Sets of runs of one metric; the contender is slowed down or not.
    fn sets(&self, dice: &mut Dice, slowdown: f64) -> (Vec<f64>, Vec<f64>) {
        let ours = dice.runs(self.runs, 100.0, self.variation, self.shape);
        (ours, dice.runs(self.runs, 100.0 * (1.0 + slowdown), self.variation, self.shape))
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for seed in 0..SEEDS {
            let (ours, theirs) = self.sets(&mut Dice::new(seed), self.slowdown);
            tally.count(of(&ours, &theirs).verdict);
        }
        println!("{self}: {tally:?} of {SEEDS}");
        tally
    }

    /// Ten metrics of the same runs, the slowdown in the first only: how often any of the others is an alarm, and what is
    /// said of the first.
    fn tally_of_ten(&self) -> (usize, Tally) {
        let mut first = Tally::default();
        let mut alarms = 0;
        for seed in 0..SEEDS_OF_TEN {
            let mut dice = Dice::new(500_000 + seed);
            let sets: Vec<_> =
                (0..10).map(|at| self.sets(&mut dice, if at == 0 { self.slowdown } else { 0.0 })).collect();
            let metrics: Vec<Metric<'_>> =
                sets.iter().map(|(baseline, contender)| metric(baseline, contender)).collect();
            let told = compare_all(&metrics, &few_resamples()).expect("the options are in their ranges");
            let verdicts: Vec<Verdict> =
                told.into_iter().map(|told| told.expect("these are measurements").verdict).collect();
            first.count(verdicts[0]);
            alarms += usize::from(verdicts[1..].iter().any(|verdict| is_alarm(*verdict)));
        }
        println!("ten metrics, the first: {self}: {first:?} of {SEEDS_OF_TEN}; an alarm in another in {alarms}");
        (alarms, first)
    }
}

fn is_alarm(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Better | Verdict::Worse)
}

fn of(baseline: &[f64], contender: &[f64]) -> Comparison {
    compare(baseline, contender, Better::Lower, &few_resamples()).expect("these are measurements")
}

/// An interval of 500 resamples ends a little elsewhere than one of 4,000, and takes an eighth of the time.
fn few_resamples() -> Options {
    Options { resamples: 500, ..Options::default() }
}

fn metric<'v>(baseline: &'v [f64], contender: &'v [f64]) -> Metric<'v> {
    Metric { baseline, contender, better: Better::Lower, least_difference: 0.0 }
}

/// How many pairs of sets, and of sets of ten metrics, are made up for each figure.
const SEEDS: u64 = 100;
const SEEDS_OF_TEN: u64 = 100;

/// At most, or at least, so many per cent.
fn per_cent(count: usize, seeds: u64) -> f64 {
    100.0 * count as f64 / seeds as f64
}

const SHAPES: [Shape; 3] = [Shape::Normal, Shape::Lognormal, Shape::Astray];

#[test]
fn the_same_is_seldom_called_different() {
    for shape in SHAPES {
        for runs in [5, 10, 20] {
            let tally = Truth { shape, variation: 0.04, slowdown: 0.0, runs }.tally();
            assert!(per_cent(tally.alarms(), SEEDS) <= 5.0, "{tally:?}");
            if shape != Shape::Astray && runs >= 10 {
                assert!(per_cent(tally.same, SEEDS) >= 90.0, "{tally:?}");
            }
        }
    }
}

#[test]
fn a_slowdown_of_a_tenth_is_found_at_little_variation() {
    for (shape, least_at_ten) in [(Shape::Normal, 90.0), (Shape::Lognormal, 90.0), (Shape::Astray, 60.0)] {
        for (runs, least) in [(5, 25.0), (10, least_at_ten), (20, 95.0)] {
            let tally = Truth { shape, variation: 0.04, slowdown: 0.1, runs }.tally();
            assert!(per_cent(tally.worse, SEEDS) >= least && tally.better == 0, "{tally:?}");
            // Seldom is anyone told that nothing changed.
            assert!(per_cent(tally.same, SEEDS) <= 5.0, "{tally:?}");
        }
    }
}

#[test]
fn at_much_variation_ten_runs_are_not_enough_for_a_tenth() {
    for shape in SHAPES {
        for (runs, slowdown) in [(5, 0.1), (10, 0.1), (10, 0.0), (20, 0.0)] {
            let tally = Truth { shape, variation: 0.15, slowdown, runs }.tally();
            assert!(per_cent(tally.not_enough, SEEDS) >= 90.0, "{tally:?}");
        }
        // Twenty are not enough either, but sometimes happen to show what is there.
        let tally = Truth { shape, variation: 0.15, slowdown: 0.1, runs: 20 }.tally();
        assert!(tally.better == 0 && tally.same == 0, "{tally:?}");
    }
}

#[test]
fn what_is_plainly_there_is_found_in_few_runs_that_vary() {
    for shape in [Shape::Normal, Shape::Lognormal] {
        for (runs, least) in [(5, 85.0), (10, 99.0)] {
            let tally = Truth { shape, variation: 0.15, slowdown: 1.0, runs }.tally();
            assert!(per_cent(tally.worse, SEEDS) >= least && tally.better == 0, "{tally:?}");
        }
    }
    // In between, the nearer the change is to what is asked for, the more runs it takes.
    let found = [0.2, 0.3, 0.5, 0.75]
        .map(|slowdown| Truth { shape: Shape::Lognormal, variation: 0.15, slowdown, runs: 10 }.tally().worse);
    assert!(found.is_sorted() && per_cent(found[2], SEEDS) >= 90.0, "{found:?}");
}

#[test]
fn what_is_called_detectable_is_detected_as_often_as_asked_for() {
    for runs in [5, 10, 11, 20, 60] {
        let sample = Sample { runs, variation: 4.0 };
        let demand = Demand { risk: 0.05, metrics: 1, power: 0.8, ignored: 1.0 };
        let shift = detectable(sample, sample, &demand).expect("five runs of a single metric can differ");
        // So much is asked for that any number of runs is enough.
        let options = Options { least_change: 1.0, resamples: 1_000, ..Options::default() };
        let mut dice = Dice::new(77);
        let mut is_found = |_: &u64| {
            let ours = dice.runs(runs, 100.0, 0.04, Shape::Normal);
            let theirs: Vec<f64> = dice.runs(runs, 100.0, 0.04, Shape::Normal).iter().map(|run| run + shift).collect();
            let told = compare(&ours, &theirs, Better::Lower, &options).expect("these are measurements");
            told.verdict == Verdict::Worse
        };
        let found = (0..4 * SEEDS).filter(&mut is_found).count();
        println!("{runs} runs each at 4 %: a slowdown of {shift:.2} % is found in {found} of {}", 4 * SEEDS);
        assert!((72.0..=88.0).contains(&per_cent(found, 4 * SEEDS)), "{found}");
    }
}

#[test]
fn so_many_runs_as_are_said_to_be_enough_are() {
    let few = Truth { shape: Shape::Lognormal, variation: 0.15, slowdown: 0.1, runs: 10 };
    let (ours, theirs) = few.sets(&mut Dice::new(7), 0.1);
    let told = of(&ours, &theirs);
    assert_eq!(told.verdict, Verdict::NotEnoughRuns);
    println!("{few}: {:?} runs of each are said to be enough", told.runs_needed);
    assert!(told.runs_needed.is_some_and(|needed| (25..=140).contains(&needed)));
    // Were it known that they vary by 15 %, some 60 would be; twice as many are, whatever they seem to vary by.
    let tally = Truth { runs: 120, ..few }.tally();
    assert!(per_cent(tally.worse, SEEDS) >= 90.0, "{tally:?}");
    // Where the variation alone would say that there are enough, but the interval is too wide, at least one more is said.
    let all = (0..SEEDS).map(|seed| {
        let (ours, theirs) = Truth { shape: Shape::Astray, variation: 0.04, ..few }.sets(&mut Dice::new(seed), 0.1);
        of(&ours, &theirs)
    });
    let not_enough: Vec<Comparison> = all.filter(|told| told.verdict == Verdict::NotEnoughRuns).collect();
    assert!(!not_enough.is_empty());
    assert!(not_enough.iter().all(|told| told.runs_needed.is_none_or(|needed| needed > 10)));
}

#[test]
fn among_ten_metrics_of_the_same_there_is_seldom_an_alarm() {
    for (shape, runs) in TEN {
        let (alarms, first) = Truth { shape, variation: 0.04, slowdown: 0.0, runs }.tally_of_ten();
        assert!(per_cent(alarms + first.alarms(), SEEDS_OF_TEN) <= 5.0, "{alarms} {first:?}");
    }
}

#[test]
fn one_slowdown_among_ten_metrics_is_found() {
    for ((shape, runs), least) in TEN.into_iter().zip([90.0, 90.0, 50.0, 5.0, 98.0]) {
        let (alarms, first) = Truth { shape, variation: 0.04, slowdown: 0.1, runs }.tally_of_ten();
        assert!(per_cent(first.worse, SEEDS_OF_TEN) >= least && first.better == 0, "{first:?}");
        // Once one is found, Holm leaves the others a little more, as he may.
        assert!(per_cent(alarms, SEEDS_OF_TEN) <= 6.0, "{alarms}");
    }
}

const TEN: [(Shape, usize); 5] =
    [(Shape::Normal, 10), (Shape::Lognormal, 10), (Shape::Astray, 10), (Shape::Lognormal, 5), (Shape::Lognormal, 20)];

#[test]
fn among_many_metrics_five_runs_are_believed_what_is_plain() {
    let (alarms, first) = Truth { shape: Shape::Lognormal, variation: 0.04, slowdown: 1.0, runs: 5 }.tally_of_ten();
    assert!(per_cent(alarms, SEEDS_OF_TEN) <= 5.0 && per_cent(first.worse, SEEDS_OF_TEN) >= 95.0, "{alarms} {first:?}");
    let (alarms, first) = Truth { shape: Shape::Lognormal, variation: 0.15, slowdown: 0.0, runs: 5 }.tally_of_ten();
    assert!(per_cent(alarms + first.alarms(), SEEDS_OF_TEN) <= 5.0, "{alarms} {first:?}");
}

#[test]
fn a_comparison_says_what_it_rests_on() {
    let ours = [100.0, 104.0, 98.0, 101.0, 97.0, 103.0];
    let theirs = ours.map(|value| 2.0 * value);
    let told = of(&ours, &theirs);
    assert_eq!(told.verdict, Verdict::Worse);
    assert_eq!((told.baseline.count, told.baseline.median, told.contender.median), (6, 100.5, 201.0));
    assert_eq!((told.difference.value, told.change.map(|change| change.value)), (100.5, Some(1.0)));
    let change = told.change.and_then(|change| change.interval).expect("six runs suffice");
    assert!(change.low > 0.9 && change.low < 1.0 && change.high > 1.0 && change.high < 1.1, "{change:?}");
    assert_close(told.effect.delta, 1.0, 0.0);
    assert_close(told.wanted, 10.05, 1e-9);
    assert_eq!(told.adjusted_p, told.ranks.p);
    let higher = compare(&ours, &theirs, Better::Higher, &Options::default()).map(|told| told.verdict);
    assert_eq!(higher, Ok(Verdict::Better));
    let mirrored = |runs: &[f64]| -> Vec<f64> { runs.iter().rev().copied().collect() };
    assert_eq!(told, of(&mirrored(&ours), &mirrored(&theirs)), "whatever the order of the runs");
    let json = serde_json::to_value(&told).expect("it is plain data");
    assert_eq!((json["verdict"].as_str(), json["difference"]["value"].as_f64()), (Some("worse"), Some(100.5)));
}

#[test]
fn few_runs_have_no_verdict() {
    for (ours, theirs) in [(vec![1.0], vec![9.0]), (vec![1.0; 4], vec![9.0; 40]), (vec![1.0; 40], vec![9.0; 4])] {
        let told = of(&ours, &theirs);
        assert_eq!((told.verdict, told.difference.interval), (Verdict::NotEnoughRuns, None));
        assert_eq!(told.difference.value, 8.0);
    }
    assert_eq!(of(&[1.0], &[9.0]).runs_needed, None);
    assert_eq!(of(&[1.0, 1.001], &[9.0, 9.001]).runs_needed, Some(5));
}

#[test]
fn what_never_varies_is_compared_by_its_value() {
    assert_eq!(of(&[7.0; 5], &[7.0; 5]).verdict, Verdict::Same);
    assert_eq!(of(&[100.0; 5], &[100.5; 5]).verdict, Verdict::Same, "half a per cent is ignored");
    assert_eq!(of(&[100.0; 5], &[102.0; 5]).verdict, Verdict::Worse);
    let fine = Options { least_change: 0.002, ..Options::default() };
    let told = compare(&[100.0; 5], &[100.5; 5], Better::Lower, &fine).map(|told| told.verdict);
    assert_eq!(told, Ok(Verdict::Worse), "not where two in a thousand are asked for");
    assert_eq!(of(&[0.0; 5], &[0.0; 5]).verdict, Verdict::Same);
    // Failures, where there were none.
    let failing = of(&[0.0; 10], &[0.02, 0.03, 0.01, 0.02, 0.04, 0.02, 0.03, 0.01, 0.02, 0.02]);
    assert_eq!((failing.verdict, failing.change), (Verdict::Worse, None));
    // A failure now and then on either side.
    let (some, others) = ([0.0, 0.0, 0.1, 0.0, 0.0, 0.2], [0.0, 0.1, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(of(&some, &others).verdict, Verdict::NotEnoughRuns);
    let tolerant = Metric { least_difference: 0.5, ..metric(&some, &others) };
    let told = compare_all(&[tolerant], &Options::default()).expect("the options are in their ranges");
    assert_eq!(told[0].as_ref().map(|told| told.verdict), Ok(Verdict::Same));
}

#[test]
fn numbers_of_every_kind_are_answered() {
    let kinds = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-160, -1e-90, 1e100, -1e100, 3.0, f64::NAN, f64::INFINITY, f64::MAX];
    let mut dice = Dice::new(5);
    let mut answered = 0;
    let options = Options { resamples: 200, ..Options::default() };
    for _ in 0..1_000 {
        let mut set = |most: f64| -> Vec<f64> {
            let count = (dice.share() * most) as usize;
            (0..count).map(|_| kinds[(dice.share() * most.min(13.0)) as usize]).collect()
        };
        let (ours, theirs) = (set(13.0), set(10.9));
        let is_measured = |set: &[f64]| !set.is_empty() && set.iter().all(|value| value.abs() <= 1e100);
        let told = compare(&ours, &theirs, Better::Higher, &options);
        assert_eq!(told.is_ok(), is_measured(&ours) && is_measured(&theirs), "{ours:?} {theirs:?}");
        if let Ok(told) = told {
            answered += 1;
            let figures = [told.difference.value, told.shift, told.ranks.p, told.adjusted_p, told.wanted];
            let others = [told.noise, told.detectable, told.change.map(|change| change.value)];
            let ends = [told.difference.interval, told.change.and_then(|change| change.interval)];
            let ends = ends.into_iter().flatten().flat_map(|interval| [interval.low, interval.high]);
            let all = figures.into_iter().chain(others.into_iter().flatten()).chain(ends);
            assert!(all.into_iter().all(f64::is_finite), "{ours:?} {theirs:?} {told:?}");
        }
    }
    println!("{answered} of 1,000 sets of odd numbers were compared");
    assert!(answered > 50, "{answered}");
}

#[test]
fn a_metric_that_cannot_be_compared_does_not_hinder_the_others() {
    let (well, slow, few) = ([1.0, 1.02, 0.98, 1.01, 0.99], [2.0, 2.02, 1.98, 2.01, 1.99], [1.0]);
    let metrics = [metric(&well, &[f64::NAN]), metric(&well, &few), metric(&well, &slow), metric(&[], &well)];
    let told = compare_all(&metrics, &few_resamples()).expect("the options are in their ranges");
    assert!(matches!(told[0], Err(Unfit::NoMeasurement { set: Set::Contender, index: 0, .. })));
    assert_eq!(told[1].as_ref().map(|told| told.verdict), Ok(Verdict::NotEnoughRuns));
    assert_eq!(told[2], Ok(of(&well, &slow)), "as if it had been alone");
    // Nor does one that never varies.
    let constant = [metric(&[0.0; 5], &[0.0; 5]), metric(&well, &slow)];
    let constant = compare_all(&constant, &few_resamples()).expect("the options are in their ranges");
    assert_eq!(constant[0].as_ref().map(|told| told.verdict), Ok(Verdict::Same));
    assert_eq!(constant[1], Ok(of(&well, &slow)));
    // But others do.
    let two = compare_all(&[metric(&well, &slow); 2], &few_resamples()).expect("the options are in their ranges");
    assert_eq!(two[0].as_ref().map(|told| told.adjusted_p), Ok(2.0 * of(&well, &slow).ranks.p));
    assert_eq!(told[3], Err(Unfit::NoRuns(Set::Baseline)));
    assert_eq!(compare_all(&[], &Options::default()), Ok(vec![]));
    let out_of_range = Options { resamples: 1, ..Options::default() };
    assert!(compare_all(&[], &out_of_range).is_err());
}

#[test]
fn a_comparison_takes_milliseconds() {
    let truth = Truth { shape: Shape::Lognormal, variation: 0.15, slowdown: 0.1, runs: 10 };
    let (ours, theirs) = truth.sets(&mut Dice::new(1), 0.1);
    let begun = Instant::now();
    for _ in 0..20 {
        let told = compare(&ours, &theirs, Better::Lower, &Options::default());
        assert_eq!(told.map(|told| told.verdict), Ok(Verdict::NotEnoughRuns));
    }
    let each = begun.elapsed() / 20;
    println!("10 against 10 runs: {each:?} each");
    // Several times what it takes, for machines with other things to do.
    assert!(each < Duration::from_millis(50), "{each:?}");
}
