//! A DM server, alive: its delegation machine and its half of device sessions behind one mailbox.
//!
//! | file | its job |
//! |---|---|
//! | `posting` | POSTs to peers: what befalls them, how often they are tried |
//! | `sessions` | the half of device sessions: triggers out, packages in |
//! | `telling` | what the machines note, as measurements and as facts |
//! | `fate` | what befalls the process: its store, its death, its return |
//! | `pause` | what waits while it is paused |

mod fate;
mod pause;
mod posting;
mod sessions;
mod telling;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::actors::directory::Party;
use crate::actors::drive::{Alarm, Grave, HasAlarm};
use crate::actors::lane::Lane;
use crate::actors::queue::Place;
use crate::actors::supervisor::Supervisor;
use crate::clock::Moment;
use crate::delegation::durable::Image;
use crate::delegation::exchange::{Answer, Incoming, Outgoing, PostOutcome};
use crate::delegation::machine::{Effect, Input, Note};
use crate::delegation::message;
use crate::delegation::policy::Policy;
use crate::delegation::server::Server;
use crate::delegation::session_name::SessionName;
use crate::dm::server::{self as device_sessions, Sessions};
use crate::facts::What;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::ServerView;
use crate::workload::journey::Step;

pub use fate::Befall;
use pause::Pause;
use posting::UnderWay;
pub(in crate::actors) use posting::read_answer;
use sessions::ErrandUnderWay;
pub use sessions::{DeviceAnswer, FromDevice};

/// How many requests may wait for one DM server before it answers 503.
pub const MAILBOX: usize = 65_536;

/// The operator of this server wants something.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Operator {
    pub wish: Input,
    /// When the load meant it to happen; `None` where it meant no moment.
    pub due: Option<Moment>,
    pub place: Place,
}

/// Ask the operator of a server that is somebody else's to start this step.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskOperator {
    pub device: DeviceNumber,
    pub peer: ServerNumber,
    pub step: Step,
    /// Whether it is a step of the device's journey, so that somebody waits for it.
    pub is_of_journey: bool,
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
    pub place: Place,
}

/// Asks how this server stands, for the promises.
#[derive(Message)]
#[rtype(result = "ServerView")]
pub struct InspectServer;

/// The actor.
pub struct DmServer {
    me: ServerNumber,
    lane: Rc<Lane>,
    delegation: Server,
    sessions: Sessions,
    /// POSTs and packages that have not been answered yet, by the number they were given.
    peers_waiting: HashMap<u64, oneshot::Sender<Answer>>,
    devices_waiting: HashMap<u64, oneshot::Sender<DeviceAnswer>>,
    next_exchange: u64,
    posts: BTreeMap<Outgoing, UnderWay>,
    errands: HashMap<u64, ErrandUnderWay>,
    /// What comes by the clock, beside the machines' own timers.
    later: BTreeMap<(Moment, u64), Later>,
    /// When the operator's wish that is being handled was due; taken by the first request that it leads to.
    due: Option<Moment>,
    /// Effects of a machine that has just come back, for when there is a context to obey them in.
    on_start: Vec<Effect>,
    /// What befalls it at the step that it has just come to.
    fate: Vec<Befall>,
    /// Writes to the store that are going to fail.
    failing_writes: u32,
    /// What its next write to the store takes longer.
    next_write_takes: Duration,
    pause: Pause,
    /// Whether it stands again and has not said so yet.
    is_back: bool,
    /// How many errands it has had with each device; kept only where a fault acts on triggers.
    errands_made: BTreeMap<DeviceNumber, u32>,
    /// How many writes to the store are under way, and when the last of them will have been done.
    writes: (usize, Moment),
    is_dead: bool,
    alarm: Alarm,
    grave: Grave,
}

/// Something that waits for its moment.
enum Later {
    /// A POST that has come to this is tried again, if anybody still waits for it.
    Post(Outgoing, PostOutcome),
    /// An image is written, and only then what waits behind it is done.
    Write { image: Box<Image>, behind: Vec<Effect> },
    /// Done once all that was being written has been.
    Behind(Vec<Effect>),
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
            posts: BTreeMap::new(),
            errands: HashMap::new(),
            later: BTreeMap::new(),
            due: None,
            on_start: Vec::new(),
            fate: Vec::new(),
            failing_writes: 0,
            next_write_takes: Duration::ZERO,
            pause: Pause::none(),
            is_back: false,
            errands_made: BTreeMap::new(),
            writes: (0, Moment::ZERO),
            is_dead: false,
            alarm: Alarm::default(),
            grave: Grave::new(Party::Server(me), supervisor),
        }
    }

    fn now(&self) -> Moment {
        self.lane.blueprint.clock.now()
    }

    fn policy(&self) -> Policy {
        self.lane.blueprint.parties.server(self.me).policy
    }

    fn tell_delegation(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.now();
        let mut out = Vec::new();
        self.delegation.handle(now, input, &mut out);
        self.obey_turn(now, out, ctx);
        self.arm(ctx);
    }

    /// Obeys what a turn has led to. One that changes nothing, as for a message that has come before, goes by what is on
    /// record: under a policy that says so it waits until that has been written.
    fn obey_turn(&mut self, now: Moment, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        self.meet_fate(ctx);
        let (under_way, last) = self.writes;
        let is_held = under_way > 0
            && self.policy().waits_for_writes()
            && !effects.iter().any(|effect| matches!(effect, Effect::Persist(_)));
        if is_held && !self.is_dead && !self.is_paused() {
            let behind = self.behind(now, effects.into_iter());
            self.do_later(last, Later::Behind(behind));
        } else {
            self.obey_all(now, effects, ctx);
        }
    }

    /// Obeys in order; what stands behind a write that takes time waits for it, under a policy that says so.
    fn obey_all(&mut self, now: Moment, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            self.meet_fate(ctx);
            if self.is_dead {
                return;
            }
            if self.is_paused() {
                let rest = std::iter::once(effect).chain(effects).collect();
                return self.when_awake(ctx, |server, ctx| server.obey_all(server.now(), rest, ctx));
            }
            match effect {
                Effect::Persist(image) => {
                    if let Some((at, image)) = self.write(now, image) {
                        let behind = if self.policy().waits_for_writes() {
                            self.behind(now, effects.by_ref())
                        } else {
                            Vec::new()
                        };
                        self.do_later(at, Later::Write { image, behind });
                    }
                }
                other => self.obey(now, other, ctx),
            }
        }
        self.meet_fate(ctx);
    }

    /// What has to wait for a write. What has only been noticed need not.
    fn behind(&mut self, now: Moment, effects: impl Iterator<Item = Effect>) -> Vec<Effect> {
        let mut behind = Vec::new();
        for effect in effects {
            match effect {
                Effect::Note(note @ (Note::Moved { .. } | Note::TimerFired { .. })) => self.note(now, note),
                other => behind.push(other),
            }
        }
        behind
    }

    fn obey(&mut self, now: Moment, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::Answer { exchange, answer } => {
                if let Answer::Message(message) = &answer {
                    let flow = message
                        .session()
                        .and_then(SessionName::read)
                        .and_then(|name| self.lane.present.of(name.device));
                    self.lane.record(|shard| shard.message_sent(message.kind(), flow));
                }
                if let Some(reply) = self.peers_waiting.remove(&exchange.0) {
                    // A caller that has hung up needs no answer.
                    let _ = reply.send(answer);
                }
            }
            Effect::Post { exchange, to, message } => self.post(now, exchange, to, message, ctx),
            Effect::Errand { job, device, errand } => self.run_errand(now, job, device, errand, ctx),
            Effect::RenewAccount { device } => {
                self.tell_sessions(device_sessions::Input::AccountGone { device }, ctx);
            }
            Effect::Persist(_) => unreachable!("`obey_all` sees to writes"),
            Effect::Note(note) => self.note(now, note),
        }
    }

    /// Something has happened to a device. What befalls this server with it, does so before anything else is done.
    fn saw(&mut self, device: DeviceNumber, what: What) {
        for (at, befall) in self.lane.sight.saw_first(device, what) {
            if at == self.me {
                self.fate.push(befall);
            } else {
                self.lane.directory.with_server(at, |actor| actor.do_send(befall));
            }
        }
    }

    fn do_later(&mut self, at: Moment, what: Later) {
        let number = self.new_exchange();
        self.later.insert((at, number), what);
    }

    fn new_exchange(&mut self) -> u64 {
        self.next_exchange += 1;
        self.next_exchange
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        if self.is_dead {
            return;
        }
        let later = self.later.first_key_value().map_or(Moment::NEVER, |((at, _), _)| *at);
        let deadline = self.delegation.deadline().min(self.sessions.deadline()).min(later);
        self.alarm.set(deadline, self.now(), ctx, |server, ctx| {
            if server.delegation.deadline() <= server.now() {
                server.tell_delegation(Input::Wake, ctx);
            }
            server.when_awake(ctx, |server, ctx| {
                if server.sessions.deadline() <= server.now() {
                    server.tell_sessions(device_sessions::Input::Wake, ctx);
                }
                server.when_awake(ctx, DmServer::do_what_is_due);
            });
        });
    }

    fn do_what_is_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.now();
        while let Some(due) = self.later.first_entry()
            && due.key().0 <= now
        {
            match due.remove() {
                Later::Post(exchange, outcome) => self.try_again(now, exchange, outcome, ctx),
                Later::Write { image, behind } => self.write_late(now, *image, behind, ctx),
                Later::Behind(effects) => self.obey_all(now, effects, ctx),
            }
            if self.is_paused() {
                return self.when_awake(ctx, DmServer::do_what_is_due);
            }
        }
        self.arm(ctx);
    }
}

impl HasAlarm for DmServer {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }
}

impl Actor for DmServer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let now = self.now();
        let mut effects = std::mem::take(&mut self.on_start).into_iter().peekable();
        if std::mem::take(&mut self.is_back) {
            for device in self.lane.board.devices() {
                self.saw(device, What::Restarted { at: self.me });
            }
            // What it has on record it has at once, whatever befalls it now.
            while let Some(Effect::Note(note)) = effects.next_if(|effect| matches!(effect, Effect::Note(_))) {
                self.note(now, note);
            }
        }
        self.obey_all(now, effects.collect(), ctx);
        self.arm(ctx);
    }
}

impl Handler<Operator> for DmServer {
    type Result = ();

    fn handle(&mut self, Operator { wish, due, place }: Operator, ctx: &mut Self::Context) {
        drop(place);
        self.due = due;
        if let Input::Start { flow, device, peer, .. } = &wish {
            self.saw(*device, What::Wished { at: self.me, peer: *peer, flow: *flow });
        }
        self.tell_delegation(wish, ctx);
        if let Some(due) = self.due.take() {
            let late = self.now() - due;
            self.lane.record(|shard| shard.late(late));
        }
    }
}

impl Handler<AskOperator> for DmServer {
    type Result = ();

    fn handle(&mut self, ask: AskOperator, _: &mut Self::Context) {
        self.ask_operator(ask);
    }
}

impl Handler<FromPeer> for DmServer {
    type Result = ();

    fn handle(&mut self, FromPeer { from, message, reply, place }: FromPeer, ctx: &mut Self::Context) {
        drop(place);
        let exchange = self.new_exchange();
        self.peers_waiting.insert(exchange, reply);
        let told = telling::Incoming { from, session: message.session().cloned() };
        let now = self.now();
        let mut out = Vec::new();
        let input = Input::Received { exchange: Incoming(exchange), from, message };
        self.delegation.handle(now, input, &mut out);
        self.tell_how_it_was_taken(&told, &out);
        self.obey_turn(now, out, ctx);
        self.arm(ctx);
    }
}

impl Handler<InspectServer> for DmServer {
    type Result = MessageResult<InspectServer>;

    fn handle(&mut self, _: InspectServer, _: &mut Self::Context) -> Self::Result {
        let (writes, _) = self.writes;
        // A POST that no record waits for any more is still to be heard of.
        let own = self.posts.len() + self.errands.len() + writes;
        MessageResult(ServerView {
            server: self.me,
            name: self.lane.blueprint.server(self.me).name.clone(),
            records: Some(self.delegation.records().collect()),
            pending: self.delegation.in_transition() + self.sessions.open() + own,
        })
    }
}
