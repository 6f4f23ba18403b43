//! The percentile curve: how long the slowest tenth, hundredth, thousandth took, from the intended start and from the send.

use hdrhistogram::Histogram;
use maud::Markup;
use plotters::element::PathElement;

use super::canvas::{Axes, draw};
use super::ink::Ink;
use super::scale::{Scale, round_ms};

/// Points on the way from one power of ten to the next.
const STEPS: f64 = 24.0;

/// Response time over service time. It ends at the last percentile that the samples bear out.
pub(crate) fn curve(name: &str, response: &Histogram<u64>, service: &Histogram<u64>) -> Markup {
    let samples = response.len();
    let most = points(response).chain(points(service)).map(|(_, ms)| ms).fold(0.0, f64::max);
    let axes = Axes { x: Scale::of_percentiles(samples), y: Scale::up_to(most, round_ms), above: 0 };
    draw(name, &axes, |_, chart| {
        for (times, ink, width) in [(service, Ink::Second, 2), (response, Ink::First, 3)] {
            let points: Vec<_> = points(times).collect();
            chart.plotting_area().draw(&PathElement::new(points, ink.stroke(width)))?;
        }
        Ok(())
    })
}

/// How many orders of magnitude a percentile leaves out, and its time in milliseconds.
fn points(times: &Histogram<u64>) -> impl Iterator<Item = (f64, f64)> {
    let last = (times.len().max(1) as f64).log10();
    let steps = (last * STEPS).floor() as u32;
    let at = (0..=steps).map(|step| f64::from(step) / STEPS).chain([last]);
    at.map(|at| (at, times.value_at_quantile(1.0 - 10f64.powf(-at)).min(times.max()) as f64 / 1e3))
}
