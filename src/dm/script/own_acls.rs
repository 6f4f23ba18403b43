//! Finds the nodes below a sub-tree that have an ACL of their own: what is granted on the sub-tree does not reach them.
//!
//! A device that lists sub-trees as TNDS tells them in the round that reads the sub-tree's own ACL, at no package more.
//! With any other the tree is walked, two rounds for each level, and no further than [`MOST_NODES`]: a delegation that
//! leaves holes nobody knows of would be worse than a slow one, or one that is refused.

use super::{DeviceFailure, Order, OrderResult, outcome};
use crate::dm::tnds::{self, Content, Node};
use crate::dm::uri::{self, Uri};

/// Nodes that are looked at one by one, at most; also how many ACLs are taken.
pub const MOST_NODES: usize = 256;

/// A search for the ACLs below one node.
#[derive(Debug)]
pub struct OwnAcls {
    top: Uri,
    state: State,
    seen: usize,
    found: Vec<(Uri, String)>,
}

#[derive(Debug)]
enum State {
    /// Expects the whole sub-tree at once.
    ExpectList,
    /// Expects the ACL and the format of each of these.
    ExpectNature(Vec<Uri>),
    /// Expects the names below each of these.
    ExpectNames(Vec<Uri>),
    Ended,
}

impl OwnAcls {
    pub fn new(top: Uri) -> OwnAcls {
        OwnAcls { top, state: State::ExpectList, seen: 0, found: Vec::new() }
    }

    /// The order it begins with.
    pub fn first(&self) -> Vec<Order> {
        vec![Order::ListAcls(self.top.clone())]
    }

    /// How many results of the latest round are for this search.
    pub fn expects(&self) -> usize {
        match &self.state {
            State::ExpectList => 1,
            State::ExpectNature(nodes) => 2 * nodes.len(),
            State::ExpectNames(nodes) => nodes.len(),
            State::Ended => 0,
        }
    }

    /// Takes the results of its latest orders, and gives the next ones; none when it has ended. What the server may not
    /// read is passed over: it has nothing there that it could hand on.
    ///
    /// # Errors
    /// There is more than this server would walk through (413).
    pub fn take(&mut self, results: &[OrderResult]) -> Result<Vec<Order>, DeviceFailure> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::ExpectList => match listed(outcome::at(results, 0)) {
                Some(nodes) => {
                    let parent = self.top.parent().unwrap_or_else(Uri::root);
                    nodes.iter().try_for_each(|node| self.note(node, &parent))?;
                    Ok(Vec::new())
                }
                None => Ok(self.ask_nature(vec![self.top.clone()])),
            },
            State::ExpectNature(nodes) => {
                let mut interior = Vec::new();
                for (place, node) in nodes.into_iter().enumerate() {
                    let data = |place| {
                        let result = outcome::at(results, place);
                        result.data.as_deref().filter(|_| outcome::is_done(result.code)).unwrap_or_default()
                    };
                    let (acl, format) = (data(2 * place), data(2 * place + 1));
                    if !acl.is_empty() && node != self.top {
                        self.found.push((node.clone(), acl.to_owned()));
                    }
                    if format.eq_ignore_ascii_case("node") {
                        interior.push(node);
                    }
                }
                let orders = interior.iter().cloned().map(Order::Get).collect();
                self.state = if interior.is_empty() { State::Ended } else { State::ExpectNames(interior) };
                Ok(orders)
            }
            State::ExpectNames(parents) => {
                let mut children = Vec::new();
                for (place, parent) in parents.iter().enumerate() {
                    let result = outcome::at(results, place);
                    let names = result.data.as_deref().filter(|_| outcome::is_done(result.code)).unwrap_or_default();
                    let below = names.split('/').filter(|name| uri::is_name(name)).map(|name| parent.join(name));
                    // The inbox is read by nobody (StdObj 1.2).
                    children.extend(below.filter(|uri| !crate::dm::inbox::is_inbox(uri)));
                }
                self.seen += children.len();
                if self.seen > MOST_NODES {
                    return Err(self.too_much());
                }
                Ok(self.ask_nature(children))
            }
            State::Ended => Ok(Vec::new()),
        }
    }

    /// The ACLs below the sub-tree, as they travelled, once the search has ended; parents first.
    pub fn found(&self) -> &[(Uri, String)] {
        &self.found
    }

    fn ask_nature(&mut self, nodes: Vec<Uri>) -> Vec<Order> {
        let orders =
            nodes.iter().flat_map(|node| [Order::GetAcl(node.clone()), Order::GetFormat(node.clone())]).collect();
        self.state = if nodes.is_empty() { State::Ended } else { State::ExpectNature(nodes) };
        orders
    }

    /// Takes the ACLs out of a listing. A node says where it stands, or stands where the listing was asked for.
    fn note(&mut self, node: &Node, parent: &Uri) -> Result<(), DeviceFailure> {
        let parent = node.path.as_deref().and_then(|path| Uri::parse(path).ok()).unwrap_or_else(|| parent.clone());
        let here = parent.join(&node.name);
        if !node.acl.is_empty() && here != self.top && self.top.covers(&here) {
            if self.found.len() >= MOST_NODES {
                return Err(self.too_much());
            }
            self.found.push((here.clone(), node.acl.to_string()));
        }
        match &node.content {
            Content::Interior(children) => children.iter().try_for_each(|child| self.note(child, &here)),
            Content::Leaf(_) => Ok(()),
        }
    }

    fn too_much(&self) -> DeviceFailure {
        outcome::refusal(&Order::ListAcls(self.top.clone()), TOO_LARGE)
    }
}

/// The management tree that a device has listed; `None` where it has not.
fn listed(result: &OrderResult) -> Option<Vec<Node>> {
    let text = result.data.as_deref().filter(|_| outcome::is_done(result.code))?;
    tnds::read(text).ok()
}

/// The status for more than the recipient takes.
const TOO_LARGE: u16 = 413;
