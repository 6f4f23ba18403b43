//! When a figure of a scenario changed.

use crate::compare::metric::{Chosen, Metric};
use crate::compare::objections::unfit;
use crate::compare::run::Run;
use crate::statistics::{self, ChangePoint, LONGEST_SERIES, Trend, TrendOptions, Unfit, is_measurement};

/// What became of a scenario over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Development {
    pub scenario: String,
    /// The runs that count, the earliest first.
    pub runs: Vec<Counted>,
    /// Runs that say nothing about the peer: invalid, interrupted, unreachable.
    pub unfit: Vec<String>,
    /// Runs whose scenario had the same name and other settings than the latest one has.
    pub other_settings: Vec<String>,
    pub metrics: Vec<Told>,
}

/// A run that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub name: String,
    /// UTC, RFC 3339.
    pub started: String,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub metric: Metric,
    /// Which of the runs have it, by their places, and its value there.
    pub values: Vec<(usize, f64)>,
    pub trend: Trend,
}

/// What is looked at where nobody chose: the more there is, the more often chance makes a change. The busiest flow of the
/// latest run stands for all of them.
const USUAL: [&str; 4] = ["flows_per_s", "failed_share", "cpu_share", "peak_rss_bytes"];

/// Goes through the runs of a scenario, all that have its name, in any order; of more than [`LONGEST_SERIES`] the latest.
/// What is no measurement counts as none.
///
/// # Errors
/// [`Unfit`] for options out of their range.
pub fn development(runs: &[Run], chosen: &Chosen, options: &TrendOptions) -> Result<Development, Unfit> {
    let mut ordered: Vec<&Run> = runs.iter().collect();
    ordered.sort_by(|one, other| (&one.manifest.started, &one.name).cmp(&(&other.manifest.started, &other.name)));
    let scenario = ordered.last().map_or_else(String::new, |run| run.manifest.scenario.clone());
    let (left_out, fit): (Vec<&Run>, Vec<&Run>) =
        ordered.into_iter().partition(|run| unfit(run).is_some() || run.settings.is_err());
    // Of more than can be searched, the latest.
    let fit = &fit[fit.len().saturating_sub(LONGEST_SERIES)..];
    let latest = fit.last().map(|run| &run.settings);
    let (counted, others): (Vec<&Run>, Vec<&Run>) = fit.iter().partition(|run| Some(&run.settings) == latest);
    let busiest = counted.last().and_then(|run| run.busiest.as_ref());
    let is_usual = |metric: &Metric| {
        let is_of_busiest = Some(&metric.of) == busiest && !metric.name.ends_with(".p95");
        USUAL.contains(&metric.name.as_str()) || is_of_busiest
    };
    let is_meant = |metric: &Metric| if chosen.is_everything() { is_usual(metric) } else { chosen.takes(metric) };
    let mut metrics = Vec::new();
    for metric in Run::metrics(counted.iter().copied()).into_iter().filter(is_meant) {
        let value = |(place, run): (usize, &&Run)| {
            run.figure(&metric.name).filter(|value| is_measurement(*value)).map(|value| (place, value))
        };
        let values: Vec<(usize, f64)> = counted.iter().enumerate().filter_map(value).collect();
        let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        let trend = statistics::trend(&plain, options)?;
        metrics.push(Told { metric, values, trend });
    }
    let names = |runs: Vec<&Run>| runs.into_iter().map(|run| run.name.clone()).collect();
    let of_run = |run: &&Run| Counted { name: run.name.clone(), started: run.manifest.started.clone() };
    Ok(Development {
        scenario,
        runs: counted.iter().map(of_run).collect(),
        unfit: names(left_out),
        other_settings: names(others),
        metrics,
    })
}

impl Told {
    /// Its changes, each with the place of the first run after it.
    pub fn changes(&self) -> impl Iterator<Item = (usize, &ChangePoint)> {
        let points = match &self.trend {
            Trend::Changes(points) => points.as_slice(),
            Trend::NotEnoughRuns { .. } => &[],
        };
        points.iter().map(|point| (self.values[point.first_after].0, point))
    }

    /// Whether a change made it worse; `None`: neither.
    pub fn is_worse(&self, point: &ChangePoint) -> Option<bool> {
        let difference = point.after - point.before;
        (difference != 0.0).then(|| self.metric.better.worsens(difference))
    }
}
