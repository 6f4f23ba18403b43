//! Actors that die, and mailboxes that are full: both are seen, counted, and end nobody else's work.

mod standing;

use std::time::Duration;

use actix::prelude::*;
use dmswarm::actors::dm_client::{DmClient, InspectDevice, MAILBOX, PackageZero};
use dmswarm::actors::dm_server::DmServer;
use dmswarm::ids::{DeviceNumber, ServerNumber};
use standing::{PARTIES, scenario, with_parties};
use tokio::sync::oneshot;

/// Makes the handler that gets it panic.
#[derive(Message)]
#[rtype(result = "()")]
struct Poison;

impl Handler<Poison> for DmClient {
    type Result = ();

    fn handle(&mut self, _: Poison, _: &mut Self::Context) {
        panic!("poisoned, as the test wants it");
    }
}

impl Handler<Poison> for DmServer {
    type Result = ();

    fn handle(&mut self, _: Poison, _: &mut Self::Context) {
        panic!("poisoned, as the test wants it");
    }
}

#[test]
fn a_dead_device_is_counted_and_a_fresh_one_takes_its_place() {
    with_parties(&scenario(PARTIES), async |stand, _| {
        let dead = stand.directory().device(DeviceNumber(1));
        assert!(matches!(dead.send(Poison).await, Err(MailboxError::Closed)), "actix closes the mailbox");
        until(async || !dead.connected()).await;
        until(async || stand.directory().device(DeviceNumber(1)) != dead).await;
        until(async || stand.take_second().await.shard.panicked() == 1).await;

        stand.walk(scenario(PARTIES).plan()).await;
        let shard = stand.take_second().await.shard;
        assert_eq!((shard.started(), shard.done()), (8, 8), "the fresh device works like the others");
    });
}

#[test]
fn flows_under_way_at_a_dead_server_are_lost_and_everything_else_goes_on() {
    // So many rounds that something is always under way.
    let scenario = scenario(&PARTIES.replace("[[journey]]", "[[journey]]\nrepeat = 25"));
    with_parties(&scenario, async |stand, _| {
        let dead = stand.directory().server(ServerNumber(1));
        let (_, finished) = stand.begin(Some(scenario.plan())).await;
        until(async || stand.progress().await.flows_started > 0).await;
        assert!(dead.send(Poison).await.is_err());
        finished.await;
        let shard = stand.take_second().await.shard;
        assert_eq!(shard.panicked(), 1, "it is counted before its flows are ended");
        assert_eq!(shard.started(), shard.ended(), "every started flow has ended");
        assert!(shard.failed() > 0, "what the dead server had in hand is lost");
        assert!(shard.done() > 0, "a fresh server takes its place");
    });
}

#[test]
fn a_fault_of_the_first_session_befalls_a_device_that_has_had_none() {
    let fault = "[[fault]]
        name = \"refuses\"
        where = \"device\"
        match = { to = \"home\", session = 1 }
        do = { refuse = 425 }";
    let scenario = scenario(&format!("{PARTIES}\n{fault}"));
    with_parties(&scenario, async |stand, _| {
        stand.walk(scenario.plan()).await;
        let count = stand.blueprint().faults.counts()[0];
        assert_eq!((count.eligible, count.injected), (4, 4), "once for each device");
        assert_eq!(stand.take_second().await.shard.done(), 0, "none of them could be prepared");
    });
}

#[test]
fn a_full_mailbox_refuses_and_what_it_holds_is_kept() {
    with_parties(&scenario(PARTIES), async |stand, _| {
        let device = stand.directory().device(DeviceNumber(0));
        let (go_on, gate) = oneshot::channel();
        device.send(Stall(gate)).await.expect("the device takes a break");
        let deliver = |actor: &Addr<DmClient>| PackageZero::deliver(actor, vec![0]).is_err();
        let refused = (0..10 * MAILBOX).filter(|_| stand.directory().with_device(DeviceNumber(0), deliver).unwrap());
        assert_eq!(refused.count(), 9 * MAILBOX, "what the mailbox holds got in, and nothing else");
        go_on.send(()).expect("the device still waits");
        device.send(InspectDevice).await.expect("the device lives");
    });
}

/// Keeps a device from reading its mailbox until it is told to go on.
#[derive(Message)]
#[rtype(result = "()")]
struct Stall(oneshot::Receiver<()>);

impl Handler<Stall> for DmClient {
    type Result = ();

    fn handle(&mut self, Stall(gate): Stall, ctx: &mut Self::Context) {
        ctx.wait(async { gate.await.expect("the gate opens") }.into_actor(self));
    }
}

/// Waits until something holds; a test that would wait for ever fails instead.
async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    actix::clock::timeout(Duration::from_secs(10), waiting).await.expect("it comes to hold within ten seconds");
}
