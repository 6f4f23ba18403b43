//! What is known of the states of a record by their names: which follows which, what is at rest, who waits for whom.
//!
//! One step of a machine may go through several states and show only the last, so the tables hold those shortcuts too.
//! A name that is not in them says nothing: no promise is broken by it.

use crate::delegation::machine::Side;
use crate::delegation::policy::Policy;

type Row = (&'static str, &'static [&'static str]);

/// Before a delegation is in force, at DMS-1 (figures 6, 7, 9, 10).
const DELEGATING_HANDOVER: [&str; 12] = [
    "ExpectResponse",
    "ExpectBootstrapConfirmed",
    "ExpectBootstrapUrl",
    "ExpectUrlPushed",
    "ExpectUrlPushedAgain",
    "ExpectDeviceBootstrapped",
    "ExpectDevicePrepared",
    "ExpectDevicePreparedAgain",
    "ExpectConfirmed",
    "ExpectClientTold",
    "ExpectLeft",
    "ExpectLeftAgain",
];

/// Before a delegation is in force, at DMS-2.
const DELEGATED_HANDOVER: [&str; 7] = [
    "ExpectResponse",
    "ExpectUrlRequest",
    "ExpectDevice",
    "ExpectPrepared",
    "ExpectVisited",
    "ExpectVisitedAgain",
    "ExpectConfirmedAnswered",
];

/// DMS-1: figures 6, 7, 9 and 10, then 11 to 14; section 5.3 for what fails.
const DELEGATING: [Row; 20] = [
    ("ExpectResponse", &["ExpectBootstrapConfirmed", "ExpectBootstrapUrl", "ExpectDevicePrepared"]),
    ("ExpectBootstrapConfirmed", &["ExpectDevicePrepared"]),
    ("ExpectBootstrapUrl", &["ExpectUrlPushed", "ExpectDevicePrepared"]),
    ("ExpectUrlPushed", &["ExpectUrlPushedAgain", "ExpectDeviceBootstrapped", "ExpectDevicePrepared"]),
    ("ExpectUrlPushedAgain", &["ExpectUrlPushed", "ExpectDevicePrepared"]),
    ("ExpectDeviceBootstrapped", &["ExpectDevicePrepared"]),
    ("ExpectDevicePrepared", &["ExpectDevicePreparedAgain", "ExpectConfirmed"]),
    ("ExpectDevicePreparedAgain", &["ExpectDevicePrepared"]),
    ("ExpectConfirmed", &["ExpectClientTold", "ExpectLeft", "AtRest"]),
    ("ExpectClientTold", &["ExpectConfirmed", "ExpectLeft", "AtRest"]),
    ("ExpectLeft", &["ExpectLeftAgain", "AtRest"]),
    ("ExpectLeftAgain", &["ExpectLeft"]),
    ("ExpectUndone", &["Over"]),
    ("AtRest", &["ExpectUndone", "ExpectTerminationAck", "ExpectRemoval", "ExpectFailureAnswered", "Over"]),
    ("ExpectTerminationAck", &["ExpectTerminationResp", "ExpectRemoval", "ExpectFailureAnswered", "AtRest"]),
    ("ExpectTerminationResp", &["ExpectRemoval", "AtRest"]),
    ("ExpectRemoval", &["ExpectRemovalAgain", "ExpectRevokedAnswered", "ExpectFailureAnswered", "Over"]),
    ("ExpectRemovalAgain", &["ExpectRemoval"]),
    // Whatever comes of DELEGATION_REVOKED, the delegation is over (5.2.3.6).
    ("ExpectRevokedAnswered", &["Over"]),
    ("ExpectFailureAnswered", &["AtRest"]),
];

/// DMS-2: the same figures.
const DELEGATED: [Row; 11] = [
    ("ExpectResponse", &["ExpectUrlRequest", "ExpectDevice", "ExpectPrepared"]),
    ("ExpectUrlRequest", &["ExpectDevice"]),
    ("ExpectDevice", &["ExpectPrepared"]),
    ("ExpectPrepared", &["ExpectDevice", "ExpectVisited", "ExpectConfirmedAnswered"]),
    ("ExpectVisited", &["ExpectVisitedAgain", "ExpectConfirmedAnswered"]),
    ("ExpectVisitedAgain", &["ExpectVisited"]),
    ("ExpectConfirmedAnswered", &["AtRest", "ExpectWoundDown", "ExpectRevoked"]),
    ("ExpectEnded", &["Over"]),
    ("AtRest", &["ExpectEnded", "ExpectWoundDown", "ExpectRevoked", "Over"]),
    ("ExpectWoundDown", &["ExpectRevoked", "AtRest", "Over"]),
    ("ExpectRevoked", &["ExpectWoundDown", "AtRest", "Over"]),
];

/// Whether a record may go from one state to the other. `from`: `None` for the first that was seen.
pub(super) fn may_follow(side: Side, policy: Policy, from: Option<&str>, to: &str) -> bool {
    if from == Some(to) || is_strange(to) || from.is_some_and(is_strange) {
        return true;
    }
    // Literally the own account goes while the device is prepared (5.2.1.5), never afterwards.
    if to == "ExpectLeft" && policy == Policy::Literal {
        return false;
    }
    let Some(from) = from else { return may_begin(side, to) };
    let fails_with = match side {
        Side::Delegating => "ExpectUndone",
        Side::Delegated => "ExpectEnded",
    };
    is_handover(side, from) && (to == fails_with || to == "Over") || follows(side, from, to)
}

/// Whether it is a state in which a delegation begins, or one right behind it.
fn may_begin(side: Side, to: &str) -> bool {
    let begins: &[&str] = match side {
        Side::Delegating => &["ExpectResponse", "ExpectBootstrapConfirmed", "ExpectBootstrapUrl"],
        Side::Delegated => &["ExpectResponse", "ExpectUrlRequest", "ExpectPrepared"],
    };
    begins.contains(&to) || begins.iter().any(|begin| may_follow(side, Policy::Hardened, Some(begin), to))
}

fn follows(side: Side, from: &str, to: &str) -> bool {
    table(side).iter().any(|(state, next)| *state == from && next.contains(&to))
}

fn table(side: Side) -> &'static [Row] {
    match side {
        Side::Delegating => &DELEGATING,
        Side::Delegated => &DELEGATED,
    }
}

/// Every name that is known of a side.
#[cfg(test)]
pub(super) fn names(side: Side) -> impl Iterator<Item = &'static str> {
    table(side).iter().map(|(state, _)| *state).chain(["Over"])
}

fn is_known(side: Side, state: &str) -> bool {
    state == "Over" || table(side).iter().any(|(known, _)| *known == state)
}

/// Whether neither side is known to have such a state: what it is for is not known.
pub(super) fn is_strange(state: &str) -> bool {
    !is_known(Side::Delegating, state) && !is_known(Side::Delegated, state)
}

/// Whether a delegation is on its way to be in force.
pub(super) fn is_handover(side: Side, state: &str) -> bool {
    match side {
        Side::Delegating => DELEGATING_HANDOVER.contains(&state),
        Side::Delegated => DELEGATED_HANDOVER.contains(&state),
    }
}

/// Whether no process is under way in it.
pub(super) fn is_terminal(state: &str) -> bool {
    matches!(state, "AtRest" | "Over")
}

/// Whether a delegation has been agreed on and has not failed: there is one such between two servers (S6).
pub(super) fn is_agreed(side: Side, state: &str) -> bool {
    is_known(side, state) && !matches!(state, "ExpectResponse" | "ExpectUndone" | "ExpectEnded" | "Over")
}

/// Whether the delegate holds the authority by its own record.
pub(super) fn gives_authority(state: &str) -> bool {
    matches!(state, "AtRest" | "ExpectWoundDown" | "ExpectRevoked")
}

/// Whether something is left to do on the device.
pub(super) fn is_cleaning(state: &str) -> bool {
    matches!(state, "ExpectUndone" | "ExpectRemoval" | "ExpectRemovalAgain" | "ExpectLeft" | "ExpectLeftAgain")
}

/// Whether the server can only go on when its peer has done something.
pub(super) fn waits_for_peer(side: Side, state: &str) -> bool {
    match side {
        Side::Delegating => matches!(
            state,
            "ExpectResponse"
                | "ExpectBootstrapConfirmed"
                | "ExpectBootstrapUrl"
                | "ExpectDeviceBootstrapped"
                | "ExpectConfirmed"
                | "ExpectTerminationAck"
                | "ExpectTerminationResp"
                | "ExpectRevokedAnswered"
                | "ExpectFailureAnswered"
        ),
        Side::Delegated => matches!(
            state,
            "ExpectResponse" | "ExpectUrlRequest" | "ExpectPrepared" | "ExpectConfirmedAnswered" | "ExpectRevoked"
        ),
    }
}
