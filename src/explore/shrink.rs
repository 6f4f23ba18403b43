//! From a plan that breaks a promise to the least one that breaks it still.

use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::Plan;

/// Leaves out and rounds whatever the promise is broken without. `None` where the plan does not break it itself.
pub fn shrink(lab: &mut Lab<'_>, plan: &Plan, promise: &str) -> Option<Plan> {
    if !breaks(lab, plan, promise) {
        return None;
    }
    let mut least = plan.clone();
    loop {
        let simpler = simpler(&least).into_iter().find(|simpler| breaks(lab, simpler, promise));
        match simpler {
            Some(simpler) => least = simpler,
            None => break,
        }
    }
    least.decisions.sort_by_key(|decision| decision.what);
    Some(least)
}

/// Whether a plan breaks a promise.
pub fn breaks(lab: &mut Lab<'_>, plan: &Plan, promise: &str) -> bool {
    let (_, walked) = plan.walk(lab);
    judge::in_the_end(&walked, lab).iter().any(|breach| breach.promise == promise)
}

/// Plans with one thing less, the greater steps first.
fn simpler(plan: &Plan) -> Vec<Plan> {
    let without = |plan: &Plan, from: usize, to: usize| {
        let mut decisions = plan.decisions.clone();
        decisions.drain(from..to);
        Plan { decisions, ..plan.clone() }
    };
    let mut plans = Vec::new();
    // Half of the decisions, a quarter, ... one.
    let many = plan.decisions.len();
    let mut length = many;
    while length > 0 {
        let starts = (0..many).step_by(length);
        plans.extend(starts.map(|start| without(plan, start, (start + length).min(many))));
        length /= 2;
    }
    for place in 0..plan.wishes.len() {
        let mut wishes = plan.wishes.clone();
        wishes.remove(place);
        plans.push(Plan { wishes, ..plan.clone() });
    }
    // A wish in its turn is simpler than one at a moment.
    for place in 0..plan.wishes.len() {
        if plan.wishes[place].once.is_some() {
            let mut wishes = plan.wishes.clone();
            wishes[place].once = None;
            plans.push(Plan { wishes, ..plan.clone() });
        }
    }
    plans
}
