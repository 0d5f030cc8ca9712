//! An account's own limits, as its credential says them.

/// Claims that say a limit, each once, with the most streams they allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits(Vec<(String, u32)>);

impl Limits {
    /// The limit that `claim` says.
    #[must_use]
    pub fn value(&self, claim: &str) -> Option<u32> {
        let known = self.0.iter().find(|(known, _)| known == claim);
        known.map(|(_, limit)| *limit)
    }

    /// Sets what `claim` says.
    pub fn set(&mut self, claim: &str, limit: u32) {
        match self.0.iter_mut().find(|(known, _)| known == claim) {
            Some((_, known)) => *known = limit,
            None => self.0.push((claim.to_owned(), limit)),
        }
    }

    /// Claims and limits in order.
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
