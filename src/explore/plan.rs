//! A plan: what is to be different from the default way, by name. Its order does not matter.
//!
//! The default way is what happens when nobody interferes: what set out first arrives first, a timer fires when nothing is
//! under way, and the operators' wishes come one after the other, each when all is at rest.

use std::time::Duration;

use crate::clock::Moment;
use crate::explore::choice::{Budget, Choice};
use crate::explore::event::{Counts, Event, Thing};
use crate::explore::lab::Lab;
use crate::explore::trail::{Trail, Walked};
use crate::facts::Fact;
use crate::facts::pattern::Pattern;
use crate::ids::ServerNumber;

/// Wishes, and what is to happen otherwise than by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Plan {
    pub wishes: Vec<Planned>,
    pub decisions: Vec<Decision>,
    pub deaths: Vec<Death>,
}

/// A wish of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Planned {
    /// Its place among the wishes of the premises.
    pub wish: usize,
    /// It comes once this has been seen of its device; `None`: in its turn, when all is at rest.
    pub once: Option<Pattern>,
}

/// What becomes of one thing that sets out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decision {
    pub what: Event,
    pub deed: Deed,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It does not arrive before this has been seen of its device, if ever it is.
    Hold(Pattern),
    Lose,
    /// Commands are carried out up to this round, from 0, and the answers of it are lost.
    Break(u8),
    /// It comes once more.
    Double,
    /// It comes late, by the clock.
    Delay(Delay),
}

/// A server dies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Death {
    pub server: ServerNumber,
    /// As soon as this has been seen of this device, by its place.
    pub device: usize,
    pub once: Pattern,
    /// Whether what it has done last has not been written.
    pub before_write: bool,
}

/// How late something comes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delay {
    /// From when this has been seen of its device; `None`: from when it has set out.
    pub after: Option<Pattern>,
    pub by: Duration,
    /// How long whoever waits for it does so, from when it has set out; `None`: as long as it takes.
    pub patience: Option<Duration>,
}

impl Plan {
    /// How much there is to remember.
    pub fn size(&self) -> usize {
        self.wishes.len() + self.decisions.len() + self.deaths.len()
    }

    /// What may be chosen on its way.
    pub fn budget(&self) -> Budget {
        Budget { deaths: u8::try_from(self.deaths.len()).unwrap_or(u8::MAX), ..UNBOUNDED }
    }

    /// Goes the way of this plan, to its end.
    pub fn walk(&self, lab: &mut Lab<'_>) -> (Trail, Walked) {
        let mut walk = Walk::new(self, lab);
        // A plan that would go on for ever is not worth going on with.
        const MOST_STEPS: usize = 5_000;
        for _ in 0..MOST_STEPS {
            let Some(choice) = walk.next(lab) else { break };
            walk.take(choice, lab);
        }
        (walk.trail, walk.walked)
    }
}

/// Everything that may be chosen any number of times; but nobody dies.
pub const UNBOUNDED: Budget = Budget { wishes: u8::MAX, early: u8::MAX, losses: u8::MAX, copies: u8::MAX, deaths: 0 };

struct Walk<'p> {
    plan: &'p Plan,
    walked: Walked,
    trail: Trail,
    named: Named,
    /// When what is under way has set out, in the order of the world's own list.
    set_out: Vec<Moment>,
    /// By place in the plan: which wishes have come.
    has_come: Vec<bool>,
    /// By place in the plan: who has died.
    has_died: Vec<bool>,
}

impl<'p> Walk<'p> {
    fn new(plan: &'p Plan, lab: &mut Lab<'_>) -> Walk<'p> {
        Walk {
            plan,
            walked: Walked::new(lab, plan.budget()),
            trail: Trail::new(),
            named: Named::default(),
            set_out: Vec::new(),
            has_come: vec![false; plan.wishes.len()],
            has_died: vec![false; plan.deaths.len()],
        }
    }

    fn take(&mut self, choice: Choice, lab: &mut Lab<'_>) {
        for place in self.walked.world.gone(choice, lab) {
            self.set_out.remove(place);
        }
        self.named.before(choice, &self.walked, lab);
        self.walked.take(choice, lab);
        self.named.after(&self.walked, lab);
        self.set_out.resize(self.named.under_way.len(), self.walked.world.now());
        self.trail.push(choice);
    }

    fn next(&mut self, lab: &Lab<'_>) -> Option<Choice> {
        let is_seen = |device: usize, pattern: &Pattern| pattern.seen_in(&self.walked.facts[device]).is_some();
        let dies = |(death, has_died): (&Death, &bool)| !has_died && is_seen(death.device, &death.once);
        if let Some(due) = self.plan.deaths.iter().zip(&self.has_died).position(dies) {
            // What is lost has been lost before.
            let lost = (0..).zip(&self.named.under_way).find(|(_, event)| self.loses(event));
            let lost = lost.map(|(place, _)| Choice::Loses(place));
            return lost.or_else(|| Some(self.death(due)));
        }
        let device = |planned: &Planned| lab.premises().wishes[planned.wish].device;
        let due = self.plan.wishes.iter().zip(&self.has_come).position(|(planned, has_come)| {
            !has_come && planned.once.as_ref().is_some_and(|once| is_seen(device(planned), once))
        });
        if let Some(due) = due {
            return Some(self.wish(due));
        }
        let now = self.walked.world.now();
        let mut next_due = Moment::NEVER;
        for (place, event) in (0..).zip(&self.named.under_way) {
            let deeds = self.plan.decisions.iter().filter(|decision| decision.what.means(event));
            let mut choice = Choice::Arrives(place);
            let mut is_held = !self.walked.world.may_arrive(place, lab);
            for decision in deeds {
                match &decision.deed {
                    Deed::Hold(until) => is_held |= !is_seen(event.device, until),
                    Deed::Lose => choice = Choice::Loses(place),
                    Deed::Break(round) => choice = Choice::Breaks(place, *round),
                    Deed::Double => choice = Choice::Doubles(place),
                    Deed::Delay(delay) => {
                        let set_out = self.set_out[usize::from(place)];
                        let (due, is_given_up) = delay.due(set_out, &self.walked.facts[event.device]);
                        if due > now {
                            is_held = true;
                            next_due = next_due.min(due);
                        } else if is_given_up {
                            choice = Choice::Expires(place);
                        }
                    }
                }
            }
            if !is_held {
                return Some(choice);
            }
        }
        if next_due.is_set() {
            let millis = (next_due - now).as_nanos().div_ceil(1_000_000);
            let millis = u32::try_from(millis).unwrap_or(u32::MAX);
            // A timer of the same moment fires first.
            let is_quiet = self.walked.world.is_quiet_for(u64::from(millis), lab);
            return Some(if is_quiet { Choice::Elapses(millis) } else { Choice::TimePasses });
        }
        if self.walked.world.has_timer(lab) {
            return Some(Choice::TimePasses);
        }
        if !self.named.under_way.is_empty() {
            return Some(Choice::Arrives(0));
        }
        let mut turn = self.plan.wishes.iter().zip(&self.has_come);
        let due = turn.position(|(planned, has_come)| !has_come && planned.once.is_none())?;
        Some(self.wish(due))
    }

    /// Whether the plan loses this, now.
    fn loses(&self, event: &Event) -> bool {
        let mut deeds = self.plan.decisions.iter().filter(|decision| decision.what.means(event));
        let is_held = |deed: &Deed| match deed {
            Deed::Hold(until) => until.seen_in(&self.walked.facts[event.device]).is_none(),
            _ => false,
        };
        deeds.clone().any(|decision| decision.deed == Deed::Lose) && !deeds.any(|decision| is_held(&decision.deed))
    }

    fn death(&mut self, place: usize) -> Choice {
        self.has_died[place] = true;
        let Death { server, before_write, .. } = self.plan.deaths[place];
        Choice::Dies { server, before_write }
    }

    fn wish(&mut self, place: usize) -> Choice {
        self.has_come[place] = true;
        Choice::Wishes(u8::try_from(self.plan.wishes[place].wish).unwrap_or(u8::MAX))
    }
}

impl Delay {
    /// When something is due that has set out then, and whether it is given up at that moment.
    fn due(&self, set_out: Moment, facts: &[Fact]) -> (Moment, bool) {
        let from = match &self.after {
            None => set_out,
            Some(after) => after.seen_in(facts).map_or(Moment::NEVER, |behind| facts[behind - 1].at.max(set_out)),
        };
        let arrives = from + self.by;
        match self.patience.map(|patience| set_out + patience) {
            Some(given_up) if given_up < arrives => (given_up, true),
            _ => (arrives, false),
        }
    }
}

/// The names of what is under way, in the order of the world's own list.
#[derive(Default)]
pub struct Named {
    pub under_way: Vec<Event>,
    counts: Counts,
}

impl Named {
    /// Something is chosen: it is not under way any more.
    pub fn before(&mut self, choice: Choice, walked: &Walked, lab: &Lab<'_>) {
        for place in walked.world.gone(choice, lab) {
            self.under_way.remove(place);
        }
    }

    /// It has been taken: what has set out stands behind.
    pub fn after(&mut self, walked: &Walked, lab: &Lab<'_>) {
        for number in &walked.world.under_way()[self.under_way.len()..] {
            let what = lab.under_way(*number);
            let device = what.device(&lab.premises().devices);
            self.under_way.push(self.counts.name(device, Thing::of(what)));
        }
    }
}
