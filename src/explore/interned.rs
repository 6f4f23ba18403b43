//! Values that are kept once and known by a number.

use std::hash::Hash;

use foldhash::fast::FixedState;
use indexmap::IndexSet;

/// Each value once, in the order in which it was first met.
pub struct Interned<T>(IndexSet<T, FixedState>);

impl<T: Eq + Hash> Interned<T> {
    pub fn new() -> Interned<T> {
        Interned(IndexSet::with_hasher(FixedState::default()))
    }

    /// The number of a value, which is the next one where it is new.
    pub fn number(&mut self, value: T) -> u32 {
        let (number, _) = self.0.insert_full(value);
        u32::try_from(number).expect("a search ends long before 4 billion values")
    }

    /// The value of a number that was given out here.
    pub fn value(&self, number: u32) -> &T {
        &self.0[number as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
