//! The second look at the parties: servers, bootstrap servers, classes of devices.

use std::collections::{BTreeMap, btree_map};
use std::net::IpAddr;

use crate::dm::dmacc::AuthScheme;
use crate::dm::uri::Uri;
use crate::ids::{ServerId, ServerNumber};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::external::{self, ExternalServer};
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::shape::words;
use crate::scenario::{BootstrapAddress, BootstrapServerSettings, ServerSettings};
use crate::workload::population::{Access, Class, Population, Storage};

/// The sub-trees of a class that names none: the whole tree, and one to delegate in part.
const ORDINARY_SUBTREES: [&str; 2] = [".", "./SCOMO"];
/// Where every device has standard objects; no class can put anything else there.
const STANDARD_NODES: [&str; 5] = ["DevInfo", "DevDetail", "DMAcc", "Inbox", "BootstrapConfig"];

/// What may be there once among the parties, with the first place of each.
#[derive(Default)]
pub struct Taken {
    names: BTreeMap<String, Span>,
    ids: BTreeMap<String, Span>,
    ports: BTreeMap<u16, Span>,
}

/// A name that can be part of a file name on any system.
pub fn check_name(name: &Text<'_>, found: &mut Vec<Problem>) {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let hint = "use letters, digits, `.`, `_` and `-`, at most 64 of them, beginning with a letter or digit";
    let text = name.text;
    if text.is_empty() {
        found.push(Problem::new(name.span.clone(), "a name cannot be empty").hint(hint));
    } else if let Some((at, wrong)) = text.char_indices().find(|(_, c)| !is_safe(*c)) {
        let problem =
            Problem::new(name.part(at..at + wrong.len_utf8()), format!("`{text}` cannot be part of a file name"));
        found.push(problem.label(format!("because of `{wrong}`")).hint(hint));
    } else if text.len() > 64 || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        found.push(Problem::new(name.span.clone(), format!("`{text}` cannot be part of a file name")).hint(hint));
    }
}

/// The DM servers.
pub fn servers(entries: &[Entry<'_>], taken: &mut Taken, found: &mut Vec<Problem>) -> Vec<ServerSettings> {
    entries.iter().map(|entry| server(entry, taken, found)).collect()
}

fn server(entry: &Entry<'_>, taken: &mut Taken, found: &mut Vec<Problem>) -> ServerSettings {
    let name = party_name(entry, taken, found);
    let id = entry.text("id");
    if let Some(id) = &id {
        check_id(id, found);
        once(&mut taken.ids, id.text.to_owned(), &id.span, "id", found);
    }
    let id = id.map_or("", |id| id.text);
    let external = match (entry.has("external"), entry.has("relayed")) {
        (true, true) => {
            let problem = Problem::new(entry.span("relayed"), "a server is `external` or `relayed`, and not both");
            found.push(problem.hint("`relayed` where others reach it through us"));
            None
        }
        (true, false) => external_server(entry, found),
        (false, true) => relayed_server(entry, found),
        (false, false) => None,
    };
    let host = match (entry.text("host"), &external) {
        (Some(host), _) => {
            check_host(&host, found);
            host.text
        }
        (None, Some(external)) => &external.interface.url.host,
        (None, None) => {
            if !id.is_empty() && !is_dns_name(id) {
                let message = format!("the id `{id}` is no DNS name, so the server needs a `host`");
                found.push(Problem::new(entry.span("id"), message).hint("for example `host = \"dms1.example.test\"`"));
            }
            id
        }
    };
    let path_of = |url: Option<&external::Url>, key, found: &mut _| {
        url.map_or_else(|| path(entry, key, found), |url| url.path.clone())
    };
    ServerSettings {
        name,
        id: ServerId::new(id),
        host: host.to_owned(),
        interface: path_of(external.as_ref().map(|external| &external.interface.url), "interface", found),
        dm: path_of(external.as_ref().and_then(|external| external.devices.as_ref()), "dm", found),
        server_port: port(entry, "server_port", taken, found),
        device_port: port(entry, "device_port", taken, found),
        operator_port: port(entry, "operator_port", taken, found),
        auth: match entry.word("auth") {
            "basic" => AuthScheme::Basic,
            "hmac" => AuthScheme::Hmac,
            "none" => AuthScheme::None,
            _ => AuthScheme::Md5,
        },
        service_time: entry.duration("service_time"),
        workers: entry.number("workers"),
        trigger_version: entry.number("trigger_version"),
        external,
    }
}

/// Where somebody else's server is; its other addresses are in its URLs.
fn external_server(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<ExternalServer> {
    for key in ["interface", "dm", "server_port", "device_port", "operator_port", "service_time", "workers"]
        .into_iter()
        .filter(|key| entry.has(key))
    {
        let message = format!("`{key}` has no meaning for a server that is somebody else's");
        found.push(Problem::new(entry.span(key), message).hint("its `external` says where it is; leave this out"));
    }
    external::server(&entry.table("external"), false, found)
}

/// Where a server is that others reach through us.
fn relayed_server(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<ExternalServer> {
    for key in ["interface", "dm", "device_port", "operator_port", "service_time", "workers"]
        .into_iter()
        .filter(|key| entry.has(key))
    {
        let message = format!("`{key}` has no meaning for a server that others reach through us");
        found.push(Problem::new(entry.span(key), message).hint("its `relayed` says where it is; leave this out"));
    }
    external::server(&entry.table("relayed"), true, found)
}

/// The bootstrap servers.
pub fn bootstrap_servers(
    entries: &[Entry<'_>],
    servers: &[ServerSettings],
    taken: &mut Taken,
    found: &mut Vec<Problem>,
) -> Vec<BootstrapServerSettings> {
    entries.iter().map(|entry| bootstrap_server(entry, servers, taken, found)).collect()
}

fn bootstrap_server(
    entry: &Entry<'_>,
    servers: &[ServerSettings],
    taken: &mut Taken,
    found: &mut Vec<Problem>,
) -> BootstrapServerSettings {
    let name = party_name(entry, taken, found);
    let server = entry.text("for").and_then(|wanted| server_named(wanted.text, wanted.span, servers, found));
    let path = path(entry, "path", found);
    let of = server.and_then(|server| servers.get(usize::from(server.0)));
    if let Some(of) = of.filter(|of| of.external.is_some() != entry.has("external")) {
        let message = match of.external {
            Some(_) => format!("the server `{}` is somebody else's, and so is its bootstrap server", of.name),
            None => format!("the server `{}` is simulated, and so is its bootstrap server", of.name),
        };
        let hint = match of.external {
            Some(_) => "add `external = { url = \"https://...\" }`, what its documents' URLs begin with",
            None => "leave `external` out",
        };
        found.push(Problem::new(entry.place(), message).hint(hint));
    }
    let at = if entry.has("external") {
        for key in ["at", "host", "port", "path"].into_iter().filter(|key| entry.has(key)) {
            let message = format!("`{key}` has no meaning for a bootstrap server that is somebody else's");
            found.push(Problem::new(entry.span(key), message).hint("its `external` says where it is; leave this out"));
        }
        external::place(&entry.table("external"), found).map_or(BootstrapAddress::Server, BootstrapAddress::External)
    } else if entry.word("at") == "apart" {
        let host = match entry.text("host") {
            Some(host) => {
                check_host(&host, found);
                host.text.to_owned()
            }
            None => {
                let host = format!("{name}.{}", of.map_or("", |of| of.host.as_str()));
                if !name.is_empty() && of.is_some_and(|of| is_dns_name(&of.host)) && !is_dns_name(&host) {
                    let message = format!("`{host}` is no DNS name, so the bootstrap server needs a `host`");
                    found.push(Problem::new(entry.span("name"), message));
                }
                host
            }
        };
        BootstrapAddress::Apart { host, port: port(entry, "port", taken, found) }
    } else {
        for key in ["host", "port"].into_iter().filter(|key| entry.has(key)) {
            let message = format!("`{key}` has no meaning at the address of the DM server");
            found.push(Problem::new(entry.span(key), message).hint("add `at = \"apart\"`, or leave it out"));
        }
        if of.is_some_and(|of| of.dm == path) {
            let message = format!("`{path}` is where the DM server takes management sessions");
            found.push(Problem::new(entry.span("path"), message).hint("give the bootstrap server another `path`"));
        }
        BootstrapAddress::Server
    };
    let path = if let BootstrapAddress::External(place) = &at { place.url.path.clone() } else { path };
    BootstrapServerSettings { name, server: server.unwrap_or(ServerNumber(0)), at, path }
}

/// The classes of devices; one ordinary class where the file has none.
pub fn classes(entries: &[Entry<'_>], found: &mut Vec<Problem>) -> Vec<Class> {
    if entries.is_empty() {
        let subtrees = ORDINARY_SUBTREES.into_iter().filter_map(|uri| Uri::parse(uri).ok()).collect();
        return vec![Class {
            name: "device".to_owned(),
            share: 1,
            manufacturer: "Example Devices".to_owned(),
            model: "device".to_owned(),
            subtrees,
            storage: Storage::Ample,
            acl: Access::Open,
        }];
    }
    if let Some(entry) = entries.get(Population::MOST_CLASSES) {
        let message = format!("there are {} classes; at most {} are taken", entries.len(), Population::MOST_CLASSES);
        found.push(Problem::new(entry.place(), message));
    }
    let mut names = BTreeMap::new();
    entries.iter().map(|entry| class(entry, &mut names, found)).collect()
}

fn class(entry: &Entry<'_>, names: &mut BTreeMap<String, Span>, found: &mut Vec<Problem>) -> Class {
    let name = entry.text("name");
    if let Some(name) = &name {
        check_name(name, found);
        once(names, name.text.to_owned(), &name.span, "name", found);
    }
    let name = name.map_or("", |name| name.text);
    let subtrees = match entry.texts("subtrees") {
        Some(texts) => texts.iter().filter_map(|text| class_subtree(text, found)).collect(),
        None => ORDINARY_SUBTREES.into_iter().filter_map(|uri| Uri::parse(uri).ok()).collect(),
    };
    Class {
        name: name.to_owned(),
        // A wrong share has been reported; standing in for it with 0 would be reported again.
        share: entry.integer("share").and_then(|share| u32::try_from(share).ok()).unwrap_or(1),
        manufacturer: entry.word("manufacturer").to_owned(),
        model: entry.text("model").map_or(name, |model| model.text).to_owned(),
        subtrees,
        storage: if entry.word("storage") == "full" { Storage::Full } else { Storage::Ample },
        acl: match entry.word("acl") {
            "refuses-account" => Access::RefusesAccount,
            "refuses-subtree" => Access::RefusesSubtree,
            _ => Access::Open,
        },
    }
}

fn class_subtree(text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Uri> {
    let uri = Uri::parse(text.text).map_err(|error| found.push(Problem::new(text.span.clone(), error.to_string())));
    let uri = uri.ok()?;
    let mut segments = uri.as_str().split('/').skip(1);
    if let (Some(first), rest) = (segments.next(), segments.next()) {
        if STANDARD_NODES.contains(&first) {
            let problem = Problem::new(text.span.clone(), format!("`{uri}` is taken by a standard object"));
            found.push(problem.hint("name a sub-tree of the device's own, such as `./SCOMO`"));
        } else if rest.is_some() {
            let problem = Problem::new(text.span.clone(), format!("`{uri}` is more than one step below the root"));
            found.push(problem.hint(format!("name its top, `./{first}`; steps may delegate a part of it")));
        }
    }
    Some(uri)
}

/// Looks a server up by name.
pub fn server_named(
    name: &str,
    place: Span,
    servers: &[ServerSettings],
    found: &mut Vec<Problem>,
) -> Option<ServerNumber> {
    let number = servers.iter().position(|server| server.name == name);
    if number.is_none() {
        let known = servers.iter().map(|server| server.name.as_str()).filter(|name| !name.is_empty());
        let hint = did_you_mean(name, known.clone()).unwrap_or_else(|| {
            format!("the servers are {}", crate::scenario::shape::words(&known.collect::<Vec<_>>(), "and"))
        });
        found.push(Problem::new(place, format!("there is no server `{name}`")).hint(hint));
    }
    number.and_then(|number| u16::try_from(number).ok()).map(ServerNumber)
}

/// The class of this name.
pub fn class_named(name: &Text<'_>, classes: &[Class], found: &mut Vec<Problem>) -> Option<usize> {
    let number = classes.iter().position(|class| class.name == name.text);
    if number.is_none() {
        let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let hint = did_you_mean(name.text, known.iter().copied())
            .unwrap_or_else(|| format!("the classes are {}", words(&known, "and")));
        found.push(Problem::new(name.span.clone(), format!("there is no class `{}`", name.text)).hint(hint));
    }
    number
}

fn party_name(entry: &Entry<'_>, taken: &mut Taken, found: &mut Vec<Problem>) -> String {
    let Some(name) = entry.text("name") else { return String::new() };
    check_name(&name, found);
    once(&mut taken.names, name.text.to_owned(), &name.span, "name", found);
    name.text.to_owned()
}

/// Notes what may be there only once; a second one is a problem.
pub fn once<K: Ord + std::fmt::Display>(
    seen: &mut BTreeMap<K, Span>,
    value: K,
    place: &Span,
    what: &str,
    found: &mut Vec<Problem>,
) {
    match seen.entry(value) {
        btree_map::Entry::Vacant(free) => {
            free.insert(place.clone());
        }
        btree_map::Entry::Occupied(taken) => {
            let message = format!("the {what} `{}` is there twice", taken.key());
            found.push(Problem::new(place.clone(), message).label("used before"));
        }
    }
}

/// A server identifier stands in access control lists, where `&`, `=`, `+` and `*` part it from others.
fn check_id(id: &Text<'_>, found: &mut Vec<Problem>) {
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '&' | '=' | '+' | '*');
    if let Some((at, wrong)) = id.text.char_indices().find(|(_, c)| is_wrong(*c)) {
        let message = format!("a server identifier cannot hold `{wrong}`: access control lists could not name it");
        found.push(Problem::new(id.part(at..at + wrong.len_utf8()), message).hint("for example `dms1.example.test`"));
    } else if id.text.is_empty() {
        found.push(Problem::new(id.span.clone(), "a server identifier cannot be empty"));
    }
}

fn check_host(host: &Text<'_>, found: &mut Vec<Problem>) {
    if !is_dns_name(host.text) {
        let message = format!("expected a DNS name such as `dms1.example.test`, found `{}`", host.text);
        found.push(Problem::new(host.span.clone(), message));
    }
}

fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

fn path(entry: &Entry<'_>, key: &str, found: &mut Vec<Problem>) -> String {
    let path = entry.word(key);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if !path.starts_with('/') || !path.bytes().all(is_plain) {
        let message = format!("expected a path such as `/dm_delegation`, found `{path}`");
        let hint = "begin with `/`; use letters, digits, `-`, `.`, `_`, `~` and `/`";
        found.push(Problem::new(entry.span(key), message).hint(hint));
    }
    path.to_owned()
}

fn port(entry: &Entry<'_>, key: &str, taken: &mut Taken, found: &mut Vec<Problem>) -> u16 {
    let port: u16 = entry.number(key);
    if port != 0 {
        once(&mut taken.ports, port, &entry.span(key), "port", found);
    }
    port
}
