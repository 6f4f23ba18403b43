//! Where the parties live: their sockets on loopback, bound before anything starts, and the URLs that follow.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use crate::actors::reception::DoorFor;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::dmacc::AccountBook;
use crate::ids::{BootstrapServerNumber, ServerNumber};
use crate::run::news::Listening;
use crate::run::prepare::PrepareError;
use crate::scenario::{BootstrapAddress, Scenario};
use crate::transport::address::{Address, AddressError};
use crate::transport::certs::{CertificateFolder, Revocations};
use crate::transport::guard::Names;
use crate::transport::listener::{Door, bind};
use crate::transport::tls::{ClientAuth, server_config_with_revocations};

/// Where all simulated parties live.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The sockets of all parties.
pub struct Sites {
    sites: Vec<Site>,
    /// By server: its site for servers, and its site for devices, as indices into `sites`.
    servers: Vec<(usize, usize)>,
    /// By bootstrap server: the site where its documents are.
    bootstrap_servers: Vec<usize>,
}

struct Site {
    purpose: DoorFor,
    /// Whose it is and for whom, for people: `home, for servers`.
    who: String,
    path: String,
    host: String,
    port: u16,
    socket: TcpListener,
}

impl Sites {
    /// Binds every socket of a scenario.
    ///
    /// # Errors
    /// [`PrepareError::Door`], with whose socket it is.
    pub fn bind(scenario: &Scenario) -> Result<Sites, PrepareError> {
        let mut sites = Sites { sites: Vec::new(), servers: Vec::new(), bootstrap_servers: Vec::new() };
        for (number, server) in (0..).map(ServerNumber).zip(&scenario.servers) {
            let name = &server.name;
            let site = (format!("{name}, for servers"), server.host.as_str(), server.interface.as_str());
            let for_servers = sites.add(DoorFor::Servers(number), site, server.server_port)?;
            let site = (format!("{name}, for devices"), server.host.as_str(), server.dm.as_str());
            let for_devices = sites.add(DoorFor::Devices(number), site, server.device_port)?;
            sites.servers.push((for_servers, for_devices));
        }
        for (number, server) in (0..).map(BootstrapServerNumber).zip(&scenario.bootstrap_servers) {
            let site = match &server.at {
                BootstrapAddress::Apart { host, port } => {
                    let site = (server.name.clone(), host.as_str(), server.path.as_str());
                    sites.add(DoorFor::Bootstrap(number), site, *port)?
                }
                BootstrapAddress::Server => {
                    let (_, for_devices) = sites.servers[usize::from(server.server.0)];
                    sites.sites[for_devices].purpose = DoorFor::DevicesAndBootstrap(server.server, number);
                    for_devices
                }
            };
            sites.bootstrap_servers.push(site);
        }
        Ok(sites)
    }

    /// Binds a socket; `site` is whose it is, its host name and its path.
    fn add(
        &mut self,
        purpose: DoorFor,
        (who, host, path): (String, &str, &str),
        port: u16,
    ) -> Result<usize, PrepareError> {
        let socket =
            bind(SocketAddr::new(HERE, port)).map_err(|problem| PrepareError::Door { who: who.clone(), problem })?;
        let port = socket.local_addr().map_or(port, |address| address.port());
        self.sites.push(Site { purpose, who, path: path.to_owned(), host: host.to_owned(), port, socket });
        Ok(self.sites.len() - 1)
    }

    /// Every party's addresses, for people.
    pub fn addresses(&self) -> Vec<Listening> {
        let listening = |site: &Site| Listening {
            who: site.who.clone(),
            url: site.url(&site.path),
            socket: SocketAddr::new(HERE, site.port),
        };
        self.sites.iter().map(listening).collect()
    }

    /// Where a server's peers POST to.
    pub fn interface(&self, scenario: &Scenario, server: usize) -> Result<Address, AddressError> {
        Address::parse(&self.sites[self.servers[server].0].url(&scenario.servers[server].interface))
    }

    /// The accounts of a server with its devices.
    pub fn book(&self, scenario: &Scenario, server: usize) -> Arc<AccountBook> {
        let address = self.sites[self.servers[server].1].url(&scenario.servers[server].dm);
        scenario.account_book(server, address)
    }

    /// The URLs that a bootstrap server gives out.
    pub fn links(&self, scenario: &Scenario, server: usize) -> Arc<BootstrapLinks> {
        let base = self.sites[self.bootstrap_servers[server]].url(&scenario.bootstrap_servers[server].path);
        scenario.bootstrap_links(server, base)
    }

    /// Where the parties' host names live.
    pub fn names(&self) -> Names {
        Names::new(self.sites.iter().map(|site| (site.host.as_str(), HERE)))
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
                DoorFor::Servers(_) => (ClientAuth::Required, None),
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

/// The host names of a scenario's parties: those that need a certificate.
pub fn hosts(scenario: &Scenario) -> Vec<String> {
    let servers = scenario.servers.iter().map(|server| server.host.clone());
    let apart = scenario.bootstrap_servers.iter().filter_map(|server| match &server.at {
        BootstrapAddress::Apart { host, .. } => Some(host.clone()),
        BootstrapAddress::Server => None,
    });
    servers.chain(apart).collect()
}
