//! POSTs to peers: what befalls them on the way, and how often they are tried.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;
use bytes::Bytes;
use tokio::task::AbortHandle;

use super::{AskOperator, DmServer, Later};
use crate::actors::desk::sit_out;
use crate::actors::far_side::{self, Far};
use crate::actors::lane::Lane;
use crate::actors::ordeal::{Ordeal, sites};
use crate::actors::outside;
use crate::actors::swarm::NotStarted;
use crate::actors::tape::Exchange;
use crate::clock::Moment;
use crate::delegation;
use crate::delegation::exchange::{Outgoing, PostOutcome};
use crate::delegation::flow::FlowKind;
use crate::delegation::machine::{Input, Side};
use crate::delegation::message::{Kind, Message};
use crate::delegation::session_name::SessionName;
use crate::facts::What;
use crate::facts::machines::heard;
use crate::faults::forgery;
use crate::faults::rule::{Direction, End, Role};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber, SessionId, device_id};
use crate::transport::dialer::{Call, Reply};
use crate::transport::failure::{CallError, Phase};
use crate::transport::trouble::ConnectTrouble;

/// A POST that has no last word yet.
pub(super) struct UnderWay {
    to: ServerNumber,
    message: Message,
    device: DeviceNumber,
    side: Side,
    state: &'static str,
    /// The how-manieth try is under way, from 1.
    attempt: u32,
    /// What this try says: a fault may have put something else in the place of the message.
    said: Said,
    running: Option<Running>,
}

/// A message as facts name it.
#[derive(Clone)]
struct Said {
    kind: Kind,
    session: Option<SessionId>,
}

/// A try that is under way.
struct Running {
    handle: AbortHandle,
    /// Whether it has left: from then on it is in nobody's hands.
    has_left: Rc<Cell<bool>>,
}

/// One try of a POST has come to this.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub(super) struct Tried {
    exchange: Outgoing,
    outcome: PostOutcome,
}

impl UnderWay {
    /// Its sender is gone: what has not left never will, and nobody hears what comes of the rest.
    pub fn forsake(self) {
        if let Some(running) = self.running.filter(|running| !running.has_left.get()) {
            running.handle.abort();
        }
    }
}

impl Said {
    fn of(message: &Message) -> Said {
        Said { kind: message.kind(), session: message.session().cloned() }
    }
}

impl DmServer {
    /// Sends a message to a peer, and brings its outcome back through the mailbox.
    pub(super) fn post(
        &mut self,
        now: Moment,
        exchange: Outgoing,
        to: ServerNumber,
        message: Message,
        ctx: &mut Context<Self>,
    ) {
        let about = self.delegation.about(exchange);
        let (device, side, state) = about.unwrap_or((DeviceNumber(u32::MAX), Side::Delegating, ""));
        let said = Said::of(&message);
        let post = UnderWay { to, message, device, side, state, attempt: 1, said, running: None };
        self.posts.insert(exchange, post);
        self.attempt(now, exchange, ctx);
    }

    /// The time for another try has come.
    pub(super) fn try_again(&mut self, now: Moment, exchange: Outgoing, outcome: PostOutcome, ctx: &mut Context<Self>) {
        match self.posts.get_mut(&exchange) {
            Some(post) if self.delegation.awaits(exchange) => {
                post.attempt += 1;
                self.attempt(now, exchange, ctx);
            }
            // Meanwhile it has become pointless.
            _ => self.end_post(exchange, outcome, ctx),
        }
    }

    /// Asks another server's operator for what only that server can start.
    pub(super) fn ask_operator(&self, AskOperator { device, peer, step, is_of_journey, due }: AskOperator) {
        let lane = Rc::clone(&self.lane);
        let errand =
            outside::Errand { device: device_id(device).to_string(), step: lane.blueprint.phrases.write(&step) };
        let call = lane.blueprint.call_to_operator(self.me, peer, &errand);
        let patience = lane.blueprint.parties.server(self.me).timeouts.peer;
        let asked = self.now();
        actix::spawn(async move {
            if let Some(due) = due {
                let late = lane.blueprint.clock.now() - due;
                lane.record(|shard| shard.late(late));
            }
            let is_started = match call {
                Some(call) => lane.dialer.call(call).await.is_ok_and(|reply| (200..300).contains(&reply.status)),
                None => false,
            };
            if !is_started {
                lane.record(|shard| shard.rejected("operator_would_not"));
            }
            // For a wish beside a journey nobody waits, and what the device is doing is something else.
            if is_of_journey {
                if is_started {
                    // It may have said yes, and its server no.
                    tokio::time::sleep(patience).await;
                }
                lane.swarm.do_send(NotStarted { device, asked });
            }
        });
    }

    fn end_post(&mut self, exchange: Outgoing, outcome: PostOutcome, ctx: &mut Context<Self>) {
        self.posts.remove(&exchange);
        self.tell_delegation(Input::Posted { exchange, outcome }, ctx);
    }

    fn attempt(&mut self, now: Moment, exchange: Outgoing, ctx: &mut Context<Self>) {
        let due = self.due.take();
        let Some(post) = self.posts.get(&exchange) else { return };
        let (me, to, device, attempt) = (self.me, post.to, post.device, post.attempt);
        let mut ordeal = self.ordeal(now, post);
        let mut message = Cow::Borrowed(&post.message);
        for action in &ordeal.forgeries {
            let (stale, foreign) = other_sessions(&message, device);
            if let Some(forged) = forgery::forge(&message, action, stale.as_ref(), foreign.as_ref()) {
                message = Cow::Owned(forged);
            }
        }
        let said = Said::of(&message);
        let mut call = self.lane.blueprint.call_to_peer(me, to, &message);
        let (left, plan) = match self.lane.blueprint.is_external(to) {
            true => (None, ordeal.befall_alone(&mut call, device)),
            false => (ordeal.befall(&mut call, device, &self.lane.desk), None),
        };
        let readings = &self.lane.blueprint.parties.server(to).readings;
        let far = plan.map(|plan| Far { refusal: plan.refusal(Some(&message), readings), plan });

        let lane = Rc::clone(&self.lane);
        let actor = ctx.address();
        // What nothing holds up leaves now, before anything else can happen here.
        let leaves_now = ordeal.waits.is_empty();
        let has_left = Rc::new(Cell::new(leaves_now));
        let (leaves, Said { kind, session }) = (Rc::clone(&has_left), said.clone());
        let forged = session.as_ref().filter(|_| !ordeal.forgeries.is_empty());
        let about = forged.and_then(SessionName::read).map(|name| name.device).filter(|about| *about != device);
        let misdirected =
            about.map(|about| (about, What::Misdirected { from: me, to, kind, session: session.clone() }));
        let mut seen = [misdirected, Some((device, What::Sent { from: me, to, kind, session, attempt }))];
        if leaves_now {
            for (device, what) in seen.iter_mut().filter_map(Option::take) {
                self.saw(device, what);
            }
        }
        let handle = actix::spawn(async move {
            for wait in &ordeal.waits {
                sit_out(wait, device, &lane.board).await;
            }
            let flow = lane.present.of(device);
            lane.record(|shard| shard.message_sent(kind, flow));
            leaves.set(true);
            for (device, what) in seen.into_iter().flatten() {
                lane.saw(device, what);
            }
            if lane.directory.is_down(to) {
                call.trouble.get_or_insert_default().connect = Some(ConnectTrouble::Refuse);
            }
            let said = lane.tape.as_ref().filter(|_| lane.blueprint.is_external(to)).map(|_| call.body.clone());
            let taped = said.map(|said| Taped { from: me, to, said });
            let outcome = ask(&lane, (now, due), (kind, flow), (call, far), taped).await;
            drop(left);
            actor.do_send(Tried { exchange, outcome });
        });
        if let Some(post) = self.posts.get_mut(&exchange) {
            post.said = said;
            post.running = Some(Running { handle: handle.abort_handle(), has_left });
        }
    }

    /// What befalls one try.
    fn ordeal(&self, now: Moment, post: &UnderWay) -> Ordeal {
        let session = post.message.session();
        let blueprint = &self.lane.blueprint;
        let passage = || Passage {
            direction: Direction::ServerToServer,
            from: End::Server(self.me),
            to: End::Server(post.to),
            device: post.device,
            class: blueprint.parties.population.class_number(post.device).unwrap_or_default(),
            role: Some(match post.side {
                Side::Delegating => Role::Delegating,
                Side::Delegated => Role::Delegated,
            }),
            message: Some(post.message.kind()),
            session: session.map_or("", SessionId::as_str).into(),
            nth_session: session.and_then(SessionName::read).map_or(1, |name| name.number),
            attempt: post.attempt,
            state: post.state,
            now,
        };
        let verdicts = self.lane.judge(sites(Direction::ServerToServer), passage);
        let party = blueprint.server(self.me);
        Ordeal::of(&verdicts, Some(self.me), |bad| party.bad_identities.get(&bad).cloned())
    }

    fn tried(&mut self, Tried { exchange, outcome }: Tried, ctx: &mut Context<Self>) {
        let Some(post) = self.posts.get(&exchange) else { return };
        let (from, device, attempt, answer) = (post.to, post.device, post.attempt, heard(&outcome));
        let Said { kind: said, session } = post.said.clone();
        self.saw(device, What::Heard { at: self.me, from, kind: said, session, attempt, answer });
        self.meet_fate(ctx);
        self.when_awake(ctx, move |server, ctx| server.try_again_or_end(exchange, outcome, ctx));
    }

    fn try_again_or_end(&mut self, exchange: Outgoing, outcome: PostOutcome, ctx: &mut Context<Self>) {
        let Some(post) = self.posts.get(&exchange) else { return };
        let (kind, attempt) = (post.message.kind(), post.attempt);
        let blueprint = &self.lane.blueprint;
        let draw = || {
            let session = post.message.session().map_or("", SessionId::as_str);
            blueprint.seed.draw(&format!("retry {} {session} {}", self.me.0, kind.root()), u64::from(attempt))
        };
        let wait = blueprint.retries.get(kind).after(attempt, &outcome, draw);
        match wait.filter(|_| self.delegation.awaits(exchange)) {
            Some(wait) => {
                let at = self.now() + wait.max(Duration::from_millis(1));
                self.do_later(at, Later::Post(exchange, outcome));
                self.arm(ctx);
            }
            None => self.end_post(exchange, outcome, ctx),
        }
    }
}

impl Handler<Tried> for DmServer {
    type Result = ();

    fn handle(&mut self, tried: Tried, ctx: &mut Self::Context) {
        if !self.is_dead {
            self.tried(tried, ctx);
        }
    }
}

/// The session before this one of the same device, and a session of the next device, by the names that our servers give.
fn other_sessions(message: &Message, device: DeviceNumber) -> (Option<SessionId>, Option<SessionId>) {
    let Some(name) = message.session().and_then(SessionName::read) else { return (None, None) };
    let stale = name.number.checked_sub(1).filter(|number| *number > 0);
    let stale = stale.map(|number| SessionName { device, number, ..name }.id());
    (stale, Some(SessionName { device: DeviceNumber(device.0.wrapping_add(1)), ..name }.id()))
}

/// What was said to somebody else's server, to be kept with what comes of it.
struct Taped {
    from: ServerNumber,
    to: ServerNumber,
    said: Bytes,
}

impl Taped {
    fn keep(self, lane: &Lane, times: (Moment, Duration), result: &Result<Reply, CallError>) {
        let Some(tape) = &lane.tape else { return };
        let name = |server: ServerNumber| lane.blueprint.server(server).name.as_str();
        let parties = (name(self.from), name(self.to));
        tape.keep(|| match result {
            Ok(reply) => Exchange::new(parties, times, &self.said, (reply.status.to_string(), &reply.body)),
            Err(error) => Exchange::new(parties, times, &self.said, (error.to_string(), b"")),
        });
    }
}

/// One POST to a peer, measured. With `due`, a flow of the load begins with it.
async fn ask(
    lane: &Lane,
    (wanted, due): (Moment, Option<Moment>),
    (kind, flow): (Kind, Option<FlowKind>),
    (call, far): (Call, Option<Far>),
    taped: Option<Taped>,
) -> PostOutcome {
    if let Some(due) = due {
        // Until here it was in our hands; from here on it is for the peer to be fast.
        let late = lane.blueprint.clock.now() - due;
        lane.record(|shard| shard.late(late));
    }
    let result = far_side::call(lane, call, far).await;
    let now = lane.blueprint.clock.now();
    if let Ok(reply) = &result {
        lane.call_answered(&reply.timing);
    }
    if let Some(taped) = taped {
        taped.keep(lane, (wanted, now - wanted), &result);
    }
    let mut shard = lane.shard.borrow_mut();
    match result {
        Err(CallError::TimedOut { phase: Phase::Queue, .. }) => {
            shard.never_sent();
            shard.message_lost(kind, flow, false);
            PostOutcome::Unreachable { phase: Phase::Queue.as_str() }
        }
        Err(CallError::TimedOut { .. }) => {
            shard.message_lost(kind, flow, true);
            PostOutcome::TimedOut
        }
        Err(error) => {
            shard.message_lost(kind, flow, false);
            PostOutcome::Unreachable { phase: error.phase() }
        }
        Ok(reply) => {
            let service = now - reply.timing.sent;
            shard.message_answered(kind, flow, now - wanted, service);
            let outcome = read_answer(&reply);
            match &outcome {
                PostOutcome::Message(message) => {
                    shard.message_answered(message.kind(), flow, now - wanted, service);
                }
                PostOutcome::Unreadable(misbehaved) => shard.rejected(misbehaved.key()),
                _ => {}
            }
            outcome
        }
    }
}

/// Section 5.3: a body is a message; with no content the status is the answer.
pub fn read_answer(reply: &Reply) -> PostOutcome {
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
