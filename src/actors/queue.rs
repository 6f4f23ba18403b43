//! How many messages wait for one server, and how many at most did: its mailbox does not tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The messages from outside that wait in one mailbox.
#[derive(Default)]
pub struct Queue {
    waiting: AtomicU32,
    most: AtomicU32,
}

/// A place in a mailbox, held from the sending of a message until it is handled.
pub struct Place(Arc<Queue>);

impl Queue {
    /// A message is about to be sent.
    pub fn enter(self: &Arc<Queue>) -> Place {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(waiting, Ordering::Relaxed);
        Place(Arc::clone(self))
    }

    /// The most that have waited since this was asked last.
    pub fn take_most(&self) -> u32 {
        let most = self.most.swap(0, Ordering::Relaxed);
        most.max(self.waiting.load(Ordering::Relaxed))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_waited_is_told_once() {
        let queue = Arc::new(Queue::default());
        let first = queue.enter();
        drop((queue.enter(), queue.enter()));
        assert_eq!(queue.take_most(), 3);
        assert_eq!(queue.take_most(), 1, "one waits still");
        drop(first);
        queue.take_most();
        assert_eq!(queue.take_most(), 0);
    }
}
