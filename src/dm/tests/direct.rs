//! An errand done on a tree at once comes to the same as in a session.

use super::pair::Documents;
use super::*;
use crate::dm::client::Mishap;
use crate::dm::direct;
use crate::dm::script::{Extent, Report};
use crate::dm::tree::Tree;
use crate::ids::ServerId;

fn state(tree: &Tree) -> Vec<String> {
    tree.nodes(&Uri::root()).into_iter().map(|node| format!("{node:?}")).collect()
}

/// Runs an errand both ways from the same tree: what it reports, and what it leaves behind.
#[track_caller]
fn check(pair: &mut super::pair::Pair, server: usize, errand: Errand) -> Report {
    let mut tree = pair.device.tree().clone();
    let ran = direct::run(&pair.id(server), errand.clone(), &mut tree, None);
    let report = pair.run(server, errand.clone());
    assert_eq!(ran.report, report, "{errand:?}");
    let (found, meant) = (state(&tree), pair.state());
    let differs = found.iter().zip(&meant).find(|(found, meant)| found != meant);
    assert_eq!((differs, found.len()), (None, meant.len()), "{errand:?}");
    report
}

#[test]
fn whatever_a_server_wants_comes_to_the_same_with_a_session_and_without() {
    let url = || "https://bootstrap.example.test/17".to_owned();
    for refuses in [None, Some(Refuses::Accounts), Some(Refuses::Subtrees)] {
        for bootstrapped in [false, true] {
            let mut pair = pair(Scheme::None, |blueprint, books| {
                blueprint.refuses = refuses;
                if bootstrapped {
                    blueprint.accounts.push(books[1].clone());
                }
            });
            // Whom the device then fetches an account of is no part of the errand.
            pair.documents = Documents::Missing;
            let grant =
                Errand::Grant { delegate: pair.id(1), subtree: subtree().join("Inventory"), extent: Extent::Part };
            let back = Errand::TakeBackRights { delegate: pair.id(1), subtree: subtree() };
            let removal = Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() };
            let (prepare, full) = (pair.prepare(!bootstrapped, false), pair.prepare(true, true));
            let prepared = check(&mut pair, 0, prepare.clone());
            // With the account in its way this time.
            check(&mut pair, 0, prepare.clone());
            check(&mut pair, 1, Errand::Visit { subtree: subtree() });
            check(&mut pair, 0, Errand::LetConnect { delegate: ServerId::new("nobody"), value: true });
            check(&mut pair, 0, Errand::Undo(prepared.undo));
            check(&mut pair, 1, Errand::Visit { subtree: subtree() });
            check(&mut pair, 0, prepare);
            check(&mut pair, 0, grant);
            check(&mut pair, 0, Errand::PushBootstrapUrl { url: url(), revocable: false });
            check(&mut pair, 0, Errand::PushBootstrapUrl { url: url(), revocable: false });
            check(&mut pair, 0, Errand::TakeBackUrl { url: url() });
            check(&mut pair, 0, back.clone());
            check(&mut pair, 0, back);
            check(&mut pair, 0, removal.clone());
            check(&mut pair, 0, removal);
            check(&mut pair, 0, full);
            check(&mut pair, 0, Errand::Leave);
            check(&mut pair, 1, Errand::Leave);
        }
    }
}

#[test]
fn an_errand_whose_answers_are_lost_comes_to_the_same_with_a_session_and_without() {
    // The session breaks in the package with the Atomic: the second round of both.
    let mut pair = pair(Scheme::None, |_, _| {});
    let (errand, mut tree) = (pair.prepare(true, false), pair.device.tree().clone());
    let before = state(&tree);
    pair.mishap = Some((2, Mishap::LoseStatus));
    let report = pair.run(0, errand.clone());
    assert_eq!(report.result, Err(DeviceFailure::Unreachable));
    let ran = direct::run(&pair.id(0), errand, &mut tree, Some(1));
    assert_eq!(ran.report, report);
    assert_eq!(state(&tree), pair.state());
    assert_ne!(state(&tree), before, "it has been done all the same");
    let undone = direct::run(&pair.id(0), Errand::Undo(report.undo), &mut tree, None).report;
    assert_eq!((undone.result, state(&tree)), (Ok(()), before));
}

#[test]
fn what_is_done_is_told() {
    let pair = pair(Scheme::None, |_, _| {});
    let mut tree = pair.device.tree().clone();
    let ran = direct::run(&pair.id(0), pair.prepare(true, true), &mut tree, None);
    let told = |of: fn(&client::Note) -> bool| ran.notes.iter().filter(|note| of(note)).count();
    assert_eq!(told(|note| matches!(note, client::Note::AccountAppeared { .. })), 1);
    assert_eq!(told(|note| matches!(note, client::Note::AccountGone { .. })), 1);
    assert!(told(|note| matches!(note, client::Note::Operated { code: 200, .. })) > 20);
}
