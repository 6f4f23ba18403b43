//! How the flows of each kind ended so far, and how long they took.

use ratatui::text::{Line, Span};

use crate::report::figures::{count, time};
use crate::report::live::ink::Ink;
use crate::report::live::screen::Screen;

/// From so many columns on there is room for p90 and the maximum.
const WIDE: u16 = 96;

pub(super) fn lines(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let Some(beat) = screen.last() else { return Vec::new() };
    let summary = &beat.summary;
    let is_wide = width >= WIDE;
    let wide = |text: String| if is_wide { text } else { String::new() };
    let mut head = format!(" {:<32}{:>8}{:>8}{:>7}{:>7}", "flow", "started", "done", "other", "failed");
    head += &format!("{:>8}{}{:>8}{}", "p50", wide(format!("{:>9}", "p90")), "p99", wide(format!("{:>9}", "max")));
    let mut lines = vec![Line::styled(head, ink.head())];
    for (name, row) in summary.flows.iter().filter(|(_, row)| row.started > 0) {
        let other = row.started.saturating_sub(row.done + row.not_ended());
        // What is still under way has not failed yet.
        let failed = summary.failed.get(name).copied().unwrap_or(0).saturating_sub(row.not_ended());
        let latency = summary.latency.get(&format!("flow.{name}")).copied().unwrap_or_default();
        let spread = if screen.is_service { latency.service_ms } else { latency.response_ms };
        let (p90, max) = (wide(format!("{:>9}", time(spread.p90))), wide(format!("{:>9}", time(spread.max))));
        lines.push(Line::from(vec![
            Span::raw(format!(" {name:<32}{:>8}{:>8}{:>7}", count(row.started), count(row.done), count(other))),
            Span::styled(format!("{:>7}", count(failed)), ink.bad_if(failed > 0)),
            Span::raw(format!("{:>8}{p90}{:>8}{max}", time(spread.p50), time(spread.p99))),
        ]));
    }
    for (name, row) in summary.populations.iter() {
        let words = format!("{} started, {} done", count(row.started), count(row.done));
        let spread = if screen.is_service { row.latency.service_ms } else { row.latency.response_ms };
        let times = format!("p50 {}, p99 {}", time(spread.p50), time(spread.p99));
        lines.push(Line::raw(format!(" population {name}: {words}; {times}")));
    }
    for (cause, times) in &summary.causes {
        lines.push(Line::raw(format!(" outcome {cause}: {}", count(*times))));
    }
    lines
}
