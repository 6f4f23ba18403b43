//! A DM client, alive: the device machine behind a mailbox, with its arbiter's dialer.

use std::rc::Rc;

use actix::prelude::*;

use crate::actors::blueprint::DeviceConnections;
use crate::actors::desk::sit_out;
use crate::actors::directory::Party;
use crate::actors::drive::{Alarm, Grave, HasAlarm};
use crate::actors::far_side::{self, Far};
use crate::actors::lane::Lane;
use crate::actors::ordeal::{Ordeal, sites};
use crate::actors::supervisor::Supervisor;
use crate::clock::Moment;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::client::{self, Client, Effect, Input, Mishap, Note};
use crate::dm::tree::NodeView;
use crate::dm::uri::Uri;
use crate::dm::wire::{self, Envelope};
use crate::facts::{What, machines};
use crate::faults::rule::{Action, Direction, End, Site};
use crate::faults::verdict::{Passage, Verdict};
use crate::ids::{DeviceNumber, ServerId, ServerNumber};
use crate::measure::promise::DeviceView;
use crate::transport::address::AddressError;
use crate::transport::dialer::Call;
use crate::transport::exchange::Outbound;
use crate::transport::failure::{CallError, Phase};
use crate::transport::tls::ClientIdentity;
use crate::transport::trouble::ConnectTrouble;

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

/// Asks for every node of the device's tree, for whoever compares two moments of it.
#[derive(Message)]
#[rtype(result = "Vec<NodeView>")]
pub struct InspectTree;

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
    /// What it shows, once it has shown it, where each device has its own.
    identity: Option<ClientIdentity>,
    /// Management sessions it has opened.
    sessions: u32,
    alarm: Alarm,
    _grave: Grave,
}

impl DmClient {
    /// The device as it leaves the factory and its owner's hands.
    pub fn new(device: DeviceNumber, lane: Rc<Lane>, supervisor: Addr<Supervisor>) -> DmClient {
        let machine = lane.blueprint.device_machine(device);
        let grave = Grave::new(Party::Device(device), supervisor);
        DmClient { lane, device, machine, identity: None, sessions: 0, alarm: Alarm::default(), _grave: grave }
    }

    fn tell(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.lane.blueprint.clock.now();
        let mut out = Vec::new();
        self.machine.handle(now, input, &mut out);
        let befallen: Vec<Mishap> = out.iter().flat_map(|effect| self.befalls(now, effect)).collect();
        // Who has no network any more, or has just lost its memory, sends nothing of what it was about to.
        let is_cut = befallen
            .iter()
            .any(|mishap| matches!(mishap, Mishap::Offline { .. } | Mishap::Reboot | Mishap::FactoryReset));
        for effect in out {
            if !(is_cut && matches!(effect, Effect::Post { .. } | Effect::Fetch { .. })) {
                self.obey(now, effect, ctx);
            }
        }
        for mishap in befallen {
            if mishap == Mishap::FactoryReset {
                self.lane.saw(self.device, What::FactoryReset);
            }
            self.tell(Input::Mishap(mishap), ctx);
        }
        if self.lane.blueprint.devices.connections == DeviceConnections::PerSession && self.machine.is_idle() {
            self.lane.dialer.hang_up(self.device.0);
        }
        self.arm(now, ctx);
    }

    /// What it shows to those it calls.
    fn identity(&mut self) -> ClientIdentity {
        let identities = &self.lane.blueprint.devices.identities;
        match identities.are_apart() {
            true => self.identity.get_or_insert_with(|| identities.of(self.device)).clone(),
            false => identities.of(self.device),
        }
    }

    /// What befalls the device now that it opens a session.
    fn befalls(&self, now: Moment, effect: &Effect) -> Vec<Mishap> {
        let Effect::Note(Note::SessionOpened { server, .. }) = effect else { return Vec::new() };
        let Some(server) = self.lane.blueprint.parties.server_named(server) else { return Vec::new() };
        // The session that it opens is the next one.
        let (number, to) = (self.sessions + 1, End::Server(server));
        let verdicts = self.judge(&[Site::Device], now, Direction::DeviceToServer, to, number);
        verdicts.iter().filter_map(|verdict| mishap(verdict.action, now)).collect()
    }

    /// The rules that fire on something in the device's session of this number. Its packages are told apart by their
    /// order: the names that sessions and URLs have on the way are others in every run.
    fn judge(&self, sites: &[Site], now: Moment, direction: Direction, to: End, number: u32) -> Vec<Verdict<'_>> {
        let passage = || Passage {
            direction,
            from: End::Device,
            to,
            device: self.device,
            class: self.lane.blueprint.parties.population.class_number(self.device).unwrap_or_default(),
            role: None,
            message: None,
            session: format!("session {number}").into(),
            nth_session: number,
            attempt: 1,
            state: "",
            now,
        };
        self.lane.judge(sites, passage)
    }

    fn obey(&mut self, now: Moment, effect: Effect, ctx: &mut Context<Self>) {
        let lane = Rc::clone(&self.lane);
        let me = ctx.address();
        match effect {
            Effect::Post { exchange, url, message, seal } => {
                let content_type = lane.blueprint.devices.encoding.content_type();
                let packet = wire::seal(&message, seal.as_ref(), content_type);
                let call = lane.blueprint.call_from_device(self.device, self.identity(), &url, Some(packet));
                let to = lane.blueprint.server_at(&url);
                let ordeal = match to {
                    Some(server) => self.ordeal(now, Direction::DeviceToServer, End::Server(server)),
                    None => Ordeal::default(),
                };
                let device = self.device;
                actix::spawn(async move {
                    let is_far = to.is_some_and(|server| lane.blueprint.is_external(server));
                    let result = suffer(&lane, device, call, ordeal, (to, is_far)).await;
                    me.do_send(Heard(Input::Answer { exchange, result: result.map(|(envelope, _)| envelope) }));
                });
            }
            Effect::Fetch { exchange, url } => {
                let call = lane.blueprint.call_from_device(self.device, self.identity(), &url, None);
                let from = lane.blueprint.bootstrap_server_at(&url);
                let ordeal = match from {
                    Some(from) => self.ordeal(now, Direction::DeviceToBootstrap, End::Bootstrap(from)),
                    None => Ordeal::default(),
                };
                let device = self.device;
                actix::spawn(async move {
                    let site = from.map(|from| &lane.blueprint.bootstrap_servers[usize::from(from.0)]);
                    let is_far = site.is_some_and(|site| site.is_external);
                    let result = suffer(&lane, device, call, ordeal, (None, is_far)).await;
                    let done = lane.blueprint.clock.now();
                    let sent = result.as_ref().map_or(now, |(_, sent)| *sent);
                    lane.record(|shard| shard.bootstrap_ended(result.is_ok(), done - now, done - sent));
                    if let Some(from) = from {
                        lane.saw(device, What::Fetched { from, ok: result.is_ok() });
                    }
                    let result = result.map(|(envelope, _)| envelope.message);
                    me.do_send(Heard(Input::Bootstrap { exchange, result }));
                });
            }
            Effect::Note(note) => self.note(note),
        }
    }

    /// What one exchange of the device has to suffer.
    fn ordeal(&self, now: Moment, direction: Direction, to: End) -> Ordeal {
        let verdicts = self.judge(sites(direction), now, direction, to, self.sessions);
        let bad_identities = &self.lane.blueprint.devices.bad_identities;
        Ordeal::of(&verdicts, None, |bad| bad_identities.get(&bad).cloned())
    }

    fn note(&mut self, note: Note) {
        if let Some(reason) = worth_counting(&note) {
            self.lane.record(|shard| shard.rejected(reason));
        }
        if matches!(note, Note::SessionOpened { .. }) {
            self.sessions += 1;
        }
        if !self.lane.board.watches(self.device) {
            return;
        }
        let number = |server: &ServerId| self.lane.blueprint.parties.server_named(server);
        if let Some(what) = machines::of_device(note, number) {
            self.lane.saw(self.device, what);
        }
    }

    fn arm(&mut self, now: Moment, ctx: &mut Context<Self>) {
        let deadline = self.machine.deadline();
        self.alarm.set(deadline, now, ctx, |device, ctx| device.tell(Input::Wake, ctx));
    }
}

/// What a fault means to a device; `None` for what is none of its own.
fn mishap(action: &Action, now: Moment) -> Option<Mishap> {
    Some(match action {
        Action::Offline(time) => Mishap::Offline { until: now + *time },
        Action::Busy(time) => Mishap::Busy { until: now + *time },
        Action::DropAfter(commands) => Mishap::DropAfter { commands: *commands },
        Action::LoseStatus => Mishap::LoseStatus,
        Action::RefuseWith(code) => Mishap::Refuse { code: *code },
        Action::Reboot => Mishap::Reboot,
        Action::FactoryReset => Mishap::FactoryReset,
        _ => return None,
    })
}

/// One request of a device, with what it has to suffer: the message that answers it, and when the request was sent.
async fn suffer(
    lane: &Lane,
    device: DeviceNumber,
    call: Result<Call, AddressError>,
    mut ordeal: Ordeal,
    (to, is_far): (Option<ServerNumber>, bool),
) -> Result<(Envelope, Moment), client::Failure> {
    let mut call = call.map_err(|error| client::Failure::Unreachable(error.to_string()))?;
    let (_left, far) = match is_far {
        true => {
            let plan = ordeal.befall_alone(&mut call, device);
            (None, plan.map(|plan| Far { plan, refusal: Outbound::status(409) }))
        }
        false => (ordeal.befall(&mut call, device, &lane.desk), None),
    };
    for wait in &ordeal.waits {
        sit_out(wait, device, &lane.board).await;
    }
    if to.is_some_and(|server| lane.directory.is_down(server)) {
        call.trouble.get_or_insert_default().connect = Some(ConnectTrouble::Refuse);
    }
    exchange_package(lane, call, far).await
}

/// The message that answers a request, and when the request was sent. Only 200 carries OMA DM.
async fn exchange_package(lane: &Lane, call: Call, far: Option<Far>) -> Result<(Envelope, Moment), client::Failure> {
    let answered = far_side::call(lane, call, far).await;
    let reply = answered.map_err(|error| {
        if matches!(error, CallError::TimedOut { phase: Phase::Queue, .. }) {
            lane.record(|shard| shard.never_sent());
        }
        client::Failure::Unreachable(error.to_string())
    })?;
    lane.call_answered(&reply.timing);
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

impl Handler<InspectTree> for DmClient {
    type Result = MessageResult<InspectTree>;

    fn handle(&mut self, _: InspectTree, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.machine.tree().nodes(&Uri::root()))
    }
}

impl Handler<AskAtRest> for DmClient {
    type Result = bool;

    fn handle(&mut self, _: AskAtRest, _: &mut Self::Context) -> bool {
        self.machine.is_idle()
    }
}
