//! How a campaign ends.

use super::*;
use crate::measure::Summary;
use crate::measure::Verdict;

fn run(verdict: Verdict, over_budget: bool, internal_error: bool) -> RunRow {
    let summary: Summary =
        serde_json::from_str(include_str!("../../../results/sample/summary.json")).expect("a summary");
    RunRow { verdict, over_budget, internal_error, ..RunRow::of(1, 1, PathBuf::new(), &summary) }
}

#[test]
fn a_run_that_was_ended_for_its_budget_is_no_interruption_of_the_program() {
    for (row, code) in [
        (run(Verdict::Passed, false, false), 0),
        (run(Verdict::Failed, false, false), 3),
        (run(Verdict::Interrupted, true, false), 6),
        (run(Verdict::Failed, false, true), 1),
    ] {
        assert_eq!(exit_of_run(&row).code(), code, "{:?}", row.verdict);
    }
}
