//! Servers and a device end to end: every errand, under every scheme, whole and broken off.

mod direct;
mod mishaps;
mod pair;
pub(in crate::dm) mod picky;
mod undo;
mod walk;

use pair::{DEVICE, FOLLOW_UP, book, pair, settings, subtree};

use crate::clock::Moment;
use crate::dm::acl::{Acl, Right};
use crate::dm::auth::Scheme;
use crate::dm::bootstrap;
use crate::dm::client;
use crate::dm::dmacc::DmAcc;
use crate::dm::script::{DeviceFailure, Errand, Extent};
use crate::dm::server::{self, Sessions};
use crate::dm::standard::{Blueprint, Refuses};
use crate::dm::trigger::Version;
use crate::dm::uri::Uri;
use crate::dm::wire;
use crate::ids::device_id;

const SCHEMES: [Scheme; 4] = [Scheme::None, Scheme::Basic, Scheme::Md5, Scheme::Hmac];

#[test]
fn a_preparation_is_a_trigger_and_three_packages_of_the_device() {
    let mut pair = pair(Scheme::Basic, |_, _| {});
    pair.succeeds(0, pair.prepare(true, false));
    // The account: its node, AppID, ServerID, AppAddr with 3 nodes below it, AAuthPref, AppAuth, 2 times a node and 5
    // leaves, and the flag: 22 nodes. One ACL behind the first of them, one at the end.
    let atomic = "Atomic 200, Add 200, Replace 200".to_owned() + &", Add 200".repeat(21) + ", Replace 200";
    let expected = [
        "S1 -> device  package 0",
        "device         SessionOpened { server: ServerId(\"dms1\"), by: ByServer }",
        "device -> S1  #1 Alert 1200, Replace ./DevInfo/DevId",
        "S1 -> device  #1 SyncHdr 212, Alert 200, Replace 200, Get ./SCOMO?prop=ACL, Get .?prop=ACL, Get ./SCOMO?list=TNDS+ACL, Get ./DMAcc/dms2/ServerID",
        "device -> S1  #2 SyncHdr 212, Get 200, `Get=dms1&Replace=dms1&Add=dms1&Delete=dms1&Exec=dms1`, Get 200, `Get=*&Add=*`, Get 200, tree, Get 404",
        "S1 -> device  #2 SyncHdr 200, Atomic of 24",
        &format!("device -> S1  #3 SyncHdr 200, {atomic}"),
        "S1 -> device  #3 SyncHdr 200",
        "S1            Ok(())",
        "device         SessionEnded { server: ServerId(\"dms1\"), by: ByServer, outcome: Done }",
    ]
    .map(|line| format!("0.000000s  {line}"));
    assert_eq!(pair.transcript, expected);
}

#[test]
fn secrets_do_not_show_on_their_way_to_the_device() {
    let pair = pair(Scheme::Md5, |_, _| {});
    let secret = pair.account(1).client_auth().unwrap().secret.clone().unwrap();
    let orders = pair.account(1).orders("dms2");
    let document = bootstrap::document(&pair.account(1), &device_id(DEVICE), Acl::empty());
    assert!(
        wire::seal(&document, None, wire::ContentType::DmXml)
            .body
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
    );
    let shown = format!("{orders:?} {document:?} {:?}", pair.prepare(true, false));
    assert!(!shown.contains(&secret), "{shown}");
}

#[test]
fn every_scheme_carries_a_delegation_there_and_back_and_again() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        let before = pair.state();
        for round in 0..3 {
            pair.succeeds(0, pair.prepare(true, false));
            assert_eq!(pair.accounts().len(), 2, "{scheme:?}");
            // The account has been made anew, and with it its nonces.
            pair.tell_server(1, server::Input::AccountGone { device: DEVICE });
            pair.succeeds(1, Errand::Visit { subtree: subtree() });
            pair.succeeds(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
            assert_eq!(pair.accounts(), [pair.id(0)], "{scheme:?}");
            assert!(!pair.is_named_in_acls(1), "{scheme:?}");
            // Nothing had to be said twice: no challenge, no second trigger.
            assert_eq!(pair.packages, 8 * (round + 1), "{scheme:?}\n{}", pair.transcript.join("\n"));
            assert_eq!(pair.now, Moment::ZERO);
        }
        assert_eq!(pair.state(), before, "{scheme:?}");
    }
}

#[test]
fn a_server_that_does_not_know_of_a_new_account_gets_in_step_again() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        for _ in 0..2 {
            pair.succeeds(0, pair.prepare(true, false));
            pair.succeeds(1, Errand::Visit { subtree: subtree() });
            pair.succeeds(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
        }
        // Where nonces matter it takes a second trigger, half a timeout later.
        let expected = if scheme.uses_nonce() { Moment::from_millis(5_000) } else { Moment::ZERO };
        assert_eq!(pair.now, expected, "{scheme:?}\n{}", pair.transcript.join("\n"));
    }
}

#[test]
fn a_device_keeps_to_the_size_that_the_server_takes() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        pair.servers[0] = Sessions::new(server::Settings { max_msg_size: 3_000, ..settings(&pair.books[0]) });
        pair.succeeds(0, pair.prepare(true, false));
        let transcript = pair.transcript.join("\n");
        // Twenty-six statuses go in three messages or more, each asked for.
        assert!(transcript.matches("Alert 1222").count() >= 2, "{scheme:?}\n{transcript}");
        assert!(pair.longest <= 3_000, "{scheme:?}: {}", pair.longest);
        assert!(pair.device.tree().has_account(&pair.id(1)), "{scheme:?}");
    }
}

#[test]
fn what_has_an_acl_of_its_own_is_granted_too_and_put_back() {
    for is_new in [true, false] {
        let inner = Uri::parse("./SCOMO/Inner").unwrap();
        let mut pair = pair(Scheme::Basic, |blueprint, books| {
            blueprint.subtrees.push(inner.clone());
            if !is_new {
                blueprint.accounts.push(books[1].clone());
            }
        });
        let before = pair.state();
        let undo = pair.succeeds(0, pair.prepare(is_new, false)).undo;
        let tree = pair.device.tree();
        assert!(Right::ALL.into_iter().all(|right| tree.allows(&pair.id(1), &inner, right)), "{:?}", tree.acl(&inner));
        assert_eq!(pair.packages, 3, "no package more: {}", pair.transcript.join("\n"));
        pair.succeeds(0, Errand::Undo(undo));
        assert_eq!(pair.state(), before);
        pair.succeeds(0, pair.prepare(is_new, false));
        pair.succeeds(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
        assert!(!pair.is_named_in_acls(1));
        assert_eq!(pair.device.tree().acl(&inner).ids().collect::<Vec<_>>(), [&pair.id(0)]);
    }
}

#[test]
fn a_delegate_that_has_an_account_gets_its_flag_and_its_rights() {
    let mut pair = pair(Scheme::Hmac, |blueprint, books| blueprint.accounts.push(books[1].clone()));
    assert!(matches!(
        pair.run(1, Errand::Visit { subtree: subtree() }).result,
        Err(DeviceFailure::Refused { code: 425, .. })
    ));
    pair.succeeds(0, pair.prepare(false, false));
    let account = DmAcc::read(pair.device.tree(), &pair.device.tree().account_of(&pair.id(1)).unwrap()).unwrap();
    assert_eq!(account.no_auto_initial_session, Some(true));
    pair.succeeds(1, Errand::Visit { subtree: subtree() });
}

#[test]
fn a_bootstrap_url_brings_the_device_to_the_delegate() {
    for full in [false, true] {
        let mut pair = pair(Scheme::Md5, |_, _| {});
        let url = "https://boot.example.test/17?a=1&b=2".to_owned();
        let report = pair.succeeds(0, Errand::PushBootstrapUrl { url, revocable: false });
        assert_eq!(pair.connected, [1], "{}", pair.transcript.join("\n"));
        assert_eq!(report.undo.len(), 1);
        let grant = Errand::Grant { delegate: pair.id(1), subtree: subtree(), extent: Extent::at_once(full) };
        assert_eq!(pair.succeeds(0, grant).own_account_removed, full);
        pair.succeeds(1, Errand::Visit { subtree: subtree() });
        assert_eq!(pair.accounts().len(), if full { 1 } else { 2 });
    }
}

#[test]
fn a_client_that_is_let_connect_goes_to_the_delegate_at_once() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        pair.succeeds(0, pair.prepare(true, false));
        assert!(pair.connected.is_empty(), "{scheme:?}");
        pair.tell_server(1, server::Input::AccountGone { device: DEVICE });
        pair.succeeds(0, Errand::LetConnect { delegate: pair.id(1), value: false });
        assert_eq!(pair.connected, [1], "{scheme:?}\n{}", pair.transcript.join("\n"));
        // Told again, it has nothing to react to.
        pair.succeeds(0, Errand::LetConnect { delegate: pair.id(1), value: false });
        assert_eq!(pair.connected, [1], "{scheme:?}");
    }
}

#[test]
fn a_pushed_url_can_be_taken_back() {
    let mut pair = pair(Scheme::None, |_, _| {});
    let before = pair.device.tree().bootstrap_entries();
    let url = "https://boot.example.test/17".to_owned();
    let report = pair.succeeds(0, Errand::PushBootstrapUrl { url, revocable: false });
    assert_ne!(pair.device.tree().bootstrap_entries(), before);
    pair.succeeds(0, Errand::Undo(report.undo));
    assert_eq!(pair.device.tree().bootstrap_entries(), before);
}

#[test]
fn a_full_delegation_leaves_nothing_of_the_first_server() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        assert!(pair.succeeds(0, pair.prepare(true, true)).own_account_removed, "{scheme:?}");
        assert_eq!(pair.accounts(), [pair.id(1)]);
        assert!(!pair.is_named_in_acls(0));
        pair.succeeds(1, Errand::Visit { subtree: subtree() });
        // It cannot even open a session any more.
        let report = pair.run(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
        assert_eq!(report.result, Err(DeviceFailure::Unreachable));
        // The delegate can give it all back.
        let (account, delegate) = (Some(Box::new(pair.account(0))), pair.id(0));
        let back = Errand::Prepare {
            delegate,
            account,
            subtree: subtree(),
            quiet: true,
            extent: Extent::Everything { leaves: true },
            takes_over: false,
        };
        pair.succeeds(1, back);
        assert_eq!(pair.accounts(), [pair.id(0)]);
    }
}

#[test]
fn devices_that_are_full_or_refuse_stay_as_they_were() {
    #[track_caller]
    fn check(code: u16, change: impl FnOnce(&mut Blueprint)) {
        let mut pair = pair(Scheme::Md5, |blueprint, _| change(blueprint));
        let before = pair.state();
        let report = pair.run(0, pair.prepare(true, false));
        match &report.result {
            Err(DeviceFailure::Refused { code: found, .. }) => assert_eq!(*found, code, "{report:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(report.undo, []);
        assert_eq!(pair.state(), before);
    }
    check(420, |blueprint| blueprint.storage = Some(0));
    check(420, |blueprint| blueprint.storage = Some(100));
    check(425, |blueprint| blueprint.refuses = Some(Refuses::Accounts));
    check(425, |blueprint| blueprint.refuses = Some(Refuses::Subtrees));
    check(404, |blueprint| blueprint.subtrees.clear());
}

#[test]
fn a_device_whose_accounts_the_server_may_not_remove_gets_no_url_that_is_to_be_revocable() {
    for (refuses, code) in [(None, None), (Some(Refuses::Subtrees), None), (Some(Refuses::Accounts), Some(425))] {
        let mut pair = pair(Scheme::Md5, |blueprint, _| blueprint.refuses = refuses);
        let url = "https://boot.example.test/17".to_owned();
        let report = pair.run(0, Errand::PushBootstrapUrl { url, revocable: true });
        assert_eq!(report.result.err().map(|failure| failure.reason_code()), code, "{refuses:?}");
        assert_eq!(pair.accounts().len(), if code.is_some() { 1 } else { 2 }, "{refuses:?}");
    }
}

#[test]
fn a_removal_that_the_device_refuses_fails_with_its_code() {
    let mut pair = pair(Scheme::Md5, |blueprint, books| {
        blueprint.accounts.push(books[1].clone());
        blueprint.refuses = Some(Refuses::Accounts);
    });
    let report = pair.run(0, Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
    assert!(matches!(report.result, Err(DeviceFailure::Refused { code: 425, order: "Delete", .. })), "{report:?}");
    assert_eq!(pair.accounts().len(), 2);
}

#[test]
fn a_server_with_another_key_is_not_believed() {
    for scheme in [Scheme::Basic, Scheme::Md5, Scheme::Hmac] {
        let mut pair = pair(scheme, |_, _| {});
        // The device holds other secrets than the server: it ignores the trigger, whatever the nonce.
        let stranger = book("dms1", scheme, 99);
        let (trigger_version, ver_proto) = (Version::V12, "DM/1.3".into());
        pair.servers[0] = Sessions::new(server::Settings { trigger_version, ver_proto, ..settings(&stranger) });
        let report = pair.run(0, Errand::Visit { subtree: subtree() });
        assert_eq!(report.result, Err(DeviceFailure::Unreachable));
        pair.tell_device(client::Input::Connect { server: pair.id(0) });
        let last = pair.transcript.last().unwrap();
        assert!(last.ends_with("outcome: NotAuthenticated }"), "{last}");
        assert!(pair.connected.is_empty());
    }
}

#[test]
fn an_errand_that_follows_at_once_finds_the_device() {
    for scheme in SCHEMES {
        let mut pair = pair(scheme, |_, _| {});
        pair.follow_up = Some(Errand::RemoveAccount { of: pair.id(1), leftovers: Vec::new() });
        let ticket = 0;
        pair.tell_server(0, server::Input::Run { ticket, device: DEVICE, errand: pair.prepare(true, false) });
        let ended: Vec<u64> = pair.reports.iter().map(|(ticket, _)| *ticket).collect();
        assert_eq!(ended, [ticket, FOLLOW_UP], "{scheme:?}, no time passed:\n{}", pair.transcript.join("\n"));
        assert!(pair.reports.iter().all(|(_, report)| report.result.is_ok()), "{scheme:?}");
    }
}
