//! Fresh devices of the kind that a case needs: each is used once.

use std::collections::{BTreeMap, VecDeque};

use crate::delegation::flow::Approach;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::scenario::Scenario;
use crate::seed::Seed;
use crate::workload::journey::{Journey, Step};
use crate::workload::population::Population;

/// What is to be delegated where a journey does not say.
const ORDINARY: &str = "./SCOMO";

/// More devices of one kind than any run takes.
const OF_ONE_ROUND: u64 = 32;

/// What kind of device a case needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Whether the device is the peer's at first; else it is ours.
    pub is_peers: bool,
    /// By which approach it is delegated, as the two operators have agreed.
    pub approach: Approach,
    /// Whether the delegate has an account on it already.
    pub is_bootstrapped: bool,
}

impl Kind {
    pub const OURS: Kind = Kind { is_peers: false, approach: Approach::DmAcc, is_bootstrapped: false };
    pub const OURS_KNOWN: Kind = Kind { is_bootstrapped: true, ..Kind::OURS };
    pub const OURS_BY_URL: Kind = Kind { approach: Approach::Url, ..Kind::OURS };
    pub const PEERS: Kind = Kind { is_peers: true, ..Kind::OURS };
    pub const PEERS_KNOWN: Kind = Kind { is_bootstrapped: true, ..Kind::PEERS };
    pub const PEERS_BY_URL: Kind = Kind { approach: Approach::Url, ..Kind::PEERS };

    fn of(journey: &Journey, us: ServerNumber, peer: ServerNumber) -> Option<(Kind, Uri)> {
        let first = journey.steps.first()?;
        let Step::Delegate { from, to, approach, subtree, .. } = first else { return None };
        let is_between = (*from, *to) == (us, peer) || (*from, *to) == (peer, us);
        let kind =
            Kind { is_peers: *from == peer, approach: *approach, is_bootstrapped: journey.bootstrapped.contains(to) };
        (is_between && journey.owner == *from).then(|| (kind, subtree.clone()))
    }
}

/// The devices, by kind.
pub struct Pool {
    free: BTreeMap<Kind, VecDeque<DeviceNumber>>,
    subtrees: BTreeMap<DeviceNumber, Uri>,
    /// How many cases went without.
    lacks: BTreeMap<Kind, usize>,
}

impl Pool {
    /// The devices of a scenario that are delegated between the two. A peer remembers the devices of the runs before, so
    /// that each run begins with others: those of its round, or any.
    pub fn of(
        population: &Population,
        us: ServerNumber,
        peer: ServerNumber,
        (round, salt): (Option<u32>, Seed),
    ) -> Pool {
        let mut pool = Pool { free: BTreeMap::new(), subtrees: BTreeMap::new(), lacks: BTreeMap::new() };
        for device in (0..population.devices()).map(DeviceNumber) {
            let kind = population.journey(device).and_then(|journey| Kind::of(journey, us, peer));
            let Some((kind, subtree)) = kind else { continue };
            pool.free.entry(kind).or_default().push_back(device);
            pool.subtrees.insert(device, subtree);
        }
        for (number, free) in (0..).zip(pool.free.values_mut()) {
            let first = match round {
                Some(round) => u64::from(round.saturating_sub(1)) * OF_ONE_ROUND,
                None => salt.draw("first device", number),
            };
            free.rotate_left(usize::try_from(first % (free.len() as u64)).unwrap_or(0));
        }
        pool
    }

    /// Takes one; an error is why there is none.
    pub fn take(&mut self, kind: Kind) -> Result<DeviceNumber, String> {
        let taken = self.free.get_mut(&kind).and_then(VecDeque::pop_front);
        taken.ok_or_else(|| {
            *self.lacks.entry(kind).or_default() += 1;
            format!("the file has no device left {}", words(kind))
        })
    }

    /// What is to be delegated of a device. The whole tree would leave nothing to look for beside it.
    pub fn subtree(&self, device: DeviceNumber) -> Uri {
        let named = self.subtrees.get(&device).filter(|uri| !uri.is_root()).cloned();
        named.unwrap_or_else(|| Uri::parse(ORDINARY).unwrap_or_else(|_| Uri::root()))
    }

    /// What was missing, and how to mend it.
    pub fn lacks(&self, scenario: &Scenario, us: ServerNumber, peer: ServerNumber) -> Vec<String> {
        let name = |server: ServerNumber| scenario.servers[usize::from(server.0)].name.as_str();
        let lack = |(kind, cases): (&Kind, &usize)| {
            let (from, to) = if kind.is_peers { (peer, us) } else { (us, peer) };
            let approach = if kind.approach == Approach::Url { "url" } else { "dmacc" };
            let known =
                if kind.is_bootstrapped { format!(" and `bootstrapped = [\"{}\"]`", name(to)) } else { String::new() };
            format!(
                "{cases} cases went without a device {}: add a journey with the step `delegate {} -> {} by {approach} subtree \
                 ./SCOMO`{known}, or raise `population.devices` (on both sides alike)",
                words(*kind),
                name(from),
                name(to)
            )
        };
        self.lacks.iter().map(lack).collect()
    }
}

fn words(kind: Kind) -> String {
    let whose = if kind.is_peers { "that is the peer's" } else { "that is ours" };
    let approach = if kind.approach == Approach::Url { "delegated by URL" } else { "delegated by DMAcc" };
    let account = if kind.is_bootstrapped { ", with an account of the delegate" } else { "" };
    format!("{whose}, {approach}{account}")
}
