//! Minutes miss nothing: whatever breaks a promise about steps, the step that did it was suspect.

mod stories;
mod ways;

use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::{Budget, Choice};
use dmswarm::explore::lab::Lab;
use dmswarm::explore::premises::Premises;
use dmswarm::explore::trail::Walked;
use dmswarm::explore::world::Turns;
use dmswarm::measure::promise;
use dmswarm::scenario::QUICKSTART;
use dmswarm::scenario::file::{Overrides, parse};
use dmswarm::seed::Seed;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;

const BUDGET: Budget = Budget { wishes: 3, early: 3, losses: 2, copies: 2, deaths: 0 };

/// Ways on which servers die as well.
const MORTAL: Budget = Budget { deaths: 2, ..BUDGET };

/// So many walks share what has been worked out; then it is forgotten, or memory would run out.
const WALKS_IN_A_LAB: u64 = 500;

/// Promises about what comes to an end: that it does not shows at rest alone, and there every story is judged.
const ABOUT_ENDS: [&str; 6] = [
    "every_flow_ends",
    "both_sides_end",
    "recovers_after_healing",
    "somebody_gets_through",
    "pending_cleanup_is_done",
    "no_circular_wait",
];

/// Whether minutes have to tell of a breach of this promise.
fn has_to_be_told(promise: &str) -> bool {
    promise::is_about_steps(promise) && !ABOUT_ENDS.contains(&promise)
}

/// Does something with so many ways in all, with devices of every kind and under both policies. The seed is taken from
/// `DMSWARM_TEST_SEED` to go others.
fn with_each(test: &str, walks: u64, mut look: impl FnMut(&mut Lab<'_>, &mut ChaCha8Rng)) {
    let seed = match std::env::var("DMSWARM_TEST_SEED") {
        Ok(text) => Seed(text.parse().expect("DMSWARM_TEST_SEED is a number")),
        Err(_) => Seed(7),
    };
    println!(
        "to run it again: DMSWARM_TEST_SEED={} cargo test --release --test minutes {test} -- --include-ignored",
        seed.0
    );
    let kinds: Vec<Premises> = Policy::ALL.into_iter().flat_map(kinds).collect();
    let each = walks.div_ceil(kinds.len() as u64);
    for premises in &kinds {
        for from in (0..each).step_by(WALKS_IN_A_LAB as usize) {
            let mut lab = Lab::new(premises);
            for number in from..each.min(from + WALKS_IN_A_LAB) {
                look(&mut lab, &mut seed.stream(&premises.kind, number));
            }
        }
    }
}

fn kinds(policy: Policy) -> Vec<Premises> {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    Premises::of(&parse("quickstart", QUICKSTART, &overrides).expect("the quickstart is a scenario"), 1)
}

/// Goes a way at random to its end: `taken` is told each choice, with the turns that it was followed by.
fn at_random(
    lab: &mut Lab<'_>,
    budget: Budget,
    dice: &mut ChaCha8Rng,
    mut taken: impl FnMut(&Lab<'_>, Choice, Turns),
) -> Walked {
    let mut walked = Walked::new(lab, budget);
    let mut choices = Vec::new();
    let calm = [1.0, 5.0, 20.0][dice.random_range(0..3)];
    loop {
        walked.world.choices(lab, &mut choices);
        let Some(choice) = drawn(&choices, calm, dice) else { return walked };
        let turns = walked.take(choice, lab);
        taken(lab, choice, turns);
    }
}

/// One of these: first of what kind, then which. `calm`: how much likelier it is that something arrives than that there is
/// a wish, or that time goes by.
fn drawn(choices: &[Choice], calm: f64, dice: &mut ChaCha8Rng) -> Option<Choice> {
    type IsOne = fn(&Choice) -> bool;
    let kinds: [(f64, IsOne); 6] = [
        (calm, |choice| matches!(choice, Choice::Arrives(_))),
        (1.0, |choice| matches!(choice, Choice::TimePasses)),
        (1.0, |choice| matches!(choice, Choice::Wishes(_))),
        (0.5, |choice| matches!(choice, Choice::Loses(_) | Choice::Breaks(..))),
        (0.5, |choice| matches!(choice, Choice::Doubles(_))),
        (0.3, |choice| matches!(choice, Choice::Dies { .. })),
    ];
    let open: Vec<_> = kinds.iter().filter(|(_, is_one)| choices.iter().any(is_one)).collect();
    let (_, is_one) = open.choose_weighted(dice, |(weight, _)| *weight).ok()?;
    let those: Vec<Choice> = choices.iter().copied().filter(is_one).collect();
    those.choose(dice).copied()
}

/// The first place from which on a promise is broken, where it is kept at 0 and broken at `end`.
fn first_broken(end: usize, mut is_broken: impl FnMut(usize) -> bool) -> usize {
    let (mut kept, mut broken) = (0, end);
    while broken - kept > 1 {
        let middle = kept.midpoint(broken);
        *(if is_broken(middle) { &mut broken } else { &mut kept }) = middle;
    }
    kept
}
