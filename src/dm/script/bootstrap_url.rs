//! Section 5.2.2.3: the client gets the address of the delegate's Bootstrap Server, as an entry of its Bootstrap Config.

use super::single::{NOT_FOUND, PERMISSION_DENIED, unless_gone};
use super::{Changes, DeviceFailure, Next, Order, OrderResult, outcome, planted};
use crate::dm::acl::{Acl, Right};
use crate::dm::dmacc;
use crate::dm::standard;
use crate::dm::uri::{self, Uri};
use crate::ids::ServerId;

/// Adds an entry; where the device takes no new one (405), gives an old one the new address. An entry that has the
/// address already makes room for the new one: the client asks at entries that it has not seen before.
#[derive(Debug)]
pub struct BootstrapUrl {
    url: String,
    /// Nothing is added unless this server may remove accounts.
    removable_by: Option<ServerId>,
    /// Entries with the address only go; none is added.
    takes_back: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    /// Expects the names of the entries there are.
    ExpectNames,
    /// Expects the address of each of these entries.
    ExpectUrls(Vec<Uri>),
    /// Expects the new entry to have been added.
    ExpectAdded {
        order: Order,
        fallback: Option<Old>,
    },
    ExpectReplaced(Order),
    ExpectTakenBack(Vec<Order>),
}

/// An entry that was there, with its address.
#[derive(Debug)]
struct Old {
    entry: Uri,
    url: String,
}

impl BootstrapUrl {
    pub fn new(url: String, removable_by: Option<&ServerId>) -> BootstrapUrl {
        BootstrapUrl { url, removable_by: removable_by.cloned(), takes_back: false, state: State::Start }
    }

    /// Takes away whatever entries have the address.
    pub fn taking_back(url: String) -> BootstrapUrl {
        BootstrapUrl { takes_back: true, ..BootstrapUrl::new(url, None) }
    }

    pub fn next(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start => {
                self.state = State::ExpectNames;
                let acls = self.removable_by.iter().flat_map(|_| [dmacc::place(), Uri::root()]);
                let orders = std::iter::once(Order::Get(standard::bootstrap_servers()));
                Ok(Some(orders.chain(acls.map(Order::GetAcl)).collect()))
            }
            State::ExpectNames => {
                self.check_removable(results)?;
                self.look(outcome::at(results, 0), changes)
            }
            State::ExpectUrls(entries) => {
                let result = |place| outcome::at(results, place);
                let read = entries.iter().enumerate().filter(|(place, _)| outcome::is_done(result(*place).code));
                let old = read.map(|(place, entry)| Old {
                    entry: entry.clone(),
                    url: result(place).data.clone().unwrap_or_default(),
                });
                let old: Vec<Old> = old.collect();
                if self.takes_back {
                    let same = old.into_iter().filter(|old| old.url == self.url);
                    let orders: Vec<Order> = same.map(|old| Order::Delete(old.entry)).collect();
                    self.state = State::ExpectTakenBack(orders.clone());
                    return Ok((!orders.is_empty()).then_some(orders));
                }
                Ok(Some(self.add(true, &entries, old, changes)))
            }
            State::ExpectAdded { order, fallback } => match outcome::failure(&order, outcome::at(results, 0)) {
                None => {
                    changes.made();
                    Ok(None)
                }
                Some(failure) => self.fall_back(failure, fallback, changes),
            },
            State::ExpectTakenBack(orders) => {
                let results = (0..).map(|place| outcome::at(results, place));
                orders.iter().zip(results).find_map(|(order, result)| unless_gone(order, result)).map_or(Ok(None), Err)
            }
            State::ExpectReplaced(order) => match outcome::failure(&order, outcome::at(results, 0)) {
                None => Ok(None),
                Some(failure) => {
                    changes.not_made();
                    Err(failure)
                }
            },
        }
    }

    /// An account that comes by a document inherits what there is above it. What cannot be read forbids nothing.
    fn check_removable(&self, results: &[OrderResult]) -> Result<(), DeviceFailure> {
        let Some(me) = &self.removable_by else { return Ok(()) };
        let read = |place| Some(outcome::at(results, place)).filter(|result| outcome::is_done(result.code));
        let own = |result: &OrderResult| Acl::parse(result.data.as_deref().unwrap_or_default()).ok();
        let acl = [1, 2].into_iter().filter_map(read).filter_map(own).find(|acl| !acl.is_empty());
        if acl.is_none_or(|acl| acl.allows(me, Right::Delete)) {
            return Ok(());
        }
        Err(outcome::refusal(&Order::GetAcl(dmacc::place()), PERMISSION_DENIED))
    }

    fn look(&mut self, listed: &OrderResult, changes: &mut Changes) -> Next {
        let list = standard::bootstrap_servers();
        let list_is_there = outcome::is_done(listed.code);
        if !list_is_there && listed.code != NOT_FOUND {
            return Err(outcome::refusal(&Order::Get(list), listed.code));
        }
        let names = listed.data.as_deref().unwrap_or_default().split('/');
        let names = names.filter(|name| list_is_there && uri::is_name(name));
        let entries: Vec<Uri> = names.map(|name| list.join(name)).collect();
        if entries.is_empty() && self.takes_back {
            return Ok(None);
        }
        if entries.is_empty() {
            return Ok(Some(self.add(list_is_there, &entries, Vec::new(), changes)));
        }
        let orders = entries.iter().map(|entry| Order::Get(entry.join("URL"))).collect();
        self.state = State::ExpectUrls(entries);
        Ok(Some(orders))
    }

    /// The change. `entries`: all that are there; `old`: those whose address can be read.
    fn add(&mut self, list_is_there: bool, entries: &[Uri], mut old: Vec<Old>, changes: &mut Changes) -> Vec<Order> {
        let list = standard::bootstrap_servers();
        // There are more numbers than entries, so one of them is free.
        let mut numbers = (1..=entries.len() + 1).map(|number| list.join(&number.to_string()));
        let entry = numbers.find(|entry| !entries.contains(entry)).unwrap_or_else(|| list.join("1"));
        let mut orders = Vec::with_capacity(3);
        if !list_is_there {
            orders.push(Order::AddNode { uri: list.clone(), kind: "" });
        }
        let same: Vec<Uri> = old.iter().filter(|old| old.url == self.url).map(|old| old.entry.clone()).collect();
        orders.extend(same.iter().cloned().map(Order::Delete));
        orders.push(Order::AddNode { uri: entry.clone(), kind: "" });
        orders.push(Order::AddLeaf { uri: entry.join("URL"), format: "chr", value: self.url.clone() });
        let order = Order::Atomic(orders);
        let undo = Order::Delete(if list_is_there { entry } else { list });
        changes.begin(if planted!(EntryNotPutBack) { Vec::new() } else { vec![undo] });
        let fallback = old.iter().position(|old| same.contains(&old.entry)).unwrap_or_default();
        let fallback = (!old.is_empty()).then(|| old.swap_remove(fallback));
        self.state = State::ExpectAdded { order: order.clone(), fallback };
        vec![order]
    }

    fn fall_back(&mut self, failure: DeviceFailure, old: Option<Old>, changes: &mut Changes) -> Next {
        let code = failure.reason_code();
        if code != outcome::NOT_ROLLED_BACK {
            changes.not_made();
        }
        match old {
            Some(Old { entry, url }) if code == NOT_ALLOWED => {
                let put = |value| Order::ReplaceLeaf { uri: entry.join("URL"), format: "chr", value };
                changes.begin(vec![put(url)]);
                let order = put(self.url.clone());
                self.state = State::ExpectReplaced(order.clone());
                Ok(Some(vec![order]))
            }
            _ => Err(failure),
        }
    }
}

/// The status of a command that its target does not take.
const NOT_ALLOWED: u16 = 405;
