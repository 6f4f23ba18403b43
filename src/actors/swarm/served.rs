//! What others start: flows of our servers that are none of a plan, counted by the steps of their devices' journeys.

use std::collections::BTreeMap;

use actix::prelude::*;

use super::Swarm;
use crate::actors::dm_server::Operator;
use crate::actors::travel::{Running, Travel};
use crate::clock::Moment;
use crate::delegation::flow::{Approach, FlowKind, Outcome};
use crate::delegation::machine::{Input, Side};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::workload::journey::{Expected, Step};

/// By device, the index of the first step of its journey that has not been taken; 0 where it is not there.
#[derive(Debug, Default)]
pub(super) struct Served(BTreeMap<DeviceNumber, usize>);

/// The operator of a server that is somebody else's would not start a flow; or nothing has been heard of it for so long that
/// it will not begin any more, if it has not by now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct NotStarted {
    pub device: DeviceNumber,
    /// When the operator was asked.
    pub asked: Moment,
}

impl Served {
    fn place(&self, device: DeviceNumber) -> usize {
        self.0.get(&device).copied().unwrap_or(0)
    }
}

impl Swarm {
    /// From now on whatever others start is counted. Where they are going to give a device away by URL, our server has
    /// to know: the protocol does not say it (D13).
    pub(super) fn begin_to_serve(&mut self) {
        self.served = Some(Served::default());
        for device in (0..self.population.devices()).map(DeviceNumber) {
            self.agree(device, 0);
        }
    }

    /// A server of ours (`from`) takes part in a flow that nobody here has begun. Which one it is, only the journey of the
    /// device can tell: the next of its steps between these two. One that is none of them counts as a delegation.
    pub(super) fn serve(
        &mut self,
        device: DeviceNumber,
        (from, peer, side): (ServerNumber, ServerNumber, Side),
        at: Moment,
    ) {
        let Some(served) = &self.served else { return };
        let parties = match side {
            Side::Delegating => (from, peer),
            Side::Delegated => (peer, from),
        };
        let place = served.place(device);
        let steps =
            self.population.journey(device).map_or(&[][..], |journey| journey.steps.get(place..).unwrap_or(&[]));
        let is_it = |step: &&Step| step.wish().is_some_and(|(_, found, _)| found == parties);
        let step = steps.iter().position(|step| is_it(&step));
        let flow = step.and_then(|step| Running::of(&steps[step], at)).unwrap_or_else(|| {
            let kind = FlowKind::Delegate { approach: Approach::DmAcc, is_full: false, by_delegated: false };
            Running::new(kind, Expected::ANY, parties, Side::Delegating, at)
        });
        let (starter, _) = flow.starter_and_other();
        let flow = if self.directory.is_external(starter) { flow.told_by_other() } else { flow };
        // One that is no step leaves the device where it is on its journey.
        let next = step.map_or(place, |step| place + step + 1);
        if let Some(served) = &mut self.served {
            served.0.insert(device, next);
        }
        let travel =
            Travel { step: next, population: 0, wave: None, intended: at, held: None, due: None, flow: Some(flow) };
        self.progress.journeys_begun += 1;
        self.travels.insert(device, travel);
        self.begin_flow(device);
    }

    /// A flow that others have started has ended.
    pub(super) fn has_served(&mut self, device: DeviceNumber) {
        self.travels.remove(&device);
        let place = self.served.as_ref().map_or(0, |served| served.place(device));
        self.agree(device, place);
    }

    /// Tells a server of ours how the next delegation of a device goes, where somebody else's server starts it by URL.
    fn agree(&self, device: DeviceNumber, place: usize) {
        let steps =
            self.population.journey(device).map_or(&[][..], |journey| journey.steps.get(place..).unwrap_or(&[]));
        let next = steps.iter().find(|step| matches!(step, Step::Delegate { .. }));
        let Some(step @ Step::Delegate { from, to, approach: Approach::Url, .. }) = next else { return };
        let (starter, other) = if step.starter() == Some(*to) { (*to, *from) } else { (*from, *to) };
        if self.directory.is_external(starter) {
            // For every device at the beginning: more than a mailbox would take.
            let wish = Input::Agreed { device, peer: starter, approach: Approach::Url };
            let place = self.directory.place_at(other);
            self.directory.with_server(other, |actor| actor.do_send(Operator { wish, due: None, place }));
        }
    }
}

impl Handler<NotStarted> for Swarm {
    type Result = ();

    fn handle(&mut self, NotStarted { device, asked }: NotStarted, ctx: &mut Context<Self>) {
        let flow = self.travels.get(&device).and_then(|travel| travel.flow.as_ref());
        // What has been begun since then is another one.
        if flow.is_some_and(|flow| flow.sent <= asked && flow.is_unheard_of()) {
            self.end_flow(device, self.clock.now(), Outcome::Unreachable { phase: "operator" });
            self.advance(ctx);
        }
    }
}
