//! What a world at rest breaks: judged once for all ways that end in it.

use crate::explore::choice::{Budget, Choice};
use crate::explore::goals;
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::trail::Walked;
use crate::explore::world::World;

/// The promises that a way to a world at rest breaks. Ways that end in the same world break the same, since its minutes
/// tell what they have seen; only where a turn was suspect, or more depends on its story, this very way is judged.
/// `goals` grows by what a story that is judged reaches.
pub fn of(
    lab: &mut Lab<'_>,
    world: &World,
    budget: Budget,
    trail: &[Choice],
    is_its_own: bool,
    goals: &mut u64,
) -> Vec<&'static str> {
    let end = world.end(lab);
    if let Some(known) = lab.verdict(end).filter(|_| !is_its_own) {
        return known.to_vec();
    }
    let walked = Walked::along(lab, budget, trail);
    for facts in &walked.facts {
        *goals = goals::reached(&lab.premises().goals, facts, *goals);
    }
    let promises = judge::names(&judge::in_the_end(&walked, lab));
    if !is_its_own {
        lab.keep_verdict(end, promises.clone());
    }
    promises
}
