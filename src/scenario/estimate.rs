//! What a scenario would do and take, before it runs. Flows and starts are exact; times, memory and files are estimates.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delegation::flow::{FlowKind, Revocation};
use crate::ids::DeviceNumber;
use crate::scenario::{Connections, Scenario};
use crate::workload::arrival::Arrival;
use crate::workload::journey::{Journey, Step};

/// How long one flow takes on a machine that is not short of anything.
const FLOW_TAKES: Duration = Duration::from_millis(50);
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
/// A connection with TLS and buffers at both ends.
const CONNECTION_MEMORY: u64 = 96 << 10;

/// What a scenario would do and take.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Journeys that are started; those beyond the devices are dropped.
    pub starts: u32,
    pub dropped: u32,
    /// How many flows of each kind, in the summary's order; kinds without any left out.
    pub flows: Vec<(FlowKind, u64)>,
    /// The highest rate of an open load, in starts per second.
    pub peak_rate: Option<f64>,
    /// The places of a closed load.
    pub at_once: Option<u32>,
    pub lasts: Duration,
    pub memory_bytes: u64,
    /// Sockets and files that may have to be open at the same time.
    pub open_files: u64,
}

impl Scenario {
    /// What this scenario would do and take. `pool` is how many connections to one target the process keeps at most.
    /// Takes time and memory in proportion to the devices.
    pub fn estimate(&self, pool: u64) -> Estimate {
        let plan = self.plan();
        let started = self.started_per_journey();
        let mut by_kind: BTreeMap<FlowKind, u64> = BTreeMap::new();
        for (cohort, &devices) in self.journeys.iter().zip(&started) {
            for kind in cohort.journey.steps.iter().filter_map(Step::flow) {
                *by_kind.entry(counted_as(kind)).or_default() += devices;
            }
        }
        let peak_rate = match &self.load.arrival {
            Arrival::Open(phases) => Some(phases.iter().map(|phase| phase.peak()).fold(0.0, f64::max)),
            Arrival::Closed { .. } => None,
        };
        let connections = match self.connections {
            Connections::Pooled => self
                .most_connections(pool)
                .min(self.flows_at_once(&started, &by_kind, peak_rate) * CONNECTIONS_PER_FLOW),
            Connections::PerDevice => self.most_connections(pool),
        };
        Estimate {
            starts: plan.starts(),
            dropped: plan.dropped(),
            peak_rate,
            at_once: plan.at_once(),
            // Faults are over with the last flow, and then all is well for a while.
            lasts: self.lasts(&started).saturating_add(if self.faults.is_empty() { Duration::ZERO } else { self.heal }),
            memory_bytes: BASE_MEMORY + u64::from(self.devices) * DEVICE_MEMORY + connections * CONNECTION_MEMORY,
            open_files: self.most_open_files(pool),
            flows: FlowKind::all().filter_map(|kind| Some((kind, *by_kind.get(&kind)?))).collect(),
        }
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
            Connections::PerDevice => targets * u64::from(self.devices),
        };
        between_servers + of_devices
    }

    /// How many devices start each journey: those whose number is below the number of starts.
    fn started_per_journey(&self) -> Vec<u64> {
        let population = self.population();
        let mut started = vec![0; self.journeys.len()];
        for device in 0..self.devices.min(self.load.starts) {
            if let Some(journey) = population.journey_number(DeviceNumber(device)) {
                started[journey] += 1;
            }
        }
        started
    }

    fn lasts(&self, started: &[u64]) -> Duration {
        let durations =
            || self.journeys.iter().zip(started).map(|(cohort, &devices)| (takes(&cohort.journey), devices));
        let longest = durations().filter(|(_, devices)| *devices > 0).map(|(time, _)| time).max().unwrap_or_default();
        match &self.load.arrival {
            Arrival::Open(_) => {
                let last = self.plan().last().map_or(0, |start| start.intended.nanos());
                Duration::from_nanos(last).saturating_add(longest)
            }
            Arrival::Closed { at_once } => {
                let all: f64 = durations().map(|(time, devices)| time.as_secs_f64() * devices as f64).sum();
                Duration::from_secs_f64((all / f64::from(*at_once)).min(1e9)).max(longest)
            }
        }
    }

    fn flows_at_once(&self, started: &[u64], flows: &BTreeMap<FlowKind, u64>, peak: Option<f64>) -> u64 {
        let journeys: u64 = started.iter().sum();
        let flows_per_journey = flows.values().sum::<u64>() as f64 / journeys.max(1) as f64;
        let busy = match &self.load.arrival {
            Arrival::Closed { at_once } => u64::from(*at_once),
            Arrival::Open(_) => (peak.unwrap_or(0.0) * flows_per_journey * FLOW_MAY_TAKE).ceil() as u64,
        };
        busy.min(journeys)
    }
}

/// The kind as the summary counts it: a forced revocation is one kind, with or without notice.
fn counted_as(kind: FlowKind) -> FlowKind {
    match kind {
        FlowKind::Revoke(Revocation::Forced { .. }) => FlowKind::Revoke(Revocation::Forced { notice: true }),
        other => other,
    }
}

fn takes(journey: &Journey) -> Duration {
    let step_takes = |step: &Step| match step {
        Step::Wait(time) => *time,
        Step::Delegate { .. } | Step::Revoke { .. } => FLOW_TAKES,
    };
    journey.steps.iter().map(step_takes).fold(Duration::ZERO, Duration::saturating_add)
}
