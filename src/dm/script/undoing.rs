//! Section 5.3: what an errand changed is put back.

use std::collections::BTreeMap;

use super::single::{NOT_FOUND, unless_gone};
use super::{Changes, DeviceFailure, Next, Order, OrderResult, outcome};
use crate::dm::acl::Acl;
use crate::dm::uri::Uri;

/// Reads the ACLs that it is to restore, since others may have changed them after the errand; then runs the list. What
/// cannot be put back stays on the list of the report.
#[derive(Debug)]
pub struct Undoing {
    list: Vec<Order>,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    /// Expects the present ACL of each of these.
    Reading(Vec<Uri>),
    /// Expects the results of what is to run: what becomes of each order of the list.
    Running(Vec<Fate>),
}

/// What becomes of an order of the list.
#[derive(Debug)]
enum Fate {
    /// It is run as the first of these; as the other one, where that is answered with 500.
    Runs(Order, Option<Order>),
    /// There is nothing (left) to do.
    Done,
    Failed(DeviceFailure),
}

impl Undoing {
    pub fn new(list: Vec<Order>) -> Undoing {
        Undoing { list, state: State::Start }
    }

    pub fn next(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start => {
                changes.begin(self.list.clone());
                let nodes = self.to_restore();
                if nodes.is_empty() {
                    return self.run(BTreeMap::new(), changes);
                }
                let orders = nodes.iter().cloned().map(Order::GetAcl).collect();
                self.state = State::Reading(nodes);
                Ok(Some(orders))
            }
            State::Reading(nodes) => {
                let read = nodes.into_iter().enumerate();
                let present = read.map(|(place, uri)| (uri.clone(), present(uri, outcome::at(results, place))));
                self.run(present.collect(), changes)
            }
            State::Running(fates) => {
                let mut results = (0..).map(|place| outcome::at(results, place));
                let settled = fates.into_iter().map(|fate| match fate {
                    Fate::Runs(order, otherwise) => self.take(&order, otherwise, results.next()),
                    fate => fate,
                });
                let settled = settled.collect();
                self.go_on(settled, changes)
            }
        }
    }

    /// The nodes whose ACLs are to be restored, each once.
    fn to_restore(&self) -> Vec<Uri> {
        let mut nodes = Vec::new();
        for order in &self.list {
            if let Order::RestoreAcl(change) = order
                && !nodes.contains(change.uri())
            {
                nodes.push(change.uri().clone());
            }
        }
        nodes
    }

    /// `present`: the ACL of each node to be restored, `None` of one that has gone.
    fn run(&mut self, mut present: BTreeMap<Uri, Result<Option<Acl>, DeviceFailure>>, changes: &mut Changes) -> Next {
        let fate = |order: &Order| match order {
            Order::RestoreAcl(change) => match present.get_mut(change.uri()) {
                Some(Ok(Some(acl))) => {
                    let restored = change.restored(acl);
                    let order = change.restoring(acl, &restored);
                    let otherwise = if restored.is_empty() { change.spelling_out(acl) } else { None };
                    // A second change of the same node starts from there.
                    *acl = restored;
                    order.map_or(Fate::Done, |order| Fate::Runs(order, otherwise))
                }
                Some(Err(failure)) => Fate::Failed(failure.clone()),
                Some(Ok(None)) | None => Fate::Done,
            },
            _ => Fate::Runs(order.clone(), None),
        };
        let fates = self.list.iter().map(fate).collect();
        self.go_on(fates, changes)
    }

    /// Runs what is to run; when there is nothing, tells what is left.
    fn go_on(&mut self, fates: Vec<Fate>, changes: &mut Changes) -> Next {
        let runs = |fate: &Fate| if let Fate::Runs(order, _) = fate { Some(order.clone()) } else { None };
        let orders: Vec<Order> = fates.iter().filter_map(runs).collect();
        if !orders.is_empty() {
            self.state = State::Running(fates);
            return Ok(Some(orders));
        }
        let (mut first, mut left) = (None, Vec::new());
        for (listed, fate) in self.list.iter().zip(fates) {
            if let Fate::Failed(failure) = fate {
                first.get_or_insert(failure);
                left.push(listed.clone());
            }
        }
        changes.begin(left);
        first.map_or(Ok(None), Err)
    }

    /// What has become of an order that was run.
    fn take(&self, order: &Order, otherwise: Option<Order>, result: Option<&OrderResult>) -> Fate {
        let Some(failure) = result.and_then(|result| self.failure(order, result)) else { return Fate::Done };
        match otherwise {
            Some(order) if failure.reason_code() == outcome::SCHEMA_FORBIDS => Fate::Runs(order, None),
            _ => Fate::Failed(failure),
        }
    }

    fn failure(&self, order: &Order, result: &OrderResult) -> Option<DeviceFailure> {
        unless_gone(order, result).filter(|_| !self.is_moot(order, result))
    }

    /// Whether an order was for something that has gone: an ACL goes with its node, and a leaf that the same list takes
    /// away has gone when the list is run again.
    fn is_moot(&self, order: &Order, result: &OrderResult) -> bool {
        let takes_away =
            |leaf: &Uri| self.list.iter().any(|other| matches!(other, Order::Delete(gone) if gone.covers(leaf)));
        result.code == NOT_FOUND
            && match order {
                Order::ReplaceAcl { .. } => true,
                Order::ReplaceLeaf { uri, .. } => takes_away(uri),
                _ => false,
            }
    }
}

/// What was read of a node's ACL; `None` where the node has gone.
fn present(uri: Uri, result: &OrderResult) -> Result<Option<Acl>, DeviceFailure> {
    let order = Order::GetAcl(uri);
    if result.code == NOT_FOUND {
        return Ok(None);
    }
    if let Some(failure) = outcome::failure(&order, result) {
        return Err(failure);
    }
    let acl = Acl::parse(result.data.as_deref().unwrap_or_default());
    acl.map(Some).map_err(|_| outcome::refusal(&order, outcome::BAD_FORMAT))
}
