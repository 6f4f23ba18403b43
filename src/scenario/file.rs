//! From a file and its overrides to a scenario, or to every problem in it at once.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::delegation::machine::Timeouts;
use crate::delegation::policy::Policy;
use crate::delegation::reading::{
    ConfirmByUrl, Polarity, Readings, RevocationRequestStatus, RevocationSession, SessionNames, SubtreeInRevocation,
    Unconfirmed,
};
use crate::dm::wire::Encoding;
use crate::measure::health::HealthLimits;
use crate::scenario::document::Table;
use crate::scenario::entry::Entry;
use crate::scenario::keys::SCENARIO;
use crate::scenario::names::Cast;
use crate::scenario::phases::ReadFile;
use crate::scenario::problem::{Problem, Problems, Sources};
use crate::scenario::world::World;
use crate::scenario::{Connections, Scenario, TimeoutSettings, WakePorts, credentials};
use crate::scenario::{capacity, document, external, faults, journeys, limits, load, parties, races, retries, shape};
use crate::seed::Seed;
use crate::units::Size;

/// Larger files are not read.
const LARGEST_FILE: u64 = 16 << 20;

/// What the command line sets over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--seed N`.
    pub seed: Option<u64>,
    /// `--policy literal|hardened`.
    pub policy: Option<Policy>,
    /// Each `--set path=value`, in order; later ones win.
    pub sets: Vec<String>,
}

/// Reads a scenario file.
///
/// # Errors
/// Every problem of the file and of the overrides; also when the file cannot be read.
pub fn read(path: &Path, overrides: &Overrides) -> Result<Scenario, Problems> {
    let name = path.display().to_string();
    let text = read_text(path, "scenario").map_err(|error| Problems::unreadable(&name, &error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse_beside(&name, &text, overrides, &|file| read_arrivals(&folder.join(file)))
}

/// The text of an arrival file. It is read again by whoever checks or repeats the scenario, and nobody waits for a pipe that
/// has no other end.
pub(crate) fn read_arrivals(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file, as an arrival file is"));
    }
    read_text(path, "arrival file")
}

/// The text of a file; a device or a pipe that never ends is given up.
pub(crate) fn read_text(path: &Path, what: &str) -> io::Result<String> {
    let mut text = String::new();
    let octets = File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text).map_err(|error| {
        let is_binary = error.kind() == io::ErrorKind::InvalidData;
        if is_binary { io::Error::new(error.kind(), "it is not text in UTF-8") } else { error }
    })?;
    if octets as u64 > LARGEST_FILE {
        let message = format!("it is larger than {}, as no {what} is", Size(LARGEST_FILE));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Reads a scenario from a text; `name` is what problems call it. It lies in no folder: arrivals that it replays stand in
/// it themselves.
///
/// # Errors
/// Every problem of the text and of the overrides.
pub fn parse(name: &str, text: &str, overrides: &Overrides) -> Result<Scenario, Problems> {
    let no_folder = |_: &str| Err(io::Error::new(io::ErrorKind::NotFound, "this scenario lies in no folder"));
    parse_beside(name, text, overrides, &no_folder)
}

/// Reads a scenario from a text that names files beside it, which `file` reads by the names that the text has for them.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_beside(
    name: &str,
    text: &str,
    overrides: &Overrides,
    file: ReadFile<'_>,
) -> Result<Scenario, Problems> {
    let sets = overrides.sets.iter().map(|set| ("--set".to_owned(), set.clone()));
    let seed = overrides.seed.map(|seed| ("--seed".to_owned(), format!("seed={seed}")));
    let policy = overrides.policy.map(|policy| ("--policy".to_owned(), format!("policy={}", policy.key())));
    let sources = Sources::new((name, text), sets.chain(seed).chain(policy));
    let mut found = Vec::new();
    let scenario = match document::read(&sources, &mut found) {
        Ok(root) if is_campaign(&root) => {
            let place = root.get_key_value("scenario").map_or(0..0, |(key, _)| key.span());
            let problem = Problem::new(place, "this file is a campaign, which runs a scenario many times");
            found =
                vec![problem.hint(format!("`dmswarm campaign {name} --dry-run` checks it, and says what it would do"))];
            None
        }
        Ok(root) => {
            // What is missing at the top of the file is missed on its first line.
            let place = 0..text.find('\n').unwrap_or(text.len());
            shape::check(&SCENARIO, &root, place, &mut found);
            let scenario = resolve(&Entry::root(&SCENARIO, &root, &sources), file, &mut found);
            found.is_empty().then_some(scenario)
        }
        Err(problems) => {
            found.extend(problems);
            None
        }
    };
    scenario.ok_or_else(|| Problems::new(sources, found))
}

/// Whether it is a file for `dmswarm campaign`: it names a scenario, and has nothing that every scenario has.
fn is_campaign(root: &Table<'_>) -> bool {
    root.contains_key("scenario")
        && !["population", "server", "journey", "load"].iter().any(|key| root.contains_key(*key))
}

/// The second look: what the values mean together. What had the wrong shape has been reported, and is stood in for.
fn resolve(root: &Entry<'_>, file: ReadFile<'_>, found: &mut Vec<Problem>) -> Scenario {
    let name = root.text("name");
    if let Some(name) = &name {
        parties::check_name(name, found);
    }
    let population = root.table("population");
    let devices: u32 = population.number("devices");
    let classes = parties::classes(&population.tables("class"), found);
    let mut taken = parties::Taken::default();
    let server_entries = root.tables("server");
    let servers = parties::servers(&server_entries, &mut taken, found);
    let bootstrap_servers = parties::bootstrap_servers(&root.tables("bootstrap_server"), &servers, &mut taken, found);
    let fault_entries = root.tables("fault");
    let cast = Cast::new(&servers, faults::names(&fault_entries));
    let world = World {
        servers: &servers,
        bootstrap_servers: &bootstrap_servers,
        classes: &classes,
        devices,
        are_devices_external: population.has("external"),
        cast: &cast,
    };
    let journeys = journeys::read(&root.tables("journey"), &world, found);
    let seed = root.integer("seed").and_then(|seed| u64::try_from(seed).ok()).map_or_else(Seed::fresh, Seed);
    let load = match root.has("load") {
        true => load::read(&root.table("load"), seed, devices, &journeys, file, found),
        false => load::none(),
    };
    let connections = match root.word("connections") {
        "per device" => Connections::PerDevice,
        "per session" => Connections::PerSession,
        _ => Connections::Pooled,
    };
    let external_devices =
        population.has("external").then(|| external::devices(&population.table("external"), found)).flatten();
    external::check(&population, &server_entries, &servers, found);
    let encoding = match population.word("encoding") {
        "wbxml" => Encoding::Wbxml,
        _ => Encoding::Xml,
    };
    let credentials = credentials::read(&population.table("tls"), connections, found);
    let limits = limits::read(root, &load, found);
    let policy = Policy::of(root.word("policy")).unwrap_or_default();
    let faults = faults::read(&fault_entries, &world, found);
    let goals = races::goals(root, &cast, found);
    let capacity = capacity::read(root, &faults, &journeys, found);
    Scenario {
        name: name.map_or("", |name| name.text).to_owned(),
        seed,
        load,
        timeouts: timeouts(&root.table("timeouts")),
        readings: readings(&root.table("readings")),
        connections,
        encoding,
        credentials,
        connections_per_peer: root.number("connections_per_peer"),
        limits,
        health: health(&root.table("health")),
        policy,
        retries: retries::read(&root.table("retries"), policy, found),
        faults,
        heal: root.duration("heal"),
        watch: root.number("watch"),
        goals,
        expect: races::expect(root, found),
        capacity,
        body_limit: root.size("body_limit"),
        message_limit: root.size("message_limit"),
        devices,
        external_devices,
        wake_ports: WakePorts { https: population.number("wake_port"), wap: population.number("wap_port") },
        classes,
        servers,
        bootstrap_servers,
        journeys,
    }
}

fn timeouts(entry: &Entry<'_>) -> TimeoutSettings {
    TimeoutSettings {
        protocol: Timeouts {
            bootstrap: entry.duration("bootstrap"),
            confirmed: entry.duration("confirmed"),
            termination: entry.duration("termination"),
            prepared: entry.duration("prepared"),
            revoked: entry.duration("revoked"),
            device: entry.duration("device"),
            peer: entry.duration("peer"),
        },
        request: entry.duration("request"),
        session: entry.duration("session"),
        wind_down: entry.duration("wind_down"),
    }
}

fn health(entry: &Entry<'_>) -> HealthLimits {
    HealthLimits { lateness: entry.duration("lateness"), event_loop: entry.duration("event_loop") }
}

fn readings(entry: &Entry<'_>) -> Readings {
    Readings {
        no_auto_initial_session: match entry.word("no_auto_initial_session") {
            "spec-note" => Polarity::SpecNote,
            _ => Polarity::Name,
        },
        revocation_request_status: match entry.word("revocation_request_status") {
            "message" => RevocationRequestStatus::Message,
            _ => RevocationRequestStatus::Table,
        },
        subtree_in_revocation: match entry.word("subtree_in_revocation") {
            "prose" => SubtreeInRevocation::Prose,
            _ => SubtreeInRevocation::Table,
        },
        revocation_session: match entry.word("revocation_session") {
            "delegation" => RevocationSession::Delegation,
            _ => RevocationSession::Fresh,
        },
        confirm_by_url: match entry.word("confirm_by_url") {
            "after-visit" => ConfirmByUrl::AfterVisit,
            _ => ConfirmByUrl::AtOnce,
        },
        unconfirmed: match entry.word("unconfirmed") {
            "let-connect" => Unconfirmed::LetConnect,
            _ => Unconfirmed::Undo,
        },
        session_names: match entry.word("session_names") {
            "shared" => SessionNames::Shared,
            _ => SessionNames::Own,
        },
    }
}
