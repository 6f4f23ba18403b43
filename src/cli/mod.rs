//! Commands, flags, exit codes.
//!
//! | file | its job |
//! |---|---|
//! | [`examples`] | the examples in the help of the commands |
//! | [`args`] | the command line as types |
//! | [`modes`] | which flags of `explore` go together |
//! | [`values`] | what flags take |
//! | [`watchers`] | who sees how runs go while they go on |
//! | [`targets`] | what may be called beyond this machine |
//! | [`exit`] | the table of exit codes |
//! | [`output`] | data to stdout, the rest to stderr |
//! | [`telling`] | words while a run goes on |
//! | [`live`], [`keys`] | its live view on a terminal, and what its keys do |
//! | [`scenarios`] | from files and folders to scenarios |
//! | [`races`] | races side by side, and their table |
//! | [`findings`] | what a search has found, as folders |
//! | [`sweeps`] | the flags of windows and matrices |
//! | [`report_page`] | `report.html` in the folder of a run |
//! | [`window`], [`matrix`] | `explore` with one of them |
//! | [`trend`] | `runs trend` |
//! | [`follow`] | `explore` of what went wrong in a run |
//! | [`run`], [`serve`], [`conform`], [`campaign`], [`explore`], [`replay`], [`rehearse`], [`report`], [`runs`], [`compare`], [`check`], [`calibrate`], [`capacity`], [`certs`], [`schema`], [`completions`] | one command each |

pub mod args;
pub mod calibrate;
pub mod campaign;
pub mod capacity;
pub mod certs;
pub mod check;
pub mod compare;
pub mod completions;
pub mod conform;
pub mod examples;
pub mod exit;
pub mod explore;
pub mod findings;
pub mod follow;
pub mod keys;
pub mod live;
pub mod matrix;
pub mod modes;
pub mod output;
pub mod races;
pub mod rehearse;
pub mod replay;
pub mod report;
pub mod report_page;
pub mod run;
pub mod runs;
pub mod scenarios;
pub mod schema;
pub mod serve;
pub mod sweeps;
pub mod targets;
pub mod telling;
pub mod trend;
pub mod values;
pub mod watchers;
pub mod window;
