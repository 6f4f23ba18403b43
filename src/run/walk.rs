//! The plan walked second by second, until every flow has ended and everybody has come to rest.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use crate::actors::chronicle::Progress;
use crate::clock::Moment;
use crate::measure::course::Piece;
use crate::measure::timeline::Gauges;
use crate::run::control::{Command, Controls, State};
use crate::run::host;
use crate::run::judge::fault_counts;
use crate::run::news::{News, Why};
use crate::run::recorder::{Batch, Recorder, Standing, Told};
use crate::run::signals::Signals;
use crate::run::stand::Stand;
use crate::scenario::Scenario;
use crate::workload::pacer::Passage;

/// How the plan was walked.
pub(super) struct Walked {
    pub load: Load,
    /// When the last of what faults do had been felt.
    pub healed_at: Moment,
    pub signal: Option<i32>,
    /// Whether somebody has asked for its end, without a signal.
    pub was_quit: bool,
    /// Whether a limit has ended it.
    pub was_aborted: bool,
    /// Whether it was ended because its results could not be written any more.
    pub was_cut: bool,
    /// Whether what was under way was not waited for.
    pub at_once: bool,
    /// Phases that ran out of starts: the population and the phase, by name.
    pub ran_out: Vec<(String, String)>,
}

/// From the first start until the last flow had ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub lasted: Duration,
    /// Processor time of this process meanwhile.
    pub cpu: Duration,
}

/// A walk under way.
pub(super) struct Walk<'s> {
    stand: &'s Stand,
    began: Moment,
    cpu_before: Duration,
    /// Once every flow has ended.
    load: Option<Load>,
    state: State,
    /// The phases that the load is in since something was collected last.
    phases: Vec<Passage>,
    /// What has been collected last: until when, and by then how much processor time and how many faults there were.
    last: (Duration, Duration, u64),
    marks: Vec<(Duration, String)>,
    ran_out: Vec<(String, String)>,
}

impl<'s> Walk<'s> {
    /// A plan whose walk has begun at this moment, when so much processor time had been spent.
    pub async fn begin(stand: &'s Stand, began: Moment, cpu_before: Duration) -> Walk<'s> {
        let phases = stand.progress().await.load.map(|load| load.phases).unwrap_or_default();
        let (state, last) = (State::default(), (Duration::ZERO, cpu_before, 0));
        Walk { stand, began, cpu_before, load: None, state, phases, last, marks: Vec::new(), ran_out: Vec::new() }
    }

    /// Goes all the way; `finished` is done when every journey has ended. The first signal keeps everything else from
    /// starting, the second ends the wait. Nobody waits for a race: one that was interrupted says nothing, whatever becomes
    /// of what is under way.
    pub async fn go(
        mut self,
        scenario: &Scenario,
        finished: impl Future<Output = ()>,
        recorder: &mut Recorder,
        (signals, controls): (&mut Signals, &mut Controls),
        tell: &mut impl FnMut(News<'_>),
    ) -> Walked {
        let stand = self.stand;
        let clock = stand.blueprint().clock;
        let faults = &stand.blueprint().faults;
        let mut finished = pin!(finished);
        // Once the load is over, everybody is waited for.
        let mut rest: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(std::future::pending());
        let mut healed_at = Moment::NEVER;
        let (mut signal, mut was_quit, mut was_aborted, mut was_cut, mut at_once) = (None, false, false, false, false);
        let mut stall = Stall::new(scenario.bounds().flow, clock.now());
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                number = signals.next() => {
                    at_once = signal.is_some() || scenario.expect.is_some();
                    signal.get_or_insert(number);
                    if at_once {
                        break;
                    }
                    self.stop(Why::Asked, tell).await;
                }
                command = controls.next() => {
                    let was_stopping = self.state.is_stopping;
                    if command == Command::Quit {
                        was_quit = true;
                        at_once = was_stopping;
                    }
                    if at_once {
                        break;
                    }
                    self.obey(command, tell).await;
                }
                told = recorder.next() => match told {
                    Told::Second(pulse) => tell(News::Second(pulse)),
                    Told::Abort(limit) => {
                        was_aborted = true;
                        self.stop(Why::Limit(&limit), tell).await;
                    }
                    // Once the load is over, nothing is lost by it but the files.
                    Told::NotWritten(why) if self.load.is_none() => {
                        was_cut = true;
                        self.stop(Why::NotWritten(&why), tell).await;
                    }
                    Told::NotWritten(_) => {}
                },
                () = &mut finished, if self.load.is_none() => {
                    self.collect(recorder).await;
                    self.load = Some(self.load_so_far());
                    // Chaos, then heal: whether everybody comes to rest is judged where nothing goes wrong any more.
                    faults.heal();
                    healed_at = clock.now() + faults.lasting();
                    rest = Box::pin(async {
                        tokio::time::sleep(scenario.heals_for()).await;
                        stand.rest(clock.now() + faults.lasting() + scenario.bounds().flow).await;
                    });
                }
                () = &mut rest => break,
                _ = ticks.tick() => {
                    let progress = self.collect(recorder).await;
                    if stall.is_over(&progress, clock.now()) {
                        stand.abandon();
                    }
                }
                () = tokio::time::sleep(self.until_next_phase()), if self.load.is_none() => {
                    self.collect(recorder).await;
                }
            }
        }
        self.collect(recorder).await;
        let load = self.load.unwrap_or_else(|| self.load_so_far());
        let healed_at = healed_at.min(faults.over_at());
        Walked { load, healed_at, signal, was_quit, was_aborted, was_cut, at_once, ran_out: self.ran_out }
    }

    fn since_began(&self) -> Duration {
        self.stand.blueprint().clock.now() - self.began
    }

    fn load_so_far(&self) -> Load {
        Load { lasted: self.since_began(), cpu: host::cpu_time() - self.cpu_before }
    }

    /// What happens behind the edge of a phase is not of it: so something is collected there.
    fn until_next_phase(&self) -> Duration {
        let now = self.stand.blueprint().clock.now();
        let edges = self.phases.iter().map(|phase| phase.ends).filter(|edge| edge.is_set() && *edge > now);
        edges.min().map_or(A_LONG_TIME, |edge| edge - now)
    }

    /// Hands everything that has happened since this was called last to the recorder.
    async fn collect(&mut self, recorder: &Recorder) -> Progress {
        let second = self.stand.take_second().await;
        let (from, cpu_before, faults_before) = self.last;
        let (to, cpu, faults) = (self.since_began(), host::cpu_time(), fault_counts(self.stand));
        let injected: Vec<u64> = faults.iter().map(|fault| fault.injected).collect();
        let all_injected = injected.iter().sum();
        self.last = (to, cpu, all_injected);
        let available = (to - from).as_secs_f64() * host::cores() as f64;
        let gauges = Gauges {
            under_way: second.progress.flows_started - second.progress.flows_ended,
            cpu_share: if available > 0.0 { (cpu - cpu_before).as_secs_f64() / available } else { 0.0 },
            faults: all_injected - faults_before,
            mailbox_depth: u64::from(self.stand.take_longest_queue()),
            open_files: 0,
        };
        let is_load = self.load.is_none();
        let standing = second.progress.load.clone();
        let now_in = standing.as_ref().map(|load| load.phases.clone()).unwrap_or_default();
        self.ran_out = standing.as_ref().map(|load| load.ran_out.clone()).unwrap_or_default();
        let was_in = std::mem::replace(&mut self.phases, now_in);
        self.state.is_paused = standing.as_ref().is_some_and(|load| load.is_paused);
        self.state.pace = standing.as_ref().map_or(1.0, |load| load.factor);
        let load = self.load.unwrap_or_else(|| self.load_so_far());
        let piece = Piece {
            from,
            to,
            is_load,
            records: second.shard,
            gauges,
            phases: was_in.into_iter().filter(|_| is_load).map(|phase| (phase.population, phase.name)).collect(),
            injected,
            ended: second.tales.iter().map(|tale| tale.ended.clone()).collect(),
        };
        let standing = Standing {
            progress: second.progress.clone(),
            state: self.state,
            left: standing.and_then(|load| load.remaining),
            faults,
            lasted: load.lasted,
            cpu: load.cpu,
        };
        let marks = std::mem::take(&mut self.marks);
        let taken = self.stand.take_exchanges();
        recorder.add(Batch { piece, tales: second.tales, marks, taken, stand: standing });
        second.progress
    }

    /// Starts nothing more.
    async fn stop(&mut self, why: Why<'_>, tell: &mut impl FnMut(News<'_>)) {
        if std::mem::replace(&mut self.state.is_stopping, true) {
            return;
        }
        self.stand.stop_starting();
        let progress = self.stand.progress().await;
        self.mark(match why {
            Why::Asked => "asked to stop".to_owned(),
            Why::Limit(limit) => format!("limit not kept: {}", limit.expr),
            Why::NotWritten(_) => "results could not be written".to_owned(),
        });
        tell(News::Stopping { why, under_way: progress.flows_started - progress.flows_ended });
    }

    /// Does what is wanted of the load, and remembers it.
    async fn obey(&mut self, command: Command, tell: &mut impl FnMut(News<'_>)) {
        match command {
            Command::Quit => return self.stop(Why::Asked, tell).await,
            Command::Pause => {
                self.stand.pause();
                self.mark("paused".to_owned());
            }
            Command::Resume => {
                self.stand.resume();
                self.mark("resumed".to_owned());
            }
            Command::Pace(factor) => {
                let is_taken = self.stand.pace(factor).await;
                self.mark(format!("rate x {factor:.2}{}", if is_taken { "" } else { ": refused" }));
            }
            Command::Mark(words) => self.mark(words),
        }
    }

    fn mark(&mut self, what: String) {
        self.marks.push((self.since_began(), what));
    }
}

/// Where no phase ends: any time will do, as something is collected each second.
const A_LONG_TIME: Duration = Duration::from_secs(3_600);

/// Notices that nothing moves any more although every timer must have fired: a fault of ours, but no reason to hang.
struct Stall {
    patience: Duration,
    since: Moment,
    seen: (u64, u64),
}

impl Stall {
    fn new(patience: Duration, now: Moment) -> Stall {
        Stall { patience, since: now, seen: (0, 0) }
    }

    fn is_over(&mut self, progress: &Progress, now: Moment) -> bool {
        let seen = (progress.flows_started, progress.flows_ended);
        // Waits between steps, and pauses between starts, are no stall.
        if seen != self.seen || progress.flows_started == progress.flows_ended {
            self.seen = seen;
            self.since = now;
        }
        now - self.since > self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_which_nothing_moves_is_given_up_and_one_that_pauses_is_not() {
        let patience = Duration::from_secs(10);
        let under_way = |started, ended| Progress { flows_started: started, flows_ended: ended, ..Progress::default() };
        let at = |second: u64| Moment::from_millis(second * 1_000);
        let mut stall = Stall::new(patience, at(0));
        assert!(!stall.is_over(&under_way(3, 1), at(1)));
        assert!(!stall.is_over(&under_way(3, 1), at(11)), "exactly as long as its patience");
        assert!(!stall.is_over(&under_way(3, 2), at(12)), "something has moved");
        assert!(stall.is_over(&under_way(3, 2), at(23)), "nothing has moved since 12 s");
        assert!(!stall.is_over(&under_way(3, 3), at(60)), "nothing is under way: a pause");
    }
}
