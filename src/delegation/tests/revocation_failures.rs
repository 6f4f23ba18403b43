//! What goes wrong on the way of a revocation: how each side settles, and where the delegation stands then.

use std::time::Duration;

use super::failures::status;
use super::pair::*;
use crate::delegation::flow::Approach::DmAcc;
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::message::Kind::*;
use crate::dm::script::DeviceFailure;

/// A revocation with one thing that goes wrong.
#[track_caller]
fn check(how: Revocation, wrong: impl FnOnce(&mut Pair), trouble: &str, standing: &str) {
    let mut pair = Pair::new(&Setup::default());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().transcript();
    wrong(&mut pair);
    pair.start(0, FlowKind::Revoke(how), "./SCOMO");
    pair.run().check_trouble(trouble, standing);
}

#[test]
fn a_revocation_that_the_device_refuses_leaves_a_compromised_delegation() {
    check(
        Revocation::Asked,
        |pair| pair.refuse("remove", status(425)),
        "
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.220 device -> DMS-1  failed 425
        0.220 DMS-1 -> DMS-2  revocation_failure 425
        0.230 DMS-2            settled stranded (425)
        0.240 DMS-1            settled stranded (425)
    ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Requested,
        |pair| pair.refuse("remove", DeviceFailure::Unreachable),
        "
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.210 device -> DMS-1  failed 408
        0.210 DMS-1 -> DMS-2  revocation_failure 408
        0.220 DMS-2            settled stranded (408)
        0.230 DMS-1            settled stranded (408)
    ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Forced { notice: true },
        |pair| pair.refuse("remove", status(425)),
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  failed 425
        0.200 DMS-1 -> DMS-2  revocation_failure 425
        0.210 DMS-2            settled stranded (425)
        0.220 DMS-1            settled stranded (425)
    ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Forced { notice: false },
        |pair| pair.refuse("remove", status(425)),
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  failed 425
        0.200 DMS-1 -> DMS-2  revocation_failure 425
        0.210 DMS-2            settled stranded (425)
        0.220 DMS-1            settled stranded (425)
    ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_revocation_whose_post_fails_ends_at_both_sides() {
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationTerminationReq, Mishap::Lose),
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [Lose]
        0.650 DMS-1 -> DMS-2  revocation_failure 408
        0.660 DMS-2 -> DMS-1  404
        0.660 DMS-2            unexpected revocation_failure: unknown_session
        0.670 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationTerminationReq, Mishap::LoseAnswer),
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [LoseAnswer]
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.230 DMS-2            settled done
        0.240 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationTerminationReq, Mishap::Status(404)),
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [Status(404)]
        0.160 DMS-1            settled refused (404)
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationTerminationReq, Mishap::Status(409)),
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [Status(409)]
        0.160 DMS-1            settled misbehaved (rejected)
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationTerminationResp, Mishap::Lose),
        "
        0.160 DMS-2 -> DMS-1  delegation_termination_resp  [Lose]
        3.170 DMS-1            timer
        3.170 DMS-1 -> device remove account of dms2.example.test
        3.230 DMS-2            settled done
        3.240 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationRevoked, Mishap::Lose),
        "
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.220 DMS-1 -> DMS-2  delegation_revoked  [Lose]
        0.720 DMS-1            settled unreachable (answer)
        5.160 DMS-2            timer
        5.160 DMS-2            settled too_late (revoked)
    ",
        "DMS-1 [] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1]",
    );
    check(
        Revocation::Asked,
        |pair| pair.mishap(DelegationRevoked, Mishap::LoseAnswer),
        "
        0.170 DMS-1 -> device remove account of dms2.example.test
        0.220 DMS-1 -> DMS-2  delegation_revoked  [LoseAnswer]
        0.230 DMS-2            settled done
        0.720 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        Revocation::Requested,
        |pair| pair.mishap(DelegationRevocationReq, Mishap::Lose),
        "
        0.150 DMS-2 -> DMS-1  delegation_revocation_req  [Lose]
        0.650 DMS-2            settled unreachable (answer)
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Requested,
        |pair| pair.mishap(DelegationRevocationReq, Mishap::LoseAnswer),
        "
        0.150 DMS-2 -> DMS-1  delegation_revocation_req  [LoseAnswer]
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.220 DMS-2            settled done
        0.230 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        Revocation::Requested,
        |pair| pair.mishap(DelegationRevocationReq, Mishap::Status(409)),
        "
        0.150 DMS-2 -> DMS-1  delegation_revocation_req  [Status(409)]
        0.160 DMS-2            settled misbehaved (rejected)
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
    check(
        Revocation::Requested,
        |pair| pair.mishap(DelegationRevoked, Mishap::Lose),
        "
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.210 DMS-1 -> DMS-2  delegation_revoked  [Lose]
        0.710 DMS-1            settled unreachable (answer)
        5.150 DMS-2            timer
        5.150 DMS-2            settled too_late (revoked)
    ",
        "DMS-1 [] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1]",
    );
    check(
        Revocation::Requested,
        |pair| pair.mishap(DelegationRevoked, Mishap::Delay(6_000)),
        "
        0.160 DMS-1 -> device remove account of dms2.example.test
        0.210 DMS-1 -> DMS-2  delegation_revoked  [Delay(6000)]
        5.150 DMS-2            timer
        5.150 DMS-2            settled too_late (revoked)
        6.230 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        Revocation::Forced { notice: true },
        |pair| pair.mishap(DelegationRevoked, Mishap::Refuse),
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 DMS-1 -> DMS-2  delegation_revoked of the device  [Refuse]
        0.210 DMS-1            settled unreachable (connect)
    ",
        "DMS-1 [] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1]",
    );
}

/// Whether the delegate could be told makes no difference to what DMS-1 knows: the account may still be there.
#[test]
fn a_failed_removal_compromises_the_delegation_even_if_nobody_hears_of_it() {
    check(
        Revocation::Forced { notice: true },
        |pair| {
            pair.refuse("remove", status(425));
            pair.mishap(RevocationFailure, Mishap::Status(404));
        },
        "
        0.150 DMS-1 -> device remove account of dms2.example.test
        0.200 device -> DMS-1  failed 425
        0.200 DMS-1 -> DMS-2  revocation_failure 425  [Status(404)]
        0.210 DMS-1            settled stranded (425)
        ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

/// The delegate has begun to end its activities, so that neither side relies on the delegation any more.
#[test]
fn a_termination_whose_acknowledgement_is_lost_leaves_a_compromised_delegation_at_both_sides() {
    let mut pair = Pair::new(&Setup { wind_down: Duration::from_secs(1), ..Setup::default() });
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().transcript();
    pair.mishap(DelegationTerminationReq, Mishap::LoseAnswer);
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check_trouble(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [LoseAnswer]
        0.650 DMS-1 -> DMS-2  revocation_failure 408
        0.660 DMS-2            settled stranded (408)
        0.670 DMS-1            settled unreachable (answer)
    ",
        "DMS-1 [./SCOMO to DMS-2 compromised] DMS-2 [./SCOMO from DMS-1 compromised] device [DMS-1, DMS-2]",
    );
}
