//! The account that watches, as the edge knows it.

use core::fmt;

use crate::mac::{Mac, MacKey};

/// A keyed hash of a subject (identity provider and account id).
///
/// All the edge ever stores, logs or puts into a token: without the secret it
/// cannot be turned back into an account, nor can a guess be confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey([u8; 16]);

impl SubjectKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Evenly spread bits, to choose a place in a table.
    #[must_use]
    pub const fn spread(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// 32 hexadecimal digits: how a subject appears in logs.
impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Half by half: numbers of 128 bits would bring a formatter of their own along.
        let halves = self.0.as_chunks::<8>().0.iter();
        for half in halves.map(|half| u64::from_be_bytes(*half)) {
            write!(f, "{half:016x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({self})")
    }
}

/// What the key of subjects is derived for.
const CONTEXT: &str = "streamgate 2026-11-29 subjects and what is seen of them, 2";

/// Makes [`SubjectKey`]s. Its secret must stay the same as long as streams live,
/// also when signing keys rotate: it decides where an account's streams are kept.
#[derive(Clone)]
pub struct SubjectHasher(MacKey);

impl SubjectHasher {
    /// A hasher under `secret`.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(MacKey::derived(CONTEXT, secret))
    }

    /// The key of account `subject` as vouched for by `idp`.
    #[must_use]
    pub fn subject(&self, idp: &str, subject: &str) -> SubjectKey {
        SubjectKey(self.hash(b"subject", idp.as_bytes(), subject.as_bytes()))
    }

    /// Sixteen bytes for a stream id given from outside by `carrier`, for one subject.
    #[must_use]
    pub fn external_stream(&self, subject: &SubjectKey, carrier: &str, id: &[u8]) -> [u8; 16] {
        self.hash(carrier.as_bytes(), subject.as_bytes(), id)
    }

    /// What stands for a client, of which `seen` is what can be seen: 32 hexadecimal
    /// digits.
    #[must_use]
    pub fn client(&self, seen: &[u8]) -> String {
        SubjectKey(self.hash(b"client", b"", seen)).to_string()
    }

    /// The keyed hash of a configuration, so that two edges can be compared. It is of no use to
    /// whoever would like to guess what secrets are in it.
    #[must_use]
    pub fn configuration(&self, written: &[u8]) -> String {
        SubjectKey(self.hash(b"configuration", b"", written)).to_string()
    }

    /// What stands for the network that a client is in: 32 hexadecimal digits.
    #[must_use]
    pub fn network(&self, network: &[u8]) -> String {
        SubjectKey(self.hash(b"network", b"", network)).to_string()
    }

    /// Eight bytes that stand for something seen of a subject's client, its network or its
    /// agent, as `what` says. For another subject the same is something else.
    #[must_use]
    pub fn seen(&self, what: &str, subject: &SubjectKey, seen: &[u8]) -> [u8; 8] {
        let domain = [b"seen ", what.as_bytes()].concat();
        let [a, b, c, d, e, f, g, h, ..] = self.hash(&domain, subject.as_bytes(), seen);
        [a, b, c, d, e, f, g, h]
    }

    /// Eight hexadecimal digits by which edges tell that they have the same secret.
    #[must_use]
    pub fn check(&self) -> String {
        let [a, b, c, d, ..] = self.hash(b"check", b"", b"");
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// What stands for a password that an application calls with.
    #[must_use]
    pub fn secret(&self, application: &str, password: &[u8]) -> SecretHash {
        let domain = b"application secret";
        SecretHash(self.mac(domain, application.as_bytes(), password))
    }

    fn hash(&self, domain: &[u8], first: &[u8], second: &[u8]) -> [u8; 16] {
        self.mac(domain, first, second).0
    }

    fn mac(&self, domain: &[u8], first: &[u8], second: &[u8]) -> Mac {
        // Lengths in front, so that ("ab", "c") and ("a", "bc") differ.
        let [domain_len, first_len] = [domain, first].map(|part| (part.len() as u64).to_be_bytes());
        self.0
            .mac(&[&domain_len, domain, &first_len, first, second])
    }
}

/// A keyed hash of an application's secret. Nobody without the key can tell how a guess
/// changes it.
#[derive(Clone, Copy)]
pub struct SecretHash(Mac);

impl SecretHash {
    /// Whether both are of the same secret; all bytes are looked at in any case.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// Never shows the secret.
impl fmt::Debug for SubjectHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectHasher(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn idp_and_account_id_are_both_part_of_the_subject() {
        let hasher = SubjectHasher::new(b"secret");
        let alice = hasher.subject("acme", "alice");
        assert_eq!(alice, hasher.subject("acme", "alice"));
        assert_ne!(alice, hasher.subject("other", "alice"));
        assert_ne!(alice, hasher.subject("acmea", "lice"));
        assert_ne!(alice, hasher.subject("acme", "Alice"));
        assert_ne!(
            alice,
            SubjectHasher::new(b"another").subject("acme", "alice")
        );
    }
}
