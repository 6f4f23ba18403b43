//! Every message in every state of either side: one answer, and the right one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::pair::*;
use super::transcript::check_lines;
use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Incoming};
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};
use crate::delegation::machine::{Effect, Input, Note, Side, Standing};
use crate::delegation::message::Kind::{self, *};
use crate::delegation::message::Message;
use crate::delegation::reading::{Readings, Unconfirmed};
use crate::delegation::records::Record;
use crate::delegation::server::Server;
use crate::dm::script::DeviceFailure;
use crate::ids::{ServerNumber, SessionId, device_id};

/// A server in a state, and when it was.
struct Caught {
    me: ServerNumber,
    now: Moment,
    server: Server,
}

/// Walks flows step by step and keeps each server as it is when it first comes into a state.
fn catch_all() -> BTreeMap<(Side, &'static str), Caught> {
    let mut caught = BTreeMap::new();
    let mut walk = |setup: &Setup, flows: &[FlowKind], wrong: &dyn Fn(&mut Pair)| {
        let mut pair = Pair::new(setup);
        wrong(&mut pair);
        for (place, flow) in flows.iter().enumerate() {
            pair.start(place as u64 * 10_000, *flow, "./SCOMO");
        }
        loop {
            for me in [DMS1, DMS2] {
                let server = &pair.servers[usize::from(me.0)];
                for record in server.records_of(DEVICE) {
                    let state = match record.standing {
                        Standing::InForce => "in force",
                        Standing::Compromised => "compromised",
                        Standing::Moving(state) => state,
                    };
                    let now = pair.now;
                    caught.entry((record.side, state)).or_insert_with(|| Caught { me, now, server: server.clone() });
                }
            }
            if !pair.step() {
                break;
            }
        }
    };
    let plain = Setup::default();
    let slow = Setup { wind_down: Duration::from_secs(1), ..Setup::default() };
    let partial = |approach| delegate(approach, false, false);
    let refused = |errand: &'static str| move |pair: &mut Pair| pair.refuse(errand, DeviceFailure::Unreachable);
    walk(&plain, &[partial(DmAcc)], &|_| {});
    walk(&plain, &[partial(Url)], &|_| {});
    walk(&plain, &[delegate(DmAcc, false, true)], &|_| {});
    walk(&slow, &[partial(DmAcc), FlowKind::Revoke(Revocation::Asked)], &|_| {});
    walk(&plain, &[partial(DmAcc), FlowKind::Revoke(Revocation::Requested)], &|_| {});
    walk(&plain, &[partial(DmAcc)], &refused("visit"));
    let readings = Readings { unconfirmed: Unconfirmed::LetConnect, ..Readings::default() };
    walk(&Setup { readings, ..Setup::default() }, &[partial(DmAcc)], &|pair| pair.slow = Some(("visit", 2_500)));
    walk(&plain, &[partial(DmAcc), FlowKind::Revoke(Revocation::Forced { notice: true })], &refused("remove"));
    caught
}

/// The messages that are sent in every state: all kinds, and BOOTSTRAP_CONFIRMED of the URL approach after the other.
fn columns() -> Vec<(Kind, bool)> {
    Kind::ALL
        .into_iter()
        .flat_map(
            |kind| if kind == BootstrapConfirmed { vec![(kind, false), (kind, true)] } else { vec![(kind, false)] },
        )
        .collect()
}

fn message(kind: Kind, is_short: bool, from: ServerNumber, delegation: &SessionId, revocation: &SessionId) -> Message {
    let reason = Some(200);
    let device = device_id(DEVICE);
    let subtree = None;
    let fresh = SessionId::new("fresh");
    let (delegation, revocation) = (delegation.clone(), revocation.clone());
    match kind {
        DelegationReq => Message::DelegationReq {
            server: server_id(from),
            device,
            manufacturer: String::new(),
            model: String::new(),
            subtree: "./SCOMO".to_owned(),
            is_full: false,
            session: fresh,
        },
        DelegationResp => Message::DelegationResp { reason, is_acknowledged: true, session: delegation },
        BootstrapConfirmed => Message::BootstrapConfirmed {
            reason,
            bootstrapped: (!is_short).then_some(true),
            account: None,
            session: delegation,
        },
        DelegationPrepared => Message::DelegationPrepared { reason, is_full: false, session: delegation },
        DelegationConfirmed => Message::DelegationConfirmed { reason, session: delegation },
        DelegationFailure => Message::DelegationFailure { reason: Some(500), session: delegation },
        BootstrapSrvUrlReq => Message::BootstrapSrvUrlReq { reason, session: delegation },
        BootstrapSrvUrlDelivery => {
            Message::BootstrapSrvUrlDelivery { reason, url: "https://example.test".to_owned(), session: delegation }
        }
        DelegationTerminationReq => Message::DelegationTerminationReq { device, subtree, session: fresh },
        DelegationTerminationAck => Message::DelegationTerminationAck { reason, session: revocation },
        DelegationTerminationResp => Message::DelegationTerminationResp { reason, session: revocation },
        DelegationRevoked => Message::DelegationRevoked { device: None, subtree, reason, session: Some(revocation) },
        RevocationFailure => Message::RevocationFailure { reason: Some(500), session: revocation },
        DelegationRevocationReq => Message::DelegationRevocationReq { device, subtree, session: fresh },
    }
}

/// The statuses of all columns; `=` marks a message that has come before, `-` a DELEGATION_REQ refused by its body.
fn row(side: Side, caught: &Caught) -> String {
    let cells = columns().into_iter().map(|(kind, is_short)| {
        let mut server = caught.server.clone();
        let record = server.records.of(DEVICE).map(|(_, record)| record).find(|record| record.pact().side == side);
        let pact = record.map(Record::pact).expect("caught with a record of this side");
        let from = pact.peer;
        let message = message(kind, is_short, from, &pact.delegation.id, &pact.revocation_id());
        let mut out = Vec::new();
        let exchange = Incoming(77);
        server.handle(caught.now, Input::Received { exchange, from, message }, &mut out);
        let answers: Vec<&Answer> = out
            .iter()
            .filter_map(|effect| match effect {
                Effect::Answer { exchange: to, answer } if *to == exchange => Some(answer),
                _ => None,
            })
            .collect();
        assert_eq!(answers.len(), 1, "{side:?} {kind:?}: {out:?}");
        assert!(matches!(out[0], Effect::Answer { .. }), "the answer goes first");
        let status = match answers[0] {
            Answer::Message(Message::DelegationResp { is_acknowledged: false, .. }) => "200-".to_owned(),
            Answer::Message(_) => "200".to_owned(),
            Answer::NoContent => "204".to_owned(),
            Answer::Rejected(why) => why.http_status().to_string(),
        };
        let has =
            |wanted: fn(&Note) -> bool| out.iter().any(|effect| matches!(effect, Effect::Note(note) if wanted(note)));
        // Whatever is rejected is noted, and changes nothing else.
        let is_rejected = matches!(answers[0], Answer::Rejected(_));
        assert_eq!(has(|note| matches!(note, Note::Unexpected { .. })), is_rejected, "{side:?} {kind:?}");
        assert!(!is_rejected || out.len() == 2, "{side:?} {kind:?}: {out:?}");
        assert!(me_is_sound(&server, caught.me));
        if has(|note| matches!(note, Note::Duplicate { .. })) { format!("{status}=") } else { status }
    });
    cells.map(|cell| format!("{cell:<5}")).collect::<String>().trim_end().to_owned()
}

/// The books agree with the records.
fn me_is_sound(server: &Server, me: ServerNumber) -> bool {
    let moving = server.records().filter(|record| matches!(record.standing, Standing::Moving(_))).count();
    moving == server.in_transition() && server.records().all(|record| record.peer != me)
}

#[test]
fn every_message_in_every_state_gets_its_one_answer() {
    let found: Vec<String> =
        catch_all().iter().map(|((side, state), caught)| format!("{side:?} {state}: {}", row(*side, caught))).collect();
    check_lines(
        &found,
        "
        Delegating ExpectBootstrapConfirmed: 200- 400  204  400  409  409  204  409  400  404  400  409  409  409  409
        Delegating ExpectBootstrapUrl: 200- 400  204  409  409  409  204  409  400  404  400  409  409  409  409
        Delegating ExpectClientTold: 200- 400  204= 204= 409  204  204  409  400  404  400  409  409  409  409
        Delegating ExpectConfirmed: 200- 400  204= 204= 409  204  204  409  400  404  400  409  409  409  409
        Delegating ExpectDeviceBootstrapped: 200- 400  409  204  409  409  204  409  400  404  400  409  409  409  409
        Delegating ExpectDevicePrepared: 200- 400  204= 204= 409  409  204  409  400  404  400  409  409  409  409
        Delegating ExpectFailureAnswered: 200- 400  204= 204= 409  204= 409  409  400  404  400  409  409  204  409
        Delegating ExpectRemoval: 200- 400  204= 204= 409  204= 409  409  400  404  400  204= 409  204  409
        Delegating ExpectResponse: 200- 400  204  409  409  409  204  409  400  404  400  409  409  409  409
        Delegating ExpectRevokedAnswered: 200- 400  204= 204= 409  204= 409  409  400  404  400  204= 409  204  409
        Delegating ExpectTerminationAck: 200- 400  204= 204= 409  204= 409  409  400  404  400  204  409  204  409
        Delegating ExpectTerminationResp: 200- 400  204= 204= 409  204= 409  409  400  404  400  204  409  204  409
        Delegating ExpectUndone: 200- 400  204= 204= 409  409  204= 409  400  404  400  409  409  409  409
        Delegating ExpectUrlPushed: 200- 400  409  204  409  409  204  409  400  404  400  409  409  409  409
        Delegating compromised: 200- 400  204= 204= 409  204= 409  409  400  404  400  409  409  409  204
        Delegating in force: 200- 400  204= 204= 409  204= 204  409  400  404  400  409  409  409  204
        Delegated ExpectConfirmedAnswered: 200- 400  409  409  204= 409  204  409  400  200  400  409  204  204  404
        Delegated ExpectDevice: 200- 400  409  409  409  409  204  200= 400  409  400  409  409  409  404
        Delegated ExpectEnded: 200  400  409  409  204= 409  204  409  400  409  400  409  409  409  404
        Delegated ExpectPrepared: 200- 400  409  409  204  409  204  200  400  409  400  409  409  409  404
        Delegated ExpectResponse: 200  400  409  409  409  409  204  200  400  409  400  409  409  409  404
        Delegated ExpectRevoked: 200- 400  409  409  204= 409  409  409  400  200  400  409  204  204  404
        Delegated ExpectUrlRequest: 200- 400  409  409  409  409  204  200  400  409  400  409  409  409  404
        Delegated ExpectVisited: 200- 400  409  409  204= 409  204  409  400  409  400  409  409  409  404
        Delegated ExpectWoundDown: 200- 400  409  409  204= 409  409  409  400  200  400  409  204  204  404
        Delegated compromised: 200  400  409  409  204= 409  409  409  400  200  400  409  204  204= 404
        Delegated in force: 200  400  409  409  204= 409  204  409  400  200  400  409  204  204  404
    ",
    );
}
