//! What there is to tell while a run goes on.

use std::path::Path;

use crate::actors::chronicle::Progress;
use crate::measure::timeline::TimelineRow;

/// One thing that happened.
#[derive(Debug)]
pub enum News<'a> {
    /// All parties stand and listen; the load begins.
    Ready { addresses: &'a [Listening], folder: &'a Path },
    /// Another second is over.
    Second(Pulse),
    /// A signal has come: nothing more is started, and what is under way is waited for.
    Stopping { under_way: u64 },
    /// Every flow has ended and everybody has come to rest; the promises are checked.
    Judging { devices: u32 },
}

/// How a run stands, once a second.
#[derive(Debug, Clone)]
pub struct Pulse {
    pub progress: Progress,
    pub second: TimelineRow,
}

/// A party and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// Its name, and for whom the address is: `home, for servers`.
    pub who: String,
    /// What its peers call it by; the host name is known to the run alone.
    pub url: String,
    /// Where it listens, e.g. `127.0.0.1:45671`.
    pub socket: std::net::SocketAddr,
}
