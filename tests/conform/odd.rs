//! Peers that are none: dead, half open, talking rubbish, somebody else.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use dmswarm::clock::Clock;
use dmswarm::delegation::xml;
use dmswarm::transport::certs::CertificateFolder;
use dmswarm::transport::exchange::{Inbound, Outbound};
use dmswarm::transport::listener::{Door, open_doors};
use dmswarm::transport::tls::{ClientAuth, server_config};

use super::pair::Place;

/// What is wrong with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// Nothing listens.
    Dead,
    /// It takes connections, and says nothing.
    HalfOpen,
    /// It takes connections, and ends them.
    Resets,
    /// It sends bytes that are no TLS.
    Rubbish,
    /// Its certificate is somebody else's.
    SomebodyElse,
    /// It takes our certificate for a stranger's.
    Forbids,
    /// It has a bare status for a device that it does not know.
    ForbidsStrangers,
    /// It sends everybody away.
    Redirects,
    /// Everything is fine with it, whatever is asked.
    SaysYes,
    /// It grants every request, and talks in another form than the protocol's.
    Babbles,
    /// It answers our first request rightly, and nothing after that.
    FallsSilent,
}

/// Stands as long as it lives.
pub struct OddPeer {
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OddPeer {
    /// Lets one stand at this port.
    pub fn at(port: u16, odd: Odd, place: &Place) -> OddPeer {
        if odd == Odd::Dead {
            return OddPeer { end: None, thread: None };
        }
        let socket = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        if matches!(odd, Odd::HalfOpen | Odd::Resets | Odd::Rubbish) {
            // It ends with the process.
            thread::spawn(move || talk(&socket, odd));
            return OddPeer { end: None, thread: None };
        }
        let folder = CertificateFolder::open(place.0.join("certs")).expect("a folder");
        let host = if odd == Odd::SomebodyElse { "dms9.example.test" } else { "dms2.example.test" };
        let identity = folder.identity(host, &[]).expect("an identity");
        let tls = server_config(&identity, folder.roots(), ClientAuth::Required).expect("settings");
        let (end, ended) = tokio::sync::oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix::System::new().block_on(async {
                let door = Door { name: "odd".to_owned(), socket, tls, body_limit: 1 << 20 };
                let answer = move |request: Inbound| answer(odd, request);
                let doors = open_doors(vec![door], 1, Clock::start(), answer).await.expect("a door");
                ready.send(()).expect("somebody waits");
                let _ = ended.await;
                drop(doors);
            });
        });
        is_ready.recv().expect("it stands");
        OddPeer { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for OddPeer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn talk(socket: &TcpListener, odd: Odd) {
    let mut held = Vec::new();
    for connection in socket.incoming().flatten() {
        match odd {
            Odd::HalfOpen => held.push(connection),
            Odd::Rubbish => {
                let mut connection = connection;
                let _ = connection.write_all(&b"HTTP/1.1 200 OK\r\n\x1b[2J\xff\xfe rubbish ".repeat(1000));
            }
            _ => drop(connection),
        }
    }
}

async fn answer(odd: Odd, request: Inbound) -> Outbound {
    let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
    let session = body.split("<sessionId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    let is_request = body.contains("<delegation_req ");
    let response = |acknowledged: bool, session: &str| {
        let text = format!(
            "<delegation_resp><reasonCode>200</reasonCode><status>DELEGATION_RESP</status>\
             <isAcknowledged>{acknowledged}</isAcknowledged><sessionId>{session}</sessionId></delegation_resp>"
        );
        Outbound::ok(xml::CONTENT_TYPE, text)
    };
    match odd {
        Odd::Forbids => Outbound::status(403),
        Odd::ForbidsStrangers => Outbound::status(if body.contains("Nobody") { 403 } else { 204 }),
        Odd::Redirects => Outbound::status(307).with_header("location", "https://192.0.2.1/\u{7f}elsewhere"),
        Odd::SaysYes => Outbound::status(204),
        Odd::Babbles if is_request => response(true, session),
        Odd::Babbles => Outbound::ok("text/html", "<script>alert(1)</script>\u{1b}[2J".repeat(20_000)),
        Odd::FallsSilent if body.contains("Nobody") && session.ends_with("-00000") => response(false, session),
        _ => {
            std::future::pending::<()>().await;
            Outbound::hang_up()
        }
    }
}
