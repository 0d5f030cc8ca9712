//! What tokens do, held against tokens that other implementations minted, against
//! damage, and against the clock of whoever watches how long a refusal takes.

mod cost;
mod damage;
mod renewal;
mod vectors;

use std::cell::Cell;

use super::envelope::{Algorithm, seal};
use super::{Access, Asked, CatError, Demands, Key, Keys, read};
use crate::signed::to_text;
use crate::testing::{Headers, NOW};

/// A public key whose private half the vectors are signed with.
pub(super) const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFDMpzOeGjkFpJ1mc9lo0884v/aVa
fspp7YkZo5TULw9g9/GngNing7+3ot1rJ5boEo27zvnT0WjblSmXGjbnuQ==
-----END PUBLIC KEY-----
";

pub(super) const HMAC_SECRET: &[u8] = &[0x40; 32];

thread_local! {
    static COMPUTED: Cell<Computed> = const { Cell::new(Computed { hmac: 0, es256: 0 }) };
}

/// How many signatures this thread computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Computed {
    hmac: u32,
    es256: u32,
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
fn counted<T>(work: impl FnOnce() -> T) -> (T, Computed) {
    COMPUTED.set(Computed { hmac: 0, es256: 0 });
    let value = work();
    (value, COMPUTED.get())
}

fn asked(head: &Headers) -> Asked<'_> {
    Asked {
        method: b"GET",
        scheme: b"https",
        host: b"cdn.example.com",
        path: b"/vod/alice/film.m3u8",
        address: None,
        alpn: None,
        head,
    }
}

/// Reads a token that is asked for nothing unusual, now.
fn read_plainly(keys: &Keys, token: &[u8]) -> Result<Access, CatError> {
    let (head, demands) = (Headers::default(), Demands::default());
    read(keys, &demands, token, &asked(&head), NOW)
}

fn hmac_keys() -> Keys {
    Keys::new(vec![Key::hmac(b"new", HMAC_SECRET).unwrap()]).unwrap()
}

/// A token of these claims, encoded, as this edge would sign it.
fn token(claims: &[u8]) -> String {
    let (keys, mut mac) = (hmac_keys(), None);
    let (kid, keyed) = keys.renewing().unwrap();
    let sealed = seal(kid, claims, |message| {
        use hmac::Mac;
        let keyed = mac.insert(keyed).clone().chain_update(message);
        keyed.finalize().into_bytes().into()
    });
    to_text(&sealed)
}
