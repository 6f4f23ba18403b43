//! A delegate's own requests, and what it already has of the same server.

use super::pair::*;
use crate::delegation::flow::Approach::DmAcc;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::Side;
use crate::delegation::message::Kind::*;
use crate::delegation::message::Message;
use crate::ids::SessionId;

const FULL: &str = "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]";

/// D12: DMS-1 has nothing left to give, and would take the request for an offer to give the device back.
#[test]
fn nobody_asks_for_more_of_what_it_has_been_given_whole() {
    for setup in [Setup::default(), hardened()] {
        for uri in ["./SCOMO", "./Inventory"] {
            let mut pair = Pair::new(&setup);
            pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
            pair.run().transcript();
            pair.start(0, delegate(DmAcc, false, true), uri);
            let lines = pair.run().transcript();
            assert!(
                matches!(&lines[..], [line] if line.ends_with("DMS-2            settled refused (409)")),
                "{lines:?}"
            );
            assert_eq!(pair.standing(), FULL);
        }
    }
}

#[test]
fn a_wish_that_a_full_delegation_has_overtaken_is_given_up() {
    for setup in [Setup::default(), hardened()] {
        let mut pair = Pair::new(&setup);
        pair.mishap(DelegationReq, Mishap::Delay(300));
        pair.start(0, delegate(DmAcc, false, true), "./SCOMO");
        pair.start(5, delegate(DmAcc, true, false), "./SCOMO");
        let lines = pair.run().transcript();
        // Once for the full delegation, and not for the wish that DMS-1 has taken for an offer.
        assert_eq!(lines.iter().filter(|line| line.contains("DMS-2 -> DMS-1  bootstrap_confirmed")).count(), 1);
        let given_up = (DMS2, Side::Delegated, Outcome::Refused { reason: 409 });
        assert!(pair.settled.contains(&given_up), "{:?}", pair.settled);
        assert_eq!(pair.standing(), FULL);
    }
}

/// DMS-1 does not grant again what it has on record: it was revoked without notice, after the request had set out.
#[test]
fn a_wish_that_is_granted_shows_that_what_is_in_force_is_out_of_date() {
    let (at_rest, not_read_yet) = (0, 300);
    for delay in [at_rest, not_read_yet] {
        let mut pair = Pair::new(&hardened());
        pair.mishap(DelegationReq, Mishap::Delay(300));
        pair.mishap(DelegationConfirmed, Mishap::DelayAnswer(delay));
        pair.start(0, delegate(DmAcc, false, true), "./SCOMO");
        pair.start(5, delegate(DmAcc, false, false), "./SCOMO");
        pair.start(170, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
        let lines = pair.run().transcript();
        // It knows by then that its account has gone.
        let enclosed = lines.iter().filter(|line| line.contains("bootstrap_confirmed account enclosed"));
        assert_eq!(enclosed.count(), 2, "{lines:#?}");
        assert_eq!(
            pair.standing(),
            "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
            "{lines:#?}"
        );
    }
}

/// What DMS-1 has granted and given up again shows it as well, before the answer has been read.
#[test]
fn a_wish_that_fails_once_granted_shows_that_what_is_in_force_is_out_of_date() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.mishap(DelegationReq, Mishap::DelayAnswer(400));
    pair.start(100, delegate(DmAcc, false, true), "./SCOMO");
    let failure = Message::DelegationFailure { reason: Some(408), session: SessionId::new("1-7-1") };
    pair.forge(200, DMS1, DMS2, failure);
    pair.run();
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

/// The delegate has waited in vain and asks anew (5.2.4), while what was under way goes on at DMS-1.
#[test]
fn a_notice_of_a_revocation_that_was_given_up_is_taken_when_another_has_been_begun() {
    for copies in [false, true] {
        let mut pair = Pair::new(&hardened());
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.run();
        for _ in 0..4 {
            pair.mishap(DelegationRevoked, Mishap::Lose);
        }
        if copies {
            pair.mishap(DelegationRevoked, Mishap::Again(100));
        }
        pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
        pair.start(5_300, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
        let lines = pair.run().transcript();
        let has = |end: &str| lines.iter().any(|line| line.ends_with(end));
        assert!(has("DMS-2            settled too_late (revoked)"), "{lines:#?}");
        assert_eq!(has("DMS-2            duplicate delegation_revoked"), copies, "{lines:#?}");
        assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]", "{lines:#?}");
    }
}
