//! A summary in the text form of OpenMetrics, which Prometheus scrapes.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::measure::Summary;
use crate::report::metrics::{self, Family, Samples, Values};

/// What the text is, for the head of an answer.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The summary as such a text, up to its `# EOF`.
pub fn text(summary: &Summary) -> String {
    let mut registry = Registry::with_prefix("dmswarm");
    registry.register_collector(Box::new(Told(summary.clone())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("it is written to memory");
    text
}

#[derive(Debug)]
struct Told(Summary);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let about = Info::new(metrics::about(&self.0));
        about.encode(encoder.encode_descriptor("run", "What is run", None, MetricType::Info)?)?;
        metrics::families(&self.0).into_iter().try_for_each(|family| write(&mut encoder, family))
    }
}

fn write(to: &mut DescriptorEncoder<'_>, family: Family) -> fmt::Result {
    let Family { name, help, unit, values } = family;
    let help = format!("{help}.");
    let unit = unit.map(|unit| match unit {
        metrics::Unit::Seconds => Unit::Seconds,
        metrics::Unit::Bytes => Unit::Bytes,
        metrics::Unit::Ratio => Unit::Other("ratio".to_owned()),
    });
    match values {
        Values::Counter(samples) => {
            let family = to.encode_descriptor(name, &help, unit.as_ref(), MetricType::Counter)?;
            each(family, samples, ConstCounter::new)
        }
        Values::Gauge(samples) => {
            let family = to.encode_descriptor(name, &help, unit.as_ref(), MetricType::Gauge)?;
            each(family, samples, ConstGauge::new)
        }
    }
}

fn each<N, M: EncodeMetric>(mut family: MetricEncoder<'_>, samples: Samples<N>, of: impl Fn(N) -> M) -> fmt::Result {
    samples.into_iter().try_for_each(|(labels, value)| of(value).encode(family.encode_family(&labels)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::summary::PhaseRow;

    fn sample() -> Summary {
        serde_json::from_str(include_str!("../../results/sample/summary.json")).expect("a summary")
    }

    /// Every sample as its name with labels, and its value.
    fn samples(text: &str) -> Vec<(&str, f64)> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').expect("a value"))
            .map(|(name, value)| (name, value.parse().expect("a number")))
            .collect()
    }

    #[test]
    fn counters_are_those_of_the_summary() {
        let summary = sample();
        let text = text(&summary);
        let samples = samples(&text);
        let sum =
            |of: &str| samples.iter().filter(|(name, _)| name.starts_with(of)).map(|(_, value)| value).sum::<f64>();
        assert_eq!(sum("dmswarm_flows_started_total{"), summary.started() as f64);
        assert_eq!(sum("dmswarm_flows_total{"), summary.started() as f64, "all have ended");
        assert_eq!(sum("dmswarm_flows_under_way{"), 0.0);
        let handshakes = summary.sessions.handshakes_full + summary.sessions.handshakes_resumed;
        assert_eq!(sum("dmswarm_tls_handshakes_total{"), handshakes as f64);
        let (flow, row) = summary.flows.iter().next().expect("a flow");
        let done = format!("dmswarm_flows_total{{flow=\"{flow}\",outcome=\"done\"}}");
        assert!(samples.contains(&(done.as_str(), row.done as f64)), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn every_family_has_its_type_and_help_and_those_of_time_their_unit() {
        let text = text(&sample());
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            let name = line.split(' ').nth(2).expect("a name");
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
            if name.ends_with("_seconds") {
                assert!(text.contains(&format!("# UNIT {name} seconds\n")), "{name}");
            }
        }
        let mut names: Vec<&str> = samples(&text).into_iter().map(|(name, _)| name).collect();
        let many = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), many, "each sample stands there once");
    }

    #[test]
    fn what_is_not_known_is_left_out_and_a_flow_under_way_has_not_failed() {
        let mut summary = sample();
        let flow = summary.flows.iter().next().expect("a flow").0.to_owned();
        let (mut row, more) = (*summary.flows.get(&flow).expect("a row"), 5);
        row.started += more;
        summary.flows = [(flow.clone(), row)].into_iter().collect();
        summary.failed = [(flow.clone(), 2)].into_iter().collect();
        summary.limits[0].actual = None;
        let phase =
            |name: &str, to_s| PhaseRow { population: "all".to_owned(), name: name.to_owned(), from_s: 0.0, to_s };
        summary.phases = vec![phase("peak", Some(1.0)), phase("rest", Some(2.0)), phase("peak", None)];
        let text = text(&summary);
        assert!(text.contains(&format!("dmswarm_flows_under_way{{flow=\"{flow}\"}} 5.0\n")), "{text}");
        assert!(text.contains(&format!("dmswarm_flows_failed_total{{flow=\"{flow}\"}} 2\n")), "{text}");
        for (name, is_on) in [("peak", "1.0"), ("rest", "0.0")] {
            let line = format!("dmswarm_phase{{population=\"all\",phase=\"{name}\"}} {is_on}\n");
            assert_eq!(text.matches(&line).count(), 1, "{text}");
        }
        assert!(!text.contains("dmswarm_limit_actual{") && text.contains("dmswarm_limit{"), "{text}");
    }

    #[test]
    fn words_of_others_stand_in_labels_without_harm() {
        let summary = Summary { scenario: "a \"b\" \\ c\nd".to_owned(), ..sample() };
        let text = text(&summary);
        assert!(text.contains("scenario=\"a \\\"b\\\" \\\\ c\\nd\""), "{text}");
    }
}
