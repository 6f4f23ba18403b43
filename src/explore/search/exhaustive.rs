//! Every way within a budget: worlds in the order of their distance from the beginning, each once.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::FixedState;

use crate::explore::choice::{Budget, Choice};
use crate::explore::goals;
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::search::{Breaking, Likeness};
use crate::explore::trail::{Trail, Walked};
use crate::explore::world::World;

/// What has been gone through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exhausted {
    /// Worlds that differ.
    pub states: u64,
    /// Steps from one to the next.
    pub transitions: u64,
    /// Worlds in which nothing happens any more by itself.
    pub at_rest: u64,
    /// How many worlds were new at each distance from the beginning.
    pub curve: Vec<u64>,
    /// Steps after which promises were looked at because the minutes told of something, and those that broke none.
    pub suspects: u64,
    pub cleared: u64,
    /// Ways that break a promise, the shortest of each kind.
    pub breaking: Vec<Breaking>,
    /// How many ends break one.
    pub broken: u64,
    /// Which goals were reached: bit n for the n-th of the premises.
    pub goals: u64,
    /// Whether it ended because there was no more room: then there are ways that were not gone.
    pub ran_out: bool,
}

/// How many ways of one likeness are kept.
const KEPT: usize = 2;

/// Goes every way from the beginning on which `first` comes first. `room`: how many octets this search may take, about,
/// with what is worked out for it. `None` when it was over before that.
pub fn exhaust(
    lab: &mut Lab<'_>,
    budget: Budget,
    first: Option<Choice>,
    room: u64,
    is_over: &dyn Fn() -> bool,
) -> Option<Exhausted> {
    let mut search = Search::new(lab, budget, first);
    while !search.layer.is_empty() && !search.done.ran_out {
        search.go_on(lab, room, is_over)?;
    }
    Some(search.done)
}

/// After so many worlds it is asked whether it is over, or there is no more room.
const OFTEN: usize = 512;

struct Search {
    budget: Budget,
    done: Exhausted,
    seen: HashSet<u128, FixedState>,
    /// For each world the one before it, and the choice that led from there.
    origins: Vec<(u32, Choice)>,
    /// The worlds that were new at this distance, with their places among the origins.
    layer: Vec<(u32, World)>,
    kept: BTreeMap<Likeness, usize>,
}

const NOWHERE: u32 = u32::MAX;

impl Search {
    fn new(lab: &mut Lab<'_>, budget: Budget, first: Option<Choice>) -> Search {
        let mut world = World::new(lab, budget);
        if let Some(first) = first {
            world.take(first, lab);
        }
        let mut search = Search {
            budget,
            done: Exhausted { states: 1, curve: vec![1], ..Exhausted::default() },
            seen: HashSet::default(),
            origins: vec![(NOWHERE, first.unwrap_or(Choice::TimePasses))],
            layer: Vec::new(),
            kept: BTreeMap::new(),
        };
        search.seen.insert(world.key(lab));
        search.layer.push((0, world));
        search
    }

    fn go_on(&mut self, lab: &mut Lab<'_>, room: u64, is_over: &dyn Fn() -> bool) -> Option<()> {
        let layer = std::mem::take(&mut self.layer);
        let mut choices = Vec::new();
        for (number, (place, world)) in layer.iter().enumerate() {
            if number % OFTEN == 0 {
                if is_over() {
                    return None;
                }
                if self.octets(layer.len()) > room {
                    self.done.ran_out = true;
                    break;
                }
            }
            world.choices(lab, &mut choices);
            for choice in &choices {
                let mut next = world.clone();
                let turns = next.take(*choice, lab);
                self.done.transitions += 1;
                if turns.is_suspect {
                    self.look_closer(lab, *place, *choice);
                }
                if self.seen.insert(next.key(lab)) {
                    self.arrive_at(lab, (*place, *choice), next);
                }
            }
        }
        if !self.layer.is_empty() {
            self.done.curve.push(self.layer.len() as u64);
        }
        Some(())
    }

    /// How many octets it takes, about, while it goes through so many worlds.
    fn octets(&self, layer: usize) -> u64 {
        // What is remembered of each world, with the room that tables keep free, and what its lab has to work out for it;
        // that may have been known already, but must make no difference. A world as a whole, with what it holds.
        const REMEMBERED: u64 = 96 + 280;
        const WHOLE: u64 = 2 * size_of::<(u32, World)>() as u64;
        self.done.states * REMEMBERED + (layer + self.layer.len()) as u64 * WHOLE
    }

    fn arrive_at(&mut self, lab: &mut Lab<'_>, origin: (u32, Choice), world: World) {
        let place = self.origins.len() as u32;
        self.origins.push(origin);
        self.done.states += 1;
        if world.is_at_rest(lab) {
            self.done.at_rest += 1;
            let walked = self.walk(lab, place, None);
            for facts in &walked.1.facts {
                self.done.goals = goals::reached(&lab.premises().goals, facts, self.done.goals);
            }
            self.keep(&walked.0, judge::names(&judge::in_the_end(&walked.1, lab)));
        }
        self.layer.push((place, world));
    }

    /// Judges the story of a way on which something may have been broken on the last step.
    fn look_closer(&mut self, lab: &mut Lab<'_>, from: u32, choice: Choice) {
        self.done.suspects += 1;
        let (trail, walked) = self.walk(lab, from, Some(choice));
        let promises = judge::names(&judge::so_far(&walked, lab));
        if promises.is_empty() {
            self.done.cleared += 1;
        }
        self.keep(&trail, promises);
    }

    fn keep(&mut self, trail: &Trail, promises: Vec<&'static str>) {
        if promises.is_empty() {
            return;
        }
        self.done.broken += 1;
        let breaking = Breaking { trail: trail.clone(), promises };
        let kept = self.kept.entry(breaking.likeness()).or_default();
        if *kept < KEPT {
            *kept += 1;
            self.done.breaking.push(breaking);
        }
    }

    fn walk(&self, lab: &mut Lab<'_>, to: u32, last: Option<Choice>) -> (Trail, Walked) {
        let mut trail = Trail::from_iter(last);
        let mut place = to;
        while place != NOWHERE {
            let (before, choice) = self.origins[place as usize];
            // The beginning has no choice that led to it, unless one was given.
            if before != NOWHERE || matches!(choice, Choice::Wishes(_)) {
                trail.push(choice);
            }
            place = before;
        }
        trail.reverse();
        let walked = Walked::along(lab, self.budget, &trail);
        (trail, walked)
    }
}
