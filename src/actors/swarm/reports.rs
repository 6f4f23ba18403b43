//! What the swarm tells of the run, to who asks.

use actix::prelude::*;

use super::Swarm;
use crate::actors::chronicle::{Chronicle, Progress};
use crate::actors::tales::Tale;
use crate::measure::shard::Shard;

/// Asks how the run stands.
#[derive(Message)]
#[rtype(result = "Progress")]
pub struct AskProgress;

/// Asks for what has happened since this was asked last.
#[derive(Message)]
#[rtype(result = "Second")]
pub struct TakeSecond;

/// What has happened in a second, or in less.
#[derive(Debug, Default)]
pub struct Second {
    pub progress: Progress,
    pub shard: Shard,
    /// The flows that ended, as far as they are told of.
    pub tales: Vec<Tale>,
}

/// Asks for everything the swarm has seen, at the end of a run.
#[derive(Message)]
#[rtype(result = "Chronicle")]
pub struct AskChronicle;

impl Swarm {
    fn progress(&self) -> Progress {
        let now = self.clock.now();
        let load = self.pacer.as_ref().map(|pacer| pacer.standing(now));
        Progress {
            journeys_under_way: self.travels.len() as u64,
            journeys_planned: load.as_ref().and_then(|load| load.planned),
            load,
            ..self.progress.clone()
        }
    }
}

impl Handler<AskProgress> for Swarm {
    type Result = MessageResult<AskProgress>;

    fn handle(&mut self, _: AskProgress, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.progress())
    }
}

impl Handler<TakeSecond> for Swarm {
    type Result = MessageResult<TakeSecond>;

    fn handle(&mut self, _: TakeSecond, _: &mut Self::Context) -> Self::Result {
        let shard = std::mem::take(&mut self.shard);
        let tales = self.tales.take(self.sight.board());
        MessageResult(Second { progress: self.progress(), shard, tales })
    }
}

impl Handler<AskChronicle> for Swarm {
    type Result = MessageResult<AskChronicle>;

    fn handle(&mut self, _: AskChronicle, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.chronicle.clone())
    }
}
