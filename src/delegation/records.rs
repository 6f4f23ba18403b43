//! All delegations that one server has on record, on either side.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::book::RecordId;
use crate::delegation::delegated::Delegated;
use crate::delegation::delegating::Delegating;
use crate::delegation::exchange::{Answer, Outgoing, PostOutcome};
use crate::delegation::machine::{Job, Note, RecordView, Side};
use crate::delegation::message::Message;
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::Pact;
use crate::delegation::turn::Turn;
use crate::dm::script::{Report, planted};
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber};

/// One delegation, as DMS-1 or as DMS-2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Record {
    Delegating(Delegating),
    Delegated(Delegated),
}

/// Says the same to either side.
macro_rules! either {
    ($record:expr, $side:ident => $say:expr) => {
        match $record {
            Record::Delegating($side) => $say,
            Record::Delegated($side) => $say,
        }
    };
}

impl Record {
    pub fn pact(&self) -> &Pact {
        either!(self, side => &side.pact)
    }

    pub fn pact_mut(&mut self) -> &mut Pact {
        either!(self, side => &mut side.pact)
    }

    pub fn received(&mut self, turn: &mut Turn<'_>, message: Message) -> Result<Answer, Misbehaved> {
        let (kind, session) = (message.kind(), message.session().cloned());
        let answer = either!(self, side => side.received(turn, message))?;
        self.pact_mut().see(kind, session.as_ref());
        Ok(answer)
    }

    pub fn posted(&mut self, turn: &mut Turn<'_>, exchange: Outgoing, outcome: PostOutcome) {
        either!(self, side => side.posted(turn, exchange, outcome));
    }

    pub fn errand_done(&mut self, turn: &mut Turn<'_>, job: Job, report: Report) {
        either!(self, side => side.errand_done(turn, job, report));
    }

    pub fn wake(&mut self, turn: &mut Turn<'_>) {
        either!(self, side => side.wake(turn));
    }

    pub fn is_over(&self) -> bool {
        either!(self, side => side.is_over())
    }

    pub fn is_at_rest(&self) -> bool {
        either!(self, side => side.is_at_rest())
    }

    /// Whether it ends with the delegate's account, which another delegation of the device has taken with it.
    pub fn goes_with_account(&self) -> bool {
        match self {
            Record::Delegating(side) => side.is_at_rest(),
            Record::Delegated(side) => side.is_at_rest() || side.is_confirmed(),
        }
    }

    pub fn is_revoking(&self) -> bool {
        either!(self, side => side.is_revoking())
    }

    /// Takes a process up again after a restart: the POSTs, errands and timers of before are gone.
    pub fn resume(&mut self, turn: &mut Turn<'_>) {
        either!(self, side => side.resume(turn));
    }

    /// Whether the outcome of this POST still makes a difference.
    pub fn awaits(&self, exchange: Outgoing) -> bool {
        either!(self, side => side.awaits(exchange))
    }

    /// Brings whatever it waits for so much nearer.
    pub fn age(&mut self, by: Duration) {
        self.pact_mut().age(by);
        either!(self, side => side.age(by));
    }

    /// The name of its state.
    pub fn state(&self) -> &'static str {
        either!(self, side => side.state_name())
    }

    /// That it has come to its state.
    pub fn note(&self) -> Note {
        let pact = self.pact();
        Note::Moved {
            device: pact.device,
            peer: pact.peer,
            side: pact.side,
            session: pact.delegation.id.clone(),
            subtree: pact.subtree.clone(),
            is_full: self.is_full(),
            state: self.state(),
        }
    }

    pub fn is_full(&self) -> bool {
        either!(self, side => side.is_full())
    }

    pub fn forget(&mut self, turn: &mut Turn<'_>) {
        either!(self, side => side.forget(turn));
    }

    pub fn view(&self) -> RecordView {
        either!(self, side => side.view())
    }
}

/// The records by name, and which of them are about which device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Records {
    all: BTreeMap<RecordId, Box<Record>>,
    by_device: BTreeSet<(DeviceNumber, RecordId)>,
    in_transition: usize,
}

/// What the books need to know of a record before a turn, to be brought up to date after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub deadline: Moment,
    pub state: &'static str,
    at_rest: bool,
}

impl Records {
    pub fn insert(&mut self, id: RecordId, record: Record) {
        self.by_device.insert((record.pact().device, id));
        self.in_transition += usize::from(!record.is_at_rest());
        self.all.insert(id, Box::new(record));
    }

    pub fn get(&self, id: RecordId) -> Option<&Record> {
        self.all.get(&id).map(Box::as_ref)
    }

    /// The record for one turn; `touched` has to be told when it is over.
    pub fn touch(&mut self, id: RecordId) -> Option<(&mut Record, Before)> {
        let record = self.all.get_mut(&id)?;
        let before = Before { deadline: record.pact().deadline, state: record.state(), at_rest: record.is_at_rest() };
        Some((record, before))
    }

    pub fn touched(&mut self, id: RecordId, before: Before) {
        let Some(record) = self.all.get(&id) else { return };
        self.in_transition -= usize::from(!before.at_rest);
        if record.is_over() {
            self.by_device.remove(&(record.pact().device, id));
            if !planted!(RecordNotPurged) {
                self.all.remove(&id);
            }
        } else {
            self.in_transition += usize::from(!record.is_at_rest());
        }
    }

    /// Brings whatever they wait for so much nearer.
    pub fn age(&mut self, by: Duration) {
        self.all.values_mut().for_each(|record| record.age(by));
    }

    pub fn in_transition(&self) -> usize {
        self.in_transition
    }

    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.all.values().map(Box::as_ref)
    }

    pub fn of(&self, device: DeviceNumber) -> impl Iterator<Item = (RecordId, &Record)> {
        self.by_device
            .range((device, RecordId::FIRST)..=(device, RecordId::LAST))
            .filter_map(|(_, id)| self.get(*id).map(|record| (*id, record)))
    }

    /// The delegations of a device between this server, playing `side`, and a peer; one for each sub-tree (D32).
    pub fn between(
        &self,
        device: DeviceNumber,
        peer: ServerNumber,
        side: Side,
    ) -> impl Iterator<Item = (RecordId, &Record)> {
        self.of(device).filter(move |(_, record)| record.pact().peer == peer && record.pact().side == side)
    }

    /// Of the delegations of a device between two servers, the one that a revocation is about: of this very sub-tree,
    /// else of one that overlaps with it; without a sub-tree one that is in force, else any (D4).
    pub fn meant(
        &self,
        device: DeviceNumber,
        peer: ServerNumber,
        side: Side,
        subtree: Option<&Uri>,
    ) -> Option<RecordId> {
        self.between(device, peer, side)
            .filter(|(_, record)| subtree.is_none_or(|uri| uri.overlaps(&record.pact().subtree)))
            .max_by_key(|(id, record)| {
                let is_exact = subtree.is_some_and(|uri| *uri == record.pact().subtree);
                (is_exact, record.is_at_rest() || record.is_revoking(), std::cmp::Reverse(*id))
            })
            .map(|(id, _)| id)
    }
}
