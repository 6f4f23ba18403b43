//! What came of following a device of a run through virtual time, in words and as JSON.

use serde_json::{Value, json};

use crate::explore::follow::{Following, Instead, Stuck};
use crate::explore::record::{beyond_words, is_beyond_search};
use crate::facts::pattern::Names;
use crate::facts::telling::sentence;
use crate::facts::{Fact, What};
use crate::ids::DeviceNumber;
use crate::report::figures::{count, counted};
use crate::scenario::Scenario;

/// What the end of a way shows.
#[derive(Debug, Clone, Default)]
pub struct End<'a> {
    /// The promises that are broken there.
    pub broken: &'a [&'a str],
    /// The first flow that failed on the way and was not meant to, in words.
    pub failed: Option<String>,
    /// What of both no plan brings about.
    pub not_retold: &'a [&'a str],
}

/// A paragraph about a device.
pub fn told(device: DeviceNumber, facts: &[Fact], following: &Following, end: &End<'_>, scenario: &Scenario) -> String {
    let way = match following {
        Following::Stuck(stuck) => return not_followed(device, facts, stuck, scenario),
        Following::Done(way) => way,
    };
    let mut text =
        format!("{device}: the machines, given the same inputs, did the same: {}\n", counted(way.facts as u64, "fact"));
    if way.beyond > 0 {
        let more = counted(way.beyond as u64, "fact");
        text.push_str(&format!("    the run ended before everybody had come to rest: {more} would have followed\n"));
    }
    match end.broken {
        [] => text.push_str("    no promise is broken\n"),
        broken => text.push_str(&format!("    broken in virtual time too: {}\n", broken.join(", "))),
    }
    if let Some(failed) = &end.failed {
        text.push_str(&format!("    failed in virtual time too: {failed}\n"));
    }
    if !end.not_retold.is_empty() {
        text.push_str(&format!(
            "    {} broken on this way by the order of things at certain moments, which no plan retells\n",
            match end.not_retold {
                [one] => format!("{one} is"),
                several => format!("{} are", several.join(", ")),
            }
        ));
    }
    text
}

fn not_followed(device: DeviceNumber, facts: &[Fact], stuck: &Stuck, scenario: &Scenario) -> String {
    let names = &scenario.names();
    let mut text = format!(
        "{device}: could not be followed. {} of {} facts are the same, and then the run has\n",
        count(stuck.followed as u64),
        count(stuck.of as u64)
    );
    let Some(fact) = facts.get(stuck.fact) else { return text };
    text.push_str(&line(fact, names));
    text.push_str(match stuck.instead.as_slice() {
        [] => "  where the machines would have done nothing\n",
        _ => "  where the machines would have done instead\n",
    });
    for one in stuck.instead.iter().take(MOST_SHOWN) {
        text.push_str(&format!("    {}\n", said_of(one, names)));
    }
    if let Some(more) = stuck.instead.len().checked_sub(MOST_SHOWN + 1) {
        text.push_str(&format!("    ... or one of {} more\n", more + 1));
    }
    let before = facts[..stuck.fact].iter().rev().filter(|fact| matches!(fact.what, What::Fault { .. }));
    let faults: Vec<String> = before.take(MOST_SHOWN).map(|fault| line(fault, names)).collect();
    if !faults.is_empty() {
        text.push_str("  Faults of the scenario before that\n");
        faults.iter().rev().for_each(|fault| text.push_str(fault));
    }
    text.push_str(&match (unsearchable(facts, stuck.fact, scenario), stuck.ran_out) {
        (Some(what), _) => format!(
            "  There is {what}, and a fault of this kind is not followed: losses, copies, delays and sessions that break \
             off are.\n"
        ),
        (None, _) if scenario.has_external_parties() => format!(
            "  {} tried: either somebody else's server did what none of ours does in its place, or a fault of this kind is \
             not followed.\n",
            if stuck.ran_out { "Not every way was" } else { "Every way was" }
        ),
        (None, true) => format!(
            "  Not every way was tried: {} are as many as are gone. Either that was too few, the driver has a bug, or a \
             fault of this kind is not followed.\n",
            counted(stuck.tried, "step")
        ),
        (None, false) => format!(
            "  Every way was tried ({}): either the driver has a bug, or a fault of this kind is not followed.\n",
            counted(stuck.tried, "step")
        ),
    });
    text
}

/// As much is enough to see what is going on.
const MOST_SHOWN: usize = 4;

fn line(fact: &Fact, names: &dyn Names) -> String {
    format!("    {:>11.6} s  {}\n", fact.at.seconds(), sentence(&fact.what, names))
}

fn said_of(one: &Instead, names: &dyn Names) -> String {
    // What agrees is left out: what comes behind is what differs.
    let facts: Vec<String> = one.facts.iter().skip(one.agrees).take(2).map(|what| sentence(what, names)).collect();
    match facts.as_slice() {
        [] => format!("{}, and nothing is seen of it", one.choice),
        facts => format!("{}: {}", one.choice, facts.join("; ")),
    }
}

/// What is in the record that the explorer has no word for: the fact itself, or else a fault that fired before it.
fn unsearchable(facts: &[Fact], fact: usize, scenario: &Scenario) -> Option<String> {
    let word = |fact: &Fact| Some(format!("{} at {:.6} s", beyond_words(&fact.what)?, fact.at.seconds()));
    let fired = facts[..fact].iter().rev().find_map(|fact| match fact.what {
        What::Fault { rule } => scenario.faults.get(rule).filter(|rule| is_beyond_search(&rule.action)),
        _ => None,
    });
    let of_rule = || fired.map(|rule| format!("the fault `{}` before that", rule.name));
    facts.get(fact).and_then(word).or_else(of_rule).or_else(|| facts.iter().find_map(word))
}

/// A device as JSON.
pub fn json(device: DeviceNumber, facts: &[Fact], following: &Following, end: &End<'_>, scenario: &Scenario) -> Value {
    let names = &scenario.names();
    match following {
        Following::Done(way) => json!({
            "device": device.0, "followed": true, "facts": way.facts, "beyond": way.beyond, "broken": end.broken,
            "failed": end.failed,
        }),
        Following::Stuck(stuck) => {
            let fact = facts.get(stuck.fact);
            let instead: Vec<String> = stuck.instead.iter().map(|one| said_of(one, names)).collect();
            json!({
                "device": device.0,
                "followed": false,
                "facts": stuck.followed,
                "of": stuck.of,
                "at_s": fact.map(|fact| fact.at.seconds()),
                "recorded": fact.map(|fact| sentence(&fact.what, names)),
                "instead": instead,
                "unsearchable": unsearchable(facts, stuck.fact, scenario),
                "every_way_was_tried": !stuck.ran_out,
            })
        }
    }
}
