//! What a search should come by at least once: a search that never did says little.

use crate::explore::premises::Premises;
use crate::facts::Fact;
use crate::facts::goal::Goal;
use crate::facts::pattern::Pattern;

/// Situations in which promises have broken elsewhere, each with the facts in a row that show it.
const USUAL: [(&str, &str); 20] = [
    ("a delegation is done", "wish any at any then settled done at any"),
    ("requests cross", "sent delegation_req by any then sent delegation_req by any then taken delegation_req at any"),
    ("a request is refused", "taken delegation_req at any then settled refused at any"),
    ("bootstrap is confirmed too late", "timer bootstrap at any then rejected bootstrap_confirmed at any"),
    ("a confirmation comes too late", "timer confirmed at any then rejected delegation_confirmed at any"),
    ("a failure meets a delegate in force", "state AtRest at any as delegated then taken delegation_failure at any"),
    ("a failure comes again", "repeated delegation_failure at any"),
    ("DELEGATION_PREPARED comes again", "repeated delegation_prepared at any"),
    (
        "a termination timer fires before its answer",
        "timer termination at any then received delegation_termination_resp at any",
    ),
    ("a termination is asked for twice", "repeated delegation_termination_req at any"),
    (
        "a revocation is requested and asked for at once",
        "sent delegation_revocation_req by any then taken delegation_termination_req at any",
    ),
    ("a notice of the end is lost", "sent delegation_revoked by any then unanswered delegation_revoked at any"),
    ("a notice of the end comes again", "repeated delegation_revoked at any"),
    ("a revocation fails", "taken revocation_failure at any"),
    ("a session with the device fails", "errand any fails at any"),
    (
        "an account cannot be removed at first",
        "errand remove-account fails at any then errand remove-account begins at any",
    ),
    ("what was done is undone", "errand undo ends at any then settled any at any"),
    ("a flow is stranded", "settled stranded at any"),
    ("a message is not answered", "unanswered any at any"),
    ("a message is rejected", "rejected any at any"),
];

/// The goals of a search: the usual ones.
pub fn usual(premises: &Premises) -> Vec<Goal> {
    let goal = |(name, sees): &(&str, &str)| Goal {
        name: (*name).to_owned(),
        sees: Pattern::parse_sequence(sees, premises).expect("goals of ours are patterns"),
    };
    USUAL.iter().map(goal).collect()
}

/// Which goals a story reaches: bit n for the n-th.
pub fn reached(goals: &[Goal], facts: &[Fact], so_far: u64) -> u64 {
    let new = goals.iter().enumerate().filter(|(number, _)| so_far & (1 << number) == 0);
    let hit = new.filter(|(_, goal)| goal.is_reached_by(facts)).map(|(number, _)| 1 << number);
    hit.fold(so_far, |reached, bit| reached | bit)
}
