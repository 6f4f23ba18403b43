//! `match` of a fault: what it is about, and whether anything of that kind passes where it acts.

use std::ops::RangeInclusive;

use crate::delegation::message::Kind;
use crate::faults::rule::{Devices, Direction, End, Role, Selector, Site};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::parties::{class_named, server_named};
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::shape::words;
use crate::scenario::world::World;
use crate::units::Share;

/// The keys that have a meaning where a server is by itself.
const OF_ONE_SERVER: [&str; 4] = ["from", "devices", "class", "step"];

/// What a fault is about. `site` is `None` where it was wrong.
pub fn read(fault: &Entry<'_>, site: Option<Site>, world: &World<'_>, found: &mut Vec<Problem>) -> Selector {
    let entry = fault.table("match");
    let before = found.len();
    let selector = Selector {
        from: list(&entry, "from").map(|names| names.iter().filter_map(|name| server(name, world, found)).collect()),
        to: list(&entry, "to").map(|names| names.iter().filter_map(|name| end(name, world, found)).collect()),
        direction: Direction::ALL.into_iter().find(|direction| direction.key() == entry.word("direction")),
        role: Role::ALL.into_iter().find(|role| role.key() == entry.word("role")),
        devices: devices(&entry, world, found),
        class: entry.text("class").and_then(|class| class_named(&class, world.classes, found)),
        messages: list(&entry, "message")
            .map(|names| names.iter().filter_map(|name| Kind::of_root(name.text)).collect()),
        session: range(&entry, "session", found),
        attempt: range(&entry, "attempt", found),
        state: entry.text("state").map(|state| {
            check_state(&state, found);
            state.text.to_owned()
        }),
        step: entry.text("step").and_then(|step| world.cast.pattern(&step, found)),
    };
    for key in ["from", "to", "message", "devices"] {
        if entry.is_list(key) && entry.items(key).is_empty() {
            let problem = Problem::new(entry.span(key), format!("`{key}` names nobody, so the fault never fires"));
            found.push(problem.hint("leave it out for any"));
        }
    }
    match site {
        Some(site @ (Site::Process | Site::Store)) => at_one_server(fault, site, found),
        // What is wrong with the values by themselves comes first.
        Some(site) if found.len() == before => on_the_way(&entry, site, &selector, found),
        _ => {}
    }
    selector
}

/// The names of a key that takes one or more; `None` where it is left out.
fn list<'d>(entry: &Entry<'d>, key: &str) -> Option<Vec<Text<'d>>> {
    entry.has(key).then(|| entry.one_or_more(key))
}

/// The server of this name; anybody else is told of.
fn server(name: &Text<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Option<ServerNumber> {
    let is_bootstrap = world.bootstrap_servers.iter().any(|server| server.name == name.text);
    if is_bootstrap {
        let problem = Problem::new(name.span.clone(), format!("`{}` is a bootstrap server, and asks nobody", name.text));
        found.push(problem.hint("a DM server is meant here; in `to` a bootstrap server can stand"));
        return None;
    }
    server_named(name.text, name.span.clone(), world.servers, found)
}

fn end(name: &Text<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Option<End> {
    let bootstrap = world.bootstrap_servers.iter().position(|server| server.name == name.text);
    if let Some(number) = bootstrap.and_then(|number| u16::try_from(number).ok()) {
        return Some(End::Bootstrap(BootstrapServerNumber(number)));
    }
    let is_server = world.servers.iter().any(|server| server.name == name.text);
    if !is_server && matches!(name.text, "device" | "devices") {
        return Some(End::Device);
    }
    if !is_server {
        let servers = world.servers.iter().map(|server| server.name.as_str());
        let bootstrap_servers = world.bootstrap_servers.iter().map(|server| server.name.as_str());
        let known: Vec<&str> = servers.chain(bootstrap_servers).chain(["device"]).collect();
        let hint = did_you_mean(name.text, known.iter().copied())
            .unwrap_or_else(|| format!("those who answer are {}", words(&known, "and")));
        let message = format!("there is no server or bootstrap server `{}`", name.text);
        found.push(Problem::new(name.span.clone(), message).hint(hint));
        return None;
    }
    server_named(name.text, name.span.clone(), world.servers, found).map(End::Server)
}

fn devices(entry: &Entry<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Devices {
    if let Some(text) = entry.text("devices") {
        return match text.text.parse::<Share>() {
            Ok(share) => Devices::Share(share.fraction()),
            Err(error) => {
                let problem = Problem::new(text.span, error.to_string());
                found.push(problem.hint("or the number of a device, without quotes"));
                Devices::All
            }
        };
    }
    if !entry.has("devices") {
        return Devices::All;
    }
    let mut numbers = entry.integers("devices");
    numbers.extend(entry.integer("devices").map(|number| (number, entry.span("devices"))));
    let last = world.devices.saturating_sub(1);
    for (number, place) in numbers.iter().filter(|(number, _)| *number > i64::from(last) && world.devices > 0) {
        let problem = Problem::new(place.clone(), format!("there is no device {number}"));
        found.push(problem.hint(format!("they are numbered from 0 to {last}")));
    }
    let mut numbers: Vec<DeviceNumber> =
        numbers.iter().filter_map(|(number, _)| u32::try_from(*number).ok()).map(DeviceNumber).collect();
    numbers.sort();
    numbers.dedup();
    Devices::These(numbers)
}

fn check_state(state: &Text<'_>, found: &mut Vec<Problem>) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if state.text.is_empty() || !state.text.bytes().all(is_word) {
        let message = format!("expected a state such as `ExpectConfirmed`, found `{}`", state.text);
        found.push(Problem::new(state.span.clone(), message));
    }
}

/// `3`, `"2..4"`, `"2.."` or `"..2"`.
fn range(entry: &Entry<'_>, key: &str, found: &mut Vec<Problem>) -> Option<RangeInclusive<u32>> {
    let Some(text) = entry.text(key) else {
        let number = entry.integer(key).and_then(|number| u32::try_from(number).ok())?;
        return Some(number..=number);
    };
    let bound = |text: &str, open: u32| match text.trim() {
        "" => Some(open),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().filter(|number| *number > 0),
        _ => None,
    };
    let parts = text.text.split_once("..").filter(|_| text.text.trim() != "..");
    match parts.and_then(|(from, to)| Some((bound(from, 1)?, bound(to, u32::MAX)?))) {
        Some((from, to)) if from <= to => Some(from..=to),
        Some((from, to)) => {
            found.push(Problem::new(text.span, format!("the range ends with {to} before it begins with {from}")));
            None
        }
        None => {
            let message = format!("expected a range such as `2..4`, `2..` or `..2`, found `{}`", text.text);
            found.push(Problem::new(text.span, message).hint("they are counted from 1; one alone is a number"));
            None
        }
    }
}

/// Where a server is by itself: there is nobody who asks or answers, and something has to say when.
fn at_one_server(fault: &Entry<'_>, site: Site, found: &mut Vec<Problem>) {
    let entry = fault.table("match");
    for (key, _) in entry.keys().filter(|(key, _)| !OF_ONE_SERVER.contains(key)) {
        let problem = no_meaning(&entry, key, site);
        found.push(problem.hint(format!("what has one is {}", words(&OF_ONE_SERVER, "and"))));
    }
    let missing = |key: &str, example: &str| {
        let place = if fault.has("match") { fault.span("match") } else { fault.span("where") };
        let problem = Problem::new(place, format!("at `{}` a fault needs `{key}` in its `match`", site.key()));
        (site == Site::Process && !entry.has(key)).then(|| problem.hint(format!("for example `{key} = \"{example}\"`")))
    };
    found.extend(missing("from", "partner"));
    found.extend(missing("step", "sent delegation_confirmed by partner"));
}

fn no_meaning(entry: &Entry<'_>, key: &str, site: Site) -> Problem {
    Problem::new(entry.span(key), format!("`{key}` has no meaning at `{}`", site.key()))
}

/// Whether anything that passes a site can be what the fault is about.
fn on_the_way(entry: &Entry<'_>, site: Site, selector: &Selector, found: &mut Vec<Problem>) {
    if entry.has("step") {
        let problem = no_meaning(entry, "step", site);
        found.push(problem.hint("`after` in `when` waits for something to be seen"));
    }
    let mut left = passing(site).to_vec();
    let mut narrow = |key: &str, place: Span, fits: &dyn Fn(Direction) -> bool| {
        let before = left.clone();
        left.retain(|direction| fits(*direction));
        if left.is_empty() {
            let before: Vec<&str> = before.iter().map(|direction| direction.key()).collect();
            let message = format!("nothing that passes `{}` fits this `{key}`", site.key());
            found.push(Problem::new(place, message).hint(format!("what could pass is {}", words(&before, "and"))));
        }
        !left.is_empty()
    };
    let (from, to) = (selector.from.is_some(), selector.to.as_deref());
    let of_servers = |direction| matches!(direction, Direction::ServerToServer | Direction::ServerToDevice);
    let _ = narrow("direction", entry.span("direction"), &|direction| selector.direction.is_none_or(|it| it == direction))
        && narrow("from", entry.span("from"), &|direction| !from || of_servers(direction))
        && narrow("to", entry.span("to"), &|direction| {
            to.is_none_or(|ends| ends.iter().any(|end| answers(*end, direction)))
        })
        && narrow("role", entry.span("role"), &|direction| selector.role.is_none() || of_servers(direction))
        && narrow("message", entry.span("message"), &|direction| {
            selector.messages.is_none() || direction == Direction::ServerToServer
        })
        && narrow("state", entry.span("state"), &|direction| {
            selector.state.is_none() || direction == Direction::ServerToServer
        });
}

/// Who asks whom at a site.
fn passing(site: Site) -> &'static [Direction] {
    match site {
        Site::TcpConnect | Site::Tcp | Site::Tls | Site::Request | Site::BeforeHandler | Site::AfterHandler => {
            &[Direction::ServerToServer, Direction::DeviceToServer, Direction::DeviceToBootstrap]
        }
        Site::Protocol => &[Direction::ServerToServer],
        Site::Trigger => &[Direction::ServerToDevice],
        Site::Device => &[Direction::DeviceToServer],
        Site::Bootstrap => &[Direction::DeviceToBootstrap],
        Site::Store | Site::Process => &[],
    }
}

fn answers(end: End, direction: Direction) -> bool {
    match direction {
        Direction::ServerToServer | Direction::DeviceToServer => matches!(end, End::Server(_)),
        Direction::ServerToDevice => end == End::Device,
        Direction::DeviceToBootstrap => matches!(end, End::Bootstrap(_)),
    }
}
