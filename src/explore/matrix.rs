//! Two timeouts against a delay: for each pair of values and each delay, what the default way of a journey comes to.
//!
//! What is delayed longer than anybody waits for it is given up: a session does not come about any more, a message comes
//! all the same, behind the next try of it. Between two tries a server waits as its retries say, without jitter.

use std::time::Duration;

use crate::delegation::exchange::PostOutcome;
use crate::delegation::flow::Outcome;
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::explore::event::{Event, Thing};
use crate::explore::lab::Lab;
use crate::explore::own_way::{Ending, Flow, OwnWay};
use crate::explore::plan::{Decision, Deed, Delay};
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::scenario::{Scenario, TimeoutSettings};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    pub axes: [Axis; 2],
    pub delayed: Delayed,
    pub delays: Vec<Duration>,
}

/// One timeout and its values, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Among [`KEYS`].
    pub key: &'static str,
    pub values: Vec<Duration>,
}

/// What is delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delayed {
    /// Every session that a server wants with the device.
    Sessions,
    /// Every try of the requests of this kind.
    Message(Kind),
}

/// What came of one pair of values with one delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub verdict: Verdict,
    pub ending: Ending,
    /// Requests that servers sent, new tries included.
    pub sent: usize,
}

/// What a cell has come to, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Done,
    /// A flow failed, and nothing is left of it.
    Undone,
    /// A flow was refused, or failed in another way.
    Failed,
    /// Nobody is in charge of the device in the end.
    Orphaned,
}

/// What came of all of it.
pub struct Heat {
    /// The journey's name.
    pub journey: String,
    /// How many requests the journey needs when nothing disturbs it.
    pub needed: usize,
    /// By delay, by value of the second axis, by value of the first.
    pub cells: Vec<Vec<Vec<Cell>>>,
}

/// Why there is nothing to go through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("no journey of this scenario hands a device over, so that there is nothing to delay")]
    NoJourney,
    #[error("no journey sends `{message}` when nothing disturbs it; the first one sends {sent}. Name one of these")]
    NeverSent { message: Kind, sent: String },
}

/// The timeouts that can be swept, by their keys.
pub const KEYS: [&str; 10] = [
    "bootstrap",
    "confirmed",
    "termination",
    "prepared",
    "revoked",
    "device",
    "peer",
    "wind_down",
    "request",
    "session",
];

impl Matrix {
    /// Goes through every cell.
    ///
    /// # Errors
    /// [`MatrixError`] when there is no journey to go.
    pub fn walk(&self, scenario: &Scenario) -> Result<Heat, MatrixError> {
        let (number, needed) = self.journey(scenario)?;
        let line = |delay: Duration, second: Duration| {
            let cell = |first: &Duration| self.cell(scenario, number, [*first, second], delay);
            self.axes[0].values.iter().filter_map(cell).collect()
        };
        let map = |delay: &Duration| self.axes[1].values.iter().map(|second| line(*delay, *second)).collect();
        let cells = self.delays.iter().map(map).collect();
        Ok(Heat { journey: scenario.journeys[number].journey.name.clone(), needed, cells })
    }

    /// The first journey that comes by what is delayed, and how many requests it needs.
    fn journey(&self, scenario: &Scenario) -> Result<(usize, usize), MatrixError> {
        let mut first: Option<Vec<Kind>> = None;
        for number in 0..scenario.journeys.len() {
            let Some(way) = OwnWay::of(scenario, number) else { continue };
            let (_, walked) = way.walk(&mut Lab::new(&way.premises), &[]);
            let sent = sent(&walked.facts[0]);
            if let Delayed::Sessions = self.delayed {
                return Ok((number, sent.len()));
            }
            if sent.iter().any(|kind| self.delayed == Delayed::Message(*kind)) {
                return Ok((number, sent.len()));
            }
            first.get_or_insert(sent);
        }
        match (first, self.delayed) {
            (Some(sent), Delayed::Message(message)) => {
                let sent: Vec<String> = sent.iter().map(|kind| format!("`{kind}`")).collect();
                Err(MatrixError::NeverSent { message, sent: sent.join(", ") })
            }
            _ => Err(MatrixError::NoJourney),
        }
    }

    fn cell(&self, scenario: &Scenario, number: usize, values: [Duration; 2], delay: Duration) -> Option<Cell> {
        let mut scenario = scenario.clone();
        for (axis, value) in self.axes.iter().zip(values) {
            set(&mut scenario.timeouts, axis.key, value);
        }
        let way = OwnWay::of(&scenario, number)?;
        let mut lab = Lab::new(&way.premises);
        let (_, walked) = way.walk(&mut lab, &self.decisions(&way, delay));
        let ending = Ending::of(&walked, &lab);
        Some(Cell { verdict: Verdict::of(&ending), sent: sent(&walked.facts[0]).len(), ending })
    }

    /// What makes things come so late.
    fn decisions(&self, way: &OwnWay, by: Duration) -> Vec<Decision> {
        if by.is_zero() {
            return Vec::new();
        }
        let servers = || (0..).map(ServerNumber).take(way.premises.names.len());
        let late = |thing: Thing, by: Duration, patience: Option<Duration>| {
            let what = Event { device: 0, thing, nth: 0 };
            Decision { what, deed: Deed::Delay(Delay { after: None, by, patience }) }
        };
        let timeouts = &way.scenario.timeouts;
        match self.delayed {
            Delayed::Sessions => servers()
                .flat_map(|at| ErrandKind::ALL.map(|errand| Thing::Session { at, errand }))
                .map(|session| late(session, by, Some(timeouts.session)))
                .collect(),
            Delayed::Message(message) => {
                let retry = way.premises.retries.get(message);
                let mut decisions = Vec::new();
                for (from, to) in servers().flat_map(|from| servers().map(move |to| (from, to))) {
                    for attempt in 1..=retry.tries {
                        let before = attempt.checked_sub(1).filter(|before| *before > 0);
                        let wait = before.and_then(|before| retry.after(before, &PostOutcome::TimedOut, || 0));
                        let wait = wait.unwrap_or_default();
                        let request = Thing::Request { message, from, to, attempt };
                        decisions.push(late(request, wait + by, Some(wait + timeouts.request)));
                    }
                    let rest = by.saturating_sub(timeouts.request);
                    decisions.push(late(Thing::Copy { message, from, to }, rest, None));
                }
                decisions
            }
        }
    }
}

impl Verdict {
    pub const ALL: [Verdict; 4] = [Verdict::Done, Verdict::Undone, Verdict::Failed, Verdict::Orphaned];

    /// Its word.
    pub fn key(self) -> &'static str {
        match self {
            Verdict::Done => "done",
            Verdict::Undone => "undone",
            Verdict::Failed => "refused or failed",
            Verdict::Orphaned => "orphaned",
        }
    }

    /// The first flow that was not done decides, unless nobody is in charge in the end.
    fn of(ending: &Ending) -> Verdict {
        let is_undone = |flow: &Flow| {
            let is_back = |outcome: &Outcome| matches!(outcome, Outcome::Undone { .. } | Outcome::TooLate { .. });
            flow.here.as_ref().is_some_and(is_back) && flow.there.as_ref().is_none_or(is_back)
        };
        match ending.flows.iter().find(|flow| !flow.is_done()) {
            _ if ending.is_orphaned() => Verdict::Orphaned,
            None => Verdict::Done,
            Some(flow) if is_undone(flow) => Verdict::Undone,
            Some(_) => Verdict::Failed,
        }
    }
}

/// The key of this name.
pub fn key(name: &str) -> Option<&'static str> {
    KEYS.into_iter().find(|key| *key == name)
}

fn set(timeouts: &mut TimeoutSettings, key: &str, value: Duration) {
    let protocol = &mut timeouts.protocol;
    let timeout = match key {
        "bootstrap" => &mut protocol.bootstrap,
        "confirmed" => &mut protocol.confirmed,
        "termination" => &mut protocol.termination,
        "prepared" => &mut protocol.prepared,
        "revoked" => &mut protocol.revoked,
        "device" => &mut protocol.device,
        "peer" => &mut protocol.peer,
        "wind_down" => &mut timeouts.wind_down,
        "request" => &mut timeouts.request,
        "session" => &mut timeouts.session,
        other => unreachable!("{other} is none of the keys"),
    };
    *timeout = value;
}

/// What servers have sent, new tries included.
fn sent(facts: &[Fact]) -> Vec<Kind> {
    let kind = |fact: &Fact| if let What::Sent { kind, .. } = fact.what { Some(kind) } else { None };
    facts.iter().filter_map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::machine::Timer;
    use crate::delegation::policy::Policy;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn heat(policy: Policy, matrix: &Matrix) -> Result<Heat, MatrixError> {
        let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
        matrix.walk(&parse("quickstart", QUICKSTART, &overrides).expect("a scenario"))
    }

    /// `bootstrap` stays out of the way.
    fn matrix(key: &'static str, values: &[u64], delayed: Delayed, delay: u64) -> Matrix {
        let axes = [
            Axis { key, values: values.iter().copied().map(S).collect() },
            Axis { key: "bootstrap", values: vec![S(60)] },
        ];
        Matrix { axes, delayed, delays: vec![S(delay)] }
    }

    fn verdicts(heat: &Heat) -> Vec<Verdict> {
        heat.cells[0][0].iter().map(|cell| cell.verdict).collect()
    }

    #[test]
    fn every_key_is_a_timeout_and_every_timer_has_one() {
        let mut timeouts = parse("quickstart", QUICKSTART, &Overrides::default()).expect("a scenario").timeouts;
        KEYS.iter().for_each(|key| set(&mut timeouts, key, S(7)));
        assert_eq!((timeouts.request, timeouts.session, timeouts.wind_down), (S(7), S(7), S(7)));
        assert!(Timer::ALL.iter().all(|timer| key(timer.key()).is_some()));
    }

    #[test]
    fn undisturbed_everything_is_done_with_just_what_is_needed() {
        let heat = heat(Policy::Literal, &matrix("confirmed", &[1, 60], Delayed::Sessions, 0)).expect("a heat map");
        assert_eq!(verdicts(&heat), [Verdict::Done, Verdict::Done]);
        assert!(heat.cells[0][0].iter().all(|cell| cell.sent == heat.needed && cell.ending.broken.is_empty()));
    }

    #[test]
    fn a_confirmation_that_takes_longer_than_its_timer_comes_too_late() {
        let delayed = Delayed::Message(Kind::DelegationConfirmed);
        // Its sender waits 5 s for the answer, so that 4 s are no reason to send it again.
        let heat = heat(Policy::Literal, &matrix("confirmed", &[1, 3, 5, 60], delayed, 4)).expect("a heat map");
        assert!(verdicts(&heat)[..2].iter().all(|verdict| *verdict != Verdict::Done), "{:?}", verdicts(&heat));
        assert_eq!(verdicts(&heat)[2..], [Verdict::Done, Verdict::Done]);
    }

    #[test]
    fn what_takes_longer_than_its_request_may_is_sent_again_where_servers_try_again() {
        let delayed = Delayed::Message(Kind::DelegationPrepared);
        let sweep = |policy| heat(policy, &matrix("request", &[1, 9], delayed, 3)).expect("a heat map");
        let hardened = sweep(Policy::Hardened);
        let sent: Vec<usize> = hardened.cells[0][0].iter().map(|cell| cell.sent).collect();
        assert!(sent[0] > hardened.needed, "{sent:?} of {}", hardened.needed);
        assert_eq!(sent[1], hardened.needed);
        assert_ne!(verdicts(&sweep(Policy::Literal))[0], Verdict::Done, "the text knows no second try");
    }

    #[test]
    fn a_message_that_no_journey_sends_is_told_with_those_that_are_sent() {
        let delayed = Delayed::Message(Kind::RevocationFailure);
        let error = heat(Policy::Literal, &matrix("confirmed", &[1], delayed, 1)).err().expect("nothing to delay");
        assert!(error.to_string().contains("the first one sends `delegation_req`, "), "{error}");
    }
}
