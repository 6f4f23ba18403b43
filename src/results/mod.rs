//! A finished run as data, and its folder.
//!
//! | file | its job |
//! |---|---|
//! | [`folder`] | the folder of one run: made before the load starts, filled as it goes |
//! | [`search`] | the folder of one search, with a folder for each finding |
//! | [`finding`] | `finding.toml`: what broke, and how to see it again |
//! | [`recorded`] | what is read back from a run's folder: its scenario, and what was seen of devices |
//! | [`dossier`] | a run as its report needs it, read back from its folder |
//! | [`manifest`] | `run.json`: what was run, where, when, and what it came to |
//! | [`events`] | what happened, a line each |
//! | [`latency_log`] | distributions in the forms that the tools of HdrHistogram read |
//! | [`junit`] | limits and promises as test cases |
//! | [`conformance`] | what a peer was found to do, item by item |
//! | [`capacity`] | what a search for a capacity has found, with every sub-trial behind it |
//! | [`campaign`] | many runs of one scenario, and the folder that they lie in |
//! | [`stored`] | single files of a run's folder, read back as they are |
//! | [`catalogue`] | the runs below one folder: found, listed, tagged, removed |
//! | [`utc`] | a moment of the wall clock as text, for people and for file names |

pub mod campaign;
pub mod capacity;
pub mod catalogue;
pub mod conformance;
pub mod dossier;
pub mod events;
pub mod finding;
pub mod folder;
pub mod junit;
pub mod latency_log;
pub mod manifest;
pub mod recorded;
pub mod search;
pub mod stored;
pub mod utc;

pub use catalogue::{Catalogue, CatalogueError, Entry};
pub use dossier::{Dossier, DossierError};
pub use finding::{FindingError, FindingFile};
pub use folder::{FolderError, RunFolder};
pub use manifest::{HostFacts, RunManifest};
pub use recorded::{RecordError, RecordedRun, Story};
pub use search::SearchFolder;
pub use stored::{StoredError, StoredRun};
