//! Times against loads: a point for each sub-trial, a line through the medians, and between which loads the answer lies.

use maud::{Markup, html};

use super::load;
use super::loads::LoadRow;
use crate::report::figures::time;
use crate::report::run_page::Scale;
use crate::results::capacity::Figures;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;
/// Labels of loads nearer to one another would touch.
const APART: f64 = 38.0;

/// A figure of a time, by load; `None` where no sub-trial has one. Both axes are logarithmic.
pub(super) fn chart(
    name: &str,
    rows: &[LoadRow<'_>],
    (lower, upper): (Option<f64>, Option<f64>),
    of: fn(&Figures) -> Option<f64>,
    middle: impl Fn(&LoadRow<'_>) -> Option<f64>,
) -> Option<Markup> {
    let points: Vec<(f64, f64, bool)> = rows
        .iter()
        .flat_map(|row| row.trials.iter().map(move |trial| (row.load, *trial)))
        .filter_map(|(load, trial)| Some((load, trial.figures.as_ref().and_then(of)?, trial.is_kept())))
        .filter(|(load, ms, _)| *load > 0.0 && *ms > 0.0)
        .collect();
    let ms = || points.iter().map(|(_, ms, _)| *ms);
    let (least, most) = (ms().reduce(f64::min)?, ms().reduce(f64::max)?);
    let y = Scale::log_ms(least * 0.7, most * 1.4);
    let (first, last) = (rows.first()?.load.log10(), rows.last()?.load.log10());
    let span = if last > first { last - first } else { 1.0 };
    let across = |load: f64| LEFT + 14.0 + (load.log10() - first) / span * (WIDTH - LEFT - RIGHT - 28.0);
    let up = |log_ms: f64| HEIGHT - BOTTOM - (log_ms - y.from) / (y.to - y.from) * (HEIGHT - BOTTOM - TOP);
    let line: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{:.1},{:.1}", across(row.load), up(middle(row)?.log10()))))
        .collect();
    let mut labels: Vec<(f64, f64)> = Vec::new();
    for row in rows {
        let at = across(row.load);
        if labels.last().is_none_or(|(_, last)| at - last >= APART) {
            labels.push((row.load, at));
        }
    }
    Some(html! {
        svg.plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" {
            title { (name) }
            @if let (Some(lower), Some(upper)) = (lower, upper) {
                rect.answer x=(one(across(lower))) y=(TOP) width=(one((across(upper) - across(lower)).max(2.0)))
                    height=(HEIGHT - TOP - BOTTOM) { title { "the answer lies between " (load(lower)) " and " (load(upper)) } }
            }
            @for (at, label) in &y.ticks {
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(one(up(*at))) y2=(one(up(*at))) {}
                text.y x=(LEFT - 8.0) y=(one(up(*at) + 4.0)) { (label) }
            }
            @for (at, x) in &labels { text.x x=(one(*x)) y=(HEIGHT - 8.0) { (load(*at)) } }
            @if line.len() > 1 { polyline.median points=(line.join(" ")) {} }
            @for (at, ms, kept) in &points {
                circle class=(if *kept { "kept" } else { "not-kept" }) cx=(one(across(*at))) cy=(one(up(ms.log10()))) r="3.6" {
                    title { (load(*at)) ": " (time(Some(*ms))) @if !kept { ", a limit not kept" } }
                }
            }
        }
    })
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}
