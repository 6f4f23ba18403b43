//! A plan in words, written and read.
//!
//! ```text
//! wishes:     [once PATTERN: ]STEP                      a journey's step; without `once` in its turn, when all is at rest
//! decisions:  hold THING until PATTERN
//!             lose THING
//!             double THING
//!             break THING in round N                    a session, when the commands of this round have been carried out
//!             delay THING by D [after PATTERN][, given up after D]
//!             kill SERVER once [device N ]PATTERN[, before its write]
//! THING:      request MESSAGE of SERVER to SERVER [try N] [xN]
//!             copy of MESSAGE of SERVER to SERVER [xN]
//!             answer of SERVER to MESSAGE of SERVER [try N] [xN]
//!             session ERRAND of SERVER [xN]
//!             report ERRAND of SERVER [xN]              what has come of a session
//!             document of SERVER [xN]                   a device's question for it
//!             visit to SERVER [xN]                      of the device, by itself
//! ```
//!
//! `xN` is the how-manieth that sets out, `each time` stands for all of them. `device N` before any of them: about another device than the first.

use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::explore::event::{Event, Thing};
use crate::explore::plan::{Death, Decision, Deed, Delay, Plan, Planned};
use crate::explore::premises::Premises;
use crate::facts::pattern::{Names, Pattern};
use crate::ids::ServerNumber;
use crate::scenario;
use crate::units;
use crate::workload::journey::Expected;

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Worded {
    /// Each a step of a journey.
    pub wishes: Vec<String>,
    pub decisions: Vec<String>,
}

/// Words that are no plan of these premises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    #[error("no operator can wish `{wish}` here; among what can be wished is `{example}`")]
    NoSuchWish { wish: String, example: String },
    #[error("`{text}`: there is none before the first, which is x1")]
    BeforeTheFirst { text: String },
    #[error("`{text}` is about device {device}, and the last one is device {last}")]
    NoSuchDevice { text: String, device: usize, last: usize },
    #[error("`{text}`: {message}")]
    NoPattern { text: String, message: String },
    #[error(
        "`{text}` is no decision: expected hold, lose, double, break, delay or kill, and what about, as in `lose request \
         delegation_prepared of home to partner`"
    )]
    NoDecision { text: String },
}

impl Worded {
    /// A plan in words.
    pub fn new(plan: &Plan, premises: &Premises) -> Worded {
        Worded {
            wishes: plan.wishes.iter().map(|planned| wish(planned, premises)).collect(),
            decisions: plan
                .decisions
                .iter()
                .map(|one| decision(one, premises))
                .chain(plan.deaths.iter().map(|one| death(one, premises)))
                .collect(),
        }
    }

    /// The plan that these words mean.
    ///
    /// # Errors
    /// [`WordingError`] for the first words that mean nothing here.
    pub fn plan(&self, premises: &Premises) -> Result<Plan, WordingError> {
        let wishes = self.wishes.iter().map(|text| read_wish(text, premises)).collect::<Result<_, _>>()?;
        let (deaths, decisions): (Vec<&String>, Vec<&String>) =
            self.decisions.iter().partition(|text| text.starts_with(KILL));
        let decisions = decisions.into_iter().map(|text| read_decision(text, premises)).collect::<Result<_, _>>()?;
        let deaths = deaths.into_iter().map(|text| read_death(text, premises)).collect::<Result<_, _>>()?;
        Ok(Plan { wishes, decisions, deaths })
    }
}

/// A wish as a step of a journey.
pub fn step(wish: usize, premises: &Premises) -> String {
    let wish = &premises.wishes[wish];
    let step = scenario::print_step(&wish.step(Expected("done")), &premises.names);
    if wish.device == 0 { step } else { format!("device {} {step}", wish.device) }
}

/// A wish in words, with what it waits for.
pub fn wish(planned: &Planned, premises: &Premises) -> String {
    let step = step(planned.wish, premises);
    match &planned.once {
        Some(once) => format!("once {}: {step}", once.print(premises)),
        None => step,
    }
}

fn read_wish(text: &str, premises: &Premises) -> Result<Planned, WordingError> {
    let (once, wanted) = match text.strip_prefix("once ").and_then(|rest| rest.split_once(": ")) {
        Some((once, wanted)) => (Some(read_pattern(once, premises)?), wanted),
        None => (None, text),
    };
    let wish = (0..premises.wishes.len()).find(|wish| step(*wish, premises) == wanted);
    let wish = wish.ok_or_else(|| WordingError::NoSuchWish {
        wish: wanted.to_owned(),
        example: if premises.wishes.is_empty() { String::new() } else { step(0, premises) },
    })?;
    Ok(Planned { wish, once })
}

/// A decision in words.
pub fn decision(decision: &Decision, premises: &Premises) -> String {
    let what = event(&decision.what, premises);
    match &decision.deed {
        Deed::Hold(until) => format!("hold {what} until {}", until.print(premises)),
        Deed::Lose => format!("lose {what}"),
        Deed::Double => format!("double {what}"),
        Deed::Break(round) => format!("break {what} in round {round}"),
        Deed::Delay(Delay { after, by, patience }) => {
            let after = after.as_ref().map_or_else(String::new, |after| format!(" after {}", after.print(premises)));
            let patience = patience.map(|time| format!(", given up after {}", units::Duration(time)));
            format!("delay {what} by {}{after}{}", units::Duration(*by), patience.unwrap_or_default())
        }
    }
}

/// A death in words.
pub fn death(death: &Death, premises: &Premises) -> String {
    let server = premises.server_name(death.server);
    let device = if death.device > 0 { format!("device {} ", death.device) } else { String::new() };
    let before = if death.before_write { BEFORE_ITS_WRITE } else { "" };
    format!("{KILL}{server} once {device}{}{before}", death.once.print(premises))
}

const KILL: &str = "kill ";
const BEFORE_ITS_WRITE: &str = ", before its write";

fn read_death(text: &str, premises: &Premises) -> Result<Death, WordingError> {
    let nothing = || WordingError::NoDecision { text: text.to_owned() };
    let (server, once) = text.strip_prefix(KILL).and_then(|rest| rest.split_once(" once ")).ok_or_else(nothing)?;
    let server = premises.server(server).ok_or_else(nothing)?;
    let (once, before_write) = once.strip_suffix(BEFORE_ITS_WRITE).map_or((once, false), |once| (once, true));
    let (device, once) = match once.strip_prefix("device ").and_then(|rest| rest.split_once(' ')) {
        Some((number, once)) => (number.parse().map_err(|_| nothing())?, once),
        None => (0, once),
    };
    known_device(device, text, premises)?;
    Ok(Death { server, device, once: read_pattern(once, premises)?, before_write })
}

/// Something that sets out, in words.
pub fn event(event: &Event, premises: &Premises) -> String {
    let name = |server: ServerNumber| premises.server_name(server);
    let tries = |attempt: u32| if attempt > 1 { format!(" try {attempt}") } else { String::new() };
    let thing = match event.thing {
        Thing::Request { message, from, to, attempt } => {
            format!("request {message} of {} to {}{}", name(from), name(to), tries(attempt))
        }
        Thing::Copy { message, from, to } => format!("copy of {message} of {} to {}", name(from), name(to)),
        Thing::Answer { message, of, from, attempt } => {
            format!("answer of {} to {message} of {}{}", name(from), name(of), tries(attempt))
        }
        Thing::Session { at, errand } => format!("session {} of {}", errand.key(), name(at)),
        Thing::Report { at, errand } => format!("report {} of {}", errand.key(), name(at)),
        Thing::Document { of } => format!("document of {}", name(of)),
        Thing::Visit { with } => format!("visit to {}", name(with)),
    };
    let device = if event.device > 0 { format!("device {} ", event.device) } else { String::new() };
    let nth = match event.nth {
        0 => EACH_TIME.to_owned(),
        1 => String::new(),
        nth => format!(" x{nth}"),
    };
    format!("{device}{thing}{nth}")
}

fn read_decision(text: &str, premises: &Premises) -> Result<Decision, WordingError> {
    let nothing = || WordingError::NoDecision { text: text.to_owned() };
    let (verb, rest) = text.split_once(' ').ok_or_else(nothing)?;
    let (what, deed) = match verb {
        "hold" => {
            let (what, until) = rest.split_once(" until ").ok_or_else(nothing)?;
            (what, Deed::Hold(read_pattern(until, premises)?))
        }
        "lose" => (rest, Deed::Lose),
        "double" => (rest, Deed::Double),
        "break" => {
            let (what, round) = rest.split_once(" in round ").ok_or_else(nothing)?;
            (what, Deed::Break(round.parse().map_err(|_| nothing())?))
        }
        "delay" => {
            let (what, rest) = rest.split_once(" by ").ok_or_else(nothing)?;
            let time = |text: &str| text.parse::<units::Duration>().map(|time| time.0).map_err(|_| nothing());
            let (rest, patience) = match rest.rsplit_once(", given up after ") {
                Some((rest, patience)) => (rest, Some(time(patience)?)),
                None => (rest, None),
            };
            let (by, after) = match rest.split_once(" after ") {
                Some((by, after)) => (by, Some(read_pattern(after, premises)?)),
                None => (rest, None),
            };
            (what, Deed::Delay(Delay { after, by: time(by)?, patience }))
        }
        _ => return Err(nothing()),
    };
    let named = event_of(what, premises).ok_or_else(nothing)?;
    if named.nth == 0 && !what.ends_with(EACH_TIME) {
        return Err(WordingError::BeforeTheFirst { text: text.to_owned() });
    }
    known_device(named.device, text, premises)?;
    Ok(Decision { what: named, deed })
}

fn known_device(device: usize, text: &str, premises: &Premises) -> Result<(), WordingError> {
    let last = premises.devices.len() - 1;
    if device > last {
        return Err(WordingError::NoSuchDevice { text: text.to_owned(), device, last });
    }
    Ok(())
}

const EACH_TIME: &str = " each time";

/// What these words say that sets out; `None` where they say nothing of the kind.
pub fn event_of(text: &str, premises: &Premises) -> Option<Event> {
    read_event(&text.split(' ').collect::<Vec<&str>>(), premises)
}

fn read_event(words: &[&str], premises: &Premises) -> Option<Event> {
    let (device, words) = match words {
        ["device", number, rest @ ..] => (number.parse().ok()?, rest),
        _ => (0, words),
    };
    let (nth, words) = match words {
        [rest @ .., "each", "time"] => (0, rest),
        [rest @ .., last] if last.starts_with('x') => match last[1..].parse() {
            Ok(nth) => (nth, rest),
            Err(_) => (1, words),
        },
        _ => (1, words),
    };
    let (attempt, words) = match words {
        [rest @ .., "try", attempt] => (attempt.parse().ok()?, rest),
        _ => (1, words),
    };
    let server = |name: &str| premises.server(name);
    let message = Kind::of_root;
    let errand = |key: &str| ErrandKind::ALL.into_iter().find(|errand| errand.key() == key);
    let thing = match *words {
        ["request", kind, "of", from, "to", to] => {
            Thing::Request { message: message(kind)?, from: server(from)?, to: server(to)?, attempt }
        }
        ["copy", "of", kind, "of", from, "to", to] => {
            Thing::Copy { message: message(kind)?, from: server(from)?, to: server(to)? }
        }
        ["answer", "of", from, "to", kind, "of", of] => {
            Thing::Answer { message: message(kind)?, of: server(of)?, from: server(from)?, attempt }
        }
        ["session", kind, "of", at] => Thing::Session { at: server(at)?, errand: errand(kind)? },
        ["report", kind, "of", at] => Thing::Report { at: server(at)?, errand: errand(kind)? },
        ["document", "of", of] => Thing::Document { of: server(of)? },
        ["visit", "to", with] => Thing::Visit { with: server(with)? },
        _ => return None,
    };
    Some(Event { device, thing, nth })
}

fn read_pattern(text: &str, premises: &Premises) -> Result<Pattern, WordingError> {
    Pattern::parse(text, premises)
        .map_err(|error| WordingError::NoPattern { text: text.to_owned(), message: error.message })
}
