//! Whether three things that were measured apart go together: how much is in flight, how much comes through, how long
//! it takes.
//!
//! In the long run `mean in flight = throughput x mean response` whatever the arrivals, the service and the order in
//! which it is given (Little 1961, "A proof for the queuing formula: L = λW"). Where it does not hold, one of the three
//! was measured wrongly: responses that begin to count late, throughput without what failed, a window that was no
//! steady state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was measured over one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Window {
    /// Its length in seconds.
    pub seconds: f64,
    /// The mean number in flight.
    pub in_flight: f64,
    /// How many ended a second, however they ended.
    pub per_s: f64,
    /// The mean time in seconds from the beginning to the end of those that ended.
    pub response_s: f64,
}

/// How measurements stand to the law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The number in flight that throughput and response come to.
    pub expected_in_flight: f64,
    /// By how much the measured number is above that, as a part of it; below 0 where it is less.
    pub deviation: f64,
    /// The deviation that is allowed.
    pub allowed: f64,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Holds,
    Broken,
    /// What began before the window or ended after it is too much of all for a verdict.
    TooShort,
}

/// Measurements without a meaning.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LittlesLawError {
    #[error("{what} is a number above zero, found {found}")]
    NotPositive { what: &'static str, found: f64 },
    #[error("a tolerance is from 0 to below 1, found {0}")]
    Tolerance(f64),
}

/// With a larger part of all cut off by the ends of a window, it says nothing.
const MOST_CUT_OFF: f64 = 0.2;

impl Window {
    /// Compares the number in flight with what throughput and response come to.
    ///
    /// A window cuts off what is in flight at its ends: in its time, about one mean response's worth of each is missing
    /// or too much. That part, response by length of the window, is allowed on top of the tolerance (Little, Graves
    /// 2008, "Little's Law", on finite windows that do not begin and end empty).
    ///
    /// # Errors
    /// [`LittlesLawError`] where a measurement is not above zero, or the tolerance is not a part.
    pub fn check(&self, tolerance: f64) -> Result<Check, LittlesLawError> {
        let Window { seconds, in_flight, per_s, response_s } = *self;
        let named = [
            ("the length of a window", seconds),
            ("the number in flight", in_flight),
            ("throughput", per_s),
            ("the mean response", response_s),
        ];
        if let Some((what, found)) = named.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Err(LittlesLawError::NotPositive { what, found });
        }
        if !(0.0..1.0).contains(&tolerance) {
            return Err(LittlesLawError::Tolerance(tolerance));
        }
        let expected_in_flight = per_s * response_s;
        let deviation = in_flight / expected_in_flight - 1.0;
        let cut_off = response_s / seconds;
        let allowed = tolerance + cut_off;
        let verdict = match deviation.abs() <= allowed {
            _ if cut_off > MOST_CUT_OFF => Verdict::TooShort,
            true => Verdict::Holds,
            false => Verdict::Broken,
        };
        Ok(Check { expected_in_flight, deviation, allowed, verdict })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    const STEADY: Window = Window { seconds: 100.0, in_flight: 50.0, per_s: 1_000.0, response_s: 0.05 };

    #[test]
    fn what_goes_together_holds_and_what_does_not_is_broken_to_either_side() {
        let check = STEADY.check(0.05).expect("measurements");
        assert_eq!((check.expected_in_flight, check.verdict), (50.0, Verdict::Holds));
        assert!(check.deviation.abs() < 1e-12 && (check.allowed - 0.0505).abs() < 1e-12);
        for (in_flight, verdict) in
            [(52.52, Verdict::Holds), (52.53, Verdict::Broken), (47.48, Verdict::Holds), (47.47, Verdict::Broken)]
        {
            let check = Window { in_flight, ..STEADY }.check(0.05).expect("measurements");
            assert_eq!(check.verdict, verdict, "{in_flight}: {}", check.deviation);
        }
    }

    #[test]
    fn a_window_of_a_few_responses_has_no_verdict() {
        let check = Window { seconds: 0.2, ..STEADY }.check(0.05).expect("measurements");
        assert_eq!(check.verdict, Verdict::TooShort);
    }

    #[test]
    fn a_queue_keeps_the_law_and_one_whose_responses_count_late_does_not() {
        // One server, first come first served; arrivals and services at random, busy for 80 % of the time.
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut wait = |mean: f64| -(1.0 - dice.random::<f64>()).ln() * mean;
        let (mut arrival, mut free) = (0.0, 0.0f64);
        let (mut responses, mut services, mut ended) = (0.0, 0.0, 0);
        let seconds = 2_000.0;
        // Looked at ten times a second: who is there at such a moment.
        let (mut seen, each) = (0.0, 0.1);
        loop {
            arrival += wait(0.01);
            let service = wait(0.008);
            free = free.max(arrival) + service;
            if free > seconds {
                break;
            }
            seen += (free / each).floor() - (arrival / each).floor();
            (responses, services, ended) = (responses + free - arrival, services + service, ended + 1);
        }
        let in_flight = seen / (seconds / each);
        let (per_s, ended) = (f64::from(ended) / seconds, f64::from(ended));
        let right = Window { seconds, in_flight, per_s, response_s: responses / ended };
        assert_eq!(right.check(0.05).map(|check| check.verdict), Ok(Verdict::Holds));
        let late = Window { response_s: services / ended, ..right };
        let check = late.check(0.05).expect("measurements");
        assert_eq!(check.verdict, Verdict::Broken);
        assert!(check.deviation > 2.0, "waiting is four fifths of all time there: {}", check.deviation);
    }

    #[test]
    fn what_is_no_measurement_is_refused() {
        let wrong = Window { per_s: 0.0, ..STEADY };
        assert_eq!(wrong.check(0.05), Err(LittlesLawError::NotPositive { what: "throughput", found: 0.0 }));
        assert!(matches!(Window { seconds: f64::NAN, ..STEADY }.check(0.05), Err(LittlesLawError::NotPositive { .. })));
        assert_eq!(STEADY.check(1.0), Err(LittlesLawError::Tolerance(1.0)));
    }
}
