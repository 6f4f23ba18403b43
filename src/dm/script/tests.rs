//! Every errand against a device that answers from a table: its orders, its end, and its undo.

mod again;
mod own_acls;
mod undoing;

use super::*;
use crate::dm::dmacc::Address;

const S1: &str = "dms1.example.test";
const S2: &str = "dms2.example.test";

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

fn account() -> Box<DmAcc> {
    Box::new(DmAcc {
        app_id: None,
        server: ServerId::new(S2),
        name: None,
        pref_con_ref: None,
        con_refs: Vec::new(),
        addresses: vec![Address { addr: "https://dms2.example.test/dm".into(), kind: None, ports: Vec::new() }],
        auth_pref: None,
        auth: Vec::new(),
        no_auto_initial_session: None,
    })
}

fn prepare(account: Option<Box<DmAcc>>, full: bool) -> Errand {
    let (delegate, subtree) = (ServerId::new(S2), uri("./SCOMO"));
    Errand::Prepare { delegate, account, subtree, quiet: true, extent: Extent::at_once(full), takes_over: false }
}

/// An order on one line; `dms1` and `dms2` for the two servers.
fn line(order: &Order) -> String {
    let text = match order {
        Order::GetAcl(_) | Order::GetFormat(_) | Order::ListAcls(_) | Order::Get(_) | Order::Delete(_) => {
            format!("{} {}", order.verb(), order.target())
        }
        Order::AddNode { uri, kind: "" } => format!("Add {uri} node"),
        Order::AddNode { uri, kind } => format!("Add {uri} {kind}"),
        Order::AddLeaf { uri, format, value } | Order::ReplaceLeaf { uri, format, value } => {
            format!("{} {uri} {format} `{value}`", order.verb())
        }
        Order::ReplaceAcl { acl, .. } => format!("Replace {} `{acl}`", order.target()),
        Order::RestoreAcl(change) => format!("Restore {} `{}`", order.target(), change.before()),
        Order::Atomic(orders) => format!("Atomic {{ {} }}", orders.iter().map(line).collect::<Vec<_>>().join("; ")),
    };
    text.replace(".example.test", "")
}

/// What the device answers: the first row whose text an order's line begins with, else 200 without data.
type Answers = [(&'static str, u16, Option<&'static str>)];

fn answer(order: &Order, answers: &Answers) -> OrderResult {
    let row = answers.iter().find(|(begin, ..)| line(order).starts_with(begin));
    let (code, data) = match (row, order) {
        (Some((_, code, data)), _) => (*code, *data),
        // Nothing below has an ACL of its own.
        (None, Order::ListAcls(_)) => (200, Some("<MgmtTree/>")),
        // There is no account but those in the table.
        (None, Order::Get(uri)) if uri.name() == Some("ServerID") || uri.name() == Some(FLAG) => (404, None),
        (None, _) => (200, None),
    };
    let mut result = OrderResult { code, data: data.map(str::to_owned), inner: Vec::new() };
    if let Order::Atomic(orders) = order {
        result.inner = orders.iter().map(|order| answer(order, answers)).collect();
        if let Some(failed) = result.inner.iter().position(|inner| inner.code >= 300) {
            result.code = if code == 200 { 507 } else { code };
            result.inner[..failed].iter_mut().filter(|inner| inner.code == 200).for_each(|inner| inner.code = 216);
            result.inner[failed + 1..].iter_mut().filter(|inner| inner.code == 200).for_each(|inner| inner.code = 215);
        }
    }
    result
}

/// Runs an errand to its end. Each round is one string.
fn run(errand: Errand, answers: &Answers) -> (Vec<String>, Report) {
    let mut script = Script::new(&ServerId::new(S1), errand);
    let mut rounds = Vec::new();
    let mut results = None;
    loop {
        match script.next(results.as_deref()) {
            Step::Orders(orders) => {
                assert!(!orders.is_empty(), "a round without orders would end the session");
                rounds.push(orders.iter().map(line).collect::<Vec<_>>().join(", "));
                results = Some(orders.iter().map(|order| answer(order, answers)).collect::<Vec<_>>());
            }
            Step::Finished(report) => return (rounds, report),
        }
        assert!(rounds.len() < 10, "{rounds:#?}");
    }
}

#[track_caller]
fn check(errand: Errand, answers: &Answers, rounds: &[&str], result: Result<(), (u16, &str)>, undo: &[&str]) -> Report {
    let (seen, report) = run(errand, answers);
    assert_eq!(seen, rounds);
    let ended = report.result.clone().map_err(|failure| match failure {
        DeviceFailure::Refused { code, order, uri } => (code, format!("{order} {uri}").replace(".example.test", "")),
        other => panic!("{other:?}"),
    });
    assert_eq!(ended, result.map_err(|(code, order)| (code, order.to_owned())));
    assert_eq!(report.undo.iter().map(line).collect::<Vec<_>>(), undo);
    report
}

const FLAG: &str = "NoAutoInitialSession";
const READ_ACLS: &str = "Get ./SCOMO?prop=ACL, Get .?prop=ACL, Get ./SCOMO?list=TNDS+ACL";
const READ: &str = "Get ./SCOMO?prop=ACL, Get .?prop=ACL, Get ./SCOMO?list=TNDS+ACL, Get ./DMAcc/dms2/ServerID";
const ROOT_ACL: (&str, u16, Option<&str>) = ("Get .?prop=ACL", 200, Some("Get=*&Add=*"));
const OWN_ACL: (&str, u16, Option<&str>) =
    ("Get ./SCOMO?prop=ACL", 200, Some("Add=dms1.example.test&Get=*&Replace=dms1.example.test+other"));
const MERGED: &str = "Replace ./SCOMO?prop=ACL `Get=*&Replace=dms1+dms2+other&Add=dms1+dms2`";
const RESTORED: &str = "Restore ./SCOMO?prop=ACL `Add=dms1&Get=*&Replace=dms1+other`";
const LISTED_X: (&str, u16, Option<&str>) = ("Get ./DMAcc", 200, Some("x"));
const S1_THERE: (&str, u16, Option<&str>) = ("Get ./DMAcc/dms1/ServerID", 200, Some(S1));
const S2_THERE: (&str, u16, Option<&str>) = ("Get ./DMAcc/dms2/ServerID", 200, Some(S2));

fn addition(account_acl: &str, acl: &str) -> String {
    format!(
        "Atomic {{ Add ./DMAcc/dms2 urn:oma:mo:oma-dm-dmacc:1.1; Replace ./DMAcc/dms2?prop=ACL `{account_acl}`; \
         Add ./DMAcc/dms2/ServerID chr `dms2`; Add ./DMAcc/dms2/AppAddr node; Add ./DMAcc/dms2/AppAddr/1 node; \
         Add ./DMAcc/dms2/AppAddr/1/Addr chr `https://dms2/dm`; \
         Add ./DMAcc/dms2/NoAutoInitialSession bool `true`; {acl} }}"
    )
}

const SHARED_ACL: &str = "Get=dms1+dms2&Replace=dms1+dms2&Add=dms1+dms2&Delete=dms1";

#[test]
fn preparation_adds_the_account_with_its_acl_first_and_the_rights_last() {
    let undo = [RESTORED, "Delete ./DMAcc/dms2"];
    let report = check(
        prepare(Some(account()), false),
        &[OWN_ACL, ROOT_ACL],
        &[READ, &addition(SHARED_ACL, MERGED)],
        Ok(()),
        &undo,
    );
    assert!(!report.own_account_removed);
}

#[test]
fn rights_that_were_inherited_stay_when_the_subtree_gets_its_own_acl() {
    let acl = "Replace ./SCOMO?prop=ACL `Get=*&Replace=dms1+dms2&Add=*&Exec=third`";
    check(
        prepare(Some(account()), false),
        &[("Get ./SCOMO?prop=ACL", 200, Some("")), ("Get .?prop=ACL", 200, Some("Exec=third&Add=*&Get=*"))],
        &[READ, &addition(SHARED_ACL, acl)],
        Ok(()),
        &["Restore ./SCOMO?prop=ACL ``", "Delete ./DMAcc/dms2"],
    );
}

#[test]
fn the_accounts_own_word_on_the_flag_wins() {
    let mut account = account();
    account.no_auto_initial_session = Some(false);
    let (rounds, _) = run(prepare(Some(account), false), &[OWN_ACL, ROOT_ACL]);
    assert!(rounds[1].contains("NoAutoInitialSession bool `false`"), "{}", rounds[1]);
}

#[test]
fn full_delegation_ends_with_the_own_account() {
    let account_acl = "Get=dms1+dms2&Replace=dms1+dms2&Add=dms1+dms2&Delete=dms1+dms2";
    let first = format!("{READ_ACLS}, Get ./DMAcc/dms1/ServerID, Get ./DMAcc/dms2/ServerID");
    let rounds = [first.as_str(), &addition(account_acl, MERGED), "Delete ./DMAcc/dms1"];
    let answers = [OWN_ACL, ROOT_ACL, S1_THERE];
    let report = check(prepare(Some(account()), true), &answers, &rounds, Ok(()), &[]);
    assert!(report.own_account_removed);

    let refused = [OWN_ACL, ROOT_ACL, S1_THERE, ("Delete ./DMAcc/dms1", 425, None)];
    let undo = [RESTORED, "Delete ./DMAcc/dms2"];
    let report = check(prepare(Some(account()), true), &refused, &rounds, Err((425, "Delete ./DMAcc/dms1")), &undo);
    assert!(!report.own_account_removed);

    // Whoever leaves later gives as much now: afterwards nobody could.
    let Errand::Prepare { delegate, account, subtree, quiet, takes_over, .. } = prepare(Some(account()), true) else {
        unreachable!("it prepares")
    };
    let extent = Extent::Everything { leaves: false };
    let later = Errand::Prepare { delegate, account, subtree, quiet, extent, takes_over };
    let report = check(later, &answers, &rounds[..2], Ok(()), &undo);
    assert!(!report.own_account_removed);
}

#[test]
fn an_own_account_under_another_name_is_found_and_a_missing_one_stops_before_any_change() {
    let first = format!("{READ_ACLS}, Get ./DMAcc/dms1/ServerID");
    let listed = ("Get ./DMAcc", 200, Some("a/b"));
    let answers = [
        OWN_ACL,
        ROOT_ACL,
        ("Get ./DMAcc/dms1/ServerID", 404, None),
        ("Get ./DMAcc/a/ServerID", 425, None),
        ("Get ./DMAcc/b/ServerID", 200, Some(S1)),
        listed,
    ];
    let ids = "Get ./DMAcc/a/ServerID, Get ./DMAcc/b/ServerID";
    let grant = || Errand::Grant {
        delegate: ServerId::new(S2),
        subtree: uri("./SCOMO"),
        extent: Extent::Everything { leaves: true },
    };
    let rounds = [&first, "Get ./DMAcc", ids, MERGED, "Delete ./DMAcc/b"];
    assert!(check(grant(), &answers, &rounds, Ok(()), &[]).own_account_removed);

    let answers = [OWN_ACL, ROOT_ACL, ("Get ./DMAcc/", 404, None), listed];
    let missing = Err((404, "Get ./DMAcc/dms1"));
    check(grant(), &answers, &[&first, "Get ./DMAcc", ids], missing, &[]);
}

#[test]
fn refusals_inside_an_atomic_are_told_by_their_own_code_and_leave_nothing_to_undo() {
    let rounds = [READ, &addition(SHARED_ACL, MERGED)];
    for (row, code, order) in [
        (("Add ./DMAcc/dms2/AppAddr/1", 420, None), 420, "Add ./DMAcc/dms2/AppAddr/1"),
        (("Add ./DMAcc/dms2", 418, None), 418, "Add ./DMAcc/dms2"),
        (("Replace ./SCOMO?prop=ACL", 425, None), 425, "Replace ./SCOMO?prop=ACL"),
        (("Atomic", 517, None), 517, "Atomic "),
        (("Atomic", 507, None), 507, "Atomic "),
    ] {
        check(prepare(Some(account()), false), &[row, OWN_ACL, ROOT_ACL], &rounds, Err((code, order)), &[]);
    }
}

#[test]
fn what_could_not_be_rolled_back_stays_on_the_list() {
    let answers = [("Add ./DMAcc/dms2 ", 516, None), ("Replace ./SCOMO?prop=ACL", 425, None), OWN_ACL, ROOT_ACL];
    let rounds = [READ, &addition(SHARED_ACL, MERGED)];
    let undo = [RESTORED, "Delete ./DMAcc/dms2"];
    check(prepare(Some(account()), false), &answers, &rounds, Err((516, "Add ./DMAcc/dms2")), &undo);
}

#[test]
fn an_acl_that_may_not_be_read_or_makes_no_sense_ends_it_before_any_change() {
    let refused = [("Get ./SCOMO?prop=ACL", 425, None)];
    check(prepare(Some(account()), false), &refused, &[READ], Err((425, "Get ./SCOMO?prop=ACL")), &[]);
    let absent = [("Get ./SCOMO?prop=ACL", 404, None)];
    check(prepare(Some(account()), false), &absent, &[READ], Err((404, "Get ./SCOMO?prop=ACL")), &[]);
    let nonsense = [("Get ./SCOMO?prop=ACL", 200, Some("Everything"))];
    check(prepare(Some(account()), false), &nonsense, &[READ], Err((415, "Get ./SCOMO?prop=ACL")), &[]);
}

#[test]
fn a_delegate_that_has_an_account_gets_only_the_flag_and_the_rights() {
    let first = format!("{READ}, Get ./DMAcc/dms2/NoAutoInitialSession");
    let change = format!("{MERGED}, Add ./DMAcc/dms2/NoAutoInitialSession bool `true`");
    let rounds = [first.as_str(), &change];
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE];
    let undo = [RESTORED, "Delete ./DMAcc/dms2/NoAutoInitialSession"];
    check(prepare(None, false), &answers, &rounds, Ok(()), &undo);

    // D34: the delegate's own account may be closed to this server.
    for code in [404, 405, 418, 425] {
        let answers = [OWN_ACL, ROOT_ACL, S2_THERE, ("Add ./DMAcc/dms2/NoAutoInitialSession", code, None)];
        check(prepare(None, false), &answers, &rounds, Ok(()), &[RESTORED]);
    }
    let closed = [OWN_ACL, ROOT_ACL, S2_THERE, ("Get ./DMAcc/dms2/NoAutoInitialSession", 425, None)];
    check(prepare(None, false), &closed, &[first.as_str(), MERGED], Ok(()), &[RESTORED]);

    let rounds = [first.as_str(), "Get ./DMAcc", "Get ./DMAcc/x/ServerID", MERGED];
    let hidden = [OWN_ACL, ROOT_ACL, ("Get ./DMAcc/dms2", 425, None), LISTED_X];
    check(prepare(None, false), &hidden, &rounds, Ok(()), &[RESTORED]);
    let absent = [OWN_ACL, ROOT_ACL, LISTED_X];
    check(prepare(None, false), &absent, &rounds[..3], Err((404, "Get ./DMAcc/dms2")), &[]);

    let (get, replace) = ("Get ./DMAcc/dms2/NoAutoInitialSession", "Replace ./DMAcc/dms2/NoAutoInitialSession bool");
    let set = format!("{MERGED}, {replace} `true`");
    let back = format!("{replace} `false`");
    let rounds = [first.as_str(), &set];
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, (get, 200, Some("false"))];
    check(prepare(None, false), &answers, &rounds, Ok(()), &[RESTORED, &back]);
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, (get, 200, Some("true"))];
    check(prepare(None, false), &answers, &[first.as_str(), MERGED], Ok(()), &[RESTORED]);
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, (get, 200, Some("false")), (replace, 425, None)];
    check(prepare(None, false), &answers, &rounds, Ok(()), &[RESTORED]);

    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, ("Replace ./SCOMO?prop=ACL", 425, None)];
    let refused = Err((425, "Replace ./SCOMO?prop=ACL"));
    let undo = ["Delete ./DMAcc/dms2/NoAutoInitialSession"];
    check(prepare(None, false), &answers, &[first.as_str(), &change], refused, &undo);

    // Under another name, its flag is asked for by itself.
    let there = "Get ./DMAcc/x/NoAutoInitialSession";
    let change = format!("{MERGED}, Add ./DMAcc/x/NoAutoInitialSession bool `true`");
    let rounds = [first.as_str(), "Get ./DMAcc", "Get ./DMAcc/x/ServerID", there, &change];
    let answers = [OWN_ACL, ROOT_ACL, ("Get ./DMAcc/x/ServerID", 200, Some(S2)), (there, 404, None), LISTED_X];
    let undo = [RESTORED, "Delete ./DMAcc/x/NoAutoInitialSession"];
    check(prepare(None, false), &answers, &rounds, Ok(()), &undo);
}

#[test]
fn a_bootstrap_url_becomes_a_new_entry() {
    let push = || Errand::PushBootstrapUrl { url: "https://b.example.test/1".into(), revocable: false };
    let list = "Get ./BootstrapConfig/BootSrvInfo";
    let entry = |name: &str| {
        let node = format!("./BootstrapConfig/BootSrvInfo/{name}");
        format!("Add {node} node; Add {node}/URL chr `https://b/1`")
    };
    let add = |name: &str| format!("Atomic {{ {} }}", entry(name));
    let delete = |name: &str| format!("Delete ./BootstrapConfig/BootSrvInfo/{name}");
    check(push(), &[(list, 200, Some(""))], &[list, &add("1")], Ok(()), &[&delete("1")]);
    let urls = "Get ./BootstrapConfig/BootSrvInfo/x/URL, Get ./BootstrapConfig/BootSrvInfo/1/URL";
    let listed = [(urls.split_once(',').unwrap().0, 200, Some("https://c/1")), (list, 200, Some("x/1"))];
    check(
        push(),
        &[listed[0], ("Get ./BootstrapConfig/BootSrvInfo/1/URL", 425, None), listed[1]],
        &[list, urls, &add("2")],
        Ok(()),
        &[&delete("2")],
    );
    let with_list = format!("Atomic {{ Add ./BootstrapConfig/BootSrvInfo node; {} }}", entry("1"));
    let undo = ["Delete ./BootstrapConfig/BootSrvInfo"];
    check(push(), &[(list, 404, None)], &[list, &with_list], Ok(()), &undo);
    check(push(), &[(list, 425, None)], &[list], Err((425, list)), &[]);
    let full = ("Add ./BootstrapConfig/BootSrvInfo/1/URL", 420, None);
    let refused = Err((420, "Add ./BootstrapConfig/BootSrvInfo/1/URL"));
    check(push(), &[(list, 200, None), full], &[list, &add("1")], refused, &[]);

    let old = "./BootstrapConfig/BootSrvInfo/x/URL";
    let (get, replace) = (format!("Get {old}"), format!("Replace {old} chr `https://b/1`"));
    let closed = ("Add ./BootstrapConfig/BootSrvInfo/1", 405, None);
    let read = ("Get ./BootstrapConfig/BootSrvInfo/x/URL", 200, Some("old"));
    let answers = [read, (list, 200, Some("x")), closed];
    let back = format!("Replace {old} chr `old`");
    check(push(), &answers, &[list, &get, &add("1"), &replace], Ok(()), &[&back]);
    let kept = [answers[0], answers[1], closed, ("Replace", 425, None)];
    let refused = Err((425, "Replace ./BootstrapConfig/BootSrvInfo/x/URL"));
    check(push(), &kept, &[list, &get, &add("1"), &replace], refused, &[]);

    // The same address once more, as after an attempt whose answer was lost: the new entry takes the place of the old.
    let again = "https://b.example.test/1";
    let answers = [("Get ./BootstrapConfig/BootSrvInfo/x/URL", 200, Some(again)), (list, 200, Some("x"))];
    let change = format!("Atomic {{ Delete ./BootstrapConfig/BootSrvInfo/x; {} }}", entry("1"));
    check(push(), &answers, &[list, &get, &change], Ok(()), &[&delete("1")]);
}

#[test]
fn a_bootstrap_url_that_is_to_be_revocable_is_given_where_accounts_can_be_removed() {
    let push = || Errand::PushBootstrapUrl { url: "https://b.example.test/1".into(), revocable: true };
    let (list, acl, root) = ("Get ./BootstrapConfig/BootSrvInfo", "Get ./DMAcc?prop=ACL", "Get .?prop=ACL");
    let first = format!("{list}, {acl}, {root}");
    let entry = "./BootstrapConfig/BootSrvInfo/1";
    let add = format!("Atomic {{ Add {entry} node; Add {entry}/URL chr `https://b/1` }}");
    let undo = format!("Delete {entry}");
    let mine = "Get=*&Delete=dms1.example.test";
    let given = |answers: &Answers| {
        check(push(), answers, &[&first, &add], Ok(()), &[&undo]);
    };
    given(&[(acl, 200, Some(mine)), (root, 200, Some("Get=*"))]);
    given(&[(acl, 200, Some("")), (root, 200, Some(mine))]);
    // What cannot be seen forbids nothing.
    given(&[(acl, 425, None), (root, 425, None)]);
    let kept_back = |answers: &Answers| {
        check(push(), answers, &[&first], Err((425, acl)), &[]);
    };
    kept_back(&[(acl, 200, Some("Get=*")), (root, 200, Some(mine))]);
    kept_back(&[(acl, 200, Some("")), (root, 200, Some("Get=*"))]);
}

#[test]
fn a_visit_fails_where_the_delegate_may_not() {
    let visit = || Errand::Visit { subtree: uri("./SCOMO") };
    let get = "Get ./SCOMO?prop=ACL";
    check(visit(), &[OWN_ACL], &[get], Ok(()), &[]);
    check(visit(), &[(get, 200, Some(""))], &[get], Ok(()), &[]);
    check(visit(), &[(get, 425, None)], &[get], Err((425, get)), &[]);
    check(visit(), &[(get, 404, None)], &[get], Err((404, get)), &[]);
    check(visit(), &[(get, 200, Some("Get=*&Replace=dms2.example.test"))], &[get], Err((425, get)), &[]);
}

#[test]
fn a_removal_deletes_the_account_or_finds_it_gone() {
    let remove = || Errand::RemoveAccount { of: ServerId::new(S2), leftovers: Vec::new() };
    let (get, list, delete) = ("Get ./DMAcc/dms2/ServerID", "Get ./DMAcc", "Delete ./DMAcc/dms2");
    check(remove(), &[S2_THERE], &[get, delete], Ok(()), &[]);
    check(remove(), &[S2_THERE, (delete, 404, None)], &[get, delete], Ok(()), &[]);
    check(remove(), &[S2_THERE, (delete, 425, None)], &[get, delete], Err((425, delete)), &[]);
    let elsewhere = [("Get ./DMAcc/x/ServerID", 200, Some(S2)), (get, 404, None), (list, 200, Some("x"))];
    check(remove(), &elsewhere, &[get, list, "Get ./DMAcc/x/ServerID", "Delete ./DMAcc/x"], Ok(()), &[]);
    check(remove(), &[(get, 404, None), (list, 200, Some(""))], &[get, list], Ok(()), &[]);
    // A node of the right name that is somebody else's stays.
    let stranger = [(get, 200, Some(S1)), (list, 200, Some("dms2"))];
    check(remove(), &stranger, &[get, list, get], Ok(()), &[]);
}

#[test]
fn a_client_is_let_connect_by_the_flag_of_the_account() {
    let permit = || Errand::LetConnect { delegate: ServerId::new(S2), value: false };
    let (get, list) = ("Get ./DMAcc/dms2/ServerID", "Get ./DMAcc");
    let set = "Replace ./DMAcc/dms2/NoAutoInitialSession bool `false`";
    let target = "Replace ./DMAcc/dms2/NoAutoInitialSession";
    check(permit(), &[S2_THERE], &[get, set], Ok(()), &[]);
    check(permit(), &[S2_THERE, (target, 404, None)], &[get, set], Ok(()), &[]);
    check(permit(), &[S2_THERE, (target, 425, None)], &[get, set], Err((425, target)), &[]);
    let nowhere = Err((404, "Get ./DMAcc/dms2"));
    check(permit(), &[(get, 404, None), (list, 200, Some(""))], &[get, list], nowhere, &[]);
}

#[test]
fn an_abandoned_script_lists_what_may_have_been_done() {
    let mut script = Script::new(&ServerId::new(S1), prepare(Some(account()), false));
    let Step::Orders(orders) = script.next(None) else { panic!("no orders") };
    let results: Vec<OrderResult> = orders.iter().map(|order| answer(order, &[OWN_ACL, ROOT_ACL])).collect();
    script.next(Some(&results));
    let report = script.abandon(DeviceFailure::Unreachable);
    assert_eq!(report.result, Err(DeviceFailure::Unreachable));
    assert_eq!(report.undo.iter().map(line).collect::<Vec<_>>(), [RESTORED, "Delete ./DMAcc/dms2"]);

    let script = Script::new(&ServerId::new(S1), prepare(Some(account()), false));
    assert_eq!(script.abandon(DeviceFailure::Unreachable), Report::failed(DeviceFailure::Unreachable));
}

#[test]
fn results_that_are_missing_count_as_refused() {
    let mut script = Script::new(&ServerId::new(S1), prepare(None, true));
    script.next(None);
    let Step::Finished(report) = script.next(Some(&[])) else { panic!("went on") };
    assert!(report.result.is_err(), "{report:?}");
}
