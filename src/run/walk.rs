//! The plan walked second by second, until every flow has ended and everybody has come to rest.

use std::cell::Cell;
use std::time::Duration;

use crate::actors::chronicle::Progress;
use crate::clock::Moment;
use crate::results::{FolderError, RunFolder};
use crate::run::host;
use crate::run::news::{News, Pulse};
use crate::run::signals::Signals;
use crate::run::stand::Stand;
use crate::scenario::Scenario;

/// How the plan was walked.
pub(super) struct Walked {
    pub load: Load,
    /// When the last of what faults do had been felt.
    pub healed_at: Moment,
    pub signal: Option<i32>,
    /// Whether what was under way was not waited for.
    pub at_once: bool,
    /// Why the timeline is not whole.
    pub not_written: Option<FolderError>,
}

/// From the first start until the last flow had ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub lasted: Duration,
    /// Processor time of this process meanwhile.
    pub cpu: Duration,
}

/// Walks the plan of a scenario. The first signal keeps everything else from starting, the second ends the wait. Nobody
/// waits for a race: one that was interrupted says nothing, whatever becomes of what is under way.
pub(super) async fn walk(
    stand: &Stand,
    scenario: &Scenario,
    folder: &mut RunFolder,
    signals: &mut Signals,
    tell: &mut impl FnMut(News<'_>),
) -> Walked {
    let clock = stand.blueprint().clock;
    let faults = &stand.blueprint().faults;
    let (began, cpu_before) = (clock.now(), host::cpu_time());
    let load_so_far = || Load { lasted: clock.now() - began, cpu: host::cpu_time() - cpu_before };
    let load = Cell::new(None);
    let healed = Cell::new(None);
    let finished = stand.begin(scenario.plan());
    let at_rest = async {
        finished.await;
        load.set(Some(load_so_far()));
        // Chaos, then heal: whether everybody comes to rest is judged where nothing goes wrong any more.
        faults.heal();
        healed.set(Some(clock.now() + faults.lasting()));
        tokio::time::sleep(scenario.heal).await;
        stand.rest(clock.now() + faults.lasting() + scenario.bounds().flow).await;
    };
    tokio::pin!(at_rest);

    let (mut signal, mut at_once, mut not_written) = (None, false, None);
    let mut stall = Stall::new(scenario.bounds().flow, clock.now());
    let mut second = 0;
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
                stand.stop_starting();
                let progress = stand.progress().await;
                tell(News::Stopping { under_way: progress.flows_started - progress.flows_ended });
            }
            () = &mut at_rest => break,
            _ = ticks.tick() => {
                let row = stand.take_interval().await.row(second);
                second += 1;
                not_written = not_written.or(folder.append_timeline(&row).err());
                let progress = stand.progress().await;
                if stall.is_over(&progress, clock.now()) {
                    stand.abandon();
                }
                tell(News::Second(Pulse { progress, second: row }));
            }
        }
    }
    let last = stand.take_interval().await.row(second);
    not_written = not_written.or(folder.append_timeline(&last).err());
    let healed_at = healed.get().unwrap_or(Moment::NEVER).min(faults.over_at());
    Walked { load: load.get().unwrap_or_else(load_so_far), healed_at, signal, at_once, not_written }
}

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
