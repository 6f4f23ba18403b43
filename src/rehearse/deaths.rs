//! How the death of a server is brought about over HTTPS: when it comes, and what goes with the server.
//!
//! In virtual time a session is one step, and what a server has asked for goes with it at once. Over HTTPS a session goes
//! on package by package, and what has been asked for is under way somewhere: it is lost there by a rule of its own.

use std::time::Duration;

use crate::explore::choice::Choice;
use crate::explore::event::{Event, Thing};
use crate::explore::lab::Lab;
use crate::explore::plan::{Death, Named, Plan};
use crate::explore::trail::Walked;
use crate::facts::pattern::{Pattern, Sought};
use crate::facts::{Fact, What};
use crate::faults::rule::{Action, BackWith, Rule, Selector, Site, When};
use crate::ids::ServerNumber;

/// How long nobody is there: in virtual time a server is back at once.
const DOWN: Duration = Duration::from_millis(20);

/// The process of a server ends at a step, and is soon back with what it has written. `facts`: what is seen in virtual
/// time; `last_words`: those of the plan.
pub fn kill(death: &Death, facts: &[Fact], last_words: &[LastWords]) -> Rule {
    let of_it = last_words.iter().find(|words| words.is_of(death));
    let step = of_it.map(|words| words.taken.clone()).or_else(|| carried_out(&death.once, facts));
    let step = step.unwrap_or_else(|| death.once.clone());
    let about = Selector { from: Some(vec![death.server]), step: Some(step), ..Selector::default() };
    let action = Action::Kill { downtime: DOWN, back_with: BackWith::Durable };
    Rule { name: String::new(), site: Site::Process, about, when: When::default(), action }
}

/// A request that a server dies of having sent, and that arrives before anything else does. Over HTTPS it would die with its
/// sender: there the death has to wait until it has been taken.
pub struct LastWords {
    pub request: Event,
    /// That its sender stands again: its answer does not come before.
    pub stands: Pattern,
    /// That it has been taken.
    taken: Pattern,
}

impl LastWords {
    /// Those on the way of a plan.
    pub fn of(plan: &Plan, lab: &mut Lab<'_>) -> Vec<LastWords> {
        let (trail, mut walked) = (plan.walk(lab).0, Walked::new(lab, plan.budget()));
        let (mut named, mut all, mut has_died) = (Named::default(), Vec::new(), false);
        for choice in trail {
            let arrives = match choice {
                Choice::Arrives(place) if has_died => Some(named.under_way[usize::from(place)]),
                _ => None,
            };
            has_died = matches!(choice, Choice::Dies { .. });
            let seen: Vec<usize> = walked.facts.iter().map(Vec::len).collect();
            named.before(choice, &walked, lab);
            walked.take(choice, lab);
            named.after(&walked, lab);
            all.extend(arrives.and_then(|request| {
                let facts = &walked.facts[request.device];
                let is_taken = |place: &usize| matches!(facts[*place].what, What::Taken { .. });
                let taken = (seen[request.device]..facts.len()).find(is_taken)?;
                let Thing::Request { from, .. } = request.thing else { return None };
                Some(LastWords { request, stands: standing(from, facts)?, taken: Pattern::naming(facts, taken)? })
            }));
        }
        all.retain(|words| plan.deaths.iter().any(|death| words.is_of(death)));
        all
    }

    fn is_of(&self, death: &Death) -> bool {
        let Thing::Request { message, from, .. } = self.request.thing else { return false };
        let is_nth = death.once.nth == 0 || death.once.nth == self.request.nth;
        death.server == from && is_nth && death.once.what == Sought::Sent { message: Some(message), by: Some(from) }
    }
}

/// Where a death comes in a session: the last command that is carried out in it. All of them are in virtual time, and what
/// the device tells of them is still under way; over HTTPS a session ends only when that has been answered.
fn carried_out(once: &Pattern, facts: &[Fact]) -> Option<Pattern> {
    let at = once.seen_in(facts)? - 1;
    let begins = |place: &usize| matches!(facts[*place].what, What::SessionOpened { .. });
    let ends = |place: &usize| matches!(facts[*place].what, What::SessionEnded { .. });
    let first = (0..=at).rev().find(|place| begins(place) || *place < at && ends(place)).filter(begins)?;
    let last = (at..facts.len()).find(|place| ends(place) || *place > at && begins(place)).filter(ends)?;
    let is_command = |place: &usize| matches!(facts[*place].what, What::Operated { .. });
    (first..last).rev().find(is_command).and_then(|place| Pattern::naming(facts, place))
}

/// That the server to which something comes stands again, where it has died before. A death takes a moment over HTTPS, in
/// which more might come to the server that is to be dead.
pub fn stands_again(event: &Event, facts: &[Fact]) -> Option<Pattern> {
    let (Thing::Request { to: server, .. } | Thing::Report { at: server, .. } | Thing::Visit { with: server }) =
        event.thing
    else {
        return None;
    };
    standing(server, facts)
}

/// That a server stands again after the last of its deaths.
fn standing(server: ServerNumber, facts: &[Fact]) -> Option<Pattern> {
    let stands = |fact: &Fact| matches!(fact.what, What::Restarted { at } if at == server);
    Pattern::naming(facts, facts.iter().rposition(stands)?)
}

/// What is under way on the way of a plan when a server dies, and goes with it; each with that the server stands again.
pub fn carried_off(plan: &Plan, lab: &mut Lab<'_>) -> Vec<(Event, Pattern)> {
    let (trail, mut walked) = (plan.walk(lab).0, Walked::new(lab, plan.budget()));
    let (mut named, mut carried_off) = (Named::default(), Vec::new());
    for choice in trail {
        let gone: Vec<Event> = match choice {
            Choice::Dies { .. } => {
                walked.world.gone(choice, lab).into_iter().map(|place| named.under_way[place]).collect()
            }
            _ => Vec::new(),
        };
        named.before(choice, &walked, lab);
        walked.take(choice, lab);
        named.after(&walked, lab);
        if let Choice::Dies { server, .. } = choice {
            let with = |event: Event| Some((event, standing(server, &walked.facts[event.device])?));
            carried_off.extend(gone.into_iter().filter_map(with));
        }
    }
    carried_off
}
