//! What a run is to come by at least once: facts in a row on one device.

use crate::facts::Fact;
use crate::facts::pattern::Pattern;

/// A goal. A run that never reached it says nothing about what it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    pub name: String,
    /// To be seen in this order, with anything in between.
    pub sees: Vec<Pattern>,
}

impl Goal {
    /// Whether these facts of one device, in their order, reach it.
    pub fn is_reached_by(&self, facts: &[Fact]) -> bool {
        let mut rest = facts;
        self.sees.iter().all(|pattern| match pattern.seen_in(rest) {
            Some(place) => {
                rest = &rest[place..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::facts::What;
    use crate::facts::pattern::Sought;

    fn step(number: usize, nth: u32) -> Pattern {
        Pattern { what: Sought::Step(number), nth }
    }

    #[track_caller]
    fn check(sees: &[Pattern], is_reached: bool) {
        let facts: Vec<Fact> = [1, 2, 2, 3].map(|number| Fact { at: Moment::ZERO, what: What::Step { number } }).into();
        let goal = Goal { name: "steps".to_owned(), sees: sees.to_vec() };
        assert_eq!(goal.is_reached_by(&facts), is_reached, "{sees:?}");
    }

    #[test]
    fn a_goal_is_reached_in_its_order_with_anything_in_between() {
        check(&[step(1, 1), step(3, 1)], true);
        check(&[step(3, 1), step(1, 1)], false);
        check(&[step(2, 1), step(2, 1)], true);
        check(&[step(1, 1), step(2, 2), step(3, 1)], true);
        check(&[step(2, 2), step(2, 1)], false);
        check(&[], true);
    }
}
