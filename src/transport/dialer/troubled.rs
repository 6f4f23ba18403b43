//! A call in trouble: over a connection of its own, with everything that its [`Trouble`] wants to go wrong.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::{Call, Dialer, Reply, read_body, written};
use crate::clock::Moment;
use crate::transport::connection::{Connection, Opened, dial, secure};
use crate::transport::failure::{CallError, Phase};
use crate::transport::timing::Timing;
use crate::transport::trouble::line::{BEFORE_RESET, Grip, Line};
use crate::transport::trouble::{Again, ConnectTrouble, Reset, ResetPhase, Swallow, Trouble};

impl Dialer {
    /// Makes a call whose trouble is set.
    pub(super) async fn call_in_trouble(&self, mut call: Call) -> Result<Reply, CallError> {
        let trouble = call.trouble.take().unwrap_or_default();
        let started = self.clock.now();
        let after = call.timeout;
        let (mut reply, mut held) =
            within(after, async |phase| self.first(&call, &trouble, started, phase).await).await?;
        if let Some(again) = trouble.again {
            reply.again =
                Some(within(after, async |phase| self.second(&call, &trouble, again, &mut held, phase).await).await);
        }
        match trouble.lose_answer {
            Some(Swallow::Breaking) => return Err(held.grip.break_off(Phase::Answer)),
            Some(Swallow::Silently) => {
                sleep(after.saturating_sub(self.clock.now().since(started))).await;
                return Err(CallError::TimedOut { phase: Phase::Answer, after });
            }
            None => {}
        }
        if let Some(wait) = trouble.slow_close {
            held.grip.forget_token();
            actix_rt::spawn(async move {
                sleep(wait).await;
                drop(held);
            });
        }
        Ok(reply)
    }

    /// The request and its answer, or what becomes of them.
    async fn first(
        &self,
        call: &Call,
        trouble: &Trouble,
        started: Moment,
        phase: &Cell<Phase>,
    ) -> Result<(Reply, Held), CallError> {
        let request = request(call, trouble)?;
        let (mut tls, opened, grip, name) = self.connect(call, trouble, phase).await?;
        phase.set(Phase::Answer);
        match trouble.swallow {
            Some(Swallow::Silently) => match pending::<Infallible>().await {},
            Some(Swallow::Breaking) => return Err(grip.break_off(Phase::Answer)),
            None => {}
        }
        let reset = match trouble.reset {
            Some(Reset::At(phase)) => Some(phase),
            _ => None,
        };
        if let Some(part @ (ResetPhase::RequestHead | ResetPhase::RequestBody)) = reset {
            let part = part_of(&request, &call.body, part);
            let sent = async {
                tls.write_all(&part).await?;
                tls.flush().await
            };
            // Where it cannot even be written, the connection has broken off by itself.
            if let Err(problem) = sent.await {
                return Err(CallError::Broken { phase: Phase::Answer, problem: problem.to_string() });
            }
            sleep(BEFORE_RESET).await;
            return Err(grip.break_off(Phase::Answer));
        }
        let mut held = Held { connection: Connection::over(tls, opened, &name, self.clock).await?, grip };
        if let Some(wait) = trouble.stall {
            held.grip.stall(wait);
        }
        let sent = self.clock.now();
        let answer = held.connection.ask(request).await;
        let host = call.address.host();
        let answer = answer.map_err(|unanswered| CallError::exchanging(host, Phase::Answer, &unanswered.problem))?;
        if reset == Some(ResetPhase::ResponseHead) {
            return Err(held.grip.break_off(Phase::Answer));
        }
        let first_byte = self.clock.now();
        let written = held.connection.written().clamp(sent, first_byte);
        phase.set(Phase::Body);
        let (head, mut body) = answer.into_parts();
        if reset == Some(ResetPhase::ResponseBody) {
            if !body.is_end_stream() {
                // Whether it came or not, this is where the exchange ends.
                let _ = body.frame().await;
            }
            return Err(held.grip.break_off(Phase::Body));
        }
        let body = read_body(host, &head.headers, body, call.body_limit).await?;
        let timing = Timing {
            started,
            connect: Some(opened.connect),
            connected: Some(opened.connected),
            handshake: Some(opened.handshake),
            resumed: opened.resumed,
            sent,
            written,
            first_byte,
            done: self.clock.now(),
        };
        let reply = Reply { status: head.status.as_u16(), body, timing, again: None, headers: head.headers };
        Ok((reply, held))
    }

    /// The same request once more; its status.
    async fn second(
        &self,
        call: &Call,
        trouble: &Trouble,
        again: Again,
        held: &mut Held,
        phase: &Cell<Phase>,
    ) -> Result<u16, CallError> {
        phase.set(Phase::Connect);
        sleep(again.gap).await;
        let request = request(call, trouble)?;
        if again.on_same_connection {
            if !held.connection.is_usable().await {
                let problem = "the connection ended with the first answer".to_string();
                return Err(CallError::Broken { phase: Phase::Connect, problem });
            }
            return held.status(call, request, phase).await;
        }
        let Trouble { identity, full_handshake, answer, .. } = trouble.clone();
        let plain = Trouble { identity, full_handshake, answer, ..Trouble::default() };
        let (tls, opened, grip, name) = self.connect(call, &plain, phase).await?;
        let mut held = Held { connection: Connection::over(tls, opened, &name, self.clock).await?, grip };
        held.status(call, request, phase).await
    }

    /// A connection of its own, up to TLS.
    async fn connect(
        &self,
        call: &Call,
        trouble: &Trouble,
        phase: &Cell<Phase>,
    ) -> Result<(TlsStream<Line>, Opened, Grip, ServerName<'static>), CallError> {
        let (address, name) = self.pool.admit(call.address.host(), call.address.port())?;
        let unconnected = |problem| CallError::connecting(address, &problem);
        phase.set(Phase::Connect);
        let dialled = match trouble.connect {
            Some(ConnectTrouble::BlackHole) => match pending::<Infallible>().await {},
            Some(ConnectTrouble::Refuse) => self.closed.address().map_err(unconnected)?,
            None => address,
        };
        let began = self.clock.now();
        let tcp = dial(dialled).await.map_err(unconnected)?;
        let caller = tcp.local_addr().map_err(unconnected)?;
        let line = Line::new(tcp, trouble);
        let grip = line.grip();
        if let (Some(tokens), Some(token)) = (&self.tokens, trouble.answer) {
            grip.bear(tokens.register(caller, address, token));
        }
        let (tls, opened) = secure(line, began, &name, config(call, trouble), self.clock, phase).await?;
        self.pool.count(opened);
        Ok((tls, opened, grip, name))
    }
}

/// Runs a part of a call in its time.
async fn within<T>(
    after: Duration,
    part: impl AsyncFnOnce(&Cell<Phase>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let phase = Cell::new(Phase::Guard);
    let ended = timeout(after, part(&phase)).await;
    ended.unwrap_or_else(|_| Err(CallError::TimedOut { phase: phase.get(), after }))
}

/// A connection that ends when this is dropped, and its token before it.
struct Held {
    connection: Connection,
    grip: Grip,
}

impl Held {
    /// Asks and reads the answer to its end; its status.
    async fn status(
        &mut self,
        call: &Call,
        request: Request<Full<Bytes>>,
        phase: &Cell<Phase>,
    ) -> Result<u16, CallError> {
        phase.set(Phase::Answer);
        let host = call.address.host();
        let answer = self.connection.ask(request).await;
        let answer = answer.map_err(|unanswered| CallError::exchanging(host, Phase::Answer, &unanswered.problem))?;
        phase.set(Phase::Body);
        let (head, body) = answer.into_parts();
        read_body(host, &head.headers, body, call.body_limit).await?;
        Ok(head.status.as_u16())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.grip.forget_token();
        self.connection.cut();
    }
}

impl Grip {
    /// Resets the connection; what the caller then knows.
    fn break_off(&self, phase: Phase) -> CallError {
        self.reset();
        CallError::Broken {
            phase,
            problem: "this side reset the connection, as the call's trouble wants it".to_string(),
        }
    }
}

fn request(call: &Call, trouble: &Trouble) -> Result<Request<Full<Bytes>>, CallError> {
    let mut request = written(call)?;
    if trouble.close {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(request)
}

fn config(call: &Call, trouble: &Trouble) -> Arc<ClientConfig> {
    let config = trouble.identity.as_ref().unwrap_or(&call.identity).config();
    if !trouble.full_handshake {
        return config.clone();
    }
    let mut config = ClientConfig::clone(config);
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

/// The bytes of a request up to where a reset cuts it off, as HTTP/1.1 writes them.
fn part_of(request: &Request<Full<Bytes>>, body: &Bytes, cut: ResetPhase) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len()).as_bytes());
    if cut == ResetPhase::RequestHead {
        bytes.truncate(bytes.len() / 2);
    } else if body.is_empty() {
        bytes.pop();
    } else {
        bytes.extend_from_slice(&body[..body.len() / 2]);
    }
    bytes
}
