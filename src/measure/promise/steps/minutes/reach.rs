//! Which records a message may move, and which sessions are past it.

use super::{Minutes, Named, Standing, moves, pair};
use crate::delegation::machine::Side;
use crate::delegation::message::Kind;
use crate::facts::What;
use crate::ids::{ServerNumber, SessionId};
use crate::measure::promise::steps::sessions::is_of_revocation;
use crate::measure::promise::steps::states::is_terminal;
use crate::measure::promise::steps::talk::is_of_handover;

impl Minutes {
    /// Whether what has failed at the peer may be another delegation of the same name, in the opposite roles.
    pub(super) fn has_twin(&self, (at, peer, session, side): &Named) -> bool {
        let at_peer = |side: Side| (*peer, *at, session.clone(), side);
        let (twin, counterpart) = (at_peer(*side), at_peer(side.opposite()));
        let has_failed = |standing: &Standing| matches!(standing.state, "ExpectUndone" | "ExpectEnded");
        let is_known = self.records.contains(&counterpart) || self.ended.contains(&counterpart);
        is_known && (self.ended.contains(&twin) || self.records.get(&twin).is_some_and(has_failed))
    }

    pub(super) fn may_reach(
        &self,
        (from, at, kind, session): (ServerNumber, ServerNumber, Kind, &SessionId),
        named: &Named,
        standing: Option<&Standing>,
        to: &str,
        turn: &[&What],
    ) -> bool {
        let state = standing.map(|standing| standing.state);
        let is_dropped_in_force = matches!(state, Some("AtRest" | "ExpectConfirmedAnswered")) && to == "Over";
        match kind {
            Kind::DelegationReq => named.3 == Side::Delegated && to == "Over",
            Kind::DelegationConfirmed => {
                is_dropped_in_force && moves(turn).any(|(other, _)| other.2 == *session && other.3 != named.3)
            }
            kind if is_of_revocation(kind) => match self.about.get(&pair(at, from, session)) {
                None => true,
                Some(meant) if meant.is_empty() || meant.contains(&named.2) => true,
                Some(meant) => {
                    is_dropped_in_force && moves(turn).any(|(other, state)| state == "Over" && meant.contains(&other.2))
                }
            },
            _ => false,
        }
    }

    /// Whether a message of this session comes after its end.
    pub(super) fn is_past(
        &self,
        (at, peer, session): (ServerNumber, ServerNumber, &SessionId),
        side: Option<Side>,
        kind: Kind,
    ) -> bool {
        if matches!(kind, Kind::DelegationFailure | Kind::RevocationFailure) {
            return false;
        }
        let sides = [Side::Delegating, Side::Delegated].into_iter().filter(|one| side.is_none_or(|side| side == *one));
        let mut found = sides.filter_map(|side| {
            let named = (at, peer, session.clone(), side);
            let open = self.records.get(&named).map(|standing| standing.state);
            open.or_else(|| self.ended.contains(&named).then_some("Over"))
        });
        let past = |state: &str| state == "Over" || is_terminal(state) && is_of_handover(kind);
        found.next().is_some_and(|first| past(first) && found.all(past))
    }
}
