//! The certificates of devices: made when one is needed, from the CA and the id of the device, and never written to a file.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::hmac;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateRevocationListDer, PrivateKeyDer, PrivateSec1KeyDer};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::{CA, CertError, CertificateFolder, Pair, checking, making};
use crate::clock::wall_now;
use crate::transport::tls::{Identity, PeerNames, provider};

/// What was said about a certificate is said long before it is looked at.
const FAR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes identities of devices. What it makes for a device has the same key and the same name each time.
pub struct DeviceIssuer {
    authority: Issuer<'static, KeyPair>,
    /// Of a CA that nobody trusts.
    stranger: Issuer<'static, KeyPair>,
    /// What keys are derived with.
    secret: hmac::Key,
    /// When the time of the CA is over.
    until: SystemTime,
}

/// How a device stands with those who look at its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is wrong; or it has been revoked, which only a [`Revocations`] tells.
    Good,
    Expired,
    WrongCa,
}

/// Certificates that the CA has taken back.
#[derive(Debug, Clone)]
pub struct Revocations(CertificateRevocationListDer<'static>);

impl CertificateFolder {
    /// One who makes identities of devices with this folder's CA.
    ///
    /// # Errors
    /// [`CertError`] when its key cannot be used.
    pub fn device_issuer(&self) -> Result<DeviceIssuer, CertError> {
        let ca = Pair::of(self.path(), CA);
        let key = ca.signing_key()?;
        checking::fits(&ca, &self.ca)?;
        Ok(DeviceIssuer {
            secret: hmac::Key::new(hmac::HMAC_SHA256, key.serialized_der()),
            authority: making::issuer(key),
            stranger: making::issuer(making::key()?),
            until: checking::not_after(&ca.certificate, &self.ca)?,
        })
    }
}

impl DeviceIssuer {
    /// The identity of the device of this id, with this serial number.
    ///
    /// # Errors
    /// [`CertError`] when the id cannot stand in a certificate.
    pub fn identity(&self, id: &str, serial: u64, standing: Standing) -> Result<Identity, CertError> {
        let failed = |problem: String| CertError::Making { name: id.to_owned(), problem };
        let sec1 = self.key(id).map_err(failed)?;
        let key = PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(sec1));
        let pair = KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)
            .map_err(|error| failed(error.to_string()))?;
        let mut params = CertificateParams::default();
        let uri = id.try_into().map_err(|error: rcgen::Error| failed(error.to_string()))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.distinguished_name = making::distinguished_name(id);
        params.serial_number = Some(SerialNumber::from(serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let now = wall_now();
        let (from, until) = match standing {
            Standing::Expired => (now - FAR, now - FAR / 2),
            Standing::Good | Standing::WrongCa => (now - FAR, self.until),
        };
        (params.not_before, params.not_after) = (OffsetDateTime::from(from), OffsetDateTime::from(until));
        let issuer = if standing == Standing::WrongCa { &self.stranger } else { &self.authority };
        let certificate = params.signed_by(&pair, issuer).map_err(|error| failed(error.to_string()))?;
        let names = PeerNames::of(certificate.der()).map_err(|error| failed(error.to_string()))?;
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], key, &provider());
        Ok(Identity::new(Arc::new(certified.map_err(|error| failed(error.to_string()))?), names))
    }

    /// Takes back the certificates with these serial numbers.
    ///
    /// # Errors
    /// [`CertError`] when the certificate library refuses.
    pub fn revoke(&self, serials: impl Iterator<Item = u64>) -> Result<Revocations, CertError> {
        let now = OffsetDateTime::from(wall_now());
        let revoked = |serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: now - FAR,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: now - FAR,
            next_update: OffsetDateTime::from(self.until),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&self.authority);
        let signed =
            signed.map_err(|error| CertError::Making { name: "revocations".to_owned(), problem: error.to_string() });
        Ok(Revocations(signed?.into()))
    }

    /// The private key of a device as SEC 1 (RFC 5915) has it: derived from the CA's key, so that whoever has the folder
    /// has the keys of all its devices, and nobody else.
    fn key(&self, id: &str) -> Result<Vec<u8>, String> {
        // About one of 2^32 numbers is no private key of P-256: then the next one is taken.
        for round in 0..=u8::MAX {
            let text = [&b"device key "[..], &[round], id.as_bytes()].concat();
            let scalar = hmac::sign(&self.secret, &text);
            let Ok(key) = PrivateKey::from_private_key(&ECDH_P256, scalar.as_ref()) else { continue };
            let point = key.compute_public_key().map_err(|error| error.to_string())?;
            // SEQUENCE { INTEGER 1, OCTET STRING key, [0] OBJECT IDENTIFIER prime256v1, [1] BIT STRING point }
            let head = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
            let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
            let before_point = [0xa1, 0x44, 0x03, 0x42, 0x00];
            return Ok([&head[..], scalar.as_ref(), &curve, &before_point, point.as_ref()].concat());
        }
        Err("no private key could be derived".to_owned())
    }
}

impl Revocations {
    pub(in crate::transport) fn list(&self) -> CertificateRevocationListDer<'static> {
        self.0.clone()
    }
}
