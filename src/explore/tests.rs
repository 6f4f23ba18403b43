//! What explorations have to come to.

use std::time::Instant;

use super::choice::{Budget, Choice};
use super::lab::Lab;
use super::premises::Premises;
use super::search::exhaustive::exhaust;
use crate::delegation::policy::Policy;
use crate::scenario::file::{Overrides, parse};
use crate::scenario::{QUICKSTART, Scenario};

fn scenario(policy: Policy) -> Scenario {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    parse("quickstart", QUICKSTART, &overrides).expect("a scenario")
}

#[test]
fn count() {
    for policy in Policy::ALL {
        let kinds = Premises::of(&scenario(policy), 1);
        eprintln!("{:?}", kinds.iter().map(|kind| &kind.kind).collect::<Vec<_>>());
        for premises in &kinds[..1] {
            for (wishes, early, losses, copies) in [
                (1, 0, 0, 0),
                (1, 1, 0, 0),
                (1, 0, 1, 0),
                (1, 0, 0, 1),
                (1, 1, 1, 0),
                (2, 0, 0, 0),
                (2, 1, 0, 0),
                (2, 0, 1, 0),
                (2, 0, 0, 1),
            ] {
                let mut lab = Lab::new(premises);
                let from = Instant::now();
                let done = exhaust(&mut lab, Budget { wishes, early, losses, copies, deaths: 0 }, None, 20_000_000);
                eprintln!(
                    "{policy:?} {wishes} {early} {losses} {copies}: {} {} rest {} suspects {} cleared {} broken {} lab {} in {:?} = {:.2} M/s",
                    done.states,
                    done.transitions,
                    done.at_rest,
                    done.suspects,
                    done.cleared,
                    done.broken,
                    lab.size(),
                    from.elapsed(),
                    done.transitions as f64 / from.elapsed().as_secs_f64() / 1e6
                );
                for breaking in done.breaking.iter().take(12) {
                    let wishes: Vec<String> = breaking
                        .trail
                        .iter()
                        .filter_map(|choice| {
                            if let Choice::Wishes(number) = choice {
                                Some(premises.wishes[usize::from(*number)].flow.to_string())
                            } else {
                                None
                            }
                        })
                        .collect();
                    eprintln!("    {:?} {wishes:?} {:?}", breaking.promises, breaking.likeness());
                }
            }
        }
    }
}

#[test]
fn plans() {
    for policy in Policy::ALL {
        let scenario = scenario(policy);
        let names = scenario.names();
        let kinds = Premises::of(&scenario, 1);
        for premises in &kinds[..3] {
            let mut signatures = std::collections::BTreeMap::<String, usize>::new();
            eprintln!("==== {policy:?} {}", premises.kind);
            for (wishes, early, losses, copies) in [
                (1, 0, 0, 0),
                (1, 1, 0, 0),
                (1, 0, 1, 0),
                (1, 0, 0, 1),
                (2, 0, 0, 0),
                (2, 1, 0, 0),
                (2, 0, 1, 0),
                (2, 0, 0, 1),
            ] {
                let mut lab = Lab::new(premises);
                let budget = Budget { wishes, early, losses, copies, deaths: 0 };
                let done = exhaust(&mut lab, budget, None, 20_000_000);
                let from = Instant::now();
                let mut failed = 0;
                for breaking in &done.breaking {
                    for promise in &breaking.promises {
                        let plan = super::retell::plan(&mut lab, budget, &breaking.trail);
                        match super::shrink::shrink(&mut lab, &plan, promise) {
                            None => failed += 1,
                            Some(least) => {
                                let wishes: Vec<String> = least
                                    .wishes
                                    .iter()
                                    .map(|planned| {
                                        format!(
                                            "{} at {} {}",
                                            premises.wishes[planned.wish].flow,
                                            premises.wishes[planned.wish].at,
                                            planned
                                                .once
                                                .as_ref()
                                                .map_or(String::new(), |once| format!("once {}", once.print(&names)))
                                        )
                                    })
                                    .collect();
                                let decisions: Vec<String> = least
                                    .decisions
                                    .iter()
                                    .map(|d| {
                                        format!(
                                            "{:?} {}: {}",
                                            d.what.thing,
                                            d.what.nth,
                                            match &d.deed {
                                                super::plan::Deed::Hold(p) => format!("hold until {}", p.print(&names)),
                                                other => format!("{other:?}"),
                                            }
                                        )
                                    })
                                    .collect();
                                *signatures.entry(format!("{promise}: {wishes:?} {decisions:?}")).or_default() += 1;
                            }
                        }
                    }
                }
                eprintln!(
                    "{policy:?} {wishes} {early} {losses} {copies}: {} ways, {failed} not retold, {:?}",
                    done.breaking.len(),
                    from.elapsed()
                );
            }
            for (signature, n) in signatures {
                eprintln!("  {n} x {signature}");
            }
        }
    }
}
