//! What a session may touch, and how often: S6, S7, S8 and S10.

use std::collections::{BTreeMap, BTreeSet};

use crate::delegation::machine::Side;
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::facts::{Took, What};
use crate::ids::{ServerNumber, SessionId};
use crate::measure::promise::Judgement;
use crate::measure::promise::steps::Findings;
use crate::measure::promise::steps::states::{is_agreed, is_handover, is_strange};
use crate::measure::promise::steps::story::{Move, Record, Story};

/// A message that a server has applied.
#[derive(Clone, Copy)]
struct Applied<'a> {
    place: usize,
    at: ServerNumber,
    from: ServerNumber,
    kind: Kind,
    session: Option<&'a SessionId>,
}

fn applied<'a>(story: &Story<'a>) -> impl Iterator<Item = Applied<'a>> {
    story.facts().filter_map(|(place, fact)| applied_at(place, &fact.what))
}

fn applied_at(place: usize, what: &What) -> Option<Applied<'_>> {
    match what {
        What::Taken { at, from, kind, session, how: Took::New } => {
            Some(Applied { place, at: *at, from: *from, kind: *kind, session: session.as_ref() })
        }
        _ => None,
    }
}

/// S6, one live session (5.2.1.1): at no server two delegations that overlap stand next to each other with the same
/// peer and in the same role, once both have been agreed on. Looked at whenever a server has done with what it was
/// given; a request not yet answered and a delegation that has failed do not count.
pub(super) fn one_session_per_delegation(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    let mut told: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (index, one) in story.moves.iter().enumerate() {
        findings.looked = true;
        let next = story.moves[index + 1..].iter().find(|next| next.at == one.at);
        let is_last_of_turn = next.is_none_or(|next| story.cause(next.place) != story.cause(one.place));
        if !is_last_of_turn {
            continue;
        }
        let standing: Vec<(usize, &Record)> = story
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.at == one.at)
            .filter(|(_, record)| {
                story.state_at(record, one.place + 1).is_some_and(|state| is_agreed(record.side, state))
            })
            .collect();
        for (place, (first, record)) in standing.iter().enumerate() {
            for (second, other) in &standing[place + 1..] {
                let clash = (record.peer, record.side) == (other.peer, other.side)
                    && record.subtree.overlaps(other.subtree)
                    && told.insert((*first, *second));
                if clash {
                    findings.broken(format!(
                        "{} has {} and {} with {} at the same time, sessions {} and {}",
                        story.name(record.at),
                        record.subtree,
                        other.subtree,
                        story.name(record.peer),
                        record.session,
                        other.session
                    ));
                }
            }
        }
    }
    findings.judgement()
}

/// S7, no effect across sessions: what a message moves is the record of its own session with its own sender. A
/// revocation may have a session of its own (D22); which delegation that is about shows when it is opened, by its
/// sender or by its receiver, and where it did not show nothing is said. A session-less DELEGATION_REVOKED (5.3.5.1)
/// ends nothing that began after it was sent. Four things are meant to reach further: with an account all delegations
/// between the two servers end, a full delegation back ends the one it came by, a new request ends what it replaces, and
/// so does the failure of what a delegate had asked for anew, whose grant it has not read: what it replaces had ended at
/// its sender.
pub(super) fn no_effect_across_sessions(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    let about = revocations(story);
    for one in &story.moves {
        let Some(cause) = story.cause(one.place) else { continue };
        let Some(message) = applied_at(cause, &story.watched.facts[cause].what) else { continue };
        findings.looked = true;
        let fits = one.peer == message.from
            && match message.session {
                None => !began_after_the_notice(story, one, &message),
                Some(session) if session == one.session => !is_about_its_twin(story, one, &message),
                Some(session) => may_reach(story, one, &message, session, &about),
            };
        if !fits {
            let session =
                message.session.map_or_else(|| "no session".to_owned(), |session| format!("session {session}"));
            findings.broken(format!(
                "{} of {} ({session}) brought session {} with {} to {} at {}",
                message.kind,
                story.name(message.from),
                one.session,
                story.name(one.peer),
                one.to,
                story.name(one.at)
            ));
        }
    }
    findings.judgement()
}

/// Two delegations in opposite roles may be of one name (D35): whether a DELEGATION_FAILURE has moved one of them, and
/// what has failed at its sender is the other.
fn is_about_its_twin(story: &Story<'_>, one: &Move<'_>, message: &Applied<'_>) -> bool {
    let of_sender = |record: &&Record| {
        (record.at, record.peer, record.session) == (message.from, message.at, one.session)
            && story.moves[record.moves[0]].place < message.place
    };
    let has_failed = |record: &Record| {
        story.state_at(record, message.place).is_none_or(|state| matches!(state, "ExpectUndone" | "ExpectEnded"))
    };
    let (twins, counterparts): (Vec<&Record>, Vec<&Record>) =
        story.records.iter().filter(of_sender).partition(|record| record.side == one.side);
    message.kind == Kind::DelegationFailure
        && twins.iter().any(|twin| has_failed(twin))
        && !counterparts.is_empty()
        && !counterparts.iter().any(|counterpart| has_failed(counterpart))
}

/// Which delegations the sessions of revocations are about, by the two servers and the session.
type About<'a> = BTreeMap<(ServerNumber, ServerNumber, &'a SessionId), BTreeSet<&'a SessionId>>;

fn revocations<'a>(story: &Story<'a>) -> About<'a> {
    let mut about = About::new();
    let opens = |kind: Kind| matches!(kind, Kind::DelegationTerminationReq | Kind::DelegationRevocationReq);
    for (place, fact) in story.facts() {
        match &fact.what {
            What::Sent { from, to, kind, session: Some(session), attempt: 1 } if opens(*kind) => {
                let meant = story.moves.iter().filter(|one| {
                    one.at == *from
                        && one.peer == *to
                        && matches!(one.to, "ExpectTerminationAck" | "ExpectRevoked")
                        && story.cause(one.place) == story.cause(place)
                });
                about.entry(pair(*from, *to, session)).or_default().extend(meant.map(|one| one.session));
            }
            What::Taken { at, from, kind, session: Some(session), how: Took::New } if opens(*kind) => {
                let meant = story.moves_from(place).filter(|one| one.peer == *from && one.to != "Over");
                about.entry(pair(*at, *from, session)).or_default().extend(meant.map(|one| one.session));
            }
            _ => {}
        }
    }
    about.retain(|_, meant| !meant.is_empty());
    about
}

fn pair(one: ServerNumber, other: ServerNumber, session: &SessionId) -> (ServerNumber, ServerNumber, &SessionId) {
    (one.min(other), one.max(other), session)
}

/// Whether a message of another session may move this record.
fn may_reach(story: &Story<'_>, one: &Move<'_>, message: &Applied<'_>, session: &SessionId, about: &About<'_>) -> bool {
    let is_dropped_in_force = matches!(one.from, Some("AtRest" | "ExpectConfirmedAnswered")) && one.to == "Over";
    let along_with = |meant: &dyn Fn(&Move<'_>) -> bool| story.moves_from(message.place).any(meant);
    match message.kind {
        Kind::DelegationReq => one.side == Side::Delegated && one.to == "Over",
        Kind::DelegationFailure => {
            let is_wish = |other: &Move<'_>| other.session == session && other.from == Some("ExpectResponse");
            let is_counterpart = |record: &&Record| {
                (record.at, record.peer, record.session) == (message.from, message.at, one.session)
                    && record.side == Side::Delegating
            };
            let mut counterparts = story.records.iter().filter(is_counterpart);
            let has_ended = counterparts.all(|record| story.state_at(record, message.place).is_none());
            one.side == Side::Delegated && is_dropped_in_force && along_with(&is_wish) && has_ended
        }
        Kind::DelegationConfirmed => {
            is_dropped_in_force && along_with(&|other| other.session == session && other.side != one.side)
        }
        kind if is_of_revocation(kind) => match about.get(&pair(message.at, message.from, session)) {
            None => true,
            Some(meant) if meant.contains(one.session) => true,
            Some(meant) => {
                is_dropped_in_force && along_with(&|other| other.to == "Over" && meant.contains(other.session))
            }
        },
        _ => false,
    }
}

/// Whether every such notice had been sent before the record that it ended began.
fn began_after_the_notice(story: &Story<'_>, one: &Move<'_>, message: &Applied<'_>) -> bool {
    let record = &story.records[one.record];
    let begun = story.moves[record.moves[0]].place;
    let sent = story.facts().filter_map(|(place, fact)| match &fact.what {
        What::Sent { from, to, kind, session: None, attempt: 1 } => {
            ((*from, *to, *kind) == (message.from, message.at, message.kind)).then_some(place)
        }
        _ => None,
    });
    let is_known = !record.is_restored && is_handover(record.side, story.moves[record.moves[0]].to);
    let last = sent.last();
    is_known && last.is_some_and(|last| last < begun)
}

pub(super) fn is_of_revocation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DelegationTerminationReq
            | Kind::DelegationTerminationAck
            | Kind::DelegationTerminationResp
            | Kind::DelegationRevoked
            | Kind::RevocationFailure
            | Kind::DelegationRevocationReq
    )
}

/// S8, exactly-once effect: a delegation comes into force once at each side, a flow ends once at each side, and at no
/// moment a server has done more errands of a kind on the device than it has had a reason for: prepared it (5.2.1.4),
/// left it (5.2.1.5), removed the delegate (5.2.3.5). A restart may do its last errand again, since nobody can know
/// what became of it, and may end a flow that it was not seen to begin.
pub(super) fn done_exactly_once(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for record in &story.records {
        findings.looked = true;
        let moves = record.moves.iter().map(|index| &story.moves[*index]);
        let entries =
            moves.filter(|one| one.to == "AtRest" && one.from.is_some_and(|from| is_handover(one.side, from)));
        let times = entries.count();
        if times > 1 {
            let (at, peer) = (story.name(record.at), story.name(record.peer));
            findings.broken(format!("session {} with {peer} came into force {times} times at {at}", record.session));
        }
    }
    let servers: BTreeSet<ServerNumber> = story.records.iter().map(|record| record.at).collect();
    for server in servers {
        for errands in COUNTED {
            if let Some(seen) = too_many(story, server, errands) {
                findings.broken(seen);
            }
        }
    }
    let mut open: BTreeMap<(ServerNumber, ServerNumber, Side), u32> = BTreeMap::new();
    for (_, fact) in story.facts() {
        match &fact.what {
            What::Joined { at, peer, side } => *open.entry((*at, *peer, *side)).or_default() += 1,
            What::Settled { at, peer, side, .. } => {
                findings.looked = true;
                let flows = open.entry((*at, *peer, *side)).or_default();
                if *flows == 0 && !story.was_killed(*at) {
                    let (at, peer) = (story.name(*at), story.name(*peer));
                    findings.broken(format!("a flow of {at} with {peer} ended at {}, and none had begun", fact.at));
                }
                *flows = flows.saturating_sub(1);
            }
            _ => {}
        }
    }
    findings.judgement()
}

/// Errands that do the same, and the states in which DMS-1 begins them.
pub(super) struct Counted {
    pub errands: &'static [ErrandKind],
    words: &'static str,
    pub states: &'static [&'static str],
}

pub(super) const COUNTED: [Counted; 3] = [
    Counted {
        errands: &[ErrandKind::Prepare, ErrandKind::Grant],
        words: "prepared the device",
        states: &["ExpectDevicePrepared"],
    },
    Counted { errands: &[ErrandKind::Leave], words: "removed its own account", states: &["ExpectLeft"] },
    Counted {
        errands: &[ErrandKind::RemoveAccount],
        words: "removed an account",
        states: &["ExpectRemoval", "ExpectUndone"],
    },
];

fn too_many(story: &Story<'_>, server: ServerNumber, counted: Counted) -> Option<String> {
    let (mut done, mut reasons) = (0_u32, 0_u32);
    // A record that its server has found in its store has not come to its state anew.
    let found = story.records.iter().filter(|record| record.is_restored);
    let found: BTreeSet<usize> = found.map(|record| story.moves[record.moves[0]].place).collect();
    for (place, fact) in story.facts().filter(|(_, fact)| fact.what.server() == Some(server)) {
        match &fact.what {
            What::Moved { .. } if found.contains(&place) => {}
            What::Moved { state, side, .. } if counted.states.contains(state) || is_strange(state) => reasons += 1,
            What::Restarted { .. } => reasons += 1,
            // It may have begun before the move into its state is told; it ends after that.
            What::ErrandEnded { errand, failure: None, .. } if counted.errands.contains(errand) => {
                done += 1;
                if done > reasons {
                    let name = story.name(server);
                    return Some(format!("{name} {} {done} times for {reasons} reasons", counted.words));
                }
            }
            _ => {}
        }
    }
    None
}

/// S10, correlation and role: a message that is applied has a record of its sender in the role that it speaks to, and
/// moves no record in the other role, except that a full delegation back ends the one it came by. DELEGATION_REQ opens
/// a session, and notices of failure may cross their session's end.
pub(super) fn role_and_session_fit(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for message in applied(story) {
        let Some(side) = receiver(message.kind) else { continue };
        if !story.shows_moves_of(message.at) {
            continue;
        }
        findings.looked = true;
        let (at, from) = (story.name(message.at), story.name(message.from));
        for one in story.moves_caused_by(message.place).filter(|one| one.side != side) {
            if !(message.kind == Kind::DelegationConfirmed && one.to == "Over") {
                let kind = message.kind;
                findings.broken(format!("{kind} of {from} brought {at} to {} in the other role", one.to));
            }
        }
        let fits = |record: &&Record| {
            (record.at, record.peer, record.side) == (message.at, message.from, side)
                && (is_of_revocation(message.kind) || Some(record.session) == message.session)
                && story.state_at(record, message.place).is_some()
        };
        let is_excused = story.was_killed(message.at);
        if !is_excused && !story.records.iter().any(|record| fits(&record)) {
            let session = message.session.map_or_else(String::new, |session| format!(" of session {session}"));
            findings.broken(format!("{at} took {}{session} from {from} without such a record", message.kind));
        }
    }
    findings.judgement()
}

/// The side that a message speaks to; `None` where it is for both, or opens a session.
pub(super) fn receiver(kind: Kind) -> Option<Side> {
    match kind {
        Kind::BootstrapConfirmed
        | Kind::DelegationConfirmed
        | Kind::DelegationTerminationResp
        | Kind::DelegationRevocationReq => Some(Side::Delegating),
        Kind::DelegationPrepared
        | Kind::BootstrapSrvUrlReq
        | Kind::DelegationTerminationReq
        | Kind::DelegationRevoked => Some(Side::Delegated),
        _ => None,
    }
}
