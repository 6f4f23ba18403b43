//! DMS-1 takes a device back: sections 5.2.3 (asked), 5.2.4 (requested) and 5.2.5 (forced).

use super::handover::is_bootstrap_entry;
use super::{Again, Delegating, State};
use crate::clock::Moment;
use crate::delegation::exchange::PostOutcome;
use crate::delegation::flow::{Outcome, Revocation};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::said_no;
use crate::delegation::reading::SubtreeInRevocation;
use crate::delegation::reason;
use crate::delegation::turn::Turn;
use crate::dm::script::{Errand, Order, Report, planted};
use crate::ids::{SessionId, device_id};

/// How the delegate is told that its account has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// Asked and requested: in the revocation's session (tables 14 and 17).
    InSession,
    /// Forced: by the device (table 18).
    ByDevice,
    /// Forced without notice (5.2.5.3): it finds out at the next contact.
    Nothing,
}

impl Delegating {
    /// The operator takes the device back. A requested revocation is not begun at this side.
    pub fn revoke(&mut self, turn: &mut Turn<'_>, how: Revocation) {
        self.pact.join(turn);
        if let Some(reason) = self.refusal_to_revoke() {
            self.pact.settle(turn, Outcome::Refused { reason });
            return;
        }
        match how {
            Revocation::Asked => {
                let session = self.pact.begin_revocation(turn);
                let device = device_id(self.pact.device);
                let request = Message::DelegationTerminationReq { device, subtree: None, session };
                self.state = State::ExpectTerminationAck(turn.post(self.pact.peer, request));
            }
            Revocation::Forced { notice } => {
                self.pact.close_revocation(turn);
                self.remove(turn, if notice && !planted!(NoticeForgotten) { Told::ByDevice } else { Told::Nothing });
            }
            Revocation::Requested => self.pact.settle(turn, Outcome::Refused { reason: reason::NOT_ALLOWED }),
        }
    }

    /// D25: whoever has no account on the device cannot remove one there.
    fn refusal_to_revoke(&self) -> Option<u16> {
        (self.own_account_removed && !planted!(OwnAccountCheckDropped)).then_some(reason::NOT_ALLOWED)
    }

    /// DELEGATION_TERMINATION_ACK (5.2.3.3), or what came in its place.
    pub(super) fn answered_termination(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::Message(Message::DelegationTerminationAck { reason, session })
                if session == self.pact.revocation_id() =>
            {
                match said_no(reason) {
                    // D36: the delegate's explicit no.
                    Some(reason) => self.stand(turn, Outcome::Refused { reason }),
                    None => {
                        self.state = State::ExpectTerminationResp;
                        self.pact.deadline = turn.now + turn.settings.timeouts.termination;
                    }
                }
            }
            // The delegate has no such delegation on record.
            PostOutcome::Rejected { status: 404 } => {
                self.stand(turn, Outcome::Refused { reason: reason::NOT_FOUND });
            }
            PostOutcome::Rejected { .. } => self.stand(turn, outcome.failure()),
            PostOutcome::TimedOut if planted!(TimeoutTakenForTermination) => self.remove(turn, Told::InSession),
            // It may have begun to end its activities: the process is halted on both sides.
            other => {
                let outcome = other.failure();
                self.tell_failure(turn, outcome.reason_code(), outcome);
            }
        }
    }

    /// DELEGATION_TERMINATION_RESP (5.2.3.4). It can overtake the acknowledgement, and it can come after the timer;
    /// whatever reasonCode it has, the removal goes on (5.3).
    pub(super) fn terminated(&mut self, turn: &mut Turn<'_>) -> Result<(), Misbehaved> {
        match self.state {
            State::ExpectTerminationAck(_) | State::ExpectTerminationResp => {
                self.remove(turn, Told::InSession);
                Ok(())
            }
            State::ExpectRemoval(_, Told::InSession)
            | State::ExpectDeviceAgain(Again::Removal(_))
            | State::ExpectRevokedAnswered(..) => Ok(()),
            _ => Err(self.not_now(Kind::DelegationTerminationResp)),
        }
    }

    /// DELEGATION_REVOCATION_REQ (5.2.4.2): removed at once, or refused by REVOCATION_FAILURE.
    pub(super) fn asked_to_revoke(&mut self, turn: &mut Turn<'_>, session: &SessionId) -> Result<(), Misbehaved> {
        if !matches!(self.state, State::AtRest) && !planted!(RequestTakenInAnyState) {
            return Err(self.not_now(Kind::DelegationRevocationReq));
        }
        self.pact.take_revocation(turn, session);
        self.pact.join(turn);
        match self.refusal_to_revoke() {
            None if planted!(RevokedWithoutRemoval) => self.tell_revoked(turn, Told::InSession),
            None => self.remove(turn, Told::InSession),
            // The text asks for an account of DMS-1 in 5.2.3 alone. Read by the letter there is nothing here that it
            // could remove, and so it is done.
            Some(_) if !turn.is_hardened() => self.tell_revoked(turn, Told::InSession),
            Some(reason) => self.tell_failure(turn, reason, Outcome::Refused { reason }),
        }
        Ok(())
    }

    /// Sections 5.2.3.5, 5.2.4.3 and 5.2.5.1.
    pub(super) fn remove(&mut self, turn: &mut Turn<'_>, told: Told) {
        if planted!(RevokedBeforeRemoval) && told != Told::Nothing {
            self.tell_revoked(turn, told);
        }
        let of = turn.server_id(self.pact.peer);
        let is_left = |order: &&Order| is_bootstrap_entry(order) && !planted!(BootstrapEntryForgotten);
        let leftovers = self.undo.iter().filter(is_left).cloned().collect();
        let errand = match self.doubtful_url.clone() {
            // Else the device might fetch the account again.
            Some(url) => Errand::TakeBackUrl { url },
            None => Errand::RemoveAccount { of, leftovers },
        };
        self.state = State::ExpectRemoval(turn.errand(self.pact.device, errand), told);
        self.pact.deadline = Moment::NEVER;
    }

    /// The delegate's account is gone, or not; or, before that, a URL that the device may have been given.
    pub(super) fn removed(&mut self, turn: &mut Turn<'_>, told: Told, report: Report) {
        if !planted!(RemovalFailureTakenForDone)
            && let Err(failure) = report.result
        {
            if self.waits_for_device(turn, &failure, Again::Removal(told)) {
                return;
            }
            // D37: the delegation stays on record, as one that may be compromised; it can be revoked again.
            let reason = failure.reason_code();
            self.is_compromised = true;
            self.tell_failure(turn, reason, Outcome::Stranded { reason });
            return;
        }
        if self.doubtful_url.take().is_some() {
            return self.remove(turn, told);
        }
        turn.account_gone = true;
        self.tell_revoked(turn, told);
    }

    pub(super) fn tell_revoked(&mut self, turn: &mut Turn<'_>, told: Told) {
        let told = if planted!(DelegateNotTold) && told == Told::InSession { Told::Nothing } else { told };
        let message = match told {
            Told::Nothing => {
                self.state = State::Over;
                self.pact.settle(turn, Outcome::Done);
                return;
            }
            Told::InSession => Message::DelegationRevoked {
                device: None,
                subtree: None,
                reason: Some(reason::OK),
                session: Some(self.pact.revocation_id()),
            },
            Told::ByDevice => Message::DelegationRevoked {
                device: Some(device_id(self.pact.device)),
                subtree: (turn.settings.readings.subtree_in_revocation == SubtreeInRevocation::Prose)
                    .then(|| self.pact.subtree.as_str().to_owned()),
                reason: Some(reason::OK),
                // Table 18 has none, so that a notice that comes late ends whatever delegation it finds.
                session: turn.is_hardened().then(|| self.pact.delegation.id.clone()),
            },
        };
        self.state = State::ExpectRevokedAnswered(Some(turn.post(self.pact.peer, message)), told);
    }

    /// The delegation is over whether or not the delegate could be told: the account is gone. A careful server tries to
    /// tell it for a while.
    pub(super) fn answered_revoked(&mut self, turn: &mut Turn<'_>, told: Told, outcome: PostOutcome) {
        if !planted!(RevokedToldOnce)
            && let Some(next) = self.pact.peer_again(turn, &outcome)
        {
            self.state = State::ExpectRevokedAnswered(None, told);
            self.pact.deadline = next;
            return;
        }
        self.state = State::Over;
        let outcome = match outcome {
            PostOutcome::NoContent => Outcome::Done,
            other => other.failure(),
        };
        self.pact.settle(turn, outcome);
    }

    /// REVOCATION_FAILURE of the delegate: before the removal it halts the process, after that it comes too late.
    pub(super) fn revocation_failed_at_peer(
        &mut self,
        turn: &mut Turn<'_>,
        reason: Option<u16>,
    ) -> Result<(), Misbehaved> {
        match self.state {
            State::ExpectTerminationAck(_) | State::ExpectTerminationResp => {
                self.stand(turn, Outcome::Refused { reason: reason.unwrap_or(reason::FAILED) });
                Ok(())
            }
            State::ExpectRemoval(..)
            | State::ExpectDeviceAgain(Again::Removal(_))
            | State::ExpectRevokedAnswered(..)
            | State::ExpectFailureAnswered(..) => Ok(()),
            _ => Err(self.not_now(Kind::RevocationFailure)),
        }
    }

    /// The revocation has ended, and the delegation stands as it was.
    fn stand(&mut self, turn: &mut Turn<'_>, outcome: Outcome) {
        self.state = State::AtRest;
        self.pact.settle(turn, outcome);
    }

    /// Section 5.3: the delegate is told that the revocation has failed.
    pub(super) fn tell_failure(&mut self, turn: &mut Turn<'_>, reason: u16, outcome: Outcome) {
        let said = if planted!(ReasonCodeLost) { reason::FAILED } else { reason };
        let message = Message::RevocationFailure { reason: Some(said), session: self.pact.revocation_id() };
        let exchange = turn.post(self.pact.peer, message);
        self.state = State::ExpectFailureAnswered(Some(exchange), reason, outcome);
        self.pact.deadline = Moment::NEVER;
    }

    /// REVOCATION_FAILURE has reached the delegate, or not. Where it knew of no revocation, or was refused one, the
    /// delegation stands as it was; else the delegate has stopped relying on it.
    pub(super) fn answered_failure(&mut self, turn: &mut Turn<'_>, reason: u16, flow: Outcome, outcome: &PostOutcome) {
        if let Some(next) = self.pact.peer_again(turn, outcome) {
            self.state = State::ExpectFailureAnswered(None, reason, flow);
            self.pact.deadline = next;
            return;
        }
        let is_known = !matches!(outcome, PostOutcome::Rejected { status: 404 });
        self.is_compromised |= is_known && !planted!(CompromiseNotNoted) && !matches!(flow, Outcome::Refused { .. });
        self.stand(turn, flow);
    }
}
