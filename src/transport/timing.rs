//! When the phases of one call ended, on the caller's clock.

use std::time::Duration;

use crate::clock::Moment;

/// The moments of one call that was answered, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The call was made.
    pub started: Moment,
    /// How long TCP took; `None` when the call used a connection that was open already.
    pub connect: Option<Duration>,
    /// The TCP connection stood; `None` when the call used a connection that was open already.
    pub connected: Option<Moment>,
    /// How long the TLS handshake took; `None` when the call used a connection that was open already.
    pub handshake: Option<Duration>,
    /// Whether that handshake resumed an earlier session. TLS 1.3 and 1.2 alike.
    pub resumed: bool,
    /// The request was handed to the connection.
    pub sent: Moment,
    /// The whole request had been handed to the operating system.
    pub written: Moment,
    /// The head of the answer was there.
    pub first_byte: Moment,
    /// The last byte of the body was there.
    pub done: Moment,
}

impl Timing {
    /// Of what never left: it began and was done at these moments.
    pub fn of_nothing(began: Moment, done: Moment) -> Timing {
        Timing {
            started: began,
            connect: None,
            connected: None,
            handshake: None,
            resumed: false,
            sent: began,
            written: began,
            first_byte: done,
            done,
        }
    }

    /// From the call to the last byte of its answer, waiting for a connection included.
    pub fn total(&self) -> Duration {
        self.done.since(self.started)
    }

    /// From the request leaving to the last byte of its answer.
    pub fn exchange(&self) -> Duration {
        self.done.since(self.sent)
    }
}
