//! What another CA has issued: certificates to trust, and an identity to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{CertError, CertificateFolder};
use crate::transport::tls::Identity;

impl CertificateFolder {
    /// The same folder, where the certificates of these files are trusted besides its own CA.
    ///
    /// # Errors
    /// [`CertError::Foreign`] for a file that cannot be read, or holds no certificate in PEM.
    pub fn trusting<'p>(self, files: impl IntoIterator<Item = &'p Path>) -> Result<CertificateFolder, CertError> {
        let mut roots = RootCertStore::clone(&self.roots);
        for path in files {
            let text = read(path)?;
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|problem| refused(path, &problem))?;
                roots.add(certificate).map_err(|problem| refused(path, &problem))?;
            }
            if roots.len() == before {
                return Err(refused(path, &"it holds no certificate in PEM"));
            }
        }
        Ok(CertificateFolder { roots: Arc::new(roots), ..self })
    }
}

/// The identity of a certificate (a chain, its own first) and its key, both in PEM.
///
/// # Errors
/// [`CertError::Foreign`] for what cannot be read, and for a key of another certificate.
pub fn identity_of(certificate: &Path, key: &Path) -> Result<Identity, CertError> {
    let (chain, secret) = (read(certificate)?, read(key)?);
    Identity::from_pem(&chain, &secret).map_err(|problem| refused(certificate, &problem))
}

fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    fs::read(path).map_err(|problem| refused(path, &problem))
}

fn refused(path: &Path, problem: &dyn std::fmt::Display) -> CertError {
    CertError::Foreign { path: PathBuf::from(path), problem: problem.to_string() }
}
