//! The run over time: what was started and ended, what was under way, and how this machine fared meanwhile.

use maud::{Markup, html};

use super::chart::{Ink, Line, TimeAxis, clock, lines, quantile_name, round_ms};
use super::parts::{Cell, Row, figure, hint, table};
use super::times::steps;
use crate::report::figures::{count, rate, share, time};
use crate::results::Dossier;
use crate::results::dossier::Second;

/// How figures are written: at an axis, and in a table.
type Written = (fn(f64) -> String, fn(f64) -> String);

/// A line: its name, its ink, and what it shows of a column.
type Shown = (&'static str, Ink, fn(&Second) -> Option<f64>);

/// Rates, what was under way, and what stands on every axis of time.
pub(super) fn course(dossier: &Dossier, axis: &TimeAxis<'_>) -> Markup {
    if dossier.seconds.columns().is_empty() {
        return hint("No second was over.");
    }
    let per_s: [(&str, &str, &[Shown]); 3] = [
        (
            "Flows",
            "a second",
            &[
                ("failed", Ink::Bad, |column| Some(column.per_s(column.failed))),
                ("done", Ink::First, |column| Some(column.per_s(column.done))),
                ("started", Ink::Second, |column| Some(column.per_s(column.started))),
            ],
        ),
        (
            "Exchanges between servers, TLS handshakes",
            "a second",
            &[
                ("exchanges", Ink::First, |column| Some(column.per_s(column.exchanges))),
                ("handshakes", Ink::Second, |column| Some(column.per_s(column.handshakes))),
            ],
        ),
        (
            "Flows under way",
            "at the end of a column",
            &[("under way", Ink::First, |column| Some(column.under_way as f64))],
        ),
    ];
    let faults: &[Shown] = &[("faults", Ink::Fault, |column| Some(column.per_s(column.faults)))];
    html! {
        (on_the_axis(axis))
        div.pair {
            @for (title, unit, shown) in per_s { (chart(dossier, axis, (title, unit), shown, (|per_s| round(rate(per_s)), rate))) }
            @if !axis.faults.is_empty() {
                (chart(dossier, axis, ("Faults that fired", "a second"), faults, (|per_s| round(rate(per_s)), rate)))
            }
        }
    }
}

/// How late this machine was, and how busy.
pub(super) fn machine(dossier: &Dossier, axis: &TimeAxis<'_>) -> Markup {
    if dossier.seconds.columns().is_empty() {
        return hint("No second was over.");
    }
    let late: &[Shown] = &[
        ("starts", Ink::First, |column| column.late_ms),
        ("our own timers", Ink::Second, |column| column.event_loop_ms),
    ];
    let cpu: &[Shown] = &[("CPU", Ink::First, |column| Some(column.cpu_share()))];
    html! {
        div.pair {
            (chart(dossier, axis, ("Lateness", "the most in a column"), late, (round_ms, |ms| time(Some(ms)))))
            (chart(dossier, axis, ("CPU", "of what all cores had to give"), cpu, (quantile_name, share)))
        }
    }
}

fn chart(
    dossier: &Dossier,
    axis: &TimeAxis<'_>,
    (title, unit): (&str, &str),
    shown: &[Shown],
    (tick, cell): Written,
) -> Markup {
    let columns = dossier.seconds.columns();
    // A second of which nothing was written is a gap.
    let step = |of: fn(&Second) -> Option<f64>| {
        let value = move |column: &Second| if column.seconds == 0 { None } else { of(column) };
        columns.iter().enumerate().map(|(place, column)| (dossier.seconds.span_s(place), value(column))).collect()
    };
    let drawn: Vec<Line> = shown.iter().map(|(name, ink, of)| Line { name, ink: *ink, steps: step(*of) }).collect();
    let legend: Vec<(&str, Ink)> = shown.iter().map(|(name, ink, _)| (*name, *ink)).collect();
    let plot = lines(&format!("{title} over time, {unit}"), axis, &drawn, tick);
    figure(title, unit, if legend.len() > 1 { &legend } else { &[] }, &plot, &steps(title, &drawn, cell))
}

/// A whole number needs no `.0` at an axis.
fn round(figure: String) -> String {
    figure.strip_suffix(".0").map(str::to_owned).unwrap_or(figure)
}

/// What stands on every axis of time, in words.
fn on_the_axis(axis: &TimeAxis<'_>) -> Markup {
    let phases = axis.rows.iter().flatten().map(|phase| {
        let until = phase.to_s.map_or_else(|| "end".to_owned(), clock);
        Row::new(
            &phase.name,
            vec![Cell::Words(phase.population.clone()), Cell::Figure(clock(phase.from_s)), Cell::Figure(until)],
        )
    });
    let phases: Vec<Row> = phases.collect();
    let marks = axis.marks.iter().enumerate().map(|(number, mark)| {
        Row::new(&(number + 1).to_string(), vec![Cell::Figure(clock(mark.at_s)), Cell::Words(mark.what.clone())])
    });
    let marks: Vec<Row> = marks.collect();
    let said = format!(
        "Above every axis of time: {}{}{}.",
        if axis.rows.len() > 1 { "the phases of each population" } else { "the phases of the load" },
        if axis.faults.is_empty() { "" } else { ", a bar wherever faults fired" },
        match axis.marks.len() {
            0 => String::new(),
            marks => format!(", and {} marks by their numbers", count(marks as u64)),
        }
    );
    html! {
        (hint(&said))
        @if !marks.is_empty() { (table("Marks", &["mark", "at", "what"], &marks)) }
        @if !phases.is_empty() {
            details { summary { "Phases" } (table("Phases of the load", &["phase", "population", "from", "to"], &phases)) }
        }
    }
}
