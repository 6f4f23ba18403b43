//! A server that is killed or paused, and a store that fails: what goes, what comes back, and what others see of it.

use std::time::Duration;

use dmswarm::clock::Clock;
use dmswarm::delegation::machine::Standing;
use dmswarm::facts::{Fact, Heard, What};
use dmswarm::ids::ServerNumber;
use dmswarm::run::stand::Stand;
use dmswarm::transport::{Call, CallError, Dialer, DialerOptions, Names};

use crate::stage::{
    HOME, LENT, PARTNER, Seen, facts_of, fault, on_stage, play, scene, scene_with, see, side_by_side, told, trees,
    until,
};
use crate::standing::Place;

/// Steps of a delegation that is asked back, at which its servers are killed, with the one that is.
const STEPS: &[(ServerNumber, &str)] = &[
    (HOME, "wish any at home"),
    (HOME, "sent delegation_req by home"),
    (PARTNER, "taken delegation_req at partner"),
    (HOME, "answered delegation_req at home"),
    (PARTNER, "sent bootstrap_confirmed by partner"),
    (HOME, "taken bootstrap_confirmed at home"),
    (HOME, "errand prepare begins at home"),
    (HOME, "session begins with home"),
    (HOME, "errand prepare ends at home"),
    (HOME, "sent delegation_prepared by home"),
    (PARTNER, "taken delegation_prepared at partner"),
    (PARTNER, "errand visit begins at partner"),
    (PARTNER, "sent delegation_confirmed by partner"),
    (HOME, "taken delegation_confirmed at home"),
    (PARTNER, "answered delegation_confirmed at partner"),
    (HOME, "state AtRest at home"),
    (PARTNER, "state AtRest at partner"),
    (HOME, "sent delegation_termination_req by home"),
    (PARTNER, "sent delegation_termination_resp by partner"),
    (HOME, "errand remove-account ends at home"),
    (HOME, "sent delegation_revoked by home"),
    (PARTNER, "taken delegation_revoked at partner"),
];

const DOWN: Duration = Duration::from_millis(150);

fn kill(at: ServerNumber, step: &str, state: &str) -> String {
    let from = if at == HOME { "home" } else { "partner" };
    let about = format!("from = \"{from}\", step = \"{step}\", devices = 1");
    fault("f", "process", &about, "", &format!("{{ kill = \"150ms\", state = \"{state}\" }}"))
}

#[test]
fn whenever_a_server_dies_every_flow_ends_once_and_the_dead_one_does_nothing() {
    let states = ["durable", "older", "nothing"];
    let cases: Vec<_> = STEPS.iter().flat_map(|step| states.map(|state| (*step, state))).collect();
    side_by_side(&cases, |place, ((at, step), state)| {
        // On two threads too, where a server may be told of its fate by another.
        let lanes = if *state == "durable" { 2 } else { 1 };
        let seen = play(place, &scene(3, LENT, &kill(*at, step, state)), lanes);
        let mut complaints = seen.complaints();
        complaints.extend(not_dead(&seen, *at));
        if *state == "durable" {
            complaints.extend(left_behind(&seen));
        }
        if complaints.is_empty() {
            return complaints;
        }
        vec![
            format!("---- {at:?} killed at {step}, back with {state}: {}", complaints.join("; ")),
            told(&seen.facts[1]),
        ]
    });
}

/// What shows that a server was not as dead as it should have been, on the device at whose step it was killed.
fn not_dead(seen: &Seen, dead: ServerNumber) -> Vec<String> {
    let facts = &seen.facts[1];
    let place = |what: What| facts.iter().position(|fact| fact.what == what);
    let (Some(killed), Some(back)) = (place(What::Killed { at: dead }), place(What::Restarted { at: dead })) else {
        return vec!["it was not killed, or did not come back".to_owned()];
    };
    let mut complaints = Vec::new();
    if facts[back].at - facts[killed].at < DOWN {
        complaints.push("it was back too soon".to_owned());
    }
    // A device's sessions end when it learns of it.
    let is_its_own = |what: &What| {
        what.server() == Some(dead)
            && !matches!(
                what,
                What::SessionOpened { .. } | What::SessionEnded { .. } | What::Operated { .. } | What::Account { .. }
            )
    };
    let lively = facts[killed + 1..back].iter().find(|fact| is_its_own(&fact.what));
    complaints.extend(lively.map(|fact| format!("it did something while it was dead: {:?}", fact.what)));
    // What left before may be answered until then.
    let is_sent_since = |heard: &What, place: usize| {
        let What::Heard { at: by, kind: said, attempt: nth, .. } = heard else { return false };
        facts[killed..place].iter().any(|fact| {
            matches!(&fact.what, What::Sent { from, kind, attempt, .. } if (from, kind, attempt) == (by, said, nth))
        })
    };
    let reached = facts[..back].iter().enumerate().skip(killed).find(|(place, fact)| {
        let is_answer = matches!(&fact.what, What::Heard { from, answer, .. }
            if *from == dead && !matches!(answer, Heard::Unreachable));
        is_answer && is_sent_since(&fact.what, *place)
    });
    complaints.extend(reached.map(|(_, fact)| format!("somebody was answered while it was dead: {:?}", fact.what)));
    complaints
}

/// A delegation that has come to its end leaves a device as it was; one that is in force still leaves a record.
fn left_behind(seen: &Seen) -> Vec<String> {
    let mut complaints = Vec::new();
    for (device, [before, after]) in seen.trees.iter().enumerate() {
        let records = seen.servers.iter().flat_map(|server| server.records.iter().flatten());
        let has_record = records.into_iter().any(|record| record.device.0 as usize == device);
        if !has_record && before != after {
            complaints.push(format!("device {device} is not as it was, and no server knows of it"));
        }
    }
    complaints
}

/// Whether a server has the delegation of device 1 on record at the end, in force.
fn holds(seen: &Seen, server: ServerNumber) -> bool {
    let view = seen.servers.iter().find(|view| view.server == server).expect("it stands again");
    let mut records = view.records.iter().flatten();
    records.any(|record| record.device.0 == 1 && record.standing == Standing::InForce)
}

const ONLY_LENT: &str = r#""delegate home -> partner by dmacc subtree ./SCOMO expect any", "wait 300ms""#;
/// Both have settled, and everything has been written.
const AT_EASE: &str = "step 2";

#[test]
fn what_was_in_the_store_comes_back() {
    let records = |state: &str, policy: &str| {
        let about = format!("from = \"partner\", step = \"{AT_EASE}\", devices = 1");
        let kill = fault("f", "process", &about, "", &format!("{{ kill = \"150ms\", state = \"{state}\" }}"));
        let seen = play(&Place::new(), &scene_with(3, ONLY_LENT, &format!("policy = \"{policy}\""), &kill), 1);
        assert_eq!(seen.complaints(), Vec::<String>::new(), "{}", told(&seen.facts[1]));
        assert_eq!(seen.count(1, "restarted partner"), 1);
        (holds(&seen, HOME), holds(&seen, PARTNER))
    };
    assert_eq!(records("durable", "hardened"), (true, true));
    assert_eq!(records("nothing", "hardened"), (true, false));
    // As it was before its last write: it has not heard that its last message was taken, says it again, and is content.
    assert_eq!(records("older", "hardened"), (true, true));
    assert_eq!(records("durable", "literal"), (true, true));
    // The text knows of no restart: what was under way in the store is forgotten.
    assert_eq!(records("older", "literal"), (true, false));
}

#[test]
fn a_write_that_fails_is_made_good_by_a_careful_server_and_not_noticed_by_one_that_goes_by_the_text() {
    let after_death = |policy: &str| {
        let about = format!("from = \"partner\", step = \"{AT_EASE}\", devices = 1");
        let kill = fault("f", "process", &about, "", r#"{ kill = "150ms", state = "durable" }"#);
        let fails = fault("g", "store", r#"from = "partner", devices = 1"#, "", r#""fail""#);
        let scenario = scene_with(3, ONLY_LENT, &format!("policy = \"{policy}\""), &format!("{kill}{fails}"));
        let seen = play(&Place::new(), &scenario, 1);
        assert_eq!(seen.complaints(), Vec::<String>::new());
        holds(&seen, PARTNER)
    };
    assert!(after_death("hardened"));
    assert!(!after_death("literal"), "it was never written");
}

#[test]
fn a_slow_write_is_not_overtaken_by_the_next() {
    for policy in ["literal", "hardened"] {
        let slow = fault("s", "store", r#"from = "home", devices = 1"#, "nth = 2", r#"{ delay = "200ms" }"#);
        // Home has come to rest, and all its writes have been done.
        let steps = r#""delegate home -> partner by dmacc subtree ./SCOMO", "wait 400ms", "revoke asked expect any""#;
        let about = r#"from = "home", step = "wish revoke.asked at home", devices = 1"#;
        let kill = fault("f", "process", about, "", r#"{ kill = "150ms", state = "durable" }"#);
        let scenario = scene_with(3, steps, &format!("policy = \"{policy}\""), &format!("{slow}{kill}"));
        let seen = play(&Place::new(), &scenario, 1);
        assert_eq!(seen.complaints(), Vec::<String>::new());
        // The wish has died with it; what it has of device 1 is the delegation at rest.
        let home = seen.servers.iter().find(|view| view.server == HOME).expect("it stands again");
        let of_1 = home.records.iter().flatten().filter(|record| record.device.0 == 1);
        let standings: Vec<Standing> = of_1.map(|record| record.standing).collect();
        assert_eq!(standings, [Standing::InForce], "{policy}\n{}", told(&seen.facts[1]));
    }
}

#[test]
fn a_message_that_comes_again_is_answered_once_the_write_of_the_first_is_done() {
    let slow = fault("s", "store", r#"from = "partner", devices = 1"#, "nth = 1", r#"{ delay = "700ms" }"#);
    // Home gives up after 500 ms, and tries again before the write is done.
    for (policy, waits) in [("literal", false), ("hardened", true)] {
        let top = format!("policy = \"{policy}\"");
        let seen = play(&Place::new(), &scene_with(3, LENT, &top, &slow), 1);
        assert_eq!(seen.complaints(), Vec::<String>::new());
        let (place, taken) = seen.first(1, 0, "taken delegation_req at partner").expect("it came");
        let heard = |fact: &&Fact| matches!(fact.what, What::Heard { at: HOME, answer: Heard::Message(_), .. });
        let heard = seen.facts[1][place..].iter().find(heard).expect("home has an answer");
        assert_eq!(heard.at - taken.at >= Duration::from_millis(700), waits, "{policy}\n{}", told(&seen.facts[1]));
    }
}

#[test]
fn a_server_dies_at_the_step_that_is_named_although_it_waits_for_a_write() {
    let slow = fault("s", "store", r#"from = "partner", devices = 1"#, "nth = 1", r#"{ delay = "700ms" }"#);
    let about = r#"from = "partner", step = "repeated delegation_req at partner", devices = 1"#;
    let kill = fault("f", "process", about, "", r#"{ kill = "150ms", state = "durable" }"#);
    let seen = play(&Place::new(), &scene(3, LENT, &format!("{slow}{kill}")), 1);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    let (_, killed) = seen.first(1, 0, "killed partner").expect("it dies");
    let (_, repeated) = seen.first(1, 0, "repeated delegation_req at partner").expect("it came twice");
    assert!(killed.at - repeated.at < Duration::from_millis(100), "{}", told(&seen.facts[1]));
}

#[test]
fn a_paused_server_does_nothing_and_then_goes_on() {
    let about = r#"from = "partner", step = "taken delegation_prepared at partner", devices = 1"#;
    let scenario = scene(3, LENT, &fault("f", "process", about, "", r#"{ pause = "300ms" }"#));
    let seen = play(&Place::new(), &scenario, 1);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    assert_eq!(seen.shard.done(), 6, "everybody has waited for it: {}", told(&seen.facts[1]));
    let (place, paused) = seen.first(1, 0, "fault f").expect("it was paused");
    let heard =
        |fact: &&Fact| matches!(fact.what, What::Heard { at: PARTNER, .. } | What::ErrandEnded { at: PARTNER, .. });
    let next = seen.facts[1][place..].iter().find(heard).expect("it went on");
    assert!(next.at - paused.at >= Duration::from_millis(300), "{}", told(&seen.facts[1]));
    // What the message that it was paused at leads to waits as well: its answer first.
    let answered = seen.facts[1][place..].iter().find(|fact| matches!(fact.what, What::Heard { at: HOME, .. }));
    let answered = answered.expect("home has its answer");
    assert!(answered.at - paused.at >= Duration::from_millis(300), "{}", told(&seen.facts[1]));
}

#[test]
fn a_message_that_has_left_arrives_although_its_sender_dies() {
    let seen =
        play(&Place::new(), &scene(3, LENT, &kill(PARTNER, "sent delegation_confirmed by partner", "durable")), 1);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    assert!(seen.find(1, "killed partner then taken delegation_confirmed at home then restarted partner"));
    assert!(!seen.find(1, "killed partner then answered delegation_confirmed at partner then restarted partner"));
}

#[test]
fn a_message_that_is_held_up_dies_with_its_sender() {
    let held = fault(
        "g",
        "http.request",
        r#"message = "delegation_prepared", devices = 1, attempt = 1"#,
        "",
        r#"{ delay = "400ms" }"#,
    );
    let seen = play(&Place::new(), &scene(3, LENT, &format!("{held}{}", kill(HOME, "fault g", "nothing"))), 1);
    assert_eq!(seen.complaints(), Vec::<String>::new());
    assert!(seen.find(1, "fault g then fault f then killed home then restarted home"), "{}", told(&seen.facts[1]));
    assert_eq!(seen.count(1, "sent delegation_prepared by home"), 0);
    assert_eq!(seen.count(1, "timer any at home"), 0, "its timers went with it");
}

#[test]
fn the_door_of_a_dead_server_hangs_up() {
    let about = r#"from = "partner", step = "settled done at partner as delegated", devices = 1"#;
    let kill = fault("f", "process", about, "", r#"{ kill = "600ms", state = "durable" }"#);
    let scenario = scene(3, ONLY_LENT, &kill);
    on_stage(&Place::new(), &scenario, 1, async |stand| {
        let trees_before = trees(stand).await;
        let (_, finished) = stand.begin(Some(scenario.plan())).await;
        until(async || facts_of(stand, 1).iter().any(|fact| fact.what == What::Killed { at: PARTNER })).await;
        let refused = knock(stand, PARTNER).await.expect_err("nobody is there");
        assert!(matches!(refused, CallError::Broken { .. }), "{refused}");
        assert_eq!(knock(stand, HOME).await.expect("home is there"), 400, "an empty body is no message");
        assert!(!stand.rest(stand.blueprint().clock.now()).await, "a server that is to come back is not at rest");
        finished.await;
        let seen = see(stand, &scenario, trees_before).await;
        assert_eq!(seen.complaints(), Vec::<String>::new());
        assert_eq!(knock(stand, PARTNER).await.expect("it is back"), 400);
    });
}

/// The status of an empty POST of the other server.
async fn knock(stand: &Stand, at: ServerNumber) -> Result<u16, CallError> {
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    let names = Names::new(["dms1.example.test", "dms2.example.test"].map(|host| (host, here)));
    let other = ServerNumber(1 - at.0);
    let (to, from) = (stand.blueprint().server(at).interface.clone(), stand.blueprint().server(other).identity.clone());
    let call = Call::post(to, from, "application/vnd.dm.delegation+xml", String::new());
    Dialer::new(names, DialerOptions::default(), Clock::start()).call(call).await.map(|reply| reply.status)
}
