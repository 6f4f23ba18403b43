//! How the run stands: limits, faults, our own health, what went wrong, what was done to it.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::measure::limit::LimitResult;
use crate::report::figures::{count, in_unit, share, size, time};
use crate::report::live::ink::Ink;
use crate::report::live::screen::{Beat, Screen};

/// Of the overview: so many limits and faults are shown; the page of its own has all.
const FEW: usize = 4;
/// The share of a bound from which on it is near.
const NEAR: f64 = 0.8;
/// The share of all cores from which on they are busy.
const BUSY: f64 = 0.85;

/// For the overview.
pub(super) fn short(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let Some(beat) = screen.last() else { return Vec::new() };
    let mut lines = limits(beat, FEW, ink);
    lines.extend(faults(screen, beat, FEW, width, ink));
    lines.extend(health(screen, beat, ink));
    lines
}

/// For the page of its own.
pub(super) fn whole(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let Some(beat) = screen.last() else { return Vec::new() };
    let summary = &beat.summary;
    let mut lines = limits(beat, usize::MAX, ink);
    lines.extend(faults(screen, beat, usize::MAX, width, ink));
    lines.extend(health(screen, beat, ink));
    let reasons = summary.health.reasons.iter().map(|reason| (reason, ink.bad()));
    let warnings = summary.health.warnings.iter().map(|warning| (warning, ink.near()));
    for (words, style) in reasons.chain(warnings) {
        lines.extend(wrapped(words, width, style));
    }
    for error in &summary.errors {
        let seen =
            format!("{} x {}, from {:.0} s to {:.0} s", error.what, count(error.times), error.first_s, error.last_s);
        lines.push(labelled("error", Span::styled(seen, ink.bad()), ink));
    }
    for mark in &summary.marks {
        lines.push(labelled("mark", Span::raw(format!("{:.1} s  {}", mark.at_s, mark.what)), ink));
    }
    lines
}

fn labelled(label: &str, words: Span<'static>, ink: Ink) -> Line<'static> {
    Line::from(vec![Span::styled(format!(" {label:<7}"), ink.head()), words])
}

fn limits(beat: &Beat, most: usize, ink: Ink) -> Vec<Line<'static>> {
    let limits = &beat.limits;
    // Those that fail come first, so that few of many show them.
    let (kept, failing): (Vec<_>, Vec<_>) = limits.iter().partition(|limit| limit.passed);
    let shown = failing.into_iter().chain(kept).take(most);
    let mut lines: Vec<Line<'static>> = shown.map(|limit| limit_line(limit, ink)).collect();
    lines.extend(more(limits.len(), most, ink));
    lines
}

fn limit_line(limit: &LimitResult, ink: Ink) -> Line<'static> {
    let figure = |figure: f64| in_unit(figure, limit.unit);
    let is_open = !limit.passed && limit.actual.is_none();
    let (word, style) = match limit.passed {
        true => ("ok", ink.good()),
        false if is_open => ("open", ink.dim()),
        false => ("FAILING", ink.bad()),
    };
    let actual = limit.actual.map_or_else(|| "not measured yet".to_owned(), figure);
    let mut line = labelled("limit", Span::styled(format!("{word:<8}"), style), ink);
    let note = limit.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
    line.push_span(Span::raw(format!("{}  is {actual}{note}", limit.expr)));
    line
}

fn faults(screen: &Screen, beat: &Beat, most: usize, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let faults = &beat.summary.faults;
    let room = usize::from(width).saturating_sub(8 + 30).clamp(8, 40);
    let mut lines = Vec::new();
    if !faults.is_empty() {
        let head = format!("{:<room$}{:>10}{:>10}{:>8}", "", "eligible", "injected", "now");
        lines.push(labelled("faults", Span::styled(head, ink.head()), ink));
    }
    for (place, fault) in faults.iter().enumerate().take(most) {
        let name: String = fault.name.chars().take(room).collect();
        let now = screen.injected_now(place);
        let style = if now > 0 { ink.near() } else { Style::new() };
        let words = format!("{name:<room$}{:>10}{:>10}{:>8}", count(fault.eligible), count(fault.injected), count(now));
        lines.push(labelled("", Span::styled(words, style), ink));
    }
    lines.extend(more(faults.len(), most, ink));
    lines
}

fn more(all: usize, most: usize, ink: Ink) -> Option<Line<'static>> {
    let left = all.saturating_sub(most);
    (left > 0).then(|| labelled("", Span::styled(format!("... and {left} more on page 4"), ink.dim()), ink))
}

/// What the machine has to give, this second where that is known; yellow near a bound, red beyond it.
fn health(screen: &Screen, beat: &Beat, ink: Ink) -> Vec<Line<'static>> {
    let (health, row, about) = (&beat.summary.health, &beat.row, &screen.about);
    let against = |value: f64, bound: f64| match value {
        value if value > bound => ink.bad(),
        value if value >= bound * NEAR => ink.near(),
        _ => Style::new(),
    };
    let late = |ms: Option<f64>, bound: Duration| {
        let style = against(ms.unwrap_or(0.0), bound.as_secs_f64() * 1e3);
        Span::styled(time(ms), style)
    };
    let (word, style) = if health.valid { ("valid", ink.good()) } else { ("INVALID", ink.bad()) };
    let cpu = if row.cpu_share > BUSY { ink.near() } else { Style::new() };
    let mut first = labelled("health", Span::styled(word, style), ink);
    for span in [
        Span::raw(", starts late "),
        late(row.late_ms, about.health.lateness),
        Span::raw(", timers "),
        late(row.event_loop_ms, about.health.event_loop),
        Span::raw(", dropped "),
        Span::styled(count(health.dropped), ink.bad_if(health.dropped > 0)),
    ] {
        first.push_span(span);
    }
    let files = match health.most_open_files {
        Some(most) => {
            let style = against(health.open_files as f64, most as f64);
            Span::styled(format!("{} of {}", count(health.open_files), count(most)), style)
        }
        None => Span::raw(count(health.open_files)),
    };
    let mailbox = against(health.mailbox_depth as f64, about.mailbox as f64);
    let mut second = labelled("", Span::raw("CPU "), ink);
    for span in [
        Span::styled(share(row.cpu_share), cpu),
        Span::raw(format!(", memory {}, files ", size(health.peak_rss_bytes))),
        files,
        Span::raw(", mailbox "),
        Span::styled(count(health.mailbox_depth), mailbox),
    ] {
        second.push_span(span);
    }
    vec![first, second]
}

/// Words in lines that fit.
fn wrapped(words: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    const INDENT: usize = 8;
    let room = usize::from(width).saturating_sub(INDENT + 1).max(20);
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            let space = if lines[last].is_empty() { "" } else { " " };
            lines[last].push_str(&format!("{space}{word}"));
        }
    }
    lines.into_iter().map(|line| Line::styled(format!("{:INDENT$}{line}", ""), style)).collect()
}
