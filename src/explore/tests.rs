//! What explorations have to come to.

use std::time::Instant;

use super::lab::Lab;
use super::premises::Premises;
use crate::delegation::policy::Policy;
use crate::scenario::file::{Overrides, parse};
use crate::scenario::{QUICKSTART, Scenario};

fn scenario(policy: Policy) -> Scenario {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    parse("quickstart", QUICKSTART, &overrides).expect("a scenario")
}

#[test]
fn speeds() {
    use super::search::random::{Strategy, run};
    use crate::seed::Seed;
    for policy in Policy::ALL {
        let kinds = Premises::of(&scenario(policy), 1);
        for strategy in Strategy::ALL {
            let mut lab = Lab::new(&kinds[0]);
            let from = Instant::now();
            let (mut steps, mut broken, mut suspects) = (0, 0, 0);
            let many = 100_000;
            for number in 0..many {
                let ran = run(&mut lab, strategy, Seed(7), number);
                steps += ran.steps;
                broken += u64::from(ran.breaking.is_some());
                suspects += u64::from(ran.was_suspect);
            }
            let s = from.elapsed().as_secs_f64();
            eprintln!(
                "{policy:?} {}: {:.0} ways/s {:.2} M steps/s, {:.1} steps each, {broken} broken {suspects} suspect, lab {}",
                strategy.name(),
                many as f64 / s,
                steps as f64 / s / 1e6,
                steps as f64 / many as f64,
                lab.size()
            );
        }
    }
}
