//! One distribution per metric, response and service time side by side, in memory that does not grow with samples.
//!
//! *Response* time counts from the moment the work was meant to start, *service* time from the moment it was sent. The
//! first holds the queue in front of a slow peer, the second hides it; so both are kept.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::delegation::flow::FlowKind;
use crate::delegation::message::Kind;
use crate::measure::outcome::{FLOW_KINDS, flow_slot};
use crate::measure::shard::SessionSide;

/// Shortest time told apart: 1 microsecond. What is shorter counts as that in percentiles.
const LOWEST_US: u64 = 1;
/// Longest time told apart: 1 hour. What is longer counts as that in percentiles.
const HIGHEST_US: u64 = 3_600_000_000;

/// Something whose duration is measured: a key of `latency` in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Flows that ended `done`, from start to end.
    Flow(FlowKind),
    /// A message until its answer was read.
    Message(Kind),
    /// A management session that went well.
    Session(SessionSide),
    /// Fetching a bootstrap document.
    Bootstrap,
    /// TLS until the connection can be used, full or resumed.
    TlsHandshake,
    TlsFull,
    TlsResumed,
    /// TCP until the connection stands.
    Connect,
    /// Of a call: until the whole request had left.
    Send,
    /// From there to the head of the answer.
    Wait,
    /// From there to its last byte.
    Receive,
}

impl Metric {
    /// How many there are.
    pub const COUNT: usize = FLOW_KINDS + Kind::ALL.len() + 10;

    /// Every metric, in the order of the summary.
    pub fn all() -> impl Iterator<Item = Metric> {
        FlowKind::all()
            .map(Metric::Flow)
            .chain(Kind::ALL.map(Metric::Message))
            .chain([SessionSide::Dms1, SessionSide::Dms2].map(Metric::Session))
            .chain([Metric::Bootstrap, Metric::TlsHandshake, Metric::TlsFull, Metric::TlsResumed])
            .chain([Metric::Connect, Metric::Send, Metric::Wait, Metric::Receive])
    }

    /// Its place in [`Metric::all`].
    fn slot(self) -> usize {
        const MESSAGES: usize = FLOW_KINDS;
        const REST: usize = MESSAGES + Kind::ALL.len();
        match self {
            Metric::Flow(kind) => flow_slot(kind),
            Metric::Message(kind) => MESSAGES + kind as usize,
            Metric::Session(SessionSide::Dms1) => REST,
            Metric::Session(SessionSide::Dms2) => REST + 1,
            Metric::Bootstrap => REST + 2,
            Metric::TlsHandshake => REST + 3,
            Metric::TlsFull => REST + 4,
            Metric::TlsResumed => REST + 5,
            Metric::Connect => REST + 6,
            Metric::Send => REST + 7,
            Metric::Wait => REST + 8,
            Metric::Receive => REST + 9,
        }
    }
}

/// `flow.<flow>`, `message.<message>`, `session.<dms1|dms2>`, `bootstrap`, `tls.handshake[.full|.resumed]`,
/// `http.<connect|send|wait|receive>`.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Flow(kind) => write!(f, "flow.{kind}"),
            Metric::Message(kind) => write!(f, "message.{}", kind.root()),
            Metric::Session(SessionSide::Dms1) => f.write_str("session.dms1"),
            Metric::Session(SessionSide::Dms2) => f.write_str("session.dms2"),
            Metric::Bootstrap => f.write_str("bootstrap"),
            Metric::TlsHandshake => f.write_str("tls.handshake"),
            Metric::TlsFull => f.write_str("tls.handshake.full"),
            Metric::TlsResumed => f.write_str("tls.handshake.resumed"),
            Metric::Connect => f.write_str("http.connect"),
            Metric::Send => f.write_str("http.send"),
            Metric::Wait => f.write_str("http.wait"),
            Metric::Receive => f.write_str("http.receive"),
        }
    }
}

/// The distributions of all metrics. A metric that never happens costs one pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies([Option<Box<Latency>>; Metric::COUNT]);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies([const { None }; Metric::COUNT])
    }
}

impl Latencies {
    /// Records one sample of a metric.
    pub fn record(&mut self, metric: Metric, response: Duration, service: Duration) {
        let latency = self.0[metric.slot()].get_or_insert_default();
        latency.response.record(response);
        latency.service.record(service);
    }

    /// The distribution of a metric; `None` when it has no sample.
    pub fn get(&self, metric: Metric) -> Option<&Latency> {
        self.0[metric.slot()].as_deref()
    }

    /// Takes in the samples of another.
    pub fn merge(&mut self, other: &Latencies) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            if let Some(theirs) = theirs {
                let mine = mine.get_or_insert_default();
                mine.merge(theirs);
            }
        }
    }
}

/// One metric: the same samples, counted from the intended start and from the send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Latency {
    pub response: Distribution,
    pub service: Distribution,
}

impl Latency {
    /// Takes in the samples of another.
    pub fn merge(&mut self, other: &Latency) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
    }
}

/// A histogram of three significant digits from 1 us to 1 h (184 KiB), with exact extremes and an exact mean beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    histogram: Histogram<u64>,
    min_ns: u64,
    max_ns: u64,
    sum_ns: u128,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { histogram: empty_histogram(), min_ns: u64::MAX, max_ns: 0, sum_ns: 0 }
    }
}

impl Distribution {
    /// Records one sample.
    pub fn record(&mut self, sample: Duration) {
        let nanos = u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX);
        self.histogram.saturating_record((nanos / 1_000).clamp(LOWEST_US, HIGHEST_US));
        self.min_ns = self.min_ns.min(nanos);
        self.max_ns = self.max_ns.max(nanos);
        self.sum_ns += u128::from(nanos);
    }

    /// Takes in the samples of another.
    pub fn merge(&mut self, other: &Distribution) {
        self.histogram.add(&other.histogram).expect("the same bounds on both sides");
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
        self.sum_ns += other.sum_ns;
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The histogram, in microseconds.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// The percentile at `quantile` (0 to 1), in milliseconds; `None` when too few samples stand behind it.
    ///
    /// It takes at least 1 / (1 - quantile) samples: 2 for p50, 10 for p90, 100 for p99, 1,000 for p999. With fewer,
    /// the percentile would be the maximum under another name.
    pub fn percentile_ms(&self, quantile: f64) -> Option<f64> {
        if self.count() < samples_needed(quantile) {
            return None;
        }
        // A bucket stands for its highest value; never say more than was seen.
        let nanos = self.histogram.value_at_quantile(quantile).saturating_mul(1_000);
        Some(millis(nanos.clamp(self.min_ns, self.max_ns)))
    }

    /// The longest sample, in milliseconds; `None` without samples.
    pub fn max_ms(&self) -> Option<f64> {
        (self.count() > 0).then(|| millis(self.max_ns))
    }

    /// What the summary says of it.
    pub fn spread(&self) -> Spread {
        let count = self.count();
        Spread {
            min: (count > 0).then(|| millis(self.min_ns)),
            mean: (count > 0).then(|| round_to_micros(self.sum_ns as f64 / count as f64 / 1e6)),
            p50: self.percentile_ms(0.5),
            p90: self.percentile_ms(0.9),
            p95: self.percentile_ms(0.95),
            p99: self.percentile_ms(0.99),
            p999: self.percentile_ms(0.999),
            max: self.max_ms(),
        }
    }
}

/// A distribution in milliseconds, rounded to the microsecond. `null` is what the samples do not bear out: everything
/// without samples, p50 under 2, p90 under 10, p95 under 20, p99 under 100, p999 under 1,000 samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["min", "mean", "p50", "p90", "p99", "p999", "max"]))]
pub struct Spread {
    pub min: Option<f64>,
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    /// Not there in summaries of versions that did not tell it.
    #[serde(default)]
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub max: Option<f64>,
}

/// A histogram of microseconds with the bounds of all of ours, so that any can be added to any.
pub fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, 3).expect("bounds that fit each other")
}

/// How many samples a percentile takes to say more than the maximum does: 2 for p50, 100 for p99.
pub fn samples_needed(quantile: f64) -> u64 {
    // Rounded, since 1.0 - 0.99 is a little more than 0.01.
    ((1.0 / (1.0 - quantile)).round() as u64).max(1)
}

fn millis(nanos: u64) -> f64 {
    round_to_micros(nanos as f64 / 1e6)
}

fn round_to_micros(millis: f64) -> f64 {
    (millis * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::default();
        for millis in samples {
            distribution.record(Duration::from_millis(millis));
        }
        distribution
    }

    #[test]
    fn every_metric_has_the_slot_of_its_place() {
        let slots: Vec<usize> = Metric::all().map(Metric::slot).collect();
        assert_eq!(slots, (0..Metric::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn metrics_are_named_as_the_summary_names_them() {
        let names: Vec<String> = Metric::all().map(|metric| metric.to_string()).collect();
        for name in [
            "flow.delegate.dmacc",
            "flow.delegate.url.full.by_delegated",
            "flow.revoke.forced",
            "message.delegation_req",
            "session.dms1",
            "session.dms2",
            "bootstrap",
            "tls.handshake",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn a_percentile_needs_samples_behind_it() {
        // (samples, p50, p90, p99, p999 are there)
        for (samples, there) in [
            (0, [false, false, false, false]),
            (1, [false, false, false, false]),
            (2, [true, false, false, false]),
            (9, [true, false, false, false]),
            (10, [true, true, false, false]),
            (99, [true, true, false, false]),
            (100, [true, true, true, false]),
            (999, [true, true, true, false]),
            (1000, [true, true, true, true]),
        ] {
            let spread = of(1..=samples).spread();
            let found = [spread.p50, spread.p90, spread.p99, spread.p999].map(|value| value.is_some());
            assert_eq!(found, there, "{samples} samples");
            assert_eq!([spread.min, spread.mean, spread.max].map(|v| v.is_some()), [samples > 0; 3], "{samples}");
        }
    }

    #[test]
    fn percentiles_are_right_to_three_digits_and_extremes_exactly() {
        let spread = of(1..=1000).spread();
        let near = |found: Option<f64>, right: f64| {
            let found = found.expect("enough samples");
            assert!((found - right).abs() <= right / 1000.0 + 0.001, "{found} is not {right}");
        };
        near(spread.p50, 500.0);
        near(spread.p90, 900.0);
        near(spread.p95, 950.0);
        near(spread.p99, 990.0);
        near(spread.p999, 999.0);
        // (1 + 1000) / 2
        assert_eq!((spread.min, spread.mean, spread.max), (Some(1.0), Some(500.5), Some(1000.0)));
    }

    #[test]
    fn percentiles_of_a_known_set_are_within_a_thousandth_of_the_true_ones() {
        // A million samples of 100 us, 101 us, ...: the n-th of them, from 1, is 99 us + n. Each is recorded once, in an
        // order that jumps about: 7,919 has no factor in common with a million.
        const SAMPLES: u64 = 1_000_000;
        let mut distribution = Distribution::default();
        for place in 0..SAMPLES {
            distribution.record(Duration::from_micros(100 + place * 7_919 % SAMPLES));
        }
        let spread = distribution.spread();
        for (found, per_mille) in [(spread.p50, 500), (spread.p90, 900), (spread.p99, 990), (spread.p999, 999)] {
            let true_us = (99 + SAMPLES / 1_000 * per_mille) as f64;
            let off = (found.expect("enough samples") * 1e3 - true_us).abs() / true_us;
            assert!(off <= 0.001, "the {per_mille}th of 1,000 is {true_us} us, found {found:?} ms: {off} off");
        }
        // 100 us at the least, 99 us + a million at most, and half of the sum of both in the middle: 500,099.5 us, told
        // to the microsecond.
        assert_eq!((spread.min, spread.max), (Some(0.1), Some(1_000.099)));
        assert!((spread.mean.expect("samples") - 500.0995).abs() < 0.001, "{:?}", spread.mean);
    }

    #[test]
    fn what_is_out_of_range_is_kept_at_the_edge_and_exact_at_the_extremes() {
        let mut distribution = Distribution::default();
        distribution.record(Duration::from_nanos(40));
        distribution.record(Duration::from_secs(7_200));
        let spread = distribution.spread();
        assert_eq!((spread.min, spread.max), (Some(0.0), Some(7_200_000.0)));
        assert_eq!(distribution.count(), 2);
    }

    #[test]
    fn a_distribution_is_as_large_as_it_says_whatever_it_holds() {
        let mut distribution = of(1..=1000);
        distribution.record(Duration::from_secs(3_600));
        // (22 + 1) * 1,024 counters of eight bytes each: 184 KiB.
        assert_eq!(distribution.histogram.distinct_values() * 8, 184 * 1024);
    }

    #[test]
    fn response_and_service_are_kept_apart() {
        let mut latencies = Latencies::default();
        latencies.record(Metric::Bootstrap, Duration::from_millis(30), Duration::from_millis(10));
        let mut merged = Latencies::default();
        merged.merge(&latencies);
        merged.merge(&latencies);
        let latency = merged.get(Metric::Bootstrap).expect("recorded");
        assert_eq!(latency.response.max_ms(), Some(30.0));
        assert_eq!(latency.service.max_ms(), Some(10.0));
        assert_eq!(latency.service.count(), 2);
        assert!(merged.get(Metric::TlsHandshake).is_none());
    }
}
