//! Troubles that a call survives: stalls, slow lines, pieces, a second copy; and that nobody else feels any of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dmswarm::clock::Clock;
use dmswarm::transport::tls::client_config;
use dmswarm::transport::trouble::{Again, ConnectTrouble, Reset, ResetPhase, Swallow, Trouble};
use dmswarm::transport::{
    Call, CallError, ClientAuth, Dialer, DialerOptions, Outbound, Phase, Reply, Resumption, Timing, TlsFault,
};
use futures_util::future::join_all;

use crate::witness::{next, witness};
use crate::world::{DMS1, DMS2, World, address, echo, hurried, post, run, troubled};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Makes a call with this trouble and a body of so many bytes, which must be answered; its timing.
#[track_caller]
fn timing_of(test: &str, trouble: Trouble, bytes: usize) -> Timing {
    let (tell, told) = std::sync::mpsc::channel();
    run(async move {
        let world = World::new(test);
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        let target = address(DMS1, doors.addresses()[0].port());
        let body = vec![b'x'; bytes];
        let reply = dialer.call(troubled(post(&target, &world.caller(), body.clone()), trouble)).await.unwrap();
        assert!(reply.status == 200 && reply.body == body, "{test}: {} bytes", reply.body.len());
        assert_eq!((doors.counts().requests(), dialer.counts().opened, dialer.counts().idle), (1, 1, 0));
        tell.send(reply.timing).unwrap();
    });
    told.recv().unwrap()
}

#[test]
fn a_stall_takes_its_time_where_it_acts() {
    let stalled = timing_of("stall-tls", Trouble { handshake_stall: Some(millis(60)), ..Trouble::default() }, 1);
    assert!(stalled.handshake.unwrap() >= millis(60), "{stalled:?}");
    let stalled = timing_of("stall-answer", Trouble { stall: Some(millis(60)), ..Trouble::default() }, 1);
    assert!(stalled.first_byte.since(stalled.sent) >= millis(60), "{stalled:?}");
}

#[test]
fn a_slow_line_moves_no_more_than_it_may() {
    // 16 KiB each way at 128 KiB a second, less the last piece (a fiftieth of a second), which is not waited for.
    let slow = timing_of("slow", Trouble { bandwidth: Some(128 * 1024), ..Trouble::default() }, 16 * 1024);
    assert!(slow.exchange() >= millis(2 * (125 - 20)), "{slow:?}");
    // 2000 bytes in pieces of 100: at least 19 gaps.
    let sliced = timing_of("sliced", Trouble { slice: Some((100, millis(4))), ..Trouble::default() }, 2_000);
    assert!(sliced.exchange() >= millis(19 * 4), "{sliced:?}");
    // Troubles add up, and pieces of nothing are pieces of one byte.
    let trouble = Trouble {
        slice: Some((0, Duration::ZERO)),
        bandwidth: Some(256 * 1024),
        handshake_stall: Some(millis(20)),
        stall: Some(millis(20)),
        ..Trouble::default()
    };
    let both = timing_of("both", trouble, 100);
    assert!(both.handshake.unwrap() >= millis(20) && both.exchange() >= millis(20), "{both:?}");
}

#[test]
fn a_stall_that_is_longer_than_the_call_ends_it_in_its_phase() {
    run(async {
        let world = World::new("too-long");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        let stall = Some(Duration::from_secs(600));
        for (trouble, phase, handled) in [
            (Trouble { handshake_stall: stall, ..Trouble::default() }, Phase::Handshake, 0),
            (Trouble { stall, ..Trouble::default() }, Phase::Answer, 1),
        ] {
            let error = dialer.call(troubled(hurried(post(&target, &caller, "x"), 1_000), trouble)).await.unwrap_err();
            assert_eq!(error, CallError::TimedOut { phase, after: Duration::from_secs(1) });
            assert_eq!(doors.counts().requests(), handled, "{phase}");
        }
    });
}

#[test]
fn a_slow_close_leaves_the_connection_open_and_unused() {
    run(async {
        let world = World::new("slow-close");
        let clock: Clock = world.clock;
        let (port, seen) = witness(&world, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine".to_vec());
        let dialer = world.dialer(DialerOptions::default());
        let trouble = Trouble { slow_close: Some(millis(80)), ..Trouble::default() };
        let call = troubled(post(&address(DMS1, port), &world.caller(), "x"), trouble);
        let done = dialer.call(call).await.unwrap().timing.done;
        assert_eq!(dialer.counts().idle, 0);
        let (saw, _) = next(seen).await;
        assert!(clock.now().since(done) >= millis(80));
        assert_eq!((saw.whole, saw.rest.len()), (1, 0));
    });
}

#[test]
fn a_request_can_ask_to_close() {
    run(async {
        let world = World::new("ask-to-close");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        let target = address(DMS1, doors.addresses()[0].port());
        let trouble = Trouble { close: true, again: again(true), ..Trouble::default() };
        let reply = dialer.call(troubled(post(&target, &world.caller(), "x"), trouble)).await.unwrap();
        assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
        // The door did close: nothing more goes over this connection, and the caller knows that nothing went.
        let Some(Err(unsent @ CallError::Broken { .. })) = reply.again else { panic!("{:?}", reply.again) };
        assert!(!unsent.may_have_arrived());
        assert_eq!(doors.counts().requests(), 1);
    });
}

fn again(on_same_connection: bool) -> Option<Again> {
    Some(Again { on_same_connection, gap: millis(10) })
}

/// A handler that answers each request with another status, from 200 upwards.
async fn counting(world: &World) -> (dmswarm::transport::Doors, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let doors = world.open(vec![world.door(ClientAuth::Required)], move |inbound| {
        let nth = count.fetch_add(1, Ordering::SeqCst) as u16;
        async move { Outbound { status: 200 + nth, ..Outbound::ok("text/plain", inbound.body.unwrap()) } }
    });
    (doors.await, runs)
}

#[test]
fn a_second_copy_is_handled_again_and_the_first_answer_counts() {
    run(async {
        for same in [true, false] {
            let world = World::new(&format!("again-{same}"));
            let (doors, runs) = counting(&world).await;
            let dialer = world.dialer(DialerOptions::default());
            let target = address(DMS1, doors.addresses()[0].port());
            let trouble = Trouble { again: again(same), ..Trouble::default() };
            let reply = dialer.call(troubled(post(&target, &world.caller(), "x"), trouble)).await.unwrap();
            assert_eq!((reply.status, &reply.body[..], &reply.again), (200, &b"x"[..], &Some(Ok(201))));
            assert_eq!(runs.load(Ordering::SeqCst), 2);
            let connections = if same { 1 } else { 2 };
            assert_eq!((doors.counts().connections(), dialer.counts().opened), (connections, connections));
            assert_eq!((dialer.counts().calls, dialer.counts().idle), (1, 0));
            // An answer that is lost was preceded by both copies.
            let lose_answer = Some(Swallow::Breaking);
            let trouble = Trouble { again: again(same), lose_answer, ..Trouble::default() };
            let lost = dialer.call(troubled(post(&target, &world.caller(), "x"), trouble)).await;
            assert!(matches!(lost, Err(CallError::Broken { phase: Phase::Answer, .. })));
            assert_eq!(runs.load(Ordering::SeqCst), 4);
        }
    });
}

#[test]
fn a_second_copy_that_fails_does_not_harm_the_first() {
    run(async {
        let world = World::new("again-fails");
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], {
                let runs = Arc::new(AtomicUsize::new(0));
                move |_| {
                    let nth = runs.fetch_add(1, Ordering::SeqCst);
                    async move { if nth % 2 == 1 { Outbound::hang_up() } else { Outbound::status(204) } }
                }
            })
            .await;
        let dialer = world.dialer(DialerOptions::default());
        let target = address(DMS1, doors.addresses()[0].port());
        for same in [true, false] {
            let trouble = Trouble { again: again(same), ..Trouble::default() };
            let reply = dialer.call(troubled(post(&target, &world.caller(), "x"), trouble)).await.unwrap();
            assert_eq!(reply.status, 204);
            assert!(matches!(reply.again, Some(Err(CallError::Broken { phase: Phase::Answer, .. }))), "{reply:?}");
        }
    });
}

/// Whether a call opened a connection for itself.
async fn opens(dialer: &Dialer, call: Call) -> bool {
    let reply: Reply = dialer.call(call).await.unwrap();
    assert_eq!((reply.status, &reply.again), (200, &None));
    reply.timing.connected.is_some()
}

#[test]
fn a_call_in_trouble_leaves_its_neighbours_alone() {
    run(async {
        let world = World::new("neighbours");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions { open_per_target: 1, ..DialerOptions::default() });
        let caller = world.caller();
        let target = address(DMS1, doors.addresses()[0].port());
        assert!(opens(&dialer, post(&target, &caller, "x")).await);
        assert!(!opens(&dialer, post(&target, &caller, "x")).await);
        let none = Trouble::default;
        let reset = |reset| Trouble { reset: Some(reset), ..none() };
        let troubles = [
            none(),
            Trouble { connect: Some(ConnectTrouble::Refuse), ..none() },
            reset(Reset::At(ResetPhase::Handshake)),
            reset(Reset::At(ResetPhase::RequestBody)),
            reset(Reset::At(ResetPhase::ResponseBody)),
            reset(Reset::After(500)),
            Trouble { swallow: Some(Swallow::Breaking), ..none() },
            Trouble { lose_answer: Some(Swallow::Breaking), ..none() },
            Trouble { stall: Some(millis(20)), bandwidth: Some(100_000), ..none() },
            Trouble { again: again(true), slow_close: Some(millis(10)), ..none() },
        ];
        let in_trouble = join_all(troubles.map(|trouble| dialer.call(troubled(post(&target, &caller, "t"), trouble))));
        let beside = async {
            for _ in 0..30 {
                assert!(!opens(&dialer, post(&target, &caller, "x")).await, "the one connection is still the same");
            }
        };
        let (ended, ()) = tokio::join!(in_trouble, beside);
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 3, "{ended:?}");
        assert!(!opens(&dialer, post(&target, &caller, "x")).await);
        assert_eq!(dialer.counts().idle, 1);
    });
}

#[test]
fn a_trouble_can_show_another_identity_and_refuse_to_resume() {
    run(async {
        let world = World::new("identity");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        let target = address(DMS1, doors.addresses()[0].port());
        let own = world.certs.identity(DMS2, &[]).unwrap();
        let caller = client_config(world.certs.roots(), Some(&own), Resumption::On { servers: 1 }).unwrap();
        let nobody = Trouble { identity: Some(world.caller_as(None)), ..Trouble::default() };
        let error = dialer.call(troubled(post(&target, &caller, "x"), nobody)).await.unwrap_err();
        assert!(matches!(error, CallError::Tls { fault: TlsFault::CertificateRequired, .. }), "{error:?}");
        let other = world.certs.identity("dms3.example.test", &[]).unwrap();
        let other = Trouble { identity: Some(world.caller_as(Some(&other))), ..Trouble::default() };
        let reply = dialer.call(troubled(post(&target, &caller, "x"), other)).await.unwrap();
        assert_eq!(reply.header("x-caller"), Some("dms3.example.test"));
        // The first connection of the caller itself leaves a ticket, which a full handshake neither takes nor replaces.
        for (full_handshake, resumed) in [(false, false), (true, false), (true, false), (false, true)] {
            let trouble = Trouble { full_handshake, ..Trouble::default() };
            let reply = dialer.call(troubled(post(&target, &caller, "x"), trouble)).await.unwrap();
            assert_eq!((reply.timing.resumed, reply.header("x-caller")), (resumed, Some(DMS2)));
        }
        assert_eq!(dialer.counts().resumed, 1);
    });
}
