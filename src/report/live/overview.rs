//! The overview: rates with their course, percentiles of this second and of the run, outcomes.

use ratatui::symbols::bar::NINE_LEVELS;
use ratatui::text::{Line, Span};

use crate::delegation::flow::Outcome;
use crate::measure::latency::Spread;
use crate::measure::summary::{FlowRow, LatencyRow, Summary};
use crate::measure::timeline::TimelineRow;
use crate::report::figures::{count, rate, time};
use crate::report::live::ink::Ink;
use crate::report::live::screen::{Beat, Screen};

/// Columns of the rates in front of their course.
const BEFORE_COURSE: u16 = 32;

pub(super) fn lines(screen: &Screen, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let Some(beat) = screen.last() else {
        return vec![Line::raw(" the first second is not over yet")];
    };
    let mut lines = rates(screen, beat, width, ink);
    lines.extend(percentiles(screen, beat, ink));
    lines.extend(outcomes(beat, width, ink));
    lines
}

fn rates(screen: &Screen, beat: &Beat, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let seconds = beat.summary.duration_s.max(1e-3);
    let per_s = |times: u64| times as f64 / seconds;
    let whole = &beat.summary.rates;
    type Figure = fn(&TimelineRow) -> u64;
    let rows: [(&str, Figure, f64); 5] = [
        ("flows started", |row| row.started, per_s(beat.flows_started)),
        ("flows done", |row| row.done, whole.flows_per_s),
        ("flows failed", |row| row.failed, per_s(beat.flows_failed)),
        ("exchanges", |row| row.exchanges, whole.exchanges_per_s),
        ("TLS handshakes", |row| row.handshakes, whole.handshakes_per_s),
    ];
    let room = usize::from(width.saturating_sub(BEFORE_COURSE + 1));
    let mut lines = vec![Line::styled(format!(" {:<14}{:>8}{:>9}", "per second", "now", "so far"), ink.head())];
    for (name, figure, average) in rows {
        let now = figure(&beat.row);
        let is_bad = name == "flows failed" && beat.flows_failed > 0;
        lines.push(Line::from(vec![
            Span::styled(format!(" {name:<14}{:>8}{:>9}", count(now), rate(average)), ink.bad_if(is_bad)),
            Span::styled(spark(&screen.course(room, figure)), if is_bad { ink.bad() } else { ink.accent() }),
        ]));
    }
    lines
}

/// One block per figure, as high as the figure is against the highest.
fn spark(figures: &[u64]) -> String {
    const LEVELS: [&str; 9] = [
        NINE_LEVELS.empty,
        NINE_LEVELS.one_eighth,
        NINE_LEVELS.one_quarter,
        NINE_LEVELS.three_eighths,
        NINE_LEVELS.half,
        NINE_LEVELS.five_eighths,
        NINE_LEVELS.three_quarters,
        NINE_LEVELS.seven_eighths,
        NINE_LEVELS.full,
    ];
    let highest = figures.iter().copied().max().unwrap_or(0).max(1);
    // What is there at all is seen.
    let level = |figure: u64| (u128::from(figure) * 8).div_ceil(u128::from(highest)) as usize;
    let blocks: String = figures.iter().map(|figure| LEVELS[level(*figure)]).collect();
    format!("  {blocks}")
}

fn percentiles(screen: &Screen, beat: &Beat, ink: Ink) -> Vec<Line<'static>> {
    let spread = |row: &LatencyRow| if screen.is_service { row.service_ms } else { row.response_ms };
    let kind = if screen.is_service { "service" } else { "response" };
    let head = format!(" {kind:<14}{:>10}{:>10}{:>10}{:>10}", "p50", "p90", "p99", "max");
    let row = |name: &str, Spread { p50, p90, p99, max, .. }: Spread| {
        Line::raw(format!(" {name:<14}{:>10}{:>10}{:>10}{:>10}", time(p50), time(p90), time(p99), time(max)))
    };
    vec![Line::styled(head, ink.head()), row("this second", spread(&beat.second)), row("so far", spread(&beat.whole))]
}

/// How many flows ended with the outcome of this key, of all kinds.
fn ended_with(summary: &Summary, key: &str) -> u64 {
    let of = |row: &FlowRow| match key {
        "done" => row.done,
        "refused" => row.refused,
        "undone" => row.undone,
        "too_late" => row.too_late,
        "unreachable" => row.unreachable,
        "misbehaved" => row.misbehaved,
        "stranded" => row.stranded,
        _ => row.lost,
    };
    summary.flows.iter().map(|(_, row)| of(row)).sum()
}

/// Every outcome that occurs; what failed is red, whatever its outcome, and what was to be refused is not.
fn outcomes(beat: &Beat, width: u16, ink: Ink) -> Vec<Line<'static>> {
    let occurring = Outcome::KEYS.map(|key| (key, ended_with(&beat.summary, key)));
    let mut parts: Vec<Span<'static>> = occurring
        .iter()
        .filter(|(key, times)| *key == "done" || *times > 0)
        .map(|(key, times)| Span::raw(format!("{} {}", key.replace('_', " "), count(*times))))
        .collect();
    parts.push(Span::raw(format!("under way {}", count(beat.flows_started.saturating_sub(beat.flows_ended)))));
    parts.push(Span::styled(format!("failed {}", count(beat.flows_failed)), ink.bad_if(beat.flows_failed > 0)));
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut line = vec![Span::styled(format!(" {:<14}", "outcomes"), ink.head())];
    for part in parts {
        let used: usize = line.iter().map(Span::width).sum();
        if used + part.width() + 2 > usize::from(width) && line.len() > 1 {
            lines.push(Line::from(std::mem::replace(&mut line, vec![Span::raw(" ".repeat(15))])));
        }
        line.extend([Span::raw("  "), part]);
    }
    lines.push(Line::from(line));
    lines
}
