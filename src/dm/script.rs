//! What a server wants done on a device (an errand), as orders in rounds, and what came of it.
//!
//! An errand is a small state machine of its own: it hands out one round of orders, reads their results, and hands
//! out the next. The server's half of a session turns orders into SyncML commands; a driver without SyncML may apply
//! them to a tree directly.

mod acl_change;
mod bootstrap_url;
mod flag;
mod handover;
mod leave;
mod outcome;
mod own_acls;
pub(crate) mod planted;
mod rights;
mod search;
mod single;
#[cfg(test)]
mod tests;
mod undoing;

pub use acl_change::AclChange;
use bootstrap_url::BootstrapUrl;
use handover::{Handover, Place};
use leave::Leave;
use outcome::Changes;
pub use outcome::is_done;
pub(crate) use planted::planted;
use rights::RightsBack;
use single::{Permit, Removal, Visit};
use undoing::Undoing;

use crate::dm::dmacc::DmAcc;
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// One piece of work in one management session with one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Errand {
    /// Section 5.2.1.4: give the delegate an account (unless it has one), rights on the sub-tree and on whatever has an
    /// ACL of its own below it, and tell the client not to connect to it by itself; then, as far as `extent`
    /// says so, 5.2.1.5: remove the own account as the last command.
    /// `account`: `None` when the delegate has one already. `quiet`: the value for the account's NoAutoInitialSession,
    /// unless the given account has one of its own (D6). `takes_over`: an account of the delegate that stands where the
    /// given one would be added counts as the one added by this errand, as after an attempt whose answer was lost: it is
    /// kept as it is, and the undo takes it away. Otherwise the errand fails with 418.
    Prepare {
        delegate: ServerId,
        account: Option<Box<DmAcc>>,
        subtree: Uri,
        quiet: bool,
        extent: Extent,
        takes_over: bool,
    },
    /// Section 5.2.2.3: a new entry in the Bootstrap Config MO. It takes the place of one with the same address: the
    /// client fetches what is new to it, and an attempt whose answer was lost leaves nothing behind. `revocable`: only
    /// where the server may remove accounts, as far as can be seen; what the client makes of the document has their ACL.
    PushBootstrapUrl { url: String, revocable: bool },
    /// Section 5.3: the entries of the Bootstrap Config MO with this address go, whoever put them there: for when nobody
    /// knows what an errand has changed.
    TakeBackUrl { url: String },
    /// Section 5.3: the delegate has no rights on the sub-tree any more, nor on whatever has an ACL of its own below it: for
    /// when nobody knows what an errand has changed, and the delegate's account is not to go. Rights that have gone already
    /// have gone.
    TakeBackRights { delegate: ServerId, subtree: Uri },
    /// Section 5.2.2.7 and 5.2.2.8: rights on the sub-tree, then the own account if the delegation is full.
    Grant { delegate: ServerId, subtree: Uri, extent: Extent },
    /// Section 5.2.1.7: the delegate's own session; proves that it can connect and has the rights it was promised.
    Visit { subtree: Uri },
    /// Sections 5.2.3.5, 5.2.4.3, 5.2.5.1: delete the delegate's account; the client then drops it from every ACL.
    /// `leftovers` go with it: what an earlier errand left behind for the delegate outside its account.
    /// An account that is not there has gone.
    RemoveAccount { of: ServerId, leftovers: Vec<Order> },
    /// Section 5.2.1.5, on its own: the server removes its own account. One that is not there has gone.
    Leave,
    /// Section 5.2.1.4: the client may connect to the delegate by itself from now on. `value`: that of
    /// NoAutoInitialSession which allows it (D6).
    LetConnect { delegate: ServerId, value: bool },
    /// Section 5.3: put back what an errand changed; the orders as its report gave them.
    Undo(Vec<Order>),
}

/// How much a delegate is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Rights on the sub-tree.
    Part,
    /// All that this server has: also what it may do with accounts, and with its own account the delegate may do as it
    /// likes, since nobody else will be left who could. `leaves`: at once, as the last command.
    Everything { leaves: bool },
}

impl Extent {
    /// As the text has it: everything at once, or a part.
    #[cfg(test)]
    pub fn at_once(is_full: bool) -> Extent {
        if is_full { Extent::Everything { leaves: true } } else { Extent::Part }
    }

    /// Whether the own account goes as well.
    pub fn leaves(self) -> bool {
        self == Extent::Everything { leaves: true }
    }
}

/// Which kind of errand it is: its name in facts and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrandKind {
    Prepare,
    PushUrl,
    Grant,
    Visit,
    RemoveAccount,
    /// The server removes its own account.
    Leave,
    LetConnect,
    Undo,
}

impl ErrandKind {
    pub const ALL: [ErrandKind; 8] = [
        ErrandKind::Prepare,
        ErrandKind::PushUrl,
        ErrandKind::Grant,
        ErrandKind::Visit,
        ErrandKind::RemoveAccount,
        ErrandKind::Leave,
        ErrandKind::LetConnect,
        ErrandKind::Undo,
    ];

    /// Its word.
    pub fn key(self) -> &'static str {
        match self {
            ErrandKind::Prepare => "prepare",
            ErrandKind::PushUrl => "push-url",
            ErrandKind::Grant => "grant",
            ErrandKind::Visit => "visit",
            ErrandKind::RemoveAccount => "remove-account",
            ErrandKind::Leave => "leave",
            ErrandKind::LetConnect => "let-connect",
            ErrandKind::Undo => "undo",
        }
    }
}

impl Errand {
    /// Its kind.
    pub fn kind(&self) -> ErrandKind {
        match self {
            Errand::Prepare { .. } => ErrandKind::Prepare,
            Errand::PushBootstrapUrl { .. } => ErrandKind::PushUrl,
            Errand::Grant { .. } => ErrandKind::Grant,
            Errand::Visit { .. } => ErrandKind::Visit,
            Errand::RemoveAccount { .. } => ErrandKind::RemoveAccount,
            Errand::Leave => ErrandKind::Leave,
            Errand::LetConnect { .. } => ErrandKind::LetConnect,
            Errand::TakeBackUrl { .. } | Errand::TakeBackRights { .. } | Errand::Undo(_) => ErrandKind::Undo,
        }
    }
}

/// One thing to do on the tree.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Order {
    GetAcl(Uri),
    GetFormat(Uri),
    /// The ACLs of the node and of all below it, as a management tree.
    ListAcls(Uri),
    Get(Uri),
    AddNode {
        uri: Uri,
        kind: &'static str,
    },
    AddLeaf {
        uri: Uri,
        format: &'static str,
        value: String,
    },
    ReplaceAcl {
        uri: Uri,
        acl: String,
    },
    /// Only in an undo list: takes what an errand added to an ACL out of the one that stands there now. Run as the
    /// [`Order::ReplaceAcl`] that it comes to.
    RestoreAcl(Box<AclChange>),
    ReplaceLeaf {
        uri: Uri,
        format: &'static str,
        value: String,
    },
    Delete(Uri),
    /// All or nothing; holds no reads (status 500 inside an Atomic).
    Atomic(Vec<Order>),
}

/// What the device answered to one order: its status code, and for a Get that was answered with 200 what it found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderResult {
    pub code: u16,
    pub data: Option<String>,
    /// For an Atomic: one result per inner order, in order.
    pub inner: Vec<OrderResult>,
}

/// The command and its target. Never shows values: some are secrets.
impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Order::Atomic(orders) => f.debug_tuple("Atomic").field(orders).finish(),
            Order::ReplaceAcl { acl, .. } => write!(f, "Replace {} {acl:?}", self.target()),
            Order::RestoreAcl(change) => write!(f, "Restore {} {:?}", self.target(), change.before()),
            _ => write!(f, "{} {}", self.verb(), self.target()),
        }
    }
}

impl Order {
    /// The SyncML command it becomes.
    pub fn verb(&self) -> &'static str {
        match self {
            Order::GetAcl(_) | Order::GetFormat(_) | Order::ListAcls(_) | Order::Get(_) => "Get",
            Order::AddNode { .. } | Order::AddLeaf { .. } => "Add",
            Order::ReplaceAcl { .. } | Order::RestoreAcl(_) | Order::ReplaceLeaf { .. } => "Replace",
            Order::Delete(_) => "Delete",
            Order::Atomic(_) => "Atomic",
        }
    }

    /// The `LocURI` of its target, property included; empty for an Atomic.
    pub fn target(&self) -> String {
        match self {
            Order::GetAcl(uri) | Order::ReplaceAcl { uri, .. } => format!("{uri}?prop=ACL"),
            Order::RestoreAcl(change) => format!("{}?prop=ACL", change.uri()),
            Order::GetFormat(uri) => format!("{uri}?prop=Format"),
            Order::ListAcls(uri) => format!("{uri}?list=TNDS+ACL"),
            Order::Get(uri) | Order::Delete(uri) => uri.to_string(),
            Order::AddNode { uri, .. } | Order::AddLeaf { uri, .. } | Order::ReplaceLeaf { uri, .. } => uri.to_string(),
            Order::Atomic(_) => String::new(),
        }
    }
}

/// How an errand ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Report {
    pub result: Result<(), DeviceFailure>,
    /// What would put back everything the errand changed, in the order to run it; empty when nothing was changed.
    pub undo: Vec<Order>,
    /// Whether the server's own account was removed, or in an [`Errand::Leave`] that broke off may have been: then nothing
    /// can be undone any more.
    pub own_account_removed: bool,
}

impl Report {
    /// An errand that failed before it had changed anything.
    pub fn failed(failure: DeviceFailure) -> Report {
        Report { result: Err(failure), undo: Vec::new(), own_account_removed: false }
    }
}

/// Why an errand failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DeviceFailure {
    /// The device refused an order with this status code.
    Refused { code: u16, order: &'static str, uri: String },
    /// No session came about, or it broke off, before the session timer fired.
    Unreachable,
    /// The server has no account on the device (any more), so that it cannot open a session.
    NoAccount,
    /// The device did not accept the server's credentials, or the server the device's.
    NotAuthenticated,
}

impl DeviceFailure {
    /// The reasonCode that carries this failure to the peer server (DMREPRO section 11).
    pub fn reason_code(&self) -> u16 {
        match self {
            DeviceFailure::Refused { code, .. } => *code,
            DeviceFailure::Unreachable => 408,
            DeviceFailure::NoAccount => 404,
            DeviceFailure::NotAuthenticated => 401,
        }
    }
}

/// An errand under way: hands out rounds of orders until it knows how it ended.
#[derive(Debug)]
pub struct Script {
    plan: Plan,
    changes: Changes,
}

/// What comes next in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One round, to be done in this order; the next needs one result for each of them.
    Orders(Vec<Order>),
    Finished(Report),
}

impl Script {
    /// `me`: the server whose errand it is.
    pub fn new(me: &ServerId, errand: Errand) -> Script {
        let plan = match errand {
            Errand::Prepare { delegate, account, subtree, quiet, extent, takes_over } => {
                let place = Place::for_account(account, quiet, takes_over);
                Plan::Handover(Box::new(Handover::new(me, delegate, subtree, place, extent)))
            }
            Errand::Grant { delegate, subtree, extent } => {
                let place = Place::Untouched;
                Plan::Handover(Box::new(Handover::new(me, delegate, subtree, place, extent)))
            }
            Errand::PushBootstrapUrl { url, revocable } => {
                Plan::BootstrapUrl(BootstrapUrl::new(url, revocable.then_some(me)))
            }
            Errand::TakeBackUrl { url } => Plan::BootstrapUrl(BootstrapUrl::taking_back(url)),
            Errand::TakeBackRights { delegate, subtree } => Plan::RightsBack(RightsBack::new(delegate, subtree)),
            Errand::Visit { subtree } => Plan::Visit(Visit::new(me, subtree)),
            Errand::RemoveAccount { of, leftovers } => Plan::Removal(Removal::new(of, leftovers)),
            Errand::Leave => Plan::Leave(Leave::new(me)),
            Errand::LetConnect { delegate, value } => Plan::Permit(Permit::new(delegate, value)),
            Errand::Undo(orders) => Plan::Undoing(Undoing::new(orders)),
        };
        Script { plan, changes: Changes::default() }
    }

    /// The next step. `results`: `None` at the beginning, then one for each order of the round before. A result that
    /// is not there counts as refused with 500.
    pub fn next(&mut self, results: Option<&[OrderResult]>) -> Step {
        let results = results.unwrap_or_default();
        let changes = &mut self.changes;
        let next = match &mut self.plan {
            Plan::Handover(plan) => plan.next(results, changes),
            Plan::BootstrapUrl(plan) => plan.next(results, changes),
            Plan::RightsBack(plan) => plan.next(results),
            Plan::Visit(plan) => plan.next(results),
            Plan::Removal(plan) => plan.next(results),
            Plan::Leave(plan) => plan.next(results, changes),
            Plan::Permit(plan) => plan.next(results),
            Plan::Undoing(plan) => plan.next(results, changes),
        };
        match next {
            Ok(Some(orders)) => Step::Orders(orders),
            Ok(None) => Step::Finished(self.changes.report(Ok(()))),
            Err(failure) => Step::Finished(self.changes.report(Err(failure))),
        }
    }

    /// The report of a script that cannot go on. What was under way counts as done, so that its undo is on the list; of
    /// the own account, that it may have gone.
    pub fn abandon(mut self, failure: DeviceFailure) -> Report {
        let report = self.changes.report(if planted!(BrokenSessionReportedDone) { Ok(()) } else { Err(failure) });
        match &self.plan {
            Plan::Leave(leave) => Report { own_account_removed: leave.is_in_doubt(), ..report },
            _ => report,
        }
    }
}

/// The state machine of each kind of errand.
#[derive(Debug)]
enum Plan {
    Handover(Box<Handover>),
    BootstrapUrl(BootstrapUrl),
    RightsBack(RightsBack),
    Visit(Visit),
    Removal(Removal),
    Leave(Leave),
    Permit(Permit),
    Undoing(Undoing),
}

/// What a plan does next: a round, the end (`None`), or a failure.
type Next = Result<Option<Vec<Order>>, DeviceFailure>;
