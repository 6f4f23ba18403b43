//! Credentials of OMA DM: basic, MD5 and HMAC, the nonces they are built on, and challenges.
//!
//! Every formula is a pure function. H is MD5 with its sixteen raw octets, B64 is base64; the HMAC of SyncML is not the
//! one of RFC 2104.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest, Md5};

use crate::dm::syncml::{Chal, Cred};

/// The name of the HTTP header that carries an HMAC.
pub const HMAC_HEADER: &str = "x-syncml-hmac";

/// How one side of a session proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// It does not, or TLS does it: `TRANSPORT` in a DMAcc.
    None,
    Basic,
    Md5,
    Hmac,
}

impl Scheme {
    /// `Meta/Type` of a Cred or Chal; `None` has none.
    pub fn syncml_type(self) -> Option<&'static str> {
        match self {
            Scheme::None => None,
            Scheme::Basic => Some("syncml:auth-basic"),
            Scheme::Md5 => Some("syncml:auth-md5"),
            Scheme::Hmac => Some("syncml:auth-MAC"),
        }
    }

    /// Reads a `Meta/Type`. Case does not matter.
    pub fn from_syncml_type(text: &str) -> Option<Scheme> {
        [Scheme::Basic, Scheme::Md5, Scheme::Hmac]
            .into_iter()
            .find(|scheme| scheme.syncml_type().is_some_and(|name| name.eq_ignore_ascii_case(text)))
    }

    /// `AAuthType` of a DMAcc.
    pub fn dmacc_type(self) -> &'static str {
        match self {
            Scheme::None => "TRANSPORT",
            Scheme::Basic => "BASIC",
            Scheme::Md5 => "DIGEST",
            Scheme::Hmac => "HMAC",
        }
    }

    /// Reads an `AAuthType`; `None` for one that this program does not speak.
    pub fn from_dmacc_type(text: &str) -> Option<Scheme> {
        [Scheme::None, Scheme::Basic, Scheme::Md5, Scheme::Hmac]
            .into_iter()
            .find(|scheme| scheme.dmacc_type().eq_ignore_ascii_case(text))
    }

    /// Whether a proof depends on a nonce.
    pub fn uses_nonce(self) -> bool {
        matches!(self, Scheme::Md5 | Scheme::Hmac)
    }
}

/// The value of a Cred by `syncml:auth-basic`: B64(name:secret).
pub fn basic(name: &str, secret: &str) -> String {
    STANDARD.encode(format!("{name}:{secret}"))
}

/// The value of a Cred by `syncml:auth-md5`: B64(H(B64(H(name:secret)):nonce)), with the nonce's raw octets.
pub fn md5(name: &str, secret: &str, nonce: &[u8]) -> String {
    STANDARD.encode(hash(&[&user_digest(name, secret), b":", nonce]))
}

/// The `mac` by `syncml:auth-MAC`: B64(H(B64(H(name:secret)):nonce:B64(H(body)))).
pub fn hmac(name: &str, secret: &str, nonce: &[u8], body: &BodyDigest) -> String {
    STANDARD.encode(mac_octets(name, secret, nonce, body))
}

/// The sixteen octets under [`hmac`]; package 0 carries them as they are.
pub fn mac_octets(name: &str, secret: &str, nonce: &[u8], body: &BodyDigest) -> [u8; 16] {
    hash(&[&user_digest(name, secret), b":", nonce, b":", &base64_of(&body.0)])
}

/// H(body): all that a MAC needs of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDigest([u8; 16]);

impl BodyDigest {
    /// Of a whole HTTP body, exactly as it travels.
    pub fn of(body: &[u8]) -> BodyDigest {
        BodyDigest(hash(&[body]))
    }
}

/// A `Cred` by the given scheme; `None` where the scheme puts none into the message.
pub fn cred(scheme: Scheme, name: &str, secret: &str, nonce: &[u8]) -> Option<Cred> {
    let data = match scheme {
        Scheme::Basic => basic(name, secret),
        Scheme::Md5 => md5(name, secret, nonce),
        Scheme::None | Scheme::Hmac => return None,
    };
    let scheme = scheme.syncml_type()?.to_owned();
    Some(Cred { scheme, format: "b64".to_owned(), data })
}

/// Whether a `Cred` proves the name and the secret by the given scheme.
pub fn proves(cred: &Cred, scheme: Scheme, name: &str, secret: &str, nonce: &[u8]) -> bool {
    Scheme::from_syncml_type(&cred.scheme) == Some(scheme)
        && self::cred(scheme, name, secret, nonce).is_some_and(|expected| expected.data == cred.data)
}

/// A `Chal` that asks for the given scheme, with the nonce to use; `None` where there is nothing to ask for.
pub fn chal(scheme: Scheme, nonce: &[u8]) -> Option<Chal> {
    let name = scheme.syncml_type()?.to_owned();
    let next_nonce = scheme.uses_nonce().then(|| STANDARD.encode(nonce));
    Some(Chal { scheme: name, format: "b64".to_owned(), next_nonce })
}

/// The octets of a `NextNonce` or an `AAuthData`. Decoded once, and only once: what comes out may look like base64
/// again. A text that is no base64 stands for its own octets, as one client in the field takes it.
pub fn nonce_octets(text: &str) -> Vec<u8> {
    LENIENT.decode(text.trim_ascii()).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// The `counter`-th nonce under a key: unforeseeable without the key, and no dice are thrown for it.
pub fn nonce(key: &NonceKey, counter: u64) -> [u8; 16] {
    hash(&[b"nonce", &key.0, &counter.to_be_bytes()])
}

/// What a sequence of nonces is drawn from. Holds the essence of a secret, so it shows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NonceKey([u8; 16]);

impl NonceKey {
    /// The key of one account, from its name and its secret.
    pub fn new(name: &str, secret: &str) -> NonceKey {
        NonceKey(hash(&[b"nonce key:", name.as_bytes(), b":", secret.as_bytes()]))
    }
}

impl std::fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NonceKey")
    }
}

/// What a message is sealed with when the scheme is HMAC.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacCredentials {
    pub name: String,
    pub secret: String,
    pub nonce: Vec<u8>,
}

impl HmacCredentials {
    /// The value of the header that goes with this body.
    pub fn header(&self, body: &[u8]) -> String {
        let mac = hmac(&self.name, &self.secret, &self.nonce, &BodyDigest::of(body));
        format!("algorithm=MD5, username=\"{}\", mac={mac}", self.name)
    }
}

impl std::fmt::Debug for HmacCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HmacCredentials").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the header of a received message claims, with the digest of the body it came with.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacClaim {
    pub username: String,
    mac: String,
    body: BodyDigest,
}

impl HmacClaim {
    /// Reads the header's value: `algorithm` may be left out, `username` may stand without quotes. `None` when it has
    /// no username or mac, or names another algorithm than MD5.
    pub fn read(header: &str, body: &[u8]) -> Option<HmacClaim> {
        let (mut username, mut mac) = (None, None);
        for field in header.split(',') {
            let (name, value) = field.split_once('=')?;
            let value = value.trim_ascii();
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            match name.trim_ascii() {
                name if name.eq_ignore_ascii_case("username") => username = Some(value.to_owned()),
                name if name.eq_ignore_ascii_case("mac") => mac = Some(value.to_owned()),
                name if name.eq_ignore_ascii_case("algorithm") && !value.eq_ignore_ascii_case("MD5") => return None,
                _ => {}
            }
        }
        Some(HmacClaim { username: username?, mac: mac?, body: BodyDigest::of(body) })
    }

    /// Whether the claim holds for this name, secret and nonce.
    pub fn holds(&self, name: &str, secret: &str, nonce: &[u8]) -> bool {
        self.username == name && self.mac == hmac(name, secret, nonce, &self.body)
    }
}

impl std::fmt::Debug for HmacClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HmacClaim").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Base64 with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// B64(H(name:secret)).
fn user_digest(name: &str, secret: &str) -> [u8; 24] {
    base64_of(&hash(&[name.as_bytes(), b":", secret.as_bytes()]))
}

/// Sixteen octets as base64, without an allocation.
fn base64_of(octets: &[u8; 16]) -> [u8; 24] {
    let mut text = [0; 24];
    // Sixteen octets are always twenty-four digits, so this cannot fail.
    let written = STANDARD.encode_slice(octets, &mut text);
    debug_assert_eq!(written, Ok(24));
    text
}

fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Md5::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const BODY: &[u8] = br#"<SyncML xmlns="SYNCML:SYNCML1.2"></SyncML>"#;

    #[test]
    fn basic_is_as_published() {
        assert_eq!(basic("Bruce2", "OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl");
    }

    #[test]
    fn md5_is_as_published_and_as_clients_send_it() {
        #[track_caller]
        fn check(name: &str, secret: &str, nonce: &[u8], expected: &str) {
            assert_eq!(md5(name, secret, nonce), expected);
        }
        check("Bruce2", "OhBehave", b"Nonce", "Zz6EivR3yeaaENcRN6lpAQ==");
        check("dms1.example.test", "s3cret", &NONCE, "44Kk3nYej0peZ+HQaOud7A==");
        // tests/data/real-clients/02_md5_challenge: a client's answer to a challenge, and a server's to the client's.
        check("funambol", "funambol", &nonce_octets("XizattCVx9yjcxrC"), "gBar9bCf4Gk8YgeE8mDA4A==");
        check("funambol", "srvpwd", &nonce_octets("ZEVkblF6Q2NzalE9"), "4lYUoI1vhboKAW00N1Fg5Q==");
    }

    #[test]
    fn hmac_is_a_digest_over_the_body() {
        let expected = "VpgnLLtJH0Bw1VRPsKLhdg==";
        assert_eq!(hmac("dms1.example.test", "s3cret", &NONCE, &BodyDigest::of(BODY)), expected);
        let credentials =
            HmacCredentials { name: "dms1.example.test".into(), secret: "s3cret".into(), nonce: NONCE.into() };
        assert_eq!(
            credentials.header(BODY),
            r#"algorithm=MD5, username="dms1.example.test", mac=VpgnLLtJH0Bw1VRPsKLhdg=="#
        );
    }

    #[test]
    fn an_hmac_header_is_read_with_and_without_quotes() {
        #[track_caller]
        fn check(header: &str, expected: bool) {
            let holds =
                HmacClaim::read(header, BODY).is_some_and(|claim| claim.holds("dms1.example.test", "s3cret", &NONCE));
            assert_eq!(holds, expected, "{header}");
        }
        check(r#"algorithm=MD5, username="dms1.example.test", mac=VpgnLLtJH0Bw1VRPsKLhdg=="#, true);
        check("username=dms1.example.test,mac=VpgnLLtJH0Bw1VRPsKLhdg==", true);
        check(r#"mac="VpgnLLtJH0Bw1VRPsKLhdg==", Username="dms1.example.test""#, true);
        check(r#"algorithm=MD5, username="dms2.example.test", mac=VpgnLLtJH0Bw1VRPsKLhdg=="#, false);
        check(r#"algorithm=MD5, username="dms1.example.test", mac=WpgnLLtJH0Bw1VRPsKLhdg=="#, false);
        check("algorithm=SHA, username=dms1.example.test, mac=VpgnLLtJH0Bw1VRPsKLhdg==", false);
        check("username=dms1.example.test", false);
        check("mac=VpgnLLtJH0Bw1VRPsKLhdg==", false);
        check("nonsense", false);
    }

    #[test]
    fn a_nonce_is_decoded_once() {
        // A client in the field sends nonces that are base64 of base64: only the outer layer is ours to take off.
        assert_eq!(nonce_octets("ZEVkblF6Q2NzalE9"), b"dEdnQzCcsjQ=");
        assert_eq!(nonce_octets("AAECAwQFBgcICQoLDA0ODw=="), NONCE);
        assert_eq!(nonce_octets("AAECAwQFBgcICQoLDA0ODw"), NONCE);
        assert_eq!(nonce_octets("not base64!"), b"not base64!");
    }

    #[test]
    fn nonces_differ_by_key_and_by_counter() {
        let key = NonceKey::new("dms1.example.test", "s3cret");
        assert_eq!(nonce(&key, 7), nonce(&key, 7));
        assert_ne!(nonce(&key, 7), nonce(&key, 8));
        assert_ne!(nonce(&key, 7), nonce(&NonceKey::new("dms1.example.test", "other"), 7));
    }

    #[test]
    fn a_cred_of_another_scheme_proves_nothing() {
        let good = cred(Scheme::Basic, "dev-17", "s3cret", &[]).unwrap();
        assert!(proves(&good, Scheme::Basic, "dev-17", "s3cret", &[]));
        assert!(!proves(&good, Scheme::Md5, "dev-17", "s3cret", &[]));
        assert!(!proves(&good, Scheme::Basic, "dev-17", "s3cret!", &[]));
        assert_eq!(cred(Scheme::Hmac, "dev-17", "s3cret", &NONCE), None);
    }

    #[test]
    fn nothing_secret_shows() {
        let shown = format!(
            "{:?} {:?} {:?} {:?}",
            NonceKey::new("dev-17", "s3cret"),
            HmacCredentials { name: "dev-17".into(), secret: "s3cret".into(), nonce: NONCE.into() },
            HmacClaim::read("username=dev-17, mac=VpgnLLtJH0Bw1VRPsKLhdg==", BODY),
            cred(Scheme::Basic, "dev-17", "s3cret", &[]),
        );
        for secret in ["s3cret", "VpgnL", &basic("dev-17", "s3cret")] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
