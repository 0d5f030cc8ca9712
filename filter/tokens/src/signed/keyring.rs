//! The signing keys: the first signs, all verify.

use core::fmt;

use sha2::{Digest, Sha256};
use streamgate_values::mac::{Mac, MacKey};

/// What a signature is for. Each has a key of its own, so that a session id never
/// passes as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    SessionId,
    PlaybackToken,
}

impl Purpose {
    /// What its key is derived for.
    const fn context(self) -> &'static str {
        match self {
            Self::SessionId => "streamgate 2026-11-29 session id, 2",
            Self::PlaybackToken => "streamgate 2026-11-29 playback token, 3",
        }
    }
}

/// One named secret.
#[derive(Clone)]
pub struct SigningKey {
    /// Two bytes made from the key's configured id; says which key to try.
    tag: [u8; 2],
    session_id: MacKey,
    playback_token: MacKey,
}

impl SigningKey {
    /// A key from its configured id and secret, of any length.
    #[must_use]
    pub fn new(id: &str, secret: &[u8]) -> Self {
        let [first, second, ..] = <[u8; 32]>::from(Sha256::digest(id.as_bytes()));
        Self {
            tag: [first, second],
            session_id: MacKey::derived(Purpose::SessionId.context(), secret),
            playback_token: MacKey::derived(Purpose::PlaybackToken.context(), secret),
        }
    }

    fn mac(&self, purpose: Purpose, message: &[&[u8]]) -> Mac {
        let key = match purpose {
            Purpose::SessionId => &self.session_id,
            Purpose::PlaybackToken => &self.playback_token,
        };
        key.mac(message)
    }
}

/// Never shows the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

/// A signature as it travels: which key, and the truncated MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The key's tag.
    pub tag: [u8; 2],
    /// The first 16 bytes of BLAKE3 in keyed mode.
    pub mac: Mac,
}

/// All keys in force: the first signs, every one verifies. To rotate, put the
/// new key first, and take the old one out when what it signed has expired.
#[derive(Debug, Clone)]
pub struct KeyRing {
    first: SigningKey,
    older: Vec<SigningKey>,
}

impl KeyRing {
    /// A ring whose `first` key signs.
    #[must_use]
    pub fn new(first: SigningKey, older: Vec<SigningKey>) -> Self {
        Self { first, older }
    }

    pub(super) fn sign(&self, purpose: Purpose, message: &[&[u8]]) -> Signature {
        Signature {
            tag: self.first.tag,
            mac: self.first.mac(purpose, message),
        }
    }

    /// Whether one of the keys made `signature` over `message`. Compares in constant time,
    /// and computes a signature for an unknown key, too: how long it takes tells nobody
    /// what was wrong.
    pub(super) fn verify(
        &self,
        purpose: Purpose,
        message: &[&[u8]],
        signature: &Signature,
    ) -> bool {
        let made_by = |key: &SigningKey| key.mac(purpose, message) == signature.mac;
        let mut named = core::iter::once(&self.first)
            .chain(&self.older)
            .filter(|key| key.tag == signature.tag)
            .peekable();
        if named.peek().is_none() {
            made_by(&self.first);
            return false;
        }
        named.any(made_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn ring(ids: &[&str]) -> KeyRing {
        let mut keys = ids
            .iter()
            .map(|id| SigningKey::new(id, format!("secret of {id}").as_bytes()));
        KeyRing::new(keys.next().unwrap(), keys.collect())
    }

    #[test]
    fn an_old_key_verifies_until_it_is_taken_out() {
        let message: &[&[u8]] = &[b"payload"];
        let before = ring(&["k1"]).sign(Purpose::PlaybackToken, message);
        let rotated = ring(&["k2", "k1"]);
        assert!(rotated.verify(Purpose::PlaybackToken, message, &before));
        assert_ne!(rotated.sign(Purpose::PlaybackToken, message), before);
        assert!(!ring(&["k2"]).verify(Purpose::PlaybackToken, message, &before));
    }

    #[test]
    fn a_signature_serves_one_purpose_and_one_message() {
        let ring = ring(&["k1"]);
        let signature = ring.sign(Purpose::SessionId, &[b"payload"]);
        assert!(ring.verify(Purpose::SessionId, &[b"pay", b"load"], &signature));
        assert!(!ring.verify(Purpose::PlaybackToken, &[b"payload"], &signature));
        assert!(!ring.verify(Purpose::SessionId, &[b"payloae"], &signature));
    }

    #[test]
    fn debug_output_never_holds_the_secret() {
        let shown = format!("{:?}", SigningKey::new("k1", b"hunter2hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.starts_with("SigningKey { tag: ["), "{shown}");
    }
}
