//! What became of each message: taken, taken twice, lost, held up, answered or not.

use crate::delegation::message::Kind;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{ServerNumber, SessionId};

/// One POST from its sending on. The numbers are those of facts.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub from: ServerNumber,
    pub to: ServerNumber,
    pub kind: Kind,
    session: &'a Option<SessionId>,
    /// From 1.
    pub attempt: u32,
    /// A fault has put this device's session into a message about another device.
    pub is_misdirected: bool,
    pub sent: usize,
    /// By its receiver; more than once when the network has made copies.
    pub taken: Vec<(usize, Took)>,
    pub heard: Option<(usize, Heard)>,
}

/// The messages of a story in the order in which they were sent, and which of them a fact is about.
pub(super) struct Courses<'a> {
    facts: &'a [Fact],
    pub all: Vec<Course<'a>>,
    by_fact: Vec<Option<usize>>,
}

impl<'a> Courses<'a> {
    /// Puts together what belongs together.
    pub fn of(facts: &'a [Fact]) -> Courses<'a> {
        let mut courses = Courses { facts, all: Vec::new(), by_fact: vec![None; facts.len()] };
        for (place, fact) in facts.iter().enumerate() {
            courses.by_fact[place] = courses.add(place, &fact.what);
        }
        courses
    }

    /// The message that a fact is about; `None` too for one whose sending was not seen.
    pub fn about(&self, fact: usize) -> Option<(usize, &Course<'a>)> {
        let number = *self.by_fact.get(fact)?.as_ref()?;
        Some((number, &self.all[number]))
    }

    /// Whether a message was taken only after a timer had fired, or after another one that was sent later between the
    /// same two.
    pub fn is_held(&self, course: &Course<'_>) -> bool {
        let Some((taken, _)) = course.taken.first() else { return false };
        let overtook = |other: &Course<'_>| {
            let is_between = (other.from, other.to) == (course.from, course.to)
                || (other.to, other.from) == (course.from, course.to);
            is_between && other.sent > course.sent && other.taken.first().is_some_and(|(place, _)| place < taken)
        };
        self.timer_fires(course.sent, *taken) || self.all.iter().any(overtook)
    }

    /// Where the answer of a message left, if it was under way while a timer fired.
    pub fn answer_held_since(&self, course: &Course<'_>) -> Option<usize> {
        let (heard, _) = course.heard?;
        let left = course.taken_before(heard)?;
        self.timer_fires(left, heard).then_some(left)
    }

    /// Whether nothing but its sender's own doing was seen between a sending and its being taken, so that they can be
    /// shown in one row and everybody's facts stay in order.
    pub fn is_straight(&self, course: &Course<'_>) -> bool {
        let Some((taken, _)) = course.taken.first() else { return false };
        let mut between = self.facts[course.sent + 1..*taken].iter();
        !self.is_held(course) && between.all(|fact| fact.what.server() == Some(course.from))
    }

    fn timer_fires(&self, from: usize, to: usize) -> bool {
        self.facts[from..to].iter().any(|fact| matches!(fact.what, What::TimerFired { .. }))
    }

    /// Adds a fact; the number of the message that it is about.
    fn add(&mut self, place: usize, what: &'a What) -> Option<usize> {
        match what {
            What::Sent { from, to, kind, session, attempt } => {
                Some(self.begin(place, (*from, *to), *kind, session, *attempt, false))
            }
            What::Misdirected { from, to, kind, session } => {
                Some(self.begin(place, (*from, *to), *kind, session, 1, true))
            }
            What::Taken { at, from, kind, session, how } => {
                let is_copy = *how == Took::Copy;
                let number = self.taken_by_now(is_copy, |course| course.is((*from, *at), *kind, session))?;
                self.all[number].taken.push((place, *how));
                Some(number)
            }
            What::Heard { at, from, kind, session, attempt, answer } => {
                let is_it = |course: &Course<'_>| {
                    course.is((*at, *from), *kind, session) && course.attempt == *attempt && course.heard.is_none()
                };
                let number = self.all.iter().position(is_it)?;
                self.all[number].heard = Some((place, *answer));
                Some(number)
            }
            _ => None,
        }
    }

    fn begin(
        &mut self,
        sent: usize,
        (from, to): (ServerNumber, ServerNumber),
        kind: Kind,
        session: &'a Option<SessionId>,
        attempt: u32,
        is_misdirected: bool,
    ) -> usize {
        let (taken, heard) = (Vec::new(), None);
        self.all.push(Course { from, to, kind, session, attempt, is_misdirected, sent, taken, heard });
        self.all.len() - 1
    }

    /// Which of several alike was taken: the first that its receiver has not had and its sender has not given up. Else
    /// it is a copy of one whose answer is still awaited, or the last that was given up, or a copy of the last.
    fn taken_by_now(&self, is_copy: bool, is_alike: impl Fn(&Course<'_>) -> bool) -> Option<usize> {
        let alike = || self.all.iter().enumerate().filter(|(_, course)| is_alike(course));
        let new = alike().find(|(_, course)| course.taken.is_empty() && course.heard.is_none());
        let copied = || alike().rfind(|(_, course)| is_copy && course.heard.is_none());
        let late = || alike().rfind(|(_, course)| course.taken.is_empty());
        new.or_else(copied).or_else(late).or_else(|| alike().next_back()).map(|(number, _)| number)
    }
}

impl Course<'_> {
    fn is(&self, between: (ServerNumber, ServerNumber), kind: Kind, session: &Option<SessionId>) -> bool {
        (self.from, self.to) == between && self.kind == kind && self.session == session
    }

    /// Whether it never came to its receiver, and its sender knows that nothing will come back.
    pub fn is_lost(&self) -> bool {
        self.taken.is_empty() && matches!(self.heard, Some((_, Heard::TimedOut | Heard::Unreachable)))
    }

    /// Where it had been taken before this fact.
    pub fn taken_before(&self, fact: usize) -> Option<usize> {
        self.taken.iter().map(|(place, _)| *place).rfind(|place| *place < fact)
    }
}
