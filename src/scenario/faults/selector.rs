//! `match` of a fault: what it is about, and whether anything of that kind passes where it acts.

use std::ops::RangeInclusive;

use crate::delegation::message::Kind;
use crate::faults::rule::{Devices, Direction, End, Role, Rule, Selector, Site};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::parties::{class_named, server_named};
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::shape::words;
use crate::scenario::world::World;
use crate::units::Share;

/// What is known of a write to a server's store.
const OF_A_WRITE: [&str; 3] = ["from", "devices", "class"];
/// What is known of a step of a server.
const OF_A_STEP: [&str; 3] = ["from", "devices", "step"];

/// What a fault is about.
pub fn read(entry: &Entry<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Selector {
    for key in ["from", "to", "message", "devices"] {
        if entry.is_list(key) && entry.items(key).is_empty() {
            let problem = Problem::new(entry.span(key), format!("`{key}` names nobody, so the fault never fires"));
            found.push(problem.hint("leave it out for any"));
        }
    }
    Selector {
        from: list(entry, "from").map(|names| names.iter().filter_map(|name| server(name, world, found)).collect()),
        to: list(entry, "to").map(|names| names.iter().filter_map(|name| end(name, world, found)).collect()),
        direction: Direction::ALL.into_iter().find(|direction| direction.key() == entry.word("direction")),
        role: Role::ALL.into_iter().find(|role| role.key() == entry.word("role")),
        devices: devices(entry, world, found),
        class: entry.text("class").and_then(|class| class_named(&class, world.classes, found)),
        messages: list(entry, "message")
            .map(|names| names.iter().filter_map(|name| Kind::of_root(name.text)).collect()),
        session: range(entry, "session", found),
        attempt: range(entry, "attempt", found),
        state: entry.text("state").map(|state| {
            check_state(&state, found);
            state.text.to_owned()
        }),
        step: entry.text("step").and_then(|step| world.cast.pattern(&step, found)),
    }
}

/// The names of a key that takes one or more; `None` where it is left out.
fn list<'d>(entry: &Entry<'d>, key: &str) -> Option<Vec<Text<'d>>> {
    (entry.text(key).is_some() || entry.is_list(key)).then(|| entry.one_or_more(key))
}

/// The server of this name; anybody else is told of.
fn server(name: &Text<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Option<ServerNumber> {
    let is_bootstrap = world.bootstrap_servers.iter().any(|server| server.name == name.text);
    if is_bootstrap {
        let problem =
            Problem::new(name.span.clone(), format!("`{}` is a bootstrap server, and asks nobody", name.text));
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

/// Whether what a fault is about can come by where it acts.
pub fn check(fault: &Entry<'_>, rule: &Rule, found: &mut Vec<Problem>) {
    let entry = fault.table("match");
    let mut no_meaning = |key: &str, hint: String| {
        let message = format!("`{key}` has no meaning at `{}`", rule.site.key());
        found.push(Problem::new(entry.span(key), message).hint(hint));
    };
    for key in rule.meaningless() {
        let hint = match rule.is_at_step() {
            true => format!("what is known of a step is {}", words(&OF_A_STEP, "and")),
            false => "`after` in `when` waits for something to be seen".to_owned(),
        };
        no_meaning(key, hint);
    }
    if rule.site == Site::Store && !entry.has("step") {
        for (key, _) in entry.keys().filter(|(key, _)| !OF_A_WRITE.contains(key)) {
            no_meaning(key, format!("what is known of a write is {}", words(&OF_A_WRITE, "and")));
        }
    }
    if rule.site == Site::Process {
        needs(fault, "from", "partner", found);
        needs(fault, "step", "sent delegation_confirmed by partner", found);
    }
    on_the_way(&entry, rule.site, &rule.about, found);
}

/// A process is somebody's, and something has to say when.
fn needs(fault: &Entry<'_>, key: &str, example: &str, found: &mut Vec<Problem>) {
    if !fault.table("match").has(key) {
        let place = if fault.has("match") { fault.span("match") } else { fault.span("where") };
        let problem = Problem::new(place, format!("at `process` a fault needs `{key}` in its `match`"));
        found.push(problem.hint(format!("for example `{key} = \"{example}\"`")));
    }
}

/// Whether anything that passes a site can be what the fault is about.
fn on_the_way(entry: &Entry<'_>, site: Site, about: &Selector, found: &mut Vec<Problem>) {
    let is_server = |direction| matches!(direction, Direction::ServerToServer | Direction::ServerToDevice);
    let is_protocol = |direction| direction == Direction::ServerToServer;
    let ends = about.to.as_deref().unwrap_or_default();
    let keys: [(&str, &dyn Fn(Direction) -> bool); 6] = [
        ("direction", &|direction| about.direction.is_none_or(|sought| sought == direction)),
        ("from", &|direction| about.from.is_none() || is_server(direction)),
        ("to", &|direction| ends.is_empty() || ends.iter().any(|end| answers(*end, direction))),
        ("role", &|direction| about.role.is_none() || is_server(direction)),
        ("message", &|direction| about.messages.is_none() || is_protocol(direction)),
        ("state", &|direction| about.state.is_none() || is_protocol(direction)),
    ];
    let mut left = passing(site).to_vec();
    for (key, fits) in keys {
        let could_pass: Vec<&str> = left.iter().map(|direction| direction.key()).collect();
        left.retain(|direction| fits(*direction));
        if left.is_empty() && !could_pass.is_empty() {
            let problem =
                Problem::new(entry.span(key), format!("nothing that passes `{}` fits this `{key}`", site.key()));
            found.push(problem.hint(format!("what could pass is {}", words(&could_pass, "and"))));
        }
    }
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
