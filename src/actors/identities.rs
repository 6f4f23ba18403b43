//! What devices show to those they call: one identity for all of them, or one for each, made when it is first needed.

use crate::ids::{DeviceNumber, device_id};
use crate::seed::Seed;
use crate::transport::certs::{CertError, CertificateFolder, DeviceIssuer, Revocations, Standing};
use crate::transport::tls::{self, ClientIdentity, Handshakes, Identity, Resumption, TlsSetupError, client_config};
use crate::workload::credentials::{Certificates, Credentials, Flaw, Flaws, Versions};

/// How many servers a device keeps tickets of: more than it ever has accounts of.
const TICKETS: usize = 8;

/// The identities of all devices. Shared by all threads.
pub struct Identities {
    folder: CertificateFolder,
    handshakes: Handshakes,
    shown: Shown,
    /// The identity of all of them; `None` where each has its own.
    one: Option<ClientIdentity>,
}

/// Whose certificate a device shows.
enum Shown {
    Nobodys,
    All(Identity),
    Own { issuer: Box<DeviceIssuer>, seed: Seed, flaws: Flaws },
}

/// Why devices cannot have what they should.
#[derive(Debug, thiserror::Error)]
pub enum IdentitiesError {
    #[error(transparent)]
    Certificates(#[from] CertError),
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
}

impl Identities {
    /// Those that credentials ask for, from the CA of a folder; `host`: whose certificate is the shared one.
    ///
    /// # Errors
    /// [`IdentitiesError`] when the folder cannot give it.
    pub fn new(
        folder: &CertificateFolder,
        credentials: Credentials,
        host: &str,
        seed: Seed,
    ) -> Result<Identities, IdentitiesError> {
        let Credentials { certificates, versions, resumption, flaws } = credentials;
        let versions = match versions {
            Versions::Both => tls::Versions::Both,
            Versions::Only12 => tls::Versions::Only12,
            Versions::Only13 => tls::Versions::Only13,
        };
        let handshakes = Handshakes {
            versions,
            resumption: if resumption { Resumption::On { servers: TICKETS } } else { Resumption::Off },
        };
        let shown = match certificates {
            Certificates::None => Shown::Nobodys,
            Certificates::Shared => Shown::All(folder.identity(host, &[])?),
            Certificates::PerDevice => Shown::Own { issuer: Box::new(folder.device_issuer()?), seed, flaws },
        };
        let mut identities = Identities { folder: folder.clone(), handshakes, shown, one: None };
        // Tickets are for the device that was given them.
        if !resumption && certificates != Certificates::PerDevice {
            identities.one = Some(identities.make(DeviceNumber(0))?);
        }
        Ok(identities)
    }

    /// Whether each device has its own, and should hold on to it.
    pub fn are_apart(&self) -> bool {
        self.one.is_none()
    }

    /// What a device shows. Takes a while where each has its own.
    pub fn of(&self, device: DeviceNumber) -> ClientIdentity {
        let make = || self.make(device).expect("a CA that could sign when the run began");
        self.one.clone().unwrap_or_else(make)
    }

    /// The certificates of these devices, from the first one on, that have been taken back; `None` where none could be.
    ///
    /// # Errors
    /// [`IdentitiesError`] when the CA cannot sign the list.
    pub fn revocations(&self, devices: u32) -> Result<Option<Revocations>, IdentitiesError> {
        let Shown::Own { issuer, seed, flaws } = &self.shown else { return Ok(None) };
        if flaws.revoked.fraction() == 0.0 {
            return Ok(None);
        }
        let revoked = (0..devices).map(DeviceNumber).filter(|device| flaws.of(*seed, *device) == Some(Flaw::Revoked));
        Ok(Some(issuer.revoke(revoked.map(serial))?))
    }

    fn make(&self, device: DeviceNumber) -> Result<ClientIdentity, IdentitiesError> {
        let own;
        let identity = match &self.shown {
            Shown::Nobodys => None,
            Shown::All(identity) => Some(identity),
            Shown::Own { issuer, seed, flaws } => {
                let standing = match flaws.of(*seed, device) {
                    None | Some(Flaw::Revoked) => Standing::Good,
                    Some(Flaw::Expired) => Standing::Expired,
                    Some(Flaw::WrongCa) => Standing::WrongCa,
                };
                own = issuer.identity(device_id(device).as_str(), serial(device), standing)?;
                Some(&own)
            }
        };
        Ok(client_config(self.folder.roots(), identity, self.handshakes)?)
    }
}

/// No certificate has the number 0 (RFC 5280, 4.1.2.2).
fn serial(device: DeviceNumber) -> u64 {
    u64::from(device.0) + 1
}
