//! How a server's account differs from device to device: derived, so that nobody has to store it.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use md5::{Digest, Md5};

use super::{Address, AppAuth, DmAcc};
use crate::dm::auth::Scheme;
use crate::ids::{DeviceId, ServerId};

/// What a server needs to know to have an account on any device: the DM server, its bootstrap server and the
/// templates of devices that begin with an account all derive the same from it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountBook {
    pub server: ServerId,
    /// URL of the server's DM end point: `AppAddr/<x>/Addr`.
    pub address: String,
    pub scheme: Scheme,
    /// Whoever knows it knows all secrets.
    pub key: u64,
}

/// One member of an account that is different on every device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derived {
    ClientName,
    ClientSecret,
    ClientNonce,
    ServerSecret,
    ServerNonce,
}

impl AccountBook {
    /// The account on one device.
    ///
    /// Secrets and nonces of the server's own credentials are there for every scheme: package 0 is signed with them
    /// (Notification 1.2).
    pub fn account(&self, device: &DeviceId) -> DmAcc {
        let mut client = AppAuth {
            level: "CLCRED".to_owned(),
            kind: self.scheme.dmacc_type().to_owned(),
            name: Some(self.derive(device, Derived::ClientName)),
            secret: None,
            data: None,
        };
        let mut server = AppAuth { level: "SRVCRED".to_owned(), name: Some(self.server.to_string()), ..client.clone() };
        client.secret = Some(self.derive(device, Derived::ClientSecret));
        client.data = Some(self.derive(device, Derived::ClientNonce));
        server.secret = Some(self.derive(device, Derived::ServerSecret));
        server.data = Some(self.derive(device, Derived::ServerNonce));
        DmAcc {
            app_id: Some("w7".to_owned()),
            server: self.server.clone(),
            name: None,
            pref_con_ref: None,
            con_refs: Vec::new(),
            addresses: vec![Address { addr: self.address.clone(), kind: Some("URI".to_owned()), ports: Vec::new() }],
            auth_pref: Some(self.scheme.dmacc_type().to_owned()),
            auth: vec![client, server],
            no_auto_initial_session: None,
        }
    }

    /// One member of the account on one device: secrets of 128 bits as 22 characters, nonces of 96 bits as base64.
    pub fn derive(&self, device: &DeviceId, what: Derived) -> String {
        let digest = |label| keyed_digest(self.key, &[label, self.server.as_str(), device.as_str()]);
        match what {
            Derived::ClientName => device.as_str().to_owned(),
            Derived::ClientSecret => BASE64_URL_SAFE_NO_PAD.encode(digest("client secret")),
            Derived::ServerSecret => BASE64_URL_SAFE_NO_PAD.encode(digest("server secret")),
            Derived::ClientNonce => BASE64_STANDARD.encode(&digest("client nonce")[..12]),
            Derived::ServerNonce => BASE64_STANDARD.encode(&digest("server nonce")[..12]),
        }
    }
}

/// What only somebody with the key can tell of these texts. Each counts with its length, so that no two lists of
/// texts are the same.
pub(in crate::dm) fn keyed_digest(key: u64, parts: &[&str]) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(key.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Never shows the key.
impl std::fmt::Debug for AccountBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountBook")
            .field("server", &self.server)
            .field("address", &self.address)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceNumber, device_id};

    fn book() -> AccountBook {
        AccountBook {
            server: ServerId::new("dms1.example.test"),
            address: "https://dms1.example.test/dm".to_owned(),
            scheme: Scheme::Md5,
            key: 7,
        }
    }

    #[test]
    fn everybody_with_the_book_derives_the_same_account() {
        let device = device_id(DeviceNumber(3));
        assert_eq!(book().account(&device), book().account(&device));
        assert_eq!(book().account(&device).auth[0].secret.as_ref().map(String::len), Some(22));
    }

    #[test]
    fn no_two_devices_servers_or_keys_share_a_secret() {
        let secret = |book: &AccountBook, device, what| book.derive(&device_id(DeviceNumber(device)), what);
        let base = secret(&book(), 3, Derived::ClientSecret);
        assert_ne!(base, secret(&book(), 4, Derived::ClientSecret));
        assert_ne!(base, secret(&book(), 3, Derived::ServerSecret));
        assert_ne!(base, secret(&AccountBook { key: 8, ..book() }, 3, Derived::ClientSecret));
        let other = AccountBook { server: ServerId::new("dms2.example.test"), ..book() };
        assert_ne!(base, secret(&other, 3, Derived::ClientSecret));
    }

    #[test]
    fn the_key_is_never_shown() {
        assert!(!format!("{:?}", AccountBook { key: 123_456_789, ..book() }).contains("123456789"));
    }
}
