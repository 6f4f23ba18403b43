//! How fast ways are gone through in virtual time, on one core and with every promise judged, beside a bare queue of events
//! in the same run.
//!
//! `cargo bench --bench explore [-- ROUNDS]`. Prints medians of several rounds in processor time, and the floor's ratio
//! to each. The kind of devices is the quickstart's first; what is exhausted goes by its budget: wishes, early timers, losses,
//! copies.

use std::collections::VecDeque;
use std::hint::black_box;

use dmswarm::delegation::flow::{FlowKind, Revocation};
use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::{Budget, Choice};
use dmswarm::explore::judge;
use dmswarm::explore::lab::Lab;
use dmswarm::explore::plan::UNBOUNDED;
use dmswarm::explore::premises::Premises;
use dmswarm::explore::retell;
use dmswarm::explore::search::exhaustive::{Exhausted, exhaust};
use dmswarm::explore::shrink::shrink;
use dmswarm::explore::trail::Walked;
use dmswarm::explore::world::World;
use dmswarm::scenario::QUICKSTART;
use dmswarm::scenario::file::{Overrides, parse};

/// What the certificate is about, and what is exhausted over and over.
const CERTIFICATE: Budget = Budget { wishes: 2, early: 1, losses: 1, copies: 0, deaths: 0 };
const LESS: Budget = Budget { losses: 0, ..CERTIFICATE };
/// Of how many schedules one round is.
const SCHEDULES: usize = 20_000;
const FLOOR_EVENTS: u64 = 20_000_000;

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    let (literal, hardened) = (premises(Policy::Literal), premises(Policy::Hardened));
    let mut rates: [Vec<f64>; 5] = Default::default();
    for _ in 0..rounds {
        let each =
            [floor(), events(&hardened), events(&literal), schedules(&hardened, false), schedules(&hardened, true)];
        for (all, rate) in rates.iter_mut().zip(each) {
            all.push(rate);
        }
    }
    let [floor, hardened_events, literal_events, by_state, by_story] = rates.map(median);
    println!("{:44} {:>14}  {:>14}", "median of so many rounds", rounds, "of the floor");
    let row = |what: &str, rate: f64, unit: &str| {
        println!("{what:44} {:>14}  {:>14}", format!("{rate:.0} {unit}/s"), format!("1/{:.0}", floor / rate));
    };
    row("floor: a queue of events that do nothing", floor, "ev");
    row("events, hardened", hardened_events, "ev");
    row("events, literal", literal_events, "ev");
    row("schedules, judged by their last state", by_state, "way");
    row("schedules, told and judged as stories", by_story, "way");
    let (seconds, done) = certificate(&hardened);
    let Exhausted { states, transitions, at_rest, suspects, cleared, broken, .. } = done;
    println!("certificate, hardened: {seconds:.1} s, {:.0} ev/s", transitions as f64 / seconds);
    println!(
        "    {states} worlds, {transitions} steps, {at_rest} at rest, {suspects} suspect, {cleared} cleared, {broken} broken"
    );
    let times = shrinking(&literal);
    let longest = times.iter().copied().fold(0.0, f64::max);
    println!("shrinking {} plans: median {:.2} ms, longest {:.2} ms", times.len(), median(times) * 1e3, longest * 1e3);
}

fn premises(policy: Policy) -> Premises {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    let scenario = parse("quickstart", QUICKSTART, &overrides).expect("the quickstart is a scenario");
    Premises::of(&scenario, 1).remove(0)
}

/// Events a second: nothing but a queue, from which an event is taken and one or two behind it put in.
fn floor() -> f64 {
    let began = cpu();
    let mut queue: VecDeque<(u32, u32)> = (0..8).map(|event| (event, 0)).collect();
    for number in 0..FLOOR_EVENTS {
        let Some((event, times)) = queue.pop_front() else { break };
        queue.push_back((black_box(event), times.wrapping_add(number as u32)));
    }
    black_box(&queue);
    FLOOR_EVENTS as f64 / (cpu() - began)
}

/// Steps a second of a search that begins with nothing known.
fn events(premises: &Premises) -> f64 {
    let began = cpu();
    let done = exhaust(&mut Lab::new(premises), LESS, None, u64::MAX, &|| false).expect("nobody ends it");
    done.transitions as f64 / (cpu() - began)
}

/// Ways a second of a delegation, and of its end once it is in force, each judged when all has come to rest.
fn schedules(premises: &Premises, is_told: bool) -> f64 {
    let mut lab = Lab::new(premises);
    let is_delegation = |flow: &FlowKind| matches!(flow, FlowKind::Delegate { .. });
    let wish = |is_it: &dyn Fn(&FlowKind) -> bool| {
        let place = premises.wishes.iter().position(|wish| is_it(&wish.flow));
        Choice::Wishes(place.expect("operators may want every flow") as u8)
    };
    let wishes = [wish(&is_delegation), wish(&|flow| *flow == FlowKind::Revoke(Revocation::Asked))];
    let began = cpu();
    for _ in 0..SCHEDULES {
        let breaches = if is_told { told(&mut lab, wishes) } else { untold(&mut lab, wishes) };
        assert_eq!(black_box(breaches), 0);
    }
    SCHEDULES as f64 / (cpu() - began)
}

fn told(lab: &mut Lab<'_>, wishes: [Choice; 2]) -> usize {
    let mut walked = Walked::new(lab, UNBOUNDED);
    for wish in wishes {
        walked.take(wish, lab);
        walked.come_to_rest(lab);
    }
    judge::in_the_end(&walked, lab).len()
}

fn untold(lab: &mut Lab<'_>, wishes: [Choice; 2]) -> usize {
    let mut world = World::new(lab, UNBOUNDED);
    let mut suspects = 0;
    for wish in wishes {
        let mut next = wish;
        loop {
            suspects += usize::from(world.take(next, lab).is_suspect);
            if world.is_at_rest(lab) {
                break;
            }
            next = if world.under_way().is_empty() { Choice::TimePasses } else { Choice::Arrives(0) };
        }
    }
    suspects + judge::at_rest(&world, lab).len()
}

/// Seconds until every way within the budget has been gone.
fn certificate(premises: &Premises) -> (f64, Exhausted) {
    let began = cpu();
    let done = exhaust(&mut Lab::new(premises), CERTIFICATE, None, u64::MAX, &|| false).expect("nobody ends it");
    ((cpu() - began), done)
}

/// Seconds to shrink the plan of each way that was found to break a promise, for its first one.
fn shrinking(premises: &Premises) -> Vec<f64> {
    let mut lab = Lab::new(premises);
    let done = exhaust(&mut lab, LESS, None, u64::MAX, &|| false).expect("nobody ends it");
    let shrunk = done.breaking.iter().filter_map(|breaking| {
        let began = cpu();
        let plan = retell::plan(&mut lab, LESS, &breaking.trail);
        shrink(&mut lab, &plan, breaking.promises[0])?;
        Some(cpu() - began)
    });
    shrunk.collect()
}

/// Seconds that this thread has worked: what others do on the machine does not count.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
