//! What a summary has to tell to those who gather metrics: one list, for every form in which it goes out.
//!
//! Counters go up while a run goes on and begin at zero with the next; percentiles are of the whole run so far, made by us,
//! so that they are gauges: they cannot be added up over several instances. What is not known is left out.

use crate::measure::Summary;
use crate::measure::health::Lateness;
use crate::measure::latency::Spread;
use crate::measure::limit;
use crate::measure::summary::{FlowRow, MessageRow, PhaseRow};

/// One metric with all its samples; there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Without the program's name, its unit and what a form puts behind it: `flows_started`.
    pub name: &'static str,
    /// A sentence without its full stop.
    pub help: &'static str,
    pub unit: Option<Unit>,
    pub values: Values,
}

/// What the samples of a family are; each set of labels is there once.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// They only go up.
    Counter(Samples<u64>),
    Gauge(Samples<f64>),
}

/// Samples with their labels.
pub type Samples<N> = Vec<(Labels, N)>;

/// Labels, by name and value.
pub type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Bytes,
    /// From 0 to 1.
    Ratio,
}

/// What is run: the same for every sample.
pub fn about(summary: &Summary) -> Labels {
    vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("scenario", summary.scenario.clone()),
        ("seed", summary.seed.to_string()),
        ("policy", summary.policy.clone()),
    ]
}

/// Every family that has samples.
pub fn families(summary: &Summary) -> Vec<Family> {
    let mut to = Vec::new();
    run(&mut to, summary);
    flows(&mut to, summary);
    messages(&mut to, summary);
    sessions(&mut to, summary);
    latency(&mut to, summary);
    limits(&mut to, summary);
    health(&mut to, summary);
    to
}

fn run(to: &mut Vec<Family>, summary: &Summary) {
    gauges(to, "devices", "Simulated devices", None, one(summary.devices as f64));
    gauges(to, "load_duration", "Since the load began", Some(Unit::Seconds), one(summary.duration_s));
    let phase = |row: &PhaseRow| {
        let labels = vec![("population", row.population.clone()), ("phase", row.name.clone())];
        (labels, if row.to_s.is_none() { 1.0 } else { 0.0 })
    };
    gauges(to, "phase", "1 for the phase that the load is in", None, by_labels(summary.phases.iter().map(phase)));
}

fn flows(to: &mut Vec<Family>, summary: &Summary) {
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
    counters(to, "flows_started", "Flows that were started", started);
    counters(to, "flows", "Flows that have ended, by how they ended", ended);
    gauges(to, "flows_under_way", "Flows that have started and not ended", None, under_way);
    let failed = summary.failed.iter().map(|(flow, failed)| (vec![("flow", flow.to_owned())], *failed));
    counters(to, "flows_failed", "Flows that ended otherwise than their journey expects", failed.collect());
}

fn messages(to: &mut Vec<Family>, summary: &Summary) {
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
    counters(to, "messages", help, samples);
    let rejected = summary.rejected.iter().map(|(reason, times)| (vec![("reason", reason.clone())], *times));
    counters(to, "rejected", "Requests that were rejected", rejected.collect());
    let fired = summary.faults.iter().map(|fault| (vec![("fault", fault.name.clone())], fault.injected));
    counters(to, "faults", "How often faults fired", fired.collect());
    let eligible = summary.faults.iter().map(|fault| (vec![("fault", fault.name.clone())], fault.eligible));
    counters(to, "fault_occasions", "How often faults could have fired", eligible.collect());
}

fn sessions(to: &mut Vec<Family>, summary: &Summary) {
    let sessions = &summary.sessions;
    let handshakes = [("full", sessions.handshakes_full), ("resumed", sessions.handshakes_resumed)];
    let handshakes = handshakes.map(|(kind, times)| (vec![("kind", kind.to_owned())], times));
    counters(to, "tls_handshakes", "TLS handshakes", handshakes.to_vec());
    let mut samples = Vec::new();
    for (with, tally) in [("dms1", sessions.dms1), ("dms2", sessions.dms2), ("bootstrap", sessions.bootstrap)] {
        for (outcome, times) in [("ok", tally.ok), ("failed", tally.failed)] {
            samples.push((vec![("with", with.to_owned()), ("outcome", outcome.to_owned())], times));
        }
    }
    counters(to, "device_sessions", "Sessions of devices with servers, by how they ended", samples);
}

fn latency(to: &mut Vec<Family>, summary: &Summary) {
    let (mut quantiles, mut means, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (metric, row) in summary.latency.iter().filter(|(_, row)| row.count > 0) {
        counts.push((vec![("metric", metric.to_owned())], row.count));
        for (clock, spread) in [("response", &row.response_ms), ("service", &row.service_ms)] {
            let labels = || vec![("metric", metric.to_owned()), ("clock", clock.to_owned())];
            let Spread { min, mean, p50, p90, p95, p99, p999, max } = *spread;
            let known =
                [("0", min), ("0.5", p50), ("0.9", p90), ("0.95", p95), ("0.99", p99), ("0.999", p999), ("1", max)];
            for (quantile, ms) in known {
                let Some(ms) = ms else { continue };
                quantiles.push(([labels(), vec![("quantile", quantile.to_owned())]].concat(), seconds(ms)));
            }
            means.extend(mean.map(|mean| (labels(), seconds(mean))));
        }
    }
    let help =
        "Times of the whole run so far at a quantile, from the intended start (response) and from the send (service)";
    gauges(to, "latency", help, Some(Unit::Seconds), quantiles);
    gauges(to, "latency_mean", "Their mean", Some(Unit::Seconds), means);
    counters(to, "latency_samples", "How many times stand behind them", counts);
}

fn limits(to: &mut Vec<Family>, summary: &Summary) {
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
    gauges(to, "limit", "The bound of a limit, in its own unit", None, by_labels(bounds));
    gauges(to, "limit_actual", "What a limit comes to so far, in its own unit", None, by_labels(actual));
    gauges(to, "limit_kept", "1 while a limit is kept", None, by_labels(kept));
}

fn health(to: &mut Vec<Family>, summary: &Summary) {
    let health = &summary.health;
    let valid = if health.valid { 1.0 } else { 0.0 };
    gauges(to, "valid", "1 while this machine keeps up, so that the figures can be trusted", None, one(valid));
    let quantile = |quantile: &str, ms: Option<f64>| Some((vec![("quantile", quantile.to_owned())], seconds(ms?)));
    let quantiles = |late: &Lateness| {
        [quantile("0.5", late.p50), quantile("0.99", late.p99), quantile("1", late.max)].into_iter().flatten().collect()
    };
    let help = "How long after their intended moment journeys began";
    gauges(to, "start_lateness", help, Some(Unit::Seconds), quantiles(&health.lateness_ms));
    let help = "How late timers of our own threads fired";
    gauges(to, "event_loop_lateness", help, Some(Unit::Seconds), quantiles(&health.event_loop_ms));
    gauges(to, "cpu_usage", "CPU time used, of what all cores had to give", Some(Unit::Ratio), one(health.cpu_share));
    let help = "Most resident memory at any time";
    gauges(to, "peak_memory", help, Some(Unit::Bytes), one(health.peak_rss_bytes as f64));
    gauges(to, "open_files", "Most open files", None, one(health.open_files as f64));
    gauges(to, "mailbox_depth", "Most messages that waited for one server", None, one(health.mailbox_depth as f64));
    let none = Vec::new;
    counters(to, "starts_dropped", "Intended starts that found no free device", vec![(none(), health.dropped)]);
    counters(to, "starts_late", "Starts that were more than 10 ms late", vec![(none(), health.late)]);
    let help = "Requests that waited for a connection until their time was over";
    counters(to, "requests_never_sent", help, vec![(none(), health.never_sent)]);
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

fn counters(to: &mut Vec<Family>, name: &'static str, help: &'static str, samples: Samples<u64>) {
    if !samples.is_empty() {
        to.push(Family { name, help, unit: None, values: Values::Counter(samples) });
    }
}

fn gauges(to: &mut Vec<Family>, name: &'static str, help: &'static str, unit: Option<Unit>, samples: Samples<f64>) {
    if !samples.is_empty() {
        to.push(Family { name, help, unit, values: Values::Gauge(samples) });
    }
}
