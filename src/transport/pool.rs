//! The open connections of a dialer: per target a bound, a fair queue, and those that wait for their next use.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;

use crate::clock::{Clock, Moment};
use crate::transport::address::Address;
use crate::transport::connection::{Connection, Opened};
use crate::transport::dialer::DialerOptions;
use crate::transport::failure::{CallError, Phase};
use crate::transport::guard::{Names, NotAllowed};
use crate::transport::quota::Quota;
use crate::transport::tls::ClientIdentity;

/// All targets that have connections, or callers waiting for one.
pub(super) struct Pool {
    targets: RefCell<BTreeMap<Key, Rc<Target>>>,
    names: Names,
    options: DialerOptions,
    clock: Clock,
    pub(super) opened: Cell<u64>,
    pub(super) resumed: Cell<u64>,
}

/// Calls share connections when they agree in all of these. The owner comes first: its keys lie side by side.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    owner: Option<u32>,
    port: u16,
    identity: usize,
    host: Arc<str>,
}

/// Where connections lead, and as whom.
struct Target {
    address: SocketAddr,
    name: ServerName<'static>,
    identity: ClientIdentity,
    /// One permit for each connection that may be in use; given out in the order of asking.
    free: Semaphore,
    /// Open and unused, the most recently used last.
    idle: RefCell<Vec<Connection>>,
}

/// A connection in use, or the right to open one.
pub(super) struct Lease {
    pool: Rc<Pool>,
    key: Key,
    target: Rc<Target>,
    connection: Option<Connection>,
    /// Whether the connection was opened for this lease.
    pub(super) fresh: bool,
}

impl Pool {
    pub(super) fn new(names: Names, options: DialerOptions, clock: Clock) -> Pool {
        Pool { targets: RefCell::default(), names, options, clock, opened: Cell::default(), resumed: Cell::default() }
    }

    /// Connections to one target at once.
    pub(super) fn bound(&self) -> usize {
        self.options.open_per_target.max(1)
    }

    /// Waits for the right to a connection and gives one that is open, or opens one.
    pub(super) async fn lease(
        self: &Rc<Pool>,
        address: &Address,
        identity: &ClientIdentity,
        owner: Option<u32>,
        phase: &Cell<Phase>,
    ) -> Result<Lease, CallError> {
        let host = address.shared_host().clone();
        let key = Key { owner, port: address.port(), identity: identity.key(), host };
        let target = self.target(&key, identity)?;
        phase.set(Phase::Queue);
        target.free.acquire().await.expect("the permits of a target are never closed").forget();
        let mut lease = Lease { pool: self.clone(), key, target, connection: None, fresh: false };
        lease.connection = match lease.reuse().await {
            Some(connection) => Some(connection),
            None => Some(lease.open(phase).await?),
        };
        Ok(lease)
    }

    /// Drops all connections of an owner that are not in use.
    pub(super) fn hang_up(&self, owner: u32) {
        let mut targets = self.targets.borrow_mut();
        let first = Key { owner: Some(owner), port: 0, identity: 0, host: "".into() };
        let keys: Vec<Key> =
            targets.range(first..).map(|(key, _)| key.clone()).take_while(|key| key.owner == Some(owner)).collect();
        for key in keys {
            if let Some(target) = targets.get(&key) {
                target.idle.borrow_mut().clear();
                if Rc::strong_count(target) == 1 {
                    targets.remove(&key);
                }
            }
        }
    }

    /// Drops all connections that are not in use.
    pub(super) fn hang_up_all(&self) {
        self.targets.borrow_mut().retain(|_, target| {
            target.idle.borrow_mut().clear();
            Rc::strong_count(target) > 1
        });
    }

    /// Open connections that are not in use.
    pub(super) fn idle(&self) -> usize {
        self.targets.borrow().values().map(|target| target.idle.borrow().len()).sum()
    }

    /// Where a host (in lower case) is and the name it must prove, if it may be called.
    pub(super) fn admit(&self, host: &str, port: u16) -> Result<(SocketAddr, ServerName<'static>), NotAllowed> {
        let address = self.names.admit(host, port)?;
        let name =
            ServerName::try_from(host.to_string()).map_err(|_| NotAllowed::UnknownHost { host: host.to_string() })?;
        Ok((address, name))
    }

    /// What may be asked of a target at most, where that has a bound.
    pub(super) fn quota(&self, host: &str, port: u16) -> Option<&Quota> {
        self.names.quota(host, port)
    }

    /// Counts a connection that was opened.
    pub(super) fn count(&self, opened: Opened) {
        self.opened.set(self.opened.get() + 1);
        self.resumed.set(self.resumed.get() + u64::from(opened.resumed));
    }

    fn target(&self, key: &Key, identity: &ClientIdentity) -> Result<Rc<Target>, NotAllowed> {
        if let Some(target) = self.targets.borrow().get(key) {
            return Ok(target.clone());
        }
        let (address, name) = self.admit(&key.host, key.port)?;
        let target = Rc::new(Target {
            address,
            name,
            identity: identity.clone(),
            free: Semaphore::new(self.bound()),
            idle: RefCell::default(),
        });
        self.targets.borrow_mut().insert(key.clone(), target.clone());
        Ok(target)
    }
}

impl Lease {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a lease that was given out has its connection")
    }

    pub(super) fn host(&self) -> &str {
        &self.key.host
    }

    /// Replaces a connection that died before it was asked.
    pub(super) async fn replace(&mut self, phase: &Cell<Phase>) -> Result<(), CallError> {
        self.connection = None;
        self.connection = match self.reuse().await {
            Some(connection) => Some(connection),
            None => Some(self.open(phase).await?),
        };
        Ok(())
    }

    /// Gives the connection back for the next call; its exchange is over.
    pub(super) fn keep(mut self, now: Moment) {
        if let Some(mut connection) = self.connection.take() {
            connection.idle_since = now;
            let mut idle = self.target.idle.borrow_mut();
            if idle.len() < self.pool.options.idle_per_target {
                idle.push(connection);
            }
        }
    }

    async fn reuse(&mut self) -> Option<Connection> {
        let options = &self.pool.options;
        loop {
            let mut connection = self.target.idle.borrow_mut().pop()?;
            let idle_for = self.pool.clock.now().since(connection.idle_since);
            if idle_for > options.idle_for {
                // Those below it have waited even longer.
                self.target.idle.borrow_mut().clear();
                return None;
            }
            if idle_for >= options.look_after {
                // Lets the runtime look at the socket: has the peer closed it meanwhile?
                tokio::task::yield_now().await;
            }
            if connection.is_usable().await {
                self.fresh = false;
                return Some(connection);
            }
        }
    }

    async fn open(&mut self, phase: &Cell<Phase>) -> Result<Connection, CallError> {
        let (target, pool) = (&self.target, &self.pool);
        let config = target.identity.config().clone();
        let connection = Connection::open(target.address, &target.name, config, pool.clock, phase).await?;
        pool.count(connection.opened);
        self.fresh = true;
        Ok(connection)
    }
}

/// A connection that was not given back is in an unknown state and ends.
impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.cut();
        }
        self.target.free.add_permits(1);
        // Held by the table and by us alone: nobody waits, and without idle connections nothing is left to hold.
        if Rc::strong_count(&self.target) == 2 && self.target.idle.borrow().is_empty() {
            self.pool.targets.borrow_mut().remove(&self.key);
        }
    }
}
