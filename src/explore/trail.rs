//! A way through virtual time, and the story of it.

use crate::clock::Moment;
use crate::explore::choice::{Budget, Choice};
use crate::explore::lab::{Lab, Number};
use crate::explore::world::{Turns, World};
use crate::facts::Fact;

/// What was chosen, in order.
pub type Trail = Vec<Choice>;

/// Where a way has led, and what was seen on it.
pub struct Walked {
    pub world: World,
    /// By device, in order.
    pub facts: Vec<Vec<Fact>>,
    /// When something went wrong last, where anybody has died.
    pub hurt_at: Option<Moment>,
}

impl Walked {
    /// The beginning.
    pub fn new(lab: &mut Lab<'_>, budget: Budget) -> Walked {
        let world = World::new(lab, budget);
        Walked { facts: vec![Vec::new(); lab.premises().devices.len()], world, hurt_at: None }
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
            Choice::Arrives(_) | Choice::Elapses(_) | Choice::Wishes(_) => false,
        };
        let turns = self.world.take(choice, lab);
        if goes_wrong {
            self.hurt_at = Some(self.world.now());
        }
        for turn in &turns.numbers {
            tell(lab, *turn, self.world.now(), &mut self.facts);
        }
        turns
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
    let devices = &lab.premises().devices;
    for (about, what) in &lab.turn(turn).facts {
        if let Some(device) = devices.iter().position(|device| device == about) {
            facts[device].push(Fact { at, what: what.clone() });
        }
    }
}
