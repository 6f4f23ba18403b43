//! When a series of runs changed.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::Serialize;

use crate::statistics::astray::not_astray;
use crate::statistics::energy::{Series, Split};
use crate::statistics::median::median_of;
use crate::statistics::unfit::{LONGEST_SERIES, Unfit, check_option, is_measurement};

/// What is asked of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrendOptions {
    /// How often, at most, a stretch without a change is split: 0.001 to 0.2.
    pub significance: f64,
    /// How many runs, at least, are on either side of a change: 2 to 1,000. One that went astray is no change, and what
    /// changed in the latest runs shows when there are so many of them.
    pub least_runs: usize,
    /// How often a stretch is shuffled to see what chance does: 19 to 9,999, and often enough for the significance.
    pub shuffles: usize,
    /// Of the shuffling.
    pub seed: u64,
}

/// What became of a metric over a series of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// So few runs cannot show a change. Those that went astray are not counted.
    NotEnoughRuns { runs: usize, needed: usize },
    /// When it changed, in the order of time. None: it did not.
    Changes(Vec<ChangePoint>),
}

/// A lasting change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChangePoint {
    /// The number of the first run after it, from 0.
    pub first_after: usize,
    /// The median of the runs between the previous change and this one, and from this one to the next.
    pub before: f64,
    pub after: f64,
    /// As a share of what it was: 0.1 is 10 % more. `None`: it was 0.
    pub change: Option<f64>,
    /// How often runs without a change, in a stretch like this, show a split as clear.
    pub p: f64,
}

impl Default for TrendOptions {
    fn default() -> TrendOptions {
        TrendOptions { significance: 0.01, least_runs: 5, shuffles: 999, seed: 1 }
    }
}

/// Finds the changes in a series of runs, one value each, in the order of time.
///
/// The series is split where its parts are furthest apart, the parts are split again, as long as a split is clearer than
/// those of the same values in random order: E-divisive of Matteson and James 2014, "A Nonparametric Approach for Multiple
/// Change Point Analysis of Multivariate Data", which Daly et al. 2020, "The Use of Change Point Detection to Identify
/// Software Performance Regressions in a Continuous Integration System", brought to series of benchmarks. As there, a stretch
/// is split once and not cut at both ends at a time. A first split is made in ignorance of later ones; so every change is
/// looked for again between its neighbours in the end, as Fleming et al. 2023, "Hunter: Using Change Point Detection to Hunt
/// for Performance Regressions", judge theirs again, and dropped if it has become chance.
///
/// # Errors
///
/// [`Unfit`] for values that are no measurements, series of more than 5,000 runs, and options out of their range. Too few
/// runs are no error but an answer.
pub fn trend(values: &[f64], options: &TrendOptions) -> Result<Trend, Unfit> {
    options.check()?;
    if let Some(index) = values.iter().position(|value| !is_measurement(*value)) {
        return Err(Unfit::NoMeasurementInSeries { index, value: values[index] });
    }
    if values.len() > LONGEST_SERIES {
        return Err(Unfit::TooLongSeries { runs: values.len() });
    }
    let kept = not_astray(values, options.least_runs - 1);
    let needed = options.runs_needed();
    if kept.len() < needed {
        return Ok(Trend::NotEnoughRuns { runs: kept.len(), needed });
    }
    let calm: Vec<f64> = kept.iter().map(|place| values[*place]).collect();
    let mut changes = settled(&calm, split_up(&calm, options), options);
    changes.iter_mut().for_each(|(first_after, _)| *first_after = kept[*first_after]);
    let ends = |at: usize| changes.get(at).map_or(values.len(), |(first_after, _)| *first_after);
    let mut begin = 0;
    let mut points = Vec::with_capacity(changes.len());
    for (number, (first_after, p)) in changes.iter().enumerate() {
        let median = |from: usize, to: usize| median_of(&values[from..to]).expect("both sides of a change have runs");
        let (before, after) = (median(begin, *first_after), median(*first_after, ends(number + 1)));
        let change = (before.abs() > 1e-100).then(|| (after - before) / before.abs());
        points.push(ChangePoint { first_after: *first_after, before, after, change, p: *p });
        begin = *first_after;
    }
    Ok(Trend::Changes(points))
}

/// The first run after a change, and how likely chance is to have made it.
type Change = (usize, f64);

/// The changes that are found by splitting the series, then its parts, in the order of time.
fn split_up(values: &[f64], options: &TrendOptions) -> Vec<Change> {
    let mut stretches = vec![(0, values.len())];
    let mut changes = Vec::new();
    while let Some((from, to)) = stretches.pop() {
        if let Some((first_after, p)) = change_within(values, from, to, options) {
            changes.push((first_after, p));
            stretches.extend([(from, first_after), (first_after, to)]);
        }
    }
    changes.sort_by_key(|(first_after, _)| *first_after);
    changes
}

/// The same changes, each looked for again between its neighbours until none moves. A few rounds; each of them can only
/// move or drop changes.
fn settled(values: &[f64], mut changes: Vec<Change>, options: &TrendOptions) -> Vec<Change> {
    for _ in 0..10 {
        let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
        for number in 0..changes.len() {
            let from = kept.last().map_or(0, |(first_after, _)| *first_after);
            let to = changes.get(number + 1).map_or(values.len(), |(first_after, _)| *first_after);
            kept.extend(change_within(values, from, to, options));
        }
        let is_settled = kept == changes;
        changes = kept;
        if is_settled {
            break;
        }
    }
    changes
}

/// The clearest split of a stretch, unless chance makes splits as clear more often than it may.
fn change_within(values: &[f64], from: usize, to: usize, options: &TrendOptions) -> Option<Change> {
    let mut series = Series::of(&values[from..to]);
    let Split { at, distance } = series.best_split(options.least_runs)?;
    let allowed = options.allowed();
    let mut as_clear = 0;
    let mut dice = ChaCha8Rng::seed_from_u64(options.seed);
    for _ in 0..options.shuffles {
        series.order().shuffle(&mut dice);
        let shuffled = series.best_split(options.least_runs).map_or(0.0, |split| split.distance);
        // The same values in an order as good may differ by rounding.
        if shuffled >= distance * (1.0 - 1e-9) {
            as_clear += 1;
            // What is beyond hope need not be counted further (Besag, Clifford 1991, "Sequential Monte Carlo p-values").
            if as_clear > allowed {
                return None;
            }
        }
    }
    // The order that was found is one of those that chance can make (Phipson, Smyth 2010, "Permutation P-values Should Never
    // Be Zero").
    Some((from + at, (as_clear + 1) as f64 / (options.shuffles + 1) as f64))
}

impl TrendOptions {
    /// How many runs a series has to have.
    pub fn runs_needed(&self) -> usize {
        2 * self.least_runs
    }

    /// How many shuffled stretches may show a split as clear.
    fn allowed(&self) -> usize {
        (self.significance * (self.shuffles + 1) as f64 + 1e-9) as usize - 1
    }

    fn check(&self) -> Result<(), Unfit> {
        check_option("significance", self.significance, (0.001, 0.2), "0.001 to 0.2")?;
        check_option("least_runs", self.least_runs as f64, (2.0, 1e3), "2 to 1,000")?;
        let least = (1.0 / self.significance - 1e-6).ceil() - 1.0;
        let range = "1 / significance - 1 to 9,999, at least 19";
        check_option("shuffles", self.shuffles as f64, (least.max(19.0), 9_999.0), range)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::statistics::synthetic::{Dice, Shape, assert_close};

    /// Runs that vary by 4 %, in stretches of so many around so much.
    fn series(seed: u64, shape: Shape, stretches: &[(usize, f64)]) -> Vec<f64> {
        let mut dice = Dice::new(seed);
        stretches.iter().flat_map(|(count, median)| dice.runs(*count, *median, 0.04, shape)).collect()
    }

    fn changes(values: &[f64]) -> Vec<ChangePoint> {
        // As many shuffles as a significance of 1 % takes; more of them make a p finer and take as much longer.
        match trend(values, &TrendOptions { shuffles: 199, ..TrendOptions::default() }) {
            Ok(Trend::Changes(changes)) => changes,
            // Of ten runs one may have gone astray.
            Ok(Trend::NotEnoughRuns { .. }) => Vec::new(),
            Err(unfit) => unreachable!("these are measurements: {unfit}"),
        }
    }

    const SHAPES: [Shape; 3] = [Shape::Normal, Shape::Lognormal, Shape::Astray];

    #[test]
    fn a_step_is_found_where_it_is() {
        for shape in SHAPES {
            let (mut found, mut alone, mut exact) = (0, 0, 0);
            for seed in 0..100 {
                let changes = changes(&series(seed, shape, &[(30, 100.0), (30, 110.0)]));
                found += usize::from(changes.iter().any(|change| change.first_after.abs_diff(30) <= 3));
                exact += usize::from(changes.iter().any(|change| change.first_after == 30));
                alone += usize::from(changes.len() == 1);
            }
            println!(
                "step of 10 % in 30 + 30 {shape:?} runs at 4 %: within 3 in {found}, exactly in {exact}, alone in {alone} of 100"
            );
            assert!(found >= 95 && alone >= 95, "{found} {alone}");
        }
    }

    #[test]
    fn where_nothing_changed_nothing_is_found() {
        for shape in SHAPES {
            for count in [10, 20, 60, 120] {
                let is_wrong = |seed: &u64| !changes(&series(20_000 + seed, shape, &[(count, 100.0)])).is_empty();
                let wrong = (0..100).filter(is_wrong).count();
                println!("no step in {count} {shape:?} runs at 4 %: one found in {wrong} of 100");
                assert!(wrong <= 5, "{wrong}");
            }
        }
    }

    #[test]
    fn two_steps_are_found_up_or_back_again() {
        for (third, least) in [(120.0, 90), (100.0, 80), (104.0, 60)] {
            let is_found = |seed: &u64| {
                let changes = changes(&series(*seed, Shape::Lognormal, &[(25, 100.0), (25, 110.0), (25, third)]));
                let at = |number: usize, place: usize| changes[number].first_after.abs_diff(place) <= 3;
                changes.len() == 2 && at(0, 25) && at(1, 50)
            };
            let found = (0..100).filter(is_found).count();
            println!("100, 110, {third} in 25 runs each at 4 %: both within 3, and no other, in {found} of 100");
            assert!(found >= least, "{found}");
        }
    }

    #[test]
    fn a_step_shows_as_soon_as_there_are_five_runs_after_it() {
        for (after, least) in [(5, 70), (7, 85), (10, 95)] {
            let found = |seed: &u64| {
                let changes = changes(&series(*seed, Shape::Lognormal, &[(30, 100.0), (after, 110.0)]));
                changes.iter().any(|change| change.first_after.abs_diff(30) <= 3)
            };
            let found = (0..100).filter(found).count();
            println!("step of 10 % after 30 runs at 4 %, {after} runs later: found in {found} of 100");
            assert!(found >= least, "{found}");
        }
    }

    #[test]
    fn a_change_says_from_what_to_what() {
        let mut values = vec![10.0; 8];
        values.extend([15.0; 7]);
        let found = changes(&values);
        assert_eq!(found.len(), 1);
        let ChangePoint { first_after, before, after, change, p } = found[0];
        assert_eq!((first_after, before, after, change), (8, 10.0, 15.0, Some(0.5)));
        assert_close(p, 0.005, 0.005);
        values[..8].fill(0.0);
        assert_eq!(changes(&values)[0].change, None);
        assert_eq!(changes(&values), changes(&values));
        let json = serde_json::to_value(trend(&values, &TrendOptions::default()).expect("these are measurements"));
        assert_eq!(json.expect("it is plain data")["changes"][0]["first_after"], 8);
    }

    #[test]
    fn one_run_astray_is_no_change() {
        for place in [0, 10, 29] {
            let mut values = series(3, Shape::Normal, &[(30, 100.0)]);
            values[place] = 900.0;
            assert_eq!(changes(&values), [], "{place}");
        }
    }

    #[test]
    fn series_of_every_kind_are_answered() {
        let of = |values: &[f64]| trend(values, &TrendOptions::default());
        assert_eq!(of(&[]), Ok(Trend::NotEnoughRuns { runs: 0, needed: 10 }));
        assert_eq!(of(&[1.0; 9]), Ok(Trend::NotEnoughRuns { runs: 9, needed: 10 }));
        assert_eq!(of(&[1.0; 10]), Ok(Trend::Changes(vec![])));
        assert_eq!(of(&[0.1; 300]), Ok(Trend::Changes(vec![])));
        for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
            assert!(matches!(of(&[1.0, bad]), Err(Unfit::NoMeasurementInSeries { index: 1, .. })));
        }
        assert_eq!(of(&vec![1.0; 5_001]), Err(Unfit::TooLongSeries { runs: 5_001 }));
        let wide = [1e100, -1e100, 5e-324, 0.0, 1e100, -1e100, 5e-324, 0.0, 1e100, -1e100, 5e-324, 0.0];
        assert!(matches!(of(&wide), Ok(Trend::Changes(_))));
        let options = TrendOptions::default();
        for (bad, name) in [
            (TrendOptions { significance: 0.0, ..options }, "significance"),
            (TrendOptions { significance: f64::NAN, ..options }, "significance"),
            (TrendOptions { least_runs: 1, ..options }, "least_runs"),
            (TrendOptions { shuffles: 98, ..options }, "shuffles"),
        ] {
            assert!(matches!(trend(&[1.0], &bad), Err(Unfit::Option { option, .. }) if option == name), "{name}");
        }
        assert!(trend(&[1.0; 20], &TrendOptions { shuffles: 99, ..options }).is_ok());
    }

    #[test]
    fn a_hundred_runs_take_no_time() {
        for count in [30, 500] {
            let values = series(1, Shape::Lognormal, &[(count, 100.0), (count, 110.0)]);
            let begun = Instant::now();
            let found = trend(&values, &TrendOptions::default()).expect("these are measurements");
            assert!(matches!(found, Trend::Changes(changes) if !changes.is_empty()));
            let took = begun.elapsed();
            println!("a series of {} runs with one change: {took:?}", 2 * count);
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
}
