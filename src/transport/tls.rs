//! TLS settings: who we are, whom we trust, what the peer must show. Verification is never switched off.

use std::sync::{Arc, LazyLock};

use rustls::client::ClientSessionMemoryCache;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::transport::certs::Revocations;

/// HTTP/1.1 is what both sides speak.
const ALPN: &[u8] = b"http/1.1";

/// The one cryptography provider of the process; given everywhere, never installed as a process default.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    PROVIDER.clone()
}

/// Settings that rustls refused, e.g. an empty set of roots.
#[derive(Debug, thiserror::Error)]
#[error("TLS could not be set up: {0}")]
pub struct TlsSetupError(String);

/// A certificate with its private key. Cloning one copies no key.
#[derive(Debug, Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    names: PeerNames,
}

impl Identity {
    pub(super) fn new(certified: Arc<CertifiedKey>, names: PeerNames) -> Identity {
        Identity { certified, names }
    }

    /// An identity that another CA issued: a chain of certificates, its own first, and its key, in PEM. That the key fits is
    /// checked; validity and issuer are the business of the peers that it is shown to.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Identity, TlsSetupError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(refused)?;
        let own = chain.first().ok_or_else(|| refused("there is no certificate in the PEM text"))?;
        let names = PeerNames::of(own).map_err(refused)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(refused)?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(refused)?;
        Ok(Identity::new(Arc::new(certified), names))
    }

    /// The public key, as the certificate has it (SubjectPublicKeyInfo).
    pub fn public_key(&self) -> Option<Vec<u8>> {
        self.certified.key.public_key().map(|key| key.to_vec())
    }

    /// The host names in the certificate.
    pub fn names(&self) -> &PeerNames {
        &self.names
    }
}

/// What a door asks of those who knock. A certificate that is shown is always verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate, no connection: the door for servers.
    Required,
    /// Who shows none comes in without a name: the door for devices.
    Optional,
}

/// Whether a client keeps what it needs to resume a TLS session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resumption {
    /// Every new connection is a full handshake: what many independent devices behind one configuration look like.
    #[default]
    Off,
    /// Tickets are kept for this many server names. Worth it only for a configuration that one party uses alone:
    /// tickets are few and used once.
    On { servers: usize },
}

/// The versions of TLS that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    #[default]
    Both,
    Only12,
    Only13,
}

/// How a client shakes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handshakes {
    pub versions: Versions,
    pub resumption: Resumption,
}

impl From<Resumption> for Handshakes {
    fn from(resumption: Resumption) -> Handshakes {
        Handshakes { resumption, ..Handshakes::default() }
    }
}

static ONLY_12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
static ONLY_13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

impl Versions {
    fn spoken(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Versions::Both => rustls::DEFAULT_VERSIONS,
            Versions::Only12 => ONLY_12,
            Versions::Only13 => ONLY_13,
        }
    }
}

/// The host names (dNSName) in a certificate; for a peer, in the one that TLS verified. Cloning copies no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerNames(Arc<[Box<str>]>);

impl PeerNames {
    /// The names in a certificate, which the caller has verified or is about to verify.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<PeerNames, webpki::Error> {
        let certificate = webpki::EndEntityCert::try_from(certificate)?;
        Ok(PeerNames(certificate.valid_dns_names().map(Box::from).collect()))
    }

    /// Whether the certificate is made out to this name. Case does not matter; a wildcard is not expanded, since a
    /// server identifier must be named itself.
    pub fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|held| held.eq_ignore_ascii_case(name))
    }

    /// The names as they stand in the certificate.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

/// What a caller shows and whom it trusts, ready to dial with. Make it once for each party: calls with clones of one share
/// connections, calls with two that were made apart never do.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    config: Arc<ClientConfig>,
}

impl ClientIdentity {
    pub(super) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Tells identities apart; the same for clones, and only while one of them lives.
    pub(super) fn key(&self) -> usize {
        Arc::as_ptr(&self.config).addr()
    }
}

/// The TLS settings of a door.
pub fn server_config(
    identity: &Identity,
    roots: Arc<RootCertStore>,
    clients: ClientAuth,
) -> Result<Arc<ServerConfig>, TlsSetupError> {
    server_config_with_revocations(identity, roots, clients, None)
}

/// The TLS settings of a door that turns away certificates that were taken back.
pub fn server_config_with_revocations(
    identity: &Identity,
    roots: Arc<RootCertStore>,
    clients: ClientAuth,
    revoked: Option<&Revocations>,
) -> Result<Arc<ServerConfig>, TlsSetupError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let verifier = match revoked {
        // Servers have certificates of the same CA, and are on no list.
        Some(revoked) => verifier.with_crls([revoked.list()]).only_check_end_entity_revocation(),
        None => verifier,
    };
    let verifier = match clients {
        ClientAuth::Required => verifier,
        ClientAuth::Optional => verifier.allow_unauthenticated(),
    };
    let verifier = verifier.build().map_err(refused)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified.clone())));
    // Sessions are remembered by the client, in tickets; one for each connection is enough to come back with.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(refused)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// The TLS settings of a caller, with a certificate to show or without.
pub fn client_config(
    roots: Arc<RootCertStore>,
    identity: Option<&Identity>,
    handshakes: impl Into<Handshakes>,
) -> Result<ClientIdentity, TlsSetupError> {
    let handshakes = handshakes.into();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(handshakes.versions.spoken())
        .map_err(refused)?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => {
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified.clone())))
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = match handshakes.resumption {
        Resumption::Off => rustls::client::Resumption::disabled(),
        Resumption::On { servers } => {
            // It is told of tickets, of which it keeps eight for each server.
            rustls::client::Resumption::store(Arc::new(ClientSessionMemoryCache::new(servers * 8)))
        }
    };
    Ok(ClientIdentity { config: Arc::new(config) })
}

fn refused(problem: impl std::fmt::Display) -> TlsSetupError {
    TlsSetupError(problem.to_string())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConnection, ProtocolVersion, ServerConnection};

    use super::*;
    use crate::transport::certs::CertificateFolder;

    const DOOR: &str = "dms1.example.test";

    #[test]
    fn a_client_speaks_the_versions_that_it_is_told_and_shows_what_it_has() {
        let path = std::env::temp_dir().join(format!("dmswarm-versions-{}", std::process::id()));
        let folder = CertificateFolder::open(&path).expect("a folder");
        let (door, own) =
            [DOOR, "device.example.test"].map(|name| folder.identity(name, &[]).expect("an identity")).into();
        std::fs::remove_dir_all(&path).expect("the folder goes");
        let config = server_config(&door, folder.roots(), ClientAuth::Optional).expect("the settings of a door");
        for (versions, shown, spoken) in [
            (Versions::Both, None, ProtocolVersion::TLSv1_3),
            (Versions::Only12, Some(&own), ProtocolVersion::TLSv1_2),
            (Versions::Only13, Some(&own), ProtocolVersion::TLSv1_3),
        ] {
            let handshakes = Handshakes { versions, ..Handshakes::default() };
            let caller = client_config(folder.roots(), shown, handshakes).expect("the settings of a caller");
            let name = ServerName::try_from(DOOR).expect("a name");
            let mut client = ClientConnection::new(Arc::clone(caller.config()), name).expect("a client");
            let mut server = ServerConnection::new(Arc::clone(&config)).expect("a server");
            while client.is_handshaking() || server.is_handshaking() {
                let mut said = Vec::new();
                client.write_tls(&mut said).expect("it is written to memory");
                server.read_tls(&mut &said[..]).expect("it is read from memory");
                server.process_new_packets().expect("what a client says");
                said.clear();
                server.write_tls(&mut said).expect("it is written to memory");
                client.read_tls(&mut &said[..]).expect("it is read from memory");
                client.process_new_packets().expect("what a server says");
            }
            assert_eq!(client.protocol_version(), Some(spoken), "{versions:?}");
            let seen = server.peer_certificates().map(|chain| PeerNames::of(&chain[0]).expect("a certificate"));
            assert_eq!(seen.as_ref(), shown.map(Identity::names), "{versions:?}");
        }
    }
}
