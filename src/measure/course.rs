//! A run as it goes: what each second brought, taken together, so that the run can be told of at any moment.
//!
//! Constant in memory: totals, the second that is under way, what the limits need, and short lists.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::message::Kind;
use crate::ids::DeviceNumber;
use crate::measure::limit::{Limit, LimitCourse, LimitResult, Stretch};
use crate::measure::shard::{Flows, Shard};
use crate::measure::summary::{ErrorKind, ErrorRow, MarkRow, PhaseRow, WorstRow};
use crate::measure::timeline::{Gauges, TimelineRow};
use crate::measure::wave::Wave;

/// How many of the flows that took longest are kept.
const MOST_WORST: usize = 3;
/// How many different errors are told apart; the rest is one of its kind.
const MOST_ERRORS: usize = 200;
/// How many marks are kept.
const MOST_MARKS: usize = 1_000;

/// A piece of a run: a second, or what of one is before or behind the edge of a phase.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Since the load began.
    pub from: Duration,
    pub to: Duration,
    /// Whether the load goes on; what comes behind it counts for no rate.
    pub is_load: bool,
    pub records: Shard,
    pub gauges: Gauges,
    /// The phases that it is in: the population, and its phase's name.
    pub phases: Vec<(usize, String)>,
    /// How often each rule of the scenario has fired so far.
    pub injected: Vec<u64>,
    /// Flows that ended in it, as far as anything is told of them.
    pub ended: Vec<Ended>,
}

/// A flow that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub device: DeviceNumber,
    pub kind: FlowKind,
    pub outcome: Outcome,
    pub as_expected: bool,
    /// From the moment at which it was meant to start.
    pub response: Duration,
    pub service: Duration,
    /// Since the load began.
    pub at: Duration,
}

/// A run so far.
#[derive(Debug, Clone)]
pub struct Course {
    populations: Vec<String>,
    waves: Vec<Wave>,
    total: Shard,
    /// What has happened in the second that is under way.
    second: Shard,
    /// Its number.
    present: u64,
    present_faults: u64,
    limits: Vec<LimitCourse>,
    errors: BTreeMap<(ErrorKind, String), Seen>,
    injected: Vec<Seen>,
    marks: Vec<MarkRow>,
    phases: Vec<PhaseRow>,
    /// The end of the last piece.
    until: Duration,
    worst: Vec<(bool, WorstRow)>,
    peak: Gauges,
}

/// How often something was seen, and in which seconds first and last.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Seen {
    pub times: u64,
    pub first_s: f64,
    pub last_s: f64,
}

impl Seen {
    fn again(&mut self, times: u64, at_s: f64) {
        if self.times == 0 {
            self.first_s = at_s;
        }
        self.times += times;
        self.last_s = at_s;
    }
}

impl Course {
    /// A run that has not begun. `populations`: the names of the populations of its load, by number; `waves`: which of
    /// their flows are counted apart, by number too.
    pub fn new(limits: &[Limit], populations: Vec<String>, waves: Vec<Wave>) -> Course {
        Course {
            limits: limits.iter().map(|limit| LimitCourse::new(limit.clone(), &populations, &waves)).collect(),
            populations,
            waves,
            total: Shard::new(),
            second: Shard::new(),
            present: 0,
            present_faults: 0,
            errors: BTreeMap::new(),
            injected: Vec::new(),
            marks: Vec::new(),
            phases: Vec::new(),
            until: Duration::ZERO,
            worst: Vec::new(),
            peak: Gauges::default(),
        }
    }

    /// Takes in what has happened since the last piece. When a second is over with it, its row is told.
    pub fn add(&mut self, piece: &Piece) -> Option<TimelineRow> {
        let lasted = if piece.is_load { piece.to.saturating_sub(piece.from) } else { Duration::ZERO };
        let stretch = Stretch { records: &piece.records, lasted, phases: &piece.phases };
        self.limits.iter_mut().for_each(|limit| limit.add(&stretch));
        self.total.merge(&piece.records);
        self.second.merge(&piece.records);
        self.see_errors(&piece.records, piece.from.as_secs_f64().floor());
        self.see_faults(&piece.injected, piece.from.as_secs_f64().floor());
        self.present_faults += piece.gauges.faults;
        self.peak.mailbox_depth = self.peak.mailbox_depth.max(piece.gauges.mailbox_depth);
        self.peak.open_files = self.peak.open_files.max(piece.gauges.open_files);
        piece.ended.iter().for_each(|ended| self.see_end(ended));
        self.see_phases(&piece.phases, piece.from, piece.to);
        self.until = piece.to;
        let second = piece.to.as_secs();
        (second > self.present).then(|| self.close_second(second, &piece.gauges))
    }

    /// The row of what has happened since the last second was over.
    pub fn last_row(&mut self, gauges: &Gauges) -> TimelineRow {
        self.close_second(self.present + 1, gauges)
    }

    /// The second that is under way is over; the next one is `next`.
    fn close_second(&mut self, next: u64, gauges: &Gauges) -> TimelineRow {
        let records = std::mem::take(&mut self.second);
        let gauges = Gauges { faults: std::mem::take(&mut self.present_faults), ..*gauges };
        let row = TimelineRow::of(self.present, &records, &gauges);
        self.present = next;
        row
    }

    /// Something was done to the run from outside.
    pub fn mark(&mut self, at: Duration, what: String) {
        if self.marks.len() < MOST_MARKS {
            self.marks.push(MarkRow { at_s: rounded(at), what });
        }
    }

    /// The first limit that is not kept so far and ends the run because of that.
    pub fn calls_for_abort(&self) -> Option<LimitResult> {
        self.limits.iter().find(|limit| limit.calls_for_abort()).map(LimitCourse::judge)
    }

    /// All records so far.
    pub fn total(&self) -> &Shard {
        &self.total
    }

    /// How the limits are kept while the run goes on.
    pub fn limits_so_far(&self) -> Vec<LimitResult> {
        self.limits.iter().map(LimitCourse::judge_so_far).collect()
    }

    /// How the limits were kept, were the run over now. `is_whole`: what was under way has been waited for, so that flows
    /// that have not ended have failed.
    pub fn limits(&self, is_whole: bool) -> Vec<LimitResult> {
        let judge = if is_whole { LimitCourse::judge } else { LimitCourse::judge_cut_off };
        self.limits.iter().map(judge).collect()
    }

    /// All flows of a population so far.
    pub fn flows_of(&self, population: usize) -> Flows {
        let mut flows = Flows::default();
        let ours = self.waves.iter().enumerate().filter(|(_, wave)| wave.population == population);
        ours.filter_map(|(number, _)| self.total.flows_of(number)).for_each(|wave| flows.merge(wave));
        flows
    }

    /// The names of the populations, by number.
    pub fn populations(&self) -> &[String] {
        &self.populations
    }

    /// What went wrong, the most frequent of each kind first.
    pub fn errors(&self) -> Vec<ErrorRow> {
        let row = |((kind, what), seen): (&(ErrorKind, String), &Seen)| ErrorRow {
            kind: *kind,
            what: what.clone(),
            times: seen.times,
            first_s: seen.first_s,
            last_s: seen.last_s,
        };
        let mut rows: Vec<ErrorRow> = self.errors.iter().map(row).collect();
        rows.sort_by_key(|row| (row.kind, std::cmp::Reverse(row.times)));
        rows
    }

    /// What was done to the run from outside.
    pub fn marks(&self) -> &[MarkRow] {
        &self.marks
    }

    /// The phases so far, were the run over now.
    pub fn phases(&self) -> &[PhaseRow] {
        &self.phases
    }

    /// The phases so far; those that go on have no end.
    pub fn phases_so_far(&self) -> Vec<PhaseRow> {
        let goes_on = |row: &PhaseRow| row.to_s == Some(rounded(self.until));
        let to_s = |row: &PhaseRow| row.to_s.filter(|_| !goes_on(row));
        self.phases.iter().map(|row| PhaseRow { to_s: to_s(row), ..row.clone() }).collect()
    }

    /// The flows that failed, then those that took longest.
    pub fn worst(&self) -> Vec<WorstRow> {
        self.worst.iter().map(|(_, row)| row.clone()).collect()
    }

    /// In which seconds a rule fired first and last.
    pub fn fault_times(&self, rule: usize) -> Option<(f64, f64)> {
        self.injected.get(rule).filter(|seen| seen.times > 0).map(|seen| (seen.first_s, seen.last_s))
    }

    /// The most of each gauge that was seen.
    pub fn peak(&self) -> &Gauges {
        &self.peak
    }

    fn see_errors(&mut self, records: &Shard, at_s: f64) {
        for (cause, times) in &records.failures {
            self.see_error(ErrorKind::Flow, cause.clone(), *times, at_s);
        }
        for (reason, times) in &records.rejected {
            self.see_error(ErrorKind::Rejected, (*reason).to_owned(), *times, at_s);
        }
        for kind in Kind::ALL {
            let messages = records.messages(kind);
            for (times, how) in
                [(messages.timed_out, "timed out"), (messages.lost - messages.timed_out, "found nobody")]
            {
                if times > 0 {
                    self.see_error(ErrorKind::Lost, format!("{} {how}", kind.root()), times, at_s);
                }
            }
        }
    }

    fn see_error(&mut self, kind: ErrorKind, what: String, times: u64, at_s: f64) {
        let is_known = self.errors.len() < MOST_ERRORS || self.errors.contains_key(&(kind, what.clone()));
        let what = if is_known { what } else { "others".to_owned() };
        self.errors.entry((kind, what)).or_default().again(times, at_s);
    }

    fn see_faults(&mut self, injected: &[u64], at_s: f64) {
        self.injected.resize(injected.len(), Seen::default());
        for (seen, now) in self.injected.iter_mut().zip(injected) {
            if *now > seen.times {
                seen.again(*now - seen.times, at_s);
            }
        }
    }

    fn see_end(&mut self, ended: &Ended) {
        let row = WorstRow {
            device: ended.device.0,
            flow: ended.kind.to_string(),
            outcome: ended.outcome.to_string(),
            response_ms: (ended.response.as_secs_f64() * 1e6).round() / 1e3,
            ended_s: rounded(ended.at),
        };
        self.worst.push((ended.as_expected, row));
        self.worst.sort_by(|(one_ok, one), (other_ok, other)| {
            one_ok.cmp(other_ok).then(other.response_ms.total_cmp(&one.response_ms))
        });
        self.worst.truncate(MOST_WORST);
    }

    fn see_phases(&mut self, phases: &[(usize, String)], from: Duration, to: Duration) {
        for (population, name) in phases {
            let population = self.populations.get(*population).map_or("", String::as_str);
            let is_it = |row: &&mut PhaseRow| row.population == population && row.name == *name;
            let goes_on = |row: &PhaseRow| row.to_s.is_some_and(|end| end + 0.001 >= rounded(from));
            match self.phases.iter_mut().rev().find(is_it).filter(|row| goes_on(row)) {
                Some(row) => row.to_s = Some(rounded(to)),
                None => self.phases.push(PhaseRow {
                    population: population.to_owned(),
                    name: name.clone(),
                    from_s: rounded(from),
                    to_s: Some(rounded(to)),
                }),
            }
        }
    }
}

/// In seconds, to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::limit::parse;
    use crate::measure::shard::End;

    const TOOK: Duration = Duration::from_millis(5);
    const PHASES: [&str; 2] = ["warm-up", "steady"];

    fn kind() -> FlowKind {
        FlowKind::all().next().expect("there are flows")
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A piece in which so many flows ended `done`, and so many were lost.
    fn piece(from: u64, to: u64, phase: &str, done: u64, lost: u64) -> Piece {
        let mut records = Shard::new();
        for nth in 0..done + lost {
            let outcome = if nth < done { Outcome::Done } else { Outcome::Lost };
            let wave = PHASES.iter().position(|known| *known == phase);
            records.flow_started(kind(), "done", wave);
            let end = End { outcome: &outcome, as_expected: nth < done, response: TOOK, service: TOOK };
            records.flow_ended(kind(), &end, wave);
        }
        Piece {
            from: ms(from),
            to: ms(to),
            is_load: true,
            records,
            gauges: Gauges { under_way: 3, ..Gauges::default() },
            phases: vec![(0, phase.to_owned())],
            injected: vec![lost],
            ended: Vec::new(),
        }
    }

    fn course(limits: &[&str]) -> Course {
        let limits: Vec<Limit> = limits.iter().map(|text| parse(text).expect("a limit")).collect();
        let wave = |phase: &str| Wave { population: 0, phase: Some(phase.to_owned()) };
        let waves = PHASES.into_iter().map(wave).collect();
        Course::new(&limits, vec!["all".to_owned()], waves)
    }

    #[test]
    fn pieces_of_a_second_make_one_row_and_each_is_of_its_phase() {
        let mut course = course(&["count(flows) = 3 over steady"]);
        assert_eq!(course.add(&piece(0, 400, "warm-up", 5, 0)), None);
        let row = course.add(&piece(400, 1_000, "steady", 2, 0)).expect("the second is over");
        assert_eq!((row.second, row.done, row.under_way), (0, 7, 3));
        let row = course.add(&piece(1_000, 2_001, "steady", 1, 1)).expect("the second is over");
        assert_eq!((row.second, row.done, row.failed), (1, 1, 1));
        assert_eq!(course.limits(true)[0].actual, Some(3.0));
        assert!(course.limits(true)[0].passed);
        let phases: Vec<_> = course.phases().iter().map(|row| (row.name.as_str(), row.from_s, row.to_s)).collect();
        assert_eq!(phases, [("warm-up", 0.0, Some(0.4)), ("steady", 0.4, Some(2.001))]);
        assert_eq!((course.total().done(), course.total().started()), (8, 9));
        let so_far: Vec<_> = course.phases_so_far().iter().map(|row| row.to_s).collect();
        assert_eq!(so_far, [Some(0.4), None], "the second one goes on");
    }

    #[test]
    fn errors_and_faults_are_known_by_their_first_and_last_second() {
        let mut course = course(&[]);
        for (from, lost) in [(0, 0), (1_000, 1), (2_000, 2), (3_000, 0)] {
            // The second piece has one that was lost, the third one two: a rule has fired twice by then.
            course.add(&piece(from, from + 1_000, "steady", 1, lost));
        }
        let errors = course.errors();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].what.as_str(), errors[0].times), ("lost", 3));
        assert_eq!((errors[0].first_s, errors[0].last_s), (1.0, 2.0));
        assert_eq!(course.fault_times(0), Some((1.0, 2.0)));
        assert_eq!(course.fault_times(7), None);
    }

    #[test]
    fn the_worst_flows_are_those_that_failed_and_then_those_that_took_longest() {
        let mut course = course(&[]);
        let ended = |device, millis, as_expected| Ended {
            device: DeviceNumber(device),
            kind: kind(),
            outcome: if as_expected { Outcome::Done } else { Outcome::Lost },
            as_expected,
            response: ms(millis),
            service: ms(millis),
            at: ms(500),
        };
        let mut one = piece(0, 1_000, "steady", 0, 0);
        one.ended = vec![ended(1, 30, true), ended(2, 10, false), ended(3, 20, true), ended(4, 40, true)];
        course.add(&one);
        let worst: Vec<u32> = course.worst().iter().map(|row| row.device).collect();
        assert_eq!(worst, [2, 4, 1]);
    }

    #[test]
    fn a_limit_that_is_not_kept_ends_a_run_if_it_says_so() {
        let limit = |after| parse("share(failed) < 20%").expect("a limit").aborting_after(after);
        let mut patient = Course::new(&[limit(ms(2_000))], Vec::new(), Vec::new());
        let mut hasty = Course::new(&[limit(Duration::ZERO)], Vec::new(), Vec::new());
        for course in [&mut patient, &mut hasty] {
            course.add(&piece(0, 1_000, "steady", 1, 1));
        }
        assert!(hasty.calls_for_abort().is_some_and(|limit| limit.actual == Some(0.5)));
        assert_eq!(patient.calls_for_abort(), None, "it is to be looked at after 2 s");
        // 1 of 10: it is kept again.
        patient.add(&piece(1_000, 2_000, "steady", 8, 0));
        assert_eq!(patient.calls_for_abort(), None);
        patient.add(&piece(2_000, 3_000, "steady", 0, 8));
        assert!(patient.calls_for_abort().is_some());
    }
}
