//! A fault is about what its selector names, and about nothing else; and when faults are over, nothing fires any more.

use std::time::Duration;

use dmswarm::delegation::retry::{Retries, Retry};
use dmswarm::facts::{Heard, What};
use dmswarm::ids::ServerNumber;

use crate::stage::{
    FETCHED, HOME, LENT, PARTNER, Seen, fault, on_stage, play, scene, scene_with, see, told, trees, until,
};
use crate::standing::Place;

/// Runs this fault among four devices; whatever holds for every run is checked.
#[track_caller]
fn run(journey: &str, more: &str) -> Seen {
    let seen = play(&Place::new(), &scene(4, journey, more), 2);
    let complaints = seen.complaints();
    assert!(complaints.is_empty(), "{complaints:?}\n{}", told(&seen.facts[1]));
    seen
}

/// How many facts of each device are of a kind.
fn each(seen: &Seen, is_it: impl Fn(&What) -> bool) -> Vec<usize> {
    seen.facts.iter().map(|facts| facts.iter().filter(|fact| is_it(&fact.what)).count()).collect()
}

fn faults(seen: &Seen) -> Vec<usize> {
    each(seen, |what| matches!(what, What::Fault { .. }))
}

/// Whether POSTs of a server had to be sent again, or came to nothing.
fn is_disturbed(what: &What, server: ServerNumber) -> bool {
    match what {
        What::Sent { from, attempt, .. } => *from == server && *attempt > 1,
        What::Heard { at, answer, .. } => *at == server && matches!(answer, Heard::Unreachable | Heard::TimedOut),
        _ => false,
    }
}

#[test]
fn what_is_from_home_leaves_partner_alone() {
    let lost = |about: &str| run(LENT, &fault("f", "http.request", about, "", r#"{ drop = "reset" }"#));
    for about in [r#"from = "home", to = "partner", attempt = 1"#, r#"role = "delegating", attempt = 1"#] {
        let seen = lost(about);
        assert_eq!(each(&seen, |what| is_disturbed(what, PARTNER)), [0; 4], "{about}");
        // DELEGATION_REQ, DELEGATION_PREPARED, DELEGATION_TERMINATION_REQ and DELEGATION_REVOKED, each tried twice.
        assert_eq!(each(&seen, |what| is_disturbed(what, HOME)), [8; 4], "{about}");
        assert_eq!(faults(&seen), [4; 4], "{about}");
        assert_eq!(seen.shard.done(), 8, "{about}: all come to their end with the second try");
    }
    let seen = lost(r#"role = "delegated", attempt = 1"#);
    assert_eq!(each(&seen, |what| is_disturbed(what, HOME)), [0; 4]);
    assert!(faults(&seen).iter().all(|fired| *fired > 0));
}

#[test]
fn what_is_about_devices_and_partner_leaves_sessions_with_home_alone() {
    let about = r#"direction = "device-to-server", to = "partner", session = 2"#;
    let seen = run(LENT, &fault("f", "http.request", about, "first = 1", r#"{ drop = "reset" }"#));
    assert_eq!(faults(&seen), [1; 4]);
    let broken = |what: &What, server| matches!(what, What::SessionEnded { with, in_order: false } if *with == server);
    assert_eq!(each(&seen, |what| broken(what, HOME)), [0; 4]);
    assert_eq!(each(&seen, |what| broken(what, PARTNER)), [1; 4]);
    assert_eq!(seen.shard.done(), 8, "partner calls again");
}

#[test]
fn a_rule_of_one_kind_of_exchange_fires_on_no_other() {
    let seen = run(LENT, &fault("f", "bootstrap", "", "", "{ status = 503 }"));
    assert_eq!((faults(&seen), seen.shard.done()), (vec![0; 4], 8), "nothing is fetched where accounts are written");
    let seen = run(FETCHED, &fault("f", "bootstrap", "", "", r#"{ delay = "1ms" }"#));
    assert_eq!((faults(&seen), seen.shard.done()), (vec![1; 4], 8), "one document each");
    let seen = run(FETCHED, &fault("f", "protocol", "", "", r#"{ xml = "comment" }"#));
    assert_eq!(faults(&seen), each(&seen, |what| matches!(what, What::Sent { .. })), "messages, and no packages");
    assert_eq!(seen.shard.done(), 8);
}

#[test]
fn sessions_of_a_device_are_counted_from_1() {
    for session in 1..=3 {
        let about = format!("session = {session}, devices = [0, 2]");
        let seen = run(LENT, &fault("f", "device", &about, "", r#"{ busy = "1ms" }"#));
        assert_eq!(faults(&seen), [1, 0, 1, 0], "session {session}");
        let facts = &seen.facts[2];
        let fired = facts.iter().position(|fact| matches!(fact.what, What::Fault { .. })).expect("it fired");
        let opened = facts[..fired].iter().filter(|fact| matches!(fact.what, What::SessionOpened { .. })).count();
        assert_eq!(opened, session - 1, "it fires as the session is opened");
    }
}

#[test]
fn triggers_are_counted_by_the_errands_of_their_device() {
    let about = r#"from = "home", role = "delegating", session = 2"#;
    let seen = run(LENT, &fault("f", "trigger", about, "", r#""twice""#));
    assert_eq!(faults(&seen), [1; 4], "whatever errands there are with other devices");
    for device in 0..4 {
        assert!(
            seen.find(device, "errand remove-account begins at home then fault f"),
            "{}",
            told(&seen.facts[device])
        );
    }
    let about = r#"role = "delegated""#;
    let seen = run(LENT, &fault("f", "trigger", about, "", r#""twice""#));
    assert_eq!(faults(&seen), [1; 4], "partner calls once");
}

#[test]
fn packages_are_counted_within_their_session() {
    let about = r#"direction = "device-to-server", to = "home""#;
    let seen = run(LENT, &fault("f", "http.request", about, "nth = 2", r#"{ delay = "1ms" }"#));
    let sessions = each(&seen, |what| *what == What::SessionOpened { with: HOME });
    assert_eq!(sessions, [2; 4]);
    assert_eq!(faults(&seen), sessions, "the second package of each");
}

#[test]
fn writes_are_counted_for_each_device_at_each_server() {
    let seen = run(LENT, &fault("f", "store", r#"from = "partner", devices = [0, 1]"#, "nth = 2", r#""fail""#));
    assert_eq!(faults(&seen), [1, 1, 0, 0]);
    let seen = run(LENT, &fault("f", "store", "", "nth = 2", r#"{ delay = "1ms" }"#));
    assert_eq!(faults(&seen), [2; 4], "once at home and once at partner");
    assert_eq!(seen.shard.done(), 8);
}

#[test]
fn a_fault_can_be_the_step_of_another() {
    let about = r#"message = "delegation_prepared", devices = 1"#;
    let first = fault("f", "http.request", about, "", r#"{ delay = "1ms" }"#);
    let then = fault("g", "process", r#"from = "home", step = "fault f""#, "", r#"{ pause = "50ms" }"#);
    let at_step = fault("h", "process", r#"from = "home", step = "fault g""#, "", r#"{ pause = "50ms" }"#);
    let seen = run(LENT, &[first, then, at_step].concat());
    assert_eq!(faults(&seen), [0, 3, 0, 0]);
    assert!(seen.find(1, "fault f then fault g then fault h"));
}

#[test]
fn a_budget_goes_to_devices_of_the_class_that_is_meant() {
    let classes = "[[population.class]]\nname = \"a\"\nshare = 3\n[[population.class]]\nname = \"b\"\nshare = 1\n";
    let rule = fault(
        "f",
        "http.request",
        r#"class = "b", attempt = 1"#,
        "budget = 2, budget_per_device = 1",
        r#"{ delay = "1ms" }"#,
    );
    let scenario = scene(16, LENT, &format!("{classes}{rule}"));
    let seen = play(&Place::new(), &scenario, 2);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    assert_eq!(faults(&seen).iter().sum::<usize>(), 2, "it is not spent on devices of the other class");
}

#[test]
fn what_nobody_waits_for_any_more_is_not_sent_again() {
    let lost = r#"message = "delegation_prepared", attempt = 1, devices = 1"#;
    let lost = fault("f", "http.response.after_handler", lost, "", r#"{ drop = "reset" }"#);
    let late = r#"message = "delegation_confirmed", devices = 1"#;
    let late = fault("g", "http.request", late, "", r#"{ delay = "100ms" }"#);
    let mut scenario = scene(4, LENT, &format!("{lost}{late}"));
    let wait = Duration::from_millis(400);
    scenario.retries = Retries::all(Retry { tries: 3, wait, longest: wait, jitter: 0 });
    let seen = play(&Place::new(), &scenario, 1);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    // It has been confirmed before the second try was due.
    assert!(seen.find(1, "unanswered delegation_prepared at home then taken delegation_confirmed at home"));
    assert_eq!((seen.count(1, "sent delegation_prepared by home"), seen.shard.done()), (1, 8));
}

#[test]
fn nothing_fires_once_faults_are_over() {
    let everywhere = ["http.request", "trigger", "http.response.after_handler", "store"];
    let rules: String = everywhere
        .iter()
        .enumerate()
        .map(|(number, site)| fault(&format!("f{number}"), site, "", "", r#"{ delay = "1ms" }"#))
        .collect();
    let steps = r#""delegate home -> partner by dmacc subtree ./SCOMO", "wait 700ms", "revoke asked""#;
    let scenario = scene_with(4, steps, "", &rules);
    let (before, seen) = on_stage(&Place::new(), &scenario, 2, async |stand| {
        let (_, finished) = stand.begin(Some(scenario.plan())).await;
        // All delegations are had, and nobody has anything in hand until the revocations begin.
        until(async || stand.progress().await.flows_ended == 4).await;
        assert!(stand.rest(stand.blueprint().clock.now() + Duration::from_secs(5)).await);
        stand.blueprint().faults.heal();
        let before = stand.blueprint().faults.counts();
        finished.await;
        (before, see(stand, &scenario, trees(stand).await).await)
    });
    assert!(before.iter().all(|count| count.injected > 0), "{before:?}");
    assert_eq!(seen.counts, before, "nothing is counted any more");
    assert_eq!(faults(&seen).iter().sum::<usize>() as u64, before.iter().map(|count| count.injected).sum::<u64>());
    assert_eq!(seen.shard.done(), 8, "the revocations have been had");
    assert!(stand_is_quiet(&seen), "faults that were under way have come to their end");
}

fn stand_is_quiet(seen: &Seen) -> bool {
    seen.came_to_rest && seen.servers.iter().all(|server| server.pending == 0)
}

#[test]
fn a_message_with_the_session_of_another_device_is_seen_there_too() {
    let does = r#"{ session = "foreign" }"#;
    let seen = run(LENT, &fault("f", "protocol", r#"message = "delegation_prepared", devices = [1]"#, "", does));
    let misdirected = |what: &What| matches!(what, What::Misdirected { from: HOME, to: PARTNER, .. });
    assert_eq!(each(&seen, misdirected), [0, 0, 1, 0], "{}", told(&seen.facts[2]));
    assert!(faults(&seen)[1] > 0 && faults(&seen)[2] == 0);
}
