//! Numbers that name single exchanges to the answering side beside their bytes: a table of the connections that carry them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tokens of the exchanges that are under way, by connection. Made by the [`Doors`](super::Doors), shared with the dialers.
#[derive(Debug, Default)]
pub struct Tokens {
    /// By the caller's and the door's address. The caller's alone would not do: one local port may carry connections to several doors.
    held: Mutex<BTreeMap<(SocketAddr, SocketAddr), u64>>,
    /// How many are held, so that those who come without a token take no lock.
    count: AtomicUsize,
}

impl Tokens {
    /// How many exchanges with a token are under way.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether no exchange with a token is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token of the exchange on the connection between these two, if it has one. `door` as the door was bound.
    pub(super) fn find(&self, caller: SocketAddr, door: SocketAddr) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        self.held().get(&(caller, door)).copied()
    }

    /// Names the exchange on a connection until the result is dropped, which must be before the connection is closed:
    /// its port may be another's right afterwards.
    pub(super) fn register(self: &Arc<Tokens>, caller: SocketAddr, door: SocketAddr, token: u64) -> Registered {
        let mut held = self.held();
        held.insert((caller, door), token);
        self.count.store(held.len(), Ordering::Release);
        Registered { tokens: self.clone(), connection: (caller, door) }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<(SocketAddr, SocketAddr), u64>> {
        // Each change is a single step: a panic leaves nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token in its table; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    tokens: Arc<Tokens>,
    connection: (SocketAddr, SocketAddr),
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut held = self.tokens.held();
        held.remove(&self.connection);
        self.tokens.count.store(held.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_one_connection_until_it_goes() {
        let tokens = Arc::new(Tokens::default());
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (first, second) = (tokens.register(at(1), at(80), 7), tokens.register(at(1), at(81), 8));
        assert_eq!([at(80), at(81), at(82)].map(|door| tokens.find(at(1), door)), [Some(7), Some(8), None]);
        assert_eq!((tokens.find(at(2), at(80)), tokens.len()), (None, 2));
        drop(first);
        assert_eq!([at(80), at(81)].map(|door| tokens.find(at(1), door)), [None, Some(8)]);
        drop(second);
        assert!(tokens.is_empty());
    }
}
