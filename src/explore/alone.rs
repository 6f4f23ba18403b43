//! A plan that is about one device alone, as one of a search that looks at no other.

use crate::explore::plan::Plan;
use crate::explore::premises::Premises;

/// The same plan for the only device of other premises of the same kind. `None` where it is about several devices, or
/// something in it cannot be wished there.
pub fn alone(plan: &Plan, premises: &Premises, single: &Premises) -> Option<Plan> {
    let of_wishes = plan.wishes.iter().filter_map(|planned| premises.wishes.get(planned.wish)).map(|wish| wish.device);
    let of_decisions = plan.decisions.iter().map(|decision| decision.what.device);
    let mut about: Vec<usize> = of_wishes.chain(of_decisions).chain(plan.deaths.iter().map(|one| one.device)).collect();
    about.sort_unstable();
    about.dedup();
    if about.len() > 1 || single.devices.len() != 1 {
        return None;
    }
    let mut plan = plan.clone();
    for planned in &mut plan.wishes {
        let wish = premises.wishes.get(planned.wish)?;
        let wanted = (wish.at, wish.peer, wish.flow, &wish.subtree);
        planned.wish =
            single.wishes.iter().position(|known| (known.at, known.peer, known.flow, &known.subtree) == wanted)?;
    }
    plan.decisions.iter_mut().for_each(|decision| decision.what.device = 0);
    plan.deaths.iter_mut().for_each(|death| death.device = 0);
    Some(plan)
}
