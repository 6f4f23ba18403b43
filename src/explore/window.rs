//! One event moved past another in steps: what comes of it at each offset, and how wide the race is.
//!
//! Messages take no time here and timers take theirs, so that an offset is exact: what is moved comes so long before or
//! behind the moment of the other, and at offset 0 right behind it.

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::machine::Timer;
use crate::delegation::message::Kind;
use crate::explore::event::{Event, Thing};
use crate::explore::lab::Lab;
use crate::explore::own_way::{Ending, OwnWay};
use crate::explore::plan::{Decision, Deed, Delay, Named, UNBOUNDED};
use crate::explore::trail::Walked;
use crate::explore::wording;
use crate::explore::{choice::Choice, premises::Premises};
use crate::facts::pattern::{Pattern, Sought};
use crate::facts::{Fact, Heard, Took, What};
use crate::scenario::Scenario;

/// Two events that meet on the way of a journey.
pub struct Window {
    pub way: OwnWay,
    /// What stays where it is.
    pub past: Pattern,
    /// What is moved.
    pub moved: Event,
    /// How long before the other what is moved sets out, when nobody holds it: it cannot come earlier.
    pub reach: Duration,
    /// By what the moment of the other is known before it comes: so long after this fact.
    pub clock: Option<(Pattern, Duration)>,
}

/// What came of one offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What became of what was moved, where it arrived.
    pub fate: String,
    pub ending: Ending,
}

/// One try of an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// In milliseconds.
    pub wished: i64,
    /// In microseconds; `None` where what was moved, or the other, never came.
    pub measured: Option<i64>,
    pub seen: Seen,
}

/// Why there is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("no journey of this scenario hands a device over, so that nothing can meet there")]
    NoJourney,
    #[error(
        "`{text}` is no event to move something past: {message}; write a timer, as in `termination timer` or `timer \
         termination at home`, or a fact as goals have it, as in `sent delegation_prepared by home`"
    )]
    NoPast { text: String, message: String },
    #[error(
        "`{text}` is nothing that can be moved: expected a message by its root element, as in `delegation_confirmed`, \
         or something that sets out, as in `request delegation_confirmed of partner to home`, `answer of partner to \
         delegation_req of home` or `session visit of partner`"
    )]
    NoMoved { text: String },
    #[error(
        "no journey comes by both: `{moved}` never sets out on any of them; what does, on the first: {sets_out}. \
         Name one of these, or give a scenario whose journey comes by it"
    )]
    NeverSetsOut { moved: String, sets_out: String },
    #[error("no journey comes by both: while `{moved}` is held, `{past}` is not seen; {meanwhile}")]
    NeverMeet { past: String, moved: String, meanwhile: String },
}

/// What is asked to be moved.
enum Moved {
    /// The first of its kind.
    Message(Kind),
    Event(Event),
}

/// A way with what set out on it and what arrived, each with how many facts had been seen, and what set out with the moment.
struct Course {
    facts: Vec<Fact>,
    set_out: Vec<(Event, Moment, usize)>,
    arrived: Vec<(Event, usize)>,
}

impl Window {
    /// Finds the first journey on which both meet: what is moved sets out, and the other is seen while it is held.
    ///
    /// # Errors
    /// [`WindowError`] when an event means nothing, or when there is no such journey.
    pub fn find(scenario: &Scenario, past: &str, moved: &str) -> Result<Window, WindowError> {
        let mut failure = WindowError::NoJourney;
        for way in OwnWay::each(scenario) {
            let pattern = read_past(past, &way.premises)?;
            let wanted = Moved::read(moved, &way.premises)?;
            let met = meet(&way, &pattern, &wanted, (past, moved));
            match met {
                Ok((moved, reach, clock)) => return Ok(Window { way, past: pattern, moved, reach, clock }),
                // That it sets out somewhere says more than that elsewhere it does not.
                Err(error @ WindowError::NeverMeet { .. }) => failure = error,
                Err(error) if failure == WindowError::NoJourney => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// What comes of each offset, in milliseconds, but for those at which what is moved has not set out yet.
    pub fn sweep(&self, offsets: &[i64]) -> Vec<Trial> {
        let mut lab = Lab::new(&self.way.premises);
        let trial = |offset: &i64| {
            let seen = self.at(*offset, &mut lab)?;
            Some(Trial { wished: *offset, measured: Some(offset.saturating_mul(1_000)), seen })
        };
        offsets.iter().filter_map(trial).collect()
    }

    fn at(&self, offset: i64, lab: &mut Lab<'_>) -> Option<Seen> {
        let by = Duration::from_millis(offset.unsigned_abs());
        let delay = if offset < 0 {
            Delay { after: None, by: self.reach.checked_sub(by)?, patience: None }
        } else {
            Delay { after: Some(self.past.clone()), by, patience: None }
        };
        let (_, walked) = self.way.walk(lab, &[Decision { what: self.moved, deed: Deed::Delay(delay) }]);
        Some(Seen { fate: self.fate(&walked.facts[0]), ending: Ending::of(&walked, lab) })
    }

    /// What became of what was moved, by what was seen of its device.
    pub fn fate(&self, facts: &[Fact]) -> String {
        match self.arrival(facts).map(|fact| &fact.what) {
            Some(What::Taken { how: Took::New, .. }) => "taken".to_owned(),
            Some(What::Taken { how: Took::Copy, .. }) => "had before".to_owned(),
            Some(What::Taken { how: Took::Rejected(why), .. }) => format!("rejected ({why})"),
            Some(What::Heard { answer: Heard::Message(kind), .. }) => format!("answered with {kind}"),
            Some(What::Heard { answer: Heard::NoContent, .. }) => "answered".to_owned(),
            Some(What::Heard { answer: Heard::Rejected(status), .. }) => format!("turned down with {status}"),
            Some(What::Heard { .. }) => "not answered".to_owned(),
            Some(What::SessionOpened { .. }) => "the device comes".to_owned(),
            Some(_) => "it comes".to_owned(),
            None => "never came".to_owned(),
        }
    }

    /// By how many microseconds what was moved came behind the other, or behind the moment at which that was due.
    pub fn offset(&self, facts: &[Fact]) -> Option<i64> {
        let came = self.arrival(facts)?.at;
        let seen = self.past.seen_in(facts).map(|behind| facts[behind - 1].at);
        let due = || {
            let (from, wait) = self.clock.as_ref()?;
            from.seen_in(facts).map(|behind| facts[behind - 1].at + *wait)
        };
        let past = seen.or_else(due)?;
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Some(if came >= past { micros(came - past) } else { -micros(past - came) })
    }

    /// How long after the fact by which the moment of the other is known what is moved has set out.
    pub fn lead(&self, facts: &[Fact]) -> Option<Duration> {
        let (from, _) = self.clock.as_ref()?;
        let from = from.seen_in(facts).map(|behind| facts[behind - 1].at)?;
        let nth = self.moved.nth.max(1) as usize - 1;
        let sets_out = |fact: &&Fact| match (self.moved.thing, &fact.what) {
            (
                Thing::Request { message, from, to, attempt },
                What::Sent { from: sender, to: peer, kind, attempt: tried, .. },
            ) => (message, from, to, attempt) == (*kind, *sender, *peer, *tried),
            (Thing::Answer { message, of, from, .. }, What::Taken { at, from: sender, kind, .. }) => {
                (message, of, from) == (*kind, *sender, *at)
            }
            (Thing::Session { at, errand }, what) => *what == What::ErrandBegan { at, errand },
            _ => false,
        };
        facts.iter().filter(sets_out).nth(nth).map(|fact| fact.at - from)
    }

    /// The fact that shows that what was moved has arrived.
    fn arrival<'f>(&self, facts: &'f [Fact]) -> Option<&'f Fact> {
        let nth = self.moved.nth.max(1) as usize - 1;
        let what = |fact: &&Fact| match (self.moved.thing, &fact.what) {
            (Thing::Request { message, from, to, .. }, What::Taken { at, from: sender, kind, .. }) => {
                (message, from, to) == (*kind, *sender, *at)
            }
            (
                Thing::Answer { message, of, from, attempt },
                What::Heard { at, from: peer, kind, attempt: tried, .. },
            ) => (message, of, from, attempt) == (*kind, *at, *peer, *tried),
            (Thing::Document { .. }, What::Fetched { .. }) => true,
            _ => false,
        };
        match self.moved.thing {
            Thing::Session { at, errand } => {
                let began = |fact: &Fact| fact.what == What::ErrandBegan { at, errand };
                let from = facts.iter().enumerate().filter(|(_, fact)| began(fact)).nth(nth)?.0;
                facts[from..].iter().find(|fact| fact.what == What::SessionOpened { with: at })
            }
            Thing::Report { at, errand } => {
                let ended = |fact: &&Fact| matches!(&fact.what, What::ErrandEnded { at: here, errand: one, .. } if (*here, *one) == (at, errand));
                facts.iter().filter(ended).nth(nth)
            }
            Thing::Visit { with } => facts.iter().filter(|fact| fact.what == What::SessionOpened { with }).nth(nth),
            _ => facts.iter().filter(what).nth(nth),
        }
    }
}

/// From where to where a race goes: the last point up to which all come to what the first comes to, and the first point
/// from which on all come to what the last comes to. `None` where all come to the same. The points are in their order.
pub fn race<T: PartialEq>(points: &[(i64, T)]) -> Option<(i64, i64)> {
    let (first, last) = (&points.first()?.1, &points.last()?.1);
    let begins = points.iter().take_while(|(_, seen)| seen == first).last()?.0;
    let ends = points.iter().rev().take_while(|(_, seen)| seen == last).last()?.0;
    points.iter().any(|(_, seen)| seen != first).then_some((begins, ends))
}

/// More would be no help any more.
const MOST_NAMED: usize = 8;

type Met = (Event, Duration, Option<(Pattern, Duration)>);

/// Where the two meet on a way.
fn meet(way: &OwnWay, past: &Pattern, wanted: &Moved, words: (&str, &str)) -> Result<Met, WindowError> {
    let mut lab = Lab::new(&way.premises);
    let undisturbed = course(way, &mut lab, &[]);
    let candidates: Vec<Event> =
        undisturbed.set_out.iter().map(|(event, ..)| *event).filter(|event| wanted.means(event)).collect();
    if candidates.is_empty() {
        let sets_out: Vec<String> =
            undisturbed.set_out.iter().map(|(event, ..)| wording::event(event, &way.premises)).collect();
        return Err(WindowError::NeverSetsOut { moved: words.1.to_owned(), sets_out: listed(sets_out) });
    }
    let mut seen = Vec::new();
    for moved in candidates {
        let delay = Delay { after: Some(past.clone()), by: Duration::ZERO, patience: None };
        let held = course(way, &mut lab, &[Decision { what: moved, deed: Deed::Delay(delay) }]);
        let set_out = held.set_out.iter().find(|(event, ..)| *event == moved);
        let (set_out, known) = set_out.map_or((Moment::ZERO, 0), |(_, at, known)| (*at, *known));
        let arrived =
            held.arrived.iter().find(|(event, _)| *event == moved).map_or(held.facts.len(), |(_, seen)| *seen);
        let meanwhile = &held.facts[..arrived];
        if let Some(behind) = past.seen_in(meanwhile) {
            let at = held.facts[behind - 1].at;
            return Ok((moved, at - set_out, clock(&held.facts, behind - 1)));
        }
        seen.extend((known..arrived).filter_map(|place| Pattern::naming(meanwhile, place)));
    }
    let (past, moved) = (words.0.to_owned(), words.1.to_owned());
    Err(WindowError::NeverMeet { past, moved, meanwhile: told(&seen, &way.premises) })
}

/// What could be named instead: timers first, or else whatever is seen while something is held.
fn told(seen: &[Pattern], premises: &Premises) -> String {
    let is_timer = |pattern: &&Pattern| matches!(pattern.what, Sought::Timer { .. });
    let timers: Vec<String> = seen.iter().filter(is_timer).map(|timer| timer.print(premises)).collect();
    let others: Vec<String> = seen.iter().take(MOST_NAMED).map(|other| other.print(premises)).collect();
    match (timers.is_empty(), others.is_empty()) {
        (false, _) => format!(
            "timers that fire meanwhile: {}. Name one of these, or something else that happens while it is on its way",
            listed(timers)
        ),
        (true, false) => format!(
            "no timer fires meanwhile; what happens meanwhile: {}. Name one of these, or move another message",
            listed(others)
        ),
        (true, true) => {
            "nothing at all happens meanwhile, so that there is nothing to move it past: move another message"
                .to_owned()
        }
    }
}

/// The latest fact at the same server that lies before this one in time, a new state if there is one, and how long before.
fn clock(facts: &[Fact], place: usize) -> Option<(Pattern, Duration)> {
    let Fact { at, what } = &facts[place];
    let server = what.server()?;
    let before = |known: &usize| facts[*known].at < *at && facts[*known].what.server() == Some(server);
    let latest = (0..place).filter(before).map(|known| facts[known].at).max()?;
    let of_then = || (0..place).rev().filter(|known| facts[*known].at == latest && before(known));
    let moves = of_then().find(|known| matches!(facts[*known].what, What::Moved { .. }));
    let from = moves.or_else(|| of_then().find(|known| Pattern::naming(facts, *known).is_some()))?;
    Some((Pattern::naming(facts, from)?, *at - latest))
}

fn course(way: &OwnWay, lab: &mut Lab<'_>, decisions: &[Decision]) -> Course {
    let (trail, _) = way.walk(lab, decisions);
    let mut walked = Walked::new(lab, UNBOUNDED);
    let mut named = Named::default();
    let (mut set_out, mut arrived) = (Vec::new(), Vec::new());
    for choice in trail {
        if let Choice::Arrives(place) = choice {
            arrived.push((named.under_way[usize::from(place)], walked.facts[0].len()));
        }
        named.before(choice, &walked, lab);
        let known = named.under_way.len();
        walked.take(choice, lab);
        named.after(&walked, lab);
        let (now, seen) = (walked.world.now(), walked.facts[0].len());
        set_out.extend(named.under_way[known..].iter().map(|event| (*event, now, seen)));
    }
    Course { facts: walked.facts.into_iter().next().unwrap_or_default(), set_out, arrived }
}

/// `NAME timer`, `timer NAME`, or any fact.
fn read_past(text: &str, premises: &Premises) -> Result<Pattern, WindowError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let timer = |name: &str| Timer::ALL.into_iter().find(|timer| timer.key() == name);
    let no_past = |message: String| WindowError::NoPast { text: text.to_owned(), message };
    if let [name, "timer"] | ["timer", name] = words[..] {
        let known = Timer::ALL.map(Timer::key).join(", ");
        let timer = timer(name).ok_or_else(|| no_past(format!("expected a timer ({known}), found `{name}`")))?;
        return Ok(Pattern { what: Sought::Timer { timer: Some(timer), at: None }, nth: 1 });
    }
    Pattern::parse(text, premises).map_err(|error| {
        let known =
            if error.known.is_empty() { String::new() } else { format!(" (there is {})", error.known.join(", ")) };
        no_past(format!("{}{known}", error.message))
    })
}

impl Moved {
    fn read(text: &str, premises: &Premises) -> Result<Moved, WindowError> {
        let root = text.trim().to_ascii_lowercase();
        if let Some(kind) = Kind::of_root(&root) {
            return Ok(Moved::Message(kind));
        }
        let event = wording::event_of(text.trim(), premises).map(Moved::Event);
        event.ok_or_else(|| WindowError::NoMoved { text: text.to_owned() })
    }

    fn means(&self, event: &Event) -> bool {
        match (self, event.thing) {
            (Moved::Event(wanted), _) => wanted == event,
            // Some messages ride in the answer to another one (5.3).
            (Moved::Message(kind), Thing::Answer { message, .. }) => asked_by(*kind) == Some(message),
            (Moved::Message(kind), Thing::Request { message, .. }) => *kind == message,
            _ => false,
        }
    }
}

/// The message to which this one is the answer.
fn asked_by(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::DelegationResp => Some(Kind::DelegationReq),
        Kind::BootstrapSrvUrlDelivery => Some(Kind::BootstrapSrvUrlReq),
        Kind::DelegationTerminationAck => Some(Kind::DelegationTerminationReq),
        _ => None,
    }
}

fn listed(mut words: Vec<String>) -> String {
    words.dedup();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests;
