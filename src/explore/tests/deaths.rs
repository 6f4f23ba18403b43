//! Servers that die: what goes with them and what does not, and what the search finds of it.

use std::collections::BTreeSet;

use super::{budget, scenario, search};
use crate::delegation::policy::Policy;
use crate::explore::choice::{Budget, Choice};
use crate::explore::hunt::{Finding, Hunted, Piece};
use crate::explore::judge;
use crate::explore::lab::{Lab, Number};
use crate::explore::portfolio;
use crate::explore::premises::Premises;
use crate::explore::search::exhaustive::exhaust;
use crate::explore::trail::Walked;
use crate::explore::under_way::UnderWay;
use crate::explore::wording::Worded;
use crate::facts::What;
use crate::ids::ServerNumber;

const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);

fn with_a_death(budget: Budget) -> Budget {
    Budget { deaths: 1, ..budget }
}

fn dies(server: ServerNumber) -> Choice {
    Choice::Dies { server, before_write: false }
}

fn hunted(premises: Vec<Premises>, budgets: &[Budget]) -> (Vec<Premises>, Hunted) {
    let pieces: Vec<Piece> = budgets.iter().flat_map(|budget| portfolio::exhaustive(&premises, *budget)).collect();
    let hunted = search(&premises, &pieces, 2);
    (premises, hunted)
}

#[test]
fn the_hardened_policy_breaks_no_promise_whoever_dies_at_any_point() {
    let all = Premises::of(&scenario(Policy::Hardened), 1);
    let (timely, lossy, early) = (budget(1, 0, 0, 0), budget(1, 0, 1, 0), budget(1, 1, 0, 0));
    for (premises, budget) in [(all.clone(), timely), (all[..2].to_vec(), lossy), (all[..2].to_vec(), early)] {
        let (_, hunted) = hunted(premises, &[with_a_death(budget)]);
        let levels = hunted.levels();
        assert!(levels.iter().all(|level| level.is_complete && level.states > 1_000), "{levels:?}");
        let words: Vec<&Worded> = hunted.findings.iter().map(|finding| &finding.words).collect();
        assert_eq!((words, &hunted.not_retold), (Vec::<&Worded>::new(), &Vec::new()));
    }
}

/// R49: who has prepared the device dies before it has saved that. R50: the delegate dies when it has confirmed.
#[test]
fn by_the_letter_of_the_text_a_death_loses_the_device_and_leaves_one_side_alone() {
    let (_, hunted) =
        hunted(Premises::of(&scenario(Policy::Literal), 1)[..1].to_vec(), &[with_a_death(budget(1, 0, 0, 0))]);
    assert_eq!(hunted.not_retold, []);
    let find = |promise: &str, killed: &str, wish: &str| -> Vec<&Finding> {
        let is_it = |finding: &&Finding| {
            finding.promises.contains(&promise)
                && finding.words.wishes.len() == 1
                && finding.words.wishes[0].contains(wish)
                && finding.words.decisions.len() == 1
                && finding.words.decisions[0].starts_with(&format!("kill {killed} once "))
        };
        hunted.findings.iter().filter(is_it).collect()
    };
    let words: Vec<_> = hunted.findings.iter().map(|finding| (&finding.promises, &finding.words)).collect();
    assert!(!find("manageable", "home", "./SCOMO full").is_empty(), "R49: {words:#?}");
    assert!(!find("records_agree", "partner", "by dmacc subtree").is_empty(), "R50: {words:#?}");
}

#[test]
fn what_a_dead_server_has_asked_for_has_nobody_to_come_back_to() {
    let premises = &Premises::of(&scenario(Policy::Hardened), 1)[0];
    let mut lab = Lab::new(premises);
    let mut walked = Walked::new(&mut lab, with_a_death(budget(1, 0, 0, 0)));
    assert!(!walked.world.may_die(HOME, false, &lab), "nothing has happened to it");
    walked.take(Choice::Wishes(0), &mut lab);
    let is_request = |what: &UnderWay| matches!(what, UnderWay::Request { from: HOME, .. });
    let requests: Vec<Number> =
        walked.world.under_way().iter().copied().filter(|what| is_request(lab.under_way(*what))).collect();
    assert!(!requests.is_empty());
    walked.take(dies(HOME), &mut lab);
    assert!(walked.world.under_way().iter().all(|what| !requests.contains(what)));
    assert!(walked.world.under_way().iter().any(|what| matches!(lab.under_way(*what), UnderWay::Copy { .. })));
    let seen: Vec<&What> = walked.facts[0].iter().map(|fact| &fact.what).collect();
    let place = |sought: What| seen.iter().position(|what| **what == sought).expect("it was seen");
    assert!(place(What::Killed { at: HOME }) < place(What::Restarted { at: HOME }));
    walked.come_to_rest(&mut lab);
    assert_eq!(judge::in_the_end(&walked, &lab), []);
}

#[test]
fn only_who_acts_before_it_writes_can_die_in_between() {
    for (policy, acts_first) in [(Policy::Hardened, false), (Policy::Literal, true)] {
        let premises = &Premises::of(&scenario(policy), 1)[0];
        let mut lab = Lab::new(premises);
        let mut walked = Walked::new(&mut lab, with_a_death(budget(1, 0, 0, 0)));
        walked.take(Choice::Wishes(0), &mut lab);
        while !walked.world.is_at_rest(&lab) && !walked.world.may_die(PARTNER, true, &lab) {
            walked.take(Choice::Arrives(0), &mut lab);
        }
        assert_eq!(walked.world.may_die(PARTNER, true, &lab), acts_first, "{policy:?}");
    }
}

#[test]
fn a_search_with_deaths_leaves_nothing_behind() {
    let premises = &Premises::of(&scenario(Policy::Hardened), 1)[0];
    let without =
        exhaust(&mut Lab::new(premises), budget(1, 1, 0, 0), None, u64::MAX, &|| false).expect("it is not over");
    let mut lab = Lab::new(premises);
    exhaust(&mut lab, with_a_death(budget(1, 0, 0, 0)), None, u64::MAX, &|| false).expect("it is not over");
    let after = exhaust(&mut lab, budget(1, 1, 0, 0), None, u64::MAX, &|| false).expect("it is not over");
    assert_eq!(without, after);
}

#[test]
fn a_plan_with_a_death_is_read_as_it_was_written_and_breaks_the_same() {
    let (premises, hunted) =
        hunted(Premises::of(&scenario(Policy::Literal), 1)[..1].to_vec(), &[with_a_death(budget(1, 0, 0, 0))]);
    let mut kinds = BTreeSet::new();
    for finding in hunted.findings.iter().filter(|finding| !finding.plan.deaths.is_empty()) {
        let read = finding.words.plan(&premises[0]).expect("our own words");
        assert_eq!(read, finding.plan, "{:?}", finding.words);
        kinds.extend(finding.plan.deaths.iter().map(|death| death.before_write));
        let (_, walked) = read.walk(&mut Lab::new(&premises[0]));
        assert!(walked.facts[0].iter().any(|fact| matches!(fact.what, What::Killed { .. })), "{:?}", finding.words);
    }
    assert!(!kinds.is_empty(), "there are some");
}

#[test]
fn findings_with_deaths_are_the_same_on_any_number_of_threads() {
    let premises = Premises::of(&scenario(Policy::Literal), 1);
    let mut pieces = portfolio::exhaustive(&premises[..1], with_a_death(budget(1, 0, 0, 0)));
    pieces.extend((0..7).filter_map(|number| portfolio::at_random(1, 10_000, number)));
    let (one, three) = (search(&premises, &pieces, 1), search(&premises, &pieces, 3));
    assert!(one.findings.iter().any(|finding| !finding.plan.deaths.is_empty()));
    assert_eq!(one.findings, three.findings);
    assert_eq!(one.digest(), three.digest());
}
