//! Between two servers that are both somebody else's: takes what one says to the other, lets it suffer what faults want,
//! passes it on in the name of who has said it, and brings the answer back.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use actix::prelude::*;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::actors::desk::{carry_out, sit_out};
use crate::actors::directory::Party;
use crate::actors::dm_server::read_answer;
use crate::actors::drive::Grave;
use crate::actors::lane::Lane;
use crate::actors::ordeal::{Ordeal, sites};
use crate::actors::supervisor::Supervisor;
use crate::clock::Moment;
use crate::delegation::exchange::PostOutcome;
use crate::delegation::message::{Kind, Message as Said};
use crate::delegation::xml;
use crate::facts::What;
use crate::facts::machines::heard;
use crate::faults::forgery;
use crate::faults::rule::{Direction, End};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber, SessionId, device_number};
use crate::transport::dialer::{Call, Reply};
use crate::transport::exchange::{Method, Outbound};
use crate::transport::failure::{CallError, Phase};

/// How many requests may wait for it before it answers 503.
pub const MAILBOX: usize = 65_536;
/// How many requests it passes on at once; more are answered with 503.
const MOST_AT_ONCE: usize = 4_096;
/// How many processes are remembered, each with its device; of older ones nobody knows any more whom they are about.
const REMEMBERED: usize = 100_000;
/// What stands for a device of which nobody has said which one it is.
const UNKNOWN: DeviceNumber = DeviceNumber(u32::MAX);

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

/// The processes that were seen to begin.
#[derive(Default)]
struct Processes {
    known: BTreeMap<SessionId, Process>,
    /// In the order in which they began.
    order: VecDeque<SessionId>,
}

struct Process {
    device: DeviceNumber,
    /// How often each server has said each of its messages.
    said: BTreeMap<(ServerNumber, Kind), u32>,
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
        let session = known.said.as_ref().and_then(Said::session);
        let blueprint = &self.lane.blueprint;
        let passage = || Passage {
            direction: Direction::ServerToServer,
            from: End::Server(pass.from),
            to: End::Server(pass.to),
            device: known.device,
            class: blueprint.parties.population.class_number(known.device).unwrap_or_default(),
            role: None,
            message: known.said.as_ref().map(Said::kind),
            session: session.map_or("", SessionId::as_str).into(),
            nth_session: 1,
            attempt: known.attempt,
            state: "",
            now,
        };
        let verdicts = self.lane.judge(sites(Direction::ServerToServer), passage);
        let party = blueprint.server(pass.from);
        Ordeal::of(&verdicts, Some(pass.from), |bad| party.bad_identities.get(&bad).cloned())
    }
}

impl Processes {
    /// Which device a message is about, and how often it has been said.
    fn see(&mut self, from: ServerNumber, said: &Said) -> (DeviceNumber, u32) {
        let named = said.device().map(|id| device_number(id.as_str()).unwrap_or(UNKNOWN));
        let Some(session) = said.session() else { return (named.unwrap_or(UNKNOWN), 1) };
        if !self.known.contains_key(session) {
            if self.order.len() == REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(session.clone());
        }
        let process = self
            .known
            .entry(session.clone())
            .or_insert_with(|| Process { device: named.unwrap_or(UNKNOWN), said: BTreeMap::new() });
        let times = process.said.entry((from, said.kind())).or_default();
        *times = times.saturating_add(1);
        (process.device, *times)
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
    if let Some(forged) = said.as_ref().and_then(|said| forged(said, &ordeal)) {
        call.body = xml::write(&forged, &lane.blueprint.parties.server(from).readings).into();
    }
    let plan = ordeal.befall_alone(&mut call, device);
    for wait in &ordeal.waits {
        sit_out(wait, device, &lane.board).await;
    }
    let refused = |reason| {
        let refusal = said.as_ref().and_then(|said| forgery::refusal(said, reason));
        let readings = &lane.blueprint.parties.server(to).readings;
        refusal.map_or_else(|| Outbound::status(409), |no| Outbound::ok(xml::CONTENT_TYPE, xml::write(&no, readings)))
    };
    let answer = exchange(lane, (from, to), said.as_ref(), (device, attempt), call);
    match plan {
        Some(plan) => carry_out(&plan, (&lane.board, lane.blueprint.request_timeout), refused, answer).await,
        None => answer.await,
    }
}

/// The message as faults want it; `None` where they leave it as it is.
fn forged(said: &Said, ordeal: &Ordeal) -> Option<Said> {
    ordeal.forgeries.iter().fold(None, |before: Option<Said>, action| {
        let forged = forgery::forge(before.as_ref().unwrap_or(said), action, None, None);
        forged.or(before)
    })
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
        Ok(reply) => as_it_came(reply),
        // Who was to be asked is not there, or has broken off; that is what the one who asks is to see.
        Err(_) => {
            lane.record(|shard| shard.rejected("relay_without_answer"));
            Outbound::hang_up()
        }
    }
}

/// An answer with all that a peer goes by. A redirection goes on as it came, and is followed by nobody here.
fn as_it_came(reply: Reply) -> Outbound {
    let kept = ["retry-after", "location"];
    let headers = kept.into_iter().filter_map(|name| Some((name, reply.header(name)?.to_owned()))).collect();
    let content_type = reply.content_type().map(|found| found.to_owned().into());
    let status = if (200..600).contains(&reply.status) { reply.status } else { 502 };
    Outbound { content_type, headers, body: reply.body, ..Outbound::status(status) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, ServerId, device_id};

    #[test]
    fn a_process_is_about_the_device_that_it_began_with_and_what_is_said_again_counts() {
        let (home, partner) = (ServerNumber(0), ServerNumber(1));
        let mut processes = Processes::default();
        let request = |session: &str, device: DeviceId| Said::DelegationReq {
            server: ServerId::new("dms1.example.test"),
            device,
            manufacturer: String::new(),
            model: String::new(),
            subtree: ".".to_owned(),
            is_full: false,
            session: SessionId::new(session),
        };
        let prepared =
            |session: &str| Said::DelegationPrepared { reason: None, is_full: false, session: SessionId::new(session) };
        let third = device_id(DeviceNumber(3));
        assert_eq!(processes.see(home, &request("a", third.clone())), (DeviceNumber(3), 1));
        assert_eq!(processes.see(home, &prepared("a")), (DeviceNumber(3), 1));
        assert_eq!(processes.see(home, &prepared("a")), (DeviceNumber(3), 2));
        assert_eq!(processes.see(partner, &prepared("a")), (DeviceNumber(3), 1), "another server says it");
        assert_eq!(processes.see(home, &request("b", DeviceId::new("IMEI:1"))), (UNKNOWN, 1));
        assert_eq!(processes.see(home, &prepared("c")), (UNKNOWN, 1), "it began before we stood there");
        let by_force = Said::DelegationRevoked { device: Some(third), subtree: None, reason: None, session: None };
        assert_eq!(processes.see(home, &by_force), (DeviceNumber(3), 1));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut processes = Processes::default();
        for number in 0..REMEMBERED + 10 {
            let session = SessionId::new(number.to_string());
            processes.see(ServerNumber(0), &Said::DelegationConfirmed { reason: None, session });
        }
        assert_eq!((processes.known.len(), processes.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!processes.known.contains_key(&SessionId::new("9")));
    }
}
