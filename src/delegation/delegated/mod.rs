//! DMS-2: one delegation as the delegated server has it on record, and what moves it from state to state.
//!
//! | file | what it does |
//! |---|---|
//! | `takeover` | sections 5.2.1 and 5.2.2: from DELEGATION_REQ to DELEGATION_CONFIRMED, and what to do when it fails |
//! | `revocation` | sections 5.2.3 to 5.2.5: until DELEGATION_REVOKED |

mod revocation;
mod takeover;

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Outgoing, PostOutcome};
use crate::delegation::flow::{Approach, Outcome};
use crate::delegation::machine::{Job, RecordView, Standing, Timer};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::Pact;
use crate::delegation::turn::Turn;
use crate::dm::script::{Report, planted};

use takeover::Ending;
pub(in crate::delegation) use takeover::{termination_ack, url_delivery};

/// One delegation at DMS-2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::delegation) struct Delegated {
    pub pact: Pact,
    approach: Approach,
    /// The wish of DELEGATION_REQ, then the fact of DELEGATION_PREPARED (D17).
    is_full: bool,
    /// Whether a revocation has failed: the delegation stands, but may be compromised (5.3).
    is_compromised: bool,
    state: State,
}

/// What this side waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum State {
    /// DELEGATION_REQ posted.
    ExpectResponse { exchange: Outgoing, ahead: Ahead },
    /// The delegating server asks for the URL (5.2.2.2); bounded by `Timeouts::prepared`.
    ExpectUrlRequest,
    /// The device fetches its bootstrap and connects (5.2.2.5); bounded by `Timeouts::prepared`.
    ExpectDevice,
    /// BOOTSTRAP_CONFIRMED posted, its own outcome awaited or known; bounded by `Timeouts::prepared`. Where the approaches
    /// have crossed, the outcome tells which one DMS-1 goes by (D13).
    ExpectPrepared { exchange: Option<Outgoing>, ahead: Ahead },
    /// In session with the device (5.2.1.7).
    ExpectVisited(Job),
    /// The device could not be reached for that; tried again at the deadline.
    ExpectDeviceAgain,
    /// DELEGATION_CONFIRMED posted.
    ExpectConfirmedAnswered(Outgoing),
    /// It failed: what is under way comes to its end (5.3).
    ExpectEnded(Box<Ending>),
    /// In force, with no process under way.
    AtRest,
    /// Its activities with the device are coming to an end (5.2.3.4), which they do at `until` (`Settings::wind_down`);
    /// `takes_back`: and what has been delegated on has gone, or `Timeouts::termination` is over.
    ExpectWoundDown { until: Moment, takes_back: bool },
    /// DELEGATION_TERMINATION_RESP or DELEGATION_REVOCATION_REQ posted; bounded by `Timeouts::revoked`. `request`: the
    /// latter, while its own outcome is not known.
    ExpectRevoked { request: Option<Outgoing> },
    /// The record can be forgotten.
    Over,
}

/// How far the URL approach has come before the outcome of our own POST has been read: nothing orders what DMS-1 sends
/// and what the device does after the answer of DMS-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ahead {
    Nothing,
    /// The delegating server has asked for the URL (5.2.2.2).
    UrlGiven,
    /// The device has been bootstrapped with it, and has connected (5.2.2.5).
    DeviceConnected,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::ExpectResponse { .. } => "ExpectResponse",
            State::ExpectUrlRequest => "ExpectUrlRequest",
            State::ExpectDevice => "ExpectDevice",
            State::ExpectPrepared { .. } => "ExpectPrepared",
            State::ExpectVisited(_) => "ExpectVisited",
            State::ExpectDeviceAgain => "ExpectVisitedAgain",
            State::ExpectConfirmedAnswered(_) => "ExpectConfirmedAnswered",
            State::ExpectEnded(_) => "ExpectEnded",
            State::AtRest => "AtRest",
            State::ExpectWoundDown { .. } => "ExpectWoundDown",
            State::ExpectRevoked { .. } => "ExpectRevoked",
            State::Over => "Over",
        }
    }
}

impl Delegated {
    /// A message of this delegation's peer. An error leaves everything as it was.
    pub fn received(&mut self, turn: &mut Turn<'_>, message: Message) -> Result<Answer, Misbehaved> {
        match message {
            Message::BootstrapSrvUrlReq { .. } => return self.asked_for_url(turn),
            Message::DelegationTerminationReq { session, .. } => return self.asked_to_terminate(turn, &session),
            Message::DelegationPrepared { reason, is_full, .. } => self.prepared(turn, reason, is_full)?,
            Message::DelegationFailure { reason, .. } => self.failed_at_peer(turn, reason)?,
            Message::DelegationRevoked { session, .. } => self.revoked(turn, session.as_ref())?,
            Message::RevocationFailure { reason, .. } => self.revocation_failed_at_peer(turn, reason)?,
            other => return Err(self.not_now(other.kind())),
        }
        Ok(Answer::NoContent)
    }

    /// The outcome of a POST of ours; one that nobody waits for any more changes nothing.
    pub fn posted(&mut self, turn: &mut Turn<'_>, exchange: Outgoing, outcome: PostOutcome) {
        match &mut self.state {
            State::ExpectResponse { exchange: ours, ahead } if *ours == exchange => {
                let ahead = *ahead;
                self.answered_request(turn, ahead, outcome);
            }
            State::ExpectPrepared { exchange: ours, ahead } if *ours == Some(exchange) => {
                let ahead = *ahead;
                self.answered_bootstrap(turn, ahead, outcome);
            }
            State::ExpectConfirmedAnswered(ours) if *ours == exchange => self.answered_confirmed(turn, outcome),
            State::ExpectEnded(ending) if ending.notice == Some(exchange) => self.answered_notice(turn, &outcome),
            State::ExpectRevoked { request } if *request == Some(exchange) => {
                self.answered_revocation_request(turn, outcome);
            }
            _ => {}
        }
    }

    /// Whether the outcome of this POST still makes a difference.
    pub fn awaits(&self, exchange: Outgoing) -> bool {
        match &self.state {
            State::ExpectResponse { exchange: ours, .. } | State::ExpectConfirmedAnswered(ours) => *ours == exchange,
            State::ExpectPrepared { exchange: ours, .. } => *ours == Some(exchange),
            State::ExpectEnded(ending) => ending.notice == Some(exchange),
            // DELEGATION_TERMINATION_RESP: its outcome changes nothing here, its arrival does there.
            State::ExpectRevoked { .. } => true,
            _ => false,
        }
    }

    pub fn errand_done(&mut self, turn: &mut Turn<'_>, job: Job, report: Report) {
        match &mut self.state {
            State::ExpectVisited(ours) if *ours == job => self.visited(turn, report),
            State::ExpectEnded(ending) if ending.errand == Some(job) => {
                ending.errand = planted!(VisitEndIgnored).then_some(job);
                self.end_if_done(turn);
            }
            _ => {}
        }
    }

    /// Step 6 of the URL approach (5.2.2.5): the device has come by itself.
    pub fn device_connected(&mut self, turn: &mut Turn<'_>) {
        match &mut self.state {
            State::ExpectDevice => self.confirm_bootstrap(turn),
            State::ExpectResponse { ahead, .. } | State::ExpectPrepared { ahead, .. }
                if *ahead == Ahead::UrlGiven && !planted!(EarlyDeviceLost) =>
            {
                *ahead = Ahead::DeviceConnected;
            }
            _ => {}
        }
    }

    /// The timer has fired.
    pub fn wake(&mut self, turn: &mut Turn<'_>) {
        self.pact.deadline = Moment::NEVER;
        let timer = match self.state {
            State::ExpectUrlRequest | State::ExpectDevice | State::ExpectPrepared { .. } => Timer::Prepared,
            State::ExpectWoundDown { .. } => Timer::WindDown,
            State::ExpectRevoked { .. } => Timer::Revoked,
            State::ExpectDeviceAgain => Timer::Device,
            State::ExpectEnded(_) => Timer::Peer,
            _ => return,
        };
        turn.timer_fired(self.pact.device, timer);
        match self.state {
            State::ExpectWoundDown { .. } => self.go_on_winding_down(turn),
            State::ExpectRevoked { .. } => self.not_revoked_in_time(turn),
            State::ExpectDeviceAgain => self.visit(turn),
            State::ExpectEnded(_) if planted!(FailureNotRepeated) => {}
            State::ExpectEnded(_) => self.tell_failure_again(turn),
            _ => self.too_late(turn),
        }
    }

    /// After a restart: takes up what the store says was under way, with whatever may not have happened done again.
    pub fn resume(&mut self, turn: &mut Turn<'_>) {
        let timeouts = turn.settings.timeouts;
        match &mut self.state {
            State::AtRest | State::Over => {}
            // The request itself has not been kept: the peer may wait for us, and is told that this has ended.
            State::ExpectResponse { ahead, .. } => {
                if *ahead != Ahead::Nothing {
                    self.see_granted(turn);
                }
                self.lose_process(turn);
            }
            State::ExpectUrlRequest | State::ExpectDevice => self.pact.deadline = turn.now + timeouts.prepared,
            State::ExpectPrepared { exchange, ahead } => {
                let has_crossed = exchange.is_some() && *ahead != Ahead::Nothing;
                let ahead = *ahead;
                if has_crossed { self.confirm_crossing(turn, ahead) } else { self.confirm_bootstrap(turn) }
            }
            State::ExpectVisited(_) | State::ExpectDeviceAgain => self.visit(turn),
            State::ExpectConfirmedAnswered(_) => self.confirm(turn),
            State::ExpectEnded(_) => self.resume_ending(turn),
            State::ExpectWoundDown { .. } => self.wind_down(turn, Duration::ZERO),
            State::ExpectRevoked { request } => {
                *request = None;
                self.pact.deadline = turn.now + timeouts.revoked;
            }
        }
    }

    /// Brings what its state waits for so much nearer; what its pact waits for is not looked at.
    pub fn age(&mut self, by: Duration) {
        if let State::ExpectWoundDown { until, .. } = &mut self.state {
            *until = until.sooner(by);
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::AtRest)
    }

    /// Whether this record gives the authority over what it covers (D12).
    pub fn is_in_force(&self) -> bool {
        self.is_at_rest() && !self.is_compromised
    }

    /// Whether DMS-1 has given its own account up (5.2.1.5).
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether a request of DMS-1 for the same delegation may take this record's place: it is only a wish of ours not
    /// yet answered, which DMS-1 refuses while its own is open, or it has failed already.
    pub fn gives_way(&self) -> bool {
        !planted!(NobodyGivesWay) && matches!(self.state, State::ExpectResponse { .. } | State::ExpectEnded(_))
    }

    pub fn is_revoking(&self) -> bool {
        matches!(self.state, State::ExpectWoundDown { .. } | State::ExpectRevoked { .. })
    }

    /// Whether what has been delegated on is being taken back before this ends.
    pub fn takes_back(&self) -> bool {
        matches!(self.state, State::ExpectWoundDown { takes_back: true, .. })
    }

    /// Whether DMS-1 may have it in force, although we have not read its answer to our DELEGATION_CONFIRMED yet. It
    /// revokes nothing on a device before it has settled what it has begun there.
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, State::ExpectConfirmedAnswered(_))
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

    pub fn view(&self) -> RecordView {
        let standing = match self.state {
            State::AtRest if self.is_compromised => Standing::Compromised,
            State::AtRest => Standing::InForce,
            _ => Standing::Moving(self.state.name()),
        };
        self.pact.view(self.is_full, standing)
    }

    fn not_now(&self, kind: Kind) -> Misbehaved {
        Misbehaved::NotInThisState { message: kind.root(), state: self.state.name() }
    }
}
