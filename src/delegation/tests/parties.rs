//! The servers of the tests, what their operators know, and what they answer about themselves.

use std::sync::Arc;
use std::time::Duration;

use crate::delegation::machine::{Accounts, Registry, Timeouts};
use crate::delegation::policy::Policy;
use crate::delegation::reading::Readings;
use crate::delegation::server::Settings;
use crate::dm::dmacc::DmAcc;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerId, ServerNumber};

pub const DMS1: ServerNumber = ServerNumber(0);

pub const DMS2: ServerNumber = ServerNumber(1);

pub const DMS3: ServerNumber = ServerNumber(2);

pub const DEVICE: DeviceNumber = DeviceNumber(7);

pub fn timeouts() -> Timeouts {
    Timeouts {
        bootstrap: Duration::from_secs(1),
        confirmed: Duration::from_secs(2),
        termination: Duration::from_secs(3),
        prepared: Duration::from_secs(4),
        revoked: Duration::from_secs(5),
        device: Duration::from_secs(8),
        peer: Duration::from_secs(8),
    }
}

/// What the operators know: DMS-1 owns the devices with a number below 1,000, DMS-2 the next thousand.
struct Known {
    bootstrapped: Vec<ServerNumber>,
}

impl Registry for Known {
    fn owner(&self, device: DeviceNumber) -> Option<ServerNumber> {
        match device.0 {
            0..1_000 => Some(DMS1),
            1_000..2_000 => Some(DMS2),
            _ => None,
        }
    }

    fn has_account(&self, server: ServerNumber, _: DeviceNumber) -> bool {
        server == DMS1 || self.bootstrapped.contains(&server)
    }

    fn make(&self, _: DeviceNumber) -> (&str, &str) {
        ("Example", "One")
    }
}

struct Own {
    id: ServerId,
    has_bootstrap_server: bool,
}

impl Accounts for Own {
    fn account_for(&self, _: DeviceNumber) -> DmAcc {
        account_of(&self.id)
    }

    fn bootstrap_url(&self, _: DeviceNumber) -> Option<String> {
        self.has_bootstrap_server.then(|| "https://bootstrap.example.test/7".to_owned())
    }
}

pub fn account_of(server: &ServerId) -> DmAcc {
    DmAcc {
        app_id: None,
        server: server.clone(),
        name: None,
        pref_con_ref: None,
        con_refs: Vec::new(),
        addresses: Vec::new(),
        auth_pref: None,
        auth: Vec::new(),
        no_auto_initial_session: None,
    }
}

pub fn server_id(server: ServerNumber) -> ServerId {
    ServerId::new(format!("dms{}.example.test", server.0 + 1))
}

pub fn subtree(text: &str) -> Uri {
    Uri::parse(text).expect("a test's own address is well-formed")
}

/// How a pair is set up.
#[derive(Clone)]
pub struct Setup {
    /// Servers other than DMS-1 that have an account on the device from the beginning.
    pub bootstrapped: Vec<ServerNumber>,
    pub has_bootstrap_server: bool,
    pub readings: Readings,
    pub policy: Policy,
    pub is_durable: bool,
    pub wind_down: Duration,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            bootstrapped: Vec::new(),
            has_bootstrap_server: true,
            readings: Readings::default(),
            policy: Policy::Literal,
            is_durable: false,
            wind_down: Duration::ZERO,
        }
    }
}

pub fn settings(me: ServerNumber, setup: &Setup) -> Settings {
    Settings {
        me,
        servers: [DMS1, DMS2, DMS3].map(server_id).into(),
        registry: Arc::new(Known { bootstrapped: setup.bootstrapped.clone() }),
        accounts: Arc::new(Own { id: server_id(me), has_bootstrap_server: setup.has_bootstrap_server }),
        timeouts: timeouts(),
        readings: setup.readings,
        policy: setup.policy,
        is_watched: false,
        is_durable: setup.is_durable,
        wind_down: setup.wind_down,
    }
}

/// What a careful operator ships, with a store.
pub fn hardened() -> Setup {
    Setup { policy: Policy::Hardened, is_durable: true, ..Setup::default() }
}
