//! A pause: whatever a server was about to do waits until it is over, and is then done in its order.

use std::collections::VecDeque;

use actix::prelude::*;

use super::DmServer;
use crate::clock::Moment;

/// The rest of something, to be done later.
type Rest = Box<dyn FnOnce(&mut DmServer, &mut Context<DmServer>)>;

/// The latest pause of a server.
pub(super) struct Pause {
    until: Moment,
    rests: VecDeque<Rest>,
    is_sat_out: bool,
}

impl Pause {
    pub fn none() -> Pause {
        Pause { until: Moment::ZERO, rests: VecDeque::new(), is_sat_out: false }
    }
}

impl DmServer {
    /// Until then it takes nothing from its mailbox, and none of its timers rings.
    pub(super) fn pause(&mut self, until: Moment, ctx: &mut Context<Self>) {
        self.pause.until = self.pause.until.max(until);
        if self.is_paused() {
            self.sit_out(ctx);
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pause.until > self.now()
    }

    /// Goes on with something in the middle of which a fault may have befallen this server: at once, after a pause, or
    /// never when it is dead.
    pub(super) fn when_awake(
        &mut self,
        ctx: &mut Context<Self>,
        rest: impl FnOnce(&mut Self, &mut Context<Self>) + 'static,
    ) {
        if self.is_paused() {
            self.pause.rests.push_back(Box::new(rest));
            self.sit_out(ctx);
        } else if !self.is_dead {
            rest(self, ctx);
        }
    }

    fn sit_out(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.pause.is_sat_out, true) {
            let left = self.pause.until - self.now();
            ctx.wait(actix::clock::sleep(left).into_actor(self).map(|(), server, ctx| {
                server.pause.is_sat_out = false;
                server.go_on(ctx);
            }));
        }
    }

    fn go_on(&mut self, ctx: &mut Context<Self>) {
        while !self.is_dead {
            if self.is_paused() {
                return self.sit_out(ctx);
            }
            let Some(rest) = self.pause.rests.pop_front() else { return };
            // What it leaves for later comes before what has waited behind it.
            let behind = std::mem::take(&mut self.pause.rests);
            rest(self, ctx);
            self.pause.rests.extend(behind);
        }
    }
}
