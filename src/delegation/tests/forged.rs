//! What comes from the wrong side, under the wrong name, or in the wrong place.

use super::pair::*;
use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Incoming};
use crate::delegation::flow::Approach::DmAcc;
use crate::delegation::machine::{Effect, Input, Standing};
use crate::delegation::message::Message;
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::reading::{Readings, SessionNames};
use crate::delegation::server::Server;
use crate::ids::{DeviceNumber, ServerNumber, SessionId, device_id};

/// A pair with a delegation in force.
pub(super) fn delegated() -> Pair {
    let mut pair = Pair::new(&Setup::default());
    pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
    pair.run().transcript();
    pair
}

fn session(id: &str) -> SessionId {
    SessionId::new(id)
}

pub(super) fn request(of: ServerNumber, device: DeviceNumber, uri: &str, id: &str) -> Message {
    Message::DelegationReq {
        server: server_id(of),
        device: device_id(device),
        manufacturer: String::new(),
        model: String::new(),
        subtree: uri.to_owned(),
        is_full: false,
        session: session(id),
    }
}

/// One forged POST to DMS-2 while a delegation "0-7-1" is in force, and its answer.
#[track_caller]
fn check_forged(from: ServerNumber, message: Message, answer: &str) {
    let mut pair = delegated();
    let before = pair.standing();
    pair.forge(0, from, DMS2, message);
    let lines = pair.run().transcript();
    assert!(lines.iter().any(|line| line.ends_with(answer) && line.contains(" -> ")), "{lines:?}");
    assert_eq!(pair.standing(), before);
}

#[test]
fn a_forged_post_gets_its_status_and_changes_nothing() {
    let prepared = |id: &str| Message::DelegationPrepared { reason: None, is_full: false, session: session(id) };
    check_forged(DMS1, prepared("nobody's"), "404");
    check_forged(DMS3, prepared("0-7-1"), "403");
    check_forged(ServerNumber(9), prepared("0-7-1"), "403");
    check_forged(DMS1, request(DMS3, DEVICE, "./SCOMO", "x"), "403");
    check_forged(DMS1, request(DMS1, DEVICE, "a//b", "x"), "400");
    check_forged(DMS1, request(DMS1, DeviceNumber(5_000), "./SCOMO", "x"), "200 delegation_resp refused 404");
    // The name of another process.
    check_forged(DMS1, request(DMS1, DeviceNumber(8), "./SCOMO", "0-7-1"), "200 delegation_resp refused 409");
    check_forged(DMS1, request(DMS1, DEVICE, "./Other", "0-7-1"), "200 delegation_resp refused 409");
    let misplaced = Message::DelegationTerminationAck { reason: None, session: session("0-7-1") };
    check_forged(DMS1, misplaced, "400");
    let termination = |number, id: &str| {
        let device = device_id(DeviceNumber(number));
        Message::DelegationTerminationReq { device, subtree: None, session: session(id) }
    };
    check_forged(DMS1, termination(8, "x"), "404");
    check_forged(DMS3, termination(7, "x"), "404");
    let revoked = |device: Option<u32>, id: Option<&str>| Message::DelegationRevoked {
        device: device.map(|number| device_id(DeviceNumber(number))),
        subtree: None,
        reason: None,
        session: id.map(session),
    };
    check_forged(DMS1, revoked(None, None), "400");
    check_forged(DMS1, revoked(Some(8), None), "404");
    check_forged(DMS3, revoked(Some(7), None), "404");
    check_forged(DMS3, revoked(None, Some("0-7-1")), "403");
    check_forged(DMS1, revoked(None, Some("x")), "404");
}

/// R5, R6: DMS-2 has made up the very name that DMS-1 uses, for a device of its own. At DMS-1 the two processes are
/// told apart by the role in which a message can come.
#[test]
fn equal_names_of_both_sides_do_not_cross() {
    let mut dms1 = Server::new(settings(DMS1, &Setup::default()));
    let mut out = Vec::new();
    let own = subtree("./SCOMO");
    let flow = delegate(DmAcc, false, false);
    dms1.handle(Moment::ZERO, Input::Start { flow, device: DEVICE, peer: DMS2, subtree: own }, &mut out);
    let theirs = DeviceNumber(1_500);
    let mut receive = |message| {
        let mut out = Vec::new();
        dms1.handle(Moment::ZERO, Input::Received { exchange: Incoming(0), from: DMS2, message }, &mut out);
        let states = [DEVICE, theirs].map(|device| dms1.records_of(device).map(|record| record.standing).next());
        (out.remove(0), states)
    };
    let moving = |state| Some(Standing::Moving(state));
    let answer = |answer| Effect::Answer { exchange: Incoming(0), answer };
    let (_, states) = receive(request(DMS2, theirs, "./SCOMO", "0-7-1"));
    assert_eq!(states, [moving("ExpectResponse"), moving("ExpectPrepared")]);
    let prepared = Message::DelegationPrepared { reason: None, is_full: false, session: session("0-7-1") };
    assert_eq!(receive(prepared), (answer(Answer::NoContent), [moving("ExpectResponse"), moving("ExpectVisited")]));
    let confirmed = Message::DelegationConfirmed { reason: None, session: session("0-7-1") };
    let too_early = Misbehaved::NotInThisState { message: "delegation_confirmed", state: "ExpectResponse" };
    assert_eq!(receive(confirmed).0, answer(Answer::Rejected(too_early)));
}

#[test]
fn shared_names_are_made_up_by_both_servers() {
    let readings = Readings { session_names: SessionNames::Shared, ..Readings::default() };
    let setup = Setup { readings, ..Setup::default() };
    let names = [(DMS1, DMS2, false), (DMS2, DMS1, true)].map(|(me, peer, by_delegated)| {
        let mut out = Vec::new();
        let flow = delegate(DmAcc, false, by_delegated);
        let start = Input::Start { flow, device: DEVICE, peer, subtree: subtree("./SCOMO") };
        Server::new(settings(me, &setup)).handle(Moment::ZERO, start, &mut out);
        out.iter().find_map(|effect| match effect {
            Effect::Post { message, .. } => message.session().cloned(),
            _ => None,
        })
    });
    assert_eq!(names, [Some(session("s-7-1")), Some(session("s-7-1"))]);
}

/// H7: a DELEGATION_FAILURE, which either role sends, could be about either of two processes of one name.
#[test]
fn a_careful_server_refuses_a_name_that_it_uses_itself() {
    let mut dms1 = Server::new(settings(DMS1, &hardened()));
    let (flow, theirs) = (delegate(DmAcc, false, false), DeviceNumber(1_500));
    let own = Input::Start { flow, device: DEVICE, peer: DMS2, subtree: subtree("./SCOMO") };
    dms1.handle(Moment::ZERO, own, &mut Vec::new());
    let mut check = |id: &str, refused: Option<u16>, records: usize| {
        let message = request(DMS2, theirs, "./SCOMO", id);
        let mut out = Vec::new();
        dms1.handle(Moment::ZERO, Input::Received { exchange: Incoming(0), from: DMS2, message }, &mut out);
        let (reason, is_acknowledged) = (Some(refused.unwrap_or(200)), refused.is_none());
        let answer = Answer::Message(Message::DelegationResp { reason, is_acknowledged, session: session(id) });
        assert!(out.contains(&Effect::Answer { exchange: Incoming(0), answer }), "{id}: {out:?}");
        assert_eq!(dms1.records_of(theirs).count(), records, "{id}");
    };
    check("0-7-1", Some(409), 0);
    check("0-7-1", Some(409), 0);
    check("another", None, 1);
}

/// A name that stands for a process about one device cannot open one about another.
#[test]
fn a_name_in_use_opens_nothing_else() {
    let mut pair = delegated();
    let device = device_id(DEVICE);
    pair.forge(0, DMS1, DMS2, request(DMS1, DeviceNumber(8), "./SCOMO", "x"));
    let termination = Message::DelegationTerminationReq { device, subtree: None, session: session("x") };
    pair.forge(1, DMS1, DMS2, termination);
    pair.run();
    let lines = pair.transcript();
    assert!(lines.contains(&"0.151 DMS-2 -> DMS-1  409".to_owned()), "{lines:?}");
    let held = "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]";
    assert_eq!(pair.standing(), held);
}
