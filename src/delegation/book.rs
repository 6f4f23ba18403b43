//! What a server has under way, by name: its POSTs, errands, timers and sessions, and what it has learnt of devices.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::ended::Ended;
use crate::delegation::exchange::Outgoing;
use crate::delegation::flow::Approach;
use crate::delegation::machine::Job;
use crate::delegation::reading::SessionNames;
use crate::delegation::session_name::SessionName;
use crate::dm::script::planted;
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// Names one record of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u64);

impl RecordId {
    pub const FIRST: RecordId = RecordId(0);
    pub const LAST: RecordId = RecordId(u64::MAX);
}

/// Who made up a session's name. Both sides do so independently, so a name alone says nothing (D35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Initiator {
    Us,
    Them,
}

/// A process's full name: sessionId, peer, and who of the two made it up.
pub(super) type SessionKey = (SessionId, ServerNumber, Initiator);

/// Everything that leads from a name to a record. At rest a record costs one entry in `sessions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Book {
    records: u64,
    posts_made: u64,
    errands_made: u64,
    posts: BTreeMap<Outgoing, RecordId>,
    errands: BTreeMap<Job, RecordId>,
    timers: BTreeSet<(Moment, RecordId)>,
    sessions: BTreeMap<SessionKey, RecordId>,
    agreed: BTreeMap<(DeviceNumber, ServerNumber), Approach>,
    devices: BTreeMap<DeviceNumber, Learnt>,
    /// Accounts that a server had when the run began and that this server has removed since.
    removed: BTreeSet<(DeviceNumber, ServerNumber)>,
    pub ended: Ended,
}

/// What became different from the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Learnt {
    /// How often any of this has changed: of two images the greater is the later.
    changes: u32,
    /// Sessions this server has named for the device; counted per device, so that names do not depend on what other
    /// devices do.
    sessions: u32,
    /// Whether this server has an account there; `None` while it is as the registry says.
    account: Option<bool>,
    /// Whether this server has given its authority away (5.2.1.5).
    gave_up: bool,
}

impl Book {
    pub fn new_record(&mut self) -> RecordId {
        self.records += 1;
        RecordId(self.records)
    }

    pub fn new_post(&mut self, record: RecordId) -> Outgoing {
        self.posts_made += 1;
        let exchange = Outgoing(self.posts_made);
        self.posts.insert(exchange, record);
        exchange
    }

    /// The record whose POST this is; asked once, when its outcome is known.
    pub fn take_post(&mut self, exchange: Outgoing) -> Option<RecordId> {
        self.posts.remove(&exchange)
    }

    pub fn new_errand(&mut self, record: RecordId) -> Job {
        self.errands_made += 1;
        let job = Job(self.errands_made);
        self.errands.insert(job, record);
        job
    }

    /// The record whose errand this is; asked once, when it has ended.
    pub fn take_errand(&mut self, job: Job) -> Option<RecordId> {
        self.errands.remove(&job)
    }

    /// Moves a record's timer; [`Moment::NEVER`] for none.
    pub fn rearm(&mut self, record: RecordId, before: Moment, after: Moment) {
        if before == after {
            return;
        }
        if before.is_set() {
            self.timers.remove(&(before, record));
        }
        if after.is_set() {
            self.timers.insert((after, record));
        }
    }

    /// Brings every timer so much nearer.
    pub fn age(&mut self, by: Duration) {
        self.timers =
            std::mem::take(&mut self.timers).into_iter().map(|(at, record)| (at.sooner(by), record)).collect();
    }

    pub fn deadline(&self) -> Moment {
        self.timers.first().map_or(Moment::NEVER, |(moment, _)| *moment)
    }

    /// The record whose timer fires first, if it is due.
    pub fn due(&self, now: Moment) -> Option<RecordId> {
        self.timers.first().filter(|(moment, _)| *moment <= now).map(|(_, record)| *record)
    }

    /// A name that this server has not used.
    pub fn new_session(&mut self, me: ServerNumber, device: DeviceNumber, names: SessionNames) -> SessionId {
        let learnt = self.learn(device);
        learnt.sessions += u32::from(!planted!(SessionNameUsedTwice));
        let by = match names {
            SessionNames::Own => Some(me),
            SessionNames::Shared => None,
        };
        SessionName { by, device, number: learnt.sessions }.id()
    }

    pub fn open_session(&mut self, key: SessionKey, record: RecordId) {
        self.sessions.insert(key, record);
    }

    pub fn close_session(&mut self, key: &SessionKey) {
        self.sessions.remove(key);
    }

    pub fn session(&self, key: &SessionKey) -> Option<RecordId> {
        self.sessions.get(key).copied()
    }

    /// Every record with a session of this name, whoever the peer is and whoever made the name up.
    pub fn sessions_named(&self, id: &SessionId) -> impl Iterator<Item = (ServerNumber, RecordId)> {
        let first = (id.clone(), ServerNumber(0), Initiator::Us);
        let last = (id.clone(), ServerNumber(u16::MAX), Initiator::Them);
        self.sessions.range(first..=last).map(|((_, peer, _), record)| (*peer, *record))
    }

    pub fn agree(&mut self, device: DeviceNumber, peer: ServerNumber, approach: Approach) {
        self.agreed.insert((device, peer), approach);
    }

    /// What was agreed for the next delegation of this device; holds once.
    pub fn take_agreed(&mut self, device: DeviceNumber, peer: ServerNumber) -> Option<Approach> {
        self.agreed.remove(&(device, peer))
    }

    /// Whether this server has an account on the device, where that differs from what it was at first.
    pub fn own_account(&self, device: DeviceNumber) -> Option<bool> {
        self.devices.get(&device).and_then(|learnt| learnt.account)
    }

    pub fn learn_own_account(&mut self, device: DeviceNumber, there: bool) {
        self.learn(device).account = Some(there);
    }

    /// Section 5.2.1.5: this server has removed its own account.
    pub fn give_up(&mut self, device: DeviceNumber) {
        let learnt = self.learn(device);
        learnt.account = Some(false);
        learnt.gave_up = true;
    }

    /// To be changed, once.
    fn learn(&mut self, device: DeviceNumber) -> &mut Learnt {
        let learnt = self.devices.entry(device).or_default();
        learnt.changes += 1;
        learnt
    }

    pub fn gave_up(&self, device: DeviceNumber) -> bool {
        self.devices.get(&device).is_some_and(|learnt| learnt.gave_up)
    }

    pub fn learn_removal(&mut self, device: DeviceNumber, of: ServerNumber) {
        self.removed.insert((device, of));
    }

    /// What has been learnt of a device.
    pub fn learnt(&self, device: DeviceNumber) -> Option<Learnt> {
        self.devices.get(&device).copied()
    }

    /// The servers whose accounts on a device this server has removed.
    pub fn removed(&self, device: DeviceNumber) -> impl Iterator<Item = ServerNumber> {
        let range = (device, ServerNumber(0))..=(device, ServerNumber(u16::MAX));
        self.removed.range(range).map(|(_, server)| *server)
    }

    /// Takes over what a store has kept: a record's name is not given again, and what was learnt is known.
    pub fn recall(&mut self, id: RecordId, device: DeviceNumber, learnt: Option<Learnt>, removed: &[ServerNumber]) {
        self.records = self.records.max(id.0);
        if let Some(learnt) = learnt {
            // Images are written one by one, and not in the order of their records.
            let known = self.devices.entry(device).or_insert(learnt);
            if learnt.changes > known.changes {
                *known = learnt;
            }
        }
        self.removed.extend(removed.iter().map(|server| (device, *server)));
    }

    /// The record that waits for the outcome of a POST.
    pub fn poster(&self, exchange: Outgoing) -> Option<RecordId> {
        self.posts.get(&exchange).copied()
    }

    pub fn has_removed(&self, device: DeviceNumber, of: ServerNumber) -> bool {
        self.removed.contains(&(device, of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_images_the_later_one_says_what_was_learnt_whichever_record_it_is_of() {
        const DEVICE: DeviceNumber = DeviceNumber(0);
        let mut book = Book::default();
        let mut image = |change: fn(&mut Book)| {
            change(&mut book);
            book.learnt(DEVICE)
        };
        let earlier = image(|book| book.learn_own_account(DEVICE, true));
        let later = image(|book| book.give_up(DEVICE));
        for images in [[(1, later), (2, earlier)], [(1, earlier), (2, later)]] {
            let mut back = Book::default();
            for (id, learnt) in images {
                back.recall(RecordId(id), DEVICE, learnt, &[]);
            }
            assert!(back.gave_up(DEVICE), "{images:?}");
            assert_eq!(back.own_account(DEVICE), Some(false));
        }
    }
}
