//! Of stories that no machine of ours tells: those of real ways with something in them that machines with a bug might do.

use std::collections::BTreeMap;

use dmswarm::clock::Moment;
use dmswarm::delegation::machine::Side;
use dmswarm::explore::lab::Lab;
use dmswarm::explore::premises::Premises;
use dmswarm::facts::{Fact, Heard, Took, What};
use dmswarm::ids::{ServerNumber, SessionId};
use dmswarm::measure::promise::steps::minutes::Minutes;
use dmswarm::measure::promise::steps::{Known, Watched};
use dmswarm::measure::promise::{Journeyed, Judging};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;

use crate::{BUDGET, MORTAL, at_random, first_broken, has_to_be_told, with_each};

/// What was seen, turn by turn.
type Story = Vec<Vec<What>>;

/// A story of a real way.
fn told(lab: &mut Lab<'_>, dice: &mut ChaCha8Rng) -> Story {
    let mut story = Story::new();
    let budget = if dice.random_bool(0.3) { MORTAL } else { BUDGET };
    at_random(lab, budget, dice, |lab, _, turns| {
        let facts = turns.numbers.iter().map(|turn| &lab.turn(*turn).facts);
        story.extend(facts.map(|facts| facts.iter().map(|(_, what)| what.clone()).collect()));
    });
    story.retain(|turn| !turn.is_empty());
    story
}

/// Something in it is otherwise than it was: what machines, or the device, say that they do. What is between them stays as
/// it is: what arrives has been sent, and whatever is sent has one answer.
fn spoil(story: &mut Story, dice: &mut ChaCha8Rng) {
    let turn = dice.random_range(0..story.len());
    let fact = dice.random_range(0..story[turn].len());
    let is_said = is_said(&story[turn][fact]);
    match dice.random_range(0..8) {
        0 if is_said => drop(story[turn].remove(fact)),
        1 if is_said => {
            let again = story[turn][fact].clone();
            story[turn].push(again);
        }
        2 => {
            // What one turn did, another at the same server does as well.
            let other = story.choose(dice).and_then(|turn| turn.choose(dice)).cloned();
            let server = story[turn][0].server();
            story[turn].extend(other.filter(|other| self::is_said(other) && other.server() == server));
        }
        3 if matches!(story[turn][fact], What::ErrandEnded { .. }) => {
            // It was begun twice.
            let again = vec![story[turn][fact].clone()];
            story.insert(dice.random_range(turn..=story.len()), again);
        }
        4 | 5 => say_otherwise(story, turn, dice),
        _ => {
            let all: Vec<What> = story.concat();
            change(&mut story[turn][fact], &all, dice);
        }
    }
    story.retain(|turn| !turn.is_empty());
}

/// Whether a machine says it of its own accord.
fn is_said(what: &What) -> bool {
    matches!(what, What::Moved { .. } | What::Joined { .. } | What::Settled { .. } | What::Account { .. })
}

/// What is sent in a turn, if anything is, says something else, or is of another session: wherever it comes, and whenever
/// it is sent.
fn say_otherwise(story: &mut Story, turn: usize, dice: &mut ChaCha8Rng) {
    let all: Vec<What> = story.concat();
    let sent = story[turn].iter().find_map(|what| match what {
        What::Sent { from, to, kind, session, attempt: 1 } => Some((*from, *to, *kind, session.clone())),
        _ => None,
    });
    let Some(sent) = sent else { return };
    let mut other = (sent.2, sent.3.clone());
    match all.choose(dice) {
        Some(What::Sent { kind, .. }) => other.0 = *kind,
        _ => other.1 = if dice.random_bool(0.1) { None } else { any_session(&all, dice) },
    }
    for what in story.iter_mut().flatten() {
        match what {
            What::Sent { from, to, kind, session, .. }
            | What::Taken { at: to, from, kind, session, .. }
            | What::Heard { at: from, from: to, kind, session, .. }
                if (&*from, &*to, &*kind, &*session) == (&sent.0, &sent.1, &sent.2, &sent.3) =>
            {
                (*kind, *session) = other.clone();
            }
            _ => {}
        }
    }
}

/// Puts something into a fact that another fact of the story has.
fn change(what: &mut What, all: &[What], dice: &mut ChaCha8Rng) {
    match what {
        What::Moved { state, session, side, is_full, .. } => match dice.random_range(0..6) {
            0..3 => {
                let states: Vec<&'static str> = all.iter().filter_map(state_of).collect();
                *state = states.choose(dice).copied().unwrap_or("Over");
            }
            3 => *session = any_session(all, dice).unwrap_or(session.clone()),
            4 => *is_full = !*is_full,
            _ => *side = other_side(*side),
        },
        What::Taken { how, .. } => {
            *how = [Took::New, Took::Copy, Took::Rejected("unknown_session"), Took::Rejected("overloaded")]
                [dice.random_range(0..4)];
        }
        What::Heard { answer, .. } => {
            let answers = all.iter().filter_map(|what| match what {
                What::Heard { answer, .. } => Some(*answer),
                _ => None,
            });
            let answers: Vec<Heard> = answers.chain([Heard::NoContent, Heard::TimedOut]).collect();
            *answer = answers[dice.random_range(0..answers.len())];
        }
        What::ErrandEnded { failure, .. } => *failure = None,
        What::Operated { by, code, .. } => {
            *code = 200;
            *by = ServerNumber(dice.random_range(0..2));
        }
        What::Account { is_there, .. } => *is_there = !*is_there,
        What::Settled { side, .. } | What::Joined { side, .. } => *side = other_side(*side),
        _ => {}
    }
}

fn other_side(side: Side) -> Side {
    match side {
        Side::Delegating => Side::Delegated,
        Side::Delegated => Side::Delegating,
    }
}

fn state_of(what: &What) -> Option<&'static str> {
    match what {
        What::Moved { state, .. } => Some(state),
        _ => None,
    }
}

fn any_session(all: &[What], dice: &mut ChaCha8Rng) -> Option<SessionId> {
    let sessions = all.iter().filter_map(|what| match what {
        What::Moved { session, .. } => Some(session),
        What::Sent { session, .. } => session.as_ref(),
        _ => None,
    });
    sessions.collect::<Vec<_>>().choose(dice).map(|session| (*session).clone())
}

/// The promises that minutes have to tell of and that the first so many turns break.
fn broken(premises: &Premises, turns: &[Vec<What>]) -> Vec<(&'static str, String)> {
    let facts: Vec<Fact> = turns.iter().flatten().map(|what| Fact { at: Moment::ZERO, what: what.clone() }).collect();
    let servers: Vec<Known> = (0..)
        .map(ServerNumber)
        .zip(&premises.names)
        .map(|(server, name)| Known { server, name: name.clone(), is_seen: true })
        .collect();
    let mut judging = Judging::new(&[]);
    judging.look_at_steps(&Watched {
        device: premises.devices[0],
        facts: &facts,
        journeyed: &at_first(premises),
        servers: &servers,
        policy: premises.policy,
        bounds: premises.bounds,
        healed_at: Moment::ZERO,
        ended_at: Moment::ZERO,
        is_over: true,
    });
    let breaches = judging.finish().into_iter().flat_map(|promise| promise.breaches);
    let told = breaches.filter(|breach| has_to_be_told(breach.promise));
    told.map(|breach| (breach.promise, breach.seen)).collect()
}

fn at_first(premises: &Premises) -> Journeyed {
    let (owner, bootstrapped) = premises.parties.at_first(premises.devices[0]);
    Journeyed::at_first(owner, bootstrapped)
}

fn look(test: &str, stories: u64) {
    let mut missed: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    let mut many: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut told_of, mut turns) = (0, 0);
    with_each(test, stories, |lab, dice| {
        let mut story = told(lab, dice);
        if story.is_empty() {
            return;
        }
        for _ in 0..dice.random_range(1..=2) {
            spoil(&mut story, dice);
        }
        let premises = lab.premises();
        let mut minutes = Minutes::new(&at_first(premises));
        let is_suspect: Vec<bool> =
            story.iter().map(|turn| minutes.add(&turn.iter().collect::<Vec<_>>(), premises.policy)).collect();
        turns += story.len();
        told_of += is_suspect.iter().filter(|is_suspect| **is_suspect).count();
        for (promise, seen) in broken(premises, &story) {
            *many.entry(promise).or_default() += 1;
            let is_broken = |turns: usize| broken(premises, &story[..turns]).iter().any(|(name, _)| *name == promise);
            let turn = first_broken(story.len(), is_broken);
            if !is_suspect[turn] {
                let told: String =
                    story.iter().enumerate().map(|(turn, facts)| format!("{turn} {facts:?}\n")).collect();
                let words = format!("{:?}, {promise}, turn {turn}: {seen}\n{told}", premises.policy);
                missed.entry(promise).or_insert((0, words)).0 += 1;
            }
        }
    });
    println!("{turns} turns, {told_of} of them suspect; stories that broke promises: {many:?}");
    let counts: Vec<(&str, u64)> = missed.iter().map(|(name, (count, _))| (*name, *count)).collect();
    assert!(
        missed.is_empty(),
        "minutes did not tell of {counts:?}: {}",
        missed.values().map(|one| one.1.as_str()).collect::<String>()
    );
    assert!(many.len() >= 10, "only these were broken: {many:?}");
}

#[test]
fn minutes_miss_nothing_of_stories_that_no_machine_tells() {
    look("minutes_miss_nothing_of_stories_that_no_machine_tells", 10_000);
}

#[test]
#[ignore = "takes minutes; with --release"]
fn minutes_miss_nothing_of_a_million_stories_that_no_machine_tells() {
    look("minutes_miss_nothing_of_a_million_stories_that_no_machine_tells", 1_000_000);
}
