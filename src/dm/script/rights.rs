//! Section 5.3: a delegate loses every right on a sub-tree, for when nobody knows what an errand has given it.

use super::own_acls::OwnAcls;
use super::single::NOT_FOUND;
use super::{DeviceFailure, Next, Order, OrderResult, outcome};
use crate::dm::acl::Acl;
use crate::dm::dmacc;
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// Reads the ACLs from the sub-tree up to the root and those below it, and takes the delegate out of the sub-tree's own
/// and of those below. Accounts are left alone, its own as well: whether the client may connect by itself stays as it is.
/// Doing it twice does no harm.
#[derive(Debug)]
pub struct RightsBack {
    delegate: ServerId,
    subtree: Uri,
    own_acls: OwnAcls,
    /// The ACL that the sub-tree shall have, where that is another one.
    top: Option<Top>,
    state: State,
}

/// What the sub-tree's own ACL shall be.
#[derive(Debug)]
struct Top {
    /// Without the delegate.
    left: Acl,
    /// Whether that says no more than what would be inherited.
    inherits: bool,
}

#[derive(Debug)]
enum State {
    Start,
    /// Expects the ACLs of the sub-tree and of all above it, and what the search has asked along with them.
    Reading,
    Searching,
    /// `otherwise`: what to try where the client does not take an empty value, as there is one in the field.
    ExpectTaken {
        order: Order,
        otherwise: Option<Order>,
    },
}

impl RightsBack {
    pub fn new(delegate: ServerId, subtree: Uri) -> RightsBack {
        let own_acls = OwnAcls::new(subtree.clone());
        RightsBack { delegate, subtree, own_acls, top: None, state: State::Start }
    }

    pub fn next(&mut self, results: &[OrderResult]) -> Next {
        match &self.state {
            State::Start => {
                let mut orders: Vec<Order> = self.line().map(Order::GetAcl).collect();
                orders.extend(self.own_acls.first());
                self.state = State::Reading;
                Ok(Some(orders))
            }
            State::Reading => {
                if outcome::at(results, 0).code == NOT_FOUND {
                    // The rights have gone with the sub-tree.
                    return Ok(None);
                }
                let (of_line, below) = results.split_at(self.line().count().min(results.len()));
                self.take_line(of_line)?;
                self.look(below)
            }
            State::Searching => self.look(results),
            State::ExpectTaken { order, otherwise } => match outcome::failure(order, outcome::at(results, 0)) {
                None => Ok(None),
                Some(failure) => match otherwise.clone() {
                    Some(order) if failure.reason_code() == outcome::SCHEMA_FORBIDS => {
                        self.state = State::ExpectTaken { order: order.clone(), otherwise: None };
                        Ok(Some(vec![order]))
                    }
                    _ => Err(failure),
                },
            },
        }
    }

    /// The sub-tree and everything above it.
    fn line(&self) -> impl Iterator<Item = Uri> + use<> {
        std::iter::successors(Some(self.subtree.clone()), Uri::parent)
    }

    /// A value that says no more than what would be inherited goes altogether: the errand may have put it there.
    fn take_line(&mut self, results: &[OrderResult]) -> Result<(), DeviceFailure> {
        let read = |(place, uri): (usize, Uri)| {
            let (order, result) = (Order::GetAcl(uri), outcome::at(results, place));
            if let Some(failure) = outcome::failure(&order, result) {
                return Err(failure);
            }
            let text = result.data.as_deref().unwrap_or_default();
            Acl::parse(text).map_err(|_| outcome::refusal(&order, outcome::BAD_FORMAT))
        };
        let mut acls = self.line().enumerate().map(read);
        let own = acls.next().transpose()?.unwrap_or_default();
        if own.names(&self.delegate) {
            let inherited = acls.find(|acl| acl.as_ref().map_or(true, |acl| !acl.is_empty())).transpose()?;
            let mut left = own;
            left.purge(&self.delegate);
            let inherits = inherited.is_some_and(|inherited| inherited == left);
            self.top = Some(Top { left, inherits });
        }
        Ok(())
    }

    fn look(&mut self, results: &[OrderResult]) -> Next {
        let orders = self.own_acls.take(results)?;
        if !orders.is_empty() {
            self.state = State::Searching;
            return Ok(Some(orders));
        }
        let mut orders = Vec::new();
        for (uri, text) in self.own_acls.found().iter().filter(|(uri, _)| !dmacc::place().covers(uri)) {
            let order = Order::GetAcl(uri.clone());
            let mut acl = Acl::parse(text).map_err(|_| outcome::refusal(&order, outcome::BAD_FORMAT))?;
            if acl.names(&self.delegate) {
                acl.purge(&self.delegate);
                orders.push(Order::ReplaceAcl { uri: uri.clone(), acl: acl.to_string() });
            }
        }
        let mut otherwise = None;
        if let Some(Top { left, inherits }) = self.top.take() {
            let replace = |acl: String| Order::ReplaceAcl { uri: self.subtree.clone(), acl };
            if inherits {
                otherwise = Some([&orders[..], &[replace(left.to_string())]].concat());
            }
            orders.push(replace(if inherits { String::new() } else { left.to_string() }));
        }
        if orders.is_empty() {
            return Ok(None);
        }
        let order = outcome::all_or_nothing(orders);
        let otherwise = otherwise.map(outcome::all_or_nothing);
        self.state = State::ExpectTaken { order: order.clone(), otherwise };
        Ok(Some(vec![order]))
    }
}
