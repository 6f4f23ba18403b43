//! A server's half of sessions with devices: errands and triggers out, packages in, and what befalls a trigger on its way.

use actix::prelude::*;
use tokio::sync::oneshot;

use super::DmServer;
use crate::actors::desk::sit_out;
use crate::actors::ordeal::Ordeal;
use crate::actors::outside::wake;
use crate::actors::queue::Place;
use crate::clock::Moment;
use crate::delegation::machine::{Input, Job};
use crate::dm::auth::HmacCredentials;
use crate::dm::script::{Errand, ErrandKind};
use crate::dm::server as sessions;
use crate::dm::syncml::Message;
use crate::dm::wire::Envelope;
use crate::facts::What;
use crate::faults::rule::{Action, Direction, End, Role, Site};
use crate::faults::verdict::Passage;
use crate::ids::DeviceNumber;
use crate::measure::shard::SessionSide;

/// A device's package.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromDevice {
    pub envelope: Envelope,
    /// Whether TLS has shown who the device is.
    pub has_certificate: bool,
    pub reply: oneshot::Sender<DeviceAnswer>,
    pub place: Place,
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

/// When an errand was wanted, and when the device was called.
pub(super) struct ErrandUnderWay {
    device: DeviceNumber,
    kind: ErrandKind,
    side: SessionSide,
    wanted: Moment,
    called: Option<Moment>,
    /// The how-manieth errand of this server with this device it is, from 1.
    number: u32,
    /// How often the device has been called for it.
    calls: u32,
}

impl DmServer {
    pub(super) fn run_errand(
        &mut self,
        now: Moment,
        job: Job,
        device: DeviceNumber,
        errand: Errand,
        ctx: &mut Context<Self>,
    ) {
        let kind = errand.kind();
        let side = if kind == ErrandKind::Visit { SessionSide::Dms2 } else { SessionSide::Dms1 };
        let number = self.number_of_errand(device);
        let errand_under_way = ErrandUnderWay { device, kind, side, wanted: now, called: None, number, calls: 0 };
        self.errands.insert(job.0, errand_under_way);
        self.saw(device, What::ErrandBegan { at: self.me, errand: kind });
        self.meet_fate(ctx);
        self.when_awake(ctx, move |server, ctx| {
            server.tell_sessions(sessions::Input::Run { ticket: job.0, device, errand }, ctx);
        });
    }

    /// The number of a device's next errand: unlike a ticket, it does not depend on what other devices do.
    fn number_of_errand(&mut self, device: DeviceNumber) -> u32 {
        if !self.lane.blueprint.faults.acts_at(&[Site::Trigger]) {
            return 1;
        }
        let made = self.errands_made.entry(device).or_default();
        *made += 1;
        *made
    }

    pub(super) fn tell_sessions(&mut self, input: sessions::Input, ctx: &mut Context<Self>) {
        let now = self.now();
        let mut out = Vec::new();
        self.sessions.handle(now, input, &mut out);
        self.obey_sessions(now, out, ctx);
        self.arm(ctx);
    }

    fn obey_sessions(&mut self, now: Moment, effects: Vec<sessions::Effect>, ctx: &mut Context<Self>) {
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            if self.is_dead {
                return;
            }
            if self.is_paused() {
                let rest = std::iter::once(effect).chain(effects).collect();
                return self.when_awake(ctx, |server, ctx| server.obey_sessions(server.now(), rest, ctx));
            }
            self.obey_session(now, effect, ctx);
        }
    }

    fn obey_session(&mut self, now: Moment, effect: sessions::Effect, ctx: &mut Context<Self>) {
        match effect {
            sessions::Effect::Trigger { ticket, device, bytes } => self.trigger(now, ticket, device, bytes),
            sessions::Effect::Answer { exchange, message, seal } => {
                self.answer_device(exchange, DeviceAnswer::Message { message: Box::new(message), seal });
            }
            sessions::Effect::Reject { exchange, status } => {
                self.answer_device(exchange, DeviceAnswer::Rejected { status });
            }
            sessions::Effect::Finished { ticket, report } => {
                if let Some(errand) = self.errands.remove(&ticket) {
                    let called = errand.called.unwrap_or(errand.wanted);
                    let failure = report.result.as_ref().err().map(|failure| failure.reason_code());
                    self.lane.record(|shard| {
                        shard.session_ended(errand.side, failure.is_none(), now - errand.wanted, now - called);
                    });
                    let what = What::ErrandEnded { at: self.me, errand: errand.kind, failure };
                    self.saw(errand.device, what);
                    self.meet_fate(ctx);
                }
                self.when_awake(ctx, move |server, ctx| {
                    server.tell_delegation(Input::ErrandDone { job: Job(ticket), report }, ctx);
                });
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

    /// Package 0 on its way, which may be long, twice, or without an end.
    fn trigger(&mut self, now: Moment, ticket: u64, device: DeviceNumber, bytes: Vec<u8>) {
        let Some(errand) = self.errands.get_mut(&ticket) else { return };
        errand.called.get_or_insert(now);
        errand.calls += 1;
        let (nth_session, attempt) = (errand.number, errand.calls);
        let role = match errand.side {
            SessionSide::Dms1 => Role::Delegating,
            SessionSide::Dms2 => Role::Delegated,
        };
        let verdicts = self.lane.judge(&[Site::Trigger], || Passage {
            direction: Direction::ServerToDevice,
            from: End::Server(self.me),
            to: End::Device,
            device,
            class: self.lane.blueprint.parties.population.class_number(device).unwrap_or_default(),
            role: Some(role),
            message: None,
            session: format!("errand {} of {}", nth_session, self.me.0).into(),
            nth_session,
            attempt,
            state: "",
            now,
        });
        let is_lost = verdicts.iter().any(|verdict| matches!(verdict.action, Action::Drop { .. }));
        let copies = verdicts.iter().filter(|verdict| matches!(verdict.action, Action::Twice)).count() + 1;
        let waits = Ordeal::of(&verdicts, Some(self.me), |_| None).waits;
        if is_lost {
            return;
        }
        let lane = std::rc::Rc::clone(&self.lane);
        let deliver = move || (0..copies).for_each(|_| wake(&lane, device, bytes.clone()));
        if waits.is_empty() {
            return deliver();
        }
        let board = std::sync::Arc::clone(&self.lane.board);
        // On its way it is in nobody's hands: it arrives whatever becomes of its sender.
        actix::spawn(async move {
            for wait in &waits {
                sit_out(wait, device, &board).await;
            }
            deliver();
        });
    }

    fn answer_device(&mut self, exchange: u64, answer: DeviceAnswer) {
        if let Some(reply) = self.devices_waiting.remove(&exchange) {
            // A device that has hung up needs no answer.
            let _ = reply.send(answer);
        }
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

impl Handler<FromDevice> for DmServer {
    type Result = ();

    fn handle(&mut self, package: FromDevice, ctx: &mut Self::Context) {
        let FromDevice { envelope, has_certificate, reply, place } = package;
        drop(place);
        let exchange = self.new_exchange();
        self.devices_waiting.insert(exchange, reply);
        self.tell_sessions(sessions::Input::Received { exchange, envelope, client_certificate: has_certificate }, ctx);
    }
}
