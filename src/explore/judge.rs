//! Which promises a world and its story break: the same rules as after a run over HTTPS, on exact views.

use std::time::Duration;

use crate::clock::Moment;
use crate::explore::failed_flow::{self, FailedFlow};
use crate::explore::lab::{Lab, Number};
use crate::explore::premises::Premises;
use crate::explore::trail::Walked;
use crate::explore::world::World;
use crate::explore::{in_a_turn, undisturbed};
use crate::facts::{Fact, What};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::steps::{Known, Watched, longest_windows};
use crate::measure::promise::{self, Breach, DeviceView, Journeyed, Judging, Place, ServerView, is_about_steps};

/// The promises that are broken, by their names, each once and in their order.
pub fn names(breaches: &[Breach]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for breach in breaches {
        if !names.contains(&breach.promise) {
            names.push(breach.promise);
        }
    }
    names
}

/// Everything that a finding may be about, by name: the promises of a run, those that only a search can judge, and that a flow
/// is done.
pub fn promises() -> impl Iterator<Item = &'static str> {
    promise::names().chain(in_a_turn::ALL.map(|(name, _)| name)).chain([undisturbed::NAME, failed_flow::NAME])
}

/// Whether only a search can judge a promise: over HTTPS nobody knows what it is about.
pub fn is_only_in_search(name: &str) -> bool {
    name == undisturbed::NAME || !in_a_turn::says(name).is_empty()
}

/// What a promise says, in a sentence, be it one of a run or one that only a search can judge.
pub fn says(name: &str) -> &'static str {
    match (name, in_a_turn::says(name)) {
        (undisturbed::NAME, _) => undisturbed::SAYS,
        (failed_flow::NAME, _) => failed_flow::SAYS,
        (_, "") => promise::says(name),
        (_, says) => says,
    }
}

/// Whether the step that breaks a promise can be told.
pub fn shows_on_the_way(name: &str) -> bool {
    is_about_steps(name) || is_only_in_search(name)
}

/// Every breach of a world at rest and of the story that led to it.
pub fn in_the_end(walked: &Walked, lab: &Lab<'_>) -> Vec<Breach> {
    // By then whatever anybody had to do is overdue.
    let ended_at = walked.world.now() + 2 * lab.premises().bounds.flow;
    judged(walked, lab, ended_at, true)
}

/// The same, and the flows that failed where it is those that somebody asks after.
pub fn about(promise: &str, walked: &Walked, lab: &Lab<'_>) -> Vec<Breach> {
    let mut breaches = in_the_end(walked, lab);
    if promise == failed_flow::NAME {
        let failed = FailedFlow::all(&walked.facts[0], lab.premises());
        breaches.extend(failed.map(|failed| failed.breach(lab.premises())));
    }
    breaches
}

/// The breaches of a world at rest that its state alone shows, whatever way led there.
pub fn at_rest(world: &World, lab: &Lab<'_>) -> Vec<Breach> {
    let servers = servers(world, lab);
    let mut judging = Judging::new(&servers);
    for device in devices(world, lab) {
        judging.look_at(&device);
    }
    judging.finish().into_iter().flat_map(|promise| promise.breaches).collect()
}

/// Every breach of a story that is not over: only what nothing can make good any more.
pub fn so_far(walked: &Walked, lab: &Lab<'_>) -> Vec<Breach> {
    judged(walked, lab, walked.world.now(), false)
}

fn judged(walked: &Walked, lab: &Lab<'_>, ended_at: Moment, is_at_rest: bool) -> Vec<Breach> {
    let premises = lab.premises();
    let servers = servers(&walked.world, lab);
    let known: Vec<Known> = servers.iter().map(Known::from).collect();
    let mut judging = Judging::new(&servers);
    for (device, facts) in devices(&walked.world, lab).iter().zip(&walked.facts) {
        if is_at_rest {
            judging.look_at(device);
        }
        let story = watched(premises, device, (facts, walked.hurt_at), &known, ended_at);
        judging.look_at_steps(&Watched { is_over: is_at_rest, ..story });
    }
    let results = judging.finish();
    // That servers have something to do is no breach before the end.
    let counts = results.into_iter().filter(|promise| is_at_rest || is_about_steps(promise.name));
    let mut breaches: Vec<Breach> = counts.flat_map(|promise| promise.breaches).collect();
    let of_search = walked.broken.iter().map(|(promise, device, seen)| Breach {
        at: Place::Device(premises.devices[*device]),
        promise,
        seen: seen.clone(),
    });
    breaches.extend(of_search);
    breaches
}

/// From when to when nobody was in charge of the device at this place, at its longest; without an end where nobody is in
/// the end.
pub fn orphan_window(walked: &Walked, device: usize, lab: &Lab<'_>) -> Option<(Moment, Option<Moment>)> {
    let premises = lab.premises();
    let known: Vec<Known> = servers(&walked.world, lab).iter().map(Known::from).collect();
    let devices = devices(&walked.world, lab);
    // What ends with the story ends before this.
    let ended_at = walked.world.now() + Duration::from_nanos(1);
    let facts = walked.facts.get(device)?;
    let story = watched(premises, devices.get(device)?, (facts, walked.hurt_at), &known, ended_at);
    let windows = longest_windows(&story);
    let since = windows.orphan_since?;
    Some((since, Some(since + windows.orphan).filter(|until| *until < ended_at)))
}

fn watched<'a>(
    premises: &Premises,
    device: &'a DeviceView,
    (facts, hurt_at): (&'a [Fact], Option<Moment>),
    servers: &'a [Known],
    ended_at: Moment,
) -> Watched<'a> {
    Watched {
        device: device.device,
        facts,
        journeyed: &device.journeyed,
        servers,
        policy: premises.policy,
        bounds: premises.bounds,
        healed_at: last_fault(facts).max(hurt_at.unwrap_or(Moment::ZERO)),
        ended_at,
        is_over: true,
    }
}

/// Until when something was made to go wrong.
fn last_fault(facts: &[Fact]) -> Moment {
    let faults = facts.iter().filter(|fact| matches!(fact.what, What::Fault { .. }));
    faults.map(|fact| fact.at).next_back().unwrap_or(Moment::ZERO)
}

/// Each server as the promises look at it.
pub fn servers(world: &World, lab: &Lab<'_>) -> Vec<ServerView> {
    let names = (0..).map(ServerNumber).zip(&lab.premises().names);
    let view = |(server, name): (ServerNumber, &String)| {
        let machine = lab.server(server, world.server(server));
        ServerView {
            server,
            name: name.clone(),
            records: Some(machine.records().collect()),
            pending: machine.in_transition(),
        }
    };
    names.map(view).collect()
}

/// Each device as the promises look at it.
pub fn devices(world: &World, lab: &Lab<'_>) -> Vec<DeviceView> {
    let premises = lab.premises();
    let places = premises.devices.iter().zip(world.trees()).zip(world.minutes());
    let view = |((device, tree), minutes): ((&DeviceNumber, &Number), &Number)| {
        let (owner, bootstrapped) = premises.parties.at_first(*device);
        let journeyed = lab.minutes(*minutes).journeyed(&Journeyed::at_first(owner, bootstrapped));
        DeviceView::of(lab.tree(*tree), 0, journeyed, |id| premises.parties.server_named(id))
    };
    places.map(view).collect()
}
