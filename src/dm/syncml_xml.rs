//! SyncML packages as XML: [`write()`] in the order of the DTD, [`read()`] in any order.
//!
//! What is written satisfies the pickiest clients in the field: every child of a Meta declares its own namespace, only
//! the five named entities are used, Add and Replace always hold a Data. What is read may lack namespaces, use other
//! prefixes, orders and quotes, and hold elements nobody knows.

mod cursor;
mod read;
mod size;
#[cfg(test)]
mod tests;
mod write;

pub use read::read;
pub use size::{fits, size};
pub use write::write;

/// How deep elements may be nested; a management tree inside Data counts too.
pub const MAX_DEPTH: usize = 64;

/// Why a text is not a SyncML message. `at` is the byte at which it was noticed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncmlError {
    #[error("byte {at}: in <{element}>: not well-formed XML: {why}")]
    NotXml { at: usize, element: String, why: String },
    #[error("byte {at}: the text ends inside <{element}>")]
    Truncated { at: usize, element: String },
    #[error("byte {at}: content after the end of <SyncML>")]
    Trailing { at: usize },
    #[error("byte {at}: the root element is <{root}>, expected <SyncML>")]
    NotSyncml { at: usize, root: String },
    #[error("byte {at}: elements are nested more than {limit} deep")]
    TooDeep { at: usize, limit: usize },
    #[error("byte {at}: the DOCTYPE has definitions of its own; send it without, or leave it out")]
    Definitions { at: usize },
    #[error("byte {at}: <{parent}> has no <{element}>")]
    Missing { at: usize, parent: &'static str, element: &'static str },
    #[error("byte {at}: <{parent}> has two <{element}>")]
    Doubled { at: usize, parent: &'static str, element: &'static str },
    #[error("byte {at}: <{element}> is `{found}`, expected {expected}")]
    BadValue { at: usize, element: &'static str, expected: &'static str, found: String },
}
