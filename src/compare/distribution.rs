//! Where in a distribution of times a change is.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::measure::latency::samples_needed;
use crate::results::dossier::LatencyCourse;
use crate::results::latency_log::SERVICE;
use crate::statistics::{DECILES, Options, Shift, Unfit, shift};

/// The times of a run by what they are of, such as `flow.revoke.asked` or `flow.revoke.asked.service`: each time in
/// milliseconds with how often it was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distributions(BTreeMap<String, Vec<(f64, u64)>>);

/// How the times of one thing are shifted.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricShift {
    /// What they are of.
    pub of: String,
    pub shift: Shift,
}

/// Beyond the deciles, as far as the samples of every run bear them out.
const TAIL: [f64; 2] = [0.95, 0.99];

impl Distributions {
    /// Of what a run has logged.
    pub fn of(latency: &LatencyCourse) -> Distributions {
        let each = latency.metrics().flat_map(|(name, course)| {
            [(name.to_owned(), counted(&course.response)), (format!("{name}{SERVICE}"), counted(&course.service))]
        });
        Distributions(each.filter(|(_, samples)| !samples.is_empty()).collect())
    }

    /// Of samples as they are.
    pub fn plain(samples: impl IntoIterator<Item = (String, Vec<(f64, u64)>)>) -> Distributions {
        Distributions(samples.into_iter().collect())
    }

    fn get(&self, of: &str) -> Option<&[(f64, u64)]> {
        self.0.get(of).map(Vec::as_slice)
    }
}

fn counted(times: &Histogram<u64>) -> Vec<(f64, u64)> {
    times.iter_recorded().map(|step| (step.value_iterated_to() as f64 / 1e3, step.count_at_value())).collect()
}

/// The shift of everything that is named here and was measured in all of the runs.
///
/// # Errors
/// [`Unfit`] for options out of their range, and for sets of no runs or too many.
pub fn shifts<'n>(
    baseline: &[Distributions],
    contender: &[Distributions],
    of: impl Iterator<Item = &'n str>,
    options: &Options,
) -> Result<Vec<MetricShift>, Unfit> {
    let mut shifts = Vec::new();
    for of in of {
        let all = |runs: &'_ [Distributions]| runs.iter().map(|run| run.get(of).map(<[_]>::to_vec)).collect();
        let both: (Option<Vec<_>>, Option<Vec<_>>) = (all(baseline), all(contender));
        let (Some(ours), Some(theirs)) = both else { continue };
        let samples = |run: &Vec<(f64, u64)>| run.iter().map(|(_, count)| count).sum::<u64>();
        let least = ours.iter().chain(&theirs).map(samples).min().unwrap_or(0);
        let tail = TAIL.into_iter().filter(|share| least >= samples_needed(*share));
        let shares: Vec<f64> = DECILES.into_iter().chain(tail).collect();
        shifts.push(MetricShift { of: of.to_owned(), shift: shift(&ours, &theirs, &shares, options)? });
    }
    Ok(shifts)
}
