//! What every actor needs to drive its machine: one armed timer, and somebody who notices its death.

use std::time::Duration;

use actix::prelude::*;

use crate::actors::directory::Party;
use crate::actors::supervisor::{Died, Killed, Supervisor};
use crate::clock::Moment;

/// The one armed timer of an actor. Machines keep heaps of their own: actix's timers cost time in proportion to how
/// many an actor has pending.
#[derive(Default)]
pub struct Alarm {
    armed: Option<(Moment, SpawnHandle)>,
}

impl Alarm {
    /// Sees to it that `ring` is called at `deadline` at the latest; an alarm that is set to ring earlier stays, and
    /// whoever hears it sets it anew.
    pub fn set<A>(
        &mut self,
        deadline: Moment,
        now: Moment,
        ctx: &mut Context<A>,
        ring: impl FnOnce(&mut A, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>> + HasAlarm,
    {
        if !deadline.is_set() || self.armed.as_ref().is_some_and(|(armed, _)| *armed <= deadline) {
            return;
        }
        if let Some((_, handle)) = self.armed.take() {
            ctx.cancel_future(handle);
        }
        // The runtime's timers are a millisecond coarse; a shorter wait would spin.
        let wait = (deadline - now).max(Duration::from_millis(1));
        let handle = ctx.run_later(wait, |actor, ctx| {
            actor.alarm().armed = None;
            ring(actor, ctx);
        });
        self.armed = Some((deadline, handle));
    }
}

/// An actor that has an [`Alarm`].
pub trait HasAlarm {
    fn alarm(&mut self) -> &mut Alarm;
}

/// Tells the supervisor when the actor that holds it is dropped. Actors here never stop by themselves, so that being
/// dropped while the run goes on means that a fault has killed it, or else that a handler has panicked: actix closes the
/// mailbox and restarts nothing.
pub struct Grave {
    party: Party,
    supervisor: Addr<Supervisor>,
    killed: Option<Killed>,
}

impl Grave {
    /// The grave of `party`, watched by `supervisor`.
    pub fn new(party: Party, supervisor: Addr<Supervisor>) -> Grave {
        Grave { party, supervisor, killed: None }
    }

    /// It will not be a panic: a fault has killed it.
    pub fn killed(&mut self, killed: Killed) {
        self.killed = Some(killed);
    }
}

impl Drop for Grave {
    fn drop(&mut self) {
        match self.killed.take() {
            Some(killed) => self.supervisor.do_send(killed),
            None => self.supervisor.do_send(Died(self.party)),
        }
    }
}
