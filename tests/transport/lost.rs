//! Troubles that end a call: no connection, resets in every phase, requests and answers that are lost.

use std::io::ErrorKind;
use std::time::Duration;

use dmswarm::transport::trouble::{ConnectTrouble, Reset, ResetPhase, Swallow, Trouble};
use dmswarm::transport::{CallError, ClientAuth, DialerOptions, Method, Phase};

use crate::witness::{next, raw_witness, witness};
use crate::world::{DMS1, World, address, echo, hurried, post, run, troubled};

const FINE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

fn reset_at(phase: ResetPhase) -> Trouble {
    Trouble { reset: Some(Reset::At(phase)), ..Trouble::default() }
}

#[test]
fn a_connection_is_refused_by_the_kernel_or_never_answered() {
    run(async {
        let world = World::new("trouble-connect");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for _ in 0..3 {
            let refuse = Trouble { connect: Some(ConnectTrouble::Refuse), ..Trouble::default() };
            let error = dialer.call(troubled(post(&target, &caller, "x"), refuse)).await.unwrap_err();
            let CallError::Connect { address, kind, .. } = error else { panic!("{error:?}") };
            assert_eq!((address, kind), (doors.addresses()[0], ErrorKind::ConnectionRefused));
        }
        let black_hole = Trouble { connect: Some(ConnectTrouble::BlackHole), ..Trouble::default() };
        let error = dialer.call(troubled(hurried(post(&target, &caller, "x"), 30), black_hole)).await.unwrap_err();
        let after = Duration::from_millis(30);
        assert_eq!(error, CallError::TimedOut { phase: Phase::Connect, after });
        // Where no call may go, none goes, whatever its trouble.
        let outside = troubled(post(&address("192.0.2.1", 443), &caller, "x"), Trouble::default());
        assert!(matches!(dialer.call(outside).await, Err(CallError::Guarded(_))));
        assert_eq!((dialer.counts().opened, doors.counts().connections()), (0, 0));
    });
}

/// Calls with a reset at this phase: the caller must end in `ends`, and the answering side must have seen `whole`
/// requests, then a piece that `is_right`, then RST.
#[track_caller]
fn check_reset(phase: ResetPhase, body: &'static str, ends: Phase, whole: usize, is_right: fn(&str) -> bool) {
    run(async {
        let world = World::new(&format!("reset-{phase:?}-{}", body.len()));
        let (port, mut seen) = witness(&world, FINE.to_vec());
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        for round in 0..5 {
            let mut call = troubled(post(&address(DMS1, port), &caller, body), reset_at(phase));
            if body.is_empty() {
                call.method = Method::Get;
            }
            let error = dialer.call(call).await.unwrap_err();
            assert!(matches!(error, CallError::Broken { phase, .. } if phase == ends), "{phase:?} {round}: {error:?}");
            let saw;
            (saw, seen) = next(seen).await;
            let rest = String::from_utf8(saw.rest).unwrap();
            assert_eq!((saw.whole, saw.broke), (whole, Some(ErrorKind::ConnectionReset)), "{phase:?} {round}: {rest}");
            assert!(is_right(&rest), "{phase:?} {round}: {rest}");
        }
    });
}

#[test]
fn a_reset_ends_the_call_in_its_phase_and_the_peer_sees_it() {
    check_reset(ResetPhase::Handshake, "0123456789", Phase::Handshake, 0, str::is_empty);
    let half_a_head = |rest: &str| rest.starts_with("POST /delegation?x=1 HTTP/1.1\r\n") && !rest.contains("\r\n\r\n");
    check_reset(ResetPhase::RequestHead, "0123456789", Phase::Answer, 0, half_a_head);
    let half_a_body = |rest: &str| rest.ends_with("content-length: 10\r\n\r\n01234");
    check_reset(ResetPhase::RequestBody, "0123456789", Phase::Answer, 0, half_a_body);
    check_reset(ResetPhase::RequestBody, "", Phase::Answer, 0, |rest| rest.ends_with("\r\n\r"));
    check_reset(ResetPhase::ResponseHead, "0123456789", Phase::Answer, 1, str::is_empty);
    check_reset(ResetPhase::ResponseBody, "0123456789", Phase::Body, 1, str::is_empty);
}

#[test]
fn a_reset_in_the_answers_body_is_felt_by_who_still_writes_it() {
    run(async {
        let world = World::new("reset-large");
        // More than the sockets of both sides hold.
        let large = [&b"HTTP/1.1 200 OK\r\ncontent-length: 20000000\r\n\r\n"[..], &[b'x'; 20_000_000]].concat();
        let (port, seen) = witness(&world, large);
        let call = troubled(post(&address(DMS1, port), &world.caller(), "x"), reset_at(ResetPhase::ResponseBody));
        let error = world.dialer(DialerOptions::default()).call(call).await.unwrap_err();
        assert!(matches!(error, CallError::Broken { phase: Phase::Body, .. }), "{error:?}");
        let (saw, _) = next(seen).await;
        assert!(matches!(saw.broke, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{saw:?}");
        assert_eq!(saw.whole, 1);
    });
}

#[test]
fn a_reset_after_so_many_bytes_lets_just_these_through() {
    run(async {
        let world = World::new("reset-after");
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let after = |bytes| Trouble { reset: Some(Reset::After(bytes)), ..Trouble::default() };
        let (port, mut seen) = raw_witness();
        for bytes in [0, 1, 100] {
            let error =
                dialer.call(troubled(post(&address(DMS1, port), &caller, "x"), after(bytes))).await.unwrap_err();
            assert!(matches!(error, CallError::Broken { phase: Phase::Handshake, .. }), "{bytes}: {error:?}");
            let saw;
            (saw, seen) = next(seen).await;
            assert_eq!((saw.rest.len() as u64, saw.broke), (bytes, Some(ErrorKind::ConnectionReset)));
        }
        let (port, mut seen) = witness(&world, FINE.to_vec());
        let large = vec![b'x'; 60_000];
        // The handshake takes less than 10 kB, so this is in the body.
        let call = troubled(post(&address(DMS1, port), &caller, large.clone()), after(30_000));
        let error = dialer.call(call).await.unwrap_err();
        assert!(matches!(error, CallError::Broken { phase: Phase::Answer, .. }), "{error:?}");
        let saw;
        (saw, seen) = next(seen).await;
        assert_eq!((saw.whole, saw.broke), (0, Some(ErrorKind::ConnectionReset)));
        assert!((1..30_000).contains(&saw.rest.len()), "{} bytes", saw.rest.len());
        // An exchange with fewer bytes is a whole one.
        let reply = dialer.call(troubled(post(&address(DMS1, port), &caller, large), after(1_000_000))).await.unwrap();
        assert_eq!(&reply.body[..], b"fine");
        assert_eq!(next(seen).await.0.whole, 1);
    });
}

/// Loses a call in this way, at real doors: the caller must see `error`, and the handler must have run so often.
#[track_caller]
fn check_lost(test: &str, trouble: Trouble, times_out: Option<Phase>, handled: u64) {
    run(async {
        let world = World::new(test);
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        // The time must do for a handshake and an answer even on a machine that is busy.
        let millis = if times_out.is_some() { 1_000 } else { 30_000 };
        let error = dialer.call(troubled(hurried(post(&target, &caller, "x"), millis), trouble)).await.unwrap_err();
        match times_out {
            Some(phase) => assert_eq!(error, CallError::TimedOut { phase, after: Duration::from_secs(1) }),
            None => assert!(matches!(error, CallError::Broken { phase: Phase::Answer, .. }), "{error:?}"),
        }
        assert!(error.may_have_arrived(), "for all that the caller knows");
        assert_eq!(doors.counts().requests(), handled, "{test}");
        // The next call fares well, and over another connection.
        assert_eq!(dialer.call(post(&target, &caller, "x")).await.unwrap().status, 200);
        assert_eq!((doors.counts().requests(), dialer.counts().opened), (handled + 1, 2));
    });
}

#[test]
fn a_lost_request_never_reaches_the_handler_and_a_lost_answer_comes_after_it() {
    let (silently, breaking) = (Some(Swallow::Silently), Some(Swallow::Breaking));
    let none = Trouble::default;
    check_lost("request-silent", Trouble { swallow: silently, ..none() }, Some(Phase::Answer), 0);
    check_lost("request-breaks", Trouble { swallow: breaking, ..none() }, None, 0);
    check_lost("answer-silent", Trouble { lose_answer: silently, ..none() }, Some(Phase::Answer), 1);
    check_lost("answer-breaks", Trouble { lose_answer: breaking, ..none() }, None, 1);
    check_lost("head-reset", reset_at(ResetPhase::RequestHead), None, 0);
    check_lost("answer-reset", reset_at(ResetPhase::ResponseHead), None, 1);
}

#[test]
fn a_request_cut_in_its_body_is_never_a_whole_one_to_the_handler() {
    run(async {
        let world = World::new("body-cut");
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], |inbound| async move {
                assert!(inbound.body.as_deref() != Ok(b"01234"), "half a body passed as a whole one");
                echo(inbound).await
            })
            .await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for _ in 0..20 {
            let call = troubled(post(&target, &caller, "0123456789"), reset_at(ResetPhase::RequestBody));
            assert!(matches!(dialer.call(call).await, Err(CallError::Broken { phase: Phase::Answer, .. })));
        }
        assert_eq!(dialer.call(post(&target, &caller, "0123456789")).await.unwrap().status, 200);
        println!("the handler was called {} times for 21 requests", doors.counts().requests());
        assert_eq!(doors.counts().panics(), 0);
    });
}
