//! Where a call may go: to this machine's loopback and nowhere else, decided before any packet leaves.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The names that this process answers to: which host name stands for which loopback address.
///
/// URLs carry the names of the parties (`dms1.example.test`) and TLS verifies them; no name service is ever asked.
#[derive(Debug, Clone, Default)]
pub struct Names {
    hosts: BTreeMap<Box<str>, IpAddr>,
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
    #[error("\"{host}\" is {address}, which is not an address of this machine's loopback, so it was not contacted")]
    NotLoopback { host: String, address: IpAddr },
}

impl Names {
    /// A table of host names. Names are compared without case; the last of two equal names counts.
    pub fn new<N: AsRef<str>>(hosts: impl IntoIterator<Item = (N, IpAddr)>) -> Names {
        let hosts = hosts.into_iter().map(|(name, address)| (name.as_ref().to_ascii_lowercase().into(), address));
        Names { hosts: hosts.collect() }
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
        if address.to_canonical().is_loopback() {
            Ok(SocketAddr::new(address, port))
        } else {
            Err(NotAllowed::NotLoopback { host: host.to_string(), address })
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
    fn the_table_comes_before_localhost() {
        let names = Names::new([("localhost", IpAddr::from([127, 0, 0, 9]))]);
        assert_eq!(names.admit("localhost", 1).unwrap().to_string(), "127.0.0.9:1");
    }
}
