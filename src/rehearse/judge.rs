//! The promises about every step, judged over HTTPS by the measure of virtual time.
//!
//! A run ends when all have come to rest, long before what is still to be done would be overdue by the clock, so that
//! nobody can say of it that it is never done. But whoever is at rest does nothing any more: as in virtual time it is
//! judged as if it had been waited for.

use crate::clock::Moment;
use crate::explore::premises::Premises;
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::measure::promise::steps::{Known, Watched};
use crate::measure::promise::{Journeyed, Judging, PromiseResult, is_about_steps};

/// What became of the promises about steps in the story of a device at rest. `decisions`: so many of the faults, the first
/// ones, are what the plan wants to go wrong; the others only keep the order.
pub fn at_rest(facts: &[Fact], premises: &Premises, decisions: usize) -> Vec<PromiseResult> {
    let device = premises.devices[0];
    let (owner, bootstrapped) = premises.parties.at_first(device);
    let is_seen = |server| !premises.unseen.contains(&server);
    let known =
        |(server, name): (ServerNumber, &String)| Known { server, name: name.clone(), is_seen: is_seen(server) };
    let servers: Vec<Known> = (0..).map(ServerNumber).zip(&premises.names).map(known).collect();
    let facts = &as_it_came(facts);
    let hurts = |fact: &&Fact| match fact.what {
        What::Fault { rule } => rule < decisions,
        What::Killed { .. } | What::Restarted { .. } => true,
        _ => false,
    };
    let hurt_at = facts.iter().filter(hurts).map(|fact| fact.at).max();
    let latest = facts.last().map_or(Moment::ZERO, |fact| fact.at);
    let mut judging = Judging::new(&[]);
    judging.look_at_steps(&Watched {
        device,
        facts,
        journeyed: &Journeyed::at_first(owner, bootstrapped),
        servers: &servers,
        policy: premises.policy,
        bounds: premises.bounds,
        healed_at: hurt_at.unwrap_or(Moment::ZERO),
        ended_at: latest + 2 * premises.bounds.flow,
        is_over: true,
    });
    judging.finish().into_iter().filter(|promise| is_about_steps(promise.name)).collect()
}

/// The story with each session of the device at the moment when something first comes of it. Over HTTPS it is noted when the
/// device sets out for it, and a gate may hold its first package for long behind that.
fn as_it_came(facts: &[Fact]) -> Vec<Fact> {
    let mut came: Vec<Fact> = Vec::with_capacity(facts.len());
    let mut opened: Option<Fact> = None;
    for fact in facts {
        match fact.what {
            What::SessionOpened { .. } => came.extend(opened.replace(fact.clone())),
            What::SessionEnded { .. } | What::Operated { .. } => {
                came.extend(opened.take().map(|opened| Fact { at: fact.at, ..opened }));
                came.push(fact.clone());
            }
            _ => came.push(fact.clone()),
        }
    }
    came.extend(opened);
    came
}
