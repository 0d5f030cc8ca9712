//! The keys that vouch for tokens, and what a refusal costs.

use core::fmt;
use core::hint::black_box;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::Sha256;

use super::TOKEN_MAX;
use super::envelope::{Algorithm, Envelope};

/// Shortest secret in bytes: as long as the MACs it makes (RFC 9053, section 3.1).
pub const SECRET_MIN: usize = 32;

/// The most keys.
pub const KEYS_MAX: usize = 8;

/// The most keys that one token is held against. An ES256 signature takes about 1 ms, and
/// anybody may send what looks like a token.
pub const TRIES_MAX: usize = 2;

/// A well-formed ECDSA signature of nothing. `r` and `s` are as long as real ones, so
/// that checking it takes as long.
const NO_SIGNATURE: [u8; 64] = {
    let mut bytes = [0x5a; 64];
    let (_, s) = bytes.split_at_mut(32);
    s.copy_from_slice(&[0x3c; 32]);
    bytes
};

/// Why a key, or a set of keys, cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// A secret shorter than [`SECRET_MIN`] bytes.
    ShortSecret,
    /// A public key given as a secret: everybody could sign.
    PublicSecret,
    /// Neither PEM nor DER of a P-256 public key, nor a point on that curve.
    NotP256,
    /// No key at all.
    NoKey,
    /// More than [`KEYS_MAX`] keys.
    TooMany,
}

/// A key and the one algorithm it is for.
#[derive(Clone)]
pub struct Key {
    kid: Vec<u8>,
    kind: KeyKind,
}

#[derive(Clone)]
enum KeyKind {
    /// HMAC state with the secret already absorbed.
    Hmac(Hmac<Sha256>),
    Es256(VerifyingKey),
}

impl Key {
    /// A shared secret for HMAC 256/256, COSE algorithm 5 (RFC 9053, section 3.1).
    ///
    /// # Errors
    ///
    /// [`KeyError::ShortSecret`] and [`KeyError::PublicSecret`].
    pub fn hmac(kid: &[u8], secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SECRET_MIN {
            return Err(KeyError::ShortSecret);
        }
        if public_key(secret).is_some() {
            return Err(KeyError::PublicSecret);
        }
        Ok(Self {
            kid: kid.to_vec(),
            // HMAC takes keys of every length; the error exists for other MACs.
            kind: KeyKind::Hmac(Hmac::new_from_slice(secret).map_err(|_| KeyError::ShortSecret)?),
        })
    }

    /// A public key for ES256, COSE algorithm −7 (RFC 9053, section 2.1): PEM or DER of
    /// a SubjectPublicKeyInfo, or the bare point (SEC 1, section 2.3.3).
    ///
    /// # Errors
    ///
    /// [`KeyError::NotP256`].
    pub fn es256(kid: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        Ok(Self {
            kid: kid.to_vec(),
            kind: KeyKind::Es256(public_key(public).ok_or(KeyError::NotP256)?),
        })
    }

    fn algorithm(&self) -> Algorithm {
        match self.kind {
            KeyKind::Hmac(_) => Algorithm::Hs256,
            KeyKind::Es256(_) => Algorithm::Es256,
        }
    }

    /// Whether the envelope names this key, or names none, and agrees with its algorithm.
    fn may_have_sealed(&self, envelope: &Envelope<'_>) -> bool {
        self.algorithm() == envelope.algorithm && envelope.kid.is_none_or(|kid| kid == self.kid)
    }

    /// One signature computation, whatever `signature` looks like.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        #[cfg(any(test, feature = "testing"))]
        super::testing::count_computation(self.algorithm());
        match &self.kind {
            KeyKind::Hmac(keyed) => {
                let mut mac = keyed.clone();
                mac.update(message);
                mac.verify_slice(signature).is_ok()
            }
            KeyKind::Es256(public) => {
                let signature = Signature::from_slice(signature);
                let is_signature = signature.is_ok();
                signature
                    .or_else(|_| Signature::from_slice(&NO_SIGNATURE))
                    .is_ok_and(|signature| public.verify(message, &signature).is_ok())
                    && is_signature
            }
        }
    }
}

/// Never shows the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// All keys in force. Any may have signed a token; the first HMAC key renews tokens.
#[derive(Debug, Clone)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// These keys. Several may have the same id; the first [`TRIES_MAX`] of a kind are tried
    /// then.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoKey`] and [`KeyError::TooMany`].
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        match keys.len() {
            0 => Err(KeyError::NoKey),
            1..=KEYS_MAX => Ok(Self(keys)),
            _ => Err(KeyError::TooMany),
        }
    }

    /// The key that renews: its id, and HMAC with its secret absorbed.
    pub(super) fn renewing(&self) -> Option<(&[u8], Hmac<Sha256>)> {
        self.0.iter().find_map(|key| match &key.kind {
            KeyKind::Hmac(keyed) => Some((&key.kid[..], keyed.clone())),
            KeyKind::Es256(_) => None,
        })
    }
}

/// The keys that were not tried on a token yet.
///
/// A refusal settles the account: as many signatures were computed by then as
/// [`TRIES_MAX`] or the number of keys allow, of every algorithm one before a second of
/// any. So how long it took tells a malformed token neither from an unknown key nor from a
/// bad signature or a claim that does not hold, if the token names a key.
pub(super) struct Trial<'a> {
    untried: Vec<&'a Key>,
    tried: Vec<Algorithm>,
    token: &'a [u8],
}

impl<'a> Trial<'a> {
    pub(super) fn new(keys: &'a Keys, token: &'a [u8]) -> Self {
        Self {
            untried: keys.0.iter().collect(),
            tried: Vec::new(),
            token: token.get(..TOKEN_MAX).unwrap_or(token),
        }
    }

    /// Whether one of the keys sealed the envelope: of those it names by id and algorithm,
    /// the first two are tried.
    pub(super) fn vouches(&mut self, envelope: &Envelope<'_>) -> bool {
        let message = envelope.message();
        while let Some(key) = self.next(|key| key.may_have_sealed(envelope)) {
            if key.verifies(&message, envelope.signature) {
                return true;
            }
        }
        false
    }

    /// Computes, for nothing, under as many keys as may still be tried.
    pub(super) fn settle(mut self) {
        loop {
            let other = |tried: &[Algorithm], key: &Key| !tried.contains(&key.algorithm());
            let tried = self.tried.clone();
            let key = match self.next(|key| other(&tried, key)) {
                Some(key) => key,
                None => match self.next(|_| true) {
                    Some(key) => key,
                    None => return,
                },
            };
            black_box(key.verifies(self.token, &NO_SIGNATURE));
        }
    }

    /// The next key of this kind, while one may be tried.
    fn next(&mut self, is_one: impl Fn(&Key) -> bool) -> Option<&'a Key> {
        if self.tried.len() >= TRIES_MAX {
            return None;
        }
        let at = self.untried.iter().position(|key| is_one(key))?;
        // In their order: an operator puts first what most tokens are signed with.
        let key = self.untried.remove(at);
        self.tried.push(key.algorithm());
        Some(key)
    }
}

/// What every DER of a P-256 public key begins with (RFC 5480, section 2): two object
/// identifiers and the lengths around them. The uncompressed point follows.
const SPKI_OF_P256: &[u8] = b"\x30\x59\x30\x13\
    \x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
    \x03\x42\x00";

fn public_key(bytes: &[u8]) -> Option<VerifyingKey> {
    let der = from_pem(bytes);
    let der = der.as_deref().unwrap_or(bytes);
    let point = der.strip_prefix(SPKI_OF_P256).unwrap_or(der);
    VerifyingKey::from_sec1_bytes(point).ok()
}

/// What a PEM block holds (RFC 7468, section 13).
fn from_pem(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = core::str::from_utf8(bytes).ok()?.trim();
    let inner = text.strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let inner = inner.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: Vec<u8> = inner
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(base64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cat::testing::{EC_PEM, HMAC_SECRET};
    use crate::testing::test;

    #[test]
    fn a_public_key_is_read_from_pem_der_and_point() {
        let pem = public_key(EC_PEM.as_bytes()).unwrap();
        let compressed = pem.to_sec1_point(true);
        let point = pem.to_sec1_point(false);
        let der = [SPKI_OF_P256, point.as_bytes()].concat();
        for form in [point.as_bytes(), compressed.as_bytes(), &der] {
            assert_eq!(public_key(form), Some(pem));
            let as_secret = Key::hmac(b"k", form).err();
            assert_eq!(as_secret, Some(KeyError::PublicSecret));
        }
        let not_on_the_curve = [&[4][..], &[1; 64]].concat();
        let no_base64 = EC_PEM.replace("MFkw", "M*kw");
        for bad in [
            &b""[..],
            b"-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            no_base64.as_bytes(),
            &not_on_the_curve,
            SPKI_OF_P256,
        ] {
            assert_eq!(Key::es256(b"k", bad).err(), Some(KeyError::NotP256));
        }
    }

    #[test]
    fn keys_that_protect_nothing_are_refused() {
        assert_eq!(Key::hmac(b"k", &[1; 31]).err(), Some(KeyError::ShortSecret));
        let pem = Key::hmac(b"k", EC_PEM.as_bytes());
        assert_eq!(pem.err(), Some(KeyError::PublicSecret));
        assert_eq!(Keys::new(Vec::new()).err(), Some(KeyError::NoKey));
        let key = Key::hmac(b"k", HMAC_SECRET).unwrap();
        assert!(Keys::new(vec![key.clone(); KEYS_MAX]).is_ok());
        let too_many = Keys::new(vec![key; KEYS_MAX + 1]);
        assert_eq!(too_many.err(), Some(KeyError::TooMany));
    }

    #[test]
    fn the_placeholder_is_a_signature_as_far_as_form_goes() {
        assert!(Signature::from_slice(&NO_SIGNATURE).is_ok());
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let key = Key::hmac(b"k", HMAC_SECRET).unwrap();
        assert_eq!(format!("{key:?}"), "Key { algorithm: Hs256, .. }");
    }
}
