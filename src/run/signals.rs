//! SIGINT and SIGTERM, from the moment that a load begins; and for whoever runs many, or searches, in between too.

use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::{io, thread};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals. While it lives they do not end the program.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The number of the next signal.
    pub async fn next(&mut self) -> i32 {
        tokio::select! {
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

    /// The number of the first signal, once there was one.
    pub fn first(&self) -> Option<i32> {
        self.0.get().copied()
    }
}
