//! What the run was judged by: limits, promises, and the health of this machine.

use maud::{Markup, html};

use super::parts::{Cell, Row, hint, notes, table, tag};
use crate::measure::health::Lateness;
use crate::measure::limit::LimitResult;
use crate::measure::promise::says;
use crate::measure::summary::{PromiseRow, Summary};
use crate::report::figures::{count, counted, in_unit, share, size, time};

/// Limits, those that were not kept first.
pub(super) fn limits(summary: &Summary) -> Markup {
    let mut limits: Vec<&LimitResult> = summary.limits.iter().collect();
    limits.sort_by_key(|limit| limit.passed);
    if limits.is_empty() {
        return hint("The scenario has none.");
    }
    let row = |limit: &&LimitResult| {
        let verdict = if limit.passed { tag("good", "kept") } else { tag("bad", "NOT KEPT") };
        let windows = limit.windows.map_or_else(String::new, |tally| {
            format!("{} of {} kept", count(tally.kept), counted(tally.seen, "window"))
        });
        let mut how = Vec::new();
        how.extend(limit.abort.then_some("ends the run"));
        how.extend(limit.optional.then_some("optional"));
        Row {
            name: html! { code { (limit.expr) } @if let Some(note) = &limit.note { " " (hint(note)) } },
            cells: vec![
                Cell::Marked(verdict),
                Cell::Figure(actual(limit)),
                Cell::Figure(in_unit(limit.limit, limit.unit)),
                Cell::Figure(windows),
                Cell::Figure(how.join(", ")),
            ],
            is_total: false,
        }
    };
    let rows: Vec<Row> = limits.iter().map(row).collect();
    table("Limits", &["limit", "", "was", "bound", "windows", ""], &rows)
}

/// What was measured for a limit.
pub(super) fn actual(limit: &LimitResult) -> String {
    limit.actual.map_or_else(|| "not measured".to_owned(), |actual| in_unit(actual, limit.unit))
}

/// Promises: broken ones with what was seen, then those that could not be seen everywhere, then all others.
pub(super) fn promises(summary: &Summary) -> Markup {
    if summary.promises.is_empty() {
        return hint("Not checked: the run was stopped before everybody had come to rest.");
    }
    let mut promises: Vec<&PromiseRow> = summary.promises.iter().collect();
    promises.sort_by_key(|row| (row.broken == 0, row.checked == 0, std::cmp::Reverse(row.not_observable)));
    let broken: Vec<&PromiseRow> = promises.iter().copied().filter(|row| row.broken > 0).collect();
    let row = |row: &&PromiseRow| {
        let verdict = match row {
            row if row.broken > 0 => tag("bad", "BROKEN"),
            row if row.checked == 0 => tag("plain", "nothing to check"),
            _ => tag("good", "held"),
        };
        let cells = vec![
            Cell::Marked(verdict),
            Cell::Words(says(&row.name).to_owned()),
            Cell::Count(row.checked),
            Cell::Bad(row.broken),
            Cell::Count(row.not_observable),
        ];
        Row { name: html! { code { (row.name) } }, cells, is_total: false }
    };
    let all = |rows: &[&PromiseRow]| {
        let rows: Vec<Row> = rows.iter().map(row).collect();
        table("Promises", &["promise", "", "what it says", "checked", "broken", "not observable"], &rows)
    };
    let others = &promises[broken.len()..];
    let held = others.iter().filter(|row| row.checked > 0).count() as u64;
    html! {
        @for row in &broken {
            h3 { code { (row.name) } " " (tag("bad", "BROKEN")) }
            p { (says(&row.name)) ": broken on " (count(row.broken)) " of " (counted(row.checked, "device")) "." }
            (notes("bad", &row.seen))
            @let more = row.broken.saturating_sub(row.seen.len() as u64);
            @if more > 0 { (hint(&format!("... and {} more", count(more)))) }
        }
        @if broken.is_empty() {
            p { (tag("good", "all held")) " " (counted(held, "promise")) " were checked, up to "
                (counted(others.iter().map(|row| row.checked).max().unwrap_or(0), "time")) " each." }
        }
        @let rest = others.len() as u64 - held;
        details {
            summary { (counted(held, "promise")) " held"
                @if rest > 0 { ", " (count(rest)) " with nothing to check" } }
            (all(others))
        }
    }
}

/// Whether this machine kept up.
pub(super) fn health(summary: &Summary) -> Markup {
    let health = &summary.health;
    let verdict = if health.valid { tag("good", "valid") } else { tag("bad", "INVALID") };
    let said = if health.valid {
        "This machine kept up: the figures are about the peers."
    } else {
        "This machine did not keep up: the figures are about it, not about the peers."
    };
    let of_most = |used: u64, most: Option<u64>| match most {
        Some(most) if most > 0 => format!("{} of {}", count(used), count(most)),
        _ => count(used),
    };
    let late = |name: &str, late: &Lateness| {
        let figures = [late.p50, late.p99, late.max].map(|ms| Cell::Figure(time(ms)));
        Row::new(name, figures.into_iter().collect())
    };
    let delays =
        [late("starts after their moment", &health.lateness_ms), late("our own timers", &health.event_loop_ms)];
    let uses = [
        ("CPU, of all cores", share(health.cpu_share)),
        ("most memory", size(health.peak_rss_bytes)),
        ("most open files", of_most(health.open_files, health.most_open_files)),
        ("most ports", of_most(health.ports, health.most_ports)),
        ("deepest mailbox", count(health.mailbox_depth)),
        ("mailboxes refused", count(summary.actors.mailbox_refused)),
        ("starts dropped", count(health.dropped)),
        ("starts more than 10 ms late", count(health.late)),
        ("requests never sent", count(health.never_sent)),
    ];
    let uses: Vec<Row> = uses.into_iter().map(|(name, figure)| Row::new(name, vec![Cell::Figure(figure)])).collect();
    html! {
        p { (verdict) " " (said) }
        (notes("bad", &health.reasons))
        (notes("warn", &health.warnings))
        div.pair {
            (table("How late things were", &["late by", "p50", "p99", "max"], &delays))
            (table("What the run took", &["of this machine", ""], &uses))
        }
    }
}
