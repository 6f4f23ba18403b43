//! No false alarm: millions of ways at random under the hardened policy, and no promise is broken on any.

use dmswarm::clock::Clock;
use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::Budget;
use dmswarm::explore::lab::Lab;
use dmswarm::explore::plan::UNBOUNDED;
use dmswarm::explore::premises::Premises;
use dmswarm::explore::retell;
use dmswarm::explore::search::random::{Strategy, run_within};
use dmswarm::explore::wording::Worded;
use dmswarm::scenario::QUICKSTART;
use dmswarm::scenario::file::{Overrides, parse};
use dmswarm::seed::Seed;

/// How many octets one lab may take from way to way.
const LARGEST_LAB: u64 = 1 << 27;

/// Goes so many ways, with devices of every kind and by every strategy. The seed is taken from `DMSWARM_TEST_SEED` to go
/// others, and how many from `DMSWARM_TEST_WAYS`.
fn nothing_is_found(ways: u64, most: Budget) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = Seed(number("DMSWARM_TEST_SEED").unwrap_or(7));
    let ways = number("DMSWARM_TEST_WAYS").unwrap_or(ways);
    let overrides = Overrides { policy: Some(Policy::Hardened), ..Overrides::default() };
    let kinds = Premises::of(&parse("quickstart", QUICKSTART, &overrides).expect("a scenario"), 1);
    let each = ways.div_ceil((kinds.len() * Strategy::ALL.len()) as u64);
    let (clock, mut steps, mut gone) = (Clock::start(), 0, 0);
    for premises in &kinds {
        let mut lab = Lab::new(premises);
        for strategy in Strategy::ALL {
            for number in 0..each {
                if lab.octets() > LARGEST_LAB {
                    lab = Lab::new(premises);
                }
                let (ran, trail) = run_within(&mut lab, strategy, seed, number, most);
                steps += ran.steps;
                gone += 1;
                if let Some(breaking) = ran.breaking {
                    let plan = retell::plan(&mut lab, ran.budget, &trail);
                    let words = Worded::new(&plan, premises);
                    panic!(
                        "{}, {}, way {number}: {:?}: {words:#?}\n{trail:?}",
                        premises.kind,
                        strategy.name(),
                        breaking.promises
                    );
                }
            }
        }
    }
    let seconds = clock.now().seconds();
    println!(
        "{gone} ways, {steps} steps, nothing found, in {seconds:.0} s: {:.0} ways a second",
        gone as f64 / seconds
    );
}

#[test]
fn thousands_of_ways_break_nothing_under_the_hardened_policy() {
    nothing_is_found(5_000, UNBOUNDED);
}

#[test]
#[ignore = "takes minutes; with --release"]
fn ten_million_ways_on_which_nothing_goes_wrong_break_nothing() {
    nothing_is_found(10_000_000, Budget { wishes: u8::MAX, ..Budget::default() });
}

#[test]
#[ignore = "takes minutes; with --release"]
fn ten_million_ways_on_which_things_go_wrong_break_nothing() {
    nothing_is_found(10_000_000, UNBOUNDED);
}
