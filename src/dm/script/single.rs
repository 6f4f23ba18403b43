//! The short errands: a visit, the removal of an account, a word to the client.

use super::search::{self, AccountSearch};
use super::{DeviceFailure, Next, Order, OrderResult, outcome, planted};
use crate::dm::acl::{Acl, Right};
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// Section 5.2.1.7: the delegate sees for itself that it may do on the sub-tree what it was promised.
#[derive(Debug)]
pub struct Visit {
    me: ServerId,
    order: Order,
    asked: bool,
}

impl Visit {
    pub fn new(me: &ServerId, subtree: Uri) -> Visit {
        Visit { me: me.clone(), order: Order::GetAcl(subtree), asked: false }
    }

    pub fn next(&mut self, results: &[OrderResult]) -> Next {
        if !std::mem::replace(&mut self.asked, true) {
            return Ok(Some(vec![self.order.clone()]));
        }
        let result = outcome::at(results, 0);
        if let Some(failure) = outcome::failure(&self.order, result) {
            return Err(failure);
        }
        // A sub-tree without a value of its own inherits: that it could be read is all that can be seen from here.
        let acl = Acl::parse(result.data.as_deref().unwrap_or_default()).unwrap_or_default();
        if acl.is_empty() || acl.allows(&self.me, Right::Replace) {
            return Ok(None);
        }
        Err(outcome::refusal(&self.order, PERMISSION_DENIED))
    }
}

/// Sections 5.2.3.5, 5.2.4.3, 5.2.5.1: the delegate's account goes, and by the client's doing all its rights with it.
/// There is no undo: secrets cannot be read, so they cannot be put back. An account that is not there has gone.
#[derive(Debug)]
pub struct Removal {
    of: ServerId,
    leftovers: Vec<Order>,
    search: AccountSearch,
    state: RemovalState,
}

#[derive(Debug)]
enum RemovalState {
    Start,
    Searching,
    ExpectDeleted(Vec<Order>),
}

impl Removal {
    pub fn new(of: ServerId, leftovers: Vec<Order>) -> Removal {
        let search = AccountSearch::new(vec![of.clone()]);
        Removal { search, of, leftovers, state: RemovalState::Start }
    }

    pub fn next(&mut self, results: &[OrderResult]) -> Next {
        match &self.state {
            RemovalState::Start => {
                self.state = RemovalState::Searching;
                Ok(Some(self.search.first()))
            }
            RemovalState::Searching => {
                if let Some(orders) = self.search.take(results) {
                    return Ok(Some(orders));
                }
                let stays = planted!(LeftoversInsteadOfAccount) && !self.leftovers.is_empty();
                let account = self.search.found(&self.of).filter(|_| !stays).map(Order::Delete);
                let orders: Vec<Order> = account.into_iter().chain(self.leftovers.drain(..)).collect();
                self.state = RemovalState::ExpectDeleted(orders.clone());
                Ok((!orders.is_empty()).then_some(orders))
            }
            RemovalState::ExpectDeleted(orders) => {
                let results = (0..).map(|place| outcome::at(results, place));
                orders.iter().zip(results).find_map(|(order, result)| unless_gone(order, result)).map_or(Ok(None), Err)
            }
        }
    }
}

/// Section 5.2.1.4: the flag that keeps the client from connecting to the delegate by itself is turned. What put it there
/// also takes it away again, so there is no undo. A client that has no flag is free to connect as it is.
#[derive(Debug)]
pub struct Permit {
    delegate: ServerId,
    value: bool,
    search: AccountSearch,
    state: PermitState,
}

#[derive(Debug)]
enum PermitState {
    Start,
    Searching,
    ExpectSet(Order),
}

impl Permit {
    pub fn new(delegate: ServerId, value: bool) -> Permit {
        let search = AccountSearch::new(vec![delegate.clone()]);
        Permit { delegate, value, search, state: PermitState::Start }
    }

    pub fn next(&mut self, results: &[OrderResult]) -> Next {
        match &self.state {
            PermitState::Start => {
                self.state = PermitState::Searching;
                Ok(Some(self.search.first()))
            }
            PermitState::Searching => {
                if let Some(orders) = self.search.take(results) {
                    return Ok(Some(orders));
                }
                let nowhere = || outcome::refusal(&Order::Get(search::usual_place(&self.delegate)), NOT_FOUND);
                let uri = self.search.found(&self.delegate).ok_or_else(nowhere)?.join("NoAutoInitialSession");
                let order = Order::ReplaceLeaf { uri, format: "bool", value: self.value.to_string() };
                self.state = PermitState::ExpectSet(order.clone());
                Ok(Some(vec![order]))
            }
            PermitState::ExpectSet(order) => {
                let result = outcome::at(results, 0);
                if result.code == NOT_FOUND { Ok(None) } else { outcome::failure(order, result).map_or(Ok(None), Err) }
            }
        }
    }
}

/// As [`outcome::failure`], but what is to be deleted and is not there counts as done.
pub fn unless_gone(order: &Order, result: &OrderResult) -> Option<DeviceFailure> {
    match order {
        Order::Delete(_) if result.code == NOT_FOUND => None,
        _ => outcome::failure(order, result),
    }
}

/// The status of a target that does not exist.
pub const NOT_FOUND: u16 = 404;
/// The status of what an ACL refuses.
pub const PERMISSION_DENIED: u16 = 425;
