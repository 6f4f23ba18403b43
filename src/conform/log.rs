//! What one case has seen: exchanges in their order, looks at items, and what was seen where there is a choice.

use std::cell::RefCell;

use crate::clock::Clock;
use crate::delegation::evidence;
use crate::results::conformance::{Evidence, Exchanged};

/// The most lines that are kept of one case; a peer that does not stop talking fills nothing.
const MOST: usize = 400;

/// The notes of one case.
pub struct Log {
    case: &'static str,
    clock: Clock,
    kept: RefCell<Kept>,
}

/// All that a case has noted.
#[derive(Debug, Default)]
pub struct Kept {
    pub exchanges: Vec<Exchanged>,
    /// The item's id, and what a look at it has shown.
    pub checks: Vec<(String, Evidence)>,
    /// Items that the peer does not have, or that cannot be seen, and why.
    pub unsupported: Vec<(String, String)>,
    pub unseen: Vec<(String, String)>,
    /// By the id of a reading or choice, what was seen.
    pub answers: Vec<(&'static str, String)>,
}

impl Log {
    pub fn new(case: &'static str, clock: Clock) -> Log {
        Log { case, clock, kept: RefCell::default() }
    }

    /// Notes an exchange, or a thing that happened; its index.
    pub fn exchange(&self, from: &str, to: &str, what: impl Into<String>, body: Option<&[u8]>) -> Option<usize> {
        let mut kept = self.kept.borrow_mut();
        if kept.exchanges.len() >= MOST {
            return None;
        }
        kept.exchanges.push(Exchanged {
            at_ms: self.clock.now().nanos() / 1_000_000,
            from: from.to_owned(),
            to: to.to_owned(),
            what: evidence::short(&what.into()),
            body: body.and_then(evidence::body),
        });
        Some(kept.exchanges.len() - 1)
    }

    /// Notes a look at an item.
    pub fn check(&self, item: &str, holds: bool, found: impl Into<String>, exchange: Option<usize>) {
        let found = evidence::short(&found.into());
        let evidence = Evidence { case: self.case.to_owned(), holds, found, exchange };
        push(&mut self.kept.borrow_mut().checks, (item.to_owned(), evidence));
    }

    /// Notes that the peer does not have what is optional.
    pub fn unsupported(&self, item: &str, why: impl Into<String>) {
        push(&mut self.kept.borrow_mut().unsupported, (item.to_owned(), evidence::short(&why.into())));
    }

    /// Notes why an item could not be looked at.
    pub fn unseen(&self, item: &str, why: impl Into<String>) {
        push(&mut self.kept.borrow_mut().unseen, (item.to_owned(), evidence::short(&why.into())));
    }

    /// Notes what the peer does where there is a choice.
    pub fn answer(&self, question: &'static str, answer: impl Into<String>) {
        push(&mut self.kept.borrow_mut().answers, (question, evidence::short(&answer.into())));
    }

    /// Milliseconds since the run began.
    pub fn now_ms(&self) -> u64 {
        self.clock.now().nanos() / 1_000_000
    }

    /// All that was noted; nothing of it stays.
    pub fn take_kept(&self) -> Kept {
        std::mem::take(&mut self.kept.borrow_mut())
    }
}

/// Adds a note, where there is room.
fn push<T>(notes: &mut Vec<T>, note: T) {
    if notes.len() < MOST {
        notes.push(note);
    }
}
