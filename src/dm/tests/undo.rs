//! An undo on a device that others have changed since: what they granted stays, and who has gone does not come back.

use super::*;
use crate::dm::client::Mishap;
use crate::dm::script::Report;
use crate::ids::ServerId;

#[test]
fn an_undo_leaves_the_device_as_it_was() {
    for is_new in [true, false] {
        let mut pair = pair(Scheme::Md5, |blueprint, books| {
            if !is_new {
                blueprint.accounts.push(books[1].clone());
            }
        });
        let before = pair.state();
        let report = pair.succeeds(0, pair.prepare(is_new, false));
        assert_ne!(pair.state(), before);
        assert!(!report.undo.is_empty());
        assert!(pair.succeeds(0, Errand::Undo(report.undo)).undo.is_empty());
        assert_eq!(pair.state(), before);
    }
}

/// What is delegated to both: once with an ACL of its own, once with one that it inherits.
fn places() -> [Uri; 2] {
    [subtree(), subtree().join("Inventory")]
}

fn third() -> ServerId {
    ServerId::new("third.example.test")
}

fn grant(delegate: ServerId, subtree: &Uri) -> Errand {
    Errand::Grant { delegate, subtree: subtree.clone(), extent: Extent::Part }
}

fn prepare(pair: &super::pair::Pair, place: &Uri) -> Errand {
    match pair.prepare(true, false) {
        Errand::Prepare { delegate, account, quiet, extent, takes_over, .. } => {
            let subtree = place.clone();
            Errand::Prepare { delegate, account, subtree, quiet, extent, takes_over }
        }
        other => other,
    }
}

/// A device with two delegates of one place: what undoes the first, and the second.
fn two_delegates(place: &Uri) -> (super::pair::Pair, Vec<String>, Report, Report) {
    let mut pair = pair(Scheme::Md5, |_, _| {});
    let before = pair.state();
    let first = pair.succeeds(0, prepare(&pair, place));
    let second = pair.succeeds(0, grant(third(), place));
    (pair, before, first, second)
}

#[test]
fn what_comes_last_is_undone_first_and_leaves_nothing() {
    for place in places() {
        let (mut pair, before, first, second) = two_delegates(&place);
        pair.succeeds(0, Errand::Undo(second.undo));
        pair.succeeds(0, Errand::Undo(first.undo));
        assert_eq!(pair.state(), before, "{place}");
    }
}

#[test]
fn another_delegate_of_the_same_place_keeps_its_rights() {
    for place in places() {
        let (mut pair, _, first, second) = two_delegates(&place);
        let in_force = pair.device.tree().effective_acl(&place);
        pair.succeeds(0, Errand::Undo(first.undo));
        let tree = pair.device.tree();
        let mut expected = in_force.clone();
        expected.purge(&pair.id(1));
        assert_eq!(tree.effective_acl(&place), expected, "{place}");
        assert!(Right::ALL.into_iter().all(|right| tree.allows(&third(), &place, right)), "{place}");
        assert!(!pair.is_named_in_acls(1), "{place}");
        // The first does not come back with the undo of the second, which had seen it there.
        pair.succeeds(0, Errand::Undo(second.undo));
        expected.purge(&third());
        assert_eq!(pair.device.tree().effective_acl(&place), expected, "{place}");
        assert_eq!(pair.accounts(), [pair.id(0)]);
        assert!(!pair.is_named_in_acls(1), "{place}");
    }
}

#[test]
fn a_purge_in_between_is_not_undone() {
    for place in places() {
        let (mut pair, before, _, second) = two_delegates(&place);
        let in_force = pair.device.tree().effective_acl(&place);
        pair.succeeds(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
        assert!(!pair.is_named_in_acls(1), "{place}");
        pair.succeeds(0, Errand::Undo(second.undo.clone()));
        assert!(!pair.is_named_in_acls(1), "{place}: {:?}", pair.device.tree().acl(&place));
        let mut expected = in_force;
        expected.purge(&pair.id(1));
        expected.purge(&third());
        assert_eq!(pair.device.tree().effective_acl(&place), expected, "{place}");
        if place == subtree() {
            assert_eq!(pair.state(), before);
        }
        // Again, as after an answer that was lost.
        let once = pair.state();
        pair.succeeds(0, Errand::Undo(second.undo));
        assert_eq!(pair.state(), once, "{place}");
    }
}

#[test]
fn an_undo_beside_another_delegate_can_break_off_anywhere() {
    for place in places() {
        let (mut whole, _, first, _) = two_delegates(&place);
        whole.succeeds(0, Errand::Undo(first.undo));
        // Reads, writes, deletes the account.
        for commands in 0..=3 {
            let (mut pair, _, first, _) = two_delegates(&place);
            pair.befall(Mishap::DropAfter { commands });
            let broken = pair.run(0, Errand::Undo(first.undo.clone()));
            assert_eq!((broken.result, &broken.undo), (Err(DeviceFailure::Unreachable), &first.undo), "{place}");
            pair.succeeds(0, Errand::Undo(broken.undo));
            assert_eq!(pair.state(), whole.state(), "{place} {commands}");
        }
    }
}
