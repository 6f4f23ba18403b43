//! The counters of a run as the rows of its summary.

use crate::measure::latency::Latency;
use crate::measure::outcome::{ByOutcome, FlowCount, MessageCount, Tally};
use crate::measure::promise::PromiseResult;
use crate::measure::summary::{FlowRow, LatencyRow, MessageRow, OutcomeRow, PromiseRow, TallyRow};

/// How many breaches of a promise the summary shows; a run's findings hold more.
const SHOWN_BREACHES: usize = 5;

impl From<FlowCount> for FlowRow {
    fn from(count: FlowCount) -> FlowRow {
        let OutcomeRow { done, refused, undone, too_late, unreachable, misbehaved, stranded, lost } =
            count.ended.into();
        let started = count.started;
        FlowRow { started, done, refused, undone, too_late, unreachable, misbehaved, stranded, lost }
    }
}

impl From<ByOutcome> for OutcomeRow {
    fn from(count: ByOutcome) -> OutcomeRow {
        OutcomeRow {
            done: count.get("done"),
            refused: count.get("refused"),
            undone: count.get("undone"),
            too_late: count.get("too_late"),
            unreachable: count.get("unreachable"),
            misbehaved: count.get("misbehaved"),
            stranded: count.get("stranded"),
            lost: count.get("lost"),
        }
    }
}

impl From<MessageCount> for MessageRow {
    fn from(count: MessageCount) -> MessageRow {
        let MessageCount { sent, answered, duplicated, unexpected, timed_out, late, lost } = count;
        MessageRow { sent, answered, duplicated, unexpected, timed_out, late, lost }
    }
}

impl From<Tally> for TallyRow {
    fn from(tally: Tally) -> TallyRow {
        TallyRow { ok: tally.ok, failed: tally.failed }
    }
}

impl From<&Latency> for LatencyRow {
    fn from(latency: &Latency) -> LatencyRow {
        LatencyRow {
            count: latency.response.count(),
            response_ms: latency.response.spread(),
            service_ms: latency.service.spread(),
        }
    }
}

impl From<&PromiseResult> for PromiseRow {
    fn from(result: &PromiseResult) -> PromiseRow {
        PromiseRow {
            name: result.name.to_owned(),
            checked: result.checked,
            broken: result.broken,
            not_observable: result.not_observable,
            seen: result.breaches.iter().take(SHOWN_BREACHES).map(ToString::to_string).collect(),
        }
    }
}
