//! What has set out in virtual time and not arrived.

use crate::delegation::exchange::{Outgoing, PostOutcome};
use crate::delegation::machine::Job;
use crate::delegation::message::Message;
use crate::dm::script::{DeviceFailure, Errand, ErrandKind, Report};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};

/// Something that has set out and not arrived. `device` is a place among the devices that are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnderWay {
    /// A POST to a peer, sent for the `attempt`-th time, from 1.
    Request {
        from: ServerNumber,
        to: ServerNumber,
        about: DeviceNumber,
        exchange: Outgoing,
        attempt: u32,
        message: Message,
    },
    /// A second copy of a POST; nobody waits for what is answered to it.
    Copy { from: ServerNumber, to: ServerNumber, about: DeviceNumber, message: Message },
    /// What has become of a try of a POST, on its way back to its sender.
    Outcome {
        at: ServerNumber,
        from: ServerNumber,
        about: DeviceNumber,
        exchange: Outgoing,
        attempt: u32,
        message: Message,
        outcome: PostOutcome,
    },
    /// A session with the device that a server wants.
    Errand { at: ServerNumber, device: usize, job: Job, errand: Errand },
    /// What has come of a session.
    Report { at: ServerNumber, device: usize, job: Job, errand: ErrandKind, report: Report },
    /// The device, to a bootstrap server for an account of this DM server.
    Fetch { device: usize, from: BootstrapServerNumber, of: ServerNumber },
    /// The device, by itself, to a server that it has an account of.
    Connection { device: usize, with: ServerNumber },
}

/// Where something arrives. Devices by their places among those that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    Server(ServerNumber),
    /// A server's session, at the device.
    Session(usize),
    /// The device's own question, at a bootstrap server.
    Document(usize),
    /// The device by itself, at a server.
    Visit {
        device: usize,
        with: ServerNumber,
    },
}

impl UnderWay {
    pub fn destination(&self) -> Destination {
        match self {
            UnderWay::Request { to: at, .. }
            | UnderWay::Copy { to: at, .. }
            | UnderWay::Outcome { at, .. }
            | UnderWay::Report { at, .. } => Destination::Server(*at),
            UnderWay::Errand { device, .. } => Destination::Session(*device),
            UnderWay::Fetch { device, .. } => Destination::Document(*device),
            UnderWay::Connection { device, with } => Destination::Visit { device: *device, with: *with },
        }
    }

    /// What comes of it when it is lost; nothing where nobody waits for it. `None` where it cannot be lost: what a
    /// server knows already.
    pub fn lost(&self) -> Option<Option<UnderWay>> {
        match self {
            UnderWay::Request { from: at, to: from, about, exchange, attempt, message }
            | UnderWay::Outcome { at, from, about, exchange, attempt, message, outcome: _ } => {
                let is_known_lost = matches!(self, UnderWay::Outcome { outcome: PostOutcome::TimedOut, .. });
                (!is_known_lost).then(|| {
                    Some(UnderWay::Outcome {
                        at: *at,
                        from: *from,
                        about: *about,
                        exchange: *exchange,
                        attempt: *attempt,
                        message: message.clone(),
                        outcome: PostOutcome::TimedOut,
                    })
                })
            }
            UnderWay::Report { .. } | UnderWay::Copy { .. } => None,
            UnderWay::Errand { at, device, job, errand } => Some(Some(UnderWay::Report {
                at: *at,
                device: *device,
                job: *job,
                errand: errand.kind(),
                report: Report::failed(DeviceFailure::Unreachable),
            })),
            UnderWay::Fetch { .. } | UnderWay::Connection { .. } => Some(None),
        }
    }

    /// The same once more; `None` where it does not come twice.
    pub fn copy(&self) -> Option<UnderWay> {
        match self {
            UnderWay::Request { from, to, about, message, .. } => {
                Some(UnderWay::Copy { from: *from, to: *to, about: *about, message: message.clone() })
            }
            _ => None,
        }
    }

    /// Whether nothing is left of it once this server has died: what comes to nobody but the server, and only because the
    /// server remembers that it has asked for it.
    pub fn goes_with(&self, server: ServerNumber) -> bool {
        match self {
            UnderWay::Outcome { at, .. } | UnderWay::Errand { at, .. } | UnderWay::Report { at, .. } => *at == server,
            _ => false,
        }
    }

    /// The device that it is about, by its place among these.
    pub fn device(&self, devices: &[DeviceNumber]) -> usize {
        match self {
            UnderWay::Request { about, .. } | UnderWay::Copy { about, .. } | UnderWay::Outcome { about, .. } => {
                devices.iter().position(|device| device == about).unwrap_or_default()
            }
            UnderWay::Errand { device, .. }
            | UnderWay::Report { device, .. }
            | UnderWay::Fetch { device, .. }
            | UnderWay::Connection { device, .. } => *device,
        }
    }
}
