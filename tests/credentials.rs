//! What devices show when they connect: certificates of their own, some of which should not do, and how they shake hands.

use dmswarm::ids::DeviceNumber;
use dmswarm::measure::Verdict;
use dmswarm::measure::summary::Summary;
use dmswarm::run::{Options, run};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};
use dmswarm::workload::credentials::Flaw;
use place::Place;
use small::SMALL;

#[path = "program/place.rs"]
mod place;
#[path = "program/small.rs"]
mod small;

/// The small scenario with this `[population.tls]` and way to connect.
fn scenario(connections: &str, tls: &str, devices: u32) -> Scenario {
    let text = format!("connections = \"{connections}\"\n{SMALL}[population.tls]\n{tls}\n")
        .replace("devices = 6", &format!("devices = {devices}"))
        .replace("at_once = 6", &format!("at_once = {devices}"));
    parse("small.toml", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

fn ran(scenario: &Scenario) -> Summary {
    let place = Place::new(&[]);
    let options = Options { certs: place.0.join("certs"), out: place.0.join("results"), ..Options::default() };
    run(scenario, &options, |_| {}).unwrap_or_else(|error| panic!("{error}")).summary
}

#[test]
fn devices_run_with_every_kind_of_certificate_version_and_connection() {
    for (connections, tls) in [
        ("pooled", "certificates = \"shared\"\nversions = \"1.2\""),
        ("per device", "certificates = \"per device\"\nversions = \"1.2\""),
        ("per session", "certificates = \"per device\"\nversions = \"1.3\""),
        ("per session", "certificates = \"none\""),
    ] {
        let summary = ran(&scenario(connections, tls, 6));
        assert_eq!(summary.verdict, Verdict::Passed, "{connections}, {tls}: {:?}", summary.limits);
    }
}

#[test]
fn a_device_that_resumes_shakes_hands_in_full_once_with_each_server() {
    let handshakes = |connections: &str, tls: &str| {
        let summary = ran(&scenario(connections, tls, 6));
        assert_eq!(summary.verdict, Verdict::Passed, "{connections}, {tls}");
        (summary.sessions.handshakes_full, summary.sessions.handshakes_resumed)
    };
    let (full, resumed) = handshakes("per session", "certificates = \"per device\"");
    // A device visits its owner in both flows, and the delegate in the first one; servers have connections besides.
    assert!(full >= 6 * 3 && resumed == 0, "{full} full, {resumed} resumed");
    for versions in ["1.2", "1.3"] {
        let tls = format!("certificates = \"per device\"\nresumption = true\nversions = \"{versions}\"");
        let (_, resumed) = handshakes("per session", &tls);
        assert_eq!(resumed, 6, "{versions}: the second visit of each device to its owner");
    }
}

#[test]
fn just_the_devices_whose_certificates_should_not_do_cannot_be_reached() {
    const DEVICES: u32 = 40;
    let tls = "certificates = \"per device\"\nexpired = \"10%\"\nrevoked = \"10%\"\nwrong_ca = \"10%\"";
    // Who cannot be reached is given up soon.
    let short = ["bootstrap", "confirmed", "prepared", "device", "peer"].map(|timer| format!("{timer} = \"3s\"\n"));
    let scenario = scenario("per session", &format!("{tls}\n[timeouts]\n{}", short.concat()), DEVICES);
    let flaws = scenario.credentials.flaws;
    let drawn: Vec<_> = (0..DEVICES).filter_map(|device| flaws.of(scenario.seed, DeviceNumber(device))).collect();
    for flaw in [Flaw::Expired, Flaw::Revoked, Flaw::WrongCa] {
        assert!(drawn.contains(&flaw), "this seed draws every flaw: {drawn:?}");
    }
    let summary = ran(&scenario);
    let delegated = summary.flows.get("delegate.dmacc").expect("the flow");
    let (all, flawed) = (u64::from(DEVICES), drawn.len() as u64);
    assert_eq!((delegated.started, delegated.done), (all, all - flawed));
}
