//! Who may do what on the device, and who may hand that on: S4 and S13.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Moment;
use crate::delegation::machine::Side;
use crate::facts::What;
use crate::ids::ServerNumber;
use crate::measure::promise::Judgement;
use crate::measure::promise::steps::Findings;
use crate::measure::promise::steps::states::{gives_authority, is_handover};
use crate::measure::promise::steps::story::{Move, Record, Story};

/// S4, no work without right: every command that a device has carried out came from a server that had an account on it
/// at that moment (5.2.5.1: with its account a server's open sessions are worth nothing). The rights that ACLs give are
/// the device's own to check; what it refuses has not been done.
pub(super) fn no_work_without_right(story: &Story<'_>) -> Judgement {
    let journeyed = story.watched.journeyed;
    let mut accounts: BTreeSet<ServerNumber> = journeyed.bootstrapped.iter().copied().collect();
    accounts.insert(journeyed.owner);
    // Servers whose account has gone, and by none of whose commands that can have been done so far.
    let mut just_left: BTreeSet<ServerNumber> = BTreeSet::new();
    let mut left: BTreeMap<ServerNumber, Moment> = BTreeMap::new();
    let mut findings = Findings::default();
    for (_, fact) in story.facts() {
        match &fact.what {
            What::Account { of, is_there: true } => {
                accounts.insert(*of);
            }
            What::Account { of, is_there: false } => {
                accounts.remove(of);
                just_left.insert(*of);
                left.insert(*of, fact.at);
            }
            What::FactoryReset => accounts = BTreeSet::from([journeyed.owner]),
            What::Operated { by, verb, target, code: 200..=212 } if changes_something(verb) => {
                findings.looked = true;
                // The removal of an account by its own server may be told after its effect.
                let was_its_leaving = just_left.remove(by) && removes_accounts(verb, target);
                if !accounts.contains(by) && !was_its_leaving {
                    let since = left.get(by).map_or_else(|| "ever".to_owned(), |moment| format!("since {moment}"));
                    let name = story.name(*by);
                    findings.broken(format!("{verb} of {target} by {name} at {}, without an account {since}", fact.at));
                }
            }
            _ => {}
        }
    }
    findings.judgement()
}

pub(super) fn changes_something(verb: &str) -> bool {
    !verb.eq_ignore_ascii_case("Get")
}

pub(super) fn removes_accounts(verb: &str, target: &str) -> bool {
    verb.eq_ignore_ascii_case("Atomic") || verb.eq_ignore_ascii_case("Delete") && target.contains("DMAcc")
}

/// S13, delegations form a chain (section 5.1: who delegates has the authority): a server that begins to delegate is
/// the owner, or a delegate of what it passes on. In the end nobody who has lost the authority by a revocation still
/// delegates it, and no sub-tree goes round in a circle. What a server had delegated before it gave everything away
/// goes on.
pub(super) fn delegations_form_a_chain(story: &Story<'_>) -> Judgement {
    let mut findings = Findings::default();
    let begins = story.records.iter().filter(|record| record.side == Side::Delegating && !record.is_restored);
    for record in begins {
        let first = &story.moves[record.moves[0]];
        if !is_handover(Side::Delegating, first.to) {
            continue;
        }
        findings.looked = true;
        if !has_authority(story, record.at, first) {
            findings.broken(format!(
                "{} began to delegate {} to {} without authority over it",
                story.name(record.at),
                record.subtree,
                story.name(record.peer)
            ));
        }
    }
    if !story.watched.is_over {
        return findings.judgement();
    }
    let in_force: Vec<&Record> = story
        .records
        .iter()
        .filter(|record| record.side == Side::Delegating)
        .filter(|record| story.last_state(record).is_some_and(|last| last.to == "AtRest"))
        .collect();
    for record in &in_force {
        findings.looked = true;
        if !still_has_authority(story, record) {
            findings.broken(format!(
                "{} still delegates {} to {}, although it holds it no more itself",
                story.name(record.at),
                record.subtree,
                story.name(record.peer)
            ));
        }
    }
    let circle = in_circles(&in_force, |one, other| one.peer == other.at && one.subtree.overlaps(other.subtree));
    if !circle.is_empty() {
        let around: Vec<String> =
            circle.iter().map(|record| format!("{} to {}", story.name(record.at), story.name(record.peer))).collect();
        findings.broken(format!("{} is delegated in a circle: {}", circle[0].subtree, around.join(", ")));
    }
    findings.judgement()
}

/// Whether a server has the authority over a sub-tree when it comes to this state.
fn has_authority(story: &Story<'_>, server: ServerNumber, one: &Move<'_>) -> bool {
    let now = |record: &Record| story.state_at(record, one.place);
    let given_all = story.records.iter().any(|record| {
        let full = |place: &usize| story.moves[*place].place < one.place && story.moves[*place].is_full;
        record.at == server
            && record.side == Side::Delegating
            && now(record) == Some("AtRest")
            && record.moves.iter().rfind(|index| story.moves[**index].place < one.place).is_some_and(full)
    });
    let is_owner = server == story.watched.journeyed.owner && !given_all;
    // After a restart it may hold what it was not seen to get.
    is_owner || story.was_killed(server) || holds(story, server, one, now)
}

/// Whether it is a delegate of all of the sub-tree; a process under way does not end that yet.
fn holds(
    story: &Story<'_>,
    server: ServerNumber,
    one: &Move<'_>,
    state: impl Fn(&Record<'_>) -> Option<&'static str>,
) -> bool {
    story.records.iter().any(|record| {
        record.at == server
            && record.side == Side::Delegated
            && record.subtree.covers(one.subtree)
            && state(record).is_some_and(|state| gives_authority(state) || state == "ExpectConfirmedAnswered")
    })
}

fn still_has_authority(story: &Story<'_>, record: &Record<'_>) -> bool {
    let first = &story.moves[record.moves[0]];
    let state = |other: &Record| story.last_state(other).map(|last| last.to);
    let was_a_delegate = holds(story, record.at, first, |other| story.state_at(other, first.place));
    let is_owner = record.at == story.watched.journeyed.owner;
    // A full delegation back to the server that it came from ends the one it came by.
    let is_given_back = story.moves[record.moves[record.moves.len() - 1]].is_full
        && story
            .records
            .iter()
            .any(|other| (other.at, other.peer, other.side) == (record.at, record.peer, Side::Delegated));
    let is_excused = is_owner || is_given_back || !was_a_delegate || story.was_killed(record.at);
    is_excused || holds(story, record.at, first, state)
}

/// Those of a number of steps, each leading to others, from which one can go on for ever.
pub(super) fn in_circles<T: Copy>(steps: &[T], leads_to: impl Fn(T, T) -> bool) -> Vec<T> {
    let mut left: Vec<T> = steps.to_vec();
    loop {
        let keep: Vec<T> = left
            .iter()
            .copied()
            .filter(|one| {
                left.iter().any(|next| leads_to(*one, *next)) && left.iter().any(|last| leads_to(*last, *one))
            })
            .collect();
        if keep.len() == left.len() {
            return left;
        }
        left = keep;
    }
}
