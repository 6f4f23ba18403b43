//! The ladder: for each flow that occurs, its messages in the order in which they are sent, as arrows between the two
//! servers, and what became of them.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::delegation::message::Kind;
use crate::measure::summary::{MessageRow, Summary};
use crate::report::figures::{count, time};
use crate::report::live::ink::Ink;
use crate::report::live::screen::Screen;
use crate::report::way::{ORDER, Way};

/// Columns of an arrow, which holds the longest name and both of its ends.
const ARROW: usize = 33;

/// One column of figures.
struct Column {
    head: &'static str,
    narrow: &'static str,
    of: fn(&MessageRow) -> u64,
    /// Whether it is red when there is something in it.
    is_trouble: bool,
}

const COLUMNS: [Column; 6] = [
    Column { head: "sent", narrow: "sent", of: |row| row.sent, is_trouble: false },
    Column { head: "answered", narrow: "answered", of: |row| row.answered, is_trouble: false },
    Column { head: "late", narrow: "late", of: |row| row.late, is_trouble: true },
    Column { head: "lost", narrow: "lost", of: |row| row.lost, is_trouble: true },
    Column { head: "duplicated", narrow: "dup", of: |row| row.duplicated, is_trouble: true },
    Column { head: "unexpected", narrow: "unexp", of: |row| row.unexpected, is_trouble: true },
];

/// Columns of a percentile, with the space in front of it.
const TIME: usize = 9;

pub(super) fn lines(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let Some(beat) = screen.last() else { return Vec::new() };
    let summary = &beat.summary;
    let form = Form::fitting(summary, usize::from(width));
    let mut lines = vec![form.head(ink)];
    for (flow, rungs) in summary.ladder.iter() {
        lines.push(title(summary, flow, ink));
        for kind in ORDER {
            if let Some(row) = rungs.get(kind.root()) {
                let way = Way::of(kind, flow);
                lines.push(form.rung(screen, summary, (kind, way), row, ink));
            }
        }
    }
    if lines.len() == 1 {
        lines.push(Line::styled(" no message has been sent yet", ink.dim()));
    }
    lines
}

fn title(summary: &Summary, flow: &str, ink: Ink) -> Line<'static> {
    let row = summary.flows.get(flow).copied().unwrap_or_default();
    let words = format!("  {} started, {} done", count(row.started), count(row.done));
    Line::from(vec![Span::styled(format!(" {flow}"), ink.accent()), Span::styled(words, ink.dim())])
}

/// `--- delegation_req -------->`, the other way round, or with a head at either end.
fn arrow(kind: Kind, way: Way) -> String {
    let (tail, tip) = match way {
        Way::ToDelegate => ("--- ", ">"),
        Way::FromDelegate => ("<-- ", "-"),
        Way::Both => ("<-- ", ">"),
    };
    let begun = format!("{tail}{} ", kind.root());
    format!("{begun:-<width$}{tip}", width = ARROW - 1)
}

/// Which columns there are, and how wide they are.
struct Form {
    columns: Vec<(&'static Column, &'static str, usize)>,
    has_p50: bool,
}

impl Form {
    /// Everything where there is room. Else the heads are short, and what is zero everywhere is left out, and then p50.
    fn fitting(summary: &Summary, width: usize) -> Form {
        let digits = |column: &Column| {
            let rows = summary.ladder.iter().flat_map(|(_, rungs)| rungs.iter());
            rows.map(|(_, row)| count((column.of)(row)).len()).max().unwrap_or(1)
        };
        let is_used =
            |column: &Column| summary.ladder.iter().any(|(_, rungs)| rungs.iter().any(|(_, row)| (column.of)(row) > 0));
        let with = |is_wide: bool, has_p50: bool| {
            let columns = COLUMNS.iter().filter(|column| is_wide || !column.is_trouble || is_used(column));
            let columns = columns.map(|column| {
                let head = if is_wide { column.head } else { column.narrow };
                (column, head, head.len().max(digits(column)) + 2 - usize::from(!is_wide && column.is_trouble))
            });
            Form { columns: columns.collect(), has_p50 }
        };
        [with(true, true), with(false, true)]
            .into_iter()
            .find(|form| form.width() <= width)
            .unwrap_or_else(|| with(false, false))
    }

    fn width(&self) -> usize {
        let times = if self.has_p50 { 2 * TIME } else { TIME };
        1 + ARROW + self.columns.iter().map(|(_, _, width)| width).sum::<usize>() + times
    }

    fn head(&self, ink: Ink) -> Line<'static> {
        let mut text = format!(" {:<room$}DMS-2", "DMS-1", room = ARROW - 5);
        for (_, head, width) in &self.columns {
            text.push_str(&format!("{head:>width$}"));
        }
        if self.has_p50 {
            text.push_str(&format!("{:>TIME$}", "p50"));
        }
        text.push_str(&format!("{:>TIME$}", "p99"));
        Line::styled(text, ink.head())
    }

    fn rung(
        &self,
        screen: &Screen,
        summary: &Summary,
        (kind, way): (Kind, Way),
        row: &MessageRow,
        ink: Ink,
    ) -> Line<'static> {
        let mut spans = vec![Span::raw(format!(" {}", arrow(kind, way)))];
        for (column, _, width) in &self.columns {
            let figure = (column.of)(row);
            let style = match (figure, column.is_trouble) {
                (0, true) => ink.dim(),
                (_, true) => ink.near(),
                _ => Style::new(),
            };
            spans.push(Span::styled(format!("{:>width$}", count(figure)), style));
        }
        let latency = summary.latency.get(&format!("message.{}", kind.root())).copied().unwrap_or_default();
        let spread = if screen.is_service { latency.service_ms } else { latency.response_ms };
        if self.has_p50 {
            spans.push(Span::raw(format!("{:>TIME$}", time(spread.p50))));
        }
        spans.push(Span::raw(format!("{:>TIME$}", time(spread.p99))));
        Line::from(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_an_arrow_of_the_same_width() {
        for kind in Kind::ALL {
            let drawn = arrow(kind, Way::of(kind, "delegate.url"));
            assert_eq!(drawn.len(), ARROW, "{drawn}");
        }
        assert_eq!(arrow(Kind::DelegationReq, Way::ToDelegate), "--- delegation_req ------------->");
        assert_eq!(arrow(Kind::DelegationTerminationResp, Way::FromDelegate), "<-- delegation_termination_resp -");
    }
}
