//! One turn of a server's machine for one record: the moment, what it may know, and where its effects go.

use crate::clock::Moment;
use crate::delegation::book::{Book, RecordId, SessionKey};
use crate::delegation::exchange::Outgoing;
use crate::delegation::machine::{Effect, Job, Note, Outbox, Settings, Timer};
use crate::delegation::message::Message;
use crate::delegation::policy::Policy;
use crate::dm::script::Errand;
use crate::ids::{DeviceNumber, ServerId, ServerNumber, SessionId};

/// What a server has on record of the peer that it has a wish of, for the same sub-tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beside {
    Nothing,
    /// A delegation that is in force as far as this server knows: no longer, once the peer has granted the wish.
    OutOfDate,
    /// A full delegation (5.2.1.5), in force or on its way there.
    Everything,
}

/// What a record works with while it handles one input.
pub(super) struct Turn<'a> {
    pub now: Moment,
    pub settings: &'a Settings,
    pub book: &'a mut Book,
    /// Set when the delegate's account has gone from the device: every delegation between the two servers of this
    /// device that is at rest has ended with it, since an account is for the device, not for a sub-tree.
    pub account_gone: bool,
    /// Set when a full delegation has come into force: one that the device was handed over by the other way round
    /// before is over.
    pub is_given_back: bool,
    /// Whether this server has delegated on, to others, what the record gives it.
    pub has_passed_on: bool,
    /// What stands beside the record, where that is of a wish of ours.
    pub beside: Beside,
    /// Set when what it has delegated on is to be taken back.
    pub takes_back: bool,
    record: RecordId,
    out: &'a mut Outbox,
}

impl<'a> Turn<'a> {
    pub fn new(
        now: Moment,
        settings: &'a Settings,
        book: &'a mut Book,
        record: RecordId,
        out: &'a mut Outbox,
    ) -> Turn<'a> {
        Turn {
            now,
            settings,
            book,
            account_gone: false,
            is_given_back: false,
            has_passed_on: false,
            beside: Beside::Nothing,
            takes_back: false,
            record,
            out,
        }
    }

    pub fn post(&mut self, to: ServerNumber, message: Message) -> Outgoing {
        let exchange = self.book.new_post(self.record);
        self.out.push(Effect::Post { exchange, to, message });
        exchange
    }

    pub fn errand(&mut self, device: DeviceNumber, errand: Errand) -> Job {
        let job = self.book.new_errand(self.record);
        self.out.push(Effect::Errand { job, device, errand });
        job
    }

    pub fn renew_account(&mut self, device: DeviceNumber) {
        self.out.push(Effect::RenewAccount { device });
    }

    pub fn note(&mut self, note: Note) {
        self.out.push(Effect::Note(note));
    }

    /// Whether this server does what a careful operator would ship.
    pub fn is_hardened(&self) -> bool {
        self.settings.policy == Policy::Hardened
    }

    /// A timer has fired that was still waited for.
    pub fn timer_fired(&mut self, device: DeviceNumber, timer: Timer) {
        self.note(Note::TimerFired { device, timer });
    }

    pub fn new_session(&mut self, device: DeviceNumber) -> SessionId {
        self.book.new_session(self.settings.me, device, self.settings.readings.session_names)
    }

    pub fn open_session(&mut self, key: SessionKey) {
        self.book.open_session(key, self.record);
    }

    /// The identifier of a server that is known to exist.
    pub fn server_id(&self, server: ServerNumber) -> ServerId {
        self.settings.servers[usize::from(server.0)].clone()
    }
}
