//! A flow that has not ended as done. The protocol lets flows fail, so that this breaks no promise; whoever has seen one fail
//! over HTTPS wants to see it fail again.

use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::machine::Side;
use crate::explore::premises::Premises;
use crate::facts::pattern::Names;
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::measure::promise::{Breach, Place};
use crate::workload::journey::{Journey, Step};

/// What stands in the place of a promise where a flow failed.
pub const NAME: &str = "flows_are_done";

/// What it says.
pub const SAYS: &str = "a flow that was wanted ends as done";

/// How a flow has ended at one of its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFlow {
    /// What the two servers were last wanted to do; `None` where nobody has seen what that was.
    pub flow: Option<FlowKind>,
    pub at: ServerNumber,
    pub peer: ServerNumber,
    pub side: Side,
    pub outcome: Outcome,
}

impl FailedFlow {
    /// Every one in the story of a device that servers of ours tell of, in its order.
    pub fn all<'f>(facts: &'f [Fact], premises: &'f Premises) -> impl Iterator<Item = FailedFlow> + 'f {
        (0..facts.len()).filter_map(|behind| match &facts[behind].what {
            What::Settled { outcome: Outcome::Done, .. } => None,
            what @ What::Settled { at, peer, side, outcome } if premises.is_seen(what) => {
                let flow = facts[..behind].iter().rev().find_map(|fact| match fact.what {
                    What::Wished { at: one, peer: other, flow } => {
                        let is_between = (one, other) == (*at, *peer) || (one, other) == (*peer, *at);
                        is_between.then_some(flow)
                    }
                    _ => None,
                });
                Some(FailedFlow { flow, at: *at, peer: *peer, side: *side, outcome: outcome.clone() })
            }
            _ => None,
        })
    }

    /// Whether a journey has it that a flow of this kind ends so.
    pub fn is_meant(&self, journey: &Journey) -> bool {
        let steps = journey.steps.iter().chain(journey.meanwhile.iter().map(|one| &one.wish));
        steps.filter(|step| step.flow().is_some() && step.flow() == self.flow).any(|step| {
            let (Step::Delegate { expect, .. } | Step::Revoke { expect, .. }) = step else { return false };
            expect.is_met_by(&self.outcome)
        })
    }

    /// In words, as what is broken.
    pub fn breach(&self, premises: &Premises) -> Breach {
        let flow = self.flow.map_or_else(|| "a flow".to_owned(), |flow| flow.to_string());
        let (at, peer) = (premises.server_name(self.at), premises.server_name(self.peer));
        Breach {
            at: Place::Device(premises.devices[0]),
            promise: NAME,
            seen: format!("{flow} at {at} with {peer} has ended: {}", self.outcome),
        }
    }
}
