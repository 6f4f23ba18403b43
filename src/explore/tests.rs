//! Every flow in a world where all goes well.

use std::time::Duration;

use super::world::{Choice, World};
use crate::clock::Moment;
use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::machine::Input;
use crate::delegation::policy::Policy;
use crate::dm::uri::Uri;
use crate::facts::{Fact, What};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::steps::{Bounds, Known, Watched};
use crate::measure::promise::{Judging, ServerView};
use crate::scenario::file::{Overrides, parse};
use crate::scenario::{QUICKSTART, Scenario, ServerSettings};
use crate::workload::parties::Parties;

const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);
const DEVICE: DeviceNumber = DeviceNumber(0);

fn scenario(policy: Policy) -> Scenario {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    parse("quickstart", QUICKSTART, &overrides).expect("a scenario")
}

fn parties(scenario: &Scenario) -> Parties {
    let servers = scenario.servers.iter().enumerate();
    let books: Vec<_> =
        servers.map(|(number, server)| scenario.account_book(number, format!("https://{}/dm", server.host))).collect();
    let sites = scenario.bootstrap_servers.iter().enumerate();
    let links: Vec<_> =
        sites.map(|(number, site)| scenario.bootstrap_links(number, format!("https://{}.test", site.name))).collect();
    scenario.parties(&books, &links)
}

/// A wish of whoever begins such a flow, and of the other side that it knows of it.
fn begin(world: &mut World<'_>, flow: FlowKind, facts: &mut Vec<Fact>) {
    let (at, peer) = match flow {
        FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => (PARTNER, HOME),
        _ => (HOME, PARTNER),
    };
    if let FlowKind::Delegate { approach, .. } = flow {
        world.wish(peer, Input::Agreed { device: DEVICE, peer: at, approach }, facts);
    }
    let subtree = Uri::parse("./SCOMO").expect("an address");
    world.wish(at, Input::Start { flow, device: DEVICE, peer, subtree }, facts);
}

/// Whatever has set out first arrives first, and time passes only when nothing is under way.
fn run(world: &mut World<'_>, facts: &mut Vec<Fact>) {
    for _ in 0..10_000 {
        let Some(first) = world.choices().next() else { return };
        world.take(first, facts);
    }
    panic!("it does not come to rest: {:?}", world.under_way());
}

/// The promises that are broken when all is at rest.
fn broken(scenario: &Scenario, world: &World<'_>, facts: &[Fact]) -> Vec<&'static str> {
    let view = |(server, settings): (ServerNumber, &ServerSettings)| ServerView {
        server,
        name: settings.name.clone(),
        records: Some(world.server(server).records().collect()),
        pending: world.server(server).in_transition(),
    };
    let servers: Vec<ServerView> = (0..).map(ServerNumber).zip(&scenario.servers).map(view).collect();
    let known: Vec<Known> = servers.iter().map(Known::from).collect();
    let device = world.view();
    let mut judging = Judging::new(&servers);
    judging.look_at(&device);
    judging.look_at_steps(&Watched {
        device: DEVICE,
        facts,
        journeyed: &device.journeyed,
        servers: &known,
        policy: scenario.policy,
        bounds: Bounds { flow: Duration::from_secs(600), rounds: 3 },
        healed_at: Moment::ZERO,
        ended_at: world.now() + Duration::from_secs(3_600),
    });
    judging.finish().iter().filter(|promise| promise.broken > 0).map(|promise| promise.name).collect()
}

/// How each side's flows have ended, in order.
fn outcomes(facts: &[Fact]) -> Vec<&Outcome> {
    let ends = facts
        .iter()
        .filter_map(|fact| if let What::Settled { outcome, .. } = &fact.what { Some(outcome) } else { None });
    ends.collect()
}

fn delegations() -> Vec<FlowKind> {
    let sides = [false, true];
    let all = [Approach::DmAcc, Approach::Url].into_iter().flat_map(|approach| {
        sides.into_iter().flat_map(move |is_full| {
            sides.into_iter().map(move |by_delegated| FlowKind::Delegate { approach, is_full, by_delegated })
        })
    });
    all.collect()
}

#[test]
fn every_flow_is_done_and_keeps_every_promise() {
    for policy in Policy::ALL {
        let scenario = scenario(policy);
        let parties = parties(&scenario);
        for delegation in delegations() {
            let mut begun = World::new(&parties, DEVICE, scenario.readings.no_auto_initial_session);
            let mut so_far = Vec::new();
            begin(&mut begun, delegation, &mut so_far);
            run(&mut begun, &mut so_far);
            assert_eq!(outcomes(&so_far), [&Outcome::Done; 2], "{policy:?} {delegation}");
            assert_eq!(broken(&scenario, &begun, &so_far), Vec::<&str>::new(), "{policy:?} {delegation}");
            if matches!(delegation, FlowKind::Delegate { is_full: true, .. }) {
                continue;
            }
            for how in [Revocation::Asked, Revocation::Requested, Revocation::Forced { notice: true }] {
                let (mut world, mut facts) = (begun.clone(), so_far.clone());
                begin(&mut world, FlowKind::Revoke(how), &mut facts);
                run(&mut world, &mut facts);
                let ended = outcomes(&facts);
                assert!(ended.len() > 2 && ended.iter().all(|end| **end == Outcome::Done), "{delegation} {how:?}");
                assert_eq!(broken(&scenario, &world, &facts), Vec::<&str>::new(), "{policy:?} {delegation} {how:?}");
            }
        }
    }
}

#[test]
fn a_clone_is_another_future_and_a_choice_that_is_not_open_changes_nothing() {
    let scenario = scenario(Policy::Hardened);
    let parties = parties(&scenario);
    let mut world = World::new(&parties, DEVICE, scenario.readings.no_auto_initial_session);
    let mut facts = Vec::new();
    begin(&mut world, delegations()[0], &mut facts);
    let waiting = world.under_way().len();
    let mut other = world.clone();
    run(&mut other, &mut facts.clone());
    assert_eq!(world.under_way().len(), waiting);
    let before = facts.len();
    world.take(Choice::Arrives(waiting), &mut facts);
    assert_eq!((world.under_way().len(), facts.len()), (waiting, before));
}

#[test]
fn when_time_passes_instead_of_a_message_the_timer_of_the_figure_fires() {
    let scenario = scenario(Policy::Hardened);
    let parties = parties(&scenario);
    let mut world = World::new(&parties, DEVICE, scenario.readings.no_auto_initial_session);
    let mut facts = Vec::new();
    begin(&mut world, delegations()[0], &mut facts);
    let prepared =
        |fact: &Fact| matches!(&fact.what, What::Sent { from: HOME, kind, .. } if kind.root() == "delegation_prepared");
    while !facts.iter().any(prepared) {
        let first = world.choices().next().expect("something is under way");
        world.take(first, &mut facts);
    }
    world.take(Choice::TimePasses, &mut facts);
    let fired: Vec<&Fact> = facts.iter().filter(|fact| matches!(fact.what, What::TimerFired { .. })).collect();
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].at, world.now());
    assert_eq!(world.now(), Moment::ZERO + scenario.timeouts.protocol.confirmed);
}
