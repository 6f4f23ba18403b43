//! What passes a site, and which rules fire on it.
//!
//! A decision is a pure function of the seed, the rule, the device, the session, the message, the direction and the
//! attempt: threads cannot change it, and taking one rule away does not shift the others.

use crate::clock::Moment;
use crate::delegation::message::Kind;
use crate::facts::Fact;
use crate::faults::rule::{Action, Direction, End, Role, Rule, Site};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::seed::Seed;

/// One thing that passes a site.
#[derive(Debug, Clone, Copy)]
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
    pub session: &'a str,
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
    seed: Seed,
}

impl Faults {
    /// The faults of a scenario for so many devices.
    pub fn new(seed: Seed, rules: Vec<Rule>, devices: u32) -> Faults {
        let _ = devices;
        Faults { rules, seed }
    }

    /// Whether there is any rule for one of these sites: where there is none, nobody needs to ask.
    pub fn acts_at(&self, sites: &[Site]) -> bool {
        self.rules.iter().any(|rule| sites.contains(&rule.site))
    }

    /// The rules that fire on what passes these sites, in the scenario's order. Counts. `seen`: what has been seen on
    /// the device so far, oldest first.
    pub fn judge(&self, sites: &[Site], passage: &Passage<'_>, seen: &[Fact]) -> Vec<Verdict<'_>> {
        let _ = (sites, passage, seen, self.seed);
        Vec::new()
    }

    /// The rules at `process` and `store` whose step this fact is: asked at every fact, so cheap where there are none.
    pub fn judge_step(&self, at: ServerNumber, device: DeviceNumber, seen: &[Fact]) -> Vec<Verdict<'_>> {
        let _ = (at, device, seen);
        Vec::new()
    }

    /// How often each rule could have fired, and did, in the scenario's order.
    pub fn counts(&self) -> Vec<Count> {
        vec![Count::default(); self.rules.len()]
    }

    /// The rules, in the scenario's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}
