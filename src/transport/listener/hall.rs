//! What a worker does with one connection and with one request: names the caller, reads the body, asks the handler.

use std::any::Any;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::http::{StatusCode, header};
use actix_web::rt::net::TcpStream;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use futures_util::future::ready;
use futures_util::{FutureExt, StreamExt, stream};

use super::DoorCounts;
use crate::clock::Clock;
use crate::transport::exchange::{BodyProblem, Inbound, KEPT_HEADERS, Method, Outbound};
use crate::transport::tls::PeerNames;
use crate::transport::tokens::Tokens;

/// What all doors of one server share.
#[derive(Clone)]
pub(super) struct Hall(Arc<Shared>);

struct Shared {
    /// Where each door is and its index, sorted by address.
    doors: Vec<(SocketAddr, usize)>,
    /// Largest body of each door, in bytes.
    limits: Vec<usize>,
    body_patience: Duration,
    clock: Clock,
    counts: Arc<DoorCounts>,
    tokens: Arc<Tokens>,
}

/// Called once for each connection, after its handshake: keeps the names of the caller beside it.
pub(super) fn welcome(connection: &dyn Any, extensions: &mut Extensions, counts: &DoorCounts) {
    let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    counts.connections.fetch_add(1, Ordering::Relaxed);
    let (_, session) = tls.get_ref();
    if let Some(names) = session.peer_certificates().and_then(|chain| PeerNames::of(chain.first()?).ok()) {
        extensions.insert(names);
    }
}

impl Hall {
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        limits: Vec<usize>,
        body_patience: Duration,
        clock: Clock,
        counts: Arc<DoorCounts>,
        tokens: Arc<Tokens>,
    ) -> Hall {
        let mut doors: Vec<_> = addresses.into_iter().enumerate().map(|(index, address)| (address, index)).collect();
        doors.sort_unstable();
        Hall(Arc::new(Shared { doors, limits, body_patience, clock, counts, tokens }))
    }

    /// One request from its head to its answer.
    pub(super) async fn serve<H, F>(self, handler: Rc<H>, request: HttpRequest, body: web::Payload) -> HttpResponse
    where
        H: Fn(Inbound) -> F,
        F: Future<Output = Outbound>,
    {
        let received = self.0.clock.now();
        let here = request.app_config().local_addr();
        let door = self.door(here);
        let from = request.peer_addr();
        let token = from.and_then(|from| self.0.tokens.find(from, here));
        let body = self.read_body(&request, body, self.0.limits[door]).await;
        let inbound = Inbound {
            door,
            caller: request.conn_data::<PeerNames>().cloned(),
            method: method(&request),
            path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_string(),
            content_type: text(&request, header::CONTENT_TYPE.as_str()),
            body,
            received,
            from,
            token,
            headers: KEPT_HEADERS.iter().filter_map(|name| Some((*name, text(&request, name)?))).collect(),
        };
        drop(request);
        self.0.counts.requests.fetch_add(1, Ordering::Relaxed);
        // A panic ends this request alone: it is counted and answered, and the worker goes on.
        match AssertUnwindSafe(async { handler(inbound).await }).catch_unwind().await {
            Ok(outbound) => respond(outbound),
            Err(_) => {
                self.0.counts.panics.fetch_add(1, Ordering::Relaxed);
                HttpResponse::InternalServerError().finish()
            }
        }
    }

    fn door(&self, address: SocketAddr) -> usize {
        let doors = &self.0.doors;
        let place = doors.binary_search_by_key(&address, |(door, _)| *door);
        doors[place.expect("a request comes in through one of the doors that were opened")].1
    }

    /// Most bodies are there with their head; only one that is not starts a timer.
    async fn read_body(&self, request: &HttpRequest, body: web::Payload, limit: usize) -> Result<Bytes, BodyProblem> {
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(BodyProblem::TooLarge { limit });
        }
        let mut whole = pin!(read_to_end(body, limit));
        if let Some(read) = whole.as_mut().now_or_never() {
            return read;
        }
        let patience = self.0.body_patience;
        let too_slow = || BodyProblem::Broken(format!("it was not complete after {} s", patience.as_secs_f64()));
        tokio::time::timeout(patience, whole).await.unwrap_or_else(|_| Err(too_slow()))
    }
}

async fn read_to_end(mut body: web::Payload, limit: usize) -> Result<Bytes, BodyProblem> {
    let broken = |problem: actix_web::error::PayloadError| BodyProblem::Broken(problem.to_string());
    let first = match body.next().await {
        None => return Ok(Bytes::new()),
        Some(piece) => piece.map_err(broken)?,
    };
    if first.len() > limit {
        return Err(BodyProblem::TooLarge { limit });
    }
    let Some(second) = body.next().await else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(piece) = next {
        let piece = piece.map_err(broken)?;
        if whole.len() + piece.len() > limit {
            return Err(BodyProblem::TooLarge { limit });
        }
        whole.extend_from_slice(&piece);
        next = body.next().await;
    }
    Ok(whole.freeze())
}

fn method(request: &HttpRequest) -> Method {
    match request.method().as_str() {
        "POST" => Method::Post,
        "GET" => Method::Get,
        other => Method::Other(other.into()),
    }
}

fn text(request: &HttpRequest, name: &str) -> Option<String> {
    request.headers().get(name)?.to_str().ok().map(str::to_string)
}

fn respond(outbound: Outbound) -> HttpResponse {
    if outbound.hangs_up {
        // A body that fails before the head was flushed ends the connection, and the head stays unwritten.
        return HttpResponse::Ok().streaming(stream::once(ready(Err::<Bytes, _>(HungUp))));
    }
    let status = StatusCode::from_u16(outbound.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(content_type) = &outbound.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type.as_ref()));
    }
    for (name, value) in &outbound.headers {
        if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            response.force_close();
        }
        response.insert_header((*name, value.as_str()));
    }
    // What follows the head of these two would be taken for the next answer (RFC 9112, 6.3).
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || outbound.body.is_empty() { response.finish() } else { response.body(outbound.body) }
}

/// The body of an answer that is not given.
#[derive(Debug, thiserror::Error)]
#[error("the handler hangs up")]
struct HungUp;
