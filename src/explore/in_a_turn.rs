//! Promises that a single turn of a server breaks or keeps, looked at with the machine behind it.

use std::time::Duration;

use crate::delegation::flow::Outcome;
use crate::delegation::machine::{Side, Standing};
use crate::delegation::message::Kind;
use crate::delegation::server::Server;
use crate::facts::{Heard, Took, What};
use crate::ids::{DeviceNumber, ServerNumber};

/// Each with what it says. The names are stable.
pub const ALL: [(&str, &str); 2] = [
    ("activities_end_first", "a delegate says that its activities have ended when they have, not before"),
    ("failed_revocation_is_noted", "who could not revoke a delegation notes that it may be compromised"),
];

/// What the promise of this name says; nothing for a name that none has.
pub fn says(name: &str) -> &'static str {
    ALL.iter().find(|(known, _)| *known == name).map_or("", |(_, says)| says)
}

/// The name of the promise that a server has broken with these facts, after which its machine is this one.
pub fn broken(
    at: ServerNumber,
    facts: &[(DeviceNumber, What)],
    machine: &Server,
    wind_down: Duration,
) -> Option<&'static str> {
    if !wind_down.is_zero() && is_hasty(facts) {
        return Some(ALL[0].0);
    }
    let stands_unmarked = facts.iter().any(|(device, what)| match what {
        What::Settled { at: by, peer, side, outcome } if *by == at && has_failed(*side, outcome, facts) => {
            let stands = facts.iter().any(|(_, what)| is_back_at_rest(what, (at, *peer, *side)));
            stands
                && machine.records().any(|record| {
                    (record.device, record.peer, record.side) == (*device, *peer, *side)
                        && record.standing == Standing::InForce
                })
        }
        _ => false,
    });
    stands_unmarked.then_some(ALL[1].0)
}

/// 5.2.3.4: in the turn in which its activities begin to end it says that they have.
fn is_hasty(facts: &[(DeviceNumber, What)]) -> bool {
    let begins = |what: &What| matches!(what, What::Taken { kind: Kind::DelegationTerminationReq, how: Took::New, .. });
    let reports = |what: &What| matches!(what, What::Sent { kind: Kind::DelegationTerminationResp, attempt: 1, .. });
    facts.iter().any(|(_, what)| begins(what)) && facts.iter().any(|(_, what)| reports(what))
}

/// D37: refused is not failed, since nothing was done; nor is what the peer turns away.
fn has_failed(side: Side, outcome: &Outcome, facts: &[(DeviceNumber, What)]) -> bool {
    let is_turned_away = |what: &What| matches!(what, What::Heard { answer: Heard::Rejected(_), .. });
    match outcome {
        Outcome::Done | Outcome::Refused { .. } => false,
        Outcome::Stranded { .. } | Outcome::TooLate { .. } if side == Side::Delegated => true,
        _ => side == Side::Delegating && !facts.iter().any(|(_, what)| is_turned_away(what)),
    }
}

fn is_back_at_rest(what: &What, (at, peer, side): (ServerNumber, ServerNumber, Side)) -> bool {
    matches!(what, What::Moved { at: by, peer: with, side: its, state: "AtRest", .. }
        if (*by, *with, *its) == (at, peer, side))
}
