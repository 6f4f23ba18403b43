//! Each promise on views that keep it and on views that break it.

mod scene;

use super::*;
use crate::delegation::machine::{Side, Standing};
use crate::dm::uri::Uri;
use scene::{Scene, at_rest, fully, partially, passed_on, revoked};

fn judge(devices: impl Iterator<Item = DeviceView>, servers: &[ServerView]) -> Vec<PromiseResult> {
    let mut judging = Judging::new(servers);
    devices.for_each(|device| judging.look_at(&device));
    judging.finish()
}

const DEVICE: DeviceNumber = DeviceNumber(3);
const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);
const THIRD: ServerNumber = ServerNumber(2);

/// What all promises say of a scene.
fn judged(scene: Scene) -> Vec<PromiseResult> {
    judge(std::iter::once(scene.device), &scene.servers)
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).expect("a URI")
}

fn promise(results: Vec<PromiseResult>, name: &str) -> PromiseResult {
    results.into_iter().find(|result| result.name == name).expect("a promise of this name")
}

/// What one promise says of a scene: `(checked, broken, not observable)`.
#[track_caller]
fn check(case: &str, scene: Scene, name: &str, counts: (u64, u64, u64)) {
    let found = promise(judged(scene), name);
    assert_eq!((found.checked, found.broken, found.not_observable), counts, "{case}: {:?}", found.breaches);
}

/// One promise is broken, on this device, and what was seen holds these words.
#[track_caller]
fn check_broken(case: &str, scene: Scene, name: &str, seen: &[&str]) {
    let found = promise(judged(scene), name);
    assert_eq!((found.checked, found.broken, found.not_observable), (1, 1, 0), "{case}");
    let breach = &found.breaches[0];
    assert_eq!((&breach.at, breach.promise), (&Place::Device(DEVICE), name), "{case}");
    for words in seen {
        assert!(breach.seen.contains(words), "{case}: {}", breach.seen);
    }
}

#[test]
fn every_promise_is_kept_where_all_is_well() {
    for (case, scene) in [
        ("at rest", at_rest()),
        ("partially", partially()),
        ("fully", fully()),
        ("passed on", passed_on()),
        ("revoked", revoked()),
    ] {
        for result in judged(scene) {
            assert_eq!((result.broken, result.not_observable), (0, 0), "{case}: {result:?}");
        }
    }
}

#[test]
fn both_servers_have_the_same_delegations_on_record() {
    const NAME: &str = "records_agree";
    check("nothing is nothing", at_rest(), NAME, (1, 0, 0));
    check("in force on both sides", partially(), NAME, (1, 0, 0));
    check_broken(
        "the delegate has forgotten",
        partially().no_records_at(PARTNER),
        NAME,
        &["home says ./SCOMO is delegated by home to partner, partially, in force", "partner has no such record"],
    );
    check_broken("the owner has forgotten", partially().no_records_at(HOME), NAME, &["home has no such record"]);
    check_broken(
        "full and partial",
        partially().no_records_at(PARTNER).record(PARTNER, HOME, Side::Delegated, "./SCOMO", true, Standing::InForce),
        NAME,
        &["fully", "partially"],
    );
    check_broken(
        "another sub-tree",
        partially().no_records_at(PARTNER).record(PARTNER, HOME, Side::Delegated, "./FUMO", false, Standing::InForce),
        NAME,
        &["./SCOMO", "./FUMO", "no such record"],
    );
    check_broken(
        "both believe to be the delegate",
        at_rest().record(HOME, PARTNER, Side::Delegated, "./SCOMO", false, Standing::InForce).record(
            PARTNER,
            HOME,
            Side::Delegated,
            "./SCOMO",
            false,
            Standing::InForce,
        ),
        NAME,
        &["no such record"],
    );
    check_broken(
        "one side is still on its way",
        partially().no_records_at(PARTNER).record(
            PARTNER,
            HOME,
            Side::Delegated,
            "./SCOMO",
            false,
            Standing::Moving("Connecting"),
        ),
        NAME,
        &["under way (Connecting)"],
    );
    check(
        "compromised is still a delegation",
        partially().no_records_at(HOME).record(
            HOME,
            PARTNER,
            Side::Delegating,
            "./SCOMO",
            false,
            Standing::Compromised,
        ),
        NAME,
        (1, 0, 0),
    );
}

#[test]
fn a_delegate_that_was_not_told_is_not_blamed_for_what_it_believes() {
    let untold = || {
        at_rest()
            .record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::InForce)
            .revoked(PARTNER)
            .unannounced(PARTNER)
    };
    check("it still believes", untold(), "records_agree", (0, 0, 1));
    check("its account is gone as it should", untold(), "accounts_as_recorded", (1, 0, 0));
    check("home is in charge", untold(), "manageable", (1, 0, 0));
    check("it has learned since", untold().no_records_at(PARTNER), "records_agree", (1, 0, 0));
    check_broken(
        "the owner still has it on record",
        partially()
            .no_records_at(PARTNER)
            .record(PARTNER, HOME, Side::Delegated, "./SCOMO", true, Standing::InForce)
            .unannounced(PARTNER),
        "records_agree",
        &["fully"],
    );
    check_broken(
        "the wrong one was not told",
        at_rest().record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::InForce).unannounced(THIRD),
        "records_agree",
        &["home has no such record"],
    );
}

#[test]
fn a_server_that_shows_no_records_is_never_said_to_agree() {
    check("home's word alone", partially().unseen(PARTNER), "records_agree", (0, 0, 1));
    check("nothing on record", at_rest().unseen(PARTNER), "records_agree", (0, 0, 1));
    let mut dead = partially();
    dead.servers.retain(|view| view.server != PARTNER);
    check("it cannot be asked at all", dead, "records_agree", (0, 0, 1));
    check("the device shows the account", partially().unseen(PARTNER), "accounts_as_recorded", (1, 0, 0));
    check("whether it is idle", at_rest().unseen(PARTNER), "nothing_left_over", (3, 0, 1));
}

#[test]
fn a_device_holds_the_accounts_that_the_records_say() {
    const NAME: &str = "accounts_as_recorded";
    check_broken(
        "phantom: the delegate has none",
        partially().accounts(&[HOME]),
        NAME,
        &["accounts of home; the records say home, partner"],
    );
    check_broken("the owner has lost its own", partially().accounts(&[PARTNER]), NAME, &["accounts of partner;"]);
    check_broken("leaked: nobody knows of it", at_rest().accounts(&[HOME, PARTNER]), NAME, &["the records say home"]);
    check_broken("none at all", at_rest().accounts(&[]), NAME, &["accounts of nobody"]);
    check_broken("full, and still there", fully().accounts(&[HOME, PARTNER]), NAME, &["the records say partner"]);
    check("bootstrapped beforehand", at_rest().bootstrapped(PARTNER).accounts(&[HOME, PARTNER]), NAME, (1, 0, 0));
    check_broken("undo took too much", at_rest().bootstrapped(PARTNER), NAME, &["the records say home, partner"]);
    check("bootstrapped, then revoked", revoked().bootstrapped(PARTNER), NAME, (1, 0, 0));
    check(
        "a flow is still under way",
        at_rest()
            .record(HOME, PARTNER, Side::Delegating, "./SCOMO", false, Standing::Moving("Preparing"))
            .accounts(&[HOME, PARTNER]),
        NAME,
        (0, 0, 1),
    );
}

#[test]
fn a_delegate_by_its_own_record_has_an_account() {
    const NAME: &str = "no_phantom";
    check("nobody is one", at_rest(), NAME, (0, 0, 0));
    check("it has", partially(), NAME, (1, 0, 0));
    check("it has given everything away", passed_on(), NAME, (1, 0, 0));
    let phantom = "partner believes to be a delegate, without an account";
    check_broken("it has none", partially().accounts(&[HOME]), NAME, &[phantom]);
    check_broken("the owner knows better", partially().no_records_at(HOME).accounts(&[HOME]), NAME, &[phantom]);
    let untold =
        at_rest().record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::InForce).unannounced(PARTNER);
    check("it was not told", untold, NAME, (0, 0, 0));
    let moving = Standing::Moving("ExpectRemoval");
    let under_way = partially().record(HOME, THIRD, Side::Delegating, "./FUMO", false, moving).accounts(&[HOME]);
    check("a flow is still under way", under_way, NAME, (0, 0, 1));
}

#[test]
fn a_delegate_has_rights_on_its_sub_tree_and_nowhere_else() {
    const NAME: &str = "acls_as_recorded";
    check_broken(
        "the last of a chain has no rights",
        passed_on().no_grant(".", THIRD),
        NAME,
        &["third is not in the ACL of ."],
    );
    // Partner's own record of what it was delegated still covers the node; that it holds no account is another promise.
    check_broken(
        "the middle of a chain has kept its account",
        passed_on().accounts(&[PARTNER, THIRD]),
        "full_leaves_no_account",
        &["partner has an account"],
    );
    check("no delegation and no ACL", at_rest(), NAME, (0, 0, 0));
    check("the owner may be named anywhere", at_rest().grant("./DevInfo", HOME), NAME, (1, 0, 0));
    check("below the sub-tree too", partially().grant("./SCOMO/Inventory", PARTNER), NAME, (1, 0, 0));
    check("everything is delegated", fully().grant("./FUMO", PARTNER), NAME, (1, 0, 0));
    check_broken(
        "a lost update",
        partially().no_grant("./SCOMO", PARTNER),
        NAME,
        &["partner is not in the ACL of ./SCOMO"],
    );
    check_broken(
        "rights beyond it",
        partially().grant("./FUMO", PARTNER),
        NAME,
        &["partner is in the ACL of ./FUMO, which no record justifies"],
    );
    check_broken("a name that begins alike", partially().grant("./SCOMOTOO", PARTNER), NAME, &["./SCOMOTOO"]);
    check_broken(
        "rights of a stranger",
        partially().grant("./SCOMO", THIRD),
        NAME,
        &["third is in the ACL of ./SCOMO"],
    );
    check_broken("rights on accounts, without one", at_rest().grant("./DMAcc/x", PARTNER), NAME, &["./DMAcc/x"]);
}

#[test]
fn a_revoked_server_is_nowhere_in_the_tree() {
    const NAME: &str = "revoked_is_gone";
    check("nobody was revoked", partially(), NAME, (0, 0, 0));
    check("gone", revoked(), NAME, (1, 0, 0));
    check("delegated again since", partially().revoked(PARTNER), NAME, (0, 0, 0));
    check_broken(
        "its account is still there",
        revoked().accounts(&[HOME, PARTNER]),
        NAME,
        &["revoked, but partner has an account"],
    );
    check_broken(
        "it is bootstrapped, but revoked all the same",
        revoked().bootstrapped(PARTNER).accounts(&[HOME, PARTNER]),
        NAME,
        &["partner has an account"],
    );
    check_broken("an ACL still names it", revoked().grant("./SCOMO", PARTNER), NAME, &["in the ACL of ./SCOMO"]);
}

#[test]
fn a_full_delegation_leaves_the_delegating_server_nothing() {
    const NAME: &str = "full_leaves_no_account";
    check("none is full", partially(), NAME, (0, 0, 0));
    check("full", fully(), NAME, (1, 0, 0));
    check_broken("the account stayed", fully().accounts(&[HOME, PARTNER]), NAME, &["home has an account"]);
    check_broken("an ACL still names it", fully().grant("./SCOMO", HOME), NAME, &["home is in the ACL of ./SCOMO"]);
    check_broken(
        "two full delegates",
        fully().record(HOME, THIRD, Side::Delegating, "./SCOMO", true, Standing::InForce).record(
            THIRD,
            HOME,
            Side::Delegated,
            "./SCOMO",
            true,
            Standing::InForce,
        ),
        NAME,
        &["fully delegated more than once, to partner, third"],
    );
}

#[test]
fn nothing_is_left_over() {
    const NAME: &str = "nothing_left_over";
    // One device and three servers are checked.
    check("idle", at_rest(), NAME, (4, 0, 0));
    check("an entry per delegation may stay", partially().with(|device| device.bootstrap_entries = 1), NAME, (4, 0, 0));
    for (case, scene, words) in [
        ("a session", at_rest().with(|device| device.open_sessions = 2), "2 open management sessions"),
        (
            "an entry of a delegation that ended",
            revoked().with(|device| device.bootstrap_entries = 1),
            "1 bootstrap entries with 0 delegations in force",
        ),
        (
            "a record under way",
            at_rest().record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::Moving("Terminating")),
            "under way (Terminating)",
        ),
        (
            "a record under way that nobody was told of",
            at_rest()
                .record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::Moving("Terminating"))
                .unannounced(PARTNER),
            "under way (Terminating)",
        ),
    ] {
        let found = promise(judged(scene), NAME);
        assert_eq!((found.checked, found.broken), (4, 1), "{case}");
        assert!(found.breaches[0].seen.contains(words), "{case}: {}", found.breaches[0]);
    }
    let found = promise(judged(at_rest().pending(PARTNER, 2)), NAME);
    assert_eq!((found.checked, found.broken), (4, 1));
    assert_eq!(found.breaches[0].to_string(), "server partner: 2 flows, jobs, sessions or timers left");
}

#[test]
fn somebody_in_charge_can_reach_the_device() {
    const NAME: &str = "manageable";
    check("the owner", at_rest(), NAME, (1, 0, 0));
    check("the delegate", fully(), NAME, (1, 0, 0));
    check_broken("nobody", at_rest().accounts(&[]), NAME, &["no server can manage it", "accounts of nobody"]);
    check_broken("orphan: full, but the delegate is not there", fully().accounts(&[HOME]), NAME, &["accounts of home"]);
    check_broken(
        "an account without a delegation",
        at_rest().accounts(&[PARTNER]).bootstrapped(PARTNER),
        NAME,
        &["accounts of partner"],
    );
}

#[test]
fn breaches_beyond_the_first_are_only_counted() {
    let scene = at_rest().accounts(&[]);
    let devices = (0..250).map(|number| DeviceView { device: DeviceNumber(number), ..scene.device.clone() });
    let found = promise(judge(devices, &scene.servers), "manageable");
    assert_eq!((found.checked, found.broken, found.breaches.len()), (250, 250, KEPT_BREACHES));
}

#[test]
fn a_record_about_another_device_says_nothing_about_this_one() {
    let mut scene = partially();
    scene.device = DeviceView { device: DeviceNumber(9), ..at_rest().device };
    for result in judged(scene) {
        assert_eq!(result.broken, 0, "{result:?}");
    }
}
