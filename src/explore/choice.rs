//! What may happen next, and how much of what does not happen by itself is left.

use crate::ids::ServerNumber;

/// What may happen next. Places are those of what is under way, in the order in which it set out, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// It arrives.
    Arrives(u8),
    /// Nothing arrives until the next timer fires.
    TimePasses,
    /// Nothing happens for so many milliseconds, in which no timer fires.
    Elapses(u32),
    /// An operator has the wish with this place among the premises.
    Wishes(u8),
    /// It is lost on its way.
    Loses(u8),
    /// A session with the device breaks off when its commands of this round, from 0, have been carried out.
    Breaks(u8, u8),
    /// It arrives, and comes once more later.
    Doubles(u8),
    /// Whoever waits for it gives it up, and it is still on its way: a message as one that nobody waits for any more.
    Expires(u8),
    /// A server dies, and is back at once with what is in its store. `before_write`: it had acted, and not yet written
    /// what its last turn has come to.
    Dies { server: ServerNumber, before_write: bool },
}

impl Choice {
    /// The place of what it is about among what is under way; `None` where it is about nothing there.
    pub fn place(self) -> Option<usize> {
        match self {
            Choice::Arrives(place)
            | Choice::Loses(place)
            | Choice::Breaks(place, _)
            | Choice::Doubles(place)
            | Choice::Expires(place) => Some(usize::from(place)),
            Choice::TimePasses | Choice::Elapses(_) | Choice::Wishes(_) | Choice::Dies { .. } => None,
        }
    }
}

/// How much of each kind may happen. What must happen one day, arrivals and timers with nothing under way, is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Budget {
    /// Operators' wishes.
    pub wishes: u8,
    /// Timers that fire although something is under way.
    pub early: u8,
    /// Messages, answers, sessions and calls that are lost.
    pub losses: u8,
    /// Messages that come twice.
    pub copies: u8,
    /// Servers that die.
    pub deaths: u8,
}

impl Budget {
    /// Of each kind the lesser of the two.
    pub fn at_most(self, most: Budget) -> Budget {
        Budget {
            wishes: self.wishes.min(most.wishes),
            early: self.early.min(most.early),
            losses: self.losses.min(most.losses),
            copies: self.copies.min(most.copies),
            deaths: self.deaths.min(most.deaths),
        }
    }

    /// Nothing left.
    pub fn is_spent(self) -> bool {
        self == Budget::default()
    }
}
