//! How much a viewer's own credential allows.

use std::borrow::Cow;

/// The most limits one credential may carry.
pub const LIMITS_MAX: usize = 4;

/// The highest limit there is; a higher one means this.
pub const LIMIT_MAX: u32 = 1000;

/// Limits by the claims that carry them, each claim once, as read from a credential
/// that was verified. A rule names the claim it goes by (`max_claim`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits(
    /// By claim, so that the same limits are equal in whatever order they came.
    Vec<(String, u32)>,
);

impl Limits {
    /// Sets what `claim` allows, replacing what it allowed before. One claim more than
    /// [`LIMITS_MAX`] is left out.
    pub fn set(&mut self, claim: impl Into<String>, limit: u32) {
        let (claim, limit) = (claim.into(), limit.min(LIMIT_MAX));
        match self.0.binary_search_by(|(known, _)| known.cmp(&claim)) {
            Ok(at) => {
                if let Some((_, known)) = self.0.get_mut(at) {
                    *known = limit;
                }
            }
            Err(at) if self.0.len() < LIMITS_MAX => self.0.insert(at, (claim, limit)),
            Err(_) => {}
        }
    }

    /// What `claim` allows, if it is known.
    #[must_use]
    pub fn value(&self, claim: &str) -> Option<u32> {
        let mut known = self.0.iter();
        let found = known.find(|(known, _)| known == claim);
        found.map(|(_, limit)| *limit)
    }

    /// Sets every limit of `newer`, which take precedence also where there is no room
    /// for all; says whether that changed anything.
    pub fn merge(&mut self, newer: &Self) -> bool {
        match self.with(newer) {
            Cow::Owned(merged) if merged != *self => {
                *self = merged;
                true
            }
            _ => false,
        }
    }

    /// These with every limit of `newer` set.
    #[must_use]
    pub fn with<'a>(&'a self, newer: &Self) -> Cow<'a, Self> {
        if newer.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut merged = newer.clone();
        for (claim, limit) in self.iter() {
            if merged.value(claim).is_none() {
                merged.set(claim, limit);
            }
        }
        Cow::Owned(merged)
    }

    /// Claims and limits, by claim.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(claim, limit)| (claim.as_str(), *limit))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn limits(of: &[(&str, u32)]) -> Limits {
        let mut limits = Limits::default();
        for (claim, limit) in of {
            limits.set(*claim, *limit);
        }
        limits
    }

    #[test]
    fn there_are_few_and_none_is_huge() {
        let many = limits(&[("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]);
        assert_eq!(many.len(), LIMITS_MAX);
        assert_eq!(many.value("e"), None);
        assert_eq!(limits(&[("a", u32::MAX)]).value("a"), Some(LIMIT_MAX));
        assert_eq!(limits(&[("a", 7), ("a", 0)]), limits(&[("a", 0)]));
    }

    #[test]
    fn the_same_limits_are_equal_in_any_order() {
        assert_eq!(limits(&[("a", 1), ("b", 2)]), limits(&[("b", 2), ("a", 1)]));
    }

    #[test]
    fn newer_limits_take_precedence_and_what_they_do_not_say_stays() {
        let mut known = limits(&[("a", 1), ("b", 2)]);
        assert!(!known.merge(&Limits::default()));
        assert!(!known.merge(&limits(&[("b", 2)])));
        assert!(known.merge(&limits(&[("b", 3)])));
        assert_eq!(known, limits(&[("a", 1), ("b", 3)]));
        let four = limits(&[("c", 1), ("d", 1), ("e", 1), ("f", 1)]);
        assert!(known.merge(&four));
        assert_eq!(known, four);
    }
}
