//! `events.jsonl.zst`: what happened, a line of JSON each, in frames of a second.
//!
//! A line with `event` is of the run or of a flow; one with `fact` is of a device ([`lines`]). Moments (`at_ns`) count from the
//! beginning of the run, and the first line says when the load began. Flows that ended as expected are written as far as
//! they are not too many, all others whole; within a frame the lines are in the order of their moments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::facts::pattern::Names;
use crate::facts::{Fact, lines};
use crate::measure::course::Ended;

/// Something that happened to the run, or to a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The load has begun.
    Load,
    /// Something was done to the run from outside.
    Mark { what: String },
    /// A flow has ended.
    Ended {
        device: u32,
        flow: String,
        /// e.g. `done`, `undone (408)`.
        outcome: String,
        as_expected: bool,
        response_ms: f64,
        service_ms: f64,
    },
}

/// A line of the run or of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    pub at_ns: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// The lines of one frame, as they come.
#[derive(Debug, Default)]
pub struct Frame(Vec<(u64, String)>);

impl Frame {
    /// Something has happened.
    pub fn event(&mut self, at: Moment, event: Event) {
        let line = EventLine { at_ns: at.nanos(), event };
        self.0.push((line.at_ns, serde_json::to_string(&line).expect("our own types have JSON forms")));
    }

    /// A flow has ended, and this was seen of its device meanwhile. `began` is when the load did.
    pub fn tale(&mut self, ended: &Ended, facts: &[Fact], began: Moment, names: &dyn Names) {
        for (fact, line) in facts.iter().zip(lines::of_device(ended.device, facts, names)) {
            self.0.push((fact.at.nanos(), line));
        }
        let event = Event::Ended {
            device: ended.device.0,
            flow: ended.kind.to_string(),
            outcome: ended.outcome.to_string(),
            as_expected: ended.as_expected,
            response_ms: ms(ended.response),
            service_ms: ms(ended.service),
        };
        self.event(began + ended.at, event);
    }

    /// All of it in the order of its moments, a line each.
    pub fn finish(mut self) -> String {
        self.0.sort_by_key(|(at, _)| *at);
        self.0.iter().flat_map(|(_, line)| [line, "\n"]).collect()
    }
}

/// In milliseconds, to the microsecond.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
