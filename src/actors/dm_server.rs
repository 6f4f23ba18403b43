//! A DM server, alive: its delegation machine and its half of device sessions behind one mailbox.

use std::collections::HashMap;
use std::rc::Rc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::actors::directory::Party;
use crate::actors::dm_client::{DmClient, PackageZero, Refusal};
use crate::actors::drive::{Alarm, Grave, HasAlarm};
use crate::actors::lane::Lane;
use crate::actors::supervisor::Supervisor;
use crate::actors::swarm::Noted;
use crate::clock::Moment;
use crate::delegation;
use crate::delegation::exchange::{Answer, Incoming, Outgoing, PostOutcome};
use crate::delegation::machine::{Effect, Input, Job, Note};
use crate::delegation::message::{self, Kind};
use crate::dm::auth::HmacCredentials;
use crate::dm::script::Errand;
use crate::dm::server as sessions;
use crate::dm::syncml::Message;
use crate::dm::wire::Envelope;
use crate::ids::ServerNumber;
use crate::measure::promise::ServerView;
use crate::measure::shard::SessionSide;
use crate::transport::dialer::{Call, Reply};
use crate::transport::failure::{CallError, Phase};

/// How many requests may wait for one DM server before it answers 503.
pub const MAILBOX: usize = 65_536;

/// The operator of this server wants something.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Operator {
    pub wish: Input,
    /// When the load meant it to happen; `None` where it meant no moment.
    pub due: Option<Moment>,
}

/// A peer server's POST, its sender known and its body read.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromPeer {
    pub from: ServerNumber,
    pub message: message::Message,
    pub reply: oneshot::Sender<Answer>,
}

/// A device's package.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromDevice {
    pub envelope: Envelope,
    /// Whether TLS has shown who the device is.
    pub has_certificate: bool,
    pub reply: oneshot::Sender<DeviceAnswer>,
}

/// What a device's package is answered with.
pub enum DeviceAnswer {
    /// A message, and what to sign it with in the HTTP header (HMAC). It is written where it is sent.
    Message {
        message: Box<Message>,
        seal: Option<HmacCredentials>,
    },
    Rejected {
        status: u16,
    },
}

/// Asks how this server stands, for the promises.
#[derive(Message)]
#[rtype(result = "ServerView")]
pub struct InspectServer;

/// The outcome of a POST of this server has come.
#[derive(Message)]
#[rtype(result = "()")]
struct Posted {
    exchange: Outgoing,
    outcome: PostOutcome,
}

/// The actor.
pub struct DmServer {
    me: ServerNumber,
    lane: Rc<Lane>,
    delegation: delegation::server::Server,
    sessions: sessions::Sessions,
    /// POSTs and packages that have not been answered yet, by the number they were given.
    peers_waiting: HashMap<u64, oneshot::Sender<Answer>>,
    devices_waiting: HashMap<u64, oneshot::Sender<DeviceAnswer>>,
    next_exchange: u64,
    errands: HashMap<u64, ErrandUnderWay>,
    /// When the operator's wish that is being handled was due; taken by the first request that it leads to.
    due: Option<Moment>,
    alarm: Alarm,
    _grave: Grave,
}

/// When an errand was wanted, and when the device was called.
struct ErrandUnderWay {
    side: SessionSide,
    wanted: Moment,
    called: Option<Moment>,
}

impl DmServer {
    /// The server `me` of the lane's blueprint, with nothing on record.
    pub fn new(me: ServerNumber, lane: Rc<Lane>, supervisor: Addr<Supervisor>) -> DmServer {
        let (delegation, sessions) = lane.blueprint.server_machines(me);
        DmServer {
            me,
            lane,
            delegation,
            sessions,
            peers_waiting: HashMap::new(),
            devices_waiting: HashMap::new(),
            next_exchange: 0,
            errands: HashMap::new(),
            due: None,
            alarm: Alarm::default(),
            _grave: Grave::new(Party::Server(me), supervisor),
        }
    }

    fn now(&self) -> Moment {
        self.lane.blueprint.clock.now()
    }

    fn tell_delegation(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.now();
        let mut out = Vec::new();
        self.delegation.handle(now, input, &mut out);
        for effect in out {
            self.obey(now, effect, ctx);
        }
        self.arm(ctx);
    }

    fn tell_sessions(&mut self, input: sessions::Input, ctx: &mut Context<Self>) {
        let now = self.now();
        let mut out = Vec::new();
        self.sessions.handle(now, input, &mut out);
        for effect in out {
            self.obey_session(now, effect, ctx);
        }
        self.arm(ctx);
    }

    fn obey(&mut self, now: Moment, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::Answer { exchange, answer } => {
                if let Answer::Message(message) = &answer {
                    self.lane.record(|shard| shard.message_sent(message.kind()));
                }
                if let Some(reply) = self.peers_waiting.remove(&exchange.0) {
                    // A caller that has hung up needs no answer.
                    let _ = reply.send(answer);
                }
            }
            Effect::Post { exchange, to, message } => self.post(now, exchange, to, &message, ctx),
            Effect::Errand { job, device, errand } => {
                let side = if matches!(errand, Errand::Visit { .. }) { SessionSide::Dms2 } else { SessionSide::Dms1 };
                self.errands.insert(job.0, ErrandUnderWay { side, wanted: now, called: None });
                self.tell_sessions(sessions::Input::Run { ticket: job.0, device, errand }, ctx);
            }
            Effect::RenewAccount { device } => self.tell_sessions(sessions::Input::AccountGone { device }, ctx),
            Effect::Persist(_) => {}
            Effect::Note(note) => self.note(now, note),
        }
    }

    fn note(&mut self, now: Moment, note: Note) {
        match &note {
            Note::Duplicate { kind, .. } => self.lane.record(|shard| shard.message_duplicated(*kind)),
            Note::Unexpected { kind, why, .. } => self.lane.record(|shard| {
                shard.message_unexpected(*kind);
                shard.rejected(why);
            }),
            Note::TimerFired { .. } | Note::Moved { .. } => {}
            // Results of our own work: no bound is claimed for them.
            Note::Joined { .. } | Note::Settled { .. } => {
                self.lane.swarm.do_send(Noted { from: self.me, at: now, note })
            }
        }
    }

    /// Sends a message to a peer, and brings its outcome back through the mailbox.
    fn post(
        &mut self,
        now: Moment,
        exchange: Outgoing,
        to: ServerNumber,
        message: &message::Message,
        ctx: &mut Context<Self>,
    ) {
        let kind = message.kind();
        let call = self.lane.blueprint.call_to_peer(self.me, to, message);
        let lane = Rc::clone(&self.lane);
        let me = ctx.address();
        let due = self.due.take();
        lane.record(|shard| shard.message_sent(kind));
        actix::spawn(async move {
            let outcome = post(&lane, now, due, kind, call).await;
            me.do_send(Posted { exchange, outcome });
        });
    }

    fn obey_session(&mut self, now: Moment, effect: sessions::Effect, ctx: &mut Context<Self>) {
        match effect {
            sessions::Effect::Trigger { ticket, device, bytes } => {
                if let Some(errand) = self.errands.get_mut(&ticket) {
                    errand.called.get_or_insert(now);
                }
                let deliver = |actor: &Addr<DmClient>| PackageZero::deliver(actor, bytes);
                if let Some(Err(Refusal)) = self.lane.directory.with_device(device, deliver) {
                    self.lane.record(|shard| shard.mailbox_refused());
                }
            }
            sessions::Effect::Answer { exchange, message, seal } => {
                self.answer_device(exchange, DeviceAnswer::Message { message: Box::new(message), seal });
            }
            sessions::Effect::Reject { exchange, status } => {
                self.answer_device(exchange, DeviceAnswer::Rejected { status });
            }
            sessions::Effect::Finished { ticket, report } => {
                if let Some(errand) = self.errands.remove(&ticket) {
                    let called = errand.called.unwrap_or(errand.wanted);
                    let ok = report.result.is_ok();
                    self.lane.record(|shard| shard.session_ended(errand.side, ok, now - errand.wanted, now - called));
                }
                self.tell_delegation(Input::ErrandDone { job: Job(ticket), report }, ctx);
            }
            sessions::Effect::Connected { device } => {
                self.tell_delegation(Input::DeviceConnected { device }, ctx);
            }
            sessions::Effect::Note(note) => {
                if let Some(reason) = worth_counting(note) {
                    self.lane.record(|shard| shard.rejected(reason));
                }
            }
        }
    }

    fn answer_device(&mut self, exchange: u64, answer: DeviceAnswer) {
        if let Some(reply) = self.devices_waiting.remove(&exchange) {
            // A device that has hung up needs no answer.
            let _ = reply.send(answer);
        }
    }

    fn new_exchange(&mut self) -> u64 {
        self.next_exchange += 1;
        self.next_exchange
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        let deadline = self.delegation.deadline().min(self.sessions.deadline());
        self.alarm.set(deadline, self.now(), ctx, |server, ctx| {
            let now = server.now();
            if server.delegation.deadline() <= now {
                server.tell_delegation(Input::Wake, ctx);
            }
            if server.sessions.deadline() <= now {
                server.tell_sessions(sessions::Input::Wake, ctx);
            }
            server.arm(ctx);
        });
    }
}

/// What went wrong in a session with a device, as a counted reason.
fn worth_counting(note: sessions::Note) -> Option<&'static str> {
    match note {
        sessions::Note::Challenged { .. } => Some("device_challenged"),
        sessions::Note::TurnedAway { .. } => Some("device_turned_away"),
        sessions::Note::NotBelieved { .. } => Some("server_not_believed"),
        sessions::Note::SessionEnded { in_order: false, .. } => Some("device_session_out_of_order"),
        sessions::Note::SessionOpened { .. } | sessions::Note::SessionEnded { .. } => None,
    }
}

/// One POST to a peer, measured. With `due`, a flow of the load begins with it.
async fn post(lane: &Lane, wanted: Moment, due: Option<Moment>, kind: Kind, call: Call) -> PostOutcome {
    let result = lane.dialer.call(call).await;
    let now = lane.blueprint.clock.now();
    let mut shard = lane.shard.borrow_mut();
    if let Some(due) = due {
        // A flow has begun when its first request has left, not when somebody meant to send it.
        shard.late(result.as_ref().map_or(now, |reply| reply.timing.sent) - due);
    }
    match result {
        Err(CallError::TimedOut { phase: Phase::Queue, .. }) => {
            shard.never_sent();
            PostOutcome::Unreachable { phase: Phase::Queue.as_str() }
        }
        Err(CallError::TimedOut { .. }) => {
            shard.message_timed_out(kind);
            PostOutcome::TimedOut
        }
        Err(error) => PostOutcome::Unreachable { phase: error.phase() },
        Ok(reply) => {
            if let Some(handshake) = reply.timing.handshake {
                shard.handshake(handshake, reply.timing.resumed);
            }
            let service = now - reply.timing.sent;
            shard.message_answered(kind, now - wanted, service);
            let outcome = read_answer(&reply);
            match &outcome {
                PostOutcome::Message(message) => shard.message_answered(message.kind(), now - wanted, service),
                PostOutcome::Unreadable(misbehaved) => shard.rejected(misbehaved.key()),
                _ => {}
            }
            outcome
        }
    }
}

/// Section 5.3: a body is a message; with no content the status is the answer.
fn read_answer(reply: &Reply) -> PostOutcome {
    if !(200..300).contains(&reply.status) {
        return PostOutcome::Rejected { status: reply.status };
    }
    if reply.body.is_empty() {
        return PostOutcome::NoContent;
    }
    match delegation::xml::read(&reply.body) {
        Ok(message) => PostOutcome::Message(message),
        Err(misbehaved) => PostOutcome::Unreadable(misbehaved),
    }
}

impl HasAlarm for DmServer {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }
}

impl Actor for DmServer {
    type Context = Context<Self>;
}

impl Handler<Operator> for DmServer {
    type Result = ();

    fn handle(&mut self, Operator { wish, due }: Operator, ctx: &mut Self::Context) {
        self.due = due;
        self.tell_delegation(wish, ctx);
        if let Some(due) = self.due.take() {
            let late = self.now() - due;
            self.lane.record(|shard| shard.late(late));
        }
    }
}

impl Handler<FromPeer> for DmServer {
    type Result = ();

    fn handle(&mut self, FromPeer { from, message, reply }: FromPeer, ctx: &mut Self::Context) {
        let exchange = self.new_exchange();
        self.peers_waiting.insert(exchange, reply);
        self.tell_delegation(Input::Received { exchange: Incoming(exchange), from, message }, ctx);
    }
}

impl Handler<FromDevice> for DmServer {
    type Result = ();

    fn handle(&mut self, FromDevice { envelope, has_certificate, reply }: FromDevice, ctx: &mut Self::Context) {
        let exchange = self.new_exchange();
        self.devices_waiting.insert(exchange, reply);
        self.tell_sessions(sessions::Input::Received { exchange, envelope, client_certificate: has_certificate }, ctx);
    }
}

impl Handler<Posted> for DmServer {
    type Result = ();

    fn handle(&mut self, Posted { exchange, outcome }: Posted, ctx: &mut Self::Context) {
        self.tell_delegation(Input::Posted { exchange, outcome }, ctx);
    }
}

impl Handler<InspectServer> for DmServer {
    type Result = MessageResult<InspectServer>;

    fn handle(&mut self, _: InspectServer, _: &mut Self::Context) -> Self::Result {
        MessageResult(ServerView {
            server: self.me,
            name: self.lane.blueprint.server(self.me).name.clone(),
            records: Some(self.delegation.records().collect()),
            pending: self.delegation.in_transition() + self.sessions.open() + self.errands.len(),
        })
    }
}
