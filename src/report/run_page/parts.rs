//! What every section is made of: tables, figures with their charts, legends, notes.

use maud::{Markup, html};

use super::chart::Ink;
use crate::measure::latency::Spread;
use crate::report::figures::{count, time};

/// A cell of a table.
pub(super) enum Cell {
    /// A figure, or a word that stands for one.
    Figure(String),
    /// Zero is of no interest, anything else is bad news.
    Bad(u64),
    /// A count; zero is of no interest.
    Count(u64),
    /// Words, in as many lines as they need.
    Words(String),
    Marked(Markup),
}

/// A row, called by its first cell.
pub(super) struct Row {
    pub name: Markup,
    pub cells: Vec<Cell>,
    pub is_total: bool,
}

impl Row {
    pub fn new(name: &str, cells: Vec<Cell>) -> Row {
        Row { name: html! { (name) }, cells, is_total: false }
    }
}

/// A table that scrolls within itself where it is too wide.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Row]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                thead { tr {
                    @for (place, head) in heads.iter().enumerate() {
                        th scope="col" class=[column_class(rows, place)] { (head) }
                    }
                } }
                tbody { @for row in rows {
                    tr class=[row.is_total.then_some("total")] {
                        th scope="row" { (row.name) }
                        @for cell in &row.cells { (of_cell(cell)) }
                    }
                } }
            }
        }
    }
}

/// Words and what is marked stand at the left, figures at the right.
fn column_class(rows: &[Row], place: usize) -> Option<&'static str> {
    match rows.first()?.cells.get(place.checked_sub(1)?)? {
        Cell::Words(_) => Some("l"),
        Cell::Marked(_) => Some("m"),
        _ => None,
    }
}

fn of_cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Figure(text) => html! { td { (text) } },
        Cell::Bad(0) | Cell::Count(0) => html! { td.zero { "0" } },
        Cell::Bad(times) => html! { td.some-bad { (count(*times)) } },
        Cell::Count(times) => html! { td { (count(*times)) } },
        Cell::Words(text) => html! { td.l { (text) } },
        Cell::Marked(markup) => html! { td.m { (markup) } },
    }
}

/// p50, p90, p99, p99.9 and max, as far as the samples bear them out.
pub(super) fn spread(spread: &Spread) -> impl Iterator<Item = Cell> + use<> {
    [spread.p50, spread.p90, spread.p99, spread.p999, spread.max].into_iter().map(|ms| Cell::Figure(time(ms)))
}

/// A chart with what it shows, its legend, and its figures as a table.
pub(super) fn figure(title: &str, unit: &str, legend: &[(&str, Ink)], chart: &Markup, figures: &Markup) -> Markup {
    html! {
        figure {
            figcaption { strong { (title) } " " span.unit { (unit) } }
            @if !legend.is_empty() { ul.legend { @for (name, ink) in legend { li { (swatch(*ink)) (name) } } } }
            div.scroll tabindex="0" role="region" aria-label={ "Chart: " (title) } { (chart) }
            details { summary { "Figures" } div.scroll.tall { (figures) } }
        }
    }
}

fn swatch(ink: Ink) -> Markup {
    let is_area = matches!(ink, Ink::Heat(_) | Ink::Fault | Ink::Phase);
    html! { i class=[(!is_area).then_some("line")] style={ "background:var(" (ink.variable()) ")" } {} }
}

/// Sentences, one each; nothing without any.
pub(super) fn notes(class: &str, sentences: &[String]) -> Markup {
    html! { @if !sentences.is_empty() { ul class={ "notes " (class) } { @for one in sentences { li { (one) } } } } }
}

pub(super) fn hint(text: &str) -> Markup {
    html! { p.hint { (text) } }
}

/// A word that says at a glance how something stands.
pub(super) fn tag(class: &str, word: &str) -> Markup {
    html! { span class={ "tag " (class) } { (word) } }
}
