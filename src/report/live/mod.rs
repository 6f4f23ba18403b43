//! The live view of a run on a terminal: what it shows, and how it is drawn. Hears nothing, wants nothing.
//!
//! | file | its job |
//! |---|---|
//! | [`screen`] | what there is to draw: the seconds so far, the page that is shown |
//! | `ink` | the few styles; without colours where nobody wants them |
//! | `head` | scenario, state, time, and the bar of journeys |
//! | `overview` | rates, percentiles, outcomes |
//! | `ladder` | the messages of each flow, in the order in which they are sent |
//! | `flows` | how the flows of each kind ended, and how long they took |
//! | `standing` | limits, faults, health, what went wrong |
//! | [`plain`] | the same in a line, for a pipe |

mod flows;
mod head;
mod ink;
mod ladder;
mod overview;
pub mod plain;
pub mod screen;
mod standing;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::report::live::ink::Ink;
use crate::report::live::screen::{Page, Screen};

/// From so many columns on, the overview has two of them.
const WIDE: u16 = 120;
/// The ladder is shown below the overview where so many lines are left for it.
const LEAST_LADDER: u16 = 8;

const KEYS: &str = " p pause  +- rate  */ double, halve  m mark  tab page  s service  q quit  ? help";

const HELP: [&str; 12] = [
    "p            pause the load, and go on",
    "+ -          10 % more, 10 % less of it",
    "* /          twice as much, half as much",
    "m            remember this moment in the results",
    "tab, 1 to 4  another page",
    "up down      scroll by a line; page up and page down by a screen",
    "s            times from the intended start (response) or from the send (service)",
    "q            end in order: nothing more is started; again: without waiting",
    "ctrl-c       as SIGINT: end in order; again: without waiting",
    "?            this help",
    "",
    "Whatever is done to the load is remembered in the results.",
];

/// Draws the screen. Returns how many lines its page can be scrolled by.
pub fn draw(frame: &mut Frame<'_>, screen: &Screen) -> u16 {
    let ink = Ink { colour: screen.colour };
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(3), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(Paragraph::new(head::lines(screen, head.width, ink)), head);
    let words = screen.message().map_or(KEYS.to_owned(), |message| format!(" {message}"));
    frame.render_widget(Paragraph::new(Line::styled(words, ink.dim())), foot);
    if screen.has_help {
        let lines: Vec<Line<'_>> = HELP.iter().map(|line| Line::raw(format!(" {line}"))).collect();
        return scrolled(frame, body, lines, screen.scroll);
    }
    match screen.page {
        Page::Overview => overview(frame, body, screen, ink),
        Page::Ladder => scrolled(frame, body, ladder::lines(screen, body.width, ink), screen.scroll),
        Page::Flows => scrolled(frame, body, flows::lines(screen, body.width, ink), screen.scroll),
        Page::Health => scrolled(frame, body, standing::whole(screen, body.width, ink), screen.scroll),
    }
}

/// The overview, and below it the ladder where there is room: then it is the ladder that is scrolled.
fn overview(frame: &mut Frame<'_>, area: Rect, screen: &Screen, ink: Ink) -> u16 {
    let halves = if area.width >= WIDE {
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).split(area).to_vec()
    } else {
        vec![area]
    };
    let mut left = overview::lines(screen, halves[0].width, ink);
    let standing = standing::short(screen, halves[halves.len() - 1].width, ink);
    let tall = match halves.get(1) {
        Some(_) => left.len().max(standing.len()),
        None => left.len() + standing.len(),
    };
    let tall = u16::try_from(tall).unwrap_or(u16::MAX);
    let rest = area.height.saturating_sub(tall.saturating_add(1));
    if rest < LEAST_LADDER {
        left.extend(standing);
        return scrolled(frame, area, left, screen.scroll);
    }
    let [upper, _, lower] =
        Layout::vertical([Constraint::Length(tall), Constraint::Length(1), Constraint::Min(0)]).areas(area);
    match halves.get(1) {
        Some(right) => {
            frame.render_widget(Paragraph::new(left), Rect { height: upper.height, ..halves[0] });
            frame.render_widget(Paragraph::new(standing), Rect { height: upper.height, ..*right });
        }
        None => {
            left.extend(standing);
            frame.render_widget(Paragraph::new(left), upper);
        }
    }
    scrolled(frame, lower, ladder::lines(screen, lower.width, ink), screen.scroll)
}

/// Draws as many lines as there is room for, from the scrolled one on.
fn scrolled(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>, scroll: u16) -> u16 {
    let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(most), 0)), area);
    most
}

#[cfg(test)]
mod tests;
