//! What there is to tell of a plan that breaks a promise.

use crate::clock::Moment;
use crate::delegation::machine::{RecordView, Side, Standing};
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::trail::{Trail, Walked};
use crate::facts::Fact;
use crate::facts::pattern::Names;
use crate::measure::promise::{Breach, DeviceView, Place, ServerView};

/// What was seen on the way of a plan, and what everybody believes in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// Of the device about which it was broken.
    pub facts: Vec<Fact>,
    /// Everything that is broken in the end.
    pub breaches: Vec<Breach>,
    /// The index of the fact by which the promise was broken; `None` where only the end shows it.
    pub broke_at: Option<usize>,
    /// From when to when nobody was in charge of that device; without an end where nobody is in the end.
    pub orphan: Option<(Moment, Option<Moment>)>,
    /// Each party, with a line for each thing that it holds to be the case.
    pub beliefs: Vec<(String, Vec<String>)>,
    /// Sent by servers, new tries included.
    pub requests: usize,
}

/// Goes the way of a plan, and tells of it.
pub fn testify(lab: &mut Lab<'_>, plan: &Plan, promise: &str) -> Testimony {
    let (trail, walked) = plan.walk(lab);
    let breaches = judge::about(promise, &walked, lab);
    let premises = lab.premises();
    let about = about(&breaches, promise, premises);
    let broke_at = judge::shows_on_the_way(promise).then(|| broke_at(lab, plan, &trail, promise, about)).flatten();
    let mut beliefs: Vec<(String, Vec<String>)> = judge::servers(&walked.world, lab)
        .iter()
        .map(|server| (server.name.clone(), of_server(server, premises)))
        .collect();
    for device in judge::devices(&walked.world, lab) {
        let name = if premises.devices.len() > 1 { device.device.to_string() } else { "device".to_owned() };
        beliefs.push((name, of_device(&device, premises)));
    }
    let orphan = judge::orphan_window(&walked, about, lab);
    let facts = walked.facts.into_iter().nth(about).unwrap_or_default();
    let requests = facts.iter().filter(|fact| matches!(fact.what, crate::facts::What::Sent { .. })).count();
    Testimony { facts, breaches, broke_at, orphan, beliefs, requests }
}

/// The place of the device about which a promise was broken; that of the first where it was at a server.
fn about(breaches: &[Breach], promise: &str, premises: &Premises) -> usize {
    let of_promise = breaches.iter().filter(|breach| breach.promise == promise);
    let mut devices = of_promise.filter_map(|breach| match breach.at {
        Place::Device(device) => premises.devices.iter().position(|known| *known == device),
        Place::Server(_) => None,
    });
    devices.next().unwrap_or(0)
}

/// The last fact, about this device, of the first step after which the promise was broken.
fn broke_at(lab: &mut Lab<'_>, plan: &Plan, trail: &Trail, promise: &str, about: usize) -> Option<usize> {
    let mut walked = Walked::new(lab, plan.budget());
    for choice in trail {
        walked.take(*choice, lab);
        if judge::so_far(&walked, lab).iter().any(|breach| breach.promise == promise) {
            return walked.facts[about].len().checked_sub(1);
        }
    }
    None
}

fn of_server(server: &ServerView, premises: &Premises) -> Vec<String> {
    let records = server.records.iter().flatten();
    let mut lines: Vec<String> = records.map(|record| of_record(record, premises)).collect();
    if lines.is_empty() {
        lines.push("has no delegation on record".to_owned());
    }
    lines
}

fn of_record(record: &RecordView, premises: &Premises) -> String {
    let peer = premises.server_name(record.peer);
    let full = if record.is_full { ", in full" } else { "" };
    let words = match record.side {
        Side::Delegating => format!("has delegated {} to {peer}{full}", record.subtree),
        Side::Delegated => format!("is {peer}'s delegate for {}{full}", record.subtree),
    };
    match record.standing {
        Standing::InForce => words,
        Standing::Compromised => format!("{words}: compromised"),
        Standing::Moving(state) => format!("{words}: {state}"),
    }
}

fn of_device(device: &DeviceView, premises: &Premises) -> Vec<String> {
    let names = |servers: &[crate::ids::ServerNumber]| {
        let names: Vec<String> = servers.iter().map(|server| premises.server_name(*server)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(" and ") }
    };
    let mut lines = vec![format!("has accounts of {}", names(&device.accounts))];
    for grant in &device.grants {
        lines.push(format!(
            "names {} in the access control list of {}",
            premises.server_name(grant.server),
            grant.node
        ));
    }
    if device.bootstrap_entries > 0 {
        lines.push(format!("has {} bootstrap entries that have not been used", device.bootstrap_entries));
    }
    lines
}
