//! Names for what is under way that mean the same in every way through virtual time, and over HTTPS.

use std::collections::BTreeMap;

use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::explore::under_way::UnderWay;
use crate::ids::ServerNumber;

/// One thing that arrives, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// Its place among the devices that are looked at.
    pub device: usize,
    pub thing: Thing,
    /// The how-manieth of its kind that has set out, from 1; 0 in a decision about each of them.
    pub nth: u32,
}

impl Event {
    /// Whether a decision about this is one about something that has set out.
    pub fn means(&self, one: &Event) -> bool {
        (self.device, self.thing) == (one.device, one.thing) && (self.nth == 0 || self.nth == one.nth)
    }
}

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A message, at its receiver.
    Request { message: Kind, from: ServerNumber, to: ServerNumber, attempt: u32 },
    /// A message that was there before, at its receiver.
    Copy { message: Kind, from: ServerNumber, to: ServerNumber },
    /// The answer to a message, or that there is none, at its sender.
    Answer { message: Kind, of: ServerNumber, from: ServerNumber, attempt: u32 },
    /// A server's wish to have a session, at the device.
    Session { at: ServerNumber, errand: ErrandKind },
    /// What has come of a session, at the server.
    Report { at: ServerNumber, errand: ErrandKind },
    /// The device's question for a server's account, at the bootstrap server.
    Document { of: ServerNumber },
    /// The device by itself, at a server.
    Visit { with: ServerNumber },
}

impl Thing {
    /// What something under way is.
    pub fn of(what: &UnderWay) -> Thing {
        match what {
            UnderWay::Request { from, to, attempt, message, .. } => {
                Thing::Request { message: message.kind(), from: *from, to: *to, attempt: *attempt }
            }
            UnderWay::Copy { from, to, message, .. } => Thing::Copy { message: message.kind(), from: *from, to: *to },
            UnderWay::Outcome { at, from, attempt, message, .. } => {
                Thing::Answer { message: message.kind(), of: *at, from: *from, attempt: *attempt }
            }
            UnderWay::Errand { at, errand, .. } => Thing::Session { at: *at, errand: errand.kind() },
            UnderWay::Report { at, errand, .. } => Thing::Report { at: *at, errand: *errand },
            UnderWay::Fetch { of, .. } => Thing::Document { of: *of },
            UnderWay::Connection { with, .. } => Thing::Visit { with: *with },
        }
    }
}

/// Counts what sets out, so that each gets its number.
#[derive(Debug, Clone, Default)]
pub struct Counts(BTreeMap<(usize, Thing), u32>);

impl Counts {
    /// The name of something that sets out now.
    pub fn name(&mut self, device: usize, thing: Thing) -> Event {
        let nth = self.0.entry((device, thing)).or_default();
        *nth += 1;
        Event { device, thing, nth: *nth }
    }
}
