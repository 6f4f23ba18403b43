//! Intervals from resampled runs.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// What a figure came to in resampled sets of runs, in rising order.
///
/// Percentile intervals (Efron 1979, "Bootstrap Methods: Another Look at the Jackknife"; Davison and Hinkley 1997, "Bootstrap
/// Methods and their Application", section 5.3.1), not the bias-corrected accelerated ones: their acceleration comes from the
/// jackknife, which fails for medians (Efron 1979, section 3), and their correction of the bias jumps from one of the few
/// values that a resampled median can have to the next.
#[derive(Debug, Clone)]
pub struct Resampled(Vec<f64>);

/// The values of runs in rising order, with the runs' numbers.
#[derive(Debug, Clone)]
pub struct Ordered(Vec<(usize, f64)>);

impl Interval {
    /// Whether it lies on one side of 0.
    pub fn excludes_zero(&self) -> bool {
        self.is_beyond(0.0)
    }

    /// Whether it is 0 and nothing else.
    pub fn is_nothing(&self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }

    /// Whether all of it is further from 0 than this, on one side.
    pub fn is_beyond(&self, distance: f64) -> bool {
        self.low > distance || self.high < -distance
    }
}

impl Resampled {
    pub fn new(mut figures: Vec<f64>) -> Resampled {
        figures.sort_by(f64::total_cmp);
        Resampled(figures)
    }

    /// Where the figure is with this confidence: as much of the risk is left on either side, rounded outwards. `None`: of
    /// nothing.
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        let last = self.0.len().checked_sub(1)?;
        // A hair, that 0.025 × 4,000 is 100 and not 99.99.
        let outside = ((1.0 - confidence) / 2.0 * self.0.len() as f64 + 1e-9) as usize;
        let outside = outside.saturating_sub(1).min(last / 2);
        Some(Interval { low: self.0[outside], high: self.0[last - outside] })
    }
}

/// Draws runs with replacement, as many as there are, again and again, and gives `figure` each time how often every run of the
/// baseline and of the contender was drawn. Neither is empty.
pub fn resample(seed: u64, times: usize, baseline: usize, contender: usize, mut figure: impl FnMut(&[u32], &[u32])) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |drawn: &mut [u32]| {
        drawn.fill(0);
        let runs = u32::try_from(drawn.len()).expect("a set was checked not to be that large");
        (0..runs).for_each(|_| drawn[dice.random_range(0..runs) as usize] += 1);
    };
    let (mut of_baseline, mut of_contender) = (vec![0; baseline], vec![0; contender]);
    for _ in 0..times {
        draw(&mut of_baseline);
        draw(&mut of_contender);
        figure(&of_baseline, &of_contender);
    }
}

impl Ordered {
    pub fn of(values: &[f64]) -> Ordered {
        let mut runs: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
        runs.sort_by(|one, other| one.1.total_cmp(&other.1));
        Ordered(runs)
    }

    /// The median, were every run there as often as it was drawn; as many are drawn as there are, and there are some.
    pub fn median(&self, drawn: &[u32]) -> f64 {
        let count = self.0.len();
        let mut up_to = 0;
        let mut reached = self.0.iter().filter(|(run, _)| drawn[*run] > 0).map(|(run, value)| {
            up_to += drawn[*run] as usize;
            (up_to, *value)
        });
        let (up_to, lower) =
            reached.find(|(up_to, _)| 2 * up_to >= count).expect("all that are drawn are half at least");
        let is_both = count % 2 == 1 || 2 * up_to > count;
        match reached.next() {
            Some((_, upper)) if !is_both => lower + (upper - lower) / 2.0,
            _ => lower,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::median::median;
    use crate::statistics::synthetic::{Dice, Shape};

    #[test]
    fn the_risk_is_left_on_both_sides_alike() {
        let resampled = Resampled::new((1..=1_000).rev().map(f64::from).collect());
        assert_eq!(resampled.interval(0.95), Some(Interval { low: 25.0, high: 976.0 }));
        assert_eq!(resampled.interval(0.999_9), Some(Interval { low: 1.0, high: 1_000.0 }));
        assert_eq!(Resampled::new(Vec::new()).interval(0.95), None);
        assert_eq!(Resampled::new(vec![7.0]).interval(0.95), Some(Interval { low: 7.0, high: 7.0 }));
    }

    #[test]
    fn an_interval_is_beyond_what_all_of_it_is_beyond() {
        assert!(Interval { low: 0.1, high: 2.0 }.excludes_zero());
        assert!(Interval { low: -2.0, high: -0.1 }.excludes_zero());
        assert!(!Interval { low: 0.0, high: 2.0 }.excludes_zero());
        assert!(!Interval { low: -1.0, high: 2.0 }.excludes_zero());
        assert!(Interval { low: -2.0, high: -1.5 }.is_beyond(1.0));
        assert!(!Interval { low: 0.5, high: 2.0 }.is_beyond(1.0));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut drawn = Vec::new();
            resample(seed, 50, 4, 3, |ours, theirs| drawn.push((ours.to_vec(), theirs.to_vec())));
            drawn
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        assert!(draw(3).iter().all(|(ours, theirs)| ours.iter().sum::<u32>() == 4 && theirs.iter().sum::<u32>() == 3));
    }

    #[test]
    fn the_median_of_what_is_drawn_is_that_of_as_many_values() {
        for count in [1, 2, 5, 8] {
            let values = Dice::new(count as u64).runs(count, 100.0, 0.1, Shape::Normal);
            let ordered = Ordered::of(&values);
            resample(9, 200, count, 1, |drawn, _| {
                let values = values.iter().zip(drawn).flat_map(|(value, times)| vec![*value; *times as usize]);
                assert_eq!(Some(ordered.median(drawn)), median(&mut values.collect::<Vec<f64>>()));
            });
        }
    }

    #[test]
    fn the_interval_of_a_difference_of_medians_holds_it_about_as_often_as_it_says() {
        for count in [5, 10, 20] {
            let holds = |seed: u64| {
                let mut dice = Dice::new(seed);
                let ours = dice.runs(count, 100.0, 0.04, Shape::Lognormal);
                let theirs = dice.runs(count, 110.0, 0.04, Shape::Lognormal);
                let (ours, theirs) = (Ordered::of(&ours), Ordered::of(&theirs));
                let mut differences = Vec::new();
                resample(seed, 500, count, count, |of_ours, of_theirs| {
                    differences.push(theirs.median(of_theirs) - ours.median(of_ours));
                });
                Resampled::new(differences)
                    .interval(0.95)
                    .is_some_and(|interval| interval.low <= 10.0 && 10.0 <= interval.high)
            };
            let held = (0..500).filter(|seed| holds(*seed)).count();
            println!("95 % interval of the difference of medians, {count} runs each: held it in {held} of 500");
            assert!((460..=498).contains(&held), "{held}");
        }
    }
}
