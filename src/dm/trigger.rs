//! Package 0: "call me", in the binary form of DM 1.2. The form of DM 1.3 is not built.
//!
//! Sixteen octets of digest, then the trigger: eight octets of fixed fields, the server id, vendor octets.

use crate::dm::auth::{self, BodyDigest};
use crate::ids::ServerId;

/// The nonce a device falls back on when the two sides have lost step.
pub const RESYNC_NONCE: [u8; 4] = [0; 4];

/// A server's wish that a device opens a session with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub ui_mode: UiMode,
    pub initiator: Initiator,
    /// The session to open; in SyncML as [`Trigger::session_text`].
    pub session_id: u16,
    /// At most 255 octets.
    pub server: ServerId,
    pub vendor: Vec<u8>,
}

/// How much the device's user is to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UiMode {
    NotSpecified,
    Background,
    Informative,
    UserInteraction,
}

/// Who wanted the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    Client,
    Server,
}

/// What the ten version bits say. Both are in use for DM 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// What the specification says.
    #[default]
    V11,
    /// What some servers in the field send.
    V12,
}

/// The digest of a received trigger, with what is needed to check it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerDigest {
    digest: [u8; 16],
    trigger: BodyDigest,
}

/// With which nonce a digest turned out to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceUsed {
    Given,
    /// [`RESYNC_NONCE`]: the session's first credentials go by it as well.
    Resync,
}

/// Why octets are not a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TriggerError {
    #[error("{found} octets, expected at least {expected}")]
    TooShort { expected: usize, found: usize },
    #[error("version {found}, expected 11 or 12")]
    UnknownVersion { found: u16 },
    #[error("the server id is empty or not UTF-8")]
    BadServerId,
    #[error("session id 0; it has to be 1 to FFFF")]
    NoSession,
}

impl Version {
    fn bits(self) -> u64 {
        match self {
            Version::V11 => 11,
            Version::V12 => 12,
        }
    }
}

impl Trigger {
    /// A plain trigger by the server itself.
    pub fn new(server: ServerId, session_id: u16) -> Trigger {
        let (ui_mode, initiator) = (UiMode::Background, Initiator::Server);
        Trigger { ui_mode, initiator, session_id, server, vendor: Vec::new() }
    }

    /// The SessionID of the session it opens: upper-case hexadecimal without leading zeros.
    pub fn session_text(&self) -> String {
        format!("{:X}", self.session_id)
    }

    /// The octets to send. `secret` and `nonce` are those of the server's credentials on the device; the name in the
    /// digest is the server id. A server id is cut off at 255 octets, since its length has one octet.
    pub fn write(&self, version: Version, secret: &str, nonce: &[u8]) -> Vec<u8> {
        let server = self.server.as_str().as_bytes();
        let server = &server[..server.len().min(usize::from(u8::MAX))];
        let word = version.bits() << 54
            | (self.ui_mode as u64) << 52
            | (self.initiator as u64) << 51
            | u64::from(self.session_id) << 8
            | server.len() as u64;
        let mut octets = vec![0; DIGEST];
        octets.extend_from_slice(&word.to_be_bytes());
        octets.extend_from_slice(server);
        octets.extend_from_slice(&self.vendor);
        let trigger = BodyDigest::of(&octets[DIGEST..]);
        octets[..DIGEST].copy_from_slice(&auth::mac_octets(self.server.as_str(), secret, nonce, &trigger));
        octets
    }

    /// Reads a trigger; its digest has still to be verified.
    ///
    /// # Errors
    /// Too short, of another version, without a session or a server.
    pub fn read(octets: &[u8]) -> Result<(Trigger, TriggerDigest), TriggerError> {
        let too_short = |expected| TriggerError::TooShort { expected, found: octets.len() };
        let (digest, trigger) = octets.split_first_chunk::<DIGEST>().ok_or(too_short(DIGEST + FIXED))?;
        let (word, rest) = trigger.split_first_chunk::<FIXED>().ok_or(too_short(DIGEST + FIXED))?;
        let word = u64::from_be_bytes(*word);
        let version = (word >> 54) as u16;
        if !matches!(version, 11 | 12) {
            return Err(TriggerError::UnknownVersion { found: version });
        }
        let length = usize::from(word as u8);
        let (server, vendor) = rest.split_at_checked(length).ok_or(too_short(DIGEST + FIXED + length))?;
        let server = std::str::from_utf8(server).map_err(|_| TriggerError::BadServerId)?;
        if server.is_empty() {
            return Err(TriggerError::BadServerId);
        }
        let session_id = (word >> 8) as u16;
        if session_id == 0 {
            return Err(TriggerError::NoSession);
        }
        let ui_mode = match word >> 52 & 0b11 {
            0 => UiMode::NotSpecified,
            1 => UiMode::Background,
            2 => UiMode::Informative,
            _ => UiMode::UserInteraction,
        };
        let initiator = if word >> 51 & 1 == 1 { Initiator::Server } else { Initiator::Client };
        let read = Trigger { ui_mode, initiator, session_id, server: ServerId::new(server), vendor: vendor.to_vec() };
        Ok((read, TriggerDigest { digest: *digest, trigger: BodyDigest::of(trigger) }))
    }
}

impl TriggerDigest {
    /// Whether the digest is that of this name and secret, with the given nonce or else with [`RESYNC_NONCE`].
    pub fn verify(&self, name: &str, secret: &str, nonce: &[u8]) -> Option<NonceUsed> {
        let fits = |nonce: &[u8]| auth::mac_octets(name, secret, nonce, &self.trigger) == self.digest;
        if fits(nonce) { Some(NonceUsed::Given) } else { fits(&RESYNC_NONCE).then_some(NonceUsed::Resync) }
    }
}

/// Octets of the digest.
const DIGEST: usize = 16;
/// Octets from the version to the length of the server id.
const FIXED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// Of DM 1.2's own form: version 11.
    const BY_THE_BOOK: &str = "376393c93b987b84a4abfdd79d64929f02d80000001a2b11646d73322e6578616d706c652e74657374";
    /// As a server in the field wrote it, and a client in the field took it: version 12.
    const IN_THE_FIELD: &str = "572d4bea2911557e73d121e050b35fbf032800000012340866756e616d626f6c";

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[track_caller]
    fn check(hex: &str, trigger: &Trigger, version: Version, secret: &str, nonce: &[u8]) {
        assert_eq!(trigger.write(version, secret, nonce), octets(hex));
        let (read, digest) = Trigger::read(&octets(hex)).unwrap();
        assert_eq!(&read, trigger);
        let name = trigger.server.as_str();
        assert_eq!(digest.verify(name, secret, nonce), Some(NonceUsed::Given));
        assert_eq!(digest.verify(name, "wrong", nonce), None);
        assert_eq!(digest.verify(name, secret, b"another"), None);
    }

    #[test]
    fn both_vectors_are_written_and_read() {
        let nonce: Vec<u8> = (0..16).collect();
        check(BY_THE_BOOK, &Trigger::new(ServerId::new("dms2.example.test"), 0x1A2B), Version::V11, "pw2", &nonce);
        let informative = Trigger { ui_mode: UiMode::Informative, ..Trigger::new(ServerId::new("funambol"), 0x1234) };
        check(IN_THE_FIELD, &informative, Version::V12, "srvpwd", b"123");
    }

    #[test]
    fn the_session_is_hexadecimal_without_leading_zeros() {
        let text = |id| Trigger::new(ServerId::new("dms2.example.test"), id).session_text();
        assert_eq!([text(0x1A2B), text(0xB), text(0xFFFF)], ["1A2B", "B", "FFFF"]);
    }

    #[test]
    fn a_device_out_of_step_is_reached_by_the_resync_nonce() {
        let octets = Trigger::new(ServerId::new("dms2.example.test"), 1).write(Version::V11, "pw2", &RESYNC_NONCE);
        let (_, digest) = Trigger::read(&octets).unwrap();
        assert_eq!(digest.verify("dms2.example.test", "pw2", b"stale"), Some(NonceUsed::Resync));
    }

    #[test]
    fn what_is_no_trigger_is_refused_and_nothing_panics() {
        #[track_caller]
        fn check(octets: &[u8], expected: TriggerError) {
            assert_eq!(Trigger::read(octets), Err(expected));
        }
        let good = octets(BY_THE_BOOK);
        check(&[], TriggerError::TooShort { expected: 24, found: 0 });
        check(&good[..23], TriggerError::TooShort { expected: 24, found: 23 });
        check(&good[..40], TriggerError::TooShort { expected: 41, found: 40 });
        let with = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            octets
        };
        check(&with(16, 0x04), TriggerError::UnknownVersion { found: 19 });
        check(&with(23, 0), TriggerError::BadServerId);
        check(&with(24, 0xff), TriggerError::BadServerId);
        let mut sessionless = with(21, 0);
        sessionless[22] = 0;
        check(&sessionless, TriggerError::NoSession);
    }
}
