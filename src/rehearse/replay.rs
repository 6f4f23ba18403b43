//! A plan walked in virtual time and run over HTTPS; the order of events at each server is compared.

use crate::explore::failed_flow::{self, FailedFlow};
use crate::explore::lab::Lab;
use crate::explore::premises::Premises;
use crate::facts::pattern::{Names, Pattern};
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::measure::promise;
use crate::rehearse::judge::at_rest;
use crate::rehearse::prepare::Prepared;
use crate::run::{self, Finished, Options, RunError};

/// What came of a plan over HTTPS.
#[derive(Debug)]
pub struct Rehearsed {
    /// The names of the promises that it broke.
    pub broken: Vec<&'static str>,
    /// What was seen of the promises that broke, in words.
    pub seen: Vec<String>,
    /// The names of the promises that could not be judged.
    pub unjudged: Vec<&'static str>,
    /// Where the order of events at a server is another one than in virtual time.
    pub differs: Vec<Difference>,
    pub finished: Finished,
}

/// The first event at a server that is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub server: String,
    /// How many events at this server are the same before.
    pub after: usize,
    /// `None` where there is none any more.
    pub virtually: Option<String>,
    pub over_https: Option<String>,
}

/// Runs a plan over HTTPS once, and compares it with its way in virtual time.
///
/// # Errors
/// [`RunError`] when it could not be run.
pub fn rehearse(prepared: &Prepared, options: &Options) -> Result<Rehearsed, RunError> {
    let Prepared { scenario, premises, plan, is_about_a_flow } = prepared;
    let (_, walked) = plan.walk(&mut Lab::new(premises));
    let finished = run::run(scenario, options, |_| {})?;
    let facts = finished.stories.first().map_or(&[][..], |(_, facts)| facts.as_slice());
    let about_steps = at_rest(facts, premises, plan.decisions.len());
    // What the run has judged itself, and what it had not the time for.
    let all = || finished.promises.iter().chain(&about_steps);
    let (mut broken, mut seen) = (Vec::new(), Vec::new());
    for promise in all().filter(|promise| promise.broken > 0) {
        if !broken.contains(&promise.name) {
            broken.push(promise.name);
            seen.extend(promise.breaches.iter().map(|breach| format!("{}: {breach}", promise.name)));
        }
    }
    for failed in FailedFlow::all(facts, premises).filter(|_| *is_about_a_flow) {
        broken.push(failed_flow::NAME);
        seen.push(failed.breach(premises).to_string());
    }
    let is_unjudged = |name: &str| {
        let mut of_it = all().filter(|promise| promise.name == name).peekable();
        of_it.peek().is_none()
            || of_it.any(|one| one.not_observable > 0) && !all().any(|one| one.name == name && one.checked > 0)
    };
    let differs = differences(&walked.facts[0], facts, premises);
    let unjudged = promise::names().filter(|name| is_unjudged(name)).collect();
    Ok(Rehearsed { broken, seen, unjudged, differs, finished })
}

/// Where two stories of a device differ, for each server by itself: what happens at different servers has no order. Of a
/// server that is somebody else's nobody knows.
pub fn differences(virtually: &[Fact], over_https: &[Fact], premises: &Premises) -> Vec<Difference> {
    let servers = (0..premises.names.len() as u16).map(ServerNumber);
    let servers = servers.filter(|server| !premises.unseen.contains(server));
    let difference = |server: ServerNumber| {
        let (one, other) = (events(virtually, server, premises), events(over_https, server, premises));
        let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        (same < one.len().max(other.len())).then(|| Difference {
            server: premises.server_name(server),
            after: same,
            virtually: one.get(same).cloned(),
            over_https: other.get(same).cloned(),
        })
    };
    servers.filter_map(difference).collect()
}

/// What happened at a server, in words without times. When a message leaves is not looked at: a gate may put that off.
fn events(facts: &[Fact], server: ServerNumber, premises: &Premises) -> Vec<String> {
    let is_event = |what: &What| {
        matches!(
            what,
            What::Taken { .. }
                | What::Heard { .. }
                | What::TimerFired { .. }
                | What::Moved { .. }
                | What::Joined { .. }
                | What::Settled { .. }
                | What::ErrandBegan { .. }
                | What::ErrandEnded { .. }
        )
    };
    let events = facts.iter().filter(|fact| fact.what.server() == Some(server) && is_event(&fact.what));
    let named = |fact: &Fact| Pattern::naming(std::slice::from_ref(fact), 0).map(|pattern| pattern.print(premises));
    events.filter_map(named).collect()
}
