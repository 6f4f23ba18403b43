//! `dmswarm replay` of findings as a user has them, in virtual time and over HTTPS: what it refuses, tells and stops.

mod program;

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use dmswarm::delegation::policy::Policy;
use dmswarm::results::FindingFile;
use dmswarm::scenario::QUICKSTART;
use dmswarm::scenario::file::{Overrides, parse};
use program::{Place, Said};
use serde_json::Value;

/// A place with a finding.
fn place_of(finding: &FindingFile) -> Place {
    Place::new(&[("finding.toml", &finding.text())])
}

/// `dmswarm replay` of it.
fn replayed<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&["replay", "finding.toml"], flags].concat()
}

fn replay(finding: &FindingFile, flags: &[&str]) -> Said {
    place_of(finding).call(&replayed(flags))
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).expect("JSON and nothing else")
}

const FULL: &str = "delegate home -> partner by dmacc subtree ./SCOMO full";
const PARTIAL: &str = "delegate home -> partner by dmacc subtree ./SCOMO";
const BY_URL: &str = "delegate home -> partner by url subtree ./SCOMO";

/// A finding among the devices of the quickstart that keep to the letter of the text.
fn finding(kind: &str, promise: &str, wishes: &[&str], decisions: &[&str]) -> FindingFile {
    let overrides = Overrides { policy: Some(Policy::Literal), ..Overrides::default() };
    let scenario = parse("quickstart", QUICKSTART, &overrides).expect("a scenario");
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    FindingFile {
        schema: FindingFile::SCHEMA.to_owned(),
        promise: promise.to_owned(),
        says: String::new(),
        promises: owned(&[promise]),
        seen: Vec::new(),
        signature: "0".to_owned(),
        kind: kind.to_owned(),
        devices: 1,
        policy: "literal".to_owned(),
        wishes: owned(wishes),
        decisions: owned(decisions),
        scenario: scenario.to_toml(),
    }
}

/// R37: whoever has left the device is asked to take it back.
fn given_away() -> FindingFile {
    let back = "revoke requested home -> partner";
    finding("lent and asked back", "manageable", &[FULL, back], &[])
}

const LENT: &str = "lent and asked back";

#[test]
fn a_signal_stops_all_runs_at_once_and_none_of_them_counts_that_was_not_done() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let place = place_of(&given_away());
        let mut command = place.dmswarm(&replayed(&["--https", "--repeat", "300", "--at-once", "2"]));
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let results = place.0.join("results");
        let runs = || fs::read_dir(&results).map_or(0, Iterator::count);
        while runs() < 3 {
            assert!(program.try_wait().expect("a program").is_none(), "it has ended");
            std::thread::sleep(Duration::from_millis(10));
        }
        Command::new("kill").args([signal, &program.id().to_string()]).status().expect("kill");
        let said = Said::of(program.wait_with_output().expect("it ends")).ended_with(code);
        assert!(said.out.starts_with("interrupted: ") && said.out.contains(" of 300 runs done, "), "{said:?}");
        assert!(runs() < 20, "{} runs were begun", runs());
    }
}

#[test]
fn what_only_a_search_can_judge_is_not_run_over_https() {
    for promise in ["undisturbed_flows_are_done", "activities_end_first"] {
        let place = place_of(&finding(LENT, promise, &[PARTIAL], &[]));
        let said = place.call(&replayed(&["--https"])).ended_with(2);
        let expected = format!("error: only a search can judge `{promise}`: over HTTPS it cannot be seen");
        assert!(said.err.starts_with(&expected), "{said:?}");
        assert!(!place.0.join("results").exists(), "nothing was run");
    }
}

#[test]
fn where_nothing_could_be_run_nothing_is_counted() {
    let said = replay(&given_away(), &["--https", "--out", "/dev/null"]).ended_with(1);
    assert_eq!(said.out, "", "{said:?}");
    assert!(said.err.contains("/dev/null"), "{said:?}");
}

#[test]
fn both_worlds_are_told_in_one_shape() {
    let virtually = json(&replay(&given_away(), &["--json"]).ended_with(4));
    let over_https = json(&replay(&given_away(), &["--https", "--repeat", "2", "--json"]).ended_with(4));
    for (json, runs) in [(&virtually, 1), (&over_https, 2)] {
        assert_eq!(
            (&json["reproduced"], &json["runs"], &json["broken_in"]),
            (&true.into(), &runs.into(), &runs.into())
        );
        assert!(json["same_order_in"].is_number() && json["seen"].is_array(), "{json:#}");
    }
    let keys = |json: &Value| json.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert!(keys(&over_https).starts_with(&keys(&virtually)), "{over_https:#}");
}

/// Nobody waits in a run until what is still to be done would be overdue.
#[test]
fn what_is_never_done_is_seen_over_https_once_all_are_at_rest() {
    let cut_off =
        finding("no rights to give", "pending_cleanup_is_done", &[PARTIAL], &["break session undo of home in round 0"]);
    let json = json(&replay(&cut_off, &["--https", "--json"]).ended_with(4));
    assert_eq!((&json["broken_in"], &json["unjudged_in"], &json["same_order_in"]), (&1.into(), &0.into(), &1.into()));
}

#[test]
fn deaths_and_lost_visits_come_about_over_https_as_in_virtual_time() {
    let wished_too =
        "once sent delegation_req by home: delegate home -> partner by dmacc subtree ./SCOMO started by partner";
    for finding in [
        // What comes to a dead server waits until it stands again.
        finding(
            LENT,
            "one_session_per_delegation",
            &[BY_URL, wished_too],
            &["kill home once state ExpectUrlRequest at partner as delegated"],
        ),
        // What a server has called for goes with it.
        finding(
            LENT,
            "accounts_as_recorded",
            &[BY_URL],
            &["lose session grant of home", "kill home once state Over at partner as delegated"],
        ),
        finding("no account allowed", "accounts_as_recorded", &[BY_URL], &["lose visit to partner"]),
    ] {
        let json = json(&replay(&finding, &["--https", "--json"]).ended_with(4));
        assert_eq!((&json["broken_in"], &json["same_order_in"]), (&1.into(), &1.into()), "{json:#}");
    }
}

#[test]
fn decisions_that_never_come_to_pass_are_named() {
    let decisions = [
        "lose request delegation_revoked of home to partner",
        "lose request delegation_prepared of home to partner x7",
        "break session prepare of home in round 200",
        "kill home once sent delegation_revoked by partner",
    ];
    let said = replay(&finding(LENT, "manageable", &[PARTIAL], &decisions), &["--quiet"]).ended_with(10);
    let expected = decisions.map(|decision| format!("never came to pass: {decision}\n")).concat();
    assert_eq!(said.out, format!("{expected}manageable is not broken on this way\n"));
    let all_do = replay(&given_away(), &["--quiet"]).ended_with(4);
    assert!(!all_do.out.contains("never"), "{all_do:?}");
}

#[test]
fn what_means_nothing_in_a_finding_is_refused() {
    let lost = |decision: &str| finding(LENT, "manageable", &[PARTIAL], &[decision]);
    let other_policy = FindingFile { policy: "hardened".to_owned(), ..given_away() };
    for (wrong, part) in [
        (
            finding(LENT, "managable", &[PARTIAL], &[]),
            "`promise`: there is no promise `managable`; did you mean `manageable`?",
        ),
        (lost("lose request delegation_prepared of home to partner x0"), "none before the first, which is x1"),
        (
            lost("kill home once device 7 joined at home as delegating"),
            "is about device 7, and the last one is device 0",
        ),
        (other_policy, "`policy` is `hardened`, and its scenario says `literal`"),
    ] {
        let said = replay(&wrong, &[]).ended_with(2);
        assert!(said.err.contains(part) && said.err.contains("finding.toml") && said.out.is_empty(), "{said:?}");
    }
}
