//! When journeys start: the phases of an open load, or so many at once.

use std::time::Duration;

use crate::clock::Moment;
use crate::units::Rate;

/// How starts come about.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// At fixed moments, whatever has become of the earlier ones. At least one phase; only the last is without an end.
    Open(Vec<Phase>),
    /// Whenever one of `at_once` places is free. At least 1.
    Closed { at_once: u32 },
}

/// A stretch of an open load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// From one rate to another, in a straight line.
    Ramp { from: Rate, to: Rate, over: Duration },
    /// One rate; `over` is `None` for "until every start has been made".
    Hold { rate: Rate, over: Option<Duration> },
}

impl Phase {
    /// How many starts fall into it, fractions included; infinite for a hold without an end.
    pub fn starts(self) -> f64 {
        match self {
            Phase::Ramp { from, to, over } => (from.in_seconds() + to.in_seconds()) / 2.0 * over.as_secs_f64(),
            Phase::Hold { rate, over: Some(over) } => rate.in_seconds() * over.as_secs_f64(),
            Phase::Hold { over: None, .. } => f64::INFINITY,
        }
    }

    /// The highest rate in it, in starts per second.
    pub fn peak(self) -> f64 {
        match self {
            Phase::Ramp { from, to, .. } => from.in_seconds().max(to.in_seconds()),
            Phase::Hold { rate, .. } => rate.in_seconds(),
        }
    }

    /// How long after its beginning `starts` starts have been due. `starts` is less than the phase has.
    fn due(self, starts: f64) -> f64 {
        match self {
            _ if starts <= 0.0 => 0.0,
            Phase::Hold { rate, .. } => starts / rate.in_seconds(),
            Phase::Ramp { from, to, over } => {
                // a·t + s·t²/2 = starts, solved for t in the form that stays exact as s goes to 0.
                let (a, over) = (from.in_seconds(), over.as_secs_f64());
                let slope = (to.in_seconds() - a) / over;
                (2.0 * starts / (a + (a * a + 2.0 * slope * starts).max(0.0).sqrt())).min(over)
            }
        }
    }
}

/// Rounding errors of sums of rates stay far below this part of a start.
const A_HAIR: f64 = 1e-6;

/// How many starts the phases give; `None` when the last has no end.
pub fn starts_of(phases: &[Phase]) -> Option<u64> {
    let starts: f64 = phases.iter().map(|phase| phase.starts()).sum();
    starts.is_finite().then(|| (starts - A_HAIR).ceil().max(0.0) as u64)
}

/// The intended moments of an open load, one after the other: the first at the moment the first start is due.
#[derive(Debug, Clone)]
pub struct Moments {
    phases: Vec<Phase>,
    /// Index of the present phase.
    present: usize,
    /// When it began, in seconds.
    began: f64,
    /// How many starts came before it, fractions included.
    before: f64,
    /// How many starts have been given out.
    given: u64,
}

impl Moments {
    /// From the beginning of the first phase.
    pub fn of(phases: Vec<Phase>) -> Moments {
        Moments { phases, present: 0, began: 0.0, before: 0.0, given: 0 }
    }
}

impl Iterator for Moments {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        loop {
            let phase = *self.phases.get(self.present)?;
            let nth_in_phase = self.given as f64 - self.before;
            if nth_in_phase + A_HAIR < phase.starts() {
                self.given += 1;
                let seconds = self.began + phase.due(nth_in_phase);
                return Some(Moment::from_nanos((seconds * 1e9).round() as u64));
            }
            self.before += phase.starts();
            self.began += match phase {
                Phase::Ramp { over, .. } => over.as_secs_f64(),
                Phase::Hold { over, .. } => over.unwrap_or_default().as_secs_f64(),
            };
            self.present += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(from: f64, to: f64, seconds: u64) -> Phase {
        Phase::Ramp { from: Rate::per_second(from), to: Rate::per_second(to), over: Duration::from_secs(seconds) }
    }

    fn hold(rate: f64, seconds: Option<u64>) -> Phase {
        Phase::Hold { rate: Rate::per_second(rate), over: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn a_hold_is_even() {
        let moments: Vec<Moment> = Moments::of(vec![hold(100.0, Some(10))]).collect();
        assert_eq!(moments.len(), 1000);
        assert_eq!(moments[0], Moment::ZERO);
        assert!(moments.windows(2).all(|pair| (pair[1] - pair[0]).as_micros().abs_diff(10_000) <= 1));
    }

    #[test]
    fn a_ramp_gives_the_area_under_it_and_gets_faster() {
        // From 0/s to 100/s in 5 s: 250 starts, the n-th at sqrt(2·n/20) seconds.
        let moments: Vec<Moment> = Moments::of(vec![ramp(0.0, 100.0, 5)]).collect();
        assert_eq!(moments.len(), 250);
        assert_eq!(moments[40], Moment::from_millis(2_000));
        assert_eq!(moments[160], Moment::from_millis(4_000));
        let waits: Vec<Duration> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits.windows(2).all(|pair| pair[1] <= pair[0]));
    }

    #[test]
    fn phases_follow_each_other_without_a_gap() {
        let phases = vec![ramp(0.0, 100.0, 5), hold(0.0, Some(1)), hold(100.0, None)];
        assert_eq!(starts_of(&phases), None);
        let moments: Vec<Moment> = Moments::of(phases).take(350).collect();
        assert_eq!(moments[250], Moment::from_millis(6_000));
        assert_eq!(moments[349], Moment::from_millis(6_990));
    }

    #[test]
    fn phases_say_how_many_starts_they_give() {
        for (phases, starts) in [
            (vec![hold(100.0, Some(10))], 1000),
            (vec![ramp(0.0, 100.0, 5), hold(100.0, Some(10)), ramp(100.0, 0.0, 5)], 1500),
            (vec![hold(0.1, Some(3)), hold(0.1, Some(7))], 1),
            (vec![hold(0.3, Some(5))], 2),
            (vec![], 0),
        ] {
            assert_eq!(starts_of(&phases), Some(starts), "{phases:?}");
            assert_eq!(Moments::of(phases).count() as u64, starts);
        }
    }
}
