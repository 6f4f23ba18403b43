//! What must hold: in the end, judged on plain views of devices and servers, and step by step, judged on facts. No IO.
//!
//! The numbers name the invariants of the project's study of faults. In the end: S1 manageability, S2 agreement, S3 no
//! residue, S5 no phantom, S9 belief equals tree, S11 access rights justified, S12 full means exclusive. On facts: S4,
//! S6 to S8, S10 and S13 (sessions and rights at every step), P1 to P6 (what is said), L1 to L6 (what comes to an end).
//!
//! | file | its job |
//! |---|---|
//! | [`view`] | what is looked at in the end: devices, servers, and what is known of a device's journey |
//! | `ledger` | the records of all servers about one device, put together |
//! | `rules` | the promises about the end, one small function each |
//! | [`steps`] | the promises about every step, on the facts of one device |

mod ledger;
mod rules;
pub mod steps;
pub mod view;

use std::collections::BTreeMap;

use crate::delegation::machine::RecordView;
use crate::ids::{DeviceNumber, ServerNumber, device_id};
use crate::measure::promise::ledger::Ledger;
use crate::measure::promise::steps::Watched;
use crate::measure::promise::steps::beginning::whole_steps;
use crate::measure::promise::steps::windows::LongestWindows;
pub use crate::measure::promise::view::{DeviceView, Grant, Journeyed, ServerView};

/// How many breaches of one promise are kept with what was seen; the rest are only counted.
pub const KEPT_BREACHES: usize = 100;

/// What became of one promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseResult {
    /// Its stable name, e.g. `records_agree`.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub says: &'static str,
    /// Devices (and servers, where it is about them) to which it applies and on which it could be judged.
    pub checked: u64,
    /// Those of them on which it does not hold.
    pub broken: u64,
    /// Devices to which it applies, but where what it is about cannot be seen.
    pub not_observable: u64,
    /// The first [`KEPT_BREACHES`] breaches, by device.
    pub breaches: Vec<Breach>,
}

/// One broken promise on one device, or at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub at: Place,
    pub promise: &'static str,
    /// What was seen, in words.
    pub seen: String,
}

/// Where a promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Device(DeviceNumber),
    /// By its name in the scenario.
    Server(String),
}

/// `device 17 (urn:imei:...): <seen>`, or `server home: <seen>`.
impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.at {
            Place::Device(device) => write!(f, "{device} ({}): {}", device_id(*device), self.seen),
            Place::Server(name) => write!(f, "server {name}: {}", self.seen),
        }
    }
}

/// What a promise says of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is not about this device.
    DoesNotApply,
    Kept,
    /// With what was seen.
    Broken(String),
    /// What it is about cannot be seen here.
    NotObservable,
}

/// The names of all promises, those about the end first, in the order of the summary. They are stable.
pub fn names() -> impl Iterator<Item = &'static str> {
    rules::ALL.iter().map(|rule| rule.name).chain(steps::ALL.iter().map(|rule| rule.name))
}

/// What a promise says, in a sentence; nothing for a name that none has.
pub fn says(name: &str) -> &'static str {
    let all = rules::ALL
        .iter()
        .map(|rule| (rule.name, rule.says))
        .chain(steps::ALL.iter().map(|rule| (rule.name, rule.says)));
    all.into_iter().find(|(known, _)| *known == name).map_or("", |(_, says)| says)
}

/// Whether a promise is about every step, not about the end alone.
pub fn is_about_steps(name: &str) -> bool {
    steps::ALL.iter().any(|rule| rule.name == name)
}

/// Judges every promise on one device after the other, and at last on the servers themselves. Memory grows with the
/// servers' records, not with the devices.
pub struct Judging<'s> {
    servers: &'s [ServerView],
    records: BTreeMap<DeviceNumber, Vec<(ServerNumber, &'s RecordView)>>,
    /// Of the promises about the end.
    results: Vec<PromiseResult>,
    /// Of those about every step; empty until steps are looked at.
    step_results: Vec<PromiseResult>,
    windows: LongestWindows,
}

impl<'s> Judging<'s> {
    /// Begins with what the servers have on record.
    pub fn new(servers: &'s [ServerView]) -> Judging<'s> {
        Judging {
            servers,
            records: records_by_device(servers),
            results: rules::ALL.iter().map(|rule| PromiseResult::new(rule.name, rule.says)).collect(),
            step_results: Vec::new(),
            windows: LongestWindows::default(),
        }
    }

    /// Looks at one device; they may come in any order.
    pub fn look_at(&mut self, device: &DeviceView) {
        let records = self.records.get(&device.device).map_or(&[][..], Vec::as_slice);
        let ledger = Ledger::new(device, self.servers, records);
        for (rule, result) in rules::ALL.iter().zip(&mut self.results) {
            result.add(Place::Device(device.device), (rule.judge)(device, &ledger));
        }
    }

    /// Looks at what was seen of one device step by step; they may come in any order. Only where a device was watched
    /// are the promises about steps among the results.
    pub fn look_at_steps(&mut self, watched: &Watched<'_>) {
        self.look_at_steps_as(watched, |judgement| judgement);
    }

    /// As [`Judging::look_at_steps`], of a device of which more has happened than was seen: a promise that its first steps
    /// broke is broken, and of one that they kept nobody knows.
    pub fn look_at_first_steps(&mut self, watched: &Watched<'_>) {
        let facts = whole_steps(watched.facts);
        let ended_at = facts.last().map_or(watched.ended_at, |last| last.at);
        self.look_at_steps_as(&Watched { facts: &facts, ended_at, ..*watched }, |judgement| match judgement {
            Judgement::Kept => Judgement::NotObservable,
            Judgement::Broken(_) | Judgement::NotObservable | Judgement::DoesNotApply => judgement,
        });
    }

    fn look_at_steps_as(&mut self, watched: &Watched<'_>, known: impl Fn(Judgement) -> Judgement) {
        if self.step_results.is_empty() {
            self.step_results = steps::ALL.iter().map(|rule| PromiseResult::new(rule.name, rule.says)).collect();
        }
        let (judgements, windows) = steps::judge(watched);
        for (judgement, result) in judgements.into_iter().zip(&mut self.step_results) {
            result.add(Place::Device(watched.device), known(judgement));
        }
        self.windows.add(watched.device, windows);
    }

    /// The longest windows of the devices whose steps have been looked at.
    pub fn windows(&self) -> &LongestWindows {
        &self.windows
    }

    /// Looks at the servers, and says what became of each promise, in the order of [`names`].
    pub fn finish(mut self) -> Vec<PromiseResult> {
        for (rule, result) in rules::ALL.iter().zip(&mut self.results) {
            if let Some(judge_server) = rule.judge_server {
                for server in self.servers {
                    result.add(Place::Server(server.name.clone()), judge_server(server));
                }
            }
        }
        self.results.append(&mut self.step_results);
        self.results
    }
}

impl PromiseResult {
    fn new(name: &'static str, says: &'static str) -> PromiseResult {
        PromiseResult { name, says, checked: 0, broken: 0, not_observable: 0, breaches: Vec::new() }
    }

    fn add(&mut self, at: Place, judgement: Judgement) {
        match judgement {
            Judgement::DoesNotApply => {}
            Judgement::Kept => self.checked += 1,
            Judgement::NotObservable => self.not_observable += 1,
            Judgement::Broken(seen) => {
                self.checked += 1;
                self.broken += 1;
                if self.breaches.len() < KEPT_BREACHES {
                    self.breaches.push(Breach { at, promise: self.name, seen });
                }
            }
        }
    }
}

/// Every record of every server that lets its records be seen, by device.
fn records_by_device(servers: &[ServerView]) -> BTreeMap<DeviceNumber, Vec<(ServerNumber, &RecordView)>> {
    let mut by_device: BTreeMap<DeviceNumber, Vec<(ServerNumber, &RecordView)>> = BTreeMap::new();
    for server in servers {
        for record in server.records.iter().flatten() {
            by_device.entry(record.device).or_default().push((server.server, record));
        }
    }
    by_device
}

#[cfg(test)]
mod tests;
