//! Which device goes on which journey, and of which class it is: exact shares, mixed by the seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use rand::RngExt;

use crate::delegation::machine::Registry;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::seed::Seed;
use crate::workload::journey::Journey;

/// What the devices of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    /// Weight among the classes, for devices whose journey names no class; 0 keeps it for journeys that name it.
    pub share: u32,
    /// `./DevInfo/Man`.
    pub manufacturer: String,
    /// `./DevInfo/Mod`.
    pub model: String,
    /// What can be delegated: sub-trees that the device has beside the standard ones.
    pub subtrees: Vec<Uri>,
    pub storage: Storage,
    pub acl: Access,
}

/// How much room a device has for another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    #[default]
    Ample,
    /// An account is not added: status 420.
    Full,
}

/// What the access control lists of a device let its owner do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    #[default]
    Open,
    /// It may not add an account: status 425.
    RefusesAccount,
    /// It may not change the list of a sub-tree: status 425.
    RefusesSubtree,
}

/// A journey and the part of the population that goes on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Its steps are all that a device goes through, `repeat` rounds of them.
    pub journey: Arc<Journey>,
    /// Weight among the journeys; at least 1.
    pub share: u32,
    /// Index of the class of its devices; `None`: of every class, by the shares of the classes.
    pub class: Option<usize>,
    /// How many equal rounds `journey.steps` consists of; at least 1.
    pub repeat: u32,
}

/// All devices of a run. Three bytes per device, constant time per question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    classes: Vec<Class>,
    journeys: Vec<Arc<Journey>>,
    devices_per_journey: Vec<u32>,
    journey_of: Box<[u16]>,
    class_of: Box<[u8]>,
}

impl Population {
    /// The most classes a population can have.
    pub const MOST_CLASSES: usize = 255;
    /// The most journeys a population can have.
    pub const MOST_JOURNEYS: usize = 65_535;

    /// Shares `devices` out over the cohorts, and spreads each evenly over the device numbers, so that every kind of
    /// journey is under way all the time. Needs at least one class, at least one cohort, and no more of either than
    /// the limits above; a scenario that has been read keeps to that.
    pub fn new(seed: Seed, devices: u32, classes: Vec<Class>, cohorts: &[Cohort]) -> Population {
        let weights: Vec<u32> = cohorts.iter().map(|cohort| cohort.share).collect();
        let devices_per_journey = apportion(devices, &weights);
        let journey_of = interleave(seed, &devices_per_journey);
        let class_of = classify(seed, &journey_of, &classes, cohorts);
        let journeys = cohorts.iter().map(|cohort| cohort.journey.clone()).collect();
        Population { classes, journeys, devices_per_journey, journey_of, class_of }
    }

    /// How many devices there are.
    pub fn devices(&self) -> u32 {
        self.journey_of.len() as u32
    }

    /// How many devices go on each journey, in the journeys' order.
    pub fn devices_per_journey(&self) -> &[u32] {
        &self.devices_per_journey
    }

    /// The journeys, in the scenario's order.
    pub fn journeys(&self) -> &[Arc<Journey>] {
        &self.journeys
    }

    /// The classes, in the scenario's order.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Index of the journey that a device goes on; `None` for an unknown device.
    pub fn journey_number(&self, device: DeviceNumber) -> Option<usize> {
        self.journey_of.get(device.0 as usize).map(|&number| usize::from(number))
    }

    /// The journey that a device goes on; `None` for an unknown device.
    pub fn journey(&self, device: DeviceNumber) -> Option<&Arc<Journey>> {
        self.journey_number(device).map(|number| &self.journeys[number])
    }

    /// Index of the class of a device; `None` for an unknown device.
    pub fn class_number(&self, device: DeviceNumber) -> Option<usize> {
        self.class_of.get(device.0 as usize).map(|&number| usize::from(number))
    }

    /// The class of a device; `None` for an unknown device.
    pub fn class(&self, device: DeviceNumber) -> Option<&Class> {
        self.class_number(device).map(|number| &self.classes[number])
    }
}

impl Registry for Population {
    fn owner(&self, device: DeviceNumber) -> Option<ServerNumber> {
        self.journey(device).map(|journey| journey.owner)
    }

    fn has_account(&self, server: ServerNumber, device: DeviceNumber) -> bool {
        self.journey(device).is_some_and(|journey| journey.owner == server || journey.bootstrapped.contains(&server))
    }

    fn make(&self, device: DeviceNumber) -> (&str, &str) {
        self.class(device).map_or(("", ""), |class| (class.manufacturer.as_str(), class.model.as_str()))
    }
}

/// Splits `total` by weights: the largest remainders round up, and everybody with a weight gets at least one as long
/// as there is one for each. The parts sum to `total`, unless all weights are 0.
pub fn apportion(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: u32| u64::from(weight) * u64::from(total);
    let mut parts: Vec<u32> = weights.iter().map(|&weight| (product(weight) / sum) as u32).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&index| (Reverse(product(weights[index]) % sum), index));
    let left = total - parts.iter().sum::<u32>();
    for &index in by_remainder.iter().take(left as usize) {
        parts[index] += 1;
    }
    for index in 0..parts.len() {
        if weights[index] > 0 && parts[index] == 0 {
            let richest = (0..parts.len()).max_by_key(|&other| (parts[other], Reverse(other)));
            if let Some(richest) = richest.filter(|&richest| parts[richest] > 1) {
                parts[richest] -= 1;
                parts[index] = 1;
            }
        }
    }
    parts
}

/// The kind of each of a row of things, `counts[k]` of kind `k`, each kind evenly spread: the i-th of n stands near
/// (i + offset)/n of the way, the offset being the seed's.
fn interleave(seed: Seed, counts: &[u32]) -> Box<[u16]> {
    let place = |kind: usize, nth: u32| {
        let offset = seed.draw("population.offset", kind as u64) >> 32;
        ((u128::from(nth) << 32 | u128::from(offset)) << 32) / u128::from(counts[kind])
    };
    let mut next: BinaryHeap<Reverse<(u128, usize, u32)>> =
        (0..counts.len()).filter(|&kind| counts[kind] > 0).map(|kind| Reverse((place(kind, 0), kind, 0))).collect();
    let mut row = Vec::with_capacity(counts.iter().map(|&count| count as usize).sum());
    while let Some(Reverse((_, kind, nth))) = next.pop() {
        row.push(kind as u16);
        if nth + 1 < counts[kind] {
            next.push(Reverse((place(kind, nth + 1), kind, nth + 1)));
        }
    }
    row.into_boxed_slice()
}

/// The class of each device: the one its journey names, else by exact shares over all devices of such journeys,
/// shuffled so that a class does not go hand in hand with a journey.
fn classify(seed: Seed, journey_of: &[u16], classes: &[Class], cohorts: &[Cohort]) -> Box<[u8]> {
    let named = |journey: u16| cohorts[usize::from(journey)].class;
    let free = journey_of.iter().filter(|&&journey| named(journey).is_none()).count();
    let weights: Vec<u32> = classes.iter().map(|class| class.share).collect();
    let mut hand: Vec<u8> = apportion(free as u32, &weights)
        .iter()
        .enumerate()
        .flat_map(|(class, &count)| std::iter::repeat_n(class as u8, count as usize))
        .collect();
    let mut dice = seed.stream("population.class", 0);
    for last in (1..hand.len()).rev() {
        hand.swap(last, dice.random_range(0..=last));
    }
    let mut hand = hand.into_iter();
    journey_of
        .iter()
        .map(|&journey| named(journey).map(|class| class as u8).or_else(|| hand.next()).unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class(name: &str, share: u32) -> Class {
        Class {
            name: name.to_owned(),
            share,
            manufacturer: format!("maker of {name}"),
            model: name.to_owned(),
            subtrees: Vec::new(),
            storage: Storage::Ample,
            acl: Access::Open,
        }
    }

    fn cohort(share: u32, class: Option<usize>, owner: u16) -> Cohort {
        let journey = Journey {
            name: format!("of {owner}"),
            owner: ServerNumber(owner),
            bootstrapped: vec![ServerNumber(9)],
            steps: Vec::new(),
            meanwhile: Vec::new(),
        };
        Cohort { journey: Arc::new(journey), share, class, repeat: 1 }
    }

    fn population(seed: u64) -> Population {
        let classes = vec![class("phone", 3), class("meter", 1), class("locked", 0)];
        Population::new(
            Seed(seed),
            1000,
            classes,
            &[cohort(20, None, 0), cohort(5, None, 1), cohort(1, Some(2), 2), cohort(14, None, 3)],
        )
    }

    #[test]
    fn parts_follow_the_largest_remainders() {
        // 10 over 1:1:1 is 3.33 each; the first gets the one left over.
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        // 7 over 5:3:1 is 3.89, 2.33, 0.78: the remainders .89 and .78 round up.
        assert_eq!(apportion(7, &[5, 3, 1]), [4, 2, 1]);
        assert_eq!(apportion(0, &[5, 3]), [0, 0]);
        assert_eq!(apportion(9, &[0, 0]), [0, 0]);
        // 1 in 1000 of 50 devices is less than half a device, but nobody with a share goes without.
        assert_eq!(apportion(50, &[999, 1, 0]), [49, 1, 0]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_nobody_goes_without(
            total in 0u32..5_000_000,
            weights in prop::collection::vec(0u32..10_000, 1..40),
        ) {
            let parts = apportion(total, &weights);
            let sharing = weights.iter().filter(|&&weight| weight > 0).count();
            let sum: u64 = parts.iter().map(|&part| u64::from(part)).sum();
            prop_assert_eq!(sum, if sharing == 0 { 0 } else { u64::from(total) });
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || *part == 0);
                prop_assert!(*weight == 0 || *part > 0 || (total as usize) < sharing);
            }
        }
    }

    #[test]
    fn every_journey_gets_its_exact_share_and_is_spread_over_the_run() {
        let population = population(7);
        assert_eq!(population.devices_per_journey(), [500, 125, 25, 350]);
        for (journey, &count) in population.devices_per_journey().iter().enumerate() {
            let numbers: Vec<u32> =
                (0..1000).filter(|&device| population.journey_number(DeviceNumber(device)) == Some(journey)).collect();
            assert_eq!(numbers.len() as u32, count);
            let even = 1000 / count;
            let widest = numbers.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
            assert!(widest <= 2 * even + 4, "journey {journey}: a gap of {widest}, evenly it would be {even}");
        }
    }

    #[test]
    fn classes_come_by_name_or_by_exact_share() {
        let population = population(7);
        let count = |wanted: &str| {
            (0..1000).filter(|&device| population.class(DeviceNumber(device)).unwrap().name == wanted).count()
        };
        // 25 devices are on the journey that names `locked`; the other 975 are split 3:1.
        assert_eq!((count("phone"), count("meter"), count("locked")), (731, 244, 25));
        for device in (0..1000).map(DeviceNumber) {
            let is_locked = population.class_number(device) == Some(2);
            assert_eq!(is_locked, population.journey_number(device) == Some(2));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_population() {
        assert_eq!(population(7), population(7));
        assert_ne!(population(7), population(8));
    }

    #[test]
    fn the_registry_knows_its_devices_and_nobody_else() {
        let population = population(7);
        let device = (0..1000).map(DeviceNumber).find(|&device| population.journey_number(device) == Some(2)).unwrap();
        assert_eq!(population.owner(device), Some(ServerNumber(2)));
        assert!(population.has_account(ServerNumber(2), device) && population.has_account(ServerNumber(9), device));
        assert!(!population.has_account(ServerNumber(1), device));
        assert_eq!(population.make(device), ("maker of locked", "locked"));
        let stranger = DeviceNumber(1000);
        assert_eq!(population.owner(stranger), None);
        assert!(!population.has_account(ServerNumber(2), stranger));
        assert_eq!(population.make(stranger), ("", ""));
    }
}
