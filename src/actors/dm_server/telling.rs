//! What the machines note, as measurements and as facts.

use std::collections::BTreeSet;

use super::DmServer;
use crate::actors::swarm::Noted;
use crate::clock::Moment;
use crate::delegation::machine::{Effect, Note};
use crate::delegation::misbehaved::Misbehaved;
use crate::facts::machines;
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
        if let Some((device, what)) = machines::taken(self.me, incoming.from, incoming.session.as_ref(), effects) {
            self.saw(device, what);
        }
    }

    pub(super) fn note(&mut self, now: Moment, note: Note) {
        match &note {
            Note::Duplicate { kind, device, .. } => {
                let flow = device.and_then(|device| self.lane.present.of(device));
                self.lane.record(|shard| shard.message_duplicated(*kind, flow));
            }
            Note::Unexpected { kind, device, why } => {
                let flow = device.and_then(|device| self.lane.present.of(device));
                // Of a session that is over its device is known still.
                let is_late = device.is_some() && *why == Misbehaved::UnknownSession.key();
                self.lane.record(|shard| {
                    shard.message_unexpected(*kind, flow, is_late);
                    shard.rejected(why);
                });
            }
            _ => {}
        }
        let is_of_a_flow = matches!(note, Note::Joined { .. } | Note::Settled { .. });
        let for_swarm = is_of_a_flow.then(|| note.clone());
        if let Some((device, what)) = machines::of_server(self.me, note) {
            self.saw(device, what);
        }
        if let Some(note) = for_swarm {
            self.tell_swarm(now, note);
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
