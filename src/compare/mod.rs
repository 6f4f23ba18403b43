//! Sets of runs against sets of runs, and what became of a scenario over time: values out of stored runs, `statistics` over
//! them, and what may not be compared.
//!
//! | file | its job |
//! |---|---|
//! | [`metric`] | the figures of a run that can be compared, each with its unit and in which direction it improves |
//! | [`run`] | a stored run as it is compared |
//! | [`settings`] | a scenario as keys and values, and where two of them differ |
//! | [`mod@objections`] | why runs should not be compared, and what is worth a warning |
//! | [`sets`] | the answer for every metric of two sets of runs |
//! | [`distribution`] | where in a distribution of times a change is |
//! | [`series`] | when a figure of a scenario changed |

pub mod distribution;
pub mod metric;
pub mod objections;
pub mod run;
pub mod series;
pub mod sets;
pub mod settings;

#[cfg(test)]
mod tests;

pub use distribution::{Distributions, MetricShift, shifts};
pub use metric::{Chosen, Metric, NoSuchMetric, Unit};
pub use objections::{Differing, Objection, objections, warnings};
pub use run::Run;
pub use series::{Development, Told, development};
pub use sets::{Compared, LeftOut, Row, compare};
pub use settings::{Difference, Settings};
