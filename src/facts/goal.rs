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
