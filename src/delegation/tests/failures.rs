//! What goes wrong on the way of a delegation: who tells whom, what is undone, and how each side settles.

use super::pair::*;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::message::Kind::{self, *};
use crate::delegation::reading::{ConfirmByUrl, Readings};
use crate::dm::script::DeviceFailure;

pub(super) fn status(code: u16) -> DeviceFailure {
    DeviceFailure::Refused { code, order: "Replace", uri: "./SCOMO?prop=ACL".to_owned() }
}

/// A delegation with one thing that goes wrong.
#[track_caller]
pub(super) fn check(flow: FlowKind, wrong: impl FnOnce(&mut Pair), trouble: &str, standing: &str) {
    let mut pair = Pair::new(&Setup::default());
    wrong(&mut pair);
    pair.start(0, flow, "./SCOMO");
    pair.run().check_trouble(trouble, standing);
}

#[test]
fn a_device_that_refuses_is_put_back() {
    check(
        delegate(DmAcc, false, false),
        |pair| pair.refuse("prepare", status(425)),
        "
        0.070 device -> DMS-1  failed 425
        0.070 DMS-1 -> DMS-2  delegation_failure 425
        0.080 DMS-2            settled undone (425)
        0.090 DMS-1            settled undone (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, true),
        |pair| pair.refuse("prepare", status(420)),
        "
        0.080 device -> DMS-1  failed 420
        0.080 DMS-1 -> DMS-2  delegation_failure 420
        0.090 DMS-2            settled undone (420)
        0.100 DMS-1            settled undone (420)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, true, false),
        |pair| pair.refuse("prepare", status(425)),
        "
        0.020 DMS-1 -> device prepare with account, then remove own account
        0.070 device -> DMS-1  failed 425
        0.070 DMS-1 -> DMS-2  delegation_failure 425
        0.080 DMS-2            settled undone (425)
        0.090 DMS-1            settled undone (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.refuse("visit", DeviceFailure::Unreachable),
        "
        0.130 device -> DMS-2  failed 408
        0.130 DMS-2 -> DMS-1  delegation_failure 408
        0.140 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        0.150 DMS-2            settled undone (408)
        0.190 DMS-1            settled undone (408)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(Url, false, false),
        |pair| pair.refuse("push", status(420)),
        "
        0.090 device -> DMS-1  failed 420
        0.090 DMS-1 -> DMS-2  delegation_failure 420
        0.100 DMS-2            settled undone (420)
        0.110 DMS-1            settled undone (420)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(Url, false, false),
        |pair| pair.refuse("grant", status(425)),
        "
        0.200 device -> DMS-1  failed 425
        0.200 DMS-1 -> DMS-2  delegation_failure 425
        0.200 DMS-1 -> device undo delete ./BootstrapConfig/entry
        0.210 DMS-2            settled undone (425)
        0.250 DMS-1 -> device remove account of dms2.example.test
        0.300 DMS-1            settled undone (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(Url, false, true),
        |pair| pair.refuse("grant", status(425)),
        "
        0.190 device -> DMS-1  failed 425
        0.190 DMS-1 -> DMS-2  delegation_failure 425
        0.190 DMS-1 -> device undo delete ./BootstrapConfig/entry
        0.200 DMS-2            settled undone (425)
        0.240 DMS-1 -> device remove account of dms2.example.test
        0.290 DMS-1            settled undone (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn what_cannot_be_put_back_is_stranded() {
    check(
        delegate(DmAcc, true, false),
        |pair| pair.refuse("visit", DeviceFailure::NotAuthenticated),
        "
        0.020 DMS-1 -> device prepare with account, then remove own account
        0.130 device -> DMS-2  failed 401
        0.130 DMS-2 -> DMS-1  delegation_failure 401
        0.140 DMS-1            settled stranded (401)
        0.150 DMS-2            settled undone (401)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-2]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| {
            pair.refuse("visit", status(425));
            pair.refuse("undo", status(500));
        },
        "
        0.130 device -> DMS-2  failed 425
        0.130 DMS-2 -> DMS-1  delegation_failure 425
        0.140 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        0.150 DMS-2            settled undone (425)
        0.190 device -> DMS-1  failed 500
        0.190 DMS-1            settled stranded (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1, DMS-2]",
    );
    check(
        delegate(Url, false, false),
        |pair| {
            pair.refuse("grant", status(425));
            pair.refuse("remove", status(500));
        },
        "
        0.200 device -> DMS-1  failed 425
        0.200 DMS-1 -> DMS-2  delegation_failure 425
        0.200 DMS-1 -> device undo delete ./BootstrapConfig/entry
        0.210 DMS-2            settled undone (425)
        0.250 DMS-1 -> device remove account of dms2.example.test
        0.300 device -> DMS-1  failed 500
        0.300 DMS-1            settled stranded (425)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_post_of_dms1_that_fails_ends_the_delegation() {
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationReq, Mishap::Lose),
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [Lose]
        0.500 DMS-1 -> DMS-2  delegation_failure 408
        0.510 DMS-2 -> DMS-1  404
        0.510 DMS-2            unexpected delegation_failure: unknown_session
        0.520 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationReq, Mishap::LoseAnswer),
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [LoseAnswer]
        0.500 DMS-1 -> DMS-2  delegation_failure 408
        0.510 DMS-2            settled undone (408)
        0.520 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationReq, Mishap::Refuse),
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [Refuse]
        0.010 DMS-1 -> DMS-2  delegation_failure 408
        0.020 DMS-2 -> DMS-1  404
        0.020 DMS-2            unexpected delegation_failure: unknown_session
        0.030 DMS-1            settled unreachable (connect)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationReq, Mishap::Status(404)),
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [Status(404)]
        0.010 DMS-1            settled misbehaved (rejected)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationReq, Mishap::Status(503)),
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [Status(503)]
        0.010 DMS-1 -> DMS-2  delegation_failure 408
        0.020 DMS-2 -> DMS-1  404
        0.020 DMS-2            unexpected delegation_failure: unknown_session
        0.030 DMS-1            settled unreachable (service)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(Url, false, false),
        |pair| pair.mishap(BootstrapSrvUrlReq, Mishap::Lose),
        "
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req  [Lose]
        0.520 DMS-1 -> DMS-2  delegation_failure 408
        0.530 DMS-2            settled undone (408)
        0.540 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationPrepared, Mishap::Lose),
        "
        0.070 DMS-1 -> DMS-2  delegation_prepared partial  [Lose]
        0.570 DMS-1 -> DMS-2  delegation_failure 408
        0.570 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        0.580 DMS-2            settled undone (408)
        0.620 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationPrepared, Mishap::LoseAnswer),
        "
        0.070 DMS-1 -> DMS-2  delegation_prepared partial  [LoseAnswer]
        0.140 DMS-1            settled done
        0.150 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        delegate(DmAcc, true, false),
        |pair| pair.mishap(DelegationPrepared, Mishap::Lose),
        "
        0.020 DMS-1 -> device prepare with account, then remove own account
        0.070 DMS-1 -> DMS-2  delegation_prepared full  [Lose]
        0.570 DMS-1 -> DMS-2  delegation_failure 408
        0.580 DMS-2            settled undone (408)
        0.590 DMS-1            settled stranded (408)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-2]",
    );
}

#[test]
fn a_post_of_dms2_that_fails_ends_the_delegation() {
    check(
        delegate(DmAcc, false, true),
        |pair| pair.mishap(DelegationReq, Mishap::LoseAnswer),
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO partial  [LoseAnswer]
        0.500 DMS-2 -> DMS-1  delegation_failure 408
        0.510 DMS-1            settled undone (408)
        0.520 DMS-2            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(BootstrapConfirmed, Mishap::Lose),
        "
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [Lose]
        0.510 DMS-2 -> DMS-1  delegation_failure 408
        0.520 DMS-1            settled undone (408)
        0.530 DMS-2            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(BootstrapConfirmed, Mishap::LoseAnswer),
        "
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [LoseAnswer]
        0.140 DMS-1            settled done
        0.150 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        delegate(Url, false, false),
        |pair| pair.mishap(BootstrapConfirmed, Mishap::Status(409)),
        "
        0.140 DMS-2 -> DMS-1  bootstrap_confirmed  [Status(409)]
        0.150 DMS-2 -> DMS-1  delegation_failure 400
        0.160 DMS-1 -> device undo delete ./BootstrapConfig/entry
        0.170 DMS-2            settled misbehaved (rejected)
        0.210 DMS-1 -> device remove account of dms2.example.test
        0.260 DMS-1            settled undone (400)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::Lose),
        "
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [Lose]
        0.630 DMS-2 -> DMS-1  delegation_failure 408
        0.640 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        0.650 DMS-2            settled unreachable (answer)
        0.690 DMS-1            settled undone (408)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::LoseAnswer),
        "
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [LoseAnswer]
        0.140 DMS-1            settled done
        0.630 DMS-2 -> DMS-1  delegation_failure 408
        0.640 DMS-1 -> device remove account of dms2.example.test
        0.650 DMS-2            settled unreachable (answer)
        0.690 DMS-1            settled undone (408)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, true, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::LoseAnswer),
        "
        0.020 DMS-1 -> device prepare with account, then remove own account
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [LoseAnswer]
        0.140 DMS-1            settled done
        0.630 DMS-2 -> DMS-1  delegation_failure 408
        0.640 DMS-1            settled stranded (408)
        0.650 DMS-2            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-2]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::Status(404)),
        "
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [Status(404)]
        0.140 DMS-2            settled misbehaved (rejected)
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.070 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.120 DMS-1            settled too_late (confirmed)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// Whatever single POST is lost, on its way there or back, in whatever flow: both sides come to rest, and where both
/// know of an ending they hold the same delegations.
#[test]
fn one_lost_post_never_leaves_a_side_hanging() {
    let mut flows: Vec<FlowKind> = FlowKind::all().collect();
    flows.push(FlowKind::Revoke(Revocation::Forced { notice: false }));
    for flow in flows {
        for kind in Kind::ALL {
            for mishap in [Mishap::Lose, Mishap::LoseAnswer, Mishap::Refuse, Mishap::Status(503)] {
                let mut pair = Pair::new(&Setup::default());
                if matches!(flow, FlowKind::Revoke(_)) {
                    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
                    pair.run();
                }
                pair.mishap(kind, mishap);
                pair.start(0, flow, "./SCOMO");
                pair.run();
                // Nobody gives up its hold on the device for nothing: somebody can always reach it.
                assert!(!pair.accounts.is_empty(), "{flow} {kind:?} {mishap:?}");
            }
        }
    }
}

#[test]
fn what_was_changed_last_is_put_back_first() {
    let readings = Readings { confirm_by_url: ConfirmByUrl::AfterVisit, ..Readings::default() };
    let mut pair = Pair::new(&Setup { readings, ..Setup::default() });
    pair.refuse("visit", status(425));
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.260 device -> DMS-2  failed 425
        0.260 DMS-2 -> DMS-1  delegation_failure 425
        0.270 DMS-1 -> device undo acl ./SCOMO, delete ./BootstrapConfig/entry
        0.280 DMS-2            settled undone (425)
        0.320 DMS-1 -> device remove account of dms2.example.test
        0.370 DMS-1            settled undone (425)
        ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// A delegate that had an account once lost it by a revocation; what its bootstrap brings now is new, and goes again.
#[test]
fn an_account_from_a_bootstrap_goes_with_the_failure_unless_it_was_there_before() {
    for (is_revoked_first, left) in [(true, "DMS-1"), (false, "DMS-1, DMS-2")] {
        let mut pair = Pair::new(&Setup { bootstrapped: vec![DMS2], ..Setup::default() });
        if is_revoked_first {
            pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
            pair.start(1_000, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
            pair.run();
        }
        pair.refuse("grant", status(425));
        pair.start(0, delegate(Url, false, false), "./SCOMO");
        pair.run();
        assert_eq!(pair.standing(), format!("DMS-1 [] DMS-2 [] device [{left}]"));
    }
}
