//! What ends before its time: journeys whose parties have died, and all that is under way when the run is stopped.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use actix::prelude::*;

use super::Swarm;
use crate::actors::directory::Party;
use crate::clock::Moment;
use crate::delegation::flow::Outcome;
use crate::ids::{DeviceNumber, ServerNumber};

/// A party has died of a panic: what it had in hand is lost.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PartyLost(pub Party);

/// A server that was killed stands again, and has taken up its processes with these devices.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Restored {
    pub server: ServerNumber,
    /// When it came back: of what began later it cannot have lost anything.
    pub at: Moment,
    /// The devices that it has a process under way with.
    pub moving: BTreeSet<DeviceNumber>,
}

/// Start no new journeys and no further steps; flows under way come to their end.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopStarting;

/// Nothing moves any more: give up every flow under way as lost.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Abandon;

impl Swarm {
    /// Ends every flow in which the dead party had a part.
    fn lose(&mut self, party: Party) {
        self.shard.actor_panicked();
        let at = self.clock.now();
        let hit: Vec<DeviceNumber> = self
            .travels
            .iter()
            .filter(|(device, travel)| {
                travel.flow.as_ref().is_some_and(|flow| match party {
                    Party::Device(dead) => dead == **device,
                    Party::Server(dead) => flow.involves(dead),
                    Party::BootstrapServer(_) | Party::Relay => false,
                })
            })
            .map(|(device, _)| *device)
            .collect();
        for device in hit {
            self.chronicle.lost.insert(device);
            self.end_flow(device, at, Outcome::Lost);
        }
    }
}

impl Handler<PartyLost> for Swarm {
    type Result = ();

    fn handle(&mut self, PartyLost(party): PartyLost, ctx: &mut Self::Context) {
        self.lose(party);
        self.advance(ctx);
    }
}

impl Handler<Restored> for Swarm {
    type Result = ();

    fn handle(&mut self, Restored { server, at, moving }: Restored, ctx: &mut Self::Context) {
        let mut ended = Vec::new();
        for (device, travel) in self.travels.iter_mut().filter(|(device, _)| !moving.contains(device)) {
            if let Some(flow) = &mut travel.flow
                && flow.sent <= at
                && flow.forgotten_by(server, at)
            {
                ended.extend(flow.ended().map(|end| (*device, end)));
            }
        }
        for (device, (at, outcome)) in ended {
            self.end_flow(device, at, outcome);
        }
        self.advance(ctx);
    }
}

impl Handler<StopStarting> for Swarm {
    type Result = ();

    fn handle(&mut self, _: StopStarting, ctx: &mut Self::Context) {
        self.stopped = true;
        while let Some(Reverse((_, device))) = self.waits.pop() {
            self.end_journey(device);
        }
        self.advance(ctx);
    }
}

impl Handler<Abandon> for Swarm {
    type Result = ();

    fn handle(&mut self, _: Abandon, ctx: &mut Self::Context) {
        self.stopped = true;
        let at = self.clock.now();
        let under_way: Vec<DeviceNumber> = self.travels.keys().copied().collect();
        for device in under_way {
            self.end_flow(device, at, Outcome::Lost);
            self.end_journey(device);
        }
        self.advance(ctx);
    }
}
