//! A bootstrap server, alive: hands out the document that gives a device its account with the delegate.

use std::rc::Rc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::actors::directory::Party;
use crate::actors::drive::Grave;
use crate::actors::lane::Lane;
use crate::actors::supervisor::Supervisor;
use crate::dm::wire::Packet;
use crate::ids::BootstrapServerNumber;

/// How many requests may wait for one bootstrap server before it answers 503.
pub const MAILBOX: usize = 65_536;

/// A GET of a device.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Fetch {
    pub path: String,
    /// Whether the document is to be that of an account which is not valid.
    pub is_stale: bool,
    /// The document, or `None` (404) for a URL that was never given out.
    pub reply: oneshot::Sender<Option<Packet>>,
}

/// The actor.
pub struct BootstrapServer {
    me: BootstrapServerNumber,
    lane: Rc<Lane>,
    _grave: Grave,
}

impl BootstrapServer {
    /// The bootstrap server `me` of the lane's blueprint.
    pub fn new(me: BootstrapServerNumber, lane: Rc<Lane>, supervisor: Addr<Supervisor>) -> BootstrapServer {
        BootstrapServer { me, lane, _grave: Grave::new(Party::BootstrapServer(me), supervisor) }
    }
}

impl Actor for BootstrapServer {
    type Context = Context<Self>;
}

impl Handler<Fetch> for BootstrapServer {
    type Result = ();

    fn handle(&mut self, Fetch { path, is_stale, reply }: Fetch, _: &mut Self::Context) {
        let document = self.lane.blueprint.bootstrap_document(self.me, &path, is_stale);
        if document.is_none() {
            self.lane.record(|shard| shard.rejected("unknown_bootstrap_url"));
        }
        // A device that has hung up needs no answer.
        let _ = reply.send(document);
    }
}
