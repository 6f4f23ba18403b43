//! What is somebody else's: what goes together, what does not, and what a run could do with it.

use super::*;
use crate::scenario::external::{CannotDrive, Wake, Why};

const THEIRS: &str = r#"external = { url = "https://dms2.example.test:9443/dm_delegation", address = "127.0.0.1" }"#;

/// The base of these tests, with `partner` and its bootstrap server elsewhere, and more below a line.
fn elsewhere(more: &[(&str, &str)]) -> String {
    let mut text = with("id = \"dms2.example.test\"", &format!("id = \"dms2.example.test\"\n{THEIRS}"));
    text = text.replace(
        "for = \"partner\"",
        "for = \"partner\"\nexternal = { url = \"https://boot.example.test/b\", address = \"127.0.0.1\" }",
    );
    for (line, below) in more {
        assert!(text.contains(line), "{line} stands in {text}");
        text = text.replacen(line, &format!("{line}\n{below}"), 1);
    }
    text
}

#[test]
fn a_server_elsewhere_has_its_host_and_paths_from_its_urls() {
    let scenario = read(&elsewhere(&[])).expect("no problems");
    let partner = &scenario.servers[1];
    assert_eq!((partner.host.as_str(), partner.interface.as_str()), ("dms2.example.test", "/dm_delegation"));
    assert!(scenario.has_external_parties() && scenario.wakes_from_outside());
    let devices = elsewhere(&[("devices = 10", "external = { wake = \"udp://127.0.0.1:2948\" }")]);
    let scenario = read(&devices).expect("no problems");
    assert!(matches!(scenario.external_devices, Some(Wake::Udp(_))) && !scenario.wakes_from_outside());
}

#[test]
fn what_does_not_go_together_is_told_at_its_place() {
    for (more, message) in [
        (vec![("id = \"dms2.example.test\"", "server_port = 9")], "has no meaning for a server that is somebody"),
        (vec![("id = \"dms1.example.test\"", THEIRS)], "every server is somebody else's"),
        (vec![("devices = 10", "external = { wake = \"udp://here\" }")], "an IP address and a port"),
        (
            vec![("devices = 10", "wake_port = 9\nexternal = { wake = \"udp://127.0.0.1:9\" }")],
            "of devices that are somebody else's",
        ),
    ] {
        let text = elsewhere(&more);
        let problems = read(&text).expect_err(message);
        let told: Vec<_> = problems.iter().map(|problem| problem.message.to_owned()).collect();
        assert!(told.iter().any(|told| told.contains(message)), "{message}: {told:?}");
    }
    let ours = with("for = \"partner\"", "for = \"partner\"\nexternal = { url = \"https://boot.example.test/b\" }");
    let problems = read(&ours).expect_err("its server is simulated");
    assert!(problems.iter().any(|problem| problem.message.contains("is simulated, and so is its bootstrap server")));
    let ports = with("devices = 10", "devices = 10\nwap_port = 9");
    let problems = read(&ports).expect_err("nobody wakes them from outside");
    assert!(problems.iter().any(|problem| problem.message.contains("where all servers are simulated")));
    let known = elsewhere(&[("[[journey]]", "bootstrapped = [\"partner\"]")]);
    let problems = read(&known).expect_err("it has accounts nowhere");
    assert!(problems.iter().any(|problem| problem.message.contains("no `device_url`")), "{problems}");
}

#[test]
fn a_step_that_nobody_here_can_start_or_see_is_for_serving_alone() {
    let started = |step: &str| {
        let text = elsewhere(&[]);
        let from = text.find("steps = ").expect("a journey");
        let until = from + text[from..].find(']').expect("its steps end");
        format!("{}steps = [\"{step}\"{}", &text[..from], &text[until..])
    };
    let by_partner = "delegate home -> partner by dmacc subtree ./SCOMO started by partner";
    let scenario = read(&started(by_partner)).unwrap_or_else(|problems| panic!("{problems}"));
    let cannot = CannotDrive::of(&scenario).expect("partner has no operator");
    assert_eq!((cannot.starter.as_str(), cannot.why), ("partner", Why::NoOperator));
    let asked = started(by_partner).replacen(
        "address = \"127.0.0.1\" }\n",
        "address = \"127.0.0.1\", operator = \"https://dms2.example.test:9/o\" }\n",
        1,
    );
    assert_eq!(CannotDrive::of(&read(&asked).expect("no problems")), None);
    let by_home = started("delegate home -> partner by dmacc subtree ./SCOMO");
    assert_eq!(CannotDrive::of(&read(&by_home).expect("no problems")), None);
}
