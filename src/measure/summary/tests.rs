//! The form of `summary.json`, and the verdict.

use super::*;
use crate::delegation::flow::Outcome;
use crate::ids::DeviceNumber;
use crate::measure::course::Piece;
use crate::measure::limit::{self, Limit};
use crate::measure::shard::{End, Opening, Split};
use crate::measure::timeline::Gauges;
use serde_json::Value;

const NO_WINDOWS: LongestWindows = LongestWindows {
    orphan: Duration::ZERO,
    orphan_device: None,
    orphan_cause: None,
    double_owner: Duration::ZERO,
    double_owner_device: None,
};

const TOOK: Duration = Duration::from_millis(3);

/// A run of two seconds in which all of these records came about.
fn course(records: &Shard, limits: &[Limit]) -> Course {
    let mut course = Course::new(limits, vec!["all".to_owned()], Vec::new());
    course.add(&Piece {
        from: Duration::ZERO,
        to: Duration::from_secs(2),
        is_load: true,
        records: records.clone(),
        gauges: Gauges::default(),
        phases: vec![(0, "steady".to_owned())],
        injected: vec![3, 0],
        ended: Vec::new(),
    });
    course
}

fn run<'a>(course: &'a Course, promises: &'a [PromiseResult], ending: Ending) -> Run<'a> {
    Run {
        scenario: "q",
        seed: 7,
        policy: Policy::Hardened,
        devices: 4,
        duration: Duration::from_secs(2),
        ending,
        course,
        population_devices: &[4],
        promises,
        goals: &[],
        faults: &[],
        expected: None,
        windows: &NO_WINDOWS,
        cut_short: 0,
        ran_out: &[],
        host: HostUse { cpu_s: 1.0, cores: 2.0, peak_rss_bytes: 1 << 20, ..HostUse::default() },
        health: HealthLimits::DEFAULT,
    }
}

fn end(outcome: &Outcome, as_expected: bool) -> End<'_> {
    End { outcome, as_expected, response: TOOK, service: TOOK }
}

/// A run of one flow of each kind that ended as expected.
fn records() -> Shard {
    let mut shard = Shard::new();
    for kind in FlowKind::all() {
        shard.flow_started(kind, "done", None);
        shard.flow_ended(kind, &end(&Outcome::Done, true), None);
    }
    shard.message_sent(Kind::DelegationReq, FlowKind::all().next());
    shard.message_answered(Kind::DelegationReq, FlowKind::all().next(), TOOK, TOOK);
    shard
}

fn promise(broken: u64) -> PromiseResult {
    PromiseResult { name: "manageable", says: "it is", checked: 4, broken, not_observable: 0, breaches: Vec::new() }
}

fn as_json(summary: &Summary) -> Value {
    serde_json::to_value(summary).expect("JSON")
}

#[test]
fn the_weightiest_of_what_holds_is_the_verdict() {
    let good = records();
    let mut failed = records();
    failed.flow_started(FlowKind::all().next().expect("there are flows"), "done", None);
    let mut dropped = failed.clone();
    dropped.start_dropped();
    let mut panicked = records();
    panicked.actor_panicked();
    let limits = limit::with_default(Vec::new());
    for (case, records, broken, ending, expected) in [
        ("all well", &good, 0, Ending::Drained, Verdict::Passed),
        ("a flow failed", &failed, 0, Ending::Drained, Verdict::Failed),
        ("an actor panicked", &panicked, 0, Ending::Drained, Verdict::Failed),
        ("aborted outweighs failed", &failed, 0, Ending::Aborted, Verdict::Aborted),
        ("invalid outweighs failed", &dropped, 0, Ending::Drained, Verdict::Invalid),
        ("invalid outweighs aborted", &dropped, 0, Ending::Aborted, Verdict::Invalid),
        ("broken outweighs invalid", &dropped, 1, Ending::Drained, Verdict::Broken),
        ("unreachable outweighs broken", &dropped, 1, Ending::Unreachable, Verdict::Unreachable),
        ("interrupted outweighs all", &dropped, 1, Ending::Interrupted, Verdict::Interrupted),
    ] {
        let summary = Summary::build(&run(&course(records, &limits), &[promise(broken)], ending));
        assert_eq!(summary.verdict, expected, "{case}");
        assert_eq!(as_json(&summary)["verdict"], expected.key(), "{case}");
    }
}

#[test]
fn every_flow_message_and_metric_is_there_even_when_nothing_happened() {
    let nothing = Shard::new();
    let json = as_json(&Summary::build(&run(&course(&nothing, &[]), &[], Ending::Drained)));
    let count = |key: &str| json[key].as_object().expect("an object").len();
    assert_eq!((count("flows"), count("exchanges"), count("latency")), (11, 14, Metric::COUNT));
    for flow in FlowKind::all() {
        let row = json["flows"][flow.to_string()].as_object().expect("a row");
        let keys: Vec<&str> = row.keys().map(String::as_str).collect();
        assert_eq!(keys[0], "started");
        assert_eq!(keys[1..], Outcome::KEYS, "started is the sum of the others: nothing else may stand here");
        assert!(row.values().all(|value| value == 0), "{flow}");
    }
    assert_eq!(json["exchanges"]["delegation_termination_ack"]["timed_out"], 0);
    assert_eq!(json["latency"]["tls.handshake"]["count"], 0);
    assert_eq!(json["latency"]["tls.handshake"]["service_ms"]["p99"], Value::Null);
    assert_eq!((&json["reached"], &json["faults"]), (&Value::Array(Vec::new()), &Value::Array(Vec::new())));
}

#[test]
fn a_percentile_without_samples_behind_it_is_null() {
    let json = as_json(&Summary::build(&run(&course(&records(), &[]), &[], Ending::Drained)));
    let row = &json["latency"]["flow.delegate.dmacc"];
    assert_eq!(row["count"], 1);
    assert_eq!((&row["response_ms"]["p50"], &row["response_ms"]["max"]), (&Value::Null, &Value::from(3.0)));
}

#[test]
fn flows_are_counted_by_outcome_and_by_expectation() {
    let kind = FlowKind::all().next().expect("there are flows");
    let mut shard = Shard::new();
    for (outcome, expected) in
        [(Outcome::Done, "done"), (Outcome::Undone { reason: 420 }, "undone"), (Outcome::Done, "refused")]
    {
        shard.flow_started(kind, expected, None);
        shard.flow_ended(kind, &end(&outcome, outcome.key() == expected), None);
    }
    let summary = Summary::build(&run(&course(&shard, &[]), &[], Ending::Drained));
    let name = kind.to_string();
    let flow = summary.flows.get(&name).expect("a row");
    assert_eq!((flow.started, flow.done, flow.undone, flow.refused), (3, 2, 1, 0));
    let expected = summary.expected.get(&name).expect("a row");
    assert_eq!((expected.done, expected.undone, expected.refused), (1, 1, 1));
    assert_eq!((summary.failed.get(&name), summary.failed_flows()), (Some(&1), 1));
    assert_eq!(summary.causes.get("undone (420)"), Some(&1));
    assert_eq!(summary.latency.get("flow.delegate.dmacc").map(|row| row.count), Some(2), "only those that were done");
}

#[test]
fn what_was_cut_off_has_not_failed_and_what_was_waited_for_has() {
    let mut records = records();
    let kind = FlowKind::all().next().expect("there are flows");
    records.flow_started(kind, "done", None);
    records.flow_started(kind, "done", None);
    records.flow_ended(kind, &end(&Outcome::Lost, false), None);
    for (ending, failed) in [(Ending::Interrupted, 1), (Ending::Drained, 2)] {
        let course = course(&records, &limit::with_default(Vec::new()));
        let summary = Summary::build(&run(&course, &[], ending));
        assert_eq!(summary.failed_flows(), failed, "{ending:?}");
        // Of those that have ended, or of those that were started.
        let (all, ended) = (summary.started() as f64, summary.started() as f64 - 1.0);
        let share = if ending == Ending::Interrupted { 1.0 / ended } else { 2.0 / all };
        assert_eq!(summary.limits[0].actual, Some(share), "{ending:?}");
    }
}

#[test]
fn rates_are_averages_over_the_run() {
    let mut records = records();
    let opening = Opening { connect: TOOK, handshake: TOOK, resumed: false };
    let split = Split { opening: Some(opening), send: TOOK, wait: TOOK, receive: TOOK };
    (0..3).for_each(|_| records.call_answered(&split));
    // 11 flows, 1 exchange and 3 handshakes in 2 s.
    let rates = Summary::build(&run(&course(&records, &[]), &[], Ending::Drained)).rates;
    assert_eq!((rates.flows_per_s, rates.exchanges_per_s, rates.handshakes_per_s), (5.5, 0.5, 1.5));
}

/// Two faults of which one never fired, and two goals of which one was never reached.
fn aims() -> ([(String, u64); 2], [FaultRow; 2], LongestWindows) {
    let fault = |name: &str, eligible, injected, order_dependent| FaultRow {
        name: name.to_owned(),
        eligible,
        injected,
        order_dependent,
        first_s: None,
        last_s: None,
    };
    let windows = LongestWindows {
        orphan: Duration::from_micros(12_345),
        orphan_device: Some(DeviceNumber(3)),
        orphan_cause: Some("the account of home went".to_owned()),
        ..NO_WINDOWS
    };
    let goals = [("timer confirmed at home".to_owned(), 2), ("killed home".to_owned(), 0)];
    (goals, [fault("lost-204", 40, 3, false), fault("slow", 1, 0, true)], windows)
}

#[test]
fn what_a_run_was_made_for_is_there_and_what_it_did_not_come_by_is_a_warning() {
    let (goals, faults, windows) = aims();
    let course = course(&records(), &[]);
    let run = run(&course, &[], Ending::Drained);
    let bare = as_json(&Summary::build(&run));
    assert_eq!((&bare["warnings"], &bare["policy"]), (&serde_json::json!([]), &serde_json::json!("hardened")));
    let none = serde_json::json!({
        "orphan_ms": 0.0, "orphan_device": null, "orphan_cause": null, "double_owner_ms": 0.0, "double_owner_device": null
    });
    assert_eq!(bare["windows"], none);

    let policy = Policy::Literal;
    let json = as_json(&Summary::build(&Run {
        policy,
        goals: &goals,
        faults: &faults,
        windows: &windows,
        cut_short: 2,
        ..run
    }));
    assert_eq!(json["policy"], "literal");
    assert_eq!(
        json["faults"],
        serde_json::json!([
            { "name": "lost-204", "eligible": 40, "injected": 3, "order_dependent": false, "first_s": 0.0, "last_s": 0.0 },
            { "name": "slow", "eligible": 1, "injected": 0, "order_dependent": true, "first_s": null, "last_s": null }
        ])
    );
    assert_eq!(
        json["reached"],
        serde_json::json!([{ "goal": "timer confirmed at home", "times": 2 }, { "goal": "killed home", "times": 0 }])
    );
    assert_eq!((&json["windows"]["orphan_ms"], &json["windows"]["orphan_device"]), (&12.345.into(), &3.into()));
    assert_eq!(json["windows"]["orphan_cause"], "the account of home went");
    let warnings = json["warnings"].as_array().expect("a list");
    assert_eq!(warnings[..2], ["the fault `slow` never fired: 1 occasion", "the goal `killed home` was never reached"]);
    assert!(warnings[2].as_str().is_some_and(|cut| cut.starts_with("so much happened on 2 watched devices that only")));
    assert_eq!(json["verdict"], "passed", "a warning is no verdict");
    let schema = summary_schema();
    assert_eq!(mistakes(&schema, &json), Vec::<String>::new());
}

#[test]
fn a_summary_from_before_these_keys_reads_as_if_there_had_been_none() {
    let mut json = as_json(&Summary::build(&run(&course(&records(), &[]), &[], Ending::Drained)));
    json["faults"] = serde_json::json!([{ "name": "old", "eligible": 1, "injected": 1 }]);
    for key in
        ["policy", "windows", "warnings", "ladder", "phases", "populations", "errors", "marks", "worst", "all_flows"]
    {
        assert!(json.as_object_mut().expect("an object").remove(key).is_some(), "{key}");
    }
    let read: Summary = serde_json::from_value(json).expect("a summary");
    assert_eq!((read.policy.as_str(), read.warnings.len(), read.faults[0].order_dependent), ("", 0, false));
    assert_eq!(read.windows, WindowRow::default());
}

#[test]
fn a_stored_summary_reads_back() {
    let limits = limit::with_default(Vec::new());
    let summary = Summary::build(&run(&course(&records(), &limits), &[promise(1)], Ending::Drained));
    let text = serde_json::to_string(&summary).expect("JSON");
    let read: Summary = serde_json::from_str(&text).expect("a summary");
    assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
}

#[test]
fn summaries_keep_to_their_schema() {
    let schema = summary_schema();
    let limits = limit::with_default(Vec::new());
    for records in [Shard::new(), records()] {
        let mut json = as_json(&Summary::build(&run(&course(&records, &limits), &[promise(1)], Ending::Drained)));
        assert_eq!(mistakes(&schema, &json), Vec::<String>::new());

        json["flows"]["revoke.asked"].as_object_mut().expect("a row").remove("lost");
        json["verdict"] = "splendid".into();
        json["health"]["cpu_share"] = "much".into();
        let found = mistakes(&schema, &json);
        assert_eq!(found.len(), 3, "{found:?}");
    }
}

#[test]
fn the_schema_asks_for_the_keys_that_are_fixed() {
    let schema = summary_schema();
    let required: Vec<&str> = schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for key in [
        "schema",
        "verdict",
        "scenario",
        "seed",
        "devices",
        "duration_s",
        "flows",
        "exchanges",
        "latency",
        "rates",
        "limits",
        "promises",
        "reached",
        "faults",
        "health",
    ] {
        assert!(required.contains(&key), "{key}");
    }
}

/// Where a value does not keep to a schema, as a validator that others wrote sees it.
fn mistakes(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
