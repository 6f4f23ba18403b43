//! A search for a capacity as one HTML file that needs nothing from anywhere and has no script: between which loads the answer
//! lies, times against loads, every load and every sub-trial, and what a plan needs.

use std::path::Path;

use maud::{Markup, html};

use super::chart::chart;
use super::loads::{LoadRow, by_load};
use super::{laws, line, load, plan, recovery, reservation, revocations, verdict};
use crate::capacity::search::{Ending, GoalResult};
use crate::report::figures::{count, counted, rate, share, time};
use crate::report::frame::{self, Section};
use crate::report::run_page::style;
use crate::results::capacity::{Around, CapacityRecord, Level, Trialed};

const STYLE: &str = include_str!("page.css");

/// The page. It ends as a text does, with the end of a line. `folder`: that of the search, beside which the links go.
pub fn page(record: &CapacityRecord, folder: &Path) -> String {
    let rows = by_load(record);
    let mut sections = vec![
        Section { id: "times", title: "Times by load", body: times(record, &rows) },
        Section { id: "limits", title: "Each limit", body: limits(record) },
        Section { id: "loads", title: "Every load", body: loads(record, &rows) },
    ];
    if let Some(around) = &record.around {
        sections.push(Section { id: "around", title: "Around it", body: surroundings(around, &record.unit) });
    }
    let laws = laws(record);
    if !laws.is_empty() {
        sections.push(Section { id: "laws", title: "Throughput", body: words(&laws) });
    }
    if let Some(planned) = &record.plan {
        sections.push(Section { id: "plan", title: "Plan", body: words(&plan(planned)) });
    }
    sections.push(Section { id: "sub-trials", title: "Every sub-trial", body: sub_trials(record, folder) });
    let body = html! {
        a.skip href="#main" { "Skip to the charts" }
        header { (head(record)) }
        (frame::contents(&sections))
        footer { p { "Made by dmswarm " (env!("CARGO_PKG_VERSION")) "; the same as data: capacity.json." } }
    };
    frame::page(&format!("{}: capacity", record.scenario), &format!("{}{STYLE}", style()), &body)
}

fn words(text: &str) -> Markup {
    html! { pre.words { (text.trim()) } }
}

fn head(record: &CapacityRecord) -> Markup {
    let (class, reason) = match &record.result {
        None => ("warn", "STOPPED: it did not come to its end".to_owned()),
        Some(result) => {
            let class = match result.ending {
                Ending::Found | Ending::AboveRange => "good",
                Ending::Wide | Ending::Exhausted | Ending::Invalid { .. } => "warn",
                Ending::BelowRange => "bad",
            };
            (class, verdict(result, &record.unit))
        }
    };
    let (word, reason) = reason.split_once(": ").unwrap_or(("", &reason));
    let bounds = record.result.as_ref().map(|result| result.bounds);
    let bound = |bound: Option<f64>| bound.map_or_else(|| "-".to_owned(), load);
    html! {
        div.verdict {
            h1 { "Capacity of " (record.scenario) }
            p class={ "word " (class) } { (word) }
            p.reason { (reason) }
        }
        dl.figures {
            div { dt { "Kept at, " (record.unit) } dd { (bound(bounds.and_then(|bounds| bounds.lower))) } }
            div { dt { "Not kept at" } dd { (bound(bounds.and_then(|bounds| bounds.upper))) } }
            div { dt { "Apart" } dd { (bounds.and_then(|bounds| bounds.width).map_or_else(|| "-".to_owned(), share)) } }
            div { dt { "Sub-trials" } dd { (count(record.trials.len() as u64)) } }
        }
        dl.facts {
            div { dt { "Turned up" } dd { (record.axis) } }
            div { dt { "Peers" } dd { (record.peers) } }
            div { dt { "Policy" } dd { (record.policy) } }
            div { dt { "Seed" } dd { (record.seed) } }
        }
    }
}

fn times(record: &CapacityRecord, rows: &[LoadRow<'_>]) -> Markup {
    let bounds = record.result.as_ref().map(|result| result.bounds);
    let bounds = (bounds.and_then(|bounds| bounds.lower), bounds.and_then(|bounds| bounds.upper));
    let charts = [
        ("Median of all flows that ended done", chart("p50 by load", rows, bounds, |one| one.p50_ms, |row| row.p50_ms)),
        ("99th percentile", chart("p99 by load", rows, bounds, |one| one.p99_ms, |row| row.p99_ms)),
    ];
    html! {
        p.hint {
            "To the right: " (record.unit) ". A dot for each sub-trial that kept every limit, a ring for one that did not, the \
             line through the medians; between the highest load that is kept and the lowest that is not, the ground is grey."
        }
        @if charts.iter().all(|(_, chart)| chart.is_none()) { p.hint { "No sub-trial has enough samples for a percentile." } }
        @for (name, chart) in &charts {
            @if let Some(chart) = chart { h3 { (name) } (chart) }
        }
    }
}

fn limits(record: &CapacityRecord) -> Markup {
    let bound = |bound: Option<f64>| bound.map_or_else(|| "-".to_owned(), load);
    let row = |goal: &GoalResult| {
        html! { tr {
            th scope="row" { (goal.name) }
            td { (bound(goal.bounds.lower)) } td { (bound(goal.bounds.upper)) } td { (bound(goal.conditional_throughput)) }
            td.l.value {
                @for one in &goal.inversions { "kept at " (load(one.holds)) ", above " (load(one.fails)) ". " }
            }
        } }
    };
    let goals = record.result.as_ref().map_or(&[][..], |result| &result.goals);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Each limit" { table {
            thead { tr {
                th scope="col" { "limit" } th scope="col" { "kept at" } th scope="col" { "not kept at" }
                th scope="col" { "came through" } th.l scope="col" { "irregular" }
            } }
            tbody { @for goal in goals { (row(goal)) } }
        } }
    }
}

fn loads(record: &CapacityRecord, rows: &[LoadRow<'_>]) -> Markup {
    let shown = |value: Option<f64>, words: fn(f64) -> String| value.map_or_else(|| "-".to_owned(), words);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Every load" { table {
            thead { tr {
                th scope="col" { (record.unit) } th scope="col" { "sub-trials" } th scope="col" { "kept" }
                th scope="col" { "flows/s" } th scope="col" { "failed" } th scope="col" { "p50" } th scope="col" { "p99" }
                th scope="col" { "CPU" }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (load(row.load)) } td { (row.trials.len()) } td { (row.kept) }
                td { (shown(row.flows_per_s, rate)) } td { (count(row.failed)) } td { (time(row.p50_ms)) } td { (time(row.p99_ms)) }
                td { (shown(row.cpu_share, share)) }
            } } }
        } }
    }
}

fn surroundings(around: &Around, unit: &str) -> Markup {
    let row = |level: &Level| {
        let down = level.down.as_ref();
        html! { tr {
            th scope="row" { (share(level.part)) } td { (load(level.load)) }
            td { (time(level.up.p50_ms)) } td { (time(level.up.p99_ms)) }
            td { (time(down.and_then(|one| one.p50_ms))) } td { (time(down.and_then(|one| one.p99_ms))) }
            td { (count(level.up.failed + down.map_or(0, |one| one.failed))) }
        } }
    };
    html! {
        p.hint { "Up to the capacity and down again: a peer that is worse on the way down remembers what was before." }
        div.scroll tabindex="0" role="region" aria-label="Around it" { table {
            thead { tr {
                th scope="col" { "part" } th scope="col" { (unit) } th scope="col" { "p50 up" } th scope="col" { "p99 up" }
                th scope="col" { "p50 down" } th scope="col" { "p99 down" } th scope="col" { "failed" }
            } }
            tbody { @for level in &around.levels { (row(level)) } }
        } }
        @for level in &around.levels {
            @for figures in [Some(&level.up), level.down.as_ref()].into_iter().flatten() {
                @let told = reservation(figures);
                @if !told.is_empty() { p.hint { "at " (load(level.load)) (told) } }
            }
        }
        @if let Some(one) = &around.recovery { (words(&recovery(one, unit))) }
        @if let Some(storm) = &around.revocations { (words(&revocations(storm, unit))) }
    }
}

fn sub_trials(record: &CapacityRecord, folder: &Path) -> Markup {
    let row = |trial: &Trialed| {
        let (class, word) = match trial {
            Trialed { invalid: Some(_), .. } => ("warn", "invalid"),
            trial if trial.is_kept() => ("good", "kept"),
            _ => ("bad", "not kept"),
        };
        let beside = trial.folder.as_ref().map(|run| run.strip_prefix(folder).unwrap_or(run));
        html! { tr {
            th scope="row" { (load(trial.load)) }
            td.m { span class={ "tag " (class) } { (word) } }
            td.l.value { (line(trial, &record.unit)) }
            td.l.value { @if let Some(run) = beside { a href={ (run.display()) "/summary.json" } { (run.display()) } } }
        } }
    };
    html! {
        p.hint { (counted(record.trials.len() as u64, "sub-trial")) ", in the order in which they were made." }
        div.scroll tabindex="0" role="region" aria-label="Every sub-trial" { table {
            thead { tr {
                th scope="col" { (record.unit) } th.m scope="col" { "" } th.l scope="col" { "what came of it" }
                th.l scope="col" { "run" }
            } }
            tbody { @for trial in &record.trials { (row(trial)) } }
        } }
    }
}
