//! Keys and tokens for tests, and how many signatures they cost.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

use std::cell::Cell;

use hmac::Mac;
use streamgate_values::moment::Moment;

use super::envelope::{Algorithm, seal, written};
use super::{Key, Keys};
use crate::signed::to_text;

/// A public key whose private half the vectors are signed with.
pub const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFDMpzOeGjkFpJ1mc9lo0884v/aVa
fspp7YkZo5TULw9g9/GngNing7+3ot1rJ5boEo27zvnT0WjblSmXGjbnuQ==
-----END PUBLIC KEY-----
";

/// The secret that [`token`] signs with; `@` is its byte.
pub const HMAC_SECRET: &[u8] = &[b'@'; 32];

thread_local! {
    static COMPUTED: Cell<Computed> = const { Cell::new(Computed { hmac: 0, es256: 0 }) };
}

/// How many signatures this thread computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed {
    /// With HMAC-SHA-256.
    pub hmac: u32,
    /// With ES256.
    pub es256: u32,
}

pub(super) fn count_computation(algorithm: Algorithm) {
    let mut computed = COMPUTED.get();
    match algorithm {
        Algorithm::Hs256 => computed.hmac += 1,
        Algorithm::Es256 => computed.es256 += 1,
    }
    COMPUTED.set(computed);
}

/// What `work` gives, and what it computed.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Computed) {
    COMPUTED.set(Computed { hmac: 0, es256: 0 });
    let value = work();
    (value, COMPUTED.get())
}

/// The key `new`: [`HMAC_SECRET`].
pub fn hmac_keys() -> Keys {
    keys(b"new", HMAC_SECRET)
}

fn keys(kid: &[u8], secret: &[u8]) -> Keys {
    Keys::new(vec![Key::hmac(kid, secret).unwrap()]).unwrap()
}

/// A token of these claims, encoded, as this edge would sign it.
pub fn token(claims: &[u8]) -> String {
    signed(&hmac_keys(), claims)
}

fn signed(keys: &Keys, claims: &[u8]) -> String {
    let (kid, keyed) = keys.renewing().unwrap();
    let sealed = seal(kid, claims, |message| {
        let keyed = keyed.chain_update(message);
        keyed.finalize().into_bytes().into()
    });
    to_text(&sealed)
}

/// A token to be written claim by claim.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    count: u64,
    entries: Vec<u8>,
}

impl Claims {
    /// `sub`
    pub fn of(subject: &str) -> Self {
        Self::default().claim(2, &written(|encoder| encoder.str(subject).map(drop)))
    }

    /// `cti`
    pub fn id(self, id: &str) -> Self {
        self.claim(
            7,
            &written(|encoder| encoder.bytes(id.as_bytes()).map(drop)),
        )
    }

    /// `exp`
    pub fn until(self, expires_at: Moment) -> Self {
        self.claim(4, &seconds(expires_at))
    }

    /// `nbf`
    pub fn from(self, valid_from: Moment) -> Self {
        self.claim(5, &seconds(valid_from))
    }

    /// Any claim, its value encoded.
    pub fn claim(mut self, label: u16, value: &[u8]) -> Self {
        self.count += 1;
        self.entries
            .extend(written(|encoder| encoder.u16(label).map(drop)));
        self.entries.extend_from_slice(value);
        self
    }

    /// Signed with the key `new`, as text.
    pub fn sign(&self) -> String {
        token(&self.encoded())
    }

    /// Signed with another.
    pub fn sign_with(&self, kid: &str, secret: &[u8]) -> String {
        signed(&keys(kid.as_bytes(), secret), &self.encoded())
    }

    fn encoded(&self) -> Vec<u8> {
        let count = written(|encoder| encoder.map(self.count).map(drop));
        [count, self.entries.clone()].concat()
    }
}

fn seconds(moment: Moment) -> Vec<u8> {
    written(|encoder| encoder.u64(moment.as_ms() / 1000).map(drop))
}
