//! Finds the accounts of servers: first where this program puts them, then among all of them.

use super::single::NOT_FOUND;
use super::{DeviceFailure, Order, OrderResult, outcome};
use crate::dm::dmacc;
use crate::dm::uri::{self, Uri};
use crate::ids::ServerId;

/// A search for the accounts of some servers, by their ServerID: the names of account nodes mean nothing.
#[derive(Debug)]
pub struct AccountSearch {
    wanted: Vec<(ServerId, Option<Uri>)>,
    /// What a device would not show of the accounts, as it said first.
    refused: Option<DeviceFailure>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Expects the ServerID of the node that each wanted account would have.
    ExpectGuesses,
    /// Expects the names of all accounts.
    ExpectNames,
    /// Expects the ServerID of each of these.
    ExpectIds(Vec<Uri>),
    Ended,
}

impl AccountSearch {
    /// For the accounts of these servers; none at all is fine.
    pub fn new(wanted: Vec<ServerId>) -> AccountSearch {
        let wanted = wanted.into_iter().map(|server| (server, None)).collect();
        AccountSearch { wanted, refused: None, state: State::ExpectGuesses }
    }

    /// The orders it begins with.
    pub fn first(&self) -> Vec<Order> {
        self.wanted.iter().map(|(server, _)| server_id_of(&usual_place(server))).collect()
    }

    /// Takes the results of its latest orders, and gives the next ones; `None` when it has ended.
    pub fn take(&mut self, results: &[OrderResult]) -> Option<Vec<Order>> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::ExpectGuesses => {
                let places: Vec<Uri> = self.wanted.iter().map(|(server, _)| usual_place(server)).collect();
                self.compare(places, results);
                if self.wanted.iter().all(|(_, place)| place.is_some()) {
                    return None;
                }
                self.state = State::ExpectNames;
                Some(vec![Order::Get(dmacc::place())])
            }
            State::ExpectNames => {
                self.note_refusal(&Order::Get(dmacc::place()), outcome::at(results, 0));
                let names = outcome::at(results, 0).data.as_deref().unwrap_or_default();
                let names = names.split('/').filter(|name| uri::is_name(name));
                let places: Vec<Uri> = names.map(|name| dmacc::place().join(name)).collect();
                if places.is_empty() {
                    return None;
                }
                let orders = places.iter().map(server_id_of).collect();
                self.state = State::ExpectIds(places);
                Some(orders)
            }
            State::ExpectIds(places) => {
                self.compare(places, results);
                None
            }
            State::Ended => None,
        }
    }

    /// Where the server's account is, once the search has ended.
    pub fn found(&self, server: &ServerId) -> Option<Uri> {
        self.wanted.iter().find(|(wanted, _)| wanted == server)?.1.clone()
    }

    /// Takes an account as found that somebody else has come upon.
    pub fn note(&mut self, server: &ServerId, place: Uri) {
        self.wanted.push((server.clone(), Some(place)));
    }

    /// Why an account that was not found may be there all the same: the device has not shown all it has.
    pub fn doubt(&self) -> Option<DeviceFailure> {
        self.refused.clone()
    }

    fn note_refusal(&mut self, order: &Order, result: &OrderResult) {
        if result.code != NOT_FOUND && self.refused.is_none() {
            self.refused = outcome::failure(order, result);
        }
    }

    fn compare(&mut self, places: Vec<Uri>, results: &[OrderResult]) {
        for (place, result) in places.into_iter().zip(results) {
            self.note_refusal(&server_id_of(&place), result);
            let id = result.data.as_deref().filter(|_| outcome::is_done(result.code));
            let hit = self.wanted.iter_mut().find(|(server, known)| known.is_none() && id == Some(server.as_str()));
            if let Some((_, known)) = hit {
                *known = Some(place);
            }
        }
    }
}

/// Where this program puts the account of a server.
pub fn usual_place(server: &ServerId) -> Uri {
    dmacc::place().join(&dmacc::node_name(server))
}

fn server_id_of(account: &Uri) -> Order {
    Order::Get(account.join("ServerID"))
}
