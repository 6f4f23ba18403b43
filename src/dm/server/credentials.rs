//! What a server and one device prove themselves with, and the nonces between them.

use super::Settings;
use crate::dm::auth::{self, HmacCredentials, NonceKey, Scheme};
use crate::dm::dmacc::{AccountBook, Derived};
use crate::dm::syncml::{Chal, Cred};
use crate::dm::wire::Envelope;
use crate::ids::{DeviceNumber, device_id};

/// The nonces of one device that have moved on from those its account began with. Lives as long as the device's record.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Nonces {
    /// How many nonces the device has been given; the latest is the one it has to use. 0: the account's own.
    given: u32,
    /// What the device wants us to use next; `None`: the account's own.
    ours: Option<Box<[u8]>>,
}

/// How the device's proof turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Good,
    Missing,
    Wrong,
}

impl Nonces {
    /// The device wants this nonce next; as it travels.
    pub fn use_next(&mut self, text: &str) {
        self.ours = Some(auth::nonce_octets(text).into());
    }

    /// The nonce of the next trigger and of our next proof is this one.
    pub fn resync(&mut self, nonce: &[u8]) {
        self.ours = Some(nonce.into());
    }

    /// A challenge with a new nonce, which from now on is the one to use.
    pub fn challenge(&mut self, device: DeviceNumber, settings: &Settings) -> Option<Chal> {
        let scheme = settings.accounts.scheme;
        if scheme.uses_nonce() {
            self.given = self.next();
        }
        auth::chal(scheme, &theirs(self.given, device, &settings.accounts))
    }

    /// A challenge for somebody who has not proved to be the device: what it is to use is noted in `offered` alone.
    pub fn offer(&self, offered: &mut Option<u32>, device: DeviceNumber, settings: &Settings) -> Option<Chal> {
        let number = self.next();
        *offered = Some(number);
        auth::chal(settings.accounts.scheme, &theirs(number, device, &settings.accounts))
    }

    /// The device has proved itself with a nonce that it was offered.
    pub fn adopt(&mut self, offered: u32) {
        self.given = offered;
    }

    fn next(&self) -> u32 {
        self.given.wrapping_add(1).max(1)
    }

    /// Whether the message proves that it is from the device, by the nonce it was given last or by one it was offered.
    pub fn check(
        &self,
        envelope: &Envelope,
        certificate: bool,
        offered: Option<u32>,
        device: DeviceNumber,
        settings: &Settings,
    ) -> Proof {
        let book = &*settings.accounts;
        let (scheme, id) = (book.scheme, device_id(device));
        let (name, secret) = (book.derive(&id, Derived::ClientName), book.derive(&id, Derived::ClientSecret));
        let by_nonce = |holds: &dyn Fn(&[u8]) -> bool| {
            offered.iter().chain([&self.given]).any(|number| holds(&theirs(*number, device, book)))
        };
        let holds = match scheme {
            Scheme::None if settings.needs_certificate && !certificate => return Proof::Missing,
            Scheme::None => true,
            Scheme::Hmac => match &envelope.hmac {
                None => return Proof::Missing,
                Some(claim) => by_nonce(&|nonce| claim.holds(&name, &secret, nonce)),
            },
            Scheme::Basic | Scheme::Md5 => match &envelope.message.header.cred {
                None => return Proof::Missing,
                Some(cred) => by_nonce(&|nonce| auth::proves(cred, scheme, &name, &secret, nonce)),
            },
        };
        if holds { Proof::Good } else { Proof::Wrong }
    }

    /// Our `Cred`, where the scheme has one.
    pub fn cred(&self, device: DeviceNumber, book: &AccountBook) -> Option<Cred> {
        match book.scheme {
            Scheme::None | Scheme::Hmac => None,
            scheme @ (Scheme::Basic | Scheme::Md5) => {
                let secret = book.derive(&device_id(device), Derived::ServerSecret);
                auth::cred(scheme, book.server.as_str(), &secret, &self.ours(device, book))
            }
        }
    }

    /// What our message is sealed with, where the scheme does that.
    pub fn seal(&self, device: DeviceNumber, book: &AccountBook) -> Option<HmacCredentials> {
        (book.scheme == Scheme::Hmac).then(|| HmacCredentials {
            name: book.server.to_string(),
            secret: book.derive(&device_id(device), Derived::ServerSecret),
            nonce: self.ours(device, book),
        })
    }

    /// The nonce of our next proof, octets.
    pub fn ours(&self, device: DeviceNumber, book: &AccountBook) -> Vec<u8> {
        match &self.ours {
            Some(nonce) => nonce.to_vec(),
            None => auth::nonce_octets(&book.derive(&device_id(device), Derived::ServerNonce)),
        }
    }
}

/// The nonce of the device's proof by its number, octets; 0 is that of the account.
fn theirs(number: u32, device: DeviceNumber, book: &AccountBook) -> Vec<u8> {
    if !book.scheme.uses_nonce() {
        return Vec::new();
    }
    let id = device_id(device);
    if number == 0 {
        return auth::nonce_octets(&book.derive(&id, Derived::ClientNonce));
    }
    let key = NonceKey::new(id.as_str(), &book.derive(&id, Derived::ClientSecret));
    auth::nonce(&key, u64::from(number)).to_vec()
}
