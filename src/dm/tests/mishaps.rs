//! What a server learns of a device that has met with a mishap, and what brings the device back: for every errand, at
//! every point, whole trees compared.

use super::pair::{Documents, Pair};
use super::*;
use crate::dm::client::Mishap;
use crate::dm::script::{Extent, Report};
use crate::dm::tree::{Actor, Format, NewNode};

/// An errand of the first server, on a device that suits it.
struct Case {
    name: &'static str,
    errand: fn(&Pair) -> Errand,
    account: Account,
    /// How many commands the device is asked to carry out, an Atomic being one.
    commands: u32,
    /// Which of them is the first that changes something, from 1.
    first_change: u32,
}

/// What the delegate has on the device at first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Account {
    None,
    There { flag: Option<bool> },
}

/// Every errand that leaves an undo list.
const CASES: [Case; 5] = [
    // Get ACL twice, list, look for the account; then all in one Atomic.
    Case {
        name: "prepare a new account",
        errand: |pair| pair.prepare(true, false),
        account: Account::None,
        commands: 5,
        first_change: 5,
    },
    // Get ACL twice, list, look for the account and its flag; then Replace and Add.
    Case {
        name: "prepare an account that is there",
        errand: |pair| pair.prepare(false, false),
        account: Account::There { flag: None },
        commands: 7,
        first_change: 6,
    },
    // The same, and the flag is turned.
    Case {
        name: "prepare an account with a flag",
        errand: |pair| pair.prepare(false, false),
        account: Account::There { flag: Some(false) },
        commands: 7,
        first_change: 6,
    },
    // Get the entries; then all in one Atomic.
    Case { name: "push a URL", errand: |_| push(), account: Account::None, commands: 2, first_change: 2 },
    // Get ACL twice, list; then Replace.
    Case {
        name: "grant",
        errand: |pair| Errand::Grant { delegate: pair.id(1), subtree: subtree(), extent: Extent::Part },
        account: Account::There { flag: None },
        commands: 4,
        first_change: 4,
    },
];

fn push() -> Errand {
    Errand::PushBootstrapUrl { url: "https://boot.example.test/17".to_owned(), revocable: false }
}

fn remove(pair: &Pair) -> Errand {
    Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() }
}

impl Case {
    fn pair(&self, scheme: Scheme) -> Pair {
        let mut pair = pair(scheme, |blueprint, books| {
            if self.account != Account::None {
                blueprint.accounts.push(books[1].clone());
            }
        });
        if let Account::There { flag: Some(flag) } = self.account {
            let leaf = Uri::parse("./DMAcc/dms2.example.test/NoAutoInitialSession").unwrap();
            let value = NewNode::Leaf { format: Format::Bool, kind: "text/plain", value: &flag.to_string() };
            pair.device.tree_mut().add(Actor::Device, &leaf, value).unwrap();
        }
        // Whatever a bootstrap document brings is not the errand's to undo.
        pair.documents = Documents::Missing;
        pair
    }

    /// Runs the errand while this befalls the device, then its undo; the tree in between, and the report.
    #[track_caller]
    fn suffers(&self, scheme: Scheme, befalls: impl FnOnce(&mut Pair)) -> (Vec<String>, Report) {
        let mut pair = self.pair(scheme);
        let before = pair.state();
        befalls(&mut pair);
        let report = pair.run(0, (self.errand)(&pair));
        let between = pair.state();
        pair.succeeds(0, Errand::Undo(report.undo.clone()));
        assert_eq!(pair.state(), before, "{scheme:?} {}\n{}", self.name, pair.transcript.join("\n"));
        (between, report)
    }

    /// The tree before and after the errand, when nothing goes wrong.
    fn trees(&self, scheme: Scheme) -> (Vec<String>, Vec<String>) {
        let mut pair = self.pair(scheme);
        let before = pair.state();
        pair.succeeds(0, (self.errand)(&pair));
        (before, pair.state())
    }
}

#[test]
fn wherever_the_connection_breaks_the_undo_brings_the_device_back() {
    for scheme in SCHEMES {
        for case in CASES {
            let (before, after) = case.trees(scheme);
            for commands in 0..=case.commands + 1 {
                let drop = Mishap::DropAfter { commands };
                let (between, report) = case.suffers(scheme, |pair| pair.befall(drop));
                let place = format!("{scheme:?} {}: {commands} commands", case.name);
                // The session ends before the connection breaks where there are no more commands than that.
                let is_whole = commands > case.commands;
                let expected = if is_whole { Ok(()) } else { Err(DeviceFailure::Unreachable) };
                assert_eq!(report.result, expected, "{place}");
                assert!(!report.own_account_removed, "{place}");
                assert_eq!(between == before, commands < case.first_change, "{place}");
                assert_eq!(between == after, commands >= case.commands, "{place}");
            }
        }
    }
}

#[test]
fn an_undo_that_broke_off_can_be_run_again() {
    for case in CASES {
        for commands in 0..=3 {
            let mut pair = case.pair(Scheme::Md5);
            let before = pair.state();
            let undo = pair.succeeds(0, (case.errand)(&pair)).undo;
            pair.befall(Mishap::DropAfter { commands });
            let broken = pair.run(0, Errand::Undo(undo.clone()));
            if broken.result.is_err() {
                assert_eq!((broken.result, &broken.undo), (Err(DeviceFailure::Unreachable), &undo), "{}", case.name);
            }
            pair.succeeds(0, Errand::Undo(undo));
            assert_eq!(pair.state(), before, "{} {commands}", case.name);
        }
    }
}

#[test]
fn statuses_that_are_lost_count_as_done() {
    for case in CASES {
        let (before, after) = case.trees(Scheme::Md5);
        // What the server learns in the first round is lost, then what it has changed in the second.
        for (package, tree) in [(1, &before), (2, &after)] {
            let (between, report) = case.suffers(Scheme::Md5, |pair| pair.mishap = Some((package, Mishap::LoseStatus)));
            assert_eq!(report.result, Err(DeviceFailure::Unreachable), "{}", case.name);
            assert_eq!(report.undo.is_empty(), package == 1, "{}", case.name);
            assert_eq!(&between, tree, "{}", case.name);
        }
    }
}

#[test]
fn a_device_that_goes_away_in_a_session_has_done_what_it_was_told_before() {
    let until = Moment::from_millis(4_000);
    for case in CASES {
        let (before, after) = case.trees(Scheme::Md5);
        for mishap in [Mishap::Reboot, Mishap::Offline { until }] {
            // It hears the orders of the second round no more, or has answered them and misses the last word.
            for (package, result, tree) in [
                (1, Err(DeviceFailure::Unreachable), &before),
                (2, Err(DeviceFailure::Unreachable), &before),
                (3, Ok(()), &after),
            ] {
                let (between, report) = case.suffers(Scheme::Md5, |pair| pair.mishap = Some((package, mishap)));
                assert_eq!(report.result, result, "{} {mishap:?} {package}", case.name);
                assert_eq!(&between, tree, "{} {mishap:?} {package}", case.name);
            }
        }
        if case.account == (Account::There { flag: Some(false) }) {
            // The device did not leave the factory with this flag.
            continue;
        }
        let (between, report) = case.suffers(Scheme::Md5, |pair| pair.mishap = Some((3, Mishap::FactoryReset)));
        assert_eq!((report.result, between), (Ok(()), before), "{}: done, and nothing left of it", case.name);
    }
}

#[test]
fn a_change_that_is_refused_is_told_by_its_code_and_nothing_is_left() {
    for case in CASES {
        for code in [405, 418, 420, 425, 510] {
            let (_, report) = case.suffers(Scheme::Hmac, |pair| pair.befall(Mishap::Refuse { code }));
            let Err(DeviceFailure::Refused { code: found, .. }) = report.result else {
                panic!("{}: {report:?}", case.name);
            };
            assert_eq!(found, code, "{}", case.name);
            // On an account that is there the flag is set all the same.
            assert_eq!(report.undo.len(), usize::from(case.commands == 7), "{}", case.name);
        }
    }
}

#[test]
fn a_preparation_whose_answer_was_lost_goes_on_with_the_account_it_has_added() {
    for scheme in SCHEMES {
        let (before, after) = CASES[0].trees(scheme);
        let mut pair = CASES[0].pair(scheme);
        pair.befall(Mishap::DropAfter { commands: 5 });
        let first = pair.run(0, pair.prepare(true, false));
        assert_eq!((first.result, pair.state()), (Err(DeviceFailure::Unreachable), after.clone()));
        let refused = pair.run(0, pair.prepare(true, false));
        assert!(matches!(refused.result, Err(DeviceFailure::Refused { code: 418, .. })), "{refused:?}");
        assert_eq!((refused.undo, pair.state()), (Vec::new(), after.clone()));
        let second = pair.succeeds(0, again(&pair));
        assert_eq!(pair.state(), after, "{scheme:?}");
        pair.tell_server(1, server::Input::AccountGone { device: DEVICE });
        pair.succeeds(1, Errand::Visit { subtree: subtree() });
        // What came last is undone first.
        pair.succeeds(0, Errand::Undo(second.undo.into_iter().chain(first.undo).collect()));
        assert_eq!(pair.state(), before, "{scheme:?}");
        // Where there is nothing to take over, it is a preparation like any other.
        let third = pair.succeeds(0, again(&pair));
        assert_eq!(pair.state(), after, "{scheme:?}");
        pair.succeeds(0, Errand::Undo(third.undo));
        assert_eq!(pair.state(), before, "{scheme:?}");
    }
}

fn again(pair: &Pair) -> Errand {
    let (account, delegate) = (Some(Box::new(pair.account(1))), pair.id(1));
    let (quiet, extent, takes_over) = (true, Extent::Part, true);
    Errand::Prepare { delegate, account, subtree: subtree(), quiet, extent, takes_over }
}

#[test]
fn a_url_that_is_pushed_again_is_fetched_again_and_stands_there_once() {
    let mut pair = CASES[3].pair(Scheme::Md5);
    let before = pair.state();
    let fetches = |pair: &Pair| pair.transcript.iter().filter(|line| line.contains("GET https://boot/17")).count();
    pair.befall(Mishap::DropAfter { commands: 2 });
    let first = pair.run(0, push());
    assert_eq!(first.result, Err(DeviceFailure::Unreachable));
    assert_eq!(fetches(&pair), 1, "the device does not know that its answer was lost");
    let second = pair.succeeds(0, push());
    assert_eq!((pair.device.tree().bootstrap_entries().len(), fetches(&pair)), (1, 2));
    pair.succeeds(0, Errand::Undo(second.undo.into_iter().chain(first.undo).collect()));
    assert_eq!(pair.state(), before);
}

#[test]
fn a_removal_that_broke_off_is_done_or_not_and_can_be_run_again() {
    for scheme in SCHEMES {
        let has_both =
            |blueprint: &mut Blueprint, books: &[_; 2]| blueprint.accounts.push(std::sync::Arc::clone(&books[1]));
        let mut whole = pair(scheme, has_both);
        let before = whole.state();
        whole.succeeds(0, remove(&whole));
        // Looks for the account, then deletes it.
        for commands in 0..=2 {
            let mut pair = pair(scheme, has_both);
            pair.befall(Mishap::DropAfter { commands });
            let report = pair.run(0, remove(&pair));
            assert_eq!(report, Report::failed(DeviceFailure::Unreachable), "nothing can put a secret back");
            assert_eq!(
                pair.state(),
                if commands < 2 { before.clone() } else { whole.state() },
                "{scheme:?} {commands}"
            );
            pair.succeeds(0, remove(&pair));
            assert_eq!(pair.state(), whole.state(), "{scheme:?} {commands}");
        }
    }
}

#[test]
fn a_server_that_leaves_is_gone_whether_it_hears_of_it_or_not() {
    for scheme in SCHEMES {
        let mut whole = pair(scheme, |_, _| {});
        whole.succeeds(0, whole.prepare(true, false));
        let report = whole.succeeds(0, Errand::Leave);
        assert!(report.own_account_removed && report.undo.is_empty());
        assert_eq!(whole.accounts(), [whole.id(1)]);
        assert!(!whole.is_named_in_acls(0));

        let mut pair = pair(scheme, |_, _| {});
        pair.succeeds(0, pair.prepare(true, false));
        pair.befall(Mishap::DropAfter { commands: 2 });
        let report = pair.run(0, Errand::Leave);
        // The answer was lost: it may have gone.
        let in_doubt = Report { own_account_removed: true, ..Report::failed(DeviceFailure::Unreachable) };
        assert_eq!(report, in_doubt, "{scheme:?}");
        assert_eq!(pair.state(), whole.state(), "{scheme:?}");
        // There is no session in which it could find out.
        assert_eq!(pair.run(0, Errand::Leave), Report::failed(DeviceFailure::Unreachable), "{scheme:?}");
    }
}

#[test]
fn a_full_preparation_may_lose_its_last_answer() {
    let mut pair = pair(Scheme::Md5, |_, _| {});
    // The third package answers the deletion.
    pair.mishap = Some((3, Mishap::LoseStatus));
    let report = pair.run(0, pair.prepare(true, true));
    assert_eq!((report.result, report.own_account_removed), (Err(DeviceFailure::Unreachable), false));
    assert_eq!(pair.accounts(), [pair.id(1)], "though the device knows the delegate alone");
    pair.succeeds(1, Errand::Visit { subtree: subtree() });
    assert!(pair.run(0, Errand::Undo(report.undo)).result.is_err());
}

/// Lets time pass until the device has nothing left to do.
fn settle(pair: &mut Pair) {
    while !pair.device.is_idle() || pair.device.deadline().is_set() {
        pair.wait();
    }
}

#[test]
fn a_device_that_comes_after_its_time_finds_no_errand_that_has_been_given_up() {
    let until = Moment::from_millis(60_000);
    for scheme in SCHEMES {
        for mishap in [Mishap::Busy { until }, Mishap::Offline { until }] {
            let mut pair = pair(scheme, |_, _| {});
            let before = pair.state();
            pair.befall(mishap);
            // The triggers wait for a busy device; without network they are lost, and it comes by itself.
            pair.tell_device(client::Input::Connect { server: pair.id(0) });
            pair.tell_server(0, server::Input::Run { ticket: 0, device: DEVICE, errand: pair.prepare(true, false) });
            settle(&mut pair);
            assert_eq!(pair.reports, [(0, Report::failed(DeviceFailure::Unreachable))], "{scheme:?} {mishap:?}");
            assert_eq!((pair.state(), pair.now), (before.clone(), until), "{scheme:?} {mishap:?}");
            assert!(pair.packages >= 1, "it has come: {}", pair.transcript.join("\n"));
            assert_eq!(pair.connected, [0], "{scheme:?} {mishap:?}\n{}", pair.transcript.join("\n"));
            pair.succeeds(0, pair.prepare(true, false));
        }
    }
}

#[test]
fn a_device_that_is_busy_for_a_while_does_what_it_is_asked_afterwards() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        pair.befall(Mishap::Busy { until: Moment::from_millis(3_000) });
        pair.succeeds(0, pair.prepare(true, false));
        assert_eq!(pair.now, Moment::from_millis(3_000), "{scheme:?}");
    }
}

#[test]
fn a_stale_document_brings_a_device_that_its_server_turns_away() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        pair.documents = Documents::Stale;
        pair.succeeds(0, push());
        assert_eq!(pair.accounts().len(), 2, "{scheme:?}");
        let transcript = pair.transcript.join("\n");
        let turned_away = transcript.matches("outcome: NotAuthenticated").count();
        if scheme == Scheme::None {
            assert_eq!((turned_away, &pair.connected[..]), (0, &[1][..]), "there is nothing to be proved");
            continue;
        }
        assert!(transcript.contains("S2 -> device  #1 SyncHdr 401"), "{scheme:?}\n{transcript}");
        assert_eq!((turned_away, pair.connected.len()), (1, 0), "{scheme:?}\n{transcript}");
        // It does not believe a trigger either.
        let visit = pair.run(1, Errand::Visit { subtree: subtree() });
        assert_eq!(visit.result, Err(DeviceFailure::Unreachable), "{scheme:?}");
        // A good document mends it.
        pair.documents = Documents::Good;
        pair.tell_server(1, server::Input::AccountGone { device: DEVICE });
        pair.succeeds(0, push());
        pair.succeeds(0, Errand::Grant { delegate: pair.id(1), subtree: subtree(), extent: Extent::Part });
        pair.succeeds(1, Errand::Visit { subtree: subtree() });
    }
}
