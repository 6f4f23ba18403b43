//! Servers that die at any step and come back: with a careful server nothing is left half done.

use std::collections::BTreeSet;

use super::forged::request;
use super::pair::*;
use crate::delegation::flow::Approach::{self, DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::machine::{Input, Standing};
use crate::delegation::message::{Kind, Message};
use crate::delegation::policy::Policy;
use crate::delegation::reason;
use crate::dm::script::DeviceFailure;
use crate::ids::{ServerNumber, SessionId};

/// A delegation, then a revocation; the server dies after so many steps. What is on record and on the device at the end.
fn with_death(setup: &Setup, flows: &[FlowKind], dying: ServerNumber, after: usize) -> (String, Vec<String>, bool) {
    let mut pair = Pair::new(setup);
    for (place, flow) in flows.iter().enumerate() {
        pair.start(place as u64 * 30_000, *flow, "./SCOMO");
    }
    let mut has_died = false;
    for step in 0.. {
        if step == after {
            pair.restart(dying, false);
            has_died = true;
        }
        if !pair.step() {
            break;
        }
    }
    (pair.standing(), pair.transcript(), has_died)
}

#[test]
fn a_careful_server_that_dies_at_any_step_comes_back_to_what_the_device_says() {
    let forced = FlowKind::Revoke(Revocation::Forced { notice: true });
    let agree = [
        "DMS-1 [] DMS-2 [] device [DMS-1]",
        "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]",
        "DMS-1 [./SCOMO to DMS-2 full in force] DMS-2 [./SCOMO from DMS-1 full in force] device [DMS-2]",
    ];
    let mut ends = BTreeSet::new();
    for flows in [
        vec![delegate(DmAcc, false, false)],
        vec![delegate(DmAcc, false, true)],
        vec![delegate(DmAcc, true, false)],
        vec![delegate(Url, true, false)],
        vec![delegate(DmAcc, false, false), FlowKind::Revoke(Revocation::Asked)],
        vec![delegate(DmAcc, false, false), FlowKind::Revoke(Revocation::Requested)],
        vec![delegate(DmAcc, false, false), forced],
    ] {
        for dying in [DMS1, DMS2] {
            for after in 1.. {
                let (standing, transcript, has_died) = with_death(&hardened(), &flows, dying, after);
                if !has_died {
                    break;
                }
                assert!(
                    agree.contains(&standing.as_str()),
                    "{flows:?}, {dying} dies after {after} steps: {standing}\n{}",
                    transcript.join("\n")
                );
                ends.insert(standing);
            }
        }
    }
    assert_eq!(ends.len(), 3, "each end was met: {ends:?}");
}

#[test]
fn what_was_done_before_a_death_is_undone_when_it_cannot_be_done_again() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    while !pair.accounts.contains(&DMS2) {
        assert!(pair.step(), "the device is prepared on the way");
    }
    pair.refuse("prepare", DeviceFailure::NotAuthenticated);
    pair.restart(DMS1, false);
    pair.run();
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

#[test]
fn a_url_that_the_device_may_have_been_given_before_a_death_is_taken_back() {
    let mut pair = Pair::new(&hardened());
    pair.device_bootstraps = false;
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    until(&mut pair, "ExpectUrlPushed");
    pair.refuse("push", DeviceFailure::NotAuthenticated);
    pair.restart(DMS1, false);
    pair.run();
    assert!(pair.has_taken_back_url);
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

/// The delegation fails in this state, while the device is busy with it, and then DMS-1 dies.
fn fails_and_dies(setup: &Setup, approach: Approach, state: &'static str) -> Pair {
    let mut pair = hears(setup, approach, state, |session| Message::DelegationFailure { reason: None, session });
    until(&mut pair, "ExpectUndone");
    pair.restart(DMS1, false);
    pair
}

/// A delegation that DMS-2 says something about to DMS-1, just when that comes to a state.
fn hears(setup: &Setup, approach: Approach, state: &'static str, said: fn(SessionId) -> Message) -> Pair {
    let mut pair = Pair::new(setup);
    pair.device_bootstraps = false;
    pair.start(0, delegate(approach, false, false), "./SCOMO");
    until(&mut pair, state);
    pair.forge(0, DMS2, DMS1, said(SessionId::new("0-7-1")));
    pair
}

fn until(pair: &mut Pair, state: &'static str) {
    while pair.servers[0].records_of(DEVICE).all(|record| record.standing != Standing::Moving(state)) {
        assert!(pair.step(), "{state} is on the way");
    }
}

#[test]
fn a_url_that_was_on_its_way_when_the_delegation_failed_is_taken_back_after_a_death() {
    let mut pair = fails_and_dies(&hardened(), Url, "ExpectUrlPushed");
    pair.run();
    assert!(pair.has_taken_back_url);
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

#[test]
fn rights_that_nobody_knows_of_after_a_death_are_taken_back() {
    let setup = Setup { bootstrapped: vec![DMS2], ..hardened() };
    let is_undone = |transcript: Vec<String>, by: &str| {
        for part in ["DMS-1            settled undone", by] {
            assert!(transcript.iter().any(|line| line.contains(part)), "{part}: {transcript:#?}");
        }
    };
    let (rights, account) = ("device take back rights of dms2", "device remove account of dms2");
    is_undone(fails_and_dies(&setup, DmAcc, "ExpectDevicePrepared").run().transcript(), rights);
    is_undone(fails_and_dies(&hardened(), DmAcc, "ExpectDevicePrepared").run().transcript(), account);

    let dies_and_fails = |setup: &Setup| {
        let mut pair = Pair::new(setup);
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        until(&mut pair, "ExpectDevicePrepared");
        pair.restart(DMS1, false);
        pair.refuse("visit", DeviceFailure::NotAuthenticated);
        pair.run().transcript()
    };
    is_undone(dies_and_fails(&setup), rights);
    is_undone(dies_and_fails(&hardened()), account);
}

/// What has been answered is acted upon, and what has been begun is ended, although the state kept its name meanwhile.
#[test]
fn what_happened_within_one_state_outlives_a_death() {
    let confirmed =
        |session| Message::BootstrapConfirmed { reason: Some(reason::OK), bootstrapped: None, account: None, session };
    let mut pair = hears(&hardened(), Url, "ExpectUrlPushed", confirmed);
    assert!(pair.step(), "it is heard while the URL is being pushed");
    pair.restart(DMS1, false);
    until(&mut pair, "ExpectDevicePrepared");

    let setup = Setup { bootstrapped: vec![DMS2], ..hardened() };
    let failed = |session| Message::DelegationFailure { reason: None, session };
    let mut pair = hears(&setup, DmAcc, "ExpectDevicePrepared", failed);
    let undoes = |pair: &mut Pair| pair.transcript().iter().filter(|line| line.contains("device undo")).count();
    while undoes(&mut pair) == 0 {
        assert!(pair.step(), "the rights are put back");
    }
    pair.restart(DMS1, false);
    pair.run();
    assert_eq!(undoes(&mut pair), 1, "and again after the death");
}

/// Nothing is agreed, and DMS-2 dies when it has been asked for the URL and has not heard what became of its own
/// BOOTSTRAP_CONFIRMED, which was late.
#[test]
fn approaches_that_crossed_before_a_death_are_told_apart_after_it() {
    let mut pair = Pair::new(&hardened());
    pair.mishap(Kind::BootstrapConfirmed, Mishap::Delay(50));
    let flow = delegate(Url, false, false);
    pair.order(0, DMS1, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") });
    while !pair.transcript().iter().any(|line| line.contains("bootstrap_srv_url_delivery")) {
        assert!(pair.step(), "the URL is given");
    }
    pair.restart(DMS2, false);
    let transcript = pair.run().transcript();
    let connected = transcript.iter().position(|line| line.contains("device -> DMS-2  connects")).expect("it connects");
    let confirmed = |line: &&String| line.ends_with("DMS-2 -> DMS-1  bootstrap_confirmed");
    assert_eq!(transcript[..connected].iter().filter(confirmed).count(), 0, "{transcript:#?}");
    assert_eq!(transcript[connected..].iter().filter(confirmed).count(), 1, "{transcript:#?}");
    assert!(pair.standing().contains("in force"), "{}", pair.standing());
}

/// What comes a second time after the death is answered as before, although nothing is left of the delegation.
#[test]
fn what_has_ended_before_a_death_is_known_after_it() {
    let forced = FlowKind::Revoke(Revocation::Forced { notice: true });
    for (setup, is_known) in [(hardened(), true), (Setup { policy: Policy::Literal, ..hardened() }, false)] {
        let mut pair = Pair::new(&setup);
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.start(30_000, forced, "./SCOMO");
        pair.run().transcript();
        pair.restart(DMS2, false);
        pair.forge(0, DMS1, DMS2, request(DMS1, DEVICE, "./SCOMO", "0-7-1"));
        assert!(pair.step(), "it arrives");
        let transcript = pair.transcript();
        assert_eq!(transcript.iter().any(|line| line.contains("duplicate")), is_known, "{transcript:#?}");
        assert_eq!(pair.standing().contains("from DMS-1"), !is_known, "{}", pair.standing());
    }
}

#[test]
fn what_was_refused_before_a_death_is_refused_after_it() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run();
    let asks = |pair: &mut Pair| {
        pair.forge(0, DMS2, DMS1, request(DMS2, DEVICE, "./SCOMO", "1-7-9"));
        assert!(pair.step(), "it arrives");
        pair.transcript()
    };
    let refused = |transcript: &[String]| transcript.iter().any(|line| line.contains("refused 409"));
    assert!(refused(&asks(&mut pair)));
    pair.restart(DMS1, false);
    let transcript = asks(&mut pair);
    assert!(refused(&transcript) && transcript.iter().any(|line| line.contains("duplicate")), "{transcript:#?}");
}

/// Whoever dies tells a peer of the failure that its request has not reached yet.
#[test]
fn a_request_that_comes_after_its_failure_begins_nothing() {
    for (setup, begins) in [(hardened(), false), (Setup { policy: Policy::Literal, ..hardened() }, true)] {
        let mut pair = Pair::new(&setup);
        let failure = || Message::DelegationFailure { reason: None, session: SessionId::new("0-7-9") };
        pair.forge(0, DMS1, DMS2, failure());
        pair.forge(1, DMS1, DMS2, request(DMS1, DEVICE, "./SCOMO", "0-7-9"));
        pair.forge(2, DMS1, DMS2, failure());
        assert!(pair.step() && pair.step(), "both arrive");
        assert_eq!(pair.standing().contains("from DMS-1"), begins, "{}", pair.standing());
        let transcript = pair.run().transcript();
        let answered = |with: &str| transcript.iter().filter(|line| line.contains(with)).count();
        let expected = if begins { (1, 0) } else { (2, 1) };
        assert_eq!((answered("DMS-2 -> DMS-1  404"), answered("refused 409")), expected, "{transcript:#?}");
    }
}

/// What nobody knows of has served the delegation, and goes with it.
#[test]
fn a_url_from_before_a_death_is_taken_back_with_the_account() {
    let confirmed =
        |session| Message::BootstrapConfirmed { reason: Some(reason::OK), bootstrapped: None, account: None, session };
    let mut pair = hears(&hardened(), Url, "ExpectUrlPushed", confirmed);
    assert!(pair.step(), "it is heard while the URL is being pushed");
    pair.accounts.insert(DMS2);
    pair.refuse("push", DeviceFailure::Unreachable);
    pair.restart(DMS1, false);
    until(&mut pair, "ExpectConfirmed");
    pair.forge(
        0,
        DMS2,
        DMS1,
        Message::DelegationConfirmed { reason: Some(reason::OK), session: SessionId::new("0-7-1") },
    );
    pair.start(30_000, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
    let transcript = pair.run().transcript();
    assert!(pair.has_taken_back_url, "{transcript:#?}");
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

/// Whoever is asked for its URL has been granted what it wished, although no answer has said so before its death.
#[test]
fn a_wish_that_was_granted_before_a_death_shows_that_what_is_in_force_is_out_of_date() {
    let mut pair = Pair::new(&hardened());
    pair.start(0, delegate(Url, false, true), "./SCOMO");
    pair.start(30_000, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.run();
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1]");
    let flow = delegate(Url, false, true);
    pair.order(0, DMS2, Input::Start { flow, device: DEVICE, peer: DMS1, subtree: subtree("./SCOMO") });
    pair.forge(
        0,
        DMS1,
        DMS2,
        Message::BootstrapSrvUrlReq { reason: Some(reason::OK), session: SessionId::new("1-7-2") },
    );
    assert!(pair.step() && pair.step(), "the wish, and what shows that it is granted");
    pair.restart(DMS2, false);
    pair.run();
    assert_eq!(pair.standing(), "DMS-1 [] DMS-2 [] device [DMS-1]");
}

#[test]
fn an_account_that_was_removed_stays_removed_for_a_server_that_comes_back() {
    let mut pair = Pair::new(&Setup { bootstrapped: vec![DMS2], ..hardened() });
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.start(30_000, FlowKind::Revoke(Revocation::Forced { notice: false }), "./SCOMO");
    pair.run();
    assert!(pair.servers[0].book.has_removed(DEVICE, DMS2));
    pair.restart(DMS1, false);
    assert!(pair.servers[0].book.has_removed(DEVICE, DMS2));
}

/// Nothing in the text says what becomes of a process whose server has lost its memory.
#[test]
fn by_the_text_a_restart_leaves_things_half_done() {
    let flows = [delegate(DmAcc, false, false)];
    let setup = Setup { policy: Policy::Literal, ..hardened() };
    let mut ends = BTreeSet::new();
    for after in 1.. {
        let (standing, _, has_died) = with_death(&setup, &flows, DMS1, after);
        if !has_died {
            break;
        }
        ends.insert(standing);
    }
    assert!(ends.contains("DMS-1 [] DMS-2 [] device [DMS-1, DMS-2]"), "an account that nobody remembers: {ends:?}");
}
