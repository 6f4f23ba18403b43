//! The drawing as SVG: lanes with time downwards, in the order in which things were seen.

use maud::{Markup, html};

use crate::report::finding::Scene;
use crate::report::finding::lanes::Party;
use crate::report::finding::layout::{
    BESIDE, FIRST, HEAD, LINE, Layout, PAUSE_HEIGHT, PIN_HEIGHT, Place, TIMES, width,
};
use crate::report::finding::rows::{Arrow, ArrowKind, Drawn, Leg, Rows, Tone};
use crate::report::finding::strips::{class, phases, waits};
use crate::report::finding::words::{Words, plain, seconds};

/// The whole drawing; `told`: what each fact says, for whoever points at its row.
pub(super) fn drawing(scene: &Scene<'_>, told: &[String]) -> Markup {
    let rows = Rows::of(scene);
    let layout = Layout::of(&rows);
    let easel = Easel { scene, rows: &rows, layout: &layout };
    let parties: Vec<&str> = rows.lanes.iter().map(|(_, name)| name).collect();
    let label = match parties.as_slice() {
        [] => "Nothing was seen".to_owned(),
        names => format!("What happened between {}, downwards in time", names.join(", ")),
    };
    let size = format!("0 0 {} {}", layout.width, layout.height);
    html! {
        svg role="img" aria-label=(label) viewBox=(size) width=(layout.width) height=(layout.height)
            xmlns="http://www.w3.org/2000/svg" {
            (easel.orphan())
            (easel.lanes())
            (easel.phases())
            (easel.waits())
            (easel.detours())
            @for (place, row) in layout.places.iter().zip(&rows.rows) {
                g {
                    @if let Some(told) = told.get(row.fact) { title { (told.trim()) } }
                    (easel.row(place, &row.what))
                }
            }
            (easel.times())
            (easel.heads())
            @if rows.has_pin { (easel.pin()) }
        }
    }
}

struct Easel<'a> {
    scene: &'a Scene<'a>,
    rows: &'a Rows,
    layout: &'a Layout,
}

impl Easel<'_> {
    fn lane(&self, party: Party) -> i32 {
        self.layout.lane(self.rows, party)
    }

    /// The place of the row that shows a fact.
    fn place(&self, fact: usize) -> Option<&Place> {
        self.layout.places.get(*self.rows.of_fact.get(fact)?)
    }

    /// The part of the device's lane while nobody was in charge. Many things may have one moment, so that it goes from
    /// the last of the moment where it begins to the first of the moment where it ends.
    fn orphan(&self) -> Markup {
        let Some((from, until)) = self.scene.orphan else { return html! {} };
        if !self.rows.lanes.iter().any(|(party, _)| party == Party::Device) {
            return html! {};
        }
        let rows = || self.rows.rows.iter().zip(&self.layout.places);
        let last = self.layout.heads.last().copied().unwrap_or_default();
        let top = rows().rfind(|(row, _)| row.at <= from).map_or(HEAD, |(_, place)| place.line);
        let end = until.and_then(|until| rows().find(|(row, _)| row.at >= until));
        let bottom = end.map_or(last, |(_, place)| place.line).max(top + 4);
        let column = self.layout.column(self.lane(Party::Device));
        let lasted = until.map_or_else(|| "to the end".to_owned(), |until| seconds(until - from));
        let text = format!("nobody in charge: {lasted}");
        let pause =
            self.layout.pauses.iter().map(|(y, _)| y + PAUSE_HEIGHT / 2 + 4).find(|y| (top..bottom).contains(y));
        let y = pause.unwrap_or(top + (bottom - top) / 2);
        html! {
            g.orphan {
                rect x=(column.start) y=(top) width=(column.end - column.start) height=(bottom - top) rx="4" {}
                text x=(self.lane(Party::Device) + BESIDE) y=(y) { (text) }
            }
        }
    }

    fn lanes(&self) -> Markup {
        let bottom = self.layout.heads.last().copied().unwrap_or_default();
        html! {
            @for (party, _) in self.rows.lanes.iter() {
                line.lane x1=(self.lane(party)) x2=(self.lane(party)) y1=(HEAD - 6) y2=(bottom) {}
            }
            @for (y, passed) in &self.layout.pauses {
                @for (party, _) in self.rows.lanes.iter() {
                    @let (x, top) = (self.lane(party), y + 5);
                    line.gap x1=(x) x2=(x) y1=(top) y2=(y + PAUSE_HEIGHT - 5) {}
                }
                text.pause x=(TIMES) y=(y + PAUSE_HEIGHT / 2 + 4) {
                    "+" (seconds(*passed))
                }
            }
        }
    }

    fn phases(&self) -> Markup {
        let end = self.layout.heads.last().copied().unwrap_or_default();
        html! {
            @for phase in phases(self.scene.facts, self.scene.names) {
                @let top = self.place(phase.from).map_or(HEAD, |place| place.line);
                @let bottom = phase.until.and_then(|until| self.place(until)).map_or(end, |place| place.line);
                @let x = self.lane(Party::Server(phase.at)) - 11 - 9 * i32::try_from(phase.bar).unwrap_or_default();
                rect class={ "phase " (class(phase.state)) } x=(x) y=(top + 1) width="7" rx="2"
                    height=((bottom - top - 2).max(2)) { title { (phase.title) } }
            }
        }
    }

    fn waits(&self) -> Markup {
        let words = Words::of(self.scene.facts, self.scene.names);
        html! {
            @for wait in waits(self.scene.facts, &words) {
                @if let (Some(armed), Some(fired)) = (self.place(wait.armed), self.place(wait.fired)) {
                    rect.wait x=(self.lane(Party::Server(wait.at)) + 3) y=(armed.line) width="5" rx="2"
                        height=((fired.line - armed.line).max(2)) { title { (wait.title) } }
                }
            }
        }
    }

    /// The ways of messages that took more than a row.
    fn detours(&self) -> Markup {
        html! {
            @for (row, end) in self.rows.rows.iter().zip(&self.layout.places) {
                @if let Drawn::Arrow(arrow) = &row.what {
                    @if let Some(begin) = arrow.left_in.and_then(|row| self.layout.places.get(row)) {
                        (self.detour(arrow, begin, end))
                    }
                }
            }
        }
    }

    fn detour(&self, arrow: &Arrow, begin: &Place, end: &Place) -> Markup {
        let (from, x) = (self.lane(arrow.from), self.layout.waits_at(self.rows, arrow));
        let is_answer = arrow.kind == ArrowKind::Answer;
        // An answer leaves where its question arrived.
        let top = if is_answer { begin.bottom - 1 } else { begin.line };
        let path =
            if is_answer { format!("M{from} {top}H{x}V{}", end.line) } else { format!("M{x} {top}V{}", end.line) };
        html! {
            path class=(stroke(arrow)) d=(path) {}
            @if is_answer && arrow.is_held { (hourglass(x, top)) }
        }
    }

    fn row(&self, place: &Place, what: &Drawn) -> Markup {
        match what {
            Drawn::Across(_, tone) => html! {
                @let end = self.layout.width - 10;
                line class={ "across " (tone_class(*tone)) } x1=(TIMES + 8) x2=(end) y1=(place.line) y2=(place.line) {}
                @for (number, text) in (0..).zip(&place.text) {
                    text class={ "across " (tone_class(*tone)) } x=(FIRST + BESIDE) y=(place.line + 4 + LINE * number) {
                        (text)
                    }
                }
            },
            Drawn::Note(party, _, tone) => self.note(self.lane(*party), place, *tone),
            Drawn::Arrow(arrow) if arrow.from == arrow.to => self.note(self.lane(arrow.from), place, arrow.tone),
            Drawn::Arrow(arrow) => self.arrow(arrow, place),
        }
    }

    fn note(&self, lane: i32, place: &Place, tone: Tone) -> Markup {
        let longest = place.text.iter().map(|text| text.chars().count()).max().unwrap_or_default();
        let (x, top) = (lane + BESIDE, place.top + 3);
        html! {
            g class={ "note " (tone_class(tone)) } {
                circle cx=(lane) cy=(place.line) r="3" {}
                rect x=(x) y=(top) width=(width(longest) + 12) height=(place.bottom - place.top - 5) rx="4" {}
                @for (number, text) in (0..).zip(&place.text) {
                    text x=(x + 6) y=(place.line + 4 + LINE * number) { (text) }
                }
            }
        }
    }

    fn arrow(&self, arrow: &Arrow, place: &Place) -> Markup {
        let (from, to) = (self.lane(arrow.from), self.lane(arrow.to));
        let way = if from < to { 1 } else { -1 };
        let waits_at = self.layout.waits_at(self.rows, arrow);
        let (begin, end) = match arrow.leg {
            Leg::Whole => (from, to),
            Leg::Leaves => (from, waits_at),
            Leg::Arrives => (waits_at, to),
            Leg::Lost => (from, from + (to - from) * 3 / 4),
        };
        let y = place.line;
        let arrives = matches!(arrow.leg, Leg::Whole | Leg::Arrives);
        let middle = self.layout.middle(self.rows, arrow);
        let below = y + LINE;
        html! {
            g class={ "arrow " (tone_class(arrow.tone)) } {
                line class=(stroke(arrow)) x1=(begin) x2=(if arrives { end - 7 * way } else { end }) y1=(y) y2=(y) {}
                @if arrow.kind == ArrowKind::Copy {
                    line class=(stroke(arrow)) x1=(begin) x2=(end - 7 * way) y1=(y + 3) y2=(y + 3) {}
                }
                @if arrives {
                    path.head d={ "M" (end) " " (y) "l" (-9 * way) " -4.5v9z" } {}
                }
                @if arrow.leg == Leg::Lost {
                    path.cross d={ "M" (end - 6) " " (y - 6) "l12 12m0 -12l-12 12" } {}
                }
                @if arrow.leg == Leg::Leaves && arrow.is_held { (hourglass(end, y)) }
                @if arrow.leg == Leg::Leaves && !arrow.is_held { circle.waits cx=(end) cy=(y) r="3.5" {} }
                @for (number, text) in (0..).zip(&place.text) {
                    text x=(middle) y=(place.top + LINE * (number + 1)) { (text) }
                }
                @for (number, text) in (0..).zip(&place.mark) {
                    text.mark x=(middle) y=(below + LINE * number) { (text) }
                }
            }
        }
    }

    fn times(&self) -> Markup {
        let mut before = None;
        html! {
            @for (row, place) in self.rows.rows.iter().zip(&self.layout.places) {
                @if before.replace(row.at) != Some(row.at) {
                    text.time x=(TIMES) y=(place.line + 4) { (format!("{:.6}", row.at.seconds())) }
                }
            }
        }
    }

    fn heads(&self) -> Markup {
        let room = self.layout.column(0).len() * 4 / 29;
        html! {
            @for y in &self.layout.heads {
                text.time x=(TIMES) y=(y + 19) { "seconds" }
                @for (party, name) in self.rows.lanes.iter() {
                    @let shown = shortened(name, room.saturating_sub(4));
                    @let wide = width(shown.chars().count()) + 24;
                    g.party {
                        title { (name) }
                        rect x=(self.lane(party) - 20) y=(y + 3) width=(wide) height="24" rx="5" {}
                        text x=(self.lane(party) - 8) y=(y + 20) { (shown) }
                    }
                }
            }
        }
    }

    fn pin(&self) -> Markup {
        let y = self.layout.pin;
        let when = if self.rows.broken.is_some() { "broke here" } else { "was seen to be broken when all was over" };
        let text = plain(&format!("{} {when}", self.scene.promise));
        let text = shortened(&text, usize::try_from(self.layout.width - 60).unwrap_or_default() * 4 / 29);
        html! {
            g.pin id="pin" {
                line x1="8" x2=(self.layout.width - 8) y1=(y) y2=(y) {}
                rect x="8" y=(y - PIN_HEIGHT / 2 + 4) width=(width(text.chars().count()) + 38) height=(PIN_HEIGHT - 8) rx="5" {}
                path d={ "M18 " (y - 5) "l10 10m0 -10l-10 10" } {}
                text x="36" y=(y + 4) { (text) }
            }
        }
    }
}

fn hourglass(x: i32, y: i32) -> Markup {
    html! { path.hourglass d={ "M" (x - 5) " " (y - 7) "h10l-10 14h10z" } {} }
}

fn stroke(arrow: &Arrow) -> &'static str {
    match arrow.kind {
        _ if arrow.is_held => "held",
        ArrowKind::Answer => "answer",
        ArrowKind::Session => "session",
        ArrowKind::Request | ArrowKind::Copy => "request",
    }
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Phase => "state",
        Tone::Timer => "timer",
        Tone::Good => "good",
        Tone::Bad => "bad",
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}
