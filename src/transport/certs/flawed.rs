//! Identities that should not do, made in memory for those who test whether they are refused; no file is written.

use std::time::{Duration, SystemTime};

use rcgen::KeyPair;

use super::making;
use super::{CA, CertError, CertificateFolder, Pair, checking};
use crate::clock::wall_now;
use crate::transport::tls::Identity;

/// What is wrong with a certificate; all else about it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Another CA signed it, which nobody trusts.
    WrongCa,
    /// Its time is over.
    Expired,
    /// Its time has not come. In TLS, a peer that refuses it says the same as of one that has expired.
    NotYetValid,
    /// It is made out to [`WRONG_NAME`]. A door lets it in: whose it is, is for the handler to ask.
    WrongName,
}

/// The host name in a certificate with [`Flaw::WrongName`]; no party can bear it (RFC 2606).
pub const WRONG_NAME: &str = "wrong-name.invalid";

/// Far enough from now that no clock is in doubt.
const FAR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl CertificateFolder {
    /// An identity of this party that has one flaw. Each call makes another.
    pub fn flawed(&self, name: &str, flaw: Flaw) -> Result<Identity, CertError> {
        let ca = Pair::of(self.path(), CA);
        let authority = match flaw {
            Flaw::WrongCa => making::key()?,
            Flaw::Expired | Flaw::NotYetValid | Flaw::WrongName => {
                let authority = ca.signing_key()?;
                checking::fits(&ca, &self.ca)?;
                authority
            }
        };
        let (now, until) = (wall_now(), checking::not_after(&ca.certificate, &self.ca)?);
        let (now, until) = match flaw {
            Flaw::Expired => (now - FAR, now - FAR / 2),
            Flaw::NotYetValid => (now + FAR, until.max(now + FAR * 2)),
            Flaw::WrongCa | Flaw::WrongName => (now, until),
        };
        let written = if flaw == Flaw::WrongName { WRONG_NAME } else { name };
        in_memory(written, authority, now, until)
    }
}

fn in_memory(name: &str, authority: KeyPair, now: SystemTime, until: SystemTime) -> Result<Identity, CertError> {
    let key = making::key()?;
    let certificate = making::identity(&[name], &key, authority, now, until)?;
    Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
        .map_err(|problem| CertError::Making { name: name.to_string(), problem: problem.to_string() })
}
