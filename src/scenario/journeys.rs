//! The second look at the journeys: names looked up, and each walked through to see that every step makes sense where
//! it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delegation::flow::{Approach, Outcome, Revocation};
use crate::dm::standard;
use crate::dm::uri::Uri;
use crate::ids::ServerNumber;
use crate::scenario::entry::{Entry, Text};
use crate::scenario::parties::{once, server_named};
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::shape::words;
use crate::scenario::steps::{self, DONE, Delegate, StepText};
use crate::scenario::{BootstrapServerSettings, ServerSettings};
use crate::workload::journey::{Expected, Journey, Step};
use crate::workload::population::{Class, Cohort, Population};

/// Whom and what journeys can speak of.
pub struct World<'w> {
    pub servers: &'w [ServerSettings],
    pub bootstrap_servers: &'w [BootstrapServerSettings],
    pub classes: &'w [Class],
    pub devices: u32,
}

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
    let expect = Outcome::KEYS.into_iter().find(|key| *key == entry.word("expect")).unwrap_or(DONE);
    let texts = entry.texts("steps").unwrap_or_default();
    let reader = StepReader { world, class, expect: Expected(expect) };
    let mut steps: Vec<(Step, Text<'_>)> = Vec::new();
    let mut latest = Latest::Nothing;
    let mut is_whole = texts.len() == entry.items("steps").len() && entry.is_list("steps");
    for text in &texts {
        match reader.step(text, &mut latest, found) {
            Some(step) => steps.push((step, text.clone())),
            None => is_whole = false,
        }
    }
    let owner = steps.iter().find_map(|(step, _)| match step {
        Step::Delegate { from, .. } => Some(*from),
        _ => None,
    });
    if owner.is_none() && is_whole {
        let problem = Problem::new(entry.span("steps"), "the journey delegates nothing");
        found.push(problem.hint("its first step is a `delegate A -> B by dmacc`"));
    }
    let owner = owner.unwrap_or(ServerNumber(0));
    let bootstrapped = bootstrapped(entry, owner, &steps, world, found);
    let mut repeat: u32 = entry.number("repeat");
    let mut round: Vec<Step> = steps.iter().map(|(step, _)| step.clone()).collect();
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
    let steps = (0..repeat.max(1)).flat_map(|_| round.iter().cloned()).collect();
    let journey = Journey { name, owner, bootstrapped, steps, meanwhile: Vec::new() };
    Cohort { journey: Arc::new(journey), share: entry.number::<u32>("share").max(1), class, repeat: repeat.max(1) }
}

fn class_named(name: &Text<'_>, classes: &[Class], found: &mut Vec<Problem>) -> Option<usize> {
    let number = classes.iter().position(|class| class.name == name.text);
    if number.is_none() {
        let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let hint = did_you_mean(name.text, known.iter().copied())
            .unwrap_or_else(|| format!("the classes are {}", words(&known, "and")));
        found.push(Problem::new(name.span.clone(), format!("there is no class `{}`", name.text)).hint(hint));
    }
    number
}

/// The servers that already have an account: all delegates for `true`, else those of the list.
fn bootstrapped(
    entry: &Entry<'_>,
    owner: ServerNumber,
    steps: &[(Step, Text<'_>)],
    world: &World<'_>,
    found: &mut Vec<Problem>,
) -> Vec<ServerNumber> {
    let mut servers: Vec<ServerNumber> = Vec::new();
    if entry.yes("bootstrapped") == Some(true) {
        servers.extend(steps.iter().filter_map(|(step, _)| match step {
            Step::Delegate { to, .. } => Some(*to),
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

/// The latest delegation before a step.
#[derive(Clone, Copy)]
enum Latest {
    Nothing,
    /// A step could not be read, and may have been one: its problem has been told.
    Unreadable,
    /// Who delegated, and to whom.
    Between(ServerNumber, ServerNumber),
}

/// Reads the steps of one journey.
struct StepReader<'w> {
    world: &'w World<'w>,
    class: Option<usize>,
    expect: Expected,
}

impl StepReader<'_> {
    /// The step.
    fn step(&self, text: &Text<'_>, latest: &mut Latest, found: &mut Vec<Problem>) -> Option<Step> {
        match steps::parse(text.text) {
            Ok(StepText::Delegate(delegate)) => {
                let step = self.delegate(delegate, text, found);
                *latest = match &step {
                    Some(Step::Delegate { from, to, .. }) => Latest::Between(*from, *to),
                    _ => Latest::Unreadable,
                };
                step
            }
            Ok(StepText::Revoke { how, expect }) => match *latest {
                Latest::Between(from, to) => {
                    Some(Step::Revoke { from, to, how, expect: expect.unwrap_or(self.expect) })
                }
                Latest::Unreadable => None,
                Latest::Nothing => {
                    let problem = Problem::new(text.span.clone(), "nothing has been delegated that could be revoked");
                    found.push(problem.hint("put a `delegate` step before it"));
                    None
                }
            },
            Ok(StepText::Wait(time)) => Some(Step::Wait(time)),
            Err(error) => {
                *latest = Latest::Unreadable;
                found.push(Problem::new(text.part(error.span), error.message).maybe_hint(error.hint));
                None
            }
        }
    }

    fn delegate(&self, step: Delegate<'_>, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Step> {
        let servers = self.world.servers;
        let from = server_named(step.from.text, text.part(step.from.span), servers, found);
        let to = server_named(step.to.text, text.part(step.to.span.clone()), servers, found);
        let starter = step.started_by.map(|starter| {
            let place = text.part(starter.span);
            (server_named(starter.text, place.clone(), servers, found), place)
        });
        let expect = step.expect.unwrap_or(self.expect);
        let (subtree, place) = match &step.subtree {
            Some(word) => {
                let place = text.part(word.span.clone());
                let uri =
                    Uri::parse(word.text).map_err(|error| found.push(Problem::new(place.clone(), error.to_string())));
                (uri.ok()?, place)
            }
            None => (Uri::root(), text.span.clone()),
        };
        let (from, to) = (from?, to?);
        if from == to {
            let message = format!("`{}` cannot delegate to itself", step.to.text);
            found.push(Problem::new(text.part(step.to.span), message).label("the same server"));
            return None;
        }
        let by_delegated = match starter {
            Some((starter, place)) => {
                let starter = starter?;
                if starter != from && starter != to {
                    let between = format!("`{}` or `{}`", step.from.text, step.to.text);
                    found.push(
                        Problem::new(place, format!("only {between} can start this delegation"))
                            .label("a stranger to it"),
                    );
                    return None;
                }
                starter == to
            }
            None => false,
        };
        self.check_subtree(&subtree, place, expect, found);
        let (approach, is_full) = (step.approach, step.is_full);
        Some(Step::Delegate { from, to, approach, subtree, is_full, by_delegated, expect })
    }

    /// A delegation that should succeed needs a sub-tree that is there, and that the owner has rights on, on every
    /// device of the journey.
    fn check_subtree(&self, subtree: &Uri, place: Span, expect: Expected, found: &mut Vec<Problem>) {
        let has = |class: &Class| class.subtrees.iter().any(|top| standard::subtree_holds(top, subtree));
        let is_of_journey = |index: usize, class: &Class| match self.class {
            Some(named) => named == index,
            None => class.share > 0,
        };
        let mut classes = self.world.classes.iter().enumerate().filter(|(index, class)| is_of_journey(*index, class));
        if let Some((_, class)) = classes.find(|(_, class)| expect.0 == DONE && !has(class)) {
            let known: Vec<&str> = class.subtrees.iter().map(Uri::as_str).collect();
            let message = format!("devices of class `{}` have no sub-tree `{subtree}` to delegate", class.name);
            let top = class.subtrees.iter().find(|top| !top.is_root() && top.covers(subtree));
            let hint = match (known.as_slice(), top) {
                ([], _) => "the class has no `subtrees`".to_owned(),
                (_, Some(top)) => format!("in `{top}` they have {}", words(&standard::SUBTREE_PARTS, "and")),
                (known, None) => did_you_mean(subtree.as_str(), known.iter().copied())
                    .unwrap_or_else(|| format!("they have {}; say so with `subtree`", words(known, "and"))),
            };
            found.push(Problem::new(place, message).hint(hint));
        }
    }
}

/// How a device stands between two steps, as far as the expectations tell.
struct Walk<'w> {
    world: &'w World<'w>,
    authority: ServerNumber,
    /// Servers with an account on the device.
    accounts: Vec<ServerNumber>,
    /// Delegations in force, the latest last.
    in_force: Vec<(ServerNumber, ServerNumber)>,
    /// The latest delegation, in force or not.
    latest: Option<(ServerNumber, ServerNumber)>,
    /// After an outcome that leaves the device in an unknown state, nothing can be said any more.
    is_lost: bool,
}

impl<'w> Walk<'w> {
    fn new(owner: ServerNumber, bootstrapped: &[ServerNumber], world: &'w World<'w>) -> Walk<'w> {
        let accounts = std::iter::once(owner).chain(bootstrapped.iter().copied()).collect();
        Walk { world, authority: owner, accounts, in_force: Vec::new(), latest: None, is_lost: false }
    }

    fn name(&self, server: ServerNumber) -> &'w str {
        self.world.servers.get(usize::from(server.0)).map_or("", |server| server.name.as_str())
    }

    /// Takes a step, and gives it back with the delegation that it is about.
    fn take(&mut self, step: &Step, text: &Text<'_>, found: &mut Vec<Problem>) -> Step {
        match step {
            Step::Delegate { from, to, approach, is_full, expect, .. } => {
                self.latest = Some((*from, *to));
                if expect.0 == DONE && !self.is_lost {
                    if let Some(problem) = self.why_not_delegated(*from, *to, *approach, &text.span) {
                        found.push(problem);
                    } else {
                        self.delegated(*from, *to, *is_full);
                    }
                }
                self.after(*expect);
                step.clone()
            }
            Step::Revoke { how, expect, .. } => {
                let target = self.in_force.last().copied().or(self.latest);
                let Some((from, to)) = target else { return step.clone() };
                if expect.0 == DONE && !self.is_lost {
                    match self.why_not_revoked(from, to, *how, &text.span) {
                        Some(problem) => found.push(problem),
                        None => self.revoked(from, to),
                    }
                }
                self.after(*expect);
                Step::Revoke { from, to, how: *how, expect: *expect }
            }
            Step::Wait(_) => step.clone(),
        }
    }

    fn why_not_delegated(
        &self,
        from: ServerNumber,
        to: ServerNumber,
        approach: Approach,
        place: &Span,
    ) -> Option<Problem> {
        let (giver, taker) = (self.name(from), self.name(to));
        if from != self.authority {
            let holder = self.name(self.authority);
            let problem =
                Problem::new(place.clone(), format!("`{giver}` has no authority over the device at this step"));
            return Some(problem.label(format!("`{holder}` has it")).hint(
                "a delegate has the authority after a full delegation only; write `expect refused` if that is what should happen",
            ));
        }
        if self.in_force.contains(&(from, to)) {
            let problem = Problem::new(place.clone(), format!("`{giver}` has delegated to `{taker}` already"));
            return Some(problem.label("still in force").hint("revoke it before, or write `expect refused`"));
        }
        if approach == Approach::Url && !self.world.bootstrap_servers.iter().any(|server| server.server == to) {
            let problem =
                Problem::new(place.clone(), format!("`{taker}` has no bootstrap server, which `by url` needs"));
            return Some(
                problem.hint(format!("add a `[[bootstrap_server]]` with `for = \"{taker}\"`, or write `by dmacc`")),
            );
        }
        if approach == Approach::Url && self.accounts.contains(&to) {
            let problem = Problem::new(
                place.clone(),
                format!("`{taker}` already has an account, so there is nothing to bootstrap"),
            );
            return Some(problem.hint("write `by dmacc`, or leave it out of `bootstrapped`"));
        }
        None
    }

    fn delegated(&mut self, from: ServerNumber, to: ServerNumber, is_full: bool) {
        self.in_force.push((from, to));
        if !self.accounts.contains(&to) {
            self.accounts.push(to);
        }
        if is_full {
            self.accounts.retain(|server| *server != from);
            self.authority = to;
        }
    }

    fn why_not_revoked(&self, from: ServerNumber, to: ServerNumber, how: Revocation, place: &Span) -> Option<Problem> {
        let (giver, taker) = (self.name(from), self.name(to));
        if !self.in_force.contains(&(from, to)) {
            let problem = Problem::new(
                place.clone(),
                format!("no delegation is in force here: `{giver}` -> `{taker}` has ended, or never came about"),
            );
            return Some(problem.hint("leave the step out, or write `expect refused`"));
        }
        if !self.accounts.contains(&from) {
            let doer = if how == Revocation::Requested { "cannot do what is requested" } else { "cannot revoke" };
            let message = format!("after a full delegation `{giver}` has no account on the device, and {doer}");
            return Some(Problem::new(place.clone(), message).hint("write `expect refused`"));
        }
        None
    }

    fn revoked(&mut self, from: ServerNumber, to: ServerNumber) {
        self.in_force.retain(|delegation| *delegation != (from, to));
        self.accounts.retain(|server| *server != to);
    }

    fn after(&mut self, expect: Expected) {
        // A refusal changes nothing, and what was undone or too late was put back; of the others nobody can tell.
        self.is_lost |= matches!(expect.0, "unreachable" | "misbehaved" | "stranded" | "lost");
    }
}
