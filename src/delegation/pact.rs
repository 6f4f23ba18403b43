//! What both sides' records of a delegation have in common: who, what, by which sessions, until when.

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::book::{Initiator, SessionKey};
use crate::delegation::ended::Last;
use crate::delegation::exchange::PostOutcome;
use crate::delegation::flow::Outcome;
use crate::delegation::machine::{Note, RecordView, Side, Standing};
use crate::delegation::message::Kind;
use crate::delegation::reading::RevocationSession;
use crate::delegation::reason;
use crate::delegation::turn::Turn;
use crate::dm::script::planted;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// One delegation between this server and a peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pact {
    pub device: DeviceNumber,
    pub peer: ServerNumber,
    pub side: Side,
    pub subtree: Uri,
    pub delegation: Thread,
    /// The revocation under way, or the last one that did not end the delegation.
    pub revocation: Option<Thread>,
    /// The name of the one before that, which did not end the delegation either: at DMS-1 it may be under way still.
    pub former_revocation: Option<SessionId>,
    /// When the state's timer fires.
    pub deadline: Moment,
    /// How long this side goes on trying what has failed for want of an answer: the device, and the peer.
    device_until: Option<Moment>,
    peer_until: Option<Moment>,
    /// Whether a flow has been joined and not yet settled.
    joined: bool,
}

/// How many times a device or a peer that does not answer is tried again, evenly over the time allowed.
const TRIES: u32 = 8;

/// One process between two servers: its name, and which messages of it have been taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Thread {
    pub id: SessionId,
    pub by: Initiator,
    pub seen: Seen,
}

/// A set of kinds of message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen(u16);

impl Seen {
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u16;
    }

    pub fn contains(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

/// Whether a message belongs to a revocation process (5.3.3 to 5.3.5), and not to a delegation process (5.3.1, 5.3.2).
fn is_of_revocation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DelegationTerminationReq
            | Kind::DelegationTerminationAck
            | Kind::DelegationTerminationResp
            | Kind::DelegationRevoked
            | Kind::RevocationFailure
            | Kind::DelegationRevocationReq
    )
}

/// The reasonCode of a message, where it says no.
pub(super) fn said_no(reason: Option<u16>) -> Option<u16> {
    reason.filter(|_| !reason::is_success(reason))
}

impl Pact {
    /// Opens the delegation's session in the book.
    pub fn open(
        turn: &mut Turn<'_>,
        side: Side,
        (device, peer, subtree): (DeviceNumber, ServerNumber, Uri),
        (id, by): (SessionId, Initiator),
    ) -> Pact {
        turn.open_session((id.clone(), peer, by));
        let delegation = Thread { id, by, seen: Seen::default() };
        let deadline = Moment::NEVER;
        let (device_until, peer_until) = (None, None);
        Pact {
            device,
            peer,
            side,
            subtree,
            delegation,
            revocation: None,
            former_revocation: None,
            deadline,
            device_until,
            peer_until,
            joined: false,
        }
    }

    /// When to try the device again that could not be reached; `None` when that has gone on for long enough. The text
    /// knows of no second try.
    pub fn device_again(&mut self, turn: &Turn<'_>) -> Option<Moment> {
        next_try(&mut self.device_until, turn, turn.settings.timeouts.device)
    }

    /// The device has done something, or is to do something else: what was in vain before does not count.
    pub fn have_patience_with_device(&mut self) {
        self.device_until = None;
    }

    /// As [`Pact::device_again`], for a peer that could not be told how a process has ended.
    pub fn peer_again(&mut self, turn: &Turn<'_>, outcome: &PostOutcome) -> Option<Moment> {
        outcome.may_change().then(|| next_try(&mut self.peer_until, turn, turn.settings.timeouts.peer)).flatten()
    }

    /// Opens a revocation process that this server begins (D22).
    pub fn begin_revocation(&mut self, turn: &mut Turn<'_>) -> SessionId {
        let id = match turn.settings.readings.revocation_session {
            RevocationSession::Fresh => turn.new_session(self.device),
            RevocationSession::Delegation => self.delegation.id.clone(),
        };
        self.open_revocation(turn, id.clone(), Initiator::Us);
        id
    }

    /// Opens a revocation process under the peer's name for it, which may be the delegation's own (D22).
    pub fn take_revocation(&mut self, turn: &mut Turn<'_>, id: &SessionId) {
        self.open_revocation(turn, id.clone(), Initiator::Them);
    }

    fn open_revocation(&mut self, turn: &mut Turn<'_>, id: SessionId, by: Initiator) {
        self.close_revocation(turn);
        let by = if id == self.delegation.id { self.delegation.by } else { by };
        if !planted!(RevocationSessionNotOpened) {
            turn.open_session((id.clone(), self.peer, by));
        }
        self.revocation = Some(Thread { id, by, seen: Seen::default() });
    }

    /// Closes the session of a revocation that did not end the delegation.
    pub fn close_revocation(&mut self, turn: &mut Turn<'_>) {
        if let Some(thread) = self.revocation.take()
            && thread.id != self.delegation.id
        {
            self.former_revocation = Some(thread.id.clone());
            let key = (thread.id, self.peer, thread.by);
            turn.book.close_session(&key);
            turn.book.ended.remember(key, Last { device: self.device, seen: thread.seen, refused: None });
        }
    }

    /// Closes both sessions in the book; late copies of their messages still get their answer.
    pub fn close(&mut self, turn: &mut Turn<'_>) {
        self.close_revocation(turn);
        let key: SessionKey = (self.delegation.id.clone(), self.peer, self.delegation.by);
        turn.book.close_session(&key);
        if !planted!(EndedForgotten) {
            turn.book.ended.remember(key, Last { device: self.device, seen: self.delegation.seen, refused: None });
        }
    }

    /// The revocation's sessionId; the delegation's where a forced revocation has none (D23).
    pub fn revocation_id(&self) -> SessionId {
        self.revocation.as_ref().unwrap_or(&self.delegation).id.clone()
    }

    /// Whether this message has been taken before: by the process of this name that [`Pact::see`] has told of it.
    pub fn has_seen(&self, kind: Kind, session: &SessionId) -> bool {
        let of_its_own = self.revocation.as_ref().filter(|thread| thread.id == *session);
        let thread = of_its_own.filter(|_| is_of_revocation(kind)).unwrap_or(&self.delegation);
        thread.id == *session && thread.seen.contains(kind)
    }

    /// Remembers that this message of a process, or of none, has been taken. A forced revocation has no process of its
    /// own: its notice may name the delegation's.
    pub fn see(&mut self, kind: Kind, session: Option<&SessionId>) {
        let of_its_own = self.revocation.as_mut().filter(|thread| session.is_none_or(|session| *session == thread.id));
        let thread = of_its_own.filter(|_| is_of_revocation(kind)).unwrap_or(&mut self.delegation);
        thread.seen.insert(kind);
    }

    /// This side begins to take part in a flow.
    pub fn join(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.joined, true) {
            turn.note(Note::Joined { device: self.device, peer: self.peer, side: self.side });
        }
    }

    /// This side has come to the end of the flow it joined; nothing where it has joined none.
    pub fn settle(&mut self, turn: &mut Turn<'_>, outcome: Outcome) {
        self.deadline = Moment::NEVER;
        (self.device_until, self.peer_until) = (None, None);
        // Under the delegation's name the next attempt looks like this one; it must not be taken for a copy.
        self.revocation.take_if(|thread| thread.id == self.delegation.id);
        if (planted!(SettledTwice) && self.joined) || std::mem::take(&mut self.joined) {
            turn.note(Note::Settled { device: self.device, peer: self.peer, side: self.side, outcome });
        }
    }

    /// Brings whatever it waits for so much nearer.
    pub fn age(&mut self, by: Duration) {
        self.deadline = self.deadline.sooner(by);
        for until in [&mut self.device_until, &mut self.peer_until].into_iter().flatten() {
            *until = until.sooner(by);
        }
    }

    pub fn view(&self, is_full: bool, standing: Standing) -> RecordView {
        let Pact { device, peer, side, .. } = *self;
        RecordView { device, peer, side, subtree: self.subtree.clone(), is_full, standing }
    }
}

fn next_try(until: &mut Option<Moment>, turn: &Turn<'_>, patience: Duration) -> Option<Moment> {
    if !turn.is_hardened() {
        return None;
    }
    let until = *until.get_or_insert(turn.now + patience);
    Some(turn.now + patience / TRIES).filter(|next| *next <= until)
}
