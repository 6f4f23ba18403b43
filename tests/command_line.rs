//! The program as people and scripts meet it: exit codes, what goes to stdout and stderr, and what is left on disk.

mod program;
#[path = "program/small.rs"]
mod small;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use program::{Place, Said};
use small::SMALL;

/// The folders of the runs that were made in a place.
fn runs(place: &Place) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place.0.join("results")) else { return Vec::new() };
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    runs.sort();
    runs
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn one_bad_scenario_among_several_keeps_all_of_them_from_running() {
    let place = Place::new(&[("all/a.toml", SMALL), ("all/b.toml", "name = \n"), ("c.toml", SMALL)]);
    for asked in [&["run", "all"][..], &["run", "c.toml", "all/b.toml"], &["run", "c.toml", "nowhere.toml"]] {
        let said = place.call(asked).ended_with(2);
        assert!(said.err.contains("1 problem") && said.out.is_empty(), "{said:?}");
    }
    assert_eq!(runs(&place), Vec::<PathBuf>::new(), "nothing has run");
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.call(&["run", "small.toml", "-q"]).ended_with(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
    assert_eq!(place.call(&["check", "small.toml", "-q"]).ended_with(0).out, "");
    assert_eq!(place.call(&["certs", "small.toml", "-q"]).ended_with(0).out, "");

    let expects = "journey.0.expect=refused";
    let said = place.call(&["run", "small.toml", "-q", "--set", expects]).ended_with(3);
    assert!(said.out.starts_with("small: FAILED (a limit was not kept)\n") && said.err.is_empty(), "{said:?}");
}

/// The same as a race, with one goal that it comes by and one that it does not.
fn race() -> String {
    let text = SMALL.replace("\"small\"", "\"race\"").replace("seed = 5", "seed = 5\ngoals = GOALS");
    let text = format!("{text}\n[expect]\nhardened = []\n");
    let sees = |name: &str, sees: &str| format!("{{ name = \"{name}\", sees = \"{sees}\" }}");
    let goals = [sees("asked", "taken delegation_req at partner"), sees("too late", "timer confirmed at home")];
    text.replace("GOALS", &format!("[{}]", goals.join(", ")))
}

#[test]
fn races_in_a_folder_are_races_whatever_else_is_in_it() {
    let unmoved = race().replace("hardened = []", "not_over_https = \"nobody can see it\"");
    let files = [("all/1.toml", SMALL), ("all/2.toml", &race()), ("all/3.toml", &unmoved)];
    let place = Place::new(&files);
    let said = place.call(&["run", "all", "--repeat", "2"]);
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("small: PASSED"), "{said:?}");
    assert!(said.out.contains("race: the goal `too late` was never reached"), "{said:?}");
    assert!(said.out.contains("0 of 1 reproduced, 0 of 1 as expected, 1 not over HTTPS"), "{said:?}");
    assert_eq!(runs(&place).len(), 3, "one of `small`, two of the race, none of what is not run");
    assert_eq!(place.call(&["run", "all/1.toml", "--repeat", "2"]).code, Some(2));
}

#[test]
fn a_flow_that_ends_otherwise_than_its_step_expects_leaves_its_story() {
    let scenario =
        SMALL.replace("asked\"", "asked expect refused\"").replace("seed = 5", "limits = [\"share(failed) = 0\"]");
    let place = Place::new(&[("small.toml", &scenario)]);
    place.call(&["run", "small.toml"]).ended_with(3);
    let story = runs(&place)[0].join("stories/device-5.txt");
    let story = fs::read_to_string(&story).expect("the story of a device whose flow failed");
    assert!(story.contains("home     its flow with partner has ended: done"), "{story}");
}

#[test]
fn once_the_windows_of_all_faults_are_over_recovery_is_judged() {
    let waits =
        ["bootstrap", "confirmed", "termination", "prepared", "revoked", "device", "peer", "request", "session"];
    let short: String = waits.iter().map(|wait| format!("{wait} = \"200ms\"\n")).collect();
    let judged = |window: &str| {
        let scenario = SMALL.replace("\"revoke asked\"", "\"wait 5s\", \"revoke asked\"")
            + &format!("[timeouts]\n{short}[retries]\ndefault = \"none\"\n")
            + &format!("[[fault]]\nname = \"slow\"\nwhere = \"http.request\"\n{window}\ndo = {{ delay = \"5ms\" }}\n");
        let place = Place::new(&[("small.toml", &scenario)]);
        place.call(&["run", "small.toml"]).ended_with(0);
        let summary = json(&runs(&place)[0].join("summary.json"));
        let promises = summary["promises"].as_array().expect("promises");
        let recovery = promises.iter().find(|promise| promise["name"] == "recovers_after_healing").expect("L3");
        (recovery["checked"].as_u64(), recovery["not_observable"].as_u64())
    };
    assert_eq!(judged("when = { until = \"500ms\" }"), (Some(6), Some(0)));
    assert_eq!(judged(""), (Some(0), Some(6)), "it never healed before the end");
}

#[test]
fn verbose_says_where_everybody_listens() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.call(&["run", "small.toml", "-v"]).ended_with(0);
    for part in ["certificates in certs, results in results/small-", "home, for servers: https://dms1.example.test:"] {
        assert!(said.err.contains(part), "{said:?}");
    }
    assert!(said.err.contains("/dm at 127.0.0.1:"), "{said:?}");
}

#[test]
fn stdout_that_cannot_be_written_is_not_a_success() {
    let place = Place::new(&[("small.toml", SMALL)]);
    for asked in [&["run", "small.toml", "--json"][..], &["check", "small.toml"], &["schema", "summary"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let output = place.dmswarm(asked).stdout(full).output().expect("the program starts");
        let said = Said::of(output).ended_with(1);
        assert!(said.err.contains("error: cannot write to stdout: No space left on device"), "{said:?}");
    }
}

#[test]
fn a_result_that_cannot_be_kept_is_shown_all_the_same() {
    let place = Place::new(&[("small.toml", SMALL)]);
    // Files of 2 KiB at most: what is measured is longer.
    let program = env!("CARGO_BIN_EXE_dmswarm");
    let script = format!("trap '' XFSZ; ulimit -f 4; exec {program} run small.toml");
    let output = Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().expect("a shell");
    let said = Said::of(output).ended_with(1);
    assert!(said.out.starts_with("small: PASSED\n"), "{said:?}");
    let is_told =
        |line: &str| line.starts_with("error: cannot write `results/small-") && line.contains("`: File too large");
    assert!(said.err.lines().any(is_told), "{said:?}");
    let run = runs(&place).pop().expect("a run folder");
    assert_eq!(json(&run.join("run.json"))["verdict"], "interrupted", "nothing else can be told from the folder");
}

#[test]
fn a_busy_port_is_named_with_the_party_that_wants_it() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port();
    let place = Place::new(&[("small.toml", SMALL)]);
    let set = format!("server.1.device_port={port}");
    let said = place.call(&["run", "small.toml", "-q", "--set", &set]).ended_with(1);
    let expected = format!("error: partner, for devices: port {port} of 127.0.0.1 is in use by another process; ");
    assert!(said.err.starts_with(&expected), "{said:?}");
    assert_eq!(runs(&place), Vec::<PathBuf>::new(), "nothing was loaded");
}

#[test]
fn certificates_are_listed_with_everything_that_is_wrong_with_them() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.call(&["certs", "small.toml"]).ended_with(0);
    assert!(said.out.lines().all(|line| line.len() <= 80), "{}", said.out);
    let said = place.call(&["certs", "small.toml", "--json"]).ended_with(0);
    let listed: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(listed[1]["names"][0], "dms1.example.test");

    fs::write(place.0.join("certs/dms1.example.test.pem"), "rubbish").expect("written");
    fs::write(place.0.join("certs/dms2.example.test.key"), "rubbish").expect("written");
    let said = place.call(&["certs", "small.toml"]).ended_with(1);
    for part in [
        "error: certs/dms1.example.test.pem: expected a certificate in PEM, found none in it; ",
        "error: certs/dms2.example.test.key: expected a private key in PEM, found none in it; ",
    ] {
        assert_eq!(said.err.matches(part).count(), 1, "{said:?}");
    }
    assert!(said.out.contains("certs/ca.pem"), "{said:?}");
}

/// A shell that sends signals to a run of `scenario.toml` once it is under way.
fn interrupted(scenario: &str, signals: &str) -> (Place, Said) {
    let place = Place::new(&[("scenario.toml", scenario)]);
    let program = env!("CARGO_BIN_EXE_dmswarm");
    let script = format!(
        "{program} run scenario.toml --json 2>said & run=$!; \
         until grep -q ' under way' said; do sleep 0.05; done; {signals} wait $run"
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().expect("a shell");
    let mut said = Said::of(output);
    said.err = fs::read_to_string(place.0.join("said")).expect("what it said");
    (place, said)
}

#[test]
fn a_signal_during_the_set_up_ends_the_program_in_order_and_leaves_no_folder() {
    let place = Place::new(&[("small.toml", SMALL)]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let mut command = place.dmswarm(&["run", "small.toml", "--set", "population.devices=300000"]);
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        // The folder is made before the devices are, which takes a while.
        while runs(&place).is_empty() {
            assert_eq!(run.try_wait().expect("it can be asked"), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        Command::new("kill").args([signal, &run.id().to_string()]).status().expect("kill");
        let said = Said::of(run.wait_with_output().expect("it ends")).ended_with(code);
        let told: Vec<&str> = said.err.lines().skip(1).collect();
        assert_eq!(told, ["interrupted before the load began: nothing was loaded, and no folder is left"]);
        assert_eq!((said.out.as_str(), runs(&place)), ("", Vec::new()));
    }
}

#[test]
fn a_report_that_cannot_be_written_leaves_no_half_of_it() {
    let place = Place::new(&[("small.toml", SMALL)]);
    // Room for everything but the page: files of 32 KiB at most.
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {} run small.toml", env!("CARGO_BIN_EXE_dmswarm"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().expect("a shell");
    let said = Said::of(output).ended_with(0);
    assert!(said.err.contains("warning: no report.html: cannot write "), "{said:?}");
    assert!(!runs(&place)[0].join("report.tmp").exists());
}

/// Delegations that hang for as long as the wind-down takes.
fn slow(wind_down: &str) -> String {
    format!("{SMALL}[timeouts]\nwind_down = \"{wind_down}\"\ntermination = \"1m\"\n")
}

#[test]
fn the_first_signal_waits_for_what_is_under_way_and_the_second_does_not() {
    let (place, said) = interrupted(&slow("2s"), "kill -INT $run;");
    let said = said.ended_with(130);
    assert!(said.err.contains("stopping: nothing more is started, 6 flows under way"), "{said:?}");
    let summary: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&summary["verdict"], &summary["flows"]["revoke.asked"]["done"]), (&"interrupted".into(), &6.into()));
    assert_eq!(json(&runs(&place)[0].join("run.json"))["verdict"], "interrupted");
    assert_eq!(json(&runs(&place)[0].join("summary.json")), summary);

    let twice = "kill -TERM $run; until grep -q stopping said; do sleep 0.05; done; kill -INT $run;";
    let (place, said) = interrupted(&slow("50s"), twice);
    let summary: serde_json::Value = serde_json::from_str(&said.ended_with(143).out).expect("JSON");
    let flows = &summary["flows"]["revoke.asked"];
    assert_eq!((&flows["started"], &flows["done"]), (&6.into(), &0.into()));
    assert_eq!(summary["promises"], serde_json::json!([]), "what has not come to rest is not judged");
    assert_eq!(json(&runs(&place)[0].join("run.json"))["verdict"], "interrupted");
}
