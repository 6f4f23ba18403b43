//! Axes: from where to where they go, and which figures stand at them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// An axis. Everything is in its own coordinates: a logarithmic one is of logarithms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub from: f64,
    pub to: f64,
    /// Where something stands, and what.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// From 0 to something round above the most, with a handful of figures at it.
    pub fn up_to(most: f64, label: impl Fn(f64) -> String) -> Scale {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most / 5.0);
        let steps = (most / step).ceil().max(1.0);
        let ticks = (0..=steps as u32).map(|nth| f64::from(nth) * step).map(|at| (at, label(at))).collect();
        Scale { from: 0.0, to: steps * step, ticks }
    }

    /// Seconds since the load began.
    pub fn of_time(span_s: f64) -> Scale {
        const STEPS: [f64; 15] =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0];
        let fits = |step: &&f64| span_s / **step <= 9.0;
        let step = STEPS.iter().find(fits).copied().unwrap_or_else(|| round_step(span_s / 86_400.0 / 8.0) * 86_400.0);
        let ticks = (0..=(span_s / step) as u32).map(|nth| f64::from(nth) * step).map(|at| (at, clock(at))).collect();
        Scale { from: 0.0, to: span_s, ticks }
    }

    /// Times in milliseconds as their logarithms: each power of ten, and 2 and 5 between where there is room.
    pub fn log_ms(least: f64, most: f64) -> Scale {
        let (from, to) = (least.log10(), most.log10());
        let factors: &[f64] = if to - from > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let decades = from.floor() as i32..=to.ceil() as i32;
        let all = decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)));
        let inside = |ms: &f64| (from - 1e-9..=to + 1e-9).contains(&ms.log10());
        Scale { from, to, ticks: all.filter(inside).map(|ms| (ms.log10(), round_ms(ms))).collect() }
    }

    /// Percentiles of so many samples, by how many orders of magnitude they leave out: 0 %, 90 %, 99 % are as far from one
    /// another as 99 % and 99.9 %.
    pub fn of_percentiles(samples: u64) -> Scale {
        let to = (samples.max(2) as f64).log10();
        let at = |left_out: f64| -left_out.log10();
        let all = [1.0, 0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
        let ticks = all.iter().map(|left_out| (at(*left_out), quantile_name(1.0 - left_out)));
        Scale { from: 0.0, to, ticks: ticks.filter(|(at, _)| *at <= to + 1e-9).collect() }
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        first + (f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|(at, _)| *at).collect() }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

/// What stands at a tick.
impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, at: &f64) -> String {
        let near = |tick: &&(f64, String)| (tick.0 - at).abs() < 1e-9;
        self.ticks.iter().find(near).map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// A quantile (0 to 1) as a percentage, in no more digits than it has.
pub(crate) fn quantile_name(quantile: f64) -> String {
    format!("{} %", (quantile * 1e9).round() / 1e7)
}

/// Seconds since the load began: `45 s`, `1:30`, `2:00:00`.
pub(crate) fn clock(at_s: f64) -> String {
    let whole = at_s.round() as u64;
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// 1, 2 or 5 times a power of ten, not less than this.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let fits = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * power
}

/// A round time given in milliseconds, in no more digits than it has.
pub(crate) fn round_ms(ms: f64) -> String {
    let digits = |value: f64| (value * 1e6).round() / 1e6;
    match ms {
        0.0 => "0".to_owned(),
        ms if ms < 0.999 => format!("{} us", digits(ms * 1e3)),
        ms if ms < 999.0 => format!("{} ms", digits(ms)),
        ms => format!("{} s", digits(ms / 1e3)),
    }
}
