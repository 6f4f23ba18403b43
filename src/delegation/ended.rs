//! Sessions that have ended, remembered for a while, so that a late copy of a message gets the same answer (D35).

use std::collections::{BTreeMap, VecDeque};

use crate::delegation::book::{Initiator, SessionKey};
use crate::delegation::message::Kind;
use crate::delegation::pact::Seen;
use crate::dm::script::planted;
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// How many names are kept. A copy that comes later than so many ended sessions finds an unknown session (404).
const REMEMBERED: usize = 8_192;

/// What ended sessions have had, the oldest forgotten first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Ended {
    last: BTreeMap<Name, Last>,
    order: VecDeque<Name>,
}

/// By session, or by device for the one message that has none (D5).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Session(SessionKey),
    Notice(DeviceNumber, ServerNumber),
}

/// What is left of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Last {
    pub device: DeviceNumber,
    pub seen: Seen,
    /// The reason, where the session was a DELEGATION_REQ that was refused.
    pub refused: Option<u16>,
}

impl Ended {
    pub fn remember(&mut self, key: SessionKey, last: Last) {
        let refused = last.refused.filter(|_| !planted!(RefusalAnsweredAsGrant));
        self.insert(Name::Session(key), Last { refused, ..last });
    }

    /// Remembers a forced DELEGATION_REVOKED.
    pub fn remember_notice(&mut self, device: DeviceNumber, peer: ServerNumber) {
        let mut seen = Seen::default();
        seen.insert(Kind::DelegationRevoked);
        self.insert(Name::Notice(device, peer), Last { device, seen, refused: None });
    }

    /// A session that this peer and we had, whoever made its name up; the one that has seen `kind` goes first.
    pub fn session(&self, id: &SessionId, peer: ServerNumber, kind: Kind) -> Option<Last> {
        let of = |initiator| self.last.get(&Name::Session((id.clone(), peer, initiator))).copied();
        let (theirs, ours) = (of(Initiator::Them), of(Initiator::Us));
        theirs.filter(|last| last.seen.contains(kind)).or(ours).or(theirs)
    }

    /// Remembers that a session that has ended has had this message as well.
    pub fn see(&mut self, id: &SessionId, peer: ServerNumber, kind: Kind) {
        for initiator in [Initiator::Them, Initiator::Us] {
            if let Some(last) = self.last.get_mut(&Name::Session((id.clone(), peer, initiator))) {
                last.seen.insert(kind);
            }
        }
    }

    pub fn had_notice(&self, device: DeviceNumber, peer: ServerNumber) -> bool {
        self.last.contains_key(&Name::Notice(device, peer))
    }

    fn insert(&mut self, name: Name, last: Last) {
        if self.last.insert(name.clone(), last).is_some() {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.last.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut ended = Ended::default();
        let key = |number: usize| (SessionId::new(format!("s{number}")), ServerNumber(1), Initiator::Them);
        let last = Last { device: DeviceNumber(0), seen: Seen::default(), refused: Some(409) };
        for number in 0..REMEMBERED + 10 {
            ended.remember(key(number), last);
        }
        let knows = |number| ended.session(&key(number).0, ServerNumber(1), Kind::DelegationReq).is_some();
        assert!(!knows(9));
        assert!(knows(10));
        assert_eq!(ended.last.len(), REMEMBERED);
    }
}
