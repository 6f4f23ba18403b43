//! The built-in quickstart shows all there is, and what it is estimated to take.

use super::*;
use crate::delegation::flow::{FlowKind, Revocation};
use crate::workload::journey::Step;

/// Connections to one target at most.
const POOL: u64 = 128;

#[test]
fn the_quickstart_shows_every_flow() {
    let scenario = parse("quickstart.toml", QUICKSTART, &Overrides::default()).unwrap();
    assert_eq!((scenario.name.as_str(), scenario.devices, scenario.servers.len()), ("quickstart", 1000, 2));
    assert_eq!(scenario.bootstrap_servers.len(), 1);
    let estimate = scenario.estimate(POOL);
    let kinds: Vec<FlowKind> = estimate.flows.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, FlowKind::all().collect::<Vec<_>>());
    assert!(estimate.lasts < Duration::from_secs(20), "{:?}", estimate.lasts);
    assert_eq!((estimate.starts, estimate.dropped), (1000, 0));
    let steps: Vec<&Step> = scenario.journeys.iter().flat_map(|cohort| &cohort.journey.steps).collect();
    for notice in [true, false] {
        let is_it = |step: &&Step| matches!(step, Step::Revoke { how: Revocation::Forced { notice: told }, .. } if *told == notice);
        assert!(steps.iter().any(is_it), "forced, notice {notice}");
    }
    let flow_steps = |expected: &str| {
        steps.iter().filter(|step| matches!(step, Step::Delegate { expect, .. } | Step::Revoke { expect, .. } if expect.0 == expected)).count()
    };
    assert_eq!((flow_steps("undone"), flow_steps("refused")), (3, 1));
    assert!(scenario.journeys.iter().any(|cohort| !cohort.journey.bootstrapped.is_empty()));
    // 20 of 100 shares of 1,000 devices.
    assert_eq!(scenario.population().devices_per_journey()[0], 200);
}

#[test]
fn the_quickstart_can_be_made_smaller_and_larger() {
    for devices in [15, 50, 100_000] {
        let overrides = Overrides { sets: vec![format!("population.devices={devices}")], ..Overrides::default() };
        let scenario = parse("quickstart.toml", QUICKSTART, &overrides).unwrap();
        assert_eq!(scenario.load.populations[0].starts, devices);
        assert!(scenario.population().devices_per_journey().iter().all(|&count| count > 0));
    }
}

#[test]
fn the_examples_in_its_comments_are_right() {
    let (_, comments) = QUICKSTART.split_once("---- What goes wrong").unwrap();
    let examples: Vec<&str> = comments.lines().filter_map(|line| line.strip_prefix("#     ")).collect();
    let scenario = read(&format!("{QUICKSTART}\n{}\n", examples.join("\n"))).unwrap();
    assert_eq!((scenario.faults.len(), scenario.goals.len(), scenario.expect.is_some()), (2, 1, true));
    assert_eq!(scenario.journeys.iter().map(|cohort| cohort.journey.meanwhile.len()).sum::<usize>(), 1);
}

#[test]
fn faults_take_time_to_heal() {
    let lasts = |text: &str| read(text).unwrap().estimate(POOL).lasts;
    let fault = "[[fault]]\nname = \"x\"\nwhere = \"trigger\"\ndo = \"drop\"\n";
    assert_eq!(lasts(&format!("heal = \"7s\"\n{BASE}")), lasts(BASE), "nothing goes wrong");
    assert_eq!(lasts(&format!("heal = \"7s\"\n{BASE}{fault}")), lasts(BASE) + Duration::from_secs(7));
}

#[test]
fn plans_are_fixed_by_the_seed() {
    let seeded = |seed| {
        let scenario =
            parse("quickstart.toml", QUICKSTART, &Overrides { seed: Some(seed), ..Overrides::default() }).unwrap();
        (starts(&scenario), scenario.population())
    };
    assert_eq!(seeded(7), seeded(7));
    assert_ne!(seeded(7).1, seeded(8).1);
}

#[test]
fn estimates_grow_with_what_is_asked_for() {
    let estimate = |sets: &[&str]| {
        let sets = sets.iter().map(|set| (*set).to_owned()).collect();
        parse("quickstart.toml", QUICKSTART, &Overrides { sets, ..Overrides::default() }).unwrap().estimate(POOL)
    };
    let small = estimate(&[]);
    assert_eq!(small.peak_rate, Some(100.0));
    let large = estimate(&["population.devices=50000"]);
    assert!(large.memory_bytes >= small.memory_bytes + 49_000 * 4096 && large.lasts > small.lasts);
    assert_eq!(large.open_files, small.open_files, "pooled connections go by the rate, not by the devices");
    let apart = estimate(&["connections=per device"]);
    assert!(apart.open_files >= small.open_files + 2 * 2 * 1000);
    let closed = estimate(&["load={at_once = 50}"]);
    assert_eq!((closed.peak_rate, closed.at_once, closed.starts), (None, Some(50), 1000));
    assert_eq!(estimate(&["load.starts=1200"]).dropped, 200);
    let flows: u64 = estimate(&["load.starts=500"]).flows.iter().map(|(_, count)| count).sum();
    let all: u64 = small.flows.iter().map(|(_, count)| count).sum();
    assert!(flows.abs_diff(all / 2) < all / 20, "{flows} of {all}");
}
