//! How late the timers of a thread fire: the delay that everything which is measured on it may hold.

use std::time::Duration;

use actix::prelude::*;

use crate::clock::Clock;

/// How often a thread is looked at.
const PERIOD: Duration = Duration::from_millis(10);

/// From now on `record` hears ten times in a tenth of a second by how much a timer on this actor's thread was late. Up to a
/// millisecond of it is the grain of the timers themselves.
pub fn watch<A: Actor<Context = Context<A>>>(clock: Clock, record: fn(&mut A, Duration), ctx: &mut Context<A>) {
    let due = clock.now() + PERIOD;
    ctx.run_later(PERIOD, move |actor, ctx| {
        record(actor, clock.now() - due);
        watch(clock, record, ctx);
    });
}
