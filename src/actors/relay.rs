//! Between two servers that are both somebody else's: takes what one says to the other, lets it suffer what faults want,
//! passes it on in the name of who has said it, and brings the answer back.

use std::rc::Rc;

use actix::prelude::*;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::actors::desk::{carry_out, sit_out};
use crate::actors::directory::Party;
use crate::actors::dm_server::read_answer;
use crate::actors::drive::Grave;
use crate::actors::far_side;
use crate::actors::lane::Lane;
use crate::actors::ordeal::{Ordeal, sites};
use crate::actors::processes::{Heard, Processes, UNKNOWN};
use crate::actors::supervisor::Supervisor;
use crate::clock::Moment;
use crate::delegation::exchange::PostOutcome;
use crate::delegation::message::Message as Said;
use crate::delegation::xml;
use crate::facts::What;
use crate::facts::machines::heard;
use crate::faults::rule::Direction;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::transport::dialer::Call;
use crate::transport::exchange::{Method, Outbound};
use crate::transport::failure::{CallError, Phase};

/// How many requests may wait for it before it answers 503.
pub const MAILBOX: usize = 65_536;
/// How many requests it passes on at once; more are answered with 503.
const MOST_AT_ONCE: usize = 4_096;
/// What one server says to another.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PassOn {
    pub from: ServerNumber,
    pub to: ServerNumber,
    pub method: Method,
    pub content_type: Option<String>,
    pub body: Bytes,
    /// Gets what the other has answered.
    pub reply: oneshot::Sender<Outbound>,
}

/// The actor.
pub struct Relay {
    lane: Rc<Lane>,
    processes: Processes,
    /// A share for each request that is being passed on.
    under_way: Rc<()>,
    _grave: Grave,
}

/// What is known of a request as a message.
struct Known {
    said: Option<Said>,
    device: DeviceNumber,
    /// The how-manieth time it is said, from 1.
    attempt: u32,
}

impl Relay {
    /// Between the servers of the lane's blueprint.
    pub fn new(lane: Rc<Lane>, supervisor: Addr<Supervisor>) -> Relay {
        Relay {
            lane,
            processes: Processes::default(),
            under_way: Rc::new(()),
            _grave: Grave::new(Party::Relay, supervisor),
        }
    }

    fn ordeal(&self, now: Moment, pass: &PassOn, known: &Known) -> Ordeal {
        let blueprint = &self.lane.blueprint;
        let heard = Heard {
            from: pass.from,
            to: pass.to,
            device: known.device,
            attempt: known.attempt,
            said: known.said.as_ref(),
        };
        let passage = || heard.at(now, blueprint);
        let verdicts = self.lane.judge(sites(Direction::ServerToServer), passage);
        let party = blueprint.server(pass.from);
        Ordeal::of(&verdicts, Some(pass.from), |bad| party.bad_identities.get(&bad).cloned())
    }
}

impl Actor for Relay {
    type Context = Context<Self>;
}

impl Handler<PassOn> for Relay {
    type Result = ();

    fn handle(&mut self, pass: PassOn, _: &mut Self::Context) {
        if Rc::strong_count(&self.under_way) > MOST_AT_ONCE {
            let _ = pass.reply.send(Outbound::status(503));
            return;
        }
        let now = self.lane.blueprint.clock.now();
        let said = xml::read(&pass.body).ok();
        let (device, attempt) = said.as_ref().map_or((UNKNOWN, 1), |said| self.processes.see(pass.from, said));
        let known = Known { said, device, attempt };
        let ordeal = self.ordeal(now, &pass, &known);
        let (lane, share) = (Rc::clone(&self.lane), Rc::clone(&self.under_way));
        actix::spawn(async move {
            let _share = share;
            let (from, to) = (pass.from, pass.to);
            let PassOn { method, content_type, body, reply, .. } = pass;
            let call = Call {
                method,
                content_type: content_type.map(Into::into),
                ..lane.blueprint.call_in_the_name_of(from, to, body)
            };
            // Who has hung up needs no answer.
            let _ = reply.send(passed_on(&lane, (from, to), known, call, ordeal).await);
        });
    }
}

/// One exchange, with what it has to suffer on either side.
async fn passed_on(
    lane: &Lane,
    (from, to): (ServerNumber, ServerNumber),
    known: Known,
    mut call: Call,
    mut ordeal: Ordeal,
) -> Outbound {
    let Known { said, device, attempt } = known;
    if let Some(forged) = said.as_ref().and_then(|said| ordeal.forged(said)) {
        call.body = xml::write(&forged, &lane.blueprint.parties.server(from).readings).into();
    }
    let plan = ordeal.befall_alone(&mut call, device);
    for wait in &ordeal.waits {
        sit_out(wait, device, &lane.board).await;
    }
    let answer = exchange(lane, (from, to), said.as_ref(), (device, attempt), call);
    match plan {
        Some(plan) => {
            let refusal = plan.refusal(said.as_ref(), &lane.blueprint.parties.server(to).readings);
            carry_out(&plan, (&lane.board, lane.blueprint.request_timeout), refusal, answer).await
        }
        None => answer.await,
    }
}

/// Asks the one in the name of the other, and notes what was said.
async fn exchange(
    lane: &Lane,
    (from, to): (ServerNumber, ServerNumber),
    said: Option<&Said>,
    (device, attempt): (DeviceNumber, u32),
    call: Call,
) -> Outbound {
    let wanted = lane.blueprint.clock.now();
    let flow = lane.present.of(device);
    let kind = said.map(Said::kind);
    let session = said.and_then(Said::session).cloned();
    if let Some(kind) = kind {
        lane.record(|shard| shard.message_sent(kind, flow));
        lane.saw(device, What::Sent { from, to, kind, session: session.clone(), attempt });
    }
    let result = lane.dialer.call(call).await;
    let now = lane.blueprint.clock.now();
    if let Ok(reply) = &result {
        lane.call_answered(&reply.timing);
    }
    let outcome = match &result {
        Ok(reply) => read_answer(reply),
        Err(CallError::TimedOut { phase: Phase::Queue, .. }) => {
            PostOutcome::Unreachable { phase: Phase::Queue.as_str() }
        }
        Err(CallError::TimedOut { .. }) => PostOutcome::TimedOut,
        Err(error) => PostOutcome::Unreachable { phase: error.phase() },
    };
    if let Some(kind) = kind {
        lane.record(|shard| match &result {
            Ok(reply) => {
                let service = now - reply.timing.sent;
                shard.message_answered(kind, flow, now - wanted, service);
                if let PostOutcome::Message(answer) = &outcome {
                    shard.message_sent(answer.kind(), flow);
                    shard.message_answered(answer.kind(), flow, now - wanted, service);
                }
            }
            Err(error) => shard.message_lost(kind, flow, matches!(error, CallError::TimedOut { .. })),
        });
        let answer = heard(&outcome);
        lane.saw(device, What::Heard { at: from, from: to, kind, session, attempt, answer });
    }
    match result {
        Ok(reply) => far_side::as_it_came(&reply),
        // Who was to be asked is not there, or has broken off; that is what the one who asks is to see.
        Err(_) => {
            lane.record(|shard| shard.rejected("relay_without_answer"));
            Outbound::hang_up()
        }
    }
}
