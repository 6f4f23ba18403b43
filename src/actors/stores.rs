//! The durable stores of all servers: they outlive their actors, as a disk outlives a process.

use std::sync::{Mutex, PoisonError};

use crate::delegation::durable::{Durable, Image};
use crate::faults::rule::BackWith;
use crate::ids::ServerNumber;

/// One store for each server.
pub struct Stores(Vec<Mutex<Durable>>);

impl Stores {
    /// Empty stores.
    pub fn new(servers: usize) -> Stores {
        Stores((0..servers).map(|_| Mutex::default()).collect())
    }

    /// Writes an image into a server's store.
    pub fn write(&self, server: ServerNumber, image: Image) {
        self.with(server, |store| store.write(image));
    }

    /// What a server that was killed comes back with; from then on that is its store.
    pub fn restore(&self, server: ServerNumber, back_with: BackWith) -> Durable {
        self.with(server, |store| {
            match back_with {
                BackWith::Durable => {}
                BackWith::Older => *store = store.older(),
                BackWith::Nothing => *store = Durable::default(),
            }
            store.clone()
        })
    }

    fn with<T>(&self, server: ServerNumber, act: impl FnOnce(&mut Durable) -> T) -> T {
        act(&mut self.0[usize::from(server.0)].lock().unwrap_or_else(PoisonError::into_inner))
    }
}
