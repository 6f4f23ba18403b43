//! A way through virtual time, and the story of it.

use crate::clock::Moment;
use crate::explore::choice::{Budget, Choice};
use crate::explore::lab::{Lab, Number};
use crate::explore::world::{Turns, World};
use crate::explore::{in_a_turn, undisturbed};
use crate::facts::Fact;
use crate::ids::DeviceNumber;

/// What was chosen, in order.
pub type Trail = Vec<Choice>;

/// Where a way has led, and what was seen on it.
pub struct Walked {
    pub world: World,
    /// By device, in order.
    pub facts: Vec<Vec<Fact>>,
    /// What was broken on it of the promises that only a search can judge: by which name, about the device at which place,
    /// and what was seen.
    pub broken: Vec<(&'static str, usize, String)>,
    /// When something went wrong last, where anybody has died, or took its time.
    pub hurt_at: Option<Moment>,
    /// Whether what the latest wish has come to was looked at.
    is_looked_at: bool,
}

impl Walked {
    /// The beginning.
    pub fn new(lab: &mut Lab<'_>, budget: Budget) -> Walked {
        let world = World::new(lab, budget);
        let facts = vec![Vec::new(); lab.premises().devices.len()];
        Walked { facts, world, broken: Vec::new(), hurt_at: None, is_looked_at: false }
    }

    /// Goes a way from the beginning.
    pub fn along(lab: &mut Lab<'_>, budget: Budget, trail: &[Choice]) -> Walked {
        let mut walked = Walked::new(lab, budget);
        for choice in trail {
            walked.take(*choice, lab);
        }
        walked
    }

    /// One step further.
    pub fn take(&mut self, choice: Choice, lab: &mut Lab<'_>) -> Turns {
        let goes_wrong = match choice {
            Choice::Dies { .. } => true,
            Choice::TimePasses => self.hurt_at.is_some() && !self.world.under_way().is_empty(),
            Choice::Loses(_) | Choice::Breaks(..) | Choice::Doubles(_) | Choice::Expires(_) => self.hurt_at.is_some(),
            // Nobody is late because of what takes as long as it likes.
            Choice::Elapses(_) => !self.world.under_way().is_empty(),
            Choice::Arrives(_) | Choice::Wishes(_) => false,
        };
        let turns = self.world.take(choice, lab);
        if goes_wrong {
            self.hurt_at = Some(self.world.now());
        }
        for turn in &turns.numbers {
            tell(lab, *turn, self.world.now(), &mut self.facts);
        }
        self.look(choice, &turns, lab);
        turns
    }

    /// Looks at the promises that only a search can judge.
    fn look(&mut self, choice: Choice, turns: &Turns, lab: &Lab<'_>) {
        for turn in turns.numbers.iter().map(|turn| lab.turn(*turn)) {
            let about = turn.facts.first().map_or(0, |(about, _)| place_of(lab, *about).unwrap_or_default());
            let broken = turn.breaks.map(|promise| (promise, about, in_a_turn::says(promise).to_owned()));
            self.broken.extend(broken);
        }
        self.is_looked_at &= !matches!(choice, Choice::Wishes(_));
        if self.is_looked_at {
            return;
        }
        if let Some(undisturbed) = self.world.undisturbed_at_rest(lab) {
            self.is_looked_at = true;
            let device = lab.premises().wishes[usize::from(undisturbed.wish)].device;
            let missed = undisturbed::missed(undisturbed, &self.world, lab);
            self.broken.extend(missed.map(|missed| (undisturbed::NAME, device, missed)));
        }
    }

    /// As if nothing more that is not due happened: what is under way arrives in its order, and timers fire.
    pub fn come_to_rest(&mut self, lab: &mut Lab<'_>) {
        while !self.world.is_at_rest(lab) {
            let choice = if self.world.under_way().is_empty() { Choice::TimePasses } else { Choice::Arrives(0) };
            self.take(choice, lab);
        }
    }
}

fn tell(lab: &Lab<'_>, turn: Number, at: Moment, facts: &mut [Vec<Fact>]) {
    for (about, what) in &lab.turn(turn).facts {
        if let Some(device) = place_of(lab, *about) {
            facts[device].push(Fact { at, what: what.clone() });
        }
    }
}

fn place_of(lab: &Lab<'_>, device: DeviceNumber) -> Option<usize> {
    lab.premises().devices.iter().position(|known| *known == device)
}
