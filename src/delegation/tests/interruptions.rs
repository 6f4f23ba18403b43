//! Sections 5.3.1.6 and 5.3.3.5: a failure may be sent at any time, from either side.

use super::forged::delegated;
use super::pair::*;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::message::Message;
use crate::ids::SessionId;

/// Every five milliseconds, until long after the end.
fn moments() -> impl Iterator<Item = u64> {
    (0..400).step_by(5)
}

/// Both sides fail, one of them a little later or not at all before it hears of the other's failure.
#[test]
fn a_failed_delegation_leaves_nothing_half_done_at_any_moment() {
    for flow in [delegate(DmAcc, false, false), delegate(DmAcc, false, true), delegate(Url, false, false)] {
        let by = if flow == delegate(DmAcc, false, true) { "1-7-1" } else { "0-7-1" };
        for (after_ms, lag_ms) in moments().flat_map(|at| [0, 5, 25, 60].map(|lag| (at, lag))) {
            for (first, second) in [(DMS1, DMS2), (DMS2, DMS1)] {
                let mut pair = Pair::new(&Setup::default());
                pair.start(0, flow, "./SCOMO");
                let failure = || Message::DelegationFailure { reason: Some(500), session: SessionId::new(by) };
                pair.forge(after_ms, second, first, failure());
                pair.forge(after_ms + lag_ms, first, second, failure());
                pair.run();
                let standing = pair.standing();
                // One that comes before there is a session of its name hits nothing.
                let hits_nothing = after_ms + lag_ms < 15
                    && standing.starts_with("DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force]");
                assert!(
                    hits_nothing || standing == "DMS-1 [] DMS-2 [] device [DMS-1]",
                    "{flow} at {after_ms} and {lag_ms} ms: {standing}\n{}",
                    pair.transcript().join("\n")
                );
            }
        }
    }
}

#[test]
fn a_failed_revocation_leaves_the_account_where_there_are_records_at_any_moment() {
    for (how, by) in [
        (Revocation::Asked, "0-7-2"),
        (Revocation::Requested, "1-7-1"),
        (Revocation::Forced { notice: true }, "0-7-1"),
        (Revocation::Forced { notice: false }, "0-7-1"),
    ] {
        for after_ms in moments() {
            for (from, to) in [(DMS1, DMS2), (DMS2, DMS1)] {
                let mut pair = delegated();
                pair.start(0, FlowKind::Revoke(how), "./SCOMO");
                let failure = Message::RevocationFailure { reason: Some(500), session: SessionId::new(by) };
                pair.forge(after_ms, from, to, failure);
                pair.run();
                let standing = pair.standing();
                let has = |sign: &str| standing.contains(sign);
                let account = has("device [DMS-1, DMS-2]");
                let is_told = how != Revocation::Forced { notice: false };
                let is_sound = has("./SCOMO to DMS-2") == account && (has("./SCOMO from DMS-1") == account || !is_told);
                assert!(is_sound, "{how:?} at {after_ms} ms to {to}: {standing}\n{}", pair.transcript().join("\n"));
            }
        }
    }
}
