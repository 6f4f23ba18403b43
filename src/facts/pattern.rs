//! The words by which a scenario names a fact, read and written: `timer confirmed at home`.
//!
//! ```text
//! step N
//! wish FLOW at SERVER                       FLOW as in the summary: delegate.dmacc.full, revoke.forced
//! sent MESSAGE by SERVER                    it has left, whatever becomes of it
//! taken MESSAGE at SERVER                   applied by the receiver
//! repeated MESSAGE at SERVER                a copy of one that was taken before
//! rejected MESSAGE at SERVER
//! answered MESSAGE at SERVER                the sender has a 2xx answer
//! unanswered MESSAGE at SERVER              it timed out, or the connection broke
//! turned down MESSAGE at SERVER             the sender has an answer that is no 2xx
//! timer NAME at SERVER                      bootstrap, confirmed, termination, prepared, revoked, wind_down, device
//! state NAME at SERVER                      a record has come to this state: AtRest, ExpectConfirmed, ..., Over
//! settled OUTCOME at SERVER
//! errand NAME begins|ends|fails at SERVER   prepare, grant, push-url, visit, remove-account, leave, let-connect, undo
//! session begins|ends with SERVER
//! operation VERB by SERVER accepted|refused
//! account of SERVER appears|goes
//! fault NAME                                a rule of the scenario has fired
//! killed SERVER
//! restarted SERVER
//! factory reset
//! ```
//!
//! `x2` behind it: the second time. Several in a row, `... then ...`: the facts have to be seen in this order.

use crate::facts::{Fact, What};
use crate::ids::ServerNumber;

use std::ops::Range;

/// One fact that may be seen, in a scenario's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub what: Sought,
    /// For the how-manieth time; from 1.
    pub nth: u32,
}

/// What is looked for. Filled in together with the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    Step(usize),
}

/// The names of a scenario, for reading patterns.
pub trait Names {
    fn server(&self, name: &str) -> Option<ServerNumber>;
    /// The index of the fault of this name.
    fn rule(&self, name: &str) -> Option<usize>;
    fn server_name(&self, server: ServerNumber) -> String;
    fn rule_name(&self, rule: usize) -> String;
    /// Every name that may be meant, for "did you mean".
    fn known(&self) -> Vec<String>;
}

/// Why a text is no pattern: what, where in the text (bytes), and perhaps what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    pub span: Range<usize>,
    pub message: String,
    /// The words that would have been right there, for "did you mean".
    pub known: Vec<String>,
}

impl Pattern {
    /// Reads one pattern.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Pattern, PatternError> {
        let _ = names;
        Err(PatternError { span: 0..text.len(), message: "no pattern".to_owned(), known: Vec::new() })
    }

    /// Reads patterns joined by `then`.
    pub fn parse_sequence(text: &str, names: &dyn Names) -> Result<Vec<Pattern>, PatternError> {
        Pattern::parse(text, names).map(|pattern| vec![pattern])
    }

    /// The pattern as it is read.
    pub fn print(&self, names: &dyn Names) -> String {
        let _ = names;
        String::new()
    }

    /// Whether this is such a fact, whatever its number.
    pub fn matches(&self, what: &What) -> bool {
        match (&self.what, what) {
            (Sought::Step(sought), What::Step { number }) => sought == number,
            _ => false,
        }
    }

    /// The place just behind the fact that is meant, among facts in their order; `None` when it has not been seen.
    pub fn seen_in(&self, facts: &[Fact]) -> Option<usize> {
        let hits = facts.iter().enumerate().filter(|(_, fact)| self.matches(&fact.what));
        hits.map(|(place, _)| place + 1).nth(self.nth.max(1) as usize - 1)
    }
}
