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

/// The facts of all watched devices. Shared by all threads.
pub struct Board {
    clock: Clock,
    /// So many devices, the first ones, are watched; of the others nothing is kept but while a flow is under way.
    watched: u32,
    shelves: Vec<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    /// All facts of watched devices.
    facts: BTreeMap<DeviceNumber, Vec<Fact>>,
    /// Of watched devices: how many of their facts have been told.
    told: BTreeMap<DeviceNumber, usize>,
    /// Of other devices with a flow under way: what was seen since it began.
    passing: BTreeMap<DeviceNumber, Vec<Fact>>,
    gates: BTreeMap<DeviceNumber, Vec<Gate>>,
}

/// Somebody who waits for a fact.
struct Gate {
    until: Pattern,
    open: oneshot::Sender<()>,
}

impl Board {
    /// A board without facts.
    pub fn new(clock: Clock, watched: u32) -> Board {
        Board { clock, watched, shelves: (0..SHELVES).map(|_| Mutex::default()).collect() }
    }

    /// Whether anything is kept of a device.
    pub fn watches(&self, device: DeviceNumber) -> bool {
        device.0 < self.watched
    }

    /// Whether anything is kept of any device.
    pub fn is_in_use(&self) -> bool {
        self.watched > 0
    }

    /// Something has happened to a device; opens the gates that waited for it. `look` sees all facts, this one last.
    pub fn saw<T>(&self, device: DeviceNumber, what: What, look: impl FnOnce(&[Fact]) -> T) -> Option<T> {
        if !self.is_in_use() {
            return None;
        }
        let mut shelf = self.shelf(device);
        if !self.watches(device) {
            if let Some(passing) = shelf.passing.get_mut(&device) {
                passing.push(Fact { at: self.clock.now(), what });
            }
            return None;
        }
        let facts = shelf.facts.entry(device).or_default();
        // Under the lock, so that the moments are in the order of the facts.
        facts.push(Fact { at: self.clock.now(), what });
        let seen = look(facts);
        if shelf.gates.contains_key(&device) {
            shelf.open_gates(device);
        }
        Some(seen)
    }

    /// A flow begins on a device: until it is told, what is seen of the device is kept, though it may not be watched.
    pub fn open(&self, device: DeviceNumber) {
        if self.is_in_use() && !self.watches(device) {
            self.shelf(device).passing.entry(device).or_default();
        }
    }

    /// What has been seen of a device since this was called last, if it `is_wanted`. Of a device that is not watched
    /// nothing is kept any more.
    pub fn tell(&self, device: DeviceNumber, is_wanted: bool) -> Vec<Fact> {
        let mut shelf = self.shelf(device);
        if !self.watches(device) {
            return shelf.passing.remove(&device).filter(|_| is_wanted).unwrap_or_default();
        }
        let Shelf { facts, told, .. } = &mut *shelf;
        let facts = facts.get(&device).map_or(&[][..], Vec::as_slice);
        let before = told.insert(device, facts.len()).unwrap_or(0);
        if is_wanted { facts[before..].to_vec() } else { Vec::new() }
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
}
