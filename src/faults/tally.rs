//! How often each rule could have fired and did, and its occasions on each device. Shared by all threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::faults::verdict::Count;
use crate::ids::DeviceNumber;

/// Devices share this many locks, so that threads seldom wait for each other.
const SHARDS: usize = 32;

pub(super) struct Tally {
    /// Eligible and injected, by rule.
    counts: Vec<(AtomicU64, AtomicU64)>,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    /// By rule, device and session.
    occasions: BTreeMap<(usize, DeviceNumber, u64), u32>,
    /// By rule and device.
    firings: BTreeMap<(usize, DeviceNumber), u32>,
}

impl Tally {
    pub fn new(rules: usize) -> Tally {
        Tally { counts: (0..rules).map(|_| Default::default()).collect(), shards: Default::default() }
    }

    /// The number of this occasion among those of the rule on this device in this session, from 1.
    pub fn occasion(&self, rule: usize, device: DeviceNumber, session: u64) -> u32 {
        let mut shard = self.shard(device);
        let occasions = shard.occasions.entry((rule, device, session)).or_default();
        *occasions = occasions.saturating_add(1);
        *occasions
    }

    /// Whether a rule that would fire does, and counts it. What a device has no budget for is no occasion at all.
    pub fn fires(&self, rule: usize, device: DeviceNumber, budget: Option<u32>, would_fire: bool) -> bool {
        if let Some(budget) = budget {
            // Looked at and spent under one lock: two threads must not spend the same.
            let mut shard = self.shard(device);
            let firings = shard.firings.entry((rule, device)).or_default();
            if *firings >= budget {
                return false;
            }
            *firings += u32::from(would_fire);
        }
        let (eligible, injected) = &self.counts[rule];
        eligible.fetch_add(1, Ordering::Relaxed);
        injected.fetch_add(u64::from(would_fire), Ordering::Relaxed);
        would_fire
    }

    pub fn counts(&self) -> Vec<Count> {
        let load = |(eligible, injected): &(AtomicU64, AtomicU64)| Count {
            eligible: eligible.load(Ordering::Relaxed),
            injected: injected.load(Ordering::Relaxed),
        };
        self.counts.iter().map(load).collect()
    }

    /// Numbers are right whatever a thread that panicked was about to do.
    fn shard(&self, device: DeviceNumber) -> MutexGuard<'_, Shard> {
        self.shards[device.0 as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
