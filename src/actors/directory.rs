//! Where every party's actor is at this moment; a fresh actor takes the place of one that died.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use actix::Addr;

use crate::actors::bootstrap_server::BootstrapServer;
use crate::actors::dm_client::DmClient;
use crate::actors::dm_server::DmServer;
use crate::actors::queue::{Place, Queue};
use crate::actors::relay::Relay;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};

/// Who can have an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Server(ServerNumber),
    BootstrapServer(BootstrapServerNumber),
    Device(DeviceNumber),
    /// Who stands between servers that are all somebody else's.
    Relay,
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Party::Server(server) => write!(f, "{server}"),
            Party::BootstrapServer(server) => write!(f, "bootstrap server {}", server.0),
            Party::Device(device) => write!(f, "{device}"),
            Party::Relay => f.write_str("the relay"),
        }
    }
}

/// The addresses of all parties that are ours. Filled before the first start: from then on a look-up always finds somebody.
///
/// Each copy of an address has a place of its own in the mailbox, beside its bound (actix's channel). Whoever sends
/// something that a bound is claimed for uses the `with_` methods: there is one copy, and so there is one bound.
pub struct Directory {
    /// Of each server, what waits for it; stays when its actor goes.
    queues: Vec<Arc<Queue>>,
    servers: RwLock<Vec<Option<Addr<DmServer>>>>,
    bootstrap_servers: RwLock<Vec<Option<Addr<BootstrapServer>>>>,
    devices: RwLock<Vec<Option<Addr<DmClient>>>>,
    /// One, if any.
    relays: RwLock<Vec<Option<Addr<Relay>>>>,
    /// Servers that have been killed and do not stand again yet.
    down: RwLock<BTreeSet<ServerNumber>>,
    /// Servers that are somebody else's: they have no actor here.
    external: BTreeSet<ServerNumber>,
}

impl Directory {
    /// A directory for so many servers, in which nobody has been entered.
    pub fn new(servers: usize) -> Directory {
        Directory {
            queues: (0..servers).map(|_| Arc::default()).collect(),
            servers: RwLock::default(),
            bootstrap_servers: RwLock::default(),
            devices: RwLock::default(),
            relays: RwLock::default(),
            down: RwLock::default(),
            external: BTreeSet::new(),
        }
    }

    /// The same, where these servers are somebody else's.
    pub fn with_external(self, external: BTreeSet<ServerNumber>) -> Directory {
        Directory { external, ..self }
    }

    /// Whether a server is somebody else's.
    pub fn is_external(&self, server: ServerNumber) -> bool {
        self.external.contains(&server)
    }

    /// A place in the mailbox of a server, to be sent with a message.
    pub fn place_at(&self, server: ServerNumber) -> Place {
        self.queues[usize::from(server.0)].enter()
    }

    /// The most messages that have waited for one server since this was asked last.
    pub fn take_longest_queue(&self) -> u32 {
        self.queues.iter().map(|queue| queue.take_most()).max().unwrap_or(0)
    }

    /// The actor of a server.
    pub fn server(&self, server: ServerNumber) -> Addr<DmServer> {
        look_up(&self.servers, usize::from(server.0))
    }

    /// The actor of a device.
    pub fn device(&self, device: DeviceNumber) -> Addr<DmClient> {
        look_up(&self.devices, device.0 as usize)
    }

    /// Does something with the actor of a server; `None` when it has not been entered yet.
    pub fn with_server<T>(&self, server: ServerNumber, act: impl FnOnce(&Addr<DmServer>) -> T) -> Option<T> {
        with(&self.servers, usize::from(server.0), act)
    }

    /// As [`Directory::with_server`], of a bootstrap server.
    pub fn with_bootstrap_server<T>(
        &self,
        server: BootstrapServerNumber,
        act: impl FnOnce(&Addr<BootstrapServer>) -> T,
    ) -> Option<T> {
        with(&self.bootstrap_servers, usize::from(server.0), act)
    }

    /// As [`Directory::with_server`], of a device.
    pub fn with_device<T>(&self, device: DeviceNumber, act: impl FnOnce(&Addr<DmClient>) -> T) -> Option<T> {
        with(&self.devices, device.0 as usize, act)
    }

    /// As [`Directory::with_server`], of the relay.
    pub fn with_relay<T>(&self, act: impl FnOnce(&Addr<Relay>) -> T) -> Option<T> {
        with(&self.relays, 0, act)
    }

    /// A server has been killed: until another actor is entered for it, nobody is there.
    pub fn take_down(&self, server: ServerNumber) {
        self.down.write().unwrap_or_else(PoisonError::into_inner).insert(server);
    }

    /// Whether a server has been killed and does not stand again yet.
    pub fn is_down(&self, server: ServerNumber) -> bool {
        self.down.read().unwrap_or_else(PoisonError::into_inner).contains(&server)
    }

    /// Enters a server's actor, in place of the one before.
    pub fn enter_server(&self, server: ServerNumber, addr: Addr<DmServer>) {
        self.down.write().unwrap_or_else(PoisonError::into_inner).remove(&server);
        enter(&self.servers, usize::from(server.0), addr);
    }

    /// Enters a bootstrap server's actor, in place of the one before.
    pub fn enter_bootstrap_server(&self, server: BootstrapServerNumber, addr: Addr<BootstrapServer>) {
        enter(&self.bootstrap_servers, usize::from(server.0), addr);
    }

    /// Enters the relay's actor, in place of the one before.
    pub fn enter_relay(&self, addr: Addr<Relay>) {
        enter(&self.relays, 0, addr);
    }

    /// Enters a device's actor, in place of the one before.
    pub fn enter_device(&self, device: DeviceNumber, addr: Addr<DmClient>) {
        enter(&self.devices, device.0 as usize, addr);
    }
}

fn look_up<A: actix::Actor>(list: &RwLock<Vec<Option<Addr<A>>>>, place: usize) -> Addr<A> {
    with(list, place, Addr::clone).expect("every party is entered before the first start")
}

fn with<A: actix::Actor, T>(
    list: &RwLock<Vec<Option<Addr<A>>>>,
    place: usize,
    act: impl FnOnce(&Addr<A>) -> T,
) -> Option<T> {
    let list = list.read().unwrap_or_else(PoisonError::into_inner);
    list.get(place)?.as_ref().map(act)
}

fn enter<A: actix::Actor>(list: &RwLock<Vec<Option<Addr<A>>>>, place: usize, addr: Addr<A>) {
    let mut list = list.write().unwrap_or_else(PoisonError::into_inner);
    if list.len() <= place {
        list.resize(place + 1, None);
    }
    list[place] = Some(addr);
}
