//! The operator's door, compiled.

use core::fmt;

use streamgate_values::subject::{SecretHash, SubjectHasher};

/// The operator's door.
#[derive(Debug)]
pub struct Operator {
    /// What its paths begin with; no slash at its end.
    pub prefix: String,
    /// Who may come in.
    pub keys: OperatorKeys,
    /// How many of the latest decisions are kept.
    pub decisions: u32,
}

/// The keys of the door, as keyed hashes: no copy of one stays in memory.
pub struct OperatorKeys(Vec<SecretHash>);

/// An application of no name: none has it, so no password of one is a key.
const NO_APPLICATION: &str = "";

impl OperatorKeys {
    /// These keys.
    #[must_use]
    pub fn new<'k>(hasher: &SubjectHasher, keys: impl Iterator<Item = &'k [u8]>) -> Self {
        Self(keys.map(|key| hasher.secret(NO_APPLICATION, key)).collect())
    }

    /// Which key was given, the first being 1; `None` if it is none of them. What is computed is
    /// the same in every case, so the time it takes says nothing of how much of a key was guessed.
    #[must_use]
    pub fn admit(&self, hasher: &SubjectHasher, given: &[u8]) -> Option<usize> {
        let given = hasher.secret(NO_APPLICATION, given);
        let numbered = self.0.iter().zip(1..);
        numbered.fold(None, |found, (key, number)| {
            let is_it = key.equals(&given);
            if is_it { Some(number) } else { found }
        })
    }
}

/// Shows how many keys there are, and none of them.
impl fmt::Debug for OperatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorKeys({})", self.0.len())
    }
}
