//! The same run second by second: what happened since the last look, and the row it becomes.

use crate::measure::latency::Distribution;
use std::time::Duration;

/// What one thread, or several together, saw since the last look. About 26 KiB, whatever happens in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    pub started: u64,
    /// Flows that ended `done`.
    pub done: u64,
    /// Flows that ended otherwise than their journey expects.
    pub failed: u64,
    /// Exchanges between servers that were answered.
    pub exchanges: u64,
    response: Distribution,
}

impl Default for Interval {
    fn default() -> Interval {
        Interval { started: 0, done: 0, failed: 0, exchanges: 0, response: Distribution::coarse() }
    }
}

impl Interval {
    /// A flow has ended `done`, so long after its intended start.
    pub fn flow_done(&mut self, response: Duration) {
        self.done += 1;
        self.response.record(response);
    }

    /// Takes in what another thread saw in the same second.
    pub fn merge(&mut self, other: &Interval) {
        self.started += other.started;
        self.done += other.done;
        self.failed += other.failed;
        self.exchanges += other.exchanges;
        self.response.merge(&other.response);
    }

    /// The row of the second that began `second` seconds after the start of the run.
    pub fn row(&self, second: u64) -> TimelineRow {
        TimelineRow {
            second,
            started: self.started,
            done: self.done,
            failed: self.failed,
            exchanges: self.exchanges,
            p50_ms: self.response.percentile_ms(0.5),
            p99_ms: self.response.percentile_ms(0.99),
        }
    }
}

/// One second of a run. The percentiles are of the response time of the flows that ended `done` in it, `None` without
/// enough of them ([`Distribution::percentile_ms`]), and good to two digits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimelineRow {
    pub second: u64,
    pub started: u64,
    pub done: u64,
    pub failed: u64,
    pub exchanges: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

impl TimelineRow {
    /// The first line of `timeline.csv`.
    pub const CSV_HEADER: &'static str = "second,started,done,failed,exchanges,p50_ms,p99_ms";

    /// The row as a line of `timeline.csv`, without its end; what is not known is left empty.
    pub fn csv(&self) -> String {
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        format!(
            "{},{},{},{},{},{},{}",
            self.second,
            self.started,
            self.done,
            self.failed,
            self.exchanges,
            cell(self.p50_ms),
            cell(self.p99_ms)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_one_second_make_one_row() {
        let mut here = Interval { started: 2, exchanges: 7, ..Interval::default() };
        here.flow_done(Duration::from_millis(10));
        let mut there = Interval { started: 1, failed: 1, ..Interval::default() };
        there.flow_done(Duration::from_millis(10));
        here.merge(&there);
        assert_eq!(here.row(4).csv(), "4,3,2,1,7,10,");
    }

    #[test]
    fn a_second_in_which_nothing_happened_is_a_row_of_zeros() {
        assert_eq!(Interval::default().row(0).csv(), "0,0,0,0,0,,");
        assert_eq!(TimelineRow::CSV_HEADER.split(',').count(), Interval::default().row(0).csv().split(',').count());
    }
}
