//! Reads certificates and says what is wrong with them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, TrustAnchor, UnixTime};
use rustls::sign::CertifiedKey;
use webpki::{EndEntityCert, KeyUsage};

use super::{CertError, Pair};
use crate::transport::tls::{PeerNames, provider};

/// The certificate in a PEM file, and the host names in it.
pub(super) fn read_certificate(path: &Path) -> Result<(CertificateDer<'static>, PeerNames), CertError> {
    let unreadable =
        |found: String| CertError::Unreadable { path: path.to_path_buf(), expected: "a certificate", found };
    let pem = fs::read(path).map_err(|problem| closed(path, problem))?;
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|problem| unreadable(found(problem)))?;
    let names = PeerNames::of(&certificate).map_err(|problem| unreadable(problem.to_string()))?;
    Ok((certificate, names))
}

/// The text of the key file of a pair.
pub(super) fn read_key_text(pair: &Pair) -> Result<String, CertError> {
    fs::read_to_string(&pair.key).map_err(|problem| match problem.kind() {
        std::io::ErrorKind::NotFound => CertError::KeyMissing { path: pair.certificate.clone(), key: pair.key.clone() },
        std::io::ErrorKind::InvalidData => {
            let found = "something that is not text".to_owned();
            CertError::Unreadable { path: pair.key.clone(), expected: "a private key", found }
        }
        _ => closed(&pair.key, problem),
    })
}

/// A file that the system does not let us read: it may be a good one, so nobody is told to delete it.
fn closed(path: &Path, problem: std::io::Error) -> CertError {
    CertError::Closed { path: path.to_path_buf(), problem }
}

/// What is in a file that is not PEM.
fn found(problem: pem::Error) -> String {
    match problem {
        pem::Error::NoItemsFound => "none in it".to_owned(),
        other => other.to_string(),
    }
}

/// The certificate together with its key, which must be the one it was made for.
pub(super) fn certified(pair: &Pair, certificate: &CertificateDer<'static>) -> Result<Arc<CertifiedKey>, CertError> {
    let unreadable = |found: String| CertError::Unreadable { path: pair.key.clone(), expected: "a private key", found };
    let key = PrivateKeyDer::from_pem_slice(read_key_text(pair)?.as_bytes()).map_err(|e| unreadable(found(e)))?;
    match CertifiedKey::from_der(vec![certificate.clone()], key, &provider()) {
        Ok(certified) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(CertError::KeyMismatch { path: pair.certificate.clone(), key: pair.key.clone() })
        }
        Err(problem) => Err(unreadable(problem.to_string())),
    }
}

/// Whether the key of a pair is that of its certificate.
pub(super) fn fits(pair: &Pair, certificate: &CertificateDer<'static>) -> Result<(), CertError> {
    certified(pair, certificate).map(drop)
}

/// Whether a certificate is valid at this time.
pub(super) fn in_time(path: &Path, certificate: &CertificateDer<'_>, now: SystemTime) -> Result<(), CertError> {
    let path = || path.to_path_buf();
    match verify(certificate, &[], unix(now), KeyUsage::server_auth()) {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Err(CertError::Expired { path: path(), not_after: system(not_after) })
        }
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => {
            Err(CertError::NotYetValid { path: path(), not_before: system(not_before) })
        }
        // Nothing else is asked here: without a root to trust, the chain cannot verify.
        _ => Ok(()),
    }
}

/// When the time of a certificate is over: verified at the end of all time, it says when it expired.
pub(super) fn not_after(path: &Path, certificate: &CertificateDer<'_>) -> Result<SystemTime, CertError> {
    let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    match verify(certificate, &[], end_of_time, KeyUsage::server_auth()) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Ok(system(not_after)),
        other => Err(CertError::Unreadable {
            path: path.to_path_buf(),
            expected: "a certificate with an end",
            found: format!("{other:?}"),
        }),
    }
}

/// Whether this CA signed the certificate, for TLS servers and TLS clients.
pub(super) fn signed_by(
    path: &Path,
    certificate: &CertificateDer<'_>,
    ca_path: &Path,
    ca: &CertificateDer<'_>,
    now: SystemTime,
) -> Result<(), CertError> {
    let not_ours = |problem: webpki::Error| CertError::NotOurs {
        path: path.to_path_buf(),
        ca: ca_path.to_path_buf(),
        found: problem.to_string(),
    };
    let anchor = webpki::anchor_from_trusted_cert(ca).map_err(not_ours)?;
    let anchors = [anchor];
    verify(certificate, &anchors, unix(now), KeyUsage::server_auth()).map_err(not_ours)?;
    verify(certificate, &anchors, unix(now), KeyUsage::client_auth()).map_err(not_ours)
}

/// SHA-256 of a certificate, as `ab:cd:...`.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    sha256(certificate).iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// SHA-256 as the TLS library computes it.
pub(super) fn sha256(octets: &[u8]) -> Vec<u8> {
    let suite = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite.tls13().expect("a suite of TLS 1.3").common.hash_provider.hash(octets);
    hash.as_ref().to_vec()
}

fn verify(
    certificate: &CertificateDer<'_>,
    anchors: &[TrustAnchor<'_>],
    time: UnixTime,
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    let algorithms = provider().signature_verification_algorithms.all;
    let certificate = EndEntityCert::try_from(certificate)?;
    certificate.verify_for_usage(algorithms, anchors, &[], time, usage, None, None).map(drop)
}

fn unix(time: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn system(time: UnixTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.as_secs())
}
