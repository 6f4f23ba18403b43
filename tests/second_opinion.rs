//! A second opinion: a model checker that knows nothing of our search goes through the same worlds, and has to meet as
//! many of them and to find the same promises broken.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::{Budget, Choice};
use dmswarm::explore::judge;
use dmswarm::explore::lab::{Lab, Number};
use dmswarm::explore::premises::Premises;
use dmswarm::explore::search::exhaustive::{Exhausted, exhaust};
use dmswarm::explore::world::World;
use dmswarm::ids::ServerNumber;
use dmswarm::measure::promise;
use dmswarm::scenario::QUICKSTART;
use dmswarm::scenario::file::{Overrides, parse};
use stateright::{Checker, Model, Property};

/// The worlds that a budget leads to.
struct Worlds {
    lab: Mutex<Lab<'static>>,
    budget: Budget,
}

/// A world as it is: our search knows it by a fingerprint, here two are the same when everything about them is.
#[derive(Debug, Clone)]
struct Exact {
    world: World,
    /// Servers, trees, and minutes.
    parts: [Vec<Number>; 3],
    /// What is under way, which has no order but this: behind how much of what its device means to do it stands.
    under_way: Vec<(Number, u8)>,
    /// The promises that it breaks, if it is at rest.
    broken: Vec<&'static str>,
}

impl Exact {
    fn new(world: World, lab: &Lab<'_>) -> Exact {
        let servers = (0..).map(ServerNumber).take(lab.premises().parties.servers.len());
        let servers = servers.map(|server| world.server(server)).collect();
        let mut under_way: Vec<(Number, u8)> = world.under_way().iter().copied().zip(world.at_device(lab)).collect();
        under_way.sort_unstable();
        let broken = if world.is_at_rest(lab) { judge::names(&judge::at_rest(&world, lab)) } else { Vec::new() };
        let parts = [servers, world.trees().to_vec(), world.minutes().to_vec()];
        Exact { world, parts, under_way, broken }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        (&self.parts, &self.under_way, self.world.left()) == (&other.parts, &other.under_way, other.world.left())
    }
}

impl Eq for Exact {}

impl Hash for Exact {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.parts.hash(hasher);
        self.under_way.hash(hasher);
        self.world.left().hash(hasher);
    }
}

impl Model for Worlds {
    type State = Exact;
    type Action = Choice;

    fn init_states(&self) -> Vec<Exact> {
        let mut lab = self.lab.lock().expect("nobody panics under it");
        let world = World::new(&mut lab, self.budget);
        vec![Exact::new(world, &lab)]
    }

    fn actions(&self, state: &Exact, actions: &mut Vec<Choice>) {
        state.world.choices(&mut self.lab.lock().expect("nobody panics under it"), actions);
    }

    fn next_state(&self, state: &Exact, choice: Choice) -> Option<Exact> {
        let mut lab = self.lab.lock().expect("nobody panics under it");
        let mut world = state.world.clone();
        world.take(choice, &mut lab);
        Some(Exact::new(world, &lab))
    }

    fn properties(&self) -> Vec<Property<Worlds>> {
        let kept = promises().into_iter().zip(KEEPS).map(|(name, keeps)| Property::always(name, keeps));
        // Whoever has found everything stops: this is never found.
        kept.chain([Property::sometimes("nothing", |_, _| false)]).collect()
    }
}

/// Those about the end.
fn promises() -> Vec<&'static str> {
    promise::names().filter(|name| !promise::is_about_steps(name)).collect()
}

/// For each of [`promises`] whether a world keeps it: what is asked has no room for a name.
const KEEPS: [fn(&Worlds, &Exact) -> bool; 8] =
    [keeps::<0>, keeps::<1>, keeps::<2>, keeps::<3>, keeps::<4>, keeps::<5>, keeps::<6>, keeps::<7>];

fn keeps<const NTH: usize>(_: &Worlds, state: &Exact) -> bool {
    !state.broken.contains(&promises()[NTH])
}

/// What both come to.
#[derive(Debug, PartialEq, Eq)]
struct Opinion {
    states: u64,
    transitions: u64,
    /// The world furthest from the beginning, in steps.
    furthest: usize,
    /// Promises about the end that are broken, each with the length of the shortest way there.
    broken: BTreeMap<&'static str, usize>,
}

fn ours(lab: &mut Lab<'_>, budget: Budget) -> Opinion {
    let exhausted = exhaust(lab, budget, None, u64::MAX, &|| false).expect("nobody ends it");
    let Exhausted { states, transitions, curve, breaking, ran_out, .. } = exhausted;
    assert!(!ran_out);
    let mut broken = BTreeMap::new();
    for breaking in breaking {
        for promise in breaking.promises.into_iter().filter(|promise| !promise::is_about_steps(promise)) {
            let shortest = broken.entry(promise).or_insert(usize::MAX);
            *shortest = breaking.trail.len().min(*shortest);
        }
    }
    Opinion { states, transitions, furthest: curve.len() - 1, broken }
}

fn theirs(lab: Lab<'static>, budget: Budget) -> Opinion {
    let worlds = Worlds { lab: Mutex::new(lab), budget };
    let checked = worlds.checker().threads(1).spawn_bfs().join();
    let found = checked.discoveries().into_iter();
    Opinion {
        states: checked.unique_state_count() as u64,
        // It counts the beginning as well.
        transitions: checked.state_count() as u64 - 1,
        furthest: checked.max_depth() - 1,
        broken: found.map(|(promise, path)| (promise, path.into_actions().len())).collect(),
    }
}

/// Checks that both come to the same, and that there was something to come to.
#[track_caller]
fn check(policy: Policy, budget: Budget) {
    assert_eq!(promises().len(), KEEPS.len());
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    let scenario = parse("quickstart", QUICKSTART, &overrides).expect("the quickstart is a scenario");
    // They ask for a model that lives as long as the process.
    let premises: &'static Premises = Box::leak(Box::new(Premises::of(&scenario, 1).remove(0)));
    let ours = ours(&mut Lab::new(premises), budget);
    let theirs = theirs(Lab::new(premises), budget);
    assert_eq!(ours, theirs, "{policy:?} {budget:?}");
}

#[test]
fn both_agree_on_one_wish_with_a_timer_too_early_and_a_loss() {
    for policy in Policy::ALL {
        check(policy, Budget { wishes: 1, early: 1, losses: 1, ..Budget::default() });
    }
}

#[test]
fn both_agree_on_two_wishes_in_any_order_of_arrivals() {
    for policy in Policy::ALL {
        check(policy, Budget { wishes: 2, ..Budget::default() });
    }
}

#[test]
fn both_agree_on_one_wish_with_messages_that_come_twice() {
    check(Policy::Literal, Budget { wishes: 1, early: 1, copies: 1, ..Budget::default() });
}

#[test]
fn both_agree_on_one_wish_and_a_server_that_dies() {
    for policy in Policy::ALL {
        check(policy, Budget { wishes: 1, deaths: 1, ..Budget::default() });
    }
}
