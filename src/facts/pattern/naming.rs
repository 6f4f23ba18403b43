//! A fact to the pattern that means it and no other.

use super::{Hearing, Pattern, Progress, Receipt, Sought, VERBS};
use crate::delegation::reason;
use crate::facts::{Fact, What};

/// The pattern that means the fact at this place among these; `None` for a fact that no pattern is about.
pub(super) fn name(facts: &[Fact], place: usize) -> Option<Pattern> {
    let what = sought(&facts.get(place)?.what)?;
    let before = facts[..=place].iter().filter(|fact| what.matches(&fact.what)).count();
    Some(Pattern { what, nth: u32::try_from(before).unwrap_or(u32::MAX) })
}

fn sought(what: &What) -> Option<Sought> {
    Some(match what {
        What::Step { number } => Sought::Step(*number),
        What::Wished { at, flow, .. } => Sought::Wish { flow: Some(*flow), at: Some(*at) },
        What::Sent { from, kind, .. } => Sought::Sent { message: Some(*kind), by: Some(*from) },
        What::Misdirected { .. } => return None,
        What::Taken { at, kind, how, .. } => {
            Sought::Received { how: Some(Receipt::of(how)), message: Some(*kind), at: Some(*at) }
        }
        What::Heard { at, kind, answer, .. } => {
            Sought::Heard { how: Hearing::of(answer), message: Some(*kind), at: Some(*at) }
        }
        What::TimerFired { at, timer } => Sought::Timer { timer: Some(*timer), at: Some(*at) },
        What::Moved { at, side, state, .. } => {
            Sought::State { state: Some((*state).to_owned()), at: Some(*at), side: Some(*side) }
        }
        What::Joined { at, side, .. } => Sought::Joined { at: Some(*at), side: Some(*side) },
        What::Settled { at, side, outcome, .. } => {
            Sought::Settled { outcome: Some(outcome.key()), at: Some(*at), side: Some(*side) }
        }
        What::ErrandBegan { at, errand } => {
            Sought::Errand { errand: Some(*errand), progress: Progress::Begins, at: Some(*at) }
        }
        What::ErrandEnded { at, errand, failure } => {
            let progress = if failure.is_none() { Progress::Ends } else { Progress::Fails };
            Sought::Errand { errand: Some(*errand), progress, at: Some(*at) }
        }
        What::SessionOpened { with } => Sought::Session { begins: true, with: Some(*with) },
        What::SessionEnded { with, .. } => Sought::Session { begins: false, with: Some(*with) },
        What::Operated { by, verb, code, .. } => {
            let verb = VERBS.into_iter().find(|known| known == verb)?;
            Sought::Operation { verb: Some(verb), by: Some(*by), accepted: reason::is_success(Some(*code)) }
        }
        What::Account { of, is_there } => Sought::Account { of: Some(*of), appears: *is_there },
        What::Fetched { ok, .. } => Sought::Document { fetched: *ok },
        What::Fault { rule } => Sought::Fault(*rule),
        What::Killed { at } => Sought::Killed(Some(*at)),
        What::Restarted { at } => Sought::Restarted(Some(*at)),
        What::FactoryReset => Sought::FactoryReset,
    })
}
