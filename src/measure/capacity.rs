//! What a machine can generate where the peer costs next to nothing, and whether what a load needs fits into it.

use std::time::Duration;

use crate::measure::health::Lateness;
use crate::measure::latency::Spread;

/// What was measured of a machine, with a peer in the same process that answers at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Threads that called and answered.
    pub threads: usize,
    /// For how long each figure was measured.
    pub each: Duration,
    /// On kept connections, with as many under way as the connections hold.
    pub exchanges_per_s: f64,
    /// From the call to the last byte of its answer, in milliseconds, meanwhile.
    pub exchange_ms: Spread,
    /// Connections opened with a full handshake, mutual TLS 1.3; one exchange on each.
    pub full_handshakes_per_s: f64,
    /// As those, but with handshakes that resume an earlier session.
    pub resumed_handshakes_per_s: f64,
    pub pace: Pace,
}

/// How well a machine keeps to a schedule at half the rate of exchanges that it can generate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    pub starts_per_s: f64,
    /// From the moment that a start was meant for until it was handed to the dialer.
    pub late_ms: Lateness,
    /// How late timers of the threads fired meanwhile.
    pub event_loop_ms: Lateness,
}

/// What a load needs, per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Need {
    /// HTTPS requests with their answers, between whomever.
    pub exchanges: f64,
    /// Connections that are opened, each with a full handshake.
    pub handshakes: f64,
}

/// How what a load needs stands to what a machine can generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Under half.
    Comfortable,
    /// Under 80 %.
    Close,
    /// More than that.
    TooMuch,
}

impl Capacity {
    /// The share of this machine that a need takes: exchanges and handshakes are done by the same threads, so their shares
    /// add up.
    pub fn share(&self, need: &Need) -> f64 {
        part(need.exchanges, self.exchanges_per_s) + part(need.handshakes, self.full_handshakes_per_s)
    }
}

impl Fit {
    /// The share of what a machine can generate below which a load is comfortable.
    pub const COMFORTABLE_BELOW: f64 = 0.5;
    /// The share below which it is close; from here on, it is too much.
    pub const CLOSE_BELOW: f64 = 0.8;

    /// What a share amounts to.
    pub fn of(share: f64) -> Fit {
        match share {
            share if share < Fit::COMFORTABLE_BELOW => Fit::Comfortable,
            share if share < Fit::CLOSE_BELOW => Fit::Close,
            _ => Fit::TooMuch,
        }
    }

    /// The word for it, for people and programs.
    pub fn key(self) -> &'static str {
        match self {
            Fit::Comfortable => "comfortable",
            Fit::Close => "close",
            Fit::TooMuch => "too much",
        }
    }
}

/// Nothing is no part of anything; something is more than all of nothing.
fn part(needed: f64, of: f64) -> f64 {
    if needed > 0.0 { needed / of } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 exchanges/s or 100 handshakes/s.
    fn capacity() -> Capacity {
        Capacity {
            threads: 2,
            each: Duration::from_secs(1),
            exchanges_per_s: 1_000.0,
            exchange_ms: Spread::default(),
            full_handshakes_per_s: 100.0,
            resumed_handshakes_per_s: 200.0,
            pace: Pace { starts_per_s: 500.0, late_ms: Lateness::default(), event_loop_ms: Lateness::default() },
        }
    }

    #[test]
    fn under_half_is_comfortable_and_under_four_fifths_close() {
        for (share, fit) in [
            (0.0, Fit::Comfortable),
            (0.499, Fit::Comfortable),
            (0.5, Fit::Close),
            (0.799, Fit::Close),
            (0.8, Fit::TooMuch),
            (3.0, Fit::TooMuch),
            (f64::INFINITY, Fit::TooMuch),
        ] {
            assert_eq!(Fit::of(share), fit, "{share}");
        }
    }

    #[test]
    fn exchanges_and_handshakes_take_their_shares_of_the_same_machine() {
        // 250 of 1,000 and 20 of 100: 0.25 + 0.20
        let need = Need { exchanges: 250.0, handshakes: 20.0 };
        assert!((capacity().share(&need) - 0.45).abs() < 1e-9);
        assert_eq!(capacity().share(&Need::default()), 0.0);
        let none = Capacity { full_handshakes_per_s: 0.0, ..capacity() };
        assert_eq!(Fit::of(none.share(&need)), Fit::TooMuch);
        assert_eq!(none.share(&Need { handshakes: 0.0, ..need }), 0.25);
    }
}
