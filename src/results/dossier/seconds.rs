//! `timeline.csv` as columns of one width: twice as wide whenever there would be too many of them.

use std::io::{self, BufRead};

use crate::measure::timeline::TimelineRow;
use crate::results::dossier::MOST_COLUMNS;

/// A run over time. All columns but the last one are `width_s` wide.
#[derive(Debug, Clone, PartialEq)]
pub struct Seconds {
    /// Whole seconds, a power of two.
    width_s: u64,
    columns: Vec<Second>,
}

/// What happened in the seconds of one column.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Second {
    /// How many seconds are taken together.
    pub seconds: u64,
    pub started: u64,
    pub done: u64,
    pub failed: u64,
    pub exchanges: u64,
    pub handshakes: u64,
    pub faults: u64,
    /// At the end of the column.
    pub under_way: u64,
    /// How late the latest start was.
    pub late_ms: Option<f64>,
    /// How late the latest timer fired.
    pub event_loop_ms: Option<f64>,
    /// CPU shares of all its seconds, summed.
    cpu_shares: f64,
}

impl Default for Seconds {
    fn default() -> Seconds {
        Seconds { width_s: 1, columns: Vec::new() }
    }
}

impl Second {
    /// So many in a second, on average.
    pub fn per_s(&self, count: u64) -> f64 {
        if self.seconds == 0 { 0.0 } else { count as f64 / self.seconds as f64 }
    }

    /// Of what all cores had to give, 0 to 1, on average.
    pub fn cpu_share(&self) -> f64 {
        if self.seconds == 0 { 0.0 } else { self.cpu_shares / self.seconds as f64 }
    }

    fn add(&mut self, later: &Second) {
        let latest = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        self.seconds += later.seconds;
        self.started += later.started;
        self.done += later.done;
        self.failed += later.failed;
        self.exchanges += later.exchanges;
        self.handshakes += later.handshakes;
        self.faults += later.faults;
        self.under_way = later.under_way;
        self.late_ms = latest(self.late_ms, later.late_ms);
        self.event_loop_ms = latest(self.event_loop_ms, later.event_loop_ms);
        self.cpu_shares += later.cpu_shares;
    }
}

impl From<&TimelineRow> for Second {
    fn from(row: &TimelineRow) -> Second {
        Second {
            seconds: 1,
            started: row.started,
            done: row.done,
            failed: row.failed,
            exchanges: row.exchanges,
            handshakes: row.handshakes,
            faults: row.faults,
            under_way: row.under_way,
            late_ms: row.late_ms,
            event_loop_ms: row.event_loop_ms,
            cpu_shares: row.cpu_share,
        }
    }
}

impl Seconds {
    /// Adds the rows of a file. Lines that are none, such as half a last one, are passed over.
    ///
    /// # Errors
    /// When the file cannot be read to its end; what came before is kept.
    pub fn read(&mut self, mut file: impl BufRead) -> io::Result<()> {
        let mut line = String::new();
        while file.read_line(&mut line)? > 0 {
            if let Some(row) = line.strip_suffix('\n').and_then(TimelineRow::from_csv) {
                self.add(&row);
            }
            line.clear();
        }
        Ok(())
    }

    /// Adds a row.
    pub fn add(&mut self, row: &TimelineRow) {
        while row.second / self.width_s >= MOST_COLUMNS as u64 {
            self.widen();
        }
        // A second that was not written is one of which nothing is known.
        let place = usize::try_from(row.second / self.width_s).unwrap_or_default();
        if place >= self.columns.len() {
            self.columns.resize(place + 1, Second::default());
        }
        self.columns[place].add(&Second::from(row));
    }

    /// The columns, in the order of time.
    pub fn columns(&self) -> &[Second] {
        &self.columns
    }

    /// How wide a column is for a run that lasted so long, in seconds: as wide as these, where there are any.
    pub fn width_s(&self, duration_s: f64) -> u64 {
        let mut width_s = self.width_s;
        while self.columns.is_empty() && duration_s / width_s as f64 > MOST_COLUMNS as f64 {
            width_s *= 2;
        }
        width_s
    }

    /// From which second to which a column goes; the last one ends with the last second.
    pub fn span_s(&self, place: usize) -> (f64, f64) {
        let from = place as f64 * self.width_s as f64;
        let is_last = place + 1 == self.columns.len();
        let seconds = self.columns.get(place).filter(|_| is_last).map_or(self.width_s, |column| column.seconds.max(1));
        (from, from + seconds as f64)
    }

    fn widen(&mut self) {
        self.width_s *= 2;
        let pairs = self.columns.chunks(2).map(|pair| {
            let mut sum = pair[0];
            pair[1..].iter().for_each(|later| sum.add(later));
            sum
        });
        self.columns = pairs.collect();
    }
}
