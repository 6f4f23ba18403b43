//! What happened: records to histograms, outcomes, broken promises, our own health. No IO.
//!
//! Whoever does the work records into a [`Shard`] of its own; shards are merged and become a [`Summary`]. Nothing in
//! here grows with the number of samples, and nothing reads a clock.
//!
//! | file | its job |
//! |---|---|
//! | [`shard`] | where one thread records: plain counters and histograms, merged with others |
//! | [`outcome`] | how flows ended, and what became of messages: the counters |
//! | [`latency`] | one distribution per metric, response and service time side by side |
//! | [`wave`] | flows that are counted apart: by population, and by phase where a limit asks for it |
//! | [`timeline`] | the same run second by second |
//! | [`course`] | a run as it goes: its seconds taken together |
//! | [`expectation`] | what the author of a race expects, against what came of it |
//! | [`promise`] | what must hold in the end and at every step, judged on plain views and on facts |
//! | [`limit`] | `share(failed) = 0`: read, followed, judged |
//! | [`health`] | whether this machine kept up, so that the figures are worth something |
//! | [`capacity`] | what a machine can generate, and whether a load fits into it |
//! | [`rows`] | named rows in a fixed order, a JSON object on the outside |
//! | [`summary`] | all of it as `summary.json`, and the verdict |

pub mod capacity;
pub mod course;
pub mod expectation;
pub mod health;
pub mod latency;
pub mod limit;
pub mod outcome;
pub mod promise;
pub mod rows;
pub mod shard;
pub mod summary;
pub mod timeline;
pub mod wave;

pub use shard::{SessionSide, Shard};
pub use summary::{Summary, Verdict, summary_schema};
