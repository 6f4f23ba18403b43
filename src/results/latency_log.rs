//! `latency.hlog` and `latency/<metric>.hgrm`: distributions in the forms that the tools of HdrHistogram read.
//!
//! The log is the interval log of version 1.3: an interval a line, tagged with its metric, times in seconds since the load
//! began, values in microseconds, the maximum in milliseconds. A metric's response times are tagged with its name, its
//! service times with `.service` behind it.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::measure::Shard;
use crate::measure::latency::Metric;

/// What a metric's service times are tagged with, behind its name.
pub const SERVICE: &str = ".service";
/// Microseconds in a millisecond.
const DIVISOR: f64 = 1_000.0;
/// How finely percentiles are told: so many steps on each halving of the way to 100 %.
const STEPS_PER_HALF: u32 = 5;

/// The head of a log of a load that began at this moment.
pub fn head(began: SystemTime) -> Vec<u8> {
    let began = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        "#[Histogram log format version 1.3]\n#[dmswarm: values in microseconds, Interval_Max in milliseconds]\n\
         #[StartTime: {}.{:03} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        began.as_secs(),
        began.subsec_millis()
    )
    .into_bytes()
}

/// The lines of one interval, one for each metric that has samples in it.
pub fn interval(records: &Shard, from: Duration, lasted: Duration) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    let Ok(mut log) = builder.with_max_value_divisor(DIVISOR).begin_log_with(&mut lines, &mut serializer) else {
        return Vec::new();
    };
    for metric in Metric::all() {
        let Some(latency) = records.latency(metric) else { continue };
        let name = metric.to_string();
        let service = format!("{name}{SERVICE}");
        for (tag, times) in [(name, &latency.response), (service, &latency.service)] {
            let tag = Tag::new(&tag).expect("a metric's name has neither commas nor spaces");
            log.write_histogram(times.histogram(), from, lasted, Some(tag)).expect("it is written to memory");
        }
    }
    without_head(&lines)
}

/// The head of a log is written once.
fn without_head(lines: &[u8]) -> Vec<u8> {
    lines.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_head(line)).flatten().copied().collect()
}

fn is_head(line: &[u8]) -> bool {
    line.starts_with(b"#") || line.starts_with(b"\"")
}

/// A distribution in microseconds as `.hgrm`, values in milliseconds.
pub fn percentiles(histogram: &Histogram<u64>) -> String {
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for step in histogram.iter_quantiles(STEPS_PER_HALF) {
        let (value, quantile) = (ms(step.value_iterated_to() as f64), step.quantile_iterated_to());
        let total = histogram.count_between(0, step.value_iterated_to());
        let _ = if quantile < 1.0 {
            writeln!(text, "{value:>12.3} {quantile:>14.12} {total:>10} {:>14.2}", 1.0 / (1.0 - quantile))
        } else {
            writeln!(text, "{value:>12.3} {quantile:>14.12} {total:>10}")
        };
    }
    let (mean, deviation) = (ms(histogram.mean()), ms(histogram.stdev()));
    let _ = writeln!(text, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let (max, count) = (ms(histogram.max() as f64), histogram.len());
    let _ = writeln!(text, "#[Max     = {max:>12.3}, Total count    = {count:>12}]");
    let (buckets, within) = (histogram.buckets(), 2_048);
    let _ = writeln!(text, "#[Buckets = {buckets:>12}, SubBuckets     = {within:>12}]");
    text
}

/// Microseconds as milliseconds.
fn ms(micros: f64) -> f64 {
    micros / DIVISOR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::latency::Distribution;
    use crate::measure::shard::{SessionSide, Shard};
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    fn ms_of(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_log_reads_back_interval_by_interval() {
        let mut log = head(UNIX_EPOCH + ms_of(1_700_000_000_123));
        for second in 0..2 {
            let mut records = Shard::new();
            (1..=second + 1).for_each(|nth| {
                records.session_ended(SessionSide::Dms1, true, ms_of(10 * nth), ms_of(nth));
            });
            log.extend(interval(&records, Duration::from_secs(second), Duration::from_secs(1)));
        }
        let text = String::from_utf8(log.clone()).expect("text");
        assert!(text.starts_with("#[Histogram log format version 1.3]\n"), "{text}");
        assert!(text.contains("#[StartTime: 1700000000.123 (seconds since epoch)]\n\"StartTimestamp\","), "{text}");
        let mut seen = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            if let LogEntry::Interval(interval) = entry.expect("an entry") {
                let bytes =
                    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, interval.encoded_histogram());
                let histogram: hdrhistogram::Histogram<u64> =
                    Deserializer::new().deserialize(&mut bytes.expect("base64").as_slice()).expect("a histogram");
                let tag = interval.tag().expect("a tag").as_str().to_owned();
                seen.push((tag, interval.start_timestamp().as_secs(), histogram.len(), interval.max()));
            }
        }
        let expected = [
            ("session.dms1", 0, 1, 10.0),
            ("session.dms1.service", 0, 1, 1.0),
            ("session.dms1", 1, 2, 20.0),
            ("session.dms1.service", 1, 2, 2.0),
        ];
        assert_eq!(seen.len(), expected.len());
        for ((tag, second, count, max), (right_tag, right_second, right_count, right_max)) in seen.iter().zip(expected)
        {
            assert_eq!((tag.as_str(), *second, *count), (right_tag, right_second, right_count));
            // Three digits.
            assert!((max - right_max).abs() <= right_max / 1_000.0, "{tag}: {max}");
        }
    }

    #[test]
    fn percentiles_end_with_everything_there_is() {
        let mut times = Distribution::default();
        (1..=1_000).for_each(|millis| times.record(ms_of(millis)));
        let text = percentiles(times.histogram());
        let last = text.lines().rfind(|line| !line.starts_with('#')).expect("a line");
        let cells: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(cells[1..], ["1.000000000000", "1000"], "{text}");
        assert!(text.contains("Total count    =         1000]"), "{text}");
        // Half of them are no longer than 500 ms, to three digits.
        let half = text.lines().find(|line| line.contains(" 0.500000000000")).expect("the median");
        let value: f64 = half.split_whitespace().next().and_then(|cell| cell.parse().ok()).expect("a number");
        assert!((value - 500.0).abs() < 0.5 + 0.001, "{half}");
    }
}
