//! How many creates come from one client address, whatever the accounts: somebody with many
//! accounts must not fill the edge.

use streamgate_bytes::Fingerprinter;
use streamgate_policy::throttle::Calls;
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;

/// The most clients that a worker remembers, in about half a megabyte. One that was forgotten
/// counts anew; who has so many addresses has no use for that.
const CLIENTS_MAX: usize = 8_192;

/// The creates of this minute, by client, as one worker sees them.
#[derive(Debug)]
pub struct CreatesByClient {
    calls: Recent<Calls>,
    fingerprinter: Fingerprinter,
}

impl CreatesByClient {
    /// None yet.
    #[must_use]
    pub fn new(fingerprinter: Fingerprinter) -> Self {
        Self {
            calls: Recent::new(CLIENTS_MAX),
            fingerprinter,
        }
    }

    /// Counts a create from `client`, of which `per_minute` are allowed.
    ///
    /// # Errors
    ///
    /// If there have been that many, the moment when a create counts again.
    pub fn count(&mut self, client: &[u8], per_minute: u32, now: Moment) -> Result<(), Moment> {
        let fingerprint = self.fingerprinter.fingerprint(client);
        let mut calls = self.calls.value(fingerprint).cloned().unwrap_or_default();
        calls.count(per_minute, now)?;
        self.calls.insert(fingerprint, calls);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    #[test]
    fn clients_are_counted_apart_and_in_bounded_number() {
        let mut creates = CreatesByClient::new(Fingerprinter::new(&[7; 16]));
        for client in [b"one", b"two"] {
            for _ in 0..3 {
                assert_eq!(creates.count(client, 3, NOW), Ok(()));
            }
            let again = creates.count(client, 3, NOW).unwrap_err();
            assert!(again > NOW);
            assert_eq!(creates.count(client, 3, again), Ok(()));
        }
        for client in 0..100_000_u32 {
            assert_eq!(creates.count(&client.to_be_bytes(), 3, NOW), Ok(()));
        }
        assert!(creates.calls.len() <= CLIENTS_MAX + 16);
    }
}
