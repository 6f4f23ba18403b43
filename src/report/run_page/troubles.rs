//! What went wrong, what was made to go wrong, and when it was seen first and last.

use maud::{Markup, html};

use super::chart::clock;
use super::parts::{Cell, Row, hint, table};
use crate::measure::summary::{ErrorKind, FaultRow, Summary};
use crate::report::figures::{counted, share, time};

/// Errors by kind, the most frequent first.
pub(super) fn errors(summary: &Summary) -> Markup {
    if summary.errors.is_empty() {
        return hint(
            "None: every flow ended as its journey expects, no request was rejected, every call was answered.",
        );
    }
    let of_kind = |kind: ErrorKind| {
        let rows = summary.errors.iter().filter(|error| error.kind == kind).map(|error| {
            let seen =
                [Cell::Count(error.times), Cell::Figure(clock(error.first_s)), Cell::Figure(clock(error.last_s))];
            Row::new(&error.what, seen.into_iter().collect())
        });
        rows.collect::<Vec<_>>()
    };
    let kinds = [
        (ErrorKind::Flow, "Flows that ended otherwise than expected"),
        (ErrorKind::Rejected, "Requests that were rejected"),
        (ErrorKind::Lost, "Messages without an answer"),
    ];
    html! {
        div.pair { @for (kind, title) in kinds {
            @let rows = of_kind(kind);
            @if !rows.is_empty() {
                div { h3 { (title) } (table(title, &["what", "times", "first seen", "last seen"], &rows)) }
            }
        } }
    }
}

/// Faults in the order of the scenario, those that never fired apart; then what came of the goals, and the windows.
pub(super) fn faults(summary: &Summary) -> Markup {
    let by_order = summary.faults.iter().any(|fault| fault.order_dependent);
    let row = |fault: &&FaultRow| {
        let at = |at_s: Option<f64>| Cell::Figure(at_s.map_or_else(|| "-".to_owned(), clock));
        let of = if fault.eligible > 0 { share(fault.injected as f64 / fault.eligible as f64) } else { "-".to_owned() };
        let mut cells = vec![
            Cell::Count(fault.eligible),
            Cell::Count(fault.injected),
            Cell::Figure(of),
            at(fault.first_s),
            at(fault.last_s),
        ];
        cells.extend(by_order.then(|| Cell::Figure(if fault.order_dependent { "yes" } else { "no" }.to_owned())));
        Row::new(&fault.name, cells)
    };
    let (fired, idle): (Vec<_>, Vec<_>) = summary.faults.iter().partition(|fault| fault.injected > 0);
    let mut heads = vec!["fault", "eligible", "injected", "share", "first", "last"];
    heads.extend(by_order.then_some("order decides"));
    let fired: Vec<Row> = fired.iter().map(row).collect();
    let idle: Vec<Row> = idle.iter().map(row).collect();
    let goals = summary.reached.iter().map(|goal| Row::new(&goal.goal, vec![Cell::Count(goal.times)]));
    let goals: Vec<Row> = goals.collect();
    html! {
        @if summary.faults.is_empty() { (hint("The scenario injects none.")) }
        @if !fired.is_empty() { (table("Faults that fired", &heads, &fired)) }
        @if !idle.is_empty() {
            details { summary { (counted(idle.len() as u64, "fault")) " never fired" } (table("Faults that never fired", &heads, &idle)) }
        }
        @if !goals.is_empty() { h3 { "Goals" } (table("Goals", &["goal", "times reached"], &goals)) }
        (windows(summary))
    }
}

/// The longest windows, where there were any.
fn windows(summary: &Summary) -> Markup {
    let windows = &summary.windows;
    let row = |what: &str, ms: f64, device: Option<u32>, cause: Option<&String>| {
        let device = device.map_or_else(|| "-".to_owned(), |device| device.to_string());
        let cause = Cell::Words(cause.cloned().unwrap_or_default());
        (ms > 0.0).then(|| Row::new(what, vec![Cell::Figure(time(Some(ms))), Cell::Figure(device), cause]))
    };
    let orphan = row("in nobody's charge", windows.orphan_ms, windows.orphan_device, windows.orphan_cause.as_ref());
    let double = row("in two servers' full charge", windows.double_owner_ms, windows.double_owner_device, None);
    let rows: Vec<Row> = orphan.into_iter().chain(double).collect();
    html! {
        @if !rows.is_empty() {
            h3 { "The longest windows" }
            (table("Windows", &["a device was", "for at most", "device", "from when"], &rows))
        }
    }
}
