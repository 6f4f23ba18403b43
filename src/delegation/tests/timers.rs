//! Who waits too long for the other side, or for the device, ends the delegation.

use super::failures::{check, status};
use super::pair::*;
use super::transcript::check_lines;
use crate::delegation::flow::Approach;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::message::Kind::*;
use crate::delegation::reading::{Polarity, Readings, Unconfirmed};

#[test]
fn whoever_waits_too_long_ends_the_delegation() {
    check(
        delegate(Url, false, false),
        |pair| pair.device_bootstraps = false,
        "
        1.090 DMS-1            timer
        1.090 DMS-1 -> DMS-2  delegation_failure 408
        1.090 DMS-1 -> device undo delete ./BootstrapConfig/entry
        1.100 DMS-2            settled undone (408)
        1.140 DMS-1 -> device remove account of dms2.example.test
        1.190 DMS-1            settled too_late (bootstrap)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(BootstrapConfirmed, Mishap::Delay(1_500)),
        "
        0.010 DMS-2 -> DMS-1  bootstrap_confirmed account enclosed  [Delay(1500)]
        1.020 DMS-1            timer
        1.020 DMS-1 -> DMS-2  delegation_failure 408
        1.030 DMS-2            settled undone (408)
        1.040 DMS-1            settled too_late (bootstrap)
        1.520 DMS-1 -> DMS-2  404
        1.520 DMS-1            unexpected bootstrap_confirmed: unknown_session
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::Delay(2_500)),
        "
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [Delay(2500)]
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.070 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.080 DMS-2            settled undone (408)
        2.120 DMS-1            settled too_late (confirmed)
        2.640 DMS-1 -> DMS-2  404
        2.640 DMS-1            unexpected delegation_confirmed: unknown_session
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, true, false),
        |pair| pair.mishap(DelegationConfirmed, Mishap::Delay(2_500)),
        "
        0.020 DMS-1 -> device prepare with account, then remove own account
        0.130 DMS-2 -> DMS-1  delegation_confirmed  [Delay(2500)]
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.080 DMS-2            settled undone (408)
        2.090 DMS-1            settled stranded (408)
        2.640 DMS-1 -> DMS-2  404
        2.640 DMS-1            unexpected delegation_confirmed: unknown_session
    ",
        "DMS-1 [] DMS-2 [] device [DMS-2]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| pair.mishap(DelegationPrepared, Mishap::Delay(4_500)),
        "
        0.070 DMS-1 -> DMS-2  delegation_prepared partial  [Delay(4500)]
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.070 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.080 DMS-2            settled undone (408)
        2.120 DMS-1            settled too_late (confirmed)
        4.580 DMS-2 -> DMS-1  404
        4.580 DMS-2            unexpected delegation_prepared: unknown_session
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn a_failure_notice_that_is_lost_leaves_the_peer_to_its_timer() {
    check(
        delegate(DmAcc, false, false),
        |pair| {
            pair.refuse("prepare", status(425));
            pair.mishap(DelegationFailure, Mishap::Lose);
        },
        "
        0.070 device -> DMS-1  failed 425
        0.070 DMS-1 -> DMS-2  delegation_failure 425  [Lose]
        0.570 DMS-1            settled undone (425)
        4.010 DMS-2            timer
        4.010 DMS-2 -> DMS-1  delegation_failure 408
        4.030 DMS-2            settled too_late (prepared)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    check(
        delegate(DmAcc, false, false),
        |pair| {
            pair.refuse("visit", status(425));
            pair.mishap(DelegationFailure, Mishap::Lose);
        },
        "
        0.130 device -> DMS-2  failed 425
        0.130 DMS-2 -> DMS-1  delegation_failure 425  [Lose]
        0.630 DMS-2            settled undone (425)
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.070 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.120 DMS-1            settled too_late (confirmed)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// 5.2.1.4: the timeout of the delegation's completion may make the client connect to the delegate by itself.
#[test]
fn a_client_whose_delegation_is_not_confirmed_is_told_to_connect_by_itself() {
    #[track_caller]
    fn check(readings: Readings, is_full: bool, approach: Approach, slow: u64, expected: &str, standing: &str) {
        let mut pair = Pair::new(&Setup { readings, ..Setup::default() });
        // The delegate's own call does not reach the device for so long.
        pair.slow = Some(("visit", slow));
        pair.start(0, delegate(approach, is_full, false), "./SCOMO");
        let lines = pair.run().transcript();
        let from = lines.iter().position(|line| line.contains("timer")).expect("a timer");
        check_lines(&lines[from..], expected);
        check_lines(&[pair.standing()], standing);
    }
    let readings = Readings { unconfirmed: Unconfirmed::LetConnect, ..Readings::default() };
    let in_force = "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]";
    for (polarity, value) in [(Polarity::Name, "false"), (Polarity::SpecNote, "true")] {
        check(
            Readings { no_auto_initial_session: polarity, ..readings },
            false,
            DmAcc,
            2_100,
            &format!(
                "
                2.070 DMS-1            timer
                2.070 DMS-1 -> device let connect to dms2.example.test by {value}
                2.120 device -> DMS-1  done
                2.230 device -> DMS-2  done
                2.230 DMS-2 -> DMS-1  delegation_confirmed
                2.240 DMS-1 -> DMS-2  204
                2.240 DMS-1            settled done
                2.250 DMS-2            settled done
                "
            ),
            in_force,
        );
    }
    // It comes while the client is being told.
    check(
        readings,
        false,
        DmAcc,
        1_935,
        "
        2.070 DMS-1            timer
        2.070 DMS-1 -> device let connect to dms2.example.test by false
        2.075 DMS-1 -> DMS-2  204
        2.075 DMS-1            settled done
        2.085 DMS-2            settled done
        2.120 device -> DMS-1  done
        ",
        in_force,
    );
    // Once and no more.
    check(
        readings,
        false,
        DmAcc,
        9_000,
        "
        2.070 DMS-1            timer
        2.070 DMS-1 -> device let connect to dms2.example.test by false
        2.120 device -> DMS-1  done
        4.120 DMS-1            timer
        4.120 DMS-1 -> DMS-2  delegation_failure 408
        4.120 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        4.130 DMS-2 -> DMS-1  204
        4.170 device -> DMS-1  done
        4.170 DMS-1            settled too_late (confirmed)
        9.130 device -> DMS-2  done
        9.130 DMS-2            settled undone (408)
        ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
    // Without an account of its own DMS-1 can tell the client nothing.
    check(
        readings,
        true,
        DmAcc,
        2_100,
        "
        2.070 DMS-1            timer
        2.070 DMS-1 -> DMS-2  delegation_failure 408
        2.080 DMS-2 -> DMS-1  204
        2.090 DMS-1            settled stranded (408)
        2.230 device -> DMS-2  done
        2.230 DMS-2            settled undone (408)
        ",
        "DMS-1 [] DMS-2 [] device [DMS-2]",
    );
}

#[test]
fn a_client_that_cannot_be_told_to_connect_ends_the_delegation() {
    let readings = Readings { unconfirmed: Unconfirmed::LetConnect, ..Readings::default() };
    let mut pair = Pair::new(&Setup { readings, ..Setup::default() });
    pair.slow = Some(("visit", 2_400));
    pair.refuse("let connect", status(425));
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check_trouble(
        "
        2.070 DMS-1            timer
        2.120 device -> DMS-1  failed 425
        2.120 DMS-1 -> DMS-2  delegation_failure 408
        2.120 DMS-1 -> device undo acl ./SCOMO, delete ./DMAcc/delegate
        2.170 DMS-1            settled too_late (confirmed)
        2.530 DMS-2            settled undone (408)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

/// The timers are for the other side; a session with the device has its own, in the room that holds it.
#[test]
fn no_timer_runs_while_a_server_is_in_session_with_the_device() {
    for (errand, approach) in [("prepare", DmAcc), ("push", Url), ("grant", Url)] {
        let mut pair = Pair::new(&Setup::default());
        // Longer than DMS-1 waits for BOOTSTRAP_CONFIRMED, shorter than DMS-2 waits for DELEGATION_PREPARED.
        pair.slow = Some((errand, 1_500));
        pair.start(0, delegate(approach, false, false), "./SCOMO");
        let lines = pair.run().transcript();
        assert!(!lines.iter().any(|line| line.contains("timer")), "{lines:?}");
    }
}
