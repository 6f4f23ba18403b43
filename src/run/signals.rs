//! SIGINT, SIGTERM and SIGHUP, from before a run sets anything up; and for whoever runs many, or searches, in between too.

use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, thread};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::{Clock, Moment};
use crate::run::host;

/// How often somebody who rests looks up.
const GLANCE: Duration = Duration::from_millis(50);

/// The signals that ask for an end. Once it has lived they do not end the program.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where whoever has called us wants it to be ignored, as `nohup` does.
    hang_up: Option<Signal>,
}

impl Signals {
    pub fn listen() -> io::Result<Signals> {
        let hang_up = SignalKind::hangup();
        let is_ignored = host::ignores(hang_up.as_raw_value());
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if is_ignored { None } else { Some(signal(hang_up)?) },
        })
    }

    /// The number of a signal that has come already, while nobody was waiting for it.
    pub async fn come_by_now(&mut self) -> Option<i32> {
        // One look at what the system has to tell takes no time, but has to be waited for.
        tokio::time::timeout(Duration::from_millis(1), self.next()).await.ok()
    }

    /// The number of the next signal.
    pub async fn next(&mut self) -> i32 {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hung_up => SignalKind::hangup().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
        }
    }
}

/// Keeps the first signal in mind for whoever makes several runs, where one that comes while none of them listens counts as
/// well; and for whoever does not wait for anything, and looks now and then.
pub struct Watch(Arc<OnceLock<i32>>);

impl Watch {
    /// Listens from now on.
    ///
    /// # Errors
    /// When nobody can listen.
    pub fn begin() -> io::Result<Watch> {
        let first = Arc::new(OnceLock::new());
        let (told, ready) = mpsc::channel();
        let heard = Arc::clone(&first);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let listening = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
                let signals = runtime.block_on(async { Signals::listen() })?;
                Ok((runtime, signals))
            });
            match listening {
                Ok((runtime, mut signals)) => {
                    let _ = told.send(Ok(()));
                    let _ = heard.set(runtime.block_on(signals.next()));
                }
                Err(error) => drop(told.send(Err(error))),
            }
        })?;
        ready.recv().map_err(io::Error::other)??;
        Ok(Watch(first))
    }

    /// Lets so much time go by, unless there is a signal: its number.
    pub fn rest(&self, time: Duration) -> Option<i32> {
        let clock = Clock::start();
        loop {
            let left = time.saturating_sub(clock.now() - Moment::ZERO);
            match self.first() {
                Some(signal) => return Some(signal),
                None if left.is_zero() => return None,
                None => thread::sleep(left.min(GLANCE)),
            }
        }
    }

    /// The number of the first signal, once there was one.
    pub fn first(&self) -> Option<i32> {
        self.0.get().copied()
    }
}
