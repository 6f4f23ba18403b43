//! DMS-1 hands a device over: sections 5.2.1 and 5.2.2, from DELEGATION_REQ to DELEGATION_CONFIRMED.

use super::{Again, Delegating, State};
use crate::clock::Moment;
use crate::delegation::exchange::PostOutcome;
use crate::delegation::flow::{Approach, Outcome};
use crate::delegation::message::{Kind, Message};
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::pact::{Pact, said_no};
use crate::delegation::reading::{Polarity, Unconfirmed};
use crate::delegation::reason;
use crate::delegation::turn::Turn;
use crate::dm::dmacc::DmAcc;
use crate::dm::script::{DeviceFailure, Errand, Extent, Order, Report, planted};
use crate::dm::standard;

/// What BOOTSTRAP_CONFIRMED says of the delegate's account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Bootstrap {
    pub bootstrapped: Option<bool>,
    pub account: Option<Box<DmAcc>>,
}

impl Bootstrap {
    /// Only the DMAcc approach says anything of an account (D14).
    fn approach(&self) -> Approach {
        if self.bootstrapped.is_some() || self.account.is_some() { Approach::DmAcc } else { Approach::Url }
    }
}

/// What a delegation begins with.
#[derive(Debug, Clone, Copy)]
pub(in crate::delegation) struct Terms {
    pub is_full: bool,
    pub delegate_has_account: bool,
}

impl Delegating {
    /// DMS-1 begins (figures 6 and 9): "will you take this device?"
    pub fn ask(turn: &mut Turn<'_>, pact: Pact, approach: Approach, terms: Terms, request: Message) -> Delegating {
        let exchange = turn.post(pact.peer, request);
        Delegating::new(pact, Some(approach), terms, State::ExpectResponse(exchange))
    }

    /// DMS-2 began (figures 7 and 10), and its request has been acknowledged.
    pub fn grant(turn: &mut Turn<'_>, pact: Pact, approach: Option<Approach>, terms: Terms) -> Delegating {
        let mut record = Delegating::new(pact, approach, terms, State::ExpectBootstrapConfirmed);
        record.expect_bootstrap(turn);
        record
    }

    fn new(pact: Pact, approach: Option<Approach>, terms: Terms, state: State) -> Delegating {
        Delegating {
            pact,
            approach,
            wants_full: terms.is_full,
            own_account_removed: false,
            leave_in_doubt: false,
            delegate_had_account: terms.delegate_has_account,
            delegate_let_in: false,
            rights_in_doubt: false,
            client_told: false,
            is_compromised: false,
            held: None,
            url: None,
            doubtful_url: None,
            undo: Vec::new(),
            state,
        }
    }

    /// DELEGATION_RESP, or what came in its place.
    pub(super) fn answered_request(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::Message(Message::DelegationResp { reason, is_acknowledged, session })
                if session == self.pact.delegation.id =>
            {
                if is_acknowledged {
                    self.acknowledged(turn);
                } else {
                    self.state = State::Over;
                    self.pact.settle(turn, Outcome::Refused { reason: reason.unwrap_or(reason::FORBIDDEN) });
                }
            }
            other => self.post_failed(turn, &other),
        }
    }

    fn acknowledged(&mut self, turn: &mut Turn<'_>) {
        // The delegate's BOOTSTRAP_CONFIRMED may have overtaken its own acknowledgement.
        match self.held.take().filter(|_| !planted!(OvertakingConfirmationLost)) {
            Some(held) => self.prepare(turn, held, false),
            None => self.expect_bootstrap(turn),
        }
    }

    pub(super) fn expect_bootstrap(&mut self, turn: &mut Turn<'_>) {
        if self.approach == Some(Approach::Url) {
            let request =
                Message::BootstrapSrvUrlReq { reason: Some(reason::OK), session: self.pact.delegation.id.clone() };
            self.state = State::ExpectBootstrapUrl(turn.post(self.pact.peer, request));
        } else {
            self.state = State::ExpectBootstrapConfirmed;
            self.pact.deadline = turn.now + turn.settings.timeouts.bootstrap;
        }
    }

    /// BOOTSTRAP_SRV_URL_DELIVERY, or what came in its place.
    pub(super) fn answered_url_request(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::Message(Message::BootstrapSrvUrlDelivery { reason, url, session })
                if session == self.pact.delegation.id =>
            {
                if let Some(reason) = said_no(reason) {
                    self.fail(turn, Outcome::Undone { reason }, true);
                } else {
                    self.url = Some(url);
                    self.push_url(turn);
                }
            }
            other => self.post_failed(turn, &other),
        }
    }

    pub(super) fn push_url(&mut self, turn: &mut Turn<'_>) {
        let url = self.url.clone().unwrap_or_default();
        // A careful server does not have an account made that it could not take away again.
        let revocable = turn.is_hardened() && !self.delegate_had_account;
        let push = Errand::PushBootstrapUrl { url, revocable };
        self.state = State::ExpectUrlPushed(turn.errand(self.pact.device, push));
    }

    /// Section 5.2.2.3 has been done, or not.
    pub(super) fn url_pushed(&mut self, turn: &mut Turn<'_>, report: Report) {
        let failure = report.result.clone().err();
        if failure.is_none() {
            self.doubtful_url = None;
            // The entry of an earlier try has made room for this one, and its place may be another's next.
            self.undo
                .retain(|order| !is_bootstrap_entry(order) || *order == Order::Delete(standard::bootstrap_servers()));
        }
        let result = self.keep(turn, report);
        if !planted!(BootstrapByDeviceForgotten) {
            self.expect_bootstrap_by_device();
        }
        let may_have_been = matches!(failure, None | Some(DeviceFailure::Unreachable));
        if may_have_been
            && !planted!(EarlyBootstrapForgotten)
            && let Some(held) = self.held.take()
        {
            // The device has been bootstrapped, whether or not it has answered.
            return self.prepare(turn, held, false);
        }
        match (result, failure) {
            (Err(_), Some(failure)) if self.waits_for_device(turn, &failure, Again::PushUrl) => {}
            (Err(reason), _) => self.fail_at_device(turn, reason),
            (Ok(()), _) => {
                self.state = State::ExpectDeviceBootstrapped;
                self.pact.deadline = turn.now + turn.settings.timeouts.bootstrap;
            }
        }
    }

    /// From now on the device may fetch the delegate's account by itself.
    pub(super) fn expect_bootstrap_by_device(&mut self) {
        let may_fetch = !self.undo.is_empty() || self.doubtful_url.is_some();
        self.delegate_let_in = may_fetch && !self.delegate_had_account;
    }

    /// BOOTSTRAP_CONFIRMED. In the DMAcc approach it comes first (5.2.1.3), in the URL approach after the device has
    /// been bootstrapped (5.2.2.6). Where nothing was agreed the two can cross: what arrives here first wins (D13).
    pub(super) fn bootstrap_confirmed(
        &mut self,
        turn: &mut Turn<'_>,
        reason: Option<u16>,
        bootstrap: Bootstrap,
    ) -> Result<(), Misbehaved> {
        let is_in_turn = match (&self.state, bootstrap.approach()) {
            (State::ExpectResponse(_), Approach::DmAcc) | (State::ExpectUrlPushed(_), Approach::Url) => false,
            (State::ExpectBootstrapConfirmed | State::ExpectBootstrapUrl(_), Approach::DmAcc)
            | (State::ExpectDeviceBootstrapped, Approach::Url)
            // The answer was lost, and not the URL.
            | (State::ExpectDeviceAgain(Again::PushUrl), Approach::Url) => true,
            (State::ExpectBootstrapConfirmed, Approach::Url) => {
                return Err(missing("isClientBootstapped"));
            }
            _ => return Err(self.not_now(Kind::BootstrapConfirmed)),
        };
        if let Some(reason) = said_no(reason) {
            self.fail(turn, Outcome::Undone { reason }, true);
            return Ok(());
        }
        self.check_account(turn, &bootstrap)?;
        if is_in_turn {
            self.prepare(turn, bootstrap, false);
        } else {
            self.held = Some(bootstrap);
        }
        Ok(())
    }

    fn check_account(&self, turn: &Turn<'_>, bootstrap: &Bootstrap) -> Result<(), Misbehaved> {
        match &bootstrap.account {
            None if bootstrap.bootstrapped == Some(false) => Err(missing("DMAcc")),
            // Nobody can have somebody else let in.
            Some(account) if account.server != turn.server_id(self.pact.peer) => Err(Misbehaved::BadValue {
                message: Kind::BootstrapConfirmed.root(),
                element: "DMAcc",
                found: format!("an account of {}", account.server),
            }),
            _ => Ok(()),
        }
    }

    /// Sections 5.2.1.4 and 5.2.2.7, with 5.2.1.5 and 5.2.2.8: the device is prepared in one session. `takes_over`: an
    /// earlier try may have made the account already.
    pub(super) fn prepare(&mut self, turn: &mut Turn<'_>, bootstrap: Bootstrap, takes_over: bool) {
        let approach = bootstrap.approach();
        self.approach = Some(approach);
        let delegate = turn.server_id(self.pact.peer);
        let subtree = self.pact.subtree.clone();
        // In the order of the text DMS-1 goes now; a careful server waits until DMS-2 has shown that it can manage.
        let leaves = planted!(OwnAccountRemovedEarly) || !turn.is_hardened();
        let extent = if self.wants_full { Extent::Everything { leaves } } else { Extent::Part };
        if turn.is_hardened() {
            self.held = Some(bootstrap.clone());
        }
        let errand = match approach {
            Approach::Url => Errand::Grant { delegate, subtree, extent },
            Approach::DmAcc => Errand::Prepare {
                delegate,
                account: bootstrap.account.filter(|_| bootstrap.bootstrapped != Some(true)),
                subtree,
                quiet: quiet(turn),
                extent,
                takes_over,
            },
        };
        self.state = State::ExpectDevicePrepared(turn.errand(self.pact.device, errand));
        self.pact.deadline = Moment::NEVER;
    }

    /// The device is prepared, or not.
    pub(super) fn device_prepared(&mut self, turn: &mut Turn<'_>, report: Report) {
        let failure = report.result.clone().err();
        match (self.keep(turn, report), failure) {
            (Err(_), Some(failure)) if self.waits_for_device(turn, &failure, Again::Prepare) => {}
            (Err(reason), _) => self.fail_at_device(turn, reason),
            (Ok(()), _) => {
                self.held = None;
                self.tell_prepared(turn);
            }
        }
    }

    /// Another try, after one of which nobody knows how far it came.
    pub(super) fn prepare_again(&mut self, turn: &mut Turn<'_>) {
        if let Some(bootstrap) = self.held.clone() {
            self.prepare(turn, bootstrap, true);
        }
    }

    pub(super) fn tell_prepared(&mut self, turn: &mut Turn<'_>) {
        let message = Message::DelegationPrepared {
            reason: Some(reason::OK),
            // The fact, not the wish (D17); of a careful server, what it commits itself to.
            is_full: !planted!(FullFlagDropped)
                && if turn.is_hardened() { self.wants_full } else { self.own_account_removed },
            session: self.pact.delegation.id.clone(),
        };
        self.state = State::ExpectConfirmed(Some(turn.post(self.pact.peer, message)));
        self.pact.deadline = turn.now + turn.settings.timeouts.confirmed;
    }

    pub(super) fn answered_prepared(&mut self, turn: &mut Turn<'_>, outcome: PostOutcome) {
        match outcome {
            PostOutcome::NoContent => self.state = State::ExpectConfirmed(None),
            other => self.post_failed(turn, &other),
        }
    }

    /// DELEGATION_CONFIRMED has not come in time. The delegate may not have reached the client: if so chosen, the client
    /// is told to go there by itself, once.
    pub(super) fn not_confirmed(&mut self, turn: &mut Turn<'_>) {
        let lets_connect = turn.settings.readings.unconfirmed == Unconfirmed::LetConnect;
        let can_help = self.approach == Some(Approach::DmAcc) && !self.own_account_removed;
        if !lets_connect || !can_help || std::mem::replace(&mut self.client_told, true) {
            return self.too_late(turn, "confirmed");
        }
        let errand = Errand::LetConnect { delegate: turn.server_id(self.pact.peer), value: !quiet(turn) };
        self.state = State::ExpectClientTold(turn.errand(self.pact.device, errand));
    }

    pub(super) fn client_told(&mut self, turn: &mut Turn<'_>, report: Report) {
        match report.result {
            Err(_) => {
                self.state = State::ExpectConfirmed(None);
                self.too_late(turn, "confirmed");
            }
            Ok(()) => {
                self.state = State::ExpectConfirmed(None);
                self.pact.deadline = turn.now + turn.settings.timeouts.confirmed;
            }
        }
    }

    /// DELEGATION_CONFIRMED: the delegation is in force (5.2.1.8, 5.2.2.10).
    pub(super) fn confirmed(&mut self, turn: &mut Turn<'_>, reason: Option<u16>) -> Result<(), Misbehaved> {
        let is_undone = matches!(self.state, State::ExpectUndone(_)) && planted!(ConfirmedTakenTooLate);
        if !is_undone && !matches!(self.state, State::ExpectConfirmed(_) | State::ExpectClientTold(_)) {
            return Err(self.not_now(Kind::DelegationConfirmed));
        }
        if let Some(reason) = said_no(reason) {
            self.fail(turn, Outcome::Undone { reason }, true);
            return Ok(());
        }
        self.pact.deadline = Moment::NEVER;
        if self.wants_full && turn.is_hardened() && !self.own_account_removed && !planted!(LeaveSkipped) {
            self.leave(turn);
        } else {
            self.come_into_force(turn);
        }
        Ok(())
    }

    /// Section 5.2.1.5, as a careful server does it: at the very end.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>) {
        self.state = State::ExpectLeft(turn.errand(self.pact.device, Errand::Leave));
    }

    /// The own account is gone, or not: without that the delegation is not what DMS-2 has been told, and fails. Where the
    /// answer was lost it may have gone, and then no session will ever come about again: DMS-2, which has confirmed,
    /// is in charge.
    pub(super) fn left(&mut self, turn: &mut Turn<'_>, report: Report) {
        self.leave_in_doubt |= report.own_account_removed;
        let failure = match report.result {
            Ok(()) | Err(DeviceFailure::NoAccount) => return self.have_left(turn),
            Err(_) if planted!(LeaveFailureTakenForDone) => return self.have_left(turn),
            Err(failure) => failure,
        };
        if self.waits_for_device(turn, &failure, Again::Leave) {
            return;
        }
        if self.leave_in_doubt && failure == DeviceFailure::Unreachable {
            self.have_left(turn);
        } else {
            // What lets the delegate in has been forgotten only when the delegation comes into force.
            self.fail_at_device(turn, failure.reason_code());
        }
    }

    fn have_left(&mut self, turn: &mut Turn<'_>) {
        self.own_account_removed = true;
        turn.book.give_up(self.pact.device);
        self.come_into_force(turn);
    }

    fn come_into_force(&mut self, turn: &mut Turn<'_>) {
        if !self.delegate_had_account {
            self.undo.retain(is_bootstrap_entry);
            self.undo.shrink_to_fit();
        }
        (self.held, self.url) = (None, None);
        turn.is_given_back = self.own_account_removed;
        self.state = State::AtRest;
        self.pact.settle(turn, Outcome::Done);
    }

    /// Takes over what an errand has changed; an error is the reasonCode to tell the peer.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, report: Report) -> Result<(), u16> {
        let is_dropped = planted!(UndoOfBrokenErrandDropped) && report.result.is_err();
        let mut undo = if is_dropped { Vec::new() } else { report.undo };
        undo.append(&mut self.undo);
        self.undo = undo;
        if report.own_account_removed {
            self.own_account_removed = true;
            turn.book.give_up(self.pact.device);
        }
        report.result.map_err(|failure| failure.reason_code())
    }

    fn post_failed(&mut self, turn: &mut Turn<'_>, outcome: &PostOutcome) {
        self.fail(turn, outcome.failure(), outcome.leaves_peer_waiting());
    }
}

/// The value of NoAutoInitialSession that keeps the client from connecting by itself (D6).
fn quiet(turn: &Turn<'_>) -> bool {
    turn.settings.readings.no_auto_initial_session == Polarity::Name
}

/// Whether an order takes back what the URL approach left in the Bootstrap Config MO (5.2.2.3). Everything else that is
/// done for a delegate goes with its account.
pub(super) fn is_bootstrap_entry(order: &Order) -> bool {
    match order {
        Order::Delete(uri) | Order::ReplaceLeaf { uri, .. } => standard::bootstrap_servers().covers(uri),
        _ => false,
    }
}

fn missing(element: &'static str) -> Misbehaved {
    Misbehaved::MissingElement { message: Kind::BootstrapConfirmed.root(), element }
}
