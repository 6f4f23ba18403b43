//! How long things took over time: the darker, the more of them; the median and the 99th percentile as lines on it.

use std::collections::BTreeMap;

use maud::Markup;
use plotters::element::{PathElement, Rectangle};

use super::canvas::{Axes, draw};
use super::ink::Ink;
use super::scale::Scale;
use super::time_axis::TimeAxis;
use crate::results::dossier::{Cell, LatencyColumn};

/// Cells of one time in columns beside one another that have the same shade.
struct Patch {
    cell: Cell,
    shade: u8,
    from: usize,
    to: usize,
}

/// The heat map of a metric, whose columns are so many seconds wide.
pub(crate) fn heat(name: &str, time: &TimeAxis<'_>, width_s: u64, columns: &[LatencyColumn]) -> Markup {
    let cells = || columns.iter().flat_map(|column| column.cells.keys());
    let (least, most) = (cells().min().copied().unwrap_or(Cell(0)), cells().max().copied().unwrap_or(Cell(1)));
    // A little more than a factor of three at least, or single figures would fill the chart.
    let most = Cell(most.0.max(least.0 + 5) + 1);
    let axes = Axes { x: time.scale(), y: Scale::log_ms(least.from_ms(), most.from_ms()), above: time.above() };
    let at_s = |place: usize| (place as f64 * width_s as f64).min(time.span_s);
    draw(name, &axes, |area, chart| {
        for patch in patches(columns) {
            let low = patch.cell.from_ms().log10();
            let high = Cell(patch.cell.0 + 1).from_ms().log10();
            let corners = [(at_s(patch.from), high), (at_s(patch.to), low)];
            chart.plotting_area().draw(&Rectangle::new(corners, Ink::Heat(patch.shade).fill()))?;
        }
        let median = |column: &LatencyColumn| column.p50_ms;
        let tail = |column: &LatencyColumn| column.p99_ms;
        for (of, ink) in [(tail as fn(&LatencyColumn) -> Option<f64>, Ink::Third), (median, Ink::Text)] {
            for run in columns
                .iter()
                .enumerate()
                .collect::<Vec<_>>()
                .chunk_by(|one, other| of(one.1).is_some() == of(other.1).is_some())
            {
                let step = |(place, column): &(usize, &LatencyColumn)| {
                    let value = of(column)?.clamp(least.from_ms(), most.from_ms()).log10();
                    Some([(at_s(*place), value), (at_s(place + 1), value)])
                };
                let points: Vec<(f64, f64)> = run.iter().filter_map(step).flatten().collect();
                if !points.is_empty() {
                    chart.plotting_area().draw(&PathElement::new(points, ink.stroke(2)))?;
                }
            }
        }
        time.draw(area, chart)
    })
}

fn patches(columns: &[LatencyColumn]) -> Vec<Patch> {
    let most = columns.iter().flat_map(|column| column.cells.values()).max().copied().unwrap_or(1);
    let mut patches: Vec<Patch> = Vec::new();
    let mut open: BTreeMap<Cell, usize> = BTreeMap::new();
    for (place, column) in columns.iter().enumerate() {
        for (cell, count) in &column.cells {
            let shade = shade(*count, most);
            match open.get(cell).map(|patch| &mut patches[*patch]) {
                Some(patch) if patch.to == place && patch.shade == shade => patch.to = place + 1,
                _ => {
                    open.insert(*cell, patches.len());
                    patches.push(Patch { cell: *cell, shade, from: place, to: place + 1 });
                }
            }
        }
    }
    patches
}

/// From 1 to the darkest, by the logarithm: one among a thousand is to be seen.
fn shade(count: u64, most: u64) -> u8 {
    let share = ((count + 1) as f64).ln() / ((most + 1) as f64).ln();
    (share * f64::from(Ink::SHADES)).ceil().clamp(1.0, f64::from(Ink::SHADES)) as u8
}
