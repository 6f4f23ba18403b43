//! How a server behaves where the specification leaves a hazard open.

use std::time::Duration;

/// A way to run a server. Both are correct readings of the specification; what differs is named beside each place that
/// asks for the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// What the text says, in its order, hazards included.
    Literal,
    /// What a careful operator would ship.
    #[default]
    Hardened,
}

impl Policy {
    pub const ALL: [Policy; 2] = [Policy::Literal, Policy::Hardened];

    /// Its word in scenarios and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Policy::Literal => "literal",
            Policy::Hardened => "hardened",
        }
    }

    /// The policy of this word.
    pub fn of(word: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.key() == word)
    }

    /// Whether nothing is said or done before what it rests on has been written to the durable store.
    pub fn waits_for_writes(self) -> bool {
        self == Policy::Hardened
    }

    /// After how long a write that has failed is tried again; `None`: by the text nobody looks whether one has succeeded.
    pub fn writes_again_after(self) -> Option<Duration> {
        match self {
            Policy::Literal => None,
            Policy::Hardened => Some(Duration::from_millis(50)),
        }
    }
}
