//! What a delegate has delegated on ends before it gives the device back: that, too, is one of its activities (5.2.3.4).
//!
//! The text has no word for chains. Literally a delegate leaves its own delegates in force, and when its account has
//! gone nobody is left who could revoke them: the server at the head does not know of them. A careful delegate revokes
//! them by force, which waits for nobody's consent, and tells them.

use crate::clock::Moment;
use crate::delegation::book::RecordId;
use crate::delegation::delegated::Delegated;
use crate::delegation::delegating::Delegating;
use crate::delegation::flow::Revocation;
use crate::delegation::machine::{Outbox, Side};
use crate::delegation::policy::Policy;
use crate::delegation::records::Record;
use crate::delegation::server::Server;
use crate::dm::script::planted;
use crate::ids::DeviceNumber;

impl Server {
    /// Whether this record is of a delegation to us of which we have delegated something on that can be taken back. Only
    /// a careful server looks.
    pub(super) fn has_passed_on(&self, id: RecordId) -> bool {
        match self.records.get(id) {
            Some(Record::Delegated(side)) if self.settings.policy == Policy::Hardened => {
                self.passed_on(side).next().is_some() && !planted!(PassedOnKept)
            }
            _ => false,
        }
    }

    /// Goes on with taking back what is to be taken back of a device, and lets those reports go that waited for it.
    pub(super) fn take_back(&mut self, now: Moment, device: DeviceNumber, out: &mut Outbox) {
        let waiting = self.records.of(device).filter(|(_, record)| winds_down(record).is_some()).map(|(id, _)| id);
        for id in waiting.collect::<Vec<_>>() {
            while let Some(next) = self.next_to_take_back(id) {
                self.step(now, next, out, |record, turn| {
                    if let Record::Delegating(side) = record {
                        side.revoke(turn, Revocation::Forced { notice: true });
                    }
                });
            }
            if !self.has_passed_on(id) {
                self.step(now, id, out, |record, turn| {
                    if let Record::Delegated(side) = record {
                        side.taken_back(turn);
                    }
                });
            }
        }
    }

    /// What we have delegated of what was delegated to us: in force, or on its way there or back. What is delegated by
    /// the owner's own authority is not, nor what went back to where it came from or to the owner: the account that
    /// would go with it may be the last that can put anything right.
    fn passed_on<'a>(&'a self, from: &'a Delegated) -> impl Iterator<Item = (RecordId, &'a Delegating)> {
        let (device, giver, subtree) = (from.pact.device, from.pact.peer, &from.pact.subtree);
        let owner = self.settings.registry.owner(device);
        let is_ours = owner == Some(self.settings.me) && !self.book.gave_up(device);
        self.records.of(device).filter_map(move |(id, record)| match record {
            Record::Delegating(side) => {
                let goes_back = side.pact.peer == giver || Some(side.pact.peer) == owner;
                let is_part = !is_ours && !goes_back && subtree.covers(&side.pact.subtree);
                (is_part && side.can_be_taken_back()).then_some((id, side))
            }
            Record::Delegated(_) => None,
        })
    }

    /// One of them that is at rest. With the account all the delegations to one server go, so only one of these is
    /// revoked at a time.
    fn next_to_take_back(&self, id: RecordId) -> Option<RecordId> {
        let from = self.records.get(id).and_then(winds_down)?;
        let is_revoking = |side: &Delegating| {
            let mut all = self.records.between(side.pact.device, side.pact.peer, Side::Delegating);
            all.any(|(_, record)| record.is_revoking())
        };
        self.passed_on(from).find(|(_, side)| side.is_at_rest() && !is_revoking(side)).map(|(id, _)| id)
    }
}

/// The delegation to us that waits for what we have delegated on.
fn winds_down(record: &Record) -> Option<&Delegated> {
    match record {
        Record::Delegated(side) if side.takes_back() => Some(side),
        _ => None,
    }
}
