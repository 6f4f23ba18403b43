//! A campaign as one HTML file that needs nothing from anywhere and has no script: for each metric, little charts over the
//! matrix, then every cell and every run as tables.

use maud::{Markup, html};

use super::chart::{axis, chart};
use super::layout::Layout;
use super::spread::Spread;
use super::{METRICS, Metric, verdict, verdicts};
use crate::measure::Verdict;
use crate::report::figures::{count, counted, time};
use crate::report::frame::{self, Section};
use crate::report::run_page::style;
use crate::results::campaign::{Campaign, CellRow, RunRow, value_words};

const STYLE: &str = include_str!("page.css");
/// More charts of one metric than that nobody looks at.
const MOST_PANELS: usize = 60;

/// The page. It ends as a text does, with the end of a line.
pub fn page(campaign: &Campaign) -> String {
    let layout = Layout::of(campaign);
    let of_metric =
        |metric: &Metric| Section { id: metric.id, title: metric.title, body: charts(campaign, metric, &layout) };
    let mut sections: Vec<Section> = METRICS.iter().map(of_metric).collect();
    sections.push(Section { id: "cells", title: "Every cell", body: cells(campaign) });
    sections.push(Section { id: "runs", title: "Every run", body: runs(campaign) });
    let title = format!("{}: campaign", campaign.name);
    let body = html! {
        a.skip href="#main" { "Skip to the charts" }
        header { (head(campaign)) }
        (frame::contents(&sections))
        footer { p { "Made by dmswarm " (env!("CARGO_PKG_VERSION")) " from campaign.json." } }
    };
    frame::page(&title, &format!("{}{STYLE}", style()), &body)
}

fn head(campaign: &Campaign) -> Markup {
    let (done, planned) = (campaign.runs.len() as u64, campaign.planned() as u64);
    let passed = campaign.runs.iter().filter(|run| run.verdict == Verdict::Passed).count() as u64;
    let (class, word) = match (done == planned, passed == done) {
        (false, _) => ("warn", "not complete"),
        (true, true) => ("good", "complete"),
        (true, false) => ("bad", "complete"),
    };
    let reason = match (planned - done, done - passed) {
        (0, 0) => "Every run passed.".to_owned(),
        (0, others) => format!("{} of {} did not pass.", count(others), counted(done, "run")),
        (missing, others) => {
            format!(
                "{} missing, of {}; of those done, {} did not pass.",
                count(missing),
                counted(planned, "run"),
                count(others)
            )
        }
    };
    html! {
        div.verdict {
            h1 { "Campaign " (campaign.name) }
            p class={ "word " (class) } { (word) }
            p.reason { (reason) }
            @if planned > done {
                p.meaning { "Go on with it: " code { "dmswarm campaign --resume FOLDER" } ", where FOLDER is the one of this page." }
            }
        }
        dl.figures {
            div { dt { "Cells" } dd { (count(campaign.cells.len() as u64)) } }
            div { dt { "Repeats" } dd { (count(u64::from(campaign.repeats))) } }
            div { dt { "Runs done" } dd { (count(done)) } }
            div { dt { "Passed" } dd { (count(passed)) } }
        }
        dl.facts {
            div { dt { "Scenario" } dd { (campaign.scenario) } }
            div { dt { "Seed" } dd { (campaign.seed) ", of the order" } }
            div { dt { "Begun" } dd { (seconds(&campaign.started)) } }
            div { dt { "Ended" } dd { (campaign.ended.as_deref().map_or("not yet".to_owned(), seconds)) } }
            div { dt { "Cut off" } dd { (counted(campaign.cut.len() as u64, "run")) } }
            div { dt { "Warm-up" } dd { (counted(campaign.warm_up.len() as u64, "run")) } }
        }
    }
}

/// `2026-11-22T11:50:03.123Z` to the second.
fn seconds(rfc3339: &str) -> String {
    rfc3339.split_once('.').map_or(rfc3339.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn charts(campaign: &Campaign, metric: &Metric, layout: &Layout<'_>) -> Markup {
    let y = axis(campaign, metric);
    let shown = &layout.panels[..layout.panels.len().min(MOST_PANELS)];
    let x = match (layout.x, layout.is_log) {
        (Some(key), true) => format!("To the right: {key}, in equal factors; a point"),
        (Some(key), false) => format!("To the right: {key}; a point"),
        (None, _) => "A point".to_owned(),
    };
    let mut left_out = Vec::new();
    if layout.panels.len() > shown.len() {
        left_out.push(format!(
            "{} more charts are left out: their cells are in the table.",
            layout.panels.len() - shown.len()
        ));
    }
    if layout.outside > 0 {
        let key = layout.x.unwrap_or_default();
        left_out.push(format!("{} without {key}: in the table alone.", counted(layout.outside as u64, "cell")));
    }
    html! {
        p.hint {
            (metric.unit) ". " (x) " for each run, the line through the medians"
            @if campaign.runs.iter().any(|run| run.verdict != Verdict::Passed) { "; a ring is a run that did not pass, and counts all the same" }
            ". All charts have the same scale."
        }
        @for one in &left_out { p.hint { (one) } }
        div.multiples {
            @for panel in shown {
                figure {
                    @if !panel.title.is_empty() { figcaption { (panel.title) } }
                    (chart(campaign, metric, (layout, panel), &y))
                }
            }
        }
    }
}

fn cells(campaign: &Campaign) -> Markup {
    let keys = campaign.keys();
    let row = |cell: &CellRow| {
        let runs = campaign.runs_of(cell.cell);
        let spread = |metric: &Metric| Spread::of(runs.iter().filter_map(|run| (metric.of)(run)));
        html! { tr {
            th scope="row" { (cell.cell) }
            @for key in &keys { td.l.value { (cell.settings.get(*key).map_or("-".to_owned(), value_words)) } }
            td { (runs.len()) " of " (campaign.repeats) }
            td.m { (verdicts(&runs)) }
            @for metric in &METRICS {
                td { (spread(metric).map_or("-".to_owned(), |spread| spread.words(metric.written))) }
            }
        } }
    };
    html! {
        p.hint { "Medians of the repeats; in brackets the least and the most. A dash stands where too few samples bear a percentile out." }
        div.scroll tabindex="0" role="region" aria-label="Every cell" { table {
            thead { tr {
                th scope="col" { "cell" }
                @for key in &keys { th.l scope="col" { (key) } }
                th scope="col" { "runs" } th.m scope="col" { "verdict" }
                @for metric in &METRICS { th scope="col" { (metric.head) } }
            } }
            tbody { @for cell in &campaign.cells { (row(cell)) } }
        } }
    }
}

fn runs(campaign: &Campaign) -> Markup {
    let row = |(number, run): (usize, &RunRow)| {
        let class = match run.verdict {
            Verdict::Passed => "good",
            Verdict::Invalid | Verdict::Interrupted => "warn",
            _ => "bad",
        };
        html! { tr {
            th scope="row" { (number + 1) }
            td { (run.cell) } td { (run.repeat) }
            td.m { span class={ "tag " (class) } { (verdict(run)) } }
            td { (time(Some(run.duration_s * 1e3))) }
            @for metric in &METRICS { td { ((metric.of)(run).map_or("-".to_owned(), metric.written)) } }
            td.l.value { a href={ (run.folder.display()) "/report.html" } { (run.folder.display()) } }
        } }
    };
    html! {
        p.hint { "In the order in which they were run, which is shuffled." }
        div.scroll tabindex="0" role="region" aria-label="Every run" { table {
            thead { tr {
                th scope="col" { "" } th scope="col" { "cell" } th scope="col" { "repeat" } th.m scope="col" { "verdict" }
                th scope="col" { "took" }
                @for metric in &METRICS { th scope="col" { (metric.head) } }
                th.l scope="col" { "report" }
            } }
            tbody { @for numbered in campaign.runs.iter().enumerate() { (row(numbered)) } }
        } }
        @if !campaign.cut.is_empty() {
            h3 { "Cut off" }
            ul.notes.warn { @for cut in &campaign.cut { li { (cut.folder.display()) ": " (cut.why) ", and made again" } } }
        }
        @if !campaign.not_run.is_empty() {
            h3 { "Could not be run" }
            ul.notes.bad { @for one in &campaign.not_run {
                li { "cell " (one.cell) ", repeat " (one.repeat) ": " (one.why) }
            } }
        }
    }
}
