//! All parties of a run as settings: enough to build any actor's machines, and to call any party from any other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::actors::identities::Identities;
use crate::actors::outside::{Errand, Phrases, Waking};
use crate::actors::reception::DoorFor;
use crate::actors::workers::Workers;
use crate::clock::Clock;
use crate::delegation::message::Message;
use crate::delegation::retry::Retries;
use crate::delegation::server::Server;
use crate::delegation::xml;
use crate::dm::acl::Acl;
use crate::dm::auth::HMAC_HEADER;
use crate::dm::bootstrap::{self, BootstrapLinks};
use crate::dm::client::{self, Client};
use crate::dm::dmacc::AccountBook;
use crate::dm::server::{self as sessions, Sessions};
use crate::dm::wire::{self, ContentType, Encoding, Packet};
use crate::faults::rule::BadCertificate;
use crate::faults::verdict::Faults;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};
use crate::measure::promise::{DeviceView, Journeyed};
use crate::seed::Seed;
use crate::transport::address::{Address, AddressError};
use crate::transport::dialer::Call;
use crate::transport::tls::{ClientIdentity, PeerNames};
use crate::workload::parties::Parties;

/// Everything that is settled before a run begins. Shared by all threads, never changed.
pub struct Blueprint {
    pub clock: Clock,
    pub servers: Vec<ServerParty>,
    pub bootstrap_servers: Vec<BootstrapParty>,
    pub parties: Parties,
    /// How devices are woken.
    pub waking: Waking,
    /// Steps as people write them.
    pub phrases: Arc<dyn Phrases>,
    /// The listener's doors, in its order.
    pub doors: Vec<DoorFor>,
    pub devices: DeviceParty,
    pub seed: Seed,
    pub faults: Arc<Faults>,
    pub retries: Retries,
    /// How long any HTTP request may take.
    pub request_timeout: Duration,
    /// The largest body that is read, in bytes, both ways.
    pub body_limit: usize,
}

/// A DM server.
pub struct ServerParty {
    /// Its name in the scenario.
    pub name: String,
    /// The host name its certificate is made out to.
    pub host: String,
    /// If it is somebody else's: what our servers show to it, and where it can be asked to start a flow.
    pub external: Option<ExternalParty>,
    /// Where its peers POST to.
    pub interface: Address,
    pub interface_path: String,
    /// Who works on what other servers say, where that takes a time of its own.
    pub workers: Option<Workers>,
    /// Where its devices POST to.
    pub dm_path: String,
    pub identity: ClientIdentity,
    /// What it shows where a fault says so.
    pub bad_identities: BTreeMap<BadCertificate, ClientIdentity>,
    pub sessions: sessions::Settings,
}

/// What there is to know of a server that is somebody else's.
pub struct ExternalParty {
    /// What our servers show to it; `None`: what they show to everybody.
    pub shown: Option<ClientIdentity>,
    pub operator: Option<Address>,
}

/// A bootstrap server.
pub struct BootstrapParty {
    pub links: Arc<BootstrapLinks>,
    /// The accounts of the server it bootstraps to.
    pub accounts: Arc<AccountBook>,
    /// Whether it is somebody else's.
    pub is_external: bool,
}

/// How devices connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceConnections {
    /// Those of an arbiter share a pool.
    Pooled,
    /// Each keeps its own.
    Kept,
    /// Each opens its own for each session.
    PerSession,
}

/// What all devices have in common.
pub struct DeviceParty {
    /// Whom a device trusts, and what it shows.
    pub identities: Identities,
    /// What it shows where a fault says so.
    pub bad_identities: BTreeMap<BadCertificate, ClientIdentity>,
    pub settings: Arc<client::Settings>,
    /// The same, for those that are watched: the first `watched` devices.
    pub watched_settings: Arc<client::Settings>,
    pub watched: u32,
    pub connections: DeviceConnections,
    /// How they write their packages.
    pub encoding: Encoding,
}

impl Blueprint {
    /// A server by its number.
    pub fn server(&self, server: ServerNumber) -> &ServerParty {
        &self.servers[usize::from(server.0)]
    }

    /// Whose door a door of the listener is.
    pub fn door(&self, door: usize) -> DoorFor {
        self.doors[door]
    }

    /// The server that a certificate belongs to: the one whose host it is made out to (D35: bound by configuration).
    pub fn server_with_certificate(&self, names: &PeerNames) -> Option<ServerNumber> {
        let place = self.servers.iter().position(|party| names.holds(&party.host))?;
        u16::try_from(place).ok().map(ServerNumber)
    }

    /// The machines of a server with nothing on record.
    pub fn server_machines(&self, me: ServerNumber) -> (Server, Sessions) {
        (Server::new(self.parties.delegation_settings(me)), Sessions::new(self.server(me).sessions.clone()))
    }

    /// A device as it leaves the factory and its owner's hands.
    pub fn device_machine(&self, device: DeviceNumber) -> Client {
        let DeviceParty { settings, watched_settings, watched, .. } = &self.devices;
        let settings = if device.0 < *watched { watched_settings } else { settings };
        Client::new(device, self.parties.template(device), Arc::clone(settings))
    }

    /// A POST of a message from one server to another.
    pub fn call_to_peer(&self, from: ServerNumber, to: ServerNumber, message: &Message) -> Call {
        let body = xml::write(message, &self.parties.server(from).readings);
        let call =
            Call::post(self.server(to).interface.clone(), self.identity_towards(from, to), xml::CONTENT_TYPE, body);
        self.bounded(call)
    }

    /// What one server has said to another, said to it once more by us in its name.
    pub fn call_in_the_name_of(&self, from: ServerNumber, to: ServerNumber, body: Bytes) -> Call {
        let address = self.server(to).interface.clone();
        self.bounded(Call::post(address, self.identity_towards(from, to), xml::CONTENT_TYPE, body))
    }

    /// The operator of a server that is somebody else's, asked by one of ours to start a flow; `None` where nobody can ask.
    pub fn call_to_operator(&self, from: ServerNumber, to: ServerNumber, errand: &Errand) -> Option<Call> {
        let operator = self.server(to).external.as_ref()?.operator.clone()?;
        let body = serde_json::to_vec(errand).ok()?;
        Some(self.bounded(Call::post(operator, self.identity_towards(from, to), "application/json", body)))
    }

    /// What one server shows to another.
    pub fn identity_towards(&self, from: ServerNumber, to: ServerNumber) -> ClientIdentity {
        let external = self.server(to).external.as_ref();
        let shown = external.and_then(|external| external.shown.as_ref());
        shown.unwrap_or(&self.server(from).identity).clone()
    }

    /// Whether a server is somebody else's.
    pub fn is_external(&self, server: ServerNumber) -> bool {
        self.server(server).external.is_some()
    }

    /// Which server a device's URL leads to.
    pub fn server_at(&self, url: &str) -> Option<ServerNumber> {
        let place = self.parties.servers.iter().position(|server| server.accounts.address == url)?;
        u16::try_from(place).ok().map(ServerNumber)
    }

    /// Which bootstrap server a device's URL leads to.
    pub fn bootstrap_server_at(&self, url: &str) -> Option<BootstrapServerNumber> {
        let place = self.bootstrap_servers.iter().position(|party| url.starts_with(party.links.base.as_str()))?;
        u16::try_from(place).ok().map(BootstrapServerNumber)
    }

    /// A package of a device to a server, or, without one, its GET of a bootstrap document; `identity` is what it shows.
    pub fn call_from_device(
        &self,
        device: DeviceNumber,
        identity: ClientIdentity,
        url: &str,
        packet: Option<Packet>,
    ) -> Result<Call, AddressError> {
        let to = Address::parse(url)?;
        let mut call = match packet {
            None => Call::get(to, identity),
            Some(packet) => {
                let mut call = Call::post(to, identity, packet.content_type.as_str(), packet.body);
                call.headers.extend(packet.hmac_header.map(|value| (HMAC_HEADER, value)));
                call
            }
        };
        call.owner = (self.devices.connections != DeviceConnections::Pooled).then_some(device.0);
        Ok(self.bounded(call))
    }

    fn bounded(&self, call: Call) -> Call {
        Call { timeout: self.request_timeout, body_limit: self.body_limit, ..call }
    }

    /// What a bootstrap server answers to a GET; `None` for a URL that was never given out.
    pub fn bootstrap_document(&self, server: BootstrapServerNumber, path: &str, is_stale: bool) -> Option<Packet> {
        let party = &self.bootstrap_servers[usize::from(server.0)];
        let device = party.links.device_of(path)?;
        // Without an ACL in the document the account inherits that of `./DMAcc`: its owner can remove it again.
        let account = party.accounts.account(&device);
        let document = if is_stale {
            bootstrap::stale_document(&account, &device, Acl::empty())
        } else {
            bootstrap::document(&account, &device, Acl::empty())
        };
        Some(wire::seal(&document, None, ContentType::DmXml))
    }

    /// What is on a device, for the promises; of its journey only what was known beforehand.
    pub fn view_of(&self, device: DeviceNumber, machine: &Client) -> DeviceView {
        let (owner, bootstrapped) = self.parties.at_first(device);
        let journeyed = Journeyed::at_first(owner, bootstrapped);
        let open_sessions = usize::from(!machine.is_idle());
        DeviceView::of(machine.tree(), open_sessions, journeyed, |id| self.parties.server_named(id))
    }
}
