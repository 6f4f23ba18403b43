//! One per arbiter: starts the actors that live there, sees them die, and puts a fresh one in a dead one's place.

use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;

use crate::actors::bootstrap_server::{self, BootstrapServer};
use crate::actors::directory::Party;
use crate::actors::dm_client::{self, DmClient};
use crate::actors::dm_server::{self, DmServer};
use crate::actors::lane::Lane;
use crate::actors::probe;
use crate::actors::relay::{self, Relay};
use crate::actors::swarm::PartyLost;
use crate::faults::rule::BackWith;
use crate::ids::ServerNumber;
use crate::measure::shard::Shard;

/// Start these parties' actors on this arbiter, and enter them in the directory.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Raise(pub Vec<Party>);

/// A party's actor has been dropped in the middle of the run: a handler of it has panicked.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Died(pub Party);

/// A server has been killed by a fault; it comes back when its time is over.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Killed {
    pub server: ServerNumber,
    pub downtime: Duration,
    pub back_with: BackWith,
}

/// Asks for what has been recorded on this arbiter since this was asked last.
#[derive(Message)]
#[rtype(result = "Shard")]
pub struct TakeShard;

/// The actor.
pub struct Supervisor {
    lane: Rc<Lane>,
}

impl Supervisor {
    /// The supervisor of the arbiter that `lane` belongs to.
    pub fn new(lane: Rc<Lane>) -> Supervisor {
        Supervisor { lane }
    }

    fn raise(&self, party: Party, me: Addr<Supervisor>) {
        let lane = Rc::clone(&self.lane);
        match party {
            Party::Server(server) => {
                let actor = raised(dm_server::MAILBOX, DmServer::new(server, lane, me));
                self.lane.directory.enter_server(server, actor);
            }
            Party::BootstrapServer(server) => {
                let actor = raised(bootstrap_server::MAILBOX, BootstrapServer::new(server, lane, me));
                self.lane.directory.enter_bootstrap_server(server, actor);
            }
            Party::Relay => self.lane.directory.enter_relay(raised(relay::MAILBOX, Relay::new(lane, me))),
            Party::Device(device) => {
                let actor = raised(dm_client::MAILBOX, DmClient::new(device, lane, me));
                self.lane.directory.enter_device(device, actor);
            }
        }
    }
}

/// Starts an actor whose mailbox has its bound before anybody knows where to send to.
fn raised<A: Actor<Context = Context<A>>>(mailbox: usize, actor: A) -> Addr<A> {
    A::create(|ctx| {
        ctx.set_mailbox_capacity(mailbox);
        actor
    })
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let record = |me: &mut Supervisor, late| me.lane.record(|shard| shard.event_loop_delayed(late));
        probe::watch(self.lane.blueprint.clock, record, ctx);
    }
}

impl Handler<Raise> for Supervisor {
    type Result = ();

    fn handle(&mut self, Raise(parties): Raise, ctx: &mut Self::Context) {
        for party in parties {
            self.raise(party, ctx.address());
        }
    }
}

impl Handler<Died> for Supervisor {
    type Result = ();

    fn handle(&mut self, Died(party): Died, ctx: &mut Self::Context) {
        self.raise(party, ctx.address());
        self.lane.swarm.do_send(PartyLost(party));
    }
}

impl Handler<Killed> for Supervisor {
    type Result = ();

    fn handle(&mut self, Killed { server, downtime, back_with }: Killed, ctx: &mut Self::Context) {
        ctx.run_later(downtime, move |supervisor, ctx| {
            let lane = Rc::clone(&supervisor.lane);
            let back = DmServer::back(server, lane, ctx.address(), back_with);
            supervisor.lane.directory.enter_server(server, raised(dm_server::MAILBOX, back));
        });
    }
}

impl Handler<TakeShard> for Supervisor {
    type Result = MessageResult<TakeShard>;

    fn handle(&mut self, _: TakeShard, _: &mut Self::Context) -> Self::Result {
        MessageResult(std::mem::take(&mut *self.lane.shard.borrow_mut()))
    }
}
