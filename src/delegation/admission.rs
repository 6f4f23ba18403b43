//! How a flow begins, by the operator or by the peer: who plays which side, and what is refused.

use crate::clock::Moment;
use crate::delegation::book::{Initiator, RecordId};
use crate::delegation::delegated::Delegated;
use crate::delegation::delegating::{Delegating, Terms};
use crate::delegation::ended::Last;
use crate::delegation::exchange::Answer;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::{Effect, Note, Outbox, Side};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::{Pact, Seen};
use crate::delegation::policy::Policy;
use crate::delegation::reason;
use crate::delegation::reception::{TurnedAway, bad_subtree, response};
use crate::delegation::records::Record;
use crate::delegation::server::Server;
use crate::delegation::turn::Beside;
use crate::dm::script::planted;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber, SessionId, device_id, device_number};

impl Server {
    /// The operator wants a flow. One that cannot begin is settled as refused, without a message.
    pub(super) fn start(
        &mut self,
        now: Moment,
        flow: FlowKind,
        (device, peer, subtree): (DeviceNumber, ServerNumber, Uri),
        out: &mut Outbox,
    ) {
        match flow {
            FlowKind::Delegate { approach, is_full, by_delegated } => {
                let side = if by_delegated { Side::Delegated } else { Side::Delegating };
                if let Some(reason) = self.refusal_to_ask(side, device, peer, &subtree, is_full) {
                    refuse(device, peer, side, reason, out);
                    return;
                }
                let names = self.settings.readings.session_names;
                let session = self.book.new_session(self.settings.me, device, names);
                let request = self.request(device, &subtree, is_full, session.clone());
                let terms = self.terms(device, peer, is_full);
                self.open(now, side, (device, peer, subtree), (session, Initiator::Us), out, |turn, pact| match side {
                    Side::Delegating => Record::Delegating(Delegating::ask(turn, pact, approach, terms, request)),
                    Side::Delegated => Record::Delegated(Delegated::ask(turn, pact, approach, is_full, request)),
                });
            }
            FlowKind::Revoke(how) => {
                let side = if how == Revocation::Requested { Side::Delegated } else { Side::Delegating };
                match self.revocable(device, peer, side, &subtree) {
                    Err(reason) => refuse(device, peer, side, reason, out),
                    Ok(id) => {
                        self.step(now, id, out, |record, turn| match record {
                            Record::Delegating(side) => side.revoke(turn, how),
                            Record::Delegated(side) => side.request_revocation(turn),
                        });
                    }
                }
            }
        }
    }

    /// DELEGATION_REQ of a peer. It does not say which side the sender plays: whoever holds the authority over the
    /// device and the sub-tree is DMS-1 (D12). A refusal is a DELEGATION_RESP, never a bare status.
    pub(super) fn requested(
        &mut self,
        now: Moment,
        from: ServerNumber,
        message: Message,
        out: &mut Outbox,
    ) -> Result<(Answer, Option<DeviceNumber>), TurnedAway> {
        let Message::DelegationReq { server, device, subtree, is_full, session, .. } = message else {
            return Err(Misbehaved::MisplacedMessage { root: message.kind().root() }.into());
        };
        // D10: the identifier is the sender's own.
        if server != self.settings.servers[usize::from(from.0)] {
            return Err(Misbehaved::NotThePeer.into());
        }
        let uri = Uri::parse(&subtree).map_err(|_| bad_subtree(Kind::DelegationReq, &subtree))?;
        let known = device_number(device.as_str()).filter(|number| self.settings.registry.owner(*number).is_some());
        let Some(device) = known else { return Ok((response(session, Some(reason::NOT_FOUND)), None)) };
        if !planted!(CopyOfRequestTakenAnew)
            && let Some(answer) = self.asked_before(from, device, &uri, &session, out)
        {
            return Ok((answer, None));
        }
        let side = if self.has_authority(device, &uri, Some(from)) { Side::Delegating } else { Side::Delegated };
        let is_undecidable = side == Side::Delegated && self.holds_a_part(device, &uri, from);
        let is_second_gift =
            is_full && side == Side::Delegating && self.is_giving_away(device, from) && !planted!(SecondGiftAccepted);
        // A DELEGATION_FAILURE could be about either of two processes of one name (D35): a careful server has no such two.
        let is_ours = self.settings.policy == Policy::Hardened
            && self.book.session(&(session.clone(), from, Initiator::Us)).is_some();
        let clashes = self.clashes(side, device, from, &uri) && !planted!(CrossingRequestsBothAccepted);
        let goes_round = self.goes_round(side, device, from, &uri, is_full);
        let has_failed = self.book.ended.has_failed(&session, from);
        if is_undecidable || is_second_gift || is_ours || clashes || goes_round || has_failed {
            let reason = reason::CONFLICT;
            let mut seen = Seen::default();
            seen.insert(Kind::DelegationReq);
            let key = (session.clone(), from, Initiator::Them);
            self.book.ended.remember(key, Last { device, seen, refused: Some(reason) });
            self.persist_ended(device, out);
            refuse(device, from, side, reason, out);
            return Ok((response(session, Some(reason)), Some(device)));
        }
        if side == Side::Delegated {
            self.make_room(now, device, from, &uri, out);
        }
        let approach = self.book.take_agreed(device, from);
        let terms = self.terms(device, from, is_full);
        let opened = (session.clone(), Initiator::Them);
        self.open(now, side, (device, from, uri), opened, out, |turn, pact| match side {
            Side::Delegating => Record::Delegating(Delegating::grant(turn, pact, approach, terms)),
            Side::Delegated => Record::Delegated(Delegated::accept(turn, pact, approach, is_full)),
        });
        Ok((response(session, None), Some(device)))
    }

    /// The same request gets the same answer (D35); another one under the same name is refused.
    fn asked_before(
        &self,
        from: ServerNumber,
        device: DeviceNumber,
        subtree: &Uri,
        session: &SessionId,
        out: &mut Outbox,
    ) -> Option<Answer> {
        let kind = Kind::DelegationReq;
        let key = (session.clone(), from, Initiator::Them);
        let refused = match self.book.session(&key).and_then(|id| self.records.get(id)) {
            Some(record) => {
                let pact = record.pact();
                let is_same = pact.has_seen(kind, session) && pact.device == device && pact.subtree == *subtree;
                if is_same { None } else { return Some(response(session.clone(), Some(reason::CONFLICT))) }
            }
            None => {
                let last = self.book.ended.session(session, from, kind).filter(|last| last.seen.contains(kind))?;
                if last.device == device {
                    last.refused
                } else {
                    return Some(response(session.clone(), Some(reason::CONFLICT)));
                }
            }
        };
        out.push(Effect::Note(Note::Duplicate { kind, device: Some(device) }));
        Some(response(session.clone(), refused))
    }

    /// Why this server does not ask for a delegation; `None` when it does.
    fn refusal_to_ask(
        &self,
        side: Side,
        device: DeviceNumber,
        peer: ServerNumber,
        subtree: &Uri,
        is_full: bool,
    ) -> Option<u16> {
        let is_known = usize::from(peer.0) < self.settings.servers.len() && peer != self.settings.me;
        if !is_known || self.settings.registry.owner(device).is_none() {
            Some(reason::NOT_FOUND)
        } else if side == Side::Delegating && !self.has_authority(device, subtree, None) {
            Some(if self.book.gave_up(device) { reason::NOT_ALLOWED } else { reason::FORBIDDEN })
        } else if self.clashes(side, device, peer, subtree)
            || self.is_asking(side, device, peer, subtree)
            || self.goes_round(side, device, peer, subtree, is_full)
            || side == Side::Delegated && self.has_been_given_all(device, peer)
            || is_full && side == Side::Delegating && self.is_giving_away(device, peer)
        {
            Some(reason::CONFLICT)
        } else {
            None
        }
    }

    /// Whether the authority over the sub-tree is this server's: from the beginning, unless it has removed its account
    /// (5.2.1.5), or by a delegation in force that covers it. Towards the very server that a partial delegation comes
    /// from it counts for nothing: that server asks because it has taken the delegation back.
    fn has_authority(&self, device: DeviceNumber, subtree: &Uri, asker: Option<ServerNumber>) -> bool {
        let is_owner = self.settings.registry.owner(device) == Some(self.settings.me);
        if is_owner && !self.book.gave_up(device) {
            return true;
        }
        self.book.own_account(device) != Some(false)
            && self.records.of(device).any(|(_, record)| match record {
                Record::Delegating(_) => false,
                Record::Delegated(side) => {
                    let counts = asker != Some(side.pact.peer) || side.is_full();
                    counts && side.is_in_force() && side.pact.subtree.covers(subtree)
                }
            })
    }

    /// Whether a part of the sub-tree has been delegated to this server by another one: then nobody can tell whether
    /// the asker wants to have it all or to give it, and the answer is no (D12).
    fn holds_a_part(&self, device: DeviceNumber, subtree: &Uri, asker: ServerNumber) -> bool {
        self.records.of(device).any(|(_, record)| match record {
            Record::Delegating(_) => false,
            Record::Delegated(side) => {
                side.pact.peer != asker && side.is_in_force() && side.pact.subtree.overlaps(subtree)
            }
        })
    }

    /// Whether a new delegation would meet one that is open or in force between the same two servers, or a revocation,
    /// which takes the account away whatever the sub-tree is. DMS-2 does not hold to a record that DMS-1 asks anew for.
    fn clashes(&self, side: Side, device: DeviceNumber, peer: ServerNumber, subtree: &Uri) -> bool {
        self.records.between(device, peer, side).any(|(_, record)| {
            let other = &record.pact().subtree;
            let overlaps = if planted!(OverlapIgnored) { other == subtree } else { other.overlaps(subtree) };
            record.is_revoking()
                || match record {
                    Record::Delegating(_) => overlaps,
                    Record::Delegated(side) => overlaps && !side.is_at_rest() && !side.gives_way(),
                }
        })
    }

    /// Whether a new delegation would meet one the other way round between the same two servers: a careful server takes
    /// part in none, since whoever has delegated a thing to the other has to revoke it, and not to be given it. What was
    /// given in full goes back in full (5.2.1.5).
    fn goes_round(&self, side: Side, device: DeviceNumber, peer: ServerNumber, subtree: &Uri, is_full: bool) -> bool {
        self.settings.policy == Policy::Hardened
            && self.records.between(device, peer, side.opposite()).any(|(_, record)| {
                let goes_back = is_full && record.is_full() && record.is_at_rest();
                record.pact().subtree.overlaps(subtree) && !goes_back
            })
    }

    /// Whether a full delegation of the device to somebody else is under way already. A careful server, which leaves
    /// only in the end, does not begin another one (H6); by the text whichever comes first takes the account away from
    /// the other (5.2.1.5).
    fn is_giving_away(&self, device: DeviceNumber, asked: ServerNumber) -> bool {
        self.settings.policy == Policy::Hardened
            && self.records.of(device).any(|(_, record)| match record {
                Record::Delegating(side) => side.pact.peer != asked && side.is_giving_away(),
                Record::Delegated(_) => false,
            })
    }

    /// Whether the peer has given this server all that it had (5.2.1.5), and would take a request for more for an offer to
    /// give the device back (D12): neither would then play DMS-1.
    fn has_been_given_all(&self, device: DeviceNumber, peer: ServerNumber) -> bool {
        let theirs = self.records.between(device, peer, Side::Delegated);
        theirs.map(|(_, record)| record).any(|record| record.is_at_rest() && record.is_full())
    }

    /// What stands beside a wish of ours by the time that the peer answers it.
    pub(super) fn beside(&self, id: RecordId) -> Beside {
        let Some(Record::Delegated(wish)) = self.records.get(id) else { return Beside::Nothing };
        if !wish.gives_way() {
            return Beside::Nothing;
        }
        let Pact { device, peer, subtree, .. } = &wish.pact;
        let others = self.records.between(*device, *peer, Side::Delegated).filter(|(other, _)| *other != id);
        let beside = others.map(|(_, record)| match record {
            Record::Delegated(side) if !side.pact.subtree.overlaps(subtree) => Beside::Nothing,
            Record::Delegated(side) if side.is_full() && !side.gives_way() => Beside::Everything,
            record if record.goes_with_account() => Beside::OutOfDate,
            _ => Beside::Nothing,
        });
        beside.max().unwrap_or(Beside::Nothing)
    }

    /// Whether this side's own request is still open.
    fn is_asking(&self, side: Side, device: DeviceNumber, peer: ServerNumber, subtree: &Uri) -> bool {
        self.records
            .between(device, peer, side)
            .any(|(_, record)| !record.is_at_rest() && record.pact().subtree.overlaps(subtree))
    }

    /// DMS-1 asks for what we have on record already, so our record is out of date: it was revoked without notice.
    fn make_room(&mut self, now: Moment, device: DeviceNumber, from: ServerNumber, subtree: &Uri, out: &mut Outbox) {
        if let Some(stale) = self.at_rest_over(device, from, subtree) {
            self.step(now, stale, out, |record, turn| {
                if let Record::Delegated(side) = record {
                    side.forget_stale(turn);
                }
            });
        }
        let failed: Vec<RecordId> = self.records.between(device, from, Side::Delegated).map(|(id, _)| id).collect();
        for id in failed {
            self.step(now, id, out, |record, turn| {
                if let Record::Delegated(side) = record {
                    side.give_way(turn);
                }
            });
        }
    }

    /// A record at rest, as DMS-2, that overlaps with the sub-tree.
    fn at_rest_over(&self, device: DeviceNumber, peer: ServerNumber, subtree: &Uri) -> Option<RecordId> {
        self.records
            .between(device, peer, Side::Delegated)
            .find(|(_, record)| record.is_at_rest() && record.pact().subtree.overlaps(subtree))
            .map(|(id, _)| id)
    }

    /// The delegation that a revocation of ours is about; an error is the reason why there is none to be begun.
    fn revocable(&self, device: DeviceNumber, peer: ServerNumber, side: Side, subtree: &Uri) -> Result<RecordId, u16> {
        let id = self.records.meant(device, peer, side, Some(subtree)).ok_or(reason::NOT_FOUND)?;
        // The account goes for all of them together.
        let all_at_rest = self.records.between(device, peer, side).all(|(_, record)| record.is_at_rest());
        if all_at_rest || planted!(RevokesWhileMoving) { Ok(id) } else { Err(reason::CONFLICT) }
    }

    fn terms(&self, device: DeviceNumber, delegate: ServerNumber, is_full: bool) -> Terms {
        let from_the_start = self.settings.registry.has_account(delegate, device);
        let delegate_has_account = from_the_start && !self.book.has_removed(device, delegate)
            || self.records.between(device, delegate, Side::Delegating).any(|(_, record)| record.is_at_rest());
        Terms { is_full, delegate_has_account }
    }

    fn request(&self, device: DeviceNumber, subtree: &Uri, is_full: bool, session: SessionId) -> Message {
        let (manufacturer, model) = self.settings.registry.make(device);
        Message::DelegationReq {
            server: self.settings.servers[usize::from(self.settings.me.0)].clone(),
            device: device_id(device),
            manufacturer: manufacturer.to_owned(),
            model: model.to_owned(),
            subtree: subtree.as_str().to_owned(),
            is_full: is_full && !planted!(FullWishLost),
            session,
        }
    }
}

/// Nothing was begun: this side has joined the flow and left it.
fn refuse(device: DeviceNumber, peer: ServerNumber, side: Side, reason: u16, out: &mut Outbox) {
    out.push(Effect::Note(Note::Joined { device, peer, side }));
    out.push(Effect::Note(Note::Settled { device, peer, side, outcome: Outcome::Refused { reason } }));
}
