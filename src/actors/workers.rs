//! The workers of a server: each is busy with one message of another server for a fixed time, and whoever comes waits for
//! the first that is free. A server whose capacity is known, to try searches on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;

/// Who is free when.
#[derive(Debug)]
pub struct Workers {
    /// How long one is busy with a message.
    each: Duration,
    free_at: Mutex<Vec<Moment>>,
}

impl Workers {
    /// So many, and at least one, all free.
    pub fn new(workers: u32, each: Duration) -> Workers {
        Workers { each, free_at: Mutex::new(vec![Moment::ZERO; workers.max(1) as usize]) }
    }

    /// The first that is free takes a message that comes now: when it will be done. Timers that are late do not add up:
    /// who is busy without a pause takes just so many messages in a second.
    pub fn take(&self, now: Moment) -> Moment {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let first = free_at.iter_mut().min().expect("one at least");
        *first = (*first).max(now) + self.each;
        *first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_waits_for_the_first_that_is_free() {
        let ms = |ms| Moment::ZERO + Duration::from_millis(ms);
        let workers = Workers::new(2, Duration::from_millis(10));
        let done: Vec<Moment> = [0, 1, 2, 3, 40].map(|at| workers.take(ms(at))).into();
        assert_eq!(done, [ms(10), ms(11), ms(20), ms(21), ms(50)]);
    }
}
