//! Where one thread records what happens on it: plain counters and histograms, no locks, merged with others.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::message::Kind;
use crate::measure::latency::{Distribution, Latencies, Latency, Metric};
use crate::measure::outcome::{FLOW_KINDS, FlowCount, MessageCount, Tally, flow_slot, rides_in_an_answer};
use crate::measure::timeline::Interval;

/// How many different causes are told apart; a peer that answers with ever new reasonCodes cannot fill the memory.
const MOST_CAUSES: usize = 200;
/// Under which cause the rest is counted.
const OTHER_CAUSES: &str = "others";

/// Whose management session it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionSide {
    /// Of the delegating server.
    Dms1,
    /// Of the delegated server.
    Dms2,
}

/// The records of one thread. Its size does not depend on how much it records: at most 11 MiB, when every metric occurs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shard {
    pub(super) flows: [FlowCount; FLOW_KINDS],
    pub(super) messages: [MessageCount; Kind::ALL.len()],
    pub(super) latencies: Latencies,
    pub(super) sessions: [Tally; 2],
    pub(super) bootstraps: Tally,
    pub(super) handshakes_full: u64,
    pub(super) handshakes_resumed: u64,
    /// Outcomes other than `done`, with what they carry.
    pub(super) causes: BTreeMap<String, u64>,
    pub(super) rejected: BTreeMap<&'static str, u64>,
    pub(super) dropped: u64,
    pub(super) panicked: u64,
    pub(super) mailbox_refused: u64,
    pub(super) never_sent: u64,
    pub(super) lateness: Distribution,
    interval: Interval,
}

impl Shard {
    /// A shard without records.
    pub fn new() -> Shard {
        Shard::default()
    }

    /// A flow has started; its journey expects it to end with the outcome of this key ([`Outcome::KEYS`]), or with any.
    pub fn flow_started(&mut self, kind: FlowKind, expected: &'static str) {
        let flow = &mut self.flows[flow_slot(kind)];
        flow.started += 1;
        if Outcome::KEYS.contains(&expected) {
            flow.expected.count(expected);
        }
        self.interval.started += 1;
    }

    /// A started flow has ended. Its times count as latency when it is `done`: an early refusal says nothing about how
    /// long a delegation takes.
    pub fn flow_ended(
        &mut self,
        kind: FlowKind,
        outcome: &Outcome,
        as_expected: bool,
        response: Duration,
        service: Duration,
    ) {
        let flow = &mut self.flows[flow_slot(kind)];
        flow.ended.count(outcome.key());
        if as_expected {
            flow.as_expected += 1;
        } else {
            self.interval.failed += 1;
        }
        if *outcome == Outcome::Done {
            self.latencies.record(Metric::Flow(kind), response, service);
            self.interval.flow_done(response);
        } else {
            add_cause(&mut self.causes, outcome.to_string(), 1);
        }
    }

    /// A message was sent: POSTed, or given as the answer to a POST.
    pub fn message_sent(&mut self, kind: Kind) {
        self.message(kind).sent += 1;
    }

    /// A message got its answer: the answer to its POST was read; for one that is itself an answer, the asker has read it.
    pub fn message_answered(&mut self, kind: Kind, response: Duration, service: Duration) {
        self.message(kind).answered += 1;
        self.latencies.record(Metric::Message(kind), response, service);
        if !rides_in_an_answer(kind) {
            self.interval.exchanges += 1;
        }
    }

    /// A message came again.
    pub fn message_duplicated(&mut self, kind: Kind) {
        self.message(kind).duplicated += 1;
    }

    /// A message came that its state does not allow, or for nobody.
    pub fn message_unexpected(&mut self, kind: Kind) {
        self.message(kind).unexpected += 1;
    }

    /// A POST had no answer in time.
    pub fn message_timed_out(&mut self, kind: Kind) {
        self.message(kind).timed_out += 1;
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

    /// A TLS handshake was finished at our dialling end. Nobody plans one, so both times are the same.
    pub fn handshake(&mut self, took: Duration, resumed: bool) {
        if resumed {
            self.handshakes_resumed += 1;
        } else {
            self.handshakes_full += 1;
        }
        self.latencies.record(Metric::TlsHandshake, took, took);
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
    }

    /// What happened since the last call, for the timeline.
    pub fn take_interval(&mut self) -> Interval {
        std::mem::take(&mut self.interval)
    }

    /// Takes in the records of another thread. Shards may be merged in any order and grouping (but for which causes are
    /// told apart, once there are more of them than are kept).
    pub fn merge(&mut self, other: &Shard) {
        merge_counts(&mut self.flows, &other.flows);
        merge_counts(&mut self.messages, &other.messages);
        merge_counts(&mut self.sessions, &other.sessions);
        self.latencies.merge(&other.latencies);
        self.bootstraps += other.bootstraps;
        self.handshakes_full += other.handshakes_full;
        self.handshakes_resumed += other.handshakes_resumed;
        for (cause, count) in &other.causes {
            add_cause(&mut self.causes, cause.clone(), *count);
        }
        for (reason, count) in &other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
        self.dropped += other.dropped;
        self.panicked += other.panicked;
        self.mailbox_refused += other.mailbox_refused;
        self.never_sent += other.never_sent;
        self.lateness.merge(&other.lateness);
        self.interval.merge(&other.interval);
    }

    /// How many requests were rejected for this reason.
    pub fn rejections(&self, reason: &str) -> u64 {
        self.rejected.get(reason).copied().unwrap_or_default()
    }

    /// How many actors have panicked.
    pub fn panicked(&self) -> u64 {
        self.panicked
    }

    /// Flows started so far.
    pub fn started(&self) -> u64 {
        self.flows.iter().map(|flow| flow.started).sum()
    }

    /// Flows that have ended so far, in whatever way.
    pub fn ended(&self) -> u64 {
        self.flows.iter().map(|flow| flow.ended.total()).sum()
    }

    /// Flows that ended `done` so far.
    pub fn done(&self) -> u64 {
        self.flows.iter().map(|flow| flow.ended.get("done")).sum()
    }

    /// Flows that ended otherwise than their journey expects, and those that have not ended.
    pub fn failed(&self) -> u64 {
        self.flows.iter().map(FlowCount::failed).sum()
    }

    /// Exchanges between servers that were answered so far; a message that rides in an answer is no exchange of its own.
    pub fn exchanges(&self) -> u64 {
        let posted = Kind::ALL.into_iter().filter(|kind| !rides_in_an_answer(*kind));
        posted.map(|kind| self.messages[kind as usize].answered).sum()
    }

    /// The distribution of a metric; `None` when it has no sample.
    pub fn latency(&self, metric: Metric) -> Option<&Latency> {
        self.latencies.get(metric)
    }

    fn message(&mut self, kind: Kind) -> &mut MessageCount {
        &mut self.messages[kind as usize]
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
mod tests {
    use super::*;
    use crate::seed::Seed;
    use rand::RngExt;

    const TOOK: Duration = Duration::from_millis(2);

    /// A shard with a little of everything, by dice.
    fn any_shard(seed: Seed, number: u64) -> Shard {
        let mut dice = seed.stream("shard", number);
        let mut shard = Shard::new();
        let flows: Vec<FlowKind> = FlowKind::all().collect();
        for _ in 0..200 {
            let kind = flows[dice.random_range(0..flows.len())];
            let message = Kind::ALL[dice.random_range(0..Kind::ALL.len())];
            let took = Duration::from_micros(dice.random_range(1..10_000_000));
            match dice.random_range(0..12) {
                0 => shard.flow_started(kind, "done"),
                1 => shard.flow_ended(kind, &Outcome::Done, true, took, took / 2),
                2 => {
                    shard.flow_ended(kind, &Outcome::Undone { reason: dice.random_range(400..405) }, false, took, took)
                }
                3 => shard.message_sent(message),
                4 => shard.message_answered(message, took, took / 2),
                5 => shard.message_timed_out(message),
                6 => shard.message_duplicated(message),
                7 => shard.message_unexpected(message),
                8 => shard.session_ended(SessionSide::Dms2, dice.random(), took, took),
                9 => shard.handshake(took, dice.random()),
                10 => shard.rejected(if dice.random() { "not_xml" } else { "too_large" }),
                _ => shard.late(took),
            }
        }
        shard.bootstrap_ended(true, TOOK, TOOK);
        shard.start_dropped();
        shard.mailbox_refused();
        shard.never_sent();
        shard
    }

    fn merged(shards: &[&Shard]) -> Shard {
        let mut whole = Shard::new();
        shards.iter().for_each(|shard| whole.merge(shard));
        whole
    }

    #[test]
    fn shards_merge_in_any_order_and_grouping() {
        let seed = Seed::fresh();
        let [a, b, c] = [0, 1, 2].map(|number| any_shard(seed, number));
        let whole = merged(&[&a, &b, &c]);
        assert_eq!(whole, merged(&[&c, &a, &b]), "seed {}", seed.0);
        assert_eq!(whole, merged(&[&a, &merged(&[&b, &c])]), "seed {}", seed.0);
        assert_ne!(whole, a, "seed {}", seed.0);
        assert_eq!(whole.started(), a.started() + b.started() + c.started(), "seed {}", seed.0);
    }

    #[test]
    fn an_interval_holds_what_happened_since_the_last_look() {
        let kind = FlowKind::all().next().expect("there are flows");
        let mut shard = Shard::new();
        shard.flow_started(kind, "done");
        shard.flow_ended(kind, &Outcome::Done, true, TOOK, TOOK);
        shard.message_answered(Kind::DelegationReq, TOOK, TOOK);
        shard.message_answered(Kind::DelegationResp, TOOK, TOOK);
        // One exchange: DELEGATION_RESP rides in the answer to DELEGATION_REQ.
        assert_eq!(shard.take_interval().row(0).csv(), "0,1,1,0,1,,");
        shard.flow_started(kind, "refused");
        shard.flow_ended(kind, &Outcome::Done, false, TOOK, TOOK);
        assert_eq!(shard.take_interval().row(1).csv(), "1,1,1,1,0,,");
        assert_eq!(shard.take_interval(), Interval::default());
        assert_eq!((shard.started(), shard.ended(), shard.done(), shard.failed(), shard.exchanges()), (2, 2, 2, 1, 1));
    }

    #[test]
    fn memory_does_not_grow_with_causes() {
        let kind = FlowKind::all().next().expect("there are flows");
        let mut shard = Shard::new();
        for reason in 0..1_000 {
            shard.flow_ended(kind, &Outcome::Refused { reason }, true, TOOK, TOOK);
        }
        assert_eq!(shard.causes.len(), MOST_CAUSES + 1);
        assert_eq!(shard.causes.values().sum::<u64>(), 1_000);
        assert_eq!(shard.causes[OTHER_CAUSES], 800);
    }
}
