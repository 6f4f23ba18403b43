//! What goes into a server's delegation machine and what comes out of it.
//!
//! `Server::handle(now, input, &mut Outbox)`: no clock, no dice, no IO, no log inside.

use std::sync::Arc;
use std::time::Duration;

use crate::delegation::durable::Image;
use crate::delegation::exchange::{Answer, Incoming, Outgoing, PostOutcome};
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::message::{Kind, Message};
use crate::delegation::policy::Policy;
use crate::delegation::reading::Readings;
use crate::dm::dmacc::DmAcc;
use crate::dm::script::{Errand, Report};
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerId, ServerNumber, SessionId};

pub use crate::delegation::flow::Approach;

/// What can happen to a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// Its operator wants a flow started. `by_delegated` flows and requested revocations are started at the delegate.
    Start { flow: FlowKind, device: DeviceNumber, peer: ServerNumber, subtree: Uri },
    /// The operators of both servers have agreed how the next delegation of this device will go (D13); said to the
    /// server that does not start it.
    Agreed { device: DeviceNumber, peer: ServerNumber, approach: Approach },
    /// A POST came in, from a peer whose certificate has been bound to its server.
    Received { exchange: Incoming, from: ServerNumber, message: Message },
    /// A POST of our own has its outcome.
    Posted { exchange: Outgoing, outcome: PostOutcome },
    /// An errand has ended.
    ErrandDone { job: Job, report: Report },
    /// A device opened a session by itself (Alert 1201) and was authenticated: step 6 of the URL approach (5.2.2.6).
    DeviceConnected { device: DeviceNumber },
    /// The time of `Server::deadline` has come.
    Wake,
}

/// What a server wants done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Answers an incoming POST; pushed exactly once per `Received`, before any `Post` that follows from it.
    Answer { exchange: Incoming, answer: Answer },
    /// Sends a message to a peer.
    Post { exchange: Outgoing, to: ServerNumber, message: Message },
    /// Runs an errand in a management session with the device.
    Errand { job: Job, device: DeviceNumber, errand: Errand },
    /// This server is giving the device a new account with itself: what was agreed with an older one, nonces
    /// above all, is void.
    RenewAccount { device: DeviceNumber },
    /// Puts an image into the durable store, in place of the one of the same name. Under [`Policy::Hardened`] what comes
    /// behind it in the same outbox waits until it has been written. Only where `Settings::is_durable`.
    Persist(Image),
    /// Something worth measuring.
    Note(Note),
}

/// Names one errand until it has ended; unique per server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job(pub u64);

/// Which half of the protocol a record plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// DMS-1.
    Delegating,
    /// DMS-2.
    Delegated,
}

impl Side {
    /// The one that the peer plays.
    pub fn opposite(self) -> Side {
        match self {
            Side::Delegating => Side::Delegated,
            Side::Delegated => Side::Delegating,
        }
    }
}

/// The timers of a machine, by the names that scenarios and reports give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    Bootstrap,
    Confirmed,
    Termination,
    Prepared,
    Revoked,
    WindDown,
    /// The device could not be reached: the next try is due.
    Device,
    /// The peer could not be told: the next try is due.
    Peer,
}

impl Timer {
    pub const ALL: [Timer; 8] = [
        Timer::Bootstrap,
        Timer::Confirmed,
        Timer::Termination,
        Timer::Prepared,
        Timer::Revoked,
        Timer::WindDown,
        Timer::Device,
        Timer::Peer,
    ];

    /// Its key among a scenario's timeouts.
    pub fn key(self) -> &'static str {
        match self {
            Timer::Bootstrap => "bootstrap",
            Timer::Confirmed => "confirmed",
            Timer::Termination => "termination",
            Timer::Prepared => "prepared",
            Timer::Revoked => "revoked",
            Timer::WindDown => "wind_down",
            Timer::Device => "device",
            Timer::Peer => "peer",
        }
    }
}

/// What a machine noticed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Note {
    /// This side has begun to take part in a flow: at the initiator with `Start`, at the peer with its first message.
    Joined { device: DeviceNumber, peer: ServerNumber, side: Side },
    /// This side has come to the end of the flow. Exactly one per `Joined`.
    Settled { device: DeviceNumber, peer: ServerNumber, side: Side, outcome: Outcome },
    /// A timer has fired, and the record that had set it still waited for it.
    TimerFired { device: DeviceNumber, timer: Timer },
    /// A record has come to another state; `Over` when it is forgotten. Only where `Settings::is_watched`.
    Moved {
        device: DeviceNumber,
        peer: ServerNumber,
        side: Side,
        /// The delegation's.
        session: SessionId,
        subtree: Uri,
        is_full: bool,
        state: &'static str,
    },
    /// A message came and was applied. Comes right behind its answer. Only where `Settings::is_watched`.
    Applied { kind: Kind, device: DeviceNumber },
    /// A message came again and got the same answer.
    Duplicate { kind: Kind, device: Option<DeviceNumber> },
    /// A message came that its state does not allow, or for nobody; it was rejected.
    Unexpected { kind: Kind, device: Option<DeviceNumber>, why: &'static str },
}

/// Where effects are pushed.
pub type Outbox = Vec<Effect>;

/// How long a server waits. The first three are the specification's own (5.3.2, 5.2.1.4, 5.2.3.4), the others are needed
/// in practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// DMS-1: URL pushed, until BOOTSTRAP_CONFIRMED (5.3.2). Also the wait for it in the DMAcc approach.
    pub bootstrap: Duration,
    /// DMS-1: DELEGATION_PREPARED sent, until DELEGATION_CONFIRMED (5.2.1.4).
    pub confirmed: Duration,
    /// DMS-1: DELEGATION_TERMINATION_ACK, until DELEGATION_TERMINATION_RESP (5.2.3.4).
    pub termination: Duration,
    /// DMS-2: its last message sent, until the next of DMS-1 (URL request, bootstrapped device, DELEGATION_PREPARED).
    pub prepared: Duration,
    /// DMS-2: DELEGATION_TERMINATION_RESP or DELEGATION_REVOCATION_REQ sent, until DELEGATION_REVOKED.
    pub revoked: Duration,
    /// DMS-1: how long it goes on trying to reach a device that has to be put back or cleaned.
    pub device: Duration,
    /// Either: how long it goes on trying to tell a peer that a process has ended.
    pub peer: Duration,
}

/// What a server knows of devices beforehand, outside the protocol (D11, D12, D33).
pub trait Registry {
    /// The server that has the authority over the device when the run begins; `None` for an unknown device.
    fn owner(&self, device: DeviceNumber) -> Option<ServerNumber>;
    /// Whether the server has an account on the device when the run begins.
    fn has_account(&self, server: ServerNumber, device: DeviceNumber) -> bool;
    /// `./DevInfo/Man` and `./DevInfo/Mod` of the device.
    fn make(&self, device: DeviceNumber) -> (&str, &str);
}

/// What a server hands out about itself, as a delegate.
pub trait Accounts {
    /// The account that the delegating server is to make on the device (5.2.1.3).
    fn account_for(&self, device: DeviceNumber) -> DmAcc;
    /// Where the device can fetch its bootstrap (5.2.2.2); `None` where this server has no bootstrap server.
    fn bootstrap_url(&self, device: DeviceNumber) -> Option<String>;
}

/// What one server is and knows from the beginning. Shared by all clones of its machine.
#[derive(Clone)]
pub struct Settings {
    pub me: ServerNumber,
    /// Every server's identifier; the index is its number (D11).
    pub servers: Vec<ServerId>,
    pub registry: Arc<dyn Registry + Send + Sync>,
    pub accounts: Arc<dyn Accounts + Send + Sync>,
    pub timeouts: Timeouts,
    pub readings: Readings,
    pub policy: Policy,
    /// Whether every change of a record's state is noted: somebody watches.
    pub is_watched: bool,
    /// Whether records are put into the durable store: only where somebody may die.
    pub is_durable: bool,
    /// DMS-2: from DELEGATION_TERMINATION_REQ until its activities with the device have ended (5.2.3.4).
    pub wind_down: Duration,
}

/// One delegation as one side has it on record: what the promises are checked against after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView {
    pub device: DeviceNumber,
    pub peer: ServerNumber,
    pub side: Side,
    pub subtree: Uri,
    pub is_full: bool,
    pub standing: Standing,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The delegation is in force.
    InForce,
    /// In force once, but a revocation failed: it may be compromised (5.3, D37).
    Compromised,
    /// A flow is under way; the state's name.
    Moving(&'static str),
}
