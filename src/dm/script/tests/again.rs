//! Errands that are run again because nobody knows what became of the attempt before.

use super::*;

fn prepare_again() -> Errand {
    let (delegate, subtree) = (ServerId::new(S2), uri("./SCOMO"));
    let account = Some(account());
    Errand::Prepare { delegate, account, subtree, quiet: true, extent: Extent::Part, takes_over: true }
}

#[test]
fn an_account_of_the_attempt_before_is_taken_over() {
    let flag = "Get ./DMAcc/dms2/NoAutoInitialSession";
    let answers = [OWN_ACL, ROOT_ACL, S2_THERE, (flag, 200, Some("true"))];
    let undo = [RESTORED, "Delete ./DMAcc/dms2"];
    check(prepare_again(), &answers, &[READ, flag, MERGED], Ok(()), &undo);
    // What fails then takes it away, too.
    let refused = [OWN_ACL, ROOT_ACL, S2_THERE, (flag, 200, Some("true")), ("Replace", 425, None)];
    let failed = Err((425, "Replace ./SCOMO?prop=ACL"));
    check(prepare_again(), &refused, &[READ, flag, MERGED], failed, &undo[1..]);
    // Where there is none it is added as ever.
    check(prepare_again(), &[OWN_ACL, ROOT_ACL], &[READ, &addition(SHARED_ACL, MERGED)], Ok(()), &undo);
}

#[test]
fn an_account_in_the_way_is_left_alone_by_whoever_may_not_take_it_over() {
    let exists = Err((418, "Add ./DMAcc/dms2"));
    check(prepare(Some(account()), false), &[OWN_ACL, ROOT_ACL, S2_THERE], &[READ], exists, &[]);
    let stranger = [OWN_ACL, ROOT_ACL, ("Get ./DMAcc/dms2/ServerID", 200, Some(S1))];
    check(prepare_again(), &stranger, &[READ], exists, &[]);
}

#[test]
fn a_url_is_taken_back_from_wherever_it_stands() {
    let take_back = || Errand::TakeBackUrl { url: "https://b.example.test/7".into() };
    let list = "Get ./BootstrapConfig/BootSrvInfo";
    let urls = "Get ./BootstrapConfig/BootSrvInfo/1/URL, Get ./BootstrapConfig/BootSrvInfo/2/URL";
    // The first that begins like a line answers it.
    let answers = [
        ("Get ./BootstrapConfig/BootSrvInfo/1/URL", 200, Some("https://other.example.test")),
        ("Get ./BootstrapConfig/BootSrvInfo/2/URL", 200, Some("https://b.example.test/7")),
        (list, 200, Some("1/2")),
    ];
    let delete = "Delete ./BootstrapConfig/BootSrvInfo/2";
    check(take_back(), &answers, &[list, urls, delete], Ok(()), &[]);
    check(take_back(), &[(list, 404, None)], &[list], Ok(()), &[]);
    let others = [answers[0], (answers[1].0, 200, Some("https://third.example.test")), answers[2]];
    check(take_back(), &others, &[list, urls], Ok(()), &[]);
}

#[test]
fn rights_are_taken_back_wherever_they_were_given() {
    let take_back = || Errand::TakeBackRights { delegate: ServerId::new(S2), subtree: uri("./SCOMO") };
    let given = ("Get ./SCOMO?prop=ACL", 200, Some("Get=*&Add=*&Replace=dms1.example.test+dms2.example.test"));
    let own = "Replace ./SCOMO?prop=ACL `Get=*&Replace=dms1&Add=*`";
    check(take_back(), &[given, ROOT_ACL], &[READ_ACLS, own], Ok(()), &[]);
    // What is left says no more than the root does.
    let root = (ROOT_ACL.0, 200, Some("Get=*&Add=*&Replace=dms1.example.test"));
    check(take_back(), &[given, root], &[READ_ACLS, "Replace ./SCOMO?prop=ACL ``"], Ok(()), &[]);
    // Nothing has been given, or it has gone with the sub-tree.
    check(take_back(), &[OWN_ACL, ROOT_ACL], &[READ_ACLS], Ok(()), &[]);
    check(take_back(), &[("Get ./SCOMO?prop=ACL", 404, None)], &[READ_ACLS], Ok(()), &[]);
    let below = "<MgmtTree><Node><NodeName>a</NodeName><Path>./SCOMO</Path><RTProperties>\
                 <ACL>Get=dms1.example.test+dms2.example.test</ACL></RTProperties></Node></MgmtTree>";
    let listed = ("Get ./SCOMO?list=TNDS+ACL", 200, Some(below));
    let both = format!("Atomic {{ Replace ./SCOMO/a?prop=ACL `Get=dms1`; {own} }}");
    check(take_back(), &[given, ROOT_ACL, listed], &[READ_ACLS, &both], Ok(()), &[]);
    // A client that takes no empty value gets it written out.
    let no_empty = [given, root, ("Replace ./SCOMO?prop=ACL ``", 500, None)];
    let empty = "Replace ./SCOMO?prop=ACL ``";
    check(take_back(), &no_empty, &[READ_ACLS, empty, own], Ok(()), &[]);
    let never = [given, root, ("Replace", 500, None)];
    check(take_back(), &never, &[READ_ACLS, empty, own], Err((500, "Replace ./SCOMO?prop=ACL")), &[]);
    let refused = [given, ROOT_ACL, ("Replace", 425, None)];
    check(take_back(), &refused, &[READ_ACLS, own], Err((425, "Replace ./SCOMO?prop=ACL")), &[]);
}

#[test]
fn a_server_that_leaves_takes_its_own_account_away_or_finds_it_gone() {
    let (get, list, delete) = ("Get ./DMAcc/dms1/ServerID", "Get ./DMAcc", "Delete ./DMAcc/dms1");
    for answers in [&[S1_THERE][..], &[S1_THERE, (delete, 404, None)]] {
        assert!(check(Errand::Leave, answers, &[get, delete], Ok(()), &[]).own_account_removed);
    }
    let refused = Err((425, delete));
    assert!(!check(Errand::Leave, &[S1_THERE, (delete, 425, None)], &[get, delete], refused, &[]).own_account_removed);
    assert!(check(Errand::Leave, &[(list, 200, Some(""))], &[get, list], Ok(()), &[]).own_account_removed);
    // An account that may be there has not gone.
    let hidden = [(get, 425, None), (list, 200, Some("dms1"))];
    let report = check(Errand::Leave, &hidden, &[get, list, get], Err((425, get)), &[]);
    assert!(!report.own_account_removed);
}
