//! What a scenario would do and take, before it runs. Flows and starts are exact; times, memory and files are estimates.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delegation::flow::{FlowKind, Revocation};
use crate::ids::DeviceNumber;
use crate::scenario::{Connections, Scenario, phases};
use crate::workload::arrival::Shape;
use crate::workload::credentials::{Certificates, Credentials};
use crate::workload::journey::{Journey, Step};
use crate::workload::outlook::Outlook;
use crate::workload::plan::LoadPopulation;

/// How long one flow takes on a machine that is not short of anything.
pub(super) const FLOW_TAKES: Duration = Duration::from_millis(50);
/// How long a flow may take before the estimate of memory is too low, in seconds.
const FLOW_MAY_TAKE: f64 = 0.25;
/// Connections that one flow uses at the same time: one each way between the servers, and one of the device.
const CONNECTIONS_PER_FLOW: u64 = 3;
/// Both ends of a connection are in this process.
const FILES_PER_CONNECTION: u64 = 2;
/// Files that are open beside connections: listening sockets, event queues, results, certificates.
const OTHER_FILES: u64 = 64;
/// The program itself, with its histograms.
const BASE_MEMORY: u64 = 48 << 20;
/// A device at rest.
const DEVICE_MEMORY: u64 = 4 << 10;
/// TLS settings, certificate and tickets of a device that has its own, measured.
const IDENTITY_MEMORY: u64 = 12 * 1024;
/// A connection with TLS and buffers at both ends.
const CONNECTION_MEMORY: u64 = 96 << 10;

/// What a scenario would do and take.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Journeys that are started; those beyond the devices are dropped. At most, where a population does not say how many
    /// there will be.
    pub starts: u64,
    pub dropped: u64,
    /// How many flows of each kind, in the summary's order; kinds without any left out.
    pub flows: Vec<(FlowKind, u64)>,
    /// By population.
    pub load: Vec<PopulationEstimate>,
    /// The highest planned rate, in starts per second; of several populations, if all have theirs at once. `None` where
    /// no phase has a rate.
    pub peak_rate: Option<f64>,
    /// The most starts at one instant. `None` without a storm.
    pub storm: Option<u64>,
    /// The most places of closed phases. `None` without any.
    pub at_once: Option<u64>,
    pub lasts: Duration,
    pub memory_bytes: u64,
    /// Sockets and files that may have to be open at the same time.
    pub open_files: u64,
}

/// What one population of the load would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationEstimate {
    pub name: String,
    /// `None` where a closed phase with a duration leaves it open.
    pub starts: Option<u64>,
    pub phases: Vec<PhaseEstimate>,
}

/// What one phase of the load would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseEstimate {
    pub name: String,
    /// As the file has it, without its name.
    pub text: String,
    /// Since the beginning of the load.
    pub begins: Duration,
    /// Of a phase `until done` to its last start; `None` where that is not known.
    pub lasts: Option<Duration>,
    /// `None` where it depends on how long journeys take.
    pub starts: Option<u64>,
    /// Whether another seed may give another number of starts.
    pub by_chance: bool,
    /// In starts per second; `None` for a phase without a rate.
    pub peak_rate: Option<f64>,
}

impl Scenario {
    /// What this scenario would do and take. `pool` is how many connections to one target the process keeps at most.
    /// Takes time and memory in proportion to the devices.
    pub fn estimate(&self, pool: u64) -> Estimate {
        let plan = self.plan();
        let outlooks: Vec<Outlook> =
            (0..plan.load.populations.len()).map(|number| Outlook::of(&plan, number)).collect();
        let per_journey = self.population().devices_per_journey().to_vec();
        let quotas: Vec<Quota<'_>> = self
            .load
            .populations
            .iter()
            .zip(&outlooks)
            .map(|(load, outlook)| Quota { load, outlook, devices: u64::from(load.devices(&per_journey)) })
            .collect();
        let started = self.started_per_journey(&quotas);
        let mut by_kind: BTreeMap<FlowKind, u64> = BTreeMap::new();
        for (cohort, &devices) in self.journeys.iter().zip(&started) {
            for kind in cohort.journey.steps.iter().filter_map(Step::flow) {
                *by_kind.entry(counted_as(kind)).or_default() += devices;
            }
        }
        let load = quotas.iter().map(Quota::told).collect();
        let peak_rate = sum(quotas.iter().map(|quota| quota.most(|shape| shape.peak(), f64::max)));
        let storm = sum(quotas.iter().map(|quota| quota.most(storm_of, u64::max)));
        let at_once = sum(quotas.iter().map(|quota| quota.most(places_of, u64::max)));
        let connections = match self.connections {
            Connections::Pooled => {
                let journeys: u64 = started.iter().sum();
                let flows_per_journey = by_kind.values().sum::<u64>() as f64 / journeys.max(1) as f64;
                let by_rate = (peak_rate.unwrap_or(0.0) * flows_per_journey * FLOW_MAY_TAKE).ceil() as u64;
                let busy = by_rate.saturating_add(storm.unwrap_or(0)).saturating_add(at_once.unwrap_or(0));
                self.most_connections(pool).min(busy.min(journeys) * CONNECTIONS_PER_FLOW)
            }
            Connections::PerDevice | Connections::PerSession => self.most_connections(pool),
        };
        let lasts = quotas.iter().map(|quota| self.lasts(quota, &started)).max().unwrap_or_default();
        Estimate {
            starts: quotas.iter().map(Quota::starts).sum(),
            dropped: quotas.iter().map(|quota| quota.starts().saturating_sub(quota.devices)).sum(),
            load,
            peak_rate,
            storm,
            at_once,
            // Faults are over with the last flow, and then all is well for a while.
            lasts: lasts.saturating_add(self.heals_for()),
            memory_bytes: self.memory(connections),
            open_files: self.most_open_files(pool),
            flows: FlowKind::all().filter_map(|kind| Some((kind, *by_kind.get(&kind)?))).collect(),
        }
    }

    /// The most memory that the estimate can come to, in bytes, and at no cost.
    pub fn most_memory(&self, pool: u64) -> u64 {
        self.memory(self.most_connections(pool))
    }

    fn memory(&self, connections: u64) -> u64 {
        let Credentials { certificates, resumption, .. } = self.credentials;
        let is_own = resumption || certificates == Certificates::PerDevice;
        let device = DEVICE_MEMORY + if is_own { IDENTITY_MEMORY } else { 0 };
        BASE_MEMORY + u64::from(self.devices) * device + connections * CONNECTION_MEMORY
    }

    /// The most files and sockets that can be open at once, `pool` being the most connections to one target.
    pub fn most_open_files(&self, pool: u64) -> u64 {
        OTHER_FILES + self.most_connections(pool) * FILES_PER_CONNECTION
    }

    fn most_connections(&self, pool: u64) -> u64 {
        let servers = self.servers.len() as u64;
        let targets = servers + self.bootstrap_servers.len() as u64;
        // A device has one flow at a time, and the end of the one before may still be under way.
        let each_way = pool.min(2 * u64::from(self.devices));
        let between_servers = servers * servers.saturating_sub(1) * each_way;
        let of_devices = match self.connections {
            Connections::Pooled => targets * pool.min(u64::from(self.devices)),
            Connections::PerDevice | Connections::PerSession => targets * u64::from(self.devices),
        };
        between_servers + of_devices
    }

    /// How many devices start each journey: the first ones of each population, as many as it has starts.
    fn started_per_journey(&self, quotas: &[Quota<'_>]) -> Vec<u64> {
        let population = self.population();
        let mut left: Vec<u64> = quotas.iter().map(Quota::starts).collect();
        let number_of = |journey: usize| quotas.iter().position(|quota| quota.load.has(journey));
        let numbers: Vec<Option<usize>> = (0..self.journeys.len()).map(number_of).collect();
        let mut started = vec![0; self.journeys.len()];
        for journey in (0..self.devices).filter_map(|device| population.journey_number(DeviceNumber(device))) {
            if let Some(left) = numbers[journey].map(|number| &mut left[number]).filter(|left| **left > 0) {
                *left -= 1;
                started[journey] += 1;
            }
        }
        started
    }

    /// How long it is until the last journey of a population has ended.
    fn lasts(&self, quota: &Quota<'_>, started: &[u64]) -> Duration {
        let journeys: Vec<(Duration, u64)> = (self.journeys.iter().zip(started).enumerate())
            .filter(|(number, (_, devices))| quota.load.has(*number) && **devices > 0)
            .map(|(_, (cohort, devices))| (takes(&cohort.journey.steps), *devices))
            .collect();
        let longest = journeys.iter().map(|(time, _)| *time).max().unwrap_or_default();
        let devices: u64 = journeys.iter().map(|(_, devices)| devices).sum();
        let all: f64 = journeys.iter().map(|(time, devices)| time.as_secs_f64() * *devices as f64).sum();
        // How long each of the places of a closed phase `until done` is taken.
        let at_end = match (quota.load.phases.last().map(|phase| &phase.shape), quota.outlook.phases.last()) {
            (Some(Shape::Closed { at_once, over: None }), Some(last)) => {
                let left = last.starts.unwrap_or_else(|| quota.starts()).min(devices) as f64;
                let each = all / devices.max(1) as f64;
                last.begins.saturating_add(Duration::from_secs_f64((left * each / f64::from(*at_once)).min(1e9)))
            }
            (_, last) => {
                quota.outlook.ends.or(last.map(|last| last.begins)).unwrap_or_default().saturating_add(longest)
            }
        };
        let until = self.journeys.iter().zip(started).enumerate();
        let until = until.filter(|(number, (_, devices))| quota.load.has(*number) && **devices > 0);
        at_end.max(longest).max(until.map(|(_, (cohort, _))| not_before(&cohort.journey)).max().unwrap_or_default())
    }
}

/// A population of the load, what its phases come to, and its devices.
struct Quota<'s> {
    load: &'s LoadPopulation,
    outlook: &'s Outlook,
    devices: u64,
}

impl Quota<'_> {
    /// How many starts there are, at most.
    fn starts(&self) -> u64 {
        self.outlook.starts.unwrap_or(u64::from(self.load.starts))
    }

    /// The most of something over its phases; `None` where none has it.
    fn most<T>(&self, of: impl Fn(&Shape) -> Option<T>, most: impl Fn(T, T) -> T) -> Option<T> {
        self.load.phases.iter().filter_map(|phase| of(&phase.shape)).reduce(most)
    }

    fn told(&self) -> PopulationEstimate {
        let phases = self.load.phases.iter().zip(&self.outlook.phases).map(|(phase, outlook)| PhaseEstimate {
            name: phase.name.clone(),
            text: phases::describe(&phase.shape),
            begins: outlook.begins,
            lasts: outlook.ends.map(|ends| ends.saturating_sub(outlook.begins)),
            starts: outlook.starts,
            by_chance: phase.shape.is_counted_by_chance(),
            peak_rate: phase.shape.peak(),
        });
        PopulationEstimate { name: self.load.name.clone(), starts: self.outlook.starts, phases: phases.collect() }
    }
}

fn storm_of(shape: &Shape) -> Option<u64> {
    match shape {
        Shape::Storm(devices) => Some(u64::from(*devices)),
        _ => None,
    }
}

fn places_of(shape: &Shape) -> Option<u64> {
    match shape {
        Shape::Closed { at_once, .. } => Some(u64::from(*at_once)),
        _ => None,
    }
}

/// The sum of those that there are; `None` where there is none.
fn sum<T: std::ops::Add<Output = T>>(parts: impl Iterator<Item = Option<T>>) -> Option<T> {
    parts.flatten().reduce(|sum, part| sum + part)
}

/// The kind as the summary counts it: a forced revocation is one kind, with or without notice.
fn counted_as(kind: FlowKind) -> FlowKind {
    match kind {
        FlowKind::Revoke(Revocation::Forced { .. }) => FlowKind::Revoke(Revocation::Forced { notice: true }),
        other => other,
    }
}

fn takes(steps: &[Step]) -> Duration {
    let step_takes = |step: &Step| match step {
        Step::Wait(time) => *time,
        Step::Delegate { .. } | Step::Revoke { .. } => FLOW_TAKES,
        // It goes by the beginning of the load.
        Step::WaitUntil(_) => Duration::ZERO,
    };
    steps.iter().map(step_takes).fold(Duration::ZERO, Duration::saturating_add)
}

/// The earliest end of a journey after the beginning of the load, whenever it has started.
fn not_before(journey: &Journey) -> Duration {
    let waits = |step: &Step| matches!(step, Step::WaitUntil(_));
    let Some(last) = journey.steps.iter().rposition(waits) else { return Duration::ZERO };
    let until = journey.steps.iter().filter_map(|step| match step {
        Step::WaitUntil(after) => Some(*after),
        _ => None,
    });
    until.max().unwrap_or_default().saturating_add(takes(&journey.steps[last + 1..]))
}
