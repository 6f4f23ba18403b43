//! The records of all servers about one device, put together: who holds what, as far as anybody's record says.

use crate::delegation::machine::{RecordView, Side, Standing};
use crate::dm::uri::Uri;
use crate::ids::ServerNumber;
use crate::measure::promise::view::{DeviceView, ServerView};

/// All records about one device.
pub(super) struct Ledger<'a> {
    servers: &'a [ServerView],
    owner: ServerNumber,
    /// Without those that their holder could not know to be out of date.
    pub records: Vec<Held<'a>>,
    /// The delegations in force, each once.
    pub live: Vec<Live<'a>>,
    /// Records of delegates that were revoked by force without notice.
    pub outdated: Vec<Held<'a>>,
}

/// A record and who holds it.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub holder: ServerNumber,
    pub record: &'a RecordView,
}

/// One delegation in force, as at least one of its two sides says.
#[derive(Clone, Copy)]
pub(super) struct Live<'a> {
    pub delegating: ServerNumber,
    pub delegated: ServerNumber,
    pub subtree: &'a Uri,
    pub is_full: bool,
}

impl<'a> Held<'a> {
    /// Delegating and delegated server.
    pub fn parties(&self) -> (ServerNumber, ServerNumber) {
        match self.record.side {
            Side::Delegating => (self.holder, self.record.peer),
            Side::Delegated => (self.record.peer, self.holder),
        }
    }

    /// A compromised delegation is still one: the delegating server keeps its record (D37).
    pub fn is_live(&self) -> bool {
        matches!(self.record.standing, Standing::InForce | Standing::Compromised)
    }

    /// Whether two records are about the same delegation, one from each side.
    pub fn is_counterpart_of(&self, other: &Held) -> bool {
        self.holder != other.holder
            && self.record.side != other.record.side
            && self.parties() == other.parties()
            && self.record.subtree == other.record.subtree
    }
}

impl<'a> Ledger<'a> {
    pub fn new(
        device: &DeviceView,
        servers: &'a [ServerView],
        records: &[(ServerNumber, &'a RecordView)],
    ) -> Ledger<'a> {
        let held = records.iter().map(|&(holder, record)| Held { holder, record });
        // Only a record that nothing contradicts but an untold revocation is excused: once the delegating server has
        // the delegation on record again, both have to agree again.
        let (outdated, records): (Vec<Held>, Vec<Held>) = held.clone().partition(|one| {
            one.record.side == Side::Delegated
                && device.journeyed.unannounced.contains(&one.holder)
                && !held.clone().any(|other| other.is_counterpart_of(one))
        });
        let live = live(&records);
        Ledger { servers, owner: device.journeyed.owner, records, live, outdated }
    }

    /// Whether a flow is still under way on this device: then its records say nothing final.
    pub fn is_moving(&self) -> bool {
        self.records.iter().any(|held| matches!(held.record.standing, Standing::Moving(_)))
    }

    /// Whether a server has authority over the device by its own record: the owner that has not given everything away,
    /// or a delegate.
    pub fn may_manage(&self, server: ServerNumber) -> bool {
        !self.has_given_all(server) && (server == self.owner || self.live.iter().any(|one| one.delegated == server))
    }

    /// Whether a delegation of the server is in force that left it nothing (5.2.1.5).
    pub fn has_given_all(&self, server: ServerNumber) -> bool {
        self.live.iter().any(|one| one.is_full && one.delegating == server)
    }

    /// Whether the server's records can be seen at all.
    pub fn shows_records(&self, server: ServerNumber) -> bool {
        self.servers.iter().any(|view| view.server == server && view.records.is_some())
    }

    /// Whether there is a server whose records cannot be seen: then nobody knows what it has on record.
    pub fn has_blind_spot(&self) -> bool {
        self.servers.iter().any(|view| view.records.is_none())
    }

    /// The server's name in the scenario.
    pub fn name(&self, server: ServerNumber) -> String {
        let view = self.servers.iter().find(|view| view.server == server);
        view.map_or_else(|| server.to_string(), |view| view.name.clone())
    }

    /// The names of several servers, in order: `home, partner`, or `nobody`.
    pub fn names(&self, servers: &[ServerNumber]) -> String {
        if servers.is_empty() {
            return "nobody".to_owned();
        }
        servers.iter().map(|server| self.name(*server)).collect::<Vec<_>>().join(", ")
    }
}

/// The delegating side's word first, where both have one.
fn live<'a>(records: &[Held<'a>]) -> Vec<Live<'a>> {
    let mut live: Vec<Live<'a>> = Vec::new();
    for side in [Side::Delegating, Side::Delegated] {
        for held in records.iter().filter(|held| held.record.side == side && held.is_live()) {
            let (delegating, delegated) = held.parties();
            let subtree = &held.record.subtree;
            let is_known = live
                .iter()
                .any(|known| (known.delegating, known.delegated, known.subtree) == (delegating, delegated, subtree));
            if !is_known {
                live.push(Live { delegating, delegated, subtree, is_full: held.record.is_full });
            }
        }
    }
    live
}
