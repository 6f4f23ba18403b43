//! Who occurs in a story, and in which order they stand: servers, the device, bootstrap servers.

use std::collections::BTreeSet;

use crate::facts::pattern::Names;
use crate::facts::{Fact, What};
use crate::ids::{BootstrapServerNumber, ServerNumber};
use crate::report::finding::words::plain;

/// Somebody with a lane; the order is that of the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Server(ServerNumber),
    Device,
    Bootstrap(BootstrapServerNumber),
}

/// The lanes of a story, from left to right.
pub(super) struct Lanes(Vec<(Party, String)>);

impl Lanes {
    /// Those who occur in these facts.
    pub fn of(facts: &[Fact], names: &dyn Names) -> Lanes {
        let parties: BTreeSet<Party> = facts.iter().flat_map(|fact| parties(&fact.what)).flatten().collect();
        let sites = parties.iter().filter(|party| matches!(party, Party::Bootstrap(_))).count();
        let name = |party: Party| match party {
            Party::Server(server) => plain(&names.server_name(server)),
            Party::Device => "device".to_owned(),
            Party::Bootstrap(_) if sites < 2 => "bootstrap server".to_owned(),
            Party::Bootstrap(site) => format!("bootstrap server {}", site.0 + 1),
        };
        Lanes(parties.into_iter().map(|party| (party, name(party))).collect())
    }

    /// The place of a party, from 0.
    pub fn place(&self, party: Party) -> usize {
        self.0.iter().position(|(found, _)| *found == party).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Party, &str)> {
        self.0.iter().map(|(party, name)| (*party, name.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Whom a fact is about: where it happened, and with whom.
fn parties(what: &What) -> [Option<Party>; 2] {
    let server = |server: ServerNumber| Some(Party::Server(server));
    match what {
        What::Wished { at, peer, .. }
        | What::Moved { at, peer, .. }
        | What::Joined { at, peer, .. }
        | What::Settled { at, peer, .. } => [server(*at), server(*peer)],
        What::Sent { from, to, .. } | What::Misdirected { from, to, .. } => [server(*from), server(*to)],
        What::Taken { at, from, .. } | What::Heard { at, from, .. } => [server(*at), server(*from)],
        What::SessionOpened { with } | What::SessionEnded { with, .. } => [server(*with), Some(Party::Device)],
        What::Operated { by, .. } => [server(*by), Some(Party::Device)],
        What::Account { of, .. } => [server(*of), Some(Party::Device)],
        What::Fetched { from, .. } => [Some(Party::Device), Some(Party::Bootstrap(*from))],
        What::FactoryReset => [Some(Party::Device), None],
        What::TimerFired { at, .. }
        | What::ErrandBegan { at, .. }
        | What::ErrandEnded { at, .. }
        | What::Killed { at }
        | What::Restarted { at } => [server(*at), None],
        What::Step { .. } | What::Fault { .. } => [None; 2],
    }
}
