//! What is read and set is what comes out, and what is printed reads back.

use super::faults::EVERY_FAILURE_KEY;
use super::*;
use crate::scenario::keys::{SCENARIO, Section, Shape};

#[test]
fn the_base_of_these_tests_is_right() {
    let scenario = read(BASE).unwrap();
    assert_eq!(scenario.servers[1].host, "dms2.example.test");
    let [boot] = &scenario.bootstrap_servers[..] else { panic!("one bootstrap server") };
    assert_eq!((boot.name.as_str(), boot.server), ("boot", ServerNumber(1)));
    assert_eq!(scenario.limits.len(), 1);
    assert_eq!(scenario.limits[0].to_string(), "share(failed) = 0");
    assert_eq!(scenario.load, Load::closed(10, 5));
}

#[test]
fn overrides_are_checked_like_the_file_and_named_in_problems() {
    let set = |sets: &[&str]| {
        let sets = sets.iter().map(|set| (*set).to_owned()).collect();
        parse("demo.toml", BASE, &Overrides { seed: Some(11), sets, ..Overrides::default() })
    };
    let scenario =
        set(&["population.devices=50", "journey.0.share=3", "timeouts.request=2s", "load.at_once=7"]).unwrap();
    assert_eq!((scenario.devices, scenario.journeys[0].share, scenario.seed), (50, 3, Seed(11)));
    assert_eq!(scenario.timeouts.request, Duration::from_secs(2));
    let problems =
        set(&["population.devices=many", "journey.0.steps.0=delegate home -> nobody by dmacc", "colour=red"])
            .unwrap_err();
    let seen: Vec<_> = problems.iter().map(|at| (at.source, at.line, at.column, at.message)).collect();
    assert_eq!(
        seen,
        [
            ("--set", 1, 20, "`devices` is a whole number, found the string `many`"),
            ("--set", 1, 36, "there is no server `nobody`"),
            ("--set", 1, 1, "unknown key `colour`"),
        ]
    );
}

#[track_caller]
pub fn reads_back(text: &str) {
    let scenario = read(text).unwrap();
    let printed = scenario.to_toml();
    match read(&printed) {
        Ok(again) => assert_eq!(again, scenario, "{printed}"),
        Err(problems) => panic!("{problems}"),
    }
    assert_eq!(read(&printed).unwrap().to_toml(), printed);
}

/// Every key of what should happen, with a value that is not its default.
const EVERY_KEY: &str = r#"name = "every-key"
seed = 9223372036854775807
limits = [
    "share(failed) <= 2.5%",
    { expr = "p99(flow.delegate.dmacc) < 5s over steady for 3 of 5 windows of 10s", abort = "20s", optional = true },
    { expr = "rate(flows) > 0.1/s", abort = true },
]
connections = "per device"
connections_per_peer = 3
policy = "literal"
heal = "0s"
watch = 17
body_limit = 1500
message_limit = "16KiB"
[population]
devices = 77
encoding = "wbxml"
wake_port = 9443
wap_port = 2948
[population.tls]
certificates = "per device"
versions = "1.3"
resumption = true
expired = "1%"
revoked = "2.5%"
wrong_ca = "3%"
[[population.class]]
name = "phone"
share = 3
manufacturer = "Maker \"A\""
model = "Ünit\t1"
subtrees = ["./SCOMO", "/FUMO", "."]
[[population.class]]
name = "full"
share = 0
storage = "full"
[[population.class]]
name = "a"
acl = "refuses-account"
[[population.class]]
name = "s"
acl = "refuses-subtree"
[[server]]
name = "home"
id = "urn:dms:1"
host = "one.example.test"
interface = "/a/b"
dm = "/c"
server_port = 8443
device_port = 8444
operator_port = 8446
service_time = "3ms"
workers = 2
auth = "basic"
trigger_version = 12
[[server]]
name = "partner"
id = "dms2.example.test"
auth = "hmac"
[[server]]
name = "third"
id = "dms3.example.test"
auth = "none"
[[server]]
name = "elsewhere"
id = "dms4.example.test"
[server.external]
url = "https://dms4.example.test:9443/a"
device_url = "https://dms4.example.test:9444/b"
operator = "https://dms4.example.test:9445/c"
certificate = "their.pem"
key = "their.key"
address = "::1"
ca = "ca of \"others\".pem"
rate = "5/min"
budget = 12
[[bootstrap_server]]
name = "apart"
for = "partner"
at = "apart"
host = "boot.example.test"
port = 8445
path = "/b"
[[bootstrap_server]]
name = "near"
for = "third"
[[bootstrap_server]]
name = "unnamed"
for = "home"
at = "apart"
[[bootstrap_server]]
name = "boot-elsewhere"
for = "elsewhere"
[bootstrap_server.external]
url = "https://[::1]:9446/d/"
address = "127.0.0.1"
ca = "b.pem"
rate = "100/s"
budget = 1
[[journey]]
share = 5
steps = ["delegate home -> partner by url full, started by partner", "revoke asked expect refused"]
[[journey]]
name = "round and round"
class = "full"
bootstrapped = ["partner"]
repeat = 3
steps = ["delegate home -> partner by dmacc subtree SCOMO", "wait 90s", "revoke forced without notice"]
meanwhile = [
    "once sent delegation_prepared by home: revoke forced without notice",
    "once fault everywhere x2: revoke asked partner -> third",
    "once taken delegation_req at partner: delegate partner -> home by url full, subtree ./SCOMO, started by home",
]
[[journey]]
name = "bad"
class = "a"
expect = "undone"
steps = ["delegate home -> third by dmacc", "delegate home -> third by dmacc expect done", "revoke requested expect done"]
[[journey]]
name = "out of order"
class = "phone"
steps = [
    "delegate home -> partner by dmacc subtree SCOMO",
    "delegate home -> third by dmacc subtree SCOMO",
    "revoke asked home -> partner",
    "revoke forced home -> third, without notice",
]
[load]
starts = 40
phases = ["ramp 0/s to 7.5/s in 1m30s", "hold 30/min for 10s", "hold 2/s until done"]
[health]
lateness = "7ms"
event_loop = "9ms"
[timeouts]
bootstrap = "1s"
confirmed = "2s"
termination = "2500ms"
prepared = "4s"
revoked = "5s"
device = "9s"
peer = "10s"
request = "6s"
session = "7s"
wind_down = "8s"
[readings]
no_auto_initial_session = "spec-note"
revocation_request_status = "message"
subtree_in_revocation = "prose"
revocation_session = "delegation"
confirm_by_url = "after-visit"
unconfirmed = "let-connect"
session_names = "shared"
"#;

/// Every key there is.
pub fn every_key() -> String {
    format!("{EVERY_KEY}{EVERY_FAILURE_KEY}{CAPACITY}")
}

const CAPACITY: &str = r#"[capacity]
axis = "latency"
least = 2.5
most = 40
fault = "delay"
each = "3s"
settle = "4s"
pause = "5s"
growth = 1.5
width = 0.02
width_in_noise = 0.1
exceed_ratio = 0.25
peers = 2
aim = "each"
per_load = 60
risk = 0.1
sub_trials = 99
"#;

/// The same, in several populations: a load has either them or phases of its own.
pub fn in_populations() -> String {
    let whole = every_key();
    let (before, rest) = whole.split_once("[load]\n").unwrap();
    let (_, after) = rest.split_once("[timeouts]").unwrap();
    let (before, rest) = format!("{before}{POPULATIONS}[timeouts]{after}").split_once(WAKE_PORTS).map(owned).unwrap();
    format!("{before}{DEVICES_ELSEWHERE}{rest}")
}

/// Who stands between servers has all of them elsewhere.
pub fn relayed() -> String {
    let server = |id: &str, more: &str| format!("id = \"{id}\"\n[server.relayed]\nurl = \"https://{id}/a\"\n{more}");
    let theirs = "certificate = \"c.pem\"\nkey = \"c.key\"\naddress = \"127.0.0.1\"\nca = \"ca.pem\"\nrate = \"1/s\"\nbudget = 3\n";
    let text = with("id = \"dms1.example.test\"\n", &server("dms1.example.test", theirs));
    let text = text.replace("id = \"dms2.example.test\"\n", &server("dms2.example.test", ""));
    text.replace("[[bootstrap_server]]\nname = \"boot\"\nfor = \"partner\"\n", "")
}

fn owned((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

/// Devices of ours have them, and those of others are woken elsewhere.
const WAKE_PORTS: &str = "wake_port = 9443\nwap_port = 2948\n";
const DEVICES_ELSEWHERE: &str = r#"[population.external]
wake = "https://device.example.test/wake"
address = "127.0.0.1"
ca = "ca.pem"
rate = "1/s"
budget = 3
"#;

const POPULATIONS: &str = r#"[[load.population]]
name = "b"
journeys = ["out of order", "journey 1"]
starts = 12
phases = ["warm-up: ramp 1/s to 2/s in 3s, poisson exactly 9", "stairs 1/s to 3/min in 7 steps of 1m30s, poisson"]
[[load.population]]
name = "a"
journeys = ["bad", "round and round"]
at_once = 3
"#;

#[test]
fn what_is_printed_reads_back_to_the_same_scenario() {
    reads_back(BASE);
    reads_back(QUICKSTART);
    reads_back(&every_key());
    reads_back(&relayed());
    reads_back(&in_populations());
}

#[test]
fn a_scenario_without_a_seed_prints_the_one_it_drew() {
    let scenario = read(BASE).unwrap();
    assert_ne!(scenario.seed, read(BASE).unwrap().seed);
    assert_eq!(read(&scenario.to_toml()).unwrap().seed, scenario.seed);
}

#[test]
fn every_default_reads_back_as_it_is_told() {
    // Each key with a default, written out with that default, leaves the scenario as it was.
    fn write(section: &Section, into: &mut toml::Table) {
        for key in section.keys {
            if let Shape::Table(inner) = &key.shape {
                // A table without defaults says something by being there.
                if inner.keys.iter().all(|key| key.default.is_none()) {
                    continue;
                }
                let table = into.entry(key.name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
                if let toml::Value::Table(table) = table {
                    write(inner, table);
                }
            } else if let Shape::Tables(inner) = &key.shape {
                if let Some(toml::Value::Array(items)) = into.get_mut(key.name) {
                    items.iter_mut().filter_map(toml::Value::as_table_mut).for_each(|table| write(inner, table));
                }
            } else if let Some(default) = key.default {
                let value = match key.shape {
                    Shape::Integer(..) => toml::Value::Integer(default.parse().unwrap()),
                    Shape::Number(..) => toml::Value::Float(default.parse().unwrap()),
                    Shape::YesNo => toml::Value::Boolean(default.parse().unwrap()),
                    _ => toml::Value::String(default.to_owned()),
                };
                into.entry(key.name).or_insert(value);
            }
        }
    }
    let text = with("name = \"demo\"", "name = \"demo\"\nseed = 1") + "\n[capacity]\nleast = 1\nmost = 2\n";
    let mut table: toml::Table = text.parse().unwrap();
    let short = read(&table.to_string()).unwrap();
    write(&SCENARIO, &mut table);
    let long = table.to_string();
    assert!(long.contains("trigger_version") && long.contains("confirm_by_url"));
    assert_eq!(read(&long).unwrap(), short);
}
