//! Which pieces of work a search consists of, and in which order: little budgets first, since what is found there is short.

use crate::explore::choice::{Budget, Choice};
use crate::explore::hunt::Piece;
use crate::explore::premises::Premises;
use crate::explore::search::random::Strategy;

/// The pieces of a search that goes on for as long as it may: first every way within little budgets, then ways at random
/// and, now and then, those within greater budgets.
pub struct Portfolio {
    first: Vec<Piece>,
    later: Vec<Piece>,
    kinds: usize,
}

/// How many ways a piece at random consists of.
pub const WAYS: u64 = 2_000;

/// One piece in so many is one of the greater budgets, while there are any.
const TURNS: u64 = 4;

impl Portfolio {
    pub fn new(premises: &[Premises]) -> Portfolio {
        let budget = |wishes, early, losses, copies| Budget { wishes, early, losses, copies, deaths: 0 };
        let and_a_death = |budget| Budget { deaths: 1, ..budget };
        let little = [
            budget(1, 0, 0, 0),
            budget(1, 1, 0, 0),
            budget(1, 0, 1, 0),
            budget(1, 0, 0, 1),
            and_a_death(budget(1, 0, 0, 0)),
            budget(2, 0, 0, 0),
            budget(1, 1, 1, 0),
            budget(1, 1, 0, 1),
            budget(1, 0, 1, 1),
            and_a_death(budget(1, 1, 0, 0)),
            and_a_death(budget(1, 0, 1, 0)),
            budget(2, 1, 0, 0),
            budget(2, 0, 1, 0),
            budget(2, 0, 0, 1),
            and_a_death(budget(2, 0, 0, 0)),
        ];
        let greater =
            [budget(1, 1, 1, 1), budget(3, 0, 0, 0), budget(2, 1, 1, 0), budget(2, 1, 0, 1), budget(2, 0, 1, 1)];
        let of = |budgets: &[Budget]| budgets.iter().flat_map(|budget| exhaustive(premises, *budget)).collect();
        Portfolio { first: of(&little), later: of(&greater), kinds: premises.len() }
    }

    /// The piece of this number.
    pub fn piece(&self, number: u64) -> Option<Piece> {
        if self.kinds == 0 {
            return None;
        }
        let Some(number) = number.checked_sub(self.first.len() as u64) else {
            return self.first.get(number as usize).cloned();
        };
        let (round, turn) = (number / TURNS, number % TURNS);
        let later = self.later.len() as u64;
        if turn == TURNS - 1 && round < later {
            return self.later.get(round as usize).cloned();
        }
        // How many of the pieces before this one were at random.
        let at_random = number - round.min(later);
        Some(at_random_piece(at_random, self.kinds))
    }
}

/// The pieces of every way within a budget, for each kind of device.
pub fn exhaustive(premises: &[Premises], budget: Budget) -> Vec<Piece> {
    let of = premises.iter().map(|premises| premises.wishes.len()).sum();
    let pieces = premises.iter().enumerate().flat_map(|(kind, premises)| {
        let firsts = (0..premises.wishes.len() as u8).map(Choice::Wishes);
        firsts.map(move |first| Piece::Exhaustive { kind, budget, first, of })
    });
    pieces.collect()
}

/// The pieces of what is searched where nothing else is said, in which nobody dies: one operation with everything else once,
/// and two with any two of the others.
pub fn usual_scope(premises: &[Premises]) -> Vec<Piece> {
    let budgets = [(1, 1, 1, 1), (2, 1, 1, 0), (2, 1, 0, 1), (2, 0, 1, 1)];
    let budget = |(wishes, early, losses, copies)| Budget { wishes, early, losses, copies, deaths: 0 };
    budgets.into_iter().flat_map(|one| exhaustive(premises, budget(one))).collect()
}

/// The pieces that so many ways at random consist of.
pub fn at_random(kinds: usize, ways: u64, number: u64) -> Option<Piece> {
    let begun = number * WAYS;
    (begun < ways && kinds > 0).then(|| match at_random_piece(number, kinds) {
        Piece::Random { kind, strategy, from, .. } => {
            Piece::Random { kind, strategy, from, many: WAYS.min(ways - begun) }
        }
        other => other,
    })
}

fn at_random_piece(number: u64, kinds: usize) -> Piece {
    let kind = (number % kinds as u64) as usize;
    let strategy = Strategy::ALL[(number as usize / kinds) % Strategy::ALL.len()];
    Piece::Random { kind, strategy, from: number * WAYS, many: WAYS }
}
