//! One run's settings, read from a file, impossible to hold in a wrong state.
//!
//! | file | its job |
//! |---|---|
//! | [`mod@file`] | from a file and its overrides to a [`Scenario`], or to every problem in it |
//! | [`problem`] | problems with their places, as people read them |
//! | [`demand`] | what its load asks of the machine that generates it |
//! | [`estimate`] | what a scenario would do and take, before it runs |
//! | [`schema`] | the JSON Schemas of the file and of a campaign |
//! | `keys` | every key of the file, and of a campaign, once |
//! | `document`, `shape` | the text as a tree with places; the first look at it, by the keys alone |
//! | `entry` | values out of the tree |
//! | [`external`] | what is somebody else's: where it is, and what may be asked of it |
//! | `parties`, `journeys`, `load`, `races` | the second look: what the values mean together |
//! | `phases`, `recording` | the grammar of a load's phases; files with recorded arrivals |
//! | `steps` | the grammar of a journey's steps |
//! | `reader`, `walk`, `meanwhile` | steps with their names looked up; whether each makes sense where it stands |
//! | [`capacity`] | how a capacity is searched for |
//! | `alone` | a step outside of any journey |
//! | `limits` | the second look at what a run has to keep |
//! | `world`, `names` | whom and what journeys, faults and patterns can speak of |
//! | `retries` | the grammar of how often a message is tried |
//! | `faults` | the second look at what goes wrong |
//! | `print` | a scenario back as a file, every default filled in |

mod alone;
pub mod capacity;
mod credentials;
pub mod demand;
pub(crate) mod document;
pub(crate) mod entry;
pub mod estimate;
pub mod external;
mod faults;
pub mod file;
mod journeys;
pub(crate) mod keys;
mod limits;
mod load;
mod meanwhile;
mod names;
pub(crate) mod parties;
mod phases;
mod print;
pub mod problem;
mod races;
mod reader;
mod recording;
mod retries;
pub mod schema;
pub(crate) mod shape;
mod steps;
#[cfg(test)]
mod tests;
mod walk;
mod world;

use std::sync::Arc;
use std::time::Duration;

use crate::delegation::machine::Timeouts;
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::delegation::reading::Readings;
use crate::delegation::retry::Retries;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::dmacc::{AccountBook, AuthScheme};
use crate::dm::wire::Encoding;
use crate::facts::goal::Goal;
use crate::facts::pattern::Names;
use crate::faults::rule::{Rule, Site};
use crate::ids::{BootstrapServerNumber, ServerId, ServerNumber};
use crate::measure::health::HealthLimits;
use crate::measure::limit::{self, Limit};
use crate::measure::promise::steps::Bounds;
use crate::measure::wave::Wave;
use crate::scenario::capacity::CapacitySettings;
use crate::scenario::external::{ExternalServer, Place, Wake};
use crate::seed::Seed;
use crate::workload::arrival::Phase;
use crate::workload::credentials::Credentials;
use crate::workload::journey::Step;
use crate::workload::parties::{Parties, ServerConduct};
use crate::workload::plan::{Load, LoadPopulation, Plan};
use crate::workload::population::{Class, Cohort, Population};

/// The scenario that runs when none is named; compiled in.
pub const QUICKSTART: &str = include_str!("../../scenarios/quickstart.toml");

/// The settings of one run. Whoever holds one holds a valid one: names refer to somebody, journeys make sense, and
/// numbers are within their bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Safe as a part of a file name.
    pub name: String,
    /// The file's, or a fresh one where it names none.
    pub seed: Seed,
    pub devices: u32,
    /// How its devices are woken, if they are somebody else's.
    pub external_devices: Option<Wake>,
    pub wake_ports: WakePorts,
    /// At least one. Never more than [`Population::MOST_CLASSES`].
    pub classes: Vec<Class>,
    /// At least one; a [`ServerNumber`] is an index into it.
    pub servers: Vec<ServerSettings>,
    /// A `BootstrapServerNumber` is an index into it.
    pub bootstrap_servers: Vec<BootstrapServerSettings>,
    /// At least one, at most as many as there are devices.
    pub journeys: Vec<Cohort>,
    pub load: Load,
    pub timeouts: TimeoutSettings,
    pub readings: Readings,
    pub connections: Connections,
    /// How devices write their packages.
    pub encoding: Encoding,
    /// What devices show to those they call.
    pub credentials: Credentials,
    /// How many connections each thread opens to one address at most; further requests wait for a free one.
    pub connections_per_peer: u32,
    /// One on failed flows at least: `share(failed) = 0` where the file has none of its own.
    pub limits: Vec<Limit>,
    /// What this machine may do to a run before the run is INVALID.
    pub health: HealthLimits,
    /// How our servers behave where the specification leaves a hazard open.
    pub policy: Policy,
    pub retries: Retries,
    /// What goes wrong. A rule's index is its number.
    pub faults: Vec<Rule>,
    /// How long all is well again before promises are judged: faults end with the last flow. As [`Scenario::heals_for`] has
    /// it.
    pub heal: Duration,
    /// How many devices, the first ones, are watched step by step; of all others only the end is looked at.
    pub watch: u32,
    /// What the run is to come by.
    pub goals: Vec<Goal>,
    /// What its author expects; races have that.
    pub expect: Option<Expect>,
    /// How its capacity is searched for.
    pub capacity: Option<CapacitySettings>,
    /// The largest HTTP body a server takes, in bytes.
    pub body_limit: u64,
    /// The largest package of a management session (MaxMsgSize), in bytes.
    pub message_limit: u64,
}

/// One DM server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSettings {
    /// Unique among all parties, safe as a file name.
    pub name: String,
    pub id: ServerId,
    /// A DNS name: the one in its certificate and in its URLs.
    pub host: String,
    /// Path of the delegation interface, e.g. `/dm_delegation`.
    pub interface: String,
    /// Path of management sessions, e.g. `/dm`.
    pub dm: String,
    /// Port for other servers; 0 is any free one.
    pub server_port: u16,
    /// Port for devices; 0 is any free one.
    pub device_port: u16,
    /// Port at which it is asked to start flows, where it serves; 0 is any free one.
    pub operator_port: u16,
    /// How long one of its workers is busy with a message of another server; zero: no longer than that takes.
    pub service_time: Duration,
    /// At least one.
    pub workers: u32,
    pub auth: AuthScheme,
    /// Version field of package 0: 11 or 12.
    pub trigger_version: u16,
    /// Where it is, if it is somebody else's; then its paths are those of its URLs, and its ports mean nothing.
    pub external: Option<ExternalServer>,
}

impl ServerSettings {
    /// Whether it is somebody else's, and others reach it through us.
    pub fn is_relayed(&self) -> bool {
        self.external.as_ref().is_some_and(|external| external.is_relayed)
    }
}

/// One bootstrap server.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapServerSettings {
    /// Unique among all parties, safe as a file name.
    pub name: String,
    /// The DM server whose accounts it gives out.
    pub server: ServerNumber,
    pub at: BootstrapAddress,
    /// Path of its documents, e.g. `/bootstrap`.
    pub path: String,
}

/// Where a bootstrap server listens.
#[derive(Debug, Clone, PartialEq)]
pub enum BootstrapAddress {
    /// At the device address of its DM server.
    Server,
    /// At an address of its own; port 0 is any free one.
    Apart { host: String, port: u16 },
    /// Somewhere else: it is somebody else's, as its DM server is.
    External(Place),
}

/// Where somebody else's server can wake our devices; 0 is any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WakePorts {
    pub https: u16,
    /// Of UDP.
    pub wap: u16,
}

/// How long everybody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutSettings {
    /// Between servers.
    pub protocol: Timeouts,
    /// For the answer to one HTTPS request.
    pub request: Duration,
    /// For a whole management session with a device.
    pub session: Duration,
    /// How long a delegated server takes to end its activities before DELEGATION_TERMINATION_RESP; may be zero.
    pub wind_down: Duration,
}

/// What the author of a scenario expects of it, by policy. It passes when all its goals were reached and just these
/// promises were broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Names of promises.
    pub literal: Vec<String>,
    pub hardened: Vec<String>,
    /// Why the case cannot happen over HTTPS; then it is not run.
    pub not_over_https: Option<String>,
}

impl Expect {
    /// The promises that are to be broken under a policy.
    pub fn under(&self, policy: Policy) -> &[String] {
        match policy {
            Policy::Literal => &self.literal,
            Policy::Hardened => &self.hardened,
        }
    }
}

/// How devices connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// Devices of one arbiter share connections.
    #[default]
    Pooled,
    /// Each device has its own.
    PerDevice,
    /// Each device opens its own for each session.
    PerSession,
}

/// A step of a journey as a scenario has it, with the servers by these names.
pub fn print_step(step: &Step, names: &[String]) -> String {
    steps::print(step, |server| names.get(usize::from(server.0)).map_or("", String::as_str))
}

/// Reads a step that stands alone, with the servers by these names; else says what is wrong with it. A revocation has to name
/// its parties.
pub fn read_step(text: &str, names: &[String]) -> Result<Step, String> {
    alone::read(text, names)
}

impl Scenario {
    /// The names of the populations of its load, by number.
    pub fn population_names(&self) -> Vec<String> {
        self.load.populations.iter().map(|population| population.name.clone()).collect()
    }

    /// How many devices each population of its load has, by number.
    pub fn population_devices(&self) -> Vec<u64> {
        let all = self.population();
        let devices = |one: &LoadPopulation| u64::from(one.devices(all.devices_per_journey()));
        self.load.populations.iter().map(devices).collect()
    }

    /// Which of its flows are counted apart: those of each population, and of each phase that a limit names.
    pub fn waves(&self) -> Vec<Wave> {
        let mut waves = Vec::new();
        for (population, phase) in self.load.phases() {
            let wave = self.wave(population, phase);
            if !waves.contains(&wave) {
                waves.push(wave);
            }
        }
        waves
    }

    /// By population and phase, the number of the wave of what is started there; nothing where all is one.
    fn wave_numbers(&self) -> Vec<Vec<usize>> {
        let waves = self.waves();
        if waves.len() < 2 {
            return Vec::new();
        }
        let number = |wave: &Wave| waves.iter().position(|known| known == wave).expect("each has its wave");
        let of_population = |(population, one): (usize, &LoadPopulation)| {
            one.phases.iter().map(|phase| number(&self.wave(population, phase))).collect()
        };
        self.load.populations.iter().enumerate().map(of_population).collect()
    }

    fn wave(&self, population: usize, phase: &Phase) -> Wave {
        let is_named = self.limits.iter().any(|limit| limit.phase() == Some(&phase.name));
        Wave { population, phase: is_named.then(|| phase.name.clone()) }
    }

    /// The same for serving: what others start has no limit that is not written. Where nobody has come, nothing has failed.
    pub fn for_serving(&self) -> Scenario {
        let mut served = self.clone();
        served.limits.retain(|limit| !limit::is_default(limit));
        served
    }

    /// Whether a party is somebody else's.
    pub fn has_external_parties(&self) -> bool {
        self.external_devices.is_some() || self.servers.iter().any(|server| server.external.is_some())
    }

    /// Whether somebody else's servers wake devices of ours.
    pub fn wakes_from_outside(&self) -> bool {
        self.has_devices() && self.servers.iter().any(|server| server.external.is_some())
    }

    /// Whether its devices are ours: not where they are somebody else's, nor where we stand between servers.
    pub fn has_devices(&self) -> bool {
        self.external_devices.is_none() && !self.is_relay()
    }

    /// Whether we stand between servers that are all somebody else's.
    pub fn is_relay(&self) -> bool {
        self.servers.iter().all(ServerSettings::is_relayed)
    }

    /// All devices with their journeys and classes.
    pub fn population(&self) -> Population {
        Population::new(self.seed, self.devices, self.classes.clone(), &self.journeys)
    }

    /// The accounts of a server with its devices, which POST to this address.
    pub fn account_book(&self, server: usize, address: String) -> Arc<AccountBook> {
        let settings = &self.servers[server];
        let key = self.seed.draw("accounts", server as u64);
        Arc::new(AccountBook { server: settings.id.clone(), address, scheme: settings.auth, key })
    }

    /// The URLs that a bootstrap server gives out, below this one.
    pub fn bootstrap_links(&self, server: usize, base: String) -> Arc<BootstrapLinks> {
        Arc::new(BootstrapLinks { base, key: self.seed.draw("bootstrap links", server as u64) })
    }

    /// Its parties as their machines need to know them; `books` and `links` by server and by bootstrap server.
    pub fn parties(&self, books: &[Arc<AccountBook>], links: &[Arc<BootstrapLinks>]) -> Parties {
        let conduct = |(number, settings): (usize, &ServerSettings)| {
            let mut sites = (0..).map(BootstrapServerNumber).zip(&self.bootstrap_servers).zip(links);
            let bootstrap = sites.find(|((_, site), _)| usize::from(site.server.0) == number);
            ServerConduct {
                id: settings.id.clone(),
                accounts: Arc::clone(&books[number]),
                bootstrap: bootstrap.map(|((bootstrap, _), links)| (bootstrap, Arc::clone(links))),
                timeouts: self.timeouts.protocol,
                readings: self.readings,
                policy: self.policy,
                is_watched: self.watch > 0,
                is_durable: self.faults.iter().any(|rule| matches!(rule.site, Site::Process | Site::Store)),
                wind_down: self.timeouts.wind_down,
            }
        };
        let servers = self.servers.iter().enumerate().map(conduct).collect();
        Parties::new(servers, Arc::new(self.population()), &self.journeys, &self.classes)
    }

    /// Its load, with chance decided.
    pub fn plan(&self) -> Plan {
        Plan { load: self.load.clone(), seed: self.seed, waves: self.wave_numbers() }
    }

    /// The names of its servers and faults, by which facts are told.
    pub fn names(&self) -> impl Names + '_ {
        names::Cast::of(self)
    }

    /// How long things may take, for the promises. No flow can take longer than all its timers together, with one more of
    /// each for the undo, and every try of each POST.
    pub fn bounds(&self) -> Bounds {
        /// How often in a row servers that ask for one device at the same moment may all be refused because of each other.
        const ROUNDS: u32 = 3;
        let protocol = &self.timeouts.protocol;
        let waits =
            protocol.bootstrap + protocol.confirmed + protocol.termination + protocol.prepared + protocol.revoked;
        let patience = protocol.device + protocol.peer;
        let tries = Kind::ALL.into_iter().map(|kind| self.retries.get(kind));
        let posts = tries.map(|retry| (self.timeouts.request + retry.longest) * retry.tries).max().unwrap_or_default();
        let flow = 2 * (waits + patience + posts + self.timeouts.session + self.timeouts.wind_down);
        Bounds { flow, rounds: ROUNDS }
    }

    /// How long all is well before promises are judged: no time at all where nothing goes wrong, and nobody else takes part
    /// whose messages may still be under way.
    pub fn heals_for(&self) -> Duration {
        let others = self.external_devices.is_some() || self.elsewhere().next().is_some();
        if self.faults.is_empty() && !others { Duration::ZERO } else { self.heal }
    }

    /// The scenario as a file, with every default filled in: reading it gives the same scenario.
    pub fn to_toml(&self) -> String {
        print::print(self)
    }
}
