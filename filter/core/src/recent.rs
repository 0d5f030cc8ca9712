//! What a worker remembers so that it need not ask again.

use hashbrown::HashTable;
use streamgate_bytes::Mark;

/// Values under marks, bounded by two generations: when the young one is full it becomes
/// the old one, and what was old is forgotten. What is in use moves to the young one in
/// time; what is forgotten costs asking again.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashTable<(Mark, V)>,
    old: HashTable<(Mark, V)>,
    generation_max: usize,
}

impl<V> Recent<V> {
    /// A table of at most `max` values.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            young: HashTable::new(),
            old: HashTable::new(),
            generation_max: max.div_ceil(2),
        }
    }

    /// The value under `mark`.
    #[must_use]
    pub fn value(&self, mark: Mark) -> Option<&V> {
        let young = self.young.find(mark.spread(), |(known, _)| *known == mark);
        let found = young.or_else(|| self.old.find(mark.spread(), |(known, _)| *known == mark));
        found.map(|(_, value)| value)
    }

    /// Remembers a value.
    pub fn insert(&mut self, mark: Mark, value: V) {
        let is_it = |(known, _): &(Mark, V)| *known == mark;
        if let Some((_, known)) = self.young.find_mut(mark.spread(), is_it) {
            *known = value;
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = core::mem::take(&mut self.young);
        }
        let place = |(known, _): &(Mark, V)| known.spread();
        self.young
            .insert_unique(mark.spread(), (mark, value), place);
    }

    /// Forgets a value.
    pub fn remove(&mut self, mark: Mark) {
        for generation in [&mut self.young, &mut self.old] {
            if let Ok(found) = generation.find_entry(mark.spread(), |(known, _)| *known == mark) {
                found.remove();
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_in_use() {
        let mut recent = Recent::new(100);
        let busy = Mark(u128::MAX);
        for n in 0..10_000_u32 {
            recent.insert(Mark(n.into()), n);
            recent.insert(busy, n);
            assert!(recent.len() <= 101, "{}", recent.len());
            assert_eq!(recent.value(busy), Some(&n));
        }
        assert_eq!(recent.value(Mark(0)), None);
        recent.remove(busy);
        assert_eq!(recent.value(busy), None);
    }
}
