//! Which flows there are, and how a flow can end.

use std::fmt;

use crate::delegation::reason;

/// The two ways to give a delegate its account (sections 5.2.1 and 5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approach {
    /// The delegating server writes the delegate's DMAcc.
    DmAcc,
    /// The device fetches it from the delegate's bootstrap server.
    Url,
}

/// The three ways to end a delegation (sections 5.2.3 to 5.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revocation {
    Asked,
    Requested,
    /// `notice`: whether the delegate is told afterwards (5.2.5.3, MAY).
    Forced {
        notice: bool,
    },
}

/// One kind of flow: the key of `flows` in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowKind {
    Delegate { approach: Approach, is_full: bool, by_delegated: bool },
    Revoke(Revocation),
}

impl FlowKind {
    /// Every kind that the summary tells apart, in its order. A forced revocation is one kind, with or without notice.
    pub fn all() -> impl Iterator<Item = FlowKind> {
        let delegations = [Approach::DmAcc, Approach::Url].into_iter().flat_map(|approach| {
            [(false, false), (false, true), (true, false), (true, true)]
                .map(|(is_full, by_delegated)| FlowKind::Delegate { approach, is_full, by_delegated })
        });
        delegations.chain(
            [Revocation::Asked, Revocation::Requested, Revocation::Forced { notice: true }].map(FlowKind::Revoke),
        )
    }
}

/// `delegate.<dmacc|url>[.full][.by_delegated]`, `revoke.asked`, `revoke.requested`, `revoke.forced`.
impl fmt::Display for FlowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlowKind::Delegate { approach, is_full, by_delegated } => {
                f.write_str(match approach {
                    Approach::DmAcc => "delegate.dmacc",
                    Approach::Url => "delegate.url",
                })?;
                f.write_str(if *is_full { ".full" } else { "" })?;
                f.write_str(if *by_delegated { ".by_delegated" } else { "" })
            }
            FlowKind::Revoke(Revocation::Asked) => f.write_str("revoke.asked"),
            FlowKind::Revoke(Revocation::Requested) => f.write_str("revoke.requested"),
            FlowKind::Revoke(Revocation::Forced { .. }) => f.write_str("revoke.forced"),
        }
    }
}

/// How a flow ended, by whose doing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It reached its end.
    Done,
    /// A party said no, with this reasonCode: nothing was changed.
    Refused { reason: u16 },
    /// The peer broke the protocol.
    Misbehaved { rule: &'static str },
    /// A peer or the device could not be reached.
    Unreachable { phase: &'static str },
    /// A timer fired at this step; what had been done was undone.
    TooLate { step: &'static str },
    /// It failed with this reasonCode, and everything done was undone.
    Undone { reason: u16 },
    /// It failed, and could not be undone.
    Stranded { reason: u16 },
    /// A party of ours died under it.
    Lost,
}

impl Outcome {
    /// The keys of a flow's row in the summary, in its order.
    pub const KEYS: [&'static str; 8] =
        ["done", "refused", "undone", "too_late", "unreachable", "misbehaved", "stranded", "lost"];

    /// Its key in the summary, and the word a journey uses to expect it.
    pub fn key(&self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused { .. } => "refused",
            Outcome::Undone { .. } => "undone",
            Outcome::TooLate { .. } => "too_late",
            Outcome::Unreachable { .. } => "unreachable",
            Outcome::Misbehaved { .. } => "misbehaved",
            Outcome::Stranded { .. } => "stranded",
            Outcome::Lost => "lost",
        }
    }

    /// The reasonCode that tells a peer of this outcome.
    pub fn reason_code(&self) -> u16 {
        match self {
            Outcome::Done => reason::OK,
            Outcome::Refused { reason } | Outcome::Undone { reason } | Outcome::Stranded { reason } => *reason,
            Outcome::TooLate { .. } | Outcome::Unreachable { .. } => reason::TIMED_OUT,
            Outcome::Misbehaved { .. } => 400,
            Outcome::Lost => reason::SERVER_FAILURE,
        }
    }
}

/// The key, and what it carries.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())?;
        match self {
            Outcome::Refused { reason } | Outcome::Undone { reason } | Outcome::Stranded { reason } => {
                write!(f, " ({reason})")
            }
            Outcome::Misbehaved { rule } => write!(f, " ({rule})"),
            Outcome::Unreachable { phase } => write!(f, " ({phase})"),
            Outcome::TooLate { step } => write!(f, " ({step})"),
            Outcome::Done | Outcome::Lost => Ok(()),
        }
    }
}
