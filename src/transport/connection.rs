//! One HTTPS connection of a caller: opened with TCP_NODELAY, TLS and HTTP/1.1, then asked once at a time.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, HandshakeKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::{Clock, Moment};
use crate::transport::failure::{CallError, Phase, is_tls};

/// The read buffer of a connection, in bytes; the head of an answer must fit, bodies may be larger.
const READ_BUFFER: usize = 8 * 1024;

/// An open connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    ended: Rc<RefCell<Option<hyper::Error>>>,
    written: Rc<Cell<Moment>>,
    pub(super) opened: Opened,
    /// When its last exchange ended, or when it was opened.
    pub(super) idle_since: Moment,
}

/// How a connection was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    /// How long TCP took.
    pub(super) connect: Duration,
    pub(super) connected: Moment,
    pub(super) handshake: Duration,
    pub(super) resumed: bool,
}

/// Why a request was not answered, and the request itself when no byte of it was written.
pub(super) struct Unanswered {
    pub(super) unsent: Option<Request<Full<Bytes>>>,
    pub(super) problem: hyper::Error,
}

impl Connection {
    /// Opens a connection; `phase` follows how far it came.
    pub(super) async fn open(
        address: SocketAddr,
        name: &ServerName<'static>,
        config: Arc<ClientConfig>,
        clock: Clock,
        phase: &Cell<Phase>,
    ) -> Result<Connection, CallError> {
        phase.set(Phase::Connect);
        let dialled = clock.now();
        let tcp = dial(address).await.map_err(|problem| CallError::connecting(address, &problem))?;
        let (tls, opened) = secure(tcp, dialled, name, config, clock, phase).await?;
        Connection::over(tls, opened, name, clock).await
    }

    /// A connection for HTTP over one for TLS.
    pub(super) async fn over<S: Socket>(
        tls: TlsStream<S>,
        opened: Opened,
        name: &ServerName<'static>,
        clock: Clock,
    ) -> Result<Connection, CallError> {
        let written = Rc::new(Cell::new(opened.connected));
        let io = TokioIo::new(Wire { tls, answered: false, clock, written: written.clone(), is_flushed: true });
        let shaken = http1::Builder::new().read_buf_exact_size(Some(READ_BUFFER)).handshake(io).await;
        let (sender, connection) =
            shaken.map_err(|problem| CallError::exchanging(&name.to_str(), Phase::Handshake, &problem))?;
        let ended = Rc::new(RefCell::new(None));
        let end = ended.clone();
        let driver = actix_rt::spawn(async move {
            if let Err(problem) = connection.await {
                *end.borrow_mut() = Some(problem);
            }
        });
        let idle_since = opened.connected + opened.handshake;
        Ok(Connection { sender, driver: driver.abort_handle(), ended, written, opened, idle_since })
    }

    /// Whether it can still carry a request; waits for the previous exchange to be settled.
    pub(super) async fn is_usable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        let sent = self.sender.try_send_request(request).await;
        sent.map_err(|mut failed| {
            let unsent = failed.take_message();
            let problem = failed.into_error();
            // A connection that ended before it was asked knows better why.
            let problem = if unsent.is_some() { self.ended.take().unwrap_or(problem) } else { problem };
            Unanswered { unsent, problem }
        })
    }

    /// When all that was to be sent had been handed to the operating system.
    pub(super) fn written(&self) -> Moment {
        self.written.get()
    }

    /// Ends it at once, also in the middle of an exchange.
    pub(super) fn cut(&self) {
        self.driver.abort();
    }
}

/// Connects TCP, with TCP_NODELAY.
pub(super) async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// Agrees on TLS over a connection that has just been made; its making began when it was `dialled`.
pub(super) async fn secure<S: Socket>(
    tcp: S,
    dialled: Moment,
    name: &ServerName<'static>,
    config: Arc<ClientConfig>,
    clock: Clock,
    phase: &Cell<Phase>,
) -> Result<(TlsStream<S>, Opened), CallError> {
    let connected = clock.now();
    phase.set(Phase::Handshake);
    let tls = TlsConnector::from(config).connect(name.clone(), tcp).into_fallible().await;
    let tls = tls.map_err(|(problem, tcp)| CallError::shaking_hands(&name.to_str(), &explain(problem, &tcp)))?;
    let resumed = tls.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    let opened =
        Opened { connect: connected.since(dialled), connected, handshake: clock.now().since(connected), resumed };
    Ok((tls, opened))
}

/// Why a handshake has failed. In TLS 1.2 a peer that refuses our certificate does so before we have said everything: a
/// write may notice the close before a read meets its alert, which still lies in the socket, and is in the clear.
fn explain<S: Socket>(failed: io::Error, socket: &S) -> io::Error {
    let mut last_words = [0; 1024];
    let Some(length) =
        Some(&failed).filter(|failed| !is_tls(failed)).and_then(|_| socket.read_now(&mut last_words).ok())
    else {
        return failed;
    };
    let mut records = &last_words[..length];
    // A record: its type, a version, the length of what follows; an alert is a level and what it is about (RFC 5246, 6.2.1).
    while let [kind, _, _, high, low, rest @ ..] = records {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if let (&ALERT, Some([_, about])) = (kind, rest.get(..length)) {
            let alert = rustls::Error::AlertReceived(AlertDescription::from(*about));
            return io::Error::new(io::ErrorKind::InvalidData, alert);
        }
        records = rest.get(length..).unwrap_or_default();
    }
    failed
}

/// The type of a record that holds an alert (RFC 5246, 6.2.1).
const ALERT: u8 = 21;

/// What TLS is spoken over.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Reads what lies in the socket, whether or not the runtime knows of it.
    fn read_now(&self, into: &mut [u8]) -> io::Result<usize>;
}

impl Socket for TcpStream {
    fn read_now(&self, into: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self, into)?)
    }
}

/// The TLS stream, which tells when all was written, and for a failed write looks whether the peer has said why.
struct Wire<S> {
    tls: TlsStream<S>,
    /// Whether anything was ever read from the peer.
    answered: bool,
    clock: Clock,
    written: Rc<Cell<Moment>>,
    /// Whether nothing has been written since `written`.
    is_flushed: bool,
}

impl<S: Socket> Wire<S> {
    /// A peer that refuses our certificate sends its alert and closes. A write may notice the close before a read meets
    /// the alert, which then still lies in the socket, and is read there: the runtime may not know of it yet.
    fn explain(&mut self, failed: io::Error) -> io::Error {
        if self.answered || is_tls(&failed) {
            return failed;
        }
        let (socket, session) = self.tls.get_mut();
        let mut last_words = [0; 1024];
        let Ok(length) = socket.read_now(&mut last_words) else { return failed };
        let mut rest = &last_words[..length];
        while !rest.is_empty() && session.read_tls(&mut rest).is_ok() {
            if let Err(problem) = session.process_new_packets() {
                return io::Error::new(io::ErrorKind::InvalidData, problem);
            }
        }
        failed
    }
}

impl<S: Socket> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let before = out.filled().len();
        let read = Pin::new(&mut wire.tls).poll_read(context, out);
        wire.answered |= out.filled().len() > before;
        read
    }
}

impl<S: Socket> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = Pin::new(&mut wire.tls).poll_write(context, bytes);
        wire.is_flushed = false;
        written.map_err(|failed| wire.explain(failed))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = Pin::new(&mut wire.tls).poll_write_vectored(context, bytes);
        wire.is_flushed = false;
        written.map_err(|failed| wire.explain(failed))
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let flushed = Pin::new(&mut wire.tls).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) && !wire.is_flushed {
            wire.is_flushed = true;
            wire.written.set(wire.clock.now());
        }
        flushed.map_err(|failed| wire.explain(failed))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(context)
    }
}
