//! What comes twice is done once, and what one side has forgotten the other learns at the next contact.

use super::forged::{delegated, request};
use super::pair::*;
use crate::delegation::flow::Approach::{self, DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::message::Kind::{self, *};
use crate::dm::script::DeviceFailure;

/// What comes twice is answered twice and done once: soon after, and after everything has ended.
#[track_caller]
fn check_twice(flow: FlowKind, kind: Kind) {
    for (setup, later) in [(Setup::default(), 15), (Setup::default(), 3_000), (hardened(), 15), (hardened(), 3_000)] {
        let once = course(&setup, flow, |_| {});
        let twice = course(&setup, flow, |pair| pair.mishap(kind, Mishap::Again(later)));
        let what = format!("{:?} {flow} {kind:?} {later}", setup.policy);
        assert_eq!(twice.duplicates, 1, "{what}");
        let [first, copy] = &twice.answers;
        assert!(first.is_some() && first == copy, "{what}: {first:?}, then {copy:?}");
        assert_eq!(
            (twice.errands, twice.outcomes, twice.standing),
            (once.errands, once.outcomes, once.standing),
            "{what}"
        );
    }
}

struct Course {
    duplicates: usize,
    /// To what comes twice, and to its copy.
    answers: [Option<String>; 2],
    errands: Vec<String>,
    outcomes: Vec<String>,
    standing: String,
}

fn course(setup: &Setup, flow: FlowKind, wrong: impl FnOnce(&mut Pair)) -> Course {
    let mut pair = Pair::new(setup);
    if matches!(flow, FlowKind::Revoke(_)) {
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.run().transcript();
    }
    wrong(&mut pair);
    pair.start(0, flow, "./SCOMO");
    let lines = pair.run().transcript();
    let of = |sign: &str| -> Vec<String> {
        lines.iter().filter(|line| line.contains(sign)).map(|line| line[6..].to_owned()).collect()
    };
    Course {
        duplicates: of("duplicate").len(),
        answers: answers(&lines),
        errands: of("-> device"),
        outcomes: pair.settled.iter().map(|(_, side, outcome)| format!("{side:?} {outcome}")).collect(),
        standing: pair.standing(),
    }
}

/// A copy's answer comes right before the note that it is one.
fn answers(lines: &[String]) -> [Option<String>; 2] {
    let sent = lines.iter().position(|line| line.contains("[Again"));
    let first = sent.and_then(|sent| {
        let (from, to) = (&lines[sent][6..11], &lines[sent][15..20]);
        let back = format!("{to} -> {from}  ");
        let said = lines[sent..].iter().filter_map(|line| line[6..].strip_prefix(&back));
        said.map(str::to_owned).find(|said| said.starts_with(char::is_numeric))
    });
    let noted = lines.iter().position(|line| line.contains(" duplicate "));
    let copy = noted.and_then(|noted| lines[noted - 1].get(22..)).map(str::to_owned);
    [first, copy]
}

#[test]
fn what_comes_twice_is_done_once() {
    let both = |approach: Approach| [delegate(approach, false, false), delegate(approach, false, true)];
    for flow in both(DmAcc).into_iter().chain(both(Url)) {
        for kind in [DelegationReq, BootstrapConfirmed, DelegationPrepared, DelegationConfirmed] {
            check_twice(flow, kind);
        }
    }
    check_twice(delegate(Url, false, false), BootstrapSrvUrlReq);
    for kind in [DelegationTerminationReq, DelegationTerminationResp, DelegationRevoked] {
        check_twice(FlowKind::Revoke(Revocation::Asked), kind);
    }
    check_twice(FlowKind::Revoke(Revocation::Requested), DelegationRevocationReq);
    check_twice(FlowKind::Revoke(Revocation::Requested), DelegationRevoked);
    check_twice(FlowKind::Revoke(Revocation::Forced { notice: true }), DelegationRevoked);
}

/// A forced revocation has no process of its own: its failure comes under the delegation's name (D23).
#[test]
fn a_failure_of_a_forced_revocation_that_comes_twice_is_taken_once() {
    for setup in [Setup::default(), hardened()] {
        let mut pair = Pair::new(&setup);
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.run().transcript();
        pair.refuse("remove", DeviceFailure::Refused { code: 425, order: "Delete", uri: String::new() });
        pair.mishap(RevocationFailure, Mishap::Again(15));
        pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
        let lines = pair.run().transcript();
        let copies = lines.iter().filter(|line| line.ends_with("duplicate revocation_failure"));
        assert_eq!(copies.count(), 1, "{lines:#?}");
        assert!(pair.standing().starts_with("DMS-1 [./SCOMO to DMS-2 compromised]"), "{}", pair.standing());
    }
}

#[test]
fn a_refused_request_is_refused_again() {
    let mut pair = Pair::new(&Setup::default());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.mishap(DelegationReq, Mishap::Again(5));
    pair.forge(100, DMS1, DMS2, request(DMS1, DEVICE, "./SCOMO", "other"));
    // By then nothing stands in its way any more, and yet the answer is the same.
    pair.start(1_000, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
    pair.forge(2_000, DMS1, DMS2, request(DMS1, DEVICE, "./SCOMO", "other"));
    pair.run().check_trouble(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [Again(5)]
        0.015 DMS-2            duplicate delegation_req
        0.100 DMS-2 -> DMS-1  200 delegation_resp refused 409
        0.100 DMS-2            settled refused (409)
        0.140 DMS-1            settled done
        0.150 DMS-2            settled done
        1.000 DMS-1 -> device remove account of dms2.example.test
        1.060 DMS-2            settled done
        1.070 DMS-1            settled done
        2.000 DMS-2 -> DMS-1  200 delegation_resp refused 409
        2.000 DMS-2            duplicate delegation_req
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn a_delegation_revoked_without_notice_is_made_anew_by_dms1() {
    let mut pair = delegated();
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.start(1_000, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  done
        0.200 DMS-1            settled done
        1.150 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        1.160 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        1.160 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        1.170 DMS-1 -> DMS-2  204
        1.170 DMS-1 -> device prepare with account
        1.220 device -> DMS-1  done
        1.220 DMS-1 -> DMS-2  delegation_prepared partial
        1.230 DMS-2 -> DMS-1  204
        1.230 DMS-2 -> device visit ./SCOMO
        1.280 device -> DMS-2  done
        1.280 DMS-2 -> DMS-1  delegation_confirmed
        1.290 DMS-1 -> DMS-2  204
        1.290 DMS-1            settled done
        1.300 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_delegation_revoked_without_notice_is_made_anew_by_dms2() {
    let mut pair = delegated();
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.start(1_000, delegate(DmAcc, false, true), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  done
        0.200 DMS-1            settled done
        1.150 DMS-2 -> DMS-1  delegation_req ./SCOMO partial
        1.160 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        1.170 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        1.180 DMS-1 -> DMS-2  204
        1.180 DMS-1 -> device prepare with account
        1.230 device -> DMS-1  done
        1.230 DMS-1 -> DMS-2  delegation_prepared partial
        1.240 DMS-2 -> DMS-1  204
        1.240 DMS-2 -> device visit ./SCOMO
        1.290 device -> DMS-2  done
        1.290 DMS-2 -> DMS-1  delegation_confirmed
        1.300 DMS-1 -> DMS-2  204
        1.300 DMS-1            settled done
        1.310 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_request_to_revoke_what_dms1_does_not_have_clears_the_record() {
    let mut pair = delegated();
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.start(1_000, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.run().check_trouble(
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 DMS-1            settled done
        1.160 DMS-1 -> DMS-2  404
        1.160 DMS-1            unexpected delegation_revocation_req: unknown_device
        1.170 DMS-2            settled refused (404)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}
