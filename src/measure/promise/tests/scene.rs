//! A device and three servers that believe what a test wants them to believe.

use super::{DEVICE, HOME, PARTNER, THIRD, uri};
use crate::delegation::machine::{RecordView, Side, Standing};
use crate::ids::ServerNumber;
use crate::measure::promise::{DeviceView, Grant, Journeyed, ServerView};

/// A device and three servers (home, the owner; partner; third) under construction. It starts at rest: home has its
/// account, and nothing is delegated.
pub(super) struct Scene {
    pub device: DeviceView,
    pub servers: Vec<ServerView>,
}

pub(super) fn at_rest() -> Scene {
    let server =
        |server, name: &str| ServerView { server, name: name.to_owned(), records: Some(Vec::new()), pending: 0 };
    Scene {
        device: DeviceView {
            device: DEVICE,
            accounts: vec![HOME],
            grants: Vec::new(),
            bootstrap_entries: 0,
            open_sessions: 0,
            journeyed: Journeyed {
                owner: HOME,
                bootstrapped: Vec::new(),
                revoked: Vec::new(),
                unannounced: Vec::new(),
            },
        },
        servers: vec![server(HOME, "home"), server(PARTNER, "partner"), server(THIRD, "third")],
    }
}

/// Home has delegated ./SCOMO to partner, and everything is as it should be.
pub(super) fn partially() -> Scene {
    at_rest()
        .record(HOME, PARTNER, Side::Delegating, "./SCOMO", false, Standing::InForce)
        .record(PARTNER, HOME, Side::Delegated, "./SCOMO", false, Standing::InForce)
        .accounts(&[HOME, PARTNER])
        .grant("./SCOMO", HOME)
        .grant("./SCOMO", PARTNER)
        .grant("./DMAcc/partner", HOME)
        .grant("./DMAcc/partner", PARTNER)
}

/// Home has delegated the whole tree to partner, and everything is as it should be.
pub(super) fn fully() -> Scene {
    at_rest()
        .record(HOME, PARTNER, Side::Delegating, ".", true, Standing::InForce)
        .record(PARTNER, HOME, Side::Delegated, ".", true, Standing::InForce)
        .accounts(&[PARTNER])
        .grant(".", PARTNER)
        .grant("./DMAcc/partner", PARTNER)
}

/// Partner has then delegated it all to third: what home has on record is true, and moot.
pub(super) fn passed_on() -> Scene {
    at_rest()
        .record(HOME, PARTNER, Side::Delegating, ".", true, Standing::InForce)
        .record(PARTNER, HOME, Side::Delegated, ".", true, Standing::InForce)
        .record(PARTNER, THIRD, Side::Delegating, ".", true, Standing::InForce)
        .record(THIRD, PARTNER, Side::Delegated, ".", true, Standing::InForce)
        .accounts(&[THIRD])
        .grant(".", THIRD)
        .grant("./DMAcc/third", THIRD)
}

/// Partner's delegation was ended by a revocation, and everything is as it should be.
pub(super) fn revoked() -> Scene {
    at_rest().revoked(PARTNER)
}

impl Scene {
    pub fn record(
        mut self,
        holder: ServerNumber,
        peer: ServerNumber,
        side: Side,
        subtree: &str,
        is_full: bool,
        standing: Standing,
    ) -> Scene {
        let subtree = uri(subtree);
        let record = RecordView { device: DEVICE, peer, side, subtree, is_full, standing };
        self.servers[usize::from(holder.0)].records.as_mut().expect("seen").push(record);
        self
    }

    pub fn no_records_at(mut self, holder: ServerNumber) -> Scene {
        self.servers[usize::from(holder.0)].records.as_mut().expect("seen").clear();
        self
    }

    pub fn unseen(mut self, holder: ServerNumber) -> Scene {
        self.servers[usize::from(holder.0)].records = None;
        self
    }

    pub fn pending(mut self, holder: ServerNumber, pending: usize) -> Scene {
        self.servers[usize::from(holder.0)].pending = pending;
        self
    }

    pub fn accounts(mut self, accounts: &[ServerNumber]) -> Scene {
        self.device.accounts = accounts.to_vec();
        self
    }

    pub fn grant(mut self, node: &str, server: ServerNumber) -> Scene {
        self.device.grants.push(Grant { node: uri(node), server });
        self
    }

    pub fn no_grant(mut self, node: &str, server: ServerNumber) -> Scene {
        self.device.grants.retain(|grant| *grant != Grant { node: uri(node), server });
        self
    }

    pub fn bootstrapped(mut self, server: ServerNumber) -> Scene {
        self.device.journeyed.bootstrapped.push(server);
        self
    }

    pub fn revoked(mut self, server: ServerNumber) -> Scene {
        self.device.journeyed.revoked.push(server);
        self
    }

    pub fn unannounced(mut self, server: ServerNumber) -> Scene {
        self.device.journeyed.unannounced.push(server);
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut DeviceView)) -> Scene {
        change(&mut self.device);
        self
    }
}
