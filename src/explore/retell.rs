//! From a way to a plan that leads along it.

use std::time::Duration;

use crate::clock::Moment;
use crate::explore::choice::{Budget, Choice};
use crate::explore::event::Event;
use crate::explore::lab::Lab;
use crate::explore::plan::{Death, Decision, Deed, Delay, Named, Plan, Planned};
use crate::explore::trail::Walked;
use crate::facts::pattern::Pattern;
use crate::ids::ServerNumber;

/// How long somebody waits, where a way does not say it.
const LEAST_PATIENCE: Duration = Duration::from_millis(1);

/// The plan of a way: wherever it leaves the default way, what would have come first is held until what did come has been
/// seen.
pub fn plan(lab: &mut Lab<'_>, budget: Budget, trail: &[Choice]) -> Plan {
    let mut plan = Plan::default();
    let mut walked = Walked::new(lab, budget);
    let mut named = Named::default();
    let mut set_out: Vec<Moment> = Vec::new();
    for choice in trail {
        let was_at_rest = walked.world.is_at_rest(lab);
        let before: Vec<usize> = walked.facts.iter().map(Vec::len).collect();
        let passed: Vec<Event> = match choice {
            Choice::Arrives(place) | Choice::Breaks(place, _) | Choice::Doubles(place) => {
                named.under_way[..usize::from(*place)].to_vec()
            }
            Choice::Wishes(_) | Choice::TimePasses => named.under_way.clone(),
            Choice::Loses(_) | Choice::Expires(_) | Choice::Dies { .. } | Choice::Elapses(_) => Vec::new(),
        };
        let own = choice.place().map(|place| named.under_way[place]);
        if let Choice::Wishes(number) = choice {
            let wish = usize::from(*number);
            let device = lab.premises().wishes[wish].device;
            let latest = walked.facts[device].len().checked_sub(1);
            let once = latest.filter(|_| !was_at_rest).and_then(|latest| last_named(&walked, device, latest));
            plan.wishes.push(Planned { wish, once });
        }
        let deed = match choice {
            Choice::Loses(_) => Some(Deed::Lose),
            Choice::Breaks(_, round) => Some(Deed::Break(*round)),
            Choice::Doubles(_) => Some(Deed::Double),
            Choice::Expires(place) => {
                let waited = (walked.world.now() - set_out[usize::from(*place)]).max(LEAST_PATIENCE);
                Some(Deed::Delay(Delay { after: None, by: 2 * waited, patience: Some(waited) }))
            }
            _ => None,
        };
        plan.decisions.extend(own.zip(deed).map(|(what, deed)| Decision { what, deed }));
        if let Choice::Dies { server, before_write } = *choice {
            plan.deaths.extend(death(&walked, server, before_write));
        }
        for place in walked.world.gone(*choice, lab) {
            set_out.remove(place);
        }
        named.before(*choice, &walked, lab);
        walked.take(*choice, lab);
        named.after(&walked, lab);
        set_out.resize(named.under_way.len(), walked.world.now());
        for event in passed {
            let facts = &walked.facts[event.device];
            let until = (before[event.device]..facts.len()).find_map(|place| Pattern::naming(facts, place));
            if let Some(until) = until {
                hold(&mut plan, event, until);
            }
        }
    }
    plan
}

/// The death of a server now: once the latest fact has been seen, whichever device it is about. Before its write it dies
/// in its own last turn: at a fact of that.
fn death(walked: &Walked, server: ServerNumber, before_write: bool) -> Option<Death> {
    let latest = |device: usize| {
        let facts = &walked.facts[device];
        facts.iter().rposition(|fact| !before_write || fact.what.server() == Some(server))
    };
    let devices = 0..walked.facts.len();
    let latest = devices.filter_map(|device| latest(device).map(|place| (device, place)));
    let (device, place) =
        latest.max_by_key(|(device, place)| (walked.facts[*device][*place].at, usize::MAX - device))?;
    let once = last_named(walked, device, place)?;
    Some(Death { server, device, once, before_write })
}

/// The latest fact up to this one that a pattern can mean.
fn last_named(walked: &Walked, device: usize, latest: usize) -> Option<Pattern> {
    (0..=latest).rev().find_map(|place| Pattern::naming(&walked.facts[device], place))
}

/// The latest thing that something has to wait for is the one that counts.
fn hold(plan: &mut Plan, what: Event, until: Pattern) {
    let known = plan.decisions.iter_mut().find(|known| known.what == what && matches!(known.deed, Deed::Hold(_)));
    match known {
        Some(known) => known.deed = Deed::Hold(until),
        None => plan.decisions.push(Decision { what, deed: Deed::Hold(until) }),
    }
}
