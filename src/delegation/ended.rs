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
    last: BTreeMap<Name, Option<Last>>,
    order: VecDeque<Name>,
    /// What has not been written yet, where there is a store.
    news: Option<Vec<News>>,
}

/// Something to be remembered, and what is left of it.
pub(super) type News = (Name, Option<Last>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    Session(SessionKey),
    /// By device, of the one message that has no session (D5).
    Notice(DeviceNumber, ServerNumber),
    /// Of a peer's process that has failed before it was known: its request may come yet.
    Failure(SessionId, ServerNumber),
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
    /// From now on what is remembered is news, to be written.
    pub fn keep_news(&mut self) {
        self.news = Some(Vec::new());
    }

    /// What has been remembered since this was asked last.
    pub fn take_news(&mut self) -> Vec<News> {
        self.news.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes over what a store is told.
    pub fn learn(&mut self, news: Vec<News>) {
        news.into_iter().for_each(|(name, last)| self.insert(name, last));
    }

    /// As if it had never been remembered.
    pub fn forget(&mut self, name: &Name) {
        if self.last.remove(name).is_some() {
            self.order.retain(|known| known != name);
        }
    }

    pub fn remember(&mut self, key: SessionKey, last: Last) {
        let refused = last.refused.filter(|_| !planted!(RefusalAnsweredAsGrant));
        self.insert(Name::Session(key), Some(Last { refused, ..last }));
    }

    /// Remembers a forced DELEGATION_REVOKED.
    pub fn remember_notice(&mut self, device: DeviceNumber, peer: ServerNumber) {
        self.insert(Name::Notice(device, peer), None);
    }

    /// Remembers a DELEGATION_FAILURE of a process that is not known.
    pub fn remember_failure(&mut self, id: SessionId, peer: ServerNumber) {
        self.insert(Name::Failure(id, peer), None);
    }

    /// Whether the peer has said of a process that was not known that it has failed.
    pub fn has_failed(&self, id: &SessionId, peer: ServerNumber) -> bool {
        self.last.contains_key(&Name::Failure(id.clone(), peer))
    }

    /// A session that this peer and we had, whoever made its name up; the one that has seen `kind` goes first.
    pub fn session(&self, id: &SessionId, peer: ServerNumber, kind: Kind) -> Option<Last> {
        let of = |initiator| self.last.get(&Name::Session((id.clone(), peer, initiator))).copied().flatten();
        let (theirs, ours) = (of(Initiator::Them), of(Initiator::Us));
        theirs.filter(|last| last.seen.contains(kind)).or(ours).or(theirs)
    }

    /// Remembers that a session that has ended has had this message as well.
    pub fn see(&mut self, id: &SessionId, peer: ServerNumber, kind: Kind) {
        for initiator in [Initiator::Them, Initiator::Us] {
            let name = Name::Session((id.clone(), peer, initiator));
            if let Some(Some(last)) = self.last.get_mut(&name) {
                last.seen.insert(kind);
                let last = *last;
                self.news.iter_mut().for_each(|news| news.push((name.clone(), Some(last))));
            }
        }
    }

    pub fn had_notice(&self, device: DeviceNumber, peer: ServerNumber) -> bool {
        self.last.contains_key(&Name::Notice(device, peer))
    }

    fn insert(&mut self, name: Name, last: Option<Last>) {
        self.news.iter_mut().for_each(|news| news.push((name.clone(), last)));
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
