//! Every revocation as it goes when nothing fails, and what a device can go through one after the other.

use std::time::Duration;

use super::pair::*;
use crate::delegation::flow::Approach::{self, DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::policy::Policy;
use crate::delegation::reading::{Readings, RevocationSession, SubtreeInRevocation};

/// A pair with a delegation in force.
fn delegated(setup: &Setup, approach: Approach, is_full: bool) -> Pair {
    let mut pair = Pair::new(setup);
    pair.start(0, delegate(approach, is_full, false), "./SCOMO");
    pair.run().transcript();
    pair
}

#[test]
fn revocation_asked() {
    let mut pair = delegated(&Setup::default(), DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req
        0.160 DMS-2 -> DMS-1  200 delegation_termination_ack
        0.160 DMS-2 -> DMS-1  delegation_termination_resp
        0.170 DMS-1 -> DMS-2  204
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.220 device -> DMS-1  done
        0.220 DMS-1 -> DMS-2  delegation_revoked
        0.230 DMS-2 -> DMS-1  204
        0.230 DMS-2            settled done
        0.240 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn revocation_requested() {
    let mut pair = delegated(&Setup::default(), DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-2 -> DMS-1  delegation_revocation_req
        0.160 DMS-1 -> DMS-2  204
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.210 device -> DMS-1  done
        0.210 DMS-1 -> DMS-2  delegation_revoked
        0.220 DMS-2 -> DMS-1  204
        0.220 DMS-2            settled done
        0.230 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn revocation_forced_with_notice() {
    let mut pair = delegated(&Setup::default(), DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  done
        0.200 DMS-1 -> DMS-2  delegation_revoked of the device
        0.210 DMS-2 -> DMS-1  204
        0.210 DMS-2            settled done
        0.220 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn revocation_forced_without_notice() {
    let mut pair = delegated(&Setup::default(), DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  done
        0.200 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1]",
    );
}

#[test]
fn the_delegate_has_its_time_to_wind_down() {
    let setup = Setup { wind_down: Duration::from_secs(2), ..Setup::default() };
    let mut pair = delegated(&setup, DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req
        0.160 DMS-2 -> DMS-1  200 delegation_termination_ack
        2.160 DMS-2            timer
        2.160 DMS-2 -> DMS-1  delegation_termination_resp
        2.170 DMS-1 -> DMS-2  204
        2.170 DMS-1 -> device remove account of dms2.example.test
        2.220 device -> DMS-1  done
        2.220 DMS-1 -> DMS-2  delegation_revoked
        2.230 DMS-2 -> DMS-1  204
        2.230 DMS-2            settled done
        2.240 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn the_removal_does_not_wait_for_ever() {
    let setup = Setup { wind_down: Duration::from_secs(60), ..Setup::default() };
    let mut pair = delegated(&setup, DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req
        0.160 DMS-2 -> DMS-1  200 delegation_termination_ack
        3.170 DMS-1            timer
        3.170 DMS-1 -> device remove account of dms2.example.test
        3.220 device -> DMS-1  done
        3.220 DMS-1 -> DMS-2  delegation_revoked
        3.230 DMS-2 -> DMS-1  204
        3.230 DMS-2            settled done
        3.240 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn the_prose_sends_the_subtree() {
    let readings = Readings { subtree_in_revocation: SubtreeInRevocation::Prose, ..Readings::default() };
    let mut pair = delegated(&Setup { readings, ..Setup::default() }, DmAcc, false);
    pair.start(0, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.start(1_000, delegate(DmAcc, false, false), "./SCOMO");
    pair.start(2_000, FlowKind::Revoke(Revocation::Forced { notice: true }), ".");
    pair.run().check(
        "
        0.150 DMS-2 -> DMS-1  delegation_revocation_req ./SCOMO
        0.160 DMS-1 -> DMS-2  204
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.210 device -> DMS-1  done
        0.210 DMS-1 -> DMS-2  delegation_revoked
        0.220 DMS-2 -> DMS-1  204
        0.220 DMS-2            settled done
        0.230 DMS-1            settled done
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
        2.150 DMS-1 -> device remove account of dms2.example.test
        2.200 device -> DMS-1  done
        2.200 DMS-1 -> DMS-2  delegation_revoked of the device ./SCOMO
        2.210 DMS-2 -> DMS-1  204
        2.210 DMS-2            settled done
        2.220 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn a_revocation_may_go_by_the_session_of_the_delegation() {
    let readings = Readings { revocation_session: RevocationSession::Delegation, ..Readings::default() };
    let setup = Setup { readings, policy: Policy::Hardened, ..Setup::default() };
    let mut pair = delegated(&setup, DmAcc, true);
    // Two requests that are refused: the second one is no copy of the first.
    pair.start(0, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.start(1_000, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.run().check(
        "
        0.190 DMS-2 -> DMS-1  delegation_revocation_req
        0.200 DMS-1 -> DMS-2  204
        0.200 DMS-1 -> DMS-2  revocation_failure 405
        0.210 DMS-2 -> DMS-1  204
        0.210 DMS-2            settled refused (405)
        0.220 DMS-1            settled refused (405)
        1.190 DMS-2 -> DMS-1  delegation_revocation_req
        1.200 DMS-1 -> DMS-2  204
        1.200 DMS-1 -> DMS-2  revocation_failure 405
        1.210 DMS-2 -> DMS-1  204
        1.210 DMS-2            settled refused (405)
        1.220 DMS-1            settled refused (405)
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

/// Whatever was delegated how, each revocation that DMS-1 can carry out ends it on both sides and on the device.
#[test]
fn every_revocation_follows_every_delegation() {
    let ways = [Revocation::Asked, Revocation::Requested, Revocation::Forced { notice: true }];
    for how in ways {
        for approach in [DmAcc, Url] {
            for is_bootstrapped in [false, true] {
                let bootstrapped = if is_bootstrapped { vec![DMS2] } else { Vec::new() };
                let mut pair = delegated(&Setup { bootstrapped, ..Setup::default() }, approach, false);
                for _ in 0..2 {
                    pair.start(0, FlowKind::Revoke(how), "./SCOMO");
                    pair.run();
                    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]", "{how:?}");
                    // And the same again: the delegate has lost its account, and says so.
                    pair.start(0, delegate(approach, false, false), "./SCOMO");
                    assert!(approach == Url || pair.run().transcript().iter().any(|line| line.ends_with("enclosed")));
                    pair.run();
                }
            }
        }
    }
}

#[test]
fn after_a_full_delegation_nobody_can_revoke() {
    let setup = Setup { policy: Policy::Hardened, ..Setup::default() };
    let mut pair = delegated(&setup, DmAcc, true);
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.start(1_000, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
    pair.start(2_000, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.start(3_000, delegate(DmAcc, false, false), "./Other");
    pair.run().check(
        "
        0.190 DMS-1            settled refused (405)
        1.190 DMS-1            settled refused (405)
        2.190 DMS-2 -> DMS-1  delegation_revocation_req
        2.200 DMS-1 -> DMS-2  204
        2.200 DMS-1 -> DMS-2  revocation_failure 405
        2.210 DMS-2 -> DMS-1  204
        2.210 DMS-2            settled refused (405)
        2.220 DMS-1            settled refused (405)
        3.190 DMS-1            settled refused (405)
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

#[test]
fn a_full_delegation_goes_back_by_another_one() {
    let mut pair = delegated(&Setup::default(), DmAcc, true);
    let back = |by_delegated| delegate(DmAcc, true, by_delegated);
    // DMS-1 asks for the device: now DMS-2 holds the authority, and is the one that delegates.
    pair.start_between(0, (DMS2, DMS1), back(true), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_req ./SCOMO full
        0.160 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.170 DMS-1 -> DMS-2  bootstrap_confirmed account enclosed
        0.180 DMS-2 -> DMS-1  204
        0.180 DMS-2 -> device prepare with account, then remove own account
        0.230 device -> DMS-2  done
        0.230 DMS-2 -> DMS-1  delegation_prepared full
        0.240 DMS-1 -> DMS-2  204
        0.240 DMS-1 -> device visit ./SCOMO
        0.290 device -> DMS-1  done
        0.290 DMS-1 -> DMS-2  delegation_confirmed
        0.300 DMS-2 -> DMS-1  204
        0.300 DMS-2            settled done
        0.310 DMS-1            settled done
    ",
        "DMS-1 [./SCOMO from DMS-2 full in force] DMS-2 [./SCOMO to DMS-1 full in force] device [DMS-1]",
    );
    pair.start(0, back(false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.330 DMS-1 -> device prepare with account, then remove own account
        0.450 DMS-1            settled done
        0.460 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

#[test]
fn delegations_of_two_subtrees_stand_side_by_side_and_end_with_the_account() {
    let mut pair = delegated(&Setup::default(), DmAcc, false);
    pair.start(0, delegate(DmAcc, false, false), "./Inventory");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_req ./Inventory partial
        0.160 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.160 DMS-2 -> DMS-1  bootstrap_confirmed already bootstrapped
        0.170 DMS-1 -> DMS-2  204
        0.170 DMS-1 -> device prepare without account
        0.220 device -> DMS-1  done
        0.220 DMS-1 -> DMS-2  delegation_prepared partial
        0.230 DMS-2 -> DMS-1  204
        0.230 DMS-2 -> device visit ./Inventory
        0.280 device -> DMS-2  done
        0.280 DMS-2 -> DMS-1  delegation_confirmed
        0.290 DMS-1 -> DMS-2  204
        0.290 DMS-1            settled done
        0.300 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force, ./Inventory to DMS-2 in force] \
         DMS-2 [./SCOMO from DMS-1 in force, ./Inventory from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./Inventory");
    pair.run().check_trouble(
        "
        0.320 DMS-1 -> device remove account of dms2.example.test
        0.380 DMS-2            settled done
        0.390 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn nothing_is_revoked_before_it_has_come_into_force() {
    for setup in [Setup::default(), hardened()] {
        for how in [Revocation::Asked, Revocation::Requested, Revocation::Forced { notice: true }] {
            let mut pair = Pair::new(&setup);
            pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
            pair.start(50, FlowKind::Revoke(how), "./SCOMO");
            pair.run();
            let settled: Vec<String> = pair.settled.iter().map(|(_, _, outcome)| outcome.to_string()).collect();
            assert_eq!(settled, ["refused (409)", "done", "done"], "{how:?}");
            let both = "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force]";
            assert_eq!(pair.standing(), format!("{both} device [DMS-1, DMS-2]"));
        }
    }
}
