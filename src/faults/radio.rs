//! The radio networks that have names: how long a message takes over one, how fast it is, how much it loses.

use std::time::Duration;

use crate::faults::keys::keyed;
use crate::faults::latency::Distribution;

/// A kind of radio network, as a device on the move may find it.
///
/// Round trips and rates of EDGE, 3G and LTE are the presets of WebPageTest (`connectivity.ini.sample`: 840 ms and
/// 240/200 kbit/s, 300 ms and 1600/768 kbit/s, 70 ms and 12 Mbit/s), the rates of GPRS and of Wi-Fi those by which
/// browsers' own tools slow a connection down (50/20 kbit/s, 30/15 Mbit/s). 3GPP TR 45.820 bounds the delay of an NB-IoT
/// exception report by 10 s. All other figures - the round trips of NB-IoT, GPRS and Wi-Fi, the spread, the loss - are
/// orders of magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Radio {
    NbIot,
    Gprs,
    Edge,
    ThreeG,
    Lte,
    Wifi,
}

keyed!(Radio {
    NbIot => "nb-iot",
    Gprs => "gprs",
    Edge => "edge",
    ThreeG => "3g",
    Lte => "lte",
    Wifi => "wifi",
});

/// The figures of one network.
struct Figures {
    /// There and back, for half of all messages.
    round_trip: Duration,
    /// Standard deviation of the logarithm of the delay.
    spread: f64,
    /// The longest delay one way.
    most: Duration,
    /// Bytes a second from the device: the slower way.
    bandwidth: u64,
    /// The share of messages that never arrive.
    loss: f64,
}

impl Radio {
    /// How long a message takes one way: half a round trip, log-normally spread, and capped.
    pub fn delay(self) -> Distribution {
        let figures = self.figures();
        let shape = Distribution::LogNormal { median: figures.round_trip / 2, sigma: figures.spread };
        Distribution::Capped { of: Box::new(shape), most: figures.most }
    }

    /// Bytes a second, on the slower way: from the device.
    pub fn bandwidth(self) -> u64 {
        self.figures().bandwidth
    }

    /// The share of messages that never arrive, 0 to 1, all that the network repeats by itself not counted.
    pub fn loss(self) -> f64 {
        self.figures().loss
    }

    fn figures(self) -> Figures {
        let figures = |round_trip, spread, most, bandwidth, loss| Figures {
            round_trip: Duration::from_millis(round_trip),
            spread,
            most: Duration::from_millis(most),
            bandwidth,
            loss,
        };
        match self {
            Radio::NbIot => figures(1600, 0.6, 10_000, 2_000, 0.01),
            Radio::Gprs => figures(1000, 0.5, 10_000, 2_500, 0.01),
            Radio::Edge => figures(840, 0.4, 8_000, 25_000, 0.01),
            Radio::ThreeG => figures(300, 0.4, 3_000, 96_000, 0.005),
            Radio::Lte => figures(70, 0.3, 1_000, 1_500_000, 0.002),
            Radio::Wifi => figures(4, 0.5, 200, 1_875_000, 0.001),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_listed_from_the_slowest_to_the_fastest() {
        for pair in Radio::ALL.windows(2) {
            let (slow, fast) = (pair[0], pair[1]);
            assert!(slow.delay().quantile(0.5) > fast.delay().quantile(0.5), "{slow:?} and {fast:?}");
            assert!(slow.bandwidth() < fast.bandwidth(), "{slow:?} and {fast:?}");
            assert!(slow.loss() >= fast.loss(), "{slow:?} and {fast:?}");
        }
    }

    #[test]
    fn half_of_all_messages_take_half_a_round_trip_and_none_longer_than_the_bound() {
        assert!(Radio::Edge.delay().quantile(0.5).abs_diff(Duration::from_millis(420)) < Duration::from_micros(1));
        // Log-normal: six deviations are 800 ms times e^3.6, over 29 s.
        assert_eq!(Radio::NbIot.delay().quantile(1.0 - 1e-9), Duration::from_secs(10));
    }
}
