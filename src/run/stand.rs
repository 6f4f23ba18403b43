//! All parties of ours standing: threads, actors and doors, and what can be asked of them from outside.

use std::net::UdpSocket;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::task::JoinHandle;

use crate::actors::blueprint::Blueprint;
use crate::actors::board::Board;
use crate::actors::chronicle::{Chronicle, Progress};
use crate::actors::desk::Desk;
use crate::actors::directory::{Directory, Party};
use crate::actors::dm_client::{AskAtRest, InspectDevice};
use crate::actors::dm_server::InspectServer;
use crate::actors::lane::Lane;
use crate::actors::outside::Waking;
use crate::actors::present_flows::PresentFlows;
use crate::actors::reception::Reception;
use crate::actors::sight::Sight;
use crate::actors::stores::Stores;
use crate::actors::supervisor::{Raise, Supervisor, TakeShard};
use crate::actors::swarm::{
    Abandon, AskChronicle, AskProgress, Begin, Pace, Pause, Resume, Second, StopStarting, Swarm, TakeSecond,
};
use crate::actors::tape::{Taken, Tape};
use crate::clock::Moment;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};
use crate::measure::promise::{DeviceView, ServerView};
use crate::run::RunError;
use crate::run::news::Listening;
use crate::transport::datagrams::hear;
use crate::transport::dialer::{Dialer, DialerOptions};
use crate::transport::guard::Names;
use crate::transport::listener::{Door, Doors, open_doors};
use crate::workload::plan::Plan;

/// How long a server may take to say what it has on record: one that a fault has paused takes nothing from its mailbox,
/// and a run does not wait for hours.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many devices are asked at once when their views are collected.
const ASKED_AT_ONCE: usize = 256;

/// Everything that is settled before the first thread is started.
pub struct Prepared {
    pub blueprint: Arc<Blueprint>,
    pub doors: Vec<Door>,
    /// Where the parties' host names live.
    pub names: Names,
    /// The same, for people.
    pub addresses: Vec<Listening>,
    /// Whether exchanges with somebody else's servers are kept.
    pub records: bool,
    /// Where our devices are woken by WAP push, if somebody could.
    pub wap: Option<UdpSocket>,
    pub dialer: DialerOptions,
    /// Threads for the actors and for serving the doors.
    pub lanes: usize,
}

/// The parties, alive.
pub struct Stand {
    blueprint: Arc<Blueprint>,
    directory: Arc<Directory>,
    board: Arc<Board>,
    swarm: Addr<Swarm>,
    supervisors: Vec<Addr<Supervisor>>,
    reception: Reception,
    doors: Doors,
    /// Hears who wakes devices by WAP push.
    pushes: Option<JoinHandle<()>>,
    tape: Option<Arc<Tape>>,
}

impl Stand {
    /// Opens the doors, then starts every actor. Call it on an actix system.
    ///
    /// The actors live on the threads that serve the doors: with more threads than processors, most of the work would
    /// be waking one another. Who calls before the actors stand is answered with 503.
    pub async fn up(prepared: Prepared) -> Result<Stand, RunError> {
        let Prepared { blueprint, doors, names, records, wap, dialer, lanes, .. } = prepared;
        let tape = records.then(Arc::default);
        let external = servers(&blueprint).filter(|server| blueprint.is_external(*server)).collect();
        let directory = Arc::new(Directory::new(blueprint.servers.len()).with_external(external));
        let watched = blueprint.devices.watched.min(blueprint.parties.population.devices());
        let board = Arc::new(Board::new(blueprint.clock, watched));
        let desk = Arc::new(Desk::default());
        let stores = Arc::new(Stores::new(blueprint.servers.len()));
        let servers = u16::try_from(blueprint.servers.len()).unwrap_or(u16::MAX);
        let sight = Sight::new(Arc::clone(&blueprint.faults), servers, Arc::clone(&board), Arc::clone(&directory));
        let population = Arc::clone(&blueprint.parties.population);
        let present = Arc::new(PresentFlows::new(population.devices()));
        let swarm =
            Swarm::begin(blueprint.clock, population, Arc::clone(&directory), sight.clone(), Arc::clone(&present))
                .map_err(RunError::NoThread)?;
        let reception =
            Reception::new(Arc::clone(&blueprint), Arc::clone(&directory), Arc::clone(&board), Arc::clone(&desk))
                .with_outside(sight.clone(), tape.clone());
        let receiver = reception.clone();
        let receive = move |request| receiver.clone().receive(request);
        let doors = open_doors(doors, lanes, blueprint.clock, receive).await?;

        let mut supervisors = Vec::with_capacity(lanes);
        for arbiter in doors.arbiters() {
            let (blueprint, directory, swarm) = (Arc::clone(&blueprint), Arc::clone(&directory), swarm.clone());
            let (board, sight) = (Arc::clone(&board), sight.clone());
            let (desk, stores, present) = (Arc::clone(&desk), Arc::clone(&stores), Arc::clone(&present));
            let (names, options, tokens) = (names.clone(), dialer, doors.tokens());
            let lane_tape = tape.clone();
            supervisors.push(Supervisor::start_in_arbiter(arbiter, move |_| {
                let dialer = Dialer::new(names, options, blueprint.clock).with_tokens(tokens);
                let (shard, tape) = (Default::default(), lane_tape);
                Supervisor::new(Rc::new(Lane {
                    blueprint,
                    directory,
                    board,
                    sight,
                    desk,
                    stores,
                    present,
                    tape,
                    swarm,
                    dialer,
                    shard,
                }))
            }));
        }
        for (supervisor, parties) in supervisors.iter().zip(spread(&blueprint, supervisors.len())) {
            supervisor.send(Raise(parties)).await.map_err(|_| RunError::Died("a supervisor"))?;
        }
        let pushes = wap.map(|socket| {
            let reception = reception.clone();
            actix::spawn(async move {
                // Without it, devices can be woken over HTTPS still.
                let _ = hear(socket, |datagram| reception.receive_push(datagram)).await;
            })
        });
        Ok(Stand { blueprint, directory, board, swarm, supervisors, reception, doors, pushes, tape })
    }

    /// Begins to walk a plan: when that was, and a future that is done when every journey has ended.
    ///
    /// Without a plan nothing is started here, and it is done when it has been stopped and all that others have started
    /// has ended.
    pub async fn begin(&self, plan: Option<Plan>) -> (Moment, impl Future<Output = ()> + use<>) {
        let (finished, done) = tokio::sync::oneshot::channel();
        let began = self.swarm.send(Begin { plan, finished }).await;
        let began = began.unwrap_or_else(|_| self.blueprint.clock.now());
        let ended = async move {
            // The swarm lives as long as the stand; if it died, waiting longer would be no use.
            let _ = done.await;
        };
        (began, ended)
    }

    /// Walks a plan until every journey has ended.
    pub async fn walk(&self, plan: Plan) {
        let (_, ended) = self.begin(Some(plan)).await;
        ended.await;
    }

    /// Starts nothing until resumed; the plan waits.
    pub fn pause(&self) {
        self.swarm.do_send(Pause);
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.swarm.do_send(Resume);
    }

    /// Walks what remains of the plan so many times as fast as it was planned; says whether anybody could.
    pub async fn pace(&self, factor: f64) -> bool {
        matches!(self.swarm.send(Pace(factor)).await, Ok(Ok(())))
    }

    /// Starts nothing more; what is under way comes to its end.
    pub fn stop_starting(&self) {
        self.swarm.do_send(StopStarting);
    }

    /// Gives up every flow under way as lost.
    pub fn abandon(&self) {
        self.swarm.do_send(Abandon);
    }

    /// How the run stands.
    pub async fn progress(&self) -> Progress {
        self.swarm.send(AskProgress).await.unwrap_or_default()
    }

    /// What has happened since the last call, on all threads together.
    pub async fn take_second(&self) -> Second {
        let mut second = self.swarm.send(TakeSecond).await.unwrap_or_default();
        for supervisor in &self.supervisors {
            second.shard.merge(&supervisor.send(TakeShard).await.unwrap_or_default());
        }
        second.shard.merge(&self.reception.take_turned_away());
        second
    }

    /// The exchanges with somebody else's servers since this was asked last, where they are kept.
    pub fn take_exchanges(&self) -> Taken {
        self.tape.as_ref().map(|tape| tape.take()).unwrap_or_default()
    }

    /// The most messages that have waited for one server since this was asked last.
    pub fn take_longest_queue(&self) -> u32 {
        self.directory.take_longest_queue()
    }

    /// Waits until nobody has anything in hand any more, no server and no device; gives up at `deadline`. Says whether
    /// they came to rest.
    pub async fn rest(&self, deadline: Moment) -> bool {
        // Devices before this one have come to rest, and no server has had anything to do with them since.
        let mut from = DeviceNumber(0);
        loop {
            // A server is done with a session when it has answered, the device when it has heard: so devices come last.
            if self.servers_rest().await {
                match self.next_busy_device(from).await {
                    Some(busy) => from = busy,
                    None if self.servers_rest().await => return true,
                    None => from = DeviceNumber(0),
                }
            } else {
                from = DeviceNumber(0);
            }
            if self.blueprint.clock.now() >= deadline {
                return false;
            }
            actix::clock::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn servers_rest(&self) -> bool {
        // One of ours that does not answer has been killed, and comes back with what it has to do.
        let views = self.server_views().await;
        views.len() == self.blueprint.servers.len() && views.iter().all(|server| server.pending == 0)
    }

    /// The first device, from this one on, that has not come to rest. A dead one has.
    async fn next_busy_device(&self, from: DeviceNumber) -> Option<DeviceNumber> {
        let busy = stream::iter(from.0..self.devices())
            .map(async |device| (device, self.directory.device(DeviceNumber(device)).send(AskAtRest).await))
            .buffered(ASKED_AT_ONCE)
            .filter_map(async |(device, at_rest)| (!at_rest.unwrap_or(true)).then_some(DeviceNumber(device)));
        pin!(busy).next().await
    }

    /// What every server has on record; nothing of one that is dead, or paused for longer than `PATIENCE`.
    pub async fn server_views(&self) -> Vec<ServerView> {
        let mut views = Vec::new();
        for server in servers(&self.blueprint) {
            if self.blueprint.is_external(server) {
                let name = self.blueprint.server(server).name.clone();
                views.push(ServerView { server, name, records: None, pending: 0 });
            } else if let Ok(view) = self.directory.server(server).send(InspectServer).timeout(PATIENCE).await {
                views.push(view);
            }
        }
        views
    }

    /// What is on the devices, in their order and one at a time: a million views would not fit into memory.
    pub fn device_views(&self) -> impl Stream<Item = DeviceView> {
        stream::iter(0..self.devices())
            .map(|device| self.directory.device(DeviceNumber(device)).send(InspectDevice))
            .buffered(ASKED_AT_ONCE)
            .filter_map(async |view| view.ok())
    }

    /// How many devices are ours.
    fn devices(&self) -> u32 {
        devices(&self.blueprint)
    }

    /// What the swarm has seen; `None` when it has died.
    pub async fn chronicle(&self) -> Option<Chronicle> {
        self.swarm.send(AskChronicle).await.ok()
    }

    /// The parties' actors, for tests that look at one of them.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What has been seen.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The parties' settings.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Closes the doors, and with them the threads on which the actors live.
    pub async fn close(self) {
        self.doors.close().await;
        if let Some(pushes) = self.pushes {
            pushes.abort();
        }
    }
}

/// Which parties of ours live on which lane: servers in turn, then devices in turn.
fn spread(blueprint: &Blueprint, lanes: usize) -> Vec<Vec<Party>> {
    let mut spread = vec![Vec::new(); lanes];
    let bootstrap = (0..blueprint.bootstrap_servers.len() as u16).map(BootstrapServerNumber);
    let bootstrap = bootstrap.filter(|server| !blueprint.bootstrap_servers[usize::from(server.0)].is_external);
    let ours = servers(blueprint).filter(|server| !blueprint.is_external(*server));
    let parties = ours.map(Party::Server).chain(bootstrap.map(Party::BootstrapServer));
    let relay = matches!(blueprint.waking, Waking::Nobody).then_some(Party::Relay);
    for (place, party) in parties.chain(relay).enumerate() {
        spread[place % lanes].push(party);
    }
    for device in 0..devices(blueprint) {
        spread[device as usize % lanes].push(Party::Device(DeviceNumber(device)));
    }
    spread
}

/// How many devices are ours: all, or none.
fn devices(blueprint: &Blueprint) -> u32 {
    match blueprint.waking {
        Waking::Here => blueprint.parties.population.devices(),
        Waking::Nobody | Waking::Https { .. } | Waking::Wap { .. } => 0,
    }
}

fn servers(blueprint: &Blueprint) -> impl Iterator<Item = ServerNumber> + use<> {
    (0..blueprint.servers.len() as u16).map(ServerNumber)
}
