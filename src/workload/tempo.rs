//! How the time of a plan passes in the time of a run: as it is, faster, slower, or not at all. Exact, however often that
//! changes.

use std::time::Duration;

use crate::clock::Moment;

/// How fast a plan is walked: 1 as it was planned, 2 twice as fast. Kept in whole millionths, so that sums of them are
/// exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    millionths: u32,
}

/// A pace that nobody can keep.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("expected a pace from {least} to {most}, as a factor on the planned rates, found `{found}`", least = Pace::LEAST, most = Pace::MOST)]
pub struct PaceError {
    pub found: f64,
}

impl Pace {
    pub const LEAST: f64 = 0.001;
    pub const MOST: f64 = 1_000.0;
    pub const AS_PLANNED: Pace = Pace { millionths: 1_000_000 };

    /// The pace of a factor on the planned rates, to the millionth.
    ///
    /// # Errors
    /// A factor that is not from [`Pace::LEAST`] to [`Pace::MOST`]; to stand still is to pause.
    pub fn of(factor: f64) -> Result<Pace, PaceError> {
        if !(Pace::LEAST..=Pace::MOST).contains(&factor) {
            return Err(PaceError { found: factor });
        }
        Ok(Pace { millionths: (factor * 1e6).round() as u32 })
    }

    /// The factor on the planned rates.
    pub fn factor(self) -> f64 {
        f64::from(self.millionths) / 1e6
    }
}

/// From the time of a plan to that of a run, and back.
#[derive(Debug, Clone)]
pub struct Tempo {
    /// Where the pace has changed: ascending, never empty. At the same moment only the last counts.
    turns: Vec<Turn>,
    /// The pace while the plan is not paused.
    pace: Pace,
}

/// From a moment on, another pace.
#[derive(Debug, Clone, Copy)]
struct Turn {
    at: Moment,
    /// How far the plan has come by then, in millionths of nanoseconds.
    reached: u128,
    /// Millionths of the planned pace; 0 while it is paused.
    speed: u32,
}

/// Parts of a nanosecond in which the time of a plan is counted.
const PARTS: u128 = 1_000_000;

impl Tempo {
    /// The plan begins now, as planned.
    pub fn from(now: Moment) -> Tempo {
        let pace = Pace::AS_PLANNED;
        Tempo { turns: vec![Turn { at: now, reached: 0, speed: pace.millionths }], pace }
    }

    /// The pace while it is not paused.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    pub fn is_paused(&self) -> bool {
        self.latest().speed == 0
    }

    /// The plan stands still from now on.
    pub fn pause(&mut self, now: Moment) {
        self.turn(now, 0);
    }

    /// The plan goes on from where it stands.
    pub fn resume(&mut self, now: Moment) {
        self.turn(now, self.pace.millionths);
    }

    /// The plan goes on at another pace: at once, or when it is resumed.
    pub fn set(&mut self, now: Moment, pace: Pace) {
        self.pace = pace;
        if !self.is_paused() {
            self.turn(now, pace.millionths);
        }
    }

    fn turn(&mut self, now: Moment, speed: u32) {
        let latest = *self.latest();
        if latest.speed == speed {
            return;
        }
        let now = now.max(latest.at);
        let reached = latest.reached_by(now);
        if latest.at == now {
            self.turns.pop();
        }
        self.turns.push(Turn { at: now, reached, speed });
    }

    fn latest(&self) -> &Turn {
        &self.turns[self.turns.len() - 1]
    }

    /// When the plan comes to this time of its own; the first such moment where it stands still there, and
    /// [`Moment::NEVER`] while it is paused before it.
    pub fn moment_of(&self, planned: Duration) -> Moment {
        let planned = planned.as_nanos() * PARTS;
        // The turn at which it has come to this time or beyond; the one before it is how it gets there.
        let beyond = self.turns.partition_point(|turn| turn.reached < planned);
        let turn = &self.turns[beyond.saturating_sub(1)];
        let missing = planned.saturating_sub(turn.reached);
        if missing == 0 {
            return turn.at;
        }
        match turn.speed {
            0 => Moment::NEVER,
            speed => {
                let nanos = u64::try_from(missing.div_ceil(u128::from(speed))).unwrap_or(u64::MAX);
                turn.at + Duration::from_nanos(nanos)
            }
        }
    }

    /// Whether the plan has come so far by this moment.
    pub fn has_come_to(&self, planned: Duration, by: Moment) -> bool {
        self.turn_at(by).reached_by(by) >= planned.as_nanos() * PARTS
    }

    /// How long after this moment the plan comes to this time, if the pace stays; if it is paused, from the moment on at
    /// which it is resumed.
    pub fn remaining(&self, planned: Duration, now: Moment) -> Duration {
        let missing = (planned.as_nanos() * PARTS).saturating_sub(self.turn_at(now).reached_by(now));
        let nanos = missing.div_ceil(u128::from(self.pace.millionths));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// This moment, or, where the plan stands still then, the one at which it goes on: [`Moment::NEVER`] while nobody has
    /// said so.
    pub fn when_going(&self, at: Moment) -> Moment {
        let after = self.turns.partition_point(|turn| turn.at <= at);
        let turn = &self.turns[after.saturating_sub(1)];
        if turn.speed > 0 {
            return at;
        }
        self.turns[after..].iter().find(|turn| turn.speed > 0).map_or(Moment::NEVER, |turn| turn.at)
    }

    fn turn_at(&self, at: Moment) -> &Turn {
        let after = self.turns.partition_point(|turn| turn.at <= at);
        &self.turns[after.saturating_sub(1)]
    }
}

impl Turn {
    fn reached_by(&self, at: Moment) -> u128 {
        self.reached + at.since(self.at).as_nanos() * u128::from(self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1_000)
    }

    fn planned(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pace(factor: f64) -> Pace {
        Pace::of(factor).unwrap()
    }

    #[test]
    fn a_pause_moves_what_comes_after_it_by_its_length() {
        let mut tempo = Tempo::from(at(100));
        assert_eq!(tempo.moment_of(planned(10)), at(110));
        tempo.pause(at(104));
        assert!(tempo.is_paused());
        assert_eq!(tempo.moment_of(planned(3)), at(103), "what is past stays where it was");
        assert_eq!(tempo.moment_of(planned(4)), at(104), "the first moment at which it had come so far");
        assert_eq!(tempo.moment_of(planned(10)), Moment::NEVER);
        assert_eq!(tempo.remaining(planned(10), at(107)), planned(6));
        tempo.resume(at(109));
        assert_eq!([3, 4, 5, 10].map(|second| tempo.moment_of(planned(second))), [103, 104, 110, 115].map(at));
        assert!(!tempo.is_paused());
    }

    #[test]
    fn another_pace_stretches_or_shrinks_what_remains() {
        let mut tempo = Tempo::from(at(0));
        tempo.set(at(10), pace(2.0));
        assert_eq!([10, 12, 20].map(|second| tempo.moment_of(planned(second))), [10, 11, 15].map(at));
        // At 14 s the plan has come to 18 s; at half the pace the 2 s that are left until 20 s take 4.
        tempo.set(at(14), pace(0.5));
        assert_eq!([18, 20].map(|second| tempo.moment_of(planned(second))), [14, 18].map(at));
        assert_eq!(tempo.remaining(planned(20), at(16)), planned(2));
        assert!(tempo.has_come_to(planned(20), at(18)) && !tempo.has_come_to(planned(20), at(17)));
    }

    #[test]
    fn a_pace_that_is_set_in_a_pause_counts_once_it_is_over() {
        let mut tempo = Tempo::from(at(0));
        tempo.pause(at(2));
        tempo.set(at(3), pace(4.0));
        assert!(tempo.is_paused());
        assert_eq!(tempo.pace().factor(), 4.0);
        tempo.resume(at(5));
        assert_eq!(tempo.moment_of(planned(10)), at(7));
        assert_eq!(tempo.when_going(at(1)), at(1));
        assert_eq!(tempo.when_going(at(4)), at(5));
        tempo.pause(at(8));
        assert_eq!(tempo.when_going(at(9)), Moment::NEVER);
    }

    #[test]
    fn any_number_of_changes_is_exact() {
        // A thousand times one nanosecond at 1/3 of the pace (333,333 millionths) and seven at 1.7: each time the plan
        // moves by 0.333333 + 11.9 ns, and in all by 12,233.333 ns; a rounding at every turn would show.
        let mut tempo = Tempo::from(Moment::ZERO);
        for round in 0..1_000 {
            tempo.set(Moment::from_nanos(8 * round), pace(0.333_333));
            tempo.set(Moment::from_nanos(8 * round + 1), pace(1.7));
        }
        let now = Moment::from_nanos(8_000);
        tempo.set(now, Pace::AS_PLANNED);
        assert!(tempo.has_come_to(Duration::from_nanos(12_233), now));
        assert!(!tempo.has_come_to(Duration::from_nanos(12_234), now));
        assert_eq!(tempo.moment_of(Duration::from_nanos(12_234)), Moment::from_nanos(8_001));
    }

    #[test]
    fn changes_at_one_moment_are_one_change() {
        let mut tempo = Tempo::from(at(0));
        for factor in [2.0, 3.0, 5.0] {
            tempo.set(at(1), pace(factor));
        }
        tempo.pause(at(1));
        tempo.resume(at(1));
        assert_eq!(tempo.turns.len(), 2);
        assert_eq!(tempo.moment_of(planned(6)), at(2));
    }

    #[test]
    fn only_a_pace_that_can_be_kept_is_one() {
        for wrong in [0.0, -1.0, 1e-9, 1e9, f64::NAN, f64::INFINITY] {
            let error = Pace::of(wrong).unwrap_err().to_string();
            assert!(error.starts_with("expected a pace from 0.001 to 1000"), "{error}");
        }
        assert_eq!(pace(1.0), Pace::AS_PLANNED);
        assert_eq!(pace(0.25).factor(), 0.25);
    }
}
