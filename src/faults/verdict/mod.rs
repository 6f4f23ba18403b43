//! What passes a site, and which rules fire on it.
//!
//! A decision is a pure function of the seed, the rule's name, the device, the session, the message, who asks whom, and
//! the attempt: threads cannot change it, and taking one rule away does not shift the others. Packages of a management
//! session, triggers and fetches, which have no message and nothing else to tell them apart, are told apart by their
//! number among the rule's occasions in this session: they come one after the other.
//!
//! What counts occasions and firings (`nth`, `every`, `first`, `budget_per_device`) counts them as they come; on one
//! device in one session that is the order of the protocol, on one device in several sessions that of real time.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::message::Kind;
use crate::facts::Fact;
use crate::faults::dice::{self, Dice};
use crate::faults::rule::{Action, Devices, Direction, End, Role, Rule, Site};
use crate::faults::selection::{Chosen, is_about, is_at_step, is_due, is_timely};
use crate::faults::tally::Tally;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::seed::Seed;

/// One thing that passes a site.
#[derive(Debug, Clone)]
pub struct Passage<'a> {
    pub direction: Direction,
    /// The asking side.
    pub from: End,
    /// The answering side.
    pub to: End,
    pub device: DeviceNumber,
    /// Index of the device's class.
    pub class: usize,
    /// Which part the asking server plays in the delegation, where that is known.
    pub role: Option<Role>,
    /// The message that is sent; `None` for packages, triggers and fetches.
    pub message: Option<Kind>,
    /// The name of its process or management session.
    pub session: Cow<'a, str>,
    /// The how-manieth process or session of this device it is, from 1.
    pub nth_session: u32,
    /// The how-manieth try of the same request, from 1.
    pub attempt: u32,
    /// What the sender's record waits for; empty where there is none.
    pub state: &'static str,
    pub now: Moment,
}

/// A rule that fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict<'r> {
    /// The rule's index in the scenario.
    pub rule: usize,
    pub site: Site,
    pub action: &'r Action,
    /// Keyed like the decision: for whatever else the action has to draw.
    pub draw: u64,
}

/// How often a rule could have fired, and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    pub eligible: u64,
    pub injected: u64,
}

/// All faults of a run. Shared by all threads.
pub struct Faults {
    rules: Vec<Rule>,
    /// As the rules.
    dice: Vec<Dice>,
    /// As the rules.
    chosen: Vec<Chosen>,
    tally: Tally,
    /// One bit for each site that has a rule.
    sites: u32,
    /// Whether there is a rule that acts at a step.
    has_steps: bool,
    is_healed: AtomicBool,
}

impl Faults {
    /// The faults of a scenario for so many devices, whose budgets go to devices of the right class only.
    pub fn new(
        seed: Seed,
        mut rules: Vec<Rule>,
        devices: u32,
        class_of: &dyn Fn(DeviceNumber) -> Option<usize>,
    ) -> Faults {
        for rule in &mut rules {
            if let Devices::These(these) = &mut rule.about.devices {
                these.sort_unstable();
            }
        }
        let dice: Vec<Dice> = rules.iter().map(|rule| Dice::new(seed, &rule.name)).collect();
        let chosen = rules.iter().zip(&dice).map(|(rule, dice)| Chosen::new(*dice, rule, devices, class_of)).collect();
        Faults {
            dice,
            chosen,
            tally: Tally::new(rules.len()),
            sites: rules.iter().fold(0, |sites, rule| sites | bit(rule.site)),
            has_steps: rules.iter().any(Rule::is_at_step),
            is_healed: AtomicBool::new(false),
            rules,
        }
    }

    /// Whether there is any rule for one of these sites: where there is none, nobody needs to ask.
    pub fn acts_at(&self, sites: &[Site]) -> bool {
        sites.iter().any(|site| self.sites & bit(*site) != 0)
    }

    /// The rules that fire on what passes these sites, in the scenario's order. Counts. `seen`: what has been seen on
    /// the device so far, oldest first. Rules that act at a step are left to [`judge_step`](Faults::judge_step).
    pub fn judge(&self, sites: &[Site], passage: &Passage<'_>, seen: &[Fact]) -> Vec<Verdict<'_>> {
        if !self.acts_at(sites) || self.is_healed() {
            return Vec::new();
        }
        let is_meant = |(_, rule): &(usize, &Rule)| {
            sites.contains(&rule.site) && rule.about.step.is_none() && is_about(&rule.about, rule.site, passage)
        };
        let decision = LazyCell::new(|| {
            let session = dice::part(&passage.session);
            let key = [
                u64::from(passage.device.0),
                session,
                passage.message.map_or(0, |kind| dice::part(kind.root())),
                dice::part(passage.direction.key()),
                place(passage.from),
                place(passage.to),
                u64::from(passage.attempt),
            ];
            Decision { session, key, is_alone: passage.message.is_some() }
        });
        let rules = self.rules.iter().enumerate().filter(is_meant);
        let judged = rules.filter_map(|(number, _)| self.decide(number, passage.device, passage.now, seen, &decision));
        judged.collect()
    }

    /// The rules at `process` and `store` whose step the latest fact is: asked at every fact, so cheap where there are
    /// none. Of their selectors only `from`, the devices and the step mean anything.
    pub fn judge_step(&self, at: ServerNumber, device: DeviceNumber, seen: &[Fact]) -> Vec<Verdict<'_>> {
        let Some(latest) = seen.last().filter(|_| self.has_steps && !self.is_healed()) else { return Vec::new() };
        let is_meant = |(_, rule): &(usize, &Rule)| rule.is_at_step() && is_at_step(&rule.about, at, seen);
        let judged = self.rules.iter().enumerate().filter(is_meant).filter_map(|(number, _)| {
            // The step has a number of its own: it comes once on each device.
            let key = [u64::from(device.0), 0, 0, 0, place(End::Server(at)), 0, 0];
            self.decide(number, device, latest.at, seen, &Decision { session: 0, key, is_alone: true })
        });
        judged.collect()
    }

    /// How often each rule could have fired, and did, in the scenario's order.
    pub fn counts(&self) -> Vec<Count> {
        self.tally.counts()
    }

    /// The rules, in the scenario's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// From now on nothing fires any more, and nothing is counted.
    pub fn heal(&self) {
        self.is_healed.store(true, Ordering::Relaxed);
    }

    /// When the last of what the rules do has been felt, if nobody heals before: [`Moment::NEVER`] where one of them has
    /// no end.
    pub fn over_at(&self) -> Moment {
        let until = |rule: &Rule| rule.when.window.map_or(Moment::NEVER, |(_, until)| Moment::ZERO + until);
        let last = self.rules.iter().map(until).max();
        last.map_or(Moment::ZERO, |last| last + self.lasting())
    }

    /// For how long at most what the rules have done is felt, one after the other.
    pub fn lasting(&self) -> Duration {
        self.rules.iter().map(|rule| rule.action.lasting()).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Whether the faults are over.
    pub fn is_healed(&self) -> bool {
        self.is_healed.load(Ordering::Relaxed)
    }

    /// Whether a rule fires, once its selector has let through what is decided on.
    fn decide(
        &self,
        number: usize,
        device: DeviceNumber,
        now: Moment,
        seen: &[Fact],
        decision: &Decision,
    ) -> Option<Verdict<'_>> {
        let (rule, dice) = (&self.rules[number], self.dice[number]);
        let when = &rule.when;
        if !self.chosen[number].has(&rule.about.devices, device) || !is_timely(when, now, seen) {
            return None;
        }
        let counts = when.nth.is_some() || when.every.is_some() || when.first.is_some() || !decision.is_alone;
        let occasion = if counts { self.tally.occasion(number, device, decision.session) } else { 1 };
        if !is_due(when, occasion) {
            return None;
        }
        let mut key = [0; KEY + 1];
        key[..KEY].copy_from_slice(&decision.key);
        key[KEY] = if decision.is_alone { 0 } else { u64::from(occasion) };
        let would_fire = dice.falls(when.probability, &key);
        let fires = self.tally.fires(number, device, when.budget_per_device, would_fire);
        fires.then(|| Verdict { rule: number, site: rule.site, action: &rule.action, draw: dice.draw(&key) })
    }
}

/// How many parts the key of a decision has.
const KEY: usize = 7;

/// What is decided on.
struct Decision {
    /// Occasions are counted apart for each session.
    session: u64,
    key: [u64; KEY],
    /// Whether the key names it alone, so that its number among the occasions is not needed.
    is_alone: bool,
}

fn bit(site: Site) -> u32 {
    1 << site as u32
}

/// An end of an exchange as a part of a key.
fn place(end: End) -> u64 {
    match end {
        End::Server(server) => u64::from(server.0),
        End::Bootstrap(server) => 1 << 32 | u64::from(server.0),
        End::Device => 2 << 32,
    }
}
