//! Where the parties live: the sockets of ours on loopback, bound before anything starts, and the URLs that follow; the
//! others have theirs in the scenario.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use crate::actors::outside::{OPERATOR_PATH, WAKE_PATH};
use crate::actors::reception::DoorFor;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::dmacc::AccountBook;
use crate::ids::{BootstrapServerNumber, ServerNumber};
use crate::run::news::Listening;
use crate::run::prepare::{DEVICE_HOST, PrepareError};
use crate::scenario::{BootstrapAddress, Scenario};
use crate::transport::address::{Address, AddressError};
use crate::transport::certs::{CertificateFolder, Revocations};
use crate::transport::datagrams::bind_datagrams;
use crate::transport::listener::{Door, bind};
use crate::transport::tls::{ClientAuth, server_config_with_revocations};

/// Where all simulated parties live.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The sockets of all parties that are ours.
pub struct Sites {
    sites: Vec<Site>,
    /// By server: its site for servers, and its site for devices, as indices into `sites`; `None` for somebody else's.
    servers: Vec<Option<(usize, usize)>>,
    /// By bootstrap server: the site where its documents are; `None` for somebody else's.
    bootstrap_servers: Vec<Option<usize>>,
    /// Where devices are woken by WAP push, if they can be.
    wap: Option<UdpSocket>,
}

struct Site {
    purpose: DoorFor,
    /// Whose it is.
    party: String,
    path: String,
    host: String,
    port: u16,
    socket: TcpListener,
}

impl Sites {
    /// Binds every socket of a scenario; `serves`: with doors at which our servers are asked to start flows.
    ///
    /// # Errors
    /// [`PrepareError::Door`], with whose socket it is.
    pub fn bind(scenario: &Scenario, serves: bool) -> Result<Sites, PrepareError> {
        let mut sites = Sites { sites: Vec::new(), servers: Vec::new(), bootstrap_servers: Vec::new(), wap: None };
        for (number, server) in (0..).map(ServerNumber).zip(&scenario.servers) {
            let (name, host) = (server.name.as_str(), server.host.as_str());
            if server.external.is_some() {
                if server.is_relayed() {
                    sites.add(DoorFor::Relay(number), (name, host, &server.interface), server.server_port)?;
                }
                sites.servers.push(None);
                continue;
            }
            let for_servers =
                sites.add(DoorFor::Servers(number), (name, host, &server.interface), server.server_port)?;
            let for_devices = sites.add(DoorFor::Devices(number), (name, host, &server.dm), server.device_port)?;
            if serves {
                sites.add(DoorFor::Operator(number), (name, host, OPERATOR_PATH), server.operator_port)?;
            }
            sites.servers.push(Some((for_servers, for_devices)));
        }
        for (number, server) in (0..).map(BootstrapServerNumber).zip(&scenario.bootstrap_servers) {
            let site = match &server.at {
                BootstrapAddress::Apart { host, port } => {
                    let site = (server.name.as_str(), host.as_str(), server.path.as_str());
                    Some(sites.add(DoorFor::Bootstrap(number), site, *port)?)
                }
                BootstrapAddress::Server => {
                    let site = sites.servers[usize::from(server.server.0)];
                    if let Some((_, for_devices)) = site {
                        sites.sites[for_devices].purpose = DoorFor::DevicesAndBootstrap(server.server, number);
                    }
                    site.map(|(_, for_devices)| for_devices)
                }
                BootstrapAddress::External(_) => None,
            };
            sites.bootstrap_servers.push(site);
        }
        if scenario.wakes_from_outside() {
            sites.add(DoorFor::Wake, ("devices", DEVICE_HOST, WAKE_PATH), scenario.wake_ports.https)?;
            let address = SocketAddr::new(HERE, scenario.wake_ports.wap);
            let socket = bind_datagrams(address)
                .map_err(|problem| PrepareError::Door { who: "devices, by WAP push".into(), problem })?;
            sites.wap = Some(socket);
        }
        Ok(sites)
    }

    /// Binds a socket; `site` is whose it is, its host name and its path.
    fn add(
        &mut self,
        purpose: DoorFor,
        (party, host, path): (&str, &str, &str),
        port: u16,
    ) -> Result<usize, PrepareError> {
        let socket = bind(SocketAddr::new(HERE, port))
            .map_err(|problem| PrepareError::Door { who: format!("{party}, {}", told(purpose)), problem })?;
        let port = socket.local_addr().map_or(port, |address| address.port());
        let (party, path, host) = (party.to_owned(), path.to_owned(), host.to_owned());
        self.sites.push(Site { purpose, party, path, host, port, socket });
        Ok(self.sites.len() - 1)
    }

    /// Every address of ours, for people.
    pub fn addresses(&self) -> Vec<Listening> {
        let listening = |site: &Site| Listening {
            party: site.party.clone(),
            purpose: told(site.purpose),
            url: site.url(&site.path),
            socket: SocketAddr::new(HERE, site.port),
        };
        let by_wap = self.wap.iter().filter_map(|socket| socket.local_addr().ok()).map(|socket| Listening {
            party: "devices".to_owned(),
            purpose: "to be woken by WAP push",
            url: format!("udp://{socket}"),
            socket,
        });
        self.sites.iter().map(listening).chain(by_wap).collect()
    }

    /// Where a server's peers POST to.
    pub fn interface(&self, scenario: &Scenario, server: usize) -> Result<Address, AddressError> {
        let settings = &scenario.servers[server];
        match (&settings.external, self.servers[server]) {
            (Some(external), _) => Address::parse(external.interface.url.as_str()),
            (None, site) => {
                let (for_servers, _) = site.expect("a server that is ours has its sites");
                Address::parse(&self.sites[for_servers].url(&settings.interface))
            }
        }
    }

    /// The accounts of a server with its devices.
    pub fn book(&self, scenario: &Scenario, server: usize) -> Arc<AccountBook> {
        let settings = &scenario.servers[server];
        let address = match (&settings.external, self.servers[server]) {
            (None, Some((_, for_devices))) => self.sites[for_devices].url(&settings.dm),
            // Where it has no account on the devices, nobody needs to know.
            (external, _) => {
                let devices = external.as_ref().and_then(|external| external.devices.as_ref());
                devices.map_or_else(String::new, ToString::to_string)
            }
        };
        scenario.account_book(server, address)
    }

    /// The URLs that a bootstrap server gives out.
    pub fn links(&self, scenario: &Scenario, server: usize) -> Arc<BootstrapLinks> {
        let settings = &scenario.bootstrap_servers[server];
        let base = match (&settings.at, self.bootstrap_servers[server]) {
            (BootstrapAddress::External(place), _) => place.url.to_string(),
            (_, site) => self.sites[site.expect("a bootstrap server that is ours has its site")].url(&settings.path),
        };
        scenario.bootstrap_links(server, base)
    }

    /// Where the host names of our parties live; not those of others that are reached through us.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        let ours = self.sites.iter().filter(|site| !matches!(site.purpose, DoorFor::Relay(_)));
        ours.map(|site| (site.host.as_str(), HERE))
    }

    /// The socket at which devices are woken by WAP push, if they can be.
    pub fn take_wap(&mut self) -> Option<UdpSocket> {
        self.wap.take()
    }

    /// The doors to open, and whose each of them is. Servers need a certificate to come in; devices may do without.
    pub fn doors(
        self,
        folder: &CertificateFolder,
        body_limit: usize,
        revoked: Option<&Revocations>,
    ) -> Result<(Vec<DoorFor>, Vec<Door>), PrepareError> {
        let mut purposes = Vec::new();
        let mut doors = Vec::new();
        for site in self.sites {
            let (clients, revoked) = match site.purpose {
                DoorFor::Servers(_) | DoorFor::Operator(_) | DoorFor::Relay(_) => (ClientAuth::Required, None),
                DoorFor::Wake => (ClientAuth::Optional, None),
                DoorFor::Devices(_) | DoorFor::Bootstrap(_) | DoorFor::DevicesAndBootstrap(..) => {
                    (ClientAuth::Optional, revoked)
                }
            };
            let identity = folder.identity(&site.host, &[])?;
            let tls = server_config_with_revocations(&identity, folder.roots(), clients, revoked)?;
            doors.push(Door { name: site.host, socket: site.socket, tls, body_limit });
            purposes.push(site.purpose);
        }
        Ok((purposes, doors))
    }
}

impl Site {
    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.host, self.port)
    }
}

/// For whom an address is.
fn told(purpose: DoorFor) -> &'static str {
    match purpose {
        DoorFor::Servers(_) => "for servers",
        DoorFor::Relay(_) => "for servers, to be passed on",
        DoorFor::Devices(_) => "for devices",
        DoorFor::DevicesAndBootstrap(..) => "for devices, with bootstrap documents",
        DoorFor::Bootstrap(_) => "for bootstrap",
        DoorFor::Operator(_) => "for its operator",
        DoorFor::Wake => "to be woken",
    }
}

/// The host names of a scenario's own parties: those that need a certificate.
pub fn hosts(scenario: &Scenario) -> Vec<String> {
    let ours = scenario.servers.iter().filter(|server| server.external.is_none() || server.is_relayed());
    let apart = scenario.bootstrap_servers.iter().filter_map(|server| match &server.at {
        BootstrapAddress::Apart { host, .. } => Some(host.clone()),
        BootstrapAddress::Server | BootstrapAddress::External(_) => None,
    });
    let devices = scenario.wakes_from_outside().then(|| DEVICE_HOST.to_owned());
    ours.map(|server| server.host.clone()).chain(apart).chain(devices).collect()
}
