//! What has to come to an end once nothing goes wrong any more: L1 to L6.
//!
//! What has ended is kept whenever that was; a breach needs a time that has run out, counted from the healing on: from when
//! what the last fault does is over, that is from the end of the plan or of the last window, where every fault has one.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Moment;
use crate::delegation::flow::{FlowKind, Outcome, Revocation};
use crate::delegation::machine::Side;
use crate::delegation::reason;
use crate::dm::script::ErrandKind;
use crate::facts::What;
use crate::ids::ServerNumber;
use crate::measure::promise::Judgement;
use crate::measure::promise::steps::Findings;
use crate::measure::promise::steps::rights::in_circles;
use crate::measure::promise::steps::states::{is_cleaning, is_terminal, waits_for_peer};
use crate::measure::promise::steps::story::{Move, Record, Story};

/// Who takes part in a flow: the server, its peer, and its role.
type Part = (ServerNumber, ServerNumber, Side);

/// One part in a flow, from its beginning; `None` while it has not ended.
struct Flow<'a> {
    part: Part,
    joined: Moment,
    ended: Option<(Moment, &'a Outcome)>,
}

/// The flows of a device at each server. Those of a killed server are left out: nobody waits for them any more.
fn flows<'a>(story: &Story<'a>) -> Vec<Flow<'a>> {
    let mut flows: Vec<Flow<'a>> = Vec::new();
    let mut open: BTreeMap<Part, VecDeque<usize>> = BTreeMap::new();
    let mut lost: Vec<usize> = Vec::new();
    for (_, fact) in story.facts() {
        match &fact.what {
            What::Joined { at, peer, side } => {
                let part = (*at, *peer, *side);
                open.entry(part).or_default().push_back(flows.len());
                flows.push(Flow { part, joined: fact.at, ended: None });
            }
            What::Settled { at, peer, side, outcome } => {
                let first = open.get_mut(&(*at, *peer, *side)).and_then(VecDeque::pop_front);
                if let Some(flow) = first {
                    flows[flow].ended = Some((fact.at, outcome));
                }
            }
            What::Killed { at } => {
                lost.extend(open.extract_if(.., |part, _| part.0 == *at).flat_map(|(_, flows)| flows));
            }
            _ => {}
        }
    }
    let mut index = 0..;
    flows.retain(|_| index.next().is_some_and(|index| !lost.contains(&index)));
    flows
}

/// L1, every flow ends: whoever takes part in a flow comes to its end in [`Bounds::flow`], and no record stays under
/// way for longer than that.
///
/// [`Bounds::flow`]: super::Bounds::flow
pub(super) fn every_flow_ends(story: &Story<'_>) -> Judgement {
    let watched = story.watched;
    let mut findings = Findings::default();
    for flow in flows(story) {
        findings.looked = true;
        let due = watched.due(flow.joined);
        let (server, peer) = (story.name(flow.part.0), story.name(flow.part.1));
        let begun = flow.joined;
        match flow.ended {
            Some((ended, _)) if ended > due => {
                findings.broken(format!("a flow of {server} with {peer}, begun at {begun}, ended only at {ended}"));
            }
            Some(_) => {}
            None if due <= watched.ended_at => {
                findings.broken(format!("a flow of {server} with {peer}, begun at {begun}, did not end"));
            }
            None => findings.is_blind = true,
        }
    }
    if findings.breaches.is_empty() {
        for last in story.records.iter().filter_map(|record| story.last_state(record)) {
            if is_terminal(last.to) {
                continue;
            }
            findings.looked = true;
            if watched.due(last.moment) <= watched.ended_at {
                findings.broken(format!("{} for ever", in_words(story, last)));
            } else {
                findings.is_blind = true;
            }
        }
    }
    findings.judgement()
}

/// `home is in ExpectConfirmed with partner (session 0-3-1)`.
fn in_words(story: &Story<'_>, last: &Move<'_>) -> String {
    format!("{} is in {} with {} (session {})", story.name(last.at), last.to, story.name(last.peer), last.session)
}

/// L2, both sides end: when one side of a delegation comes to rest or forgets it while the other is still under way,
/// the other follows in [`Bounds::flow`].
///
/// [`Bounds::flow`]: super::Bounds::flow
pub(super) fn both_sides_end(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    for (index, record) in story.records.iter().enumerate() {
        if !story.watched.sees(record.peer) {
            findings.is_blind = true;
            continue;
        }
        for other in story.records[index + 1..].iter().filter(|other| other.is_counterpart_of(record)) {
            findings.looked = true;
            follow(story, record, other, &mut findings);
        }
    }
    findings.judgement()
}

/// Looks at each time that one of the two ended and the other had not.
fn follow(story: &Story<'_>, record: &Record<'_>, other: &Record<'_>, findings: &mut Findings) {
    let watched = story.watched;
    let mut moves: Vec<&Move> = record.moves.iter().chain(&other.moves).map(|index| &story.moves[*index]).collect();
    moves.sort_by_key(|one| one.place);
    let mut last: BTreeMap<ServerNumber, &Move> = BTreeMap::new();
    let mut waiting: Option<&Move> = None;
    let mut judge = |ended: &Move, straggler: &Move, until: Moment, is_end: bool| {
        let due = watched.due(ended.moment);
        if until > due || is_end && until >= due {
            findings.broken(format!(
                "{}, although {} came to {} at {}",
                in_words(story, straggler),
                story.name(ended.at),
                ended.to,
                ended.moment
            ));
        } else {
            findings.is_blind |= is_end;
        }
    };
    for one in moves {
        let peer = last.get(&one.peer).copied();
        if let (Some(ended), Some(straggler)) = (waiting, last.get(&one.at).copied())
            && one.at != ended.at
            && is_terminal(one.to)
        {
            judge(ended, straggler, one.moment, false);
            waiting = None;
        }
        let was_terminal = last.get(&one.at).is_some_and(|before| is_terminal(before.to));
        if waiting.is_some_and(|ended| ended.at == one.at) && !is_terminal(one.to) {
            waiting = None;
        } else if is_terminal(one.to) && !was_terminal && peer.is_some_and(|peer| !is_terminal(peer.to)) {
            waiting = Some(one);
        }
        last.insert(one.at, one);
    }
    let straggler = waiting.and_then(|ended| last.get(&ended.peer).copied());
    if let (Some(ended), Some(straggler)) = (waiting, straggler)
        && record.lost.is_none()
        && other.lost.is_none()
    {
        judge(ended, straggler, watched.ended_at, true);
    }
}

/// L3, recovery: on a device on which something went wrong on purpose, a flow that began when all had been well for as
/// long as one flow may take does not end for want of time, of a peer, or of a party of ours.
pub(super) fn recovers_after_healing(story: &Story<'_>) -> Judgement {
    let watched = story.watched;
    let mut findings = Findings::default();
    let hurts = |what: &What| matches!(what, What::Fault { .. } | What::Killed { .. } | What::FactoryReset);
    if !watched.facts.iter().any(|fact| hurts(&fact.what)) {
        return findings.judgement();
    }
    let well = watched.healed_at + watched.bounds.flow;
    if well > watched.ended_at {
        return Judgement::NotObservable;
    }
    for flow in flows(story).iter().filter(|flow| flow.joined >= well) {
        let Some((ended, outcome)) = flow.ended else { continue };
        findings.looked = true;
        if matches!(outcome, Outcome::TooLate { .. } | Outcome::Unreachable { .. } | Outcome::Lost) {
            let (server, peer) = (story.name(flow.part.0), story.name(flow.part.1));
            findings.broken(format!(
                "a flow of {server} with {peer} ended {outcome} at {ended}, long after the last fault"
            ));
        }
    }
    findings.judgement()
}

/// L4, somebody gets through: when several servers ask for delegations of one device at the same time, one of them gets
/// an answer that is not only about the others (409): at the latest in the last of [`Bounds::rounds`] such rounds.
///
/// [`Bounds::rounds`]: super::Bounds::rounds
pub(super) fn somebody_gets_through(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    let mut in_vain = 0;
    for round in rounds(story) {
        let begun = round.iter().map(|wish| wish.begun).min().unwrap_or(Moment::ZERO);
        let is_judged = begun >= story.watched.healed_at;
        let all_crossed = round.iter().all(|wish| *wish.outcome == Outcome::Refused { reason: reason::CONFLICT });
        findings.looked = true;
        match (all_crossed, is_judged) {
            (false, _) => in_vain = 0,
            (true, false) => findings.is_blind = true,
            (true, true) => in_vain += 1,
        }
        if in_vain >= story.watched.bounds.rounds.max(1) {
            let who: Vec<String> = round.iter().map(|wish| story.name(wish.at)).collect();
            findings.broken(format!("{} refused each other {in_vain} times in a row", who.join(" and ")));
            in_vain = 0;
        }
    }
    findings.judgement()
}

/// A delegation that was wished for, and what it came to at the server that asked.
struct Wish<'a> {
    at: ServerNumber,
    from: usize,
    to: usize,
    begun: Moment,
    outcome: &'a Outcome,
}

/// Wishes of different servers that were open at the same time.
fn rounds<'a>(story: &Story<'a>) -> Vec<Vec<Wish<'a>>> {
    let mut rounds: Vec<Vec<Wish<'a>>> = Vec::new();
    for (from, fact) in story.facts() {
        let What::Wished { at, peer, flow } = &fact.what else { continue };
        let side = match flow {
            FlowKind::Delegate { by_delegated: false, .. } => Side::Delegating,
            FlowKind::Delegate { by_delegated: true, .. } => Side::Delegated,
            FlowKind::Revoke(Revocation::Asked | Revocation::Requested | Revocation::Forced { .. }) => continue,
        };
        let settled = story.facts().skip(from).find_map(|(place, fact)| match &fact.what {
            What::Settled { at: by, peer: with, side: as_what, outcome } => {
                ((by, with, *as_what) == (at, peer, side)).then_some((place, outcome))
            }
            _ => None,
        });
        let Some((to, outcome)) = settled else { continue };
        let wish = Wish { at: *at, from, to, begun: fact.at, outcome };
        match rounds.last_mut() {
            Some(round) if round.iter().any(|other| other.from < wish.to && wish.from < other.to) => round.push(wish),
            _ => rounds.push(vec![wish]),
        }
    }
    rounds.retain(|round| round.iter().any(|wish| wish.at != round[0].at));
    rounds
}

/// L5, pending clean-up (5.3, 5.2.3.5): what a server has left to do on a device (undo, remove an account, leave) is
/// done in [`Bounds::flow`] after the device has been back, seen by its next session with anybody. An errand that did
/// not reach the device is left to do until one of its kind is done, or the account that it is about has gone after all;
/// one that has reached the device and was refused there is done as far as it can be, and the server has been told so.
/// A server that is killed has no errands any more; what it has on record it begins anew.
///
/// [`Bounds::flow`]: super::Bounds::flow
pub(super) fn pending_cleanup_is_done(story: &Story<'_>) -> Judgement {
    let watched = story.watched;
    let mut findings = Findings::default();
    for task in tasks(story) {
        findings.looked = true;
        let mut later = watched.facts[task.place..].iter().filter(|fact| fact.at >= watched.healed_at);
        let back = later.find(|fact| matches!(fact.what, What::SessionOpened { .. })).map(|fact| fact.at);
        match (task.done, back.map(|back| back + watched.bounds.flow)) {
            (Some(done), Some(due)) if done > due => {
                findings.broken(format!("{} at {}, done only at {done}", task.words, watched.facts[task.place].at));
            }
            (Some(_), _) => {}
            (None, Some(due)) if due <= watched.ended_at => {
                findings.broken(format!("{} at {}, and never done", task.words, watched.facts[task.place].at));
            }
            (None, _) => findings.is_blind = true,
        }
    }
    findings.judgement()
}

/// Something left to do on the device.
struct Task {
    /// Index of the fact since which it is.
    place: usize,
    done: Option<Moment>,
    words: String,
}

fn tasks(story: &Story<'_>) -> Vec<Task> {
    let cleaning = story.moves.iter().filter(|one| is_cleaning(one.to) && story.records[one.record].lost.is_none());
    let states = cleaning.map(|one| {
        let mut later = story.records[one.record].moves.iter().map(|index| &story.moves[*index]);
        let words = format!("{} came to {}", story.name(one.at), one.to);
        let done = later.find(|next| next.place > one.place && !is_cleaning(next.to)).map(|next| next.moment);
        Task { place: one.place, done, words }
    });
    let errands = story.facts().filter_map(|(place, fact)| match &fact.what {
        What::ErrandEnded { at, errand, failure: Some(reason::TIMED_OUT) } if cleans(*errand) => {
            let done = story.watched.facts[place..].iter().find(|later| match &later.what {
                What::ErrandEnded { at: by, errand: kind, failure } => {
                    (by, kind) == (at, errand) && *failure != Some(reason::TIMED_OUT)
                }
                What::Account { of, is_there: false } => (*errand == ErrandKind::Leave) == (of == at),
                What::FactoryReset => true,
                What::Killed { at: who } => who == at,
                _ => false,
            });
            let words = format!("{} could not {}", story.name(*at), errand.key());
            Some(Task { place, done: done.map(|later| later.at), words })
        }
        _ => None,
    });
    states.chain(errands).collect()
}

fn cleans(errand: ErrandKind) -> bool {
    matches!(errand, ErrandKind::RemoveAccount | ErrandKind::Undo | ErrandKind::Leave)
}

/// L6, no circular wait: in the end there are no servers each of which can only go on when the next has done something,
/// for longer than [`Bounds::flow`].
///
/// [`Bounds::flow`]: super::Bounds::flow
pub(super) fn no_circular_wait(story: &Story<'_>) -> Judgement {
    let mut findings = Findings { looked: !story.moves.is_empty(), ..Findings::default() };
    let waits = story.records.iter().filter_map(|record| story.last_state(record));
    let waits: Vec<&Move> = waits.filter(|last| waits_for_peer(last.side, last.to)).collect();
    let long = |last: &&Move| story.watched.due(last.moment) <= story.watched.ended_at;
    let (long, short): (Vec<&Move>, Vec<&Move>) = waits.into_iter().partition(long);
    let circle = in_circles(&long, |one, other| one.peer == other.at);
    if !circle.is_empty() {
        let around: Vec<String> = circle.iter().map(|last| in_words(story, last)).collect();
        findings.broken(around.join(", "));
    }
    findings.is_blind = !short.is_empty();
    findings.judgement()
}
