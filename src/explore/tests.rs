//! What explorations have to come to: the certificate, the findings by the letter of the text, and that nothing but the
//! seed and the choices decides.

mod deaths;

use super::choice::{Budget, Choice};
use super::hunt::{Hunted, Means, Piece, hunt};
use super::lab::Lab;
use super::plan::Plan;
use super::portfolio;
use super::premises::Premises;
use super::search::exhaustive::exhaust;
use super::testimony::testify;
use super::trail::Walked;
use super::undisturbed;
use super::wording::Worded;
use crate::delegation::flow::{Approach, FlowKind, Outcome};
use crate::delegation::policy::Policy;
use crate::facts::What;
use crate::scenario::file::{Overrides, parse};
use crate::scenario::{QUICKSTART, Scenario};
use crate::seed::Seed;

fn scenario(policy: Policy) -> Scenario {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    parse("quickstart", QUICKSTART, &overrides).expect("a scenario")
}

fn budget(wishes: u8, early: u8, losses: u8, copies: u8) -> Budget {
    Budget { wishes, early, losses, copies, deaths: 0 }
}

const MEANS: Means = Means { threads: 2, memory: 1 << 32 };

fn search(premises: &[Premises], pieces: &[Piece], threads: usize) -> Hunted {
    let piece = |number: u64| pieces.get(number as usize).cloned();
    hunt(premises, &piece, Seed(7), Means { threads, ..MEANS }, &|| false, &|_, _| {})
}

#[test]
fn the_hardened_policy_breaks_no_promise_whatever_is_early_lost_or_doubled() {
    let premises = Premises::of(&scenario(Policy::Hardened), 1);
    let budgets = [budget(1, 1, 1, 0), budget(1, 1, 0, 1), budget(1, 0, 1, 1), budget(2, 0, 0, 0)];
    let pieces: Vec<Piece> = budgets.iter().flat_map(|budget| portfolio::exhaustive(&premises, *budget)).collect();
    let hunted = search(&premises, &pieces, 2);
    let levels = hunted.levels();
    assert!(levels.iter().all(|level| level.is_complete), "{levels:?}");
    assert!(levels.iter().all(|level| level.states > 1_000), "there was something to look at: {levels:?}");
    let words: Vec<&Worded> = hunted.findings.iter().map(|finding| &finding.words).collect();
    assert_eq!(words, Vec::<&Worded>::new());
}

/// R12: the delegate never reaches a device whose owner has left it. R37: whoever has left it is asked to take it back.
#[test]
fn by_the_letter_of_the_text_a_full_delegation_loses_the_device() {
    let scenario = scenario(Policy::Literal);
    let premises = Premises::of(&scenario, 1);
    let budgets = [budget(1, 1, 0, 0), budget(1, 0, 1, 0), budget(2, 0, 0, 0)];
    let pieces: Vec<Piece> = budgets.iter().flat_map(|budget| portfolio::exhaustive(&premises, *budget)).collect();
    let hunted = search(&premises, &pieces, 2);
    assert_eq!(hunted.not_retold, []);
    let lost: Vec<&Plan> = hunted
        .findings
        .iter()
        .filter(|finding| finding.promises.contains(&"manageable"))
        .map(|finding| &finding.plan)
        .collect();
    let flows = |plan: &Plan| -> Vec<String> {
        plan.wishes.iter().map(|planned| premises[0].wishes[planned.wish].flow.to_string()).collect()
    };
    let orphan = lost.iter().find(|plan| flows(plan) == ["delegate.dmacc.full"]).expect("R12");
    assert!(!orphan.decisions.is_empty() && orphan.size() <= 6, "{orphan:?}");
    let requested = lost.iter().find(|plan| flows(plan) == ["delegate.dmacc.full", "revoke.requested"]).expect("R37");
    assert!(requested.decisions.is_empty(), "{requested:?}");
}

#[test]
fn findings_are_the_same_on_any_number_of_threads() {
    let premises = Premises::of(&scenario(Policy::Literal), 1);
    let mut pieces = portfolio::exhaustive(&premises, budget(1, 1, 0, 0));
    pieces.extend((0..14).filter_map(|number| portfolio::at_random(premises.len(), 20_000, number)));
    let (one, three) = (search(&premises, &pieces, 1), search(&premises, &pieces, 3));
    assert!(!one.findings.is_empty());
    assert_eq!(one.findings, three.findings);
    assert_eq!(one.digest(), three.digest());
}

#[test]
fn what_was_found_by_the_shorter_search_is_found_first_by_the_longer_one() {
    let premises = Premises::of(&scenario(Policy::Literal), 1);
    let pieces = portfolio::exhaustive(&premises, budget(1, 1, 0, 0));
    let (short, long) = (search(&premises, &pieces[..20], 2), search(&premises, &pieces, 2));
    let words = |hunted: &Hunted| -> Vec<Worded> { hunted.findings.iter().map(|one| one.words.clone()).collect() };
    assert!(!short.findings.is_empty() && short.findings.len() < long.findings.len());
    assert_eq!(words(&short), words(&long)[..short.findings.len()]);
    assert_eq!(short.digest(), long.digest()[..20]);
}

#[test]
fn a_search_that_has_no_room_says_so() {
    let premises = Premises::of(&scenario(Policy::Hardened), 1);
    let mut lab = Lab::new(&premises[0]);
    let done = exhaust(&mut lab, budget(1, 1, 0, 0), None, 500_000, &|| false).expect("it was not over before");
    assert!(done.ran_out && done.states < 2_000);
    let over = exhaust(&mut lab, budget(1, 1, 0, 0), None, u64::MAX, &|| true);
    assert_eq!(over, None, "what is over before its end has come to nothing");
}

#[test]
fn a_plan_in_words_is_the_same_plan() {
    let premises = Premises::of(&scenario(Policy::Literal), 1);
    let pieces = portfolio::exhaustive(&premises[..1], budget(1, 1, 1, 0));
    let hunted = search(&premises[..1], &pieces, 2);
    assert!(hunted.findings.len() > 5);
    for finding in &hunted.findings {
        let read = finding.words.plan(&premises[0]).expect("our own words");
        assert_eq!(read, finding.plan, "{:?}", finding.words);
        let mut lab = Lab::new(&premises[0]);
        let testimony = testify(&mut lab, &read, finding.promises[0]);
        let broken: Vec<&str> = testimony.breaches.iter().map(|breach| breach.promise).collect();
        assert!(finding.promises.iter().all(|promise| broken.contains(promise)), "{:?}", finding.words);
    }
}

#[test]
fn words_that_mean_nothing_are_told_with_what_was_expected() {
    let premises = Premises::of(&scenario(Policy::Literal), 1);
    let words = |wishes: &[&str], decisions: &[&str]| Worded {
        wishes: wishes.iter().map(|text| (*text).to_owned()).collect(),
        decisions: decisions.iter().map(|text| (*text).to_owned()).collect(),
    };
    for (worded, part) in [
        (words(&["delegate home -> nobody by dmacc"], &[]), "among what can be wished is `delegate home -> partner"),
        (words(&[], &["lose something"]), "expected hold, lose, double, break, delay or kill"),
        (words(&[], &["hold visit to partner until soon"]), "`soon`"),
    ] {
        let error = worded.plan(&premises[0]).expect_err("it means nothing").to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn every_flow_alone_is_done_at_both_sides() {
    for policy in Policy::ALL {
        for premises in &Premises::of(&scenario(policy), 1)[..3] {
            let mut lab = Lab::new(premises);
            for (number, wish) in premises.wishes.iter().enumerate() {
                // A device that has the account already does not visit its server because it is bootstrapped again.
                let is_again = premises.kind == "known to partner"
                    && matches!(wish.flow, FlowKind::Delegate { approach: Approach::Url, .. });
                if matches!(wish.flow, FlowKind::Revoke(_)) || is_again {
                    continue;
                }
                let mut walked = Walked::new(&mut lab, budget(1, 0, 0, 0));
                walked.take(Choice::Wishes(number as u8), &mut lab);
                walked.come_to_rest(&mut lab);
                let ends = walked.facts[0].iter().filter_map(|fact| match &fact.what {
                    What::Settled { outcome, .. } => Some(outcome),
                    _ => None,
                });
                assert_eq!(ends.collect::<Vec<_>>(), [&Outcome::Done; 2], "{policy:?} {} {}", premises.kind, wish.flow);
            }
        }
    }
}

/// Under either policy: by the letter of the text there are hazards, but not where nothing goes wrong and one flow comes
/// after the other.
#[test]
fn whatever_order_messages_take_a_flow_that_nothing_disturbs_is_done() {
    for premises in Policy::ALL.into_iter().flat_map(|policy| Premises::of(&scenario(policy), 1)) {
        let mut lab = Lab::new(&premises);
        let done = exhaust(&mut lab, budget(2, 0, 0, 0), None, u64::MAX, &|| false).expect("nobody ends it");
        let broken = done.breaking.iter().find(|one| one.promises.contains(&undisturbed::NAME));
        assert!(broken.is_none(), "{:?} {}: {broken:?}", premises.policy, premises.kind);
        // Nor is that because nothing has been looked at.
        let mut walked = Walked::new(&mut lab, budget(1, 0, 0, 0));
        walked.take(Choice::Wishes(0), &mut lab);
        walked.come_to_rest(&mut lab);
        let class = premises.parties.population.class(premises.devices[0]).expect("a class");
        let is_refused = ["crowded", "locked", "guarded"].contains(&class.name.as_str());
        assert_eq!(walked.world.undisturbed_at_rest(&lab).is_none(), is_refused, "{}", premises.kind);
    }
}

/// What is lost disturbs, and so does another wish.
#[test]
fn a_flow_that_something_disturbs_need_not_be_done() {
    let premises = &Premises::of(&scenario(Policy::Hardened), 1)[0];
    let mut lab = Lab::new(premises);
    for disturbance in [Choice::Loses(0), Choice::Doubles(0), Choice::TimePasses, Choice::Wishes(1)] {
        let mut walked = Walked::new(&mut lab, budget(2, 1, 1, 1));
        walked.take(Choice::Wishes(0), &mut lab);
        // The peer has begun, so that a timer runs.
        walked.take(Choice::Arrives(0), &mut lab);
        walked.take(disturbance, &mut lab);
        walked.come_to_rest(&mut lab);
        assert_eq!(walked.world.undisturbed_at_rest(&lab), None, "{disturbance:?}");
        assert_eq!(walked.broken, [], "{disturbance:?}");
    }
}

#[test]
fn a_choice_that_is_not_open_changes_nothing() {
    let premises = Premises::of(&scenario(Policy::Hardened), 1);
    let mut lab = Lab::new(&premises[0]);
    let mut walked = Walked::new(&mut lab, budget(1, 0, 0, 0));
    walked.take(Choice::Wishes(0), &mut lab);
    let (before, facts) = (walked.world.key(&lab), walked.facts.clone());
    for choice in [Choice::Arrives(9), Choice::Loses(9), Choice::TimePasses, Choice::Wishes(0), Choice::Wishes(99)] {
        walked.take(choice, &mut lab);
        assert_eq!((walked.world.key(&lab), &walked.facts), (before, &facts), "{choice:?}");
    }
}
