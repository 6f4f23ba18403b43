//! Section 5.2.2.3: the client gets the address of the delegate's Bootstrap Server, as an entry of its Bootstrap Config.

use super::{Changes, DeviceFailure, Next, Order, OrderResult, outcome};
use crate::dm::standard;
use crate::dm::uri::{self, Uri};

/// Adds an entry; where the device takes no new one (405), gives an old one the new address.
#[derive(Debug)]
pub struct BootstrapUrl {
    url: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    /// Expects the names of the entries there are.
    ExpectNames,
    /// Expects the new entry to have been added. `old`: an entry to fall back on.
    ExpectAdded {
        list_is_there: bool,
        entry: Uri,
        old: Option<Uri>,
    },
    /// Expects the address of the old entry, to know how to put it back.
    ExpectOldUrl(Uri),
    ExpectReplaced(Uri),
}

impl BootstrapUrl {
    pub fn new(url: String) -> BootstrapUrl {
        BootstrapUrl { url, state: State::Start }
    }

    pub fn next(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start => {
                self.state = State::ExpectNames;
                Ok(Some(vec![Order::Get(standard::bootstrap_servers())]))
            }
            State::ExpectNames => self.add(outcome::at(results, 0), changes),
            State::ExpectAdded { list_is_there, entry, old } => {
                let order = self.addition(list_is_there, &entry);
                match outcome::failure(&order, outcome::at(results, 0)) {
                    None => {
                        changes.made();
                        Ok(None)
                    }
                    Some(failure) => self.fall_back(failure, old, changes),
                }
            }
            State::ExpectOldUrl(leaf) => {
                let (order, result) = (Order::Get(leaf.clone()), outcome::at(results, 0));
                if let Some(failure) = outcome::failure(&order, result) {
                    return Err(failure);
                }
                changes.begin(vec![replacement(&leaf, result.data.clone().unwrap_or_default())]);
                let order = replacement(&leaf, self.url.clone());
                self.state = State::ExpectReplaced(leaf);
                Ok(Some(vec![order]))
            }
            State::ExpectReplaced(leaf) => {
                match outcome::failure(&replacement(&leaf, String::new()), outcome::at(results, 0)) {
                    None => Ok(None),
                    Some(failure) => {
                        changes.not_made();
                        Err(failure)
                    }
                }
            }
        }
    }

    fn add(&mut self, listed: &OrderResult, changes: &mut Changes) -> Next {
        let list = standard::bootstrap_servers();
        let list_is_there = outcome::is_done(listed.code);
        if !list_is_there && listed.code != super::single::NOT_FOUND {
            return Err(outcome::refusal(&Order::Get(list), listed.code));
        }
        let names: Vec<&str> = listed.data.as_deref().unwrap_or_default().split('/').collect();
        let names: Vec<&str> = names.into_iter().filter(|name| list_is_there && uri::is_name(name)).collect();
        // There are more numbers than entries, so one of them is free.
        let free = (1..=names.len() + 1).map(|n| n.to_string()).find(|name| !names.contains(&name.as_str()));
        let entry = list.join(free.as_deref().unwrap_or("1"));
        let old = names.first().map(|name| list.join(name).join("URL"));
        let order = self.addition(list_is_there, &entry);
        changes.begin(vec![Order::Delete(if list_is_there { entry.clone() } else { list })]);
        self.state = State::ExpectAdded { list_is_there, entry, old };
        Ok(Some(vec![order]))
    }

    fn fall_back(&mut self, failure: DeviceFailure, old: Option<Uri>, changes: &mut Changes) -> Next {
        let code = failure.reason_code();
        if code != outcome::NOT_ROLLED_BACK {
            changes.not_made();
        }
        match old {
            Some(leaf) if code == NOT_ALLOWED => {
                let order = Order::Get(leaf.clone());
                self.state = State::ExpectOldUrl(leaf);
                Ok(Some(vec![order]))
            }
            _ => Err(failure),
        }
    }

    fn addition(&self, list_is_there: bool, entry: &Uri) -> Order {
        let mut orders = Vec::with_capacity(3);
        if !list_is_there {
            orders.push(Order::AddNode { uri: standard::bootstrap_servers(), kind: "" });
        }
        orders.push(Order::AddNode { uri: entry.clone(), kind: "" });
        orders.push(Order::AddLeaf { uri: entry.join("URL"), format: "chr", value: self.url.clone() });
        Order::Atomic(orders)
    }
}

fn replacement(leaf: &Uri, url: String) -> Order {
    Order::ReplaceLeaf { uri: leaf.clone(), format: "chr", value: url }
}

/// The status of a command that its target does not take.
const NOT_ALLOWED: u16 = 405;
