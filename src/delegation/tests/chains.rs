//! A delegate that has delegated on and is asked to give the device back.

use std::time::Duration;

use super::pair::*;
use crate::delegation::flow::Approach::DmAcc;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::Side;
use crate::dm::script::DeviceFailure;

/// DMS-1 has delegated everything to DMS-2, and DMS-2 these sub-trees to DMS-3.
fn chain(setup: &Setup, passed_on: &[&str]) -> Pair {
    let mut pair = Pair::new(setup);
    pair.start(0, delegate(DmAcc, false, false), ".");
    pair.run();
    for subtree in passed_on {
        pair.start_between(0, (DMS2, DMS3), delegate(DmAcc, false, false), subtree);
        pair.run();
    }
    pair.transcript();
    pair
}

fn ask_back(pair: &mut Pair) {
    pair.start(0, FlowKind::Revoke(Revocation::Asked), ".");
}

fn records_of_third(pair: &Pair) -> usize {
    pair.servers[usize::from(DMS3.0)].records_of(DEVICE).count()
}

const NOTHING_LEFT: &str = "DMS-1 [] DMS-2 [] device [DMS-1]";

#[test]
fn by_the_text_the_end_of_a_chain_holds_on() {
    let mut pair = chain(&Setup::default(), &["./SCOMO"]);
    ask_back(&mut pair);
    pair.run();
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [./SCOMO to DMS-3 in force] device [DMS-1, DMS-3]");
    assert_eq!(records_of_third(&pair), 1);
}

#[test]
fn a_careful_delegate_takes_back_what_it_has_delegated_on_before_it_reports() {
    let mut pair = chain(&hardened(), &["./SCOMO"]);
    ask_back(&mut pair);
    pair.run().check(
        "
        0.300 DMS-1 -> DMS-2  delegation_termination_req
        0.310 DMS-2 -> DMS-1  200 delegation_termination_ack
        0.310 DMS-2            timer
        0.310 DMS-2 -> device remove account of dms3.example.test
        0.360 device -> DMS-2  done
        0.360 DMS-2 -> DMS-3  delegation_revoked of the device
        0.360 DMS-2            timer
        0.360 DMS-2 -> DMS-1  delegation_termination_resp
        0.370 DMS-3 -> DMS-2  204
        0.370 DMS-3            settled done
        0.370 DMS-1 -> DMS-2  204
        0.370 DMS-1 -> device remove account of dms2.example.test
        0.380 DMS-2            settled done
        0.420 device -> DMS-1  done
        0.420 DMS-1 -> DMS-2  delegation_revoked
        0.430 DMS-2 -> DMS-1  204
        0.430 DMS-2            settled done
        0.440 DMS-1            settled done
    ",
        NOTHING_LEFT,
    );
}

#[test]
fn all_that_one_server_was_given_goes_with_one_account() {
    let mut pair = chain(&hardened(), &["./SCOMO", "./Inventory"]);
    ask_back(&mut pair);
    pair.run();
    let transcript = pair.transcript().join("\n");
    assert_eq!(transcript.matches("remove account of dms3").count(), 1, "{transcript}");
    assert_eq!((pair.standing().as_str(), records_of_third(&pair)), (NOTHING_LEFT, 0), "{transcript}");
}

#[test]
fn the_report_waits_for_both_the_chain_and_the_activities() {
    let setup = Setup { wind_down: Duration::from_secs(2), ..hardened() };
    let mut pair = chain(&setup, &["./SCOMO"]);
    ask_back(&mut pair);
    let from = pair.now;
    pair.run();
    let transcript = pair.transcript();
    let at = |text: &str| {
        let line = transcript.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{transcript:#?}"));
        line.split_once(' ').unwrap().0.parse::<f64>().unwrap() - from.seconds()
    };
    assert!(at("remove account of dms3") < 0.1, "{transcript:#?}");
    assert!((2.0..2.1).contains(&at("delegation_termination_resp")), "{transcript:#?}");
    assert_eq!(pair.standing(), NOTHING_LEFT);
}

#[test]
fn a_chain_that_cannot_be_cut_holds_nobody_up() {
    let mut pair = chain(&hardened(), &["./SCOMO"]);
    pair.refuse("remove", DeviceFailure::Refused { code: 425, order: "Delete", uri: String::new() });
    ask_back(&mut pair);
    pair.run();
    assert!(pair.settled.contains(&(DMS1, Side::Delegating, Outcome::Done)), "{:?}", pair.settled);
    assert!(pair.settled.contains(&(DMS2, Side::Delegating, Outcome::Stranded { reason: 425 })), "{:?}", pair.settled);

    // The device does not answer: the delegate reports when it has waited for as long as it would wait for another.
    let mut pair = chain(&hardened(), &["./SCOMO"]);
    (0..4).for_each(|_| pair.refuse("remove", DeviceFailure::Unreachable));
    ask_back(&mut pair);
    let from = pair.now;
    while !pair.transcript().iter().any(|line| line.contains("delegation_termination_resp")) {
        assert!(pair.step(), "it never reports");
    }
    assert!((3.0..3.1).contains(&(pair.now.seconds() - from.seconds())), "{}", pair.now.seconds() - from.seconds());
    pair.run();
}

#[test]
fn what_went_back_to_where_it_came_from_is_left_to_it() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, false, false), ".");
    pair.run();
    pair.start_between(0, (DMS2, DMS1), delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    ask_back(&mut pair);
    pair.run();
    assert!(pair.accounts.contains(&DMS1), "{}", pair.standing());
}

#[test]
fn a_delegate_that_dies_while_it_takes_back_goes_on_with_it() {
    let mut steps = 0;
    loop {
        let mut pair = chain(&hardened(), &["./SCOMO"]);
        ask_back(&mut pair);
        if !(0..steps).all(|_| pair.step()) {
            break;
        }
        pair.restart(DMS2, false);
        pair.run();
        let left = (pair.standing(), records_of_third(&pair));
        assert_eq!(left, (NOTHING_LEFT.to_owned(), 0), "{steps}\n{}", pair.transcript().join("\n"));
        steps += 1;
    }
    assert!(steps > 6, "{steps}");
}
