//! Commands, flags, exit codes.
//!
//! | file | its job |
//! |---|---|
//! | [`args`] | the command line as types |
//! | [`modes`] | which flags of `explore` go together |
//! | [`values`] | what flags take |
//! | [`exit`] | the table of exit codes |
//! | [`output`] | data to stdout, the rest to stderr |
//! | [`scenarios`] | from files and folders to scenarios |
//! | [`races`] | races side by side, and their table |
//! | [`findings`] | what a search has found, as folders |
//! | [`sweeps`] | the flags of windows and matrices |
//! | [`window`], [`matrix`] | `explore` with one of them |
//! | [`follow`] | `explore` of what went wrong in a run |
//! | [`run`], [`explore`], [`replay`], [`rehearse`], [`check`], [`calibrate`], [`certs`], [`schema`], [`completions`] | one command each |

pub mod args;
pub mod calibrate;
pub mod certs;
pub mod check;
pub mod completions;
pub mod exit;
pub mod explore;
pub mod findings;
pub mod follow;
pub mod matrix;
pub mod modes;
pub mod output;
pub mod races;
pub mod rehearse;
pub mod replay;
pub mod run;
pub mod scenarios;
pub mod schema;
pub mod sweeps;
pub mod values;
pub mod window;
