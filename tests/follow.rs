//! From a run over HTTPS that went wrong to a few decisions: what was seen of a device is found again in virtual time, and
//! shrunk.

#[expect(dead_code, reason = "these tests stand up scenarios of their own")]
mod standing;

use std::path::{Path, PathBuf};
use std::process::Command;

use dmswarm::delegation::policy::Policy;
use dmswarm::explore::follow::{Following, Way, follow, judged};
use dmswarm::explore::lab::Lab;
use dmswarm::explore::plan::{Plan, UNBOUNDED};
use dmswarm::explore::premises::Premises;
use dmswarm::explore::{judge, retell, shrink};
use dmswarm::facts::{Fact, What, lines};
use dmswarm::ids::DeviceNumber;
use dmswarm::report::following::{self, End};
use dmswarm::results::RecordedRun;
use dmswarm::run::{Options, run};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, read};
use standing::Place;

/// A shipped race under a policy, with so many devices.
fn race(name: &str, policy: Policy, devices: u32) -> Scenario {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/races").join(format!("{name}.toml"));
    let sets = vec![format!("population.devices={devices}"), format!("load.at_once={devices}")];
    let scenario = read(&file, &Overrides { policy: Some(policy), sets, ..Overrides::default() });
    scenario.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Runs a scenario over HTTPS; its folder.
fn ran(scenario: &Scenario, place: &Place) -> PathBuf {
    let options = Options {
        certs: place.0.join("certs"),
        out: place.0.join("results"),
        command_line: vec!["test".into()],
        ..Options::default()
    };
    run(scenario, &options, |_| {}).expect("it can be run").folder
}

/// What its folder says of each device.
fn recorded(folder: &Path, scenario: &Scenario) -> Vec<(DeviceNumber, Vec<Fact>)> {
    let recorded = RecordedRun::read(folder).expect("a run");
    let facts = |text: &str| lines::read(text, &scenario.names()).expect("facts");
    recorded.stories.iter().map(|(device, _, text)| (*device, facts(text))).collect()
}

#[track_caller]
fn way(lab: &mut Lab<'_>, facts: &[Fact], scenario: &Scenario) -> Way {
    let following = follow(lab, facts);
    let device = lab.premises().devices[0];
    match following {
        Following::Done(way) => way,
        Following::Stuck(_) => panic!("{}", following::told(device, facts, &following, &End::default(), scenario)),
    }
}

#[test]
fn a_device_that_was_orphaned_over_https_is_orphaned_by_a_few_decisions() {
    let place = Place::new();
    let scenario = race("r12-orphan-after-full-delegation", Policy::Literal, 2);
    let devices = recorded(&ran(&scenario, &place), &scenario);
    assert_eq!(devices.len(), 2);
    for (device, facts) in &devices {
        let premises = Premises::of_device(&scenario, *device).expect("it is handed over");
        let mut lab = Lab::new(&premises);
        let way = way(&mut lab, facts, &scenario);
        assert_eq!(way.beyond, 0, "they had come to rest");
        assert!(judge::names(&judged(&mut lab, &way).1).contains(&"manageable"));
        let plan = retell::plan(&mut lab, UNBOUNDED, &way.trail);
        let least: Plan = shrink::shrink(&mut lab, &plan, "manageable").expect("the plan breaks it too");
        assert!(least.decisions.len() <= 6, "{least:?}");
    }
}

#[test]
fn a_record_with_one_fact_changed_is_not_followed_and_the_fact_is_named() {
    let place = Place::new();
    let scenario = race("r12-orphan-after-full-delegation", Policy::Literal, 1);
    let (device, facts) = recorded(&ran(&scenario, &place), &scenario).remove(0);
    let premises = Premises::of_device(&scenario, device).expect("it is handed over");
    let change = |seek: fn(&What) -> bool, change: fn(&mut What)| {
        let mut changed = facts.clone();
        let index = changed.iter().position(|fact| seek(&fact.what)).expect("such a fact");
        change(&mut changed[index].what);
        let following = follow(&mut Lab::new(&premises), &changed);
        let Following::Stuck(stuck) = &following else { panic!("{:?} is not what they did", changed[index]) };
        let told = following::told(device, &changed, &following, &End::default(), &scenario);
        assert_eq!(stuck.fact, index, "{told}");
        told
    };
    let told = change(
        |what| matches!(what, What::Operated { verb: "Delete", .. }),
        |what| {
            if let What::Operated { code, .. } = what {
                *code = 500;
            }
        },
    );
    assert!(told.contains("device Delete ./DMAcc/dms1.example.test by home: 500"), "{told}");
    assert!(told.contains("by home: 200"), "what they would have done is told as well: {told}");
    assert!(told.contains("could not be followed"), "{told}");
    let told = change(
        |what| matches!(what, What::Settled { .. }),
        |what| {
            if let What::Settled { outcome, .. } = what {
                *outcome = dmswarm::delegation::flow::Outcome::Done;
            }
        },
    );
    assert!(told.contains("has ended: done"), "{told}");
    change(
        |what| matches!(what, What::Sent { .. }),
        |what| {
            if let What::Sent { session, .. } = what {
                *session = Some(dmswarm::ids::SessionId::new("another"));
            }
        },
    );
}

#[test]
fn that_a_server_died_cannot_be_searched_and_is_said() {
    let place = Place::new();
    let scenario = race("r49-delegating-server-dies-after-the-device-was-prepared", Policy::Literal, 1);
    let (device, facts) = recorded(&ran(&scenario, &place), &scenario).remove(0);
    let premises = Premises::of_device(&scenario, device).expect("it is handed over");
    let following = follow(&mut Lab::new(&premises), &facts);
    let told = following::told(device, &facts, &following, &End::default(), &scenario);
    assert!(told.contains("home is killed"), "{told}");
    assert!(told.contains("the death of a server") && told.contains("is not followed"), "{told}");
}

/// Runs the program in a place; its exit code, and what it printed.
fn dmswarm(place: &Place, arguments: &[&str]) -> (Option<i32>, String, String) {
    let said = Command::new(env!("CARGO_BIN_EXE_dmswarm")).args(arguments).current_dir(&place.0).output();
    let said = said.expect("the program starts");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (said.status.code(), text(&said.stdout), text(&said.stderr))
}

#[test]
fn the_program_goes_from_the_folder_of_a_run_to_a_finding_that_can_be_replayed() {
    let place = Place::new();
    let folder = ran(&race("r12-orphan-after-full-delegation", Policy::Literal, 2), &place);
    let run = folder.to_str().expect("a path");
    let (code, out, err) = dmswarm(&place, &["explore", "--from", run, "--device", "1"]);
    assert_eq!(code, Some(4), "{out}{err}");
    assert!(err.contains("device 1: the machines, given the same inputs, did the same: "), "{err}");
    assert!(!err.contains("device 0") && err.contains("broken in virtual time too: "), "{err}");
    assert!(out.contains("manageable") && out.contains("lose session visit of partner"), "{out}");
    let again = out.lines().find_map(|line| line.split_once("dmswarm replay ")).expect("a command").1;
    assert_eq!(dmswarm(&place, &["replay", again]).0, Some(4));

    let (code, out, _) = dmswarm(&place, &["explore", "--from", run, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON and nothing else");
    assert_eq!((code, json["devices"].as_array().map(Vec::len)), (Some(4), Some(2)), "{out}");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1), "both devices met with the same: {out}");
}

#[test]
fn what_is_no_run_to_follow_says_what_would_be() {
    let place = Place::new();
    let folder = ran(&race("r12-orphan-after-full-delegation", Policy::Hardened, 1), &place);
    let run = folder.to_str().expect("a path");
    let check = |arguments: &[&str], part: &str| {
        let (code, out, err) = dmswarm(&place, &[&["explore"], arguments].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: expected {part:?}, found {err}");
    };
    check(&["--from", "nowhere"], "expected the folder of a run");
    check(&["--from", "5ms"], "which goes with --window");
    check(&["--from", run, "--device", "7"], "has no story of device 7; it has those of 0");
    check(&["--from", run, "other.toml"], "leave `other.toml` out");
    check(&["--from", run, "--policy", "literal"], "leave --seed, --policy and --set out");
    let story = folder.join("stories/device-0.jsonl");
    std::fs::write(&story, "0.1 s  home  sends\n").expect("written");
    check(&["--from", run], "device-0.jsonl`, line 1: expected a fact as JSON");
    std::fs::remove_file(&story).expect("removed");
    check(&["--from", run], "has stories for people only");
    std::fs::remove_dir_all(folder.join("stories")).expect("removed");
    check(&["--from", run], "holds no stories");
}
