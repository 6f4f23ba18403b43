//! What can be judged of a device of which only the first facts are kept.

use std::collections::BTreeMap;

use super::story::is_own_input;
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;

/// The facts of the journey's steps that have ended well before the last fact.
///
/// Where a step begins, nothing of those before it is under way, and of what has begun only half may be known. But what
/// ends a flow is heard of elsewhere before its server has told all that it did in that turn: of the step that follows,
/// the rest of such turns is taken too, which is why the last step of all, cut anywhere, cannot be the one that follows.
pub fn whole_steps(facts: &[Fact]) -> Vec<Fact> {
    let mut begun = facts.iter().enumerate().rev().filter(|(_, fact)| matches!(fact.what, What::Step { .. }));
    let Some((end, _)) = begun.nth(1) else { return Vec::new() };
    let mut whole = facts[..end].to_vec();
    let mut goes_on: BTreeMap<ServerNumber, bool> = BTreeMap::new();
    for fact in &facts[end..] {
        let Some(server) = fact.what.server() else { continue };
        let goes_on = goes_on.entry(server).or_insert(true);
        *goes_on &= !(is_own_input(&fact.what) || matches!(fact.what, What::Wished { .. }));
        if *goes_on && is_of_a_turn(&fact.what) {
            whole.push(fact.clone());
        }
    }
    whole
}

/// Whether a server tells it of itself; the rest is what devices tell.
fn is_of_a_turn(what: &What) -> bool {
    matches!(
        what,
        What::Moved { .. }
            | What::Joined { .. }
            | What::Settled { .. }
            | What::ErrandBegan { .. }
            | What::Sent { .. }
            | What::Misdirected { .. }
    )
}
