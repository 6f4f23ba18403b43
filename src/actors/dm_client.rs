//! A DM client, alive: the device machine behind a mailbox, with its arbiter's dialer.

use std::rc::Rc;

use actix::prelude::*;

use crate::actors::directory::Party;
use crate::actors::drive::{Alarm, Grave, HasAlarm};
use crate::actors::lane::Lane;
use crate::actors::supervisor::Supervisor;
use crate::clock::Moment;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::client::{self, Client, Effect, Input};
use crate::dm::wire::{self, Envelope};
use crate::ids::DeviceNumber;
use crate::measure::promise::DeviceView;
use crate::transport::address::AddressError;
use crate::transport::dialer::Call;
use crate::transport::failure::{CallError, Phase};

/// How many triggers may wait for one device; more are refused, and counted.
pub const MAILBOX: usize = 16;

/// Package 0, standing in for an SMS: the octets of the trigger.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PackageZero(Vec<u8>);

/// The device's mailbox is full, or the device has died.
pub struct Refusal;

impl PackageZero {
    /// Puts a trigger in a device's mailbox; bounded, unlike a plain send.
    pub fn deliver(device: &Addr<DmClient>, bytes: Vec<u8>) -> Result<(), Refusal> {
        device.try_send(PackageZero(bytes)).map_err(|_| Refusal)
    }
}

/// Asks what is on the device, for the promises.
#[derive(Message)]
#[rtype(result = "DeviceView")]
pub struct InspectDevice;

/// Asks whether the device has come to rest: no session open, and none to come.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct AskAtRest;

/// What a server answered.
#[derive(Message)]
#[rtype(result = "()")]
struct Heard(Input);

/// The actor.
pub struct DmClient {
    lane: Rc<Lane>,
    device: DeviceNumber,
    machine: Client,
    alarm: Alarm,
    _grave: Grave,
}

impl DmClient {
    /// The device as it leaves the factory and its owner's hands.
    pub fn new(device: DeviceNumber, lane: Rc<Lane>, supervisor: Addr<Supervisor>) -> DmClient {
        let machine = lane.blueprint.device_machine(device);
        let grave = Grave::new(Party::Device(device), supervisor);
        DmClient { lane, device, machine, alarm: Alarm::default(), _grave: grave }
    }

    fn tell(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.lane.blueprint.clock.now();
        let mut out = Vec::new();
        self.machine.handle(now, input, &mut out);
        for effect in out {
            self.obey(now, effect, ctx);
        }
        self.arm(now, ctx);
    }

    fn obey(&mut self, now: Moment, effect: Effect, ctx: &mut Context<Self>) {
        let lane = Rc::clone(&self.lane);
        let me = ctx.address();
        match effect {
            Effect::Post { exchange, url, message, seal } => {
                let packet = wire::seal(&message, seal.as_ref());
                let call = lane.blueprint.call_from_device(self.device, &url, Some(packet));
                actix::spawn(async move {
                    let result = exchange_package(&lane, call).await.map(|(envelope, _)| envelope);
                    me.do_send(Heard(Input::Answer { exchange, result }));
                });
            }
            Effect::Fetch { exchange, url } => {
                let call = lane.blueprint.call_from_device(self.device, &url, None);
                actix::spawn(async move {
                    let result = exchange_package(&lane, call).await;
                    let done = lane.blueprint.clock.now();
                    let sent = result.as_ref().map_or(now, |(_, sent)| *sent);
                    lane.record(|shard| shard.bootstrap_ended(result.is_ok(), done - now, done - sent));
                    let result = result.map(|(envelope, _)| envelope.message);
                    me.do_send(Heard(Input::Bootstrap { exchange, result }));
                });
            }
            Effect::Note(note) => {
                if let Some(reason) = worth_counting(&note) {
                    lane.record(|shard| shard.rejected(reason));
                }
            }
        }
    }

    fn arm(&mut self, now: Moment, ctx: &mut Context<Self>) {
        let deadline = self.machine.deadline();
        self.alarm.set(deadline, now, ctx, |device, ctx| device.tell(Input::Wake, ctx));
    }
}

/// One request of a device: the message that answers it, and when the request was sent. Only 200 carries OMA DM.
async fn exchange_package(
    lane: &Lane,
    call: Result<Call, AddressError>,
) -> Result<(Envelope, Moment), client::Failure> {
    let call = call.map_err(|error| client::Failure::Unreachable(error.to_string()))?;
    let reply = lane.dialer.call(call).await.map_err(|error| {
        if matches!(error, CallError::TimedOut { phase: Phase::Queue, .. }) {
            lane.record(|shard| shard.never_sent());
        }
        client::Failure::Unreachable(error.to_string())
    })?;
    if let Some(handshake) = reply.timing.handshake {
        lane.record(|shard| shard.handshake(handshake, reply.timing.resumed));
    }
    if reply.status != 200 {
        return Err(client::Failure::Status(reply.status));
    }
    let envelope = wire::open(reply.content_type().unwrap_or_default(), reply.header(HMAC_HEADER), &reply.body)
        .map_err(|error| client::Failure::Unreadable(error.to_string()))?;
    Ok((envelope, reply.timing.sent))
}

/// What went wrong at the device, as a counted reason.
fn worth_counting(note: &client::Note) -> Option<&'static str> {
    match note {
        client::Note::TriggerIgnored(why) => Some(match why {
            client::Ignored::Unreadable(_) => "trigger_unreadable",
            client::Ignored::UnknownServer => "trigger_of_unknown_server",
            client::Ignored::BadDigest => "trigger_with_bad_digest",
            client::Ignored::SameSession => "trigger_repeated",
            client::Ignored::Offline => "trigger_while_offline",
            client::Ignored::QueueFull => "trigger_queue_full",
        }),
        client::Note::ConnectIgnored { .. } => Some("device_connect_ignored"),
        client::Note::BootstrapFailed(_) => Some("device_bootstrap_failed"),
        client::Note::SessionEnded { outcome: client::Outcome::Done, .. } => None,
        client::Note::SessionEnded { .. } => Some("device_session_broken"),
        client::Note::SessionOpened { .. }
        | client::Note::Bootstrapped { .. }
        | client::Note::Operated { .. }
        | client::Note::AccountAppeared { .. }
        | client::Note::AccountGone { .. } => None,
    }
}

impl HasAlarm for DmClient {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }
}

impl Actor for DmClient {
    type Context = Context<Self>;
}

impl Handler<PackageZero> for DmClient {
    type Result = ();

    fn handle(&mut self, PackageZero(bytes): PackageZero, ctx: &mut Self::Context) {
        self.tell(Input::Trigger(bytes), ctx);
    }
}

impl Handler<Heard> for DmClient {
    type Result = ();

    fn handle(&mut self, Heard(input): Heard, ctx: &mut Self::Context) {
        self.tell(input, ctx);
    }
}

impl Handler<InspectDevice> for DmClient {
    type Result = MessageResult<InspectDevice>;

    fn handle(&mut self, _: InspectDevice, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.lane.blueprint.view_of(self.device, &self.machine))
    }
}

impl Handler<AskAtRest> for DmClient {
    type Result = bool;

    fn handle(&mut self, _: AskAtRest, _: &mut Self::Context) -> bool {
        self.machine.is_idle()
    }
}
