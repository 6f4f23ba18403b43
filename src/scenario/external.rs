//! What is somebody else's: servers, bootstrap servers and devices of which only the address is ours to know.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::delegation::flow::Revocation;
use crate::ids::ServerNumber;
use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::world::World;
use crate::scenario::{BootstrapAddress, Scenario, ServerSettings};
use crate::units::Rate;
use crate::workload::journey::Step;

/// Somebody else's DM server.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalServer {
    /// Where it takes the messages of other servers.
    pub interface: Place,
    /// Where its devices connect.
    pub devices: Option<Url>,
    /// Where it can be asked to start a flow.
    pub operator: Option<Url>,
    /// The files of the certificate and the key that our servers show to it.
    pub shown: Option<(PathBuf, PathBuf)>,
    /// Whether others reach it through us.
    pub is_relayed: bool,
}

/// How somebody else's devices are woken.
#[derive(Debug, Clone, PartialEq)]
pub enum Wake {
    /// By a POST to this URL with the device id behind it.
    Https(Place),
    /// By WAP push over UDP.
    Udp(SocketAddr),
}

/// An address that is somebody else's.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub url: Url,
    /// What the host of its URLs stands for; `None`: a name service knows.
    pub address: Option<IpAddr>,
    /// A file of certificates to be trusted besides those of our own CA.
    pub ca: Option<PathBuf>,
    pub cap: Cap,
}

/// What may be asked of each address at most.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cap {
    /// Requests in a time.
    pub rate: Option<Rate>,
    /// Requests in all.
    pub budget: Option<u64>,
}

/// A party that is reached over HTTPS and is somebody else's.
#[derive(Debug, Clone)]
pub struct Elsewhere<'s> {
    /// The name of a server, or `the devices`.
    pub whose: &'s str,
    pub place: &'s Place,
    /// Every address there, that of the place first.
    pub urls: Vec<&'s Url>,
}

impl Scenario {
    /// Every party that is reached over HTTPS and is somebody else's.
    pub fn elsewhere(&self) -> impl Iterator<Item = Elsewhere<'_>> {
        let servers = self.servers.iter().filter_map(|server| {
            let external = server.external.as_ref()?;
            let urls = [Some(&external.interface.url), external.devices.as_ref(), external.operator.as_ref()];
            let (whose, place) = (server.name.as_str(), &external.interface);
            Some(Elsewhere { whose, place, urls: urls.into_iter().flatten().collect() })
        });
        let bootstrap = self.bootstrap_servers.iter().filter_map(|server| match &server.at {
            BootstrapAddress::External(place) => Some(Elsewhere { whose: &server.name, place, urls: vec![&place.url] }),
            BootstrapAddress::Server | BootstrapAddress::Apart { .. } => None,
        });
        let devices = self.external_devices.iter().filter_map(|wake| match wake {
            Wake::Https(place) => Some(Elsewhere { whose: "the devices", place, urls: vec![&place.url] }),
            Wake::Udp(_) => None,
        });
        servers.chain(bootstrap).chain(devices)
    }
}

/// `https://host[:port]/path`, without a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    /// In lower case; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
    /// Begins with `/`.
    pub path: String,
}

impl Url {
    /// Reads one; else says what was expected.
    pub fn parse(text: &str) -> Result<Url, &'static str> {
        const EXPECTED: &str = "expected an address such as `https://dms2.example.test:8443/dm_delegation`";
        let uri: http::Uri = text.parse().map_err(|_| EXPECTED)?;
        let (Some("https"), Some(authority), None) = (uri.scheme_str(), uri.authority(), uri.query()) else {
            return Err(EXPECTED);
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let has_port = authority.as_str().rsplit(']').next().is_some_and(|behind| behind.contains(':'));
        let port = if has_port { authority.port_u16().ok_or(EXPECTED)? } else { 443 };
        let is_whole = uri.path().starts_with('/') && text.ends_with(uri.path()) && !text.contains(['@', '#']);
        if host.is_empty() || port == 0 || !is_whole {
            return Err(EXPECTED);
        }
        Ok(Url { text: text.to_owned(), host, port, path: uri.path().to_owned() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wake::Https(place) => place.url.fmt(f),
            Wake::Udp(socket) => write!(f, "udp://{socket}"),
        }
    }
}

/// `external` of a DM server, or `relayed`.
pub fn server(entry: &Entry<'_>, is_relayed: bool, found: &mut Vec<Problem>) -> Option<ExternalServer> {
    let interface = place(entry, found);
    let [devices, operator] = match is_relayed {
        true => [None, None],
        false => ["device_url", "operator"].map(|key| url(entry, key, found)),
    };
    let files = ["certificate", "key"].map(|key| path(entry, key));
    if files.iter().filter(|file| file.is_some()).count() == 1 {
        let problem = Problem::new(entry.place(), "a certificate and its key come together");
        found.push(problem.hint("give both `certificate` and `key`, or neither"));
    }
    let [certificate, key] = files;
    Some(ExternalServer { interface: interface?, devices, operator, shown: certificate.zip(key), is_relayed })
}

/// `external` of a bootstrap server.
pub fn place(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Place> {
    let url = url(entry, "url", found);
    Some(beside(entry, url?, found))
}

/// `external` of the devices.
pub fn devices(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Wake> {
    let wake = entry.text("wake")?;
    let Some(socket) = wake.text.strip_prefix("udp://") else {
        let url = read_url(&wake, found);
        return Some(Wake::Https(beside(entry, url?, found)));
    };
    for key in ["address", "ca", "rate", "budget"].into_iter().filter(|key| entry.has(key)) {
        let message = format!("`{key}` has no meaning for WAP push over UDP");
        found.push(Problem::new(entry.span(key), message).hint("leave it out"));
    }
    match socket.parse::<SocketAddr>() {
        Ok(socket) if socket.port() != 0 && socket.ip().to_canonical().is_loopback() => Some(Wake::Udp(socket)),
        Ok(_) => {
            let problem = Problem::new(wake.whole(), "WAP push goes to a port of this machine alone");
            found.push(problem.hint("for example `udp://127.0.0.1:2948`; elsewhere, wake devices over HTTPS"));
            None
        }
        Err(_) => {
            let problem = Problem::new(wake.whole(), format!("expected an IP address and a port, found `{socket}`"));
            found.push(problem.hint("for example `udp://127.0.0.1:2948`"));
            None
        }
    }
}

fn beside(entry: &Entry<'_>, url: Url, found: &mut Vec<Problem>) -> Place {
    let address = entry.text("address").and_then(|text| match text.text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let message = format!("expected an IP address such as `127.0.0.1`, found `{}`", text.text);
            found.push(Problem::new(text.whole(), message).hint("leave it out where a name service knows the host"));
            None
        }
    });
    let rate = entry.text("rate").and_then(|text| match text.text.parse::<Rate>() {
        Ok(rate) if rate.in_seconds() > 0.0 => Some(rate),
        Ok(_) => {
            found.push(Problem::new(text.whole(), "a rate of nothing would let no request through"));
            None
        }
        Err(error) => {
            found.push(Problem::new(text.whole(), error.to_string()));
            None
        }
    });
    let budget = entry.integer("budget").and_then(|budget| u64::try_from(budget).ok());
    Place { url, address, ca: path(entry, "ca"), cap: Cap { rate, budget } }
}

fn path(entry: &Entry<'_>, key: &str) -> Option<PathBuf> {
    entry.text(key).map(|text| PathBuf::from(text.text))
}

fn url(entry: &Entry<'_>, key: &str, found: &mut Vec<Problem>) -> Option<Url> {
    entry.text(key).and_then(|text| read_url(&text, found))
}

fn read_url(text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Url> {
    Url::parse(text.text).map_err(|expected| found.push(Problem::new(text.whole(), expected))).ok()
}

/// What does not go together: somebody has to be ours, and nobody wakes what is not.
/// `entries`: those of the servers.
pub fn check(population: &Entry<'_>, entries: &[Entry<'_>], servers: &[ServerSettings], found: &mut Vec<Problem>) {
    let are_external = servers.iter().filter(|server| server.external.is_some()).count();
    let are_relayed = servers.iter().filter(|server| server.is_relayed()).count();
    if are_external > 0 && are_external == servers.len() && are_relayed == 0 {
        let problem = Problem::new(population.place(), "every server is somebody else's: there is nothing to simulate");
        found.push(problem.hint("leave `external` out of the server that is to be simulated"));
    }
    if are_relayed > 0 && (are_relayed < 2 || are_relayed < servers.len()) {
        let problem =
            Problem::new(population.place(), "who stands between servers relays all of them, and two at least");
        found.push(problem.hint("give every server a `relayed`, or none of them"));
    }
    // Where one of them could not be read, that has been told.
    let is_said = |entry: &Entry<'_>| ["external", "relayed"].into_iter().any(|key| entry.has(key));
    let why_not = if are_external < entries.iter().filter(|entry| is_said(entry)).count() {
        None
    } else if population.has("external") {
        Some("of devices that are somebody else's")
    } else if are_external == 0 {
        Some("where all servers are simulated: they wake the devices within this process")
    } else {
        None
    };
    for key in ["wake_port", "wap_port"].into_iter().filter(|key| population.integer(key).is_some_and(|port| port != 0))
    {
        if let Some(why) = why_not {
            let message = format!("`{key}` has no meaning {why}");
            found.push(Problem::new(population.span(key), message).hint("leave it out"));
        }
    }
}

/// A step that no run could take: it is for somebody else's server to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotDrive {
    pub journey: String,
    pub starter: String,
    pub why: Why,
}

/// Why nobody here can take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is nobody to ask.
    NoOperator,
    /// What becomes of it cannot be seen here.
    Unseen,
    /// We stand between all servers, and start nothing.
    Relay,
}

impl CannotDrive {
    /// The first such step of a scenario. Whoever serves starts nothing, and does not mind.
    pub fn of(scenario: &Scenario) -> Option<CannotDrive> {
        let is_relay = scenario.is_relay();
        let cannot = |step: &Step| {
            let starter = scenario.servers.get(usize::from(step.starter()?.0))?;
            let external = starter.external.as_ref()?;
            let why = match step {
                _ if is_relay => Why::Relay,
                Step::Revoke { how: Revocation::Forced { notice: false }, .. } => Why::Unseen,
                _ if external.operator.is_none() => Why::NoOperator,
                _ => return None,
            };
            Some((starter.name.clone(), why))
        };
        scenario.journeys.iter().find_map(|cohort| {
            let meanwhile = cohort.journey.meanwhile.iter().map(|one| &one.wish);
            let (starter, why) = cohort.journey.steps.iter().chain(meanwhile).find_map(cannot)?;
            Some(CannotDrive { journey: cohort.journey.name.clone(), starter, why })
        })
    }
}

impl fmt::Display for CannotDrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CannotDrive { journey, starter, why } = self;
        let mend = match why {
            Why::Relay => return f.write_str(
                "we stand between servers that are all somebody else's, and start nothing: `dmswarm serve` does that",
            ),
            Why::NoOperator => "say in its `external` at which `operator` it can be asked to, or leave the journey out",
            Why::Unseen => {
                "nobody here would hear of a revocation by force without notice: leave the journey out, or write `with notice`"
            }
        };
        write!(
            f,
            "a step of the journey `{journey}` is for `{starter}` to start, which is somebody else's: {mend} (`serve` starts \
             nothing, and does not mind)"
        )
    }
}

/// Why somebody else's server can have no account on our devices at first.
pub fn why_no_account(server: ServerNumber, world: &World<'_>, place: &Span) -> Option<Problem> {
    let settings = world.servers.get(usize::from(server.0))?;
    settings
        .external
        .as_ref()
        .filter(|external| external.devices.is_none() && !external.is_relayed && !world.are_devices_external)?;
    let message = format!("`{}` has an account on these devices at first, and no `device_url`", settings.name);
    Some(Problem::new(place.clone(), message).hint("say in its `external` where devices connect to it"))
}

/// The value of a server's `external`, as it stands in a file.
pub fn print_server(server: &ExternalServer) -> String {
    let mut table = Inline::of("url", &server.interface);
    let urls = [("device_url", &server.devices), ("operator", &server.operator)];
    urls.into_iter().for_each(|(key, url)| url.iter().for_each(|url| table.string(key, url.as_str())));
    if let Some((certificate, key)) = &server.shown {
        table.string("certificate", &certificate.to_string_lossy());
        table.string("key", &key.to_string_lossy());
    }
    table.close()
}

/// The value of a bootstrap server's `external`.
pub fn print_place(place: &Place) -> String {
    Inline::of("url", place).close()
}

/// The value of the devices' `external`.
pub fn print_devices(wake: &Wake) -> String {
    match wake {
        Wake::Https(place) => Inline::of("wake", place).close(),
        Wake::Udp(socket) => {
            let mut table = Inline::default();
            table.string("wake", &format!("udp://{socket}"));
            table.close()
        }
    }
}

#[derive(Default)]
struct Inline {
    members: Vec<String>,
}

impl Inline {
    fn of(key: &str, place: &Place) -> Inline {
        let mut table = Inline::default();
        table.string(key, place.url.as_str());
        place.address.iter().for_each(|address| table.string("address", &address.to_string()));
        place.ca.iter().for_each(|ca| table.string("ca", &ca.to_string_lossy()));
        place.cap.rate.iter().for_each(|rate| table.string("rate", &rate.to_string()));
        place.cap.budget.iter().for_each(|budget| table.members.push(format!("budget = {budget}")));
        table
    }

    fn string(&mut self, key: &str, value: &str) {
        self.members.push(format!("{key} = {}", toml::Value::String(value.to_owned())));
    }

    fn close(self) -> String {
        format!("{{ {} }}", self.members.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_whole_or_not_at_all() {
        let read = Url::parse("https://DMS2.example.test:8443/dm").expect("a URL");
        assert_eq!((read.host.as_str(), read.port, read.path.as_str()), ("dms2.example.test", 8443, "/dm"));
        let read = Url::parse("https://[::1]/").expect("a URL");
        assert_eq!((read.host.as_str(), read.port, read.path.as_str()), ("::1", 443, "/"));
        for wrong in [
            "",
            "dms2.example.test",
            "http://dms2.example.test/dm",
            "https:///dm",
            "https://dms2.example.test",
            "https://dms2.example.test:0/dm",
            "https://dms2.example.test:99999/dm",
            "https://dms2.example.test:abc/dm",
            "https://dms2.example.test:/dm",
            "https://[::1:8443/dm",
            "https://dms2.example.test/dm?x=1",
            "https://dms2.example.test/dm#x",
            "https://me@dms2.example.test/dm",
        ] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
