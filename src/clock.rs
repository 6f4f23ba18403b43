//! `Moment`: nanoseconds since the run began; the one place that asks the operating system for the time.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, Instant, SystemTime};

/// A point in time, counted in nanoseconds from the start of the run.
///
/// Machines are handed a `Moment`; they never read a clock. The same type serves real and virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The start of the run.
    pub const ZERO: Moment = Moment(0);
    /// Later than every other moment: "no deadline".
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The moment `nanos` nanoseconds after the start of the run.
    pub const fn from_nanos(nanos: u64) -> Moment {
        Moment(nanos)
    }

    /// The moment `millis` milliseconds after the start of the run.
    pub const fn from_millis(millis: u64) -> Moment {
        Moment(millis * 1_000_000)
    }

    /// Nanoseconds since the start of the run.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start of the run.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment as one counts that begins so much later, at the earliest [`Moment::ZERO`]; [`Moment::NEVER`] stays.
    pub fn sooner(self, by: Duration) -> Moment {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        if self.is_set() { Moment(self.0.saturating_sub(nanos)) } else { self }
    }

    /// Whether this is a moment that can come.
    pub fn is_set(self) -> bool {
        self != Moment::NEVER
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    /// Saturates at [`Moment::NEVER`].
    fn add(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Moment> for Moment {
    type Output = Duration;

    fn sub(self, earlier: Moment) -> Duration {
        self.since(earlier)
    }
}

/// Seconds with six digits, `never` for [`Moment::NEVER`].
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_set() {
            write!(f, "{}.{:06}s", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
        } else {
            f.write_str("never")
        }
    }
}

/// The running clock of one run: hands out moments, and knows which wall-clock time moment zero was.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    start_wall: SystemTime,
}

impl Clock {
    /// Starts the clock: its moment zero is now.
    pub fn start() -> Clock {
        Clock { start: Instant::now(), start_wall: SystemTime::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        Moment::ZERO + self.start.elapsed()
    }

    /// The wall-clock time of a moment.
    pub fn wall(&self, moment: Moment) -> SystemTime {
        self.start_wall + Duration::from_nanos(moment.nanos())
    }
}

/// The wall-clock time now, for names of folders and the validity of certificates.
pub fn wall_now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_seconds() {
        assert_eq!(Moment::from_millis(3_140).to_string(), "3.140000s");
        assert_eq!(Moment::NEVER.to_string(), "never");
    }

    #[test]
    fn sooner_stops_at_the_beginning_and_never_stays_never() {
        let by = Duration::from_millis(5);
        let moments = [Moment::from_millis(7), Moment::from_millis(3), Moment::NEVER];
        assert_eq!(moments.map(|at| at.sooner(by)), [Moment::from_millis(2), Moment::ZERO, Moment::NEVER]);
    }

    #[test]
    fn adding_saturates_at_never() {
        assert_eq!(Moment::NEVER + Duration::from_secs(1), Moment::NEVER);
        assert_eq!(Moment::from_millis(1) - Moment::from_millis(5), Duration::ZERO);
    }
}
