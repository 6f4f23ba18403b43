//! The drawing as text: a lane for everybody, time downwards, at most 140 columns.
//!
//! ```text
//!      time s   home                              partner
//!    0.000000   ├───────── delegation_req ───────▶│
//!               │◀╌╌╌╌╌╌╌ delegation_resp ╌╌╌╌╌╌╌╌┤
//!               ◆ ExpectConfirmed                 │
//!               ├─ delegation_prepared ──✗ lost   │
//! ```

use std::time::Duration;

use crate::report::finding::Scene;
use crate::report::finding::lanes::Party;
use crate::report::finding::rows::{Arrow, ArrowKind, Drawn, Leg, Row, Rows, Tone};
use crate::report::finding::words::{plain, seconds};
use crate::report::finding::wrap::wrap;

/// No line is longer.
const WIDTH: usize = 140;
/// Where the first lane is.
const FIRST: usize = 14;
/// Lanes stand no further apart: lines would be long and empty.
const WIDEST: usize = 42;
/// From which pause on the time that goes by has a line of its own.
const PAUSE: Duration = Duration::from_millis(500);

/// The story as a sequence diagram for a terminal, ending with a line end.
pub fn ladder(scene: &Scene<'_>) -> String {
    let rows = Rows::of(scene);
    let mut sheet = Sheet::new(&rows);
    sheet.text(scene.title);
    let verdict = if scene.is_broken { "broken" } else { "not broken" };
    sheet.text(&format!("{verdict}: {} - {}", scene.promise, scene.says));
    if scene.is_broken {
        sheet.text(&format!("seen: {}", scene.seen));
    }
    sheet.lines.push(String::new());
    sheet.head();
    let mut before = None;
    for (place, row) in rows.rows.iter().enumerate() {
        let passed = before.map_or(Duration::ZERO, |before| row.at - before);
        if passed >= PAUSE {
            sheet.pause(passed);
        }
        sheet.row(row, (before != Some(row.at)).then(|| format!("{:>11.6}", row.at.seconds())));
        before = Some(row.at);
        if rows.broken == Some(place) {
            sheet.broken(&format!(" ✗ HERE {} BROKE ", scene.promise));
        }
    }
    if rows.rows.is_empty() {
        sheet.text("nothing was seen");
    }
    if rows.broken.is_none() && scene.is_broken {
        sheet.broken(&format!(" ✗ WHEN ALL WAS OVER {} WAS BROKEN ", scene.promise));
    }
    let mut text = sheet.lines.join("\n");
    text.push('\n');
    text
}

/// Lines of text under construction.
struct Sheet<'r> {
    rows: &'r Rows,
    /// From one lane to the next.
    gap: usize,
    lines: Vec<String>,
}

impl<'r> Sheet<'r> {
    fn new(rows: &'r Rows) -> Sheet<'r> {
        let gap = ((WIDTH - FIRST) / rows.lanes.len().max(1)).min(WIDEST);
        Sheet { rows, gap, lines: Vec::new() }
    }

    fn column(&self, party: Party) -> usize {
        FIRST + self.rows.lanes.place(party) * self.gap
    }

    /// A line with nothing but the lanes.
    fn empty(&self, lane: char) -> Vec<char> {
        let mut line = vec![' '; WIDTH];
        self.rows.lanes.iter().for_each(|(party, _)| line[self.column(party)] = lane);
        line
    }

    fn push(&mut self, line: Vec<char>) {
        self.lines.push(line.into_iter().collect::<String>().trim_end().to_owned());
    }

    fn text(&mut self, text: &str) {
        self.lines.extend(wrap(&plain(text), WIDTH));
    }

    fn head(&mut self) {
        let names: Vec<(Party, Vec<String>)> =
            self.rows.lanes.iter().map(|(party, name)| (party, wrap(name, self.gap - 2))).collect();
        for number in 0..names.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0) {
            let mut line = vec![' '; WIDTH];
            if number == 0 {
                put(&mut line, 5, "time s");
            }
            for (party, lines) in &names {
                put(&mut line, self.column(*party), lines.get(number).map_or("", String::as_str));
            }
            self.push(line);
        }
    }

    fn pause(&mut self, passed: Duration) {
        let mut line = self.empty('┊');
        put(&mut line, 3, &format!("+{}", seconds(passed)));
        self.push(line);
    }

    fn broken(&mut self, text: &str) {
        let text = plain(text);
        let fill = (FIRST + self.rows.lanes.len().max(2) * self.gap).min(WIDTH);
        for (number, part) in wrap(&text, fill - FIRST).into_iter().enumerate() {
            let lead = if number == 0 { "━".repeat(FIRST - 2) } else { " ".repeat(FIRST - 2) };
            let rest = if number == 0 { fill.saturating_sub(FIRST + part.chars().count()) } else { 0 };
            self.lines.push(format!("{lead} {part} {}", "━".repeat(rest)).trim_end().to_owned());
        }
    }

    fn row(&mut self, row: &Row, time: Option<String>) {
        let from = self.lines.len();
        match &row.what {
            Drawn::Across(text, tone) => self.across(text, *tone),
            Drawn::Note(party, text, tone) => {
                let sign = match tone {
                    Tone::Phase => '◆',
                    Tone::Timer => '◷',
                    Tone::Bad => '✗',
                    Tone::Good => '✓',
                    Tone::Plain => '•',
                };
                self.note(*party, text, sign);
            }
            Drawn::Arrow(arrow) => self.arrow(arrow),
        }
        if let (Some(time), Some(line)) = (time, self.lines.get_mut(from)) {
            let rest: String = line.chars().skip(time.chars().count()).collect();
            *line = format!("{time}{rest}");
        }
    }

    fn across(&mut self, text: &str, tone: Tone) {
        let sign = if tone == Tone::Bad { '~' } else { '─' };
        let end = (FIRST + self.rows.lanes.len().max(1) * self.gap).min(WIDTH) - 1;
        for (number, part) in wrap(text, end - FIRST - 4).into_iter().enumerate() {
            let mut line = self.empty('│');
            line[FIRST..end].fill(if number == 0 { sign } else { ' ' });
            put(&mut line, FIRST + 2, &format!(" {part} "));
            self.push(line);
        }
    }

    fn note(&mut self, party: Party, text: &str, sign: char) {
        let column = self.column(party);
        for (number, part) in wrap(text, self.gap - 3).into_iter().enumerate() {
            let mut line = self.empty('│');
            if number == 0 {
                line[column] = sign;
            }
            put(&mut line, column + 2, &part);
            self.push(line);
        }
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let (from, to) = (self.column(arrow.from), self.column(arrow.to));
        if from == to {
            return self.note(arrow.from, &arrow.title(), '↻');
        }
        let (left, right) = (from.min(to), from.max(to));
        let goes_right = from < to;
        let stroke = match arrow.kind {
            _ if arrow.is_held => '╌',
            ArrowKind::Request | ArrowKind::Session => '─',
            ArrowKind::Copy => '═',
            ArrowKind::Answer => '╌',
        };
        let mark = arrow.mark.as_deref().unwrap_or_default();
        // What does not arrive says so on its way, the rest where it ends.
        let is_open = matches!(arrow.leg, Leg::Lost | Leg::Leaves);
        let end_sign = if arrow.leg == Leg::Lost { "✗" } else { "»" };
        let tail = if is_open { format!("{end_sign} {mark}") } else { String::new() };
        let room = right - left - 1;
        let mut label = arrow.title();
        if label.chars().count() + 6 + tail.chars().count() > room {
            self.label_above(left, &label, room - 2);
            label = String::new();
        }
        let mut line = self.empty('│');
        let tail_length = if is_open { tail.chars().count().min(room - 2) + 2 } else { 0 };
        let (begin, end) = if goes_right { (left + 1, right - tail_length) } else { (left + 1 + tail_length, right) };
        line[begin..end].fill(stroke);
        line[from] = if goes_right { '├' } else { '┤' };
        if is_open {
            // Another lane may be crossed before it ends, and is not where it does not come.
            let tail = if goes_right { tail.clone() } else { format!("{mark} {end_sign}") };
            put(&mut line, if goes_right { end } else { begin - tail.chars().count() }, &tail);
        } else if goes_right {
            line[right - 1] = '▶';
        } else {
            line[left + 1] = '◀';
        }
        if !label.is_empty() {
            let label = format!(" {label} ");
            let free = end - begin;
            put(&mut line, begin + free.saturating_sub(label.chars().count()) / 2, &label);
        }
        let mut beside = Vec::new();
        if !is_open && !mark.is_empty() {
            beside = wrap(mark, self.gap - 3);
            if goes_right {
                put(&mut line, right + 2, &beside.remove(0));
            }
        }
        self.push(line);
        for part in beside {
            let mut line = self.empty('│');
            put(&mut line, to + 2, &part);
            self.push(line);
        }
    }

    fn label_above(&mut self, left: usize, label: &str, room: usize) {
        for part in wrap(label, room) {
            let mut line = self.empty('│');
            put(&mut line, left + 2, &part);
            self.push(line);
        }
    }
}

/// Writes over what is there, as far as the line goes.
fn put(line: &mut [char], at: usize, text: &str) {
    line.iter_mut().skip(at).zip(text.chars()).for_each(|(place, letter)| *place = letter);
}
