//! What has to be remembered of a device's facts to tell at once when a promise about steps may have been broken.
//!
//! The promises themselves are judged on whole stories. A search that goes through millions of stories has no time for
//! that: it keeps minutes, turn by turn, and has a story judged only where they say so. They may be wrong in one direction
//! alone: a story that breaks a promise about steps is told of, some that break none are too. Two stories with the same
//! minutes and the same parties go on alike, also for the promises.

mod reach;

use std::collections::BTreeSet;

use crate::delegation::flow::Outcome;
use crate::delegation::machine::Side;
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::dm::uri::Uri;
use crate::facts::{Heard, Took, What};
use crate::ids::{ServerNumber, SessionId};
use crate::measure::promise::Journeyed;

use super::few::Few;
use super::rights::{changes_something, in_circles, removes_accounts};
use super::sessions::{COUNTED, is_of_revocation, receiver};
use super::states::{gives_authority, is_agreed, is_handover, is_strange, is_terminal, may_follow};
use super::talk::{answer_due, is_about_what_it_says, is_success, moves_always};

/// The minutes of one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Minutes {
    owner: ServerNumber,
    /// The servers that have an account.
    accounts: Few<ServerNumber>,
    records: Few<Named, Standing>,
    ended: Few<Named>,
    /// Servers that applied something although no record of theirs had been seen, as servers do whose records are not
    /// seen at all: once one is, it counts.
    unseen: BTreeSet<ServerNumber>,
    posts: Few<Request, Post>,
    /// Which delegations the sessions of revocations are about.
    about: Few<(ServerNumber, ServerNumber, SessionId), BTreeSet<SessionId>>,
    /// Flows that have begun at one side and not ended there.
    flows: Few<(ServerNumber, ServerNumber, Side), u8>,
    /// By server and kind of errand: for how many more there is a reason.
    reasons: Few<(ServerNumber, usize), i8>,
    /// Delegates whose last flow that came to its end was a revocation; whether they were told, or have been asked for
    /// anything since.
    revoked: Few<ServerNumber, bool>,
    /// Servers that have died.
    killed: Few<ServerNumber>,
}

/// A record: where it is, with whom, the session, the side.
type Named = (ServerNumber, ServerNumber, SessionId, Side);

type Request = (ServerNumber, ServerNumber, Kind, Option<SessionId>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Standing {
    state: &'static str,
    subtree: Uri,
    is_full: bool,
    has_been_in_force: bool,
    /// Whether the peer has sent a notice without a session since it began.
    has_notice: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Post {
    requests: u8,
    applied: u8,
    meant: u8,
    good: u8,
    first: Option<Heard>,
}

impl Minutes {
    pub fn new(journeyed: &Journeyed) -> Minutes {
        let mut accounts = Few::new();
        let at_first = journeyed.bootstrapped.iter().chain([&journeyed.owner]);
        at_first.for_each(|server| accounts.insert(*server, ()));
        Minutes {
            owner: journeyed.owner,
            accounts,
            records: Few::new(),
            ended: Few::new(),
            unseen: BTreeSet::new(),
            posts: Few::new(),
            about: Few::new(),
            flows: Few::new(),
            reasons: Few::new(),
            revoked: Few::new(),
            killed: Few::new(),
        }
    }

    /// Adds what was seen in one turn of one party, and tells whether a promise about steps may have been broken by it.
    pub fn add(&mut self, turn: &[&What], policy: Policy) -> bool {
        let mut is_suspect = false;
        let mut just_left = None;
        // What a server has on record when it stands again it has found in its store.
        let is_restart = turn.iter().any(|what| matches!(what, What::Restarted { .. }));
        // Only what ends asks where it stood.
        let settles = turn.iter().any(|what| matches!(what, What::Settled { .. }));
        let standing = self.records.iter().filter(|_| settles);
        let before: Vec<(Named, &'static str)> =
            standing.map(|(named, standing)| (named.clone(), standing.state)).collect();
        for what in turn {
            is_suspect |= match what {
                What::Sent { from, to, kind, session, attempt: 1 } => {
                    self.sent((*from, *to, *kind, session.clone()), turn)
                }
                What::Taken { at, from, kind, session, how } => {
                    self.taken((*from, *at, *kind, session.clone()), *how, turn)
                }
                What::Heard { at, from, kind, session, answer, .. } => {
                    self.heard((*at, *from, *kind, session.clone()), *answer)
                }
                What::Moved { .. } => self.moved(what, policy, is_restart),
                What::Killed { at } => self.killed(*at),
                What::Restarted { at } => {
                    // It may do its last errand again.
                    (0..COUNTED.len()).for_each(|counted| *self.reasons.or_default((*at, counted)) += 1);
                    false
                }
                What::Joined { at, peer, side } => {
                    *self.flows.or_default((*at, *peer, *side)) += 1;
                    false
                }
                What::Settled { at, peer, side, outcome } => self.settled((*at, *peer, *side), outcome, turn, &before),
                What::ErrandEnded { at, errand, failure: None } => {
                    let counted = COUNTED.iter().position(|counted| counted.errands.contains(errand));
                    counted.is_some_and(|counted| {
                        let reasons = self.reasons.or_default((*at, counted));
                        *reasons -= 1;
                        *reasons < 0
                    })
                }
                What::Account { of, is_there } => {
                    if *is_there {
                        self.accounts.insert(*of, ());
                    } else {
                        self.accounts.remove(of);
                        just_left = Some(*of);
                    }
                    false
                }
                What::Operated { by, verb, target, code: 200..=212 } if changes_something(verb) => {
                    let is_leaving = just_left.take_if(|left| left == by).is_some() && removes_accounts(verb, target);
                    !self.accounts.contains(by) && !is_leaving
                }
                _ => false,
            };
        }
        is_suspect | self.has_two_of_one_kind(turn)
    }

    /// What is known of the device's journey, for the promises about the end.
    pub fn journeyed(&self, at_first: &Journeyed) -> Journeyed {
        let untold = self.revoked.iter().filter(|(_, told)| !**told);
        Journeyed {
            revoked: self.revoked.keys().copied().collect(),
            unannounced: untold.map(|(delegate, _)| *delegate).collect(),
            ..at_first.clone()
        }
    }

    /// Whether a flow has begun at some side and not ended there.
    pub fn has_open_flows(&self) -> bool {
        self.flows.iter().any(|(_, open)| *open > 0)
    }

    fn sent(&mut self, request: Request, turn: &[&What]) -> bool {
        let (from, to, kind, session) = request.clone();
        self.posts.or_default(request).requests += 1;
        let Some(session) = session else {
            let theirs = self.records.iter_mut().filter(|((at, peer, ..), _)| (*at, *peer) == (to, from));
            theirs.for_each(|(_, standing)| standing.has_notice = true);
            return false;
        };
        if opens_a_revocation(kind) {
            let meant = moves(turn).filter(|(named, state)| {
                (named.0, named.1) == (from, to) && matches!(*state, "ExpectTerminationAck" | "ExpectRevoked")
            });
            let meant: Vec<SessionId> = meant.map(|(named, _)| named.2).collect();
            self.about.or_default(pair(from, to, &session)).extend(meant);
        }
        let speaker = receiver(kind).map(Side::opposite);
        self.is_past((from, to, &session), speaker, kind)
    }

    /// What was given to a server comes before what followed from it: nothing of this turn has moved yet.
    fn taken(&mut self, request: Request, how: Took, turn: &[&What]) -> bool {
        let (from, at, kind, session) = request.clone();
        let post = self.posts.or_default(request);
        if matches!(how, Took::New | Took::Copy) {
            post.meant += 1;
        }
        match how {
            Took::Copy => return false,
            Took::Rejected(why) => return post.applied > 0 && post.requests < 2 && is_about_what_it_says(why),
            Took::New => post.applied += 1,
        }
        let is_again = session.is_some() && post.applied > post.requests.max(1);
        let has_effect = moves(turn).next().is_some();
        let reaches_too_far = moves(turn).any(|(named, state)| {
            let standing = self.records.get(&named);
            named.1 != from
                || match &session {
                    // One that ends and begins anew in this turn has begun behind every notice.
                    None => {
                        standing.is_none_or(|standing| !standing.has_notice)
                            || moves(turn).filter(|(other, _)| *other == named).count() > 1
                    }
                    Some(session) if *session == named.2 => kind == Kind::DelegationFailure && self.has_twin(&named),
                    Some(session) => !self.may_reach((from, at, kind, session), &named, standing, state, turn),
                }
        });
        let has_no_effect = moves_always(kind) && !has_effect;
        let mut is_suspect = is_again || reaches_too_far || has_no_effect;
        let mut is_strange = has_no_effect;
        if let Some(side) = receiver(kind) {
            let is_in_other_role = moves(turn)
                .any(|(named, state)| named.3 != side && !(kind == Kind::DelegationConfirmed && state == "Over"));
            let is_known = self.records.keys().any(|(holder, peer, name, other)| {
                (*holder, *peer, *other) == (at, from, side)
                    && (is_of_revocation(kind) || Some(name) == session.as_ref())
            });
            is_suspect |= is_in_other_role || !is_known;
            is_strange |= !is_known;
        }
        if is_strange && !self.has_shown_moves(at) {
            self.unseen.insert(at);
        }
        let Some(session) = session else { return is_suspect };
        if opens_a_revocation(kind) {
            let meant = moves(turn).filter(|(named, state)| named.1 == from && *state != "Over");
            let meant: Vec<SessionId> = meant.map(|(named, _)| named.2).collect();
            self.about.or_default(pair(at, from, &session)).extend(meant);
        }
        let is_refusal = kind == Kind::DelegationReq && !has_effect;
        is_suspect | (!is_refusal && self.is_past((at, from, &session), receiver(kind), kind))
    }

    fn heard(&mut self, request: Request, answer: Heard) -> bool {
        let due = answer_due(request.2);
        let has_crossed = self.crossed_the_end(&request);
        let fits = match answer {
            Heard::Message(found) => due == Some(found),
            Heard::NoContent => due.is_none(),
            _ => true,
        };
        if !is_success(answer) {
            return !fits;
        }
        let post = self.posts.or_default(request);
        let is_other = *post.first.get_or_insert(answer) != answer;
        post.good += u8::from(!has_crossed);
        !fits || is_other || post.good > post.meant
    }

    /// Whether a notice of failure has met a session that its receiver had ended.
    fn crossed_the_end(&self, (from, to, kind, session): &Request) -> bool {
        let is_theirs = |named: &&Named| (named.0, named.1) == (*to, *from);
        let mut ended = self.ended.keys().filter(is_theirs);
        match kind {
            Kind::DelegationFailure => ended.any(|(_, _, name, _)| Some(name) == session.as_ref()),
            Kind::RevocationFailure => {
                let mut open = self.records.iter().filter(|(named, _)| is_theirs(named));
                ended.next().is_some() || open.any(|(_, standing)| is_terminal(standing.state))
            }
            _ => false,
        }
    }

    /// Whether anything of a server's records was seen.
    fn has_shown_moves(&self, server: ServerNumber) -> bool {
        self.records.keys().chain(self.ended.keys()).any(|named| named.0 == server)
    }

    /// Its records go, and its flows, for which nobody waits any more: what is on record after that is another record.
    fn killed(&mut self, server: ServerNumber) -> bool {
        let lost: Vec<Named> = self.records.keys().filter(|named| named.0 == server).cloned().collect();
        for named in lost {
            self.records.remove(&named);
            self.ended.insert(named, ());
        }
        let open: Vec<_> = self.flows.keys().filter(|flow| flow.0 == server).copied().collect();
        open.iter().for_each(|flow| self.flows.remove(flow));
        self.killed.insert(server, ());
        false
    }

    fn moved(&mut self, what: &What, policy: Policy, is_restart: bool) -> bool {
        let What::Moved { at, peer, side, session, subtree, state, is_full } = what else { return false };
        let named = (*at, *peer, session.clone(), *side);
        let known = self.records.get(&named);
        let from = known.map(|standing| standing.state);
        let is_restored = is_restart && from.is_none();
        let mut is_suspect = !is_restored && !is_strange(state) && !may_follow(*side, policy, from, state);
        is_suspect |= self.unseen.remove(at);
        // Who is not the owner, or has given everything away, may have had no authority to hand on.
        let begins = from.is_none() && !is_restored && *side == Side::Delegating && is_handover(*side, state);
        is_suspect |= begins && (*at != self.owner || self.has_given_all(*at));
        for (counted, one) in COUNTED.iter().enumerate() {
            if !is_restored && (one.states.contains(state) || is_strange(state)) {
                *self.reasons.or_default((*at, counted)) += 1;
            }
        }
        let enters = *state == "AtRest" && from.is_some_and(|from| is_handover(*side, from));
        is_suspect |= enters && known.is_some_and(|standing| standing.has_been_in_force);
        if *state == "Over" {
            self.records.remove(&named);
            self.ended.insert(named, ());
        } else {
            let standing = self.records.or_insert_with(named, || Standing {
                state,
                subtree: subtree.clone(),
                is_full: *is_full,
                has_been_in_force: false,
                // What was found in a store may have begun before any notice.
                has_notice: is_restored,
            });
            standing.state = state;
            standing.is_full = *is_full;
            standing.has_been_in_force |= enters;
        }
        is_suspect || self.delegates_without_authority(*at)
    }

    fn has_given_all(&self, server: ServerNumber) -> bool {
        self.in_force().any(|(named, standing)| named.0 == server && standing.is_full)
    }

    /// The delegations that are in force at whom they come from.
    fn in_force(&self) -> impl Iterator<Item = (&Named, &Standing)> {
        self.records.iter().filter(|(named, standing)| named.3 == Side::Delegating && standing.state == "AtRest")
    }

    /// Whether a server that has just moved a record delegates what it does not hold itself, or what came from it.
    fn delegates_without_authority(&self, at: ServerNumber) -> bool {
        let ours: Vec<(&Named, &Standing)> = self.in_force().filter(|(named, _)| named.0 == at).collect();
        let holds = |subtree: &Uri| {
            self.records.iter().any(|((holder, _, _, side), standing)| {
                (*holder, *side) == (at, Side::Delegated)
                    && standing.subtree.covers(subtree)
                    && (gives_authority(standing.state) || standing.state == "ExpectConfirmedAnswered")
            })
        };
        ours.iter().any(|(_, standing)| at != self.owner && !holds(&standing.subtree)) || {
            let all: Vec<(&Named, &Standing)> = self.in_force().collect();
            !ours.is_empty()
                && !in_circles(&all, |one, other| one.0.1 == other.0.0 && one.1.subtree.overlaps(&other.1.subtree))
                    .is_empty()
        }
    }

    fn settled(
        &mut self,
        flow: (ServerNumber, ServerNumber, Side),
        outcome: &Outcome,
        turn: &[&What],
        before: &[(Named, &'static str)],
    ) -> bool {
        let (_, peer, side) = flow;
        let mut ended = moves(turn).filter(|(named, state)| (named.0, named.1, named.3) == flow && *state == "Over");
        match (side, outcome, ended.next()) {
            // Nothing has been begun.
            (Side::Delegated, ..) | (_, Outcome::Refused { .. }, _) => {}
            (_, Outcome::Done, None) => {
                self.revoked.remove(&peer);
            }
            // Without notice (5.2.5.3) it is over as soon as the account has gone.
            (_, Outcome::Done, Some((named, _))) => {
                self.revoked.insert(peer, before.contains(&(named, "ExpectRevokedAnswered")));
            }
            _ => {
                if self.revoked.contains(&peer) {
                    self.revoked.insert(peer, true);
                }
            }
        }
        let open = self.flows.or_default(flow);
        let is_known = *open > 0;
        *open = open.saturating_sub(1);
        // Who has died may end what it was not seen to begin.
        !is_known && !self.killed.contains(&flow.0)
    }

    /// Whether the server of this turn has two delegations under way or in force of which there may be one.
    fn has_two_of_one_kind(&self, turn: &[&What]) -> bool {
        let Some(at) = moves(turn).next().map(|(named, _)| named.0) else { return false };
        let agreed = self
            .records
            .iter()
            .filter(|((holder, _, _, side), standing)| *holder == at && is_agreed(*side, standing.state));
        let agreed: Vec<_> = agreed.collect();
        agreed.iter().enumerate().any(|(place, ((_, peer, _, side), one))| {
            agreed[place + 1..].iter().any(|((_, other_peer, _, other_side), other)| {
                (peer, side) == (other_peer, other_side) && one.subtree.overlaps(&other.subtree)
            })
        })
    }
}

fn opens_a_revocation(kind: Kind) -> bool {
    matches!(kind, Kind::DelegationTerminationReq | Kind::DelegationRevocationReq)
}

fn pair(one: ServerNumber, other: ServerNumber, session: &SessionId) -> (ServerNumber, ServerNumber, SessionId) {
    (one.min(other), one.max(other), session.clone())
}

/// The records that move in a turn, and to which state.
fn moves<'a>(turn: &'a [&'a What]) -> impl Iterator<Item = (Named, &'static str)> + 'a {
    turn.iter().filter_map(|what| match what {
        What::Moved { at, peer, side, session, state, .. } => Some(((*at, *peer, session.clone(), *side), *state)),
        _ => None,
    })
}
