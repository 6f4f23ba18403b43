//! A served peer on loopback with real TLS, and the file by which `conform` tries it.

#[path = "../program/place.rs"]
mod place;

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use dmswarm::conform::{self, Judged};
use dmswarm::delegation::policy::Policy;
use dmswarm::results::conformance::{Conformance, ItemVerdict};
use dmswarm::run::control::{Command, Controls, Keys};
use dmswarm::run::news::News;
use dmswarm::run::{Options, run_controlled};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};

pub use place::Place;

/// Ports that were free a moment ago: ours, our devices', where they are woken; the peer's, its devices', its operator's.
pub struct Ports(pub [u16; 6]);

impl Ports {
    pub fn free() -> Ports {
        let sockets: [TcpListener; 6] =
            std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a free port"));
        Ports(sockets.each_ref().map(|socket| socket.local_addr().expect("an address").port()))
    }
}

/// Which of the two servers a file simulates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Ours: `conform` plays home.
    Ours,
    /// The peer's: it serves partner, and the devices are ours.
    Peers,
}

/// The file of one of the two.
pub fn file(view: View, ports: &Ports) -> String {
    let Ports([home, home_devices, wake, partner, partner_devices, operator]) = ports;
    let (population, home, partner) = match view {
        View::Ours => (
            format!("wake_port = {wake}"),
            format!("server_port = {home}\ndevice_port = {home_devices}"),
            format!(
                r#"external = {{ url = "https://dms2.example.test:{partner}/dm_delegation", device_url = "https://dms2.example.test:{partner_devices}/dm", address = "127.0.0.1", operator = "https://dms2.example.test:{operator}/operator" }}"#
            ),
        ),
        View::Peers => (
            format!(r#"external = {{ wake = "https://device.example.test:{wake}/wake", address = "127.0.0.1" }}"#),
            format!(
                r#"external = {{ url = "https://dms1.example.test:{home}/dm_delegation", device_url = "https://dms1.example.test:{home_devices}/dm", address = "127.0.0.1" }}"#
            ),
            format!("server_port = {partner}\ndevice_port = {partner_devices}\noperator_port = {operator}"),
        ),
    };
    let (home_boot, partner_boot) = match view {
        View::Ours => (
            String::new(),
            format!(
                r#"external = {{ url = "https://dms2.example.test:{partner_devices}/bootstrap", address = "127.0.0.1" }}"#
            ),
        ),
        View::Peers => (
            format!(
                r#"external = {{ url = "https://dms1.example.test:{home_devices}/bootstrap", address = "127.0.0.1" }}"#
            ),
            String::new(),
        ),
    };
    let mut text = format!(
        r#"
name = "conform"
seed = 7
body_limit = "256KiB"

[population]
devices = 1120
{population}

[[server]]
name = "home"
id = "dms1.example.test"
{home}

[[server]]
name = "partner"
id = "dms2.example.test"
{partner}

[[bootstrap_server]]
name = "home-bootstrap"
for = "home"
{home_boot}

[[bootstrap_server]]
name = "partner-bootstrap"
for = "partner"
{partner_boot}

[timeouts]
bootstrap = "3s"
confirmed = "3s"
termination = "1s"
prepared = "3s"
revoked = "3s"
request = "3s"
session = "3s"
device = "1s"
peer = "1s"
wind_down = "0s"

[load]
at_once = 1
"#
    );
    for (share, from, to, approach, known) in [
        (20, "home", "partner", "dmacc", false),
        (2, "home", "partner", "dmacc", true),
        (4, "home", "partner", "url", false),
        (24, "partner", "home", "dmacc", false),
        (2, "partner", "home", "dmacc", true),
        (4, "partner", "home", "url", false),
    ] {
        // `conform` starts all of them, so that the peer knows beforehand which approach it will be (D13).
        let by = if from == "home" { "" } else { " started by home" };
        let known = if known { format!("bootstrapped = [\"{to}\"]\n") } else { String::new() };
        text.push_str(&format!(
            "\n[[journey]]\nshare = {share}\n{known}steps = [\"delegate {from} -> {to} by {approach} subtree ./SCOMO{by}\"]\n"
        ));
    }
    text
}

/// Reads a file under the policy of careful servers.
pub fn read(text: &str) -> Scenario {
    let overrides = Overrides { policy: Some(Policy::Hardened), ..Overrides::default() };
    parse("conform.toml", text, &overrides).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// A served peer; it ends when it is dropped.
pub struct Peer {
    keys: Keys,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Serves until it is dropped.
    pub fn serve(scenario: Scenario, place: &Place) -> Peer {
        let (keys, controls) = Controls::new();
        let (ready, is_ready) = mpsc::channel();
        let options =
            Options { certs: place.0.join("certs"), out: place.0.join("results"), serves: true, ..Options::default() };
        let thread = std::thread::spawn(move || {
            let served = run_controlled(&scenario, &options, controls, |news| {
                if matches!(news, News::Ready { .. }) {
                    let _ = ready.send(());
                }
            });
            served.expect("it serves");
        });
        is_ready.recv_timeout(Duration::from_secs(60)).expect("it is ready within a minute");
        Peer { keys, thread: Some(thread) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The second time, nothing that is under way is waited for.
        self.keys.want(Command::Quit);
        self.keys.want(Command::Quit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tries whoever is at these ports.
pub fn try_at(place: &Place, ports: &Ports, round: u32) -> Judged {
    try_with(&file(View::Ours, ports), place, round)
}

/// As a file has it.
pub fn try_with(file: &str, place: &Place, round: u32) -> Judged {
    let options = conform::Options { certs: place.0.join("certs"), round: Some(round), ..conform::Options::default() };
    conform::conform(&read(file), &options, |_| ()).expect("the peer is tried")
}

/// The items with a verdict, each with what was found.
pub fn with(conformance: &Conformance, verdict: ItemVerdict) -> Vec<(&str, String)> {
    let items = conformance.items.iter().filter(|item| item.verdict == verdict);
    items
        .map(|item| {
            let wrong = item.evidence.iter().find(|evidence| !evidence.holds);
            let found = wrong.map(|evidence| format!("{}: {}", evidence.case, evidence.found));
            (item.id.as_str(), found.or_else(|| item.reason.clone()).unwrap_or_default())
        })
        .collect()
}
