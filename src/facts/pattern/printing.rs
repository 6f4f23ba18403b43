//! A pattern to its text.

use std::borrow::Cow;

use super::{Hearing, Names, Pattern, Progress, Receipt, Sought, counted_as};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::ids::ServerNumber;

/// The text from which [`Pattern::parse`] makes the same pattern.
pub(super) fn print(pattern: &Pattern, names: &dyn Names) -> String {
    let mut text = sought(&pattern.what, names);
    if pattern.nth > 1 {
        text.push_str(&format!(" x{}", pattern.nth));
    }
    text
}

fn sought(what: &Sought, names: &dyn Names) -> String {
    let server = |server: &Option<ServerNumber>| match server {
        Some(server) => word(&names.server_name(*server)),
        None => "any".to_owned(),
    };
    match what {
        Sought::Step(number) => format!("step {number}"),
        Sought::Wish { flow, at } => {
            let flow = flow.map_or("any".to_owned(), |flow| counted_as(flow).to_string());
            format!("wish {flow} at {}", server(at))
        }
        Sought::Sent { message, by } => format!("sent {} by {}", any(*message, Kind::root), server(by)),
        Sought::Received { how, message, at } => {
            let how = match how {
                Some(Receipt::Taken) => "taken",
                Some(Receipt::Repeated) => "repeated",
                Some(Receipt::Rejected) => "rejected",
                None => "received",
            };
            format!("{how} {} at {}", any(*message, Kind::root), server(at))
        }
        Sought::Heard { how, message, at } => {
            let how = match how {
                Hearing::Answered => "answered",
                Hearing::Unanswered => "unanswered",
                Hearing::TurnedDown => "turned down",
            };
            format!("{how} {} at {}", any(*message, Kind::root), server(at))
        }
        Sought::Timer { timer, at } => format!("timer {} at {}", any(*timer, Timer::key), server(at)),
        Sought::State { state, at, side } => {
            let state = state.as_deref().map_or(Cow::Borrowed("any"), |state| Cow::Owned(word(state)));
            format!("state {state} at {}{}", server(at), part(*side))
        }
        Sought::Joined { at, side } => format!("joined at {}{}", server(at), part(*side)),
        Sought::Settled { outcome, at, side } => {
            format!("settled {} at {}{}", outcome.unwrap_or("any"), server(at), part(*side))
        }
        Sought::Errand { errand, progress, at } => {
            let progress = match progress {
                Progress::Begins => "begins",
                Progress::Ends => "ends",
                Progress::Fails => "fails",
            };
            format!("errand {} {progress} at {}", any(*errand, ErrandKind::key), server(at))
        }
        Sought::Session { begins, with } => {
            format!("session {} with {}", if *begins { "begins" } else { "ends" }, server(with))
        }
        Sought::Operation { verb, by, accepted } => {
            let verdict = if *accepted { "accepted" } else { "refused" };
            format!("operation {} by {} {verdict}", verb.unwrap_or("any"), server(by))
        }
        Sought::Account { of, appears } => {
            format!("account of {} {}", server(of), if *appears { "appears" } else { "goes" })
        }
        Sought::Document { fetched } => format!("document {}", if *fetched { "fetched" } else { "missed" }),
        Sought::Fault(rule) => format!("fault {}", word(&names.rule_name(*rule))),
        Sought::Killed(at) => format!("killed {}", server(at)),
        Sought::Restarted(at) => format!("restarted {}", server(at)),
        Sought::FactoryReset => "factory reset".to_owned(),
    }
}

fn any<T>(sought: Option<T>, key: impl Fn(T) -> &'static str) -> &'static str {
    sought.map_or("any", key)
}

fn part(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Delegating) => " as delegating",
        Some(Side::Delegated) => " as delegated",
        None => "",
    }
}

/// A name as one word: in quotes if it would not be read as this name without.
fn word(name: &str) -> String {
    let is_plain = !name.is_empty() && name != "any" && !name.contains(|c: char| c.is_whitespace() || c == '"');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
