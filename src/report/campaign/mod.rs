//! Many runs of one scenario, side by side: as a table for a terminal, as JSON, and as a page of little charts.
//!
//! | file | its job |
//! |---|---|
//! | `spread` | the median of repeats, and how far they lie apart |
//! | `table` | a row for each cell |
//! | `layout` | what stands to the right, and which cells share a chart |
//! | `chart` | one little chart |
//! | `page` | all of it as one HTML file |

mod chart;
mod layout;
mod page;
mod spread;
mod table;
#[cfg(test)]
mod tests;

use crate::measure::Verdict;
use crate::report::figures::{rate, share, time};
use crate::results::campaign::{Campaign, RunRow};

pub use page::page;
pub use table::table;

/// What is looked at of every run.
pub(super) struct Metric {
    /// Its anchor on the page.
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    /// At the head of a column.
    head: &'static str,
    of: fn(&RunRow) -> Option<f64>,
    written: fn(f64) -> String,
}

/// All of them, in the order in which they are told.
const METRICS: [Metric; 4] = [
    Metric {
        id: "rate",
        title: "Flows done",
        unit: "A second, over the whole run",
        head: "flows/s",
        of: |run| Some(run.flows_per_s),
        written: rate,
    },
    Metric {
        id: "p50",
        title: "Response time, median",
        unit: "Of all flows that ended done, from their intended starts",
        head: "p50",
        of: |run| run.p50_ms,
        written: |ms| time(Some(ms)),
    },
    Metric {
        id: "p99",
        title: "Response time, 99th percentile",
        unit: "Of all flows that ended done, from their intended starts",
        head: "p99",
        of: |run| run.p99_ms,
        written: |ms| time(Some(ms)),
    },
    Metric {
        id: "failed",
        title: "Share failed",
        unit: "Of the flows started, those that ended otherwise than their journey expects",
        head: "failed",
        of: |run| run.share_failed,
        written: share,
    },
];

/// The campaign as an indented JSON object that ends with a line end.
pub fn json(campaign: &Campaign) -> String {
    let mut text = serde_json::to_string_pretty(campaign).expect("a campaign has a JSON form");
    text.push('\n');
    text
}

/// What a run came to, in words.
fn verdict(run: &RunRow) -> String {
    let key = run.verdict.key();
    if run.over_budget { format!("{key} (over budget)") } else { key.to_owned() }
}

/// How often each came.
fn verdicts(runs: &[&RunRow]) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for run in runs {
        let word = verdict(run);
        match counted.iter_mut().find(|(known, _)| *known == word) {
            Some((_, times)) => *times += 1,
            None => counted.push((word, 1)),
        }
    }
    // What is as it should be comes first.
    counted.sort_by_key(|(word, _)| word != Verdict::Passed.key());
    match &counted[..] {
        [] => "-".to_owned(),
        [(word, _)] => word.clone(),
        several => several.iter().map(|(word, times)| format!("{times} {word}")).collect::<Vec<_>>().join(", "),
    }
}
