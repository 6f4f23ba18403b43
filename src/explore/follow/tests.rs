//! What the machines did in virtual time is followed whatever befell it, and what they did not do is not.

use super::*;
use crate::delegation::policy::Policy;
use crate::explore::choice::Budget;
use crate::explore::plan::{Plan, Planned};
use crate::explore::premises::Premises;
use crate::explore::{retell, shrink};
use crate::facts::What;
use crate::scenario::file::{Overrides, parse};
use crate::scenario::{QUICKSTART, Scenario};
use crate::seed::Seed;

fn scenario(policy: Policy) -> Scenario {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    parse("quickstart", QUICKSTART, &overrides).expect("a scenario")
}

/// What the servers have on record in the end, and the device.
fn end(walked: &Walked, lab: &Lab<'_>) -> String {
    let servers = judge::servers(&walked.world, lab);
    let records: Vec<String> = servers.iter().map(|server| format!("{:?}", server.records)).collect();
    format!("{records:?} {:?}", walked.world.trees())
}

/// A way drawn at random, to its end.
fn drawn(lab: &mut Lab<'_>, number: u64) -> Walked {
    let mut walked = Walked::new(lab, Budget { wishes: 2, early: 1, losses: 2, copies: 1, deaths: 0 });
    let mut choices = Vec::new();
    for step in 0.. {
        walked.world.choices(lab, &mut choices);
        let Some(last) = choices.len().checked_sub(1) else { break };
        let draw = Seed(number).draw("a way", step) as usize;
        // Most of what happens is nothing out of the ordinary.
        let choice = if draw.is_multiple_of(3) { choices[draw / 3 % (last + 1)] } else { choices[0] };
        walked.take(choice, lab);
    }
    walked
}

#[test]
fn whatever_is_lost_doubled_or_broken_off_is_followed_and_breaks_the_same() {
    for policy in Policy::ALL {
        let scenario = scenario(policy);
        let premises = &Premises::of(&scenario, 1)[0];
        let mut lab = Lab::new(premises);
        for number in 0..40 {
            let walked = drawn(&mut lab, number);
            let broken = judge::names(&judge::in_the_end(&walked, &lab));
            let Following::Done(way) = follow(&mut lab, &walked.facts[0]) else {
                panic!("{policy:?}, way {number}: {:?}", follow(&mut lab, &walked.facts[0]));
            };
            assert_eq!(way.beyond, 0, "{policy:?}, way {number}");
            let again = Walked::along(&mut lab, UNBOUNDED, &way.trail);
            assert_eq!(end(&again, &lab), end(&walked, &lab), "{policy:?}, way {number}");
            assert_eq!(judge::names(&judged(&mut lab, &way).1), broken, "{policy:?}, way {number}");
        }
    }
}

/// A message that its sender has given up, and that is there all the same later.
#[test]
fn what_comes_late_is_followed_and_retold() {
    let scenario = scenario(Policy::Literal);
    let premises = &Premises::of(&scenario, 1)[0];
    let mut lab = Lab::new(premises);
    let mut walked = Walked::new(&mut lab, UNBOUNDED);
    let trail = [Choice::Wishes(0), Choice::Expires(0), Choice::Arrives(0), Choice::Arrives(1), Choice::Arrives(0)];
    for choice in trail {
        walked.take(choice, &mut lab);
    }
    walked.come_to_rest(&mut lab);
    let Following::Done(way) = follow(&mut lab, &walked.facts[0]) else { panic!("it is followed") };
    assert!(way.trail.iter().any(|choice| matches!(choice, Choice::Expires(_) | Choice::Loses(_))), "{:?}", way.trail);
    let (_, retold) = retell::plan(&mut lab, UNBOUNDED, &way.trail).walk(&mut lab);
    assert_eq!(end(&retold, &lab), end(&walked, &lab));
}

#[test]
fn a_fact_that_is_another_one_stops_it_there() {
    let scenario = scenario(Policy::Literal);
    let premises = &Premises::of(&scenario, 1)[0];
    let mut lab = Lab::new(premises);
    let plan = Plan { wishes: vec![Planned { wish: 0, once: None }], ..Plan::default() };
    let (_, walked) = plan.walk(&mut lab);
    let facts = &walked.facts[0];
    let mut stopped = 0;
    for place in 0..facts.len() {
        let mut changed = facts.clone();
        match &mut changed[place].what {
            What::Operated { code, .. } => *code += 1,
            What::Moved { is_full, .. } => *is_full = !*is_full,
            What::ErrandEnded { failure, .. } => *failure = Some(999),
            What::Account { is_there, .. } => *is_there = !*is_there,
            _ => continue,
        }
        let Following::Stuck(stuck) = follow(&mut lab, &changed) else { panic!("{:?}", changed[place]) };
        assert_eq!(
            stuck.fact, place,
            "{:?} stands in the record, and {:?} is named",
            changed[place], changed[stuck.fact]
        );
        assert!(!stuck.ran_out && !stuck.instead.is_empty(), "{stuck:?}");
        stopped += 1;
    }
    assert!(stopped > 10, "there was something to change");
}

#[test]
fn a_record_that_breaks_off_is_followed_to_its_end_and_says_how_much_is_missing() {
    let scenario = scenario(Policy::Literal);
    let premises = &Premises::of(&scenario, 1)[0];
    let mut lab = Lab::new(premises);
    let plan = Plan { wishes: vec![Planned { wish: 0, once: None }], ..Plan::default() };
    let (trail, _) = plan.walk(&mut lab);
    let walked = Walked::along(&mut lab, UNBOUNDED, &trail[..trail.len() / 2]);
    let Following::Done(way) = follow(&mut lab, &walked.facts[0]) else { panic!("it is followed") };
    assert_eq!(way.facts, walked.facts[0].iter().filter(|fact| !matches!(fact.what, What::Step { .. })).count());
    assert!(way.beyond > 0);
}

#[test]
fn a_timer_that_fires_early_is_followed() {
    let scenario = scenario(Policy::Hardened);
    let premises = &Premises::of(&scenario, 1)[0];
    let mut lab = Lab::new(premises);
    let mut walked = Walked::new(&mut lab, UNBOUNDED);
    walked.take(Choice::Wishes(0), &mut lab);
    while !walked.world.has_timer(&lab) {
        walked.take(Choice::Arrives(0), &mut lab);
    }
    let wait = u32::try_from(walked.world.next_timer_in_millis(&lab) / 2).expect("a short time");
    walked.take(Choice::Elapses(wait), &mut lab);
    walked.take(Choice::TimePasses, &mut lab);
    walked.come_to_rest(&mut lab);
    let Following::Done(way) = follow(&mut lab, &walked.facts[0]) else { panic!("it is followed") };
    assert_eq!(way.beyond, 0);
    assert!(way.trail.contains(&Choice::TimePasses));
}

#[test]
fn a_device_of_a_run_is_judged_and_shrunk_as_one_of_its_kind() {
    let scenario = scenario(Policy::Literal);
    let kinds = Premises::of(&scenario, 1);
    let device = (0..).map(DeviceNumber).find(|device| *device != kinds[0].devices[0]).expect("a device");
    let own = Premises::of_device(&scenario, device).expect("it is handed over");
    let kind = kinds.iter().find(|kind| kind.kind == own.kind).expect("its kind");
    assert_eq!(own.devices, [device]);
    assert!(own.wishes.starts_with(&kind.wishes), "a plan means the same for both");
    let full = kind.wishes.iter().position(|wish| wish.flow.to_string() == "delegate.dmacc.full").expect("a wish");
    let plan = Plan { wishes: vec![Planned { wish: full, once: None }], ..Plan::default() };
    for premises in [&own, kind] {
        assert!(!shrink::breaks(&mut Lab::new(premises), &plan, "manageable"));
    }
}
