//! What a handler can do with just one exchange: tell it by its token, hang up, close, answer oddly.

use std::time::Duration;

use dmswarm::transport::trouble::{Again, Reset, ResetPhase, Swallow, Trouble};
use dmswarm::transport::{CallError, ClientAuth, DialerOptions, Inbound, Outbound, Phase};
use futures_util::future::join_all;

use crate::peers;
use crate::world::{DMS1, World, address, echo, hurried, post, run, troubled};

/// Says which token the exchange has.
async fn say_token(inbound: Inbound) -> Outbound {
    let said = inbound.token.map_or("none".to_string(), |token| token.to_string());
    assert!(inbound.from.is_some_and(|from| from.ip().is_loopback()));
    Outbound::ok("text/plain", said)
}

fn with_token(token: u64) -> Trouble {
    Trouble { answer: Some(token), ..Trouble::default() }
}

#[test]
fn a_token_is_found_with_its_own_exchange_and_gone_after_it() {
    run(async {
        let world = World::new("tokens");
        let doors = world.open(vec![world.door(ClientAuth::Required), world.door(ClientAuth::Required)], say_token);
        let doors = doors.await;
        let tokens = doors.tokens();
        let dialer = world.dialer(DialerOptions::default()).with_tokens(tokens.clone());
        let caller = world.caller();
        let calls = (0..40_u64).map(|number| {
            let target = address(DMS1, doors.addresses()[number as usize % 2].port());
            let call = post(&target, &caller, "x");
            let has_token = number % 3 != 0;
            let call = if has_token { troubled(call, with_token(u64::MAX - number)) } else { call };
            let (dialer, expected) = (dialer.clone(), has_token.then(|| (u64::MAX - number).to_string()));
            async move {
                let reply = dialer.call(call).await.unwrap();
                assert_eq!(reply.body, expected.unwrap_or("none".to_string()));
            }
        });
        join_all(calls).await;
        assert!(tokens.is_empty());
        // A dialer that knows no tokens gives none.
        let target = address(DMS1, doors.addresses()[0].port());
        let stranger = world.dialer(DialerOptions::default());
        assert_eq!(stranger.call(troubled(post(&target, &caller, "x"), with_token(1))).await.unwrap().body, "none");
    });
}

#[test]
fn a_token_goes_however_the_exchange_ends() {
    run(async {
        let world = World::new("tokens-go");
        let doors = world.open(vec![world.door(ClientAuth::Required)], say_token).await;
        let tokens = doors.tokens();
        let dialer = world.dialer(DialerOptions::default()).with_tokens(tokens.clone());
        let (caller, target) = (world.caller(), address(DMS1, doors.addresses()[0].port()));
        let again = Some(Again { on_same_connection: false, gap: Duration::ZERO });
        let troubles = [
            Trouble { reset: Some(Reset::At(ResetPhase::Handshake)), ..with_token(1) },
            Trouble { reset: Some(Reset::At(ResetPhase::RequestHead)), ..with_token(2) },
            Trouble { reset: Some(Reset::At(ResetPhase::ResponseBody)), ..with_token(3) },
            Trouble { swallow: Some(Swallow::Silently), ..with_token(4) },
            Trouble { handshake_stall: Some(Duration::from_secs(600)), ..with_token(5) },
            Trouble { slow_close: Some(Duration::from_secs(600)), ..with_token(6) },
            Trouble { again, ..with_token(7) },
        ];
        for trouble in troubles {
            let ended = dialer.call(troubled(hurried(post(&target, &caller, "x"), 1_000), trouble.clone())).await;
            assert_eq!(tokens.len(), 0, "{trouble:?}: {ended:?}");
        }
        // And with a caller that goes away in the middle.
        let stalled = Trouble { stall: Some(Duration::from_secs(600)), ..with_token(8) };
        let mut call = Box::pin(dialer.call(troubled(post(&target, &caller, "x"), stalled)));
        let mut held = 0;
        while held == 0 {
            assert!(futures_util::poll!(&mut call).is_pending());
            held = tokens.len();
            tokio::task::yield_now().await;
        }
        drop(call);
        assert_eq!((held, tokens.len()), (1, 0));
    });
}

#[test]
fn hanging_up_sends_no_byte_of_an_answer() {
    run(async {
        let world = World::new("hang-up");
        let doors = world
            .open(vec![world.door(ClientAuth::Optional)], |inbound| async move {
                match inbound.body.as_deref() {
                    Ok(b"fine") => echo(inbound).await,
                    _ => Outbound::hang_up(),
                }
            })
            .await;
        let (port, roots) = (doors.addresses()[0].port(), world.certs.roots());
        for round in 0..20 {
            let roots = roots.clone();
            let request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx";
            let said = actix_rt::task::spawn_blocking(move || peers::ask(port, DMS1, roots, request)).await.unwrap();
            assert_eq!((said.as_str(), doors.counts().requests()), ("", round + 1));
        }
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        for _ in 0..20 {
            assert_eq!(dialer.call(post(&address(DMS1, port), &caller, "fine")).await.unwrap().status, 200);
            // On a connection that has carried an answer before.
            let error = dialer.call(post(&address(DMS1, port), &caller, vec![b'x'; 10_000])).await.unwrap_err();
            assert!(matches!(error, CallError::Broken { phase: Phase::Answer, .. }), "{error:?}");
            assert!(error.may_have_arrived());
        }
        assert_eq!((doors.counts().requests(), dialer.counts().opened, doors.counts().panics()), (60, 20, 0));
    });
}

#[test]
fn an_answer_that_closes_ends_its_connection() {
    run(async {
        let world = World::new("closes");
        let closing = |inbound| async move { echo(inbound).await.with_header("Connection", "Close") };
        let doors = world.open(vec![world.door(ClientAuth::Required)], closing).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        for _ in 0..5 {
            let reply = dialer.call(post(&target, &caller, "x")).await.unwrap();
            assert_eq!((reply.status, reply.header("connection"), &reply.body[..]), (200, Some("close"), &b"x"[..]));
        }
        assert_eq!((dialer.counts().opened, doors.counts().connections()), (5, 5));
    });
}

#[test]
fn answers_of_any_status_type_and_size_arrive_as_they_are() {
    run(async {
        let world = World::new("any-answer");
        let doors = world
            .open(vec![world.door(ClientAuth::Required)], |inbound| async move {
                // The path says the status, the body how long an answer.
                let status = inbound.path_only().trim_start_matches('/').parse().unwrap();
                let length = String::from_utf8(inbound.body.unwrap().to_vec()).unwrap().parse().unwrap();
                let content_type = inbound.content_type.unwrap();
                Outbound { status, ..Outbound::ok(content_type, vec![b'x'; length]) }
            })
            .await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        let check = async |status: u16, content_type: &'static str, length: usize| {
            let mut call = post(&target.with_path(&format!("/{status}")).unwrap(), &caller, length.to_string());
            (call.content_type, call.body_limit) = (Some(content_type.into()), 10_000_000);
            let reply = dialer.call(call).await.unwrap();
            assert_eq!((reply.status, reply.content_type()), (status, Some(content_type)));
            let expected = if matches!(status, 204 | 304) { 0 } else { length };
            assert_eq!(reply.body.len(), expected, "{status}");
        };
        for status in 200..=599 {
            check(status, "application/vnd.syncml.dm+xml", 10).await;
        }
        for length in [0, 1, 100_000, 8_000_000] {
            check(200, "", length).await;
            check(503, "nonsense; charset=\"none", length).await;
        }
        // Every answer kept to its frame: all went over one connection.
        assert_eq!(dialer.counts().opened, 1);
    });
}
