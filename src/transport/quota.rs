//! What may be asked of one target at most: so many requests in a second, and so many in all. Shared by all threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// The quota of one target.
#[derive(Debug)]
pub struct Quota {
    /// From one request to the next at least; nothing where only the budget counts.
    gap: Duration,
    /// When the next request may go, in nanoseconds since the run began.
    next: AtomicU64,
    budget: u64,
    left: AtomicU64,
}

/// Why a request may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// All that may be asked has been asked.
    OverBudget { budget: u64 },
    /// Its turn would come too late.
    TooLate,
}

impl Quota {
    /// So many requests in a second at most (`None`: as many as one likes), and so many in all.
    pub fn new(per_second: Option<f64>, budget: Option<u64>) -> Quota {
        let gap = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate.max(1e-6)));
        let budget = budget.unwrap_or(u64::MAX);
        Quota { gap, next: AtomicU64::new(0), budget, left: AtomicU64::new(budget) }
    }

    /// Takes what so many requests need: how long they have to wait. One that would have to wait for longer than its
    /// patience takes nothing, so that those behind it do not wait for somebody who has gone.
    pub fn take(&self, requests: u32, now: Moment, patience: Duration) -> Result<Duration, Refused> {
        let now = now.nanos();
        let gap = u64::try_from(self.gap.as_nanos()).unwrap_or(u64::MAX).saturating_mul(u64::from(requests));
        let latest = now.saturating_add(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
        let in_time = |next: u64| (next <= latest).then(|| next.max(now).saturating_add(gap));
        // Checked before a turn is taken, so that nobody waits for what he will not get.
        if self.left.load(Ordering::Relaxed) < u64::from(requests) {
            return Err(Refused::OverBudget { budget: self.budget });
        }
        let turn =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, in_time).map_err(|_| Refused::TooLate)?;
        let less = |left: u64| left.checked_sub(u64::from(requests));
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .map_err(|_| Refused::OverBudget { budget: self.budget })?;
        Ok(Duration::from_nanos(turn.saturating_sub(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    #[test]
    fn requests_go_no_faster_than_they_may_and_who_cannot_wait_takes_no_turn() {
        // Ten in a second: one every 100 ms.
        let quota = Quota::new(Some(10.0), None);
        let now = Moment::from_millis(1_000);
        let waits: Vec<_> = (0..8).map(|_| quota.take(1, now, PATIENCE)).collect();
        let in_time = [0, 100, 200, 300, 400, 500].map(|wait| Ok(Duration::from_millis(wait)));
        assert_eq!(waits[..6], in_time);
        assert_eq!(waits[6..], [Err(Refused::TooLate), Err(Refused::TooLate)]);
        // 100 ms later there is room for one more, although two have been turned away.
        assert_eq!(quota.take(1, Moment::from_millis(1_100), PATIENCE), Ok(PATIENCE));
        assert_eq!(quota.take(1, Moment::from_millis(9_000), PATIENCE), Ok(Duration::ZERO));
    }

    #[test]
    fn a_budget_is_spent_once_and_for_all() {
        let quota = Quota::new(None, Some(3));
        let take = |requests| quota.take(requests, Moment::ZERO, PATIENCE);
        assert_eq!(take(2), Ok(Duration::ZERO));
        assert_eq!(take(2), Err(Refused::OverBudget { budget: 3 }));
        assert_eq!(take(1), Ok(Duration::ZERO));
        assert_eq!(take(1), Err(Refused::OverBudget { budget: 3 }));
    }
}
