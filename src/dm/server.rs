//! The server's half of sessions with devices: one machine for all of them.
//!
//! Errands come in, triggers and answers go out, reports come back. A device has at most one session at a time; what
//! else is wanted of it waits in its queue, and is done in the same session where there is one. Between sessions a
//! device costs its nonces and a counter; a device never heard of costs nothing.

pub(super) mod commands;
mod credentials;
mod peer;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use peer::Peer;

use crate::clock::Moment;
use crate::dm::auth::HmacCredentials;
use crate::dm::dmacc::AccountBook;
use crate::dm::script::{Errand, Report};
use crate::dm::syncml::Message;
use crate::dm::trigger::Version;
use crate::dm::wire::Envelope;
use crate::ids::{self, DeviceNumber};

/// How one server holds its sessions.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its identifier, its address, its scheme, and all its credentials.
    pub accounts: Arc<AccountBook>,
    /// `MaxMsgSize` that it announces, in bytes.
    pub max_msg_size: u64,
    /// How long it waits for a device that it has called, and for each next package of a session.
    pub session_timeout: Duration,
    pub trigger_version: Version,
    /// `VerProto` that it writes, `DM/1.2` or `DM/1.3`. Both are read.
    pub ver_proto: String,
    /// How many devices there are; whoever claims to be another one is turned away, and costs nothing.
    pub devices: u32,
    /// With [`Scheme::None`](crate::dm::auth::Scheme::None): whether a device has to have shown a certificate.
    pub needs_certificate: bool,
}

/// What can happen.
#[expect(clippy::large_enum_variant, reason = "packages are what comes nearly always, and each is moved once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An errand is wanted. `ticket` names it until it is `Finished`.
    Run { ticket: u64, device: DeviceNumber, errand: Errand },
    /// A package came in from a device. `exchange` is given out by the driver.
    Received { exchange: u64, envelope: Envelope, client_certificate: bool },
    /// The account on this device has gone, or is about to be made anew: its nonces start where the book starts them.
    AccountGone { device: DeviceNumber },
    /// The time of [`Sessions::deadline`] has come.
    Wake,
}

/// What is to be done.
#[expect(clippy::large_enum_variant, reason = "answers are what is pushed nearly always, and each is moved once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Package 0, for the errand at the head of the device's queue.
    Trigger { ticket: u64, device: DeviceNumber, bytes: Vec<u8> },
    /// Answers a package with 200. Exactly one of `Answer` and `Reject` for each `Received`, before all else.
    Answer { exchange: u64, message: Message, seal: Option<HmacCredentials> },
    /// Answers a package with a status and no body.
    Reject { exchange: u64, status: u16 },
    /// An errand has ended. Exactly one for each `Run`.
    Finished { ticket: u64, report: Report },
    /// A device opened a session by itself (Alert 1201) and was authenticated, and no errand was waiting for it.
    Connected { device: DeviceNumber },
    /// Something worth counting.
    Note(Note),
}

/// What the machine noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A device has been authenticated in a new session.
    SessionOpened { device: DeviceNumber },
    /// A session has come to its end, in good order or not. One for each `SessionOpened`.
    SessionEnded { device: DeviceNumber, in_order: bool },
    /// A device was challenged: `missing` its credentials, or sent wrong or stale ones.
    Challenged { device: DeviceNumber, missing: bool },
    /// A device was turned away after it had failed again.
    TurnedAway { device: DeviceNumber },
    /// A device did not take our credentials.
    NotBelieved { device: DeviceNumber },
}

/// All sessions of one server.
#[derive(Debug)]
pub struct Sessions {
    settings: Settings,
    peers: BTreeMap<DeviceNumber, Peer>,
    /// The next deadline of each device that has one.
    alarms: BTreeSet<(Moment, DeviceNumber)>,
}

/// The moment, the device and the outbox of one input.
struct Turn<'a> {
    now: Moment,
    device: DeviceNumber,
    settings: &'a Settings,
    out: &'a mut Vec<Effect>,
}

impl Sessions {
    /// A server that has not met a device yet.
    pub fn new(settings: Settings) -> Sessions {
        Sessions { settings, peers: BTreeMap::new(), alarms: BTreeSet::new() }
    }

    /// Takes one input, and pushes what follows from it.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Run { ticket, device, errand } => {
                self.with(now, device, out, |peer, turn| peer.run(ticket, errand, turn));
            }
            Input::Received { exchange, envelope, client_certificate } => {
                let device = ids::device_number(&envelope.message.header.source.uri);
                match device.filter(|device| device.0 < self.settings.devices) {
                    None => out.push(Effect::Reject { exchange, status: NOT_FOUND }),
                    Some(device) => self.with(now, device, out, |peer, turn| {
                        peer.receive(exchange, envelope, client_certificate, turn);
                    }),
                }
            }
            Input::AccountGone { device } => {
                if let Some(peer) = self.peers.get_mut(&device) {
                    peer.forget_nonces();
                }
            }
            Input::Wake => {
                while let Some((due, device)) = self.alarms.first().copied()
                    && due <= now
                {
                    self.with(now, device, out, Peer::expire);
                }
            }
        }
    }

    /// When [`Input::Wake`] is wanted next.
    pub fn deadline(&self) -> Moment {
        self.alarms.first().map_or(Moment::NEVER, |(moment, _)| *moment)
    }

    /// How many devices have a session, or have been called to one.
    pub fn open(&self) -> usize {
        self.peers.values().filter(|peer| peer.is_busy()).count()
    }

    fn with(
        &mut self,
        now: Moment,
        device: DeviceNumber,
        out: &mut Vec<Effect>,
        act: impl FnOnce(&mut Peer, &mut Turn<'_>),
    ) {
        let peer = self.peers.entry(device).or_default();
        let before = peer.deadline();
        act(peer, &mut Turn { now, device, settings: &self.settings, out });
        let after = peer.deadline();
        if peer.is_blank() {
            // Nothing has come of it, as when somebody has only claimed to be the device.
            self.peers.remove(&device);
        }
        if before != after {
            self.alarms.remove(&(before, device));
            if after.is_set() {
                self.alarms.insert((after, device));
            }
        }
    }
}

impl Turn<'_> {
    /// When what begins now has taken too long.
    fn timeout(&self) -> Moment {
        self.now + self.settings.session_timeout
    }

    fn note(&mut self, note: Note) {
        self.out.push(Effect::Note(note));
    }
}

/// The HTTP status for a device that nobody knows.
const NOT_FOUND: u16 = 404;
