//! The second look at the journeys: each is read step by step, and walked through.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::ServerNumber;
use crate::scenario::entry::{Entry, Text};
use crate::scenario::external;
use crate::scenario::meanwhile;
use crate::scenario::parties::{class_named, once, server_named};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::reader::{Latest, ReadStep, StepReader};
use crate::scenario::steps::DONE;
use crate::scenario::walk::Walk;
use crate::scenario::world::World;
use crate::workload::journey::{Expected, Journey, Step};
use crate::workload::population::{Cohort, Population};

/// Steps that one journey can have, all rounds together.
const MOST_STEPS: usize = 1_000_000;

/// All journeys of a scenario.
pub fn read(entries: &[Entry<'_>], world: &World<'_>, found: &mut Vec<Problem>) -> Vec<Cohort> {
    let most = (world.devices as usize).min(Population::MOST_JOURNEYS);
    if let Some(entry) = entries.get(most).filter(|_| world.devices > 0) {
        let message = format!("there are {} journeys, and devices for {most} of them", entries.len());
        found.push(
            Problem::new(entry.place(), message).label("nobody goes on this one").hint("raise `population.devices`"),
        );
    }
    let mut names = BTreeMap::new();
    let cohorts: Vec<Cohort> =
        entries.iter().enumerate().map(|(index, entry)| cohort(entry, index, world, &mut names, found)).collect();
    if world.classes.iter().all(|class| class.share == 0) {
        for entry in entries.iter().filter(|entry| !entry.has("class")) {
            let problem = Problem::new(entry.place(), "every class has `share = 0`, and this journey names none");
            found.push(problem.hint("add `class = ...` to the journey, or a share to a class"));
        }
    }
    cohorts
}

fn cohort(
    entry: &Entry<'_>,
    index: usize,
    world: &World<'_>,
    names: &mut BTreeMap<String, Span>,
    found: &mut Vec<Problem>,
) -> Cohort {
    let name = entry.text("name");
    let span = name.as_ref().map_or_else(|| entry.place(), |name| name.span.clone());
    let name = name.map_or_else(|| format!("journey {}", index + 1), |name| name.text.to_owned());
    once(names, name.clone(), &span, "journey name", found);
    let class = entry.text("class").and_then(|class| class_named(&class, world.classes, found));
    let expect = Expected::WORDS.into_iter().find(|key| *key == entry.word("expect")).unwrap_or(DONE);
    let texts = entry.texts("steps").unwrap_or_default();
    let reader = StepReader { world, class, expect: Expected(expect) };
    let mut steps: Vec<(ReadStep, Text<'_>)> = Vec::new();
    let mut latest = Latest::Nothing;
    let mut is_whole = texts.len() == entry.items("steps").len() && entry.is_list("steps");
    for text in &texts {
        match reader.step(text, &mut latest, found) {
            Some(step) => steps.push((step, text.clone())),
            None => is_whole = false,
        }
    }
    let owner = steps.iter().find_map(|(read, _)| match read.step {
        Step::Delegate { from, .. } => Some(from),
        _ => None,
    });
    if owner.is_none() && is_whole {
        let problem = Problem::new(entry.span("steps"), "the journey delegates nothing");
        found.push(problem.hint("its first step is a `delegate A -> B by dmacc`"));
    }
    let owner = owner.unwrap_or(ServerNumber(0));
    let bootstrapped = bootstrapped(entry, owner, &steps, world, found);
    let mut repeat: u32 = entry.number("repeat");
    let mut round: Vec<Step> = steps.iter().map(|(read, _)| read.step.clone()).collect();
    if is_whole {
        let mut walk = Walk::new(owner, &bootstrapped, world);
        let before = found.len();
        round = steps.iter().map(|(step, text)| walk.take(step, text, found)).collect();
        if repeat > 1 && found.len() == before {
            // What a second round finds, every later round finds as well.
            let mut again = Vec::new();
            for (step, text) in &steps {
                walk.take(step, text, &mut again);
            }
            if let Some(problem) = again.into_iter().next() {
                found.push(
                    problem.hint(
                        "this comes with the second round: after the last step, the first has to be possible again",
                    ),
                );
            }
        }
    }
    let most = MOST_STEPS / round.len().max(1);
    if repeat as usize > most {
        let message = format!("{repeat} rounds of {} steps are more than a journey can have", round.len());
        found.push(Problem::new(entry.span("repeat"), message).hint(format!("at most {MOST_STEPS} steps in all")));
        repeat = 1;
    }
    for server in std::iter::once(owner).chain(bootstrapped.iter().copied()) {
        found.extend(external::why_no_account(server, world, &span));
    }
    let steps = (0..repeat.max(1)).flat_map(|_| round.iter().cloned()).collect();
    let texts = entry.texts("meanwhile").unwrap_or_default();
    let meanwhile = texts.iter().filter_map(|text| meanwhile::read(text, &reader, latest, found)).collect();
    let journey = Journey { name, owner, bootstrapped, steps, meanwhile };
    Cohort { journey: Arc::new(journey), share: entry.number::<u32>("share").max(1), class, repeat: repeat.max(1) }
}

/// The servers that already have an account: all delegates for `true`, else those of the list.
fn bootstrapped(
    entry: &Entry<'_>,
    owner: ServerNumber,
    steps: &[(ReadStep, Text<'_>)],
    world: &World<'_>,
    found: &mut Vec<Problem>,
) -> Vec<ServerNumber> {
    let mut servers: Vec<ServerNumber> = Vec::new();
    if entry.yes("bootstrapped") == Some(true) {
        servers.extend(steps.iter().filter_map(|(read, _)| match read.step {
            Step::Delegate { to, .. } => Some(to),
            _ => None,
        }));
    } else if entry.yes("bootstrapped").is_none() {
        for name in entry.texts("bootstrapped").unwrap_or_default() {
            servers.extend(server_named(name.text, name.span.clone(), world.servers, found));
        }
    }
    servers.retain(|server| *server != owner);
    servers.sort();
    servers.dedup();
    servers
}
