//! A campaign as people see it: the table, and the page.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::results::campaign::{CellRow, CutRow, Overriding, SCHEMA};

/// A campaign of cells with these settings, three repeats each, of which none is done.
pub fn campaign(cells: &[Value]) -> Campaign {
    let cell = |(number, settings): (u32, &Value)| CellRow {
        cell: number,
        settings: settings.as_object().expect("settings").clone(),
    };
    Campaign {
        schema: SCHEMA.to_owned(),
        name: "nightly".to_owned(),
        seed: 7,
        scenario: "quickstart".to_owned(),
        repeats: 3,
        command_line: Vec::new(),
        overrides: Overriding::default(),
        started: "2026-11-22T11:50:03.123Z".to_owned(),
        ended: None,
        cells: (1..).zip(cells).map(cell).collect(),
        runs: Vec::new(),
        warm_up: Vec::new(),
        cut: Vec::new(),
        not_run: Vec::new(),
        beside: Default::default(),
    }
}

fn run(cell: u32, repeat: u32, flows_per_s: f64, verdict: Verdict) -> RunRow {
    RunRow {
        cell,
        repeat,
        folder: PathBuf::from(format!("runs/r{cell}-{repeat}")),
        verdict,
        over_budget: verdict == Verdict::Interrupted,
        internal_error: false,
        seed: 7,
        duration_s: 2.0,
        flows_per_s,
        exchanges_per_s: 2.0,
        flows: 100,
        failed: if verdict == Verdict::Passed { 0 } else { 5 },
        share_failed: Some(if verdict == Verdict::Passed { 0.0 } else { 0.05 }),
        p50_ms: Some(3.0),
        p99_ms: None,
        by_flow: Default::default(),
    }
}

/// Two cells; of the second one a repeat is missing, and one took too long.
fn two_cells() -> Campaign {
    let mut campaign = campaign(&[
        serde_json::json!({ "policy": "literal", "population.devices": 10 }),
        serde_json::json!({ "policy": "<b>&", "population.devices": 20 }),
    ]);
    for (repeat, flows) in [(1, 98.0), (2, 97.0), (3, 99.5)] {
        campaign.runs.push(run(1, repeat, flows, Verdict::Passed));
    }
    campaign.runs.push(run(2, 3, 50.0, Verdict::Passed));
    campaign.runs.push(run(2, 1, 52.0, Verdict::Interrupted));
    campaign
}

#[test]
fn the_table_has_a_row_for_each_cell_with_medians_and_what_its_runs_came_to() {
    let lines = table(&two_cells());
    assert_eq!(
        lines,
        [
            "cell  policy   population.devices  runs    verdict                                flows/s             p50      p99  failed",
            "1     literal  10                  3       passed                                 98.0 (97.0 - 99.5)  3.00 ms  -    0 %",
            "2     <b>&     20                  2 of 3  1 passed, 1 interrupted (over budget)  51.0 (50.0 - 52.0)  3.00 ms  -    2.50 % (0 % - 5.00 %)",
        ]
        .map(|line| line.to_owned())
    );
}

#[test]
fn a_value_that_is_long_is_cut_in_the_table() {
    let long = "hold 100/s for 10s; pause 2s; hold 200/s for 10s; pause 2s";
    let lines = table(&campaign(&[serde_json::json!({ "load.phases": [long] })]));
    assert!(lines[1].contains("hold 100/s for 10s; pause 2s; hold 20... "), "{lines:?}");
    assert!(lines[1].contains("0 of 3"), "{lines:?}");
}

#[test]
fn the_page_has_charts_for_each_metric_and_fetches_nothing() {
    let page = page(&two_cells());
    for part in ["not complete", "id=\"rate\"", "id=\"p50\"", "id=\"p99\"", "id=\"failed\"", "runs/r2-1/report.html"] {
        assert!(page.contains(part), "{part}");
    }
    // Two charts for each of four metrics; five points in three of them, as no run has a p99; two of the points are rings.
    assert_eq!(page.matches("<svg").count(), 8);
    assert_eq!(page.matches("<circle").count(), 15);
    assert_eq!(page.matches("run not-passed\"").count(), 3);
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>"), "values are text");
    assert!(!page.contains("NaN") && !page.contains("<script") && !page.contains("src="), "{page}");
}

#[test]
fn what_was_cut_off_or_could_not_be_run_is_told_on_the_page() {
    let mut campaign = two_cells();
    let folder = PathBuf::from("runs/lost");
    campaign.cut.push(CutRow { cell: Some(2), repeat: Some(2), folder, cut: true, why: "killed".to_owned() });
    let text = page(&campaign);
    assert!(text.contains("runs/lost: killed, and made again"), "{text}");
    assert!(!page(&two_cells()).contains("Cut off</h3>"));
}

#[test]
fn a_campaign_without_a_run_has_a_page() {
    let text = page(&campaign(&[serde_json::json!({})]));
    assert!(text.contains("not complete") && !text.contains("NaN"), "{text}");
}
