//! Who we are, who the peer is, and how the two reach each other.

use std::path::Path;

use crate::ids::ServerNumber;
use crate::run::outside::{self, OutsideError};
use crate::scenario::Scenario;
use crate::transport::certs::{CertError, CertificateFolder, identity_of};
use crate::transport::guard::{Names, Target};
use crate::transport::tls::Identity;

/// Why a scenario is not one of a server and its peer, or the peer cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error(
        "expected one simulated server, us, and found {found}: `conform` plays one server; leave the others out, or make them \
         `external`"
    )]
    NotOneOfUs { found: usize },
    #[error(
        "expected one external server, the peer, and found {found}: give the server that is to be tried an `external` with its \
         `url`, and leave others out"
    )]
    NotOnePeer { found: usize },
    #[error(
        "the devices of `conform` are its own, and this file has them `external`: leave `external` out of [population]"
    )]
    DevicesElsewhere,
    #[error(transparent)]
    Certificates(#[from] CertError),
    #[error(transparent)]
    Outside(#[from] OutsideError),
}

/// The two.
pub struct Pair {
    pub us: ServerNumber,
    pub peer: ServerNumber,
    /// Where the peer takes messages, where devices connect to it, where its operator is.
    pub url: String,
    pub device_url: String,
    pub operator: Option<String>,
    /// What we show to the peer, where it is not of our own CA.
    pub identity: Option<Identity>,
    /// With whom we trust.
    pub folder: CertificateFolder,
    pub names: Names,
}

impl Pair {
    /// The two of a scenario; `targets`: what may be called beyond this machine.
    pub fn of(scenario: &Scenario, certs: &Path, targets: &[Target]) -> Result<Pair, PairError> {
        let numbered = || (0..).map(ServerNumber).zip(&scenario.servers);
        let ours: Vec<_> = numbered().filter(|(_, server)| server.external.is_none()).collect();
        let theirs: Vec<_> =
            numbered().filter_map(|(number, server)| Some((number, server.external.as_ref()?))).collect();
        let &[(us, own)] = &ours[..] else { return Err(PairError::NotOneOfUs { found: ours.len() }) };
        let &[(peer, external)] = &theirs[..] else { return Err(PairError::NotOnePeer { found: theirs.len() }) };
        if scenario.external_devices.is_some() {
            return Err(PairError::DevicesElsewhere);
        }
        let folder = outside::certificates(scenario, certs)?;
        let here = std::net::IpAddr::from([127, 0, 0, 1]);
        let names = outside::names(scenario, std::iter::once((own.host.as_str(), here)), targets)?;
        let shown = external.shown.as_ref();
        Ok(Pair {
            us,
            peer,
            url: external.interface.url.to_string(),
            device_url: external.devices.as_ref().map_or_else(String::new, ToString::to_string),
            operator: external.operator.as_ref().map(ToString::to_string),
            identity: shown.map(|(certificate, key)| identity_of(certificate, key)).transpose()?,
            folder,
            names,
        })
    }

    /// A certificate that only its flaw makes unfit: that takes a CA which the peer trusts.
    pub fn can_sign(&self, made: Result<Identity, String>) -> Result<Identity, String> {
        match &self.identity {
            None => made,
            Some(_) => {
                Err("the file names the certificate that we show, so that the peer does not know our own CA".into())
            }
        }
    }
}
