//! The account of a server on a device: the DMAcc management object.

mod book;
mod form;

use crate::dm::uri::Uri;
use crate::ids::ServerId;

pub use crate::dm::auth::Scheme as AuthScheme;
pub(in crate::dm) use book::keyed_digest;
pub use book::{AccountBook, Derived};
pub(in crate::dm) use form::Branch;
pub use form::NotAnAccount;

/// The identifier of the management object in DM 1.3.
pub const IDENTIFIER: &str = "urn:oma:mo:oma-dm-dmacc:1.1";
/// What the identifier begins with in every version.
pub const IDENTIFIER_PREFIX: &str = "urn:oma:mo:oma-dm-dmacc:";
/// Below the root, the node that holds the accounts.
pub const PLACE_NAME: &str = "DMAcc";

/// `./DMAcc`
pub fn place() -> Uri {
    Uri::root().join(PLACE_NAME)
}

/// The name of a node for a server's account: its identifier where that can be a name.
pub fn node_name(server: &ServerId) -> String {
    server.as_str().chars().map(|c| if matches!(c, '/' | '?') { '_' } else { c }).collect()
}

/// Whether this is `AAuthSecret` or `AAuthData` of an account: the device tells them to nobody (StdObj 1.2).
pub fn is_secret(uri: &Uri) -> bool {
    let mut names = uri.segments();
    names.next() == Some(PLACE_NAME)
        && names.nth(1) == Some("AppAuth")
        && matches!(names.nth(1), Some("AAuthSecret" | "AAuthData"))
}

/// Whether a change of this node can take an account away: the account itself, or its ServerID.
pub fn is_account_at_stake(uri: &Uri) -> bool {
    let names: Vec<&str> = uri.segments().take(4).collect();
    matches!(names[..], [PLACE_NAME] | [PLACE_NAME, _] | [PLACE_NAME, _, "ServerID"])
}

/// One account, as it stands under `./DMAcc/<name>` and as it travels in BOOTSTRAP_CONFIRMED.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DmAcc {
    /// `AppID`, `w7`.
    pub app_id: Option<String>,
    pub server: ServerId,
    pub name: Option<String>,
    pub pref_con_ref: Option<String>,
    pub con_refs: Vec<String>,
    pub addresses: Vec<Address>,
    pub auth_pref: Option<String>,
    pub auth: Vec<AppAuth>,
    /// Meaning: D6, `delegation::reading::Polarity`.
    pub no_auto_initial_session: Option<bool>,
}

/// One `AppAddr/<x>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    pub addr: String,
    /// `URI` (default), `IPv4`, `IPv6`.
    pub kind: Option<String>,
    pub ports: Vec<u16>,
}

/// One `AppAuth/<x>`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AppAuth {
    /// `CLCRED` (client to server) or `SRVCRED` (server to client).
    pub level: String,
    /// `BASIC`, `DIGEST`, `HMAC`, `TRANSPORT`...
    pub kind: String,
    pub name: Option<String>,
    pub secret: Option<String>,
    /// `AAuthData`: the nonce, base64 as it travels.
    pub data: Option<String>,
}

impl DmAcc {
    /// Where the device connects: the first address of type `URI`.
    pub fn address(&self) -> Option<&str> {
        let is_uri = |address: &&Address| address.kind.as_deref().unwrap_or("URI") == "URI";
        self.addresses.iter().find(is_uri).map(|address| address.addr.as_str())
    }

    /// The device's credentials towards the server.
    pub fn client_auth(&self) -> Option<&AppAuth> {
        self.auth.iter().find(|auth| auth.level == "CLCRED")
    }

    /// The server's credentials towards the device.
    pub fn server_auth(&self) -> Option<&AppAuth> {
        self.auth.iter().find(|auth| auth.level == "SRVCRED")
    }
}

/// Never shows secrets.
impl std::fmt::Debug for DmAcc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DmAcc")
            .field("server", &self.server)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
