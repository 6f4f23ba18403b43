//! Whatever is seen of a device goes to the board, and servers at which a fault waits for it are told.

use std::sync::Arc;

use crate::actors::board::Board;
use crate::actors::directory::Directory;
use crate::actors::dm_server::Befall;
use crate::clock::Moment;
use crate::facts::What;
use crate::faults::rule::Site;
use crate::faults::verdict::{Faults, Passage, Verdict};
use crate::ids::{DeviceNumber, ServerNumber};

/// The board with the faults that look at it. Clones share both.
#[derive(Clone)]
pub struct Sight {
    faults: Arc<Faults>,
    servers: u16,
    board: Arc<Board>,
    directory: Arc<Directory>,
}

impl Sight {
    /// `servers`: how many there are.
    pub fn new(faults: Arc<Faults>, servers: u16, board: Arc<Board>, directory: Arc<Directory>) -> Sight {
        Sight { faults, servers, board, directory }
    }

    /// Something has happened to a device; a server at which a fault waits for it is told.
    pub fn saw(&self, device: DeviceNumber, what: What) {
        for (at, befall) in self.saw_first(device, what) {
            self.directory.with_server(at, |actor| actor.do_send(befall));
        }
    }

    /// As [`Sight::saw`], but the servers at which a fault waited for it are for the caller to tell.
    pub fn saw_first(&self, device: DeviceNumber, what: What) -> Vec<(ServerNumber, Befall)> {
        let faults = &self.faults;
        let befallen = self.board.saw(device, what, |facts| {
            if !faults.acts_at(&[Site::Process, Site::Store]) {
                return Vec::new();
            }
            let verdicts = (0..self.servers).map(ServerNumber).flat_map(|at| {
                let verdicts = faults.judge_step(at, device, facts);
                verdicts.into_iter().map(move |verdict| (at, verdict))
            });
            let at = facts.last().map_or(Moment::ZERO, |latest| latest.at);
            let befall =
                |verdict: &Verdict<'_>| Befall { at, device, action: verdict.action.clone(), draw: verdict.draw };
            verdicts.map(|(at, verdict)| (at, verdict.rule, befall(&verdict))).collect()
        });
        let mut told = Vec::new();
        for (at, rule, befall) in befallen.unwrap_or_default() {
            told.push((at, befall));
            // That a rule has fired may be the step of another one, and cannot be its own: a step comes once.
            told.extend(self.saw_first(device, What::Fault { rule }));
        }
        told
    }

    /// The rules that fire on what passes these sites, which is only asked for where a rule acts there. That they did is
    /// seen on the device.
    pub fn judge<'p>(&self, sites: &[Site], passage: impl FnOnce() -> Passage<'p>) -> Vec<Verdict<'_>> {
        if !self.faults.acts_at(sites) {
            return Vec::new();
        }
        let passage = passage();
        let verdicts = self.board.with(passage.device, |facts| self.faults.judge(sites, &passage, facts));
        for verdict in &verdicts {
            self.saw(passage.device, What::Fault { rule: verdict.rule });
        }
        verdicts
    }

    /// What has been seen.
    pub fn board(&self) -> &Board {
        &self.board
    }
}
