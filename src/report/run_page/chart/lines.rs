//! Figures over time, a step for each column.

use maud::Markup;
use plotters::element::PathElement;

use super::canvas::{Axes, draw};
use super::ink::Ink;
use super::scale::Scale;
use super::time_axis::TimeAxis;

/// A line of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub name: &'static str,
    pub ink: Ink,
    /// From when to when in seconds, and how much; `None` where nothing is known.
    pub steps: Vec<((f64, f64), Option<f64>)>,
}

/// The lines over time, the first one on top; `label` writes the figures at the side.
pub(crate) fn lines(name: &str, time: &TimeAxis<'_>, lines: &[Line], label: impl Fn(f64) -> String) -> Markup {
    let most = lines.iter().flat_map(|line| &line.steps).filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let axes = Axes { x: time.scale(), y: Scale::up_to(most, label), above: time.above() };
    draw(name, &axes, |area, chart| {
        for line in lines.iter().rev() {
            for run in line.steps.chunk_by(|(_, one), (_, other)| one.is_some() == other.is_some()) {
                let points =
                    run.iter().filter_map(|((from, to), value)| value.map(|value| [(*from, value), (*to, value)]));
                let points: Vec<(f64, f64)> =
                    points.flatten().map(|(at, value)| (at.min(time.span_s), value)).collect();
                if !points.is_empty() {
                    chart.plotting_area().draw(&PathElement::new(points, line.ink.stroke(2)))?;
                }
            }
        }
        time.draw(area, chart)
    })
}
