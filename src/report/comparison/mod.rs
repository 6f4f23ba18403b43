//! Two sets of runs beside each other.
//!
//! | file | its job |
//! |---|---|
//! | [`terminal`] | a table for people, what changed first |
//! | [`markdown`] | the same for the page of a change |
//! | [`page`] | one HTML file: intervals as drawings, and where in each distribution a change is |
//! | `drawing` | its drawings |
//! | [`document`] | everything for programs, and its schema |
//! | [`words`] | figures, changes and verdicts in words |

pub mod document;
mod drawing;
pub mod markdown;
pub mod page;
pub mod terminal;
pub mod words;

#[cfg(test)]
mod tests;

use crate::compare::{Compared, MetricShift, Objection, Row, Run};
use crate::statistics::{Options, Verdict};

/// All that there is to tell.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    pub baseline: &'a [Run],
    pub contender: &'a [Run],
    pub compared: &'a Compared,
    /// Of what has times, where the runs have kept their distributions.
    pub shifts: &'a [MetricShift],
    /// What stood against comparing them, and was told to be passed over.
    pub objections: &'a [Objection],
    pub warnings: &'a [String],
    pub options: &'a Options,
}

impl<'a> Account<'a> {
    /// The metrics in the order of what they say: worse, better, unknown, the same.
    fn rows_by_verdict(&self) -> Vec<&'a Row> {
        let order = [Verdict::Worse, Verdict::Better, Verdict::NotEnoughRuns, Verdict::Same];
        let of = |verdict| self.compared.rows.iter().filter(move |row| row.comparison.verdict == verdict);
        order.into_iter().flat_map(of).collect()
    }
}
