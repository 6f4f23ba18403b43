//! What a delegation that failed has done is undone: the device's whole tree is as it was, wherever it broke off.

use dmswarm::delegation::flow::Outcome;
use dmswarm::facts::What;

use crate::stage::{HOME, Seen, fault, play, scene, side_by_side, told};
use crate::standing::Place;

/// One way to fail.
struct Failure {
    site: &'static str,
    about: &'static str,
    when: &'static str,
    does: &'static str,
    /// Whether it can happen where the account is written, and where the device fetches it.
    by_account: bool,
    by_url: bool,
}

const fn failure(site: &'static str, about: &'static str, does: &'static str) -> Failure {
    Failure { site, about, when: "", does, by_account: true, by_url: true }
}

impl Failure {
    const fn only_by_account(self) -> Failure {
        Failure { by_url: false, ..self }
    }

    const fn only_by_url(self) -> Failure {
        Failure { by_account: false, ..self }
    }

    /// Until home has begun to put things right.
    const fn until_undo(self) -> Failure {
        Failure { when: r#"before = "errand undo begins at home""#, ..self }
    }
}

const LOST: &str = r#"{ drop = "reset" }"#;
const REQ: &str = r#"message = "delegation_req""#;
const BC: &str = r#"message = "bootstrap_confirmed""#;
const PREPARED: &str = r#"message = "delegation_prepared""#;
const CONFIRMED: &str = r#"message = "delegation_confirmed""#;
const URL: &str = r#"message = "bootstrap_srv_url_req""#;

const FAILURES: &[Failure] = &[
    // The device says no.
    failure("device", r#"to = "home", session = 1"#, "{ refuse = 405 }"),
    failure("device", r#"to = "home", session = 1"#, "{ refuse = 420 }"),
    failure("device", r#"to = "home", session = 1"#, "{ refuse = 425 }"),
    failure("device", r#"to = "home", session = 1"#, "{ refuse = 500 }"),
    // It breaks off after so many commands, and is tried again in vain.
    failure("device", r#"to = "home""#, "{ drop_after = 1 }").until_undo(),
    failure("device", r#"to = "home""#, "{ drop_after = 2 }").until_undo(),
    failure("device", r#"to = "home""#, "{ drop_after = 3 }").until_undo(),
    failure("device", r#"to = "home""#, "{ drop_after = 4 }").until_undo().only_by_account(),
    failure("device", r#"to = "home""#, r#""lose-status""#).until_undo(),
    failure("device", r#"to = "home""#, r#""reboot""#).until_undo(),
    failure("trigger", r#"from = "home""#, r#""drop""#).until_undo(),
    failure("http.request", r#"direction = "device-to-server", to = "home""#, LOST).until_undo(),
    failure("http.response.after_handler", r#"direction = "device-to-server", to = "home""#, LOST).until_undo(),
    // The delegate does not reach it.
    failure("trigger", r#"from = "partner""#, r#""drop""#).only_by_account(),
    failure("device", r#"to = "partner""#, r#""reboot""#),
    failure("http.request", r#"direction = "device-to-server", to = "partner""#, LOST),
    // The peer says no.
    failure("http.response.before_handler", REQ, "{ refuse = 405 }"),
    failure("protocol", BC, "{ reason = 406 }").only_by_account(),
    failure("protocol", CONFIRMED, "{ reason = 406 }"),
    failure("http.response.before_handler", PREPARED, "{ refuse = 405 }").only_by_account(),
    failure("http.response.before_handler", URL, "{ refuse = 405 }").only_by_url(),
    failure("protocol", REQ, r#"{ xml = "truncated" }"#),
    failure("protocol", PREPARED, r#"{ session = "unknown" }"#).only_by_account(),
    failure("protocol", PREPARED, r#""wrong-phase""#).only_by_account(),
    failure("protocol", PREPARED, r#""invert-role""#).only_by_account(),
    // Messages and answers are lost, and timers fire.
    failure("http.request", REQ, LOST),
    failure("http.request", BC, LOST).only_by_account(),
    failure("http.request", PREPARED, LOST).only_by_account(),
    failure("http.request", CONFIRMED, LOST).only_by_account(),
    failure("http.request", URL, LOST).only_by_url(),
    failure("http.response.after_handler", REQ, LOST),
    failure("http.response.after_handler", URL, LOST).only_by_url(),
    // The document does not come, or is of no use.
    failure("bootstrap", "", "{ status = 503 }").only_by_url(),
    failure("bootstrap", "", r#""empty-body""#).only_by_url(),
    failure("bootstrap", "", r#""stale""#).only_by_url(),
];

/// The journeys: by account and by URL, of a part and of all, with an account beforehand and without.
const JOURNEYS: &[(&str, bool)] = &[
    ("steps = [\"delegate home -> partner by dmacc subtree ./SCOMO expect any\"]", false),
    ("steps = [\"delegate home -> partner by dmacc full expect any\"]", false),
    ("bootstrapped = [\"partner\"]\nsteps = [\"delegate home -> partner by dmacc subtree ./SCOMO expect any\"]", false),
    ("steps = [\"delegate home -> partner by url subtree ./SCOMO expect any\"]", true),
    ("steps = [\"delegate home -> partner by url full expect any\"]", true),
];

#[test]
fn the_whole_tree_is_as_it_was_when_a_delegation_has_failed() {
    let mut cases = Vec::new();
    for failure in FAILURES {
        let journeys = JOURNEYS.iter().filter(|(_, by_url)| if *by_url { failure.by_url } else { failure.by_account });
        cases.extend(journeys.map(|(journey, _)| (failure, *journey)));
    }
    side_by_side(&cases, |place, (failure, journey)| check(place, failure, journey));
}

fn check(place: &Place, failure: &Failure, journey: &str) -> Vec<String> {
    let scenario = scene(1, journey, &fault("f", failure.site, failure.about, failure.when, failure.does));
    let seen = play(place, &scenario, 1);
    let mut complaints = seen.complaints();
    let [before, after] = &seen.trees[0];
    if seen.faults(0) == 0 {
        complaints.push("it never fired".to_owned());
    }
    match outcome_at_home(&seen) {
        Some(Outcome::Stranded { .. }) | None => complaints.push("it was not undone".to_owned()),
        Some(Outcome::Done) => complaints.push("it did not fail".to_owned()),
        Some(_) if before != after => complaints.extend(differences(before, after)),
        Some(_) => {}
    }
    if complaints.is_empty() {
        return complaints;
    }
    let title =
        format!("---- {} at {} ({}), {journey}: {}", failure.does, failure.site, failure.about, complaints.join("; "));
    vec![title, told(&seen.facts[0])]
}

fn outcome_at_home(seen: &Seen) -> Option<Outcome> {
    seen.facts[0].iter().find_map(|fact| match &fact.what {
        What::Settled { at, outcome, .. } if *at == HOME => Some(outcome.clone()),
        _ => None,
    })
}

fn differences<T: PartialEq + std::fmt::Debug>(before: &[T], after: &[T]) -> Vec<String> {
    let gone = before.iter().filter(|node| !after.contains(node)).map(|node| format!("gone: {node:?}"));
    let new = after.iter().filter(|node| !before.contains(node)).map(|node| format!("new: {node:?}"));
    gone.chain(new).collect()
}
