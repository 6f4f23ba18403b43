//! Whatever can be recovered from is: each fault of `scenarios/faults/recoverable.toml` alone, and all of them together.
//!
//! The whole of it takes minutes: `cargo test --release --test recoverable -- --ignored --nocapture`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use dmswarm::faults::rule::{Action, When};
use dmswarm::measure::summary::Summary;
use dmswarm::run::{Options, run};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};

const RECOVERABLE: &str = include_str!("../scenarios/faults/recoverable.toml");

/// Faults side by side in the long test.
const AT_ONCE: usize = 2;

/// The scenario for so many devices.
fn scenario(devices: u32, at_once: u32) -> Scenario {
    let sets = [format!("population.devices={devices}"), format!("load.at_once={at_once}")];
    let overrides = Overrides { sets: sets.into(), ..Overrides::default() };
    parse("recoverable.toml", RECOVERABLE, &overrides).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Where runs keep their results. It stays when a test fails: the stories in it say why.
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("dmswarm-recoverable-{name}-{}", std::process::id()))
}

fn summary_of(scenario: &Scenario, place: &Path) -> Summary {
    let options = Options { certs: place.join("certs"), out: place.join("results"), ..Options::default() };
    run(scenario, &options, |_| {}).unwrap_or_else(|error| panic!("{error}")).summary
}

/// What is left behind in the temporary folder harms nobody.
fn tidy(place: &Path) {
    let _ = std::fs::remove_dir_all(place);
}

/// What does not hold after a run in which everything was recoverable.
fn complaints(summary: &Summary) -> Vec<String> {
    let mut complaints = Vec::new();
    for promise in summary.promises.iter().filter(|promise| promise.broken > 0) {
        complaints.push(format!("{} broken {} times: {:?}", promise.name, promise.broken, promise.seen));
    }
    let ended: u64 = summary.flows.iter().map(|(_, row)| row.started - row.not_ended()).sum();
    if ended != summary.started() {
        complaints.push(format!("{ended} of {} flows ended", summary.started()));
    }
    if summary.actors.panicked > 0 {
        complaints.push(format!("{} actors panicked", summary.actors.panicked));
    }
    complaints
}

#[test]
fn after_everything_at_once_servers_and_devices_agree() {
    let place = place("few");
    let mut scenario = scenario(150, 50);
    // So few devices meet few of so rare faults.
    scenario.faults.iter_mut().for_each(|rule| rule.when.probability *= 3.0);
    let summary = summary_of(&scenario, &place);
    let complaints = complaints(&summary);
    assert!(complaints.is_empty(), "seed {}: {}", scenario.seed.0, complaints.join("\n"));
    let injected: u64 = summary.faults.iter().map(|fault| fault.injected).sum();
    assert!(injected > 50, "only {injected} faults were injected");
    tidy(&place);
}

#[test]
#[ignore = "takes minutes: cargo test --release --test recoverable -- --ignored"]
fn each_fault_alone_at_five_percent_leaves_nothing_half_done() {
    let whole = scenario(1_000, 100);
    let place = place("alone");
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(rule) = whole.faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut alone = whole.clone();
                    let mut rule = rule.clone();
                    rule.when = When { probability: 0.05, ..rule.when };
                    alone.name.clone_from(&rule.name);
                    alone.faults = vec![rule.clone()];
                    let summary = summary_of(&alone, &place);
                    let mut complaints = complaints(&summary);
                    let (injected, done) = (summary.faults[0].injected, summary.started() - summary.failed_flows());
                    // A handshake is resumed nowhere, so that there is nothing to refuse.
                    if injected == 0 && rule.action != Action::RefuseResumption {
                        complaints.push("it never fired".to_owned());
                    }
                    println!("{:<36} {injected:>5} times, {done:>4} of 1000 done {complaints:?}", rule.name);
                    if !complaints.is_empty() {
                        let mut found = found.lock().expect("no other thread has panicked");
                        found.push(format!("{}: {}", rule.name, complaints.join("\n")));
                    }
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread has panicked");
    assert!(found.is_empty(), "seed {}:\n{}", whole.seed.0, found.join("\n"));
    tidy(&place);
}

#[test]
#[ignore = "takes a minute: cargo test --release --test recoverable -- --ignored"]
fn nineteen_of_twenty_delegations_get_through_when_one_exchange_in_twenty_is_hit() {
    let place = place("all");
    let scenario = scenario(10_000, 200);
    let summary = summary_of(&scenario, &place);
    let complaints = complaints(&summary);
    assert!(complaints.is_empty(), "seed {}: {}", scenario.seed.0, complaints.join("\n"));
    let injected: u64 = summary.faults.iter().map(|fault| fault.injected).sum();
    // Every exchange over HTTPS passes this one.
    let exchanges =
        summary.faults.iter().find(|fault| fault.name == "connect-refused").map_or(0, |fault| fault.eligible);
    let hit = injected as f64 / exchanges as f64;
    let done = 1.0 - summary.failed_flows() as f64 / summary.started() as f64;
    println!("{injected} of {exchanges} exchanges hit ({:.1} %), {:.1} % done", hit * 100.0, done * 100.0);
    assert!((0.04..0.07).contains(&hit), "{hit}");
    assert!(done >= 0.95, "{done}");
    let idle: Vec<&str> = summary.faults.iter().filter(|fault| fault.injected == 0).map(|f| f.name.as_str()).collect();
    assert!(idle.is_empty(), "never fired: {idle:?}");
    tidy(&place);
}
