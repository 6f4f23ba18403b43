//! Behind every door: binds the caller to a server, checks and reads the request, and hands it to the party's actor.
//!
//! Runs on the listener's threads, so that reading does not hold up an actor. The doors for those who are no parties of
//! ours are in `outside`, and `wake`.

mod outside;
mod wake;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::actors::blueprint::Blueprint;
use crate::actors::board::Board;
use crate::actors::bootstrap_server::Fetch;
use crate::actors::desk::{Desk, Plan, carry_out};
use crate::actors::directory::{Directory, Party};
use crate::actors::dm_server::{DeviceAnswer, FromDevice, FromPeer};
use crate::actors::processes::Processes;
use crate::actors::sight::Sight;
use crate::actors::tape::Tape;
use crate::delegation::exchange::Answer;
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::xml;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::wire::{self, Packet};
use crate::ids::{BootstrapServerNumber, ServerNumber};
use crate::measure::shard::Shard;
use crate::transport::exchange::{BodyProblem, Inbound, Method, Outbound};

/// The reception of all parties: what the listener calls for each request.
#[derive(Clone)]
pub struct Reception {
    blueprint: Arc<Blueprint>,
    directory: Arc<Directory>,
    board: Arc<Board>,
    desk: Arc<Desk>,
    /// Where exchanges with somebody else's servers are kept, if they are.
    tape: Option<Arc<Tape>>,
    /// The faults that act on what somebody else's servers say, and what is known of whom that is about.
    sight: Option<Sight>,
    processes: Arc<Mutex<Processes>>,
    calls: Arc<Mutex<wake::Calls>>,
    /// What was turned away here; rare, so that one lock serves all threads.
    turned_away: Arc<Mutex<Shard>>,
}

/// Whose door it is, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorFor {
    /// Other DM servers, with a client certificate.
    Servers(ServerNumber),
    /// Devices.
    Devices(ServerNumber),
    /// Devices that fetch their bootstrap document.
    Bootstrap(BootstrapServerNumber),
    /// Devices and bootstrap documents behind one address (5.2.2.4).
    DevicesAndBootstrap(ServerNumber, BootstrapServerNumber),
    /// Other DM servers that reach this one through us.
    Relay(ServerNumber),
    /// Somebody else's servers that wake devices of ours.
    Wake,
    /// Whoever may ask a server to start a flow.
    Operator(ServerNumber),
}

impl Reception {
    /// A reception that finds the actors through `directory`.
    pub fn new(blueprint: Arc<Blueprint>, directory: Arc<Directory>, board: Arc<Board>, desk: Arc<Desk>) -> Reception {
        let (processes, calls, turned_away) = Default::default();
        Reception { blueprint, directory, board, desk, tape: None, sight: None, processes, calls, turned_away }
    }

    /// The same, for what somebody else's servers say: with the faults that act on it, and where it is kept, if it is.
    pub fn with_outside(self, sight: Sight, tape: Option<Arc<Tape>>) -> Reception {
        Reception { sight: Some(sight), tape, ..self }
    }

    /// What was turned away since this was asked last.
    pub fn take_turned_away(&self) -> Shard {
        std::mem::take(&mut *self.turned_away.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers one request, with whatever a fault makes of it on the way in and out.
    pub async fn receive(self, request: Inbound) -> Outbound {
        let Some(plan) = request.token.and_then(|token| self.desk.plan(token)) else {
            return self.answer(request, false).await;
        };
        // What has been read is handled in any case: its caller may have given up long before a wait is over.
        match actix::spawn(self.carry_out(plan, request)).await {
            Ok(outbound) => outbound,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Outbound::hang_up(),
            },
        }
    }

    /// Answers one request as its plan has it.
    async fn carry_out(self, plan: Arc<Plan>, request: Inbound) -> Outbound {
        let refusal = match self.blueprint.door(request.door) {
            DoorFor::Servers(server) if plan.refuses_with().is_some() => {
                let message = request.body.as_ref().ok().and_then(|body| xml::read(body).ok());
                plan.refusal(message.as_ref(), &self.blueprint.parties.server(server).readings)
            }
            _ => Outbound::status(409),
        };
        let answer = self.answer(request, plan.is_stale);
        carry_out(&plan, (&self.board, self.blueprint.request_timeout), refusal, answer).await
    }

    async fn answer(&self, request: Inbound, is_stale: bool) -> Outbound {
        match self.blueprint.door(request.door) {
            DoorFor::Servers(server) if self.tape.is_some() => self.receive_and_keep(server, request).await,
            DoorFor::Relay(server) if self.tape.is_some() => self.receive_and_keep(server, request).await,
            DoorFor::Servers(server) => self.receive_server(server, request).await,
            DoorFor::Devices(server) => self.receive_device(server, request).await,
            DoorFor::Bootstrap(server) => self.receive_fetch(server, request, is_stale).await,
            DoorFor::Relay(server) => self.receive_for_another(server, request).await,
            DoorFor::Wake => self.receive_trigger(&request),
            DoorFor::Operator(server) => self.receive_wish(server, &request),
            DoorFor::DevicesAndBootstrap(server, bootstrap) => {
                if request.path_only() == self.blueprint.server(server).dm_path {
                    self.receive_device(server, request).await
                } else {
                    self.receive_fetch(bootstrap, request, is_stale).await
                }
            }
        }
    }

    async fn receive_peer(&self, server: ServerNumber, request: Inbound) -> Outbound {
        if self.directory.is_down(server) {
            return Outbound::hang_up();
        }
        let party = self.blueprint.server(server);
        if request.path_only() != party.interface_path {
            return self.turn_away("unknown_path", 404);
        }
        if let Some(workers) = &party.workers {
            let now = self.blueprint.clock.now();
            tokio::time::sleep(workers.take(now) - now).await;
        }
        let answer = match self.read_peer(&request) {
            Err(misbehaved) => Answer::Rejected(misbehaved),
            Ok((from, message)) => {
                let (reply, answer) = oneshot::channel();
                let place = self.directory.place_at(server);
                let post = FromPeer { from, message, reply, place };
                match self.directory.with_server(server, |actor| actor.try_send(post).is_ok()) {
                    // It may have been killed since we looked.
                    None | Some(false) if self.directory.is_down(server) => return Outbound::hang_up(),
                    None | Some(false) => Answer::Rejected(Misbehaved::Overloaded),
                    Some(true) => match answer.await {
                        // The machine has counted what it rejected.
                        Ok(Answer::Rejected(misbehaved)) => return Outbound::status(misbehaved.http_status()),
                        Ok(answer) => answer,
                        Err(_) => return self.died(Party::Server(server)),
                    },
                }
            }
        };
        match answer {
            Answer::Message(message) => {
                Outbound::ok(xml::CONTENT_TYPE, xml::write(&message, &self.blueprint.parties.server(server).readings))
            }
            Answer::NoContent => Outbound::status(204),
            Answer::Rejected(misbehaved) => self.turn_away(misbehaved.key(), misbehaved.http_status()),
        }
    }

    /// Who posts, and what. A certificate of our authority is not enough: it has to be that of a server we know (403).
    fn read_peer(&self, request: &Inbound) -> Result<(ServerNumber, crate::delegation::message::Message), Misbehaved> {
        if request.method != Method::Post {
            return Err(Misbehaved::NotAPost { method: request.method.to_string() });
        }
        let from = request
            .caller
            .as_ref()
            .and_then(|names| self.blueprint.server_with_certificate(names))
            .ok_or(Misbehaved::NotThePeer)?;
        xml::check_content_type(request.content_type.as_deref())?;
        let body = match &request.body {
            Ok(body) => body,
            Err(BodyProblem::TooLarge { limit }) => return Err(Misbehaved::TooLarge { limit: *limit }),
            Err(BodyProblem::Broken(why)) => return Err(Misbehaved::NotXml { at: 0, why: why.clone() }),
        };
        Ok((from, xml::read(body)?))
    }

    async fn receive_device(&self, server: ServerNumber, request: Inbound) -> Outbound {
        if self.directory.is_down(server) {
            return Outbound::hang_up();
        }
        if request.path_only() != self.blueprint.server(server).dm_path {
            return self.turn_away("unknown_path", 404);
        }
        if request.method != Method::Post {
            return self.turn_away("not_a_post", 405);
        }
        let body = match &request.body {
            Ok(body) => body,
            Err(BodyProblem::TooLarge { .. }) => return self.turn_away("too_large", 413),
            Err(BodyProblem::Broken(_)) => return self.turn_away("broken_body", 400),
        };
        let hmac = request.header(HMAC_HEADER);
        let envelope = match wire::open(request.content_type.as_deref().unwrap_or_default(), hmac, body) {
            Ok(envelope) => envelope,
            Err(error) => return self.turn_away(error.key(), error.status()),
        };
        let content_type = envelope.content_type;
        let (reply, answer) = oneshot::channel();
        let place = self.directory.place_at(server);
        let package = FromDevice { envelope, has_certificate: request.caller.is_some(), reply, place };
        if self.directory.with_server(server, |actor| actor.try_send(package).is_ok()) != Some(true) {
            if self.directory.is_down(server) {
                return Outbound::hang_up();
            }
            return self.turn_away("overloaded", 503);
        }
        match answer.await {
            Ok(DeviceAnswer::Message { message, seal }) => {
                packet_answer(wire::seal(&message, seal.as_ref(), content_type))
            }
            Ok(DeviceAnswer::Rejected { status }) => self.turn_away("device_session", status),
            Err(_) => self.died(Party::Server(server)),
        }
    }

    async fn receive_fetch(&self, server: BootstrapServerNumber, request: Inbound, is_stale: bool) -> Outbound {
        if request.method != Method::Get {
            return self.turn_away("not_a_get", 405);
        }
        let (reply, document) = oneshot::channel();
        let fetch = Fetch { path: request.path_only().to_string(), is_stale, reply };
        if !matches!(self.directory.with_bootstrap_server(server, |actor| actor.try_send(fetch)), Some(Ok(()))) {
            return self.turn_away("overloaded", 503);
        }
        match document.await {
            Ok(Some(packet)) => packet_answer(packet),
            Ok(None) => Outbound::status(404),
            Err(_) => self.died(Party::BootstrapServer(server)),
        }
    }

    /// The actor died with this request in its hands. One that a fault has killed takes its connections with it.
    fn died(&self, party: Party) -> Outbound {
        if let Party::Server(server) = party
            && self.directory.is_down(server)
        {
            return Outbound::hang_up();
        }
        let reason = match party {
            Party::BootstrapServer(_) => "bootstrap_server_died",
            Party::Server(_) | Party::Device(_) => "server_died",
            Party::Relay => "relay_died",
        };
        self.turn_away(reason, 500)
    }

    fn turn_away(&self, reason: &'static str, status: u16) -> Outbound {
        self.count(reason);
        refusal(status)
    }

    fn count(&self, reason: &'static str) {
        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).rejected(reason);
    }
}

/// A status alone. Whoever finds no room now is told when to come again (section 14.37 of RFC 2616), in seconds.
fn refusal(status: u16) -> Outbound {
    Outbound::status_and_when(status, (status == 503).then_some(Duration::from_secs(1)))
}

fn packet_answer(packet: Packet) -> Outbound {
    let answer = Outbound::ok(packet.content_type.as_str(), packet.body);
    match packet.hmac_header {
        Some(value) => answer.with_header(HMAC_HEADER, value),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_finds_no_room_is_told_when_to_come_again() {
        for (status, expected) in [(503, vec![("retry-after", "1".to_owned())]), (404, vec![])] {
            assert_eq!(refusal(status).headers, expected, "{status}");
        }
    }
}
