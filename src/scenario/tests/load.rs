//! Loads as they are read, printed and run: every shape of phase, several populations, and the shipped files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::round_trip::{in_populations, reads_back};
use super::*;
use crate::workload::arrival::{Phase, Shape, Spread};
use crate::workload::course::Course;

fn phases(phases: &str) -> String {
    with("at_once = 5", &format!("phases = {phases}"))
}

/// The shape that one phase is read as; it is printed as `printed`.
#[track_caller]
fn reads_as(phase: &str, name: &str, shape: &Shape, printed: &str) {
    let text = phases(&format!("[{phase:?}]")).replace("devices = 10", "devices = 100_000");
    let scenario = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenario.load.populations[0].phases, [Phase { name: name.to_owned(), shape: shape.clone() }]);
    assert!(scenario.to_toml().contains(&format!("phases = [{printed:?}]")), "{}", scenario.to_toml());
    reads_back(&text);
}

fn rate(count: f64) -> crate::units::Rate {
    crate::units::Rate::per_second(count)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn every_shape_of_phase_is_read_and_printed() {
    let hold = Course::Hold { rate: rate(7.5), over: Some(seconds(90)) };
    reads_as("hold 7.5/s for 90s", "steady", &Shape::Rated(hold, Spread::Even), "hold 7.5/s for 1m30s");
    let until_done = Course::Hold { rate: rate(2.0), over: None };
    let by_chance = Shape::Rated(until_done, Spread::Poisson);
    reads_as("x: hold 2/s until done poisson", "x", &by_chance, "x: hold 2/s until done, poisson");
    let ramp = Course::Ramp { from: rate(0.0), to: rate(4.0), over: seconds(2) };
    let exactly = Shape::Rated(ramp, Spread::Exactly(9));
    reads_as(
        " warm-up :ramp 0/s to 4/s in 2s, poisson exactly 9",
        "warm-up",
        &exactly,
        "warm-up: ramp 0/s to 4/s in 2s, poisson exactly 9",
    );
    let stairs = Course::Stairs { from: rate(4.0), to: rate(1.0), steps: 4, each: seconds(3) };
    let stairs = Shape::Rated(stairs, Spread::Even);
    reads_as("steady: stairs 4/s to 1/s in 4 steps of 3s", "steady", &stairs, "stairs 4/s to 1/s in 4 steps of 3s");
    let spike = Course::Spike { base: rate(1.0), peak: rate(9.0), top: seconds(1), over: seconds(8) };
    let spike = Shape::Rated(spike, Spread::Even);
    reads_as(
        "cool_down: spike 1/s to 9/s for 1s in 8s",
        "cool_down",
        &spike,
        "cool_down: spike 1/s to 9/s for 1s in 8s",
    );
    reads_as("storm of 4", "steady", &Shape::Storm(4), "storm of 4");
    let closed = Shape::Closed { at_once: 3, over: Some(seconds(4)) };
    reads_as("closed 3 for 4s", "steady", &closed, "closed 3 for 4s");
    let named = Shape::Closed { at_once: 3, over: None };
    reads_as("pause: closed 3 until done", "pause", &named, "pause: closed 3 until done");
    let moments = [0, 500, 500, 1_250].map(Duration::from_millis);
    let recorded = Shape::Recorded(moments.into());
    reads_as("a: replay [0, 0.50,0.5, 1.25]", "a", &recorded, "a: replay [0, 0.5, 0.5, 1.25]");
    reads_back(&phases(r#"["pause 3s", "storm of 2", "pause 250ms", "storm of 3", "closed 2 for 1s"]"#));
}

#[test]
fn so_many_at_once_is_short_for_a_closed_phase() {
    let long = read(&phases(r#"["closed 5 until done"]"#)).unwrap();
    assert_eq!(long.load, read(BASE).unwrap().load);
    assert!(long.to_toml().contains("at_once = 5"), "printed in the short form");
}

#[test]
fn a_population_has_the_starts_that_its_phases_give() {
    // Of two seconds at one a second, by chance there may be none; with this seed there are some.
    let seeded = |text: &str| phases(text).replacen("name = \"demo\"", "name = \"demo\"\nseed = 3", 1);
    let starts = |text: &str| read(&seeded(text)).unwrap().load.populations[0].starts;
    assert_eq!(starts(r#"["hold 3/s for 2s"]"#), 6);
    assert_eq!(starts(r#"["storm of 4", "pause 1s", "storm of 4"]"#), 8);
    assert_eq!(starts(r#"["hold 3/s for 2s, poisson exactly 7"]"#), 7);
    // Where chance or the servers decide, only the devices are a bound.
    assert_eq!(starts(r#"["hold 1/s for 2s, poisson"]"#), 10);
    assert_eq!(starts(r#"["closed 1 for 2s"]"#), 10);
    assert_eq!(starts("[\"hold 3/s for 9s, poisson\"]\nstarts = 12"), 12);
}

#[test]
fn phases_that_start_more_than_there_are_devices_are_a_problem_unless_the_load_says_where_it_ends() {
    for (text, message) in [
        (r#"["hold 3/s for 200s"]"#, "the phases start 600 journeys, and there are 10 devices for them"),
        (r#"["storm of 4", "storm of 7"]"#, "the phases start 11 journeys, and there are 10 devices for them"),
        (r#"["hold 1000/s for 1h"]"#, "the phases start more than 100009 journeys, and there are 10 devices for them"),
        // 100 on the average; fewer than 50 are as good as impossible.
        (r#"["hold 50/s for 2s, poisson"]"#, "journeys with this seed, and there are 10 devices for them"),
    ] {
        let problems = read(&phases(text)).expect_err(text).to_string();
        assert!(problems.contains(message) && problems.contains("`starts = 10`"), "{problems}");
        let ended = read(&phases(&format!("{text}\nstarts = 10"))).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(ended.load.populations[0].starts, 10);
    }
    let open_ended = read(&phases(r#"["hold 3/s for 200s", "hold 3/s until done"]"#)).unwrap();
    assert_eq!(open_ended.load.populations[0].starts, 10, "the run says which phases it did not come to");
}

#[test]
fn populations_have_the_devices_of_their_journeys_alone() {
    let scenario = read(&in_populations()).unwrap();
    let devices = scenario.population();
    // 5 : 1 : 1 : 1 of 77 are 48.1, 9.6, 9.6 and 9.6: the three halves round up, and one of them finds nothing left.
    assert_eq!(devices.devices_per_journey(), [48, 10, 10, 9]);
    let [b, a] = &scenario.load.populations[..] else { panic!("two populations") };
    assert_eq!((b.name.as_str(), &b.journeys[..], b.starts), ("b", &[0, 3][..], 12));
    assert_eq!((a.name.as_str(), &a.journeys[..], a.starts), ("a", &[1, 2][..], 20));
    let starts = starts(&scenario);
    let of = |population: usize| starts.iter().filter(move |start| start.population == population);
    assert_eq!(of(1).count(), 20);
    assert_eq!(of(0).count() as u64, scenario.estimate(128).load[0].starts.unwrap());
    for start in &starts {
        let journey = devices.journey_number(start.device.unwrap()).unwrap();
        assert_eq!(start.population, usize::from([1, 2].contains(&journey)), "{start:?}");
    }
}

#[test]
fn chance_is_the_seeds_alone() {
    let seeded = |seed: u64, text: &str| {
        starts(&parse("demo.toml", text, &Overrides { seed: Some(seed), ..Overrides::default() }).unwrap())
    };
    for spread in ["poisson", "poisson exactly 8"] {
        let text = phases(&format!(r#"["hold 5/s for 2s, {spread}"]"#)).replace("devices = 10", "devices = 100");
        assert_eq!(seeded(7, &text), seeded(7, &text));
        assert_ne!(seeded(7, &text), seeded(8, &text));
    }
    let even = phases(r#"["hold 5/s for 2s"]"#);
    assert_eq!(seeded(7, &even), seeded(8, &even));
}

#[test]
fn estimates_know_every_shape() {
    let estimate = |text: &str| read(text).unwrap().estimate(128);
    let told = estimate(&phases(r#"["a: ramp 0/s to 4/s in 2s", "pause 3s", "storm of 5", "closed 2 for 4s"]"#));
    assert_eq!((told.peak_rate, told.storm, told.at_once, told.starts), (Some(4.0), Some(5), Some(2), 10));
    assert_eq!(told.load[0].starts, None, "the closed phase leaves it open");
    let phases_told: Vec<_> =
        told.load[0].phases.iter().map(|phase| (phase.begins.as_secs(), phase.lasts, phase.starts)).collect();
    assert_eq!(
        phases_told,
        [
            (0, Some(seconds(2)), Some(4)),
            (2, Some(seconds(3)), Some(0)),
            (5, Some(seconds(0)), Some(5)),
            (5, Some(seconds(4)), None)
        ]
    );
    // Until the last phase has ended; a flow takes 50 ms.
    assert_eq!(told.lasts, Duration::from_millis(9_050));
    // Two waves of five places.
    assert_eq!(estimate(BASE).lasts, Duration::from_millis(100));
    // A start each second, the last after nine.
    assert_eq!(estimate(&phases(r#"["hold 1/s until done"]"#)).lasts, Duration::from_millis(9_050));
    // Two in the first two seconds; then eight, two at a time, 50 ms each.
    let mixed = estimate(&phases(r#"["hold 1/s for 2s", "closed 2 until done"]"#));
    assert_eq!((mixed.lasts, mixed.starts), (Duration::from_millis(2_200), 10));
    let populations = estimate(&in_populations());
    assert_eq!((populations.at_once, populations.load.len()), (Some(3), 2));
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/load")
}

#[test]
fn the_shipped_loads_show_every_shape_and_are_short() {
    let mut shown = BTreeSet::new();
    let mut files = 0;
    for entry in std::fs::read_dir(shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        files += 1;
        let scenario = file::read(&path, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(Some(scenario.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        assert!((100..=500).contains(&scenario.devices), "{}", path.display());
        let estimate = scenario.estimate(128);
        assert!(estimate.lasts < seconds(12), "{}: {:?}", path.display(), estimate.lasts);
        assert_eq!(estimate.dropped, 0, "{}", path.display());
        // What a run folder keeps runs again, without the files beside the scenario.
        let printed = scenario.to_toml();
        let again = read(&printed).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(again, scenario, "{printed}");
        assert_eq!(starts(&again), starts(&scenario));
        let populations = &scenario.load.populations;
        shown.insert(if populations.len() > 1 { "populations".to_owned() } else { "alone".to_owned() });
        for phase in populations.iter().flat_map(|population| &population.phases) {
            let text = phases::describe(&phase.shape);
            shown.insert(text.split(' ').next().unwrap_or_default().to_owned());
            shown.extend(text.contains("poisson exactly").then(|| "exactly".to_owned()));
            shown.extend(text.ends_with("poisson").then(|| "poisson".to_owned()));
            shown.insert(phase.name.clone());
        }
    }
    let wanted =
        "hold ramp stairs spike storm pause replay closed poisson exactly populations warm-up steady cool-down";
    let missing: Vec<&str> = wanted.split(' ').filter(|what| !shown.contains(*what)).collect();
    assert!(missing.is_empty() && files == 12, "{missing:?} of {files} files");
}

#[test]
fn recorded_arrivals_are_read_from_beside_the_scenario() {
    let scenario = file::read(&shipped().join("replay.toml"), &Overrides::default()).unwrap();
    let starts = starts(&scenario);
    assert_eq!(starts.len(), 200);
    let csv = std::fs::read_to_string(shipped().join("arrivals.csv")).unwrap();
    let moments: Vec<f64> = csv.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect();
    for (start, moment) in starts.iter().zip(&moments) {
        assert!((start.intended.seconds() - moment).abs() < 1e-9, "{start:?} at {moment}");
    }
    assert!(scenario.to_toml().contains(&format!("replay [{}, {}", moments[0], moments[1])));
}
