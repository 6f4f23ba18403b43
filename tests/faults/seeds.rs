//! The same seed, the same decisions: whatever two runs have both asked, they have answered alike, on one thread or on two.

use std::collections::BTreeSet;

use dmswarm::facts::{Fact, What};
use dmswarm::ids::ServerNumber;

use crate::stage::{HOME, LENT, PARTNER, Seen, fault, play, scene};
use crate::standing::Place;

const DEVICES: u32 = 40;
const TRIES: u32 = 3;

/// The messages of a delegation that is asked back, by their senders.
const MESSAGES: [(&str, &str); 8] = [
    ("home", "delegation_req"),
    ("home", "delegation_prepared"),
    ("home", "delegation_termination_req"),
    ("home", "delegation_revoked"),
    ("partner", "bootstrap_confirmed"),
    ("partner", "delegation_confirmed"),
    ("partner", "delegation_termination_resp"),
    ("home", "delegation_failure"),
];

/// A rule for each thing that can be asked, so that its name tells what was asked: facts only tell the rule.
fn rules() -> Vec<(Asked, String)> {
    let rare = "probability = 0.3";
    let mut rules = Vec::new();
    for (from, message) in MESSAGES {
        for attempt in 1..=TRIES {
            let about = format!("from = \"{from}\", message = \"{message}\", attempt = {attempt}");
            let name = format!("{message}-{attempt}");
            rules.push((
                Asked::Post(message, attempt),
                fault(&name, "http.request", &about, rare, r#"{ drop = "reset" }"#),
            ));
            let name = format!("answer-{message}-{attempt}");
            let does = "{ status = 503 }";
            rules
                .push((Asked::Post(message, attempt), fault(&name, "http.response.after_handler", &about, rare, does)));
        }
    }
    for (server, from) in [(HOME, "home"), (PARTNER, "partner")] {
        for session in 1..=3 {
            let about = format!("from = \"{from}\", session = {session}, attempt = 1");
            let name = format!("call-{from}-{session}");
            rules.push((Asked::Errand(server, session), fault(&name, "trigger", &about, rare, r#"{ delay = "1ms" }"#)));
        }
        for nth in 1..=4 {
            let about = format!("from = \"{from}\"");
            let when = format!("{rare}, nth = {nth}");
            let name = format!("write-{from}-{nth}");
            rules.push((Asked::Write(server, nth), fault(&name, "store", &about, &when, r#"{ delay = "1ms" }"#)));
        }
    }
    for (server, to) in [(HOME, "home"), (PARTNER, "partner")] {
        for session in 1..=4 {
            let about = format!("to = \"{to}\", session = {session}");
            let name = format!("session-{session}-{to}");
            let asked = Asked::Session(server, session);
            rules.push((asked, fault(&name, "device", &about, rare, r#"{ busy = "1ms" }"#)));
            for nth in 1..=2 {
                let about = format!("direction = \"device-to-server\", {about}");
                let when = format!("{rare}, nth = {nth}");
                let name = format!("package-{session}-{to}-{nth}");
                let asked = Asked::Package(server, session, nth);
                rules.push((asked, fault(&name, "tcp", &about, &when, r#"{ slice = 500 }"#)));
            }
        }
    }
    rules
}

/// What a rule is asked about.
#[derive(Clone, Copy)]
enum Asked {
    Post(&'static str, u32),
    /// The how-manieth errand of a server.
    Errand(ServerNumber, usize),
    /// The how-manieth write of a server. A record is written whenever it has come to another state.
    Write(ServerNumber, usize),
    /// The how-manieth session of the device, if it is with this server.
    Session(ServerNumber, usize),
    /// The first or second package in it.
    Package(ServerNumber, usize, usize),
}

impl Asked {
    /// Whether it was asked for sure, as far as facts show.
    fn was_asked(self, seen: &Seen, device: usize) -> bool {
        let facts = || seen.facts[device].iter().map(|fact| &fact.what);
        match self {
            Asked::Post(message, number) => facts().any(
                |what| matches!(what, What::Sent { kind, attempt, .. } if kind.root() == message && *attempt == number),
            ),
            Asked::Errand(server, number) => {
                facts().filter(|what| matches!(what, What::ErrandBegan { at, .. } if *at == server)).count() >= number
            }
            Asked::Write(server, number) => {
                facts().filter(|what| matches!(what, What::Moved { at, .. } if *at == server)).count() >= number
            }
            Asked::Session(server, number) => of_session(&seen.facts[device], server, number).is_some(),
            Asked::Package(server, number, nth) => {
                // Whoever has been asked to do something says in the second package what has come of it.
                let is_second_due = |fact: &Fact| matches!(fact.what, What::Operated { by, .. } if by == server);
                let session = of_session(&seen.facts[device], server, number);
                session.is_some_and(|facts| nth == 1 || facts.iter().any(is_second_due))
            }
        }
    }
}

/// The facts from the opening of the device's session of this number to that of the next, if it is with this server.
fn of_session(facts: &[Fact], server: ServerNumber, number: usize) -> Option<&[Fact]> {
    let opens = |fact: &&Fact| matches!(fact.what, What::SessionOpened { .. });
    let place = facts.iter().enumerate().filter(|(_, fact)| opens(fact)).nth(number - 1)?.0;
    let (first, rest) = facts[place..].split_first()?;
    let length = rest.iter().take_while(|fact| !opens(fact)).count();
    (first.what == What::SessionOpened { with: server }).then_some(&rest[..length])
}

#[test]
fn two_runs_agree_on_whatever_both_have_asked() {
    let (asked, texts): (Vec<Asked>, Vec<String>) = rules().into_iter().unzip();
    let scenario = scene(DEVICES, LENT, &texts.concat());
    let place = Place::new();
    let first = play(&place, &scenario, 1);
    let (second, third) = std::thread::scope(|scope| {
        let again = |lanes| {
            let (place, scenario) = (&place, &scenario);
            scope.spawn(move || play(place, scenario, lanes))
        };
        let (second, third) = (again(1), again(2));
        (second.join().expect("it runs"), third.join().expect("it runs"))
    });
    for (run, other) in [("one thread again", &second), ("two threads", &third)] {
        assert_eq!(other.complaints(), Vec::<String>::new(), "{run}");
        let mut agreed = [0, 0];
        for device in 0..DEVICES as usize {
            let (one, two) = (fired(&first, device), fired(other, device));
            for (rule, asked) in asked.iter().enumerate() {
                if !asked.was_asked(&first, device) || !asked.was_asked(other, device) {
                    continue;
                }
                let (one, two) = (one.contains(&rule), two.contains(&rule));
                assert_eq!(one, two, "{run}: {} on device {device}", scenario.faults[rule].name);
                agreed[usize::from(one)] += 1;
            }
        }
        let [quiet, fired] = agreed;
        let share = f64::from(fired) / f64::from(quiet + fired);
        assert!(quiet + fired > 800 && (0.25..0.35).contains(&share), "{run}: {fired} of {} fired", quiet + fired);
    }
}

fn fired(seen: &Seen, device: usize) -> BTreeSet<usize> {
    let rules = seen.facts[device].iter().filter_map(|fact| match fact.what {
        What::Fault { rule } => Some(rule),
        _ => None,
    });
    rules.collect()
}

#[test]
fn another_seed_decides_otherwise() {
    let rule = fault("f", "http.request", "attempt = 1", "probability = 0.3", r#"{ delay = "1ms" }"#);
    let mut scenario = scene(8, LENT, &rule);
    let place = Place::new();
    let decisions = [7, 8].map(|seed| {
        scenario.seed = dmswarm::seed::Seed(seed);
        let seen = play(&place, &scenario, 1);
        (0..8).map(|device| seen.faults(device)).collect::<Vec<usize>>()
    });
    assert_ne!(decisions[0], decisions[1]);
}
