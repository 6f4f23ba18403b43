//! The answer for every metric of two sets of runs.

use crate::compare::metric::{Chosen, Metric};
use crate::compare::run::Run;
use crate::statistics::{self, Comparison, LARGEST_SET, Options, Set, Unfit, Verdict};

/// Two sets of runs, metric by metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// In the order of the summary.
    pub rows: Vec<Row>,
    /// Metrics that not all runs have, or that cannot be compared.
    pub left_out: Vec<LeftOut>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub metric: Metric,
    pub comparison: Comparison,
    /// Of each run, in the order in which they were named.
    pub baseline: Vec<f64>,
    pub contender: Vec<f64>,
}

/// A metric that is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub metric: String,
    pub why: String,
}

/// Compares the chosen metrics of two sets of runs. How many they are counts: the more there are, the more often one of them
/// differs by chance.
///
/// # Errors
/// [`Unfit`] for options out of their range, and for more runs than can be compared.
pub fn compare(baseline: &[Run], contender: &[Run], chosen: &Chosen, options: &Options) -> Result<Compared, Unfit> {
    for (set, runs) in [(Set::Baseline, baseline.len()), (Set::Contender, contender.len())] {
        if runs > LARGEST_SET {
            return Err(Unfit::TooManyRuns { set, runs });
        }
    }
    let mut left_out = Vec::new();
    let mut measured = Vec::new();
    for metric in Run::metrics(baseline.iter().chain(contender)).into_iter().filter(|metric| chosen.takes(metric)) {
        let of = |runs: &[Run]| -> Vec<f64> { runs.iter().filter_map(|run| run.figure(&metric.name)).collect() };
        let (ours, theirs) = (of(baseline), of(contender));
        if ours.len() == baseline.len() && theirs.len() == contender.len() {
            measured.push((metric, ours, theirs));
        } else {
            let why = format!(
                "{} of {} runs of the baseline and {} of {} of the contender have samples enough for it",
                ours.len(),
                baseline.len(),
                theirs.len(),
                contender.len()
            );
            left_out.push(LeftOut { metric: metric.name, why });
        }
    }
    let metrics: Vec<statistics::Metric<'_>> = measured
        .iter()
        .map(|(metric, baseline, contender)| statistics::Metric {
            baseline,
            contender,
            better: metric.better,
            least_difference: metric.least_difference(),
        })
        .collect();
    let told = statistics::compare_all(&metrics, options)?;
    let mut rows = Vec::new();
    for (told, (metric, baseline, contender)) in told.into_iter().zip(measured) {
        match told {
            Ok(comparison) => rows.push(Row { metric, comparison, baseline, contender }),
            Err(unfit) => left_out.push(LeftOut { metric: metric.name, why: unfit.to_string() }),
        }
    }
    Ok(Compared { rows, left_out })
}

impl Compared {
    /// How many metrics have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.comparison.verdict == verdict).count()
    }

    /// What all of it comes to: one metric that got worse is a regression; where none did and one may have, nobody knows.
    pub fn verdict(&self) -> Verdict {
        let order = [Verdict::Worse, Verdict::NotEnoughRuns, Verdict::Better];
        let found = order.into_iter().find(|verdict| self.count(*verdict) > 0);
        found.unwrap_or(if self.rows.is_empty() { Verdict::NotEnoughRuns } else { Verdict::Same })
    }

    /// How many runs of each would be enough for every metric that has too few; `None` where that is not known, or none has.
    pub fn runs_needed(&self) -> Option<usize> {
        let short = self.rows.iter().filter(|row| row.comparison.verdict == Verdict::NotEnoughRuns);
        let needed: Option<Vec<usize>> = short.map(|row| row.comparison.runs_needed).collect();
        needed?.into_iter().max()
    }

    /// The same for half of them: some vary so much that nobody will ever repeat them often enough.
    pub fn runs_needed_for_half(&self) -> Option<usize> {
        let short = self.rows.iter().filter(|row| row.comparison.verdict == Verdict::NotEnoughRuns);
        let mut needed: Vec<usize> = short.map(|row| row.comparison.runs_needed.unwrap_or(usize::MAX)).collect();
        needed.sort_unstable();
        needed.get((needed.len().max(1) - 1) / 2).copied().filter(|needed| *needed != usize::MAX)
    }
}
