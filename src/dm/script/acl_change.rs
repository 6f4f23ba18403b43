//! One ACL that an errand changes: what it writes, and what is to be written when it is undone (section 5.3).

use super::Order;
use crate::dm::acl::Acl;
use crate::dm::uri::Uri;

/// An ACL, as it was and as an errand leaves it. An errand only adds rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AclChange {
    uri: Uri,
    /// The node's own value as it travelled; empty where it inherited.
    before: String,
    /// What was in force on the node: the own value, or the one it inherited.
    in_force: Acl,
    after: Acl,
}

impl AclChange {
    /// `before` and `in_force`: the value of the node itself, as it travelled, and the one that counted there. `after`
    /// grants what `in_force` does, and more.
    pub fn new(uri: Uri, before: String, in_force: Acl, after: Acl) -> AclChange {
        AclChange { uri, before, in_force, after }
    }

    /// The node.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The node's own value before the errand, as it travelled.
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Makes the change.
    pub fn order(&self) -> Order {
        Order::ReplaceAcl { uri: self.uri.clone(), acl: self.after.to_string() }
    }

    /// Takes the change out of what stands there when it is run.
    pub fn undo(&self) -> Order {
        Order::RestoreAcl(Box::new(self.clone()))
    }

    /// What is to stand there, where `present` does: less by what this errand has added. Others may have changed the
    /// value since: what they granted stays, and who was purged (TND 1.2) does not come back. So nothing is added, and
    /// once done there is nothing more to do. Whatever inherited does so again, unless somebody else now has rights here
    /// that it would not inherit.
    pub fn restored(&self, present: &Acl) -> Acl {
        let kept = self.kept(present);
        let inherits_again = self.before.is_empty() && kept.beyond(&self.in_force).is_empty();
        if inherits_again { Acl::empty() } else { kept }
    }

    /// The order that brings `present` to `restored`; `None` where it is that already. What was there before is written
    /// as it was, to the letter.
    pub fn restoring(&self, present: &Acl, restored: &Acl) -> Option<Order> {
        let is_as_before = restored.is_empty() && self.before.is_empty() || *restored == self.in_force;
        let acl = if is_as_before { self.before.clone() } else { restored.to_string() };
        (present != restored).then(|| Order::ReplaceAcl { uri: self.uri.clone(), acl })
    }

    /// For a client that does not take an empty value, as there is one in the field: the order that leaves the same
    /// rights in force, written out. `None` where there are none.
    pub fn spelling_out(&self, present: &Acl) -> Option<Order> {
        let kept = self.kept(present);
        (!kept.is_empty()).then(|| Order::ReplaceAcl { uri: self.uri.clone(), acl: kept.to_string() })
    }

    /// What stands there less by what this errand has added.
    fn kept(&self, present: &Acl) -> Acl {
        present.beyond(&self.after.beyond(&self.in_force))
    }
}
