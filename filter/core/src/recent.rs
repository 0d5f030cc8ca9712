//! What a worker remembers so that it need not ask again.

use hashbrown::{Equivalent, HashMap};

use crate::text::is_same;

/// Values under names, bounded by two generations: when the young one is full it becomes
/// the old one, and what was old is forgotten. What is in use moves to the young one in
/// time; what is forgotten costs asking again.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashMap<Box<[u8]>, V>,
    old: HashMap<Box<[u8]>, V>,
    generation_max: usize,
}

impl<V> Recent<V> {
    /// A table of at most `max` values.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation_max: max.div_ceil(2),
        }
    }

    /// The value under `name`.
    #[must_use]
    pub fn value(&self, name: &[u8]) -> Option<&V> {
        let name = &Alike(name);
        self.young.get(name).or_else(|| self.old.get(name))
    }

    /// Remembers a value.
    pub fn insert(&mut self, name: &[u8], value: V) {
        if let Some(known) = self.young.get_mut(name) {
            *known = value;
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(name.into(), value);
    }

    /// Forgets a value.
    pub fn remove(&mut self, name: &[u8]) {
        self.young.remove(name);
        self.old.remove(name);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len().saturating_add(self.old.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A name to be looked up.
#[derive(Hash)]
struct Alike<'a>(&'a [u8]);

impl Equivalent<Box<[u8]>> for Alike<'_> {
    fn equivalent(&self, name: &Box<[u8]>) -> bool {
        is_same(self.0, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_name_is_found_by_all_of_its_bytes() {
        let long: Vec<u8> = (0..21).collect();
        let mut recent = Recent::new(100);
        recent.insert(&long, 1);
        assert_eq!(recent.value(&long), Some(&1));
        for at in 0..long.len() {
            let mut other = long.clone();
            other[at] ^= 1;
            assert_eq!(recent.value(&other), None);
            assert_eq!(recent.value(&long[..at]), None);
        }
        recent.insert(b"", 2);
        assert_eq!(recent.value(b""), Some(&2));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_in_use() {
        let mut recent = Recent::new(100);
        for n in 0..10_000_u32 {
            recent.insert(&n.to_be_bytes(), n);
            recent.insert(b"busy", n);
            assert!(recent.len() <= 101, "{}", recent.len());
            assert_eq!(recent.value(b"busy"), Some(&n));
        }
        assert_eq!(recent.value(&0_u32.to_be_bytes()), None);
        recent.remove(b"busy");
        assert_eq!(recent.value(b"busy"), None);
    }
}
