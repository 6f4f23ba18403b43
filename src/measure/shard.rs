//! Where one thread records what happens on it: plain counters and histograms, no locks, merged with others.
//!
//! A shard is handed over once a second and begun anew, so that what happened in each second is known, and nobody has to
//! stop for it to be counted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::message::Kind;
use crate::measure::latency::{Distribution, Latencies, Latency, Metric};
use crate::measure::outcome::{FLOW_KINDS, FlowCount, MessageCount, Tally, flow_slot, rides_in_an_answer};

/// How many different causes are told apart; a peer that answers with ever new reasonCodes cannot fill the memory.
const MOST_CAUSES: usize = 200;
/// Under which cause the rest is counted.
const OTHER_CAUSES: &str = "others";
/// A start that leaves later than this after its intended moment is counted as late.
pub const LATE: Duration = Duration::from_millis(10);

/// Whose management session it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionSide {
    /// Of the delegating server.
    Dms1,
    /// Of the delegated server.
    Dms2,
}

/// Where the time of one call went, on the caller's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Of a connection that was opened for it.
    pub opening: Option<Opening>,
    /// Until the whole request had been handed to the operating system.
    pub send: Duration,
    /// From there to the head of the answer.
    pub wait: Duration,
    /// From there to its last byte.
    pub receive: Duration,
}

/// How long a connection took to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Until the TCP connection stood.
    pub connect: Duration,
    pub handshake: Duration,
    /// Whether the handshake resumed an earlier session.
    pub resumed: bool,
}

/// Flows and their latencies: of the whole run, or of one wave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flows {
    pub(super) counts: [FlowCount; FLOW_KINDS],
    pub(super) latencies: Latencies,
}

impl Flows {
    /// A flow has started; its journey expects it to end with the outcome of this key ([`Outcome::KEYS`]), or with any.
    fn started(&mut self, kind: FlowKind, expected: &'static str) {
        let flow = &mut self.counts[flow_slot(kind)];
        flow.started += 1;
        if Outcome::KEYS.contains(&expected) {
            flow.expected.count(expected);
        }
    }

    fn ended(&mut self, kind: FlowKind, end: &End<'_>) {
        let flow = &mut self.counts[flow_slot(kind)];
        flow.ended.count(end.outcome.key());
        flow.as_expected += u64::from(end.as_expected);
        if *end.outcome == Outcome::Done {
            self.latencies.record(Metric::Flow(kind), end.response, end.service);
        }
    }

    /// Takes in others.
    pub fn merge(&mut self, other: &Flows) {
        merge_counts(&mut self.counts, &other.counts);
        self.latencies.merge(&other.latencies);
    }

    /// The response times of those that ended `done`, by kind.
    pub fn responses(&self) -> impl Iterator<Item = &Distribution> {
        FlowKind::all().filter_map(|kind| self.latencies.get(Metric::Flow(kind))).map(|latency| &latency.response)
    }

    /// The distribution of the flows of one kind that ended `done`; `None` when there is none.
    pub fn latency(&self, kind: FlowKind) -> Option<&Latency> {
        self.latencies.get(Metric::Flow(kind))
    }

    /// How many have started.
    pub fn count_started(&self) -> u64 {
        self.counts.iter().map(|flow| flow.started).sum()
    }

    /// How many have ended, in whatever way.
    pub fn count_ended(&self) -> u64 {
        self.counts.iter().map(|flow| flow.ended.total()).sum()
    }

    /// How many have ended with the outcome of this key.
    pub fn count_ended_with(&self, key: &str) -> u64 {
        self.counts.iter().map(|flow| flow.ended.get(key)).sum()
    }

    /// How many of one kind have ended otherwise than `done`.
    pub fn count_not_done(&self, kind: FlowKind) -> u64 {
        let ended = &self.counts[flow_slot(kind)].ended;
        ended.total() - ended.get("done")
    }

    /// How many have ended otherwise than their journey expects.
    pub fn count_ended_unexpectedly(&self) -> u64 {
        self.counts.iter().map(FlowCount::ended_unexpectedly).sum()
    }

    /// How many have ended otherwise than their journey expects, or have not ended.
    pub fn count_failed(&self) -> u64 {
        self.counts.iter().map(FlowCount::failed).sum()
    }
}

/// How a flow has ended.
#[derive(Debug, Clone, Copy)]
pub struct End<'o> {
    pub outcome: &'o Outcome,
    pub as_expected: bool,
    /// From the moment at which it was meant to start.
    pub response: Duration,
    /// From the moment at which it was started.
    pub service: Duration,
}

/// The messages of all kinds, by the flow that was under way on the device, and last of none.
type Ladder = [[MessageCount; Kind::ALL.len()]; FLOW_KINDS + 1];

/// The records of one thread. Its size does not depend on how much it records: at most 14 MiB for one wave, when every
/// metric occurs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shard {
    pub(super) flows: Flows,
    /// By the number of the wave, where there are several.
    pub(super) waves: Vec<Flows>,
    pub(super) ladder: Ladder,
    /// Of everything but flows.
    pub(super) latencies: Latencies,
    pub(super) sessions: [Tally; 2],
    pub(super) bootstraps: Tally,
    pub(super) handshakes_full: u64,
    pub(super) handshakes_resumed: u64,
    /// Outcomes other than `done`, with what they carry.
    pub(super) causes: BTreeMap<String, u64>,
    /// Of these, the ones that their journeys did not expect.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) rejected: BTreeMap<&'static str, u64>,
    pub(super) dropped: u64,
    pub(super) panicked: u64,
    pub(super) mailbox_refused: u64,
    pub(super) never_sent: u64,
    /// Starts that were later than [`LATE`].
    pub(super) late: u64,
    pub(super) lateness: Distribution,
    pub(super) event_loop: Distribution,
}

impl Shard {
    /// A shard without records.
    pub fn new() -> Shard {
        Shard::default()
    }

    /// A flow has started; its journey expects it to end with the outcome of this key ([`Outcome::KEYS`]), or with any.
    /// `wave`: its number, where there are several.
    pub fn flow_started(&mut self, kind: FlowKind, expected: &'static str, wave: Option<usize>) {
        self.flows.started(kind, expected);
        if let Some(number) = wave {
            self.wave(number).started(kind, expected);
        }
    }

    /// A started flow has ended. Its times count as latency when it is `done`: an early refusal says nothing about how
    /// long a delegation takes.
    pub fn flow_ended(&mut self, kind: FlowKind, end: &End<'_>, wave: Option<usize>) {
        self.flows.ended(kind, end);
        if let Some(number) = wave {
            self.wave(number).ended(kind, end);
        }
        if *end.outcome != Outcome::Done {
            add_cause(&mut self.causes, end.outcome.to_string(), 1);
        }
        if !end.as_expected {
            add_cause(&mut self.failures, end.outcome.to_string(), 1);
        }
    }

    /// A message was sent: POSTed, or given as the answer to a POST. `flow` is the one that is under way on the device.
    pub fn message_sent(&mut self, kind: Kind, flow: Option<FlowKind>) {
        self.message(kind, flow).sent += 1;
    }

    /// A message got its answer: the answer to its POST was read; for one that is itself an answer, the asker has read it.
    pub fn message_answered(&mut self, kind: Kind, flow: Option<FlowKind>, response: Duration, service: Duration) {
        self.message(kind, flow).answered += 1;
        self.latencies.record(Metric::Message(kind), response, service);
    }

    /// A message came again.
    pub fn message_duplicated(&mut self, kind: Kind, flow: Option<FlowKind>) {
        self.message(kind, flow).duplicated += 1;
    }

    /// A message came that its state does not allow, or for nobody. `late`: its session was over.
    pub fn message_unexpected(&mut self, kind: Kind, flow: Option<FlowKind>, late: bool) {
        let message = self.message(kind, flow);
        message.unexpected += 1;
        message.late += u64::from(late);
    }

    /// A POST had no answer. `timed_out`: because its time was over.
    pub fn message_lost(&mut self, kind: Kind, flow: Option<FlowKind>, timed_out: bool) {
        let message = self.message(kind, flow);
        message.lost += 1;
        message.timed_out += u64::from(timed_out);
    }

    /// A management session has ended; its times count as latency when it went well.
    pub fn session_ended(&mut self, side: SessionSide, ok: bool, response: Duration, service: Duration) {
        self.sessions[side as usize].count(ok);
        if ok {
            self.latencies.record(Metric::Session(side), response, service);
        }
    }

    /// A device has asked a bootstrap server for its document; the times count as latency when it got one.
    pub fn bootstrap_ended(&mut self, ok: bool, response: Duration, service: Duration) {
        self.bootstraps.count(ok);
        if ok {
            self.latencies.record(Metric::Bootstrap, response, service);
        }
    }

    /// A call of ours was answered. Nobody plans its parts, so that both times of each are the same.
    pub fn call_answered(&mut self, split: &Split) {
        let mut record = |metric, took| self.latencies.record(metric, took, took);
        if let Some(opening) = split.opening {
            record(Metric::Connect, opening.connect);
            record(Metric::TlsHandshake, opening.handshake);
            record(if opening.resumed { Metric::TlsResumed } else { Metric::TlsFull }, opening.handshake);
        }
        record(Metric::Send, split.send);
        record(Metric::Wait, split.wait);
        record(Metric::Receive, split.receive);
        match split.opening {
            Some(Opening { resumed: true, .. }) => self.handshakes_resumed += 1,
            Some(Opening { resumed: false, .. }) => self.handshakes_full += 1,
            None => {}
        }
    }

    /// A request was rejected for this reason: malformed, of a stranger, out of order, too much.
    pub fn rejected(&mut self, reason: &'static str) {
        *self.rejected.entry(reason).or_default() += 1;
    }

    /// An intended start found no free device.
    pub fn start_dropped(&mut self) {
        self.dropped += 1;
    }

    /// An actor panicked.
    pub fn actor_panicked(&mut self) {
        self.panicked += 1;
    }

    /// A full mailbox refused a message.
    pub fn mailbox_refused(&mut self) {
        self.mailbox_refused += 1;
    }

    /// A request of ours waited for a connection until its time was over, and never left.
    pub fn never_sent(&mut self) {
        self.never_sent += 1;
    }

    /// A start happened so long after its intended moment.
    pub fn late(&mut self, by: Duration) {
        self.lateness.record(by);
        self.late += u64::from(by > LATE);
    }

    /// A timer of this thread fired so long after its moment.
    pub fn event_loop_delayed(&mut self, by: Duration) {
        self.event_loop.record(by);
    }

    /// Takes in the records of another thread, or of another second. Shards may be merged in any order and grouping (but
    /// for which causes are told apart, once there are more of them than are kept).
    pub fn merge(&mut self, other: &Shard) {
        self.flows.merge(&other.flows);
        for (number, theirs) in other.waves.iter().enumerate() {
            self.wave(number).merge(theirs);
        }
        for (mine, theirs) in self.ladder.iter_mut().zip(&other.ladder) {
            merge_counts(mine, theirs);
        }
        merge_counts(&mut self.sessions, &other.sessions);
        self.latencies.merge(&other.latencies);
        self.bootstraps += other.bootstraps;
        self.handshakes_full += other.handshakes_full;
        self.handshakes_resumed += other.handshakes_resumed;
        for (mine, theirs) in [(&mut self.causes, &other.causes), (&mut self.failures, &other.failures)] {
            theirs.iter().for_each(|(cause, count)| add_cause(mine, cause.clone(), *count));
        }
        for (reason, count) in &other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        self.dropped += other.dropped;
        self.panicked += other.panicked;
        self.mailbox_refused += other.mailbox_refused;
        self.never_sent += other.never_sent;
        self.late += other.late;
        self.lateness.merge(&other.lateness);
        self.event_loop.merge(&other.event_loop);
    }

    /// How many requests were rejected for this reason.
    pub fn rejections(&self, reason: &str) -> u64 {
        self.rejected.get(reason).copied().unwrap_or_default()
    }

    /// How many actors have panicked.
    pub fn panicked(&self) -> u64 {
        self.panicked
    }

    /// All flows.
    pub fn flows(&self) -> &Flows {
        &self.flows
    }

    /// The flows of one wave, where there are several and something has happened in it.
    pub fn flows_of(&self, wave: usize) -> Option<&Flows> {
        self.waves.get(wave)
    }

    /// Flows started so far.
    pub fn started(&self) -> u64 {
        self.flows.count_started()
    }

    /// Flows that have ended so far, in whatever way.
    pub fn ended(&self) -> u64 {
        self.flows.count_ended()
    }

    /// Flows that ended `done` so far.
    pub fn done(&self) -> u64 {
        self.flows.count_ended_with("done")
    }

    /// Flows that ended otherwise than their journey expects, and those that have not ended.
    pub fn failed(&self) -> u64 {
        self.flows.count_failed()
    }

    /// Exchanges between servers that were answered so far; a message that rides in an answer is no exchange of its own.
    pub fn exchanges(&self) -> u64 {
        let posted = Kind::ALL.into_iter().filter(|kind| !rides_in_an_answer(*kind));
        posted.map(|kind| self.messages(kind).answered).sum()
    }

    /// TLS handshakes that were finished at our dialling end.
    pub fn handshakes(&self) -> u64 {
        self.handshakes_full + self.handshakes_resumed
    }

    /// What became of the messages of a kind, in all flows together.
    pub fn messages(&self, kind: Kind) -> MessageCount {
        let mut all = MessageCount::default();
        self.ladder.iter().for_each(|messages| all += messages[kind as usize]);
        all
    }

    /// What became of the messages of a kind in flows of another kind.
    pub fn messages_of(&self, flow: FlowKind, kind: Kind) -> MessageCount {
        self.ladder[flow_slot(flow)][kind as usize]
    }

    /// The distribution of a metric; `None` when it has no sample.
    pub fn latency(&self, metric: Metric) -> Option<&Latency> {
        match metric {
            Metric::Flow(_) => self.flows.latencies.get(metric),
            _ => self.latencies.get(metric),
        }
    }

    /// The response times of the flows that ended `done`, by kind.
    pub fn flow_responses(&self) -> impl Iterator<Item = &Distribution> {
        self.flows.responses()
    }

    /// How late starts were.
    pub fn lateness(&self) -> &Distribution {
        &self.lateness
    }

    /// How late timers fired.
    pub fn event_loop(&self) -> &Distribution {
        &self.event_loop
    }

    fn wave(&mut self, number: usize) -> &mut Flows {
        if self.waves.len() <= number {
            self.waves.resize_with(number + 1, Flows::default);
        }
        &mut self.waves[number]
    }

    fn message(&mut self, kind: Kind, flow: Option<FlowKind>) -> &mut MessageCount {
        &mut self.ladder[flow.map_or(FLOW_KINDS, flow_slot)][kind as usize]
    }
}

fn merge_counts<T: std::ops::AddAssign + Copy>(mine: &mut [T], theirs: &[T]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += *theirs;
    }
}

fn add_cause(causes: &mut BTreeMap<String, u64>, cause: String, count: u64) {
    let known = causes.len() < MOST_CAUSES || causes.contains_key(&cause);
    let cause = if known { cause } else { OTHER_CAUSES.to_owned() };
    *causes.entry(cause).or_default() += count;
}

#[cfg(test)]
mod tests;
