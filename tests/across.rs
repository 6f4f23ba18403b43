//! Two processes, one that drives and one that serves, run flows with each other; what of that goes wrong is told.

#[path = "program/place.rs"]
mod place;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use place::Place;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dmswarm");
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/peers");
/// The ports of the shipped files, TCP and UDP.
const PORTS: [&str; 11] =
    ["7440", "7441", "7442", "7450", "7451", "7452", "7454", "7461", "7462", HOME_THROUGH_US, PARTNER_THROUGH_US];
const HOME_THROUGH_US: &str = "7541";
const PARTNER_THROUGH_US: &str = "7551";

/// Ports that were free a moment ago, in place of those of the shipped files: other tests run at the same time.
fn free_ports() -> [u16; PORTS.len()] {
    let held: Vec<(TcpListener, UdpSocket)> = std::iter::repeat_with(|| {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let udp = UdpSocket::bind(tcp.local_addr().expect("its address"));
        udp.ok().map(|udp| (tcp, udp))
    })
    .flatten()
    .take(PORTS.len())
    .collect();
    let port = |place: usize| held[place].0.local_addr().expect("its address").port();
    std::array::from_fn(port)
}

/// A shipped file with other ports, and less to do, in the folder.
fn copy(folder: &Path, name: &str, ports: &[u16]) -> PathBuf {
    let mut text = fs::read_to_string(format!("{PEERS}/{name}.toml")).expect("a shipped scenario");
    for (shipped, free) in PORTS.iter().zip(ports) {
        text = text.replace(shipped, &free.to_string());
    }
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, text).expect("a copy");
    path
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

/// A process that serves. It is ended when the test is.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: Value,
}

impl Served {
    fn begin(folder: &Path, scenario: &Path) -> Served {
        Served::begin_with(folder, scenario, &[])
    }

    fn begin_with(folder: &Path, scenario: &Path, more: &[&str]) -> Served {
        let mut child = program(folder)
            .args(["serve", "-q", "--json"])
            .arg(scenario)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(ready["ready"], true, "{ready}");
        Served { child, stdout, ready }
    }

    /// Asks it to end, as the shell does: its summary, and how it ended.
    fn end(mut self) -> (Value, Option<i32>) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it lives");
        let summary: Value = serde_json::from_reader(&mut self.stdout).expect("a summary");
        (summary, self.child.wait().expect("it ends").code())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn summary(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}\n{err}"))
}

/// Runs both files against each other. `unheard`: flows that the serving side does not hear of.
#[track_caller]
fn check_across(drives: &str, serves: &str, unheard: &[(&str, u64)]) {
    let folder = Place::new(&[]);
    let ports = free_ports();
    let (driving, serving) = (copy(&folder.0, drives, &ports), copy(&folder.0, serves, &ports));
    let served = Served::begin(&folder.0, &serving);
    let served_folder = served.ready["folder"].clone();
    let addresses = served.ready["addresses"].as_array().expect("addresses");
    assert!(addresses.iter().all(|at| at["url"].is_string() && at["address"].is_string()), "{addresses:?}");
    let run = program(&folder.0).arg("run").arg(&driving).args(["--json", "-q", "--record"]).output();
    let run = run.expect("the program");
    let driven = summary(&run);
    assert_eq!((&driven["verdict"], run.status.code()), (&Value::from("passed"), Some(0)), "{driven:#}");
    let (told, code) = served.end();
    assert_eq!((&told["verdict"], code), (&Value::from("passed"), Some(0)), "{told:#}");
    check_exchanges(&folder.0, drives, &driven);
    let mut all = 0;
    for (flow, counts) in driven["flows"].as_object().expect("flows") {
        let done = counts["done"].as_u64().expect("a count");
        assert_eq!(counts["started"], done, "{flow}: {driven:#}");
        let unheard = unheard.iter().find(|(name, _)| name == flow).map_or(0, |(_, flows)| *flows);
        assert_eq!(told["flows"][flow]["done"].as_u64(), Some(done - unheard), "{flow}: {told:#}");
        assert!(done > 0, "every flow goes across, and {flow} did not");
        all += done;
    }
    assert!(all > 300, "{all} flows");
    let written = folder.0.join(served_folder.as_str().expect("a path"));
    for file in ["scenario.toml", "run.json", "summary.json", "report.html", "events.jsonl.zst"] {
        assert!(written.join(file).is_file(), "{file} of the serving side in {}", written.display());
    }
}

/// What was said across is kept, all of it, and nothing secret in it.
#[track_caller]
fn check_exchanges(folder: &Path, scenario: &str, summary: &Value) {
    let results = fs::read_dir(folder.join("results")).expect("results").filter_map(|entry| Some(entry.ok()?.path()));
    let is_its = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(scenario));
    let run = results.into_iter().find(is_its).expect("its run folder");
    let lines = fs::read_to_string(run.join("exchanges.jsonl")).expect("what was said");
    let exchanges: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(exchanges.iter().all(|one| one["from"] != one["to"] && one["outcome"].is_string()), "{lines}");
    for message in ["delegation_prepared", "delegation_confirmed", "delegation_revocation_req"] {
        let kept = exchanges.iter().filter(|one| one["message"] == message).count() as u64;
        let sent = summary["exchanges"][message]["sent"].as_u64().unwrap_or(0);
        assert!(kept >= sent && kept > 0, "{message}: {kept} kept, {sent} sent");
    }
    assert!(lines.contains("an account, which holds secrets") && lines.contains("a URL that only its device may know"));
    assert!(!lines.contains("AAuthSecret"));
}

#[test]
fn we_are_dms1_and_the_devices_are_ours() {
    // Of a revocation by force without notice DMS-2 does not hear: 22 of the 200 devices go on that journey.
    check_across("drive-dms1", "serve-dms2", &[("revoke.forced", 22)]);
}

#[test]
fn we_are_dms2_and_the_devices_are_theirs() {
    check_across("drive-dms2", "serve-dms1", &[]);
}

#[test]
fn between_two_servers_messages_are_passed_on_and_suffer_what_faults_want() {
    let folder = Place::new(&[]);
    let ports = free_ports();
    let [driving, serving, between] = ["drive-dms1", "serve-dms2", "relay"].map(|name| copy(&folder.0, name, &ports));
    let through_us =
        |shipped| PORTS.iter().position(|port| *port == shipped).map(|place| ports[place]).expect("a port");
    let home = format!("server.0.external.url=https://dms1.example.test:{}/dm_delegation", through_us(HOME_THROUGH_US));
    let partner =
        format!("server.1.external.url=https://dms2.example.test:{}/dm_delegation", through_us(PARTNER_THROUGH_US));
    let served = Served::begin_with(&folder.0, &serving, &["--set", &home]);
    let relay = Served::begin(&folder.0, &between);
    let run = program(&folder.0).arg("run").arg(&driving).args(["--json", "-q", "--set", &partner]).output();
    let driven = summary(&run.expect("the program"));
    assert_eq!(driven["verdict"], "passed", "what was refused or lost was said again: {driven:#}");
    let (passed_on, code) = relay.end();
    assert_eq!((&passed_on["verdict"], code), (&Value::from("passed"), Some(0)), "{passed_on:#}");
    let (told, _) = served.end();
    assert_eq!(told["verdict"], "passed", "{told:#}");
    let injected = |name: &str| {
        let mut faults = passed_on["faults"].as_array().expect("faults").iter();
        faults.find(|fault| fault["name"] == name).and_then(|fault| fault["injected"].as_u64()).expect("a count")
    };
    // Some 600 requests, of which 5 %, 5 % and 10 % are hit: never none.
    for fault in ["unavailable", "answer-lost", "late"] {
        assert!(injected(fault) > 5, "{fault}: {passed_on:#}");
    }
    // Each device is prepared once; what was refused by us, or lost on its way back, was said again.
    let prepared = |summary: &Value| summary["exchanges"]["delegation_prepared"]["sent"].as_u64().expect("a count");
    assert!(prepared(&driven) > 200 && prepared(&passed_on) >= 200, "{driven:#}\n{passed_on:#}");
    assert!(prepared(&passed_on) < prepared(&driven), "what we refuse is not passed on");
}

#[test]
fn who_cannot_be_reached_or_does_not_know_us_ends_a_run_before_it_begins() {
    let folder = Place::new(&[]);
    let ports = free_ports();
    let driving = copy(&folder.0, "drive-dms1", &ports);
    let run = |more: &[&str]| {
        let output = program(&folder.0).arg("run").arg(&driving).args(more).output().expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = run(&[]);
    assert!(code == Some(8) && told.contains("nothing listens there"), "{code:?} {told}");

    // A server of another CA: neither knows the other.
    let stranger = Place::new(&[]);
    let serving = copy(&stranger.0, "serve-dms2", &ports);
    let served = Served::begin(&stranger.0, &serving);
    let (code, told) = run(&[]);
    assert!(code == Some(8) && told.contains("TLS with dms2.example.test"), "{code:?} {told}");
    // We trust theirs, and they do not trust ours.
    let ca = format!("server.1.external.ca={}", stranger.0.join("certs/ca.pem").display());
    let (code, told) = run(&["--set", &ca]);
    assert!(code == Some(8) && told.contains("could not be reached"), "{code:?} {told}");
    drop(served);
    assert_eq!(fs::read_dir(folder.0.join("results")).map_or(0, Iterator::count), 0, "nothing was loaded");
}

#[test]
fn nothing_beyond_this_machine_is_called_unless_it_is_named_twice() {
    let folder = Place::new(&[]);
    let driving = copy(&folder.0, "drive-dms1", &free_ports());
    // An address for documentation (RFC 5737): nobody is there, and nothing goes there.
    let beyond = ["--set", "server.1.external.address=192.0.2.1"];
    let run = |more: &[&str]| {
        let output = program(&folder.0).arg("run").arg(&driving).args(beyond).args(more).output().expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = run(&[]);
    assert!(code == Some(2) && told.contains("nothing was contacted") && told.contains("--target dms2"), "{told}");
    let (code, told) = run(&["--target", "dms9.example.test:443"]);
    assert!(code == Some(2), "{told}");
    let (code, told) = run(&["--target", "dms2.example.test"]);
    assert!(code == Some(2) && told.contains("expected a host and a port"), "{told}");
}

#[test]
fn a_peer_is_asked_for_no_more_than_its_budget() {
    let folder = Place::new(&[]);
    let ports = free_ports();
    let (driving, serving) = (copy(&folder.0, "drive-dms1", &ports), copy(&folder.0, "serve-dms2", &ports));
    let served = Served::begin(&folder.0, &serving);
    let run = program(&folder.0)
        .arg("run")
        .arg(&driving)
        .args(["--json", "-q", "--set", "server.1.external.budget=20", "--set", "load={ at_once = 5 }"])
        .args([
            "--set",
            "population.devices=30",
            "--set",
            "timeouts={ peer = '1s', device = '1s', bootstrap = '1s', confirmed = '1s', termination = '1s' }",
        ])
        .output()
        .expect("the program");
    let driven = summary(&run);
    // What could not be said any more may leave the two apart.
    assert!(["failed", "broken"].contains(&driven["verdict"].as_str().expect("a verdict")), "{driven:#}");
    drop(served);
    // The budget is of each address: what servers say there, and what the look beforehand has asked for.
    let heard: u64 = ["delegation_req", "delegation_prepared", "delegation_termination_req", "delegation_revoked"]
        .iter()
        .map(|message| driven["exchanges"][message]["answered"].as_u64().unwrap_or(0))
        .sum();
    assert!((1..20).contains(&heard), "{heard} were answered: {driven:#}");
}

#[test]
fn what_a_peer_says_to_our_server_and_sends_to_our_devices_suffers_faults_here() {
    for (name, place) in [
        ("trigger", "where = \"trigger\"\ndo = \"drop\"\nmatch = { from = [\"partner\"] }"),
        (
            "inbound",
            "where = \"http.request\"\ndo = { drop = \"reset\" }\nmatch = { from = [\"partner\"], to = [\"home\"] }",
        ),
    ] {
        let folder = Place::new(&[]);
        let ports = free_ports();
        let (driving, serving) = (copy(&folder.0, "drive-dms1", &ports), copy(&folder.0, "serve-dms2", &ports));
        let timeouts = "[timeouts]\nconfirmed = \"700ms\"\nbootstrap = \"700ms\"\n";
        cut(&driving, &format!("{LENT}{timeouts}[[fault]]\nname = \"{name}\"\n{place}\n"));
        cut(&serving, LENT);
        let served = Served::begin_with(&folder.0, &serving, &["--set", "population.devices=2"]);
        let mut run = program(&folder.0);
        run.arg("run").arg(&driving).args(["-q", "--json", "--set", "population.devices=2"]);
        let driven = summary(&run.output().expect("the program"));
        drop(served);
        assert_eq!(driven["flows"]["delegate.dmacc"]["too_late"], 2, "{name}: {driven:#}");
        assert!(driven["faults"][0]["injected"].as_u64() >= Some(2), "{name}: {driven:#}");
    }
}

/// One kind of journey, and few at once.
const LENT: &str = "[[journey]]\nname = \"lent\"\nsteps = [\"delegate home -> partner by dmacc subtree ./SCOMO\"]\n\
                    [load]\nat_once = 2\n";

/// A copied file with these journeys, and what follows them, in place of its own.
fn cut(path: &Path, rest: &str) {
    let text = fs::read_to_string(path).expect("a copy");
    let (head, _) = text.split_once("[[journey]]").expect("journeys");
    fs::write(path, format!("{head}{rest}")).expect("a copy");
}

#[test]
fn a_flow_that_failed_with_a_peer_becomes_a_plan_and_fails_with_it_again() {
    let folder = Place::new(&[]);
    let ports = free_ports();
    let (driving, serving) = (copy(&folder.0, "drive-dms1", &ports), copy(&folder.0, "serve-dms2", &ports));
    let lost = "[[fault]]\nname = \"lost\"\nwhere = \"http.request\"\ndo = { drop = \"reset\" }\n\
                match = { from = [\"home\"], to = [\"partner\"], message = [\"delegation_prepared\"] }\n";
    cut(&driving, &format!("{LENT}{lost}"));
    cut(&serving, LENT);
    let few = ["--set", "population.devices=2"];
    // A peer remembers what became of a device: each time it begins anew.
    let with_peer = |arguments: &[&str]| {
        let served = Served::begin_with(&folder.0, &serving, &few);
        let output = program(&folder.0).args(arguments).args(["-q", "--json"]).output().expect("the program");
        drop(served);
        (output.status.code(), summary(&output))
    };
    let driving = driving.to_str().expect("a path");
    let (code, driven) = with_peer(&["run", driving, "--set", "population.devices=2"]);
    assert_eq!((code, driven["flows"]["delegate.dmacc"]["unreachable"].as_u64()), (Some(3), Some(2)), "{driven:#}");

    let results = fs::read_dir(folder.0.join("results")).expect("results").filter_map(|entry| Some(entry.ok()?.path()));
    // The peer has a run folder as well.
    let is_driven =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("drive-dms1"));
    let run = results.into_iter().find(is_driven).expect("the run that drove");
    let output = program(&folder.0).args(["explore", "--from"]).arg(run).args(["-q", "--json"]).output();
    let output = output.expect("the program");
    let followed = summary(&output);
    assert_eq!(output.status.code(), Some(0), "that a flow fails breaks no promise: {followed:#}");
    assert!(followed["devices"].as_array().expect("devices").iter().all(|one| one["followed"] == true), "{followed:#}");
    let finding = &followed["findings"][0];
    assert_eq!(finding["promise"], "flows_are_done", "{followed:#}");
    let loses = |decision: &Value| {
        decision.as_str().is_some_and(|words| words.starts_with("lose request delegation_prepared of home to partner"))
    };
    assert!(finding["decisions"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(loses)), "{finding:#}");

    let folder_of_it = finding["folder"].as_str().expect("a folder").to_owned();
    let replayed = program(&folder.0).args(["replay", &folder_of_it, "-q", "--json"]).output().expect("the program");
    assert_eq!(replayed.status.code(), Some(4), "{:#}", summary(&replayed));
    let again = check_replay(with_peer(&["replay", &folder_of_it, "--https"]), "has ended: unreachable");
    assert_eq!(again["same_order_in"], 1, "{again:#}");

    // What the peer says is held as well: here until nobody waits for it any more. Whether the peer gives up by then is for
    // the peer to say.
    let file = folder.0.join(&folder_of_it).join("finding.toml");
    let text = fs::read_to_string(&file).expect("a finding");
    let from = text.find("decisions = ").expect("decisions");
    let to = from + text[from..].find("\nscenario").expect("a scenario");
    let held = "decisions = [\"hold request bootstrap_confirmed of partner to home until timer bootstrap at home\"]\n";
    fs::write(&file, format!("{}{held}{}", &text[..from], &text[to..])).expect("another finding");
    check_replay(with_peer(&["replay", &folder_of_it, "--https"]), "has ended: too_late (bootstrap)");

    let killed = "decisions = [\"kill partner once state ExpectPrepared at partner as delegated\"]\n";
    fs::write(&file, format!("{}{killed}{}", &text[..from], &text[to..])).expect("another finding");
    let output = program(&folder.0).args(["replay", &folder_of_it, "--https"]).output().expect("the program");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("nothing here ends the process"), "{told}");
}

#[track_caller]
fn check_replay((code, replayed): (Option<i32>, Value), ended: &str) -> Value {
    assert_eq!(code, Some(4), "{replayed:#}");
    let seen = replayed["seen"].as_array().expect("what was seen");
    assert!(seen.iter().any(|one| one.as_str().is_some_and(|words| words.contains(ended))), "{replayed:#}");
    replayed
}
