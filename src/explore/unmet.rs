//! What of a plan never comes to pass on its way: what it is about never sets out, or what it waits for is never seen.

use crate::explore::choice::Choice;
use crate::explore::event::Event;
use crate::explore::lab::Lab;
use crate::explore::plan::{Decision, Deed, Named, Plan};
use crate::explore::trail::Walked;
use crate::explore::wording::Worded;
use crate::facts::pattern::Pattern;

/// The wishes and decisions of a plan without effect, in words, in their order.
pub fn unmet(plan: &Plan, lab: &mut Lab<'_>) -> Vec<String> {
    let (trail, mut walked) = (plan.walk(lab).0, Walked::new(lab, plan.budget()));
    let (mut named, mut set_out, mut chosen, mut died) = (Named::default(), Vec::new(), Vec::new(), Vec::new());
    for choice in trail {
        if let Some(place) = choice.place().filter(|place| breaks_off(choice, *place, &walked, lab)) {
            chosen.push((named.under_way[place], choice));
        }
        if let Choice::Dies { server, before_write } = choice
            && walked.world.may_die(server, before_write, lab)
        {
            died.push((server, before_write));
        }
        named.before(choice, &walked, lab);
        walked.take(choice, lab);
        let known = named.under_way.len();
        named.after(&walked, lab);
        set_out.extend_from_slice(&named.under_way[known..]);
    }
    let premises = lab.premises();
    let is_seen = |device: usize, once: &Pattern| once.seen_in(&walked.facts[device]).is_some();
    let wishes = plan.wishes.iter().map(|planned| {
        let device = premises.wishes[planned.wish].device;
        planned.once.as_ref().is_none_or(|once| is_seen(device, once))
    });
    let decisions = plan.decisions.iter().map(|decision| has_effect(decision, &set_out, &chosen));
    let deaths = plan.deaths.iter().map(|death| died.contains(&(death.server, death.before_write)));
    let has_come: Vec<bool> = wishes.chain(decisions).chain(deaths).collect();
    let Worded { wishes, decisions } = Worded::new(plan, premises);
    let words = wishes.into_iter().chain(decisions);
    words.zip(has_come).filter(|(_, has_come)| !has_come).map(|(words, _)| words).collect()
}

/// Whether a session that is to break off has the round in which it is to do so; anything else has none.
fn breaks_off(choice: Choice, place: usize, walked: &Walked, lab: &mut Lab<'_>) -> bool {
    let Choice::Breaks(_, round) = choice else { return true };
    let number = walked.world.under_way()[place];
    let device = lab.under_way(number).device(&lab.premises().devices);
    lab.attend(walked.world.trees()[device], number, Some(round)).is_some()
}

/// Whether anything has become of a decision, among all that has set out and what was chosen about it.
fn has_effect(decision: &Decision, set_out: &[Event], chosen: &[(Event, Choice)]) -> bool {
    let was_chosen = |is_it: &dyn Fn(Choice) -> bool| {
        chosen.iter().any(|(event, choice)| decision.what.means(event) && is_it(*choice))
    };
    match decision.deed {
        Deed::Hold(_) | Deed::Delay(_) => set_out.iter().any(|event| decision.what.means(event)),
        Deed::Lose => was_chosen(&|choice| matches!(choice, Choice::Loses(_))),
        Deed::Break(round) => was_chosen(&|choice| matches!(choice, Choice::Breaks(_, at) if at == round)),
        Deed::Double => was_chosen(&|choice| matches!(choice, Choice::Doubles(_))),
    }
}
