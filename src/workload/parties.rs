//! The parties of a run as their machines need to know them: who they are, by what they go, and what a device begins with.
//!
//! How they are reached, and over what, is somebody else's: the same parties meet over HTTPS and in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::delegation::machine::{Accounts, Settings, Timeouts};
use crate::delegation::policy::Policy;
use crate::delegation::reading::Readings;
use crate::dm::bootstrap::BootstrapLinks;
use crate::dm::dmacc::{AccountBook, DmAcc};
use crate::dm::standard::{self, Refuses};
use crate::dm::tree::Template;
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerId, ServerNumber, device_id};
use crate::workload::journey::Journey;
use crate::workload::population::{Access, Class, Cohort, Population, Storage};

/// All parties. Shared by all threads, never changed.
pub struct Parties {
    pub servers: Vec<ServerConduct>,
    pub population: Arc<Population>,
    /// What a device begins with, by its journey and its class.
    templates: Vec<Vec<Arc<Template>>>,
}

/// A DM server.
#[derive(Clone)]
pub struct ServerConduct {
    pub id: ServerId,
    pub accounts: Arc<AccountBook>,
    /// Its bootstrap server, and the URLs which that knows; `None` without one.
    pub bootstrap: Option<(BootstrapServerNumber, Arc<BootstrapLinks>)>,
    pub timeouts: Timeouts,
    pub readings: Readings,
    pub policy: Policy,
    /// Whether somebody watches it step by step.
    pub is_watched: bool,
    /// Whether it has a durable store: only where servers may die.
    pub is_durable: bool,
    pub wind_down: Duration,
}

impl Parties {
    /// `cohorts` and `classes` as in the population.
    pub fn new(
        servers: Vec<ServerConduct>,
        population: Arc<Population>,
        cohorts: &[Cohort],
        classes: &[Class],
    ) -> Parties {
        let templates = templates(&servers, cohorts, classes);
        Parties { servers, population, templates }
    }

    /// A server by its number.
    pub fn server(&self, server: ServerNumber) -> &ServerConduct {
        &self.servers[usize::from(server.0)]
    }

    /// The server of an identifier.
    pub fn server_named(&self, id: &ServerId) -> Option<ServerNumber> {
        let place = self.servers.iter().position(|server| server.id == *id)?;
        u16::try_from(place).ok().map(ServerNumber)
    }

    /// What the delegation machine of a server works by.
    pub fn delegation_settings(&self, me: ServerNumber) -> Settings {
        let server = self.server(me);
        Settings {
            me,
            servers: self.servers.iter().map(|server| server.id.clone()).collect(),
            registry: Arc::clone(&self.population) as _,
            accounts: Arc::new(server.clone()),
            timeouts: server.timeouts,
            readings: server.readings,
            policy: server.policy,
            is_watched: server.is_watched,
            is_durable: server.is_durable,
            wind_down: server.wind_down,
        }
    }

    /// A device's owner, and who else has an account on it before the run.
    pub fn at_first(&self, device: DeviceNumber) -> (ServerNumber, Vec<ServerNumber>) {
        let journey = self.population.journey(device);
        journey.map_or((ServerNumber(0), Vec::new()), |journey| (journey.owner, journey.bootstrapped.clone()))
    }

    /// What a device is like when it leaves its owner's hands.
    pub fn template(&self, device: DeviceNumber) -> &Arc<Template> {
        let journey = self.population.journey_number(device).unwrap_or_default();
        let class = self.population.class_number(device).unwrap_or_default();
        &self.templates[journey][class]
    }
}

impl Accounts for ServerConduct {
    fn account_for(&self, device: DeviceNumber) -> DmAcc {
        self.accounts.account(&device_id(device))
    }

    fn bootstrap_url(&self, device: DeviceNumber) -> Option<String> {
        self.bootstrap.as_ref().map(|(_, links)| links.url_for(&device_id(device)))
    }
}

/// What devices begin with, by journey and class; the same where the same servers have accounts at first.
fn templates(servers: &[ServerConduct], cohorts: &[Cohort], classes: &[Class]) -> Vec<Vec<Arc<Template>>> {
    let mut made: BTreeMap<(Vec<ServerNumber>, usize), Arc<Template>> = BTreeMap::new();
    let of_journey = cohorts.iter().map(|cohort| {
        let at_first = accounts_at_first(&cohort.journey);
        let of_class = classes.iter().enumerate().map(|(number, class)| {
            let key = (at_first.clone(), number);
            Arc::clone(made.entry(key).or_insert_with(|| template(servers, &at_first, class)))
        });
        of_class.collect()
    });
    of_journey.collect()
}

/// The owner first, then whoever else has an account.
fn accounts_at_first(journey: &Journey) -> Vec<ServerNumber> {
    std::iter::once(journey.owner).chain(journey.bootstrapped.iter().copied()).collect()
}

/// `at_first`: whose accounts are on the device, the owner's first.
fn template(servers: &[ServerConduct], at_first: &[ServerNumber], class: &Class) -> Arc<Template> {
    let accounts: Vec<_> = at_first.iter().map(|server| Arc::clone(&servers[usize::from(server.0)].accounts)).collect();
    standard::template(&standard::Blueprint {
        manufacturer: class.manufacturer.clone(),
        model: class.model.clone(),
        owner: accounts[0].server.clone(),
        accounts,
        subtrees: class.subtrees.clone(),
        storage: match class.storage {
            Storage::Ample => None,
            Storage::Full => Some(0),
        },
        refuses: match class.acl {
            Access::Open => None,
            Access::RefusesAccount => Some(Refuses::Accounts),
            Access::RefusesSubtree => Some(Refuses::Subtrees),
        },
    })
}
