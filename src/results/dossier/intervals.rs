//! `latency.hlog` read line by line: the whole distribution of each metric, and what each column of the run brought.
//!
//! A metric's own histogram is kept whole (184 KiB, twice); a column keeps counts on a logarithmic scale and percentiles,
//! which are taken from a whole histogram before that is emptied for the next column.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use crate::measure::latency::{empty_histogram, samples_needed};
use crate::results::dossier::MOST_COLUMNS;
use crate::results::latency_log::SERVICE;

/// Rows of a column to a factor of ten.
const CELLS_PER_DECADE: f64 = 10.0;

/// The distributions of a run.
#[derive(Debug, Clone)]
pub struct LatencyCourse {
    /// How wide a column is, in seconds.
    width_s: u64,
    metrics: BTreeMap<String, MetricCourse>,
}

/// One metric.
#[derive(Debug, Clone)]
pub struct MetricCourse {
    /// In microseconds.
    pub response: Histogram<u64>,
    pub service: Histogram<u64>,
    /// Response times over time.
    pub columns: Vec<LatencyColumn>,
    /// The column that is being read.
    open: Histogram<u64>,
    place: usize,
}

/// What one column brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatencyColumn {
    pub count: u64,
    /// `None` without enough samples.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// How many samples, by how long they took; those without any are not there.
    pub cells: BTreeMap<Cell, u64>,
}

/// A step on the scale of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(pub u8);

impl Cell {
    /// The cell of a time.
    pub fn of(micros: u64) -> Cell {
        let steps = ((micros.max(1) as f64).log10() * CELLS_PER_DECADE + 1e-9).floor();
        Cell(steps.clamp(0.0, f64::from(u8::MAX)) as u8)
    }

    /// Where it begins, in milliseconds; it ends where the next one begins.
    pub fn from_ms(self) -> f64 {
        10f64.powf(f64::from(self.0) / CELLS_PER_DECADE) / 1e3
    }
}

/// A percentile (`quantile` from 0 to 1) in milliseconds; `None` when too few samples stand behind it.
pub fn percentile_ms(times: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (times.len() >= samples_needed(quantile)).then(|| times.value_at_quantile(quantile).min(times.max()) as f64 / 1e3)
}

impl LatencyCourse {
    /// Without samples yet, in columns of so many seconds.
    pub fn new(width_s: u64) -> LatencyCourse {
        LatencyCourse { width_s: width_s.max(1), metrics: BTreeMap::new() }
    }

    /// How wide a column is, in seconds.
    pub fn width_s(&self) -> u64 {
        self.width_s
    }

    /// A metric that has samples.
    pub fn metric(&self, name: &str) -> Option<&MetricCourse> {
        self.metrics.get(name)
    }

    /// Every metric that has samples.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &MetricCourse)> {
        self.metrics.iter().map(|(name, course)| (name.as_str(), course))
    }

    /// Adds the intervals of a log. Half a last line is passed over.
    ///
    /// # Errors
    /// When the file cannot be read to its end, or a line in it is no interval; what came before is kept.
    pub fn read(&mut self, mut file: impl BufRead) -> io::Result<()> {
        let (mut line, mut number) = (Vec::new(), 0);
        let read = loop {
            line.clear();
            number += 1;
            match file.read_until(b'\n', &mut line) {
                Ok(0) => break Ok(()),
                // Nothing ends with less than a whole line but a run that was killed.
                Ok(_) if line.last() != Some(&b'\n') => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
            if let Err(problem) = self.take(&line) {
                break Err(io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {problem}")));
            }
        };
        self.metrics.values_mut().for_each(MetricCourse::close);
        read
    }

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        for entry in IntervalLogIterator::new(line) {
            let LogEntry::Interval(interval) = entry.map_err(|_| "expected an interval".to_owned())? else { continue };
            let Some(tag) = interval.tag() else { continue };
            let bytes = STANDARD.decode(interval.encoded_histogram()).map_err(|error| error.to_string())?;
            let times: Histogram<u64> =
                Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| error.to_string())?;
            let at_s = interval.start_timestamp().as_secs();
            let place = usize::try_from(at_s / self.width_s).unwrap_or(usize::MAX).min(MOST_COLUMNS);
            self.add(tag.as_str(), place, &times)?;
        }
        Ok(())
    }

    fn add(&mut self, tag: &str, place: usize, times: &Histogram<u64>) -> Result<(), String> {
        let (name, is_service) = tag.strip_suffix(SERVICE).map_or((tag, false), |name| (name, true));
        let course = self.metrics.entry(name.to_owned()).or_insert_with(MetricCourse::new);
        if is_service {
            return course.service.add(times).map_err(|error| error.to_string());
        }
        if place != course.place {
            course.close();
            course.place = place;
        }
        course.response.add(times).and_then(|()| course.open.add(times)).map_err(|error| error.to_string())
    }
}

impl MetricCourse {
    fn new() -> MetricCourse {
        MetricCourse {
            response: empty_histogram(),
            service: empty_histogram(),
            columns: Vec::new(),
            open: empty_histogram(),
            place: 0,
        }
    }

    /// The column that is being read has come to its end.
    fn close(&mut self) {
        if self.open.is_empty() {
            return;
        }
        if self.place >= self.columns.len() {
            self.columns.resize(self.place + 1, LatencyColumn::default());
        }
        let mut cells = BTreeMap::new();
        for step in self.open.iter_recorded() {
            *cells.entry(Cell::of(step.value_iterated_to())).or_default() += step.count_at_value();
        }
        self.columns[self.place] = LatencyColumn {
            count: self.open.len(),
            p50_ms: percentile_ms(&self.open, 0.5),
            p99_ms: percentile_ms(&self.open, 0.99),
            max_ms: Some(self.open.max() as f64 / 1e3),
            cells,
        };
        self.open.reset();
    }
}
