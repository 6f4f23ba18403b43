//! Two servers, a third one for bystanding, and a device, in virtual time: what passes between them as a transcript.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use super::parties::*;
use super::transcript::{answer_text, check_lines, message_text, name, record_text};
use crate::clock::Moment;
use crate::delegation::durable::Durable;
use crate::delegation::exchange::{Answer, Incoming, Outgoing, PostOutcome};
use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::machine::{Effect, Input, Job, Note, Side};
use crate::delegation::message::{Kind, Message};
use crate::delegation::server::Server;
use crate::dm::script::{DeviceFailure, Report};
use crate::ids::ServerNumber;

/// One way between two servers.
const LINK: Duration = Duration::from_millis(10);

/// One session with the device.
pub(super) const SESSION: Duration = Duration::from_millis(50);

/// From the new Bootstrap Config entry until the device has connected to the delegate.
pub(super) const BOOTSTRAP: Duration = Duration::from_millis(100);

/// How long a POST waits for its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// What happens to the next POST of a kind.
#[derive(Clone, Copy, Debug)]
pub enum Mishap {
    /// It never arrives.
    Lose,
    /// It arrives, and its answer is lost.
    LoseAnswer,
    /// No connection.
    Refuse,
    /// A proxy answers with this status in place of the peer.
    Status(u16),
    /// It takes so many milliseconds longer.
    Delay(u64),
    /// Its answer takes so many milliseconds longer.
    DelayAnswer(u64),
    /// It comes a second time, so many milliseconds later.
    Again(u64),
}

pub(super) enum Event {
    Arrives {
        from: ServerNumber,
        to: ServerNumber,
        answer_to: Option<Outgoing>,
        message: Message,
        mishap: Option<Mishap>,
    },
    Outcome {
        at: ServerNumber,
        exchange: Outgoing,
        outcome: PostOutcome,
    },
    ErrandEnds {
        at: ServerNumber,
        job: Job,
        report: Report,
    },
    Connects {
        to: ServerNumber,
    },
    Order {
        at: ServerNumber,
        input: Input,
    },
}

/// Everything at once, driven by one queue.
pub struct Pair {
    pub now: Moment,
    pub servers: Vec<Server>,
    setup: Setup,
    stores: Vec<Durable>,
    queue: BTreeMap<(Moment, u64), Event>,
    events: u64,
    mishaps: Vec<(Kind, Mishap)>,
    /// How the next errand of a name fails.
    pub(super) refusals: Vec<(&'static str, DeviceFailure)>,
    pub(super) unheard: Option<&'static str>,
    pub has_taken_back_url: bool,
    /// How many milliseconds longer the next errand of a name takes.
    pub slow: Option<(&'static str, u64)>,
    /// Whether DMS-1 removes its own account when it is to.
    pub gives_up: bool,
    /// Whether the device follows the bootstrap URL it is given.
    pub device_bootstraps: bool,
    /// Who has an account on the device.
    pub accounts: BTreeSet<ServerNumber>,
    transcript: Vec<String>,
    joined: BTreeMap<(ServerNumber, ServerNumber, Side), i32>,
    pub settled: Vec<(ServerNumber, Side, Outcome)>,
}

impl Pair {
    pub fn new(setup: &Setup) -> Pair {
        Pair {
            now: Moment::ZERO,
            servers: [DMS1, DMS2, DMS3].map(|me| Server::new(settings(me, setup))).into(),
            setup: setup.clone(),
            stores: vec![Durable::default(); 3],
            queue: BTreeMap::new(),
            events: 0,
            mishaps: Vec::new(),
            refusals: Vec::new(),
            unheard: None,
            has_taken_back_url: false,
            slow: None,
            gives_up: true,
            device_bootstraps: true,
            accounts: setup.bootstrapped.iter().copied().chain([DMS1]).collect(),
            transcript: Vec::new(),
            joined: BTreeMap::new(),
            settled: Vec::new(),
        }
    }

    /// The next POST of this kind has this mishap; a kind named twice has one for each of its next two POSTs.
    pub fn mishap(&mut self, kind: Kind, mishap: Mishap) {
        self.mishaps.push((kind, mishap));
    }

    /// The next errand of this name fails.
    pub fn refuse(&mut self, errand: &'static str, failure: DeviceFailure) {
        self.refusals.push((errand, failure));
    }

    /// The next errand of this name is done, and its answer is lost.
    pub fn lose_report(&mut self, errand: &'static str) {
        self.unheard = Some(errand);
    }

    /// Starts a flow between DMS-1 and DMS-2 at the moment `after_ms` from now, and says what was agreed.
    pub fn start(&mut self, after_ms: u64, flow: FlowKind, uri: &str) {
        self.start_between(after_ms, (DMS1, DMS2), flow, uri);
    }

    /// As `start`, with the roles given: delegating server, delegated server.
    pub fn start_between(
        &mut self,
        after_ms: u64,
        (delegating, delegated): (ServerNumber, ServerNumber),
        flow: FlowKind,
        uri: &str,
    ) {
        let (at, peer) = match flow {
            FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => {
                (delegated, delegating)
            }
            _ => (delegating, delegated),
        };
        if let FlowKind::Delegate { approach, .. } = flow {
            self.order(after_ms, peer, Input::Agreed { device: DEVICE, peer: at, approach });
        }
        self.order(after_ms, at, Input::Start { flow, device: DEVICE, peer, subtree: subtree(uri) });
    }

    pub fn order(&mut self, after_ms: u64, at: ServerNumber, input: Input) {
        self.push(Duration::from_millis(after_ms), Event::Order { at, input });
    }

    /// A POST that no machine of ours has made.
    pub fn forge(&mut self, after_ms: u64, from: ServerNumber, to: ServerNumber, message: Message) {
        let forged = Event::Arrives { from, to, answer_to: None, message, mishap: None };
        self.push(Duration::from_millis(after_ms), forged);
    }

    pub(super) fn push(&mut self, after: Duration, event: Event) {
        self.events += 1;
        self.queue.insert((self.now + after, self.events), event);
    }

    /// Lets everything happen until nothing is under way any more, and checks what has to hold then.
    pub fn run(&mut self) -> &mut Pair {
        for _ in 0..10_000 {
            if !self.step() {
                self.check_rest();
                return self;
            }
        }
        panic!("no end:\n{}", self.transcript.join("\n"));
    }

    /// Lets the next thing happen; `false` when there is none.
    pub fn step(&mut self) -> bool {
        let next_event = self.queue.first_key_value().map_or(Moment::NEVER, |((at, _), _)| *at);
        let waking = self.servers.iter().map(Server::deadline).min().unwrap_or(Moment::NEVER);
        if next_event.min(waking) == Moment::NEVER {
            return false;
        }
        if next_event <= waking {
            let ((at, _), event) = self.queue.pop_first().expect("an event is there");
            self.now = at;
            self.happen(event);
        } else {
            self.now = waking;
            let at = self.servers.iter().position(|server| server.deadline() == waking).expect("one of them");
            let at = ServerNumber(u16::try_from(at).expect("three servers"));
            self.line(&format!("{:<16} timer", name(at)));
            self.handle(at, Input::Wake);
        }
        true
    }

    /// A server dies: its memory, its POSTs, its errands and its timers go; what it was sent meanwhile is lost. It comes
    /// back with its store as it is now, or as it was before its latest write.
    pub fn restart(&mut self, at: ServerNumber, is_older: bool) {
        self.queue.retain(|_, event| match event {
            Event::Outcome { at: of, .. } | Event::ErrandEnds { at: of, .. } => *of != at,
            Event::Arrives { from, answer_to, .. } if *from == at => {
                *answer_to = None;
                true
            }
            _ => true,
        });
        let store = &self.stores[usize::from(at.0)];
        let store = if is_older { store.older() } else { store.clone() };
        let mut out = Vec::new();
        self.servers[usize::from(at.0)] = Server::recover(self.now, settings(at, &self.setup), &store, &mut out);
        self.joined.retain(|(of, _, _), _| *of != at);
        self.stores[usize::from(at.0)] = store;
        self.line(&format!("{:<16} restarts", name(at)));
        self.obey(at, None, out);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Order { at, input } => {
                self.handle(at, input);
            }
            Event::Connects { to } => {
                self.line(&format!("device -> {}  connects", name(to)));
                self.handle(to, Input::DeviceConnected { device: DEVICE });
            }
            Event::ErrandEnds { at, job, report } => {
                let result = match &report.result {
                    Ok(()) => "done".to_owned(),
                    Err(failure) => format!("failed {}", failure.reason_code()),
                };
                self.line(&format!("device -> {}  {result}", name(at)));
                self.handle(at, Input::ErrandDone { job, report });
            }
            Event::Outcome { at, exchange, outcome } => {
                self.handle(at, Input::Posted { exchange, outcome });
            }
            Event::Arrives { from, to, answer_to, message, mishap } => {
                let exchange = Incoming(self.events);
                let answer =
                    self.handle(to, Input::Received { exchange, from, message }).expect("every POST is answered");
                let outcome = match answer {
                    Answer::Message(message) => PostOutcome::Message(message),
                    Answer::NoContent => PostOutcome::NoContent,
                    Answer::Rejected(why) => PostOutcome::Rejected { status: why.http_status() },
                };
                let Some(exchange) = answer_to else { return };
                match mishap {
                    Some(Mishap::LoseAnswer) => {}
                    Some(Mishap::DelayAnswer(ms)) => {
                        self.push(LINK + Duration::from_millis(ms), Event::Outcome { at: from, exchange, outcome });
                    }
                    _ => self.push(LINK, Event::Outcome { at: from, exchange, outcome }),
                }
            }
        }
    }

    /// Hands an input to a server and does what it wants; the answer, where the input was a POST.
    fn handle(&mut self, at: ServerNumber, input: Input) -> Option<Answer> {
        let mut out = Vec::new();
        let from = match &input {
            Input::Received { from, .. } => Some(*from),
            _ => None,
        };
        self.servers[usize::from(at.0)].handle(self.now, input, &mut out);
        self.obey(at, from, out)
    }

    fn obey(&mut self, at: ServerNumber, from: Option<ServerNumber>, out: Vec<Effect>) -> Option<Answer> {
        let mut given = None;
        let written = out.iter().take_while(|effect| matches!(effect, Effect::Persist(_))).count();
        for (place, effect) in out.into_iter().enumerate() {
            match effect {
                Effect::Answer { answer, .. } => {
                    assert_eq!(place, written, "the answer goes first, but for what is written before it");
                    assert!(given.is_none(), "one answer for one POST");
                    self.line(&format!("{} -> {}  {}", name(at), name(from.expect("a POST")), answer_text(&answer)));
                    given = Some(answer);
                }
                Effect::Post { exchange, to, message } => self.post(at, exchange, to, message),
                Effect::Errand { job, errand, .. } => self.errand(at, job, errand),
                Effect::Persist(image) => self.stores[usize::from(at.0)].write(image),
                Effect::RenewAccount { .. } => {}
                Effect::Note(note) => self.note(at, note),
            }
        }
        given
    }

    fn post(&mut self, from: ServerNumber, exchange: Outgoing, to: ServerNumber, message: Message) {
        let kind = message.kind();
        let mishap = self.mishaps.iter().position(|(of, _)| *of == kind).map(|place| self.mishaps.remove(place).1);
        let told = mishap.map_or(String::new(), |mishap| format!("  [{mishap:?}]"));
        self.line(&format!("{} -> {}  {}{told}", name(from), name(to), message_text(&message)));
        let outcome = |outcome| Event::Outcome { at: from, exchange, outcome };
        let arrives = |message| Event::Arrives { from, to, answer_to: Some(exchange), message, mishap };
        match mishap {
            Some(Mishap::Lose) => self.push(REQUEST_TIMEOUT, outcome(PostOutcome::TimedOut)),
            Some(Mishap::Refuse) => self.push(LINK, outcome(PostOutcome::Unreachable { phase: "connect" })),
            Some(Mishap::Status(status)) => self.push(LINK, outcome(PostOutcome::Rejected { status })),
            Some(Mishap::LoseAnswer) => {
                self.push(LINK, arrives(message));
                self.push(REQUEST_TIMEOUT, outcome(PostOutcome::TimedOut));
            }
            Some(Mishap::Delay(ms)) => self.push(LINK + Duration::from_millis(ms), arrives(message)),
            Some(Mishap::Again(ms)) => {
                self.push(LINK, arrives(message.clone()));
                let copy = Event::Arrives { from, to, answer_to: None, message, mishap: None };
                self.push(LINK + Duration::from_millis(ms), copy);
            }
            Some(Mishap::DelayAnswer(_)) | None => self.push(LINK, arrives(message)),
        }
    }

    fn note(&mut self, at: ServerNumber, note: Note) {
        match note {
            Note::Joined { peer, side, .. } => *self.joined.entry((at, peer, side)).or_default() += 1,
            Note::Settled { peer, side, outcome, .. } => {
                // A server that has come back may settle what it does not remember to have joined.
                self.joined.entry((at, peer, side)).and_modify(|open| *open -= 1);
                self.line(&format!("{:<16} settled {outcome}", name(at)));
                self.settled.push((at, side, outcome));
            }
            Note::TimerFired { .. } | Note::Moved { .. } | Note::Applied { .. } => {}
            Note::Duplicate { kind, .. } => self.line(&format!("{:<16} duplicate {}", name(at), kind.root())),
            Note::Unexpected { kind, why, .. } => {
                self.line(&format!("{:<16} unexpected {}: {why}", name(at), kind.root()))
            }
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.transcript.push(format!("{:.3} {}", self.now.seconds(), text.trim_end()));
    }

    /// What holds whenever nothing is under way: every flow joined was settled once, and every record is at rest.
    fn check_rest(&self) {
        let open: Vec<_> = self.joined.iter().filter(|(_, count)| **count != 0).collect();
        assert!(open.is_empty(), "joined and not settled once: {open:?}\n{}", self.transcript.join("\n"));
        for server in &self.servers {
            assert_eq!(server.in_transition(), 0, "{}", self.transcript.join("\n"));
        }
    }

    /// What the records of DMS-1 and DMS-2 say, in one line.
    pub fn standing(&self) -> String {
        let of = |server: ServerNumber| -> Vec<String> {
            let records = self.servers[usize::from(server.0)].records_of(DEVICE);
            records.map(|record| record_text(&record)).collect()
        };
        let accounts: Vec<&str> = self.accounts.iter().map(|server| name(*server)).collect();
        format!("DMS-1 [{}] DMS-2 [{}] device [{}]", of(DMS1).join(", "), of(DMS2).join(", "), accounts.join(", "))
    }

    /// The transcript since the last call.
    pub fn transcript(&mut self) -> Vec<String> {
        std::mem::take(&mut self.transcript)
    }

    /// Asserts the transcript since the last call, and then what is on record; lines of `expected` are trimmed.
    #[track_caller]
    pub fn check(&mut self, expected: &str, standing: &str) {
        let found = self.transcript();
        check_lines(&found, expected);
        check_lines(&[self.standing()], standing);
    }

    /// As `check`, but only of what is not the ordinary course: mishaps, failures, undoing, refusals, timers, endings.
    #[track_caller]
    pub fn check_trouble(&mut self, expected: &str, standing: &str) {
        let signs = [
            "[",
            "fail",
            "undo",
            "remove",
            "refused",
            "timer",
            "restarts",
            "leave",
            "settled",
            "duplicate",
            "unexpected",
            "-> DMS-1  4",
            "-> DMS-2  4",
        ];
        let found: Vec<String> =
            self.transcript().into_iter().filter(|line| signs.iter().any(|sign| line.contains(sign))).collect();
        check_lines(&found, expected);
        check_lines(&[self.standing()], standing);
    }
}

/// The flow of a delegation, in short.
pub fn delegate(approach: Approach, is_full: bool, by_delegated: bool) -> FlowKind {
    FlowKind::Delegate { approach, is_full, by_delegated }
}
