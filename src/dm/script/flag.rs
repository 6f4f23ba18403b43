//! The flag that keeps the client from connecting to the delegate by itself, on an account that is there already.

use super::{Order, OrderResult, outcome};
use crate::dm::uri::Uri;

/// What has to be done about NoAutoInitialSession (5.2.1.4), once its value is known: an order whose answer is lost can
/// only be undone by whoever knows what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// It is as wanted; or this server cannot tell, as on an account that the delegate closed to it (D34).
    Stays,
    /// It is not there yet.
    Add,
    /// It has the other value.
    Turn,
}

impl Flag {
    /// By what a Get of the leaf has brought.
    pub fn of(found: &OrderResult, wanted: bool) -> Flag {
        match found.data.as_deref().filter(|_| outcome::is_done(found.code)) {
            _ if found.code == super::single::NOT_FOUND => Flag::Add,
            Some("true" | "1") if !wanted => Flag::Turn,
            Some("false" | "0") if wanted => Flag::Turn,
            _ => Flag::Stays,
        }
    }

    /// The order that sets it, if one is needed.
    pub fn set(self, leaf: &Uri, wanted: bool) -> Option<Order> {
        match self {
            Flag::Stays => None,
            Flag::Add => Some(Order::AddLeaf { uri: leaf.clone(), format: "bool", value: wanted.to_string() }),
            Flag::Turn => Some(replacement(leaf, wanted)),
        }
    }

    /// The order that puts it back.
    pub fn undo(self, leaf: &Uri, wanted: bool) -> Option<Order> {
        match self {
            Flag::Stays => None,
            Flag::Add => Some(Order::Delete(leaf.clone())),
            Flag::Turn => Some(replacement(leaf, !wanted)),
        }
    }
}

fn replacement(leaf: &Uri, value: bool) -> Order {
    Order::ReplaceLeaf { uri: leaf.clone(), format: "bool", value: value.to_string() }
}
