//! XML that is not as it should be: each mutation by its name, as a change of a message's bytes.

/// One way to spoil a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// `truncated`: the last third is missing.
    Truncated,
}
