//! The promises, one small function each: a device and the records about it in, a judgement out.

use crate::delegation::machine::{Side, Standing};
use crate::dm::uri::Uri;
use crate::ids::ServerNumber;
use crate::measure::promise::Judgement;
use crate::measure::promise::ledger::{Held, Ledger};
use crate::measure::promise::view::{DeviceView, ServerView};

/// One promise.
pub(super) struct Rule {
    pub name: &'static str,
    pub says: &'static str,
    pub judge: fn(&DeviceView, &Ledger) -> Judgement,
    /// For a promise that is about servers as well.
    pub judge_server: Option<fn(&ServerView) -> Judgement>,
}

/// Every promise, in the order of the summary. The names are stable.
pub(super) const ALL: [Rule; 8] = [
    Rule {
        name: "records_agree",
        says: "both servers have the same delegations on record",
        judge: records_agree,
        judge_server: None,
    },
    Rule {
        name: "accounts_as_recorded",
        says: "a device holds the accounts that the records say, and no others",
        judge: accounts_as_recorded,
        judge_server: None,
    },
    Rule {
        name: "no_phantom",
        says: "whoever holds itself to be a delegate has an account on the device",
        judge: no_phantom,
        judge_server: None,
    },
    Rule {
        name: "acls_as_recorded",
        says: "a delegate has rights on the sub-tree delegated to it, and nowhere else",
        judge: acls_as_recorded,
        judge_server: None,
    },
    Rule {
        name: "revoked_is_gone",
        says: "a revoked server is nowhere in the management tree",
        judge: revoked_is_gone,
        judge_server: None,
    },
    Rule {
        name: "full_leaves_no_account",
        says: "a full delegation leaves the delegating server no account and no rights",
        judge: full_leaves_no_account,
        judge_server: None,
    },
    Rule {
        name: "nothing_left_over",
        says: "no session, job, unfinished flow or unused bootstrap entry is left",
        judge: nothing_left_over,
        judge_server: Some(server_is_idle),
    },
    Rule {
        name: "manageable",
        says: "somebody with authority over the device has an account on it",
        judge: manageable,
        judge_server: None,
    },
];

/// S2, agreement (section 5.3: after a failure both revert; after success both know): each delegation is in force on
/// both sides, with the same sub-tree and extent, or on neither. Not observable where a delegate was revoked by force
/// without notice (5.2.5.3) and still believes, and where one side's records cannot be seen.
fn records_agree(_device: &DeviceView, ledger: &Ledger) -> Judgement {
    let mut seen = Vec::new();
    let mut blind = !ledger.outdated.is_empty() || ledger.has_blind_spot();
    for held in &ledger.records {
        // Dead, paused, or not one of ours: it may have anything on record.
        if !ledger.shows_records(held.record.peer) {
            blind = true;
            continue;
        }
        let counterpart = ledger.records.iter().find(|other| other.is_counterpart_of(held));
        let agree = held.is_live()
            && counterpart.is_some_and(|other| other.is_live() && other.record.is_full == held.record.is_full);
        if !agree {
            let other = counterpart.map_or_else(
                || format!("{} has no such record", ledger.name(held.record.peer)),
                |other| described(other, ledger),
            );
            seen.push(format!("{}; {other}", described(held, ledger)));
        }
    }
    match (seen.is_empty(), blind) {
        (false, _) => Judgement::Broken(seen.join("; ")),
        (true, true) => Judgement::NotObservable,
        (true, false) => Judgement::Kept,
    }
}

/// S9, belief equals tree: the owner has its account unless it has given everything away (5.2.1.5); a delegate
/// has one; a server that was bootstrapped beforehand keeps its own unless it was revoked; nobody else has one.
fn accounts_as_recorded(device: &DeviceView, ledger: &Ledger) -> Judgement {
    if ledger.is_moving() {
        return Judgement::NotObservable;
    }
    let live = &ledger.live;
    let facts = &device.journeyed;
    let kept = facts.bootstrapped.iter().filter(|server| !facts.revoked.contains(server));
    let mut due: Vec<ServerNumber> = live.iter().map(|one| one.delegated).chain(kept.copied()).collect();
    due.push(facts.owner);
    due.retain(|server| !live.iter().any(|one| one.is_full && one.delegating == *server));
    let (due, found) = (ordered(due), ordered(device.accounts.clone()));
    if due == found {
        Judgement::Kept
    } else {
        Judgement::Broken(format!("accounts of {}; the records say {}", ledger.names(&found), ledger.names(&due)))
    }
}

/// S5, no phantom: a delegate by its own record has an account, unless it has given everything away itself since. One
/// that was revoked without notice (5.2.5.3) could not know better.
fn no_phantom(device: &DeviceView, ledger: &Ledger) -> Judgement {
    if ledger.is_moving() {
        return Judgement::NotObservable;
    }
    let delegates = ledger.records.iter().filter(|held| held.record.side == Side::Delegated && held.is_live());
    let delegates =
        ordered(delegates.map(|held| held.holder).filter(|holder| !ledger.has_given_all(*holder)).collect());
    let phantoms: Vec<ServerNumber> =
        delegates.iter().copied().filter(|delegate| !device.accounts.contains(delegate)).collect();
    match (delegates.is_empty(), phantoms.is_empty()) {
        (true, _) => Judgement::DoesNotApply,
        (false, true) => Judgement::Kept,
        (false, false) => {
            Judgement::Broken(format!("{} believes to be a delegate, without an account", ledger.names(&phantoms)))
        }
    }
}

/// S11, rights justified (5.2.1.4, 5.2.2.7): the delegate is named in the ACL of the sub-tree of each of its
/// delegations in force, unless it has given everything away itself since, and otherwise only below such a sub-tree.
/// The owner may be named anywhere, and anybody with an account on the nodes of accounts themselves.
fn acls_as_recorded(device: &DeviceView, ledger: &Ledger) -> Judgement {
    if ledger.is_moving() {
        return Judgement::NotObservable;
    }
    let live = &ledger.live;
    let missing = live
        .iter()
        .filter(|one| !ledger.has_given_all(one.delegated))
        .filter(|one| !device.grants.iter().any(|grant| grant.server == one.delegated && grant.node == *one.subtree))
        .map(|one| format!("{} is not in the ACL of {}", ledger.name(one.delegated), one.subtree));
    let unjustified = device
        .grants
        .iter()
        .filter(|grant| grant.server != device.journeyed.owner)
        .filter(|grant| !(is_about_accounts(&grant.node) && device.accounts.contains(&grant.server)))
        .filter(|grant| !live.iter().any(|one| one.delegated == grant.server && one.subtree.covers(&grant.node)))
        .map(|grant| {
            format!("{} is in the ACL of {}, which no record justifies", ledger.name(grant.server), grant.node)
        });
    let seen: Vec<String> = missing.chain(unjustified).collect();
    if !seen.is_empty() {
        Judgement::Broken(seen.join("; "))
    } else if live.is_empty() && device.grants.is_empty() {
        Judgement::DoesNotApply
    } else {
        Judgement::Kept
    }
}

/// 5.2.3.5, 5.2.4.3, 5.2.5.1: the delegating server "deletes and cleans" the delegate. Whoever made its account, even
/// before the run, it is gone, and so is its name in every ACL (the client purges it with the account).
fn revoked_is_gone(device: &DeviceView, ledger: &Ledger) -> Judgement {
    let live = &ledger.live;
    let revoked = device.journeyed.revoked.iter().filter(|server| !live.iter().any(|one| one.delegated == **server));
    let mut judgement = Judgement::DoesNotApply;
    let mut seen = Vec::new();
    for server in revoked {
        judgement = Judgement::Kept;
        seen.extend(traces(*server, device, ledger));
    }
    if seen.is_empty() { judgement } else { Judgement::Broken(format!("revoked, but {}", seen.join("; "))) }
}

/// S12, full means exclusive (5.2.1.5, 5.2.2.8): a server that has delegated fully has neither account nor rights left,
/// and there is one full delegate. Full is what the record at rest says it is, whenever the own account is removed: a
/// server that removes it only after DELEGATION_CONFIRMED is under way until it has.
fn full_leaves_no_account(device: &DeviceView, ledger: &Ledger) -> Judgement {
    if ledger.is_moving() {
        return Judgement::NotObservable;
    }
    let full: Vec<_> = ledger.live.iter().filter(|one| one.is_full).collect();
    let mut givers = full.iter().map(|one| one.delegating).collect::<Vec<_>>();
    let gave = givers.len();
    givers = ordered(givers);
    let mut seen: Vec<String> = givers.iter().flat_map(|server| traces(*server, device, ledger)).collect();
    if givers.len() < gave {
        let takers = ordered(full.iter().map(|one| one.delegated).collect());
        seen.push(format!("fully delegated more than once, to {}", ledger.names(&takers)));
    }
    match (full.is_empty(), seen.is_empty()) {
        (true, _) => Judgement::DoesNotApply,
        (false, true) => Judgement::Kept,
        (false, false) => Judgement::Broken(format!("delegated fully, but {}", seen.join("; "))),
    }
}

/// S3, no residue (5.3: "purge any saved state"): no session open, no record on its way, and no more entries in the
/// Bootstrap Config than delegations in force.
fn nothing_left_over(device: &DeviceView, ledger: &Ledger) -> Judgement {
    let mut seen = Vec::new();
    if device.open_sessions > 0 {
        seen.push(format!("{} open management sessions", device.open_sessions));
    }
    let live = ledger.live.len();
    if device.bootstrap_entries > live {
        seen.push(format!("{} bootstrap entries with {live} delegations in force", device.bootstrap_entries));
    }
    let moving = ledger.records.iter().chain(&ledger.outdated);
    let moving = moving.filter(|held| matches!(held.record.standing, Standing::Moving(_)));
    seen.extend(moving.map(|held| described(held, ledger)));
    if seen.is_empty() { Judgement::Kept } else { Judgement::Broken(seen.join("; ")) }
}

/// S3 at a server: nothing that it still waits for or works on.
fn server_is_idle(server: &ServerView) -> Judgement {
    match (server.records.is_some(), server.pending) {
        (false, _) => Judgement::NotObservable,
        (true, 0) => Judgement::Kept,
        (true, pending) => Judgement::Broken(format!("{pending} flows, jobs, sessions or timers left")),
    }
}

/// S1, manageability: at least one server with an account has the authority to use it.
fn manageable(device: &DeviceView, ledger: &Ledger) -> Judgement {
    if device.accounts.iter().any(|server| ledger.may_manage(*server)) {
        return Judgement::Kept;
    }
    let able: Vec<ServerNumber> = device.accounts.clone();
    Judgement::Broken(format!(
        "no server can manage it: accounts of {}, none of them in charge",
        ledger.names(&ordered(able))
    ))
}

/// Where a server is in the tree.
fn traces(server: ServerNumber, device: &DeviceView, ledger: &Ledger) -> Vec<String> {
    let name = ledger.name(server);
    let account = device.accounts.contains(&server).then(|| format!("{name} has an account"));
    let grants = device.grants.iter().filter(|grant| grant.server == server);
    account.into_iter().chain(grants.map(|grant| format!("{name} is in the ACL of {}", grant.node))).collect()
}

/// A record in words: `home says ./SCOMO is delegated to partner, partially, in force`.
fn described(held: &Held, ledger: &Ledger) -> String {
    let (delegating, delegated) = held.parties();
    let record = held.record;
    let extent = if record.is_full { "fully" } else { "partially" };
    let standing = match record.standing {
        Standing::InForce => "in force".to_owned(),
        Standing::Compromised => "compromised".to_owned(),
        Standing::Moving(state) => format!("under way ({state})"),
    };
    format!(
        "{} says {} is delegated by {} to {}, {extent}, {standing}",
        ledger.name(held.holder),
        record.subtree,
        ledger.name(delegating),
        ledger.name(delegated)
    )
}

/// Whether a node belongs to the accounts, whose ACLs name their own servers from the start.
fn is_about_accounts(node: &Uri) -> bool {
    node.segments().next() == Some("DMAcc")
}

fn ordered(mut servers: Vec<ServerNumber>) -> Vec<ServerNumber> {
    servers.sort_unstable();
    servers.dedup();
    servers
}
