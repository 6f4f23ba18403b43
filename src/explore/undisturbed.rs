//! What an operator may count on: a flow that makes sense, that is wished when all is at rest, and that nothing disturbs,
//! is done, and comes to what was wished. Only the order in which messages arrive is free.
//!
//! The promises of a run over HTTPS cannot say so, since there nobody knows what was wished when; here the search does.

use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::machine::{RecordView, Side, Standing};
use crate::delegation::policy::Policy;
use crate::explore::lab::Lab;
use crate::explore::premises::Wish;
use crate::explore::world::World;
use crate::facts::What;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::workload::population::{Access, Storage};

/// The stable name of the promise.
pub const NAME: &str = "undisturbed_flows_are_done";

/// What it says.
pub const SAYS: &str = "a flow that nothing disturbs is done, or refused where it makes no sense";

/// What a wish has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// It is done by all who take part in it.
    Done,
    /// It is refused, and everything stands as it was.
    Refused,
}

/// A wish that came when all was at rest, while nothing has disturbed what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undisturbed {
    pub wish: u8,
    pub aim: Aim,
    pub ends: Ends,
}

/// How many sides took part in a flow, and how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ends {
    pub joined: u8,
    pub done: u8,
    pub refused: u8,
    pub failed: u8,
}

impl Ends {
    /// Those that these facts tell of.
    pub fn of(facts: &[(DeviceNumber, What)]) -> Ends {
        let mut ends = Ends::default();
        for (_, what) in facts {
            match what {
                What::Joined { .. } => ends.joined += 1,
                What::Settled { outcome: Outcome::Done, .. } => ends.done += 1,
                What::Settled { outcome: Outcome::Refused { .. }, .. } => ends.refused += 1,
                What::Settled { .. } => ends.failed += 1,
                _ => {}
            }
        }
        ends
    }

    pub fn add(&mut self, other: Ends) {
        self.joined = self.joined.saturating_add(other.joined);
        self.done = self.done.saturating_add(other.done);
        self.refused = self.refused.saturating_add(other.refused);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

/// What a wish has to come to that comes in a world at rest. `None` where that cannot be told: where it makes no sense in
/// the first place, or something has been left behind by what was before.
pub fn aim(number: usize, world: &World, lab: &Lab<'_>) -> Option<Aim> {
    let premises = lab.premises();
    let wish = premises.wishes.get(number)?;
    let device = premises.devices[wish.device];
    let (delegating, delegated) = sides(wish);
    let (owner, _) = premises.parties.at_first(device);
    let tree = lab.tree(world.trees()[wish.device]);
    let has_account = |server: ServerNumber| tree.has_account(&premises.parties.server(server).id);
    let records = records(world, lab, device);
    let is_of_owner = |(at, record): &(ServerNumber, RecordView)| match record.side {
        Side::Delegating => *at == owner,
        Side::Delegated => record.peer == owner,
    };
    let is_clear = records.iter().all(|one| one.1.standing == Standing::InForce && is_of_owner(one));
    if delegating != owner || !is_clear {
        return None;
    }
    match wish.flow {
        FlowKind::Delegate { is_full, approach, .. } => {
            let meets = |record: &RecordView| is_full || record.is_full || record.subtree.overlaps(&wish.subtree);
            let class = premises.parties.population.class(device)?;
            let is_known = has_account(delegated);
            let refuses = class.acl == Access::RefusesSubtree
                || !is_known && (class.acl == Access::RefusesAccount || class.storage == Storage::Full);
            // There is nothing to bootstrap where the delegate has an account.
            let is_in_vain = approach == Approach::Url && is_known;
            let is_free =
                has_account(owner) && !refuses && !is_in_vain && !records.iter().any(|(_, record)| meets(record));
            is_free.then_some(Aim::Done)
        }
        FlowKind::Revoke(_) => {
            let (own, theirs) = pair(&records, wish)?;
            // Who may not be given an account may not be rid of it either: one that came by bootstrap stays.
            let lets_go = premises.parties.population.class(device)?.acl == Access::Open;
            match (own.is_full, theirs.is_full) {
                (false, false) => (has_account(owner) && lets_go).then_some(Aim::Done),
                // By the text nobody looks whether there is an account left to revoke with.
                (true, true) => (premises.policy == Policy::Hardened).then_some(Aim::Refused),
                _ => None,
            }
        }
    }
}

/// What is wrong, in words, with what an undisturbed wish has come to; `None` where that is what it had to come to.
pub fn missed(undisturbed: Undisturbed, world: &World, lab: &Lab<'_>) -> Option<String> {
    let premises = lab.premises();
    let Undisturbed { wish: number, aim, ends } = undisturbed;
    let wish = &premises.wishes[usize::from(number)];
    let device = premises.devices[wish.device];
    let named = || {
        format!("{} at {} with {}", wish.flow, premises.names[usize::from(wish.at.0)], {
            &premises.names[usize::from(wish.peer.0)]
        })
    };
    let Ends { joined, done, refused, failed } = ends;
    let is_forced = matches!(wish.flow, FlowKind::Revoke(Revocation::Forced { .. }));
    let ended_well = match aim {
        Aim::Done => refused + failed == 0 && done == joined && done >= if is_forced { 1 } else { 2 },
        Aim::Refused => done + failed == 0 && refused == joined && refused > 0,
    };
    if !ended_well {
        let due = if aim == Aim::Done { "done" } else { "refused" };
        return Some(format!(
            "{}, which nothing disturbed, was to be {due}; of {joined} who took part it was done by {done}, refused by \
             {refused}, failed at {failed}",
            named()
        ));
    }
    let records = records(world, lab, device);
    let pair = pair(&records, wish);
    let (delegating, delegated) = sides(wish);
    let has_record = |server: ServerNumber, peer: ServerNumber| {
        records.iter().any(|(at, record)| (*at, record.peer) == (server, peer) && record.subtree == wish.subtree)
    };
    let has_come_about = match (aim, wish.flow) {
        (Aim::Done, FlowKind::Delegate { is_full, .. }) => {
            pair.is_some_and(|(own, theirs)| own.is_full == is_full && theirs.is_full == is_full)
        }
        (Aim::Done, FlowKind::Revoke(how)) => {
            let is_told = how != Revocation::Forced { notice: false };
            !(has_record(delegating, delegated) || is_told && has_record(delegated, delegating))
        }
        (Aim::Refused, _) => pair.is_some(),
    };
    (!has_come_about).then(|| format!("{} ended as it should, and what was wished has not come about", named()))
}

/// Who delegates, and who is the delegate.
fn sides(wish: &Wish) -> (ServerNumber, ServerNumber) {
    match wish.flow {
        FlowKind::Delegate { by_delegated: true, .. } | FlowKind::Revoke(Revocation::Requested) => (wish.peer, wish.at),
        _ => (wish.at, wish.peer),
    }
}

/// What is on record of a device, at each server.
fn records(world: &World, lab: &Lab<'_>, device: DeviceNumber) -> Vec<(ServerNumber, RecordView)> {
    let servers = (0..lab.premises().names.len() as u16).map(ServerNumber);
    let of = |at: ServerNumber| lab.server(at, world.server(at)).records().map(move |record| (at, record));
    servers.flat_map(of).filter(|(_, record)| record.device == device).collect()
}

/// The delegation that a wish is about, in force, as both have it on record.
fn pair<'r>(records: &'r [(ServerNumber, RecordView)], wish: &Wish) -> Option<(&'r RecordView, &'r RecordView)> {
    let (delegating, delegated) = sides(wish);
    let find = |server: ServerNumber, peer: ServerNumber, side: Side| {
        let is_it = |(at, record): &&(ServerNumber, RecordView)| {
            (*at, record.peer, record.side) == (server, peer, side)
                && record.subtree == wish.subtree
                && record.standing == Standing::InForce
        };
        records.iter().find(is_it).map(|(_, record)| record)
    };
    Some((find(delegating, delegated, Side::Delegating)?, find(delegated, delegating, Side::Delegated)?))
}
