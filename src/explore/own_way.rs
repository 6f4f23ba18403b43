//! One journey of a scenario gone by its own steps: what its operators want, one flow after the other, and how each ends.

use std::sync::Arc;

use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::Side;
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::{Decision, Plan, Planned};
use crate::explore::premises::{Premises, Wish};
use crate::explore::trail::{Trail, Walked};
use crate::facts::pattern::Sought;
use crate::facts::{Fact, What};
use crate::ids::ServerNumber;
use crate::scenario::Scenario;
use crate::workload::journey::{Expected, Journey, Step};
use crate::workload::population::Cohort;

/// One device on one journey.
pub struct OwnWay {
    /// With this journey alone, one round of it, and one device.
    pub scenario: Scenario,
    /// Its wishes are those of the journey.
    pub premises: Premises,
    /// In their order, each with what is expected of it.
    steps: Vec<(Planned, Expected)>,
    meanwhile: Vec<Planned>,
}

/// A flow that an operator wanted, and how it ended at both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub kind: FlowKind,
    /// Where it was started, and with whom.
    pub at: ServerNumber,
    pub peer: ServerNumber,
    /// `None` where that side never took part, or has not come to its end.
    pub here: Option<Outcome>,
    pub there: Option<Outcome>,
}

/// What a way has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub flows: Vec<Flow>,
    /// The names of the promises that are broken.
    pub broken: Vec<String>,
}

impl OwnWay {
    /// Every journey of a scenario that hands its device over, in their order.
    pub fn each(scenario: &Scenario) -> Vec<OwnWay> {
        (0..scenario.journeys.len()).filter_map(|number| OwnWay::of(scenario, number)).collect()
    }

    /// The journey of this number; `None` where it hands nothing over.
    pub fn of(scenario: &Scenario, number: usize) -> Option<OwnWay> {
        let cohort = &scenario.journeys[number];
        let round = cohort.journey.steps.len() / (cohort.repeat.max(1) as usize);
        let steps = cohort.journey.steps[..round].to_vec();
        let journey = Journey { steps, ..Journey::clone(&cohort.journey) };
        let alone = Cohort { journey: Arc::new(journey), share: 1, class: cohort.class, repeat: 1 };
        let scenario = Scenario { devices: 1, journeys: vec![alone], ..scenario.clone() };
        let mut premises = Premises::of(&scenario, 1).pop()?;
        let journey = Arc::clone(&scenario.journeys[0].journey);
        premises.wishes.clear();
        let mut steps = Vec::new();
        for step in &journey.steps {
            steps.extend(planned(&mut premises, step).zip(expected(step)));
        }
        let mut meanwhile = Vec::new();
        // A fault that a wish waits for does not happen here.
        for one in journey.meanwhile.iter().filter(|one| !matches!(one.once.what, Sought::Fault(_))) {
            let planned = planned(&mut premises, &one.wish);
            meanwhile.extend(planned.map(|planned| Planned { once: Some(one.once.clone()), ..planned }));
        }
        Some(OwnWay { scenario, premises, steps, meanwhile })
    }

    /// Goes it with these decisions. As over HTTPS it ends with the first flow that does not come to what is expected.
    pub fn walk(&self, lab: &mut Lab<'_>, decisions: &[Decision]) -> (Trail, Walked) {
        let mut plan = Plan { wishes: self.meanwhile.clone(), decisions: decisions.to_vec(), deaths: Vec::new() };
        let mut gone = plan.walk(lab);
        for (planned, expected) in &self.steps {
            plan.wishes.push(planned.clone());
            gone = plan.walk(lab);
            let Wish { at, peer, flow, .. } = self.premises.wishes[planned.wish];
            let flows = flows(&gone.1.facts[0]);
            let own = flows.iter().rfind(|known| (known.at, known.peer, known.kind) == (at, peer, flow));
            if !own.is_some_and(|own| own.here.as_ref().is_some_and(|outcome| expected.is_met_by(outcome))) {
                break;
            }
        }
        gone
    }
}

impl Ending {
    /// What a way through virtual time has come to.
    pub fn of(walked: &Walked, lab: &Lab<'_>) -> Ending {
        let broken = judge::names(&judge::in_the_end(walked, lab)).into_iter().map(str::to_owned).collect();
        Ending { flows: flows(&walked.facts[0]), broken }
    }

    /// Whether nobody is in charge of the device any more.
    pub fn is_orphaned(&self) -> bool {
        self.broken.iter().any(|promise| promise == "manageable")
    }
}

impl Flow {
    /// Whether it was done as far as anybody says who took part.
    pub fn is_done(&self) -> bool {
        self.here == Some(Outcome::Done) && self.there.as_ref().is_none_or(|there| *there == Outcome::Done)
    }

    fn side(&self) -> Side {
        match self.kind {
            FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => Side::Delegated,
            _ => Side::Delegating,
        }
    }
}

/// The flows that operators wanted, in order, by what was seen of a device.
pub fn flows(facts: &[Fact]) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    for fact in facts {
        match &fact.what {
            What::Wished { at, peer, flow } => {
                flows.push(Flow { kind: *flow, at: *at, peer: *peer, here: None, there: None });
            }
            What::Settled { at, peer, side, outcome } => {
                let is_own = |flow: &&mut Flow| (flow.at, flow.peer) == (*at, *peer) && flow.side() == *side;
                let is_other = |flow: &&mut Flow| (flow.peer, flow.at) == (*at, *peer) && flow.side() != *side;
                if let Some(flow) = flows.iter_mut().find(|flow| is_own(flow) && flow.here.is_none()) {
                    flow.here = Some(outcome.clone());
                } else if let Some(flow) = flows.iter_mut().find(|flow| is_other(flow) && flow.there.is_none()) {
                    flow.there = Some(outcome.clone());
                }
            }
            _ => {}
        }
    }
    flows
}

/// Adds what a step wants to the wishes; a pause wants nothing.
fn planned(premises: &mut Premises, step: &Step) -> Option<Planned> {
    let (flow, servers, subtree) = step.wish()?;
    premises.wishes.push(Wish::between(servers, 0, flow, subtree));
    Some(Planned { wish: premises.wishes.len() - 1, once: None })
}

fn expected(step: &Step) -> Option<Expected> {
    match step {
        Step::Delegate { expect, .. } | Step::Revoke { expect, .. } => Some(*expect),
        Step::Wait(_) | Step::WaitUntil(_) => None,
    }
}
