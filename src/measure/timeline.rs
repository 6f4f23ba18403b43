//! The same run second by second: what happened since the last look, and the row it becomes.

use crate::measure::latency::Distribution;
use crate::measure::shard::Shard;

/// One second of a run. The percentiles are of the response time of the flows that ended `done` in it, `None` without
/// enough of them ([`Distribution::percentile_ms`]).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimelineRow {
    /// Whole seconds from the beginning of the load to that of this second.
    pub second: u64,
    pub started: u64,
    /// Flows that ended `done`.
    pub done: u64,
    /// Flows that ended otherwise than their journey expects.
    pub failed: u64,
    /// Exchanges between servers that were answered.
    pub exchanges: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Flows under way at the end of the second.
    pub under_way: u64,
    pub handshakes: u64,
    /// How often faults fired.
    pub faults: u64,
    /// How late the latest start was.
    pub late_ms: Option<f64>,
    /// How late the latest timer fired.
    pub event_loop_ms: Option<f64>,
    /// Of what all cores had to give, 0 to 1.
    pub cpu_share: f64,
}

/// What is looked at, at the end of a second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gauges {
    pub under_way: u64,
    pub cpu_share: f64,
    /// How often faults have fired in this second.
    pub faults: u64,
    /// The most messages that have waited in the mailbox of a server.
    pub mailbox_depth: u64,
    pub open_files: u64,
}

impl TimelineRow {
    /// The first line of `timeline.csv`.
    pub const CSV_HEADER: &'static str = "second,started,done,failed,exchanges,p50_ms,p99_ms,under_way,handshakes,\
         faults,late_ms,event_loop_ms,cpu_share";

    /// The row of the second that began `second` seconds after the beginning of the load.
    pub fn of(second: u64, records: &Shard, gauges: &Gauges) -> TimelineRow {
        let mut response = Distribution::default();
        records.flow_responses().for_each(|flow| response.merge(flow));
        TimelineRow {
            second,
            started: records.started(),
            done: records.done(),
            failed: records.flows().count_ended_unexpectedly(),
            exchanges: records.exchanges(),
            p50_ms: response.percentile_ms(0.5),
            p99_ms: response.percentile_ms(0.99),
            under_way: gauges.under_way,
            handshakes: records.handshakes(),
            faults: gauges.faults,
            late_ms: records.lateness().max_ms(),
            event_loop_ms: records.event_loop().max_ms(),
            cpu_share: (gauges.cpu_share * 1e4).round() / 1e4,
        }
    }

    /// The row as a line of `timeline.csv`, without its end; what is not known is left empty.
    pub fn csv(&self) -> String {
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        [
            self.second.to_string(),
            self.started.to_string(),
            self.done.to_string(),
            self.failed.to_string(),
            self.exchanges.to_string(),
            cell(self.p50_ms),
            cell(self.p99_ms),
            self.under_way.to_string(),
            self.handshakes.to_string(),
            self.faults.to_string(),
            cell(self.late_ms),
            cell(self.event_loop_ms),
            self.cpu_share.to_string(),
        ]
        .join(",")
    }

    /// Reads a line of `timeline.csv` back; `None` for one that is none, such as the last one of a run that was killed
    /// while it was written.
    pub fn from_csv(line: &str) -> Option<TimelineRow> {
        let cells: Vec<&str> = line.split(',').collect();
        let &[second, started, done, failed, exchanges, p50, p99, under_way, handshakes, faults, late, event_loop, cpu] =
            cells.as_slice()
        else {
            return None;
        };
        let maybe = |cell: &str| if cell.is_empty() { Some(None) } else { cell.parse().ok().map(Some) };
        Some(TimelineRow {
            second: second.parse().ok()?,
            started: started.parse().ok()?,
            done: done.parse().ok()?,
            failed: failed.parse().ok()?,
            exchanges: exchanges.parse().ok()?,
            p50_ms: maybe(p50)?,
            p99_ms: maybe(p99)?,
            under_way: under_way.parse().ok()?,
            handshakes: handshakes.parse().ok()?,
            faults: faults.parse().ok()?,
            late_ms: maybe(late)?,
            event_loop_ms: maybe(event_loop)?,
            cpu_share: cpu.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::flow::{FlowKind, Outcome};
    use crate::delegation::message::Kind;
    use crate::measure::shard::End;
    use std::time::Duration;

    #[test]
    fn a_row_tells_what_happened_in_its_second_and_is_read_back() {
        let kind = FlowKind::all().next().expect("there are flows");
        let took = Duration::from_millis(10);
        let end = End { outcome: &Outcome::Done, as_expected: true, response: took, service: took };
        let mut records = Shard::new();
        for _ in 0..2 {
            records.flow_started(kind, "done", None);
            records.flow_ended(kind, &end, None);
        }
        records.flow_ended(kind, &End { outcome: &Outcome::Lost, as_expected: false, ..end }, None);
        records.message_answered(Kind::DelegationReq, None, took, took);
        // One exchange: DELEGATION_RESP rides in the answer to DELEGATION_REQ.
        records.message_answered(Kind::DelegationResp, None, took, took);
        records.late(Duration::from_millis(3));
        let gauges = Gauges { under_way: 7, cpu_share: 0.25, faults: 1, ..Gauges::default() };
        let row = TimelineRow::of(4, &records, &gauges);
        assert_eq!(row.csv(), "4,2,2,1,1,10,,7,0,1,3,,0.25");
        assert_eq!(TimelineRow::from_csv(&row.csv()), Some(row));
        assert_eq!(TimelineRow::CSV_HEADER.split(',').count(), row.csv().split(',').count());
    }

    #[test]
    fn a_second_in_which_nothing_happened_is_a_row_of_zeros_and_half_a_line_is_none() {
        let row = TimelineRow::of(0, &Shard::new(), &Gauges::default());
        assert_eq!(row.csv(), "0,0,0,0,0,,,0,0,0,,,0");
        assert_eq!(TimelineRow::from_csv("0,0,0,0,0,,,0,0"), None);
        assert_eq!(TimelineRow::from_csv(TimelineRow::CSV_HEADER), None);
    }
}
