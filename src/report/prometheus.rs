//! A summary in the text form of OpenMetrics, which Prometheus scrapes.
//!
//! Counters go up while a run goes on and begin at zero with the next; percentiles are of the whole run so far, made by us,
//! so that they are gauges: they cannot be added up over several instances. What is not known is left out.

use std::fmt::{self, Write};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::measure::Summary;
use crate::measure::latency::Spread;
use crate::measure::limit;
use crate::measure::summary::{FlowRow, MessageRow};

/// What the text is, for the head of an answer.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The summary as such a text, up to its `# EOF`.
pub fn metrics(summary: &Summary) -> String {
    let mut registry = Registry::with_prefix("dmswarm");
    registry.register_collector(Box::new(Told(summary.clone())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("it is written to memory");
    text
}

#[derive(Debug)]
struct Told(Summary);

/// Labels, by name and value.
type Labels = Vec<(&'static str, String)>;
/// One family: its samples with their labels.
type Samples<N> = Vec<(Labels, N)>;

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (to, summary) = (&mut encoder, &self.0);
        run(to, summary)?;
        flows(to, summary)?;
        messages(to, summary)?;
        sessions(to, summary)?;
        latency(to, summary)?;
        limits(to, summary)?;
        health(to, summary)
    }
}

fn run(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let about = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("scenario", summary.scenario.clone()),
        ("seed", summary.seed.to_string()),
        ("policy", summary.policy.clone()),
    ];
    let info = Info::new(about);
    info.encode(to.encode_descriptor("run", "What is run", None, MetricType::Info)?)?;
    gauges(to, "devices", "Simulated devices", None, one(summary.devices as f64))?;
    gauges(to, "load_duration", "Since the load began", Some(Unit::Seconds), one(summary.duration_s))?;
    let phase = |row: &crate::measure::summary::PhaseRow| {
        let labels = vec![("population", row.population.clone()), ("phase", row.name.clone())];
        (labels, if row.to_s.is_none() { 1.0 } else { 0.0 })
    };
    gauges(to, "phase", "1 for the phase that the load is in", None, by_labels(summary.phases.iter().map(phase)))
}

fn flows(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let (mut started, mut ended, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
    for (flow, row) in summary.flows.iter() {
        let labels = || vec![("flow", flow.to_owned())];
        started.push((labels(), row.started));
        under_way.push((labels(), row.not_ended() as f64));
        let FlowRow { started: _, done, refused, undone, too_late, unreachable, misbehaved, stranded, lost } = *row;
        for (outcome, times) in [
            ("done", done),
            ("refused", refused),
            ("undone", undone),
            ("too_late", too_late),
            ("unreachable", unreachable),
            ("misbehaved", misbehaved),
            ("stranded", stranded),
            ("lost", lost),
        ] {
            ended.push(([labels(), vec![("outcome", outcome.to_owned())]].concat(), times));
        }
    }
    counters(to, "flows_started", "Flows that were started", None, started)?;
    counters(to, "flows", "Flows that have ended, by how they ended", None, ended)?;
    gauges(to, "flows_under_way", "Flows that have started and not ended", None, under_way)?;
    // While a flow is under way it counts among the failed ones of a summary; here it does not.
    let failed = summary.failed.iter().map(|(flow, failed)| {
        let not_ended = summary.flows.get(flow).map_or(0, FlowRow::not_ended);
        (vec![("flow", flow.to_owned())], failed.saturating_sub(not_ended))
    });
    counters(to, "flows_failed", "Flows that ended otherwise than their journey expects", None, failed.collect())
}

fn messages(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let mut samples = Vec::new();
    for (flow, rungs) in summary.ladder.iter() {
        for (message, row) in rungs.iter() {
            let MessageRow { sent, answered, duplicated, unexpected, timed_out, late, lost } = *row;
            for (what, times) in [
                ("sent", sent),
                ("answered", answered),
                ("duplicated", duplicated),
                ("unexpected", unexpected),
                ("timed_out", timed_out),
                ("late", late),
                ("lost", lost),
            ] {
                let labels = [("flow", flow), ("message", message), ("what", what)];
                samples.push((labels.map(|(name, value)| (name, value.to_owned())).to_vec(), times));
            }
        }
    }
    let help = "Messages between servers, by the flow under way on the device, and what became of them; timed_out is among \
                lost, and late among unexpected";
    counters(to, "messages", help, None, samples)?;
    let rejected = summary.rejected.iter().map(|(reason, times)| (vec![("reason", reason.clone())], *times));
    counters(to, "rejected", "Requests that were rejected", None, rejected.collect())?;
    let fired = summary.faults.iter().map(|fault| (vec![("fault", fault.name.clone())], fault.injected));
    counters(to, "faults", "How often faults fired", None, fired.collect())?;
    let eligible = summary.faults.iter().map(|fault| (vec![("fault", fault.name.clone())], fault.eligible));
    counters(to, "fault_occasions", "How often faults could have fired", None, eligible.collect())
}

fn sessions(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let sessions = &summary.sessions;
    let handshakes = [("full", sessions.handshakes_full), ("resumed", sessions.handshakes_resumed)];
    let handshakes = handshakes.map(|(kind, times)| (vec![("kind", kind.to_owned())], times));
    counters(to, "tls_handshakes", "TLS handshakes", None, handshakes.to_vec())?;
    let mut samples = Vec::new();
    for (with, tally) in [("dms1", sessions.dms1), ("dms2", sessions.dms2), ("bootstrap", sessions.bootstrap)] {
        for (outcome, times) in [("ok", tally.ok), ("failed", tally.failed)] {
            samples.push((vec![("with", with.to_owned()), ("outcome", outcome.to_owned())], times));
        }
    }
    counters(to, "device_sessions", "Sessions of devices with servers, by how they ended", None, samples)
}

fn latency(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let (mut quantiles, mut means, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (metric, row) in summary.latency.iter().filter(|(_, row)| row.count > 0) {
        counts.push((vec![("metric", metric.to_owned())], row.count));
        for (clock, spread) in [("response", &row.response_ms), ("service", &row.service_ms)] {
            let labels = || vec![("metric", metric.to_owned()), ("clock", clock.to_owned())];
            let Spread { min, mean, p50, p90, p99, p999, max } = *spread;
            for (quantile, ms) in [("0", min), ("0.5", p50), ("0.9", p90), ("0.99", p99), ("0.999", p999), ("1", max)] {
                let Some(ms) = ms else { continue };
                quantiles.push(([labels(), vec![("quantile", quantile.to_owned())]].concat(), seconds(ms)));
            }
            means.extend(mean.map(|mean| (labels(), seconds(mean))));
        }
    }
    let help =
        "Times of the whole run so far at a quantile, from the intended start (response) and from the send (service)";
    gauges(to, "latency", help, Some(Unit::Seconds), quantiles)?;
    gauges(to, "latency_mean", "Their mean", Some(Unit::Seconds), means)?;
    counters(to, "latency_samples", "How many times stand behind them", None, counts)
}

fn limits(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let labels = |expr: &str, unit: limit::Unit| {
        let unit = match unit {
            limit::Unit::Share => "share",
            limit::Unit::Ms => "ms",
            limit::Unit::PerS => "per_s",
            limit::Unit::Count => "count",
        };
        vec![("expr", expr.to_owned()), ("of", unit.to_owned())]
    };
    let bounds = summary.limits.iter().map(|limit| (labels(&limit.expr, limit.unit), limit.limit));
    let actual = summary.limits.iter().filter_map(|limit| Some((labels(&limit.expr, limit.unit), limit.actual?)));
    let kept =
        summary.limits.iter().map(|limit| (vec![("expr", limit.expr.clone())], if limit.passed { 1.0 } else { 0.0 }));
    gauges(to, "limit", "The bound of a limit, in its own unit", None, by_labels(bounds))?;
    gauges(to, "limit_actual", "What a limit comes to so far, in its own unit", None, by_labels(actual))?;
    gauges(to, "limit_kept", "1 while a limit is kept", None, by_labels(kept))
}

fn health(to: &mut DescriptorEncoder<'_>, summary: &Summary) -> fmt::Result {
    let health = &summary.health;
    let valid = if health.valid { 1.0 } else { 0.0 };
    gauges(to, "valid", "1 while this machine keeps up, so that the figures can be trusted", None, one(valid))?;
    let quantile = |quantile: &str, ms: Option<f64>| Some((vec![("quantile", quantile.to_owned())], seconds(ms?)));
    let quantiles = |late: &crate::measure::health::Lateness| {
        [quantile("0.5", late.p50), quantile("0.99", late.p99), quantile("1", late.max)].into_iter().flatten().collect()
    };
    let help = "How long after their intended moment journeys began";
    gauges(to, "start_lateness", help, Some(Unit::Seconds), quantiles(&health.lateness_ms))?;
    let help = "How late timers of our own threads fired";
    gauges(to, "event_loop_lateness", help, Some(Unit::Seconds), quantiles(&health.event_loop_ms))?;
    gauges(
        to,
        "cpu_usage",
        "CPU time used, of what all cores had to give",
        Some(Unit::Other("ratio".to_owned())),
        one(health.cpu_share),
    )?;
    let help = "Most resident memory at any time";
    gauges(to, "peak_memory", help, Some(Unit::Bytes), one(health.peak_rss_bytes as f64))?;
    gauges(to, "open_files", "Most open files", None, one(health.open_files as f64))?;
    gauges(to, "mailbox_depth", "Most messages that waited for one server", None, one(health.mailbox_depth as f64))?;
    let none = Vec::new;
    counters(to, "starts_dropped", "Intended starts that found no free device", None, vec![(none(), health.dropped)])?;
    counters(to, "starts_late", "Starts that were more than 10 ms late", None, vec![(none(), health.late)])?;
    let help = "Requests that waited for a connection until their time was over";
    counters(to, "requests_never_sent", help, None, vec![(none(), health.never_sent)])
}

/// Milliseconds in seconds, to the nanosecond.
fn seconds(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e9
}

/// The only sample of its family.
fn one(value: f64) -> Samples<f64> {
    vec![(Vec::new(), value)]
}

/// One sample for each set of labels: of several with the same ones, as of a phase that comes again, the last.
fn by_labels(samples: impl Iterator<Item = (Labels, f64)>) -> Samples<f64> {
    let mut kept: Samples<f64> = Vec::new();
    for (labels, value) in samples {
        match kept.iter_mut().find(|(known, _)| *known == labels) {
            Some(known) => known.1 = value,
            None => kept.push((labels, value)),
        }
    }
    kept
}

fn counters(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    samples: Samples<u64>,
) -> fmt::Result {
    family(to, name, help, unit, samples.into_iter().map(|(labels, value)| (labels, ConstCounter::new(value))))
}

fn gauges(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    samples: Samples<f64>,
) -> fmt::Result {
    family(to, name, help, unit, samples.into_iter().map(|(labels, value)| (labels, ConstGauge::new(value))))
}

/// A family without samples is left out.
fn family<M: EncodeMetric>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    samples: impl Iterator<Item = (Labels, M)>,
) -> fmt::Result {
    let mut samples = samples.peekable();
    let Some((_, first)) = samples.peek() else { return Ok(()) };
    let mut sentence = String::new();
    write!(sentence, "{help}.")?;
    let kind = first.metric_type();
    let mut family = to.encode_descriptor(name, &sentence, unit.as_ref(), kind)?;
    samples.try_for_each(|(labels, metric)| metric.encode(family.encode_family(&labels)?))
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
        let text = metrics(&summary);
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
        let text = metrics(&sample());
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
        summary.failed = [(flow.clone(), more + 2)].into_iter().collect();
        summary.limits[0].actual = None;
        let phase =
            |name: &str, to_s| PhaseRow { population: "all".to_owned(), name: name.to_owned(), from_s: 0.0, to_s };
        summary.phases = vec![phase("peak", Some(1.0)), phase("rest", Some(2.0)), phase("peak", None)];
        let text = metrics(&summary);
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
        let text = metrics(&summary);
        assert!(text.contains("scenario=\"a \\\"b\\\" \\\\ c\\nd\""), "{text}");
    }
}
