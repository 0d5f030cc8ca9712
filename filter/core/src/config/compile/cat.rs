//! Common Access Tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::Cat;
use super::super::limits::LEEWAY_MS;
use super::super::raw::{RawCat, RawCatKey, RawEncoding};
use super::check::{Check, quoted};
use crate::cat::{Demands, KEYS_MAX, Key, KeyError, Keys, SECRET_MIN};

impl Check<'_> {
    /// `None` after a problem.
    pub(super) fn cat(&mut self, raw: &RawCat) -> Option<Cat> {
        let mut keys = Vec::with_capacity(raw.keys.len());
        for (at, key) in raw.keys.iter().enumerate() {
            keys.extend(self.cat_key(&format!("cat.keys[{at}]"), key));
        }
        let keys = match Keys::new(keys) {
            Ok(keys) => Some(keys),
            Err(error) => {
                // A key that is wrong has been told already.
                if raw.keys.is_empty() || error == KeyError::TooMany {
                    let found = format!("{} keys", raw.keys.len());
                    self.wrong("cat.keys", found, format!("1 to {KEYS_MAX} keys"));
                }
                None
            }
        };
        for (at, issuer) in raw.issuers.iter().enumerate() {
            self.name(&format!("cat.issuers[{at}]"), issuer);
        }
        if let Some(audience) = &raw.audience {
            self.name("cat.audience", audience);
        }
        let leeway_ms = self.duration("cat.leeway", &raw.leeway, LEEWAY_MS);
        self.word("cat.query", &raw.query, "a parameter's name");
        self.word("cat.cookie", &raw.cookie, "a cookie's name");
        let header = self.header("cat.header", &raw.header);
        Some(Cat {
            keys: keys?,
            demands: Demands {
                issuers: raw.issuers.clone(),
                audience: raw.audience.clone(),
                leeway_ms: leeway_ms?,
            },
            header,
            cookie: raw.cookie.clone(),
            query: raw.query.clone(),
        })
    }

    fn cat_key(&mut self, path: &str, raw: &RawCatKey) -> Option<Key> {
        let kid = raw.id.as_bytes();
        let (at, key) = match (&raw.secret, &raw.public_key) {
            (Some(secret), None) => {
                let path = format!("{path}.secret");
                let text = self.secret(&path, secret);
                let bytes = match raw.encoding {
                    RawEncoding::Text => Some(text.into_bytes()),
                    RawEncoding::Hex => from_hex(&text),
                    RawEncoding::Base64 => STANDARD.decode(text).ok(),
                };
                let Some(bytes) = bytes else {
                    self.wrong(&path, "another text", "what `encoding` says");
                    return None;
                };
                (path, Key::hmac(kid, &bytes))
            }
            (None, Some(public)) => (
                format!("{path}.public_key"),
                Key::es256(kid, public.as_bytes()),
            ),
            (Some(_), Some(_)) | (None, None) => {
                self.wrong(path, "both or neither", "either `secret` or `public_key`");
                return None;
            }
        };
        let (found, allowed) = match key {
            Ok(key) => return Some(key),
            Err(KeyError::ShortSecret) => (
                "a shorter secret".to_owned(),
                format!("{SECRET_MIN} bytes or more"),
            ),
            Err(KeyError::PublicSecret) => (
                "a public key".to_owned(),
                "a secret; `public_key` is for public keys".to_owned(),
            ),
            Err(KeyError::NotP256 | KeyError::NoKey | KeyError::TooMany) => (
                quoted(raw.public_key.as_deref().unwrap_or_default()),
                "a P-256 public key in PEM".to_owned(),
            ),
        };
        self.wrong(&at, found, allowed);
        None
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some((digit(high)? << 4) | digit(low)?);
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}
