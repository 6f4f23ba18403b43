//! Section 5.2.1.5 on its own: a server that has handed the device over takes its own account away.

use super::search::AccountSearch;
use super::single::unless_gone;
use super::{Changes, Next, Order, OrderResult, outcome, planted};
use crate::ids::ServerId;

/// Finds the own account and deletes it. There is no way back: with the account goes every right on the device.
#[derive(Debug)]
pub struct Leave {
    me: ServerId,
    search: AccountSearch,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Searching,
    ExpectDeleted(Order),
}

impl Leave {
    pub fn new(me: &ServerId) -> Leave {
        Leave { me: me.clone(), search: AccountSearch::new(vec![me.clone()]), state: State::Start }
    }

    /// Whether the account may have gone, although no answer says so.
    pub fn is_in_doubt(&self) -> bool {
        !planted!(LeaveDoubtLost) && matches!(self.state, State::ExpectDeleted(_))
    }

    pub fn next(&mut self, results: &[OrderResult], changes: &mut Changes) -> Next {
        match &self.state {
            State::Start => {
                self.state = State::Searching;
                Ok(Some(self.search.first()))
            }
            State::Searching => {
                if let Some(orders) = self.search.take(results) {
                    return Ok(Some(orders));
                }
                let Some(account) = self.search.found(&self.me) else {
                    return match self.search.doubt() {
                        Some(failure) => Err(failure),
                        None => gone(changes),
                    };
                };
                let order = Order::Delete(account);
                self.state = State::ExpectDeleted(order.clone());
                Ok(Some(vec![order]))
            }
            State::ExpectDeleted(order) => match unless_gone(order, outcome::at(results, 0)) {
                Some(failure) => Err(failure),
                None => gone(changes),
            },
        }
    }
}

fn gone(changes: &mut Changes) -> Next {
    changes.remove_own_account();
    Ok(None)
}
