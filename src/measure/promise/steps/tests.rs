//! Each promise on facts that keep it and on facts that break it.

mod ends;
mod minutes;
mod mutants;
mod rights;
mod sessions;
mod talk;
mod tape;
mod windows;

use super::*;
use crate::facts::What;
use crate::measure::promise::{Judging, PromiseResult};
use tape::{Tape, asked, careful_handover, handover, partial, there_and_back};

const DEVICE: DeviceNumber = DeviceNumber(3);
const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);
const THIRD: ServerNumber = ServerNumber(2);

/// How a tape is looked at.
#[derive(Clone)]
struct Setting {
    policy: Policy,
    healed_at: Moment,
    /// Since the last fact.
    watched_on: Duration,
    bootstrapped: Vec<ServerNumber>,
    unseen: Option<ServerNumber>,
}

/// All is well from the beginning, and all that has to end has had the time to.
fn usual() -> Setting {
    Setting {
        policy: Policy::Hardened,
        healed_at: Moment::ZERO,
        watched_on: Duration::from_secs(60),
        bootstrapped: Vec::new(),
        unseen: None,
    }
}

const BOUNDS: Bounds = Bounds { flow: Duration::from_secs(10), rounds: 2 };

/// Looks at a tape in some way.
fn watching<T>(tape: &Tape, setting: &Setting, look: impl FnOnce(&Watched<'_>) -> T) -> T {
    let facts = tape.facts();
    let journeyed = Journeyed {
        owner: HOME,
        bootstrapped: setting.bootstrapped.clone(),
        revoked: Vec::new(),
        unannounced: Vec::new(),
    };
    let servers: Vec<Known> = [(HOME, "home"), (PARTNER, "partner"), (THIRD, "third")]
        .map(|(server, name)| Known { server, name: name.to_owned(), is_seen: setting.unseen != Some(server) })
        .into();
    look(&Watched {
        device: DEVICE,
        facts: &facts,
        journeyed: &journeyed,
        servers: &servers,
        policy: setting.policy,
        bounds: BOUNDS,
        healed_at: setting.healed_at,
        ended_at: facts.last().map_or(Moment::ZERO, |fact| fact.at) + setting.watched_on,
        is_over: true,
    })
}

fn judged_in(tape: &Tape, setting: &Setting) -> Vec<PromiseResult> {
    let mut judging = Judging::new(&[]);
    watching(tape, setting, |watched| judging.look_at_steps(watched));
    judging.finish().split_off(super::super::rules::ALL.len())
}

fn broken_in(tape: &Tape, setting: &Setting) -> Vec<&'static str> {
    judged_in(tape, setting).iter().filter(|result| result.broken > 0).map(|result| result.name).collect()
}

fn of(name: &str, results: Vec<PromiseResult>) -> PromiseResult {
    results.into_iter().find(|result| result.name == name).expect("a promise of this name")
}

/// What one promise says of a tape: `(checked, broken, not observable)`.
#[track_caller]
fn check_in(setting: &Setting, case: &str, tape: &Tape, name: &str, counts: (u64, u64, u64)) {
    let found = of(name, judged_in(tape, setting));
    assert_eq!((found.checked, found.broken, found.not_observable), counts, "{case}: {:?}", found.breaches);
}

#[track_caller]
fn check_kept(case: &str, tape: &Tape, name: &str) {
    check_in(&usual(), case, tape, name, (1, 0, 0));
}

#[track_caller]
fn check_idle(case: &str, tape: &Tape, name: &str) {
    check_in(&usual(), case, tape, name, (0, 0, 0));
}

/// One promise is broken, and what was seen holds these words.
#[track_caller]
fn check_broken(case: &str, tape: &Tape, name: &str, seen: &str) {
    check_broken_in(&usual(), case, tape, name, seen);
}

#[track_caller]
fn check_broken_in(setting: &Setting, case: &str, tape: &Tape, name: &str, seen: &str) {
    let found = of(name, judged_in(tape, setting));
    assert_eq!((found.checked, found.broken, found.not_observable), (1, 1, 0), "{case}");
    assert!(found.breaches[0].seen.contains(seen), "{case}: {}", found.breaches[0].seen);
}

/// The tapes on which all is as it should be.
fn all_well() -> Vec<(&'static str, Tape)> {
    vec![
        ("partially", partial()),
        ("fully, by the text", handover("home", "partner", "s1", ".", true)),
        ("fully, with care", careful_handover()),
        ("and revoked", there_and_back()),
        ("and again", there_and_back().then(&handover("home", "partner", "s2", "./SCOMO", false).lines().join("\n"))),
        (
            "passed on",
            handover("home", "partner", "s1", ".", true)
                .then(&handover("partner", "third", "p1", ".", true).lines().join("\n")),
        ),
        (
            "given back",
            handover("home", "partner", "s1", ".", true)
                .then(&handover("partner", "home", "p1", ".", true).lines().join("\n"))
                .with(
                    "move partner home > p1 AtRest full .",
                    "move partner home > p1 AtRest full .\nmove partner home < s1 Over full .",
                )
                .with(
                    "move home partner < p1 AtRest full .",
                    "move home partner < p1 AtRest full .\nmove home partner > s1 Over full .",
                ),
        ),
    ]
}

#[test]
fn every_promise_is_kept_where_all_is_well() {
    for (case, tape) in all_well() {
        for result in judged_in(&tape, &usual()) {
            let is_told = !result.breaches.is_empty();
            assert_eq!((result.broken, result.not_observable, is_told), (0, 0, false), "{case}: {result:?}");
        }
    }
}

#[test]
fn nothing_is_said_where_nothing_was_seen() {
    for result in judged_in(&Tape::new(""), &usual()) {
        assert_eq!((result.checked, result.broken, result.not_observable), (0, 0, 0), "{result:?}");
    }
}

#[test]
fn results_come_in_the_order_of_the_names_and_with_steps_only_where_steps_were_seen() {
    let all: Vec<&str> = crate::measure::promise::names().collect();
    let mut judging = Judging::new(&[]);
    watching(&partial(), &usual(), |watched| judging.look_at_steps(watched));
    let with_steps: Vec<&str> = judging.finish().iter().map(|result| result.name).collect();
    let without: Vec<&str> = Judging::new(&[]).finish().iter().map(|result| result.name).collect();
    assert_eq!((with_steps, without), (all.clone(), all[..8].to_vec()));
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((once.len(), all.len()), (26, 26));
}

#[test]
fn a_device_with_many_breaches_tells_the_first() {
    let strangers = "did stranger Add ./A 200\n".repeat(7);
    check_broken("many", &Tape::new(&strangers), "no_work_without_right", "; and 4 more");
}

#[test]
fn the_first_steps_of_what_keeps_every_promise_break_none_wherever_they_are_cut_off() {
    let of_the_first = partial();
    let mut seam = 0;
    watching(&of_the_first, &usual(), |first| seam = first.facts.len());
    watching(&there_and_back(), &usual(), |whole| {
        let step = |number: usize, at: usize| Fact { at: whole.facts[at].at, what: What::Step { number } };
        let is_taken = |fact: &Fact| matches!(fact.what, What::Taken { .. });
        let taken = whole.facts[..seam].iter().rposition(is_taken).expect("the last message of the first step");
        // The next step may begin before what follows from that message has been told.
        for early in 0..seam - taken {
            let mut facts = vec![step(1, 0)];
            facts.extend_from_slice(&whole.facts[..seam - early]);
            facts.push(step(2, seam));
            facts.extend_from_slice(&whole.facts[seam - early..]);
            let third = facts.len();
            facts.push(step(3, whole.facts.len() - 1));
            facts.extend_from_slice(&whole.facts[..seam]);
            for end in 1..=facts.len() {
                let mut judging = Judging::new(&[]);
                judging.look_at_first_steps(&Watched { facts: &facts[..end], is_over: false, ..*whole });
                let results = judging.finish().split_off(super::super::rules::ALL.len());
                let known: Vec<_> = results.iter().filter(|result| result.checked > 0).collect();
                assert!(known.is_empty(), "after {end} facts, {early} early: {known:?}");
                // The first step is whole once the third one has begun.
                let is_seen = results.iter().any(|result| result.not_observable > 0);
                assert_eq!(is_seen, end > third, "after {end} facts, {early} early: {results:?}");
            }
        }
    });
}
