//! Every delegation as it goes when nothing fails, message by message.

use super::forged::request;
use super::pair::*;
use crate::clock::Moment;
use crate::delegation::exchange::Incoming;
use crate::delegation::flow::Approach::{self, DmAcc, Url};
use crate::delegation::machine::{Effect, Input};
use crate::delegation::message::Message;
use crate::delegation::reading::{ConfirmByUrl, Polarity, Readings};
use crate::delegation::server::Server;
use crate::dm::script::Errand;
use crate::ids::SessionId;

/// A pair whose DMS-2 has, or has not, an account from the beginning.
fn pair(is_bootstrapped: bool) -> Pair {
    let bootstrapped = if is_bootstrapped { vec![DMS2] } else { Vec::new() };
    Pair::new(&Setup { bootstrapped, ..Setup::default() })
}

#[test]
fn dmacc_begun_by_dms1() {
    let mut pair = pair(false);
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
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
fn dmacc_begun_by_dms2_full() {
    let mut pair = pair(false);
    pair.start(0, delegate(DmAcc, true, true), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO full
        0.010 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        0.020 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed
        0.030 DMS-1 -> DMS-2  204
        0.030 DMS-1 -> device prepare with account, then remove own account
        0.080 device -> DMS-1  done
        0.080 DMS-1 -> DMS-2  delegation_prepared full
        0.090 DMS-2 -> DMS-1  204
        0.090 DMS-2 -> device visit ./SCOMO
        0.140 device -> DMS-2  done
        0.140 DMS-2 -> DMS-1  delegation_confirmed
        0.150 DMS-1 -> DMS-2  204
        0.150 DMS-1            settled done
        0.160 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

#[test]
fn dmacc_to_a_delegate_that_has_an_account() {
    let mut pair = pair(true);
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed already bootstrapped
        0.020 DMS-1 -> DMS-2  204
        0.020 DMS-1 -> device prepare without account
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
fn url_begun_by_dms1() {
    let mut pair = pair(false);
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.040 DMS-1 -> device push
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
fn url_begun_by_dms2_full() {
    let mut pair = pair(false);
    pair.start(0, delegate(Url, true, true), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-2 -> DMS-1  delegation_req ./SCOMO full
        0.010 DMS-1 -> DMS-2  200 delegation_resp acknowledged
        0.010 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.020 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.030 DMS-1 -> device push
        0.080 device -> DMS-1  done
        0.130 device -> DMS-2  connects
        0.130 DMS-2 -> DMS-1  bootstrap_confirmed
        0.140 DMS-1 -> DMS-2  204
        0.140 DMS-1 -> device grant ./SCOMO, then remove own account
        0.190 device -> DMS-1  done
        0.190 DMS-1 -> DMS-2  delegation_prepared full
        0.200 DMS-2 -> DMS-1  204
        0.200 DMS-2 -> DMS-1  delegation_confirmed
        0.210 DMS-1 -> DMS-2  204
        0.210 DMS-1            settled done
        0.220 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    );
}

#[test]
fn a_cautious_delegate_visits_in_the_url_approach_too() {
    let readings = Readings { confirm_by_url: ConfirmByUrl::AfterVisit, ..Readings::default() };
    let mut pair = Pair::new(&Setup { readings, ..Setup::default() });
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run().check(
        "
        0.000 DMS-1 -> DMS-2  delegation_req ./SCOMO partial
        0.010 DMS-2 -> DMS-1  200 delegation_resp acknowledged
        0.020 DMS-1 -> DMS-2  bootstrap_srv_url_req
        0.030 DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery
        0.040 DMS-1 -> device push
        0.090 device -> DMS-1  done
        0.140 device -> DMS-2  connects
        0.140 DMS-2 -> DMS-1  bootstrap_confirmed
        0.150 DMS-1 -> DMS-2  204
        0.150 DMS-1 -> device grant ./SCOMO
        0.200 device -> DMS-1  done
        0.200 DMS-1 -> DMS-2  delegation_prepared partial
        0.210 DMS-2 -> DMS-1  204
        0.210 DMS-2 -> device visit ./SCOMO
        0.260 device -> DMS-2  done
        0.260 DMS-2 -> DMS-1  delegation_confirmed
        0.270 DMS-1 -> DMS-2  204
        0.270 DMS-1            settled done
        0.280 DMS-2            settled done
    ",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
    );
}

/// What passes between the three, in the words of the tables below.
fn course(pair: &mut Pair) -> Vec<String> {
    let lines = pair.transcript().into_iter().map(|line| line[6..].to_owned());
    lines.filter(|line| !line.ends_with("204") && !line.contains("settled") && !line.starts_with("device")).collect()
}

#[track_caller]
fn check(approach: Approach, is_full: bool, by_delegated: bool, is_bootstrapped: bool) {
    let mut pair = pair(is_bootstrapped);
    pair.start(0, delegate(approach, is_full, by_delegated), "./SCOMO");
    let found = course(pair.run());
    let extent = if is_full { "full" } else { "partial" };
    let own = if is_full { ", then remove own account" } else { "" };
    let (asker, asked) = if by_delegated { ("DMS-2", "DMS-1") } else { ("DMS-1", "DMS-2") };
    let mut expected = vec![
        format!("{asker} -> {asked}  delegation_req ./SCOMO {extent}"),
        format!("{asked} -> {asker}  200 delegation_resp acknowledged"),
    ];
    match approach {
        DmAcc => {
            let (says, with) =
                if is_bootstrapped { ("already bootstrapped", "without") } else { ("account enclosed", "with") };
            expected.push(format!("DMS-2 -> DMS-1  bootstrap_confirmed {says}"));
            expected.push(format!("DMS-1 -> device prepare {with} account{own}"));
            expected.push(format!("DMS-1 -> DMS-2  delegation_prepared {extent}"));
            expected.push("DMS-2 -> device visit ./SCOMO".to_owned());
        }
        Url => {
            expected.push("DMS-1 -> DMS-2  bootstrap_srv_url_req".to_owned());
            expected.push("DMS-2 -> DMS-1  200 bootstrap_srv_url_delivery".to_owned());
            expected.push("DMS-1 -> device push".to_owned());
            expected.push("DMS-2 -> DMS-1  bootstrap_confirmed".to_owned());
            expected.push(format!("DMS-1 -> device grant ./SCOMO{own}"));
            expected.push(format!("DMS-1 -> DMS-2  delegation_prepared {extent}"));
        }
    }
    expected.push("DMS-2 -> DMS-1  delegation_confirmed".to_owned());
    assert_eq!(found, expected);
    let (full, home) = if is_full { (" full", "") } else { ("", "DMS-1, ") };
    assert_eq!(
        pair.standing(),
        format!(
            "DMS-1 [./SCOMO to DMS-2{full} in force] DMS-2 [./SCOMO from DMS-1{full} in force] device [{home}DMS-2]"
        )
    );
}

#[test]
fn every_delegation_goes_as_its_figures_say() {
    for approach in [DmAcc, Url] {
        for bits in 0..8 {
            check(approach, bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        }
    }
}

/// What DELEGATION_PREPARED says is what was done, and both records go by it (D17).
#[test]
fn a_full_delegation_that_was_not_carried_out_is_a_partial_one() {
    let mut pair = pair(false);
    pair.gives_up = false;
    pair.start(0, delegate(DmAcc, true, false), "./SCOMO");
    assert!(pair.run().transcript().iter().any(|line| line.ends_with("delegation_prepared partial")));
    assert_eq!(
        pair.standing(),
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]"
    );
}

/// D6: the value that keeps the client from connecting by itself, as the node's name or as the note in 5.2.1.4 has it.
#[test]
fn the_client_is_kept_from_connecting_by_the_value_that_was_chosen() {
    for (polarity, expected) in [(Polarity::Name, true), (Polarity::SpecNote, false)] {
        let readings = Readings { no_auto_initial_session: polarity, ..Readings::default() };
        let mut dms1 = Server::new(settings(DMS1, &Setup { readings, ..Setup::default() }));
        let mut handle = |input| {
            let mut out = Vec::new();
            dms1.handle(Moment::ZERO, input, &mut out);
            out
        };
        let session = SessionId::new("x");
        let request = request(DMS2, DEVICE, "./SCOMO", "x");
        handle(Input::Received { exchange: Incoming(1), from: DMS2, message: request });
        let account = Some(Box::new(account_of(&server_id(DMS2))));
        let message = Message::BootstrapConfirmed { reason: None, bootstrapped: Some(false), account, session };
        let out = handle(Input::Received { exchange: Incoming(2), from: DMS2, message });
        let quiet = out.iter().find_map(|effect| match effect {
            Effect::Errand { errand: Errand::Prepare { quiet, .. }, .. } => Some(*quiet),
            _ => None,
        });
        assert_eq!(quiet, Some(expected), "{polarity:?}");
    }
}
