//! Many runs of one scenario, and what they come to together.
//!
//! | file | its job |
//! |---|---|
//! | [`loads`] | a scenario under so much load |
//! | [`capacity`] | the highest load that keeps every limit, found by running |
//! | [`around`] | how a peer does below that load |
//! | [`aftermath`] | how long it takes to recover, after too much and after many revocations at once |
//! | [`recovery`] | when every limit is kept again, window by window |
//! | [`sizing`] | what a plan needs of peers, and the searches that say so |
//! | [`mod@file`] | a campaign file, or every problem in it |
//! | [`matrix`] | from axes, single cells and exclusions to cells |
//! | [`order`] | in which order the runs come, and which are missing |
//! | [`cells`] | the scenario of each cell |
//! | [`walk`] | the runs one after the other, saved after each |

pub mod aftermath;
pub mod around;
pub mod capacity;
pub mod cells;
pub mod file;
pub mod loads;
pub mod matrix;
pub mod order;
pub mod recovery;
pub mod sizing;
pub mod walk;
