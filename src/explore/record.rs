//! What was seen of a device over HTTPS, taken apart by who noted it: everybody's facts have an order, and facts of
//! different parties may have come about in any order.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::clock::Moment;
use crate::delegation::flow::Outcome;
use crate::delegation::message::Kind;
use crate::explore::premises::Premises;
use crate::facts::{Fact, Heard, What};
use crate::faults::rule::Action;
use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// Who notes facts one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    Server(ServerNumber),
    Device,
    /// The copies of one message on their way out. A pause or a gate may hold them back while their sender goes on.
    Door(Letter),
}

/// A message as facts name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    pub from: ServerNumber,
    pub to: ServerNumber,
    pub kind: Kind,
    pub session: Option<SessionId>,
}

/// The facts of a device, by whose they are.
pub struct Record<'f> {
    pub facts: &'f [Fact],
    premises: &'f Premises,
    device: DeviceNumber,
    /// The indices of everybody's facts, in order.
    by_party: Vec<(Party, Vec<usize>)>,
}

/// How far everybody's facts have been found again, in the order of the parties.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(SmallVec<[u16; 16]>);

/// What comes next in the record is something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// How many facts are those of the record before, and when the first of them was noted.
    pub agrees: usize,
    pub first: Option<Moment>,
    /// The fact that is not.
    pub what: What,
    /// The index of the recorded one that stands in the place; `None` where there is none any more.
    pub recorded: Option<usize>,
}

impl<'f> Record<'f> {
    /// Of the one device of these premises. What the journey and the faults note is nobody's doing, and is left out; so is
    /// what somebody else's server does, for nobody could have noted it.
    pub fn new(premises: &'f Premises, facts: &'f [Fact]) -> Record<'f> {
        let mut by_party: BTreeMap<Party, Vec<usize>> = BTreeMap::new();
        for (index, fact) in facts.iter().enumerate() {
            if let Some(party) = noted_by(&fact.what, premises) {
                by_party.entry(party).or_default().push(index);
            }
        }
        Record { facts, premises, device: premises.devices[0], by_party: by_party.into_iter().collect() }
    }

    /// Whether somebody notes a fact like this.
    pub fn is_noted(&self, what: &What) -> bool {
        noted_by(what, self.premises).is_some()
    }

    /// Whether nobody notes what a server does: it is somebody else's.
    pub fn is_unseen(&self, server: ServerNumber) -> bool {
        self.premises.unseen.contains(&server)
    }

    /// The beginning.
    pub fn beginning(&self) -> Place {
        Place(self.by_party.iter().map(|_| 0).collect())
    }

    /// How many facts there are to find.
    pub fn len(&self) -> usize {
        self.by_party.iter().map(|(_, facts)| facts.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.by_party.is_empty()
    }

    /// Whether all of them have been found.
    pub fn is_end(&self, place: &Place) -> bool {
        place.found() == self.len()
    }

    /// The index of what somebody noted next.
    pub fn next(&self, place: &Place, party: &Party) -> Option<usize> {
        let at = self.by_party.binary_search_by(|(known, _)| known.cmp(party)).ok()?;
        self.by_party[at].1.get(usize::from(place.0[at])).copied()
    }

    /// The indices of what everybody noted next, in their order.
    pub fn all_next(&self, place: &Place) -> Vec<usize> {
        let next = self.by_party.iter().zip(&place.0).filter_map(|((_, facts), at)| facts.get(usize::from(*at)));
        let mut next: Vec<usize> = next.copied().collect();
        next.sort_unstable();
        next
    }

    /// What is still to be found of somebody.
    pub fn ahead(&self, place: &Place, party: &Party) -> impl Iterator<Item = &What> {
        let at = self.by_party.binary_search_by(|(known, _)| known.cmp(party)).ok();
        let rest = at.map_or(&[][..], |at| &self.by_party[at].1[usize::from(place.0[at])..]);
        rest.iter().map(|index| &self.facts[*index].what)
    }

    /// Finds these facts, which come about now: whether each is what its party noted next, and when the first was noted.
    ///
    /// # Errors
    /// [`Apart`] where one is not.
    pub fn find<'a>(
        &self,
        place: &Place,
        facts: impl IntoIterator<Item = &'a (DeviceNumber, What)>,
    ) -> Result<(Place, Option<Moment>), Apart> {
        let mut place = place.clone();
        let mut first: Option<Moment> = None;
        let mut agrees = 0;
        for (_, what) in facts.into_iter().filter(|(device, _)| *device == self.device) {
            let Some(party) = noted_by(what, self.premises) else { continue };
            let at = self.by_party.binary_search_by(|(known, _)| known.cmp(&party)).ok();
            let next = at.and_then(|at| self.by_party[at].1.get(usize::from(place.0[at])).copied());
            match (at, next) {
                (Some(at), Some(next)) if is_same(what, &self.facts[next].what) => {
                    place.0[at] += 1;
                    agrees += 1;
                    // When a message leaves may have been put off.
                    let moment = self.facts[next].at;
                    if !matches!(party, Party::Door(_)) {
                        first = Some(first.map_or(moment, |first| first.min(moment)));
                    }
                }
                // Over HTTPS there is a pause before a new try, and in it what it was for may have ended.
                _ if is_again(what) && next.is_none() => {}
                // Over HTTPS a server does all that it wants in one session.
                (Some(at), Some(next)) if self.goes_on(&self.by_party[at].1, next, what) => {}
                _ => return Err(Apart { agrees, first, what: what.clone(), recorded: next }),
            }
        }
        Ok((place, first))
    }

    /// Whether the session that ends or begins here goes on in the record, where this is noted next of the device.
    fn goes_on(&self, of_device: &[usize], next: usize, what: &What) -> bool {
        match what {
            What::SessionEnded { with, in_order: true } => match &self.facts[next].what {
                What::Operated { by, .. } => by == with,
                What::Account { .. } => true,
                What::SessionEnded { with: other, .. } => other == with,
                _ => false,
            },
            What::SessionOpened { with } => {
                let before =
                    of_device.iter().rev().filter(|index| **index < next).map(|index| &self.facts[*index].what);
                let mut turns =
                    before.filter(|what| matches!(what, What::SessionOpened { .. } | What::SessionEnded { .. }));
                turns.next() == Some(&What::SessionOpened { with: *with })
            }
            _ => false,
        }
    }

    /// How many copies of a message are still to be received, and how many are still to be sent.
    pub fn traffic_ahead(&self, place: &Place, letter: &Letter) -> (usize, usize) {
        let is_meant = |what: &&What| match what {
            What::Taken { from, kind, session, .. } => {
                (*from, *kind, session) == (letter.from, letter.kind, &letter.session)
            }
            _ => false,
        };
        let received = self.ahead(place, &Party::Server(letter.to)).filter(is_meant).count();
        (received, self.ahead(place, &Party::Door(letter.clone())).count())
    }

    /// Whether the next thing at its sender is that it has waited for the answer to this try in vain.
    pub fn is_given_up(&self, place: &Place, letter: &Letter, attempt: u32) -> bool {
        let next = self.next(place, &Party::Server(letter.from)).map(|next| &self.facts[next].what);
        matches!(next, Some(What::Heard { from, kind, session, attempt: which, answer, .. }) if is_no_word(*answer)
            && (*from, *kind, session, *which) == (letter.to, letter.kind, &letter.session, attempt))
    }
}

impl Place {
    /// How many facts have been found.
    pub fn found(&self) -> usize {
        self.0.iter().map(|at| usize::from(*at)).sum()
    }
}

/// Whether something in virtual time is what was recorded. That nothing is heard of a peer has one form there, and several
/// over HTTPS; to a machine they are the same.
fn is_same(what: &What, recorded: &What) -> bool {
    match (what, recorded) {
        (What::Heard { answer: Heard::TimedOut, .. }, What::Heard { at, from, kind, session, attempt, answer }) => {
            let (at, from, kind, attempt, session) = (*at, *from, *kind, *attempt, session.clone());
            let answer = if is_no_word(*answer) { Heard::TimedOut } else { *answer };
            *what == What::Heard { at, from, kind, session, attempt, answer }
        }
        (
            What::Settled { at, peer, side, outcome: Outcome::Unreachable { .. } },
            What::Settled { at: there, peer: with, side: there_as, outcome: Outcome::Unreachable { .. } },
        ) => (at, peer, side) == (there, with, there_as),
        _ => what == recorded,
    }
}

/// Whether an answer says nothing of what became of the message.
fn is_no_word(answer: Heard) -> bool {
    matches!(answer, Heard::TimedOut | Heard::Unreachable | Heard::Unreadable | Heard::Rejected(500..))
}

fn is_again(what: &What) -> bool {
    matches!(what, What::Sent { attempt, .. } if *attempt > 1)
}

/// Whose doing it is, where somebody notes it.
fn noted_by(what: &What, premises: &Premises) -> Option<Party> {
    match what {
        What::Step { .. } | What::Fault { .. } => None,
        unseen if !premises.is_seen(unseen) => None,
        What::Sent { from, to, kind, session, .. } => {
            Some(Party::Door(Letter { from: *from, to: *to, kind: *kind, session: session.clone() }))
        }
        other => Some(other.noting_server().map_or(Party::Device, Party::Server)),
    }
}

/// What of a kind the explorer has no word for, if it is that.
pub fn beyond_words(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Killed { .. } | What::Restarted { .. } => "the death of a server",
        What::FactoryReset => "a factory reset",
        What::Misdirected { .. } => "a message that says something of another device",
        _ => return None,
    })
}

/// Whether a search knows nothing like what a fault does: it loses, doubles, holds up and breaks off, and nothing else.
pub fn is_beyond_search(action: &Action) -> bool {
    match action {
        Action::Status { status, .. } => *status < 500,
        Action::ContentType(_)
        | Action::EmptyBody
        | Action::Oversize(_)
        | Action::Xml(_)
        | Action::Session(_)
        | Action::InvertRole
        | Action::WrongPhase
        | Action::Reason(_)
        | Action::Full(_)
        | Action::RefuseWith(_)
        | Action::Fail
        | Action::Kill { .. }
        | Action::Reboot
        | Action::FactoryReset => true,
        _ => false,
    }
}
