//! What befalls a server's process: its writes to the store, its pauses, its death, and its return.

use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;

use super::DmServer;
use crate::actors::lane::Lane;
use crate::actors::supervisor::{Killed, Supervisor};
use crate::actors::swarm::Restored;
use crate::clock::Moment;
use crate::delegation::durable::Image;
use crate::delegation::machine::Effect;
use crate::delegation::server::Server;
use crate::facts::What;
use crate::faults::rule::{Action, BackWith, Direction, End, Site};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber};

/// A fault befalls this server's process, at a step of this device.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Befall {
    pub at: Moment,
    pub device: DeviceNumber,
    /// `Kill`, `Pause`, or `Fail` or `Delay` for its next write.
    pub action: Action,
    /// For whatever the action has to draw.
    pub draw: u64,
}

impl DmServer {
    /// A server that was killed, back with its store.
    pub fn back(me: ServerNumber, lane: Rc<Lane>, supervisor: Addr<Supervisor>, with: BackWith) -> DmServer {
        let store = lane.stores.restore(me, with);
        let settings = lane.blueprint.parties.delegation_settings(me);
        let now = lane.blueprint.clock.now();
        let mut server = DmServer::new(me, lane, supervisor);
        server.delegation = Server::recover(now, settings, &store, &mut server.on_start);
        server.is_back = true;
        server.lane.swarm.do_send(Restored { server: me, at: now, moving: server.busy_with() });
        server
    }

    /// Writes an image, unless that takes time: then it is given back with the moment at which it will have been done.
    /// No write overtakes another: the image of a record must not be followed by an older one.
    pub(super) fn write(&mut self, now: Moment, image: Image) -> Option<(Moment, Box<Image>)> {
        // Its occasions are counted for each device at each server: nothing else of a write is the same in every run.
        let device = image.device();
        let verdicts = self.lane.judge(&[Site::Store], || Passage {
            direction: Direction::ServerToServer,
            from: End::Server(self.me),
            to: End::Server(self.me),
            device,
            class: self.lane.blueprint.parties.population.class_number(device).unwrap_or_default(),
            role: None,
            message: None,
            session: format!("store {}", self.me.0).into(),
            nth_session: 1,
            attempt: 1,
            state: "",
            now,
        });
        let fails_by_step = self.failing_writes > 0;
        self.failing_writes = self.failing_writes.saturating_sub(1);
        let delay_by_step = std::mem::take(&mut self.next_write_takes);
        let fails = fails_by_step || verdicts.iter().any(|verdict| matches!(verdict.action, Action::Fail));
        let delays = verdicts.iter().filter_map(|verdict| match verdict.action {
            Action::Delay(from) => Some(from.draw(verdict.draw)),
            _ => None,
        });
        let mut delay: Duration = delays.sum::<Duration>() + delay_by_step;
        if fails {
            delay += self.policy().writes_again_after()?;
        }
        match self.writes {
            (0, _) if delay.is_zero() => {
                self.lane.stores.write(self.me, image);
                None
            }
            (under_way, last) => {
                let done = if under_way == 0 { now + delay } else { last.max(now + delay) };
                self.writes = (under_way + 1, done);
                Some((done, Box::new(image)))
            }
        }
    }

    /// A write that took time has been done; now comes what has waited for it.
    pub(super) fn write_late(&mut self, now: Moment, image: Image, behind: Vec<Effect>, ctx: &mut Context<Self>) {
        self.writes.0 -= 1;
        self.lane.stores.write(self.me, image);
        self.obey_all(now, behind, ctx);
    }

    /// Meets what befalls it at the step that it has just come to.
    pub(super) fn meet_fate(&mut self, ctx: &mut Context<Self>) {
        for Befall { at, device, action, draw } in std::mem::take(&mut self.fate) {
            match action {
                Action::Kill { downtime, back_with } if !self.is_dead => self.die(device, downtime, back_with, ctx),
                Action::Pause(time) => self.pause(at + time, ctx),
                Action::Fail => self.failing_writes += 1,
                Action::Delay(from) => self.next_write_takes += from.draw(draw),
                _ => {}
            }
        }
    }

    /// Dies at once: memory, timers, connections and whatever has not been answered go. Only the store stays.
    fn die(&mut self, device: DeviceNumber, downtime: Duration, back_with: BackWith, ctx: &mut Context<Self>) {
        self.is_dead = true;
        self.lane.directory.take_down(self.me);
        for (_, post) in std::mem::take(&mut self.posts) {
            post.forsake();
        }
        self.later.clear();
        self.peers_waiting.clear();
        self.devices_waiting.clear();
        // Its death befalls every device, whichever it came about by.
        let others = self.lane.board.devices().into_iter().filter(|other| *other != device);
        for device in std::iter::once(device).chain(others) {
            self.saw(device, What::Killed { at: self.me });
        }
        self.grave.killed(Killed { server: self.me, downtime, back_with });
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
