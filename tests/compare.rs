//! Sets of runs compared, as people and scripts do it: what is printed, how it ends, what is refused.

mod program;

use std::fs;

use program::{Place, Said};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

const SUMMARY: &str = include_str!("../results/sample/summary.json");
const MANIFEST: &str = include_str!("../results/sample/run.json");
const SCENARIO: &str = include_str!("../results/sample/scenario.toml");

/// Runs of the sample, whose times vary by 4 % and are so many times as long, as `results/<name>-<number>`.
fn make_runs(place: &Place, name: &str, count: u64, times: f64, scenario: &str) {
    for number in 0..count {
        let seed = number + 1_000 * name.bytes().map(u64::from).sum::<u64>();
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut about_one = || {
            let (radius, angle) = (1.0 - dice.random::<f64>(), dice.random::<f64>());
            (0.04 * (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()).exp()
        };
        let mut summary: Value = serde_json::from_str(SUMMARY).expect("JSON");
        for row in summary["latency"].as_object_mut().expect("rows").values_mut() {
            for clock in ["response_ms", "service_ms"] {
                for (_, ms) in row[clock].as_object_mut().expect("a spread") {
                    let longer = ms.as_f64().map(|ms| ms * times * about_one());
                    *ms = longer.map_or(Value::Null, Value::from);
                }
            }
        }
        let mut manifest: Value = serde_json::from_str(MANIFEST).expect("JSON");
        let day = if name == "before" { number + 1 } else { number + 15 };
        manifest["started"] = format!("2026-10-{day:02}T10:00:00.000Z").into();
        manifest["tags"] = vec![Value::from(name)].into();
        let folder = place.0.join(format!("results/{name}-{number:02}"));
        fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in [
            ("summary.json", summary.to_string()),
            ("run.json", manifest.to_string()),
            ("scenario.toml", scenario.to_owned()),
        ] {
            fs::write(folder.join(file), text).expect("written");
        }
    }
}

fn change(place: &Place, file: &str, from: &str, to: &str) {
    let file = place.0.join("results").join(file);
    let text = fs::read_to_string(&file).expect("a file");
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replacen(from, to, 1)).expect("written");
}

fn compare(place: &Place, more: &[&str]) -> Said {
    place.call(&[&["compare", "tag:before", "--with", "tag:after"], more].concat())
}

#[test]
fn a_slower_set_of_runs_ends_with_7_in_every_form() {
    let place = Place::new(&[]);
    make_runs(&place, "before", 10, 1.0, SCENARIO);
    make_runs(&place, "after", 10, 1.15, &SCENARIO.replacen("seed = 7", "seed = 8", 1));

    let table = compare(&place, &[]).ended_with(7);
    assert!(table.out.starts_with("baseline   10 runs: before-00, before-01, before-02, ...\n"), "{table:?}");
    assert!(table.out.contains("95 % interval") && table.out.contains("\nworse: of "), "{table:?}");
    let line = table.out.lines().find(|line| line.starts_with("flow.revoke.asked.p50 ")).expect("its line");
    assert!(line.ends_with("worse") && line.contains("large +"), "{line}");
    let quiet = compare(&place, &["-q", "--metric", "flow.revoke.asked"]).ended_with(7);
    assert!(quiet.out.lines().skip(1).all(|line| line.ends_with("worse")) && quiet.err.is_empty(), "{quiet:?}");

    let first = compare(&place, &["--json"]).ended_with(7);
    let document: Value = serde_json::from_str(&first.out).expect("nothing but JSON");
    assert_eq!(document["schema"], "dmswarm.compare/1");
    assert_eq!((&document["verdict"], document["baseline"].as_array().map(Vec::len)), (&"worse".into(), Some(10)));
    let schema = place.call(&["schema", "compare"]).ended_with(0).out;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    jsonschema::validate(&schema, &document).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compare(&place, &["--json"]).out, first.out, "the same runs say the same");
    assert_ne!(compare(&place, &["--json", "--seed", "2"]).out, first.out, "other dice end intervals elsewhere");

    let page = compare(&place, &["--format", "html", "--output", "compare.html"]).ended_with(7);
    assert!(page.out.is_empty() && page.err.contains("written: compare.html"), "{page:?}");
    let page = fs::read_to_string(place.0.join("compare.html")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg class=\"interval bad\""), "{page}");
    let markdown = compare(&place, &["--format", "markdown", "--metric", "flow.revoke.asked"]).ended_with(7).out;
    assert!(markdown.contains("| `flow.revoke.asked.p50` | ") && markdown.contains("| **worse** |\n"), "{markdown}");

    // The other way round it is no regression.
    let other_way = ["compare", "tag:after", "--with", "tag:before", "--metric", "flow.delegate.dmacc"];
    let better = place.call(&other_way).ended_with(0);
    assert!(
        better.out.ends_with("\nbetter: of 4 metrics, 4 got better, none worse, 0 stayed the same\n"),
        "{better:?}"
    );
    let one = place.call(&["compare", "before-00", "--with", "after-00"]).ended_with(0);
    assert!(one.out.contains("not enough runs: nothing can be said of 1 run against 1 run"), "{one:?}");
}

#[test]
fn runs_of_different_scenarios_and_invalid_ones_are_refused_unless_they_are_forced() {
    let place = Place::new(&[]);
    make_runs(&place, "before", 5, 1.0, SCENARIO);
    make_runs(&place, "after", 5, 1.0, &SCENARIO.replacen("devices = 1000", "devices = 2000", 1));
    change(&place, "before-03/run.json", "\"passed\"", "\"invalid\"");
    change(&place, "after-01/run.json", "\"cores\":2", "\"cores\":4");
    let said = compare(&place, &[]).ended_with(2);
    assert!(said.out.is_empty(), "{said:?}");
    for part in [
        "error: the run `before-03` is INVALID and says nothing about the peer\n",
        "error: the runs `after-00`, `after-01`, `after-02` and 2 more are not of the scenario of `before-00`: 1 key differs\n",
        "\n  population.devices: 1000 / 2000\n",
        "with --force",
    ] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let said = compare(&place, &["--force"]);
    assert!(said.code == Some(0) && said.err.contains("warning: the runs are of different hosts: "), "{said:?}");
    assert!(said.err.contains("  population.devices: 1000 / 2000"), "{said:?}");

    for (asked, problem) in [
        (&["compare", "before-00", "--with", "before-00"][..], "the run `before-00` is named twice"),
        (&["compare", "tag:nothing", "--with", "before-00"], "no run in `results` has the tag `nothing`"),
        (
            &["compare", "tag:before", "--with", "tag:after", "--force", "--metric", "p99"],
            "no run has a metric called `p99`",
        ),
        (&["compare", "tag:before", "--with", "tag:after", "--json", "--format", "html"], "--json and --format"),
        (&["compare", "before-00", "--with", "before-01", "--least-change", "0%"], "a share from `0.1%` to `100%`"),
        (&["compare", "before-00"], "--with"),
    ] {
        let said = place.call(asked).ended_with(2);
        assert!(said.err.contains(problem), "{problem}: {said:?}");
    }
    fs::remove_file(place.0.join("results/before-02/summary.json")).expect("removed");
    let said = place.call(&["compare", "before-02", "--with", "before-00"]).ended_with(1);
    assert!(said.err.starts_with("error: the run `before-02` cannot be compared: "), "{said:?}");
}

#[test]
fn a_trend_names_the_first_run_after_a_change() {
    let place = Place::new(&[]);
    let said = place.call(&["runs", "trend"]).ended_with(2);
    assert!(said.err.contains("has no runs with figures"), "{said:?}");
    make_runs(&place, "before", 9, 1.0, SCENARIO);
    let few = place.call(&["runs", "trend"]).ended_with(0);
    assert!(few.out.contains("not enough runs (9; 10 would be)"), "{few:?}");
    make_runs(&place, "after", 8, 1.3, SCENARIO);
    change(&place, "before-04/run.json", "\"passed\"", "\"interrupted\"");
    let said = place.call(&["runs", "trend", "--scenario", "quickstart"]).ended_with(0);
    let heading = "quickstart: 16 runs from 2026-10-01T10:00:00.000Z to 2026-10-22T10:00:00.000Z; left out: 1 run that";
    assert!(said.out.starts_with(heading), "{said:?}");
    let line = said.out.lines().find(|line| line.starts_with("flow.delegate.dmacc.p50 ")).expect("its line");
    let last: Vec<&str> = line.split_whitespace().rev().take(4).collect();
    assert_eq!(last, ["10:00:00", "2026-10-15", "after-00", "worse"], "{line}");
    let document = place.call(&["runs", "trend", "--json", "--metric", "flow.delegate.dmacc.p50"]).ended_with(0).out;
    let document: Value = serde_json::from_str(&document).expect("nothing but JSON");
    assert_eq!(document["schema"], "dmswarm.trend/1");
    let metric = &document["scenarios"][0]["metrics"][0];
    assert_eq!((&metric["changes"][0]["run"], &metric["changes"][0]["verdict"]), (&"after-00".into(), &"worse".into()));
    let schema = place.call(&["schema", "trend"]).ended_with(0).out;
    jsonschema::validate(&serde_json::from_str(&schema).expect("JSON"), &document).expect("as its schema says");
    for (asked, problem) in [
        (&["runs", "trend", "--scenario", "nothing"][..], "no runs of a scenario called `nothing`"),
        (&["runs", "trend", "--metric", "flows"], "no run has a metric called `flows`; is `flows_per_s` meant?"),
    ] {
        let said = place.call(asked).ended_with(2);
        assert!(said.err.contains(problem), "{said:?}");
    }
}
