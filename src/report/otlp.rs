//! A summary in the protobuf form of OTLP 1, which collectors of OpenTelemetry take.
//!
//! Sums are cumulative since the run began, so that whatever did not arrive is in the next request too. Names are those of
//! Prometheus with a dot behind the program's: a collector that passes them on to Prometheus makes the same ones of them.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::measure::Summary;
use crate::report::metrics::{self, Family, Labels, Samples, Unit, Values};

/// What the request is, for its head.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Of which run a summary is, and when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// What no other run is called.
    pub run: &'a str,
    pub began: SystemTime,
    pub now: SystemTime,
}

/// The summary as the body of a request to `/v1/metrics`.
pub fn request(summary: &Summary, origin: Origin<'_>) -> Vec<u8> {
    let metrics = metrics::families(summary).into_iter().map(|family| metric(family, origin)).collect();
    let scope =
        InstrumentationScope { name: "dmswarm".to_owned(), version: version(), ..InstrumentationScope::default() };
    let about = metrics::about(summary).into_iter().filter(|(name, _)| *name != "version");
    let about = about.map(|(name, value)| (format!("dmswarm.{name}"), value));
    // The first three are what OpenTelemetry calls them: https://opentelemetry.io/docs/specs/semconv/resource/#service
    let service = [
        ("service.name", "dmswarm".to_owned()),
        ("service.version", version()),
        ("service.instance.id", origin.run.to_owned()),
    ];
    let service = service.map(|(name, value)| (name.to_owned(), value));
    let attributes = service.into_iter().chain(about).map(attribute).collect();
    let told = ResourceMetrics {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
        ..ResourceMetrics::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![told] }.encode_to_vec()
}

/// What a collector that has answered 200 did not take nevertheless, in its words.
pub fn complaint(answer: &[u8]) -> Option<String> {
    let partly = ExportMetricsServiceResponse::decode(answer).ok()?.partial_success?;
    let rejected = partly.rejected_data_points;
    (rejected != 0).then(|| format!("{rejected} samples were rejected: {}", partly.error_message.escape_debug()))
}

fn metric(family: Family, origin: Origin<'_>) -> Metric {
    let Family { name, help, unit, values } = family;
    // The units of UCUM, as OpenTelemetry has it.
    let unit = match unit {
        Some(Unit::Seconds) => "s",
        Some(Unit::Bytes) => "By",
        Some(Unit::Ratio) => "1",
        None => "",
    };
    let data = match values {
        Values::Counter(samples) => Data::Sum(Sum {
            data_points: points(samples, origin, |times| Number::AsInt(i64::try_from(times).unwrap_or(i64::MAX))),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }),
        Values::Gauge(samples) => Data::Gauge(Gauge { data_points: points(samples, origin, Number::AsDouble) }),
    };
    Metric {
        name: format!("dmswarm.{name}"),
        description: format!("{help}."),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn points<N>(samples: Samples<N>, origin: Origin<'_>, number: impl Fn(N) -> Number) -> Vec<NumberDataPoint> {
    let point = |(labels, value): (Labels, N)| NumberDataPoint {
        attributes: labels.into_iter().map(|(name, value)| attribute((name.to_owned(), value))).collect(),
        start_time_unix_nano: nanoseconds(origin.began),
        time_unix_nano: nanoseconds(origin.now),
        value: Some(number(value)),
        ..NumberDataPoint::default()
    };
    samples.into_iter().map(point).collect()
}

fn attribute((key, value): (String, String)) -> KeyValue {
    KeyValue { key, value: Some(AnyValue { value: Some(Any::StringValue(value)) }), ..KeyValue::default() }
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::*;
    use crate::report::prometheus;

    fn sample() -> Summary {
        serde_json::from_str(include_str!("../../results/sample/summary.json")).expect("a summary")
    }

    fn sent(summary: &Summary) -> ResourceMetrics {
        let began = UNIX_EPOCH + Duration::from_secs(1);
        let origin = Origin { run: "one", began, now: began + Duration::from_secs(2) };
        let mut told = ExportMetricsServiceRequest::decode(&request(summary, origin)[..]).expect("a request");
        told.resource_metrics.remove(0)
    }

    fn string(of: &KeyValue) -> (String, String) {
        let Some(AnyValue { value: Some(Any::StringValue(value)) }) = &of.value else { panic!("{of:?}") };
        (of.key.clone(), value.clone())
    }

    #[test]
    fn every_sample_for_prometheus_is_sent_with_the_same_name_and_value() {
        let summary = sample();
        let text = prometheus::text(&summary);
        let scraped: BTreeMap<&str, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("dmswarm_run_info"))
            .map(|line| line.rsplit_once(' ').expect("a value"))
            .map(|(name, value)| (name, value.parse().expect("a number")))
            .collect();
        let mut pushed = BTreeMap::new();
        for metric in &sent(&summary).scope_metrics[0].metrics {
            let unit = match metric.unit.as_str() {
                "" => "",
                "s" => "_seconds",
                "By" => "_bytes",
                "1" => "_ratio",
                other => panic!("{other}"),
            };
            let (end, points) = match metric.data.as_ref().expect("data") {
                Data::Sum(sum) => {
                    assert!(sum.is_monotonic);
                    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Cumulative);
                    ("_total", &sum.data_points)
                }
                Data::Gauge(gauge) => ("", &gauge.data_points),
                other => panic!("{other:?}"),
            };
            for point in points {
                assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1_000_000_000, 3_000_000_000));
                let labels = point.attributes.iter().map(string);
                let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
                let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                let value = match point.value.expect("a value") {
                    Number::AsInt(value) => value as f64,
                    Number::AsDouble(value) => value,
                };
                pushed.insert(format!("{}{unit}{end}{labels}", metric.name.replace('.', "_")), value);
            }
        }
        let pushed: BTreeMap<&str, f64> = pushed.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(pushed, scraped);
    }

    #[test]
    fn a_request_says_which_run_it_is_of() {
        let summary = sample();
        let about: BTreeMap<String, String> =
            sent(&summary).resource.expect("a resource").attributes.iter().map(string).collect();
        let about: Vec<(&str, &str)> = about.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let seed = summary.seed.to_string();
        let expected = [
            ("dmswarm.policy", summary.policy.as_str()),
            ("dmswarm.scenario", summary.scenario.as_str()),
            ("dmswarm.seed", seed.as_str()),
            ("service.instance.id", "one"),
            ("service.name", "dmswarm"),
            ("service.version", env!("CARGO_PKG_VERSION")),
        ];
        assert_eq!(about, expected);
    }

    #[test]
    fn what_a_collector_did_not_take_is_told_without_its_escapes() {
        let answer = |rejected_data_points, message: &str| {
            let partly = ExportMetricsPartialSuccess { rejected_data_points, error_message: message.to_owned() };
            ExportMetricsServiceResponse { partial_success: Some(partly) }.encode_to_vec()
        };
        assert_eq!(
            complaint(&answer(3, "too\x1b[2J old")).as_deref(),
            Some("3 samples were rejected: too\\u{1b}[2J old")
        );
        assert_eq!(complaint(&answer(0, "only a word")), None);
        assert_eq!(complaint(b""), None, "the usual answer");
        assert_eq!(complaint(b"{}"), None, "no protobuf, and no complaint");
    }
}
