//! What an undo writes, whatever has become of the device since.

use super::*;

#[test]
fn an_undo_runs_everything_and_keeps_what_it_could_not_do() {
    let orders =
        || vec![Order::ReplaceAcl { uri: uri("./SCOMO"), acl: "Get=*".into() }, Order::Delete(uri("./DMAcc/dms2"))];
    let round = "Replace ./SCOMO?prop=ACL `Get=*`, Delete ./DMAcc/dms2";
    let undo = || Errand::Undo(orders());
    check(undo(), &[], &[round], Ok(()), &[]);
    check(undo(), &[("Delete", 404, None)], &[round], Ok(()), &[]);
    let refused = Err((425, "Replace ./SCOMO?prop=ACL"));
    check(undo(), &[("Replace", 425, None)], &[round], refused, &["Replace ./SCOMO?prop=ACL `Get=*`"]);
    check(Errand::Undo(Vec::new()), &[], &[], Ok(()), &[]);
}

#[test]
fn an_undo_that_has_been_run_finds_nothing_left_to_do() {
    let flag = uri("./DMAcc/dms2/NoAutoInitialSession");
    let replace = Order::ReplaceLeaf { uri: flag, format: "bool", value: "false".into() };
    let delete = Order::Delete(uri("./DMAcc/dms2"));
    let gone = [("Replace", 404, None), ("Delete", 404, None)];
    let lines = ["Replace ./DMAcc/dms2/NoAutoInitialSession bool `false`", "Delete ./DMAcc/dms2"];
    check(Errand::Undo(vec![replace.clone(), delete]), &gone, &[&lines.join(", ")], Ok(()), &[]);
    let missing = Err((404, "Replace ./DMAcc/dms2/NoAutoInitialSession"));
    check(Errand::Undo(vec![replace]), &gone, &lines[..1], missing, &lines[..1]);
}

const SCOMO: &str = "Get ./SCOMO?prop=ACL";
const ACCOUNT: &str = "Delete ./DMAcc/dms2";

/// The undo list of a preparation that found these ACLs on the sub-tree and on the root.
fn prepared(scomo: &'static str, root: &'static str) -> Vec<Order> {
    let answers = [(SCOMO, 200, Some(scomo)), ("Get .?prop=ACL", 200, Some(root))];
    let (_, report) = run(prepare(Some(account()), false), &answers);
    assert_eq!(report.result, Ok(()));
    report.undo
}

/// Undoes a preparation where the sub-tree has this ACL by now. `written`: what it gets, `None` for nothing.
#[track_caller]
fn undoes(scomo: &'static str, root: &'static str, present: &'static str, written: Option<&str>) {
    let rounds = match written {
        Some(acl) => format!("Replace ./SCOMO?prop=ACL `{acl}`, {ACCOUNT}"),
        None => ACCOUNT.to_owned(),
    };
    let present = [(SCOMO, 200, Some(present))];
    check(Errand::Undo(prepared(scomo, root)), &present, &[SCOMO, &rounds], Ok(()), &[]);
}

const OWN: &str = "Add=dms1.example.test&Get=*&Replace=dms1.example.test+other";

#[test]
fn an_acl_that_nobody_has_touched_comes_back_to_the_letter() {
    let as_left = "Get=*&Replace=dms1.example.test+dms2.example.test+other&Add=dms1.example.test+dms2.example.test";
    undoes(OWN, "Get=*", as_left, Some("Add=dms1&Get=*&Replace=dms1+other"));
    undoes("", OWN, as_left, Some(""));
}

#[test]
fn an_acl_that_is_as_before_is_not_written_again() {
    undoes(OWN, "Get=*", OWN, None);
    undoes("", OWN, "", None);
}

#[test]
fn who_was_purged_since_does_not_come_back() {
    // The other one.
    let purged = "Get=*&Replace=dms1.example.test+dms2.example.test&Add=dms1.example.test+dms2.example.test";
    undoes(OWN, "Get=*", purged, Some("Get=*&Replace=dms1&Add=dms1"));
    // It inherits again, and the purge has gone over what it inherits from.
    undoes("", OWN, purged, Some(""));
    // The delegate itself: nothing of the errand is left.
    undoes(OWN, "Get=*", "Replace=dms1.example.test+other&Get=*&Add=dms1.example.test", None);
    undoes(OWN, "Get=*", "Get=*", None);
}

#[test]
fn what_others_have_granted_since_stays() {
    let granted = "Get=*&Replace=dms1.example.test+dms2.example.test+other+third&\
                   Add=dms1.example.test+dms2.example.test+third&Exec=third";
    let kept = "Get=*&Replace=dms1+other+third&Add=dms1+third&Exec=third";
    undoes(OWN, "Get=*", granted, Some(kept));
    // What was inherited stays beside it, or the grant would have cut it off.
    undoes("", OWN, granted, Some(kept));
    // What everybody may do by now was not the errand's to give.
    undoes(OWN, "Get=*", "Get=*&Replace=*&Add=dms1.example.test+dms2.example.test", Some("Get=*&Replace=*&Add=dms1"));
}

#[test]
fn what_the_delegate_had_before_it_keeps() {
    let had = "Get=dms1.example.test+dms2.example.test&Replace=dms1.example.test&Exec=dms2.example.test";
    let as_left = "Get=dms1.example.test+dms2.example.test+third&Replace=dms1.example.test+dms2.example.test&\
                   Exec=dms2.example.test";
    undoes(had, "Get=*", as_left, Some("Get=dms1+dms2+third&Replace=dms1&Exec=dms2"));
}

#[test]
fn two_changes_of_one_node_are_taken_out_one_after_the_other() {
    let between = "Get=*&Replace=dms1.example.test+dms2.example.test+other&Add=dms1.example.test+dms2.example.test";
    let grant = Errand::Grant { delegate: ServerId::new("third"), subtree: uri("./SCOMO"), extent: Extent::Part };
    let (_, second) = run(grant, &[(SCOMO, 200, Some(between))]);
    let both = || second.undo.iter().cloned().chain(prepared(OWN, "Get=*")).collect::<Vec<_>>();
    let present = "Get=*&Replace=dms1.example.test+dms2.example.test+other+third&\
                   Add=dms1.example.test+dms2.example.test+third&Exec=fourth";
    let one = "Get=*&Replace=dms1+dms2+other&Add=dms1+dms2&Exec=fourth";
    let other = "Get=*&Replace=dms1+other&Add=dms1&Exec=fourth";
    let round = format!("Replace ./SCOMO?prop=ACL `{one}`, Replace ./SCOMO?prop=ACL `{other}`, {ACCOUNT}");
    check(Errand::Undo(both()), &[(SCOMO, 200, Some(present))], &[SCOMO, &round], Ok(()), &[]);
}

#[test]
fn an_acl_that_cannot_be_restored_stays_on_the_list() {
    let undo = || Errand::Undo(prepared(OWN, "Get=*"));
    let listed = [RESTORED];
    check(undo(), &[(SCOMO, 425, None)], &[SCOMO, ACCOUNT], Err((425, SCOMO)), &listed);
    check(undo(), &[(SCOMO, 200, Some("Everything"))], &[SCOMO, ACCOUNT], Err((415, SCOMO)), &listed);
    let there = (SCOMO, 200, Some("Get=*&Replace=dms2.example.test"));
    let round = format!("Replace ./SCOMO?prop=ACL `Get=*`, {ACCOUNT}");
    let refused = Err((425, "Replace ./SCOMO?prop=ACL"));
    check(undo(), &[there, ("Replace", 425, None)], &[SCOMO, &round], refused, &listed);
    check(undo(), &[there, (ACCOUNT, 425, None)], &[SCOMO, &round], Err((425, ACCOUNT)), &[ACCOUNT]);
}

#[test]
fn an_acl_goes_with_its_node() {
    let undo = || Errand::Undo(prepared(OWN, "Get=*"));
    check(undo(), &[(SCOMO, 404, None), (ACCOUNT, 404, None)], &[SCOMO, ACCOUNT], Ok(()), &[]);
    let there = (SCOMO, 200, Some("Get=*&Replace=dms2.example.test"));
    let round = format!("Replace ./SCOMO?prop=ACL `Get=*`, {ACCOUNT}");
    check(undo(), &[there, ("Replace", 404, None)], &[SCOMO, &round], Ok(()), &[]);
    // With nothing else on the list there is nothing to run.
    let alone = vec![prepared(OWN, "Get=*").remove(0)];
    check(Errand::Undo(alone), &[(SCOMO, 404, None)], &[SCOMO], Ok(()), &[]);
}

#[test]
fn an_undo_that_breaks_off_while_it_reads_is_left_whole() {
    let list = prepared(OWN, "Get=*");
    let mut script = Script::new(&ServerId::new(S1), Errand::Undo(list.clone()));
    script.next(None);
    assert_eq!(script.abandon(DeviceFailure::Unreachable).undo, list);
}

#[test]
fn a_client_that_takes_no_empty_value_gets_the_rights_written_out() {
    let there = (SCOMO, 200, Some("Get=*&Replace=dms1.example.test+dms2.example.test+other&Add=dms1.example.test"));
    let empty = ("Replace ./SCOMO?prop=ACL ``", 500, None);
    let first = format!("Replace ./SCOMO?prop=ACL ``, {ACCOUNT}");
    let second = "Replace ./SCOMO?prop=ACL `Get=*&Replace=dms1+other&Add=dms1`";
    check(Errand::Undo(prepared("", OWN)), &[there, empty], &[SCOMO, &first, second], Ok(()), &[]);
    // Once only; and whatever else the client says is a refusal.
    let never = ("Replace", 500, None);
    let refused = Err((500, "Replace ./SCOMO?prop=ACL"));
    check(Errand::Undo(prepared("", OWN)), &[there, never], &[SCOMO, &first, second], refused, &[INHERITED]);
    let denied = ("Replace", 425, None);
    let refused = Err((425, "Replace ./SCOMO?prop=ACL"));
    check(Errand::Undo(prepared("", OWN)), &[there, denied], &[SCOMO, &first], refused, &[INHERITED]);
}

/// An order that restores what was inherited, as it is told.
const INHERITED: &str = "Restore ./SCOMO?prop=ACL ``";
