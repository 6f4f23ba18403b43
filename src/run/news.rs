//! What there is to tell while a run goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::chronicle::Progress;
use crate::measure::Summary;
use crate::measure::limit::LimitResult;
use crate::measure::summary::LatencyRow;
use crate::measure::timeline::TimelineRow;
use crate::run::control::State;
use crate::run::preflight::Reached;

/// One thing that happened.
#[derive(Debug)]
pub enum News<'a> {
    /// Somebody else's server can be reached.
    Reached(Reached),
    /// All parties stand and listen; the load begins.
    Ready { addresses: &'a [Listening], folder: &'a Path },
    /// Another second is over.
    Second(Box<Pulse>),
    /// Nothing more is started, and what is under way is waited for.
    Stopping { why: Why<'a>, under_way: u64 },
    /// Every flow has ended and everybody has come to rest; the promises are checked.
    Judging { devices: u32 },
}

/// Why nothing more is started.
#[derive(Debug, Clone, Copy)]
pub enum Why<'a> {
    /// A signal has come, or somebody has asked for it.
    Asked,
    /// A limit is not kept, and is to end the run.
    Limit(&'a LimitResult),
    /// The results cannot be written any more.
    NotWritten(&'a str),
}

/// How a run stands, once a second.
#[derive(Debug, Clone)]
pub struct Pulse {
    pub progress: Progress,
    pub second: TimelineRow,
    /// Since the load began.
    pub at: Duration,
    /// Until the last start of the load; `None` where nobody can know.
    pub left: Option<Duration>,
    pub state: State,
    /// How long all flows together took that ended `done` in this second, and so far.
    pub took: LatencyRow,
    pub took_so_far: LatencyRow,
    /// How the limits are kept so far; in the summary they are judged as if the run were over.
    pub limits: Vec<LimitResult>,
    /// All that was measured so far.
    pub summary: Arc<Summary>,
}

/// A party and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// Its name.
    pub party: String,
    /// For whom the address is: `for servers`.
    pub purpose: &'static str,
    /// What its peers call it by; the host name is known to the run alone.
    pub url: String,
    /// Where it listens, e.g. `127.0.0.1:45671`.
    pub socket: std::net::SocketAddr,
}
