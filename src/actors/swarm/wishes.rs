//! What operators want of the servers: the flows of journeys, and what is wanted beside them once something has been seen.

use actix::prelude::*;

use super::Swarm;
use crate::actors::dm_server::{AskOperator, Operator};
use crate::clock::Moment;
use crate::delegation::flow::FlowKind;
use crate::delegation::machine::Input;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::workload::journey::Step;

impl Swarm {
    /// What operators want of a device besides its steps waits for its moment.
    pub(super) fn wish_meanwhile(&self, device: DeviceNumber, ctx: &mut Context<Self>) {
        let Some(journey) = self.population.journey(device) else { return };
        for meanwhile in &journey.meanwhile {
            let (wish, once) = (meanwhile.wish.clone(), self.sight.board().wait_for(device, &meanwhile.once));
            let then = once.into_actor(self).map(move |seen, swarm, _| {
                if seen.is_ok() {
                    swarm.wish(device, &wish);
                }
            });
            ctx.spawn(then);
        }
    }

    /// An operator's wish beside a journey: no flow of the load, and nothing is expected of it.
    fn wish(&self, device: DeviceNumber, step: &Step) {
        let Some((flow, (from, to), subtree)) = step.wish() else { return };
        let (starter, other) = if step.starter() == Some(to) { (to, from) } else { (from, to) };
        if let FlowKind::Delegate { approach, .. } = flow {
            self.tell(other, Input::Agreed { device, peer: starter, approach }, None);
        }
        if self.directory.is_external(starter) {
            self.ask_operator(
                other,
                AskOperator { device, peer: starter, step: step.clone(), is_of_journey: false, due: None },
            );
        } else {
            self.tell(starter, Input::Start { flow, device, peer: other, subtree }, None);
        }
    }

    /// Whether a server has taken it upon itself to ask another one's operator.
    pub(super) fn ask_operator(&self, server: ServerNumber, ask: AskOperator) -> bool {
        self.directory.with_server(server, |actor| actor.try_send(ask).is_ok()) == Some(true)
    }

    /// Whether a server has taken a wish.
    pub(super) fn tell(&self, server: ServerNumber, wish: Input, due: Option<Moment>) -> bool {
        let place = self.directory.place_at(server);
        self.directory.with_server(server, |actor| actor.try_send(Operator { wish, due, place }).is_ok()) == Some(true)
    }
}
