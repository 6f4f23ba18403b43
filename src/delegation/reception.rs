//! What a server does with a POST that comes in: finds its record, gives copies the same answer, and rejects the rest.

use crate::clock::Moment;
use crate::delegation::book::{Initiator, RecordId};
use crate::delegation::delegated::{termination_ack, url_delivery};
use crate::delegation::exchange::Answer;
use crate::delegation::machine::{Effect, Note, Outbox, Side};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::policy::Policy;
use crate::delegation::reason;
use crate::delegation::server::Server;
use crate::dm::script::planted;
use crate::dm::uri::Uri;
use crate::ids::{DeviceId, DeviceNumber, ServerNumber, SessionId, device_number};

/// Where a message belongs.
enum Found {
    /// To this record, which has not had it yet.
    Record(RecordId),
    /// It has been taken before.
    Copy(DeviceNumber),
    /// To a session that has ended, where it does no harm.
    Ended(DeviceNumber),
}

/// A message that was turned away, and the device it was about, where that is known.
pub(super) struct TurnedAway {
    pub why: Misbehaved,
    pub device: Option<DeviceNumber>,
}

impl From<Misbehaved> for TurnedAway {
    fn from(why: Misbehaved) -> TurnedAway {
        TurnedAway { why, device: None }
    }
}

impl Server {
    /// The one answer to a POST, and the device whose record it was applied to. What follows from it is pushed.
    pub(super) fn received(
        &mut self,
        now: Moment,
        from: ServerNumber,
        message: Message,
        out: &mut Outbox,
    ) -> (Answer, Option<DeviceNumber>) {
        let kind = message.kind();
        self.take(now, from, message, out).unwrap_or_else(|TurnedAway { why, device }| {
            out.push(Effect::Note(Note::Unexpected { kind, device, why: why.key() }));
            (Answer::Rejected(why), None)
        })
    }

    fn take(
        &mut self,
        now: Moment,
        from: ServerNumber,
        message: Message,
        out: &mut Outbox,
    ) -> Result<(Answer, Option<DeviceNumber>), TurnedAway> {
        if from == self.settings.me || usize::from(from.0) >= self.settings.servers.len() {
            return Err(Misbehaved::NotThePeer.into());
        }
        let kind = message.kind();
        let found = match &message {
            Message::DelegationReq { .. } => return self.requested(now, from, message, out),
            Message::DelegationResp { .. }
            | Message::BootstrapSrvUrlDelivery { .. }
            | Message::DelegationTerminationAck { .. } => {
                return Err(Misbehaved::MisplacedMessage { root: kind.root() }.into());
            }
            Message::DelegationTerminationReq { device, subtree, session } => {
                self.find_by_device(kind, from, Side::Delegated, (device, subtree.as_deref()), Some(session))?
            }
            Message::DelegationRevocationReq { device, subtree, session } => {
                self.find_by_device(kind, from, Side::Delegating, (device, subtree.as_deref()), Some(session))?
            }
            Message::DelegationRevoked { device, subtree, session, .. } => {
                self.find_revoked(from, device.as_ref(), subtree.as_deref(), session.as_ref())?
            }
            other => {
                let session = other.session().expect("only DELEGATION_REVOKED may lack a session");
                let found = self.find_by_session(kind, from, session);
                let is_unknown =
                    |away: &TurnedAway| matches!(away.why, Misbehaved::UnknownSession) && away.device.is_none();
                // The peer has given up, or died, before its request has come: it may come yet (D35). Which device it is
                // about nobody knows, so that it is written with the next image.
                if kind == Kind::DelegationFailure
                    && self.settings.policy == Policy::Hardened
                    && found.as_ref().is_err_and(is_unknown)
                {
                    self.book.ended.remember_failure(session.clone(), from);
                }
                if planted!(UnknownSessionTaken) && found.as_ref().is_err_and(is_unknown) {
                    return Ok((Answer::NoContent, None));
                }
                found?
            }
        };
        match found {
            Found::Ended(device) => {
                if let Some(session) = message.session() {
                    self.book.ended.see(session, from, kind);
                }
                self.persist_ended(device, out);
                Ok((Answer::NoContent, Some(device)))
            }
            Found::Copy(device) => {
                out.push(Effect::Note(Note::Duplicate { kind, device: Some(device) }));
                Ok((self.same_answer(kind, device, message.session()), None))
            }
            Found::Record(id) => self.take_by(now, id, from, message, out),
        }
    }

    fn take_by(
        &mut self,
        now: Moment,
        id: RecordId,
        from: ServerNumber,
        message: Message,
        out: &mut Outbox,
    ) -> Result<(Answer, Option<DeviceNumber>), TurnedAway> {
        let (kind, session) = (message.kind(), message.session().cloned());
        let is_notice = kind == Kind::DelegationRevoked && session.is_none();
        let device = self.records.get(id).map(|record| record.pact().device);
        let taken = self.step(now, id, out, |record, turn| record.received(turn, message));
        let answer = taken.unwrap_or(Err(Misbehaved::UnknownSession)).map_err(|why| TurnedAway { why, device })?;
        if let Some(device) = device.filter(|_| is_notice) {
            self.book.ended.remember_notice(device, from);
        }
        // The process that it ended may have been closed before.
        if let Some(session) = session.filter(|_| kind == Kind::DelegationRevoked) {
            self.book.ended.see(&session, from, kind);
        }
        Ok((answer, device))
    }

    fn same_answer(&self, kind: Kind, device: DeviceNumber, session: Option<&SessionId>) -> Answer {
        match (kind, session) {
            (Kind::BootstrapSrvUrlReq, Some(session)) => url_delivery(&self.settings, device, session.clone()),
            (Kind::DelegationTerminationReq, Some(session)) if !planted!(AckNotRepeated) => {
                termination_ack(session.clone())
            }
            _ => Answer::NoContent,
        }
    }

    /// By (peer, sessionId). Both sides make names up by themselves (D35), so there can be two processes of one name:
    /// then the message belongs to the one in whose role it can come, and there to the one that moves.
    fn find_by_session(&self, kind: Kind, from: ServerNumber, session: &SessionId) -> Result<Found, TurnedAway> {
        let mut is_somebody_elses = false;
        let mut best = None;
        for (peer, id) in self.book.sessions_named(session) {
            let Some(record) = self.records.get(id) else { continue };
            if peer != from {
                is_somebody_elses = true;
                continue;
            }
            let rank = (receiver(kind).is_none_or(|side| side == record.pact().side), !record.is_at_rest());
            if best.is_none_or(|(so_far, _, _)| rank > so_far) {
                best = Some((rank, id, record));
            }
        }
        if let Some((_, id, record)) = best {
            let is_copy = !planted!(CopyNotKnown) && record.pact().has_seen(kind, session);
            return Ok(if is_copy { Found::Copy(record.pact().device) } else { Found::Record(id) });
        }
        match self.book.ended.session(session, from, kind) {
            Some(last) if last.seen.contains(kind) => Ok(Found::Copy(last.device)),
            // Both sides have ended the process, and what they said of it has crossed.
            Some(last)
                if matches!(kind, Kind::DelegationFailure | Kind::RevocationFailure)
                    && !self.book.ended.has_failed(session, from) =>
            {
                Ok(Found::Ended(last.device))
            }
            _ if is_somebody_elses => Err(Misbehaved::NotThePeer.into()),
            last => Err(TurnedAway { why: Misbehaved::UnknownSession, device: last.map(|last| last.device) }),
        }
    }

    /// By (peer, deviceId), as a message that opens a process, or has none, is to be resolved (D5, D22).
    fn find_by_device(
        &self,
        kind: Kind,
        from: ServerNumber,
        side: Side,
        (device, subtree): (&DeviceId, Option<&str>),
        session: Option<&SessionId>,
    ) -> Result<Found, TurnedAway> {
        if !planted!(TerminationTakenTwice)
            && let Some(session) = session
            && let Some(copy) = self.copy(kind, from, session)
        {
            return Ok(copy);
        }
        let device = device_number(device.as_str()).ok_or(Misbehaved::UnknownDevice)?;
        let away = |why| TurnedAway { why, device: Some(device) };
        let subtree = match subtree {
            None => None,
            Some(text) => Some(Uri::parse(text).map_err(|_| away(bad_subtree(kind, text)))?),
        };
        let Some(id) = self.records.meant(device, from, side, subtree.as_ref()) else {
            return if session.is_none() && self.book.ended.had_notice(device, from) {
                Ok(Found::Copy(device))
            } else {
                Err(away(Misbehaved::UnknownDevice))
            };
        };
        // A name that stands for another of its processes cannot open one here.
        if let Some(session) = session
            && self.book.session(&(session.clone(), from, Initiator::Them)).is_some_and(|other| other != id)
        {
            return Err(away(Misbehaved::NotInThisState {
                message: kind.root(),
                state: "another session of this name",
            }));
        }
        Ok(Found::Record(id))
    }

    /// By session where it has one that is known, else by device (D5, D22).
    fn find_revoked(
        &self,
        from: ServerNumber,
        device: Option<&DeviceId>,
        subtree: Option<&str>,
        session: Option<&SessionId>,
    ) -> Result<Found, TurnedAway> {
        let kind = Kind::DelegationRevoked;
        let by_session = session.map(|session| {
            self.find_by_session(kind, from, session).or_else(|away| self.find_given_up(from, session).ok_or(away))
        });
        match (by_session, device) {
            (Some(Ok(found)), _) => Ok(found),
            (Some(Err(away)), _) if matches!(away.why, Misbehaved::NotThePeer) => Err(away),
            // A careful server names the delegation that it ends; another one, of the same device, is not meant.
            (Some(Err(away)), _) if self.settings.policy == Policy::Hardened && !planted!(LateNoticeEndsAnother) => {
                Err(away)
            }
            (_, Some(device)) => self.find_by_device(kind, from, Side::Delegated, (device, subtree), None),
            (Some(Err(away)), None) => Err(away),
            (None, None) => Err(Misbehaved::MissingElement { message: kind.root(), element: "sessionId" }.into()),
        }
    }

    /// By the session of a revocation that we have given up and that was followed by another one: the account has gone
    /// with the former one nevertheless.
    fn find_given_up(&self, from: ServerNumber, session: &SessionId) -> Option<Found> {
        let last = self.book.ended.session(session, from, Kind::DelegationRevoked)?;
        let mut ours = self.records.between(last.device, from, Side::Delegated);
        let meant = ours.find(|(_, record)| record.pact().former_revocation.as_ref() == Some(session));
        meant.map(|(id, _)| Found::Record(id))
    }

    /// Whether a message that opens a process has been taken before.
    fn copy(&self, kind: Kind, from: ServerNumber, session: &SessionId) -> Option<Found> {
        let open = self.book.sessions_named(session).filter(|(peer, _)| *peer == from);
        let open = open.filter_map(|(_, id)| self.records.get(id)).map(crate::delegation::records::Record::pact);
        let device = open.filter(|pact| pact.has_seen(kind, session)).map(|pact| pact.device).next();
        let ended = || self.book.ended.session(session, from, kind).filter(|last| last.seen.contains(kind));
        device.or_else(|| ended().map(|last| last.device)).map(Found::Copy)
    }
}

/// The side that a message is for; `None` where it is for both.
fn receiver(kind: Kind) -> Option<Side> {
    match kind {
        Kind::BootstrapConfirmed
        | Kind::DelegationConfirmed
        | Kind::DelegationTerminationResp
        | Kind::DelegationRevocationReq => Some(Side::Delegating),
        Kind::DelegationPrepared
        | Kind::BootstrapSrvUrlReq
        | Kind::DelegationTerminationReq
        | Kind::DelegationRevoked => Some(Side::Delegated),
        _ => None,
    }
}

pub(super) fn bad_subtree(kind: Kind, text: &str) -> Misbehaved {
    Misbehaved::BadValue { message: kind.root(), element: "DMTreeURI", found: text.chars().take(64).collect() }
}

/// DELEGATION_RESP.
pub(super) fn response(session: SessionId, refused: Option<u16>) -> Answer {
    let reason = Some(refused.unwrap_or(reason::OK));
    Answer::Message(Message::DelegationResp { reason, is_acknowledged: refused.is_none(), session })
}
