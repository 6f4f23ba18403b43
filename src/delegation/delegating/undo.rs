//! DMS-1 puts the device back after a delegation that failed: section 5.3.

use std::time::Duration;

use super::{Again, Delegating, State};
use crate::clock::Moment;
use crate::delegation::exchange::{Outgoing, PostOutcome};
use crate::delegation::flow::Outcome;
use crate::delegation::machine::{Job, Timer};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::Pact;
use crate::delegation::reason;
use crate::delegation::turn::Turn;
use crate::dm::dmacc;
use crate::dm::script::{Errand, Order, Report, planted};

/// A failed delegation on its way to its end. The flow settles when both the device and the peer have been seen to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    outcome: Outcome,
    /// Our DELEGATION_FAILURE, while its own outcome is not known.
    pub notice: Option<Outgoing>,
    pub errand: Option<Job>,
    /// When the device, and when the peer, is tried again that has not answered; `NEVER` where nothing is due.
    device_at: Moment,
    peer_at: Moment,
    /// What an undo under way consists of.
    orders: Vec<Order>,
    /// The URL that the device was being given when the failure came, or that is being taken back.
    url: String,
    found: Found,
    doing: Doing,
}

/// What the failure found under way on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Found {
    /// It was being given the URL.
    Url,
    /// Rights were being given, or the account.
    Preparation,
    /// Nothing, or nothing that has to be undone.
    Other,
}

/// What the errand under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Doing {
    /// The errand that the failure found under way; its own changes are to be undone as well.
    WhatFailed,
    Undo,
    /// The URL that it may have been given before a restart.
    TakeBackUrl,
    /// The rights that its delegate may have been given before a restart.
    TakeBackRights,
    /// The account that the device has got by its bootstrap.
    RemoveDelegate,
}

impl Delegating {
    pub(super) fn too_late(&mut self, turn: &mut Turn<'_>, step: &'static str) {
        self.fail(turn, Outcome::TooLate { step }, true);
    }

    /// DELEGATION_FAILURE of the peer. In force it comes from a delegate that did not hear that its
    /// DELEGATION_CONFIRMED was taken: both sides go back, or they would disagree.
    pub(super) fn failed_at_peer(&mut self, turn: &mut Turn<'_>, reason: Option<u16>) -> Result<(), Misbehaved> {
        match &self.state {
            // Both sides have failed, and their notices have crossed.
            State::ExpectUndone(_) => return Ok(()),
            State::ExpectResponse(_)
            | State::ExpectBootstrapConfirmed
            | State::ExpectBootstrapUrl(_)
            | State::ExpectUrlPushed(_)
            | State::ExpectDeviceBootstrapped
            | State::ExpectDevicePrepared(_)
            | State::ExpectConfirmed(_)
            | State::ExpectClientTold(_)
            | State::ExpectLeft(_)
            | State::ExpectDeviceAgain(Again::PushUrl | Again::Prepare | Again::Leave) => {}
            State::AtRest if planted!(FailureIgnoredInForce) => return Ok(()),
            State::AtRest if !self.is_compromised => {
                self.pact.join(turn);
                // With its account the delegate loses its rights as well; one it had before stays, and is put back.
                self.delegate_let_in = !self.delegate_had_account && !planted!(LetInKept);
            }
            _ => return Err(self.not_now(Kind::DelegationFailure)),
        }
        let reason = reason.unwrap_or(reason::FAILED);
        self.fail(turn, Outcome::Undone { reason }, false);
        Ok(())
    }

    /// Ends the process at once (5.3): tells the peer, undoes what was done on the device, and forgets the delegation.
    pub(super) fn fail(&mut self, turn: &mut Turn<'_>, outcome: Outcome, tell_peer: bool) {
        let errand = match self.state {
            State::ExpectUrlPushed(job)
            | State::ExpectDevicePrepared(job)
            | State::ExpectClientTold(job)
            | State::ExpectLeft(job) => Some(job),
            _ => None,
        };
        self.end(turn, outcome, tell_peer, errand.filter(|_| !planted!(UnderWayNotUndone)));
    }

    /// The device's own failure: its errand has ended.
    pub(super) fn fail_at_device(&mut self, turn: &mut Turn<'_>, reason: u16) {
        self.end(turn, Outcome::Undone { reason }, true, None);
    }

    fn end(&mut self, turn: &mut Turn<'_>, outcome: Outcome, tell_peer: bool, errand: Option<Job>) {
        let reason = outcome.reason_code();
        let notice = tell_peer.then(|| self.post_failure(turn, reason));
        let found = match self.state {
            State::ExpectUrlPushed(_) => Found::Url,
            State::ExpectDevicePrepared(_) => Found::Preparation,
            _ => Found::Other,
        };
        self.held = None;
        self.pact.have_patience_with_device();
        let url = self.url.take().unwrap_or_default();
        self.pact.deadline = Moment::NEVER;
        self.state = State::ExpectUndone(Box::new(Ending {
            outcome,
            notice,
            errand,
            device_at: Moment::NEVER,
            peer_at: Moment::NEVER,
            orders: Vec::new(),
            url,
            found,
            doing: Doing::WhatFailed,
        }));
        if errand.is_none() {
            self.undo_next(turn);
        }
    }

    fn post_failure(&mut self, turn: &mut Turn<'_>, reason: u16) -> Outgoing {
        let session = self.pact.delegation.id.clone();
        turn.post(self.pact.peer, Message::DelegationFailure { reason: Some(reason), session })
    }

    /// Our DELEGATION_FAILURE has been answered, or not.
    pub(super) fn answered_notice(&mut self, turn: &mut Turn<'_>, outcome: &PostOutcome) {
        let again = self.pact.peer_again(turn, outcome);
        if let State::ExpectUndone(ending) = &mut self.state {
            ending.notice = None;
            ending.peer_at = again.unwrap_or(Moment::NEVER);
        }
        self.end_if_undone(turn);
    }

    pub(super) fn errand_ended_in_undo(&mut self, turn: &mut Turn<'_>, report: Report) {
        let result = if planted!(UndoFailureTakenForDone) { Ok(()) } else { report.result };
        let report = Report { result, ..report };
        // Whatever kept the device from being put back may pass.
        let again = if report.result.is_err() { self.pact.device_again(turn) } else { None };
        let State::ExpectUndone(ending) = &mut self.state else { return };
        ending.errand = None;
        match ending.doing {
            Doing::WhatFailed => {
                let is_url = ending.found == Found::Url;
                // Its own result no longer matters: the delegation has failed already.
                let _ = self.keep(turn, report);
                if is_url {
                    self.expect_bootstrap_by_device();
                }
            }
            Doing::Undo | Doing::TakeBackUrl | Doing::TakeBackRights | Doing::RemoveDelegate if again.is_some() => {
                if ending.doing == Doing::Undo && !report.undo.is_empty() {
                    ending.orders = report.undo;
                }
                ending.device_at = again.unwrap_or(Moment::NEVER);
                return self.end_if_undone(turn);
            }
            Doing::Undo | Doing::TakeBackUrl | Doing::TakeBackRights => {
                if report.result.is_err() {
                    ending.strand();
                }
            }
            Doing::RemoveDelegate => match report.result {
                Ok(()) => turn.account_gone = true,
                Err(_) => ending.strand(),
            },
        }
        self.undo_next(turn);
    }

    /// The next errand that puts the device back, in the order: what was changed last, first.
    pub(super) fn undo_next(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectUndone(ending) = &mut self.state else { return };
        if self.own_account_removed {
            // D24: without an account of its own DMS-1 cannot reach the device any more.
            ending.strand();
            return self.end_if_undone(turn);
        }
        let doing = if !self.undo.is_empty() && !planted!(UndoForgotten) {
            ending.orders = std::mem::take(&mut self.undo);
            ending.orders.truncate(if planted!(UndonePartly) { 1 } else { usize::MAX });
            Doing::Undo
        } else if let Some(url) = self.doubtful_url.take() {
            ending.url = url;
            Doing::TakeBackUrl
        } else if std::mem::take(&mut self.rights_in_doubt) {
            if self.wants_full && self.pact.subtree.covers(&dmacc::place()) {
                // Rights on other servers' accounts may have been given too.
                ending.strand();
            }
            Doing::TakeBackRights
        } else if std::mem::take(&mut self.delegate_let_in) {
            Doing::RemoveDelegate
        } else {
            return self.end_if_undone(turn);
        };
        ending.doing = doing;
        let errand = ending.next(&self.pact, turn);
        ending.errand = Some(turn.errand(self.pact.device, errand));
        self.end_if_undone(turn);
    }

    /// The time has come for the device, or for the peer, that has not answered.
    pub(super) fn try_undo_again(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectUndone(ending) = &mut self.state else { return };
        if ending.device_at <= turn.now {
            ending.device_at = Moment::NEVER;
            let errand = ending.next(&self.pact, turn);
            ending.errand = (!planted!(UndoNotTriedAgain)).then(|| turn.errand(self.pact.device, errand));
        }
        if ending.peer_at <= turn.now {
            ending.peer_at = Moment::NEVER;
            let reason = ending.outcome.reason_code();
            let notice = self.post_failure(turn, reason);
            if let State::ExpectUndone(ending) = &mut self.state {
                ending.notice = Some(notice);
            }
        }
        self.end_if_undone(turn);
    }

    /// After a restart: whatever was under way is done again.
    pub(super) fn resume_undo(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectUndone(ending) = &mut self.state else { return };
        ending.peer_at = if ending.notice.take().is_some() { turn.now } else { ending.peer_at };
        let was_under_way = ending.errand.take().is_some() || ending.device_at.is_set();
        ending.device_at = Moment::NEVER;
        if was_under_way && ending.doing == Doing::WhatFailed {
            // Nobody knows what it has changed: the URL goes, and the delegate's account, and with it all its rights. An
            // account that was there before stays, and loses its rights on the sub-tree.
            match ending.found {
                Found::Url => self.doubtful_url = Some(std::mem::take(&mut ending.url)),
                Found::Preparation => self.rights_in_doubt = self.delegate_had_account,
                Found::Other => {}
            }
            self.delegate_let_in = !self.delegate_had_account;
            self.undo_next(turn);
        } else if was_under_way {
            ending.device_at = turn.now;
        }
        self.try_undo_again(turn);
    }

    pub(super) fn end_if_undone(&mut self, turn: &mut Turn<'_>) {
        let State::ExpectUndone(ending) = &self.state else { return };
        self.pact.deadline = ending.device_at.min(ending.peer_at);
        if ending.notice.is_none() && ending.errand.is_none() && !self.pact.deadline.is_set() {
            let outcome = ending.outcome.clone();
            self.state = State::Over;
            self.pact.settle(turn, outcome);
        }
    }
}

impl Ending {
    /// The errand for what is to be done.
    fn next(&self, pact: &Pact, turn: &Turn<'_>) -> Errand {
        match self.doing {
            Doing::WhatFailed | Doing::Undo => Errand::Undo(self.orders.clone()),
            Doing::TakeBackUrl => Errand::TakeBackUrl { url: self.url.clone() },
            Doing::TakeBackRights => {
                Errand::TakeBackRights { delegate: turn.server_id(pact.peer), subtree: pact.subtree.clone() }
            }
            Doing::RemoveDelegate => Errand::RemoveAccount { of: turn.server_id(pact.peer), leftovers: Vec::new() },
        }
    }

    fn strand(&mut self) {
        self.outcome = Outcome::Stranded { reason: self.outcome.reason_code() };
    }

    /// Brings the next tries so much nearer.
    pub fn age(&mut self, by: Duration) {
        (self.device_at, self.peer_at) = (self.device_at.sooner(by), self.peer_at.sooner(by));
    }

    /// Which of the two timers is due.
    pub fn timer(&self, now: Moment) -> Timer {
        if self.device_at <= now { Timer::Device } else { Timer::Peer }
    }
}
