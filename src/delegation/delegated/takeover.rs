//! DMS-2 takes a device over: sections 5.2.1 and 5.2.2, from DELEGATION_REQ to DELEGATION_CONFIRMED.

use super::{Ahead, Delegated, State};
use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Outgoing, PostOutcome};
use crate::delegation::flow::{Approach, Outcome};
use crate::delegation::machine::{Job, Settings};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::{Pact, said_no};
use crate::delegation::reading::ConfirmByUrl;
use crate::delegation::reason;
use crate::delegation::turn::{Beside, Turn};
use crate::dm::script::{DeviceFailure, Errand, Report, planted};
use crate::ids::{DeviceNumber, SessionId};

/// A failed delegation on its way to its end. The flow settles when the peer has been told, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    outcome: Outcome,
    /// Our DELEGATION_FAILURE, while its own outcome is not known.
    pub notice: Option<Outgoing>,
    /// Our session with the device, while it has not ended.
    pub errand: Option<Job>,
    /// Whether the peer could not be told, and is told again at the deadline.
    is_to_be_told: bool,
}

/// The answer to BOOTSTRAP_SRV_URL_REQ: the same every time it is asked.
pub(in crate::delegation) fn url_delivery(settings: &Settings, device: DeviceNumber, session: SessionId) -> Answer {
    let url = settings.accounts.bootstrap_url(device);
    let reason = if url.is_some() { reason::OK } else { reason::NOT_SUPPORTED };
    let session = if planted!(UrlSessionNotEchoed) { SessionId::new("another") } else { session };
    Answer::Message(Message::BootstrapSrvUrlDelivery { reason: Some(reason), url: url.unwrap_or_default(), session })
}

/// The answer to DELEGATION_TERMINATION_REQ.
pub(in crate::delegation) fn termination_ack(session: SessionId) -> Answer {
    let reason = if planted!(AckReasonWrong) { reason::FAILED } else { reason::OK };
    Answer::Message(Message::DelegationTerminationAck { reason: Some(reason), session })
}

impl Delegated {
    /// DMS-2 begins (figures 7 and 10): "give me this device".
    pub fn ask(turn: &mut Turn<'_>, pact: Pact, approach: Approach, is_full: bool, request: Message) -> Delegated {
        let exchange = turn.post(pact.peer, request);
        let state = State::ExpectResponse { exchange, ahead: Ahead::Nothing };
        Delegated { pact, approach, is_full, is_compromised: false, state }
    }

    /// DMS-1 began (figures 6 and 9), and its request has been acknowledged. Where nothing was agreed, DMS-2 is the one
    /// to speak next only in the DMAcc approach; waiting for the other could last for ever (D13).
    pub fn accept(turn: &mut Turn<'_>, pact: Pact, approach: Option<Approach>, is_full: bool) -> Delegated {
        let approach = approach.unwrap_or(Approach::DmAcc);
        let state = State::ExpectUrlRequest;
        let mut record = Delegated { pact, approach, is_full, is_compromised: false, state };
        record.granted(turn, Ahead::Nothing);
        record
    }

    /// DELEGATION_RESP, or what came in its place.
    pub(super) fn answered_request(&mut self, turn: &mut Turn<'_>, ahead: Ahead, outcome: PostOutcome) {
        match outcome {
            PostOutcome::Message(Message::DelegationResp { reason, is_acknowledged, session })
                if session == self.pact.delegation.id =>
            {
                if is_acknowledged && turn.beside == Beside::Everything {
                    // DMS-1 has nothing left to give: it has taken the request for an offer (D12).
                    self.fail(turn, Outcome::Refused { reason: reason::CONFLICT }, true);
                } else if is_acknowledged {
                    self.see_granted(turn);
                    self.granted(turn, ahead);
                } else {
                    self.state = State::Over;
                    if !planted!(RefusalNeverSettled) {
                        self.pact.settle(turn, Outcome::Refused { reason: reason.unwrap_or(reason::FORBIDDEN) });
                    }
                }
            }
            other => self.post_failed(turn, &other),
        }
    }

    /// Our wish has been granted, so what we have of the same is out of date: DMS-1 would not grant again what it has on
    /// record.
    pub(super) fn see_granted(&self, turn: &mut Turn<'_>) {
        if turn.beside == Beside::OutOfDate {
            turn.account_gone = true;
            turn.book.learn_own_account(self.pact.device, false);
        }
    }

    /// The delegation has been agreed to; what comes next depends on the approach.
    fn granted(&mut self, turn: &mut Turn<'_>, ahead: Ahead) {
        match (self.approach, ahead) {
            (Approach::Url, Ahead::Nothing) => self.expect(turn, State::ExpectUrlRequest),
            (Approach::Url, Ahead::UrlGiven) => self.expect(turn, State::ExpectDevice),
            (Approach::Url, Ahead::DeviceConnected) | (Approach::DmAcc, _) => self.confirm_bootstrap(turn),
        }
    }

    fn expect(&mut self, turn: &Turn<'_>, state: State) {
        self.state = state;
        self.pact.deadline = turn.now + turn.settings.timeouts.prepared;
    }

    /// BOOTSTRAP_SRV_URL_REQ (5.2.2.2). It settles the approach, unless our BOOTSTRAP_CONFIRMED has been taken already.
    pub(super) fn asked_for_url(&mut self, turn: &mut Turn<'_>) -> Result<Answer, Misbehaved> {
        match &mut self.state {
            State::ExpectUrlRequest => self.expect(turn, State::ExpectDevice),
            State::ExpectResponse { ahead, .. } | State::ExpectPrepared { exchange: Some(_), ahead } => {
                *ahead = (*ahead).max(Ahead::UrlGiven);
            }
            _ => return Err(self.not_now(Kind::BootstrapSrvUrlReq)),
        }
        self.approach = Approach::Url;
        turn.renew_account(self.pact.device);
        Ok(url_delivery(turn.settings, self.pact.device, self.pact.delegation.id.clone()))
    }

    /// BOOTSTRAP_CONFIRMED: in the DMAcc approach whether there is an account already, and one to make if not (table
    /// 3); in the URL approach that the device has been bootstrapped (table 9).
    pub(super) fn confirm_bootstrap(&mut self, turn: &mut Turn<'_>) {
        let device = self.pact.device;
        let (bootstrapped, account) = match self.approach {
            Approach::Url => (None, None),
            Approach::DmAcc => {
                let has = turn.book.own_account(device);
                let has = has.unwrap_or_else(|| turn.settings.registry.has_account(turn.settings.me, device));
                (Some(has), (!has).then(|| Box::new(turn.settings.accounts.account_for(device))))
            }
        };
        if account.is_some() {
            turn.renew_account(device);
        }
        let session = self.pact.delegation.id.clone();
        let message = Message::BootstrapConfirmed { reason: Some(reason::OK), bootstrapped, account, session };
        let exchange = Some(turn.post(self.pact.peer, message));
        self.expect(turn, State::ExpectPrepared { exchange, ahead: Ahead::Nothing });
    }

    /// The BOOTSTRAP_CONFIRMED of the DMAcc approach once more, which the URL approach has crossed: its outcome tells
    /// which one DMS-1 goes by.
    pub(super) fn confirm_crossing(&mut self, turn: &mut Turn<'_>, how_far: Ahead) {
        self.approach = Approach::DmAcc;
        self.confirm_bootstrap(turn);
        if let State::ExpectPrepared { ahead, .. } = &mut self.state {
            (self.approach, *ahead) = (Approach::Url, how_far);
        }
    }

    pub(super) fn answered_bootstrap(&mut self, turn: &mut Turn<'_>, ahead: Ahead, outcome: PostOutcome) {
        match outcome {
            PostOutcome::NoContent => {
                if ahead != Ahead::Nothing {
                    // Ours arrived first: DMS-1 goes by it, whatever it has asked for.
                    self.approach = Approach::DmAcc;
                }
                self.state = State::ExpectPrepared { exchange: None, ahead: Ahead::Nothing };
            }
            PostOutcome::Rejected { status: 409 } if ahead != Ahead::Nothing => self.granted(turn, ahead),
            other => self.post_failed(turn, &other),
        }
    }

    /// DELEGATION_PREPARED (5.2.1.6, 5.2.2.9). It rules, whatever was asked for (D17).
    pub(super) fn prepared(
        &mut self,
        turn: &mut Turn<'_>,
        reason: Option<u16>,
        is_full: bool,
    ) -> Result<(), Misbehaved> {
        let State::ExpectPrepared { ahead, .. } = self.state else {
            return Err(self.not_now(Kind::DelegationPrepared));
        };
        if let Some(reason) = said_no(reason) {
            self.fail(turn, Outcome::Undone { reason }, true);
            return Ok(());
        }
        if ahead != Ahead::Nothing {
            // The device cannot have been prepared without our BOOTSTRAP_CONFIRMED, so that was taken.
            self.approach = Approach::DmAcc;
        }
        self.is_full = is_full;
        self.pact.deadline = Moment::NEVER;
        let goes_at_once =
            self.approach == Approach::Url && turn.settings.readings.confirm_by_url == ConfirmByUrl::AtOnce;
        if goes_at_once {
            self.confirm(turn);
        } else {
            self.visit(turn);
        }
        Ok(())
    }

    pub(super) fn visit(&mut self, turn: &mut Turn<'_>) {
        let visit = Errand::Visit { subtree: self.pact.subtree.clone() };
        self.state = State::ExpectVisited(turn.errand(self.pact.device, visit));
    }

    /// Section 5.2.1.7 has been done, or not.
    pub(super) fn visited(&mut self, turn: &mut Turn<'_>, report: Report) {
        match report.result {
            Ok(()) => self.confirm(turn),
            Err(DeviceFailure::Unreachable) if let Some(next) = self.pact.device_again(turn) => {
                self.state = State::ExpectDeviceAgain;
                self.pact.deadline = next;
            }
            Err(failure) => self.end(turn, Outcome::Undone { reason: failure.reason_code() }, true, None),
        }
    }

    pub(super) fn confirm(&mut self, turn: &mut Turn<'_>) {
        let session = self.pact.delegation.id.clone();
        let message = Message::DelegationConfirmed { reason: Some(reason::OK), session };
        self.state = State::ExpectConfirmedAnswered(turn.post(self.pact.peer, message));
    }

    pub(super) fn answered_confirmed(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::NoContent => self.come_into_force(turn),
            other => self.post_failed(turn, &other),
        }
    }

    /// The delegation is in force (5.2.1.8, 5.2.2.10).
    pub(super) fn come_into_force(&mut self, turn: &mut Turn<'_>) {
        turn.book.learn_own_account(self.pact.device, true);
        turn.is_given_back = self.is_full && !planted!(GivenBackKept);
        self.state = State::AtRest;
        self.pact.settle(turn, Outcome::Done);
    }

    pub(super) fn too_late(&mut self, turn: &mut Turn<'_>) {
        self.fail(turn, Outcome::TooLate { step: "prepared" }, true);
    }

    /// DELEGATION_FAILURE of the peer. It is taken in force as well: a delegating server that sends it does not hold
    /// the delegation to be in force.
    pub(super) fn failed_at_peer(&mut self, turn: &mut Turn<'_>, reason: Option<u16>) -> Result<(), Misbehaved> {
        match self.state {
            // Both sides have failed, and their notices have crossed.
            State::ExpectEnded(_) => return Ok(()),
            State::ExpectWoundDown { .. } | State::ExpectRevoked { .. } | State::Over => {
                return Err(self.not_now(Kind::DelegationFailure));
            }
            State::AtRest if self.is_compromised => return Err(self.not_now(Kind::DelegationFailure)),
            State::AtRest => self.pact.join(turn),
            // What has failed had been granted, although we have not read that.
            State::ExpectResponse { .. } => self.see_granted(turn),
            _ => {}
        }
        let reason = reason.unwrap_or(reason::FAILED);
        self.fail(turn, Outcome::Undone { reason }, false);
        Ok(())
    }

    fn post_failed(&mut self, turn: &mut Turn<'_>, outcome: &PostOutcome) {
        self.fail(turn, outcome.failure(), outcome.leaves_peer_waiting());
    }

    /// Ends the process at once (5.3). What was done on the device is DMS-1's to undo.
    fn fail(&mut self, turn: &mut Turn<'_>, outcome: Outcome, tell_peer: bool) {
        let errand = match self.state {
            State::ExpectVisited(job) => Some(job),
            _ => None,
        };
        self.end(turn, outcome, tell_peer, errand);
    }

    fn end(&mut self, turn: &mut Turn<'_>, outcome: Outcome, tell_peer: bool, errand: Option<Job>) {
        let notice = (tell_peer && !planted!(FailureNotSent)).then(|| self.post_failure(turn, &outcome));
        self.pact.deadline = Moment::NEVER;
        self.state = State::ExpectEnded(Box::new(Ending { outcome, notice, errand, is_to_be_told: false }));
        self.end_if_done(turn);
    }

    fn post_failure(&mut self, turn: &mut Turn<'_>, outcome: &Outcome) -> Outgoing {
        let session = self.pact.delegation.id.clone();
        turn.post(self.pact.peer, Message::DelegationFailure { reason: Some(outcome.reason_code()), session })
    }

    /// Our DELEGATION_FAILURE has been answered, or not.
    pub(super) fn answered_notice(&mut self, turn: &mut Turn<'_>, outcome: &PostOutcome) {
        let again = self.pact.peer_again(turn, outcome);
        if let State::ExpectEnded(ending) = &mut self.state {
            ending.notice = None;
            ending.is_to_be_told = again.is_some();
            self.pact.deadline = again.unwrap_or(Moment::NEVER);
        }
        self.end_if_done(turn);
    }

    /// The peer has not answered our DELEGATION_FAILURE: once more.
    pub(super) fn tell_failure_again(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectEnded(ending) = &self.state else { return };
        let outcome = ending.outcome.clone();
        let notice = self.post_failure(turn, &outcome);
        if let State::ExpectEnded(ending) = &mut self.state {
            (ending.notice, ending.is_to_be_told) = (Some(notice), false);
        }
    }

    /// After a restart, for a process that cannot be taken up again.
    pub(super) fn lose_process(&mut self, turn: &mut Turn<'_>) {
        self.fail(turn, Outcome::Lost, true);
    }

    /// After a restart, for a process that had failed: our session with the device went with the memory.
    pub(super) fn resume_ending(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectEnded(ending) = &mut self.state else { return };
        ending.errand = None;
        if ending.notice.is_some() || ending.is_to_be_told {
            self.tell_failure_again(turn);
        }
        self.end_if_done(turn);
    }

    pub(super) fn end_if_done(&mut self, turn: &mut Turn<'_>) {
        if let State::ExpectEnded(ending) = &self.state
            && ending.notice.is_none()
            && ending.errand.is_none()
            && !ending.is_to_be_told
        {
            self.end_now(turn);
        }
    }

    /// Ends a failed delegation without waiting for what is still under way.
    pub(super) fn end_now(&mut self, turn: &mut Turn<'_>) {
        if let State::ExpectEnded(ending) = std::mem::replace(&mut self.state, State::Over) {
            self.pact.settle(turn, ending.outcome);
        }
    }
}
