//! How a rate runs over a phase, and when so many starts have become due by it.

use std::time::Duration;

use crate::units::Rate;

/// The rate of a phase over its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Course {
    /// One rate; `over` is `None` for "until every start has been made".
    Hold { rate: Rate, over: Option<Duration> },
    /// From one rate to another, in a straight line.
    Ramp { from: Rate, to: Rate, over: Duration },
    /// From one rate to another in equal steps, the first at `from`, the last at `to`. At least 2 steps.
    Stairs { from: Rate, to: Rate, steps: u32, each: Duration },
    /// `base` for the whole time `over`, but `peak` for the time `top` in its middle. `top` is no longer than `over`.
    Spike { base: Rate, peak: Rate, top: Duration, over: Duration },
}

impl Course {
    /// How many starts it gives, fractions included; infinite for a hold without an end.
    pub fn starts(&self) -> f64 {
        self.slopes().iter().map(|slope| slope.starts()).sum()
    }

    /// The highest rate in it, in starts per second.
    pub fn peak(&self) -> f64 {
        self.slopes().iter().map(|slope| slope.from.max(slope.to)).fold(0.0, f64::max)
    }

    /// How long it lasts; `None` for a hold without an end.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Course::Hold { over, .. } => *over,
            Course::Ramp { over, .. } | Course::Spike { over, .. } => Some(*over),
            Course::Stairs { steps, each, .. } => Some(each.saturating_mul(*steps)),
        }
    }

    fn slopes(&self) -> Vec<Slope> {
        let flat = |rate: f64, over: f64| Slope { from: rate, to: rate, over };
        match self {
            Course::Hold { rate, over } => {
                vec![flat(rate.in_seconds(), over.map_or(f64::INFINITY, |over| over.as_secs_f64()))]
            }
            Course::Ramp { from, to, over } => {
                vec![Slope { from: from.in_seconds(), to: to.in_seconds(), over: over.as_secs_f64() }]
            }
            Course::Stairs { from, to, steps, each } => {
                let (from, to) = (from.in_seconds(), to.in_seconds());
                let rise = (to - from) / f64::from((*steps).max(2) - 1);
                (0..*steps).map(|step| flat(from + rise * f64::from(step), each.as_secs_f64())).collect()
            }
            Course::Spike { base, peak, top, over } => {
                let beside = over.saturating_sub(*top).as_secs_f64() / 2.0;
                let base = flat(base.in_seconds(), beside);
                vec![base, flat(peak.in_seconds(), top.as_secs_f64()), base]
            }
        }
    }
}

/// A part of a course in which the rate is a straight line.
#[derive(Debug, Clone, Copy)]
struct Slope {
    /// In starts per second.
    from: f64,
    to: f64,
    /// In seconds; infinite only where the rate is flat.
    over: f64,
}

impl Slope {
    fn starts(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.over
    }

    /// How long after its beginning `starts` starts have been due, in seconds; its end where it has no more.
    fn due(&self, starts: f64) -> f64 {
        if starts <= 0.0 {
            return 0.0;
        }
        // a·t + s·t²/2 = starts, solved for t in the form that stays exact as s goes to 0.
        let slope = (self.to - self.from) / self.over;
        let root = (self.from * self.from + 2.0 * slope * starts).max(0.0).sqrt();
        (2.0 * starts / (self.from + root)).min(self.over)
    }
}

/// Rounding errors of sums of rates stay far below this part of a start.
pub const A_HAIR: f64 = 1e-6;

/// A course climbed start by start: finds the moments of ascending numbers of starts, in constant time for each.
#[derive(Debug, Clone)]
pub struct Climb {
    slopes: Vec<Slope>,
    /// Index of the present slope.
    present: usize,
    /// When it began, in seconds.
    began: f64,
    /// How many starts came before it, fractions included.
    before: f64,
    /// How many there are in all.
    starts: f64,
}

impl Climb {
    /// From the foot of a course.
    pub fn of(course: &Course) -> Climb {
        Climb { slopes: course.slopes(), present: 0, began: 0.0, before: 0.0, starts: course.starts() }
    }

    /// How many starts the course gives, fractions included.
    pub fn starts(&self) -> f64 {
        self.starts
    }

    /// How long after the beginning `starts` starts have been due; the end where there are no more. Never less than
    /// what it was asked before.
    pub fn reach(&mut self, starts: f64) -> Duration {
        while let Some(slope) = self.slopes.get(self.present) {
            let within = starts - self.before;
            if within + A_HAIR < slope.starts() || self.present + 1 == self.slopes.len() {
                let seconds = self.began + slope.due(within);
                return Duration::from_nanos((seconds * 1e9).round() as u64);
            }
            self.before += slope.starts();
            self.began += slope.over;
            self.present += 1;
        }
        Duration::ZERO
    }
}

#[cfg(test)]
impl Climb {
    /// How many slopes it keeps.
    pub fn slope_count(&self) -> usize {
        self.slopes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: f64) -> Rate {
        Rate::per_second(count)
    }

    #[track_caller]
    fn check(course: Course, starts: f64, peak: f64, reached: &[(f64, u64)]) {
        assert_eq!((course.starts(), course.peak()), (starts, peak), "{course:?}");
        let mut climb = Climb::of(&course);
        for (starts, millis) in reached {
            assert_eq!(climb.reach(*starts), Duration::from_millis(*millis), "start {starts} of {course:?}");
        }
    }

    #[test]
    fn a_course_gives_the_area_under_its_rate() {
        let hold = Course::Hold { rate: rate(100.0), over: Some(Duration::from_secs(10)) };
        check(hold, 1000.0, 100.0, &[(0.0, 0), (1.0, 10), (999.0, 9_990)]);
        // From 0/s to 100/s in 5 s the n-th is due at sqrt(2·n/20) seconds.
        let ramp = Course::Ramp { from: rate(0.0), to: rate(100.0), over: Duration::from_secs(5) };
        check(ramp, 250.0, 100.0, &[(0.0, 0), (40.0, 2_000), (160.0, 4_000)]);
        // 10/s, 20/s, 30/s for 2 s each: 20, 40 and 60 starts.
        let stairs = Course::Stairs { from: rate(10.0), to: rate(30.0), steps: 3, each: Duration::from_secs(2) };
        check(stairs, 120.0, 30.0, &[(10.0, 1_000), (20.0, 2_000), (40.0, 3_000), (60.0, 4_000), (90.0, 5_000)]);
        // 10/s for 4 s, 100/s for 2 s, 10/s for 4 s: 40, 200 and 40 starts.
        let spike = Course::Spike {
            base: rate(10.0),
            peak: rate(100.0),
            top: Duration::from_secs(2),
            over: Duration::from_secs(10),
        };
        check(spike, 280.0, 100.0, &[(20.0, 2_000), (40.0, 4_000), (140.0, 5_000), (240.0, 6_000), (270.0, 9_000)]);
    }

    #[test]
    fn what_lasts_is_the_sum_of_what_it_consists_of() {
        let stairs = Course::Stairs { from: rate(9.0), to: rate(1.0), steps: 5, each: Duration::from_millis(300) };
        assert_eq!(stairs.lasts(), Some(Duration::from_millis(1_500)));
        assert_eq!(Course::Hold { rate: rate(1.0), over: None }.lasts(), None);
    }

    #[test]
    fn beyond_its_last_start_a_course_stays_at_its_end() {
        let ramp = Course::Ramp { from: rate(8.0), to: rate(0.0), over: Duration::from_secs(1) };
        check(ramp, 4.0, 8.0, &[(4.0, 1_000), (9.0, 1_000)]);
    }
}
