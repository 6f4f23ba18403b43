//! A finished run as data, and its folder.
//!
//! | file | its job |
//! |---|---|
//! | [`folder`] | the folder of one run: made before the load starts, filled as it goes |
//! | [`search`] | the folder of one search, with a folder for each finding |
//! | [`finding`] | `finding.toml`: what broke, and how to see it again |
//! | [`manifest`] | `run.json`: what was run, where, when, and what it came to |
//! | [`utc`] | a moment of the wall clock as text, for people and for file names |

pub mod finding;
pub mod folder;
pub mod manifest;
pub mod search;
pub mod utc;

pub use finding::{FindingError, FindingFile};
pub use folder::{FolderError, RunFolder};
pub use manifest::{HostFacts, RunManifest};
pub use search::SearchFolder;
