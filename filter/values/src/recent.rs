//! What a worker remembers so that it need not ask again.

use hashbrown::HashTable;
use streamgate_bytes::Fingerprint;

/// In how many parts a table is kept. Growing one, and forgetting what was old in it, takes
/// as many times less than the whole would, and no request waits for longer than that. Outside a VM tables are
/// larger.
const PARTS: usize = if cfg!(target_arch = "wasm32") { 16 } else { 64 };

/// Values under fingerprints, bounded by two generations: when the young one is full it becomes
/// the old one, and what was old is forgotten. What is in use moves to the young one in
/// time; what is forgotten costs asking again.
#[derive(Debug)]
pub struct Recent<V> {
    parts: [RecentPart<V>; PARTS],
    generation_max: usize,
}

/// A part of a table.
#[derive(Debug)]
struct RecentPart<V> {
    young: HashTable<(Fingerprint, V)>,
    old: HashTable<(Fingerprint, V)>,
}

impl<V> Recent<V> {
    /// A table of about `max` values, and never more above it than two for each of its parts.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            parts: [(); PARTS].map(|()| RecentPart {
                young: HashTable::new(),
                old: HashTable::new(),
            }),
            generation_max: max.div_ceil(PARTS.saturating_mul(2)),
        }
    }

    /// The value under `fingerprint`.
    #[must_use]
    pub fn value(&self, fingerprint: Fingerprint) -> Option<&V> {
        let RecentPart { young, old } = self.parts.get(part(fingerprint))?;
        let is_it = |(known, _): &(Fingerprint, V)| *known == fingerprint;
        let found = young.find(fingerprint.spread(), is_it);
        let found = found.or_else(|| old.find(fingerprint.spread(), is_it));
        found.map(|(_, value)| value)
    }

    /// Remembers a value.
    pub fn insert(&mut self, fingerprint: Fingerprint, value: V) {
        let Some(RecentPart { young, old }) = self.parts.get_mut(part(fingerprint)) else {
            return;
        };
        let is_it = |(known, _): &(Fingerprint, V)| *known == fingerprint;
        if let Some((_, known)) = young.find_mut(fingerprint.spread(), is_it) {
            *known = value;
            return;
        }
        if young.len() >= self.generation_max {
            core::mem::swap(young, old);
            young.clear();
        }
        let spread = |(known, _): &(Fingerprint, V)| known.spread();
        young.insert_unique(fingerprint.spread(), (fingerprint, value), spread);
    }

    /// Forgets a value.
    pub fn remove(&mut self, fingerprint: Fingerprint) {
        let Some(RecentPart { young, old }) = self.parts.get_mut(part(fingerprint)) else {
            return;
        };
        for generation in [young, old] {
            if let Ok(found) =
                generation.find_entry(fingerprint.spread(), |(known, _)| *known == fingerprint)
            {
                found.remove();
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let parts = self.parts.iter();
        parts
            .map(|part| part.young.len().saturating_add(part.old.len()))
            .sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The part for a fingerprint, by bits that its place in there does not go by.
const fn part(fingerprint: Fingerprint) -> usize {
    let [.., last] = fingerprint.0.to_ne_bytes();
    last as usize % PARTS
}

#[cfg(test)]
mod tests {
    use streamgate_bytes::Fingerprinter;

    use super::*;
    use crate::testing::test;

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_in_use() {
        let fingerprinter = Fingerprinter::new(&[7; 16]);
        let mut recent = Recent::new(1_600);
        let busy = fingerprinter.fingerprint(b"busy");
        for n in 0..20_000_u32 {
            let fingerprint = fingerprinter.fingerprint(&n.to_be_bytes());
            recent.insert(fingerprint, n);
            recent.insert(busy, n);
            assert!(recent.len() <= 1_600 + 2 * PARTS, "{}", recent.len());
            assert_eq!(recent.value(fingerprint), Some(&n));
            assert_eq!(recent.value(busy), Some(&n));
        }
        assert!(recent.len() > 800, "{}", recent.len());
        assert_eq!(
            recent.value(fingerprinter.fingerprint(&0_u32.to_be_bytes())),
            None
        );
        recent.remove(busy);
        assert_eq!(recent.value(busy), None);
    }
}
