//! How often a server tries a POST that brought no answer, and how long it waits in between.

use std::time::Duration;

use crate::delegation::exchange::PostOutcome;
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;

/// How one kind of message is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is sent at most, the first time included; at least 1.
    pub tries: u32,
    /// Before the second try.
    pub wait: Duration,
    /// Each further wait is twice as long as the one before, up to this.
    pub longest: Duration,
    /// By how much of itself a wait may be shorter, in percent, 0 to 100: so that not all try again at once.
    pub jitter: u8,
}

impl Retry {
    /// Sent once.
    pub const NONE: Retry = Retry { tries: 1, wait: Duration::ZERO, longest: Duration::ZERO, jitter: 0 };

    /// How long to wait after the `attempt`-th try, from 1, came to this; `None` when it is the last word. `draw` decides
    /// the jitter, where there is another try: any number, evenly spread.
    pub fn after(&self, attempt: u32, outcome: &PostOutcome, draw: impl FnOnce() -> u64) -> Option<Duration> {
        if attempt >= self.tries || !outcome.may_change() {
            return None;
        }
        let doubled = self.wait.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        let whole = doubled.min(self.longest);
        // The upper half of the draw, as a share of 2^32.
        let off = u64::from(self.jitter) * (draw() >> 32) / 100;
        let off = (whole.as_nanos() * u128::from(off)) >> 32;
        Some(whole - Duration::from_nanos(u64::try_from(off).unwrap_or(u64::MAX)).min(whole))
    }
}

/// How each kind of message is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries([Retry; Kind::ALL.len()]);

impl Retries {
    /// The same for every kind.
    pub fn all(retry: Retry) -> Retries {
        Retries([retry; Kind::ALL.len()])
    }

    /// What a policy does where nothing is said: the text knows no second try.
    pub fn of(policy: Policy) -> Retries {
        Retries::all(match policy {
            Policy::Literal => Retry::NONE,
            Policy::Hardened => {
                Retry { tries: 4, wait: Duration::from_millis(100), longest: Duration::from_secs(2), jitter: 50 }
            }
        })
    }

    /// For one kind of message.
    pub fn get(&self, kind: Kind) -> Retry {
        self.0[kind as usize]
    }

    /// Another one for a kind of message.
    pub fn set(&mut self, kind: Kind, retry: Retry) {
        self.0[kind as usize] = retry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry =
        Retry { tries: 4, wait: Duration::from_millis(100), longest: Duration::from_millis(300), jitter: 50 };

    #[track_caller]
    fn check(attempt: u32, outcome: PostOutcome, draw: u64, wait_ms: Option<u64>) {
        assert_eq!(RETRY.after(attempt, &outcome, || draw), wait_ms.map(Duration::from_millis));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_last_try() {
        check(1, PostOutcome::TimedOut, 0, Some(100));
        check(2, PostOutcome::TimedOut, 0, Some(200));
        check(3, PostOutcome::TimedOut, 0, Some(300));
        check(4, PostOutcome::TimedOut, 0, None);
    }

    #[test]
    fn jitter_takes_away_up_to_its_share() {
        // Half of the draw's range takes half of 50 %: 25 ms of 100.
        check(1, PostOutcome::TimedOut, 1 << 63, Some(75));
        let least = RETRY.after(1, &PostOutcome::TimedOut, || u64::MAX).expect("a wait");
        assert!((Duration::from_millis(50)..Duration::from_millis(51)).contains(&least), "{least:?}");
    }

    #[test]
    fn an_answer_that_stands_is_not_asked_for_again() {
        for (status, again) in [(400, true), (403, false), (404, false), (409, false), (408, true), (503, true)] {
            assert_eq!(RETRY.after(1, &PostOutcome::Rejected { status }, || 0).is_some(), again, "{status}");
        }
        check(1, PostOutcome::NoContent, 0, None);
    }
}
