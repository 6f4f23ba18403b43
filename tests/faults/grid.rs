//! Every action at every site where it may stand: it fires on the device that it names, does what it says, and leaves the
//! other three devices alone.

mod cases;

use std::collections::BTreeSet;
use std::time::Duration;

use dmswarm::delegation::flow::Outcome;
use dmswarm::facts::What;

use cases::CASES;

use crate::stage::{LENT, Seen, fault, play, scene, side_by_side, told};

use crate::standing::Place;

/// A fault called `f` on device 1, and what is to be seen of it there.
#[derive(Clone, Copy)]
struct Case {
    site: &'static str,
    about: &'static str,
    does: &'static str,
    journey: &'static str,
    sees: &'static [&'static str],
    never: &'static [&'static str],
    /// At least so long from the first of these facts to the next one of the second.
    gap: Option<(&'static str, &'static str, u64)>,
    /// Something that is counted.
    counted: Option<&'static str>,
    /// Another device that it may touch: it is what it says of another's session.
    also: Option<usize>,
    /// Whatever else there is to be seen.
    shows: fn(&Seen) -> bool,
}

const fn case(site: &'static str, about: &'static str, does: &'static str, sees: &'static [&'static str]) -> Case {
    Case { site, about, does, journey: LENT, sees, never: &[], gap: None, counted: None, also: None, shows: |_| true }
}

impl Case {
    const fn never(self, never: &'static [&'static str]) -> Case {
        Case { never, ..self }
    }

    const fn gap(self, from: &'static str, to: &'static str, least_ms: u64) -> Case {
        Case { gap: Some((from, to, least_ms)), ..self }
    }

    const fn counted(self, reason: &'static str) -> Case {
        Case { counted: Some(reason), ..self }
    }

    const fn on(self, journey: &'static str) -> Case {
        Case { journey, ..self }
    }

    const fn also(self, device: usize) -> Case {
        Case { also: Some(device), ..self }
    }

    const fn shows(self, shows: fn(&Seen) -> bool) -> Case {
        Case { shows, ..self }
    }
}

#[test]
fn every_fault_does_what_it_says_and_harms_nobody_else() {
    side_by_side(CASES, check);
}

fn check(place: &Place, case: &Case) -> Vec<String> {
    let about = format!("{}{}devices = 1", case.about, if case.about.is_empty() { "" } else { ", " });
    let first = if case.site == "store" { "first = 1" } else { "" };
    let mut scenario = scene(4, case.journey, &fault("f", case.site, &about, first, case.does));
    if case.never == cases::NO_RETRY {
        // What is only slow must not run into it on a busy machine as well.
        scenario.timeouts.request = Duration::from_secs(5);
    }
    let seen = play(place, &scenario, 1);
    let mut complaints = seen.complaints();
    complaints.extend(case.sees.iter().filter(|sees| !seen.find(1, sees)).map(|sees| format!("not seen: {sees}")));
    complaints.extend(case.never.iter().filter(|never| seen.find(1, never)).map(|never| format!("seen: {never}")));
    if let Some(complaint) = case.gap.and_then(|gap| too_short(&seen, gap)) {
        complaints.push(complaint);
    }
    if let Some(reason) = case.counted.filter(|reason| seen.shard.rejections(reason) == 0) {
        complaints.push(format!("{reason} was not counted"));
    }
    if !(case.shows)(&seen) {
        complaints.push("it does not show".to_owned());
    }
    if seen.faults(1) == 0 {
        complaints.push("it never fired".to_owned());
    }
    for device in [0, 2, 3].into_iter().filter(|device| Some(*device) != case.also) {
        complaints.extend(touched(&seen, device));
    }
    if complaints.is_empty() {
        return complaints;
    }
    let title = format!("---- {} at {} ({}): {}", case.does, case.site, case.about, complaints.join("; "));
    vec![title, told(&seen.facts[1])]
}

fn too_short(seen: &Seen, (from, to, least): (&str, &str, u64)) -> Option<String> {
    let Some((place, start)) = seen.first(1, 0, from) else { return Some(format!("not seen: {from}")) };
    let Some((_, end)) = seen.first(1, place + 1, to) else { return Some(format!("not seen: {from} then {to}")) };
    let took = end.at - start.at;
    (took < Duration::from_millis(least)).then(|| format!("only {took:?} from {from} to {to}"))
}

/// What has become of a device with which nothing should have gone wrong, if it is not what should have.
fn touched(seen: &Seen, device: usize) -> Option<String> {
    let ends = seen.facts[device].iter().filter_map(|fact| match &fact.what {
        What::Settled { outcome, .. } => Some(outcome),
        _ => None,
    });
    let ends: Vec<&Outcome> = ends.collect();
    let is_well = ends.len() >= 4 && ends.iter().all(|end| **end == Outcome::Done) && seen.faults(device) == 0;
    (!is_well).then(|| format!("device {device} was touched: {ends:?}\n{}", told(&seen.facts[device])))
}

#[test]
fn the_cases_leave_out_no_action_and_no_site() {
    let mut had = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for case in CASES {
        let rule = scene(4, case.journey, &fault("f", case.site, case.about, "", case.does)).faults.remove(0);
        had.insert((rule.action.key(), rule.site));
        wanted.extend(rule.action.sites().iter().map(|site| (rule.action.key(), *site)));
    }
    let schema = dmswarm::scenario::schema::scenario();
    let does = &schema["properties"]["fault"]["items"]["properties"]["do"]["anyOf"];
    let words = does[0]["enum"].as_array().expect("the words of `do`").iter().filter_map(|word| word.as_str());
    let keys = does[1]["properties"].as_object().expect("the keys of `do`").keys().map(String::as_str);
    let companions = ["gap", "at_most", "retry_after", "state"];
    let known: BTreeSet<&str> = words.chain(keys).filter(|key| !companions.contains(key)).collect();
    // A server's process is what `deaths` is about.
    let elsewhere = ["kill", "pause"];
    let missing: Vec<&&str> =
        known.iter().filter(|key| !elsewhere.contains(key) && !had.iter().any(|(action, _)| action == *key)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    let missing: Vec<_> = wanted.difference(&had).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
