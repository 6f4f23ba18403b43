//! What the actors of one arbiter share: its dialer, its share of the measurements, and what has been seen. Never crosses
//! a thread.

use std::cell::RefCell;
use std::sync::Arc;

use actix::Addr;

use crate::actors::blueprint::Blueprint;
use crate::actors::board::Board;
use crate::actors::desk::Desk;
use crate::actors::directory::Directory;
use crate::actors::present_flows::PresentFlows;
use crate::actors::sight::Sight;
use crate::actors::stores::Stores;
use crate::actors::swarm::Swarm;
use crate::actors::tape::Tape;
use crate::facts::What;
use crate::faults::rule::Site;
use crate::faults::verdict::{Passage, Verdict};
use crate::ids::DeviceNumber;
use crate::measure::shard::{Opening, Shard, Split};
use crate::transport::dialer::Dialer;
use crate::transport::timing::Timing;

/// One arbiter's shared things. A message between arbiters costs many times a local one, so that a device, its
/// dialer and its histograms stay together.
pub struct Lane {
    pub blueprint: Arc<Blueprint>,
    pub directory: Arc<Directory>,
    pub board: Arc<Board>,
    pub sight: Sight,
    pub desk: Arc<Desk>,
    pub stores: Arc<Stores>,
    pub present: Arc<PresentFlows>,
    /// Where exchanges with somebody else's servers are kept, if they are.
    pub tape: Option<Arc<Tape>>,
    pub swarm: Addr<Swarm>,
    pub dialer: Dialer,
    pub shard: RefCell<Shard>,
}

impl Lane {
    /// A call of ours was answered: where its time went.
    pub fn call_answered(&self, timing: &Timing) {
        let handshake = timing.connect.zip(timing.handshake);
        let opening = handshake.map(|(connect, handshake)| Opening { connect, handshake, resumed: timing.resumed });
        let split = Split {
            opening,
            send: timing.written - timing.sent,
            wait: timing.first_byte - timing.written,
            receive: timing.done - timing.first_byte,
        };
        self.record(|shard| shard.call_answered(&split));
    }

    /// Records something in this arbiter's share of the measurements.
    pub fn record(&self, entry: impl FnOnce(&mut Shard)) {
        entry(&mut self.shard.borrow_mut());
    }

    /// Something has happened to a device; a server at which a fault waits for it is told.
    pub fn saw(&self, device: DeviceNumber, what: What) {
        self.sight.saw(device, what);
    }

    /// The rules that fire on what passes these sites, which is only asked for where a rule acts there. That they did is
    /// seen on the device.
    pub fn judge<'p>(&self, sites: &[Site], passage: impl FnOnce() -> Passage<'p>) -> Vec<Verdict<'_>> {
        self.sight.judge(sites, passage)
    }
}
