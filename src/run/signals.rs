//! SIGINT and SIGTERM, from the moment that a load or a search begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals. While it lives they do not end the program.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Whether a signal has come, for work that does not wait for anything and looks now and then. The second signal ends the
/// program as if nobody watched.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<AtomicI32>);

impl Watch {
    /// Watches until the program ends.
    ///
    /// # Errors
    /// The signals cannot be listened for.
    pub fn begin() -> std::io::Result<Watch> {
        let watch = Watch::default();
        let seen = Arc::clone(&watch.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::listen()?
        };
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                seen.store(signals.next().await, Ordering::SeqCst);
                let second = signals.next().await;
                std::process::exit(128 + second);
            });
        })?;
        Ok(watch)
    }

    /// The number of the signal that has come.
    pub fn caught(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|number| *number != 0)
    }
}

impl Signals {
    pub fn listen() -> std::io::Result<Signals> {
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
