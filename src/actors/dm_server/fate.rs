//! What befalls a server's process: its writes to the store, its pauses, its death, and its return.

use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;

use super::{DmServer, Later};
use crate::actors::lane::Lane;
use crate::actors::supervisor::Supervisor;
use crate::actors::swarm::Restored;
use crate::clock::Moment;
use crate::delegation::durable::Image;
use crate::delegation::machine::{Effect, Note};
use crate::delegation::server::Server;
use crate::dm::server::Sessions;
use crate::facts::What;
use crate::faults::rule::{Action, BackWith, Direction, End, Site};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber};

/// How long a careful server waits after a failed write before it tries it again.
const WRITE_AGAIN: Duration = Duration::from_millis(50);

/// A fault befalls this server's process, at a step of this device.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Befall {
    pub device: DeviceNumber,
    /// `Kill`, `Pause`, or `Fail` for its next write.
    pub action: Action,
}

impl DmServer {
    /// A server that was killed, back with its store.
    pub fn back(
        me: ServerNumber,
        lane: Rc<Lane>,
        supervisor: Addr<Supervisor>,
        with: BackWith,
        device: DeviceNumber,
    ) -> DmServer {
        let store = lane.stores.restore(me, with);
        let settings = lane.blueprint.delegation_settings(me);
        let now = lane.blueprint.clock.now();
        let mut server = DmServer::new(me, lane, supervisor);
        server.delegation = Server::recover(now, settings, &store, &mut server.on_start);
        server.sessions = Sessions::new(server.lane.blueprint.server(me).sessions.clone());
        let restarted = What::Restarted { at: me };
        server.lane.board.saw_elsewhere(device, &restarted);
        server.saw(device, restarted);
        server.lane.swarm.do_send(Restored { server: me, moving: server.busy_with() });
        server
    }

    /// Writes an image, unless that takes time: then it is given back with the moment at which it will have been done.
    pub(super) fn write(&mut self, now: Moment, image: Image) -> Option<(Moment, Box<Image>)> {
        let (device, session) = (image.device(), self.next_exchange.to_string());
        let verdicts = self.lane.judge(
            &[Site::Store],
            &Passage {
                direction: Direction::ServerToServer,
                from: End::Server(self.me),
                to: End::Server(self.me),
                device,
                class: self.lane.blueprint.population.class_number(device).unwrap_or_default(),
                role: None,
                message: None,
                session: &session,
                nth_session: 1,
                attempt: 1,
                state: "",
                now,
            },
        );
        let fails_by_step = self.failing_writes > 0;
        self.failing_writes = self.failing_writes.saturating_sub(1);
        let fails = fails_by_step || verdicts.iter().any(|verdict| matches!(verdict.action, Action::Fail));
        let delays = verdicts.iter().filter_map(|verdict| match verdict.action {
            Action::Delay(from) => Some(from.draw(verdict.draw)),
            _ => None,
        });
        let delay: Duration = delays.sum();
        match (fails, delay) {
            // By the text nobody looks whether a write has succeeded.
            (true, _) if !self.is_hardened() => None,
            (true, delay) => Some((now + delay + WRITE_AGAIN, Box::new(image))),
            (false, Duration::ZERO) => {
                self.lane.stores.write(self.me, image);
                None
            }
            (false, delay) => Some((now + delay, Box::new(image))),
        }
    }

    /// Whether a write about a device has not been done yet.
    pub(super) fn is_writing(&self, device: DeviceNumber) -> bool {
        self.behind_writes.contains_key(&device)
    }

    /// A write will have been done at this moment.
    pub(super) fn begin_late_write(&mut self, at: Moment, image: Box<Image>) {
        self.behind_writes.insert(image.device(), Vec::new());
        self.do_later(at, Later::Write(image));
    }

    /// Does these when the write under way has been done. What has only been noticed need not wait.
    pub(super) fn wait_behind_write(&mut self, now: Moment, device: DeviceNumber, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Note(note @ (Note::Moved { .. } | Note::TimerFired { .. })) => self.note(now, note),
                other => self.behind_writes.entry(device).or_default().push(other),
            }
        }
    }

    /// A write that took time has been done; now comes what has waited for it.
    pub(super) fn write_late(&mut self, now: Moment, image: Image, ctx: &mut Context<Self>) {
        let behind = self.behind_writes.remove(&image.device()).unwrap_or_default();
        self.lane.stores.write(self.me, image);
        self.obey_all(now, behind, ctx);
    }

    /// Meets what befalls it at the step that it has just come to.
    pub(super) fn meet_fate(&mut self, ctx: &mut Context<Self>) {
        for Befall { device, action } in std::mem::take(&mut self.fate) {
            match action {
                Action::Kill { downtime, back_with } if !self.is_dead => self.die(device, downtime, back_with, ctx),
                // While it waits, an actor takes nothing from its mailbox, and none of its timers rings.
                Action::Pause(time) => ctx.wait(actix::clock::sleep(time).into_actor(self)),
                Action::Fail => self.failing_writes += 1,
                _ => {}
            }
        }
    }

    /// Dies at once: memory, timers, connections and whatever has not been answered go. Only the store stays.
    fn die(&mut self, device: DeviceNumber, downtime: Duration, back_with: BackWith, ctx: &mut Context<Self>) {
        self.is_dead = true;
        self.lane.directory.take_down(self.me);
        for (_, post) in std::mem::take(&mut self.posts) {
            post.abort();
        }
        self.later.clear();
        self.behind_writes.clear();
        self.peers_waiting.clear();
        self.devices_waiting.clear();
        let killed = What::Killed { at: self.me };
        self.lane.board.saw_elsewhere(device, &killed);
        self.saw(device, killed);
        self.grave.killed(device, downtime, back_with);
        ctx.stop();
    }
}

impl Handler<Befall> for DmServer {
    type Result = ();

    fn handle(&mut self, befall: Befall, ctx: &mut Self::Context) {
        self.fate.push(befall);
        self.meet_fate(ctx);
    }
}
