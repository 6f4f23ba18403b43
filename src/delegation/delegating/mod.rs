//! DMS-1: one delegation as the delegating server has it on record, and what moves it from state to state.
//!
//! | file | what it does |
//! |---|---|
//! | `handover` | sections 5.2.1 and 5.2.2: from DELEGATION_REQ to DELEGATION_CONFIRMED |
//! | `revocation` | sections 5.2.3 to 5.2.5: from a reason to revoke to DELEGATION_REVOKED |
//! | `undo` | section 5.3: a delegation that failed is undone on the device |
//! | `resume` | after a restart: a process that was under way is taken up again |

mod handover;
mod resume;
mod revocation;
mod undo;

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Outgoing, PostOutcome};
use crate::delegation::flow::{Approach, Outcome};
use crate::delegation::machine::{Job, RecordView, Standing, Timer};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::Pact;
use crate::delegation::turn::Turn;
use crate::dm::script::{DeviceFailure, Order, Report, planted};

use handover::Bootstrap;
pub(in crate::delegation) use handover::Terms;
use revocation::Told;
use undo::Ending;

/// One delegation at DMS-1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::delegation) struct Delegating {
    pub pact: Pact,
    /// `None` while nothing has been agreed: the delegate's BOOTSTRAP_CONFIRMED decides (D13).
    approach: Option<Approach>,
    /// What was asked for; what was done is `own_account_removed` (D17).
    wants_full: bool,
    own_account_removed: bool,
    /// Whether an answer was lost that may have said so.
    leave_in_doubt: bool,
    /// Whether the delegate had an account on the device before.
    delegate_had_account: bool,
    /// Whether the device has, or may have, a new account of the delegate that no undo order takes away.
    delegate_let_in: bool,
    /// Whether an account of the delegate that was there before may have got rights that nobody knows of: those that a
    /// server gave before it died.
    rights_in_doubt: bool,
    /// Whether the client has been told to connect to the delegate by itself.
    client_told: bool,
    /// Whether a revocation has failed: the delegation stands, but may be compromised (D37).
    is_compromised: bool,
    /// A BOOTSTRAP_CONFIRMED that came before its turn; of a careful server also the one that is being acted upon.
    held: Option<Bootstrap>,
    /// What BOOTSTRAP_SRV_URL_DELIVERY gave, until the delegation is in force.
    url: Option<String>,
    /// A URL that the device may have been given before a restart: nobody knows where it stands, or whether it does.
    doubtful_url: Option<String>,
    /// What would put the device back, in the order to run it. Once the delegation is in force it is kept only where
    /// removing the delegate's account would not do.
    undo: Vec<Order>,
    state: State,
}

/// What this side waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum State {
    /// DELEGATION_REQ posted.
    ExpectResponse(Outgoing),
    /// The delegate says whether it has an account (5.2.1.3); bounded by `Timeouts::bootstrap`.
    ExpectBootstrapConfirmed,
    /// BOOTSTRAP_SRV_URL_REQ posted (5.2.2.2).
    ExpectBootstrapUrl(Outgoing),
    /// The device is being given the URL (5.2.2.3).
    ExpectUrlPushed(Job),
    /// The device fetches its bootstrap and connects to the delegate (5.2.2.6); bounded by `Timeouts::bootstrap`.
    ExpectDeviceBootstrapped,
    /// The device is being prepared (5.2.1.4, 5.2.2.7).
    ExpectDevicePrepared(Job),
    /// DELEGATION_PREPARED posted, its own outcome awaited or known; bounded by `Timeouts::confirmed`.
    ExpectConfirmed(Option<Outgoing>),
    /// DELEGATION_CONFIRMED is overdue: the client is being told to connect to the delegate by itself (5.2.1.4).
    ExpectClientTold(Job),
    /// DELEGATION_CONFIRMED has come, and only now does a careful server remove its own account (5.2.1.5).
    ExpectLeft(Job),
    /// The device could not be reached for this; tried again at the deadline.
    ExpectDeviceAgain(Again),
    /// It failed: the device is being put back (5.3).
    ExpectUndone(Box<Ending>),
    /// In force, with no process under way.
    AtRest,
    /// DELEGATION_TERMINATION_REQ posted (5.2.3.2).
    ExpectTerminationAck(Outgoing),
    /// The delegate ends its activities (5.2.3.4); bounded by `Timeouts::termination`.
    ExpectTerminationResp,
    /// The delegate's account is being deleted (5.2.3.5, 5.2.4.3, 5.2.5.1).
    ExpectRemoval(Job, Told),
    /// DELEGATION_REVOKED posted, or (`None`) to be posted again at the deadline; the delegation is over whatever comes
    /// of it.
    ExpectRevokedAnswered(Option<Outgoing>, Told),
    /// REVOCATION_FAILURE posted, or (`None`) to be posted again at the deadline; the delegation stands whatever comes
    /// of it. The reasonCode, and how the flow ends.
    ExpectFailureAnswered(Option<Outgoing>, u16, Outcome),
    /// The record can be forgotten.
    Over,
}

/// What has to be done on a device that could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Again {
    PushUrl,
    Prepare,
    Leave,
    Removal(Told),
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::ExpectResponse(_) => "ExpectResponse",
            State::ExpectBootstrapConfirmed => "ExpectBootstrapConfirmed",
            State::ExpectBootstrapUrl(_) => "ExpectBootstrapUrl",
            State::ExpectUrlPushed(_) => "ExpectUrlPushed",
            State::ExpectDeviceBootstrapped => "ExpectDeviceBootstrapped",
            State::ExpectDevicePrepared(_) => "ExpectDevicePrepared",
            State::ExpectConfirmed(_) => "ExpectConfirmed",
            State::ExpectClientTold(_) => "ExpectClientTold",
            State::ExpectLeft(_) => "ExpectLeft",
            State::ExpectDeviceAgain(Again::PushUrl) => "ExpectUrlPushedAgain",
            State::ExpectDeviceAgain(Again::Prepare) => "ExpectDevicePreparedAgain",
            State::ExpectDeviceAgain(Again::Leave) => "ExpectLeftAgain",
            State::ExpectDeviceAgain(Again::Removal(_)) => "ExpectRemovalAgain",
            State::ExpectUndone(_) => "ExpectUndone",
            State::AtRest => "AtRest",
            State::ExpectTerminationAck(_) => "ExpectTerminationAck",
            State::ExpectTerminationResp => "ExpectTerminationResp",
            State::ExpectRemoval(..) => "ExpectRemoval",
            State::ExpectRevokedAnswered(..) => "ExpectRevokedAnswered",
            State::ExpectFailureAnswered(..) => "ExpectFailureAnswered",
            State::Over => "Over",
        }
    }
}

impl Delegating {
    /// A message of this delegation's peer. An error leaves everything as it was.
    pub fn received(&mut self, turn: &mut Turn<'_>, message: Message) -> Result<Answer, Misbehaved> {
        match message {
            Message::BootstrapConfirmed { reason, bootstrapped, account, .. } => {
                self.bootstrap_confirmed(turn, reason, Bootstrap { bootstrapped, account })?;
            }
            Message::DelegationConfirmed { reason, .. } => self.confirmed(turn, reason)?,
            Message::DelegationFailure { reason, .. } => self.failed_at_peer(turn, reason)?,
            Message::DelegationTerminationResp { .. } => self.terminated(turn)?,
            Message::DelegationRevocationReq { session, .. } => self.asked_to_revoke(turn, &session)?,
            Message::RevocationFailure { reason, .. } => self.revocation_failed_at_peer(turn, reason)?,
            other => return Err(self.not_now(other.kind())),
        }
        Ok(Answer::NoContent)
    }

    /// The outcome of a POST of ours; one that nobody waits for any more changes nothing.
    pub fn posted(&mut self, turn: &mut Turn<'_>, exchange: Outgoing, outcome: PostOutcome) {
        match &mut self.state {
            State::ExpectResponse(ours) if *ours == exchange => self.answered_request(turn, outcome),
            State::ExpectBootstrapUrl(ours) if *ours == exchange => self.answered_url_request(turn, outcome),
            State::ExpectConfirmed(ours) if *ours == Some(exchange) => self.answered_prepared(turn, outcome),
            State::ExpectUndone(ending) if ending.notice == Some(exchange) => self.answered_notice(turn, &outcome),
            State::ExpectTerminationAck(ours) if *ours == exchange => self.answered_termination(turn, outcome),
            State::ExpectRevokedAnswered(ours, told) if *ours == Some(exchange) => {
                let told = *told;
                self.answered_revoked(turn, told, outcome);
            }
            State::ExpectFailureAnswered(ours, reason, flow) if *ours == Some(exchange) => {
                let (reason, flow) = (*reason, flow.clone());
                self.answered_failure(turn, reason, flow, &outcome);
            }
            _ => {}
        }
    }

    /// Whether the outcome of this POST still makes a difference.
    pub fn awaits(&self, exchange: Outgoing) -> bool {
        match &self.state {
            State::ExpectResponse(ours) | State::ExpectBootstrapUrl(ours) | State::ExpectTerminationAck(ours) => {
                *ours == exchange
            }
            State::ExpectConfirmed(ours)
            | State::ExpectRevokedAnswered(ours, _)
            | State::ExpectFailureAnswered(ours, ..) => *ours == Some(exchange),
            State::ExpectUndone(ending) => ending.notice == Some(exchange),
            _ => false,
        }
    }

    pub fn errand_done(&mut self, turn: &mut Turn<'_>, job: Job, report: Report) {
        if report.result.is_ok() {
            self.pact.have_patience_with_device();
        }
        match &self.state {
            State::ExpectUrlPushed(ours) if *ours == job => self.url_pushed(turn, report),
            State::ExpectDevicePrepared(ours) if *ours == job => self.device_prepared(turn, report),
            State::ExpectClientTold(ours) if *ours == job => self.client_told(turn, report),
            State::ExpectLeft(ours) if *ours == job => self.left(turn, report),
            State::ExpectUndone(ending) if ending.errand == Some(job) => self.errand_ended_in_undo(turn, report),
            State::ExpectRemoval(ours, told) if *ours == job => {
                let told = *told;
                self.removed(turn, told, report);
            }
            _ => {}
        }
    }

    /// The timer has fired.
    pub fn wake(&mut self, turn: &mut Turn<'_>) {
        self.pact.deadline = Moment::NEVER;
        let timer = match &self.state {
            State::ExpectBootstrapConfirmed | State::ExpectDeviceBootstrapped => Timer::Bootstrap,
            State::ExpectConfirmed(_) => Timer::Confirmed,
            State::ExpectTerminationResp => Timer::Termination,
            State::ExpectDeviceAgain(_) => Timer::Device,
            State::ExpectUndone(ending) => ending.timer(turn.now),
            State::ExpectRevokedAnswered(..) | State::ExpectFailureAnswered(..) => Timer::Peer,
            _ => return,
        };
        turn.timer_fired(self.pact.device, timer);
        match &self.state {
            State::ExpectBootstrapConfirmed | State::ExpectDeviceBootstrapped => self.too_late(turn, "bootstrap"),
            State::ExpectConfirmed(_) => self.not_confirmed(turn),
            State::ExpectTerminationResp if planted!(TerminationTimerIgnored) => {}
            // D26: the delegate has had its time.
            State::ExpectTerminationResp => self.remove(turn, Told::InSession),
            State::ExpectDeviceAgain(again) => self.try_device_again(turn, *again),
            State::ExpectUndone(_) => self.try_undo_again(turn),
            State::ExpectRevokedAnswered(..) if planted!(PeerTimerIgnored) => {}
            State::ExpectRevokedAnswered(_, told) => self.tell_revoked(turn, *told),
            State::ExpectFailureAnswered(_, reason, flow) => {
                let (reason, flow) = (*reason, flow.clone());
                self.tell_failure(turn, reason, flow);
            }
            _ => {}
        }
    }

    fn try_device_again(&mut self, turn: &mut Turn<'_>, again: Again) {
        match again {
            Again::PushUrl => self.push_url(turn),
            Again::Prepare => self.prepare_again(turn),
            Again::Leave => self.leave(turn),
            Again::Removal(told) => self.remove(turn, told),
        }
    }

    /// A device that could not be reached is tried again, as long as there is patience: `false` when there is none.
    fn waits_for_device(&mut self, turn: &mut Turn<'_>, failure: &DeviceFailure, again: Again) -> bool {
        let next = matches!(failure, DeviceFailure::Unreachable).then(|| self.pact.device_again(turn)).flatten();
        if let Some(next) = next {
            self.state = State::ExpectDeviceAgain(again);
            self.pact.deadline = if planted!(DeviceTimerNotArmed) { Moment::NEVER } else { next };
        }
        next.is_some()
    }

    /// Brings what its state waits for so much nearer; what its pact waits for is not looked at.
    pub fn age(&mut self, by: Duration) {
        if let State::ExpectUndone(ending) = &mut self.state {
            ending.age(by);
        }
    }

    pub fn is_over(&self) -> bool {
        let is_posted = matches!(self.state, State::ExpectRevokedAnswered(..));
        matches!(self.state, State::Over) || (planted!(PurgedBeforeRevokedAnswered) && is_posted)
    }

    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::AtRest)
    }

    pub fn is_revoking(&self) -> bool {
        matches!(
            self.state,
            State::ExpectTerminationAck(_)
                | State::ExpectTerminationResp
                | State::ExpectRemoval(..)
                | State::ExpectDeviceAgain(Again::Removal(_))
                | State::ExpectRevokedAnswered(..)
                | State::ExpectFailureAnswered(..)
        )
    }

    /// Whether the delegate has what this server could still take away from it, or soon will: it has not gone along with
    /// the own account, the delegate's account has not been removed, and that has not failed either.
    pub fn can_be_taken_back(&self) -> bool {
        match self.state {
            State::AtRest => !self.own_account_removed && !self.is_compromised,
            State::ExpectRevokedAnswered(..) | State::ExpectFailureAnswered(..) | State::Over => false,
            _ => true,
        }
    }

    /// Whether it is on its way to leave this server nothing of the device.
    pub fn is_giving_away(&self) -> bool {
        let is_past = matches!(self.state, State::AtRest | State::ExpectUndone(_) | State::Over);
        self.wants_full && !is_past && !self.is_revoking()
    }

    /// Ends a delegation in force that has ended elsewhere.
    pub fn forget(&mut self, turn: &mut Turn<'_>) {
        self.state = State::Over;
        self.pact.settle(turn, Outcome::Done);
    }

    /// The name of its state.
    pub fn state_name(&self) -> &'static str {
        self.state.name()
    }

    /// Whether this server has given its own account up; while it is still on its way there, whether it will.
    pub fn is_full(&self) -> bool {
        if matches!(self.state, State::AtRest) { self.own_account_removed } else { self.wants_full }
    }

    pub fn view(&self) -> RecordView {
        let standing = match self.state {
            State::AtRest if self.is_compromised => Standing::Compromised,
            State::AtRest => Standing::InForce,
            _ => Standing::Moving(self.state.name()),
        };
        self.pact.view(self.is_full(), standing)
    }

    fn not_now(&self, kind: Kind) -> Misbehaved {
        Misbehaved::NotInThisState { message: kind.root(), state: self.state.name() }
    }
}
