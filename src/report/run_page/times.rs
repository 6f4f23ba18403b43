//! How long things took: for each metric its percentile curve, and beside it how it went over time.

use maud::{Markup, html};

use super::chart::{Ink, Line, TimeAxis, clock, curve, heat, quantile_name};
use super::parts::{Cell, Row, figure, hint, table};
use crate::measure::latency::Metric;
use crate::report::figures::{count, time};
use crate::results::Dossier;
use crate::results::dossier::{MetricCourse, percentile_ms};

/// So many metrics are drawn over time; of the others the curve says enough.
const MOST_HEATED: usize = 10;
/// Below this a curve would be a line between two points.
const LEAST_SAMPLES: u64 = 10;
const QUANTILES: [f64; 9] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999];

/// Flows by how often they happened, and then all other metrics in the order of the summary.
pub(super) fn times(dossier: &Dossier, axis: &TimeAxis<'_>) -> Markup {
    let known = |metric: Metric| {
        let name = metric.to_string();
        dossier.latency.metric(&name).map(|course| (name, course, matches!(metric, Metric::Flow(_))))
    };
    let mut metrics: Vec<(String, &MetricCourse, bool)> = Metric::all().filter_map(known).collect();
    metrics.sort_by_key(|(_, course, is_flow)| {
        (!is_flow, std::cmp::Reverse(if *is_flow { course.response.len() } else { 0 }))
    });
    let few: Vec<String> = metrics
        .iter()
        .filter(|(_, course, _)| course.response.len() < LEAST_SAMPLES)
        .map(|(name, course, _)| format!("{name} ({})", count(course.response.len())))
        .collect();
    metrics.retain(|(_, course, _)| course.response.len() >= LEAST_SAMPLES);
    html! {
        @if metrics.is_empty() { (hint("Nothing happened often enough to be drawn.")) } @else {
            (hint("Choose a metric; the flows come first, the most frequent one is open. The gap between response and \
                   service time is the time that work waited to be sent."))
        }
        @for (place, (name, course, _)) in metrics.iter().enumerate() {
            details.metric name="metric" open[place == 0] {
                summary {
                    span.name { (name) }
                    span.much { (count(course.response.len())) " samples, p50 " (time(percentile_ms(&course.response, 0.5)))
                        @if let Some(p99) = percentile_ms(&course.response, 0.99) { ", p99 " (time(Some(p99))) } }
                }
                div.pair {
                    (percentiles(name, course))
                    @if place < MOST_HEATED { (over_time(name, course, dossier.latency.width_s(), axis)) }
                }
            }
        }
        @if !few.is_empty() { (hint(&format!("Too few samples for a curve: {}.", few.join(", ")))) }
    }
}

fn percentiles(name: &str, course: &MetricCourse) -> Markup {
    let cell = |ms: Option<f64>| Cell::Figure(time(ms));
    let borne_out = QUANTILES.into_iter().filter(|quantile| percentile_ms(&course.response, *quantile).is_some());
    let mut rows: Vec<Row> = borne_out
        .map(|quantile| {
            let cells = [&course.response, &course.service].map(|times| cell(percentile_ms(times, quantile)));
            Row::new(&quantile_name(quantile), cells.into_iter().collect())
        })
        .collect();
    let most = [&course.response, &course.service].map(|times| cell(Some(times.max() as f64 / 1e3)));
    rows.push(Row::new("max", most.into_iter().collect()));
    figure(
        "Percentiles",
        "so many are no longer than; each step to the right leaves out a tenth of the rest",
        &[("response", Ink::First), ("service", Ink::Second)],
        &curve(&format!("Percentile curve of {name}, response and service time"), &course.response, &course.service),
        &table(&format!("Percentiles of {name}"), &["percentile", "response", "service"], &rows),
    )
}

fn over_time(name: &str, course: &MetricCourse, width_s: u64, axis: &TimeAxis<'_>) -> Markup {
    let rows = course.columns.iter().enumerate().filter(|(_, column)| column.count > 0).map(|(place, column)| {
        let mut cells = vec![Cell::Count(column.count)];
        cells.extend([column.p50_ms, column.p99_ms, column.max_ms].map(|ms| Cell::Figure(time(ms))));
        Row::new(&clock(place as f64 * width_s as f64), cells)
    });
    let rows: Vec<Row> = rows.collect();
    let mut legend = vec![("few", Ink::Heat(1)), ("many", Ink::Heat(Ink::SHADES)), ("p50", Ink::Text)];
    // It takes 100 samples in a column.
    legend.extend(course.columns.iter().any(|column| column.p99_ms.is_some()).then_some(("p99", Ink::Third)));
    figure(
        "Response time over time",
        "logarithmic; the darker, the more",
        &legend,
        &heat(&format!("Response time of {name} over time"), axis, width_s, &course.columns),
        &table(&format!("{name} over time"), &["from", "samples", "p50", "p99", "max"], &rows),
    )
}

/// The figures of lines over time, a row for each column.
pub(super) fn steps(caption: &str, lines: &[Line], figure: impl Fn(f64) -> String) -> Markup {
    let mut heads = vec!["from"];
    heads.extend(lines.iter().map(|line| line.name));
    let columns = lines.first().map_or(&[][..], |line| &line.steps);
    let rows = columns.iter().enumerate().map(|(place, ((from, _), _))| {
        let value = |line: &Line| line.steps.get(place).and_then(|(_, value)| *value);
        let cell = |line: &Line| Cell::Figure(value(line).map_or_else(|| "-".to_owned(), &figure));
        Row::new(&clock(*from), lines.iter().map(cell).collect())
    });
    table(caption, &heads, &rows.collect::<Vec<_>>())
}
