//! What a search goes out from: who is there, and what their operators may want.

use std::sync::Arc;

use crate::delegation::flow::{Approach, FlowKind, Revocation};
use crate::delegation::machine::{Input, Settings};
use crate::delegation::policy::Policy;
use crate::delegation::reading::Polarity;
use crate::delegation::retry::Retries;
use crate::dm::uri::Uri;
use crate::explore::goals;
use crate::facts::What;
use crate::facts::goal::Goal;
use crate::facts::pattern::Names;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::steps::Bounds;
use crate::scenario::Scenario;
use crate::workload::journey::{Expected, Journey, Step};
use crate::workload::parties::Parties;
use crate::workload::population::Cohort;

/// The parties, the devices of one kind that are looked at, and the wishes that operators may have with them.
#[derive(Clone)]
pub struct Premises {
    /// What the scenario calls devices of this kind.
    pub kind: String,
    pub parties: Arc<Parties>,
    /// The servers' names in the scenario.
    pub names: Vec<String>,
    /// At least one.
    pub devices: Vec<DeviceNumber>,
    /// In the order in which they are tried.
    pub wishes: Vec<Wish>,
    pub policy: Policy,
    pub retries: Retries,
    pub bounds: Bounds,
    /// The value of NoAutoInitialSession that keeps a device from connecting by itself.
    pub quiet: bool,
    /// What a search should come by. At most 64.
    pub goals: Vec<Goal>,
    /// The servers that are somebody else's: of what happens at them nothing is seen over HTTPS.
    pub unseen: Vec<ServerNumber>,
}

/// Something that an operator may want.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    /// At which server.
    pub at: ServerNumber,
    pub peer: ServerNumber,
    /// Its place among [`Premises::devices`].
    pub device: usize,
    pub flow: FlowKind,
    pub subtree: Uri,
}

impl Premises {
    /// One for each kind of journeys in a scenario that hand devices over: journeys of the same devices, servers and
    /// sub-trees are of one kind. `devices`: how many of each are looked at together.
    pub fn of(scenario: &Scenario, devices: usize) -> Vec<Premises> {
        let parties = Arc::new(parties(scenario));
        let mut kinds = Vec::new();
        for (number, cohort) in scenario.journeys.iter().enumerate() {
            let is_known = scenario.journeys[..number].iter().any(|known| are_alike(known, cohort));
            if handovers(&cohort.journey).is_empty() || is_known {
                continue;
            }
            let population = &parties.population;
            let theirs = (0..population.devices()).map(DeviceNumber);
            let theirs = theirs.filter(|device| population.journey_number(*device) == Some(number));
            let theirs: Vec<DeviceNumber> = theirs.take(devices.max(1)).collect();
            if !theirs.is_empty() {
                kinds.push(Premises::about(theirs, &cohort.journey, &parties, scenario));
            }
        }
        kinds
    }

    /// Of this very device. Behind the wishes of its kind stands what else is wanted on its journey. `None` where there is
    /// no such device, or it is not handed over.
    pub fn of_device(scenario: &Scenario, device: DeviceNumber) -> Option<Premises> {
        let parties = Arc::new(parties(scenario));
        let cohort = &scenario.journeys[parties.population.journey_number(device)?];
        let first = scenario.journeys.iter().find(|known| are_alike(known, cohort)).unwrap_or(cohort);
        let mut premises = Premises::about(vec![device], &first.journey, &parties, scenario);
        let meanwhile = cohort.journey.meanwhile.iter().map(|one| &one.wish);
        for (flow, servers, subtree) in cohort.journey.steps.iter().chain(meanwhile).filter_map(Step::wish) {
            let wish = Wish::between(servers, 0, flow, subtree);
            // What is revoked is what was delegated: a revocation names no sub-tree.
            let is_revocation = matches!(flow, FlowKind::Revoke(_));
            let is_meant = |known: &Wish| {
                (known.at, known.peer, known.flow) == (wish.at, wish.peer, wish.flow)
                    && (is_revocation || known.subtree == wish.subtree)
            };
            if !premises.wishes.iter().any(is_meant) {
                premises.wishes.push(wish);
            }
        }
        (!premises.wishes.is_empty()).then_some(premises)
    }

    fn about(devices: Vec<DeviceNumber>, journey: &Journey, parties: &Arc<Parties>, scenario: &Scenario) -> Premises {
        let servers = (0..).map(ServerNumber).zip(&scenario.servers);
        let premises = Premises {
            kind: journey.name.clone(),
            parties: Arc::clone(parties),
            names: scenario.servers.iter().map(|server| server.name.clone()).collect(),
            devices,
            wishes: Vec::new(),
            policy: scenario.policy,
            retries: scenario.retries,
            bounds: scenario.bounds(),
            quiet: scenario.readings.no_auto_initial_session == Polarity::Name,
            goals: Vec::new(),
            unseen: servers.filter(|(_, server)| server.external.is_some()).map(|(number, _)| number).collect(),
        };
        let wishes = premises.wishes_of(journey);
        let goals = goals::usual(&premises).into_iter().chain(scenario.goals.iter().cloned()).take(64).collect();
        Premises { wishes, goals, ..premises }
    }

    /// What a server is and knows from the beginning. `may_die`: then it has a store.
    pub fn settings(&self, server: ServerNumber, may_die: bool) -> Settings {
        Settings { is_durable: may_die, ..self.parties.delegation_settings(server) }
    }

    /// Whether a fact is seen over HTTPS by whoever has only our servers and devices.
    pub fn is_seen(&self, what: &What) -> bool {
        what.noting_server().is_none_or(|server| !self.unseen.contains(&server))
    }

    /// Whether the same may be wished, in the same order, though perhaps about other devices and sub-trees.
    pub fn has_same_wishes(&self, other: &Premises) -> bool {
        let wish = |wish: &Wish| (wish.at, wish.peer, wish.device, wish.flow);
        self.wishes.iter().map(wish).eq(other.wishes.iter().map(wish))
    }

    /// The wishes between the same two about the same that are tried before this one: what is simpler comes first.
    pub fn simpler_wishes(&self, wish: usize) -> impl Iterator<Item = usize> + '_ {
        let about = |wish: &Wish| {
            let is_delegation = matches!(wish.flow, FlowKind::Delegate { .. });
            (wish.at.min(wish.peer), wish.at.max(wish.peer), wish.device, wish.subtree.clone(), is_delegation)
        };
        let this = about(&self.wishes[wish]);
        (0..wish).filter(move |other| about(&self.wishes[*other]) == this)
    }

    /// Every flow that is possible between the servers of a journey on what it hands over.
    fn wishes_of(&self, journey: &Journey) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for device in 0..self.devices.len() {
            for (delegating, delegated, subtree) in handovers(journey) {
                let has_urls = self.parties.server(delegated).bootstrap.is_some();
                let flows = flows()
                    .filter(|flow| has_urls || !matches!(flow, FlowKind::Delegate { approach: Approach::Url, .. }));
                wishes.extend(flows.map(|flow| Wish::between((delegating, delegated), device, flow, subtree.clone())));
            }
        }
        wishes
    }
}

impl Names for Premises {
    fn server(&self, name: &str) -> Option<ServerNumber> {
        let number = self.names.iter().position(|server| server == name)?;
        u16::try_from(number).ok().map(ServerNumber)
    }

    fn rule(&self, _name: &str) -> Option<usize> {
        None
    }

    fn server_name(&self, server: ServerNumber) -> String {
        self.names.get(usize::from(server.0)).cloned().unwrap_or_default()
    }

    fn rule_name(&self, _rule: usize) -> String {
        "fault".to_owned()
    }

    fn known(&self) -> Vec<String> {
        self.names.clone()
    }
}

/// Every kind of flow, delegations first; a forced revocation with and without notice.
fn flows() -> impl Iterator<Item = FlowKind> {
    FlowKind::all().chain([FlowKind::Revoke(Revocation::Forced { notice: false })])
}

/// Whether journeys are of one kind.
fn are_alike(one: &Cohort, other: &Cohort) -> bool {
    let (here, there) = (&one.journey, &other.journey);
    one.class == other.class
        && (here.owner, &here.bootstrapped) == (there.owner, &there.bootstrapped)
        && handovers(here) == handovers(there)
}

/// Who hands over which sub-tree to whom on a journey, each once.
fn handovers(journey: &Journey) -> Vec<(ServerNumber, ServerNumber, Uri)> {
    let mut handovers = Vec::new();
    for step in journey.steps.iter().chain(journey.meanwhile.iter().map(|one| &one.wish)) {
        if let Step::Delegate { from, to, subtree, .. } = step {
            let handover = (*from, *to, subtree.clone());
            if !handovers.contains(&handover) {
                handovers.push(handover);
            }
        }
    }
    handovers
}

/// The parties of a scenario, at addresses that nobody listens at.
fn parties(scenario: &Scenario) -> Parties {
    let servers = scenario.servers.iter().enumerate();
    let books: Vec<_> = servers
        .map(|(number, server)| scenario.account_book(number, format!("https://{}{}", server.host, server.dm)))
        .collect();
    let sites = scenario.bootstrap_servers.iter().enumerate();
    let links: Vec<_> = sites
        .map(|(number, site)| scenario.bootstrap_links(number, format!("https://{}{}", site.name, site.path)))
        .collect();
    let mut parties = scenario.parties(&books, &links);
    for server in &mut parties.servers {
        server.is_watched = true;
        server.is_durable = false;
    }
    parties
}

impl Wish {
    /// A delegation or revocation between these two, at the server where such a flow is started.
    pub fn between(
        (delegating, delegated): (ServerNumber, ServerNumber),
        device: usize,
        flow: FlowKind,
        subtree: Uri,
    ) -> Wish {
        let (at, peer) = match flow {
            FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => {
                (delegated, delegating)
            }
            _ => (delegating, delegated),
        };
        Wish { at, peer, device, flow, subtree }
    }

    /// What the two servers are told, in this order: how it is to go, where they agree on that beforehand (D13), and that
    /// it begins.
    pub fn inputs(&self, device: DeviceNumber) -> Vec<(ServerNumber, Input)> {
        let Wish { at, peer, flow, .. } = *self;
        let agreed = self.approach().map(|approach| (peer, Input::Agreed { device, peer: at, approach }));
        let start = Input::Start { flow, device, peer, subtree: self.subtree.clone() };
        agreed.into_iter().chain([(at, start)]).collect()
    }

    /// Whether the other server is told of it beforehand.
    pub fn has_agreement(&self) -> bool {
        self.approach().is_some()
    }

    /// As a step of a journey of which this is expected.
    pub fn step(&self, expect: Expected) -> Step {
        let (from, to) = match self.flow {
            FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => {
                (self.peer, self.at)
            }
            _ => (self.at, self.peer),
        };
        match self.flow {
            FlowKind::Delegate { approach, is_full, by_delegated } => {
                Step::Delegate { from, to, approach, subtree: self.subtree.clone(), is_full, by_delegated, expect }
            }
            FlowKind::Revoke(how) => Step::Revoke { from, to, how, expect },
        }
    }

    fn approach(&self) -> Option<Approach> {
        match self.flow {
            FlowKind::Delegate { approach, .. } => Some(approach),
            FlowKind::Revoke(_) => None,
        }
    }
}
