//! How flows ended, and what became of messages: the counters.

use std::ops::AddAssign;

use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::message::Kind;

/// How many kinds of flow the summary tells apart.
pub const FLOW_KINDS: usize = 11;

/// The place of a kind in [`FlowKind::all`].
pub fn flow_slot(kind: FlowKind) -> usize {
    match kind {
        FlowKind::Delegate { approach, is_full, by_delegated } => {
            let first = match approach {
                Approach::DmAcc => 0,
                Approach::Url => 4,
            };
            first + 2 * usize::from(is_full) + usize::from(by_delegated)
        }
        FlowKind::Revoke(Revocation::Asked) => 8,
        FlowKind::Revoke(Revocation::Requested) => 9,
        FlowKind::Revoke(Revocation::Forced { .. }) => 10,
    }
}

/// Whether a message travels as the answer to another one, so that both together are one exchange (section 5.3).
pub fn rides_in_an_answer(kind: Kind) -> bool {
    matches!(kind, Kind::DelegationResp | Kind::BootstrapSrvUrlDelivery | Kind::DelegationTerminationAck)
}

/// One number per way to end, in the order of [`Outcome::KEYS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByOutcome([u64; Outcome::KEYS.len()]);

impl ByOutcome {
    /// Counts one more under an outcome's key.
    ///
    /// # Panics
    /// When it is not a key of [`Outcome::KEYS`]; keys come from there, never from a file or a peer.
    pub fn count(&mut self, key: &str) {
        let slot = Outcome::KEYS.iter().position(|known| *known == key);
        self.0[slot.expect("an outcome's key")] += 1;
    }

    /// How many there are under a key; zero under a key that is none.
    pub fn get(&self, key: &str) -> u64 {
        self.iter().find(|(known, _)| *known == key).map_or(0, |(_, count)| count)
    }

    /// Every key with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Outcome::KEYS.into_iter().zip(self.0)
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl AddAssign for ByOutcome {
    fn add_assign(&mut self, other: ByOutcome) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

/// What became of the flows of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowCount {
    pub started: u64,
    /// How they ended.
    pub ended: ByOutcome,
    /// How their journeys expected them to end, counted when they started.
    pub expected: ByOutcome,
    /// Flows that ended as their own journey expected. Not derivable from the two above: those are sums.
    pub as_expected: u64,
}

impl FlowCount {
    /// The started flows whose outcome is not the one their journey expects; one that never ended has none.
    pub fn failed(&self) -> u64 {
        self.started.saturating_sub(self.as_expected)
    }

    /// Those of them that have ended.
    pub fn ended_unexpectedly(&self) -> u64 {
        self.ended.total() - self.as_expected
    }
}

impl AddAssign for FlowCount {
    fn add_assign(&mut self, other: FlowCount) {
        self.started += other.started;
        self.ended += other.ended;
        self.expected += other.expected;
        self.as_expected += other.as_expected;
    }
}

/// What became of the messages of one kind, counted at the side that sends them (`duplicated`, `unexpected`, `late`: at
/// the side that receives them).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageCount {
    pub sent: u64,
    pub answered: u64,
    pub duplicated: u64,
    pub unexpected: u64,
    pub timed_out: u64,
    pub late: u64,
    pub lost: u64,
}

impl AddAssign for MessageCount {
    fn add_assign(&mut self, other: MessageCount) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.duplicated += other.duplicated;
        self.unexpected += other.unexpected;
        self.timed_out += other.timed_out;
        self.late += other.late;
        self.lost += other.lost;
    }
}

/// Attempts that went well, and those that did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub ok: u64,
    pub failed: u64,
}

impl Tally {
    /// Counts one attempt.
    pub fn count(&mut self, ok: bool) {
        if ok {
            self.ok += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.ok += other.ok;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_flow_has_the_slot_of_its_place() {
        let slots: Vec<usize> = FlowKind::all().map(flow_slot).collect();
        assert_eq!(slots, (0..FLOW_KINDS).collect::<Vec<_>>());
        let silent = FlowKind::Revoke(Revocation::Forced { notice: false });
        assert_eq!(flow_slot(silent), 10, "a forced revocation is one kind, with or without notice");
    }

    #[test]
    fn a_flow_without_an_outcome_has_failed() {
        let mut count = FlowCount { started: 3, ..FlowCount::default() };
        count.as_expected = 1;
        count.ended.count("done");
        count.ended.count("refused");
        assert_eq!(count.failed(), 2);
        assert_eq!(count.ended.total(), 2);
        assert_eq!((count.ended.get("done"), count.ended.get("lost"), count.ended.get("no such key")), (1, 0, 0));
    }
}
