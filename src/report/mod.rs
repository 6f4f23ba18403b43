//! A result in, text out; never measures, never decides.
//!
//! | file | its job |
//! |---|---|
//! | [`terminal`] | a summary for people |
//! | [`live`] | a run under way: drawn on a terminal, or a line for pipes |
//! | [`table`] | columns that line up |
//! | [`figures`] | numbers with their units, short enough to read |
//! | [`metrics`] | what a summary has to tell to those who gather metrics |
//! | [`prometheus`], [`otlp`] | the same as Prometheus scrapes it, and as it is pushed to a collector of OpenTelemetry |
//! | [`catalogue`] | runs as a table |
//! | [`comparison`] | two sets of runs beside each other: tables, a page, data for programs |
//! | [`development`] | when figures of a scenario changed |
//! | [`json`] | a summary for programs |
//! | [`way`] | who sends which message to whom, and in which order |
//! | [`grid`] | the columns of a drawing over time |
//! | [`window`], [`matrix`] | an outcome against an offset; outcomes against two timeouts and a delay |
//! | [`following`] | what came of following a device of a run through virtual time |
//! | [`calibration`] | what a machine can generate, and what a load needs of it |
//! | `frame` | what every page has in common |
//! | [`finding`] | a story in which a promise broke, as pictures |
//! | [`run_page`] | the report of a run, as one HTML file |
//! | [`capacity`] | the highest load that kept every limit, and the sub-trials behind it |
//! | [`conformance`] | what a peer was found to do, item by item |
//! | [`campaign`] | many runs of one scenario, side by side |

pub mod calibration;
pub mod campaign;
pub mod capacity;
pub mod catalogue;
pub mod comparison;
pub mod conformance;
pub mod development;
pub mod figures;
pub mod finding;
pub mod following;
mod frame;
pub mod grid;
pub mod json;
pub mod live;
pub mod matrix;
pub mod metrics;
pub mod otlp;
pub mod prometheus;
pub mod run_page;
pub mod search;
pub mod table;
pub mod terminal;
pub mod way;
pub mod window;
