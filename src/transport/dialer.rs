//! The asking side: HTTPS calls from one arbiter, over connections that are kept and bounded.

mod troubled;

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::try_join_all;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};

use crate::clock::{Clock, Moment};
use crate::transport::address::Address;
use crate::transport::exchange::{Method, Outbound};
use crate::transport::failure::{CallError, Phase};
use crate::transport::guard::{Names, NotAllowed};
use crate::transport::pool::Pool;
use crate::transport::quota::Refused;
use crate::transport::timing::Timing;
use crate::transport::tls::ClientIdentity;
use crate::transport::tokens::Tokens;
use crate::transport::trouble::Trouble;
use crate::transport::trouble::closed::ClosedPort;

/// How many connections a dialer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialerOptions {
    /// Connections to one target (host, port, identity, owner) at once; further calls queue, first come first served.
    pub open_per_target: usize,
    /// Of these, how many stay open while they are not used.
    pub idle_per_target: usize,
    /// An unused connection older than this is not used again. Shorter than the servers' patience, so that the two never cross.
    pub idle_for: Duration,
    /// A connection that was unused for this long is looked at before it is used: the peer may have closed it.
    pub look_after: Duration,
}

impl Default for DialerOptions {
    fn default() -> DialerOptions {
        DialerOptions {
            open_per_target: 64,
            idle_per_target: 64,
            idle_for: Duration::from_secs(60),
            look_after: Duration::from_millis(20),
        }
    }
}

/// One request to make.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub address: Address,
    /// Who calls, and whom it trusts.
    pub identity: ClientIdentity,
    /// With a number, the call shares connections only with calls of the same number: "one connection per device".
    pub owner: Option<u32>,
    pub content_type: Option<Cow<'static, str>>,
    /// Further headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// For everything from the queue to the last byte.
    pub timeout: Duration,
    /// Largest body of an answer that is taken, in bytes.
    pub body_limit: usize,
    /// What goes wrong with this exchange, and with no other.
    pub trouble: Option<Box<Trouble>>,
}

impl Call {
    /// A POST with 10 s to be answered and a limit of 1 MiB.
    pub fn post(
        address: Address,
        identity: ClientIdentity,
        content_type: impl Into<Cow<'static, str>>,
        body: impl Into<Bytes>,
    ) -> Call {
        let call = Call::get(address, identity);
        Call { method: Method::Post, content_type: Some(content_type.into()), body: body.into(), ..call }
    }

    /// A GET with 10 s to be answered and a limit of 1 MiB.
    pub fn get(address: Address, identity: ClientIdentity) -> Call {
        Call {
            method: Method::Get,
            address,
            identity,
            owner: None,
            content_type: None,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            body_limit: 1024 * 1024,
            trouble: None,
        }
    }
}

/// The answer to a call, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Bytes,
    pub timing: Timing,
    /// Where the same request was sent a second time ([`Trouble::again`]): the status it was answered with.
    pub again: Option<Result<u16, CallError>>,
    headers: HeaderMap,
}

impl Reply {
    /// An answer as if it had come, with these times. A header that HTTP does not allow is left out.
    pub fn made_of(answer: Outbound, timing: Timing) -> Reply {
        let content_type = answer.content_type.map(|text| ("content-type", text.into_owned()));
        let mut headers = HeaderMap::new();
        for (name, value) in content_type.into_iter().chain(answer.headers) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        Reply { status: answer.status, body: answer.body, timing, again: None, headers }
    }

    /// The Content-Type as it was sent, if it is text.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// A header by its name, if its value is text; of several, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a dialer has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DialerCounts {
    /// Calls made, answered or not.
    pub calls: u64,
    /// Connections opened, each with a TLS handshake.
    pub opened: u64,
    /// Of these handshakes, how many resumed an earlier session.
    pub resumed: u64,
    /// Connections open and unused at this moment.
    pub idle: u64,
}

/// Makes calls from one arbiter. Clones share their connections; it does not leave its thread.
#[derive(Clone)]
pub struct Dialer {
    pool: Rc<Pool>,
    calls: Rc<Cell<u64>>,
    clock: Clock,
    tokens: Option<Arc<Tokens>>,
    closed: Rc<ClosedPort>,
}

impl Dialer {
    /// A dialer that may call the hosts in `names`, and loopback addresses.
    pub fn new(names: Names, options: DialerOptions, clock: Clock) -> Dialer {
        let pool = Rc::new(Pool::new(names, options, clock));
        Dialer { pool, calls: Rc::default(), clock, tokens: None, closed: Rc::default() }
    }

    /// With the table through which a call's [`Trouble::answer`] reaches the answering side: that of its [`Doors`](super::Doors).
    pub fn with_tokens(mut self, tokens: Arc<Tokens>) -> Dialer {
        self.tokens = Some(tokens);
        self
    }

    /// Makes a call. It is written at most once: a POST whose connection breaks off is an error, never repeated; only a
    /// call of which no byte was written goes to another connection. Dropping the future ends the connection it used.
    pub async fn call(&self, mut call: Call) -> Result<Reply, CallError> {
        self.calls.set(self.calls.get() + 1);
        self.wait_for_turn(&mut call).await?;
        if call.trouble.is_some() {
            // Boxed, so that the calls without trouble do not carry the size of it.
            return Box::pin(self.call_in_trouble(call)).await;
        }
        let started = self.clock.now();
        let (phase, after) = (Cell::new(Phase::Guard), call.timeout);
        let answered = tokio::time::timeout(after, self.exchange(call, started, &phase)).await;
        answered.unwrap_or_else(|_| Err(CallError::TimedOut { phase: phase.get(), after }))
    }

    /// Opens connections beforehand, until at least this many to the target stand open (bounded by the options); returns how many do.
    pub async fn warm(
        &self,
        address: &Address,
        identity: &ClientIdentity,
        owner: Option<u32>,
        connections: usize,
        timeout: Duration,
    ) -> Result<usize, CallError> {
        let phase = Cell::new(Phase::Guard);
        let wanted = connections.min(self.pool.bound());
        let leases = try_join_all((0..wanted).map(|_| self.pool.lease(address, identity, owner, &phase)));
        let leases = tokio::time::timeout(timeout, leases).await;
        let leases = leases.map_err(|_| CallError::TimedOut { phase: phase.get(), after: timeout })??;
        let (opened, now) = (leases.len(), self.clock.now());
        leases.into_iter().for_each(|lease| lease.keep(now));
        Ok(opened)
    }

    /// Closes the unused connections of an owner.
    pub fn hang_up(&self, owner: u32) {
        self.pool.hang_up(owner);
    }

    /// Closes all unused connections.
    pub fn hang_up_all(&self) {
        self.pool.hang_up_all();
    }

    /// What it has done so far.
    pub fn counts(&self) -> DialerCounts {
        DialerCounts {
            calls: self.calls.get(),
            opened: self.pool.opened.get(),
            resumed: self.pool.resumed.get(),
            idle: self.pool.idle() as u64,
        }
    }

    /// Where only so much may be asked of a target, waits until it may be asked; of the time for the call.
    async fn wait_for_turn(&self, call: &mut Call) -> Result<(), CallError> {
        let (host, port) = (call.address.host(), call.address.port());
        let Some(quota) = self.pool.quota(host, port) else { return Ok(()) };
        let is_sent_again = call.trouble.as_ref().is_some_and(|trouble| trouble.again.is_some());
        let after = call.timeout;
        match quota.take(1 + u32::from(is_sent_again), self.clock.now(), after) {
            Ok(wait) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                    call.timeout = after.saturating_sub(wait);
                }
                Ok(())
            }
            Err(Refused::TooLate) => {
                tokio::time::sleep(after).await;
                Err(CallError::TimedOut { phase: Phase::Queue, after })
            }
            Err(Refused::OverBudget { budget }) => {
                Err(NotAllowed::OverBudget { host: host.to_owned(), port, budget }.into())
            }
        }
    }

    async fn exchange(&self, call: Call, started: Moment, phase: &Cell<Phase>) -> Result<Reply, CallError> {
        let Call { address, identity, owner, body_limit, .. } = &call;
        let mut request = written(&call)?;
        let mut lease = self.pool.lease(address, identity, *owner, phase).await?;
        let (answer, sent) = loop {
            phase.set(Phase::Answer);
            let sent = self.clock.now();
            match lease.connection().ask(request).await {
                Ok(answer) => break (answer, sent),
                Err(unanswered) => match unanswered.unsent {
                    Some(unsent) if !lease.fresh => {
                        request = unsent;
                        lease.replace(phase).await?;
                    }
                    _ => return Err(CallError::exchanging(lease.host(), Phase::Answer, &unanswered.problem)),
                },
            }
        };
        let first_byte = self.clock.now();
        let written = lease.connection().written().clamp(sent, first_byte);
        phase.set(Phase::Body);
        let (head, body) = answer.into_parts();
        let body = read_body(lease.host(), &head.headers, body, *body_limit).await?;
        let done = self.clock.now();
        let opened = lease.fresh.then(|| lease.connection().opened);
        lease.keep(done);
        let timing = Timing {
            started,
            connect: opened.map(|opened| opened.connect),
            connected: opened.map(|opened| opened.connected),
            handshake: opened.map(|opened| opened.handshake),
            resumed: opened.is_some_and(|opened| opened.resumed),
            sent,
            written,
            first_byte,
            done,
        };
        Ok(Reply { status: head.status.as_u16(), body, timing, again: None, headers: head.headers })
    }
}

/// The call as an HTTP request.
fn written(call: &Call) -> Result<Request<Full<Bytes>>, CallError> {
    let unwritable =
        |what: &str| CallError::Unwritable { problem: format!("{what} holds a character that HTTP forbids") };
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = match &call.method {
        Method::Post => http::Method::POST,
        Method::Get => http::Method::GET,
        Method::Other(name) => http::Method::from_bytes(name.as_bytes()).map_err(|_| unwritable("the method"))?,
    };
    *request.uri_mut() = call.address.request_target().clone();
    let headers = request.headers_mut();
    headers.insert(HOST, call.address.host_header().clone());
    if let Some(content_type) = &call.content_type {
        let value = HeaderValue::from_str(content_type).map_err(|_| unwritable("the content type"))?;
        headers.insert(CONTENT_TYPE, value);
    }
    for (name, value) in &call.headers {
        let value = HeaderValue::from_str(value).map_err(|_| unwritable(name))?;
        headers.insert(HeaderName::try_from(*name).map_err(|_| unwritable(name))?, value);
    }
    Ok(request)
}

/// The whole body; most come in one piece, which is not copied.
async fn read_body(host: &str, headers: &HeaderMap, mut body: Incoming, limit: usize) -> Result<Bytes, CallError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(CallError::TooLarge { limit });
    }
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|problem| CallError::exchanging(host, Phase::Body, &problem))?;
        let Ok(piece) = frame.into_data() else { continue };
        if first.len().max(more.len()) + piece.len() > limit {
            return Err(CallError::TooLarge { limit });
        }
        if first.is_empty() && more.is_empty() {
            first = piece;
            continue;
        }
        if more.is_empty() {
            more.extend_from_slice(&first);
        }
        more.extend_from_slice(&piece);
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}
