//! Sections 5.2.1.4, 5.2.1.5, 5.2.2.7, 5.2.2.8: the delegate's account and rights, then perhaps the end of the own account.

use super::acl_change::AclChange;
use super::flag::Flag;
use super::own_acls::OwnAcls;
use super::search::{self, AccountSearch};
use super::single::{NOT_FOUND, PERMISSION_DENIED, unless_gone};
use super::{Changes, DeviceFailure, Extent, Next, Order, OrderResult, outcome, planted};
use crate::dm::acl::{Acl, Right};
use crate::dm::dmacc::{self, DmAcc};
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// Gives a delegate what it needs to manage a sub-tree.
///
/// 1. Reads the ACLs from the sub-tree up to the root and those below it, and looks for accounts where it needs to know
///    them. Whatever it will change it has read before, so that a change whose answer is lost can be undone.
/// 2. Makes the changes; those around a new account all or nothing.
/// 3. In a full delegation deletes the own account, as the very last command.
#[derive(Debug)]
pub struct Handover {
    me: ServerId,
    delegate: ServerId,
    subtree: Uri,
    place: Place,
    extent: Extent,
    search: AccountSearch,
    own_acls: OwnAcls,
    /// The ACLs to be changed; that of the sub-tree itself is the last.
    acls: Vec<AclChange>,
    /// The flag of the delegate's account, once it has been read.
    flag: Option<Flag>,
    state: State,
}

/// What is to be done about the delegate's account.
#[derive(Debug)]
pub enum Place {
    /// It has none yet: this one is added. `takes_over`: one that stands there all the same is taken for it.
    New { account: Box<DmAcc>, takes_over: bool },
    /// It has one: only its NoAutoInitialSession gets this value. `is_ours`: an earlier attempt has added it, so that the
    /// undo takes it away.
    Existing { quiet: bool, is_ours: bool },
    /// It has one, and it stays as it is.
    Untouched,
}

impl Place {
    /// `quiet`: for NoAutoInitialSession, where the account does not say.
    pub fn for_account(account: Option<Box<DmAcc>>, quiet: bool, takes_over: bool) -> Place {
        match account {
            Some(mut account) => {
                if !planted!(QuietForgotten) {
                    account.no_auto_initial_session.get_or_insert(quiet);
                }
                Place::New { account, takes_over }
            }
            None => Place::Existing { quiet, is_ours: false },
        }
    }
}

#[derive(Debug)]
enum State {
    Start,
    /// Expects ACLs, and what the searches asked along with them.
    Reading,
    Searching,
    /// Expects the flag of the delegate's account.
    ReadingFlag,
    /// Expects the changes to have been made.
    Changing,
    /// Expects the own account to have been deleted.
    Leaving,
}

impl Handover {
    /// `me` gives, `delegate` gets.
    pub fn new(me: &ServerId, delegate: ServerId, subtree: Uri, place: Place, extent: Extent) -> Handover {
        let mut wanted = Vec::new();
        if matches!(place, Place::Existing { .. }) {
            wanted.push(delegate.clone());
        }
        if extent != Extent::Part {
            wanted.push(me.clone());
        }
        Handover {
            me: me.clone(),
            delegate,
            own_acls: OwnAcls::new(subtree.clone()),
            subtree,
            place,
            extent,
            search: AccountSearch::new(wanted),
            acls: Vec::new(),
            flag: None,
            state: State::Start,
        }
    }

    pub fn next(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        match self.state {
            State::Start => {
                let mut orders: Vec<Order> = self.line().into_iter().map(Order::GetAcl).collect();
                orders.extend(self.own_acls.first());
                orders.extend(self.search.first());
                orders.extend(self.probe());
                self.state = State::Reading;
                Ok(Some(orders))
            }
            State::Reading => {
                let acls = self.line().len();
                self.merge(&results[..acls.min(results.len())])?;
                let probed = acls + self.own_acls.expects() + self.search.first().len();
                self.take_probe(outcome::at(results, probed))?;
                self.look(&results[acls.min(results.len())..probed.min(results.len())], changes)
            }
            State::Searching => self.look(results, changes),
            State::ReadingFlag => {
                self.take_flag(outcome::at(results, 0));
                self.change(changes)
            }
            State::Changing => self.changed(results, changes),
            State::Leaving => {
                let order = Order::Delete(self.account_of(&self.me)?);
                match unless_gone(&order, outcome::at(results, 0)) {
                    Some(failure) => Err(failure),
                    None => {
                        changes.remove_own_account();
                        Ok(None)
                    }
                }
            }
        }
    }

    /// What else has to be known of the usual place of the delegate's account.
    fn probe(&self) -> Option<Order> {
        let leaf = match self.place {
            Place::New { .. } => "ServerID",
            Place::Existing { .. } => FLAG,
            Place::Untouched => return None,
        };
        Some(Order::Get(search::usual_place(&self.delegate).join(leaf)))
    }

    fn take_probe(&mut self, found: &OrderResult) -> Result<(), DeviceFailure> {
        match &self.place {
            Place::New { account, takes_over } if outcome::is_done(found.code) => {
                let place = search::usual_place(&self.delegate);
                let is_its = found.data.as_deref() == Some(self.delegate.as_str());
                if !*takes_over || !is_its {
                    let addition = Order::AddNode { uri: place, kind: dmacc::IDENTIFIER };
                    return Err(outcome::refusal(&addition, ALREADY_EXISTS));
                }
                let quiet = account.no_auto_initial_session.unwrap_or_default();
                self.search.note(&self.delegate, place);
                self.place = Place::Existing { quiet, is_ours: true };
            }
            Place::Existing { .. } => self.take_flag(found),
            Place::New { .. } | Place::Untouched => {}
        }
        Ok(())
    }

    fn take_flag(&mut self, found: &OrderResult) {
        if let Place::Existing { quiet, .. } = self.place {
            self.flag = Some(Flag::of(found, quiet));
        }
    }

    /// The sub-tree and everything above it.
    fn line(&self) -> Vec<Uri> {
        std::iter::successors(Some(self.subtree.clone()), Uri::parent).collect()
    }

    /// Works out the new ACL of the sub-tree. Inheritance is of a whole ACL: whoever had rights by inheritance would lose them with
    /// the first own value, so the value starts as a copy of what was in force.
    fn merge(&mut self, results: &[OrderResult]) -> Result<(), DeviceFailure> {
        let (mut in_force, mut before) = (Acl::empty(), String::new());
        for (place, uri) in self.line().into_iter().enumerate() {
            let (order, result) = (Order::GetAcl(uri), outcome::at(results, place));
            if let Some(failure) = outcome::failure(&order, result) {
                return Err(failure);
            }
            let text = result.data.as_deref().unwrap_or_default();
            in_force = Acl::parse(text).map_err(|_| outcome::refusal(&order, outcome::BAD_FORMAT))?;
            if place == 0 {
                before = text.to_owned();
            }
            if !in_force.is_empty() {
                break;
            }
        }
        // The delegate gets what this server has. This server keeps Replace: once the delegate is purged, nobody else
        // could change the ACL any more.
        let inherited = if planted!(InheritedRightsLost) { Acl::empty() } else { in_force.clone() };
        let mut after = inherited.granting(&self.delegate, &self.rights_of_mine(&in_force));
        after.grant(&self.delegate, &[Right::Get, Right::Replace]);
        after.grant(&self.me, &[Right::Replace]);
        let elsewhere = self.subtree.parent().filter(|_| planted!(AclOfWrongSubtree));
        let place = elsewhere.unwrap_or_else(|| self.subtree.clone());
        self.acls = vec![AclChange::new(place, before, in_force, after)];
        Ok(())
    }

    /// Works out the new ACLs below the sub-tree: wherever an ACL of its own cuts a node off from what is granted
    /// above, the delegate gets what this server has there. The accounts are the affair of the servers they are of, and
    /// of whoever has the device: they go along only when this server leaves it altogether.
    fn merge_below(&mut self) -> Result<(), DeviceFailure> {
        let own_account = self.search.found(&self.me);
        let mut below = Vec::new();
        for (uri, before) in self.own_acls.found() {
            let is_left_out = self.extent == Extent::Part && dmacc::place().covers(uri);
            if is_left_out || own_account.as_ref().is_some_and(|own| own.covers(uri)) {
                continue;
            }
            let acl =
                Acl::parse(before).map_err(|_| outcome::refusal(&Order::GetAcl(uri.clone()), outcome::BAD_FORMAT))?;
            let after = acl.clone().granting(&self.delegate, &self.rights_of_mine(&acl));
            if after != acl {
                below.push(AclChange::new(uri.clone(), before.clone(), acl, after));
            }
        }
        self.acls.splice(..0, below);
        Ok(())
    }

    fn rights_of_mine(&self, acl: &Acl) -> Vec<Right> {
        Right::ALL.into_iter().filter(|right| acl.allows(&self.me, *right)).collect()
    }

    /// Goes on with the searches, then with the changes.
    fn look(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        let (of_acls, of_accounts) = results.split_at(self.own_acls.expects().min(results.len()));
        let mut orders = self.own_acls.take(of_acls)?;
        orders.extend(self.search.take(of_accounts).unwrap_or_default());
        if !orders.is_empty() {
            self.state = State::Searching;
            return Ok(Some(orders));
        }
        if self.extent != Extent::Part {
            self.account_of(&self.me)?;
        }
        if let Place::Existing { is_ours, .. } = self.place {
            // The device would not show this server the account: as good as one that is closed to it (D34).
            let is_hidden = !is_ours && self.search.doubt().is_some_and(|why| why.reason_code() == PERMISSION_DENIED);
            match self.search.found(&self.delegate) {
                None if is_hidden => self.flag = Some(Flag::Stays),
                None => return Err(nowhere(&self.delegate)),
                Some(account) if is_ours || account != search::usual_place(&self.delegate) => {
                    self.state = State::ReadingFlag;
                    return Ok(Some(vec![Order::Get(account.join(FLAG))]));
                }
                Some(_) => {}
            }
        }
        self.change(changes)
    }

    /// All that had to be known is known.
    fn change(&mut self, changes: &mut Changes) -> Next {
        self.merge_below()?;
        let orders = self.changes()?;
        changes.begin(self.undo()?);
        self.state = State::Changing;
        Ok(Some(orders))
    }

    /// The second round. Made again only when the name of what was refused is needed.
    fn changes(&self) -> Result<Vec<Order>, DeviceFailure> {
        let mut grants: Vec<Order> = self.acls.iter().map(AclChange::order).collect();
        Ok(match &self.place {
            Place::New { account, .. } => {
                let mut orders = account.orders(&dmacc::node_name(&self.delegate));
                // One client gives each node its own ACL unless the parent's grants Replace, named before Add; so the
                // account gets its ACL before its children.
                let acl = self.account_acl().to_string();
                orders.insert(1, Order::ReplaceAcl { uri: search::usual_place(&self.delegate), acl });
                orders.append(&mut grants);
                vec![Order::Atomic(orders)]
            }
            Place::Existing { quiet, .. } => {
                let flag = self.flag.and_then(|flag| flag.set(&self.flag_leaf().ok()?, *quiet));
                std::iter::once(outcome::all_or_nothing(grants)).chain(flag).collect()
            }
            Place::Untouched => vec![outcome::all_or_nothing(grants)],
        })
    }

    fn undo(&self) -> Result<Vec<Order>, DeviceFailure> {
        let mut undo: Vec<Order> = self.acls.iter().filter(|_| !planted!(AclNotPutBack)).map(AclChange::undo).collect();
        match &self.place {
            Place::New { .. } => undo.push(Order::Delete(search::usual_place(&self.delegate))),
            Place::Existing { is_ours: true, .. } => undo.push(Order::Delete(self.account_of(&self.delegate)?)),
            Place::Existing { is_ours: false, .. } => undo.extend(self.former_flag()?),
            Place::Untouched => {}
        }
        Ok(undo)
    }

    fn former_flag(&self) -> Result<Option<Order>, DeviceFailure> {
        let Place::Existing { quiet, .. } = self.place else { return Ok(None) };
        let Some(flag) = self.flag.filter(|flag| *flag != Flag::Stays) else { return Ok(None) };
        Ok(flag.undo(&self.flag_leaf()?, quiet))
    }

    fn changed(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        let first = outcome::at(results, 0);
        let sent = |place: usize| self.changes().map(|mut orders| orders.swap_remove(place));
        if !outcome::is_done(first.code) || first.inner.iter().any(|inner| !outcome::is_done(inner.code)) {
            let failure = outcome::failure(&sent(0)?, first);
            let failure = failure.unwrap_or_else(|| DeviceFailure::Refused {
                code: first.code,
                order: "Atomic",
                uri: String::new(),
            });
            let flag_is_set = outcome::is_done(outcome::at(results, 1).code);
            match self.place {
                // All of it may have been done.
                _ if failure.reason_code() == outcome::NOT_ROLLED_BACK => {}
                Place::Existing { is_ours: true, .. } => {
                    changes.begin(vec![Order::Delete(self.account_of(&self.delegate)?)]);
                }
                Place::Existing { is_ours: false, .. } if flag_is_set => {
                    changes.begin(self.former_flag()?.into_iter().collect());
                }
                _ => changes.not_made(),
            }
            return Err(failure);
        }
        let is_flag_refused =
            self.flag.is_some_and(|flag| flag != Flag::Stays) && !outcome::is_done(outcome::at(results, 1).code);
        // An account that the delegate made itself may be closed to this server (D34).
        if is_flag_refused {
            self.flag = Some(Flag::Stays);
            changes.begin(self.undo()?);
        }
        changes.made();
        self.leave()
    }

    fn leave(&mut self) -> Next {
        if !self.extent.leaves() {
            return Ok(None);
        }
        self.state = State::Leaving;
        Ok(Some(vec![Order::Delete(self.account_of(&self.me)?)]))
    }

    /// This server keeps what it needs to fill the account now and to take it away later; the delegate may do with it
    /// as it likes, but for taking it away, unless nobody else is left who could.
    fn account_acl(&self) -> Acl {
        let rights = [Right::Get, Right::Replace, Right::Add, Right::Delete];
        let delegates = if self.extent == Extent::Part { &rights[..3] } else { &rights[..] };
        Acl::empty().granting(&self.me, &rights).granting(&self.delegate, delegates)
    }

    fn flag_leaf(&self) -> Result<Uri, DeviceFailure> {
        Ok(self.account_of(&self.delegate)?.join(FLAG))
    }

    fn account_of(&self, server: &ServerId) -> Result<Uri, DeviceFailure> {
        self.search.found(server).ok_or_else(|| nowhere(server))
    }
}

/// The account that has to be there is not.
fn nowhere(server: &ServerId) -> DeviceFailure {
    outcome::refusal(&Order::Get(search::usual_place(server)), NOT_FOUND)
}

const FLAG: &str = "NoAutoInitialSession";
/// The status of a target that is there already.
const ALREADY_EXISTS: u16 = 418;
