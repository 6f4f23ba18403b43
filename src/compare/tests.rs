//! What is said of made-up runs, of which the truth is known: those of `results/sample`, with values that vary.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::measure::latency::Spread;
use crate::measure::summary::LatencyRow;
use crate::measure::{Summary, Verdict as RunVerdict};
use crate::results::RunManifest;
use crate::statistics::{Options, Trend, TrendOptions, Verdict};

/// How many pairs of sets are made up for each figure.
const SEEDS: u64 = 100;

/// Runs of the sample without end.
struct Sample {
    summary: Summary,
    manifest: RunManifest,
    settings: Settings,
    dice: ChaCha8Rng,
}

impl Sample {
    fn new(seed: u64) -> Sample {
        let summary = include_str!("../../results/sample/summary.json");
        let manifest = include_str!("../../results/sample/run.json");
        Sample {
            summary: serde_json::from_str(summary).expect("a summary"),
            manifest: serde_json::from_str(manifest).expect("a manifest"),
            settings: Settings::of(include_str!("../../results/sample/scenario.toml")).expect("a scenario"),
            dice: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Around 1, with this standard deviation: Box and Muller 1958.
    fn about_one(&mut self, variation: f64) -> f64 {
        let (radius, angle) = (1.0 - self.dice.random::<f64>(), self.dice.random::<f64>());
        (variation * (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()).exp()
    }

    /// A run whose figures vary each by itself, and whose times are so many times as long.
    fn run(&mut self, name: &str, variation: f64, times: f64) -> Run {
        let mut summary = self.summary.clone();
        for rate in
            [&mut summary.rates.flows_per_s, &mut summary.rates.exchanges_per_s, &mut summary.rates.handshakes_per_s]
        {
            *rate *= self.about_one(variation);
        }
        let mut spread = |of: &Spread| {
            let mut vary = |ms: Option<f64>| ms.map(|ms| ms * times * self.about_one(variation));
            Spread { p50: vary(of.p50), p95: vary(of.p90), p99: vary(of.p99), ..*of }
        };
        let row = |row: &LatencyRow| (row.count, row.response_ms, row.service_ms);
        let rows: Vec<_> = summary.latency.iter().map(|(name, of)| (name.to_owned(), row(of))).collect();
        summary.latency = rows
            .into_iter()
            .map(|(name, (count, response, service))| {
                (name, LatencyRow { count, response_ms: spread(&response), service_ms: spread(&service) })
            })
            .collect();
        summary.health.cpu_share *= self.about_one(variation);
        summary.health.peak_rss_bytes = (summary.health.peak_rss_bytes as f64 * self.about_one(variation)) as u64;
        let folder = std::path::PathBuf::from(name);
        Run::of(name.to_owned(), folder, self.manifest.clone(), &summary, Ok(self.settings.clone()))
    }

    fn runs(&mut self, count: usize, variation: f64, times: f64) -> Vec<Run> {
        (0..count).map(|number| self.run(&format!("run-{number}"), variation, times)).collect()
    }
}

/// As few resamples as there may be: what is found hardly depends on them, and there are a hundred metrics each time.
fn options() -> Options {
    Options { resamples: 200, ..Options::default() }
}

/// How often each verdict comes of ten runs against ten, all metrics of these names together.
fn tally(variation: f64, times: f64, names: &[&str]) -> impl Fn(Verdict) -> usize + use<> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let verdict = |seed: u64| {
        let mut sample = Sample::new(seed);
        let (ours, theirs) = (sample.runs(10, variation, 1.0), sample.runs(10, variation, times));
        let chosen = Chosen::among(&names, &Run::metrics(ours.iter())).expect("they are known");
        compare(&ours, &theirs, &chosen, &options()).expect("the options are in their ranges").verdict()
    };
    let verdicts: Vec<Verdict> = (0..SEEDS).map(verdict).collect();
    move |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count()
}

#[test]
fn runs_of_the_same_are_seldom_called_different_in_any_metric() {
    let told = tally(0.04, 1.0, &[]);
    println!("A against A at 4 %: worse {}, better {} of {SEEDS}", told(Verdict::Worse), told(Verdict::Better));
    assert!(told(Verdict::Worse) + told(Verdict::Better) <= 5);
}

#[test]
fn a_slowdown_of_a_tenth_is_found_in_ten_runs_that_vary_by_4_per_cent() {
    let told = tally(0.04, 1.1, &["flow"]);
    println!("10 % slower at 4 %: worse in {} of {SEEDS}", told(Verdict::Worse));
    assert!(told(Verdict::Worse) >= 90);
    assert_eq!(told(Verdict::Better), 0);
}

#[test]
fn one_metric_alone_shows_it_among_few_that_were_asked_for() {
    let chosen = |runs: &[Run]| {
        let names = ["flow.revoke.asked".to_owned(), "flows_per_s".to_owned()];
        Chosen::among(&names, &Run::metrics(runs.iter())).expect("they are known")
    };
    let found = (0..SEEDS).filter(|seed| {
        let mut sample = Sample::new(1_000 + seed);
        let (ours, theirs) = (sample.runs(10, 0.04, 1.0), sample.runs(10, 0.04, 1.1));
        let told = compare(&ours, &theirs, &chosen(&ours), &options()).expect("the options are in their ranges");
        assert_eq!(told.rows.len(), 7);
        told.verdict() == Verdict::Worse
    });
    assert!(found.count() >= 90);
}

#[test]
fn at_15_per_cent_ten_runs_are_not_enough_for_a_tenth_and_more_are_asked_for() {
    // Of one metric; among many that are slower, one happens to show it now and then, and rightly.
    for (times, names) in [(1.0, "flow"), (1.1, "flow.revoke.asked.p50")] {
        let told = tally(0.15, times, &[names]);
        println!(
            "{names}, {times} times as slow at 15 %: not enough runs in {} of {SEEDS}",
            told(Verdict::NotEnoughRuns)
        );
        assert!(told(Verdict::NotEnoughRuns) >= 90);
        assert_eq!(told(Verdict::Same), 0);
    }
    let mut sample = Sample::new(1);
    let (ours, theirs) = (sample.runs(10, 0.15, 1.0), sample.runs(10, 0.15, 1.1));
    let one = compare(&ours, &theirs, &Chosen::default(), &options()).expect("the options are in their ranges");
    assert!(one.runs_needed().is_some_and(|needed| needed > 10), "{:?}", one.runs_needed());
    assert!(one.runs_needed_for_half() <= one.runs_needed());
}

#[test]
fn the_same_runs_and_the_same_seed_say_the_same_and_another_seed_nearly() {
    let mut sample = Sample::new(3);
    let (ours, theirs) = (sample.runs(6, 0.04, 1.0), sample.runs(6, 0.04, 1.2));
    let of =
        |seed| compare(&ours, &theirs, &Chosen::default(), &Options { seed, ..options() }).expect("in their ranges");
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let median = |compared: &Compared| compared.rows[0].comparison.difference.value;
    assert_eq!(median(&of(1)), median(&of(2)), "only intervals are resampled");
}

#[test]
fn one_run_of_each_says_nothing_and_what_not_all_have_is_left_out() {
    let mut sample = Sample::new(4);
    let (ours, mut theirs) = (sample.runs(1, 0.04, 1.0), sample.runs(1, 0.04, 9.0));
    theirs[0].figures.retain(|(metric, _)| metric.name != "flow.revoke.asked.p99");
    let told = compare(&ours, &theirs, &Chosen::default(), &options()).expect("the options are in their ranges");
    assert_eq!((told.verdict(), told.runs_needed()), (Verdict::NotEnoughRuns, None));
    assert_eq!(told.count(Verdict::NotEnoughRuns), told.rows.len());
    let [left_out] = &told.left_out[..] else { panic!("one is left out: {:?}", told.left_out) };
    assert_eq!(left_out.metric, "flow.revoke.asked.p99");
    assert!(left_out.why.starts_with("1 of 1 runs of the baseline and 0 of 1 of the contender"), "{}", left_out.why);
    let huge = ("flows_per_s", f64::MAX);
    theirs[0].figures.iter_mut().filter(|(metric, _)| metric.name == huge.0).for_each(|(_, value)| *value = huge.1);
    let told = compare(&ours, &theirs, &Chosen::default(), &options()).expect("the options are in their ranges");
    assert!(told.left_out.iter().any(|one| one.metric == huge.0 && one.why.contains("no measurement")));
}

#[test]
fn runs_that_say_nothing_about_the_peer_and_other_scenarios_are_objected_to() {
    let mut runs = Sample::new(5).runs(6, 0.04, 1.0);
    assert_eq!(objections(runs.iter()), []);
    runs[1].manifest.verdict = RunVerdict::Invalid;
    runs[1].unhealthy = vec!["starts were late".to_owned()];
    runs[2].manifest.verdict = RunVerdict::Interrupted;
    // A broken promise is the weightier verdict, and the figures are worth no more for it.
    runs[3].manifest.verdict = RunVerdict::Broken;
    runs[3].unhealthy = vec!["timers were late".to_owned()];
    let other = include_str!("../../results/sample/scenario.toml").replacen("devices = 1000", "devices = 999", 1);
    runs[4].settings = Settings::of(&other);
    runs[5].settings = Settings::of(&other);
    let told: Vec<String> = objections(runs.iter()).iter().map(ToString::to_string).collect();
    let expected = [
        "the run `run-1` is INVALID and says nothing about the peer: starts were late",
        "the run `run-2` was interrupted: it has no figures of a whole run",
        "the run `run-3` is INVALID and says nothing about the peer: timers were late",
        "the runs `run-4`, `run-5` are not of the scenario of `run-0`: 1 key differs",
    ];
    assert_eq!(told, expected);
    let objections = objections(runs.iter());
    let Some(Objection::Scenario(Differing { differences, .. })) = objections.last() else { panic!("a scenario") };
    let [Difference { key, here, there }] = &differences[..] else { panic!("one key: {differences:?}") };
    assert_eq!((key.as_str(), here.as_deref(), there.as_deref()), ("population.devices", Some("1000"), Some("999")));
    runs[5].settings = Err("there is no scenario.toml".to_owned());
    let told = super::objections(runs[5..].iter());
    assert!(matches!(&told[..], [Objection::NoScenario { run, .. }] if run == "run-5"), "{told:?}");
}

#[test]
fn nothing_of_a_run_reaches_the_terminal_that_it_would_obey() {
    let mut sample = Sample::new(8);
    let escape = "\u{1b}[31m";
    sample.manifest.version = escape.to_owned();
    sample.manifest.started = escape.to_owned();
    sample.manifest.host.os = escape.to_owned();
    sample.summary.health.valid = false;
    sample.summary.health.reasons = vec![escape.to_owned()];
    let odd = sample.run(escape, 0.0, 1.0);
    let runs = [Sample::new(8).run("run", 0.0, 1.0), odd];
    let mut told = warnings(runs.iter());
    told.extend(objections(runs.iter()).iter().map(ToString::to_string));
    told.extend(runs.iter().flat_map(|run| [run.name.clone(), run.manifest.started.clone()]));
    assert_eq!(told.iter().filter(|one| one.contains("\\u{1b}[31m")).count(), 5, "{told:?}");
    assert!(!told.iter().any(|one| one.contains('\u{1b}')), "{told:?}");
}

#[test]
fn other_hosts_and_versions_are_a_warning_each() {
    let mut runs = Sample::new(6).runs(3, 0.04, 1.0);
    assert_eq!(warnings(runs.iter()), [""; 0]);
    runs[1].manifest.host.cores = 8;
    runs[2].manifest.version = "0.2.0".to_owned();
    runs[2].manifest.verdict = RunVerdict::Aborted;
    let told = warnings(runs.iter());
    let expected = [
        "the runs are of different hosts: linux x86_64, 2 cores, 24 GiB (`run-0`, `run-2`); linux x86_64, 8 cores, 24 GiB \
         (`run-1`)",
        "the runs are of different versions of dmswarm: 0.1.0, commit unknown (`run-0`, `run-1`); 0.2.0, commit unknown \
         (`run-2`)",
        "ended early by a limit with `abort`: `run-2`",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_trend_names_the_first_run_after_a_change_and_who_is_left_out() {
    let mut sample = Sample::new(7);
    let mut runs = sample.runs(12, 0.04, 1.0);
    runs.extend(sample.runs(8, 0.04, 1.5));
    for (place, run) in runs.iter_mut().enumerate() {
        run.name = format!("run-{place:02}");
        run.manifest.started = format!("2026-11-{:02}T10:00:00.000Z", place + 1);
    }
    runs[4].manifest.verdict = RunVerdict::Invalid;
    runs[5].settings = Settings::of("name = \"quickstart\"");
    // Whatever the order in which a folder tells them.
    runs.reverse();
    let told = development(&runs, &Chosen::default(), &TrendOptions::default()).expect("these are measurements");
    assert_eq!(
        (told.runs.len(), &told.unfit[..], &told.other_settings[..]),
        (18, &["run-04".into()][..], &["run-05".into()][..])
    );
    let names: Vec<&str> = told.metrics.iter().map(|told| told.metric.name.as_str()).collect();
    let busiest = ["flow.delegate.dmacc.p50", "flow.delegate.dmacc.p99"];
    let expected = ["flows_per_s", "failed_share", busiest[0], busiest[1], "cpu_share", "peak_rss_bytes"];
    assert_eq!(names, expected);
    for one in &told.metrics {
        let changes: Vec<_> = one.changes().collect();
        if busiest.contains(&one.metric.name.as_str()) {
            let [(place, point)] = changes[..] else { panic!("one change: {changes:?}") };
            assert_eq!(told.runs[place].name, "run-12");
            assert!(
                point.change.is_some_and(|change| (0.4..0.6).contains(&change)) && one.is_worse(point) == Some(true)
            );
        } else {
            assert_eq!(changes, [], "{}", one.metric.name);
        }
    }
    let few = development(&runs[..6], &Chosen::default(), &TrendOptions::default()).expect("these are measurements");
    assert!(few.metrics.iter().all(|told| told.trend == Trend::NotEnoughRuns { runs: 6, needed: 10 }));
}

#[test]
fn a_distribution_is_shifted_where_it_is_and_only_what_all_runs_have_is_told() {
    let run = |number: u32, tail: f64| {
        let samples: Vec<(f64, u64)> = (0..400)
            .map(|at| (f64::from(at) + f64::from(number) * 0.5 + if at >= 350 { tail } else { 0.0 }, 1))
            .collect();
        Distributions::plain([("flow.a".to_owned(), samples.clone()), (format!("only-{number}"), samples)])
    };
    let set = |tail| (0..6).map(|number| run(number, tail)).collect::<Vec<_>>();
    let told = shifts(&set(0.0), &set(80.0), ["flow.a", "only-1"].into_iter(), &options()).expect("in their ranges");
    let [MetricShift { of, shift }] = &told[..] else { panic!("one that all have: {told:?}") };
    assert_eq!(of, "flow.a");
    let shifted: Vec<f64> = shift.quantiles.iter().filter(|one| one.is_shifted).map(|one| one.share).collect();
    assert_eq!(shifted, [0.9, 0.95, 0.99]);
}
