//! The sub-trials of a search by their loads.

use crate::results::capacity::{CapacityRecord, Figures, Trialed};
use crate::statistics::median;

/// What the sub-trials under one load come to. Figures are medians; `None` where none of them has one.
pub(super) struct LoadRow<'r> {
    pub load: f64,
    pub trials: Vec<&'r Trialed>,
    /// How many kept every limit.
    pub kept: usize,
    /// Flows that ended otherwise than expected, in all of them.
    pub failed: u64,
    pub flows_per_s: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub cpu_share: Option<f64>,
}

/// The lowest load first; the warm-up is in none.
pub(super) fn by_load(record: &CapacityRecord) -> Vec<LoadRow<'_>> {
    let counts = || record.trials.iter().filter(|trial| !trial.is_warm_up);
    let mut loads: Vec<f64> = counts().map(|trial| trial.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    loads.into_iter().map(|load| LoadRow::of(load, counts().filter(|trial| trial.load == load).collect())).collect()
}

impl<'r> LoadRow<'r> {
    fn of(load: f64, trials: Vec<&'r Trialed>) -> LoadRow<'r> {
        let figures = || trials.iter().filter_map(|trial| trial.figures.as_ref());
        let middle = |of: &dyn Fn(&Figures) -> Option<f64>| median(&mut figures().filter_map(of).collect::<Vec<f64>>());
        LoadRow {
            load,
            kept: trials.iter().filter(|trial| trial.is_kept()).count(),
            failed: figures().map(|one| one.failed).sum(),
            flows_per_s: middle(&|one| Some(one.flows_per_s)),
            p50_ms: middle(&|one| one.p50_ms),
            p99_ms: middle(&|one| one.p99_ms),
            cpu_share: middle(&|one| Some(one.cpu_share)),
            trials,
        }
    }
}
