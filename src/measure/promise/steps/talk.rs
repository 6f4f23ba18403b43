//! What is said between servers, and how it is answered: P1 to P6.

use std::collections::BTreeMap;

use crate::delegation::machine::Side;
use crate::delegation::message::Kind;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{ServerNumber, SessionId};
use crate::measure::promise::Judgement;
use crate::measure::promise::steps::Findings;
use crate::measure::promise::steps::sessions::receiver;
use crate::measure::promise::steps::states::{is_strange, is_terminal, may_follow};
use crate::measure::promise::steps::story::{Record, Story};

/// One request, however often it is sent: sender, receiver, message, session.
type Request<'a> = (ServerNumber, ServerNumber, Kind, Option<&'a SessionId>);

/// What was seen of one request; the numbers are indices of facts.
#[derive(Default)]
struct Post {
    /// With the attempts.
    sent: Vec<(usize, u32)>,
    /// Whether a fault has sent it in the place of a message about another device.
    is_misdirected: bool,
    taken: Vec<(usize, Took)>,
    /// With the attempts.
    heard: Vec<(usize, u32, Heard)>,
}

fn posts<'a>(story: &Story<'a>) -> BTreeMap<Request<'a>, Post> {
    let mut posts: BTreeMap<Request<'a>, Post> = BTreeMap::new();
    for (place, fact) in story.facts() {
        match &fact.what {
            What::Sent { from, to, kind, session, attempt } => {
                posts.entry((*from, *to, *kind, session.as_ref())).or_default().sent.push((place, *attempt));
            }
            What::Misdirected { from, to, kind, session } => {
                posts.entry((*from, *to, *kind, session.as_ref())).or_default().is_misdirected = true;
            }
            What::Taken { at, from, kind, session, how } => {
                posts.entry((*from, *at, *kind, session.as_ref())).or_default().taken.push((place, *how));
            }
            What::Heard { at, from, kind, session, attempt, answer } => {
                let post = posts.entry((*at, *from, *kind, session.as_ref())).or_default();
                post.heard.push((place, *attempt, *answer));
            }
            _ => {}
        }
    }
    posts
}

/// `DELEGATION_REQ of home to partner (session 0-3-1)`, with the message by its root element.
fn in_words(story: &Story<'_>, (from, to, kind, session): Request<'_>) -> String {
    let session = session.map_or_else(String::new, |session| format!(" (session {session})"));
    format!("{kind} of {} to {}{session}", story.name(from), story.name(to))
}

impl Post {
    /// How often it was sent as a request of its own, not as one more try.
    fn requests(&self) -> usize {
        self.sent.iter().filter(|(_, attempt)| *attempt == 1).count()
    }

    fn taken_as_new(&self) -> impl Iterator<Item = usize> {
        self.taken.iter().filter(|(_, how)| *how == Took::New).map(|(place, _)| *place)
    }

    /// How often its receiver has taken it again after it had died with the message in its hands: nobody had been
    /// answered, so that nothing had been promised.
    fn forgotten(&self, story: &Story<'_>, receiver: ServerNumber) -> usize {
        let places: Vec<usize> = self.taken_as_new().collect();
        let is_forgotten = |from: usize, to: usize| {
            let died = |fact: &Fact| matches!(fact.what, What::Killed { at } if at == receiver);
            let answered =
                self.heard.iter().any(|(place, _, answer)| (from..to).contains(place) && is_success(*answer));
            story.watched.facts[from..to].iter().any(died) && !answered
        };
        places.windows(2).filter(|pair| is_forgotten(pair[0], pair[1])).count()
    }

    /// Whether something went wrong on purpose between its making and what was heard there. What befalls it is told
    /// when it is made, which may be long before it leaves: then its sender has come to another state.
    fn is_disturbed(&self, story: &Story<'_>, sender: ServerNumber, until: usize) -> bool {
        let first = self.sent.first().map_or(0, |(place, _)| *place).min(until);
        let moved = story.moves.iter().rfind(|one| one.at == sender && one.place < first);
        let made =
            [Some(first), moved.map(|one| one.place)].into_iter().flatten().filter_map(|at| story.cause(at)).min();
        story.has_fault_within(made.unwrap_or(first), until)
    }
}

/// P1, legal order of phases (figures 6 to 14): a record goes from state to state as its side's machine may. Names that
/// are not known are taken to be in order.
pub(super) fn phases_in_order(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for one in &story.moves {
        let is_restored = story.records[one.record].is_restored && one.from.is_none();
        if is_restored || is_strange(one.to) {
            continue;
        }
        findings.looked = true;
        if !may_follow(one.side, story.watched.policy, one.from, one.to) {
            let from = one.from.map_or_else(|| "began with".to_owned(), |from| format!("went from {from} to"));
            let (at, peer) = (story.name(one.at), story.name(one.peer));
            let role = match one.side {
                Side::Delegating => "delegating",
                Side::Delegated => "delegated",
            };
            findings.broken(format!("{at}, {role}, {from} {} in session {} with {peer}", one.to, one.session));
        }
    }
    findings.judgement()
}

/// P2, one answer (section 5.3): each POST comes to one end at its sender, and a message is in the answer just where
/// one is due: to DELEGATION_REQ, BOOTSTRAP_SRV_URL_REQ and DELEGATION_TERMINATION_REQ. An answer that a fault may have
/// spoilt is not held against anybody, nor is silence to a sender that was killed.
pub(super) fn one_answer_each(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for (request, post) in posts(story) {
        let what = || in_words(story, request);
        if post.sent.is_empty() {
            continue;
        }
        findings.looked = true;
        for (place, attempt, answer) in &post.heard {
            let of = |attempts: &mut dyn Iterator<Item = u32>| attempts.filter(|other| other == attempt).count();
            let sent = of(&mut post.sent.iter().map(|(_, attempt)| *attempt));
            let heard = of(&mut post.heard.iter().filter(|(other, ..)| other <= place).map(|(_, attempt, _)| *attempt));
            if heard > sent {
                findings.broken(format!("{} had {heard} answers to {sent} tries numbered {attempt}", what()));
            }
            let due = answer_due(request.2);
            let fits = match answer {
                Heard::Message(found) => due == Some(*found),
                Heard::NoContent => due.is_none(),
                _ => true,
            };
            if !fits && !post.is_disturbed(story, request.0, *place) {
                let found = match answer {
                    Heard::Message(found) => found.root(),
                    _ => "no message",
                };
                findings.broken(format!("{} was answered with {found}", what()));
            }
        }
        let (last, _) = post.sent[post.sent.len() - 1];
        let is_open = !post.heard.iter().any(|(place, ..)| *place > last);
        if is_open && !story.was_killed(request.0) {
            let is_overdue = story.watched.facts[last].at + story.watched.bounds.flow <= story.watched.ended_at;
            if is_overdue {
                findings.broken(format!("{} was never answered, nor given up", what()));
            } else {
                findings.is_blind = true;
            }
        }
    }
    findings.judgement()
}

/// The message that answers a request.
pub(super) fn answer_due(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::DelegationReq => Some(Kind::DelegationResp),
        Kind::BootstrapSrvUrlReq => Some(Kind::BootstrapSrvUrlDelivery),
        Kind::DelegationTerminationReq => Some(Kind::DelegationTerminationAck),
        _ => None,
    }
}

/// P3, idempotence: what has been applied is not applied again, and not turned away, when the same request comes again.
/// Looked at where requests came again; a receiver that has forgotten them in its death gives another answer, and that
/// is a breach as well. A request without a session is never known to be the same.
pub(super) fn copies_answered_alike(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for (request, post) in posts(story) {
        if request.3.is_none() || post.sent.is_empty() || post.taken.len() + post.heard.len() < 2 {
            continue;
        }
        let requests = post.requests();
        let applied = post.taken_as_new().count() - post.forgotten(story, request.1);
        findings.looked |= post.taken.len() > requests.max(1);
        if applied > requests.max(1) {
            findings.broken(format!("{} was applied {applied} times", in_words(story, request)));
        }
        if requests > 1 {
            continue;
        }
        if let Some(first) = post.taken_as_new().next() {
            let later = post.taken.iter().filter(|(place, _)| *place > first);
            let turned_away = later.filter_map(|(_, how)| match how {
                Took::Rejected(why) if is_about_what_it_says(why) => Some(*why),
                _ => None,
            });
            for why in turned_away {
                findings.broken(format!("{} was applied, and then rejected ({why})", in_words(story, request)));
            }
        }
        let mut good = post.heard.iter().filter(|(_, _, answer)| is_success(*answer));
        if let Some((_, _, first)) = good.next()
            && let Some((place, _, _)) = good.find(|(_, _, answer)| answer != first)
            && !post.is_disturbed(story, request.0, *place)
        {
            findings.broken(format!("{} had two different answers", in_words(story, request)));
        }
    }
    findings.judgement()
}

/// Whether a rejection is about the message itself, not about how it arrived or about there being no room.
pub(super) fn is_about_what_it_says(why: &str) -> bool {
    matches!(why, "not_in_this_state" | "unknown_session" | "unknown_device" | "not_the_peer")
}

pub(super) fn is_success(answer: Heard) -> bool {
    matches!(answer, Heard::Message(_) | Heard::NoContent)
}

/// P4, success means applied: as many good answers as a sender has heard, as often its receiver has applied the request
/// or known it for a copy; and what always has an effect (DELEGATION_PREPARED, DELEGATION_CONFIRMED,
/// DELEGATION_REVOCATION_REQ, DELEGATION_REVOKED) has moved a record when it was applied. A good answer that a fault
/// may have given in the receiver's stead is not held against it, nor is one to a notice of failure that has crossed the
/// end of its session there (5.3: the receiver has gone back already); what a server that cannot be seen did is not
/// known.
pub(super) fn success_means_applied(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for (request, post) in posts(story) {
        let (from, to, kind, _) = request;
        if !story.watched.sees(to) {
            findings.is_blind |= post.heard.iter().any(|(_, _, answer)| is_success(*answer));
            continue;
        }
        let good = post.heard.iter().filter(|(_, _, answer)| is_success(*answer)).map(|(place, ..)| *place);
        let good: Vec<usize> = good.filter(|place| !crossed_the_end(story, request, *place)).collect();
        let meant = post.taken.iter().filter(|(_, how)| matches!(how, Took::New | Took::Copy)).count();
        findings.looked |= !good.is_empty() || meant > 0;
        if good.len() > meant && !good.last().is_some_and(|last| post.is_disturbed(story, from, *last)) {
            findings.broken(format!(
                "{} was answered with success {} times, and taken {meant} times",
                in_words(story, request),
                good.len()
            ));
        }
        if moves_always(kind) && story.shows_moves_of(to) {
            for place in post.taken_as_new() {
                if story.moves_from(place).next().is_none() {
                    findings
                        .broken(format!("{} was answered with success and had no effect", in_words(story, request)));
                }
            }
        }
    }
    findings.judgement()
}

/// Whether a notice of failure has met a session that its receiver had ended before it was answered.
fn crossed_the_end(story: &Story<'_>, (from, to, kind, session): Request<'_>, place: usize) -> bool {
    let mut records = story.records.iter().filter(|record| (record.at, record.peer) == (to, from));
    let has_begun = |record: &Record| story.moves[record.moves[0]].place < place;
    match kind {
        Kind::DelegationFailure => records.any(|record| {
            Some(record.session) == session && has_begun(record) && story.state_at(record, place).is_none()
        }),
        // A revocation has a session of its own (D22): with that, the delegation is over, or at rest again.
        Kind::RevocationFailure => {
            records.any(|record| has_begun(record) && story.state_at(record, place).is_none_or(is_terminal))
        }
        _ => false,
    }
}

pub(super) fn moves_always(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DelegationPrepared | Kind::DelegationConfirmed | Kind::DelegationRevocationReq | Kind::DelegationRevoked
    )
}

/// P5, quiet after the end: once a record is at rest its server sends nothing of the handover any more, and once it is
/// over nothing of that session at all, new tries of what was sent before and notices of failure excepted; nor does it
/// apply anything of it.
pub(super) fn quiet_after_the_end(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    let mut states = States::new();
    for (place, fact) in story.facts() {
        match &fact.what {
            What::Moved { at, peer, side, session, state: now, .. } => {
                findings.looked |= is_terminal(now);
                states.insert((*at, *peer, session, *side), now);
            }
            What::Killed { at } => states.retain(|(holder, ..), _| holder != at),
            // A server that has come back says again what may not have been heard, however late that leaves.
            What::Sent { from, to, kind, session: Some(session), .. }
                if said_before_death(story, place, (*from, *to, *kind, Some(session))) => {}
            What::Sent { from, to, kind, session: Some(session), attempt: 1 } => {
                let speaker = receiver(*kind).map(Side::opposite);
                if let Some(state) = ended(&states, (*from, *to, session), speaker, *kind) {
                    let request = in_words(story, (*from, *to, *kind, Some(session)));
                    findings.broken(format!("{request} was sent in {state} at {}", fact.at));
                }
            }
            What::Taken { at, from, kind, session: Some(session), how: Took::New } => {
                // A request speaks to the role that it opens a session in.
                let opened = story.moves_caused_by(place).find(|one| one.to != "Over").map(|one| one.side);
                let side = receiver(*kind).or(opened.filter(|_| *kind == Kind::DelegationReq));
                let ended = ended(&states, (*at, *from, session), side, *kind);
                // Another request of the same name may be answered with a no.
                let is_refusal = *kind == Kind::DelegationReq && story.moves_caused_by(place).next().is_none();
                if let Some(state) = ended.filter(|_| !is_refusal) {
                    let request = in_words(story, (*from, *at, *kind, Some(session)));
                    findings.broken(format!("{request} was applied in {state} at {}", fact.at));
                }
            }
            _ => {}
        }
    }
    findings.judgement()
}

/// Whether a request was sent before, by a server that has died since.
fn said_before_death(story: &Story<'_>, place: usize, request: Request<'_>) -> bool {
    let facts = &story.watched.facts[..place];
    let died = facts.iter().rposition(|fact| matches!(fact.what, What::Killed { at } if at == request.0));
    let is_same = |fact: &Fact| {
        matches!(&fact.what, What::Sent { from, to, kind, session, .. }
            if (*from, *to, *kind, session.as_ref()) == request)
    };
    died.is_some_and(|died| facts[..died].iter().any(is_same))
}

/// The latest state of each record: server, peer, session, and role.
type States<'a> = BTreeMap<(ServerNumber, ServerNumber, &'a SessionId, Side), &'static str>;

/// The state in which a message comes after its end. Two delegations in opposite roles may be of one name (D35): of
/// these it is about the one whose role it fits, and where it fits both, about one that has not ended.
fn ended(
    states: &States<'_>,
    (at, peer, session): (ServerNumber, ServerNumber, &SessionId),
    side: Option<Side>,
    kind: Kind,
) -> Option<&'static str> {
    let sides = [Side::Delegating, Side::Delegated].into_iter().filter(|one| side.is_none_or(|side| side == *one));
    let found: Vec<&'static str> = sides.filter_map(|side| states.get(&(at, peer, session, side)).copied()).collect();
    found.iter().all(|state| is_past(state, kind)).then(|| found.last().copied()).flatten()
}

/// Whether a message comes after its end, with a record in this state; notices of failure may.
fn is_past(state: &str, kind: Kind) -> bool {
    !is_notice(kind) && (state == "Over" || is_terminal(state) && is_of_handover(kind))
}

fn is_notice(kind: Kind) -> bool {
    matches!(kind, Kind::DelegationFailure | Kind::RevocationFailure)
}

pub(super) fn is_of_handover(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DelegationReq
            | Kind::DelegationResp
            | Kind::BootstrapConfirmed
            | Kind::DelegationPrepared
            | Kind::DelegationConfirmed
            | Kind::BootstrapSrvUrlReq
            | Kind::BootstrapSrvUrlDelivery
    )
}

/// P6, nobody unproven (section 5.3: mutual TLS): a message that a machine has taken came from a DM server of this run,
/// not from the taker itself, and that server has sent it: also where a fault has put something else in the place of
/// what it meant to say. Certificates are not in the facts; a message that nobody sent is.
pub(super) fn nobody_unproven(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for (request, post) in posts(story) {
        let (from, at, kind, _) = request;
        let Some(place) = post.taken.iter().find(|(_, how)| matches!(how, Took::New | Took::Copy)).map(|taken| taken.0)
        else {
            continue;
        };
        findings.looked = true;
        let moment = story.watched.facts[place].at;
        if !story.watched.servers.iter().any(|known| known.server == from) || at == from {
            findings.broken(format!("{} took {kind} from {} at {moment}", story.name(at), story.name(from)));
        } else if post.sent.is_empty() && !post.is_misdirected && story.watched.sees(from) {
            findings.broken(format!("{}, taken at {moment}, was never sent", in_words(story, request)));
        }
    }
    findings.judgement()
}
