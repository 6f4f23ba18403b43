//! The ladder: for each kind of flow its messages in the order in which they are sent, and what became of them.

use maud::{Markup, html};

use super::parts::{Cell, Row, hint, table};
use crate::delegation::message::Kind;
use crate::measure::summary::{MessageRow, Summary};
use crate::report::figures::time;
use crate::report::way::{ORDER, Way};

/// A table for each kind of flow.
pub(super) fn ladder(summary: &Summary) -> Markup {
    let heads = [
        "message",
        "DMS-1 \u{2002} DMS-2",
        "sent",
        "answered",
        "late",
        "lost",
        "of them timed out",
        "duplicated",
        "unexpected",
        "p50",
        "p99",
    ];
    let flows: Vec<_> = summary.ladder.iter().collect();
    html! {
        @if flows.is_empty() { (hint("No message was sent.")) } @else {
            (hint("A message counts for the flow that was under way on its device. Lost: no answer at all. Late: came for a \
                   session that was over. Response times are of the message in all flows."))
        }
        @for (flow, rungs) in flows {
            h3 { (flow) }
            @let rows: Vec<Row> = ORDER.iter().filter_map(|kind| {
                rungs.get(kind.root()).map(|row| rung(summary, flow, *kind, row))
            }).collect();
            (table(&format!("Messages of {flow}"), &heads, &rows))
        }
    }
}

fn rung(summary: &Summary, flow: &str, kind: Kind, row: &MessageRow) -> Row {
    let latency = summary.latency.get(&format!("message.{kind}")).map(|row| row.response_ms).unwrap_or_default();
    let line = "\u{2500}".repeat(10);
    let (arrow, words) = match Way::of(kind, flow) {
        Way::ToDelegate => (format!("{line}\u{25b6}"), "DMS-1 to DMS-2"),
        Way::FromDelegate => (format!("\u{25c0}{line}"), "DMS-2 to DMS-1"),
        Way::Both => (format!("\u{25c0}{}\u{25b6}", "\u{2500}".repeat(9)), "either way"),
    };
    let cells = vec![
        Cell::Marked(html! { span.mono role="img" aria-label=(words) { (arrow) } }),
        Cell::Count(row.sent),
        Cell::Count(row.answered),
        Cell::Bad(row.late),
        Cell::Bad(row.lost),
        Cell::Bad(row.timed_out),
        Cell::Bad(row.duplicated),
        Cell::Bad(row.unexpected),
        Cell::Figure(time(latency.p50)),
        Cell::Figure(time(latency.p99)),
    ];
    Row::new(kind.root(), cells)
}
