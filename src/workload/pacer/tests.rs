//! Plans walked in made-up time: what is due when, who starts, and what pauses and other paces do to it.

use super::*;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::seed::Seed;
use crate::units::Rate;
use crate::workload::arrival::{Phase, Shape, Spread};
use crate::workload::course::Course;
use crate::workload::journey::Journey;
use crate::workload::plan::{Load, LoadPopulation};
use crate::workload::population::{Access, Class, Cohort, Storage};

/// Devices in the shares of so many journeys.
fn devices(count: u32, shares: &[u32]) -> Arc<Population> {
    let class = Class {
        name: "device".to_owned(),
        share: 1,
        manufacturer: String::new(),
        model: String::new(),
        subtrees: Vec::new(),
        storage: Storage::Ample,
        acl: Access::Open,
    };
    let cohort = |share: &u32| Cohort {
        journey: Arc::new(Journey {
            name: String::new(),
            owner: ServerNumber(0),
            bootstrapped: Vec::new(),
            steps: Vec::new(),
            meanwhile: Vec::new(),
        }),
        share: *share,
        class: None,
        repeat: 1,
    };
    let cohorts: Vec<Cohort> = shares.iter().map(cohort).collect();
    Arc::new(Population::new(Seed(7), count, vec![class], &cohorts))
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn at(seconds: f64) -> Moment {
    Moment::ZERO + self::seconds(seconds)
}

fn hold(rate: f64, over: Option<f64>) -> Phase {
    spread(rate, over, Spread::Even)
}

fn spread(rate: f64, over: Option<f64>, spread: Spread) -> Phase {
    Phase::steady(Shape::Rated(Course::Hold { rate: Rate::per_second(rate), over: over.map(seconds) }, spread))
}

fn pause(over: f64) -> Phase {
    Phase::steady(Shape::Pause(seconds(over)))
}

fn closed(at_once: u32, over: Option<f64>) -> Phase {
    Phase::steady(Shape::Closed { at_once, over: over.map(seconds) })
}

fn pacer(starts: u32, phases: Vec<Phase>, devices: &Arc<Population>, now: Moment) -> Pacer {
    Pacer::new(Plan::new(Load::of_all(starts, phases), Seed(7)), devices, || now)
}

/// A pacer on 100 devices, one start for each, from zero.
fn simple(phases: Vec<Phase>) -> Pacer {
    pacer(100, phases, &devices(100, &[1]), Moment::ZERO)
}

/// Everything that is due by now.
fn due(pacer: &mut Pacer, now: f64) -> Vec<Start> {
    std::iter::from_fn(|| pacer.take(at(now))).collect()
}

/// The intended moments of everything that is due by now, in milliseconds.
fn intended(pacer: &mut Pacer, now: f64) -> Vec<u64> {
    due(pacer, now).iter().map(|start| start.intended.nanos() / 1_000_000).collect()
}

#[test]
fn every_device_starts_once_in_order_at_its_moment() {
    let mut pacer = pacer(100, vec![hold(50.0, None)], &devices(100, &[1]), at(3.0));
    assert_eq!(pacer.next(), at(3.0));
    assert_eq!(pacer.take(at(2.9)), None);
    let starts = due(&mut pacer, 99.0);
    assert_eq!(starts.len(), 100);
    for (nth, start) in starts.iter().enumerate() {
        assert_eq!(start.device, Some(DeviceNumber(nth as u32)));
        assert_eq!(start.intended, at(3.0) + Duration::from_millis(20 * nth as u64));
    }
    assert!(pacer.is_done());
    assert_eq!((pacer.next(), pacer.made(), pacer.dropped()), (Moment::NEVER, 100, 0));
}

#[test]
fn what_comes_late_keeps_its_moment_and_none_is_left_out() {
    let mut pacer = simple(vec![hold(10.0, None)]);
    assert_eq!(intended(&mut pacer, 0.05), [0]);
    assert_eq!(pacer.next(), at(0.1));
    assert_eq!(intended(&mut pacer, 0.55), [100, 200, 300, 400, 500]);
    assert_eq!(pacer.next(), at(0.6));
}

#[test]
fn starts_beyond_the_devices_find_none() {
    let mut pacer = pacer(120, vec![hold(50.0, None)], &devices(100, &[1]), Moment::ZERO);
    assert_eq!(pacer.planned(), Some(120));
    let starts = due(&mut pacer, 99.0);
    assert!(starts[..100].iter().all(|start| start.device.is_some()));
    assert!(starts[100..].iter().all(|start| start.device.is_none()));
    assert_eq!((pacer.made(), pacer.dropped(), starts.len()), (100, 20, 120));
}

#[test]
fn a_phase_that_the_starts_do_not_last_for_is_named() {
    let named = |name: &str, phase: Phase| Phase { name: name.to_owned(), ..phase };
    let ran_out = |starts: u32, phases: Vec<Phase>| {
        let mut pacer = pacer(starts, phases, &devices(10, &[1]), Moment::ZERO);
        assert_eq!(pacer.standing(at(0.1)).ran_out, [], "there are starts left");
        // Every journey ends at once.
        for now in (1..=20).map(|tenths| f64::from(tenths) / 10.0) {
            due(&mut pacer, now).iter().for_each(|start| pacer.free(start.population, at(now)));
        }
        assert!(pacer.is_done());
        pacer.standing(at(2.0)).ran_out.into_iter().map(|(_, phase)| phase).collect::<Vec<_>>()
    };
    let first = || named("first", hold(5.0, Some(1.0)));
    assert_eq!(ran_out(5, vec![first()]), [""; 0], "all of it");
    assert_eq!(ran_out(4, vec![first()]), ["first"]);
    assert_eq!(ran_out(10, vec![first(), named("rest", hold(10.0, None))]), [""; 0], "it ends with the last start");
    assert_eq!(ran_out(5, vec![first(), named("rest", hold(5.0, None))]), ["rest"], "it never began");
    assert_eq!(ran_out(10, vec![named("places", closed(2, Some(9.0)))]), ["places"]);
    assert_eq!(ran_out(10, vec![named("places", closed(2, None))]), [""; 0]);
}

#[test]
fn phases_follow_each_other_and_have_their_names_and_moments() {
    let named = |name: &str, phase: Phase| Phase { name: name.to_owned(), ..phase };
    let storm = Phase::steady(Shape::Storm(3));
    let phases =
        vec![named("warm-up", hold(10.0, Some(1.0))), pause(2.0), storm, named("cool-down", hold(4.0, Some(0.5)))];
    let mut pacer = simple(phases);
    assert_eq!(pacer.planned(), Some(15));
    let present = |pacer: &Pacer, now: f64| {
        let phases = pacer.standing(at(now)).phases;
        phases.first().map(|one| (one.name.clone(), one.phase, one.began, one.ends))
    };
    assert_eq!(present(&pacer, 0.0), Some(("warm-up".to_owned(), 0, at(0.0), at(1.0))));
    assert_eq!(present(&pacer, 2.9), Some(("steady".to_owned(), 1, at(1.0), at(3.0))));
    assert_eq!(present(&pacer, 3.2), Some(("cool-down".to_owned(), 3, at(3.0), at(3.5))));
    assert_eq!(present(&pacer, 3.5), None);
    assert_eq!(pacer.standing(at(1.0)).remaining, Some(seconds(2.25)));
    let starts = due(&mut pacer, 9.0);
    let phases: Vec<usize> = starts.iter().map(|start| start.phase).collect();
    assert_eq!(phases, [[0; 10].as_slice(), &[2; 3], &[3; 2]].concat());
    assert_eq!(starts[10..].iter().map(|start| start.intended).collect::<Vec<_>>(), [3.0, 3.0, 3.0, 3.0, 3.25].map(at));
    let passages: Vec<(Moment, Moment)> = pacer.passages().iter().map(|one| (one.began, one.ends)).collect();
    assert_eq!(passages, [(0.0, 1.0), (1.0, 3.0), (3.0, 3.0), (3.0, 3.5)].map(|(began, ends)| (at(began), at(ends))));
}

#[test]
fn a_closed_phase_starts_where_a_place_is_free() {
    let mut pacer = pacer(6, vec![closed(4, None)], &devices(6, &[1]), at(1.0));
    assert_eq!(pacer.planned(), Some(6));
    assert_eq!(intended(&mut pacer, 1.2), [1_000; 4]);
    assert_eq!((pacer.next(), pacer.is_done()), (Moment::NEVER, false));
    pacer.free(0, at(1.5));
    pacer.free(0, at(1.7));
    pacer.free(0, at(1.8));
    let starts = due(&mut pacer, 2.0);
    assert_eq!(starts.iter().map(|start| start.intended).collect::<Vec<_>>(), [1.5, 1.7].map(at));
    assert!(starts.iter().all(|start| !start.is_timed));
    assert!(pacer.is_done(), "nothing is left for the third place");
}

#[test]
fn a_closed_phase_with_a_duration_ends_by_the_clock() {
    let mut pacer = simple(vec![closed(2, Some(1.0)), hold(4.0, Some(0.5)), closed(3, Some(1.0))]);
    assert_eq!(pacer.planned(), None);
    assert_eq!(pacer.standing(at(0.0)).remaining, Some(seconds(2.5)));
    assert_eq!(intended(&mut pacer, 0.0), [0, 0]);
    assert_eq!(pacer.next(), at(1.0), "it has to be asked when the phase ends");
    // What became free in time is started late, what became free afterwards belongs to no place.
    pacer.free(0, at(0.9));
    pacer.free(0, at(1.1));
    assert_eq!(intended(&mut pacer, 1.3), [900, 1_000, 1_250]);
    // Three are under way: those that were started before take the places of the next closed phase.
    assert!(intended(&mut pacer, 1.6).is_empty());
    pacer.free(0, at(1.7));
    assert_eq!(intended(&mut pacer, 1.7), [1_700]);
    pacer.free(0, at(2.5));
    assert!(intended(&mut pacer, 9.0).is_empty());
    assert!(pacer.is_done());
    assert_eq!(pacer.made(), 6);
}

#[test]
fn a_pause_moves_what_remains_and_makes_nothing_late() {
    let mut pacer = simple(vec![hold(10.0, Some(1.0)), closed(15, None)]);
    assert_eq!(intended(&mut pacer, 0.1), [0, 100]);
    pacer.pause(at(0.25));
    assert!(pacer.standing(at(0.3)).is_paused);
    assert_eq!(intended(&mut pacer, 0.9), [200], "what was due before is not kept back");
    assert_eq!(pacer.next(), Moment::NEVER);
    pacer.resume(at(5.25));
    assert_eq!(pacer.next(), at(5.3));
    assert_eq!(intended(&mut pacer, 5.5), [5_300, 5_400, 5_500]);
    assert_eq!(pacer.passages()[0].ends, at(6.0));
    // Ten are under way when the closed phase begins. A place that becomes free in a pause is taken after it.
    assert_eq!(intended(&mut pacer, 6.0), [5_600, 5_700, 5_800, 5_900, 6_000, 6_000, 6_000, 6_000, 6_000]);
    pacer.pause(at(7.0));
    pacer.free(0, at(7.5));
    assert_eq!((pacer.next(), intended(&mut pacer, 7.9)), (Moment::NEVER, vec![]));
    pacer.resume(at(8.0));
    assert_eq!(intended(&mut pacer, 8.1), [8_000]);
}

#[test]
fn another_pace_stretches_and_shrinks_what_remains() {
    let mut pacer = simple(vec![hold(10.0, Some(4.0)), hold(1.0, Some(3.0))]);
    assert_eq!(intended(&mut pacer, 1.0).len(), 11);
    pacer.set_pace(at(1.0), Pace::of(2.0).unwrap());
    assert_eq!(intended(&mut pacer, 1.2), [1_050, 1_100, 1_150, 1_200]);
    assert_eq!(pacer.passages()[0].ends, at(2.5));
    // By 1.2 s the plan has come to 1.4 s. At half the pace the next start, planned for 1.5 s, is 0.2 s away.
    pacer.set_pace(at(1.2), Pace::of(0.5).unwrap());
    assert_eq!(intended(&mut pacer, 1.6), [1_400, 1_600]);
    assert_eq!(pacer.passages()[0].ends, at(6.4));
    let standing = pacer.standing(at(2.4));
    // The last start is planned for 6 s, and the plan has come to 2 s.
    assert_eq!((standing.factor, standing.remaining), (0.5, Some(seconds(8.0))));
    assert_eq!(standing.planned, Some(43));
}

/// A mixed load: 60, 30 and 10 of 100 devices, the second closed.
fn mixed() -> Pacer {
    let population = |name: &str, journeys: &[usize], starts: u32, phase: Phase| LoadPopulation {
        name: name.to_owned(),
        journeys: journeys.to_vec(),
        starts,
        phases: vec![phase],
    };
    let populations =
        vec![population("even", &[0, 2], 70, hold(10.0, None)), population("closed", &[1], 30, closed(5, None))];
    Pacer::new(Plan::new(Load { populations }, Seed(7)), &devices(100, &[60, 30, 10]), || Moment::ZERO)
}

#[test]
fn mixed_populations_keep_their_own_devices_and_exact_quotas() {
    let devices = devices(100, &[60, 30, 10]);
    let mut pacer = mixed();
    assert_eq!(pacer.planned(), Some(100));
    let mut starts = Vec::new();
    for tick in 0..200 {
        let now = f64::from(tick) / 10.0;
        starts.extend(due(&mut pacer, now));
        // One journey of the closed population ends in each tick.
        pacer.free(1, at(now));
    }
    assert!(pacer.is_done());
    let of = |population| starts.iter().filter(move |start| start.population == population);
    assert_eq!((of(0).count(), of(1).count()), (70, 30));
    for start in &starts {
        let journey = devices.journey_number(start.device.expect("each has one")).unwrap();
        assert_eq!(start.population, usize::from(journey == 1), "{start:?}");
    }
    for population in [0, 1] {
        let numbers: Vec<DeviceNumber> = of(population).filter_map(|start| start.device).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each once, in the order of their numbers");
    }
    assert!(of(0).all(|start| start.is_timed) && of(1).all(|start| !start.is_timed));
    assert_eq!(of(0).next_back().map(|start| start.intended), Some(at(6.9)), "the other one does not hold it up");
}

#[test]
fn a_population_without_a_clock_says_that_its_end_is_not_known() {
    let pacer = mixed();
    let standing = pacer.standing(at(1.0));
    assert_eq!(standing.remaining, None);
    let ends: Vec<Moment> = standing.phases.iter().map(|phase| phase.ends).collect();
    assert_eq!(ends, [at(6.9), Moment::NEVER]);
}

#[test]
fn the_plan_is_fixed_by_the_seed_and_by_nothing_else() {
    let starts = |seed: u64, ask: f64| {
        let phases = vec![spread(20.0, Some(2.0), Spread::Poisson), spread(20.0, Some(2.0), Spread::Exactly(40))];
        let plan = Plan::new(Load::of_all(100, phases), Seed(seed));
        let mut pacer = Pacer::new(plan, &devices(100, &[1]), || Moment::ZERO);
        let mut now = 0.0;
        let mut starts = Vec::new();
        while !pacer.is_done() {
            starts.extend(due(&mut pacer, now));
            now += ask;
        }
        (starts, pacer.planned())
    };
    let (often, planned) = starts(7, 0.01);
    assert_eq!(often, starts(7, 3.0).0, "however often it is asked");
    assert_eq!(planned, Some(often.len() as u64));
    let other = starts(8, 3.0).0;
    assert_ne!(often, other);
    // Each phase has a stream of its own: the 40 do not depend on how many came before them.
    assert_eq!(often.iter().filter(|start| start.phase == 1).count(), 40);
    assert_eq!(other.iter().filter(|start| start.phase == 1).count(), 40);
}

#[test]
fn a_million_starts_take_no_more_than_three_bytes_of_each_device() {
    // The devices have their journey and class; the pacer itself keeps only where it is.
    let devices = devices(1_000_000, &[1]);
    let mut pacer = pacer(1_000_000, vec![spread(100_000.0, None, Spread::Poisson)], &devices, Moment::ZERO);
    let (mut starts, mut latest) = (0u32, Moment::ZERO);
    while let Some(start) = pacer.take(at(1_000.0)) {
        assert_eq!(start.device, Some(DeviceNumber(starts)));
        assert!(start.intended >= latest);
        (starts, latest) = (starts + 1, start.intended);
    }
    assert_eq!(starts, 1_000_000);
    // A million exponential gaps of 10 us: 10 s, with a deviation of 10 ms.
    assert!((latest.seconds() - 10.0).abs() < 0.05, "{latest}");
    assert!(size_of::<Pacer>() + size_of::<Itinerary>() < 1_024);
}
