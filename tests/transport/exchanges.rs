//! Who is let in, what is refused and how, what happens to connections.

use std::cell::RefCell;
use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dmswarm::transport::listener::open_doors_with;
use dmswarm::transport::tls::client_config;
use dmswarm::transport::{
    BodyProblem, Call, CallError, CertificateFolder, ClientAuth, DialerOptions, Identity, Inbound, ListenError,
    Outbound, Patience, Phase, Refuser, Resumption, TlsFault, bind,
};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::peers::{self, Scratch};
use crate::world::{DMS1, DMS2, LIMIT, World, address, echo, post, run};

#[test]
fn the_caller_has_the_names_of_its_certificate() {
    run(async {
        let world = World::new("names");
        let doors = world.open(vec![world.door(ClientAuth::Optional), world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        let servers = address(DMS1, doors.addresses()[1].port());
        let mut call = post(&servers, &world.caller(), "<x/>");
        call.headers.push(("x-syncml-hmac", "algorithm=MD5".to_string()));
        let reply = dialer.call(call).await.unwrap();
        assert_eq!((reply.status, reply.content_type(), &reply.body[..]), (200, Some("text/echo"), &b"<x/>"[..]));
        let said = ["x-caller", "x-door", "x-line", "x-type", "x-hmac"].map(|name| reply.header(name).unwrap());
        assert_eq!(said, [DMS2, "1", "POST /delegation?x=1", "text/plain", "algorithm=MD5"]);

        let timing = reply.timing;
        let connected = timing.connected.expect("the first call opens a connection");
        assert!(timing.handshake.unwrap() > Duration::ZERO && !timing.resumed);
        assert!(timing.started <= connected && connected <= timing.sent, "{timing:?}");
        assert!(timing.sent <= timing.first_byte && timing.first_byte <= timing.done, "{timing:?}");

        // The door for devices lets in who shows no certificate, and does not invent a name.
        let devices = address(DMS1, doors.addresses()[0].port());
        let reply = dialer.call(Call::get(devices, world.caller_as(None))).await.unwrap();
        assert_eq!([reply.header("x-caller"), reply.header("x-door")], [Some("nobody"), Some("0")]);
        assert_eq!(reply.header("x-line"), Some("GET /delegation?x=1"));
    });
}

/// Calls a door twenty times, each time over a new connection, and expects the same TLS fault each time: whichever side
/// of the race between the alert and the request wins.
#[track_caller]
fn check_refused(test: &str, clients: ClientAuth, who: impl FnOnce(&World) -> Option<Identity>, fault: TlsFault) {
    let world = World::new(test);
    let caller = world.caller_as(who(&world).as_ref());
    run(async {
        let doors = world.open(vec![world.door(clients)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        for attempt in 0..20 {
            // Small bodies are written before the alert can come, large ones are not.
            let body = vec![b'x'; if attempt % 2 == 0 { 10 } else { 200_000 }];
            let error =
                dialer.call(post(&address(DMS1, doors.addresses()[0].port()), &caller, body)).await.unwrap_err();
            let expected = CallError::Tls { host: DMS1.to_string(), by: Refuser::Peer, fault: fault.clone() };
            assert_eq!(error, expected, "attempt {attempt}");
            assert_eq!((error.phase(), error.may_have_arrived()), ("tls", false));
        }
        assert_eq!(doors.counts().requests(), 0);
    });
}

#[test]
fn a_server_door_refuses_who_shows_no_certificate() {
    check_refused("none", ClientAuth::Required, |_| None, TlsFault::CertificateRequired);
}

#[test]
fn a_certificate_of_a_foreign_authority_is_refused_at_both_doors() {
    for (test, clients) in [("foreign", ClientAuth::Required), ("foreign-device", ClientAuth::Optional)] {
        let foreign = |_: &World| {
            let scratch = Scratch::new(&format!("{test}-ca"));
            Some(CertificateFolder::open(scratch.path()).unwrap().identity(DMS2, &[]).unwrap())
        };
        check_refused(test, clients, foreign, TlsFault::UnknownAuthority);
    }
}

#[test]
fn an_expired_certificate_is_refused() {
    check_refused(
        "expired",
        ClientAuth::Required,
        |world| Some(peers::expired(&world.scratch, DMS2)),
        TlsFault::Expired,
    );
}

/// Calls a server with this certificate as this host; our side must refuse it.
#[track_caller]
fn check_we_refuse(test: &str, server: impl FnOnce(&World) -> Identity, host: &str, fault: TlsFault) {
    let world = World::new(test);
    let identity = server(&world);
    run(async {
        let doors = world.open(vec![world.door_of(&identity, ClientAuth::Required)], echo).await;
        let call = post(&address(host, doors.addresses()[0].port()), &world.caller(), "x");
        let error = world.dialer(DialerOptions::default()).call(call).await.unwrap_err();
        assert_eq!(error, CallError::Tls { host: host.to_string(), by: Refuser::Us, fault });
    });
}

#[test]
fn we_refuse_a_server_that_cannot_prove_its_name() {
    let dms1 = |world: &World| world.certs.identity(DMS1, &[]).unwrap();
    check_we_refuse("other-name", dms1, DMS2, TlsFault::WrongName);
    check_we_refuse("no-name", dms1, "127.0.0.1", TlsFault::WrongName);
    check_we_refuse("localhost", dms1, "localhost", TlsFault::WrongName);
    check_we_refuse("old", |world| peers::expired(&world.scratch, DMS1), DMS1, TlsFault::Expired);
    let foreign = |_: &World| {
        let scratch = Scratch::new("foreign-server-ca");
        CertificateFolder::open(scratch.path()).unwrap().identity(DMS1, &[]).unwrap()
    };
    check_we_refuse("foreign-server", foreign, DMS1, TlsFault::UnknownAuthority);
}

#[test]
fn openssl_without_a_certificate_is_refused_by_a_server_door() {
    let world = World::new("openssl");
    run(async {
        let doors = world.open(vec![world.door(ClientAuth::Required), world.door(ClientAuth::Optional)], echo).await;
        let authority = world.scratch.path().join("ca.pem");
        for (door, version) in [(0, "-tls1_3"), (0, "-tls1_2"), (1, "-tls1_3"), (1, "-tls1_2")] {
            let port = doors.addresses()[door].port();
            let authority = authority.clone();
            let run = move || peers::openssl_get(port, DMS1, &authority, version);
            let Some(said) = actix_rt::task::spawn_blocking(run).await.unwrap() else {
                println!(
                    "skipped: openssl_without_a_certificate_is_refused_by_a_server_door (no openssl on this machine)"
                );
                return;
            };
            // The answer echoes the path; an alert is an openssl error on stderr.
            let (answered, refused) = (said.contains("HTTP/1.1 200"), said.contains("alert"));
            assert_eq!((answered, refused), (door == 1, door == 0), "door {door} {version}: {said}");
        }
        assert_eq!(doors.counts().requests(), 2);
        assert!(doors.are_open());
    });
}

#[test]
fn a_body_over_the_limit_reaches_the_handler_as_a_problem() {
    run(async {
        let world = World::new("limit");
        let doors = world
            .open(vec![world.door(ClientAuth::Optional)], |inbound| async move {
                match inbound.body {
                    Ok(body) => Outbound::ok("text/plain", body.len().to_string()),
                    Err(BodyProblem::TooLarge { limit }) => {
                        Outbound { status: 413, ..Outbound::ok("text/plain", limit.to_string()) }
                    }
                    Err(BodyProblem::Broken(_)) => Outbound::status(400),
                }
            })
            .await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for (size, status) in [(0, 200), (LIMIT, 200), (LIMIT + 1, 413), (1_000_000, 413), (30_000_000, 413), (1, 200)]
        {
            let reply = dialer.call(post(&target, &caller, vec![b'x'; size])).await.unwrap();
            assert_eq!(reply.status, status, "{size} bytes");
            let expected = if status == 200 { size } else { LIMIT };
            assert_eq!(reply.body, expected.to_string().as_bytes());
        }
    });
}

#[test]
fn a_chunked_or_cut_or_slow_body_is_a_problem_too() {
    run(async {
        let world = World::new("framing");
        let patience = Patience { body: Duration::from_millis(100), ..Patience::default() };
        let handler = |inbound: Inbound| async move {
            match inbound.body {
                Ok(body) => Outbound::ok("text/plain", body),
                Err(problem) => Outbound { status: 400, ..Outbound::ok("text/plain", problem.to_string()) },
            }
        };
        let doors = open_doors_with(patience, vec![world.door(ClientAuth::Optional)], 1, world.clock, handler);
        let doors = doors.await.unwrap();
        let port = doors.addresses()[0].port();
        let roots = world.certs.roots();
        let ask = |request: Vec<u8>| {
            let roots = roots.clone();
            actix_rt::task::spawn_blocking(move || peers::ask(port, DMS1, roots, &request))
        };
        let chunk = |size: usize| [format!("{size:x}\r\n").into_bytes(), vec![b'x'; size], b"\r\n".to_vec()].concat();
        let chunked = |size| {
            [&b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"[..], &chunk(size), b"0\r\n\r\n"]
                .concat()
        };
        let said = ask(chunked(1_000)).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with(&"x".repeat(1_000)), "{said}");
        let said = ask(chunked(LIMIT + 1)).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 400") && said.contains("larger than the limit of 65536 bytes"), "{said}");
        let said = ask(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf".to_vec()).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 400") && said.contains("not complete after 0.1 s"), "{said}");
        let said = ask(b"GET nonsense\r\n\r\n".to_vec()).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 400"), "{said}");
        // And after all of that, an honest caller is served.
        let reply =
            world.dialer(DialerOptions::default()).call(post(&address(DMS1, port), &world.caller(), "fine")).await;
        assert_eq!(&reply.unwrap().body[..], b"fine");
    });
}

#[test]
fn calls_one_after_the_other_share_a_connection() {
    run(async {
        let world = World::new("reuse");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for call in 0..50 {
            let reply = dialer.call(post(&target, &caller, format!("call {call}"))).await.unwrap();
            assert_eq!(reply.timing.connected.is_some(), call == 0);
        }
        assert_eq!((dialer.counts().opened, dialer.counts().calls, doors.counts().connections()), (1, 50, 1));
        // Another owner has a connection of its own, and so has another identity.
        for owner in [1, 2, 2] {
            dialer.call(Call { owner: Some(owner), ..post(&target, &caller, "x") }).await.unwrap();
        }
        dialer.call(post(&target, &world.caller(), "x")).await.unwrap();
        assert_eq!((dialer.counts().opened, dialer.counts().idle), (4, 4));
        dialer.hang_up(2);
        assert_eq!(dialer.counts().idle, 3);
        dialer.hang_up_all();
        assert_eq!(dialer.counts().idle, 0);
    });
}

#[test]
fn calls_at_once_keep_to_the_bound() {
    run(async {
        let world = World::new("bound");
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (now, peak) = (under_way.clone(), most.clone());
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], move |_| {
                let (now, peak) = (now.clone(), peak.clone());
                async move {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Outbound::status(204)
                }
            })
            .await;
        let dialer = world.dialer(DialerOptions { open_per_target: 3, idle_per_target: 1, ..DialerOptions::default() });
        let (target, caller) = (address(DMS1, doors.addresses()[0].port()), world.caller());
        join_all((0..60).map(|_| async { dialer.call(post(&target, &caller, "x")).await.unwrap() })).await;
        let most = most.load(Ordering::SeqCst);
        assert!((2..=3).contains(&most), "{most} at once");
        // One stays open unused; the others were opened anew when they were needed.
        assert!(dialer.counts().idle == 1 && dialer.counts().opened > 3, "{:?}", dialer.counts());
    });
}

#[test]
fn calls_that_wait_are_served_in_their_order() {
    run(async {
        let world = World::new("order");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions { open_per_target: 1, ..DialerOptions::default() });
        let (target, caller) = (address(DMS1, doors.addresses()[0].port()), world.caller());
        let finished = Rc::new(RefCell::new(Vec::new()));
        let calls = (0..20).map(|place| {
            let (dialer, call, finished) = (dialer.clone(), post(&target, &caller, "x"), finished.clone());
            async move {
                dialer.call(call).await.unwrap();
                finished.borrow_mut().push(place);
            }
        });
        join_all(calls).await;
        assert_eq!(*finished.borrow(), (0..20).collect::<Vec<_>>());
        assert_eq!(dialer.counts().opened, 1);
    });
}

#[test]
fn warm_connections_are_the_ones_that_calls_use() {
    run(async {
        let world = World::new("warm");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions { open_per_target: 5, ..DialerOptions::default() });
        let (target, caller) = (address(DMS1, doors.addresses()[0].port()), world.caller());
        let patience = Duration::from_secs(10);
        assert_eq!(dialer.warm(&target, &caller, None, 3, patience).await, Ok(3));
        assert_eq!(dialer.warm(&target, &caller, None, 100, patience).await, Ok(5));
        join_all((0..5).map(|_| async { dialer.call(post(&target, &caller, "x")).await.unwrap() })).await;
        assert_eq!((dialer.counts().opened, dialer.counts().idle, doors.counts().connections()), (5, 5, 5));
    });
}

#[test]
fn a_session_is_resumed_where_that_is_asked_for() {
    run(async {
        let world = World::new("resumed");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let dialer = world.dialer(DialerOptions::default());
        let target = address(DMS1, doors.addresses()[0].port());
        let identity = world.certs.identity(DMS2, &[]).unwrap();
        for (resumption, expected) in
            [(Resumption::On { servers: 1 }, [false, true, true]), (Resumption::Off, [false; 3])]
        {
            let caller = client_config(world.certs.roots(), Some(&identity), resumption).unwrap();
            for resumed in expected {
                let reply = dialer.call(post(&target, &caller, "x")).await.unwrap();
                assert_eq!((reply.timing.resumed, reply.header("x-caller")), (resumed, Some(DMS2)));
                dialer.hang_up_all();
            }
        }
        assert_eq!((dialer.counts().opened, dialer.counts().resumed), (6, 2));
    });
}

#[test]
fn a_connection_that_the_server_closed_is_noticed_before_use() {
    run(async {
        let world = World::new("closed");
        let (done, closed) = std::sync::mpsc::channel();
        let (close, may_close) = std::sync::mpsc::channel();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        // Answers one request on each connection, then closes it.
        let port = peers::serve(world.scratch.path(), DMS1, move |mut connection| {
            connection.read_request();
            count.fetch_add(1, Ordering::SeqCst);
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            may_close.recv().unwrap();
            connection.close();
            done.send(()).unwrap();
        });
        let dialer = world.dialer(DialerOptions { look_after: Duration::ZERO, ..DialerOptions::default() });
        let caller = world.caller_as(None);
        for call in 1..=20 {
            let reply = dialer.call(post(&address(DMS1, port), &caller, "x")).await;
            assert_eq!(&reply.unwrap().body[..], b"ok", "call {call}");
            // The connection comes to rest; then the server closes it while the runtime is blocked, so that nothing has
            // seen the close when the next call begins.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            close.send(()).unwrap();
            closed.recv().unwrap();
        }
        assert_eq!(seen.load(Ordering::SeqCst), 20);
    });
}

#[test]
fn a_post_that_may_have_arrived_is_never_repeated() {
    run(async {
        let world = World::new("once");
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        // Answers the first request of a connection and breaks off after the second.
        let port = peers::serve(world.scratch.path(), DMS1, move |mut connection| {
            connection.read_request();
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            connection.read_request();
            count.fetch_add(1, Ordering::SeqCst);
            connection.close();
        });
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller_as(None));
        dialer.call(post(&address(DMS1, port), &caller, "first")).await.unwrap();
        let error = dialer.call(post(&address(DMS1, port), &caller, "second")).await.unwrap_err();
        assert!(matches!(error, CallError::Broken { phase: Phase::Answer, .. }), "{error:?}");
        assert!(error.may_have_arrived());
        assert_eq!((seen.load(Ordering::SeqCst), dialer.counts().opened), (1, 1));
    });
}

#[test]
fn answers_that_cannot_be_taken_are_typed() {
    run(async {
        let world = World::new("answers");
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller_as(None));
        let cases: [(&'static [u8], &str, &str); 5] = [
            (b"SSH-2.0-nothing\r\n\r\n", "answer", "not HTTP/1.1"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "body", "broke off in phase body"),
            (b"", "answer", "broke off in phase answer"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n", "body", "larger than the limit of 1048576 bytes"),
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n", "body", "broke off in phase body"),
        ];
        for (answer, phase, said) in cases {
            let port = peers::serve(world.scratch.path(), DMS1, move |mut connection| {
                connection.read_request();
                connection.write(answer);
                connection.close();
            });
            let error = dialer.call(post(&address(DMS1, port), &caller, "x")).await.unwrap_err();
            assert_eq!(error.phase(), phase, "{error:?}");
            assert!(error.to_string().contains(said), "{error}");
        }
        // A body without a length ends with the connection, and one in chunks with the last of them.
        let fine: [&'static [u8]; 2] = [
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfine",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n",
        ];
        for answer in fine {
            let port = peers::serve(world.scratch.path(), DMS1, move |mut connection| {
                connection.read_request();
                connection.write(answer);
                connection.close();
            });
            let reply = dialer.call(post(&address(DMS1, port), &caller, "x")).await.unwrap();
            assert_eq!(&reply.body[..], b"fine");
        }
    });
}

/// Tells when it is dropped.
struct Farewell(mpsc::UnboundedSender<()>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_call_ends_when_its_time_is_over_and_harms_no_other() {
    run(async {
        let world = World::new("silent");
        let (farewell, mut farewells) = mpsc::unbounded_channel();
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], move |inbound| {
                let farewell = Farewell(farewell.clone());
                async move {
                    if inbound.body.as_deref() == Ok(b"silent") {
                        pending::<()>().await;
                    }
                    std::mem::forget(farewell);
                    Outbound::status(204)
                }
            })
            .await;
        let dialer = world.dialer(DialerOptions { open_per_target: 1, ..DialerOptions::default() });
        let (target, caller) = (address(DMS1, doors.addresses()[0].port()), world.caller());
        let silent = Call { timeout: Duration::from_millis(200), ..post(&target, &caller, "silent") };
        let queued = Call { timeout: Duration::from_millis(50), ..post(&target, &caller, "x") };
        let (silent, queued) = tokio::join!(dialer.call(silent), dialer.call(queued));
        let after = Duration::from_millis(200);
        assert_eq!(silent.unwrap_err(), CallError::TimedOut { phase: Phase::Answer, after });
        let after = Duration::from_millis(50);
        assert_eq!(queued.unwrap_err(), CallError::TimedOut { phase: Phase::Queue, after });
        // Nothing of the silent call is left on the other side, and on this one its place is free.
        farewells.recv().await.unwrap();
        assert_eq!(dialer.counts().idle, 0);
        assert_eq!(dialer.call(post(&target, &caller, "x")).await.unwrap().status, 204);
        assert_eq!(dialer.counts().opened, 2);
    });
}

#[test]
fn a_handshake_that_does_not_move_ends_in_its_phase() {
    run(async {
        let world = World::new("mute");
        // Nobody accepts: TCP connects through the backlog, and TLS never answers.
        let mute = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let target = address(DMS1, mute.local_addr().unwrap().port());
        let call = Call { timeout: Duration::from_millis(50), ..post(&target, &world.caller(), "x") };
        let error = world.dialer(DialerOptions::default()).call(call).await.unwrap_err();
        assert_eq!((error.phase(), error.reached()), ("tls", Phase::Handshake));
        assert!(!error.may_have_arrived());
    });
}

#[test]
fn nobody_listening_is_a_refused_connection() {
    run(async {
        let world = World::new("nobody");
        let port = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap().local_addr().unwrap().port();
        let error = world
            .dialer(DialerOptions::default())
            .call(post(&address(DMS1, port), &world.caller(), "x"))
            .await
            .unwrap_err();
        assert_eq!(error.phase(), "connect");
        assert!(error.to_string().contains("nothing listens there"), "{error}");
    });
}

#[test]
fn nothing_but_loopback_is_contacted() {
    run(async {
        let world = World::new("guard");
        let dialer = world.dialer(DialerOptions::default());
        for host in ["192.0.2.1", "dms3.example.test", "[2001:db8::1]"] {
            let call = Call { timeout: Duration::from_secs(1), ..post(&address(host, 443), &world.caller(), "x") };
            let error = dialer.call(call).await.unwrap_err();
            assert!(matches!(error, CallError::Guarded(_)), "{error:?}");
            assert!(error.to_string().contains("not contacted"), "{error}");
        }
        let warmed = dialer.warm(&address("192.0.2.1", 443), &world.caller(), None, 1, Duration::from_secs(1)).await;
        assert_eq!(warmed.unwrap_err().phase(), "guard");
        let forbidden =
            Call { content_type: Some("a\r\nb: c".into()), ..post(&address(DMS1, 1), &world.caller(), "x") };
        assert!(matches!(dialer.call(forbidden).await, Err(CallError::Unwritable { .. })));
        assert_eq!(dialer.counts().opened, 0);
    });
}

#[test]
fn a_busy_port_is_said_with_the_way_out() {
    let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(address).unwrap_err();
    assert!(matches!(error, ListenError::Busy { .. }));
    let said = error.to_string();
    assert!(said.contains(&format!("port {} of 127.0.0.1", address.port())) && said.contains("another port"), "{said}");
    assert!(matches!(bind(SocketAddr::from(([192, 0, 2, 1], 0))), Err(ListenError::NotHere { .. })));
}

#[test]
fn a_panic_in_a_handler_is_a_500_and_the_door_stays_open() {
    run(async {
        let world = World::new("panic");
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], |inbound| {
                // Once before the future is made, and once inside of it.
                assert!(inbound.body.as_deref() != Ok(b"early"), "meant by the test");
                async move {
                    assert!(inbound.body.as_deref() != Ok(b"late"), "meant by the test");
                    Outbound::status(204)
                }
            })
            .await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for (body, status) in [("early", 500), ("fine", 204), ("late", 500), ("fine", 204)] {
            assert_eq!(dialer.call(post(&target, &caller, body)).await.unwrap().status, status, "{body}");
        }
        assert_eq!((doors.counts().panics(), doors.counts().requests(), dialer.counts().opened), (2, 4, 1));
    });
}

#[test]
fn closing_lets_an_exchange_finish_and_lets_nobody_in() {
    run(async {
        let world = World::new("closing");
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (release, released) = async_gate();
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], move |_| {
                begun.send(()).unwrap();
                let released = released.clone();
                async move {
                    released.acquire().await.unwrap().forget();
                    Outbound::status(204)
                }
            })
            .await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        let call = actix_rt::spawn({
            let (dialer, call) = (dialer.clone(), post(&target, &caller, "x"));
            async move { dialer.call(call).await }
        });
        begins.recv().await.unwrap();
        let closing = actix_rt::spawn(doors.close());
        release.add_permits(1);
        assert_eq!(call.await.unwrap().unwrap().status, 204);
        closing.await.unwrap();
        let error = dialer.call(post(&target, &caller, "x")).await.unwrap_err();
        assert_eq!(error.phase(), "connect", "{error:?}");
    });
}

/// A gate that many can wait at: permits are let through one by one.
fn async_gate() -> (Arc<tokio::sync::Semaphore>, Arc<tokio::sync::Semaphore>) {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    (gate.clone(), gate)
}
