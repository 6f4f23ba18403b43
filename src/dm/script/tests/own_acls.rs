//! What lies below a sub-tree with an ACL of its own: found, granted, and put back.

use super::*;
use crate::dm::script::own_acls::MOST_NODES;

/// What the device lists: a node of this path, name and ACL.
fn tree(nodes: &[(&str, &str, &str)]) -> &'static str {
    let node = |(path, name, acl): &(&str, &str, &str)| {
        let acl = acl.replace('&', "&amp;");
        format!(
            "<Node><NodeName>{name}</NodeName><Path>{path}</Path><RTProperties><ACL>{acl}</ACL></RTProperties></Node>"
        )
    };
    format!("<MgmtTree>{}</MgmtTree>", nodes.iter().map(node).collect::<String>()).leak()
}

const LIST: &str = "Get ./SCOMO?list=TNDS+ACL";

#[test]
fn what_has_its_own_acl_below_is_granted_as_far_as_this_server_may_itself() {
    let nodes = [
        ("./SCOMO", "a", "Get=dms1.example.test&Replace=dms1.example.test+x"),
        ("./SCOMO/a", "b", "Get=*"),
        ("./SCOMO/a", "c", "Replace=x"),
        ("./SCOMO/a", "d", "Get=dms1.example.test"),
        (".", "Elsewhere", "Get=dms1.example.test"),
    ];
    let listed = (LIST, 200, Some(tree(&nodes)));
    let a = "Replace ./SCOMO/a?prop=ACL `Get=dms1+dms2&Replace=dms1+dms2+x`";
    let d = "Replace ./SCOMO/a/d?prop=ACL `Get=dms1+dms2`";
    let all = format!("{a}; {d}; {MERGED}");
    let (a_back, d_back) =
        ("Restore ./SCOMO/a?prop=ACL `Get=dms1&Replace=dms1+x`", "Restore ./SCOMO/a/d?prop=ACL `Get=dms1`");
    let rounds = [READ, &addition(SHARED_ACL, &all)];
    let undo = [a_back, d_back, RESTORED, "Delete ./DMAcc/dms2"];
    check(prepare(Some(account()), false), &[OWN_ACL, ROOT_ACL, listed], &rounds, Ok(()), &undo);

    // Without an account to add, they are one Atomic of their own, and the flag stands beside it.
    let first = format!("{READ}, Get ./DMAcc/dms2/{FLAG}");
    let change = format!("Atomic {{ {all} }}, Add ./DMAcc/dms2/NoAutoInitialSession bool `true`");
    let undo = [a_back, d_back, RESTORED, "Delete ./DMAcc/dms2/NoAutoInitialSession"];
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, listed];
    check(prepare(None, false), &answers, &[&first, &change], Ok(()), &undo);
    let closed = [OWN_ACL, ROOT_ACL, S2_THERE, listed, ("Add ./DMAcc/dms2/NoAuto", 425, None)];
    check(prepare(None, false), &closed, &[&first, &change], Ok(()), &undo[..3]);
    let refused = [("Replace ./SCOMO/a/d", 425, None), OWN_ACL, ROOT_ACL, S2_THERE, listed];
    let failed = Err((425, "Replace ./SCOMO/a/d?prop=ACL"));
    check(prepare(None, false), &refused, &[&first, &change], failed, &undo[3..]);
}

#[test]
fn a_device_that_lists_no_acls_is_walked_level_by_level() {
    let answers = [
        OWN_ACL,
        ROOT_ACL,
        (LIST, 406, None),
        ("Get ./SCOMO/a/leaf?prop=ACL", 200, Some("Get=dms1.example.test")),
        ("Get ./SCOMO?prop=Format", 200, Some("node")),
        ("Get ./SCOMO/a?prop=Format", 200, Some("node")),
        ("Get ./SCOMO/a?prop=ACL", 200, Some("")),
        ("Get ./SCOMO/closed?", 425, None),
        ("Get ./SCOMO/a/leaf?prop=Format", 200, Some("chr")),
        ("Get ./SCOMO/a", 200, Some("leaf")),
        ("Get ./SCOMO", 200, Some("a/closed")),
    ];
    let nature = |node: &str| format!("Get {node}?prop=ACL, Get {node}?prop=Format");
    let change = "Replace ./SCOMO/a/leaf?prop=ACL `Get=dms1+dms2`; ".to_owned() + MERGED;
    let rounds = [
        READ,
        &nature("./SCOMO"),
        "Get ./SCOMO",
        &(nature("./SCOMO/a") + ", " + &nature("./SCOMO/closed")),
        "Get ./SCOMO/a",
        &nature("./SCOMO/a/leaf"),
        &addition(SHARED_ACL, &change),
    ];
    let undo = ["Restore ./SCOMO/a/leaf?prop=ACL `Get=dms1`", RESTORED, "Delete ./DMAcc/dms2"];
    check(prepare(Some(account()), false), &answers, &rounds, Ok(()), &undo);

    // Too much to walk through: nothing is changed.
    let many: String = (0..=MOST_NODES).map(|n| format!("n{n}/")).collect();
    let answers = [OWN_ACL, ROOT_ACL, (LIST, 406, None), answers[4], ("Get ./SCOMO", 200, Some(many.leak()))];
    check(prepare(Some(account()), false), &answers, &rounds[..3], Err((413, LIST)), &[]);
    let node = ("./SCOMO", "a", "Get=x");
    let listed = (LIST, 200, Some(tree(&[node; MOST_NODES + 1])));
    check(prepare(Some(account()), false), &[OWN_ACL, ROOT_ACL, listed], &[READ], Err((413, LIST)), &[]);
}

#[test]
fn accounts_are_granted_only_by_a_server_that_leaves_the_device() {
    let nodes = [
        (".", "DMAcc", "Add=dms1.example.test"),
        ("./DMAcc", "dms1.example.test", "Delete=dms1.example.test"),
        ("./DMAcc", "third", "Delete=dms1.example.test"),
    ];
    let answers = [("Get .?list=TNDS+ACL", 200, Some(tree(&nodes))), ROOT_ACL, S1_THERE];
    let grant =
        |full| Errand::Grant { delegate: ServerId::new(S2), subtree: Uri::root(), extent: Extent::at_once(full) };
    let root = "Replace .?prop=ACL `Get=*&Replace=dms1+dms2&Add=*`";
    let read = "Get .?prop=ACL, Get .?list=TNDS+ACL";
    check(grant(false), &answers, &[read, root], Ok(()), &["Restore .?prop=ACL `Get=*&Add=*`"]);
    let all = format!(
        "Atomic {{ Replace ./DMAcc?prop=ACL `Add=dms1+dms2`; Replace ./DMAcc/third?prop=ACL `Delete=dms1+dms2`; {root} }}"
    );
    let read = format!("{read}, Get ./DMAcc/dms1/ServerID");
    check(grant(true), &answers, &[&read, &all, "Delete ./DMAcc/dms1"], Ok(()), &[]);
}
