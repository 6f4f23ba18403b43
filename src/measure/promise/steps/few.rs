//! A map of a few entries in a row: a copy of it is one piece of memory, and there are millions of copies.

/// Entries in the order of their keys, each once. As a set, with nothing for each key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Few<K, V = ()>(Vec<(K, V)>);

impl<K: Ord, V> Few<K, V> {
    pub fn new() -> Few<K, V> {
        Few(Vec::new())
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    pub fn contains(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    pub fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    pub fn remove(&mut self, key: &K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// The value of a key, which is this one where there is none yet.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let place = self.place(&key).unwrap_or_else(|place| {
            self.0.insert(place, (key, value()));
            place
        });
        &mut self.0[place].1
    }

    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert_with(key, V::default)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_another_order_is_equal() {
        let (mut one, mut other) = (Few::new(), Few::new());
        for key in [3, 1, 2, 5] {
            one.insert(key, key * 10);
        }
        for key in [5, 2, 9, 3, 1] {
            *other.or_insert_with(key, || 0) += key * 10;
        }
        assert_ne!(one, other);
        other.remove(&9);
        other.remove(&4);
        assert_eq!(one, other);
        assert_eq!(one.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 5]);
        assert_eq!((one.get(&3), one.get(&4), one.contains(&5)), (Some(&30), None, true));
        *one.or_default(7) += 1;
        one.insert(3, 0);
        assert_eq!((one.get(&7), one.get(&3)), (Some(&1), Some(&0)));
    }
}
