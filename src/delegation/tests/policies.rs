//! What a careful operator does otherwise than the text says, and what comes of either.

use super::pair::*;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::Side;
use crate::delegation::message::Kind::*;
use crate::delegation::message::Message;
use crate::delegation::policy::Policy;
use crate::dm::script::DeviceFailure;
use crate::ids::{SessionId, device_id};

fn both() -> [Setup; 2] {
    [Setup::default(), hardened()]
}

#[test]
fn a_careful_server_gives_its_account_up_only_after_delegation_confirmed() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO full
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.020 DMS-1 -> DMS-2  204
        0.020 DMS-1 -> device prepare with account
        0.070 device -> DMS-1  done
        0.070 DMS-1 -> DMS-2  delegation_prepared full
        0.080 DMS-2 -> DMS-1  204
        0.080 DMS-2 -> device visit ./SCOMO
        0.130 device -> DMS-2  done
        0.130 DMS-2 -> DMS-1  delegation_confirmed
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1 -> device leave
        0.150 DMS-2            settled done
        0.190 device -> DMS-1  done
        0.190 DMS-1            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

/// 5.2.1.5 in the order of the text: nobody can put the device back any more when DMS-2 does not get through to it.
#[test]
fn a_delegate_that_cannot_reach_the_device_orphans_it_by_the_text_and_not_by_a_careful_server() {
    for setup in both() {
        let mut pair = Pair::new(&setup);
        pair.refuse("visit", DeviceFailure::NotAuthenticated);
        pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
        pair.run();
        let stranded = pair
            .settled
            .iter()
            .any(|(_, side, outcome)| *side == Side::Delegating && matches!(outcome, Outcome::Stranded { .. }));
        match setup.policy {
            Policy::Literal => {
                assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-2]");
                assert!(stranded);
            }
            Policy::Hardened => {
                assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
                assert!(!stranded);
            }
        }
    }
}

/// Both would come into force, since neither takes the account away before the other is confirmed.
#[test]
fn a_careful_server_gives_a_device_away_to_one_server_at_a_time() {
    for by_delegated in [false, true] {
        let mut pair = Pair::new(&hardened());
        pair.start(0, delegate(DmAcc, true, false), ".");
        pair.start_between(30, (DMS1, DMS3), delegate(DmAcc, true, by_delegated), ".");
        pair.run();
        let refused =
            pair.settled.iter().filter(|(_, _, outcome)| *outcome == Outcome::Refused { reason: 409 }).count();
        assert_eq!(refused, if by_delegated { 2 } else { 1 }, "{:?}", pair.settled);
        assert_eq!(
            pair.standing(),
            "DMS-1 [. to DMS-2 full in force] DMS-2 [. from DMS-1 full in force] device [DMS-2]"
        );
    }
}

/// A part may go to somebody else meanwhile, and once the first has failed the device is to be had again.
#[test]
fn a_full_delegation_under_way_keeps_only_another_full_one_away() {
    let mut pair = Pair::new(&hardened());
    pair.refuse("visit", DeviceFailure::NotAuthenticated);
    pair.start(0, delegate(DmAcc, true, false), ".");
    pair.start_between(30, (DMS1, DMS3), delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    assert!(pair.standing().starts_with("DMS-1 [./SCOMO to DMS-3 in force] DMS-2 []"), "{}", pair.standing());
    pair.start_between(0, (DMS1, DMS2), delegate(DmAcc, true, false), ".");
    pair.run();
    assert!(pair.standing().contains(". to DMS-2 full in force"), "{}", pair.standing());
}

#[test]
fn an_own_account_that_cannot_be_removed_fails_the_full_delegation_and_everything_is_undone() {
    let mut pair = Pair::new(&hardened());
    pair.refuse("leave", DeviceFailure::Refused { code: 405, order: "Delete", uri: String::new() });
    pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.140 DMS-1 -> device leave
        0.150 DMS-2            settled done
        0.190 device -> DMS-1  failed 405
        0.190 DMS-1 -> DMS-2  delegation_failure 405
        0.190 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        0.200 DMS-2            settled undone (405)
        0.240 DMS-1            settled undone (405)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// 5.2.4 does not ask whether DMS-1 still has an account, as 5.2.3 does.
#[test]
fn a_revocation_requested_after_a_full_delegation_loses_the_device_by_the_text_alone() {
    for setup in both() {
        let mut pair = Pair::new(&setup);
        pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
        pair.start(1_000, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
        pair.run();
        let standing = match setup.policy {
            Policy::Literal => "DMS-1 [] DMS-2 [] device [DMS-2]",
            Policy::Hardened => {
                "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]"
            }
        };
        assert_eq!(pair.standing(), standing);
    }
}

/// Table 18 has no sessionId: a notice that comes late ends the delegation that it finds.
#[test]
fn a_late_notice_of_a_forced_revocation_ends_a_newer_delegation_by_the_text_alone() {
    for setup in both() {
        let mut pair = Pair::new(&setup);
        pair.mishap(DelegationRevoked, Mishap::Again(1_500));
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.start(1_000, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
        pair.start(2_000, delegate(DmAcc, false, false), "./SCOMO");
        pair.run();
        let newer = "DMS-1 [./SCOMO to DMS-2 in force]";
        let found = pair.standing();
        match setup.policy {
            Policy::Literal => assert!(!found.contains("DMS-2 [./SCOMO"), "{found}"),
            Policy::Hardened => assert!(found.starts_with(newer) && found.contains("DMS-2 [./SCOMO"), "{found}"),
        }
    }
}

/// As above, where the delegate has not had the notice before: it has learnt by the next request that its record is old.
#[test]
fn a_careful_server_takes_a_notice_for_the_delegation_that_it_names_alone() {
    for setup in both() {
        let mut pair = Pair::new(&setup);
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.start(1_000, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
        pair.start(2_000, delegate(DmAcc, false, false), "./SCOMO");
        let session = Some(SessionId::new("0-7-1"));
        let device = Some(device_id(DEVICE));
        pair.forge(3_000, DMS1, DMS2, Message::DelegationRevoked { device, subtree: None, reason: Some(200), session });
        pair.run();
        assert_eq!(pair.standing().contains("DMS-2 [./SCOMO"), setup.policy == Policy::Hardened, "{}", pair.standing());
    }
}

#[test]
fn a_careful_server_tells_a_peer_that_did_not_answer_until_it_does() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    pair.transcript();
    for _ in 0..3 {
        pair.mishap(DelegationRevoked, Mishap::Lose);
    }
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check_trouble(
        "
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.220 DMS-1 -> DMS-2  delegation_revoked  [Lose]
        1.720 DMS-1            timer
        1.720 DMS-1 -> DMS-2  delegation_revoked  [Lose]
        3.220 DMS-1            timer
        3.220 DMS-1 -> DMS-2  delegation_revoked  [Lose]
        4.720 DMS-1            timer
        4.730 DMS-2            settled done
        4.740 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// What goes one way round is revoked, and not delegated the other way round as well; only what was given in full goes back
/// in full.
#[test]
fn a_careful_server_does_not_delegate_in_a_circle() {
    let refused = [Outcome::Refused { reason: 409 }];
    for first in [false, true] {
        for (is_full, by_delegated) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut pair = Pair::new(&hardened());
            pair.start(0, delegate(DmAcc, first, false), "./SCOMO");
            pair.run();
            pair.settled.clear();
            pair.start_between(0, (DMS2, DMS1), delegate(DmAcc, is_full, by_delegated), "./SCOMO");
            pair.run();
            let outcomes: Vec<Outcome> = pair.settled.iter().map(|(_, _, outcome)| outcome.clone()).collect();
            let expected = if first && is_full { vec![Outcome::Done; 2] } else { refused.to_vec() };
            assert_eq!(outcomes, expected, "full first: {first}, then full: {is_full}, by delegated: {by_delegated}");
        }
    }
    // Nor while one is on its way.
    let mut pair = Pair::new(&hardened());
    pair.start_between(0, (DMS2, DMS1), delegate(DmAcc, false, true), "./SCOMO");
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    assert!(pair.step() && pair.step() && pair.step() && pair.step(), "both wishes, with what was agreed");
    assert_eq!(pair.settled.iter().map(|(_, _, outcome)| outcome.clone()).collect::<Vec<_>>(), refused);
}

#[test]
fn a_careful_server_tries_a_device_again_that_did_not_answer() {
    for (errand, flow) in [
        ("prepare", delegate(DmAcc, false, false)),
        ("visit", delegate(DmAcc, false, false)),
        ("push", delegate(Url, false, false)),
        ("grant", delegate(Url, false, false)),
        ("leave", delegate(DmAcc, true, false)),
    ] {
        let mut pair = Pair::new(&hardened());
        pair.refuse(errand, DeviceFailure::Unreachable);
        pair.start(0, flow, "./SCOMO");
        pair.run();
        assert!(pair.settled.iter().all(|(_, _, outcome)| *outcome == Outcome::Done), "{errand}: {:?}", pair.settled);
        assert_eq!(pair.settled.len(), 2, "{errand}");
    }
}

/// That it did not answer before is forgotten when it has done something, and when something else is to be done.
#[test]
fn a_careful_server_has_patience_anew_with_a_device_that_is_to_be_put_back() {
    let mut pair = Pair::new(&hardened());
    pair.device_bootstraps = false;
    // Patience would be over after 8 s: by then the URL has been pushed, and the device is waited for. DMS-2 gives up
    // before, and is not heard.
    pair.mishap(DelegationFailure, Mishap::Delay(20_000));
    for errand in std::iter::repeat_n("push", 7).chain(["undo"]) {
        pair.refuse(errand, DeviceFailure::Unreachable);
    }
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run();
    let outcome = pair.settled.iter().find(|(at, ..)| *at == DMS1).map(|(_, _, outcome)| outcome);
    assert_eq!(outcome, Some(&Outcome::TooLate { step: "bootstrap" }), "{:?}", pair.settled);
}

/// The device has done what it was asked to, and its answer is lost: it comes to the delegate all the same.
#[test]
fn a_device_that_has_been_bootstrapped_needs_no_second_url() {
    let mut pair = Pair::new(&hardened());
    pair.lose_report("push");
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run();
    assert_eq!(
        pair.standing(),
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]"
    );
    assert_eq!(pair.transcript().iter().filter(|line| line.contains("device push")).count(), 1);
}

#[test]
fn what_a_lost_answer_may_have_changed_is_undone_as_well() {
    let mut pair = Pair::new(&hardened());
    pair.device_bootstraps = false;
    pair.lose_report("push");
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run();
    let undone = pair
        .transcript()
        .iter()
        .any(|line| line.ends_with("device undo delete ./BootstrapConfig/entry, delete ./BootstrapConfig/entry"));
    assert!(undone, "both tries are undone");
}

#[test]
fn a_device_that_stays_away_while_it_is_put_back_strands_the_delegation_when_patience_is_over() {
    let mut pair = Pair::new(&hardened());
    pair.refuse("visit", DeviceFailure::NotAuthenticated);
    for _ in 0..20 {
        pair.refuse("undo", DeviceFailure::Unreachable);
    }
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    let (at, _, outcome) = pair.settled.last().expect("it has settled");
    assert_eq!((*at, outcome), (DMS1, &Outcome::Stranded { reason: 401 }));
    let tries = pair.transcript().iter().filter(|line| line.contains("device undo")).count();
    // Every second (an eighth of 8 s), and each try takes 50 ms: seven more fit.
    assert_eq!(tries, 8);
}

#[test]
fn by_the_text_nothing_is_tried_twice() {
    let mut pair = Pair::new(&Setup::default());
    pair.refuse("prepare", DeviceFailure::Unreachable);
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    assert!(pair.settled.iter().all(|(_, _, outcome)| matches!(outcome, Outcome::Undone { reason: 408 })));
}
