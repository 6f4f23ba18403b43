//! What was seen to happen to one device's delegations, step by step: plain values, in the order in which they were seen.
//!
//! Gates wait for facts, goals are sequences of facts, and the promises that hold at every step are judged on them. No IO.
//!
//! | file | its job |
//! |---|---|
//! | [`pattern`] | the words by which a scenario names a fact: `timer confirmed at home` |
//! | [`goal`] | facts in a row that a run is to come by |
//! | [`machines`] | what machines note, as facts |
//! | [`telling`] | the facts of a device as a story |
//! | [`lines`] | the facts of a device in the form that programs read back |

pub mod goal;
pub mod lines;
pub mod machines;
pub mod pattern;
pub mod telling;

use crate::clock::Moment;
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::dm::uri::Uri;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber, SessionId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub at: Moment,
    pub what: What,
}

/// What happened. `at` is the server where it did.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// The device's journey has come to this step, counted from 1.
    Step {
        number: usize,
    },
    /// The operator of a server wants a flow.
    Wished {
        at: ServerNumber,
        peer: ServerNumber,
        flow: FlowKind,
    },
    /// A message leaves its sender, for the `attempt`-th time, from 1.
    Sent {
        from: ServerNumber,
        to: ServerNumber,
        kind: Kind,
        session: Option<SessionId>,
        attempt: u32,
    },
    /// A fault has put this session into a message that was about another device.
    Misdirected {
        from: ServerNumber,
        to: ServerNumber,
        kind: Kind,
        session: Option<SessionId>,
    },
    /// The receiver's machine has answered a POST.
    Taken {
        at: ServerNumber,
        from: ServerNumber,
        kind: Kind,
        session: Option<SessionId>,
        how: Took,
    },
    /// What the sender has learnt of its POST.
    Heard {
        at: ServerNumber,
        from: ServerNumber,
        kind: Kind,
        session: Option<SessionId>,
        attempt: u32,
        answer: Heard,
    },
    /// A timer of a server's machine has fired.
    TimerFired {
        at: ServerNumber,
        timer: Timer,
    },
    /// A record has come to another state; `Over` when it is forgotten.
    Moved {
        at: ServerNumber,
        peer: ServerNumber,
        side: Side,
        session: SessionId,
        subtree: Uri,
        is_full: bool,
        state: &'static str,
    },
    Joined {
        at: ServerNumber,
        peer: ServerNumber,
        side: Side,
    },
    Settled {
        at: ServerNumber,
        peer: ServerNumber,
        side: Side,
        outcome: Outcome,
    },
    ErrandBegan {
        at: ServerNumber,
        errand: ErrandKind,
    },
    /// `failure`: the reasonCode; `None` when it was done.
    ErrandEnded {
        at: ServerNumber,
        errand: ErrandKind,
        failure: Option<u16>,
    },
    /// The device has opened a management session with a server.
    SessionOpened {
        with: ServerNumber,
    },
    SessionEnded {
        with: ServerNumber,
        in_order: bool,
    },
    /// The device has been asked to do something, and has answered with this status.
    Operated {
        by: ServerNumber,
        verb: &'static str,
        target: String,
        code: u16,
    },
    /// A server's account has appeared on the device, or has gone.
    Account {
        of: ServerNumber,
        is_there: bool,
    },
    /// The device has asked a bootstrap server for its document.
    Fetched {
        from: BootstrapServerNumber,
        ok: bool,
    },
    /// A rule of the scenario has fired; its index among them.
    Fault {
        rule: usize,
    },
    /// A server has been killed: its memory has gone.
    Killed {
        at: ServerNumber,
    },
    /// A server that was killed stands again.
    Restarted {
        at: ServerNumber,
    },
    /// The device has lost everything but its owner's account.
    FactoryReset,
}

/// How a machine took a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Took {
    /// It was applied.
    New,
    /// It had been taken before, and got the same answer.
    Copy,
    /// It was rejected, for this reason.
    Rejected(&'static str),
}

/// What came back for a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// 200 with this message.
    Message(Kind),
    NoContent,
    Rejected(u16),
    Unreadable,
    TimedOut,
    Unreachable,
}

impl What {
    /// The server where it happened, if it was at one.
    pub fn server(&self) -> Option<ServerNumber> {
        match self {
            What::SessionOpened { with } | What::SessionEnded { with, .. } => Some(*with),
            What::Operated { by, .. } => Some(*by),
            What::Account { of, .. } => Some(*of),
            _ => self.noting_server(),
        }
    }

    /// The server that notes it; nobody where the device, the journey or a fault does.
    pub fn noting_server(&self) -> Option<ServerNumber> {
        match self {
            What::Wished { at, .. }
            | What::Taken { at, .. }
            | What::Heard { at, .. }
            | What::TimerFired { at, .. }
            | What::Moved { at, .. }
            | What::Joined { at, .. }
            | What::Settled { at, .. }
            | What::ErrandBegan { at, .. }
            | What::ErrandEnded { at, .. }
            | What::Killed { at }
            | What::Restarted { at } => Some(*at),
            What::Sent { from, .. } | What::Misdirected { from, .. } => Some(*from),
            What::SessionOpened { .. }
            | What::SessionEnded { .. }
            | What::Operated { .. }
            | What::Account { .. }
            | What::Step { .. }
            | What::Fetched { .. }
            | What::Fault { .. }
            | What::FactoryReset => None,
        }
    }
}

/// Where facts about devices go.
pub trait Witness {
    /// Something has happened to this device's delegations.
    fn saw(&self, device: DeviceNumber, fact: Fact);
}
