//! Makes keys and certificates: ECDSA P-256, for TLS servers that are TLS clients too.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::DnsName;
use time::OffsetDateTime;

use super::CertError;
use super::checking::sha256;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a CA is valid.
const AUTHORITY_LASTS: Duration = Duration::from_secs(3_650 * DAY.as_secs());
/// How long an identity is valid.
const IDENTITY_LASTS: Duration = Duration::from_secs(365 * DAY.as_secs());
/// A certificate is valid from this long ago, so that a machine whose clock is behind accepts it.
const BACKDATED: Duration = DAY;

/// A new private key.
pub(super) fn key() -> Result<KeyPair, CertError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|problem| failed("a private key", problem))
}

/// A CA certificate that signs itself.
pub(super) fn authority(key: &KeyPair, now: SystemTime) -> Result<Certificate, CertError> {
    let mut params = authority_params(key);
    params.not_before = OffsetDateTime::from(now - BACKDATED);
    params.not_after = OffsetDateTime::from(now + AUTHORITY_LASTS);
    params.self_signed(key).map_err(|problem| failed("the CA", problem))
}

/// The certificate of a party for all of these names, the first being its own; never valid beyond `until`.
pub(super) fn identity(
    names: &[&str],
    key: &KeyPair,
    authority_key: KeyPair,
    now: SystemTime,
    until: SystemTime,
) -> Result<Certificate, CertError> {
    let mut params = CertificateParams::default();
    for name in names {
        let not_a_name = || CertError::NotAName { name: name.to_string() };
        DnsName::try_from(*name).map_err(|_| not_a_name())?;
        let lower = name.to_ascii_lowercase();
        params.subject_alt_names.push(SanType::DnsName(lower.try_into().map_err(|_| not_a_name())?));
    }
    let name = names.first().copied().unwrap_or_default();
    params.distinguished_name = distinguished_name(name);
    params.not_before = OffsetDateTime::from(now - BACKDATED);
    params.not_after = OffsetDateTime::from(until.min(now + IDENTITY_LASTS));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(key, &issuer(authority_key)).map_err(|problem| failed(name, problem))
}

/// The CA with this key, as one who signs.
pub(super) fn issuer(authority_key: KeyPair) -> Issuer<'static, KeyPair> {
    Issuer::new(authority_params(&authority_key), authority_key)
}

/// What follows from the key of a CA: above all its name, by which identities name their issuer. CAs of other keys have
/// other names, so that a peer can say "unknown CA" and not just "bad signature".
fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let digits: String = sha256(key.public_key_raw()).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    params.distinguished_name = distinguished_name(&format!("dmswarm test CA {digits}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The name in a certificate, which few look at.
pub(super) fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "dmswarm");
    // A common name holds 64 characters at most (RFC 5280, ub-common-name); the subject alternative name is what counts.
    name.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    name
}

fn failed(name: &str, problem: rcgen::Error) -> CertError {
    CertError::Making { name: name.to_string(), problem: problem.to_string() }
}
