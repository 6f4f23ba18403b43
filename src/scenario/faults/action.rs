//! `do` of a fault: a word, or a table with one thing to do and what belongs to it; and whether it can stand there.

use std::time::Duration;

use crate::faults::mutation::Mutation;
use crate::faults::rule::{Action, BackWith, BadCertificate, BadSession, ExchangePhase, SameOrNew, Site};
use crate::scenario::entry::Entry;
use crate::scenario::faults::delay;
use crate::scenario::keys::ACTION_COMPANIONS;
use crate::scenario::names::Cast;
use crate::scenario::problem::Problem;
use crate::scenario::shape::words;

/// What a fault does. What was wrong has been told, and is stood in for.
pub fn read(fault: &Entry<'_>, site: Option<Site>, cast: &Cast<'_>, found: &mut Vec<Problem>) -> Action {
    let read = if fault.is_table("do") {
        let entry = fault.table("do");
        verb(&entry, found).and_then(|verb| of_table(verb, &entry, cast, found))
    } else {
        fault.text("do").and_then(|word| of_word(word.text))
    };
    let Some(action) = read else { return Action::Drop { breaks: false } };
    if let Some(site) = site.filter(|site| !action.sites().contains(site)) {
        let known: Vec<&str> = action.sites().iter().map(|site| site.key()).collect();
        let message = format!("`{}` cannot be done at `{}`", action.key(), site.key());
        found.push(Problem::new(fault.span("do"), message).hint(format!("it can at {}", words(&known, "and"))));
    }
    action
}

/// What is done by a word alone.
fn of_word(word: &str) -> Option<Action> {
    let words = [
        Action::Refuse,
        Action::BlackHole,
        Action::RefuseResumption,
        Action::Drop { breaks: false },
        Action::EmptyBody,
        Action::Close,
        Action::InvertRole,
        Action::WrongPhase,
        Action::Fail,
        Action::Twice,
        Action::LoseStatus,
        Action::Reboot,
        Action::FactoryReset,
        Action::Stale,
    ];
    words.into_iter().find(|action| action.key() == word)
}

/// The one key of the table that says what is done.
fn verb(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<&'static str> {
    let owners =
        |key: &str| ACTION_COMPANIONS.iter().find(|(companion, _)| *companion == key).map(|(_, owners)| *owners);
    let mut verbs = entry.keys().filter(|(key, _)| owners(key).is_none());
    let Some((verb, _)) = verbs.next() else {
        if entry.is_known() {
            let problem = Problem::new(entry.place(), "`do` says nothing that could be done");
            found.push(problem.hint("for example `do = \"drop\"` or `do = { delay = \"1s\" }`"));
        }
        return None;
    };
    let mut is_single = true;
    for (second, place) in verbs {
        is_single = false;
        let problem = Problem::new(place, format!("a fault does one thing: `{verb}` or `{second}`"));
        found.push(problem.hint("write a `[[fault]]` for each"));
    }
    for (key, place) in entry.keys() {
        if let Some(owners) = owners(key).filter(|owners| is_single && !owners.contains(&verb)) {
            let problem = Problem::new(place, format!("`{key}` has no meaning with `{verb}`"));
            found.push(problem.hint(format!("it belongs to {}", words(owners, "and"))));
        }
    }
    is_single.then_some(verb)
}

fn of_table(verb: &'static str, entry: &Entry<'_>, cast: &Cast<'_>, found: &mut Vec<Problem>) -> Option<Action> {
    let word = entry.word(verb);
    Some(match verb {
        "reset" => Action::ResetAt(ExchangePhase::ALL.into_iter().find(|phase| phase.key() == word)?),
        "reset_after" => Action::ResetAfter(entry.size(verb)),
        "stall" => Action::Stall(entry.duration(verb)),
        "slow_close" => Action::SlowClose(entry.duration(verb)),
        "bandwidth" => Action::Bandwidth(entry.size(verb)),
        "slice" => Action::Slice { bytes: entry.number(verb), gap: entry.duration("gap") },
        "certificate" => Action::Certificate(BadCertificate::ALL.into_iter().find(|one| one.key() == word)?),
        "drop" => Action::Drop { breaks: true },
        "delay" => Action::Delay(delay::read(entry, found)?),
        "duplicate" => {
            let on = SameOrNew::ALL.into_iter().find(|on| on.key() == word)?;
            Action::Duplicate { on, gap: entry.duration("gap") }
        }
        "swap" => Action::Swap(entry.duration(verb)),
        "hold" => {
            if !entry.has("at_most") {
                let problem =
                    Problem::new(entry.place(), "`hold` needs `at_most`: what it waits for may never be seen");
                found.push(problem.hint("for example `at_most = \"5s\"`"));
            }
            let until = cast.pattern(&entry.text(verb)?, found)?;
            Action::Hold { until, at_most: entry.duration("at_most") }
        }
        "status" => Action::Status { status: entry.number(verb), retry_after: retry_after(entry, found) },
        "content_type" => Action::ContentType(content_type(entry, found)),
        "oversize" => Action::Oversize(entry.size(verb)),
        "xml" => Action::Xml(Mutation::ALL.into_iter().find(|mutation| mutation.key() == word)?),
        "session" => Action::Session(BadSession::ALL.into_iter().find(|session| session.key() == word)?),
        "reason" => Action::Reason(entry.number(verb)),
        "full" => Action::Full(entry.yes(verb)?),
        "refuse" => Action::RefuseWith(entry.number(verb)),
        "kill" => {
            let word = entry.word("state");
            let back_with = BackWith::ALL.into_iter().find(|state| state.key() == word)?;
            Action::Kill { downtime: entry.duration(verb), back_with }
        }
        "pause" => Action::Pause(entry.duration(verb)),
        "offline" => Action::Offline(entry.duration(verb)),
        "busy" => Action::Busy(entry.duration(verb)),
        "drop_after" => Action::DropAfter(entry.number(verb)),
        _ => return None,
    })
}

/// HTTP counts it in whole seconds (RFC 9110, section 10.2.3).
fn retry_after(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Duration> {
    if !entry.has("retry_after") {
        return None;
    }
    let time = entry.duration("retry_after");
    if time.subsec_nanos() > 0 {
        let problem = Problem::new(entry.span("retry_after"), "HTTP counts `Retry-After` in whole seconds");
        found.push(problem.hint("for example `retry_after = \"1s\"`"));
    }
    Some(time)
}

fn content_type(entry: &Entry<'_>, found: &mut Vec<Problem>) -> String {
    let text = entry.word("content_type");
    if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        let message = format!("a content type is written in plain letters, found `{text}`");
        found.push(Problem::new(entry.span("content_type"), message).hint("for example `text/plain`"));
    }
    text.to_owned()
}
