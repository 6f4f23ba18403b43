//! A row for each cell: its settings, what its runs came to, and the median of each metric.

use super::spread::Spread;
use super::{METRICS, verdicts};
use crate::report::table::Table;
use crate::results::campaign::{Campaign, value_words};

/// A longer value would push everything else off the screen.
const LONGEST_VALUE: usize = 40;

/// The lines of the table, without their ends.
pub fn table(campaign: &Campaign) -> Vec<String> {
    let keys = campaign.keys();
    let head = ["cell"].into_iter().chain(keys.iter().copied()).chain(["runs", "verdict"]);
    let mut table = Table::new(head.chain(METRICS.iter().map(|metric| metric.head)));
    for cell in &campaign.cells {
        let runs = campaign.runs_of(cell.cell);
        let values =
            keys.iter().map(|key| cell.settings.get(*key).map_or("-".to_owned(), |value| short(&value_words(value))));
        let many = match runs.len() {
            all if all == campaign.repeats as usize => all.to_string(),
            some => format!("{some} of {}", campaign.repeats),
        };
        let metrics = METRICS.iter().map(|metric| {
            let spread = Spread::of(runs.iter().filter_map(|run| (metric.of)(run)));
            spread.map_or("-".to_owned(), |spread| spread.words(metric.written))
        });
        table.row([cell.cell.to_string()].into_iter().chain(values).chain([many, verdicts(&runs)]).chain(metrics));
    }
    table.words()
}

pub(super) fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_VALUE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_VALUE - 3).chain("...".chars()).collect()
}
