//! In which order the runs of a campaign come, and which of them are missing.
//!
//! The order is shuffled, so that what changes on the machine while a campaign goes on (a cache that fills, a neighbour, a
//! processor that gets hot) falls on all cells alike and not on the last ones: randomisation, as R. A. Fisher has it in
//! *The Design of Experiments*, 1935, chapter II.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::seq::SliceRandom;

use crate::seed::Seed;

/// One run that is to be: a cell and a repeat of it, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    pub cell: u32,
    pub repeat: u32,
}

impl Job {
    /// What is run to warm up, and counts for nothing.
    pub const OF_WARM_UP: Job = Job { cell: 1, repeat: 1 };
}

/// All runs of so many cells, so often each, in the order that the seed gives them.
pub fn shuffled(cells: u32, repeats: u32, seed: Seed) -> Vec<Job> {
    let mut jobs: Vec<Job> =
        (1..=cells).flat_map(|cell| (1..=repeats).map(move |repeat| Job { cell, repeat })).collect();
    jobs.shuffle(&mut seed.stream("order of a campaign", 0));
    jobs
}

/// How long nothing happens between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rests {
    /// After every run.
    pub cool_down: Duration,
    /// Besides, before a run of another cell.
    pub pause: Duration,
}

impl Rests {
    /// That between two runs.
    pub fn between(self, last: Job, next: Job) -> Duration {
        if last.cell == next.cell { self.cool_down } else { self.cool_down.saturating_add(self.pause) }
    }

    /// All those between runs in this order.
    pub fn over(self, order: &[Job]) -> Duration {
        order.windows(2).map(|two| self.between(two[0], two[1])).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// What is left of an order when these are done; the order of the rest stays.
pub fn missing(order: &[Job], done: &BTreeSet<Job>) -> Vec<Job> {
    order.iter().filter(|job| !done.contains(job)).copied().collect()
}

/// The seed of a repeat, where the scenario has none of its own: the same for all cells, so that they differ by their
/// settings alone, and another for each repeat.
pub fn seed_of_repeat(campaign: Seed, repeat: u32) -> Seed {
    // As a fresh seed: such that every reader of JSON can hold it.
    Seed(campaign.draw("run of a campaign", u64::from(repeat)) >> 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_each_run_comes_a_rest_and_before_another_cell_a_longer_one() {
        let rests = Rests { cool_down: Duration::from_secs(1), pause: Duration::from_secs(10) };
        let order = [1, 1, 2, 3, 3].map(|cell| Job { cell, repeat: 1 });
        assert_eq!(rests.over(&order), Duration::from_secs(2 * 11 + 2));
        assert_eq!((rests.over(&order[..1]), rests.over(&[])), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn every_cell_comes_in_every_repeat_once_and_the_seed_says_when() {
        let order = shuffled(7, 5, Seed(3));
        let all: BTreeSet<Job> = order.iter().copied().collect();
        assert_eq!((order.len(), all.len()), (35, 35));
        assert_eq!((all.first(), all.last()), (Some(&Job { cell: 1, repeat: 1 }), Some(&Job { cell: 7, repeat: 5 })));
        assert_eq!(shuffled(7, 5, Seed(3)), order);
        assert_ne!(shuffled(7, 5, Seed(4)), order);
        assert!(!order.is_sorted());
    }

    #[test]
    fn wherever_a_campaign_was_cut_the_rest_comes_in_the_order_that_it_would_have_had() {
        let order = shuffled(4, 3, Seed(11));
        for cut in 0..=order.len() {
            let done = order[..cut].iter().copied().collect();
            assert_eq!(missing(&order, &done), order[cut..]);
        }
        // One that could not be run comes again before the others.
        let done = order[1..3].iter().copied().collect();
        assert_eq!(missing(&order, &done), [&order[..1], &order[3..]].concat());
    }

    #[test]
    fn repeats_have_seeds_of_their_own_that_json_can_hold() {
        let seeds: BTreeSet<u64> = (1..=100).map(|repeat| seed_of_repeat(Seed(7), repeat).0).collect();
        assert!(seeds.len() == 100 && seeds.iter().all(|seed| *seed < 1 << 53));
    }
}
