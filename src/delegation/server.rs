//! One server's machine: finds the record that an input is about, and lets it take its turn.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::book::{Book, Initiator, RecordId};
use crate::delegation::exchange::Outgoing;
use crate::delegation::machine::{Effect, Input, Note, Outbox, RecordView, Side};
use crate::delegation::message::Kind;
use crate::delegation::pact::Pact;
use crate::delegation::records::{Record, Records};
use crate::delegation::turn::Turn;
use crate::dm::script::planted;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

pub use crate::delegation::machine::{Accounts, Settings};

/// The delegation machine of one DM server, which may play both sides for any number of devices.
///
/// A clone shares the settings and nothing else, so a search can try two futures of one server.
#[derive(Clone)]
pub struct Server {
    pub(super) settings: Arc<Settings>,
    pub(super) records: Records,
    pub(super) book: Book,
}

impl Server {
    pub fn new(settings: Settings) -> Server {
        let mut book = Book::default();
        if settings.is_durable && settings.policy.waits_for_writes() {
            book.ended.keep_news();
        }
        Server { settings: Arc::new(settings), records: Records::default(), book }
    }

    /// Takes one input and pushes what is to be done. Every `Received` gets exactly one `Answer` in the same call,
    /// before any other effect of it. Outcomes and reports that nobody waits for any more change nothing.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Outbox) {
        let place = out.len();
        self.take_turn(now, input, out);
        self.write_ended(&mut out[place..]);
    }

    /// Lets the first image of a turn tell what is remembered of ended sessions since the one before.
    pub(super) fn write_ended(&mut self, turn: &mut [Effect]) {
        let image = turn.iter_mut().find_map(|effect| match effect {
            Effect::Persist(image) => Some(image),
            _ => None,
        });
        if let Some(image) = image {
            image.add(self.book.ended.take_news());
        }
    }

    fn take_turn(&mut self, now: Moment, input: Input, out: &mut Outbox) {
        match input {
            Input::Start { flow, device, peer, subtree } => self.start(now, flow, (device, peer, subtree), out),
            Input::Agreed { device, peer, approach } => self.book.agree(device, peer, approach),
            Input::Received { exchange, from, message } => {
                let place = out.len();
                let kind = message.kind();
                let (answer, applied_to) = self.received(now, from, message, out);
                // What is written before it is acted upon is written before the peer may rely on it.
                let written = out[place..].iter().take_while(|effect| matches!(effect, Effect::Persist(_))).count();
                if let Some(device) = applied_to.filter(|_| self.settings.is_watched) {
                    out.insert(place + written, Effect::Note(Note::Applied { kind, device }));
                }
                out.insert(place + written, Effect::Answer { exchange, answer });
            }
            Input::Posted { exchange, outcome } => {
                if let Some(id) = self.book.take_post(exchange) {
                    self.step(now, id, out, |record, turn| record.posted(turn, exchange, outcome));
                }
            }
            Input::ErrandDone { job, report } => {
                if let Some(id) = self.book.take_errand(job) {
                    self.step(now, id, out, |record, turn| record.errand_done(turn, job, report));
                }
            }
            Input::DeviceConnected { device } => {
                let waiting: Vec<RecordId> = self.records.of(device).map(|(id, _)| id).collect();
                for id in waiting {
                    self.step(now, id, out, |record, turn| {
                        if let Record::Delegated(side) = record {
                            side.device_connected(turn);
                        }
                    });
                }
            }
            Input::Wake => {
                while let Some(id) = self.book.due(now) {
                    self.step(now, id, out, |record, turn| record.wake(turn));
                }
            }
        }
    }

    /// When `Input::Wake` is due; [`Moment::NEVER`] while no timer runs.
    pub fn deadline(&self) -> Moment {
        self.book.deadline()
    }

    /// Brings every timer so much nearer: as if that time had gone by, told by a clock that goes on from where it stood. A
    /// driver that always says that it is [`Moment::ZERO`] lets time pass like this, and then machines that differ in
    /// their age alone are equal.
    pub fn age(&mut self, by: Duration) {
        self.records.age(by);
        self.book.age(by);
    }

    /// What a POST of this server is about: the device, which part this server plays, and what its record waits for.
    pub fn about(&self, exchange: Outgoing) -> Option<(DeviceNumber, Side, &'static str)> {
        let record = self.book.poster(exchange).and_then(|id| self.records.get(id))?;
        Some((record.pact().device, record.pact().side, record.state()))
    }

    /// Whether the outcome of this POST still makes a difference: if not, it need not be tried again.
    pub fn awaits(&self, exchange: Outgoing) -> bool {
        let record = self.book.poster(exchange).and_then(|id| self.records.get(id));
        record.is_some_and(|record| record.awaits(exchange))
    }

    /// Every delegation on record, oldest first.
    pub fn records(&self) -> impl Iterator<Item = RecordView> {
        self.records.iter().map(Record::view)
    }

    /// The delegations of one device on record: one for each peer, side and sub-tree.
    #[cfg(test)]
    pub fn records_of(&self, device: DeviceNumber) -> impl Iterator<Item = RecordView> {
        self.records.of(device).map(|(_, record)| record.view())
    }

    /// How many delegations have a process under way.
    pub fn in_transition(&self) -> usize {
        self.records.in_transition()
    }

    /// Opens a record with its session and lets it begin.
    pub(super) fn open(
        &mut self,
        now: Moment,
        side: Side,
        (device, peer, subtree): (DeviceNumber, ServerNumber, Uri),
        (session, by): (SessionId, Initiator),
        out: &mut Outbox,
        begin: impl FnOnce(&mut Turn<'_>, Pact) -> Record,
    ) {
        let id = self.book.new_record();
        let place = out.len();
        let mut turn = Turn::new(now, &self.settings, &mut self.book, id, out);
        let mut pact = Pact::open(&mut turn, side, (device, peer, subtree), (session, by));
        pact.join(&mut turn);
        if by == Initiator::Them {
            pact.delegation.seen.insert(Kind::DelegationReq);
        }
        let record = begin(&mut turn, pact);
        self.book.rearm(id, Moment::NEVER, record.pact().deadline);
        if self.settings.is_watched {
            note_move(&record, place, out);
        }
        self.records.insert(id, record);
        self.persist(id, device, place, out);
    }

    /// Has a record that has changed written to the store: before it is acted upon by a careful server, behind by one
    /// that goes by the text.
    fn persist(&self, id: RecordId, device: DeviceNumber, place: usize, out: &mut Outbox) {
        let is_lost = planted!(EndNotStored) && self.records.get(id).is_none();
        if let Some(image) = self.image(id, device).filter(|_| !is_lost) {
            let place = if self.settings.policy.waits_for_writes() { place } else { out.len() };
            out.insert(place, Effect::Persist(image));
        }
    }

    /// Has what is remembered of ended sessions written where no record has changed: before it is acted upon, or not at
    /// all, since by the text nobody remembers it after a death.
    pub(super) fn persist_ended(&self, device: DeviceNumber, out: &mut Outbox) {
        if self.settings.is_durable && self.settings.policy.waits_for_writes() {
            out.push(Effect::Persist(self.image_of_device(device)));
        }
    }

    /// One turn of one record; `None` when there is no such record any more.
    pub(super) fn step<T>(
        &mut self,
        now: Moment,
        id: RecordId,
        out: &mut Outbox,
        act: impl FnOnce(&mut Record, &mut Turn<'_>) -> T,
    ) -> Option<T> {
        let (has_passed_on, beside) = (self.has_passed_on(id), self.beside(id));
        let (record, before) = self.records.touch(id)?;
        let stored = self.settings.is_durable.then(|| record.clone());
        let place = out.len();
        let mut turn = Turn::new(now, &self.settings, &mut self.book, id, out);
        (turn.has_passed_on, turn.beside) = (has_passed_on, beside);
        let result = act(record, &mut turn);
        if record.is_over() {
            record.pact_mut().close(&mut turn);
        }
        let Turn { account_gone, is_given_back, takes_back, .. } = turn;
        let Pact { device, peer, side, deadline, .. } = *record.pact();
        let given_back = is_given_back.then(|| record.pact().subtree.clone());
        self.book.rearm(id, before.deadline, deadline);
        if self.settings.is_watched && record.state() != before.state {
            note_move(record, place, out);
        }
        let is_changed = stored.is_some_and(|stored| stored != *record);
        self.records.touched(id, before);
        if account_gone && side == Side::Delegating && self.settings.registry.has_account(peer, device) {
            self.book.learn_removal(device, peer);
        }
        if is_changed {
            self.persist(id, device, place, out);
        }
        if account_gone && !planted!(OthersKeptWithoutAccount) {
            self.account_gone(device, peer, side, out, now);
        }
        if let Some(subtree) = given_back {
            self.given_back(device, peer, side, &subtree, out, now);
        }
        if takes_back || side == Side::Delegating {
            self.take_back(now, device, out);
        }
        Some(result)
    }

    /// An account is for the device and not for a sub-tree: with it every delegation that is in force between these two
    /// servers has ended.
    fn account_gone(&mut self, device: DeviceNumber, peer: ServerNumber, side: Side, out: &mut Outbox, now: Moment) {
        let ended: Vec<RecordId> = self
            .records
            .between(device, peer, side)
            .filter(|(_, record)| record.goes_with_account())
            .map(|(id, _)| id)
            .collect();
        self.forget(ended, out, now);
    }

    /// A full delegation back to the server that it came from ends the one it came by.
    fn given_back(
        &mut self,
        device: DeviceNumber,
        peer: ServerNumber,
        side: Side,
        subtree: &Uri,
        out: &mut Outbox,
        now: Moment,
    ) {
        let ended: Vec<RecordId> = self
            .records
            .between(device, peer, side.opposite())
            .filter(|(_, record)| record.is_at_rest() && subtree.covers(&record.pact().subtree))
            .map(|(id, _)| id)
            .collect();
        self.forget(ended, out, now);
    }

    fn forget(&mut self, ids: Vec<RecordId>, out: &mut Outbox, now: Moment) {
        for id in ids {
            self.step(now, id, out, |record, turn| record.forget(turn));
        }
    }
}

/// Two machines of one server, with one and the same settings, that will do the same from now on.
impl PartialEq for Server {
    fn eq(&self, other: &Server) -> bool {
        self.records == other.records && self.book == other.book
    }
}

impl Eq for Server {}

impl Hash for Server {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.records.hash(state);
        self.book.hash(state);
    }
}

/// Tells that a record has come to its state, before anything else of this turn that others can see.
fn note_move(record: &Record, place: usize, out: &mut Outbox) {
    let is_unseen = |effect: &&Effect| matches!(effect, Effect::Note(_) | Effect::Answer { .. });
    let first = out[place..].iter().take_while(is_unseen).count();
    out.insert(place + first, Effect::Note(record.note()));
}
