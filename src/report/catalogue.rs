//! The catalogue of runs as a table, and one run with its files.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::measure::Summary;
use crate::report::figures::{count, rate, size, time};
use crate::report::table::Table;
use crate::results::Entry;

/// The lines of a table of runs, in their order.
pub fn table(runs: &[Entry], now: SystemTime) -> Vec<String> {
    let mut table = Table::new([
        "name",
        "started",
        "scenario",
        "devices",
        "verdict",
        "duration",
        "flows/s",
        "failed",
        "p99 of busiest flow",
        "tags",
    ]);
    for run in runs {
        let of = |figure: &dyn Fn(&Summary) -> String| run.summary.as_ref().map_or_else(|| "-".to_owned(), figure);
        table.row([
            run.name.clone(),
            when(&run.manifest.started),
            run.manifest.scenario.clone(),
            of(&|summary| count(summary.devices)),
            verdict(run, now),
            of(&|summary| format!("{:.1} s", summary.duration_s)),
            of(&|summary| rate(summary.rates.flows_per_s)),
            of(&|summary| count(summary.failed_flows())),
            of(&|summary| {
                busiest(summary).map_or_else(|| "-".to_owned(), |(flow, p99)| format!("{} {flow}", time(p99)))
            }),
            run.manifest.tags.join(" "),
        ]);
    }
    table.words()
}

/// The same for programs.
pub fn listed(runs: &[Entry], now: SystemTime) -> Value {
    let row = |run: &Entry| {
        let of = |figure: &dyn Fn(&Summary) -> Value| run.summary.as_ref().map_or(Value::Null, figure);
        json!({
            "name": run.name,
            "folder": run.folder,
            "scenario": run.manifest.scenario,
            "seed": run.manifest.seed,
            "started": run.manifest.started,
            "ended": run.manifest.ended,
            "verdict": run.verdict(),
            "may_be_running": run.may_be_running(now),
            "tags": run.manifest.tags,
            "devices": of(&|summary| summary.devices.into()),
            "duration_s": of(&|summary| summary.duration_s.into()),
            "flows_per_s": of(&|summary| summary.rates.flows_per_s.into()),
            "failed": of(&|summary| summary.failed_flows().into()),
            "busiest_flow": of(&|summary| busiest(summary).map(|(flow, _)| flow).into()),
            "p99_ms": of(&|summary| busiest(summary).and_then(|(_, p99)| p99).into()),
        })
    };
    runs.iter().map(row).collect()
}

/// The files of a run with their sizes, as the lines of a table.
pub fn files(files: &[(String, u64)]) -> Vec<String> {
    let mut table = Table::new(["file", "size"]);
    files.iter().for_each(|(name, bytes)| table.row([name.clone(), size(*bytes)]));
    table.lines(0)
}

/// What a run amounts to; where nobody can know whether it goes on, both.
pub fn verdict(run: &Entry, now: SystemTime) -> String {
    let key = run.verdict().key();
    if run.may_be_running(now) { format!("{key} or running") } else { key.to_owned() }
}

/// The flow of which most ended `done`, and the 99th percentile of its response time; of several, the first.
fn busiest(summary: &Summary) -> Option<(&str, Option<f64>)> {
    let most = summary.flows.iter().map(|(_, row)| row.done).max().filter(|most| *most > 0)?;
    let (flow, _) = summary.flows.iter().find(|(_, row)| row.done == most)?;
    Some((flow, summary.latency.get(&format!("flow.{flow}")).and_then(|row| row.response_ms.p99)))
}

/// `2026-11-22T11:50:03.123Z` to the second, for people.
fn when(rfc3339: &str) -> String {
    rfc3339.split('.').next().unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_flow_is_the_one_of_which_most_were_done() {
        let summary: Summary =
            serde_json::from_str(include_str!("../../results/sample/summary.json")).expect("a summary");
        let (flow, p99) = busiest(&summary).expect("there were flows");
        let done = summary.flows.get(flow).expect("its row").done;
        assert!(summary.flows.iter().all(|(_, row)| row.done <= done) && p99.is_some(), "{flow}");
        let idle = Summary { flows: [("a".to_owned(), Default::default())].into_iter().collect(), ..summary };
        assert_eq!(busiest(&idle), None);
    }

    #[test]
    fn a_moment_is_told_to_the_second() {
        assert_eq!(when("2026-11-22T11:50:03.123Z"), "2026-11-22 11:50:03");
    }
}
