//! A limit followed through a run: what counts for it is gathered stretch by stretch, and judged at any moment.

use std::collections::VecDeque;
use std::time::Duration;

use crate::measure::latency::{Distribution, Latency, Metric};
use crate::measure::limit::{Clock, Counted, FlowPart, Limit, LimitResult, Subject, WindowTally, Windows};
use crate::measure::shard::{Flows, Shard};
use crate::measure::wave::Wave;

/// A stretch of a run, in which no phase begins or ends.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'s> {
    pub records: &'s Shard,
    pub lasted: Duration,
    /// The phases that it is in: the number of a population whose load goes on, and the name of its phase.
    pub phases: &'s [(usize, String)],
}

/// A limit and what was gathered for it. At most 400 KiB, whatever happens.
#[derive(Debug, Clone)]
pub struct LimitCourse {
    limit: Limit,
    /// The number of its population.
    population: Option<usize>,
    /// The waves whose flows count; `None`: all of them.
    waves: Option<Vec<usize>>,
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
    /// Flows of the kind whose times are taken that ended otherwise than `done`.
    not_done: u64,
    durations: Option<Box<Distribution>>,
}

impl LimitCourse {
    /// A limit of a run that has not begun. `populations`: the names of the populations of its load, by number; `waves`:
    /// which flows are counted apart, by number too.
    pub fn new(limit: Limit, populations: &[String], waves: &[Wave]) -> LimitCourse {
        let number = |name: &str| populations.iter().position(|known| known == name);
        let population = limit.population().and_then(number);
        let is_ours = |wave: &Wave| {
            population.is_none_or(|ours| wave.population == ours)
                && limit.phase().is_none_or(|ours| wave.phase.as_deref() == Some(ours))
        };
        let ours: Vec<usize> =
            waves.iter().enumerate().filter(|(_, wave)| is_ours(wave)).map(|(number, _)| number).collect();
        let windows = limit.windows.map(|windows| WindowCourse {
            windows,
            present: Gathered::default(),
            latest: VecDeque::new(),
            tally: WindowTally { kept: 0, seen: 0 },
            worst: None,
            has_failed: false,
        });
        let waves = (ours.len() < waves.len()).then_some(ours);
        LimitCourse { limit, population, waves, all: Gathered::default(), windows }
    }

    /// Takes in a stretch of the run, as far as it counts.
    pub fn add(&mut self, stretch: &Stretch<'_>) {
        let is_ours = |(population, _): &&(usize, String)| self.population.is_none_or(|ours| ours == *population);
        let is_in = |phase: &str| stretch.phases.iter().filter(is_ours).any(|(_, name)| name == phase);
        let is_in = self.limit.phase().is_none_or(is_in);
        let subject = self.limit.subject;
        // A flow of these phases is one of them though it ends when they are over.
        if is_in || subject.is_of_flows() {
            let lasted = if is_in { stretch.lasted } else { Duration::ZERO };
            self.all.take_in(&Stretch { lasted, ..*stretch }, subject, self.waves.as_deref());
        }
        let Some(windows) = &mut self.windows else { return };
        if !is_in {
            // A window that is not whole says nothing.
            windows.present = Gathered::default();
            return;
        }
        windows.present.take_in(stretch, subject, self.waves.as_deref());
        if windows.present.lasted + HAIR >= windows.windows.each {
            let present = std::mem::take(&mut windows.present);
            windows.close(&self.limit, present.value(subject, false));
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
                let Limit { subject, comparison, bound, .. } = self.limit;
                let actual = self.all.value(subject, false);
                // What is only counted may yet come to what it should.
                let is_lost = |actual| match subject {
                    Subject::Count(_) => comparison.is_beyond(actual, bound),
                    _ => !comparison.holds(actual, bound),
                };
                actual.is_some_and(is_lost)
            }
        }
    }

    /// How it was kept, now that the run is over and all that was under way has been waited for.
    pub fn judge(&self) -> LimitResult {
        self.judged(Till::End)
    }

    /// How it was kept by a run that was cut off: what has not ended has not failed.
    pub fn judge_cut_off(&self) -> LimitResult {
        self.judged(Till::Cut)
    }

    /// How it is kept so far: what has not ended yet has not failed, and windows to come may still be kept.
    pub fn judge_so_far(&self) -> LimitResult {
        self.judged(Till::Now)
    }

    fn judged(&self, till: Till) -> LimitResult {
        let Limit { expr, subject, comparison, bound, is_optional, abort_after, .. } = &self.limit;
        let (actual, holds) = match &self.windows {
            Some(windows) => {
                let were_enough = till == Till::Now || windows.tally.seen >= windows.windows.of as u64;
                (windows.worst, were_enough && !windows.has_failed)
            }
            None => {
                let actual = self.all.value(*subject, till == Till::End);
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
            note: self.note(holds),
        }
    }

    /// What has to be known beside the value.
    fn note(&self, holds: bool) -> Option<String> {
        let subject = self.limit.subject;
        if let Some(WindowCourse { windows, tally, .. }) = &self.windows {
            let Windows { keep, of, .. } = windows;
            return (!holds).then(|| {
                format!("kept by {} of {} windows, {keep} of any {of} in a row are asked for", tally.kept, tally.seen)
            });
        }
        let Subject::Time(statistic, ..) = subject else { return None };
        let samples = self.all.durations.as_ref().map_or(0, |times| times.count());
        let too_few = || {
            let needed = statistic.least_samples();
            (samples < needed).then(|| format!("{samples} samples, {needed} are needed"))
        };
        let left_out = || {
            let others = self.all.not_done;
            (others > 0).then(|| format!("without {others} that did not end `done`"))
        };
        too_few().or_else(left_out)
    }
}

/// Up to when a limit is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Till {
    /// The end of the run.
    End,
    /// Where it was cut off.
    Cut,
    /// The present moment, while it goes on.
    Now,
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
    fn take_in(&mut self, stretch: &Stretch<'_>, subject: Subject, waves: Option<&[usize]>) {
        self.lasted += stretch.lasted;
        let records = stretch.records;
        let flows: Vec<&Flows> = match waves {
            Some(waves) => waves.iter().filter_map(|wave| records.flows_of(*wave)).collect(),
            None => vec![records.flows()],
        };
        let sum = |count: &dyn Fn(&Flows) -> u64| flows.iter().map(|flows| count(flows)).sum::<u64>();
        self.started += sum(&Flows::count_started);
        self.ended += sum(&Flows::count_ended);
        match subject {
            Subject::Share(part) => self.times += sum(&|flows| part.of(flows)),
            Subject::Rate(counted) | Subject::Count(counted) => self.times += counted.of(records, &flows),
            Subject::Time(_, Metric::Flow(kind), clock) => {
                self.not_done += sum(&|flows| flows.count_not_done(kind));
                flows
                    .iter()
                    .filter_map(|flows| flows.latency(kind))
                    .for_each(|latency| self.take_in_times(latency, clock));
            }
            Subject::Time(_, metric, clock) => {
                records.latency(metric).into_iter().for_each(|latency| self.take_in_times(latency, clock));
            }
        }
    }

    fn take_in_times(&mut self, latency: &Latency, clock: Clock) {
        let times = match clock {
            Clock::Response => &latency.response,
            Clock::Service => &latency.service,
        };
        self.durations.get_or_insert_default().merge(times);
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
            // A storm takes no time.
            Subject::Count(_) => (!self.lasted.is_zero() || self.started > 0).then_some(self.times as f64),
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
    /// In all the records, or in these flows of them.
    fn of(self, records: &Shard, flows: &[&Flows]) -> u64 {
        let sum = |count: &dyn Fn(&Flows) -> u64| flows.iter().map(|flows| count(flows)).sum();
        match self {
            Counted::Flows => sum(&|flows| flows.count_ended_with("done")),
            Counted::Started => sum(&Flows::count_started),
            Counted::Part(part) => sum(&|flows| part.of(flows)),
            Counted::Exchanges => records.exchanges(),
            Counted::Handshakes => records.handshakes(),
            Counted::Rejected => records.rejected.values().sum(),
            Counted::Dropped => records.dropped,
        }
    }
}
