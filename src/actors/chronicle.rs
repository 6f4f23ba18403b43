//! What the swarm has seen of a run: how it stands, and what became of each device.

use std::collections::{BTreeMap, BTreeSet};

use crate::actors::travel::Running;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::workload::pacer::Standing;

/// How the run stands.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub journeys_begun: u64,
    pub journeys_under_way: u64,
    /// `None` where a closed phase with a duration leaves it open.
    pub journeys_planned: Option<u64>,
    pub flows_started: u64,
    pub flows_ended: u64,
    pub flows_failed: u64,
    /// How the plan of the load stands; `None` before it has begun.
    pub load: Option<Standing>,
}

/// What the swarm has seen.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    /// By device: the delegates whose last flow on it that ended `done` was a revocation.
    pub revoked: BTreeMap<DeviceNumber, Vec<Revoked>>,
    /// Devices with a flow that ended otherwise than its step expects.
    pub failed: BTreeSet<DeviceNumber>,
    /// Devices with a flow that was lost with a party: nothing can be promised for them.
    pub lost: BTreeSet<DeviceNumber>,
}

/// A delegate whose last flow on a device that ended `done` was a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub delegate: ServerNumber,
    /// Whether it was told, or has had to do with a flow since; after a forced revocation without notice it cannot know.
    pub told: bool,
}

impl Chronicle {
    /// Remembers how a flow ended, as far as the promises need it.
    pub fn keep_in_mind(&mut self, device: DeviceNumber, flow: &Running, outcome: &Outcome) {
        // Nothing has been begun.
        if matches!(outcome, Outcome::Refused { .. }) {
            return;
        }
        let revoked = self.revoked.entry(device).or_default();
        if *outcome == Outcome::Done {
            revoked.retain(|entry| entry.delegate != flow.delegated);
        } else {
            let theirs = revoked.iter_mut().filter(|entry| entry.delegate == flow.delegated);
            theirs.for_each(|entry| entry.told = true);
        }
        if let (FlowKind::Revoke(how), Outcome::Done) = (flow.kind, outcome) {
            let told = how != Revocation::Forced { notice: false };
            revoked.push(Revoked { delegate: flow.delegated, told });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::delegation::flow::Approach;
    use crate::delegation::machine::Side;

    /// Whether the delegate counts as revoked after these flows, and as told.
    #[track_caller]
    fn check_revoked(flows: &[(FlowKind, Outcome)], told: Option<bool>) {
        let mut chronicle = Chronicle::default();
        let device = DeviceNumber(3);
        for (kind, outcome) in flows {
            let between = (ServerNumber(0), ServerNumber(1));
            let flow = Running::new(*kind, "done", between, Side::Delegating, Moment::ZERO);
            chronicle.keep_in_mind(device, &flow, outcome);
        }
        let found = chronicle.revoked.get(&device).into_iter().flatten();
        assert_eq!(found.map(|revoked| revoked.told).collect::<Vec<_>>(), Vec::from_iter(told), "{flows:?}");
    }

    #[test]
    fn a_revocation_counts_until_the_device_is_delegated_anew() {
        let delegate = FlowKind::Delegate { approach: Approach::DmAcc, is_full: false, by_delegated: false };
        let silent = FlowKind::Revoke(Revocation::Forced { notice: false });
        let asked = FlowKind::Revoke(Revocation::Asked);
        let refused = Outcome::Refused { reason: 404 };
        let undone = Outcome::Undone { reason: 408 };
        check_revoked(&[(delegate, Outcome::Done)], None);
        check_revoked(&[(asked, Outcome::Done)], Some(true));
        check_revoked(&[(asked, Outcome::Done), (asked, refused.clone())], Some(true));
        check_revoked(&[(asked, Outcome::Done), (delegate, undone.clone())], Some(true));
        check_revoked(&[(asked, Outcome::Done), (delegate, Outcome::Done)], None);
        check_revoked(&[(silent, Outcome::Done), (asked, refused)], Some(false));
        check_revoked(&[(silent, Outcome::Done), (delegate, undone.clone())], Some(true));
        check_revoked(&[(asked, undone)], None);
    }
}
