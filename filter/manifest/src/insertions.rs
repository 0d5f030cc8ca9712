//! Where a prefix is to be inserted, and doing it.

use streamgate_values::sorted::sorted_by_key;

use crate::task::{Rewriting, Unreadable};

/// Places in a manifest where the prefix goes.
#[derive(Debug, Default)]
pub(crate) struct Insertions {
    positions: Vec<usize>,
    /// URLs of which it cannot be known whether they need it.
    pub(crate) unknown: usize,
}

impl Insertions {
    /// The prefix goes in front of the byte at this place.
    pub(crate) fn insert(&mut self, position: usize) {
        self.positions.push(position);
    }

    /// A URL was left alone because where it leads cannot be known.
    pub(crate) const fn leave(&mut self) {
        self.unknown = self.unknown.saturating_add(1);
    }

    /// The prefix goes to this place, if it is known where.
    pub(crate) fn insert_if_known(&mut self, position: Option<usize>) {
        match position {
            Some(position) => self.insert(position),
            None => self.leave(),
        }
    }

    /// The manifest with the prefix in all places; `None` without any place.
    pub(crate) fn into_body(
        mut self,
        body: &[u8],
        rewriting: &Rewriting<'_>,
    ) -> Result<Option<Vec<u8>>, Unreadable> {
        self.positions = sorted_by_key(self.positions, |position| *position);
        self.positions.dedup();
        let Rewriting { prefix, max, .. } = *rewriting;
        if self.positions.is_empty() || prefix.is_empty() {
            return Ok(None);
        }
        let added = self.positions.len().checked_mul(prefix.len());
        let size = added.and_then(|added| added.checked_add(body.len()));
        let size = size.filter(|size| *size <= max);
        let mut rewritten = Vec::with_capacity(size.ok_or(Unreadable::TooLarge)?);
        let mut copied = 0;
        for position in self.positions {
            rewritten.extend_from_slice(body.get(copied..position).unwrap_or_default());
            rewritten.extend_from_slice(prefix.as_bytes());
            copied = position;
        }
        rewritten.extend_from_slice(body.get(copied..).unwrap_or_default());
        Ok(Some(rewritten))
    }
}
