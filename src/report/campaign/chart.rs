//! One little chart: a point for each run, and a line through the medians.

use maud::{Markup, html};

use super::layout::{Layout, Panel, Place};
use super::spread::Spread;
use super::{Metric, verdict};
use crate::measure::Verdict;
use crate::report::run_page::Scale;
use crate::results::campaign::{Campaign, RunRow};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 170.0;
/// Room for the figures at the left, and at the bottom.
const LEFT: f64 = 54.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 10.0;
/// Points and figures at the edges stand in the chart as a whole.
const INSET: f64 = 18.0;
/// Labels nearer to one another would touch: what a letter takes, and what lies between two.
const LETTER: f64 = 6.2;
const GAP: f64 = 8.0;

/// The axis that all charts of a metric have, so that they can be compared.
pub(super) fn axis(campaign: &Campaign, metric: &Metric) -> Scale {
    let most = campaign.runs.iter().filter_map(metric.of).fold(0.0, f64::max);
    Scale::up_to(most, |at| if at == 0.0 { "0".to_owned() } else { (metric.written)(at) })
}

/// The chart of a panel.
pub(super) fn chart(campaign: &Campaign, metric: &Metric, (layout, panel): (&Layout<'_>, &Panel), y: &Scale) -> Markup {
    let cells: Vec<(usize, Vec<&RunRow>)> =
        panel.cells.iter().map(|(place, cell)| (*place, campaign.runs_of(*cell))).collect();
    let medians: Vec<(f64, f64)> = cells
        .iter()
        .filter_map(|(place, runs)| {
            let spread = Spread::of(runs.iter().filter_map(|run| (metric.of)(run)))?;
            Some((across(&layout.places[*place]), up(spread.median, y)))
        })
        .collect();
    let line: Vec<String> = medians.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let name =
        if panel.title.is_empty() { metric.title.to_owned() } else { format!("{}: {}", metric.title, panel.title) };
    html! {
        svg.small viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" {
            title { (name) }
            @for (at, label) in thinned(y) {
                line.grid x1=(LEFT) x2=(WIDTH) y1=(px(up(at, y))) y2=(px(up(at, y))) {}
                text.y x=(LEFT - 6.0) y=(px(up(at, y) + 4.0)) { (label) }
            }
            @for place in labelled(&layout.places) {
                text.x x=(px(across(place))) y=(HEIGHT - 6.0) { (place.label) }
            }
            @if line.len() > 1 { polyline.median points=(line.join(" ")) {} }
            @for (place, runs) in &cells {
                @for (nth, run) in runs.iter().enumerate() {
                    @if let Some(value) = (metric.of)(run) {
                        circle class=(if run.verdict == Verdict::Passed { "run" } else { "run not-passed" })
                            cx=(px(across(&layout.places[*place]) + beside(nth, runs.len()))) cy=(px(up(value, y))) r="3.2" {
                            title { "cell " (run.cell) ", repeat " (run.repeat) ": " ((metric.written)(value)) ", " (verdict(run)) }
                        }
                    }
                }
            }
            @for (x, y) in &medians { line.median x1=(px(x - 7.0)) x2=(px(x + 7.0)) y1=(px(*y)) y2=(px(*y)) {} }
        }
    }
}

/// Repeats of one cell stand a little beside each other, so that each is seen.
fn beside(nth: usize, of: usize) -> f64 {
    let step = (10.0 / of.max(1) as f64).min(3.0);
    (nth as f64 - (of.saturating_sub(1)) as f64 / 2.0) * step
}

fn across(place: &Place) -> f64 {
    LEFT + INSET + place.at * (WIDTH - LEFT - 2.0 * INSET)
}

fn up(value: f64, y: &Scale) -> f64 {
    let share = (value - y.from) / (y.to - y.from);
    HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
}

/// Every figure would be too many in so little room: every other one.
fn thinned(y: &Scale) -> impl Iterator<Item = (f64, &str)> {
    let step = y.ticks.len().div_ceil(4).max(1);
    y.ticks.iter().step_by(step).map(|(at, label)| (*at, label.as_str()))
}

/// The values that have room for their names, the first among them.
fn labelled(places: &[Place]) -> Vec<&Place> {
    let half = |place: &Place| place.label.chars().count() as f64 * LETTER / 2.0;
    let mut shown: Vec<&Place> = Vec::new();
    for place in places {
        let is_free = shown.last().is_none_or(|last| across(place) - half(place) >= across(last) + half(last) + GAP);
        if is_free {
            shown.push(place);
        }
    }
    shown
}

fn px(at: f64) -> String {
    format!("{at:.1}")
}
