//! Where a call may go: to this machine's loopback, and beyond it only where the user has said so twice; decided before any
//! packet leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::transport::quota::Quota;

/// The names that this process knows: which host name stands for which address, and which of them may be called.
///
/// URLs carry the names of the parties (`dms1.example.test`) and TLS verifies them; no name service is asked here.
#[derive(Debug, Clone, Default)]
pub struct Names {
    hosts: BTreeMap<Box<str>, IpAddr>,
    /// Hosts and ports outside of this machine that may be called.
    targets: Arc<BTreeSet<Target>>,
    quotas: Arc<BTreeMap<Target, Quota>>,
}

/// A host, in lower case, and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub host: Box<str>,
    pub port: u16,
}

/// A host that must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// The host is no party of the run, and no address of this machine.
    #[error(
        "\"{host}\" is not a party of this run, so it was not contacted; expected the host name of a server of the scenario, \
         localhost, or a loopback address such as 127.0.0.1"
    )]
    UnknownHost { host: String },
    /// The host stands for an address of another machine.
    #[error(
        "\"{host}\" is {address}, which is not an address of this machine's loopback, so it was not contacted; if it is to be, \
         say so: --target {target}",
        target = Target::new(host, *port)
    )]
    NotLoopback { host: String, port: u16, address: IpAddr },
    /// As many requests have gone there as may.
    #[error("{host}:{port} has had its {budget} requests, which is all that the scenario's `budget` lets it have")]
    OverBudget { host: String, port: u16, budget: u64 },
}

impl Names {
    /// A table of host names. Names are compared without case; the last of two equal names counts.
    pub fn new<N: AsRef<str>>(hosts: impl IntoIterator<Item = (N, IpAddr)>) -> Names {
        let hosts = hosts.into_iter().map(|(name, address)| (name.as_ref().to_ascii_lowercase().into(), address));
        Names { hosts: hosts.collect(), ..Names::default() }
    }

    /// With targets outside of this machine that may be called.
    pub fn with_targets(self, targets: impl IntoIterator<Item = Target>) -> Names {
        Names { targets: Arc::new(targets.into_iter().collect()), ..self }
    }

    /// With what may be asked of each target at most.
    pub fn with_quotas(self, quotas: impl IntoIterator<Item = (Target, Quota)>) -> Names {
        Names { quotas: Arc::new(quotas.into_iter().collect()), ..self }
    }

    /// Whether the table holds the host, which must be in lower case.
    pub fn holds(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// The socket address of a host (in lower case), if it may be called.
    pub fn admit(&self, host: &str, port: u16) -> Result<SocketAddr, NotAllowed> {
        let address = match self.hosts.get(host) {
            Some(address) => *address,
            None if host == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            None => match host.parse::<IpAddr>() {
                Ok(address) => address,
                Err(_) => return Err(NotAllowed::UnknownHost { host: host.to_string() }),
            },
        };
        if address.to_canonical().is_loopback() || self.targets.contains(&Target::new(host, port)) {
            Ok(SocketAddr::new(address, port))
        } else {
            Err(NotAllowed::NotLoopback { host: host.to_string(), port, address })
        }
    }

    /// What may be asked of a target at most, where that has a bound.
    pub(super) fn quota(&self, host: &str, port: u16) -> Option<&Quota> {
        if self.quotas.is_empty() {
            return None;
        }
        self.quotas.get(&Target::new(host, port))
    }
}

impl Target {
    /// The host in any case; an IPv6 address without its brackets.
    pub fn new(host: &str, port: u16) -> Target {
        Target { host: host.to_ascii_lowercase().into(), port }
    }

    /// Reads `host:port`, as people write it.
    pub fn parse(text: &str) -> Result<Target, String> {
        let expected = || format!("expected a host and a port such as dms2.example.test:8443, found `{text}`");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        let bare = if is_bracketed { &host[1..host.len() - 1] } else { host };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_host = match is_bracketed {
            true => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            false => !bare.is_empty() && bare.bytes().all(is_plain),
        };
        match port.parse() {
            Ok(port) if port != 0 && is_host => Ok(Target::new(bare, port)),
            _ => Err(expected()),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_admitted() {
        let names = Names::new([
            ("DMS1.example.test", IpAddr::from([127, 0, 0, 2])),
            ("outside.example.test", IpAddr::from([192, 0, 2, 1])),
        ]);
        let admitted = [
            ("dms1.example.test", Some("127.0.0.2:9")),
            ("outside.example.test", None),
            ("dms2.example.test", None),
            ("localhost", Some("127.0.0.1:9")),
            ("127.3.2.1", Some("127.3.2.1:9")),
            ("::1", Some("[::1]:9")),
            ("::ffff:127.0.0.1", Some("[::ffff:127.0.0.1]:9")),
            ("::ffff:192.0.2.1", None),
            ("192.0.2.1", None),
            ("0.0.0.0", None),
            ("10.0.0.1", None),
            ("localhost.example.test", None),
        ];
        for (host, expected) in admitted {
            assert_eq!(names.admit(host, 9).ok().map(|address| address.to_string()).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn beyond_loopback_only_what_was_named_is_admitted_at_that_port_alone() {
        let names = Names::new([("outside.example.test", IpAddr::from([192, 0, 2, 1]))]);
        let target = Target::parse("Outside.example.test:443").expect("a target");
        let named = names.clone().with_targets([target.clone(), Target::parse("[2001:db8::1]:9").expect("a target")]);
        assert_eq!(named.admit("outside.example.test", 443).unwrap().to_string(), "192.0.2.1:443");
        assert_eq!(named.admit("2001:db8::1", 9).unwrap().to_string(), "[2001:db8::1]:9");
        assert!(named.admit("outside.example.test", 444).is_err(), "another port is another target");
        assert!(named.admit("192.0.2.1", 443).is_err(), "it was not named so");
        let refused = names.admit("outside.example.test", 443).unwrap_err().to_string();
        assert!(refused.ends_with("--target outside.example.test:443"), "{refused}");
        assert_eq!(target.to_string(), "outside.example.test:443");
        for wrong in ["", "host", "host:", ":1", "host:0", "host:65536", "ho st:1", "[::1:1", "https://host:1"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_comes_before_localhost() {
        let names = Names::new([("localhost", IpAddr::from([127, 0, 0, 9]))]);
        assert_eq!(names.admit("localhost", 1).unwrap().to_string(), "127.0.0.9:1");
    }
}
