//! What a peer was found to do, drawn.
//!
//! | file | its job |
//! |---|---|
//! | [`terminal`] | tables for people, and the exchange for what failed |
//! | [`junit`] | items as test cases |
//! | [`page`] | one HTML file |
//!
//! For programs it is what it is: [`json`].

pub mod junit;
pub mod page;
pub mod terminal;

#[cfg(test)]
mod tests;

use crate::results::conformance::{CaseEnd, Conformance, Evidence, Exchanged, ItemResult};

/// The data as JSON, ending with a line end.
pub fn json(conformance: &Conformance) -> String {
    let text = serde_json::to_string_pretty(conformance).expect("our own types have JSON forms");
    text + "\n"
}

/// What is told of an item in a line: the first look that went wrong, or else the first, or why there was none.
fn told(item: &ItemResult) -> String {
    let first = item.evidence.iter().find(|evidence| !evidence.holds).or(item.evidence.first());
    match (&item.reason, first) {
        (Some(reason), _) => reason.clone(),
        (None, Some(evidence)) => evidence.found.clone(),
        (None, None) => String::new(),
    }
}

/// The exchanges around a look: what it is about, and the one before it.
fn around<'c>(conformance: &'c Conformance, evidence: &Evidence) -> &'c [Exchanged] {
    let Some(case) = conformance.case(&evidence.case) else { return &[] };
    let Some(at) = evidence.exchange else { return &[] };
    let end = (at + 1).min(case.exchanges.len());
    &case.exchanges[at.saturating_sub(1).min(end)..end]
}

/// How a case ended, in words.
fn ended(end: &CaseEnd) -> String {
    match end {
        CaseEnd::Whole => "went to its end".to_owned(),
        CaseEnd::Stopped(why) => format!("could not go on: {why}"),
        CaseEnd::NotTried(why) => format!("could not begin: {why}"),
    }
}
