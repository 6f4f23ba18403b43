//! From a scenario to settled parties: certificates, sockets, templates, limits. Nothing has started yet.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::actors::blueprint::{Blueprint, BootstrapParty, DeviceConnections, DeviceParty, ServerParty};
use crate::actors::identities::{Identities, IdentitiesError};
use crate::actors::workers::Workers;
use crate::clock::Clock;
use crate::delegation::reading::Polarity;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::client;
use crate::dm::dmacc::AccountBook;
use crate::dm::server as sessions;
use crate::dm::trigger::Version;
use crate::faults::rule::{Action, BadCertificate};
use crate::faults::verdict::Faults;
use crate::run::host;
use crate::run::outside::{self, OutsideError};
use crate::run::sites::Sites;
use crate::run::stand::Prepared;
use crate::scenario::{BootstrapAddress, Connections, Scenario};
use crate::transport::address::AddressError;
use crate::transport::certs::{CertError, CertificateFolder, Flaw};
use crate::transport::dialer::DialerOptions;
use crate::transport::guard::Target;
use crate::transport::listener::ListenError;
use crate::transport::tls::{ClientIdentity, Resumption, TlsSetupError, client_config};

/// The name in the certificate that devices share, and that they have where others wake them.
pub const DEVICE_HOST: &str = "device.example.test";

/// Why the parties could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Certificates(#[from] CertError),
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    #[error(transparent)]
    Devices(#[from] IdentitiesError),
    #[error("{who}: {problem}")]
    Door { who: String, problem: ListenError },
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("{0}")]
    TooFewFiles(TooFewFiles),
    #[error(transparent)]
    Outside(#[from] OutsideError),
}

impl PrepareError {
    /// Whether the scenario or the command line has to be mended, and not this machine.
    pub fn is_of_the_scenario(&self) -> bool {
        match self {
            PrepareError::Certificates(CertError::Foreign { .. }) | PrepareError::Address(_) => true,
            PrepareError::Outside(problem) => !matches!(problem, OutsideError::NoSpeaker(_)),
            _ => false,
        }
    }
}

/// A run may need more open files than this process may have. The message says what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFewFiles {
    pub needed: u64,
    pub allowed: u64,
    /// Whether every device has its own connections, so that sharing them would help.
    pub is_per_device: bool,
}

impl TooFewFiles {
    /// What a scenario lacks on this machine, of which `allowed` files may be open (`None`: as many as it likes).
    pub fn of(scenario: &Scenario, allowed: Option<u64>) -> Option<TooFewFiles> {
        let pool = host::cores() as u64 * u64::from(scenario.connections_per_peer);
        let needed = scenario.most_open_files(pool);
        let allowed = allowed.filter(|allowed| *allowed < needed)?;
        Some(TooFewFiles { needed, allowed, is_per_device: scenario.connections != Connections::Pooled })
    }
}

impl fmt::Display for TooFewFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooFewFiles { needed, allowed, is_per_device } = self;
        let else_wise = match is_per_device {
            true => "set `connections = \"pooled\"`, or simulate fewer devices",
            false => "simulate fewer servers or devices",
        };
        write!(
            f,
            "this run may need {needed} open files (two for each connection, since both ends are here), and this \
             process may have {allowed}: raise the limit with `ulimit -n {needed}`, or {else_wise}"
        )
    }
}

/// A run may need more memory than this machine has. That is an estimate, and nothing is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLittleMemory {
    /// In bytes.
    pub needed: u64,
    pub there: u64,
}

impl TooLittleMemory {
    /// What a scenario lacks on a machine with so much memory; `None`: nobody knows how much it has.
    pub fn of(scenario: &Scenario, there: Option<u64>) -> Option<TooLittleMemory> {
        let (there, pool) = (there?, connections_to_one_target());
        // The estimate itself takes time and memory; most scenarios are far from the edge.
        let needed = (scenario.most_memory(pool) > there).then(|| scenario.estimate(pool).memory_bytes)?;
        (needed > there).then_some(TooLittleMemory { needed, there })
    }
}

impl fmt::Display for TooLittleMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [needed, there] = [self.needed, self.there].map(|bytes| bytes.div_ceil(1 << 20));
        write!(
            f,
            "this run may need about {needed} MiB of memory, and this machine has {there} MiB: simulate fewer devices, or \
             take a machine with more"
        )
    }
}

/// How many connections to one target all threads together keep at most.
pub fn connections_to_one_target() -> u64 {
    (host::cores() * DialerOptions::default().open_per_target) as u64
}

/// What is settled around a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'g> {
    /// The folder of certificates.
    pub certs: &'g Path,
    /// What may be called beyond this machine.
    pub targets: &'g [Target],
    /// Whether our servers wait for others to start what happens, and can be asked to start something themselves.
    pub serves: bool,
    /// Whether exchanges with somebody else's servers are kept.
    pub records: bool,
}

impl<'g> Ground<'g> {
    /// With this folder of certificates, where nothing beyond this machine is called and nobody is waited for.
    pub fn of(certs: &'g Path) -> Ground<'g> {
        Ground { certs, targets: &[], serves: false, records: false }
    }
}

/// Settles everything that a scenario's parties need.
pub fn prepare(scenario: &Scenario, ground: &Ground<'_>, clock: Clock) -> Result<Prepared, PrepareError> {
    let lanes = host::cores();
    let most = scenario.connections_per_peer as usize;
    let dialer = DialerOptions { open_per_target: most, idle_per_target: most, ..DialerOptions::default() };
    // The limit goes up as far as it may before anybody complains.
    if let Some(lack) = TooFewFiles::of(scenario, host::raise_open_files()) {
        return Err(PrepareError::TooFewFiles(lack));
    }
    let folder = outside::certificates(scenario, ground.certs)?;
    let mut sites = Sites::bind(scenario, ground.serves)?;
    let names = outside::names(scenario, sites.hosts(), ground.targets)?;

    let books: Vec<Arc<AccountBook>> = (0..).zip(&scenario.servers).map(|(n, _)| sites.book(scenario, n)).collect();
    let links: Vec<Arc<BootstrapLinks>> =
        (0..).zip(&scenario.bootstrap_servers).map(|(n, _)| sites.links(scenario, n)).collect();
    let mut servers = Vec::with_capacity(books.len());
    for (number, settings) in scenario.servers.iter().enumerate() {
        // Of somebody else's server we have a certificate where we speak in its name alone; else what stands in for it is
        // never shown.
        let is_stranger = settings.external.is_some() && !settings.is_relayed();
        let host = if is_stranger { DEVICE_HOST } else { &settings.host };
        let identity = folder.identity(host, &[])?;
        servers.push(ServerParty {
            name: settings.name.clone(),
            host: settings.host.clone(),
            external: settings.external.as_ref().map(|external| outside::party(external, &folder)).transpose()?,
            interface: sites.interface(scenario, number)?,
            interface_path: settings.interface.clone(),
            workers: (!settings.service_time.is_zero()).then(|| Workers::new(settings.workers, settings.service_time)),
            dm_path: settings.dm.clone(),
            identity: client_config(folder.roots(), Some(&identity), Resumption::Off)?,
            bad_identities: bad_identities(scenario, &folder, host, next_host(scenario, number))?,
            sessions: sessions::Settings {
                accounts: Arc::clone(&books[number]),
                max_msg_size: scenario.message_limit,
                session_timeout: scenario.timeouts.session,
                trigger_version: if settings.trigger_version == 12 { Version::V12 } else { Version::V11 },
                ver_proto: client::Settings::default().ver_proto.to_owned(),
                devices: scenario.devices,
                // Simulated devices show no certificate: where the scheme is none, the server lets them in.
                needs_certificate: false,
            },
        });
    }
    let bootstrap_servers = scenario.bootstrap_servers.iter().zip(&links).map(|(site, links)| BootstrapParty {
        links: Arc::clone(links),
        is_external: matches!(site.at, BootstrapAddress::External(_)),
        accounts: Arc::clone(&books[usize::from(site.server.0)]),
    });
    let body_limit = usize::try_from(scenario.body_limit).unwrap_or(usize::MAX);
    let (addresses, wap) = (sites.addresses(), sites.take_wap());
    let waking = outside::waking(scenario, &folder)?;
    let identities = Identities::new(&folder, scenario.credentials, DEVICE_HOST, scenario.seed)?;
    let revoked = identities.revocations(scenario.devices)?;
    let (purposes, doors) = sites.doors(&folder, body_limit, revoked.as_ref())?;
    let settings = client::Settings {
        quiet_value: scenario.readings.no_auto_initial_session == Polarity::Name,
        answer_timeout: scenario.timeouts.session,
        max_msg_size: scenario.message_limit,
        ..client::Settings::default()
    };
    let parties = scenario.parties(&books, &links);
    let population = Arc::clone(&parties.population);
    let class_of = |device| population.class_number(device);
    let faults = Faults::new(scenario.seed, scenario.faults.clone(), scenario.devices, &class_of);
    let blueprint = Blueprint {
        clock,
        servers,
        bootstrap_servers: bootstrap_servers.collect(),
        parties,
        waking,
        phrases: Arc::new(outside::Steps::of(scenario)),
        doors: purposes,
        devices: DeviceParty {
            identities,
            bad_identities: bad_identities(scenario, &folder, DEVICE_HOST, next_host(scenario, 0))?,
            watched_settings: Arc::new(client::Settings { is_watched: true, ..settings.clone() }),
            watched: scenario.watch,
            settings: Arc::new(settings),
            connections: match scenario.connections {
                Connections::Pooled => DeviceConnections::Pooled,
                Connections::PerDevice => DeviceConnections::Kept,
                Connections::PerSession => DeviceConnections::PerSession,
            },
            encoding: scenario.encoding,
        },
        seed: scenario.seed,
        faults: Arc::new(faults),
        retries: scenario.retries,
        request_timeout: scenario.timeouts.request,
        body_limit,
    };
    Ok(Prepared {
        blueprint: Arc::new(blueprint),
        doors,
        names,
        addresses,
        records: ground.records,
        wap,
        dialer,
        lanes,
    })
}

/// The host of the server behind this one in the scenario.
fn next_host(scenario: &Scenario, server: usize) -> &str {
    &scenario.servers[(server + 1) % scenario.servers.len()].host
}

/// What a party shows where a fault says so; only what some fault asks for is made. `other`: another server's host.
fn bad_identities(
    scenario: &Scenario,
    folder: &CertificateFolder,
    host: &str,
    other: &str,
) -> Result<BTreeMap<BadCertificate, ClientIdentity>, PrepareError> {
    let mut made = BTreeMap::new();
    for rule in &scenario.faults {
        let Action::Certificate(bad) = &rule.action else { continue };
        let flaw = |flaw| folder.flawed(host, flaw).map(Some);
        let identity = match bad {
            BadCertificate::None => None,
            BadCertificate::WrongCa => flaw(Flaw::WrongCa)?,
            BadCertificate::Expired => flaw(Flaw::Expired)?,
            BadCertificate::NotYetValid => flaw(Flaw::NotYetValid)?,
            BadCertificate::WrongName => flaw(Flaw::WrongName)?,
            BadCertificate::OtherServer => Some(folder.identity(other, &[])?),
        };
        made.insert(*bad, client_config(folder.roots(), identity.as_ref(), Resumption::Off)?);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[track_caller]
    fn lack(set: &str, allowed: u64) -> Option<TooFewFiles> {
        let overrides = Overrides { sets: vec![set.to_owned()], ..Overrides::default() };
        TooFewFiles::of(&parse("q", QUICKSTART, &overrides).expect("no problems"), Some(allowed))
    }

    #[test]
    fn too_little_memory_is_told_with_both_numbers_and_nobody_knows_of_none() {
        let overrides = Overrides { sets: vec!["population.devices=10000".to_owned()], ..Overrides::default() };
        let scenario = parse("q", QUICKSTART, &overrides).expect("no problems");
        let needed = scenario.estimate(connections_to_one_target()).memory_bytes;
        assert_eq!(TooLittleMemory::of(&scenario, Some(needed)), None);
        assert_eq!(TooLittleMemory::of(&scenario, None), None);
        let lack = TooLittleMemory::of(&scenario, Some(needed - 1)).expect("one byte too little");
        assert_eq!((lack.needed, lack.there), (needed, needed - 1));
        let said = TooLittleMemory { needed: 40 << 30, there: 24 << 30 }.to_string();
        assert!(said.contains("about 40960 MiB of memory, and this machine has 24576 MiB: "), "{said}");
    }

    #[test]
    fn too_few_files_are_told_with_both_numbers_and_what_helps() {
        assert_eq!(lack("seed=1", 1 << 40), None);
        let pooled = lack("seed=1", 100).expect("too few").to_string();
        let needed = lack("seed=1", 100).expect("too few").needed;
        for part in [format!("need {needed} open files"), "may have 100".into(), format!("`ulimit -n {needed}`")] {
            assert!(pooled.contains(&part), "{pooled}");
        }
        // Sharing connections is no way out for somebody who does.
        assert!(!pooled.contains("pooled"), "{pooled}");
        let own = lack("connections=per device", 100).expect("too few").to_string();
        assert!(own.contains("`connections = \"pooled\"`"), "{own}");
    }
}
