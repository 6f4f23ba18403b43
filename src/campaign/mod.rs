//! Many runs of one scenario, and what they come to together.
//!
//! | file | its job |
//! |---|---|
//! | [`mod@file`] | a campaign file, or every problem in it |
//! | [`matrix`] | from axes, single cells and exclusions to cells |
//! | [`order`] | in which order the runs come, and which are missing |
//! | [`cells`] | the scenario of each cell |
//! | [`walk`] | the runs one after the other, saved after each |

pub mod cells;
pub mod file;
pub mod matrix;
pub mod order;
pub mod walk;
