//! What a scenario says of parties that are somebody else's, turned into what may be called, what is shown there, and whom to
//! trust.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;

use crate::actors::blueprint::ExternalParty;
use crate::actors::outside::{Phrases, Waking};
use crate::run::prepare::{DEVICE_HOST, PrepareError};
use crate::scenario::external::{Cap, Elsewhere, ExternalServer, Url, Wake};
use crate::scenario::{Scenario, print_step, read_step};
use crate::transport::address::Address;
use crate::transport::certs::{CertError, CertificateFolder, identity_of};
use crate::transport::datagrams::Speaker;
use crate::transport::guard::{Names, Target};
use crate::transport::quota::Quota;
use crate::transport::tls::{Resumption, client_config};
use crate::workload::journey::Step;

/// Why parties that are somebody else's cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The scenario names it, and the command line does not.
    #[error(
        "{whose} is at {target}, which may be beyond this machine: nothing was contacted; if it may be called, repeat it: \
         --target {target}"
    )]
    NotNamed { whose: String, target: Target },
    /// The command line names it, and the scenario does not.
    #[error("--target {target}: the scenario has nothing there; its addresses elsewhere are {known}")]
    NotKnown { target: Target, known: String },
    #[error("{whose}: no name service knows where {host} is ({problem}); give its `address` in the scenario")]
    NotResolved { whose: String, host: String, problem: io::Error },
    #[error(
        "{whose}: {host} is at {one} by one `address` of the scenario, and at {other} by another; make them the same"
    )]
    TwoAddresses { whose: String, host: String, one: IpAddr, other: IpAddr },
    #[error("devices cannot be woken by WAP push: {0}")]
    NoSpeaker(io::Error),
}

/// Our certificates, with what a scenario trusts besides our own CA.
pub fn certificates(scenario: &Scenario, folder: &Path) -> Result<CertificateFolder, CertError> {
    let trusted: BTreeSet<&Path> = scenario.elsewhere().filter_map(|there| there.place.ca.as_deref()).collect();
    CertificateFolder::open(folder)?.trusting(trusted)
}

/// Where all host names are, ours and theirs, and what may be called of what is not on this machine: what the scenario
/// names and `targets` repeats. Only then is a name service asked.
pub fn names<'s>(
    scenario: &Scenario,
    ours: impl Iterator<Item = (&'s str, IpAddr)>,
    targets: &[Target],
) -> Result<Names, OutsideError> {
    let mut hosts: BTreeMap<String, IpAddr> = ours.map(|(host, address)| (host.to_owned(), address)).collect();
    let (mut known, mut quotas) = (Vec::new(), Vec::new());
    for Elsewhere { whose, place, urls } in scenario.elsewhere() {
        for url in urls {
            let target = Target::new(&url.host, url.port);
            let address = match (place.address, url.host.parse::<IpAddr>()) {
                (Some(address), _) | (None, Ok(address)) => Some(address),
                (None, Err(_)) if url.host == "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
                (None, Err(_)) => None,
            };
            let is_here = address.is_some_and(|address| address.to_canonical().is_loopback());
            if !is_here && !targets.contains(&target) {
                return Err(OutsideError::NotNamed { whose: whose.to_owned(), target });
            }
            let address = match address {
                Some(address) => address,
                None => resolved(whose, url)?,
            };
            match hosts.insert(url.host.clone(), address) {
                Some(other) if other != address => {
                    let (whose, host) = (whose.to_owned(), url.host.clone());
                    return Err(OutsideError::TwoAddresses { whose, host, one: address, other });
                }
                _ => {}
            }
            let Cap { rate, budget } = place.cap;
            let is_capped = rate.is_some() || budget.is_some();
            if is_capped && !quotas.iter().any(|(capped, _)| *capped == target) {
                quotas.push((target.clone(), Quota::new(rate.map(|rate| rate.in_seconds()), budget)));
            }
            known.push(target);
        }
    }
    if let Some(target) = targets.iter().find(|target| !known.contains(target)) {
        known.sort();
        known.dedup();
        let known = known.iter().map(Target::to_string).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none".to_owned() } else { known };
        return Err(OutsideError::NotKnown { target: target.clone(), known });
    }
    Ok(Names::new(hosts).with_targets(targets.iter().cloned()).with_quotas(quotas))
}

/// Asked once, so that nobody else's answer is taken later.
fn resolved(whose: &str, url: &Url) -> Result<IpAddr, OutsideError> {
    let error = |problem| OutsideError::NotResolved { whose: whose.to_owned(), host: url.host.clone(), problem };
    let mut found = (url.host.as_str(), url.port).to_socket_addrs().map_err(error)?;
    let first = found.next().map(|socket| socket.ip());
    first.ok_or_else(|| error(io::Error::new(io::ErrorKind::NotFound, "it has no address")))
}

/// What our servers need to know of somebody else's server.
pub fn party(external: &ExternalServer, folder: &CertificateFolder) -> Result<ExternalParty, PrepareError> {
    let shown = match &external.shown {
        Some((certificate, key)) => {
            let identity = identity_of(certificate, key)?;
            Some(client_config(folder.roots(), Some(&identity), Resumption::Off)?)
        }
        None => None,
    };
    let operator = external.operator.as_ref().map(|url| Address::parse(url.as_str())).transpose()?;
    Ok(ExternalParty { shown, operator })
}

/// How the devices are woken.
pub fn waking(scenario: &Scenario, folder: &CertificateFolder) -> Result<Waking, PrepareError> {
    Ok(match &scenario.external_devices {
        None if scenario.is_relay() => Waking::Nobody,
        None => Waking::Here,
        Some(Wake::Https(place)) => {
            let identity = folder.identity(DEVICE_HOST, &[])?;
            let identity = client_config(folder.roots(), Some(&identity), Resumption::Off)?;
            Waking::Https { base: Address::parse(place.url.as_str())?, identity }
        }
        Some(Wake::Udp(to)) => Waking::Wap { to: *to, speaker: Speaker::new().map_err(OutsideError::NoSpeaker)? },
    })
}

/// The steps of a scenario as people write them.
pub struct Steps {
    servers: Vec<String>,
}

impl Steps {
    /// By the names of a scenario's servers.
    pub fn of(scenario: &Scenario) -> Steps {
        Steps { servers: scenario.servers.iter().map(|server| server.name.clone()).collect() }
    }
}

impl Phrases for Steps {
    fn read(&self, step: &str) -> Result<Step, String> {
        read_step(step, &self.servers)
    }

    fn write(&self, step: &Step) -> String {
        print_step(step, &self.servers)
    }
}
