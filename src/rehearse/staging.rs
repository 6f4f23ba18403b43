//! A plan as a scenario: one device, the wishes as steps, the decisions as faults; what the plan holds is held at a gate.
//!
//! In virtual time a loss is noticed at once and a gate may be shut for as long as it likes. Over HTTPS timers are made
//! short and patience with requests and sessions long, so that a gate can outlast a timer; what is lost breaks its
//! connection, so that nobody has to wait until patience is over.

use std::sync::Arc;
use std::time::Duration;

use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::explore::choice::Choice;
use crate::explore::event::{Event, Thing};
use crate::explore::failed_flow;
use crate::explore::judge::is_only_in_search;
use crate::explore::lab::Lab;
use crate::explore::plan::{Decision, Deed, Named, Plan};
use crate::explore::premises::{Premises, Wish};
use crate::explore::trail::Walked;
use crate::explore::wording;
use crate::facts::What;
use crate::facts::pattern::{Pattern, Sought};
use crate::faults::rule::{Action, Direction, End, Rule, SameOrNew, Selector, Site, When};
use crate::ids::ServerNumber;
use crate::rehearse::deaths::{LastWords, carried_off, kill, stands_again};
use crate::rehearse::places::{Errand, Places};
use crate::rehearse::sight::{Sight, is_gate};
use crate::scenario::{Expect, Scenario};
use crate::workload::journey::{Expected, Journey, Meanwhile, Step};
use crate::workload::plan::Load;
use crate::workload::population::Cohort;

/// Why a plan cannot be brought about over HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StagingError {
    #[error("`{decision}` cannot be brought about over HTTPS: {why}")]
    NoFault { decision: String, why: &'static str },
    #[error("a plan for {devices} devices cannot be brought about over HTTPS: one at a time can")]
    SeveralDevices { devices: usize },
}

/// A scenario with the timeouts under which a plan can be brought about, and nothing else of it yet.
pub fn shortened(scenario: &Scenario, premises: &Premises) -> Scenario {
    let mut staged = scenario.clone();
    let timers = &mut staged.timeouts.protocol;
    let shortest =
        [timers.bootstrap, timers.confirmed, timers.termination, timers.prepared, timers.revoked].into_iter().min();
    let shortest = shortest.unwrap_or(SHORTEST).max(Duration::from_millis(1));
    let scale = (SHORTEST.as_secs_f64() / shortest.as_secs_f64()).min(1.0);
    for timer in [
        &mut timers.bootstrap,
        &mut timers.confirmed,
        &mut timers.termination,
        &mut timers.prepared,
        &mut timers.revoked,
        &mut timers.device,
        &mut timers.peer,
    ] {
        *timer = timer.mul_f64(scale);
    }
    staged.timeouts.request = PATIENCE;
    staged.timeouts.session = PATIENCE;
    staged.devices = 1;
    let class = premises.parties.population.class_number(premises.devices[0]);
    let journey = premises.parties.population.journey(premises.devices[0]);
    let cohort = journey.map(|journey| Cohort { journey: Arc::clone(journey), share: 1, class, repeat: 1 });
    staged.journeys = cohort.into_iter().collect();
    staged.load = Load::closed(1, 1);
    staged.faults = Vec::new();
    staged.goals = Vec::new();
    staged.watch = 1;
    staged.heal = Duration::ZERO;
    staged
}

/// The shortest timer over HTTPS: much longer than a flow takes there.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long anybody waits for an answer or in a session where something is held: longer than all timers.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long where a session is lost, and nothing else tells its server so.
const IMPATIENCE: Duration = Duration::from_millis(800);

/// The scenario of a plan. `shortened`: from [`shortened`], with the premises made of it; `promises`: what it is to break.
///
/// # Errors
/// [`StagingError`] where a decision has no fault that brings it about.
pub fn stage(
    shortened: &Scenario,
    premises: &Premises,
    plan: &Plan,
    promises: &[String],
) -> Result<Scenario, StagingError> {
    if premises.devices.len() > 1 {
        return Err(StagingError::SeveralDevices { devices: premises.devices.len() });
    }
    let mut staged = shortened.clone();
    let places = Places::of(plan, &mut Lab::new(premises));
    let (_, walked) = plan.walk(&mut Lab::new(premises));
    let sight = Sight { premises, facts: &walked.facts[0] };
    let impossible = |what: String| move |why| StagingError::NoFault { decision: what, why };
    if let Some(cohort) = staged.journeys.first_mut() {
        let wishes = journey(&cohort.journey, plan, &sight).map_err(|wish| impossible(wish)(UNSEEN))?;
        cohort.journey = Arc::new(wishes);
    }
    for (number, decision) in plan.decisions.iter().enumerate() {
        let rule = rule(decision, plan, &places).and_then(|rule| sight.of_rule(rule).ok_or(UNSEEN));
        let rule = rule.map_err(impossible(wording::decision(decision, premises)))?;
        staged.faults.push(Rule { name: format!("decision-{}", number + 1), ..rule });
    }
    let last_words = LastWords::of(plan, &mut Lab::new(premises));
    for (number, death) in plan.deaths.iter().enumerate() {
        let rule = match premises.unseen.contains(&death.server) {
            true => Err("nothing here ends the process of somebody else's server"),
            false => sight.of_rule(kill(death, &walked.facts[death.device], &last_words)).ok_or(UNSEEN),
        };
        let rule = rule.map_err(impossible(wording::death(death, premises)))?;
        staged.faults.push(Rule { name: format!("death-{}", number + 1), ..rule });
    }
    let is_decided = |event: &Event| plan.decisions.iter().any(|decision| decision.what.means(event));
    let gone = carried_off(plan, &mut Lab::new(premises));
    let gone = gone.iter().filter(|(event, _)| !is_decided(event));
    let gone = gone.filter_map(|(event, stands)| lost_with(event, stands, &places));
    let unheard = last_words.iter().filter_map(|words| unheard(&words.request, &words.stands, &places));
    for (number, rule) in gone.chain(unheard).enumerate() {
        staged.faults.push(Rule { name: format!("gone-{}", number + 1), ..rule });
    }
    let mut gates = 0;
    for (event, until) in order(plan, &last_words, &mut Lab::new(premises)) {
        // What the plan decides about has its own rule, and is not to come to a dead server even so; what cannot be held comes
        // when it comes.
        let is_ordered = !is_decided(&event) || matches!(until.what, Sought::Restarted(_));
        if let (true, Ok(rule)) = (is_ordered, hold(&event, &until, plan, &places)) {
            gates += 1;
            staged.faults.push(Rule { name: format!("order-{gates}"), ..rule });
        }
    }
    if plan.decisions.iter().any(loses_a_session) {
        staged.timeouts.session = IMPATIENCE;
    }
    // What only a search can judge is not seen over HTTPS, and that a flow fails breaks no promise.
    let is_promise = |one: &&String| !is_only_in_search(one) && *one != failed_flow::NAME;
    let seen: Vec<String> = promises.iter().filter(is_promise).cloned().collect();
    let broken = |policy: Policy| if policy == staged.policy { seen.clone() } else { Vec::new() };
    staged.expect =
        Some(Expect { literal: broken(Policy::Literal), hardened: broken(Policy::Hardened), not_over_https: None });
    Ok(staged)
}

/// For each thing that arrives what was seen last before it, wherever that was: it is not to come sooner over HTTPS. What
/// is lost is noticed at once in virtual time, and late over HTTPS; so it does not suffice to keep the order at each party.
fn order(plan: &Plan, last_words: &[LastWords], lab: &mut Lab<'_>) -> Vec<(Event, Pattern)> {
    let (trail, _) = plan.walk(lab);
    let mut walked = Walked::new(lab, plan.budget());
    let mut named = Named::default();
    let mut order = Vec::new();
    for choice in trail {
        if let (Choice::Arrives(_), Some(place)) = (choice, choice.place()) {
            let event = named.under_way[place];
            let facts = &walked.facts[event.device];
            // A death that waits for it is nothing that it could wait for.
            let is_waited_for = last_words.iter().any(|words| words.request == event);
            let is_gate = |what: &What| {
                is_gate(what, lab.premises()) && !(is_waited_for && matches!(what, What::Restarted { .. }))
            };
            let latest = (0..facts.len()).rev().find(|at| is_gate(&facts[*at].what));
            let latest = latest.and_then(|at| Pattern::naming(facts, at));
            let stands = stands_again(&event, facts).filter(|stands| Some(stands) != latest.as_ref());
            order.extend(latest.into_iter().chain(stands).map(|until| (event, until)));
        }
        named.before(choice, &walked, lab);
        walked.take(choice, lab);
        named.after(&walked, lab);
    }
    order
}

/// Why a decision that waits for something at somebody else's server cannot be brought about.
const UNSEEN: &str = "it waits for what only somebody else's server sees, and nothing is seen here behind it";

/// # Errors
/// The wish that waits for what is not seen.
fn journey(of: &Journey, plan: &Plan, sight: &Sight<'_>) -> Result<Journey, String> {
    let step = |wish: &Wish| wish.step(Expected(Expected::ANY));
    let mut journey = Journey { steps: Vec::new(), meanwhile: Vec::new(), ..of.clone() };
    for planned in &plan.wishes {
        let wish = &sight.premises.wishes[planned.wish];
        match &planned.once {
            Some(once) => {
                let once = sight.of(once).ok_or_else(|| wording::wish(planned, sight.premises))?;
                journey.meanwhile.push(Meanwhile { once, wish: step(wish) });
            }
            None => {
                if !journey.steps.is_empty() {
                    journey.steps.push(Step::Wait(REST));
                }
                journey.steps.push(step(wish));
            }
        }
    }
    Ok(journey)
}

/// A wish in its turn comes when all is at rest: so long after the flow before it has ended.
const REST: Duration = Duration::from_millis(300);

fn loses_a_session(decision: &Decision) -> bool {
    match decision.deed {
        Deed::Break(_) => true,
        Deed::Lose => matches!(decision.what.thing, Thing::Session { .. } | Thing::Visit { .. }),
        Deed::Hold(_) | Deed::Delay(_) | Deed::Double => false,
    }
}

fn rule(decision: &Decision, plan: &Plan, places: &Places) -> Result<Rule, &'static str> {
    let event = &decision.what;
    match &decision.deed {
        Deed::Hold(until) => hold(event, until, plan, places),
        Deed::Delay(_) => Err("a finding knows the order of things, not by how much they are late"),
        Deed::Lose => lose(event, places),
        Deed::Break(round) => {
            let session = places.session(event).ok_or("the session never begins")?;
            let Thing::Session { at, .. } = event.thing else { return Err("only a session has rounds") };
            // The device begins with a package of its own; the answers to a round come in the one behind it.
            Ok(package(at, session.number, u32::from(*round) + 2, Action::Drop { breaks: true }))
        }
        Deed::Double => {
            let gap = Duration::from_millis(5);
            message(event, places, Site::Request, Action::Duplicate { on: SameOrNew::New, gap })
        }
    }
}

/// A session that a server has called for and does not have, or an answer or a report that it does not hear any more,
/// because it has died.
fn lost_with(event: &Event, stands: &Pattern, places: &Places) -> Option<Rule> {
    match event.thing {
        Thing::Session { .. } => lose(event, places).ok(),
        Thing::Report { at, .. } => {
            let session = places.session(event)?;
            Some(package(at, session.number, session.rounds + 1, Action::Drop { breaks: true }))
        }
        _ => unheard(event, stands, places),
    }
}

/// An answer that does not come before the server that waits for it stands again, and knows nothing of it.
fn unheard(event: &Event, stands: &Pattern, places: &Places) -> Option<Rule> {
    let action = Action::Hold { until: stands.clone(), at_most: PATIENCE / 2 };
    message(event, places, Site::AfterHandler, action).ok()
}

fn hold(event: &Event, until: &Pattern, plan: &Plan, places: &Places) -> Result<Rule, &'static str> {
    let action = Action::Hold { until: until.clone(), at_most: PATIENCE / 2 };
    match event.thing {
        // What is held before it has left goes with its sender, and nobody sees that it has been sent.
        Thing::Request { message: kind, from, .. }
            if plan.deaths.iter().any(|death| death.server == from) || waits_for_sending(plan, kind, from) =>
        {
            message(event, places, Site::BeforeHandler, action)
        }
        Thing::Request { .. } => message(event, places, Site::Request, action),
        Thing::Answer { .. } => message(event, places, Site::AfterHandler, action),
        Thing::Session { .. } => trigger(event, places, action),
        Thing::Report { at, .. } => {
            let session = places.session(event).ok_or("the session never begins")?;
            Ok(package(at, session.number, session.rounds + 1, action))
        }
        Thing::Visit { with } => {
            let session = places.session(event).ok_or("the session never begins")?;
            Ok(package(with, session.number, 1, action))
        }
        Thing::Document { .. } => Ok(document(event.nth, Site::Request, action)),
        Thing::Copy { .. } => Err("a copy comes right behind the message, and cannot be held by itself"),
    }
}

/// Whether anything of a plan waits for this to be sent.
fn waits_for_sending(plan: &Plan, message: Kind, from: ServerNumber) -> bool {
    let wishes = plan.wishes.iter().filter_map(|planned| planned.once.as_ref());
    let holds = plan.decisions.iter().filter_map(|decision| match &decision.deed {
        Deed::Hold(until) => Some(until),
        _ => None,
    });
    let mut awaited = wishes.chain(holds).chain(plan.deaths.iter().map(|death| &death.once));
    awaited.any(|pattern| pattern.what == Sought::Sent { message: Some(message), by: Some(from) })
}

fn lose(event: &Event, places: &Places) -> Result<Rule, &'static str> {
    let action = Action::Drop { breaks: true };
    match event.thing {
        Thing::Request { .. } => message(event, places, Site::Request, action),
        Thing::Answer { .. } => message(event, places, Site::AfterHandler, action),
        Thing::Session { .. } => trigger(event, places, Action::Drop { breaks: false }),
        Thing::Document { .. } => Ok(document(event.nth, Site::Request, action)),
        Thing::Visit { with } => {
            let session = places.session(event).ok_or("the session never begins")?;
            Ok(package(with, session.number, 1, action))
        }
        Thing::Report { .. } | Thing::Copy { .. } => Err("it is not lost by itself"),
    }
}

/// A fault on a message, or on the answer to it.
fn message(event: &Event, places: &Places, site: Site, action: Action) -> Result<Rule, &'static str> {
    let (Thing::Request { message, from, to, attempt } | Thing::Answer { message, of: from, from: to, attempt }) =
        event.thing
    else {
        return Err("it is no message");
    };
    let place = places.message(event).ok_or("the message is never sent")?;
    let about = Selector {
        from: Some(vec![from]),
        to: Some(vec![End::Server(to)]),
        messages: Some(vec![message]),
        session: Some(place.process..=place.process),
        attempt: Some(attempt..=attempt),
        ..Selector::default()
    };
    Ok(Rule { name: String::new(), site, about, when: nth(place.nth), action })
}

/// A fault on the call for a session.
fn trigger(event: &Event, places: &Places, action: Action) -> Result<Rule, &'static str> {
    let Thing::Session { at, .. } = event.thing else { return Err("nobody is called for it") };
    let Errand { number, life } = places.errand(event).ok_or("the session is never wanted")?;
    let about = Selector { from: Some(vec![at]), session: Some(number..=number), ..Selector::default() };
    // A server that stands again counts anew.
    let nth = |what: Sought, nth: u32| Pattern { what, nth };
    let after = (life > 1).then(|| nth(Sought::Restarted(Some(at)), life - 1));
    let before = places.dies(at).then(|| nth(Sought::Killed(Some(at)), life));
    Ok(Rule {
        name: String::new(),
        site: Site::Trigger,
        about,
        when: When { after, before, ..When::default() },
        action,
    })
}

/// A fault on a package of the device, by its number in its session.
fn package(to: ServerNumber, session: u32, number: u32, action: Action) -> Rule {
    let about = Selector {
        direction: Some(Direction::DeviceToServer),
        to: Some(vec![End::Server(to)]),
        session: Some(session..=session),
        ..Selector::default()
    };
    Rule { name: String::new(), site: Site::Request, about, when: nth(number), action }
}

fn document(number: u32, site: Site, action: Action) -> Rule {
    let about = Selector { direction: Some(Direction::DeviceToBootstrap), ..Selector::default() };
    Rule { name: String::new(), site, about, when: nth(number), action }
}

fn nth(nth: u32) -> When {
    When { nth: Some(nth), ..When::default() }
}
