//! What the actors of one arbiter share: its dialer, its share of the measurements, and what has been seen. Never crosses
//! a thread.

use std::cell::RefCell;
use std::sync::Arc;

use actix::Addr;

use crate::actors::blueprint::Blueprint;
use crate::actors::board::Board;
use crate::actors::desk::Desk;
use crate::actors::directory::Directory;
use crate::actors::dm_server::Befall;
use crate::actors::stores::Stores;
use crate::actors::swarm::Swarm;
use crate::facts::What;
use crate::faults::rule::{Action, Site};
use crate::faults::verdict::{Passage, Verdict};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::shard::Shard;
use crate::transport::dialer::Dialer;

/// One arbiter's shared things. A message between arbiters costs many times a local one, so that a device, its
/// dialer and its histograms stay together.
pub struct Lane {
    pub blueprint: Arc<Blueprint>,
    pub directory: Arc<Directory>,
    pub board: Arc<Board>,
    pub desk: Arc<Desk>,
    pub stores: Arc<Stores>,
    pub swarm: Addr<Swarm>,
    pub dialer: Dialer,
    pub shard: RefCell<Shard>,
}

impl Lane {
    /// Records something in this arbiter's share of the measurements.
    pub fn record(&self, entry: impl FnOnce(&mut Shard)) {
        entry(&mut self.shard.borrow_mut());
    }

    /// Something has happened to a device; a server at which a fault waits for it is told.
    pub fn saw(&self, device: DeviceNumber, what: What) {
        for (at, action) in self.saw_first(device, what) {
            self.directory.with_server(at, |actor| actor.do_send(Befall { device, action }));
        }
    }

    /// As [`Lane::saw`], but the servers at which a fault waited for it are for the caller to tell.
    pub fn saw_first(&self, device: DeviceNumber, what: What) -> Vec<(ServerNumber, Action)> {
        let faults = &self.blueprint.faults;
        let befallen = self.board.saw(device, what, |facts| {
            if !faults.acts_at(&[Site::Process, Site::Store]) {
                return Vec::new();
            }
            let servers = self.blueprint.server_numbers();
            let verdicts =
                servers.flat_map(|at| faults.judge_step(at, device, facts).into_iter().map(move |v| (at, v)));
            verdicts.map(|(at, verdict)| (at, verdict.rule, verdict.action.clone())).collect()
        });
        let mut told = Vec::new();
        for (at, rule, action) in befallen.unwrap_or_default() {
            self.board.saw(device, What::Fault { rule }, |_| ());
            told.push((at, action));
        }
        told
    }

    /// The rules that fire on what passes these sites. That they did is seen on the device.
    pub fn judge(&self, sites: &[Site], passage: &Passage<'_>) -> Vec<Verdict<'_>> {
        let faults = &self.blueprint.faults;
        if !faults.acts_at(sites) {
            return Vec::new();
        }
        let verdicts = self.board.with(passage.device, |facts| faults.judge(sites, passage, facts));
        for verdict in &verdicts {
            self.board.saw(passage.device, What::Fault { rule: verdict.rule }, |_| ());
        }
        verdicts
    }
}
