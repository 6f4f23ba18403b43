//! What can be done to a run from outside while it goes on: paused, sped up, marked, ended.

use tokio::sync::mpsc;

/// The rate of the load is multiplied or divided by this with each wish for more or less.
pub const STEP: f64 = 1.1;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start nothing until resumed; the plan waits, so that nothing becomes late by it.
    Pause,
    Resume,
    /// Start so many times as much as planned in the same time.
    Pace(f64),
    /// Remember this moment, by these words.
    Mark(String),
    /// Start nothing more; end in order.
    Quit,
}

/// How the load is going on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    pub is_paused: bool,
    /// Of the planned rate: 1 is as planned.
    pub pace: f64,
    /// Nothing more is started.
    pub is_stopping: bool,
}

impl Default for State {
    fn default() -> State {
        State { is_paused: false, pace: 1.0, is_stopping: false }
    }
}

/// Whoever wants something of a run. Clones want it of the same one.
#[derive(Debug, Clone)]
pub struct Keys(mpsc::UnboundedSender<Command>);

impl Keys {
    /// Wants something; nothing happens when the run is over.
    pub fn want(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

/// Where a run hears what is wanted of it.
#[derive(Debug)]
pub struct Controls(mpsc::UnboundedReceiver<Command>);

impl Controls {
    /// The two ends.
    pub fn new() -> (Keys, Controls) {
        let (keys, wanted) = mpsc::unbounded_channel();
        (Keys(keys), Controls(wanted))
    }

    /// Nobody wants anything.
    pub fn none() -> Controls {
        Controls::new().1
    }

    /// The next wish; waits forever when there is none to come.
    pub(super) async fn next(&mut self) -> Command {
        match self.0.recv().await {
            Some(command) => command,
            None => std::future::pending().await,
        }
    }
}
