//! An answering side that tells what it saw of each connection: what arrived, and how it ended.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dmswarm::transport::ClientAuth;
use dmswarm::transport::tls::server_config;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::world::{DMS1, World};

/// What came in on one connection.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests that arrived whole; each was answered.
    pub whole: usize,
    /// What came after them.
    pub rest: Vec<u8>,
    /// `None` where the caller closed it, as `read` tells; else the error.
    pub broke: Option<io::ErrorKind>,
}

/// A TLS server on a thread of its own that gives this answer to each request; returns its port and what it sees.
pub fn witness(world: &World, answer: Vec<u8>) -> (u16, Receiver<Seen>) {
    let identity = world.certs.identity(DMS1, &[]).unwrap();
    let tls = server_config(&identity, world.certs.roots(), ClientAuth::Optional).unwrap();
    // Without tickets it writes nothing but answers: no write can meet a reset before all that arrived was read.
    let mut tls = ServerConfig::clone(&tls);
    tls.send_tls13_tickets = 0;
    let tls = Arc::new(tls);
    bystander(move |tcp| {
        let mut stream = StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), tcp);
        let mut seen = Seen::default();
        let mut piece = [0; 4096];
        let broke = loop {
            match stream.read(&mut piece) {
                Ok(0) => break None,
                Ok(read) => seen.rest.extend_from_slice(&piece[..read]),
                Err(problem) => break Some(problem.kind()),
            }
            if is_whole(&seen.rest) {
                seen.whole += 1;
                seen.rest.clear();
                if let Err(problem) = stream.write_all(&answer).and_then(|()| stream.flush()) {
                    break Some(problem.kind());
                }
            }
        };
        Seen { broke, ..seen }
    })
}

/// A server without TLS that reads as long as something comes; returns its port and what it sees.
pub fn raw_witness() -> (u16, Receiver<Seen>) {
    bystander(|mut tcp| {
        let mut rest = Vec::new();
        let broke = tcp.read_to_end(&mut rest).err().map(|problem| problem.kind());
        Seen { whole: 0, rest, broke }
    })
}

fn bystander(mut watch: impl FnMut(std::net::TcpStream) -> Seen + Send + 'static) -> (u16, Receiver<Seen>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for tcp in socket.incoming() {
            let tcp = tcp.unwrap();
            tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            tcp.set_nodelay(true).unwrap();
            if tell.send(watch(tcp)).is_err() {
                return;
            }
        }
    });
    (port, told)
}

/// Waits for what the witness saw of the next connection that ends, and lets the runtime go on meanwhile.
pub async fn next(seen: Receiver<Seen>) -> (Seen, Receiver<Seen>) {
    let wait = move || (seen.recv_timeout(Duration::from_secs(30)).expect("a connection ends"), seen);
    actix_rt::task::spawn_blocking(wait).await.unwrap()
}

fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4) else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    request.len() >= head + length
}
