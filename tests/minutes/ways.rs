//! On ways that machines go, whatever happens to them on the way.

use std::collections::BTreeMap;

use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::Budget;
use dmswarm::explore::judge;
use dmswarm::explore::lab::Lab;
use dmswarm::explore::search::exhaustive::exhaust;
use dmswarm::explore::trail::{Trail, Walked};

use crate::{BUDGET, MORTAL, at_random, first_broken, has_to_be_told, kinds, with_each};

fn walk(test: &str, budget: Budget, walks: u64) {
    let mut missed: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    let mut broken: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let (mut steps, mut suspects) = (0, 0);
    with_each(test, walks, |lab, dice| {
        let mut trail = Trail::new();
        let mut is_suspect = Vec::new();
        let walked = at_random(lab, budget, dice, |_, choice, turns| {
            trail.push(choice);
            is_suspect.push(turns.is_suspect);
        });
        steps += trail.len();
        suspects += is_suspect.iter().filter(|is_suspect| **is_suspect).count();
        let breaches = judge::in_the_end(&walked, lab);
        for promise in judge::names(&breaches).into_iter().filter(|promise| has_to_be_told(promise)) {
            *broken.entry((promise, lab.premises().policy.key())).or_default() += 1;
            let step = breaks_at(lab, budget, &trail, promise);
            if !step.map_or(is_suspect.contains(&true), |step| is_suspect[step]) {
                let seen = breaches.iter().find(|breach| breach.promise == promise).map(ToString::to_string);
                let premises = lab.premises();
                let story = format!("{:?}, {}, step {step:?} of {trail:?}: {seen:?}", premises.policy, premises.kind);
                missed.entry(promise).or_insert((0, story)).0 += 1;
            }
        }
    });
    println!("{steps} steps, {suspects} of them suspect; ways that broke promises: {broken:?}");
    assert!(missed.is_empty(), "minutes did not tell of: {missed:#?}");
    assert!(broken.values().sum::<u64>() > walks / 1_000, "ways on which nothing is broken show nothing");
}

/// The step that breaks a promise; `None` where that shows in the end alone.
fn breaks_at(lab: &mut Lab<'_>, budget: Budget, trail: &Trail, promise: &str) -> Option<usize> {
    let mut is_broken = |steps: usize| {
        let walked = Walked::along(lab, budget, &trail[..steps]);
        judge::names(&judge::so_far(&walked, lab)).contains(&promise)
    };
    is_broken(trail.len()).then(|| first_broken(trail.len(), is_broken))
}

#[test]
fn minutes_miss_nothing_on_ways_at_random() {
    walk("minutes_miss_nothing_on_ways_at_random", BUDGET, 20_000);
}

#[test]
fn minutes_miss_nothing_on_ways_on_which_servers_die() {
    walk("minutes_miss_nothing_on_ways_on_which_servers_die", MORTAL, 10_000);
}

#[test]
fn minutes_seldom_tell_of_what_is_well() {
    let (mut suspects, mut cleared) = (0, 0);
    for premises in Policy::ALL.into_iter().flat_map(kinds) {
        let budget = Budget { wishes: 2, ..Budget::default() };
        let done = exhaust(&mut Lab::new(&premises), budget, None, u64::MAX, &|| false).expect("nobody ends it");
        suspects += done.suspects;
        cleared += done.cleared;
    }
    println!("{cleared} of {suspects} suspect steps break nothing");
    assert!(suspects > 0 && cleared * 10 <= suspects, "{cleared} of {suspects} suspect steps break nothing");
}

#[test]
#[ignore = "takes minutes; with --release"]
fn minutes_miss_nothing_on_millions_of_ways() {
    walk("minutes_miss_nothing_on_millions_of_ways", BUDGET, 2_000_000);
    walk("minutes_miss_nothing_on_millions_of_ways", MORTAL, 1_000_000);
}
