//! Wakes somebody at a moment, more exactly than the timers of an event loop, which count in whole milliseconds.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{io, thread};

use crate::clock::{Clock, Moment};

/// It rings no more often than this, or at tens of thousands of moments a second most of the work would be waking up.
const GRAIN: Duration = Duration::from_micros(100);

/// A thread of its own that sleeps until the moment it was told last. It ends when this is dropped.
pub struct Pacemaker {
    moments: mpsc::Sender<Moment>,
}

impl Pacemaker {
    /// Begins to wait; `ring` is called once for each moment that comes.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn begin(clock: Clock, ring: impl Fn() + Send + 'static) -> io::Result<Pacemaker> {
        let (moments, told) = mpsc::channel();
        thread::Builder::new().name("pacemaker".to_owned()).spawn(move || {
            let (mut next, mut earliest) = (Moment::NEVER, Moment::ZERO);
            loop {
                let news = if next.is_set() {
                    told.recv_timeout(next.max(earliest) - clock.now())
                } else {
                    told.recv().map_err(|_| RecvTimeoutError::Disconnected)
                };
                match news {
                    Ok(moment) => next = moment,
                    Err(RecvTimeoutError::Timeout) => {
                        (next, earliest) = (Moment::NEVER, clock.now() + GRAIN);
                        ring();
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        })?;
        Ok(Pacemaker { moments })
    }

    /// The moment to wake at, in place of the one before; [`Moment::NEVER`] for none.
    pub fn set(&self, moment: Moment) {
        // The thread lives as long as this does.
        let _ = self.moments.send(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn it_rings_once_at_the_moment_that_it_was_told_last() {
        let (clock, (rings, heard)) = (Clock::start(), mpsc::channel());
        let ring = move || rings.send(clock.now()).expect("somebody listens");
        let pacemaker = Pacemaker::begin(clock, ring).expect("a thread");
        pacemaker.set(clock.now() + Duration::from_hours(1));
        let moment = clock.now() + Duration::from_millis(5);
        pacemaker.set(moment);
        assert!(heard.recv_timeout(PATIENCE).expect("it rings") >= moment, "never before its moment");
        let past = clock.now();
        pacemaker.set(past);
        assert!(heard.recv_timeout(PATIENCE).expect("it rings at once") >= past);
        drop(pacemaker);
        assert!(heard.recv_timeout(PATIENCE).is_err(), "each moment once, and no thread is left");
    }
}
