//! The facts as rows of a drawing: what was seen, and between whom.
//!
//! A message that arrives with nothing else between has one row; one that takes its time has a row where it leaves and a
//! row where it arrives, with the same number at both. The commands of a session with the device are one row, but those
//! that did not succeed have their own, and so has the one by which the promise broke.

use crate::clock::Moment;
use crate::delegation::reason;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::ServerNumber;
use crate::report::finding::Scene;
use crate::report::finding::courses::{Course, Courses};
use crate::report::finding::lanes::{Lanes, Party};
use crate::report::finding::words::{Words, plain};

/// A story as rows.
pub(super) struct Rows {
    pub lanes: Lanes,
    pub rows: Vec<Row>,
    /// The row that shows a fact.
    pub of_fact: Vec<usize>,
    /// The row in which the promise broke; `None` when it was seen only in the end.
    pub broken: Option<usize>,
    /// Whether it is to be shown where a promise broke.
    pub has_pin: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub at: Moment,
    /// The first fact that it shows.
    pub fact: usize,
    pub what: Drawn,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drawn {
    /// About no party, or all of them.
    Across(String, Tone),
    /// At one party.
    Note(Party, String, Tone),
    Arrow(Arrow),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrow {
    pub from: Party,
    pub to: Party,
    pub kind: ArrowKind,
    pub leg: Leg,
    pub label: String,
    /// What is to be said of it where it ends.
    pub mark: Option<String>,
    pub tone: Tone,
    /// For one that has two rows.
    pub number: Option<usize>,
    /// The row where it left, for one that arrives in another.
    pub left_in: Option<usize>,
    pub is_held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrowKind {
    Request,
    Answer,
    /// A copy that the network has made of a message.
    Copy,
    /// Between the device and a server.
    Session,
}

/// How much of a way an arrow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    Whole,
    /// It arrives in a later row, or was still under way at the end.
    Leaves,
    Arrives,
    /// It arrives nowhere.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// A record has come to a state.
    Phase,
    Timer,
    Good,
    Bad,
}

impl Rows {
    /// The rows of a scene.
    pub fn of(scene: &Scene<'_>) -> Rows {
        let facts = scene.facts;
        let lanes = Lanes::of(facts, scene.names);
        let courses = Courses::of(facts);
        let words = Words::of(facts, scene.names);
        let broke_at = scene.broke_at.filter(|place| *place < facts.len());
        let mut builder = Builder {
            facts,
            courses: &courses,
            words: &words,
            broke_at,
            rows: Vec::new(),
            of_fact: vec![usize::MAX; facts.len()],
            numbers: Vec::new(),
        };
        (0..facts.len()).for_each(|place| builder.add(place));
        let Builder { rows, of_fact, .. } = builder;
        let broken = broke_at.map(|place| of_fact[place]);
        Rows { lanes, rows, of_fact, broken, has_pin: !scene.promise.is_empty() }
    }
}

struct Builder<'s, 'a> {
    facts: &'a [Fact],
    courses: &'s Courses<'a>,
    words: &'s Words<'a>,
    broke_at: Option<usize>,
    rows: Vec<Row>,
    /// `usize::MAX`: not yet.
    of_fact: Vec<usize>,
    /// The messages that have two rows.
    numbers: Vec<usize>,
}

impl Builder<'_, '_> {
    /// Adds what a fact needs of rows; it may be shown by one that is there.
    fn add(&mut self, place: usize) {
        match &self.facts[place].what {
            What::Sent { .. } | What::Misdirected { .. } => self.sent(place),
            What::Taken { at, from, how, .. } => self.taken(place, (*from, *at), *how),
            What::Heard { at, from, answer, .. } => self.heard(place, *at, *from, *answer),
            What::SessionOpened { with } => {
                let label = "opens a session".to_owned();
                self.arrow(place, Arrow::new(Party::Device, Party::Server(*with), ArrowKind::Session, label));
            }
            What::SessionEnded { in_order: true, .. } if place > 0 => self.shown_with_the_last(place),
            What::SessionEnded { with, in_order } => {
                let label = if *in_order { "ends its session" } else { "session" }.to_owned();
                let mut arrow = Arrow::new(Party::Device, Party::Server(*with), ArrowKind::Session, label);
                if !*in_order {
                    arrow = arrow.lost("breaks off");
                }
                self.arrow(place, arrow);
            }
            What::Operated { by, .. } => self.operated(place, *by),
            What::Fetched { from, ok } => {
                let label = "fetches its document".to_owned();
                let arrow = Arrow::new(Party::Device, Party::Bootstrap(*from), ArrowKind::Session, label);
                self.arrow(place, if *ok { arrow } else { arrow.lost("missed") });
            }
            _ => {
                let drawn = self.words.note(place, &self.facts[place].what);
                self.push(place, drawn);
            }
        }
    }

    fn sent(&mut self, place: usize) {
        let Some((number, course)) = self.courses.about(place) else { return };
        let mut arrow = of(course, ArrowKind::Request);
        if course.is_misdirected {
            arrow.mark = Some("in place of another device's".to_owned());
        }
        match course.taken.first() {
            None if course.is_lost() => arrow = arrow.lost("lost"),
            None if course.heard.is_none() => (arrow.leg, arrow.mark) = (Leg::Leaves, Some("not arrived".to_owned())),
            None => arrow.mark = Some("not taken".to_owned()),
            Some((taken, how)) if self.courses.is_straight(course) => {
                self.of_fact[*taken] = self.rows.len();
                arrow = arrow.taken(*how);
            }
            Some(_) => {
                self.numbers.push(number);
                (arrow.leg, arrow.number) = (Leg::Leaves, Some(self.numbers.len()));
                arrow.is_held = self.courses.is_held(course);
                arrow.mark = Some(if arrow.is_held { "held" } else { "under way" }.to_owned());
            }
        }
        self.arrow(place, arrow);
    }

    fn taken(&mut self, place: usize, (from, to): (ServerNumber, ServerNumber), how: Took) {
        // It has been shown where it was sent.
        if self.of_fact[place] != usize::MAX {
            return;
        }
        let mut arrow = match self.courses.about(place) {
            Some((number, course)) if course.taken.first().is_some_and(|(first, _)| *first == place) => {
                let mut arrow = of(course, ArrowKind::Request);
                arrow.leg = Leg::Arrives;
                arrow.number = self.numbers.iter().position(|found| *found == number).map(|found| found + 1);
                arrow.left_in = Some(self.of_fact[course.sent]);
                arrow.is_held = self.courses.is_held(course);
                if arrow.is_held {
                    arrow.mark = Some("held".to_owned());
                }
                arrow
            }
            Some((_, course)) => {
                let mut arrow = of(course, ArrowKind::Copy);
                arrow.mark = Some("x2, a copy".to_owned());
                arrow
            }
            None => {
                let label = self.words.kind(&self.facts[place].what);
                Arrow::new(Party::Server(from), Party::Server(to), ArrowKind::Request, label)
            }
        };
        arrow = arrow.taken(how);
        self.arrow(place, arrow);
    }

    fn heard(&mut self, place: usize, at: ServerNumber, from: ServerNumber, answer: Heard) {
        let about = self.courses.about(place).map(|(_, course)| course);
        let kind = self.words.kind(&self.facts[place].what);
        let mut arrow = Arrow::new(Party::Server(from), Party::Server(at), ArrowKind::Answer, "ok".to_owned());
        match answer {
            Heard::Message(kind) => arrow.label = kind.to_string(),
            Heard::NoContent => {}
            Heard::Rejected(status) => (arrow.label, arrow.tone) = (status.to_string(), Tone::Bad),
            Heard::Unreadable => (arrow.label, arrow.tone) = ("nothing readable".to_owned(), Tone::Bad),
            Heard::TimedOut | Heard::Unreachable => {
                if about.is_some_and(|course| course.taken_before(place).is_some()) {
                    arrow.label = format!("answer to {kind}");
                    self.arrow(place, arrow.lost("lost"));
                }
                let what = if answer == Heard::TimedOut { "unanswered" } else { "does not get through" };
                self.push(place, Drawn::Note(Party::Server(at), format!("{kind} {what}"), Tone::Bad));
                return;
            }
        }
        if let Some(left) = about.and_then(|course| self.courses.answer_held_since(course)) {
            (arrow.is_held, arrow.leg) = (true, Leg::Arrives);
            arrow.left_in = Some(self.of_fact[left]);
            arrow.mark = Some("held".to_owned());
        }
        self.arrow(place, arrow);
    }

    /// Commands of a session that went well are one row, where the first of them was.
    fn operated(&mut self, place: usize, by: ServerNumber) {
        if self.of_fact[place] != usize::MAX {
            return;
        }
        let is_own = |place: usize| self.broke_at == Some(place) || !went_well(&self.facts[place].what);
        let mut arrow = Arrow::new(Party::Server(by), Party::Device, ArrowKind::Session, String::new());
        if is_own(place) {
            arrow.label = self.words.commands(&[&self.facts[place].what]);
            arrow.tone = if went_well(&self.facts[place].what) { Tone::Plain } else { Tone::Bad };
            return self.arrow(place, arrow);
        }
        let ends =
            |what: &What| matches!(what, What::SessionEnded { with, .. } | What::SessionOpened { with } if *with == by);
        let rest = self.facts.iter().enumerate().skip(place).take_while(|(_, fact)| !ends(&fact.what));
        let is_of_it = |what: &What| matches!(what, What::Operated { by: found, .. } if *found == by);
        let of_it = rest.filter(|(other, fact)| is_of_it(&fact.what) && !is_own(*other));
        let (places, commands): (Vec<usize>, Vec<&What>) = of_it.map(|(other, fact)| (other, &fact.what)).unzip();
        places.iter().for_each(|other| self.of_fact[*other] = self.rows.len());
        arrow.label = self.words.commands(&commands);
        self.arrow(place, arrow);
    }

    fn shown_with_the_last(&mut self, place: usize) {
        self.of_fact[place] = self.rows.len().saturating_sub(1);
    }

    fn arrow(&mut self, place: usize, arrow: Arrow) {
        self.push(place, Drawn::Arrow(Arrow { label: plain(&arrow.label), ..arrow }));
    }

    fn push(&mut self, place: usize, what: Drawn) {
        self.of_fact[place] = self.rows.len();
        self.rows.push(Row { at: self.facts[place].at, fact: place, what });
    }
}

impl Arrow {
    fn new(from: Party, to: Party, kind: ArrowKind, label: String) -> Arrow {
        Arrow {
            from,
            to,
            kind,
            leg: Leg::Whole,
            label,
            mark: None,
            tone: Tone::Plain,
            number: None,
            left_in: None,
            is_held: false,
        }
    }

    fn lost(self, mark: &str) -> Arrow {
        Arrow { leg: Leg::Lost, mark: Some(mark.to_owned()), tone: Tone::Bad, ..self }
    }

    /// With what its receiver made of it added to its mark.
    fn taken(mut self, how: Took) -> Arrow {
        let made = match how {
            Took::New => return self,
            Took::Copy => "had it before".to_owned(),
            Took::Rejected(why) => {
                self.tone = Tone::Bad;
                format!("rejected: {why}")
            }
        };
        self.mark = Some(self.mark.map_or_else(|| made.clone(), |mark| format!("{mark}; {made}")));
        self
    }

    /// Its label with its number.
    pub fn title(&self) -> String {
        self.number.map_or_else(|| self.label.clone(), |number| format!("{} #{number}", self.label))
    }
}

fn of(course: &Course<'_>, kind: ArrowKind) -> Arrow {
    let again = if course.attempt > 1 { format!(" (try {})", course.attempt) } else { String::new() };
    let label = format!("{}{again}", course.kind);
    Arrow::new(Party::Server(course.from), Party::Server(course.to), kind, label)
}

fn went_well(what: &What) -> bool {
    matches!(what, What::Operated { code, .. } if reason::is_success(Some(*code)))
}
