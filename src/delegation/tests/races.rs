//! What can cross, and what can overtake.

use super::forged::delegated;
use super::pair::*;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::machine::Input;
use crate::delegation::message::Kind::*;

#[test]
fn bootstrap_confirmed_that_overtakes_the_response_is_held() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(DelegationReq, Mishap::DelayAnswer(100));
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial  [DelayAnswer(100)]
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.020 DMS-1 -> DMS-2  204
        0.120 DMS-1 -> device prepare with account
        0.170 device -> DMS-1  done
        0.170 DMS-1 -> DMS-2  delegation_prepared partial
        0.180 DMS-2 -> DMS-1  204
        0.180 DMS-2 -> device visit ./SCOMO
        0.230 device -> DMS-2  done
        0.230 DMS-2 -> DMS-1  delegation_confirmed
        0.240 DMS-1 -> DMS-2  204
        0.240 DMS-1            settled done
        0.250 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn the_url_is_given_even_before_the_response_is_read() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(DelegationReq, Mishap::DelayAnswer(30));
    pair.start(0, delegate(Url, false, true), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO partial  [DelayAnswer(30)]
        0.010 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        0.010 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.020 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.030 DMS-1 -> device push
        0.080 device -> DMS-1  done
        0.130 device -> DMS-2  connects
        0.130 DMS-2 -> DMS-1  bootstrap_confirmed
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1 -> device grant ./SCOMO
        0.190 device -> DMS-1  done
        0.190 DMS-1 -> DMS-2  delegation_prepared partial
        0.200 DMS-2 -> DMS-1  204
        0.200 DMS-2 -> DMS-1  delegation_confirmed
        0.210 DMS-1 -> DMS-2  204
        0.210 DMS-1            settled done
        0.220 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_device_that_connects_before_the_response_is_read_is_not_forgotten() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(DelegationReq, Mishap::DelayAnswer(150));
    pair.start(0, delegate(Url, false, true), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO partial  [DelayAnswer(150)]
        0.010 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        0.010 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.020 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.030 DMS-1 -> device push
        0.080 device -> DMS-1  done
        0.130 device -> DMS-2  connects
        0.170 DMS-2 -> DMS-1  bootstrap_confirmed
        0.180 DMS-1 -> DMS-2  204
        0.180 DMS-1 -> device grant ./SCOMO
        0.230 device -> DMS-1  done
        0.230 DMS-1 -> DMS-2  delegation_prepared partial
        0.240 DMS-2 -> DMS-1  204
        0.240 DMS-2 -> DMS-1  delegation_confirmed
        0.250 DMS-1 -> DMS-2  204
        0.250 DMS-1            settled done
        0.260 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_device_that_connects_before_its_session_with_dms1_has_ended_is_held() {
    let mut pair = Pair::new(&Setup::default());
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.order(60, DMS2, Input::DeviceConnected { device: DEVICE });
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.040 DMS-1 -> device push
        0.060 DMS-2 -> DMS-1  bootstrap_confirmed
        0.070 DMS-1 -> DMS-2  204
        0.090 device -> DMS-1  done
        0.090 DMS-1 -> device grant ./SCOMO
        0.140 device -> DMS-2  connects
        0.140 device -> DMS-1  done
        0.140 DMS-1 -> DMS-2  delegation_prepared partial
        0.150 DMS-2 -> DMS-1  204
        0.150 DMS-2 -> DMS-1  delegation_confirmed
        0.160 DMS-1 -> DMS-2  204
        0.160 DMS-1            settled done
        0.170 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn termination_resp_may_overtake_the_acknowledgement() {
    let mut pair = delegated();
    pair.mishap(DelegationTerminationReq, Mishap::DelayAnswer(100));
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req  [DelayAnswer(100)]
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
fn where_nothing_is_agreed_the_approaches_cross_and_the_first_at_dms1_wins() {
    let mut pair = Pair::new(&Setup::default());
    let flow = delegate(Url, false, false);
    pair.order(0, DMS1, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") });
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.020 DMS-1 -> DMS-2  204
        0.020 DMS-1 -> device prepare with account
        0.070 device -> DMS-1  done
        0.070 DMS-1 -> DMS-2  delegation_prepared partial
        0.080 DMS-2 -> DMS-1  204
        0.080 DMS-2 -> device visit ./SCOMO
        0.130 device -> DMS-2  done
        0.130 DMS-2 -> DMS-1  delegation_confirmed
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1            settled done
        0.150 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn where_nothing_is_agreed_a_late_bootstrap_confirmed_loses() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(BootstrapConfirmed, Mishap::Delay(50));
    let flow = delegate(Url, false, false);
    pair.order(0, DMS1, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") });
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [Delay(50)]
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.040 DMS-1 -> device push
        0.070 DMS-1 -> DMS-2  409
        0.070 DMS-1            unexpected bootstrap_confirmed: not_in_this_state
        0.090 device -> DMS-1  done
        0.140 device -> DMS-2  connects
        0.140 DMS-2 -> DMS-1  bootstrap_confirmed
        0.150 DMS-1 -> DMS-2  204
        0.150 DMS-1 -> device grant ./SCOMO
        0.200 device -> DMS-1  done
        0.200 DMS-1 -> DMS-2  delegation_prepared partial
        0.210 DMS-2 -> DMS-1  204
        0.210 DMS-2 -> DMS-1  delegation_confirmed
        0.220 DMS-1 -> DMS-2  204
        0.220 DMS-1            settled done
        0.230 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn where_nothing_is_agreed_bootstrap_confirmed_wins_over_a_url_still_asked_for() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(BootstrapConfirmed, Mishap::Delay(15));
    let flow = delegate(Url, false, false);
    pair.order(0, DMS1, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") });
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [Delay(15)]
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.035 DMS-1 -> DMS-2  204
        0.035 DMS-1 -> device prepare with account
        0.085 device -> DMS-1  done
        0.085 DMS-1 -> DMS-2  delegation_prepared partial
        0.095 DMS-2 -> DMS-1  204
        0.095 DMS-2 -> device visit ./SCOMO
        0.145 device -> DMS-2  done
        0.145 DMS-2 -> DMS-1  delegation_confirmed
        0.155 DMS-1 -> DMS-2  204
        0.155 DMS-1            settled done
        0.165 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn where_nothing_is_agreed_dms1_waits_for_dms2_to_speak() {
    let mut pair = Pair::new(&Setup::default());
    let flow = delegate(DmAcc, false, true);
    pair.order(0, DMS2, Input::Start { flow, device: DEVICE, peer: DMS1, subtree: subtree("./SCOMO") });
    pair.run().check(
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO partial
        0.010 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        0.020 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.030 DMS-1 -> DMS-2  204
        0.030 DMS-1 -> device prepare with account
        0.080 device -> DMS-1  done
        0.080 DMS-1 -> DMS-2  delegation_prepared partial
        0.090 DMS-2 -> DMS-1  204
        0.090 DMS-2 -> device visit ./SCOMO
        0.140 device -> DMS-2  done
        0.140 DMS-2 -> DMS-1  delegation_confirmed
        0.150 DMS-1 -> DMS-2  204
        0.150 DMS-1            settled done
        0.160 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_device_that_connects_while_the_approaches_cross_is_not_forgotten() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(BootstrapConfirmed, Mishap::Delay(50));
    let flow = delegate(Url, false, false);
    pair.order(0, DMS1, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") });
    pair.order(75, DMS2, Input::DeviceConnected { device: DEVICE });
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [Delay(50)]
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.040 DMS-1 -> device push
        0.070 DMS-1 -> DMS-2  409
        0.070 DMS-1            unexpected bootstrap_confirmed: not_in_this_state
        0.080 DMS-2 -> DMS-1  bootstrap_confirmed
        0.090 device -> DMS-1  done
        0.090 DMS-1 -> DMS-2  204
        0.090 DMS-1 -> device grant ./SCOMO
        0.140 device -> DMS-2  connects
        0.140 device -> DMS-1  done
        0.140 DMS-1 -> DMS-2  delegation_prepared partial
        0.150 DMS-2 -> DMS-1  204
        0.150 DMS-2 -> DMS-1  delegation_confirmed
        0.160 DMS-1 -> DMS-2  204
        0.160 DMS-1            settled done
        0.170 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

/// R1: DMS-1 holds to its own request, DMS-2 gives way.
#[test]
fn crossing_requests_give_one_delegation() {
    let mut pair = Pair::new(&Setup::default());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.start(5, delegate(DmAcc, false, true), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.005 DMS-2 -> DMS-1  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.015 DMS-1 -> DMS-2  200 delegation_resp refused 409
        0.015 DMS-1            settled refused (409)
        0.020 DMS-1 -> DMS-2  204
        0.020 DMS-1 -> device prepare with account
        0.025 DMS-2            settled refused (409)
        0.070 device -> DMS-1  done
        0.070 DMS-1 -> DMS-2  delegation_prepared partial
        0.080 DMS-2 -> DMS-1  204
        0.080 DMS-2 -> device visit ./SCOMO
        0.130 device -> DMS-2  done
        0.130 DMS-2 -> DMS-1  delegation_confirmed
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1            settled done
        0.150 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn failure_crosses_confirmed_and_both_go_back() {
    let mut pair = Pair::new(&Setup::default());
    // DMS-1 gives up at 2.070 s, while the confirmation is on its way.
    pair.mishap(DelegationConfirmed, Mishap::Delay(1_935));
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [Delay(1935)]
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.070 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.075 DMS-1 -> DMS-2  409
        2.075 DMS-1            unexpected delegation_confirmed: not_in_this_state
        2.080 DMS-2            settled undone (408)
        2.120 DMS-1            settled too_late (confirmed)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn a_failure_of_an_earlier_session_does_not_touch_the_next() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(DelegationFailure, Mishap::Again(1_000));
    pair.refuse("prepare", crate::dm::script::DeviceFailure::Unreachable);
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.start(900, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.070 device -> DMS-1  failed 408
        0.070 DMS-1 -> DMS-2  delegation_failure 408  [Again(1000)]
        0.080 DMS-2            settled undone (408)
        0.090 DMS-1            settled undone (408)
        1.040 DMS-1            settled done
        1.050 DMS-2            settled done
        1.080 DMS-2            duplicate delegation_failure
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

#[test]
fn a_requested_revocation_that_crosses_an_asked_one_gives_way() {
    let mut pair = delegated();
    pair.start(0, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.start(5, FlowKind::Revoke(Revocation::Requested), "./SCOMO");
    pair.run().check(
        "
        0.150 DMS-1 -> DMS-2  delegation_termination_req
        0.155 DMS-2 -> DMS-1  delegation_revocation_req
        0.160 DMS-2 -> DMS-1  200 delegation_termination_ack
        0.160 DMS-2 -> DMS-1  delegation_termination_resp
        0.165 DMS-1 -> DMS-2  409
        0.165 DMS-1            unexpected delegation_revocation_req: not_in_this_state
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
fn with_its_account_the_delegate_loses_what_it_has_just_confirmed() {
    for setup in [Setup::default(), hardened()] {
        let mut pair = Pair::new(&setup);
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.run();
        pair.mishap(DelegationConfirmed, Mishap::DelayAnswer(300));
        pair.start(0, delegate(DmAcc, false, false), "./Inventory");
        pair.start(200, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
        pair.run();
        assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]", "{:?}", setup.policy);
        // What it says of its account next has to be right as well.
        pair.start(0, delegate(DmAcc, false, false), "./Inventory");
        let lines = pair.run().transcript();
        assert!(lines.iter().any(|line| line.contains("bootstrap_confirmed account enclosed")), "{:?}", setup.policy);
    }
}

#[test]
fn dms1_speaks_before_its_answer_to_the_confirmation_is_read() {
    let mut pair = Pair::new(&Setup::default());
    pair.mishap(DelegationConfirmed, Mishap::DelayAnswer(200));
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.start(160, FlowKind::Revoke(Revocation::Asked), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.020 DMS-1 -> DMS-2  204
        0.020 DMS-1 -> device prepare with account
        0.070 device -> DMS-1  done
        0.070 DMS-1 -> DMS-2  delegation_prepared partial
        0.080 DMS-2 -> DMS-1  204
        0.080 DMS-2 -> device visit ./SCOMO
        0.130 device -> DMS-2  done
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [DelayAnswer(200)]
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1            settled done
        0.160 DMS-1 -> DMS-2  delegation_termination_req
        0.170 DMS-2 -> DMS-1  200 delegation_termination_ack
        0.170 DMS-2            settled done
        0.170 DMS-2 -> DMS-1  delegation_termination_resp
        0.180 DMS-1 -> DMS-2  204
        0.180 DMS-1 -> device remove account of dms2.example.test
        0.230 device -> DMS-1  done
        0.230 DMS-1 -> DMS-2  delegation_revoked
        0.240 DMS-2 -> DMS-1  204
        0.240 DMS-2            settled done
        0.250 DMS-1            settled done
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}
