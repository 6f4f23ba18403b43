//! Where the cases take place: our doors, our calls to the peer, our devices.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::actors::outside::WAKE_PATH;
use crate::clock::Clock;
use crate::conform::Options;
use crate::conform::call::{Raw, Shown};
use crate::conform::fields::Fields;
use crate::conform::handset::Handset;
use crate::conform::log::{Kept, Log};
use crate::conform::mailbox::Mailbox;
use crate::conform::pair::{Pair, PairError};
use crate::conform::pool::Pool;
use crate::conform::timing::Timing;
use crate::delegation::xml;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::client::Failure;
use crate::dm::wire::Packet;
use crate::ids::{DeviceId, DeviceNumber, SessionId, device_number};
use crate::run::prepare::DEVICE_HOST;
use crate::scenario::Scenario;
use crate::seed::Seed;
use crate::transport::address::{Address, AddressError};
use crate::transport::certs::{CertError, Flaw};
use crate::transport::dialer::{Call, Dialer, DialerOptions, Reply};
use crate::transport::exchange::{Inbound, Method, Outbound};
use crate::transport::failure::CallError;
use crate::transport::listener::{Door, Doors, ListenError, bind, open_doors};
use crate::transport::tls::{
    ClientAuth, ClientIdentity, Identity, Resumption, TlsSetupError, client_config, server_config,
};
use crate::workload::parties::Parties;

/// Where our doors are.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Requests that wait for this thread at most; more are told to come later.
const MOST_WAITING: usize = 256;
/// Which of our doors is the one where devices are woken.
const WAKE_DOOR: usize = 1;
/// The most that is read of an answer. A peer that sends more is cut off.
const MOST_READ: usize = 1024 * 1024;

/// Why there is nowhere for the cases to take place.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error(transparent)]
    Certificates(#[from] CertError),
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("{who}: {problem}")]
    Door { who: String, problem: ListenError },
}

/// The world.
pub struct World {
    pub scenario: Scenario,
    pub pair: Pair,
    pub clock: Clock,
    pub timing: Timing,
    pub parties: Parties,
    /// Where the peer takes messages.
    pub address: Address,
    operator: Option<Address>,
    dialer: Dialer,
    shown: BTreeMap<Shown, Result<ClientIdentity, String>>,
    /// What our devices show: nothing.
    of_devices: ClientIdentity,
    pub(super) links: Option<Arc<BootstrapLinks>>,
    /// Where our own devices would connect to us.
    pub(super) own_address: String,
    handsets: RefCell<BTreeMap<DeviceNumber, Rc<Handset>>>,
    mailboxes: RefCell<Vec<Rc<Mailbox>>>,
    pub(super) pool: RefCell<Pool>,
    /// What came for no case.
    strays: Log,
    pub(super) sessions: Cell<u64>,
    /// How many delegations of devices that are to be delegated the peer has refused.
    refusals: Cell<usize>,
    /// What makes our sessionIds others than those of every other run: a peer remembers them.
    pub(super) salt: Seed,
    /// The sessionIds that the peer has made up.
    pub(super) of_peer: RefCell<BTreeSet<SessionId>>,
}

/// A request that waits for this thread, and where its answer goes.
type Waiting = (Inbound, oneshot::Sender<Outbound>);

impl World {
    /// Opens our doors. Whoever holds the doors holds them open.
    pub async fn open(scenario: &Scenario, options: &Options, clock: Clock) -> Result<(Rc<World>, Doors), WorldError> {
        let pair = Pair::of(scenario, &options.certs, &options.targets)?;
        let us = &scenario.servers[usize::from(pair.us.0)];
        let identity = pair.folder.identity(&us.host, &[])?;
        let of_devices = pair.folder.identity(DEVICE_HOST, &[])?;
        let roots = pair.folder.roots();

        let mut doors = Vec::new();
        for (what, port, identity) in [
            ("for the peer", us.server_port, &identity),
            ("where devices are woken", scenario.wake_ports.https, &of_devices),
        ] {
            let who = format!("{}, {what}", us.name);
            let socket = bind(SocketAddr::new(HERE, port));
            let socket = socket.map_err(|problem| WorldError::Door { who: who.clone(), problem })?;
            // Who shows no certificate comes in all the same: else nobody would know that a peer shows none.
            let tls = server_config(identity, Arc::clone(&roots), ClientAuth::Optional)?;
            doors.push(Door { name: who, socket, tls, body_limit: MOST_READ });
        }
        let (ask, asked) = mpsc::channel::<Waiting>(MOST_WAITING);
        let handler = move |request| {
            let ask = ask.clone();
            async move {
                let (reply, answer) = oneshot::channel();
                match ask.try_send((request, reply)) {
                    Ok(()) => answer.await.unwrap_or_else(|_| Outbound::status(503)),
                    Err(_) => Outbound::status(503).with_header("retry-after", "1"),
                }
            }
        };
        let doors = open_doors(doors, 1, clock, handler);
        let doors = doors.await.map_err(|problem| WorldError::Door { who: us.name.clone(), problem })?;
        let world = World::build(scenario, pair, &identity, options.round, clock)?;
        let world = Rc::new(world);
        actix::spawn(Rc::clone(&world).serve(asked));
        Ok((world, doors))
    }

    fn build(
        scenario: &Scenario,
        pair: Pair,
        identity: &Identity,
        round: Option<u32>,
        clock: Clock,
    ) -> Result<World, WorldError> {
        let us = &scenario.servers[usize::from(pair.us.0)];
        // Our own devices reach us within this process: nothing listens there.
        let device_base = format!("https://{}:{}", us.host, if us.device_port == 0 { 443 } else { us.device_port });
        let own_address = format!("{device_base}{}", us.dm);
        let roots = pair.folder.roots();
        let own = pair.identity.as_ref().unwrap_or(identity);
        let flawed = |flaw| pair.folder.flawed(&us.host, flaw).map_err(|error| error.to_string());
        let show = |identity: Result<Option<Identity>, String>| {
            let identity = identity?;
            client_config(Arc::clone(&roots), identity.as_ref(), Resumption::Off).map_err(|error| error.to_string())
        };
        let shown = BTreeMap::from([
            (Shown::Own, Ok(client_config(Arc::clone(&roots), Some(own), Resumption::Off)?)),
            (Shown::Nothing, show(Ok(None))),
            (Shown::WrongCa, show(flawed(Flaw::WrongCa).map(Some))),
            (Shown::Expired, show(pair.can_sign(flawed(Flaw::Expired)).map(Some))),
            (Shown::NotYetValid, show(pair.can_sign(flawed(Flaw::NotYetValid)).map(Some))),
            (Shown::Strangers, show(pair.can_sign(flawed(Flaw::WrongName)).map(Some))),
        ]);
        let books: Vec<_> = (0..scenario.servers.len())
            .map(|number| {
                let is_ours = number == usize::from(pair.us.0);
                let address = if is_ours { own_address.clone() } else { pair.device_url.clone() };
                scenario.account_book(number, address)
            })
            .collect();
        let links: Vec<_> = scenario
            .bootstrap_servers
            .iter()
            .enumerate()
            .map(|(number, site)| scenario.bootstrap_links(number, format!("{device_base}{}", site.path)))
            .collect();
        let is_ours = |number: &usize| scenario.bootstrap_servers[*number].server == pair.us;
        let own_links = (0..links.len()).find(is_ours).map(|number| Arc::clone(&links[number]));
        let parties = scenario.parties(&books, &links);
        let salt = Seed::fresh();
        let pool = Pool::of(&parties.population, pair.us, pair.peer, (round, salt));
        let operator = pair.operator.as_deref().map(Address::parse).transpose()?;
        Ok(World {
            scenario: scenario.clone(),
            timing: Timing::of(scenario),
            address: Address::parse(&pair.url)?,
            operator,
            dialer: Dialer::new(pair.names.clone(), DialerOptions::default(), clock),
            shown,
            of_devices: client_config(roots, None, Resumption::Off)?,
            links: own_links,
            own_address,
            handsets: RefCell::default(),
            mailboxes: RefCell::default(),
            pool: RefCell::new(pool),
            strays: Log::new("doors", clock),
            sessions: Cell::new(0),
            of_peer: RefCell::default(),
            refusals: Cell::new(0),
            salt,
            parties,
            pair,
            clock,
        })
    }

    /// Answers what comes in, one after the other, until the doors are closed.
    async fn serve(self: Rc<World>, mut asked: mpsc::Receiver<Waiting>) {
        while let Some((request, reply)) = asked.recv().await {
            let answer = self.receive(&request);
            // Who has hung up by now needs no answer.
            let _ = reply.send(answer);
        }
    }

    fn receive(&self, request: &Inbound) -> Outbound {
        let us = &self.scenario.servers[usize::from(self.pair.us.0)];
        if request.door == WAKE_DOOR {
            let device = request.path_only().strip_prefix(WAKE_PATH);
            return device.map_or_else(|| Outbound::status(404), |device| self.wake(device, request));
        }
        if request.path_only() != us.interface {
            self.strays.exchange("peer", "us", format!("{} {}", request.method, request.path), None);
            return Outbound::status(404);
        }
        let body = request.body.as_ref().map(|body| &body[..]).unwrap_or_default();
        let (fields, read) = (Fields::read(body), xml::read(body));
        let mailboxes = self.mailboxes.borrow();
        let find = |loose| mailboxes.iter().rev().find(|mailbox| mailbox.is_for(&fields, body, loose));
        match find(false).or_else(|| find(true)) {
            Some(mailbox) => mailbox.take(request, fields, read),
            None => {
                let root = if fields.root.is_empty() { "nothing that is a message" } else { &fields.root };
                self.strays.exchange("peer", "us", format!("{} {root}, of no case", request.method), Some(body));
                Outbound::status(404)
            }
        }
    }

    fn wake(&self, device: &str, request: &Inbound) -> Outbound {
        if request.method != Method::Post {
            return Outbound::status(405);
        }
        let decoded = device.replace("%3A", ":").replace("%3a", ":");
        let handset = device_number(&decoded).and_then(|number| self.handsets.borrow().get(&number).cloned());
        match (handset, &request.body) {
            (Some(handset), Ok(octets)) => Outbound::status(if handset.wake(octets) { 204 } else { 503 }),
            (Some(_), Err(_)) => Outbound::status(400),
            (None, _) => Outbound::status(404),
        }
    }

    /// Where the peer reaches us, and where it wakes our devices.
    pub fn own_urls(&self, doors: &Doors) -> (String, String) {
        let us = &self.scenario.servers[usize::from(self.pair.us.0)];
        let port = |door: usize| doors.addresses().get(door).map_or(0, SocketAddr::port);
        let interface = format!("https://{}:{}{}", us.host, port(0), us.interface);
        (interface, format!("https://{DEVICE_HOST}:{}{WAKE_PATH}", port(1)))
    }

    /// Lets messages for a case come to its letter box.
    pub fn enrol(&self, mailbox: &Rc<Mailbox>) {
        self.mailboxes.borrow_mut().push(Rc::clone(mailbox));
    }

    /// A device of a kind that nobody has had yet.
    pub fn take_device(
        self: &Rc<World>,
        kind: crate::conform::pool::Kind,
        log: &Rc<Log>,
    ) -> Result<Rc<Handset>, String> {
        let number = self.pool.borrow_mut().take(kind)?;
        let handset = Handset::new(self, number, log);
        self.handsets.borrow_mut().insert(number, Rc::clone(&handset));
        Ok(handset)
    }

    /// What kept cases from being tried: what the pool lacked, and what the peer refused.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.pool.borrow().lacks(&self.scenario, self.pair.us, self.pair.peer);
        if self.refusals.get() > 0 {
            problems.push(format!(
                "the peer refused {} delegations of devices that the file has to be delegated: it may have \
                 them on record from a run before; start it anew, or take other devices, with --round",
                self.refusals.get()
            ));
        }
        problems
    }

    /// The peer has refused a delegation that it is to grant.
    pub fn note_refusal(&self) {
        self.refusals.set(self.refusals.get() + 1);
    }

    /// Waits until no device is busy any more, for a while.
    pub async fn rest(&self) {
        let end = self.clock.now() + self.timing.session;
        loop {
            tokio::time::sleep(self.timing.silence / 2).await;
            let is_idle = self.handsets.borrow().values().all(|handset| handset.is_idle());
            if is_idle || self.clock.now() >= end {
                return;
            }
        }
    }

    /// What came for no case.
    pub fn strays(&self) -> Kept {
        self.strays.take_kept()
    }

    /// Makes a request to the peer.
    pub async fn call(&self, raw: &Raw) -> Result<Reply, CallError> {
        let unwritable = |problem: &str| CallError::Unwritable { problem: problem.to_owned() };
        let identity = self.shown(raw.shown).map_err(|why| unwritable(&why))?;
        let address = match &raw.path {
            None => self.address.clone(),
            Some(path) => self.address.with_path(path).map_err(|error| unwritable(&error.to_string()))?,
        };
        let call = Call {
            method: raw.method.clone(),
            address,
            identity,
            owner: None,
            content_type: raw.content_type.clone().map(Into::into),
            headers: raw.headers.clone(),
            body: raw.body.clone(),
            timeout: self.timing.request,
            body_limit: MOST_READ,
            trouble: None,
        };
        self.dialer.call(call).await
    }

    /// What we can show, or why we cannot.
    pub fn shown(&self, shown: Shown) -> Result<ClientIdentity, String> {
        self.shown.get(&shown).cloned().unwrap_or_else(|| Err("there is no such certificate".to_owned()))
    }

    /// A package of a device, or without one its GET of a bootstrap document.
    pub async fn call_from_device(
        &self,
        device: DeviceNumber,
        url: &str,
        packet: Option<Packet>,
    ) -> Result<Reply, Failure> {
        let unreachable = |error: String| Failure::Unreachable(error);
        let address = Address::parse(url).map_err(|error| unreachable(error.to_string()))?;
        let mut call = match packet {
            None => Call::get(address, self.of_devices.clone()),
            Some(packet) => {
                let mut call = Call::post(address, self.of_devices.clone(), packet.content_type.as_str(), packet.body);
                call.headers.extend(packet.hmac_header.map(|value| (HMAC_HEADER, value)));
                call
            }
        };
        call.timeout = self.timing.request;
        call.body_limit = MOST_READ;
        call.owner = Some(device.0);
        let answered = self.dialer.call(call).await;
        // One connection for each exchange: a device that sleeps keeps none.
        self.dialer.hang_up(device.0);
        answered.map_err(|error| unreachable(error.to_string()))
    }

    /// Asks the peer's operator to start a step; an error is why nobody starts it.
    pub async fn ask_operator(&self, device: &DeviceId, step: &str) -> Result<(), String> {
        let Some(operator) = &self.operator else {
            return Err("the file names no `operator` of the peer, and only its operator can start this".to_owned());
        };
        let body = serde_json::json!({ "device": device.as_str(), "step": step }).to_string();
        let identity = self.shown(Shown::Own)?;
        let mut call = Call::post(operator.clone(), identity, "application/json", body);
        call.timeout = self.timing.request;
        let reply = self.dialer.call(call).await.map_err(|error| format!("the peer's operator: {error}"))?;
        match reply.status {
            200..300 => Ok(()),
            status => Err(format!("the peer's operator says {status}: {}", String::from_utf8_lossy(&reply.body))),
        }
    }
}
