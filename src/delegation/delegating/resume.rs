//! DMS-1 after a restart: a process that was under way is taken up again, with whatever may not have happened done again.
//!
//! Peers and devices take a repetition for what it is (D35), so that doing a thing twice is safe, and not doing it is not.

use super::{Again, Delegating, State};
use crate::delegation::flow::Outcome;
use crate::delegation::message::Message;
use crate::delegation::turn::Turn;
use crate::dm::script::planted;
use crate::ids::device_id;

impl Delegating {
    /// Takes up what the store says was under way.
    pub fn resume(&mut self, turn: &mut Turn<'_>) {
        let timeouts = turn.settings.timeouts;
        match &self.state {
            State::AtRest | State::Over => {}
            // The request itself has not been kept: the peer may wait for us, and is told that this has ended.
            State::ExpectResponse(_) => self.fail(turn, Outcome::Lost, true),
            State::ExpectBootstrapConfirmed | State::ExpectBootstrapUrl(_) => self.expect_bootstrap(turn),
            State::ExpectDeviceBootstrapped => self.pact.deadline = turn.now + timeouts.bootstrap,
            State::ExpectDevicePrepared(_) | State::ExpectDeviceAgain(Again::Prepare) => {
                // What an earlier try has changed went with the memory: the delegate may have its account, or its rights.
                self.delegate_let_in = !self.delegate_had_account;
                self.rights_in_doubt = self.delegate_had_account;
                self.prepare_again(turn);
            }
            State::ExpectUrlPushed(_) | State::ExpectDeviceAgain(Again::PushUrl) => {
                self.doubtful_url.clone_from(&self.url);
                self.delegate_let_in = !self.delegate_had_account;
                self.push_url(turn);
            }
            State::ExpectConfirmed(_) => self.tell_prepared(turn),
            State::ExpectClientTold(_) => {
                self.state = State::ExpectConfirmed(None);
                self.pact.deadline = turn.now + timeouts.confirmed;
            }
            State::ExpectLeft(_) if planted!(LeaveNotResumed) => {}
            State::ExpectLeft(_) | State::ExpectDeviceAgain(Again::Leave) => {
                // The answer to an earlier try went with the memory.
                self.leave_in_doubt = true;
                self.leave(turn);
            }
            State::ExpectUndone(_) => self.resume_undo(turn),
            State::ExpectTerminationAck(_) => {
                let (device, session) = (device_id(self.pact.device), self.pact.revocation_id());
                let request = Message::DelegationTerminationReq { device, subtree: None, session };
                self.state = State::ExpectTerminationAck(turn.post(self.pact.peer, request));
            }
            State::ExpectTerminationResp => self.pact.deadline = turn.now + timeouts.termination,
            State::ExpectRemoval(_, told) | State::ExpectDeviceAgain(Again::Removal(told)) => self.remove(turn, *told),
            State::ExpectRevokedAnswered(_, told) => self.tell_revoked(turn, *told),
            State::ExpectFailureAnswered(_, reason, flow) => {
                let (reason, flow) = (*reason, flow.clone());
                self.tell_failure(turn, reason, flow);
            }
        }
    }
}
