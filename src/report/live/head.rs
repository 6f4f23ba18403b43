//! The head of every page: scenario, state and time, the bar of journeys, and which page it is.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::report::figures::{count, counted};
use crate::report::live::ink::Ink;
use crate::report::live::screen::{Beat, Page, Screen};

/// Three lines.
pub(super) fn lines(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    vec![headline(screen, ink), bar(screen, width, ink), pages(screen, ink)]
}

/// Minutes and seconds, and hours where there are some: `2:05`, `1:00:00`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// In one word, and the pace where it is not the planned one: `RUNNING pace x1.21`.
fn state(beat: &Beat, ink: Ink) -> (String, Style) {
    let (word, style) = match beat {
        Beat { is_stopping: true, .. } => ("STOPPING", ink.near()),
        Beat { is_paused: true, .. } => ("PAUSED", ink.near()),
        _ => ("RUNNING", ink.good()),
    };
    let is_as_planned = (beat.pace - 1.0).abs() < 0.005;
    let pace = if is_as_planned { String::new() } else { format!(" pace x{:.2}", beat.pace) };
    (format!("{word}{pace}"), style)
}

fn headline(screen: &Screen, ink: Ink) -> Line<'static> {
    let mut spans = vec![
        Span::styled(format!(" {}", screen.about.scenario), ink.head()),
        Span::raw(format!("  seed {}", screen.about.seed)),
    ];
    let Some(beat) = screen.last() else {
        spans.push(Span::styled("  beginning", ink.near()));
        return Line::from(spans);
    };
    let left = beat.left.map_or_else(String::new, |left| format!("  left {}", clock(left)));
    spans.push(Span::raw(format!("  {}{left}  ", clock(beat.at))));
    let (word, style) = state(beat, ink);
    spans.push(Span::styled(word, style));
    if !beat.summary.health.valid {
        spans.push(Span::styled("  INVALID so far", ink.bad()));
    }
    if beat.flows_failed > 0 {
        spans.push(Span::styled(format!("  {} failed", counted(beat.flows_failed, "flow")), ink.bad()));
    }
    Line::from(spans)
}

/// Journeys that have ended in full, those under way in half, those to come in light; of a load that goes by time alone,
/// the time that is over.
fn bar(screen: &Screen, width: u16, ink: Ink) -> Line<'static> {
    let Some(beat) = screen.last() else { return Line::raw("") };
    let ended = beat.journeys_begun.saturating_sub(beat.journeys_under_way);
    let words = format!(" {} ended, {} under way", count(ended), count(beat.journeys_under_way));
    let (words, full, begun, whole) = match (beat.journeys_planned, beat.left) {
        (Some(planned), _) => {
            (format!("{words} of {}", counted(planned, "journey")), ended, beat.journeys_begun, planned)
        }
        (None, Some(left)) => {
            let (at, whole) = (beat.at.as_secs(), (beat.at + left).as_secs());
            (words, at, at, whole)
        }
        (None, None) => return Line::raw(format!("{words}, without an end")),
    };
    let room = u64::from(width).saturating_sub(words.chars().count() as u64 + 2);
    let whole = u128::from(whole.max(1));
    let cells = |part: u64| (u128::from(part).min(whole) * u128::from(room) / whole) as usize;
    let (full, begun) = (cells(full), cells(begun).max(cells(full)));
    Line::from(vec![
        Span::styled(format!(" {}", "█".repeat(full)), ink.good()),
        Span::styled("▒".repeat(begun - full), ink.near()),
        Span::styled("░".repeat(room as usize - begun), ink.dim()),
        Span::raw(words),
    ])
}

fn pages(screen: &Screen, ink: Ink) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (number, page) in (1..).zip(Page::ALL) {
        let style = if page == screen.page { ink.accent().patch(ink.head()) } else { ink.dim() };
        let words = if page == screen.page {
            format!("[{number} {}]", page.name())
        } else {
            format!(" {number} {} ", page.name())
        };
        spans.push(Span::styled(words, style));
    }
    spans.push(Span::styled(if screen.is_service { "  service time" } else { "  response time" }, ink.dim()));
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_has_hours_where_there_are_some() {
        let at = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!([at(0), at(125), at(3_600)], ["0:00", "2:05", "1:00:00"]);
    }
}
