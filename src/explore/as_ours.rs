//! Sessions that somebody else's servers have named, by the names that ours would have given them.

use std::collections::BTreeMap;

use crate::delegation::session_name::SessionName;
use crate::explore::premises::Premises;
use crate::facts::{Fact, What};
use crate::ids::{ServerNumber, SessionId};

/// The facts of the one device of these premises, in which each session of somebody else's server has the name that this
/// server would have given it if it were ours.
pub fn named_as_ours(premises: &Premises, facts: &[Fact]) -> Vec<Fact> {
    let device = premises.devices[0];
    let is_ours = |session: &SessionId| {
        let name = SessionName::read(session).filter(|name| name.device == device);
        name.and_then(|name| name.by).is_some_and(|by| !premises.unseen.contains(&by))
    };
    let mut names: BTreeMap<(ServerNumber, SessionId), SessionId> = BTreeMap::new();
    let mut counts: BTreeMap<ServerNumber, u32> = BTreeMap::new();
    let mut facts = facts.to_vec();
    for fact in &mut facts {
        let Some((peer, session)) = between(&mut fact.what) else { continue };
        if !premises.unseen.contains(&peer) || is_ours(session) {
            continue;
        }
        let name = names.entry((peer, session.clone())).or_insert_with(|| {
            let count = counts.entry(peer).or_default();
            *count += 1;
            SessionName { by: Some(peer), device, number: *count }.id()
        });
        *session = name.clone();
    }
    facts
}

/// With whom a session is, where a fact names one.
fn between(what: &mut What) -> Option<(ServerNumber, &mut SessionId)> {
    match what {
        What::Sent { to: peer, session, .. }
        | What::Misdirected { to: peer, session, .. }
        | What::Taken { from: peer, session, .. }
        | What::Heard { from: peer, session, .. } => Some((*peer, session.as_mut()?)),
        What::Moved { peer, session, .. } => Some((*peer, session)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::delegation::message::Kind;
    use crate::facts::Took;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn what_a_peer_has_named_is_numbered_and_what_is_ours_stays() {
        let scenario = parse("quickstart", QUICKSTART, &Overrides::default()).expect("a scenario");
        let mut premises = Premises::of(&scenario, 1).remove(0);
        let (home, partner) = (ServerNumber(0), ServerNumber(1));
        premises.unseen = vec![partner];
        let device = premises.devices[0].0;
        let taken = |session: &str| What::Taken {
            at: home,
            from: partner,
            kind: Kind::DelegationReq,
            session: Some(SessionId::new(session)),
            how: Took::New,
        };
        let facts: Vec<Fact> = ["{urn:x}", &format!("0-{device:x}-1"), "another", "{urn:x}"]
            .map(|session| Fact { at: Moment::ZERO, what: taken(session) })
            .into();
        let expected = [
            format!("1-{device:x}-1"),
            format!("0-{device:x}-1"),
            format!("1-{device:x}-2"),
            format!("1-{device:x}-1"),
        ];
        let named = named_as_ours(&premises, &facts);
        assert_eq!(named.into_iter().map(|fact| fact.what).collect::<Vec<_>>(), expected.map(|name| taken(&name)));
    }
}
