//! What results mean, and the ledger of what a script has changed.

use super::{DeviceFailure, Order, OrderResult, Report};

/// Whether an order was done: 215 (not executed) and 216 (rolled back) are of the same hundred and mean it was not.
pub fn is_done(code: u16) -> bool {
    (200..=212).contains(&code)
}

/// The result at this place of a round.
pub fn at(results: &[OrderResult], place: usize) -> &OrderResult {
    static MISSING: OrderResult = OrderResult { code: 500, data: None, inner: Vec::new() };
    results.get(place).unwrap_or(&MISSING)
}

/// How an order failed; `None` when it was done.
///
/// An Atomic that failed names the inner order that could not be rolled back (516), or else the one that was refused
/// first: the others were undone (216) or never tried (215), and its own 507 says no more than that.
pub fn failure(order: &Order, result: &OrderResult) -> Option<DeviceFailure> {
    if let Order::Atomic(orders) = order {
        let inner = || orders.iter().zip(&result.inner);
        let stuck = inner().find(|(_, result)| result.code == NOT_ROLLED_BACK);
        let refused = || inner().find(|(_, result)| !is_done(result.code) && !matches!(result.code, 215 | 216));
        if let Some((order, result)) = stuck.or_else(refused) {
            return Some(refusal(order, result.code));
        }
    }
    (!is_done(result.code)).then(|| refusal(order, result.code))
}

/// That the device answered this order with this code.
pub fn refusal(order: &Order, code: u16) -> DeviceFailure {
    DeviceFailure::Refused { code, order: order.verb(), uri: order.target() }
}

/// Orders that must not be done in part.
pub fn all_or_nothing(mut orders: Vec<Order>) -> Order {
    if orders.len() == 1 { orders.swap_remove(0) } else { Order::Atomic(orders) }
}

/// Status 516: a command of a failed Atomic could not be undone.
pub const NOT_ROLLED_BACK: u16 = 516;
/// The status that a client in the field has for an empty value (and another one for any value its tree does not take).
pub const SCHEMA_FORBIDS: u16 = 500;
/// The status for a value that is not of its format.
pub const BAD_FORMAT: u16 = 415;

/// What a script has changed on the device, as the orders that put it back.
#[derive(Debug, Default)]
pub struct Changes {
    /// For changes that are known to have been made; the latest last.
    made: Vec<Order>,
    /// For changes whose answer has not come yet; in the order to run.
    under_way: Vec<Order>,
    own_account_removed: bool,
}

impl Changes {
    /// Orders are about to be sent that these would undo, run in this order.
    pub fn begin(&mut self, undo: Vec<Order>) {
        self.under_way = undo;
    }

    /// What was under way has been done.
    pub fn made(&mut self) {
        let mut undo = std::mem::take(&mut self.under_way);
        undo.reverse();
        self.made.append(&mut undo);
    }

    /// What was under way has not been done.
    pub fn not_made(&mut self) {
        self.under_way.clear();
    }

    /// The server's own account is gone: it has no way to undo anything.
    pub fn remove_own_account(&mut self) {
        *self = Changes { own_account_removed: true, ..Changes::default() };
    }

    /// Ends the ledger: what came last is undone first.
    pub fn report(&mut self, result: Result<(), DeviceFailure>) -> Report {
        self.made();
        let mut undo = std::mem::take(&mut self.made);
        undo.reverse();
        Report { result, undo, own_account_removed: self.own_account_removed }
    }
}
