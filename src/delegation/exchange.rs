//! One POST between two servers and its answer, as the machines see it.

use crate::delegation::flow::Outcome;
use crate::delegation::message::Message;
use crate::delegation::misbehaved::Misbehaved;
use crate::dm::script::planted;

/// Names one incoming POST until it is answered; given out by the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incoming(pub u64);

/// Names one POST of our own until its outcome is known; given out by the machine, unique per server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outgoing(pub u64);

/// What a server answers to a POST. Section 5.3: a message, or no content, and then the status is the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// 200 with a body.
    Message(Message),
    /// 204.
    NoContent,
    /// The status that goes with the reason, no body.
    Rejected(Misbehaved),
}

/// What became of a POST of our own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PostOutcome {
    /// 200 with a message that could be read.
    Message(Message),
    /// A 2xx without content.
    NoContent,
    /// A status outside 2xx.
    Rejected { status: u16 },
    /// A 2xx whose body could not be read as a message.
    Unreadable(Misbehaved),
    /// No answer within the request timeout: the peer may have acted on it, or not.
    TimedOut,
    /// No connection, TLS refused, or the connection broke off.
    Unreachable { phase: &'static str },
}

impl PostOutcome {
    /// How a flow ends whose POST came to this, where something else was due.
    pub fn failure(&self) -> Outcome {
        match self {
            PostOutcome::Message(_) => Outcome::Misbehaved { rule: "misplaced_message" },
            PostOutcome::NoContent => Outcome::Misbehaved { rule: "no_content" },
            // Only 503 and its like say "not now"; every other status says that the peer does not want this message.
            PostOutcome::Rejected { status: 500.. } => Outcome::Unreachable { phase: "service" },
            PostOutcome::Rejected { .. } => Outcome::Misbehaved { rule: "rejected" },
            PostOutcome::Unreadable(why) => Outcome::Misbehaved { rule: why.key() },
            PostOutcome::TimedOut => Outcome::Unreachable { phase: "answer" },
            PostOutcome::Unreachable { phase } => Outcome::Unreachable { phase },
        }
    }

    /// Whether the peer may say something else the next time: it was not reached, did not answer, answered with something
    /// that is no message, could not read what reached it (400, 413, 415), or says that it cannot just now.
    pub fn may_change(&self) -> bool {
        match self {
            PostOutcome::TimedOut if planted!(TimedOutIsFinal) => false,
            PostOutcome::TimedOut | PostOutcome::Unreachable { .. } | PostOutcome::Unreadable(_) => true,
            PostOutcome::Rejected { status } => matches!(status, 400 | 408 | 413 | 415 | 429 | 500..),
            PostOutcome::Message(_) | PostOutcome::NoContent => false,
        }
    }

    /// Whether the peer may still have the process open, so that it has to be told that it has ended.
    pub fn leaves_peer_waiting(&self) -> bool {
        let is_silent = planted!(SilentAfterTimeout) && matches!(self, PostOutcome::TimedOut);
        !is_silent && !matches!(self, PostOutcome::Rejected { status: 403 | 404 })
    }
}
