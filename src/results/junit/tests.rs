//! What the document says of runs, and whether a reader that others wrote takes it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::document;
use crate::measure::expectation::Expectation;
use crate::measure::limit::{LimitResult, Unit, WindowTally};
use crate::measure::summary::{FaultRow, GoalRow, PromiseRow};
use crate::measure::{Summary, Verdict};
use crate::results::{HostFacts, RunManifest};

/// The run of the sample, of which nothing is wrong.
fn sample() -> Summary {
    serde_json::from_str(include_str!("../../../results/sample/summary.json")).expect("a summary")
}

fn text(summary: &Summary) -> String {
    let manifest = RunManifest::starting("q", 7, Vec::new(), HostFacts::default(), SystemTime::UNIX_EPOCH);
    document(summary, &manifest)
}

fn limit(expr: &str, actual: Option<f64>, bound: f64, unit: Unit, passed: bool) -> LimitResult {
    let (expr, optional) = (expr.to_owned(), expr.ends_with("optional"));
    LimitResult { expr, actual, limit: bound, unit, passed, optional, abort: false, windows: None, note: None }
}

fn promise(name: &str, checked: u64, broken: u64, not_observable: u64) -> PromiseRow {
    let seen = (0..broken).map(|nth| format!("device {nth}: <two> & \"none\"\u{1}")).collect();
    PromiseRow { name: name.to_owned(), checked, broken, not_observable, seen }
}

/// A run with everything that a case can come to.
fn mixed() -> Summary {
    let slow = LimitResult {
        windows: Some(WindowTally { kept: 2, seen: 5 }),
        ..limit("p99(flow.delegate.dmacc) < 250ms for 3 of 5 windows of 10s", Some(312.5), 250.0, Unit::Ms, false)
    };
    Summary {
        verdict: Verdict::Broken,
        scenario: "a <b> & \"c\"".to_owned(),
        limits: vec![
            slow,
            limit("share(failed) < 0.1%", Some(0.000_5), 0.001, Unit::Share, true),
            limit("count(rejected) = 0 optional", None, 0.0, Unit::Count, true),
            limit("rate(flows) > 500/s", None, 500.0, Unit::PerS, false),
        ],
        promises: vec![
            promise("kept", 3, 0, 1),
            promise("broken", 3, 2, 0),
            promise("unseen", 0, 0, 4),
            promise("idle", 0, 0, 0),
        ],
        reached: vec![
            GoalRow { goal: "asked".to_owned(), times: 2 },
            GoalRow { goal: "too late".to_owned(), times: 0 },
        ],
        faults: vec![FaultRow {
            name: "lost".to_owned(),
            eligible: 9,
            injected: 0,
            order_dependent: false,
            first_s: None,
            last_s: None,
        }],
        ..sample()
    }
}

/// Failures and errors in all suites.
fn wrong(text: &str) -> usize {
    text.matches("<failure ").count() + text.matches("<error ").count()
}

#[test]
fn a_limit_that_is_not_kept_says_what_it_came_to_and_what_it_is() {
    let text = text(&mixed());
    for part in [
        "<failure message=\"actual 312.5 ms, limit 250 ms; 2 of 5 windows kept it\" type=\"failed\">",
        "<property name=\"p99(flow.delegate.dmacc) &lt; 250ms for 3 of 5 windows of 10s: actual\" value=\"312.5 ms\"/>",
        "<property name=\"share(failed) &lt; 0.1%: limit\" value=\"0.1 %\"/>",
        "<system-out>actual 0.05 %, limit 0.1 %</system-out>",
        "<skipped message=\"it is optional, and nothing was measured, or not enough; limit 0\"/>",
        "<failure message=\"nothing was measured, or not enough; limit 500/s\" type=\"failed\">",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn what_was_not_seen_is_skipped_with_the_reason() {
    let text = text(&mixed());
    for part in [
        "<skipped message=\"never checked: not observable 4 times\"/>",
        "<skipped message=\"never checked: nothing in this run bears on it\"/>",
        "<skipped message=\"never reached\"/>",
        "<skipped message=\"never fired, on 9 occasions\"/>",
    ] {
        assert_eq!(text.matches(part).count(), 1, "{part} in\n{text}");
    }
    // Two limits and one promise; of limits one is skipped, of promises two, of goals two.
    assert!(text.contains("tests=\"14\" failures=\"3\" errors=\"0\""), "{text}");
    for suite in [
        "tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\"",
        "tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\"",
    ] {
        assert_eq!(text.matches(suite).count(), 1, "{suite} in\n{text}");
    }
}

#[test]
fn something_is_wrong_just_where_the_verdict_is_not_passed() {
    let race = |met: bool| {
        let expected = vec!["broken".to_owned()];
        Some(Expectation { reproduced: met, broken: expected.clone(), expected, met })
    };
    let passed = sample();
    let mut late = sample();
    (late.verdict, late.health.valid) = (Verdict::Invalid, false);
    late.health.reasons.push("starts were late".to_owned());
    let mut panicked = sample();
    (panicked.verdict, panicked.actors.panicked) = (Verdict::Failed, 1);
    let of_race = |met: bool, verdict: Verdict| Summary {
        verdict,
        expectation: race(met),
        ..Summary {
            promises: vec![promise("broken", 1, 1, 0)],
            limits: vec![limit("share(failed) = 0", Some(1.0), 0.0, Unit::Share, false)],
            ..sample()
        }
    };
    for (what, summary, expected) in [
        ("passed", passed, 0),
        ("invalid", late, 1),
        ("panicked", panicked, 1),
        ("interrupted", Summary { verdict: Verdict::Interrupted, promises: Vec::new(), ..sample() }, 1),
        ("aborted", Summary { verdict: Verdict::Aborted, ..sample() }, 1),
        ("unreachable", Summary { verdict: Verdict::Unreachable, ..sample() }, 1),
        ("a race as expected", of_race(true, Verdict::Passed), 0),
        ("a race otherwise", of_race(false, Verdict::Broken), 1),
    ] {
        let text = text(&summary);
        assert_eq!(wrong(&text), expected, "{what}:\n{text}");
    }
}

#[test]
fn the_schema_of_build_servers_takes_it() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("the_schema_of_build_servers_takes_it: xmllint is missing, skipped; install libxml2-utils");
        return;
    }
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/junit-10.xsd");
    let takes = |text: &str| {
        let mut command = Command::new("xmllint");
        command.args(["--noout", "--nonet", "--schema", schema, "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("xmllint starts");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("xmllint ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for summary in [sample(), mixed(), Summary { promises: Vec::new(), limits: Vec::new(), ..sample() }] {
        let text = text(&summary);
        let (valid, said) = takes(&text);
        assert!(valid, "{said}\n{text}");
    }
    assert!(!takes(&text(&sample()).replace("classname", "class")).0, "the schema refuses what it does not know");
}

#[test]
fn what_xml_cannot_carry_is_replaced_and_the_rest_escaped() {
    let text = text(&mixed());
    assert!(text.contains("device 1: &lt;two&gt; &amp; &quot;none&quot;\u{fffd}"), "{text}");
    assert!(text.contains("classname=\"dmswarm.a &lt;b&gt; &amp; &quot;c&quot;.limits\""), "{text}");
    assert!(text.contains("timestamp=\"1970-01-01T00:00:00\""), "{text}");
}
