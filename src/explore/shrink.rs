//! From a plan that breaks a promise to the least one that breaks it still.

use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::{Deed, Plan, Planned};
use crate::explore::premises::Premises;
use crate::explore::trail::Walked;

/// Leaves out and rounds whatever the promise is broken without. `None` where the plan does not break it itself.
pub fn shrink(lab: &mut Lab<'_>, plan: &Plan, promise: &str) -> Option<Plan> {
    shrink_while(lab, plan, |walked, lab| is_broken(walked, lab, promise))
}

/// The same for whatever is to hold at the end of the plan's way.
pub fn shrink_while(lab: &mut Lab<'_>, plan: &Plan, holds: impl Fn(&Walked, &Lab<'_>) -> bool) -> Option<Plan> {
    let holds = |plan: &Plan, lab: &mut Lab<'_>| {
        let (_, walked) = plan.walk(lab);
        holds(&walked, lab)
    };
    if !holds(plan, lab) {
        return None;
    }
    let mut least = plan.clone();
    loop {
        let simpler = simpler(&least, lab.premises()).into_iter().find(|simpler| holds(simpler, lab));
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
    is_broken(&walked, lab, promise)
}

fn is_broken(walked: &Walked, lab: &Lab<'_>, promise: &str) -> bool {
    judge::in_the_end(walked, lab).iter().any(|breach| breach.promise == promise)
}

/// Plans with one thing less, or one thing rounded, the greater steps first.
fn simpler(plan: &Plan, premises: &Premises) -> Vec<Plan> {
    let mut plans = Vec::new();
    // Half of the decisions, a quarter, ... one.
    let many = plan.decisions.len();
    let mut length = many;
    while length > 0 {
        for start in (0..many).step_by(length) {
            let mut decisions = plan.decisions.clone();
            decisions.drain(start..(start + length).min(many));
            plans.push(Plan { decisions, ..plan.clone() });
        }
        length /= 2;
    }
    for place in 0..plan.wishes.len() {
        let mut wishes = plan.wishes.clone();
        wishes.remove(place);
        plans.push(Plan { wishes, ..plan.clone() });
    }
    for (place, death) in plan.deaths.iter().enumerate() {
        let mut deaths = plan.deaths.clone();
        deaths.remove(place);
        plans.push(Plan { deaths, ..plan.clone() });
        if death.before_write {
            let mut deaths = plan.deaths.clone();
            deaths[place].before_write = false;
            plans.push(Plan { deaths, ..plan.clone() });
        }
    }
    for (place, planned) in plan.wishes.iter().enumerate() {
        let rounded = |planned: Planned| {
            let mut wishes = plan.wishes.clone();
            wishes[place] = planned;
            Plan { wishes, ..plan.clone() }
        };
        // A wish in its turn is simpler than one at a moment; of two the one that is tried first.
        if planned.once.is_some() {
            plans.push(rounded(Planned { once: None, ..planned.clone() }));
        }
        let simpler = premises.simpler_wishes(planned.wish);
        plans.extend(simpler.map(|wish| rounded(Planned { wish, ..planned.clone() })));
    }
    for (place, decision) in plan.decisions.iter().enumerate() {
        if matches!(decision.deed, Deed::Break(_)) {
            let mut decisions = plan.decisions.clone();
            decisions[place].deed = Deed::Lose;
            plans.push(Plan { decisions, ..plan.clone() });
        }
    }
    plans
}
