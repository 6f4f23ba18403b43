//! Where everybody writes what they have seen of a device, in one order, and where gates wait for it to be seen.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::facts::pattern::Pattern;
use crate::facts::{Fact, What};
use crate::ids::DeviceNumber;

/// Locks that devices share out among them.
const SHELVES: usize = 64;
/// So many facts, shared out evenly, are kept of all watched devices together: about 350 MiB, and some 45,000 flows.
const MOST_FACTS: usize = 2_000_000;
/// Of each watched device so many are kept at least, however many there are: some nine flows.
const LEAST_FACTS: usize = 400;

/// The facts of all watched devices. Shared by all threads.
pub struct Board {
    clock: Clock,
    /// So many devices, the first ones, are watched; of the others nothing is kept but while a flow is under way.
    watched: u32,
    /// Of a watched device so many facts are kept, the first ones; from then on it is like one that is not watched.
    most: usize,
    shelves: Vec<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    /// The facts of watched devices.
    facts: BTreeMap<DeviceNumber, Vec<Fact>>,
    /// Of watched devices: how many of their facts have been told.
    told: BTreeMap<DeviceNumber, usize>,
    /// Of other devices with a flow under way, and of those of which no more is kept: what was seen since it began.
    passing: BTreeMap<DeviceNumber, Vec<Fact>>,
    gates: BTreeMap<DeviceNumber, Vec<Gate>>,
}

/// Somebody who waits for a fact.
struct Gate {
    until: Pattern,
    open: oneshot::Sender<()>,
}

impl Board {
    /// A board without facts. The more devices are `watched`, the fewer facts are kept of each.
    pub fn new(clock: Clock, watched: u32) -> Board {
        let most = (MOST_FACTS / (watched as usize).max(1)).max(LEAST_FACTS);
        Board { clock, watched, most, shelves: (0..SHELVES).map(|_| Mutex::default()).collect() }
    }

    /// Whether anything is kept of a device.
    pub fn watches(&self, device: DeviceNumber) -> bool {
        device.0 < self.watched
    }

    /// Whether anything is kept of any device.
    pub fn is_in_use(&self) -> bool {
        self.watched > 0
    }

    /// Whether all that was seen of a watched device is kept; else only what came first.
    pub fn keeps_all(&self, device: DeviceNumber) -> bool {
        !self.shelf(device).is_full(device, self.most)
    }

    /// Something has happened to a device; opens the gates that waited for it. `look` sees all facts, this one last. Of
    /// what is not kept any more nobody learns.
    pub fn saw<T>(&self, device: DeviceNumber, what: What, look: impl FnOnce(&[Fact]) -> T) -> Option<T> {
        if !self.is_in_use() {
            return None;
        }
        let mut shelf = self.shelf(device);
        if !self.watches(device) || shelf.is_full(device, self.most) {
            if let Some(passing) = shelf.passing.get_mut(&device) {
                passing.push(Fact { at: self.clock.now(), what });
            }
            return None;
        }
        let facts = shelf.facts.entry(device).or_default();
        // Under the lock, so that the moments are in the order of the facts.
        facts.push(Fact { at: self.clock.now(), what });
        let seen = look(facts);
        if facts.len() >= self.most {
            facts.shrink_to_fit();
            // The flow that is under way is told of to its end all the same.
            shelf.passing.entry(device).or_default();
        }
        if shelf.gates.contains_key(&device) {
            shelf.open_gates(device);
        }
        Some(seen)
    }

    /// A flow begins on a device: until it is told, what is seen of the device is kept, though it may not be watched.
    pub fn open(&self, device: DeviceNumber) {
        if !self.is_in_use() {
            return;
        }
        let mut shelf = self.shelf(device);
        if !self.watches(device) || shelf.is_full(device, self.most) {
            shelf.passing.entry(device).or_default();
        }
    }

    /// What has been seen of a device since this was called last, if it `is_wanted`. Of a device that is not watched, or
    /// of which no more is kept, nothing is left of it.
    pub fn tell(&self, device: DeviceNumber, is_wanted: bool) -> Vec<Fact> {
        let mut shelf = self.shelf(device);
        let passing = shelf.passing.remove(&device).unwrap_or_default();
        if !self.watches(device) {
            return if is_wanted { passing } else { Vec::new() };
        }
        let Shelf { facts, told, .. } = &mut *shelf;
        let facts = facts.get(&device).map_or(&[][..], Vec::as_slice);
        let before = told.insert(device, facts.len()).unwrap_or(0);
        if is_wanted { [&facts[before..], &passing].concat() } else { Vec::new() }
    }

    /// Looks at what has been seen of a device so far.
    pub fn with<T>(&self, device: DeviceNumber, look: impl FnOnce(&[Fact]) -> T) -> T {
        let shelf = self.shelf(device);
        look(shelf.facts.get(&device).map_or(&[][..], Vec::as_slice))
    }

    /// The devices of which anything has been seen, in their order.
    pub fn devices(&self) -> Vec<DeviceNumber> {
        let shelves = self.shelves.iter().map(|shelf| shelf.lock().unwrap_or_else(PoisonError::into_inner));
        let mut devices: Vec<DeviceNumber> =
            shelves.flat_map(|shelf| shelf.facts.keys().copied().collect::<Vec<_>>()).collect();
        devices.sort_unstable();
        devices
    }

    /// Waits until a fact has been seen on a device, or for so long; at once where it has been seen before.
    pub async fn gate(&self, device: DeviceNumber, until: &Pattern, at_most: Duration) -> bool {
        match tokio::time::timeout(at_most, self.wait_for(device, until)).await {
            Ok(seen) => seen.is_ok(),
            Err(_) => false,
        }
    }

    /// Told when a fact has been seen on a device; at once where it has been seen before.
    pub fn wait_for(&self, device: DeviceNumber, until: &Pattern) -> oneshot::Receiver<()> {
        let (open, opened) = oneshot::channel();
        let mut shelf = self.shelf(device);
        shelf.gates.entry(device).or_default().push(Gate { until: until.clone(), open });
        shelf.open_gates(device);
        opened
    }

    fn shelf(&self, device: DeviceNumber) -> MutexGuard<'_, Shelf> {
        self.shelves[device.0 as usize % SHELVES].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Whether so many facts are kept of a device.
    fn is_full(&self, device: DeviceNumber, most: usize) -> bool {
        self.facts.get(&device).is_some_and(|facts| facts.len() >= most)
    }

    fn open_gates(&mut self, device: DeviceNumber) {
        let Some(gates) = self.gates.get_mut(&device) else { return };
        let facts = self.facts.get(&device).map_or(&[][..], Vec::as_slice);
        for gate in gates.extract_if(.., |gate| gate.until.seen_in(facts).is_some() || gate.open.is_closed()) {
            // Whoever has given up waiting need not be told.
            let _ = gate.open.send(());
        }
        if gates.is_empty() {
            self.gates.remove(&device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::pattern::Sought;

    const DEVICE: DeviceNumber = DeviceNumber(3);

    fn step(number: usize) -> Pattern {
        Pattern { what: Sought::Step(number), nth: 1 }
    }

    #[test]
    fn a_gate_opens_with_its_fact_and_not_before() {
        let board = Board::new(Clock::start(), 10);
        let mut gate = board.wait_for(DEVICE, &step(2));
        board.saw(DEVICE, What::Step { number: 1 }, |_| ());
        board.saw(DeviceNumber(4), What::Step { number: 2 }, |_| ());
        assert!(gate.try_recv().is_err(), "that was another device, and another step");
        board.saw(DEVICE, What::Step { number: 2 }, |_| ());
        assert_eq!(gate.try_recv(), Ok(()));
        assert_eq!(board.wait_for(DEVICE, &step(1)).try_recv(), Ok(()), "it has been seen before");
    }

    #[test]
    fn nothing_is_kept_of_a_device_that_is_not_watched() {
        let board = Board::new(Clock::start(), 3);
        assert_eq!(board.saw(DEVICE, What::Step { number: 1 }, |facts| facts.len()), None);
        assert!(board.with(DEVICE, <[Fact]>::is_empty));
    }

    #[test]
    fn of_a_watched_device_the_first_facts_are_kept_and_flows_are_told_of_all_the_same() {
        // So many devices that each has the least.
        let board = Board::new(Clock::start(), 1_000_000);
        let saw = |number| board.saw(DEVICE, What::Step { number }, <[Fact]>::len);
        board.open(DEVICE);
        for number in 1..LEAST_FACTS {
            assert_eq!(saw(number), Some(number));
        }
        assert!(board.keeps_all(DEVICE));
        assert_eq!(board.tell(DEVICE, true).len(), LEAST_FACTS - 1);
        let mut gate = board.wait_for(DEVICE, &step(LEAST_FACTS + 1));
        assert_eq!((saw(LEAST_FACTS), saw(LEAST_FACTS + 1)), (Some(LEAST_FACTS), None));
        assert!(!board.keeps_all(DEVICE) && gate.try_recv().is_err());
        assert_eq!(board.with(DEVICE, <[Fact]>::len), LEAST_FACTS);
        assert_eq!(board.tell(DEVICE, true).len(), 2, "the last that is kept, and what came behind it");
        saw(LEAST_FACTS + 2);
        board.open(DEVICE);
        saw(LEAST_FACTS + 3);
        let told: Vec<What> = board.tell(DEVICE, true).into_iter().map(|fact| fact.what).collect();
        assert_eq!(told, [What::Step { number: LEAST_FACTS + 3 }], "what was seen since the flow began");
    }

    #[test]
    fn the_fewer_devices_are_watched_the_more_is_kept_of_each() {
        let kept = |watched| Board::new(Clock::start(), watched).most;
        assert_eq!([0, 1, 1_000, 5_000, 10_000].map(kept), [MOST_FACTS, MOST_FACTS, 2_000, 400, LEAST_FACTS]);
    }
}
