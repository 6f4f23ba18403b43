//! What the swarm has seen of a run: its share of the measurements, and what became of each device.

use std::collections::{BTreeMap, BTreeSet};

use crate::actors::travel::Running;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::shard::Shard;

/// How the run stands.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub journeys_begun: u64,
    pub journeys_under_way: u64,
    pub journeys_planned: u64,
    pub flows_started: u64,
    pub flows_ended: u64,
    pub flows_failed: u64,
}

/// What the swarm has seen.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    pub shard: Shard,
    /// By device: the delegates whose last flow on it was a revocation that ended `done`.
    pub revoked: BTreeMap<DeviceNumber, Vec<Revoked>>,
    /// Devices with a flow that ended otherwise than its step expects.
    pub failed: BTreeSet<DeviceNumber>,
    /// Devices with a flow that was lost with a party: nothing can be promised for them.
    pub lost: BTreeSet<DeviceNumber>,
}

/// A delegate whose last flow on a device was a revocation that ended `done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub delegate: ServerNumber,
    /// Whether it was told; after a forced revocation without notice it cannot know.
    pub told: bool,
}

impl Chronicle {
    /// Remembers how a flow ended, as far as the promises need it.
    pub fn keep_in_mind(&mut self, device: DeviceNumber, flow: &Running, outcome: &Outcome) {
        if let Some(revoked) = self.revoked.get_mut(&device) {
            revoked.retain(|entry| entry.delegate != flow.delegated);
        }
        if let (FlowKind::Revoke(how), Outcome::Done) = (flow.kind, outcome) {
            let told = how != Revocation::Forced { notice: false };
            self.revoked.entry(device).or_default().push(Revoked { delegate: flow.delegated, told });
        }
    }
}
