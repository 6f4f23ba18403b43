//! What the machines note, as measurements and as facts.

use std::collections::BTreeSet;

use super::DmServer;
use crate::actors::swarm::Noted;
use crate::clock::Moment;
use crate::delegation::machine::{Effect, Note};
use crate::facts::{Took, What};
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// A POST of a peer, as far as facts are about it.
pub(super) struct Incoming {
    pub from: ServerNumber,
    pub session: Option<SessionId>,
}

impl DmServer {
    /// A POST has been handled: how it was taken is seen before what follows from it.
    pub(super) fn tell_how_it_was_taken(&mut self, incoming: &Incoming, effects: &[Effect]) {
        if !self.lane.board.is_in_use() {
            return;
        }
        let taken = effects.iter().find_map(|effect| match effect {
            Effect::Note(Note::Applied { kind, device }) => Some((*kind, *device, Took::New)),
            Effect::Note(Note::Duplicate { kind, device: Some(device) }) => Some((*kind, *device, Took::Copy)),
            Effect::Note(Note::Unexpected { kind, device: Some(device), why }) => {
                Some((*kind, *device, Took::Rejected(why)))
            }
            _ => None,
        });
        if let Some((kind, device, how)) = taken {
            let (from, session) = (incoming.from, incoming.session.clone());
            self.saw(device, What::Taken { at: self.me, from, kind, session, how });
        }
    }

    pub(super) fn note(&mut self, now: Moment, note: Note) {
        match &note {
            Note::Duplicate { kind, .. } => self.lane.record(|shard| shard.message_duplicated(*kind)),
            Note::Unexpected { kind, why, .. } => self.lane.record(|shard| {
                shard.message_unexpected(*kind);
                shard.rejected(why);
            }),
            Note::Applied { .. } => {}
            Note::TimerFired { device, timer } => self.saw(*device, What::TimerFired { at: self.me, timer: *timer }),
            Note::Moved { .. } => self.moved(note),
            Note::Joined { device, peer, side } => {
                self.saw(*device, What::Joined { at: self.me, peer: *peer, side: *side });
                self.tell_swarm(now, note);
            }
            Note::Settled { device, peer, side, outcome } => {
                let outcome = outcome.clone();
                self.saw(*device, What::Settled { at: self.me, peer: *peer, side: *side, outcome });
                self.tell_swarm(now, note);
            }
        }
    }

    fn moved(&mut self, note: Note) {
        if let Note::Moved { device, peer, side, session, subtree, is_full, state } = note {
            self.saw(device, What::Moved { at: self.me, peer, side, session, subtree, is_full, state });
        }
    }

    /// Results of our own work: no bound is claimed for them.
    fn tell_swarm(&self, now: Moment, note: Note) {
        self.lane.swarm.do_send(Noted { from: self.me, at: now, note });
    }

    /// The devices with a process under way.
    pub(super) fn busy_with(&self) -> BTreeSet<DeviceNumber> {
        self.delegation.moving().collect()
    }
}
