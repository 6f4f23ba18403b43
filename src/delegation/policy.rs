//! How a server behaves where the specification leaves a hazard open.

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
    /// Its word in scenarios and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Policy::Literal => "literal",
            Policy::Hardened => "hardened",
        }
    }
}
