//! What the promises are judged on: plain views of devices and servers, taken after a run has drained.

use crate::delegation::machine::RecordView;
use crate::dm::tree::Tree;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerId, ServerNumber};

/// One device: what its management tree holds, and what is known of its journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    pub device: DeviceNumber,
    /// The DM servers that have an account (DMAcc) on it.
    pub accounts: Vec<ServerNumber>,
    /// Every place where an ACL names one of the DM servers: the nodes' own ACLs, one entry per node and server,
    /// whatever the right. `*` names nobody.
    pub grants: Vec<Grant>,
    /// Entries in its Bootstrap Config MO (`BootSrvInfo/<x>`).
    pub bootstrap_entries: usize,
    /// Management sessions that it has not finished.
    pub open_sessions: usize,
    pub journeyed: Journeyed,
}

impl DeviceView {
    /// The view of a device with this tree. `number`: which server of the run goes by an identifier.
    pub fn of(
        tree: &Tree,
        open_sessions: usize,
        journeyed: Journeyed,
        number: impl Fn(&ServerId) -> Option<ServerNumber>,
    ) -> DeviceView {
        let grant = |(id, node)| Some(Grant { node, server: number(&id)? });
        DeviceView {
            device: tree.device(),
            accounts: tree.accounts().iter().filter_map(|(_, id)| number(id)).collect(),
            grants: tree.acl_mentions().into_iter().filter_map(grant).collect(),
            bootstrap_entries: tree.bootstrap_entries().len(),
            open_sessions,
            journeyed,
        }
    }
}

/// A server named in the own ACL of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub node: Uri,
    pub server: ServerNumber,
}

/// What the run itself knows of a device's journey, independently of the servers' records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journeyed {
    /// The server that had the authority over it at first.
    pub owner: ServerNumber,
    /// Servers other than the owner that had an account on it before the run.
    pub bootstrapped: Vec<ServerNumber>,
    /// Delegates whose last flow on this device that ended `done` was a revocation.
    pub revoked: Vec<ServerNumber>,
    /// Those of `revoked` that were not told (forced, 5.2.5.3): until the next contact they go on believing.
    pub unannounced: Vec<ServerNumber>,
}

impl Journeyed {
    /// What is known before the run, with nothing revoked.
    pub fn at_first(owner: ServerNumber, bootstrapped: Vec<ServerNumber>) -> Journeyed {
        Journeyed { owner, bootstrapped, revoked: Vec::new(), unannounced: Vec::new() }
    }
}

/// One DM server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerView {
    pub server: ServerNumber,
    /// Its name in the scenario.
    pub name: String,
    /// Its delegations on record; `None` for somebody else's server, whose records cannot be seen.
    pub records: Option<Vec<RecordView>>,
    /// Flows, device jobs, sessions and timers that it has not finished.
    pub pending: usize,
}
