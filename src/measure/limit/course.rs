//! A limit followed through a run: what counts for it is gathered stretch by stretch, and judged at any moment.

use std::collections::VecDeque;
use std::time::Duration;

use crate::measure::latency::{Distribution, Metric};
use crate::measure::limit::{Clock, Counted, FlowPart, Limit, LimitResult, Subject, WindowTally, Windows};
use crate::measure::shard::{Flows, Shard};

/// A stretch of a run, in which no phase begins or ends.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'s> {
    pub records: &'s Shard,
    pub lasted: Duration,
    /// The names of the phases that it is in, one for each population whose load goes on.
    pub phases: &'s [&'s str],
}

/// A limit and what was gathered for it. At most 400 KiB, whatever happens.
#[derive(Debug, Clone)]
pub struct LimitCourse {
    limit: Limit,
    /// The number of its population.
    population: Option<usize>,
    all: Gathered,
    windows: Option<WindowCourse>,
}

#[derive(Debug, Clone)]
struct WindowCourse {
    windows: Windows,
    /// The one that is under way.
    present: Gathered,
    /// The latest ones that are over: whether they kept the limit.
    latest: VecDeque<bool>,
    tally: WindowTally,
    worst: Option<f64>,
    /// Whether there were too few in some row of them.
    has_failed: bool,
}

/// What counts for a limit.
#[derive(Debug, Clone, Default)]
struct Gathered {
    lasted: Duration,
    started: u64,
    ended: u64,
    times: u64,
    durations: Option<Box<Distribution>>,
}

impl LimitCourse {
    /// A limit of a run that has not begun. `populations`: the names of those that are told apart, by number.
    pub fn new(limit: Limit, populations: &[String]) -> LimitCourse {
        let number = |name: &str| populations.iter().position(|known| known == name);
        // Of a load with one population alone, all is that population's.
        let population = limit.population().and_then(number).filter(|_| populations.len() > 1);
        let windows = limit.windows.map(|windows| WindowCourse {
            windows,
            present: Gathered::default(),
            latest: VecDeque::new(),
            tally: WindowTally { kept: 0, seen: 0 },
            worst: None,
            has_failed: false,
        });
        LimitCourse { limit, population, all: Gathered::default(), windows }
    }

    /// Takes in a stretch of the run, if it counts.
    pub fn add(&mut self, stretch: &Stretch<'_>) {
        if self.limit.phase().is_some_and(|phase| !stretch.phases.contains(&phase)) {
            if let Some(windows) = &mut self.windows {
                // A window that is not whole says nothing.
                windows.present = Gathered::default();
            }
            return;
        }
        self.all.take_in(stretch, self.limit.subject, self.population);
        let Some(windows) = &mut self.windows else { return };
        windows.present.take_in(stretch, self.limit.subject, self.population);
        if windows.present.lasted + HAIR >= windows.windows.each {
            let present = std::mem::take(&mut windows.present);
            windows.close(&self.limit, present.value(self.limit.subject, false));
        }
    }

    /// Whether it is not kept so far, and the run is to end because of that.
    pub fn calls_for_abort(&self) -> bool {
        let Some(after) = self.limit.abort_after() else { return false };
        if self.all.lasted < after {
            return false;
        }
        match &self.windows {
            Some(windows) => windows.has_failed,
            None => {
                let actual = self.all.value(self.limit.subject, false);
                actual.is_some_and(|actual| !self.limit.comparison.holds(actual, self.limit.bound))
            }
        }
    }

    /// How it was kept, now that the run is over.
    pub fn judge(&self) -> LimitResult {
        self.judged(true)
    }

    /// How it is kept so far: what has not ended yet has not failed, and windows to come may still be kept.
    pub fn judge_so_far(&self) -> LimitResult {
        self.judged(false)
    }

    fn judged(&self, is_over: bool) -> LimitResult {
        let Limit { expr, subject, comparison, bound, is_optional, abort_after, .. } = &self.limit;
        let at_the_end = is_over && self.limit.phase().is_none();
        let (actual, holds) = match &self.windows {
            Some(windows) => {
                let were_enough = !is_over || windows.tally.seen >= windows.windows.of as u64;
                (windows.worst, were_enough && !windows.has_failed)
            }
            None => {
                let actual = self.all.value(*subject, at_the_end);
                (actual, actual.is_some_and(|actual| comparison.holds(actual, *bound)))
            }
        };
        LimitResult {
            expr: expr.clone(),
            actual,
            limit: *bound,
            unit: subject.unit(),
            passed: holds || (*is_optional && actual.is_none()),
            optional: *is_optional,
            abort: abort_after.is_some(),
            windows: self.windows.as_ref().map(|windows| windows.tally),
        }
    }
}

/// Stretches are as long as their timers make them, not to the nanosecond.
const HAIR: Duration = Duration::from_millis(50);

impl WindowCourse {
    fn close(&mut self, limit: &Limit, value: Option<f64>) {
        let keeps = value.map_or(limit.is_optional, |value| limit.comparison.holds(value, limit.bound));
        if let Some(value) = value
            && self.worst.is_none_or(|worst| limit.comparison.is_worse(value, worst, limit.bound))
        {
            self.worst = Some(value);
        }
        self.tally.seen += 1;
        self.tally.kept += u64::from(keeps);
        self.latest.push_back(keeps);
        if self.latest.len() > self.windows.of {
            self.latest.pop_front();
        }
        let kept = self.latest.iter().filter(|keeps| **keeps).count();
        self.has_failed |= self.latest.len() == self.windows.of && kept < self.windows.keep;
    }
}

impl Gathered {
    fn take_in(&mut self, stretch: &Stretch<'_>, subject: Subject, population: Option<usize>) {
        self.lasted += stretch.lasted;
        let records = stretch.records;
        let flows = match population {
            Some(number) => records.flows_of(number),
            None => Some(records.flows()),
        };
        self.started += flows.map_or(0, Flows::count_started);
        self.ended += flows.map_or(0, Flows::count_ended);
        match subject {
            Subject::Share(part) => self.times += flows.map_or(0, |flows| part.of(flows)),
            Subject::Rate(counted) | Subject::Count(counted) => self.times += counted.of(records, flows),
            Subject::Time(_, metric, clock) => {
                let latency = match (metric, population) {
                    (Metric::Flow(kind), Some(_)) => flows.and_then(|it| it.latency(kind)),
                    _ => records.latency(metric),
                };
                if let Some(latency) = latency {
                    let times = match clock {
                        Clock::Response => &latency.response,
                        Clock::Service => &latency.service,
                    };
                    self.durations.get_or_insert_default().merge(times);
                }
            }
        }
    }

    /// In the subject's unit; `None` when nothing was measured, or not enough. `at_the_end` of a run flows that have not
    /// ended have failed.
    fn value(&self, subject: Subject, at_the_end: bool) -> Option<f64> {
        match subject {
            Subject::Share(FlowPart::Failed) if at_the_end => {
                let failed = self.times + self.started.saturating_sub(self.ended);
                (self.started > 0).then(|| failed as f64 / self.started as f64)
            }
            Subject::Share(_) => (self.ended > 0).then(|| self.times as f64 / self.ended as f64),
            Subject::Rate(_) => {
                let seconds = self.lasted.as_secs_f64();
                (seconds > 0.0).then(|| (self.times as f64 / seconds * 10.0).round() / 10.0)
            }
            Subject::Count(_) => (!self.lasted.is_zero()).then_some(self.times as f64),
            Subject::Time(statistic, ..) => self.durations.as_ref().and_then(|times| statistic.of(times)),
        }
    }
}

impl FlowPart {
    fn of(self, flows: &Flows) -> u64 {
        match self {
            FlowPart::Failed => flows.count_ended_unexpectedly(),
            FlowPart::With(key) => flows.count_ended_with(key),
        }
    }
}

impl Counted {
    fn of(self, records: &Shard, flows: Option<&Flows>) -> u64 {
        match self {
            Counted::Flows => flows.map_or(0, |flows| flows.count_ended_with("done")),
            Counted::Started => flows.map_or(0, Flows::count_started),
            Counted::Part(part) => flows.map_or(0, |flows| part.of(flows)),
            Counted::Exchanges => records.exchanges(),
            Counted::Handshakes => records.handshakes(),
            Counted::Rejected => records.rejected.values().sum(),
            Counted::Dropped => records.dropped,
        }
    }
}
