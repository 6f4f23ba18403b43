//! How flows ended, and how long they took, by kind and by population.

use maud::{Markup, html};

use super::parts::{Cell, Row, hint, spread, table as table_of};
use crate::measure::summary::{FlowRow, LatencyRow, Summary};
use crate::report::figures::{count, counted, share};

/// An outcome: what it is called, the variable of its colour, and how many flows had it.
type Outcome = (&'static str, &'static str, fn(&FlowRow) -> u64);

const OUTCOMES: [Outcome; 9] = [
    ("done", "--done", |row| row.done),
    ("refused", "--refused", |row| row.refused),
    ("undone", "--undone", |row| row.undone),
    ("too late", "--too-late", |row| row.too_late),
    ("unreachable", "--unreachable", |row| row.unreachable),
    ("misbehaved", "--misbehaved", |row| row.misbehaved),
    ("stranded", "--stranded", |row| row.stranded),
    ("lost", "--lost", |row| row.lost),
    ("not ended", "--not-ended", FlowRow::not_ended),
];

/// The kinds that occurred.
fn occurred(summary: &Summary) -> Vec<(&str, &FlowRow)> {
    summary.flows.iter().filter(|(_, row)| row.started > 0).collect()
}

/// A bar for each kind of flow.
pub(super) fn outcomes(summary: &Summary) -> Markup {
    let rows = occurred(summary);
    if rows.is_empty() {
        return hint("No flow was started.");
    }
    let seen = OUTCOMES.iter().filter(|(.., of)| rows.iter().any(|(_, row)| of(row) > 0));
    html! {
        ul.legend { @for (name, colour, of) in seen {
            li { i style={ "background:var(" (colour) ")" } {}
                (name) " " (count(rows.iter().map(|(_, row)| of(row)).sum())) }
        } }
        div.bars {
            @for (name, row) in &rows {
                @let failed = summary.failed.get(name).copied().unwrap_or(0);
                span.name { (name) }
                span.bar role="img" aria-label=(told(row)) {
                    @for (_, colour, of) in &OUTCOMES {
                        @if of(row) > 0 {
                            i style={ "background:var(" (colour) ");flex:" (of(row)) " 0 0" } {}
                        }
                    }
                }
                span.much {
                    (count(row.started))
                    @if failed > 0 { ", " span.some-bad { (share(failed as f64 / row.started as f64)) " failed" } }
                }
            }
        }
        (hint("A flow has failed when it did not end as its journey expects; so one may be undone without having failed."))
    }
}

fn told(row: &FlowRow) -> String {
    let parts = OUTCOMES.iter().map(|(name, _, of)| (name, of(row))).filter(|(_, times)| *times > 0);
    parts.map(|(name, times)| format!("{} {name}", count(times))).collect::<Vec<_>>().join(", ")
}

/// Every kind with its outcomes, its response times and its service times.
pub(super) fn table(summary: &Summary) -> Markup {
    let rows = occurred(summary);
    if rows.is_empty() {
        return hint("No flow was started.");
    }
    let seen: Vec<&Outcome> = OUTCOMES.iter().filter(|(.., of)| rows.iter().any(|(_, row)| of(row) > 0)).collect();
    let mut heads = vec!["flow", "started"];
    heads.extend(seen.iter().map(|(name, ..)| *name));
    heads.push("failed");
    let row = |(name, row): &(&str, &FlowRow)| {
        let mut cells = vec![Cell::Count(row.started)];
        cells.extend(seen.iter().map(|(.., of)| Cell::Count(of(row))));
        cells.push(Cell::Bad(summary.failed.get(name).copied().unwrap_or(0)));
        Row::new(name, cells)
    };
    let mut counts: Vec<Row> = rows.iter().map(row).collect();
    if rows.len() > 1 {
        let sum = |of: &dyn Fn(&FlowRow) -> u64| rows.iter().map(|(_, row)| of(row)).sum();
        let mut cells = vec![Cell::Count(sum(&|row| row.started))];
        cells.extend(seen.iter().map(|(.., of)| Cell::Count(sum(of))));
        cells.push(Cell::Bad(summary.failed_flows()));
        counts.push(Row { is_total: true, ..Row::new("all", cells) });
    }
    let none = LatencyRow::default();
    let latency = |name: &str| *summary.latency.get(&format!("flow.{name}")).unwrap_or(&none);
    let times: Vec<Row> = rows.iter().map(|(name, _)| times(name, &latency(name))).collect();
    html! {
        (table_of("Flows and how they ended", &heads, &counts))
        h3 { "How long those that ended done took" }
        (hint("Response counts from the moment a flow was meant to start, service from the moment it was sent. A dash \
               stands where too few samples bear a percentile out."))
        (table_of("Response and service times of flows", &TIMES, &times))
    }
}

const TIMES: [&str; 12] =
    ["flow", "samples", "response p50", "p90", "p99", "p99.9", "max", "service p50", "p90", "p99", "p99.9", "max"];

fn times(name: &str, latency: &LatencyRow) -> Row {
    let cells = [Cell::Count(latency.count)].into_iter();
    Row::new(name, cells.chain(spread(&latency.response_ms)).chain(spread(&latency.service_ms)).collect())
}

/// How each population fared, where there are several.
pub(super) fn populations(summary: &Summary) -> Markup {
    let rows: Vec<_> = summary.populations.iter().collect();
    if rows.is_empty() {
        return hint(&format!("There is only one: {}.", counted(summary.devices, "device")));
    }
    let counts = rows.iter().map(|(name, row)| {
        let mut cells = vec![Cell::Count(row.devices), Cell::Count(row.started), Cell::Count(row.done)];
        cells.push(Cell::Bad(row.failed));
        cells.extend(spread(&row.latency.response_ms));
        Row::new(name, cells)
    });
    let heads = ["population", "devices", "started", "done", "failed", "response p50", "p90", "p99", "p99.9", "max"];
    table_of("Populations", &heads, &counts.collect::<Vec<_>>())
}
