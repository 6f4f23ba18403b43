//! The doors for those who are no parties of ours: servers, and who asks ours to start something.

use super::Reception;
use std::sync::PoisonError;

use tokio::sync::oneshot;

use crate::actors::desk::{carry_out, sit_out};
use crate::actors::directory::Party;
use crate::actors::dm_server::Operator;
use crate::actors::ordeal::{Ordeal, sites};
use crate::actors::outside::{Errand, OPERATOR_PATH};
use crate::actors::processes::{Heard, UNKNOWN};
use crate::actors::relay::PassOn;
use crate::actors::tape::Exchange;
use crate::delegation::evidence;
use crate::delegation::machine::Input;
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::xml;
use crate::faults::rule::Direction;
use crate::ids::ServerNumber;
use crate::transport::exchange::{BodyProblem, Inbound, Method, Outbound};

impl Reception {
    /// What a server says to one of ours. Where it is somebody else's, it knows nothing of our faults: what they want is done
    /// to it here.
    pub(super) async fn receive_server(&self, to: ServerNumber, mut request: Inbound) -> Outbound {
        let sites = sites(Direction::ServerToServer);
        let Some(sight) = self.sight.as_ref().filter(|_| self.blueprint.faults.acts_at(sites)) else {
            return self.receive_peer(to, request).await;
        };
        let from = request.caller.as_ref().and_then(|names| self.blueprint.server_with_certificate(names));
        let Some(from) = from.filter(|from| self.blueprint.is_external(*from)) else {
            return self.receive_peer(to, request).await;
        };
        let said = request.body.as_ref().ok().and_then(|body| xml::read(body).ok());
        let (device, attempt) = match &said {
            Some(said) => self.processes.lock().unwrap_or_else(PoisonError::into_inner).see(from, said),
            None => (UNKNOWN, 1),
        };
        let passage = Heard { from, to, device, attempt, said: said.as_ref() };
        let now = self.blueprint.clock.now();
        let verdicts = sight.judge(sites, || passage.at(now, &self.blueprint));
        let mut ordeal = Ordeal::of(&verdicts, Some(from), |_| None);
        if let (Some(forged), Ok(body)) = (said.as_ref().and_then(|said| ordeal.forged(said)), &mut request.body) {
            *body = xml::write(&forged, &self.blueprint.parties.server(from).readings).into();
        }
        let arrival = ordeal.befall_arrived(&mut request, device);
        for wait in &ordeal.waits {
            sit_out(wait, device, &self.board).await;
        }
        if arrival.is_lost {
            if arrival.is_silent {
                tokio::time::sleep(self.blueprint.request_timeout).await;
            }
            return Outbound::hang_up();
        }
        let again = arrival.comes_again.map(|gap| (gap, request.clone()));
        let answer = self.receive_peer(to, request);
        let answer = match &arrival.plan {
            Some(plan) => {
                let refusal = plan.refusal(said.as_ref(), &self.blueprint.parties.server(to).readings);
                carry_out(plan, (&self.board, self.blueprint.request_timeout), refusal, answer).await
            }
            None => answer.await,
        };
        if let Some((gap, request)) = again {
            let reception = self.clone();
            actix::spawn(async move {
                tokio::time::sleep(gap).await;
                reception.receive_peer(to, request).await;
            });
        }
        if arrival.loses_answer { Outbound::hang_up() } else { answer }
    }

    /// What a server says to another, kept where one of the two is somebody else's.
    pub(super) async fn receive_and_keep(&self, to: ServerNumber, request: Inbound) -> Outbound {
        let from = request.caller.as_ref().and_then(|names| self.blueprint.server_with_certificate(names));
        let is_outside = from.is_none_or(|from| self.blueprint.is_external(from));
        let from = from.map_or("somebody", |from| self.blueprint.server(from).name.as_str());
        let (said, began) = (request.body.clone().unwrap_or_default(), request.received);
        let answer = match self.blueprint.is_external(to) {
            true => self.receive_for_another(to, request).await,
            false => self.receive_server(to, request).await,
        };
        if let Some(tape) = self.tape.as_ref().filter(|_| is_outside) {
            let took = self.blueprint.clock.now() - began;
            let outcome = if answer.hangs_up { "no answer".to_owned() } else { answer.status.to_string() };
            let to = self.blueprint.server(to).name.as_str();
            tape.keep(|| Exchange::new((from, to), (began, took), &said, (outcome, &answer.body)));
        }
        answer
    }

    /// What somebody says to a server that is reached through us. Who it is has to be known, for we speak in his name.
    pub(super) async fn receive_for_another(&self, to: ServerNumber, request: Inbound) -> Outbound {
        if request.path_only() != self.blueprint.server(to).interface_path {
            return self.turn_away("unknown_path", 404);
        }
        let from = request.caller.as_ref().and_then(|names| self.blueprint.server_with_certificate(names));
        let Some(from) = from.filter(|from| *from != to) else {
            return self.turn_away(Misbehaved::NotThePeer.key(), Misbehaved::NotThePeer.http_status());
        };
        let body = match request.body {
            Ok(body) => body,
            Err(BodyProblem::TooLarge { .. }) => return self.turn_away("too_large", 413),
            Err(BodyProblem::Broken(_)) => return self.turn_away("broken_body", 400),
        };
        let (reply, answer) = oneshot::channel();
        let (method, content_type) = (request.method, request.content_type);
        let pass = PassOn { from, to, method, content_type, body, reply };
        match self.directory.with_relay(|actor| actor.try_send(pass).is_ok()) {
            Some(true) => match answer.await {
                Ok(answer) => answer,
                Err(_) => self.died(Party::Relay),
            },
            Some(false) | None => self.turn_away("overloaded", 503),
        }
    }

    /// What somebody wants a server of ours to start.
    pub(super) fn receive_wish(&self, server: ServerNumber, request: &Inbound) -> Outbound {
        if request.path_only() != OPERATOR_PATH {
            return self.turn_away("unknown_path", 404);
        }
        if request.method != Method::Post {
            return self.turn_away("not_a_post", 405);
        }
        // Any certificate of a CA that is trusted lets one in here; only a server that we know may ask for something.
        if request.caller.as_ref().and_then(|names| self.blueprint.server_with_certificate(names)).is_none() {
            return self.turn_away(Misbehaved::NotThePeer.key(), 403);
        }
        let body = match &request.body {
            Ok(body) => body,
            Err(problem) => return refused_in_words(400, &problem.to_string()),
        };
        let devices = self.blueprint.parties.population.devices();
        let wish = Errand::read(body, devices).and_then(|(device, errand)| {
            let step = self.blueprint.phrases.read(&errand.step)?;
            let (flow, (from, to), subtree) = step.wish().ok_or("there is nothing to start in a `wait`")?;
            let starter = step.starter();
            let peer = if from == server { to } else { from };
            match starter == Some(server) {
                true => Ok(Input::Start { flow, device, peer, subtree }),
                false => Err(format!("this step is not for {} to start", self.blueprint.server(server).name)),
            }
        });
        let wish = match wish {
            Ok(wish) => wish,
            Err(why) => return refused_in_words(400, &why),
        };
        let operator = Operator { wish, due: None, place: self.directory.place_at(server) };
        match self.directory.with_server(server, |actor| actor.try_send(operator).is_ok()) {
            Some(true) => Outbound::status(202),
            Some(false) | None => self.turn_away("overloaded", 503),
        }
    }
}

/// A status, and why.
fn refused_in_words(status: u16, why: &str) -> Outbound {
    Outbound { status, ..Outbound::ok("text/plain; charset=utf-8", format!("{}\n", evidence::line(why))) }
}
