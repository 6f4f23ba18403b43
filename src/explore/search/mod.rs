//! Looking for a way that breaks a promise.
//!
//! | file | its job |
//! |---|---|
//! | [`exhaustive`] | every way within a budget |
//! | [`random`] | one way at a time |
//! | [`verdict`] | what a world at rest breaks |

pub mod exhaustive;
pub mod random;
pub mod verdict;

use crate::explore::choice::Choice;
use crate::explore::trail::Trail;
use crate::ids::ServerNumber;

/// A way that breaks promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    pub trail: Trail,
    /// The names of the promises, in their order.
    pub promises: Vec<&'static str>,
}

/// What ways have in common that are likely to show one and the same bug: the promises, the wishes in their order, and how
/// often what else was chosen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Likeness {
    promises: Vec<&'static str>,
    wishes: Vec<u8>,
    others: [u8; 3],
    /// Who died, and whether before it had written.
    dead: Vec<(ServerNumber, bool)>,
}

impl Breaking {
    pub fn likeness(&self) -> Likeness {
        let promises = self.promises.clone();
        let mut likeness = Likeness { promises, wishes: Vec::new(), others: [0; 3], dead: Vec::new() };
        for choice in &self.trail {
            match choice {
                Choice::Wishes(number) => likeness.wishes.push(*number),
                Choice::Loses(_) => likeness.others[0] += 1,
                Choice::Breaks(..) => likeness.others[1] += 1,
                Choice::Doubles(_) => likeness.others[2] += 1,
                Choice::Dies { server, before_write } => likeness.dead.push((*server, *before_write)),
                Choice::Arrives(_) | Choice::Expires(_) | Choice::TimePasses | Choice::Elapses(_) => {}
            }
        }
        likeness
    }
}
