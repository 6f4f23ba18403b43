//! All that was measured as `summary.json`, and the verdict that follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::delegation::flow::FlowKind;
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::measure::course::Course;
use crate::measure::expectation::Expectation;
use crate::measure::health::{Health, HealthLimits, HostUse};
use crate::measure::latency::{Latency, Metric, Spread};
use crate::measure::limit::LimitResult;
use crate::measure::outcome::{FlowCount, MessageCount, flow_slot};
use crate::measure::promise::PromiseResult;
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::rows::Rows;
use crate::measure::shard::Shard;

pub use aims::{FaultRow, GoalRow, WindowRow};
pub use course::{ErrorKind, ErrorRow, MarkRow, PhaseRow, PopulationRow, WorstRow};
pub use verdict::{Ending, Verdict};

mod aims;
mod course;
mod rows;
mod verdict;

/// The version of the summary's form; a key is added without a new one, never renamed.
pub const SCHEMA: &str = "dmswarm.summary/1";

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// `dmswarm.summary/1`.
    pub schema: String,
    pub verdict: Verdict,
    pub scenario: String,
    pub seed: u64,
    /// How our servers behaved where the specification leaves a hazard open: `hardened` or `literal`.
    #[serde(default)]
    pub policy: String,
    pub devices: u64,
    /// From the start of the load until the last flow had ended, in seconds.
    pub duration_s: f64,
    /// How the flows ended, by kind; every kind is there. `started` is the sum of the others once a run has drained.
    pub flows: Rows<FlowRow>,
    /// How the journeys expected them to end, by kind.
    pub expected: Rows<OutcomeRow>,
    /// The flows that ended otherwise than their journey expects, by kind; of a run that was not cut off, those that have
    /// not ended as well.
    pub failed: Rows<u64>,
    /// Outcomes other than `done` with what they carry, e.g. `undone (420)`, and how often.
    pub causes: BTreeMap<String, u64>,
    /// What became of the messages between servers, by kind; every kind is there.
    pub exchanges: Rows<MessageRow>,
    /// The same by the flow that was under way on the device, and then by the message, as far as they occurred.
    #[serde(default)]
    pub ladder: Rows<Rows<MessageRow>>,
    /// Requests that were rejected, by reason.
    pub rejected: BTreeMap<String, u64>,
    pub sessions: SessionRows,
    /// Times in milliseconds, by metric; every metric is there. `flow.*` holds the flows that ended `done`.
    pub latency: Rows<LatencyRow>,
    /// The times of all flows that ended `done`, whatever their kind.
    #[serde(default)]
    pub all_flows: LatencyRow,
    pub rates: Rates,
    /// The phases of the load, by when they began.
    #[serde(default)]
    pub phases: Vec<PhaseRow>,
    /// Where the load has several populations: how the flows of each went.
    #[serde(default)]
    pub populations: Rows<PopulationRow>,
    /// What went wrong, and when it was seen first and last.
    #[serde(default)]
    pub errors: Vec<ErrorRow>,
    /// What was done to the run from outside while it went on.
    #[serde(default)]
    pub marks: Vec<MarkRow>,
    /// The flows that took longest, the longest first.
    #[serde(default)]
    pub worst: Vec<WorstRow>,
    pub limits: Vec<LimitResult>,
    pub promises: Vec<PromiseRow>,
    /// Goals that the run was to come by, and how often it did.
    pub reached: Vec<GoalRow>,
    /// Faults that were injected, and how often they could have been.
    pub faults: Vec<FaultRow>,
    /// How long devices that were watched step by step were in nobody's charge, or in that of two.
    #[serde(default)]
    pub windows: WindowRow,
    /// What makes the run worth less than it looks: faults that never fired, goals that were never reached.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of a race: whether it went as its author expects. Then that alone is its verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<Expectation>,
    pub health: Health,
    pub actors: ActorRow,
}

/// How the flows of one kind ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowRow {
    pub started: u64,
    pub done: u64,
    pub refused: u64,
    pub undone: u64,
    pub too_late: u64,
    pub unreachable: u64,
    pub misbehaved: u64,
    pub stranded: u64,
    pub lost: u64,
}

impl FlowRow {
    /// Flows without an outcome: the run was stopped before they had one.
    pub fn not_ended(&self) -> u64 {
        let FlowRow { started, done, refused, undone, too_late, unreachable, misbehaved, stranded, lost } = *self;
        started.saturating_sub(done + refused + undone + too_late + unreachable + misbehaved + stranded + lost)
    }
}

/// One number per outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeRow {
    pub done: u64,
    pub refused: u64,
    pub undone: u64,
    pub too_late: u64,
    pub unreachable: u64,
    pub misbehaved: u64,
    pub stranded: u64,
    pub lost: u64,
}

/// What became of the messages of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRow {
    pub sent: u64,
    pub answered: u64,
    pub duplicated: u64,
    /// Came where its state does not allow it, or for nobody; those that were `late` are among them.
    pub unexpected: u64,
    /// Had no answer in time; they are among those that were `lost`.
    pub timed_out: u64,
    /// Came for a session that was over.
    #[serde(default)]
    pub late: u64,
    /// Had no answer at all, for whatever reason.
    #[serde(default)]
    pub lost: u64,
}

/// One metric, counted from the intended start (`response_ms`) and from the send (`service_ms`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyRow {
    pub count: u64,
    pub response_ms: Spread,
    pub service_ms: Spread,
}

/// Averages over `duration_s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// Flows that ended `done`.
    pub flows_per_s: f64,
    /// Answered POSTs between servers.
    pub exchanges_per_s: f64,
    pub handshakes_per_s: f64,
}

/// What devices did with servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRows {
    /// Management sessions with the delegating server.
    pub dms1: TallyRow,
    /// Management sessions with the delegated server.
    pub dms2: TallyRow,
    /// Bootstrap documents fetched.
    pub bootstrap: TallyRow,
    pub handshakes_full: u64,
    pub handshakes_resumed: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TallyRow {
    pub ok: u64,
    pub failed: u64,
}

/// One promise: on how many devices it was checked, was broken, and could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseRow {
    pub name: String,
    pub checked: u64,
    pub broken: u64,
    pub not_observable: u64,
    /// The first breaches: where, and what was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
}

/// How our own parties held up. A panic ends the run with exit code 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorRow {
    pub panicked: u64,
    /// Messages that a full mailbox refused.
    pub mailbox_refused: u64,
}

/// What a summary is built from.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub scenario: &'a str,
    pub seed: u64,
    pub policy: Policy,
    pub devices: u64,
    pub duration: Duration,
    pub ending: Ending,
    /// Everything that was recorded.
    pub course: &'a Course,
    /// How many devices each population of the load has, by number.
    pub population_devices: &'a [u64],
    pub promises: &'a [PromiseResult],
    /// What the run was to come by, in a scenario's words, and on how many devices it did.
    pub goals: &'a [(String, u64)],
    /// Every fault of the scenario, in its order.
    pub faults: &'a [FaultRow],
    pub windows: &'a LongestWindows,
    /// Of how many watched devices only the first steps were kept.
    pub cut_short: u64,
    /// Phases that ran out of starts before they ended: the population and the phase, by name.
    pub ran_out: &'a [(String, String)],
    /// Of a race: the promises that are to be broken under this policy.
    pub expected: Option<&'a [String]>,
    pub host: HostUse,
    pub health: HealthLimits,
}

impl Summary {
    /// Puts the result of a run together.
    pub fn build(run: &Run) -> Summary {
        let (course, records) = (run.course, run.course.total());
        let duration_s = (run.duration.as_secs_f64() * 1e3).round() / 1e3;
        // What was cut off has not failed; what was waited for, and has not ended, has.
        let is_whole = run.ending != Ending::Interrupted;
        let limits = course.limits(is_whole);
        let failed = if is_whole { FlowCount::failed } else { FlowCount::ended_unexpectedly };
        let promises: Vec<PromiseRow> = run.promises.iter().map(PromiseRow::from).collect();
        let expectation = run.expected.map(|expected| Expectation::judge(expected, run.goals, run.promises));
        let health = Health::judge(records, &run.host, &run.health, run.duration.as_secs_f64());
        let actors = ActorRow { panicked: records.panicked, mailbox_refused: records.mailbox_refused };
        let mut faults = run.faults.to_vec();
        for (rule, fault) in faults.iter_mut().enumerate() {
            (fault.first_s, fault.last_s) = course.fault_times(rule).unzip();
        }
        let counts = &records.flows.counts;
        Summary {
            schema: SCHEMA.to_owned(),
            verdict: match &expectation {
                Some(race) if run.ending == Ending::Drained && actors.panicked == 0 => {
                    verdict::of_a_race(race, &health)
                }
                _ => verdict::weightiest(run.ending, &promises, &health, &limits, &actors),
            },
            scenario: run.scenario.to_owned(),
            seed: run.seed,
            policy: run.policy.key().to_owned(),
            devices: run.devices,
            duration_s,
            flows: flow_rows(|kind| FlowRow::from(counts[flow_slot(kind)])),
            expected: flow_rows(|kind| OutcomeRow::from(counts[flow_slot(kind)].expected)),
            failed: flow_rows(|kind| failed(&counts[flow_slot(kind)])),
            causes: records.causes.clone(),
            exchanges: message_rows(|kind| Some(records.messages(kind))),
            ladder: ladder(records),
            rejected: records.rejected.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            sessions: SessionRows {
                dms1: records.sessions[0].into(),
                dms2: records.sessions[1].into(),
                bootstrap: records.bootstraps.into(),
                handshakes_full: records.handshakes_full,
                handshakes_resumed: records.handshakes_resumed,
            },
            latency: Metric::all()
                .map(|metric| (metric.to_string(), records.latency(metric).map(LatencyRow::from).unwrap_or_default()))
                .collect(),
            all_flows: flows_took(|kind| records.latency(Metric::Flow(kind))),
            rates: Rates::over(run.duration, records),
            phases: course.phases().to_vec(),
            populations: population_rows(course, run.population_devices, failed),
            errors: course.errors(),
            marks: course.marks().to_vec(),
            worst: course.worst(),
            limits,
            promises,
            reached: run.goals.iter().map(GoalRow::from).collect(),
            warnings: aims::warnings(run.goals, &faults, run.cut_short, run.ran_out),
            faults,
            windows: WindowRow::from(run.windows),
            expectation,
            health,
            actors,
        }
    }

    /// Flows started, of all kinds.
    pub fn started(&self) -> u64 {
        self.flows.iter().map(|(_, row)| row.started).sum()
    }

    /// Flows that ended otherwise than expected, or not at all, of all kinds.
    pub fn failed_flows(&self) -> u64 {
        self.failed.iter().map(|(_, failed)| failed).sum()
    }

    /// Whether something of ours went wrong that no verdict names: the run ends with exit code 1.
    pub fn had_internal_error(&self) -> bool {
        self.actors.panicked > 0
    }
}

/// The JSON Schema of `summary.json`.
pub fn summary_schema() -> serde_json::Value {
    schemars::schema_for!(Summary).to_value()
}

fn message_rows(row: impl Fn(Kind) -> Option<MessageCount>) -> Rows<MessageRow> {
    let named = |kind: Kind| row(kind).map(|count| (kind.root().to_owned(), MessageRow::from(count)));
    Kind::ALL.into_iter().filter_map(named).collect()
}

/// The messages of each flow, as far as there were any.
fn ladder(records: &Shard) -> Rows<Rows<MessageRow>> {
    let of_flow = |flow: FlowKind| {
        let count = |kind| Some(records.messages_of(flow, kind)).filter(|count| *count != MessageCount::default());
        let rungs = message_rows(count);
        let is_empty = rungs.iter().next().is_none();
        (!is_empty).then(|| (flow.to_string(), rungs))
    };
    FlowKind::all().filter_map(of_flow).collect()
}

/// How the flows of each population went, where there are several.
fn population_rows(course: &Course, devices: &[u64], failed: fn(&FlowCount) -> u64) -> Rows<PopulationRow> {
    let names = if course.populations().len() > 1 { course.populations() } else { &[] };
    let row = |(number, name): (usize, &String)| {
        let mut row = PopulationRow { devices: devices.get(number).copied().unwrap_or(0), ..PopulationRow::default() };
        let flows = course.flows_of(number);
        row.started = flows.count_started();
        row.done = flows.count_ended_with("done");
        row.failed = flows.counts.iter().map(failed).sum();
        row.latency = flows_took(|kind| flows.latency(kind));
        (name.clone(), row)
    };
    names.iter().enumerate().map(row).collect()
}

/// How long flows of every kind took together.
fn flows_took<'l>(of: impl Fn(FlowKind) -> Option<&'l Latency>) -> LatencyRow {
    let mut all = Latency::default();
    FlowKind::all().filter_map(of).for_each(|latency| all.merge(latency));
    LatencyRow::from(&all)
}

fn flow_rows<T>(row: impl Fn(FlowKind) -> T) -> Rows<T> {
    FlowKind::all().map(|kind| (kind.to_string(), row(kind))).collect()
}

impl Rates {
    fn over(duration: Duration, records: &Shard) -> Rates {
        let per_s = |count: u64| {
            let seconds = duration.as_secs_f64();
            if seconds > 0.0 { (count as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 }
        };
        Rates {
            flows_per_s: per_s(records.done()),
            exchanges_per_s: per_s(records.exchanges()),
            handshakes_per_s: per_s(records.handshakes()),
        }
    }
}

#[cfg(test)]
mod tests;
