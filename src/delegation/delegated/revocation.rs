//! DMS-2 gives a device back: sections 5.2.3 (asked), 5.2.4 (requested) and 5.2.5 (forced).

use std::time::Duration;

use super::{Delegated, State, termination_ack};
use crate::clock::Moment;
use crate::delegation::exchange::{Answer, PostOutcome};
use crate::delegation::flow::Outcome;
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::reading::SubtreeInRevocation;
use crate::delegation::reason;
use crate::delegation::turn::Turn;
use crate::dm::script::planted;
use crate::ids::{SessionId, device_id};

impl Delegated {
    /// The operator gives the device back (5.2.4.2).
    pub fn request_revocation(&mut self, turn: &mut Turn<'_>) {
        self.pact.join(turn);
        let session = self.pact.begin_revocation(turn);
        let subtree = (turn.settings.readings.subtree_in_revocation == SubtreeInRevocation::Prose)
            .then(|| self.pact.subtree.as_str().to_owned());
        let device = device_id(self.pact.device);
        let request = Message::DelegationRevocationReq { device, subtree, session };
        let exchange = turn.post(self.pact.peer, request);
        self.expect_revoked(turn, State::ExpectRevoked { request: Some(exchange) });
    }

    fn expect_revoked(&mut self, turn: &Turn<'_>, state: State) {
        let (settings, is_short) = (turn.settings, planted!(RevokedTimerTooShort));
        self.state = state;
        self.pact.deadline = turn.now + if is_short { settings.wind_down } else { settings.timeouts.revoked };
    }

    pub(super) fn answered_revocation_request(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::NoContent => self.state = State::ExpectRevoked { request: None },
            PostOutcome::TimedOut if planted!(RequestTimeoutTakenForTaken) => {
                self.state = State::ExpectRevoked { request: None };
            }
            // DMS-1 has nothing of this device delegated to us: our record was out of date.
            PostOutcome::Rejected { status: 404 } => self.lose(turn, Outcome::Refused { reason: reason::NOT_FOUND }),
            // Should it have been taken all the same, DELEGATION_REVOKED is taken at rest as well.
            other => self.stand(turn, other.failure()),
        }
    }

    /// DELEGATION_TERMINATION_REQ (5.2.3.2): acknowledged at once, reported when the activities have ended. One that
    /// comes while a revocation of ours is under way takes its place.
    pub(super) fn asked_to_terminate(
        &mut self,
        turn: &mut Turn<'_>,
        session: &SessionId,
    ) -> Result<Answer, Misbehaved> {
        self.see_confirmed(turn);
        let is_refused = planted!(CrossingRevocationRefused) && matches!(self.state, State::ExpectRevoked { .. });
        if is_refused
            || !matches!(self.state, State::AtRest | State::ExpectWoundDown { .. } | State::ExpectRevoked { .. })
        {
            return Err(self.not_now(Kind::DelegationTerminationReq));
        }
        self.pact.take_revocation(turn, session);
        self.pact.join(turn);
        self.wind_down(turn, turn.settings.wind_down);
        Ok(termination_ack(session.clone()))
    }

    /// The activities end, in so much time. What has been delegated on is taken back meanwhile, but not by this message:
    /// it is an activity of our own, in sessions that DMS-1 has no part in.
    pub(super) fn wind_down(&mut self, turn: &mut Turn<'_>, time: Duration) {
        let until = turn.now + time;
        self.state = State::ExpectWoundDown { until, takes_back: false };
        self.pact.deadline = if turn.has_passed_on { turn.now } else { until };
        if (self.pact.deadline == turn.now || planted!(ReportedBeforeWoundDown)) && !turn.has_passed_on {
            self.report_terminated(turn);
        }
    }

    /// What a careful server has delegated on it takes back, for as long as it would wait for a delegate of its own:
    /// what it leaves behind nobody could revoke any more. Then, and when the time is over, it reports.
    pub(super) fn go_on_winding_down(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectWoundDown { until, takes_back } = &mut self.state else { return };
        if turn.has_passed_on && !std::mem::replace(takes_back, true) {
            self.pact.deadline = (*until).max(turn.now + turn.settings.timeouts.termination);
            turn.takes_back = true;
        } else if turn.now < *until {
            self.pact.deadline = *until;
        } else {
            self.report_terminated(turn);
        }
    }

    /// Nothing is left of what had been delegated on, or nothing that could be taken back.
    pub fn taken_back(&mut self, turn: &mut Turn<'_>) {
        if let State::ExpectWoundDown { until, takes_back: true } = self.state {
            self.pact.deadline = until.max(turn.now);
        }
    }

    /// DELEGATION_TERMINATION_RESP (5.2.3.4). Whether it arrives or not, DMS-1 goes on (D26).
    pub(super) fn report_terminated(&mut self, turn: &mut Turn<'_>) {
        let session = self.pact.revocation_id();
        turn.post(self.pact.peer, Message::DelegationTerminationResp { reason: Some(reason::OK), session });
        self.expect_revoked(turn, State::ExpectRevoked { request: None });
    }

    /// DELEGATION_REVOKED (5.2.3.6, 5.2.4.4, 5.2.5.3): the delegation is over. At rest it is the notice of a forced
    /// revocation, or the late end of one that we have given up waiting for.
    pub(super) fn revoked(&mut self, turn: &mut Turn<'_>, session: Option<&SessionId>) -> Result<(), Misbehaved> {
        self.see_confirmed(turn);
        match self.state {
            State::AtRest if planted!(NoticeRefusedAtRest) => return Err(self.not_now(Kind::DelegationRevoked)),
            State::AtRest => {
                let is_late = self.pact.revocation.as_ref().is_some_and(|thread| Some(&thread.id) == session);
                if !is_late {
                    self.pact.join(turn);
                }
            }
            State::ExpectWoundDown { .. } | State::ExpectRevoked { .. } => {}
            _ => return Err(self.not_now(Kind::DelegationRevoked)),
        }
        self.lose(turn, Outcome::Done);
        Ok(())
    }

    /// REVOCATION_FAILURE of DMS-1. With 405 it has no account any more and refuses (D25): nothing has changed. With
    /// any other reason the delegation could be compromised (5.3).
    pub(super) fn revocation_failed_at_peer(
        &mut self,
        turn: &mut Turn<'_>,
        reason: Option<u16>,
    ) -> Result<(), Misbehaved> {
        self.see_confirmed(turn);
        match self.state {
            // Told twice, by two processes: it cannot get worse.
            State::AtRest if self.is_compromised => return Ok(()),
            State::AtRest => self.pact.join(turn),
            State::ExpectRevoked { .. } if planted!(RevocationFailureIgnored) => return Ok(()),
            State::ExpectWoundDown { .. } | State::ExpectRevoked { .. } => {}
            _ => return Err(self.not_now(Kind::RevocationFailure)),
        }
        match reason.unwrap_or(reason::FAILED) {
            reason @ reason::NOT_ALLOWED => self.stand(turn, Outcome::Refused { reason }),
            reason => {
                self.is_compromised = !planted!(CompromiseNotTaken);
                self.stand(turn, Outcome::Stranded { reason });
            }
        }
        Ok(())
    }

    /// DELEGATION_REVOKED has not come: whether the account is still there is not known.
    pub(super) fn not_revoked_in_time(&mut self, turn: &mut Turn<'_>) {
        self.is_compromised = true;
        self.stand(turn, Outcome::TooLate { step: "revoked" });
    }

    /// Forgets a record that DMS-1 does not have any more: its next contact has shown that.
    pub fn forget_stale(&mut self, turn: &mut Turn<'_>) {
        self.lose(turn, Outcome::Done);
    }

    /// Makes room for a request of DMS-1; see `gives_way`.
    pub fn give_way(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::ExpectEnded(_)) {
            self.end_now(turn);
        }
    }

    /// DMS-1 speaks of the delegation as one in force, so it has taken our DELEGATION_CONFIRMED, although we have not
    /// read its answer yet.
    fn see_confirmed(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::ExpectConfirmedAnswered(_)) && !planted!(ConfirmedNotSeen) {
            self.come_into_force(turn);
        }
    }

    /// The revocation has ended, and the delegation stands.
    fn stand(&mut self, turn: &mut Turn<'_>, outcome: Outcome) {
        self.state = State::AtRest;
        if !planted!(StandNeverSettled) {
            self.pact.settle(turn, outcome);
        }
    }

    /// The delegation has ended, and with it the account.
    fn lose(&mut self, turn: &mut Turn<'_>, outcome: Outcome) {
        turn.account_gone = true;
        turn.book.learn_own_account(self.pact.device, planted!(OwnAccountStillBelieved));
        self.state = State::Over;
        self.pact.deadline = Moment::NEVER;
        self.pact.settle(turn, outcome);
    }
}
