//! A small set of parties standing on loopback with real TLS, for tests that talk to them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dmswarm::clock::Clock;
use dmswarm::run::prepare::{Ground, prepare};
use dmswarm::run::stand::Stand;
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};
use dmswarm::transport::certs::CertificateFolder;

/// Two servers that delegate four devices to each other, and a stranger with a certificate of the same authority.
pub const PARTIES: &str = r#"
name = "standing"
seed = 7
body_limit = "64KiB"

[population]
devices = 4

[[server]]
name = "home"
id = "dms1.example.test"

[[server]]
name = "partner"
id = "dms2.example.test"

[[bootstrap_server]]
name = "partner-bootstrap"
for = "partner"

[[journey]]
steps = ["delegate home -> partner by dmacc subtree ./SCOMO", "revoke asked"]

[load]
at_once = 2
"#;

/// A temporary folder that goes when it is dropped.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dmswarm-standing-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Place(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The scenario that a text says.
pub fn scenario(text: &str) -> Scenario {
    parse("test.toml", text, &Overrides::default()).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Stands up the parties of `scenario`, runs `test` on them, and takes them down again.
pub fn with_parties<T>(scenario: &Scenario, test: impl AsyncFnOnce(&Stand, &CertificateFolder) -> T) -> T {
    let place = Place::new();
    let prepared = prepare(scenario, &Ground::of(&place.0), Clock::start()).expect("the parties can be settled");
    let certificates = CertificateFolder::open(&place.0).expect("the certificates are there");
    actix::System::new().block_on(async {
        let stand = Stand::up(prepared).await.expect("the parties stand");
        let result = test(&stand, &certificates).await;
        stand.close().await;
        result
    })
}
