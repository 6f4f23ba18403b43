//! Where everything is in the SVG: lanes from left to right, rows downwards, each as high as what it says.

use std::ops::Range;
use std::time::Duration;

use crate::report::finding::lanes::Party;
use crate::report::finding::rows::{Arrow, Drawn, Leg, Rows};
use crate::report::finding::wrap::wrap;

/// Where the first lane is: times stand before it.
pub(super) const FIRST: i32 = 134;
/// Where times end.
pub(super) const TIMES: i32 = 84;
/// How far a note is from its lane; the bar of a timer is between.
pub(super) const BESIDE: i32 = 13;
/// A line of text.
pub(super) const LINE: i32 = 15;
/// Lanes are named again after so much.
const NAMED_EVERY: i32 = 640;
pub(super) const HEAD: i32 = 34;
/// From which pause on the time that goes by has a place of its own.
const PAUSE: Duration = Duration::from_millis(500);
pub(super) const PAUSE_HEIGHT: i32 = 30;
pub(super) const PIN_HEIGHT: i32 = 30;

pub(super) struct Layout {
    /// From one lane to the next.
    gap: i32,
    pub width: i32,
    pub height: i32,
    pub places: Vec<Place>,
    /// Where the names of the lanes stand.
    pub heads: Vec<i32>,
    /// Where time passes, and how much.
    pub pauses: Vec<(i32, Duration)>,
    /// Where the promise broke.
    pub pin: i32,
}

/// Where a row is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub top: i32,
    /// Where its arrow is, or the middle of its note's first line.
    pub line: i32,
    pub bottom: i32,
    /// What it says, in lines that fit.
    pub text: Vec<String>,
    /// What it says below its arrow.
    pub mark: Vec<String>,
}

impl Layout {
    pub fn of(rows: &Rows) -> Layout {
        let gap = match rows.lanes.len() {
            0..=3 => 316,
            4 => 276,
            _ => 264,
        };
        let mut layout = Layout {
            gap,
            width: FIRST + gap * i32::try_from(rows.lanes.len().max(2)).unwrap_or(i32::MAX / 1_000) - 30,
            height: HEAD,
            places: Vec::new(),
            heads: vec![0],
            pauses: Vec::new(),
            pin: 0,
        };
        let mut before = None;
        for (number, row) in rows.rows.iter().enumerate() {
            let passed = before.replace(row.at).map_or(Duration::ZERO, |before| row.at - before);
            if passed >= PAUSE {
                layout.pauses.push((layout.height, passed));
                layout.height += PAUSE_HEIGHT;
            }
            let named = layout.heads.last().copied().unwrap_or_default();
            if layout.height - named > NAMED_EVERY {
                layout.heads.push(layout.height + 4);
                layout.height += HEAD + 6;
            }
            let place = layout.place(&row.what);
            layout.height = place.bottom;
            layout.places.push(place);
            if rows.broken == Some(number) {
                layout.pin();
            }
        }
        if rows.broken.is_none() && rows.has_pin {
            layout.pin();
        }
        layout.heads.push(layout.height + 10);
        layout.height += HEAD + 10;
        layout
    }

    pub fn lane(&self, rows: &Rows, party: Party) -> i32 {
        FIRST + self.gap * i32::try_from(rows.lanes.place(party)).unwrap_or_default()
    }

    /// Where a message waits that has left and not arrived: right of the left one of its two lanes.
    pub fn waits_at(&self, rows: &Rows, arrow: &Arrow) -> i32 {
        let left = self.lane(rows, arrow.from).min(self.lane(rows, arrow.to));
        let beside = arrow.number.map_or(0, |number| i32::try_from(number % 3).unwrap_or_default());
        left + self.gap - 58 + 9 * beside
    }

    /// The middle of what is said of an arrow: between the lane where it leaves and the next one on its way, so that no
    /// lane goes through it. Where it waited, for one that arrives.
    pub fn middle(&self, rows: &Rows, arrow: &Arrow) -> i32 {
        let (from, to) = (self.lane(rows, arrow.from), self.lane(rows, arrow.to));
        let left = match arrow.leg {
            _ if from < to => from,
            Leg::Arrives => to,
            _ => from - self.gap,
        };
        left + self.gap / 2 - 14
    }

    /// The part of a lane that its notes take up.
    pub fn column(&self, lane: i32) -> Range<i32> {
        lane - 36..lane + self.gap - 44
    }

    fn pin(&mut self) {
        self.pin = self.height + PIN_HEIGHT / 2;
        self.height += PIN_HEIGHT;
    }

    fn place(&self, what: &Drawn) -> Place {
        let top = self.height;
        let lines = |text: &[String]| LINE * i32::try_from(text.len()).unwrap_or(i32::MAX / 1_000);
        match what {
            Drawn::Across(text, _) => {
                let text = wrap(text, letters(self.width - FIRST - 40));
                let bottom = top + lines(&text) + 14;
                Place { top, line: top + 14, bottom, text, mark: Vec::new() }
            }
            Drawn::Note(_, text, _) => {
                let text = wrap(text, letters(self.gap - BESIDE - 80));
                let bottom = top + lines(&text) + 8;
                Place { top, line: top + 4 + LINE / 2, bottom, text, mark: Vec::new() }
            }
            Drawn::Arrow(arrow) => {
                let room = letters(self.gap - 44);
                let text = wrap(&arrow.title(), room);
                let mark = arrow.mark.as_ref().map_or_else(Vec::new, |mark| wrap(mark, room));
                // The cross of what is lost is higher than a line.
                let line = top + lines(&text) + if arrow.leg == Leg::Lost { 11 } else { 7 };
                let below = if mark.is_empty() { 6 } else { lines(&mark) + 8 };
                Place { top, line, bottom: line + below, text, mark }
            }
        }
    }
}

/// How wide so many letters are.
pub(super) fn width(letters: usize) -> i32 {
    i32::try_from(letters).unwrap_or(i32::MAX / 1_000) * 29 / 4
}

fn letters(width: i32) -> usize {
    usize::try_from(width * 4 / 29).unwrap_or(1)
}
