//! What the actors of one arbiter share: its dialer and its share of the measurements. Never crosses a thread.

use std::cell::RefCell;
use std::sync::Arc;

use actix::Addr;

use crate::actors::blueprint::Blueprint;
use crate::actors::directory::Directory;
use crate::actors::swarm::Swarm;
use crate::measure::shard::Shard;
use crate::transport::dialer::Dialer;

/// One arbiter's shared things. A message between arbiters costs many times a local one, so that a device, its
/// dialer and its histograms stay together.
pub struct Lane {
    pub blueprint: Arc<Blueprint>,
    pub directory: Arc<Directory>,
    pub swarm: Addr<Swarm>,
    pub dialer: Dialer,
    pub shard: RefCell<Shard>,
}

impl Lane {
    /// Records something in this arbiter's share of the measurements.
    pub fn record(&self, entry: impl FnOnce(&mut Shard)) {
        entry(&mut self.shard.borrow_mut());
    }
}
