//! Common Access Tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use streamgate_tokens::cat::{Demands, KEYS_MAX, Key, KeyError, Keys, SECRET_MIN, TRIES_MAX};

use super::super::Cat;
use super::super::limits::LEEWAY_MS;
use super::super::raw::{RawCat, RawCatKey, RawEncoding};
use super::check::{Check, field, item, quoted};

impl Check<'_> {
    /// `None` after a problem.
    pub(super) fn cat(&mut self, raw: &RawCat) -> Option<Cat> {
        let mut keys = Vec::with_capacity(raw.keys.len());
        for (at, key) in raw.keys.iter().enumerate() {
            keys.extend(self.cat_key(&item("cat.keys", at), key));
        }
        let count = raw.keys.len();
        if !(1..=KEYS_MAX).contains(&count) {
            let found = format!("{count} keys");
            self.wrong("cat.keys", found, format!("1 to {KEYS_MAX} keys"));
        }
        // Too many are told as such.
        let looked_at = if raw.keys.len() > KEYS_MAX {
            0
        } else {
            KEYS_MAX
        };
        for (at, key) in raw.keys.iter().enumerate().take(looked_at) {
            let alike = |other: &&RawCatKey| {
                other.id == key.id && other.secret.is_some() == key.secret.is_some()
            };
            if raw.keys.iter().take(at).filter(alike).count() == TRIES_MAX {
                self.wrong(
                    &field(&item("cat.keys", at), "id"),
                    quoted(&key.id),
                    format!("at most {TRIES_MAX} keys of one id and kind"),
                );
            }
        }
        for (at, issuer) in raw.issuers.iter().enumerate() {
            self.name(&item("cat.issuers", at), issuer);
        }
        if let Some(audience) = &raw.audience {
            self.name("cat.audience", audience);
        }
        let leeway_ms = self.duration("cat.leeway", &raw.leeway, LEEWAY_MS);
        self.word("cat.query", &raw.query, "a parameter's name");
        self.word("cat.cookie", &raw.cookie, "a cookie's name");
        let header = self.header("cat.header", &raw.header);
        Some(Cat {
            keys: Keys::new(keys).ok()?,
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

    /// `None` after a problem, which never shows a key: a secret may stand in the wrong
    /// field.
    fn cat_key(&mut self, path: &str, raw: &RawCatKey) -> Option<Key> {
        self.name(&field(path, "id"), &raw.id);
        let kid = raw.id.as_bytes();
        match (&raw.secret, &raw.public_key) {
            (Some(secret), None) => {
                let (path, text) = self.secret_text(&field(path, "secret"), secret)?;
                let (bytes, written) = match raw.encoding {
                    RawEncoding::Text => (Some(text.into_bytes()), ""),
                    RawEncoding::Hex => (from_hex(&text), "pairs of hexadecimal digits"),
                    RawEncoding::Base64 => (STANDARD.decode(text).ok(), "padded base64"),
                };
                let Some(bytes) = bytes else {
                    let allowed = format!("{written}, as `encoding` says");
                    self.wrong(&path, "another text", allowed);
                    return None;
                };
                self.long_enough(&path, &bytes, SECRET_MIN);
                let key = Key::hmac(kid, &bytes);
                if key.as_ref().err() == Some(&KeyError::PublicSecret) {
                    let allowed = "a secret; a public key stands under `public_key`";
                    self.wrong(&path, "a public key", allowed);
                }
                key.ok()
            }
            (None, Some(public)) => {
                let key = Key::es256(kid, public.as_bytes());
                if key.is_err() {
                    self.wrong(
                        &field(path, "public_key"),
                        format!("a text of {} bytes", public.len()),
                        "a P-256 public key in PEM",
                    );
                }
                key.ok()
            }
            (secret, _) => {
                let both_or_neither = if secret.is_some() { "both" } else { "neither" };
                let found = format!("{both_or_neither} of them");
                self.wrong(path, found, "either `secret` or `public_key`");
                None
            }
        }
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
