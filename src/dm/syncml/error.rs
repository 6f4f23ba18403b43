//! Why bytes are not a SyncML message, whichever way they were written.

/// How deep elements may be nested; a management tree inside Data counts too.
pub const MAX_DEPTH: usize = 64;

/// Why a body is not a SyncML message. `at` is the byte at which it was noticed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncmlError {
    #[error("byte {at}: in <{element}>: not well-formed XML: {why}")]
    NotXml { at: usize, element: String, why: String },
    #[error("byte {at}: in <{element}>: not WBXML of SyncML: {why}")]
    NotWbxml { at: usize, element: String, why: String },
    #[error("byte {at}: the text ends inside <{element}>")]
    Truncated { at: usize, element: String },
    #[error("byte {at}: content after the end of <SyncML>")]
    Trailing { at: usize },
    #[error("byte {at}: the root element is <{root}>, expected <SyncML>")]
    NotSyncml { at: usize, root: String },
    #[error("byte {at}: elements are nested more than {limit} deep")]
    TooDeep { at: usize, limit: usize },
    #[error("byte {at}: the string table is repeated to more than {limit} bytes")]
    TooLong { at: usize, limit: usize },
    #[error("byte {at}: the DOCTYPE has definitions of its own; send it without, or leave it out")]
    Definitions { at: usize },
    #[error("byte {at}: <{parent}> has no <{element}>")]
    Missing { at: usize, parent: &'static str, element: &'static str },
    #[error("byte {at}: <{parent}> has two <{element}>")]
    Doubled { at: usize, parent: &'static str, element: &'static str },
    #[error("byte {at}: <{element}> is `{found}`, expected {expected}")]
    BadValue { at: usize, element: &'static str, expected: &'static str, found: String },
}
