//! What the swarm tells of the run, to who asks.

use actix::prelude::*;

use super::Swarm;
use crate::actors::chronicle::{Chronicle, Progress};
use crate::measure::timeline::Interval;

/// Asks how the run stands.
#[derive(Message)]
#[rtype(result = "Progress")]
pub struct AskProgress;

/// Asks what the swarm has recorded since the last time, for the timeline.
#[derive(Message)]
#[rtype(result = "Interval")]
pub struct TakeInterval;

/// Asks for everything the swarm has seen, at the end of a run.
#[derive(Message)]
#[rtype(result = "Chronicle")]
pub struct AskChronicle;

impl Handler<AskProgress> for Swarm {
    type Result = MessageResult<AskProgress>;

    fn handle(&mut self, _: AskProgress, _: &mut Self::Context) -> Self::Result {
        let now = self.clock.now();
        let load = self.pacer.as_ref().map(|pacer| pacer.standing(now));
        MessageResult(Progress {
            journeys_under_way: self.travels.len() as u64,
            journeys_planned: load.as_ref().and_then(|load| load.planned),
            load,
            ..self.progress.clone()
        })
    }
}

impl Handler<TakeInterval> for Swarm {
    type Result = MessageResult<TakeInterval>;

    fn handle(&mut self, _: TakeInterval, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.chronicle.shard.take_interval())
    }
}

impl Handler<AskChronicle> for Swarm {
    type Result = MessageResult<AskChronicle>;

    fn handle(&mut self, _: AskChronicle, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.chronicle.clone())
    }
}
