//! What sets of runs say about each other, and what a row of runs says about time. Numbers in, plain structs out: no clock, no
//! files, and no dice but from the seed in the options, so that the same numbers always give the same answer.
//!
//! | file | its job |
//! |---|---|
//! | `comparison` | one metric of a set of runs beside the same of another: the whole answer |
//! | `verdict` | `better`, `worse`, `same`, or `not enough runs`: the one place that decides |
//! | `options` | what a comparison is asked for |
//! | `noise` | how much runs of the same thing differ |
//! | `power` | the smallest change that so many runs can show, and how many runs would be enough |
//! | `mann_whitney` | whether one set's values are larger than the other's, by their ranks |
//! | `effect` | how large a difference is, whatever the unit |
//! | `bootstrap` | intervals from resampled runs |
//! | `family` | many metrics at once: chance gets as many tries |
//! | `shift` | where in a distribution the change is: quantile by quantile |
//! | `quantile` | quantiles of counted values (Harrell and Davis) |
//! | `change_points` | when a series of runs changed |
//! | `astray` | runs of a series that went astray |
//! | `energy` | the best split of a series (Székely and Rizzo's energy distance) |
//! | `median` | the median |
//! | `unfit` | numbers that nothing can be said about |
//!
//! One value stands for one run throughout. Samples within a run depend on each other: they share its machine, its caches
//! and its weather. Counted as independent, they make any two runs differ "significantly" (Kalibera, Jones 2013, "Rigorous
//! Benchmarking in Reasonable Time": what has to be repeated is the highest level at which the results vary).

mod astray;
mod bootstrap;
mod change_points;
mod comparison;
mod effect;
mod energy;
mod family;
mod mann_whitney;
mod median;
mod noise;
mod options;
mod power;
mod quantile;
mod shift;
mod unfit;
mod verdict;

#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;

pub use bootstrap::Interval;
pub use change_points::{ChangePoint, Trend, TrendOptions, trend};
pub use comparison::{Comparison, Estimate, Metric, Runs, compare, compare_all};
pub use effect::{Effect, Size};
pub use mann_whitney::RankTest;
pub use median::median;
pub use options::{Better, Options};
pub use shift::{DECILES, QuantileShift, Shift, shift};
pub use unfit::{LARGEST_SET, LONGEST_SERIES, Set, Unfit, is_measurement};
pub use verdict::Verdict;
