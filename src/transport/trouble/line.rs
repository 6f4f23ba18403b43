//! The TCP connection of a call in trouble: reset, stalled, slowed, and cut into pieces, below TLS.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::transport::connection::Socket;
use crate::transport::tokens::Registered;
use crate::transport::trouble::{Reset, ResetPhase, Trouble};

/// A slow line moves bytes so many times a second: often enough to be even, seldom enough for a timer that counts milliseconds.
const PIECES_A_SECOND: u64 = 50;

/// Between the last byte that gets through and the reset, so that the peer has begun with what it has.
pub(in crate::transport) const BEFORE_RESET: Duration = Duration::from_millis(5);

/// A TCP connection with its trouble.
pub(in crate::transport) struct Line {
    grip: Grip,
    /// Bytes a second, each way.
    bandwidth: Option<u64>,
    /// Most bytes of one read.
    most_read: usize,
    /// Most bytes of one write.
    most_written: usize,
    gap: Duration,
    /// Bytes that may still be written before the reset.
    left: Option<u64>,
    /// Whether it is reset instead of the first read: TLS has then written its first flight.
    resets_at_first_read: bool,
    reading: Rest,
    writing: Rest,
}

/// Holds the connection of a [`Line`] from outside, whoever reads and writes it.
#[derive(Clone)]
pub(in crate::transport) struct Grip(Rc<Gripped>);

/// Dropped in this order: a token goes before the port can become another's.
struct Gripped {
    token: RefCell<Option<Registered>>,
    tcp: RefCell<Option<TcpStream>>,
    stall: Cell<Option<Duration>>,
}

impl Line {
    pub(in crate::transport) fn new(tcp: TcpStream, trouble: &Trouble) -> Line {
        let stall = Cell::new(trouble.handshake_stall);
        let gripped = Gripped { token: RefCell::default(), tcp: RefCell::new(Some(tcp)), stall };
        let bandwidth = trouble.bandwidth.map(|bandwidth| bandwidth.max(1));
        let piece = bandwidth.map_or(u64::MAX, |bandwidth| (bandwidth / PIECES_A_SECOND).max(1));
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        let (slice, gap) = trouble.slice.unwrap_or((usize::MAX, Duration::ZERO));
        Line {
            grip: Grip(Rc::new(gripped)),
            bandwidth,
            most_read: piece,
            most_written: piece.min(slice.max(1)),
            gap,
            left: trouble.reset.and_then(|reset| match reset {
                Reset::After(bytes) => Some(bytes),
                Reset::At(_) => None,
            }),
            resets_at_first_read: trouble.reset == Some(Reset::At(ResetPhase::Handshake)),
            reading: Rest::default(),
            writing: Rest::default(),
        }
    }

    pub(in crate::transport) fn grip(&self) -> Grip {
        self.grip.clone()
    }

    /// How long so many bytes keep a slow line busy.
    fn busy_with(&self, bytes: usize) -> Duration {
        self.bandwidth.map_or(Duration::ZERO, |bandwidth| Duration::from_secs_f64(bytes as f64 / bandwidth as f64))
    }
}

impl Grip {
    /// The connection bears this token until it ends or [`Grip::forget_token`] is called.
    pub(in crate::transport) fn bear(&self, token: Registered) {
        *self.0.token.borrow_mut() = Some(token);
    }

    pub(in crate::transport) fn forget_token(&self) {
        self.0.token.take();
    }

    /// The next read waits for so long.
    pub(in crate::transport) fn stall(&self, wait: Duration) {
        self.0.stall.set(Some(wait));
    }

    /// Ends the connection at once with RST; what was written and not read by then may be lost.
    pub(in crate::transport) fn reset(&self) {
        self.forget_token();
        if let Some(tcp) = self.0.tcp.take() {
            // It can fail only for what is no socket. Closing without lingering is what makes the kernel send RST.
            let _ = set_socket_linger(&tcp, Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if let Some(wait) = line.grip.0.stall.take() {
            line.reading.begin(wait);
        }
        ready!(line.reading.poll(context));
        if line.resets_at_first_read {
            line.grip.reset();
        }
        let most = line.most_read.min(out.remaining());
        let read = {
            let mut tcp = line.grip.0.tcp.borrow_mut();
            let Some(tcp) = tcp.as_mut() else { return Poll::Ready(Err(was_reset())) };
            let mut piece = ReadBuf::new(out.initialize_unfilled_to(most));
            ready!(Pin::new(tcp).poll_read(context, &mut piece))?;
            piece.filled().len()
        };
        out.advance(read);
        line.reading.begin(line.busy_with(read));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        ready!(line.writing.poll(context));
        if line.left == Some(0) {
            line.grip.reset();
        }
        let left = usize::try_from(line.left.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let piece = &bytes[..bytes.len().min(line.most_written).min(left)];
        let written = {
            let mut tcp = line.grip.0.tcp.borrow_mut();
            let Some(tcp) = tcp.as_mut() else { return Poll::Ready(Err(was_reset())) };
            ready!(Pin::new(tcp).poll_write(context, piece))?
        };
        let mut rest = line.busy_with(written).max(line.gap);
        if let Some(left) = &mut line.left {
            *left -= written as u64;
            if *left == 0 {
                rest = rest.max(BEFORE_RESET);
            }
        }
        line.writing.begin(rest);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.grip.0.tcp.borrow_mut().as_mut() {
            Some(tcp) => Pin::new(tcp).poll_flush(context),
            None => Poll::Ready(Err(was_reset())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.grip.0.tcp.borrow_mut().as_mut() {
            Some(tcp) => Pin::new(tcp).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Socket for Line {
    fn read_now(&self, into: &mut [u8]) -> io::Result<usize> {
        self.grip.0.tcp.borrow().as_ref().map_or_else(|| Err(was_reset()), |tcp| tcp.read_now(into))
    }
}

/// What the caller itself sees of a reset.
fn was_reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "reset by this side, as the call's trouble wants it")
}

/// A time in which one direction stands still.
#[derive(Default)]
struct Rest {
    until: Option<Pin<Box<Sleep>>>,
}

impl Rest {
    fn begin(&mut self, wait: Duration) {
        if !wait.is_zero() {
            self.until = Some(Box::pin(sleep(wait)));
        }
    }

    /// Ready once it is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = &mut self.until {
            ready!(until.as_mut().poll(context));
            self.until = None;
        }
        Poll::Ready(())
    }
}
