//! A load: which devices start by which phases. With the seed it is a plan, all fixed before the run begins.

use std::time::Duration;

use crate::clock::Moment;
use crate::ids::DeviceNumber;
use crate::seed::Seed;
use crate::workload::arrival::{Offsets, Phase, Shape};

/// How much load there is, and how it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// At least one. Every journey is in exactly one of them.
    pub populations: Vec<LoadPopulation>,
}

/// Devices that start by phases of their own: those of some journeys.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPopulation {
    pub name: String,
    /// Indices of its journeys, ascending; none for "all of them".
    pub journeys: Vec<usize>,
    /// At most so many journeys are started; the phases may end before.
    pub starts: u32,
    /// At least one. Only the last is without an end.
    pub phases: Vec<Phase>,
}

impl Load {
    /// The most populations that a load can have.
    pub const MOST_POPULATIONS: usize = 100;

    /// All devices in one population.
    pub fn of_all(starts: u32, phases: Vec<Phase>) -> Load {
        let name = LoadPopulation::ALL.to_owned();
        Load { populations: vec![LoadPopulation { name, journeys: Vec::new(), starts, phases }] }
    }

    /// Every phase with the index of its population, in their order.
    pub fn phases(&self) -> impl Iterator<Item = (usize, &Phase)> {
        let numbered = self.populations.iter().enumerate();
        numbered.flat_map(|(population, one)| one.phases.iter().map(move |phase| (population, phase)))
    }

    /// So many journeys under way at once, until all have been started.
    pub fn closed(starts: u32, at_once: u32) -> Load {
        Load::of_all(starts, vec![Phase::steady(Shape::Closed { at_once, over: None })])
    }
}

impl LoadPopulation {
    /// The name of the one population of a load that names none.
    pub const ALL: &str = "all";

    /// Whether a journey is one of its own.
    pub fn has(&self, journey: usize) -> bool {
        self.journeys.is_empty() || self.journeys.binary_search(&journey).is_ok()
    }

    /// How many devices it has, `per_journey` being how many each journey has.
    pub fn devices(&self, per_journey: &[u32]) -> u32 {
        per_journey.iter().enumerate().filter(|(journey, _)| self.has(*journey)).map(|(_, devices)| devices).sum()
    }

    /// How long after the beginning of the plan each phase begins, and, as the last one, when the last ends; `None`
    /// where that is without an end.
    pub fn begins(&self) -> Vec<Option<Duration>> {
        let mut begins = vec![Some(Duration::ZERO)];
        for phase in &self.phases {
            let before = begins[begins.len() - 1];
            begins.push(before.zip(phase.shape.lasts()).map(|(begins, lasts)| begins.saturating_add(lasts)));
        }
        begins
    }
}

/// A load whose every start is fixed: chance comes from streams of the seed, one for each phase of each population.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub load: Load,
    pub seed: Seed,
    /// By population and phase, the number under which what is started there is counted; empty where all is counted as
    /// one.
    pub waves: Vec<Vec<usize>>,
}

impl Plan {
    /// A plan of which all is counted as one.
    pub fn new(load: Load, seed: Seed) -> Plan {
        Plan { load, seed, waves: Vec::new() }
    }

    /// The starts of a phase that have moments of their own; `lead` as in [`Offsets::of`].
    pub fn offsets(&self, population: usize, phase: usize, lead: f64) -> Offsets {
        let stream = ((population as u64) << 32) | phase as u64;
        let dice = self.seed.stream("arrivals", stream);
        Offsets::of(&self.load.populations[population].phases[phase].shape, lead, dice)
    }
}

/// One start of one journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When it should happen, whatever the state of the run: response times count from here.
    pub intended: Moment,
    /// The one that goes on its journey; `None` where every device of the population has had its own: the start finds
    /// none, and is dropped.
    pub device: Option<DeviceNumber>,
    /// Index of the population.
    pub population: usize,
    /// Index of the phase in its population.
    pub phase: usize,
    /// Whether the plan fixed its moment. A start of a closed phase has none before a place is free.
    pub is_timed: bool,
}
