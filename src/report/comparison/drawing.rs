//! The drawings of a comparison, as inline SVG: every colour is that of the page's style.

use maud::{Markup, html};

use crate::compare::Unit;
use crate::report::comparison::words::{difference, percent};
use crate::statistics::{Estimate, QuantileShift, Shift, Verdict};

/// The scale that all intervals of a page are drawn on: from as much less to as much more, as shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reach(f64);

impl Reach {
    /// Wide enough for all of these changes and for the one that is looked for, but no wider than from nothing to double:
    /// beyond that an arrow will do.
    pub fn of<'e>(changes: impl Iterator<Item = &'e Estimate>, least_change: f64) -> Reach {
        let ends = changes.flat_map(|change| {
            let interval = change.interval.map_or([change.value; 2], |interval| [interval.low, interval.high]);
            [change.value, interval[0], interval[1]]
        });
        let widest = ends.map(f64::abs).fold(1.5 * least_change, f64::max);
        Reach(widest.min(1.0))
    }
}

const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 22.0;
const MARGIN: f64 = 8.0;

/// Where a change is: its interval, the change itself, no change, and the change that is looked for on both sides.
pub(super) fn interval(change: &Estimate, verdict: Verdict, least_change: f64, reach: Reach) -> Markup {
    let x = |share: f64| {
        let place = (share / reach.0).clamp(-1.0, 1.0);
        WIDTH / 2.0 + place * (WIDTH / 2.0 - MARGIN)
    };
    let middle = HEIGHT / 2.0;
    let words = match change.interval {
        Some(interval) => {
            format!("{}, between {} and {}", percent(change.value), percent(interval.low), percent(interval.high))
        }
        None => format!("{}, too few runs for an interval", percent(change.value)),
    };
    let arrow = |is_up: bool| {
        let (tip, back) = if is_up { (WIDTH - 1.0, WIDTH - MARGIN) } else { (1.0, MARGIN) };
        format!("{tip:.1},{middle:.1} {back:.1},{:.1} {back:.1},{:.1}", middle - 5.0, middle + 5.0)
    };
    html! {
        svg class={ "interval " (class(verdict)) } viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(words) {
            title { (words) }
            rect.wanted x=(one(x(-least_change))) y="2" width=(one(x(least_change) - x(-least_change))) height=(HEIGHT - 4.0) {}
            line.none x1=(one(x(0.0))) y1="0" x2=(one(x(0.0))) y2=(HEIGHT) {}
            @if let Some(interval) = change.interval {
                line.range x1=(one(x(interval.low))) y1=(middle) x2=(one(x(interval.high))) y2=(middle) {}
                @for end in [interval.low, interval.high] {
                    @if end.abs() <= reach.0 {
                        line.range x1=(one(x(end))) y1=(middle - 4.0) x2=(one(x(end))) y2=(middle + 4.0) {}
                    }
                }
                @if interval.high > reach.0 { polygon.range points=(arrow(true)) {} }
                @if interval.low < -reach.0 { polygon.range points=(arrow(false)) {} }
            }
            circle.value cx=(one(x(change.value))) cy=(middle) r="4.5" {}
        }
    }
}

/// The word of the style for a verdict.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "bad",
        Verdict::Better => "good",
        Verdict::NotEnoughRuns => "warn",
        Verdict::Same => "plain",
    }
}

const PLOT: (f64, f64) = (720.0, 230.0);
const LEFT: f64 = 92.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// By how much each quantile is shifted, with its interval; one that counts as shifted is filled.
pub(super) fn shifted(of: &str, shift: &Shift) -> Markup {
    let ends = |one: &QuantileShift| {
        let interval = one.interval.map_or([one.difference; 2], |interval| [interval.low, interval.high]);
        [one.difference, interval[0], interval[1]]
    };
    let all = || shift.quantiles.iter().flat_map(ends).chain([0.0]);
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let y = |ms: f64| TOP + (high - ms) / span * (PLOT.1 - TOP - BOTTOM);
    let columns = shift.quantiles.len().max(1) as f64;
    let x = |place: usize| LEFT + (place as f64 + 0.5) / columns * (PLOT.0 - LEFT - RIGHT);
    // Marks that would stand on each other are left out; 0 is always there.
    let far = |ms: &f64| *ms != 0.0 && (y(*ms) - y(0.0)).abs() > 14.0;
    let marks: Vec<f64> = [low, high].into_iter().filter(far).chain([0.0]).collect();
    let name = format!("By how much the quantiles of {of} are shifted");
    html! {
        svg.plot.shifts viewBox={ "0 0 " (PLOT.0) " " (PLOT.1) } role="img" aria-label=(name) {
            title { (name) }
            @for ms in marks {
                line class=(if ms == 0.0 { "none" } else { "grid" })
                    x1=(LEFT) x2=(PLOT.0 - RIGHT) y1=(one(y(ms))) y2=(one(y(ms))) {}
                text.mark x=(LEFT - 8.0) y=(one(y(ms) + 4.0)) text-anchor="end" { (difference(Unit::Milliseconds, ms)) }
            }
            @for (place, quantile) in shift.quantiles.iter().enumerate() {
                @if let Some(interval) = quantile.interval {
                    line.range x1=(one(x(place))) x2=(one(x(place))) y1=(one(y(interval.low))) y2=(one(y(interval.high))) {}
                }
                circle class=(if quantile.is_shifted { "value shifted" } else { "value" })
                    cx=(one(x(place))) cy=(one(y(quantile.difference))) r="5" {}
                text.mark x=(one(x(place))) y=(PLOT.1 - 8.0) text-anchor="middle" { "p" (share(quantile.share)) }
            }
        }
    }
}

/// A share as the number of a percentile.
pub(super) fn share(share: f64) -> String {
    let percent = (share * 1e4).round() / 1e2;
    percent.to_string()
}

/// To a tenth of a point: no eye sees more.
fn one(place: f64) -> String {
    format!("{place:.1}")
}
