//! What can go wrong with one exchange on the asking side, said by who makes the call; no other exchange feels it.
//!
//! | file | its job |
//! |---|---|
//! | `line` | the TCP connection of a call in trouble: reset, stalled, slowed, cut into pieces |
//! | `closed` | a port at which nobody listens |
//!
//! The call itself is made in `dialer::troubled`.

pub(super) mod closed;
pub(super) mod line;

use std::time::Duration;

use crate::transport::tls::ClientIdentity;

/// What goes wrong with one call. Any of these may act together; what comes first ends the exchange.
///
/// A call with a trouble, even an empty one, neither takes a connection from those that are kept nor leaves one: it opens
/// its own, which ends with the exchange.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// There is no connection.
    pub connect: Option<ConnectTrouble>,
    /// Who calls, and whom it trusts, in place of the call's own.
    pub identity: Option<ClientIdentity>,
    /// No earlier TLS session is resumed.
    pub full_handshake: bool,
    /// After the ClientHello, nothing is read or written for so long.
    pub handshake_stall: Option<Duration>,
    /// The connection is reset (RST). The caller has [`CallError::Broken`](super::CallError::Broken).
    pub reset: Option<Reset>,
    /// The request is lost: TLS stands, and nothing is sent.
    pub swallow: Option<Swallow>,
    /// The answer is lost: it has come back whole, and is thrown away.
    pub lose_answer: Option<Swallow>,
    /// Nothing of the answer is read for so long from when the request is sent.
    pub stall: Option<Duration>,
    /// After the exchange, the connection is kept open and unused for so long, then closed.
    pub slow_close: Option<Duration>,
    /// TCP bytes a second, each way, the handshake included; at least 1.
    pub bandwidth: Option<u64>,
    /// TCP is written in pieces of at most so many bytes (at least 1), with so long between them.
    pub slice: Option<(usize, Duration)>,
    /// The request asks to close the connection after it (`Connection: close`).
    pub close: bool,
    /// The same request is sent a second time once the first has been answered.
    pub again: Option<Again>,
    /// Travels beside the bytes of the exchange, the second copy's included: what
    /// [`Inbound::token`](super::Inbound::token) holds, if the dialer was given the doors' [`Tokens`](super::Tokens).
    pub answer: Option<u64>,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectTrouble {
    /// Nobody listens: the kernel answers with RST.
    Refuse,
    /// Nothing comes back until the time for the call is over; nothing is sent either.
    BlackHole,
}

/// When the connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    At(ResetPhase),
    /// So many TCP bytes, the handshake's included, are written; instead of the next one comes the reset. An exchange
    /// that writes no more than these is a whole one.
    After(u64),
}

/// How far an exchange comes before its connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetPhase {
    /// The ClientHello was written.
    Handshake,
    /// The first half of the request's head was written.
    RequestHead,
    /// The head and half of the body were written; of a request without a body, the head but for its last byte.
    RequestBody,
    /// The head of the answer was there: the handler ran, and its answer is lost.
    ResponseHead,
    /// The head of the answer and the first piece of its body, if it has one, were there.
    ResponseBody,
}

/// How something is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swallow {
    /// The caller waits until the time for the call is over.
    Silently,
    /// The connection is reset at once.
    Breaking,
}

/// The second copy of a request. It has as much time as the first had, and its end is in
/// [`Reply::again`](super::Reply::again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// On the connection of the first, or on a new one that has no trouble.
    pub on_same_connection: bool,
    /// Between the end of the first answer and the second copy.
    pub gap: Duration,
}
