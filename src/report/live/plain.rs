//! A run under way in one line, for a pipe.

use crate::report::figures::{count, counted, time};
use crate::report::live::screen::Beat;

/// So many seconds lie between two lines.
const EVERY_S: u64 = 5;

/// One line: the second that has just passed, and the flows so far.
pub fn line(beat: &Beat) -> String {
    let row = &beat.row;
    let mut line = format!("{:>4} s", row.second + 1);
    if let Some(left) = beat.left {
        line.push_str(&format!(", {} s left", left.as_secs()));
    }
    line.push_str(&format!(
        "  {} started, {} ended, {} under way, {} failed; {} flows/s, {} exchanges/s",
        count(beat.flows_started),
        count(beat.flows_ended),
        count(beat.flows_started.saturating_sub(beat.flows_ended)),
        count(beat.flows_failed),
        count(row.done),
        count(row.exchanges)
    ));
    for (name, percentile) in [("p50", row.p50_ms), ("p99", row.p99_ms)] {
        if percentile.is_some() {
            line.push_str(&format!(", {name} {}", time(percentile)));
        }
    }
    let faults: u64 = beat.summary.faults.iter().map(|fault| fault.injected).sum();
    if faults > 0 {
        line.push_str(&format!("; {}", counted(faults, "fault")));
    }
    if !beat.summary.health.valid {
        line.push_str("; INVALID so far");
    }
    line
}

/// Which seconds are told: the first, every fifth, and the last.
#[derive(Debug, Default)]
pub struct Rhythm {
    last: Option<String>,
}

impl Rhythm {
    /// The line of a second that is told at once.
    pub fn beat(&mut self, beat: &Beat) -> Option<String> {
        let second = beat.row.second + 1;
        if second == 1 || second.is_multiple_of(EVERY_S) {
            self.last = None;
            return Some(line(beat));
        }
        self.last = Some(line(beat));
        None
    }

    /// The run is over: the line of its last second, unless it has been told.
    pub fn end(self) -> Option<String> {
        self.last
    }
}
