//! Where the time of a call goes: from the connection to the last byte of the answer.

use maud::{Markup, html};

use super::parts::{Cell, Row, hint, spread, table};
use crate::measure::summary::{LatencyRow, Summary};
use crate::report::figures::{share, time};

/// A part of a call: what it is called, its metric, the variable of its colour.
const PARTS: [(&str, &str, &str); 6] = [
    ("connect (TCP)", "http.connect", "--unreachable"),
    ("TLS, full", "tls.handshake.full", "--third"),
    ("TLS, resumed", "tls.handshake.resumed", "--misbehaved"),
    ("send", "http.send", "--second"),
    ("wait", "http.wait", "--first"),
    ("receive", "http.receive", "--done"),
];

/// The parts of a call: how often each happened, how long it took, and its share of all the time that calls took.
pub(super) fn calls(summary: &Summary) -> Markup {
    let none = LatencyRow::default();
    let row = |metric: &str| *summary.latency.get(metric).unwrap_or(&none);
    let spent = |row: &LatencyRow| row.service_ms.mean.unwrap_or(0.0) * row.count as f64;
    let parts = PARTS.map(|(name, metric, colour)| (name, colour, row(metric)));
    let all: f64 = parts.iter().map(|(.., row)| spent(row)).sum();
    if all <= 0.0 {
        return hint("No call was made.");
    }
    let of_all = |row: &LatencyRow| spent(row) / all;
    let rows = parts.iter().filter(|(.., row)| row.count > 0).map(|(name, _, row)| {
        let mut cells =
            vec![Cell::Figure(share(of_all(row))), Cell::Count(row.count), Cell::Figure(time(row.service_ms.mean))];
        cells.extend(spread(&row.service_ms));
        Row::new(name, cells)
    });
    let rows: Vec<Row> = rows.collect();
    let heads = ["part", "of all time", "times", "mean", "p50", "p90", "p99", "p99.9", "max"];
    let told: Vec<String> = parts.iter().map(|(name, _, row)| format!("{name} {}", share(of_all(row)))).collect();
    html! {
        ul.legend { @for (name, colour, row) in &parts { @if row.count > 0 {
            li { i style={ "background:var(" (colour) ")" } {} (name) " " (share(of_all(row))) }
        } } }
        span.bar role="img" aria-label=(told.join(", ")) { @for (_, colour, row) in &parts { @if spent(row) > 0.0 {
            i style={ "background:var(" (colour) ");flex:" (format!("{:.4}", of_all(row))) " 0 0" } {}
        } } }
        (hint("Of all requests over HTTPS, those of devices among them. A connection that is used again needs neither TCP nor \
               TLS. Wait: from the last byte of the request to the head of the answer; that is the peer and the way to it."))
        (table("Parts of a call", &heads, &rows))
    }
}
