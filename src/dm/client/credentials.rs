//! Who the two sides of a session are to each other: the account's credentials and the nonces of the day.

use crate::dm::auth::{self, HmacCredentials, NonceKey, Scheme};
use crate::dm::dmacc::{AppAuth, DmAcc, keyed_digest};
use crate::dm::syncml::{Chal, Cred};
use crate::dm::tree::Tree;
use crate::dm::trigger::{NonceUsed, RESYNC_NONCE, TriggerDigest};
use crate::dm::wire::Envelope;
use crate::ids::ServerId;

/// The nonces with one server, once they have moved on from those in its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonces {
    pub server: ServerId,
    /// Which nonces in the account these have come from: if that has been written anew, they are void.
    origin: u64,
    /// How many nonces the device has given to the server.
    given: u32,
    /// The nonce that the server gave last.
    taken: Option<Box<[u8]>>,
}

/// Both sides' credentials in one session.
#[derive(Debug)]
pub struct Credentials {
    pub address: String,
    server_id: ServerId,
    client: Party,
    server: Party,
    origin: u64,
    given: u32,
    /// The nonce in the account for the server, before the device has given any.
    first_server_nonce: Vec<u8>,
    taken: Option<Box<[u8]>>,
    client_nonce: Vec<u8>,
    server_nonce: Vec<u8>,
}

/// One side. Holds a secret, so it shows nothing of it.
struct Party {
    scheme: Scheme,
    name: String,
    secret: String,
}

/// What a message of the server says about who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Good,
    Missing,
    Wrong,
}

impl Credentials {
    /// The credentials of a server's account; `None` without an account, or without an address in it.
    pub fn load(tree: &Tree, server: &ServerId, nonces: &[Nonces]) -> Option<Credentials> {
        let account = DmAcc::read(tree, &tree.account_of(server)?).ok()?;
        let address = account.address()?.to_owned();
        let preferred = |auth: &&AppAuth| auth.level == "CLCRED" && Some(&auth.kind) == account.auth_pref.as_ref();
        let client = account.auth.iter().find(preferred).or(account.client_auth());
        let own = account.server_auth();
        let data = |auth: Option<&AppAuth>| auth.and_then(|auth| auth.data.clone()).unwrap_or_default();
        let (client_data, server_data) = (data(client), data(own));
        let digest = keyed_digest(0, &[&client_data, &server_data]);
        let origin = u64::from_be_bytes(digest[..8].try_into().expect("eight of sixteen octets"));
        let held = nonces.iter().find(|nonces| nonces.server == *server && nonces.origin == origin);
        let taken = held.and_then(|held| held.taken.clone());
        let client_nonce = taken.as_deref().map_or_else(|| auth::nonce_octets(&client_data), <[u8]>::to_vec);
        let mut credentials = Credentials {
            address,
            server_id: tree.shared(server),
            client: Party::new(client, Scheme::None, ""),
            // Credentials of a kind this device does not know must not let anybody in: MD5 is asked for instead.
            server: Party::new(own, if own.is_some() { Scheme::Md5 } else { Scheme::None }, server.as_str()),
            origin,
            given: held.map_or(0, |held| held.given),
            first_server_nonce: auth::nonce_octets(&server_data),
            taken,
            client_nonce,
            server_nonce: Vec::new(),
        };
        credentials.server_nonce = credentials.nonce_given(credentials.given);
        Some(credentials)
    }

    /// Writes the nonces down for the next session; those still in the account need no room.
    pub fn save(&self, nonces: &mut Vec<Nonces>) {
        nonces.retain(|nonces| nonces.server != self.server_id);
        if self.given > 0 || self.taken.is_some() {
            let (origin, given, taken) = (self.origin, self.given, self.taken.clone());
            nonces.push(Nonces { server: self.server_id.clone(), origin, given, taken });
        }
    }

    /// With which nonce a trigger was signed: the present one, the one before (a server may have missed the last), or
    /// the one to fall back on; `None` if with none of them.
    pub fn trigger_nonce(&self, digest: &TriggerDigest) -> Option<NonceUsed> {
        let verify = |nonce: &[u8]| digest.verify(self.server_id.as_str(), &self.server.secret, nonce);
        let before = self.given.checked_sub(1).map(|given| self.nonce_given(given));
        match verify(&self.server_nonce) {
            Some(used) => Some(used),
            None => before.and_then(|nonce| verify(&nonce)),
        }
    }

    /// After a trigger on the nonce to fall back on, both sides go by it until they are challenged (Notification 1.2).
    pub fn resync(&mut self) {
        self.client_nonce = RESYNC_NONCE.to_vec();
        self.server_nonce = RESYNC_NONCE.to_vec();
    }

    /// The user name that goes with the credentials, where they need one beside them (RepPro 1.2).
    pub fn user(&self) -> Option<&str> {
        self.client.scheme.uses_nonce().then_some(self.client.name.as_str())
    }

    /// What the device puts into its header.
    pub fn cred(&self) -> Option<Cred> {
        auth::cred(self.client.scheme, &self.client.name, &self.client.secret, &self.client_nonce)
    }

    /// What the device signs its message with.
    pub fn seal(&self) -> Option<HmacCredentials> {
        let Party { scheme, name, secret, .. } = &self.client;
        (*scheme == Scheme::Hmac).then(|| HmacCredentials {
            name: name.clone(),
            secret: secret.clone(),
            nonce: self.client_nonce.clone(),
        })
    }

    /// Takes what the server asks for: another scheme, another nonce. False if the device cannot do it.
    pub fn take_challenge(&mut self, chal: &Chal) -> bool {
        let Some(scheme) = Scheme::from_syncml_type(&chal.scheme) else { return false };
        self.client.scheme = scheme;
        self.take_nonce(chal);
        true
    }

    /// Takes the nonce for the next message or session.
    pub fn take_nonce(&mut self, chal: &Chal) {
        if let Some(next) = &chal.next_nonce {
            self.client_nonce = auth::nonce_octets(next);
            self.taken = Some(self.client_nonce.clone().into_boxed_slice());
        }
    }

    /// Whether every message of the server has to prove itself anew.
    pub fn is_hmac(&self) -> bool {
        self.server.scheme == Scheme::Hmac
    }

    /// Checks who sent a message.
    pub fn check(&self, envelope: &Envelope) -> Proof {
        let Party { scheme, name, secret, .. } = &self.server;
        let is_good = match scheme {
            Scheme::None => return Proof::Good,
            Scheme::Basic | Scheme::Md5 => {
                let cred = envelope.message.header.cred.as_ref();
                cred.map(|cred| auth::proves(cred, *scheme, name, secret, &self.server_nonce))
            }
            Scheme::Hmac => envelope.hmac.as_ref().map(|claim| claim.holds(name, secret, &self.server_nonce)),
        };
        match is_good {
            Some(true) => Proof::Good,
            Some(false) => Proof::Wrong,
            None => Proof::Missing,
        }
    }

    /// Whether the server's credentials need a fresh nonce each time.
    pub fn server_uses_nonce(&self) -> bool {
        self.server.scheme.uses_nonce()
    }

    /// Gives the server a new nonce, and the scheme it is for.
    pub fn challenge(&mut self) -> Option<Chal> {
        if self.server.scheme.uses_nonce() {
            self.given = self.given.wrapping_add(1);
            self.server_nonce = self.nonce_given(self.given);
        }
        auth::chal(self.server.scheme, &self.server_nonce)
    }

    fn nonce_given(&self, number: u32) -> Vec<u8> {
        match number {
            0 => self.first_server_nonce.clone(),
            // The first nonce takes part, so that a renewed account never sees the old ones again.
            _ => {
                let key = NonceKey::new(&format!("{:x}", self.origin), &self.server.secret);
                auth::nonce(&key, number.into()).to_vec()
            }
        }
    }
}

impl Party {
    /// A side as the account has it. `unknown` is its scheme where the account's is none this device speaks.
    fn new(auth: Option<&AppAuth>, unknown: Scheme, name: &str) -> Party {
        Party {
            scheme: auth.and_then(|auth| Scheme::from_dmacc_type(&auth.kind)).unwrap_or(unknown),
            name: auth.and_then(|auth| auth.name.clone()).unwrap_or_else(|| name.to_owned()),
            secret: auth.and_then(|auth| auth.secret.clone()).unwrap_or_default(),
        }
    }
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Party").field("scheme", &self.scheme).field("name", &self.name).finish_non_exhaustive()
    }
}
