//! The journeys under way: starts each step at its moment, never waits for an answer, and knows when a flow has ended.

mod losses;
mod reports;
mod served;
mod steering;
mod wishes;

pub use losses::{Abandon, PartyLost, Restored, StopStarting};
pub use reports::{AskChronicle, AskProgress, Second, TakeSecond};
pub use served::NotStarted;
pub use steering::{Pace, Pause, Resume};

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::actors::chronicle::{Chronicle, Progress};
use crate::actors::directory::Directory;
use crate::actors::dm_server::AskOperator;
use crate::actors::pacemaker::Pacemaker;
use crate::actors::present_flows::PresentFlows;
use crate::actors::probe;
use crate::actors::sight::Sight;
use crate::actors::swarm::served::Served;
use crate::actors::tales::Tales;
use crate::actors::travel::{Running, Travel};
use crate::clock::{Clock, Moment};
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::machine::{Input, Note};
use crate::dm::uri::Uri;
use crate::facts::What;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::course::Ended;
use crate::measure::shard::{End, Shard};
use crate::workload::journey::{Expected, Step};
use crate::workload::pacer::Pacer;
use crate::workload::plan::{Plan, Start};
use crate::workload::population::Population;

/// Walk this plan, beginning now; says which moment that is. Without a plan: start nothing, and count what others start
/// until [`StopStarting`].
#[derive(Message)]
#[rtype(result = "Moment")]
pub struct Begin {
    pub plan: Option<Plan>,
    /// Told when every journey has ended.
    pub finished: oneshot::Sender<()>,
}

/// A server machine's note, with the moment at which it was taken.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Noted {
    pub from: ServerNumber,
    pub at: Moment,
    pub note: Note,
}

/// A moment has come that the swarm waits for.
#[derive(Message)]
#[rtype(result = "()")]
struct Due;

/// After how long operators look again whether a server that was killed stands.
const WHILE_DOWN: Duration = Duration::from_millis(20);

/// The actor that keeps every journey.
pub struct Swarm {
    clock: Clock,
    population: Arc<Population>,
    directory: Arc<Directory>,
    sight: Sight,
    present: Arc<PresentFlows>,
    tales: Tales,
    /// Says which starts are due; `None` before the plan has begun.
    pacer: Option<Pacer>,
    /// Where devices are on their journeys, when it is others who start what happens.
    served: Option<Served>,
    /// When the plan began.
    origin: Moment,
    /// By population and phase of the plan: under which number what is started there is counted apart, if it is.
    waves: Vec<Vec<usize>>,
    begun: BTreeSet<DeviceNumber>,
    travels: BTreeMap<DeviceNumber, Travel>,
    waits: BinaryHeap<Reverse<(Moment, DeviceNumber)>>,
    pacemaker: Pacemaker,
    /// When it wakes us.
    armed: Moment,
    stopped: bool,
    progress: Progress,
    /// What has been recorded since the last second was taken.
    shard: Shard,
    chronicle: Chronicle,
    finished: Option<oneshot::Sender<()>>,
}

impl Swarm {
    /// A swarm that waits for [`Begin`], on this thread.
    ///
    /// # Errors
    /// When there is no thread for the one that wakes it.
    pub fn begin(
        clock: Clock,
        population: Arc<Population>,
        directory: Arc<Directory>,
        sight: Sight,
        present: Arc<PresentFlows>,
    ) -> io::Result<Addr<Swarm>> {
        let context = Context::new();
        let swarm = context.address().downgrade();
        let pacemaker = Pacemaker::begin(clock, move || {
            if let Some(swarm) = swarm.upgrade() {
                swarm.do_send(Due);
            }
        })?;
        Ok(context.run(Swarm {
            clock,
            population,
            directory,
            sight,
            present,
            tales: Tales::default(),
            pacer: None,
            served: None,
            origin: Moment::ZERO,
            waves: Vec::new(),
            begun: BTreeSet::new(),
            travels: BTreeMap::new(),
            waits: BinaryHeap::new(),
            pacemaker,
            armed: Moment::NEVER,
            stopped: false,
            progress: Progress::default(),
            shard: Shard::new(),
            chronicle: Chronicle::default(),
            finished: None,
        }))
    }

    /// Starts whatever is due, then arms the one timer for what comes next.
    fn advance(&mut self, ctx: &mut Context<Self>) {
        let now = self.clock.now();
        while let Some(&Reverse((due, device))) = self.waits.peek() {
            if due > now {
                break;
            }
            self.waits.pop();
            self.take_step(device, due);
        }
        while !self.stopped
            && let Some(start) = self.pacer.as_mut().and_then(|pacer| pacer.take(now))
        {
            self.set_out(start, ctx);
        }
        self.arm();
        self.check_finished();
    }

    fn arm(&mut self) {
        let start = self.pacer.as_ref().filter(|_| !self.stopped).map_or(Moment::NEVER, Pacer::next);
        let wait = self.waits.peek().map_or(Moment::NEVER, |Reverse((due, _))| *due);
        let next = start.min(wait);
        // Waking too early does no harm.
        if next < self.armed {
            self.armed = next;
            self.pacemaker.set(next);
        }
    }

    fn check_finished(&mut self) {
        let nothing_to_start = self.stopped || self.pacer.as_ref().is_none_or(Pacer::is_done) && self.served.is_none();
        if nothing_to_start
            && self.travels.is_empty()
            && let Some(finished) = self.finished.take()
        {
            // The run may have given up waiting; then nobody needs to be told.
            let _ = finished.send(());
        }
    }

    fn set_out(&mut self, start: Start, ctx: &mut Context<Self>) {
        let Start { intended, population, phase, .. } = start;
        // Each device has one journey: a start that finds none, or comes to one a second time, is dropped.
        let Some(device) = start.device.filter(|device| self.begun.insert(*device)) else {
            self.shard.start_dropped();
            if start.device.is_some() {
                self.free_place(population);
            }
            return;
        };
        // What waits for a free place has no moment that it could be late for.
        let due = start.is_timed.then_some(intended);
        self.progress.journeys_begun += 1;
        let wave = self.waves.get(population).map(|waves| waves[phase]);
        self.travels.insert(device, Travel { step: 0, population, wave, intended, held: None, due, flow: None });
        self.wish_meanwhile(device, ctx);
        self.take_step(device, intended);
    }

    /// Takes the present step of a device's journey, meant for the moment `intended`.
    fn take_step(&mut self, device: DeviceNumber, intended: Moment) {
        let population = Arc::clone(&self.population);
        let Some(travel) = self.travels.get_mut(&device) else { return };
        let held = travel.held.take();
        travel.intended = held.unwrap_or(intended);
        if held.is_none() {
            self.sight.saw(device, What::Step { number: travel.step + 1 });
        }
        let step = population.journey(device).and_then(|journey| journey.steps.get(travel.step));
        let now = self.clock.now();
        match step {
            Some(_) if self.stopped => self.end_journey(device),
            None => self.end_journey(device),
            Some(Step::Wait(wait)) => {
                travel.step += 1;
                self.waits.push(Reverse((intended + *wait, device)));
            }
            Some(Step::WaitUntil(after)) => {
                travel.step += 1;
                self.waits.push(Reverse((travel.intended.max(self.origin + *after), device)));
            }
            Some(step) => {
                if let Some(flow) = Running::of(step, now) {
                    self.start_flow(device, flow, step);
                }
            }
        }
    }

    fn start_flow(&mut self, device: DeviceNumber, flow: Running, step: &Step) {
        let (starter, other) = flow.starter_and_other();
        let flow = if self.directory.is_external(starter) { flow.told_by_other() } else { flow };
        let (kind, sent) = (flow.kind, flow.sent);
        if [starter, other].into_iter().any(|server| self.directory.is_down(server)) {
            // There is nobody who could want or agree to anything; what was meant for now still is.
            if let Some(travel) = self.travels.get_mut(&device) {
                travel.held = Some(travel.intended);
                self.waits.push(Reverse((self.clock.now() + WHILE_DOWN, device)));
            }
            return;
        }
        let due = self.travels.get_mut(&device).and_then(|travel| {
            travel.flow = Some(flow);
            travel.due.take()
        });
        self.begin_flow(device);
        let agreed = match kind {
            FlowKind::Delegate { approach, .. } if !self.directory.is_external(other) => {
                Some(Input::Agreed { device, peer: starter, approach })
            }
            FlowKind::Delegate { .. } | FlowKind::Revoke(_) => None,
        };
        let is_agreed = agreed.is_none_or(|agreed| self.tell(other, agreed, None));
        let subtree = step.wish().map_or_else(Uri::root, |(.., subtree)| subtree);
        let is_told = is_agreed
            && if self.directory.is_external(starter) {
                self.ask_operator(
                    other,
                    AskOperator { device, peer: starter, step: step.clone(), is_of_journey: true, due },
                )
            } else {
                self.tell(starter, Input::Start { flow: kind, device, peer: other, subtree }, due)
            };
        if !is_told {
            self.shard.mailbox_refused();
            self.end_flow(device, sent, Outcome::Lost);
        }
    }

    /// Counts the flow that a device has before it.
    fn begin_flow(&mut self, device: DeviceNumber) {
        let wave = self.wave_of(device);
        let Some(flow) = self.travels.get(&device).and_then(|travel| travel.flow.as_ref()) else { return };
        self.progress.flows_started += 1;
        self.present.begin(device, flow.kind);
        self.sight.board().open(device);
        self.shard.flow_started(flow.kind, flow.expected, wave);
    }

    /// Under which number the flows of a device are counted apart, if they are.
    fn wave_of(&self, device: DeviceNumber) -> Option<usize> {
        self.travels.get(&device)?.wave
    }

    fn note(&mut self, noted: Noted) {
        let (Note::Joined { device, peer, side } | Note::Settled { device, peer, side, .. }) = noted.note else {
            return;
        };
        if matches!(noted.note, Note::Joined { .. }) && !self.travels.contains_key(&device) {
            self.serve(device, (noted.from, peer, side), noted.at);
        }
        let Some(flow) = self.travels.get_mut(&device).and_then(|travel| travel.flow.as_mut()) else { return };
        if !flow.is_between(noted.from, peer, side) {
            return;
        }
        match noted.note {
            Note::Settled { outcome, .. } => flow.settled(side, noted.at, outcome),
            _ => flow.joined(side),
        }
        if let Some((at, outcome)) = flow.ended() {
            self.end_flow(device, at, outcome);
        }
    }

    fn end_flow(&mut self, device: DeviceNumber, at: Moment, outcome: Outcome) {
        let wave = self.wave_of(device);
        let Some(travel) = self.travels.get_mut(&device) else { return };
        let Some(running) = travel.flow.take() else { return };
        travel.step += 1;
        let as_expected = Expected(running.expected).is_met_by(&outcome);
        let (response, service) = (at - travel.intended, at - running.sent);
        self.progress.flows_ended += 1;
        self.progress.flows_failed += u64::from(!as_expected);
        self.shard.flow_ended(running.kind, &End { outcome: &outcome, as_expected, response, service }, wave);
        let (kind, ended_at) = (running.kind, at - self.origin);
        let told = Ended { device, kind, outcome: outcome.clone(), as_expected, response, service, at: ended_at };
        self.tales.hear(told);
        self.chronicle.keep_in_mind(device, &running, &outcome);
        if self.served.is_some() {
            self.has_served(device);
        } else if as_expected {
            self.take_step(device, at);
        } else {
            self.chronicle.failed.insert(device);
            self.end_journey(device);
        }
    }

    fn end_journey(&mut self, device: DeviceNumber) {
        if let Some(travel) = self.travels.remove(&device) {
            self.free_place(travel.population);
        }
    }

    fn free_place(&mut self, population: usize) {
        let now = self.clock.now();
        if let Some(pacer) = &mut self.pacer {
            pacer.free(population, now);
        }
    }
}

impl Actor for Swarm {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        probe::watch(self.clock, |swarm: &mut Swarm, late| swarm.shard.event_loop_delayed(late), ctx);
    }
}

impl Handler<Begin> for Swarm {
    type Result = MessageResult<Begin>;

    fn handle(&mut self, Begin { plan, finished }: Begin, ctx: &mut Self::Context) -> Self::Result {
        self.finished = Some(finished);
        if let Some(plan) = plan {
            self.waves.clone_from(&plan.waves);
            let origin = Cell::new(Moment::ZERO);
            let begin = || {
                origin.set(self.clock.now());
                origin.get()
            };
            self.pacer = Some(Pacer::new(plan, &self.population, begin));
            self.origin = origin.get();
        } else {
            self.origin = self.clock.now();
            self.begin_to_serve();
        }
        self.advance(ctx);
        MessageResult(self.origin)
    }
}

impl Handler<Due> for Swarm {
    type Result = ();

    fn handle(&mut self, _: Due, ctx: &mut Self::Context) {
        self.armed = Moment::NEVER;
        self.advance(ctx);
    }
}

impl Handler<Noted> for Swarm {
    type Result = ();

    fn handle(&mut self, noted: Noted, ctx: &mut Self::Context) {
        self.note(noted);
        self.advance(ctx);
    }
}
