//! One device of ours: its machine, driven over HTTPS towards the peer, and by our own half of sessions within this process.
//!
//! The peer sees a device like any other. What it does there can be looked at on the tree.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Moment;
use crate::conform::log::Log;
use crate::conform::world::World;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::client::{self, Client, Failure, Mishap, Note};
use crate::dm::dmacc;
use crate::dm::script::{DeviceFailure, Errand, Report};
use crate::dm::server::{self, Sessions};
use crate::dm::tree::Tree;
use crate::dm::uri::Uri;
use crate::dm::wire::{self, Packet};
use crate::ids::{DeviceId, DeviceNumber, ServerId, device_id};

/// A session that the device has had with somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub server: ServerId,
    /// Milliseconds since the run began.
    pub begun_ms: u64,
    /// How it ended, if it has.
    pub end: Option<client::Outcome>,
    /// Whether the server had more in mind than to see the device: commands that were carried out.
    pub commands: usize,
}

/// The device.
pub struct Handset {
    world: Rc<World>,
    log: Rc<Log>,
    pub number: DeviceNumber,
    pub id: DeviceId,
    inner: RefCell<Inner>,
    changed: Notify,
    /// When a timer has been set to ring.
    armed: Cell<Moment>,
}

struct Inner {
    client: Client,
    /// Our half of its sessions with us.
    sessions: Sessions,
    tickets: u64,
    finished: BTreeMap<u64, Report>,
    visits: Vec<Visit>,
    /// Whether it has connected to us by itself.
    has_connected: bool,
    /// Package 0 does not reach it.
    is_deaf: bool,
    /// What the peer's next changes are refused with.
    refuses: Option<u16>,
}

/// What is still to be handed to one of the two machines.
enum Next {
    Device(client::Input),
    Ours(server::Input),
}

impl Handset {
    /// A device as it leaves its owner's hands.
    pub fn new(world: &Rc<World>, number: DeviceNumber, log: &Rc<Log>) -> Rc<Handset> {
        let client = Client::new(number, world.parties.template(number), world.device_settings());
        let inner = Inner {
            client,
            sessions: Sessions::new(world.session_settings()),
            tickets: 0,
            finished: BTreeMap::new(),
            visits: Vec::new(),
            has_connected: false,
            is_deaf: false,
            refuses: None,
        };
        Rc::new(Handset {
            world: Rc::clone(world),
            log: Rc::clone(log),
            number,
            id: device_id(number),
            inner: RefCell::new(inner),
            changed: Notify::new(),
            armed: Cell::new(Moment::NEVER),
        })
    }

    /// Package 0 of the peer has come in; whether the device has heard it.
    pub fn wake(self: &Rc<Handset>, octets: &[u8]) -> bool {
        let is_deaf = self.inner.borrow().is_deaf;
        let what = if is_deaf { "package 0, which the device does not hear" } else { "package 0" };
        self.log.exchange("peer", "device", what, None);
        if !is_deaf {
            self.tell(Next::Device(client::Input::Trigger(octets.to_vec())));
        }
        !is_deaf
    }

    /// From now on package 0 does not reach it, or does again.
    pub fn deafen(&self, is_deaf: bool) {
        self.inner.borrow_mut().is_deaf = is_deaf;
    }

    /// What the peer changes in its next sessions is refused with this code.
    pub fn refuse_with(&self, code: u16) {
        self.inner.borrow_mut().refuses = Some(code);
    }

    /// Hears package 0 and refuses nothing: as it was at first.
    pub fn recover(&self) {
        let mut inner = self.inner.borrow_mut();
        (inner.is_deaf, inner.refuses) = (false, None);
    }

    /// Whether it neither does nor plans anything.
    pub fn is_idle(&self) -> bool {
        let inner = self.inner.borrow();
        inner.client.is_idle() && inner.sessions.open() == 0
    }

    /// Runs an errand of ours in a session of ours.
    pub async fn run(self: &Rc<Handset>, errand: Errand) -> Report {
        let ticket = {
            let mut inner = self.inner.borrow_mut();
            inner.tickets += 1;
            inner.tickets
        };
        self.log.exchange("us", "device", format!("errand: {}", errand.kind().key()), None);
        self.tell(Next::Ours(server::Input::Run { ticket, device: self.number, errand }));
        // Our sessions have a deadline of their own, after which the errand has failed; this is for a device that waits
        // for the peer meanwhile.
        let patience = self.world.timing.session * 3;
        let done = self.until(patience, |inner| inner.finished.contains_key(&ticket)).await;
        let report = self.inner.borrow_mut().finished.remove(&ticket).filter(|_| done);
        let report = report.unwrap_or_else(|| Report::failed(DeviceFailure::Unreachable));
        if let Err(failure) = &report.result {
            self.log.exchange("device", "us", format!("the errand failed: {failure:?}"), None);
        }
        report
    }

    /// Looks at the tree.
    pub fn look<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        look(self.inner.borrow().client.tree())
    }

    /// Waits until the tree is like this, or the time is over; whether it is.
    pub async fn tree_comes_to(&self, within: Duration, is_so: impl Fn(&Tree) -> bool) -> bool {
        self.until(within, |inner| is_so(inner.client.tree())).await
    }

    /// Waits until the device has had a whole session with a server; what it was.
    pub async fn visited_by(&self, server: &ServerId, within: Duration) -> Option<Visit> {
        let is_it = |visit: &&Visit| visit.server == *server && visit.end == Some(client::Outcome::Done);
        self.until(within, |inner| inner.visits.iter().any(|visit| is_it(&visit))).await;
        self.inner.borrow().visits.iter().find(is_it).cloned()
    }

    /// The sessions with a server so far.
    pub fn visits(&self, server: &ServerId) -> Vec<Visit> {
        self.inner.borrow().visits.iter().filter(|visit| visit.server == *server).cloned().collect()
    }

    /// Waits until the device has connected to us by itself; whether it has.
    pub async fn connects_to_us(&self, within: Duration) -> bool {
        self.until(within, |inner| inner.has_connected).await
    }

    /// The value of NoAutoInitialSession in a server's account.
    pub fn flag(&self, server: &ServerId) -> Option<String> {
        self.look(|tree| {
            let node = tree.account_of(server)?;
            tree.value(&dmacc::place().join(&node).join("NoAutoInitialSession"))
        })
    }

    /// What is on it of a server, apart from the values of leaves: its account, the nodes whose ACL names it, the URLs of
    /// bootstrap servers. Two moments of a device that has been put back are equal.
    pub fn traces(&self, server: &ServerId) -> Traces {
        self.look(|tree| Traces {
            has_account: tree.has_account(server),
            acls: tree.nodes(&Uri::root()).iter().map(|node| (node.uri.to_string(), node.acl.to_string())).collect(),
            mentions: tree.acl_mentions().into_iter().filter(|(of, _)| of == server).map(|(_, uri)| uri).collect(),
            urls: tree.bootstrap_entries().into_iter().map(|(_, url)| url).collect(),
        })
    }

    async fn until(&self, within: Duration, is_so: impl Fn(&Inner) -> bool) -> bool {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if is_so(&self.inner.borrow()) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(within, wait).await.is_ok() || is_so(&self.inner.borrow())
    }

    fn tell(self: &Rc<Handset>, first: Next) {
        let mut queue = VecDeque::from([first]);
        while let Some(next) = queue.pop_front() {
            let now = self.world.clock.now();
            match next {
                Next::Device(input) => {
                    let mut out = Vec::new();
                    self.inner.borrow_mut().client.handle(now, input, &mut out);
                    out.into_iter().for_each(|effect| self.obey(effect, &mut queue));
                }
                Next::Ours(input) => {
                    let mut out = Vec::new();
                    self.inner.borrow_mut().sessions.handle(now, input, &mut out);
                    out.into_iter().for_each(|effect| self.obey_ours(effect, &mut queue));
                }
            }
        }
        self.arm();
        self.changed.notify_waiters();
    }

    fn obey(self: &Rc<Handset>, effect: client::Effect, queue: &mut VecDeque<Next>) {
        match effect {
            client::Effect::Post { exchange, url, message, seal } => {
                let packet = wire::seal(&message, seal.as_ref(), self.world.scenario.encoding.content_type());
                if self.world.is_ours(&url) {
                    queue.extend(self.post_to_us(exchange, &packet));
                } else {
                    let me = Rc::clone(self);
                    actix::spawn(async move {
                        let result = me.post(&url, packet).await;
                        me.tell(Next::Device(client::Input::Answer { exchange, result }));
                    });
                }
            }
            client::Effect::Fetch { exchange, url } => {
                if let Some(document) = self.world.document(&url) {
                    self.log.exchange("device", "us", "GET of our bootstrap", None);
                    queue.push_back(Next::Device(client::Input::Bootstrap { exchange, result: Ok(document) }));
                } else {
                    let me = Rc::clone(self);
                    actix::spawn(async move {
                        let result = me.fetch(&url).await;
                        me.tell(Next::Device(client::Input::Bootstrap { exchange, result }));
                    });
                }
            }
            client::Effect::Note(note) => self.note(note, queue),
        }
    }

    /// A package for us goes no way: our half of the session reads it as it would have come.
    fn post_to_us(&self, exchange: client::Exchange, packet: &Packet) -> Option<Next> {
        let envelope = wire::open(packet.content_type.as_str(), packet.hmac_header.as_deref(), &packet.body);
        Some(match envelope {
            Ok(envelope) => {
                Next::Ours(server::Input::Received { exchange: exchange.0, envelope, client_certificate: true })
            }
            Err(error) => {
                let result = Err(Failure::Unreadable(error.to_string()));
                Next::Device(client::Input::Answer { exchange, result })
            }
        })
    }

    fn obey_ours(&self, effect: server::Effect, queue: &mut VecDeque<Next>) {
        let mut answer = |exchange, result| {
            queue.push_back(Next::Device(client::Input::Answer { exchange: client::Exchange(exchange), result }));
        };
        match effect {
            server::Effect::Trigger { bytes, .. } => queue.push_back(Next::Device(client::Input::Trigger(bytes))),
            server::Effect::Answer { exchange, message, seal } => {
                let packet = wire::seal(&message, seal.as_ref(), self.world.scenario.encoding.content_type());
                let opened = wire::open(packet.content_type.as_str(), packet.hmac_header.as_deref(), &packet.body);
                answer(exchange, opened.map_err(|error| Failure::Unreadable(error.to_string())));
            }
            server::Effect::Reject { exchange, status } => answer(exchange, Err(Failure::Status(status))),
            server::Effect::Finished { ticket, report } => {
                self.inner.borrow_mut().finished.insert(ticket, report);
            }
            server::Effect::Connected { .. } => {
                self.log.exchange("device", "us", "a session that the device has begun by itself", None);
                self.inner.borrow_mut().has_connected = true;
            }
            server::Effect::Note(_) => {}
        }
    }

    fn note(&self, note: Note, queue: &mut VecDeque<Next>) {
        let who = |server: &ServerId| if *server == *self.world.us_id() { "us" } else { "peer" };
        match note {
            Note::SessionOpened { server, .. } => {
                let is_peer = who(&server) == "peer";
                self.log.exchange("device", who(&server), "a session begins", None);
                let begun_ms = self.log.now_ms();
                let mut inner = self.inner.borrow_mut();
                inner.visits.push(Visit { server, begun_ms, end: None, commands: 0 });
                // A peer has as many sessions as it likes; what is kept of them is bounded.
                let excess = inner.visits.len().saturating_sub(64);
                inner.visits.drain(..excess);
                if let Some(code) = inner.refuses.filter(|_| is_peer) {
                    queue.push_back(Next::Device(client::Input::Mishap(Mishap::Refuse { code })));
                }
            }
            Note::SessionEnded { server, outcome, .. } => {
                self.log.exchange("device", who(&server), format!("the session ends: {outcome:?}"), None);
                let mut inner = self.inner.borrow_mut();
                let visit = inner.visits.iter_mut().rev().find(|visit| visit.server == server && visit.end.is_none());
                if let Some(visit) = visit {
                    visit.end = Some(outcome);
                }
            }
            Note::Operated { server, verb, target, code } => {
                if who(&server) == "peer" {
                    self.log.exchange("peer", "device", format!("{verb} {target}: {code}"), None);
                }
                let mut inner = self.inner.borrow_mut();
                let visit = inner.visits.iter_mut().rev().find(|visit| visit.server == server && visit.end.is_none());
                if let Some(visit) = visit {
                    visit.commands += 1;
                }
            }
            Note::Bootstrapped { server } => {
                self.log.exchange("device", "device", format!("has been bootstrapped for {server}"), None);
            }
            Note::BootstrapFailed(why) => {
                self.log.exchange("device", "device", format!("could not be bootstrapped: {why:?}"), None);
            }
            Note::TriggerIgnored(why) => {
                self.log.exchange("device", "device", format!("does not follow package 0: {why:?}"), None);
            }
            Note::ConnectIgnored { .. } | Note::AccountAppeared { .. } | Note::AccountGone { .. } => {}
        }
    }

    async fn post(&self, url: &str, packet: Packet) -> Result<wire::Envelope, Failure> {
        let reply = self.world.call_from_device(self.number, url, Some(packet)).await?;
        if reply.status != 200 {
            return Err(Failure::Status(reply.status));
        }
        wire::open(reply.content_type().unwrap_or_default(), reply.header(HMAC_HEADER), &reply.body)
            .map_err(|error| Failure::Unreadable(error.to_string()))
    }

    async fn fetch(&self, url: &str) -> Result<crate::dm::syncml::Message, Failure> {
        self.log.exchange("device", "peer", "GET of the peer's bootstrap", None);
        let reply = self.world.call_from_device(self.number, url, None).await?;
        if reply.status != 200 {
            return Err(Failure::Status(reply.status));
        }
        let opened = wire::open(reply.content_type().unwrap_or_default(), None, &reply.body);
        opened.map(|envelope| envelope.message).map_err(|error| Failure::Unreadable(error.to_string()))
    }

    /// Sees to it that both machines are woken when they want to be.
    fn arm(self: &Rc<Handset>) {
        let inner = self.inner.borrow();
        let due = inner.client.deadline().min(inner.sessions.deadline());
        drop(inner);
        if !due.is_set() || self.armed.get() <= due {
            return;
        }
        self.armed.set(due);
        let (me, wait) = (Rc::downgrade(self), (due - self.world.clock.now()).max(Duration::from_millis(1)));
        actix::spawn(async move {
            tokio::time::sleep(wait).await;
            if let Some(me) = me.upgrade() {
                me.armed.set(Moment::NEVER);
                me.tell(Next::Device(client::Input::Wake));
                me.tell(Next::Ours(server::Input::Wake));
            }
        });
    }
}

/// What is on a device of a server, and of whom its ACLs speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    pub has_account: bool,
    pub acls: BTreeMap<String, String>,
    pub mentions: Vec<Uri>,
    pub urls: Vec<String>,
}

impl Traces {
    /// The nodes whose ACL is another one than it was, with both.
    pub fn other_acls(&self, now: &Traces) -> Vec<String> {
        let both = self.acls.iter().filter_map(|(uri, acl)| Some((uri, acl, now.acls.get(uri)?)));
        both.filter(|(_, before, after)| before != after)
            .map(|(uri, before, after)| format!("{uri} was {before:?}, and is {after:?}"))
            .collect()
    }
}
