//! Path tokens: `/~<token>/vod/…`, the carrier that works with every player,
//! because relative URLs inherit it (contract, section 4).
//!
//! Layout, then base64url without padding: version `1` (1 byte) · key tag (2) ·
//! moment of expiry (6) · stream key (16) · subject key (16) · application id
//! (UTF-8, the rest) · MAC over all before it (16).

use super::keyring::{KeyRing, Purpose, Signature};
use super::{from_text, to_text};
use crate::mac::MAC_LEN;
use crate::moment::Moment;
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;

const VERSION: u8 = 1;

/// Says who plays: which stream of which subject, started by which application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathToken {
    /// The subject.
    pub subject: SubjectKey,
    /// The stream.
    pub stream: StreamKey,
    /// The application that started the stream.
    pub application: String,
    /// From this moment on the token is worth nothing.
    pub expires_at: Moment,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not of the form, or signed by no key in force. The two are not told apart,
    /// so that an answer teaches nothing about the form.
    Invalid,
    /// Genuine, but past its time.
    Expired,
}

impl PathToken {
    /// The token as text, signed with the ring's first key.
    #[must_use]
    pub fn issue(&self, ring: &KeyRing) -> String {
        let content = [
            &self.expires_at.to_bytes()[..],
            self.stream.as_bytes(),
            self.subject.as_bytes(),
            self.application.as_bytes(),
        ];
        let signature = ring.sign(Purpose::PathToken, &content);
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&signature.tag);
        bytes.extend(content.iter().copied().flatten());
        bytes.extend_from_slice(&signature.mac);
        to_text(&bytes)
    }

    /// Reads and checks a token.
    ///
    /// # Errors
    ///
    /// [`TokenError::Invalid`] for everything this ring's keys did not sign,
    /// [`TokenError::Expired`] once `now` has reached its expiry.
    pub fn read(ring: &KeyRing, text: &[u8], now: Moment) -> Result<Self, TokenError> {
        use TokenError::Invalid;

        let bytes = from_text(text).ok_or(Invalid)?;
        let (&[VERSION, tag0, tag1], signed) = bytes.split_first_chunk().ok_or(Invalid)? else {
            return Err(Invalid);
        };
        let (content, mac) = signed.split_last_chunk::<MAC_LEN>().ok_or(Invalid)?;
        let signature = Signature {
            tag: [tag0, tag1],
            mac: *mac,
        };
        if !ring.verify(Purpose::PathToken, &[content], &signature) {
            return Err(Invalid);
        }
        let (expires_at, rest) = content.split_first_chunk().ok_or(Invalid)?;
        let (stream, rest) = rest.split_first_chunk().ok_or(Invalid)?;
        let (subject, application) = rest.split_first_chunk().ok_or(Invalid)?;
        let token = Self {
            subject: SubjectKey::from_bytes(*subject),
            stream: StreamKey::from_bytes(*stream),
            application: core::str::from_utf8(application)
                .map_err(|_| Invalid)?
                .to_owned(),
            expires_at: Moment::from_bytes(*expires_at),
        };
        if now >= token.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signed::SigningKey;
    use crate::testing::test;

    const NOW: Moment = Moment::from_ms(1_700_000_000_000);

    fn ring() -> KeyRing {
        KeyRing::new(SigningKey::new("k1", b"secret"), vec![])
    }

    fn token() -> PathToken {
        PathToken {
            subject: SubjectKey::from_bytes([1; 16]),
            stream: StreamKey::mint(NOW, [2; 10]),
            application: "demo-web".to_owned(),
            expires_at: NOW.plus_ms(1000),
        }
    }

    #[test]
    fn reading_inverts_issuing_until_the_moment_of_expiry() {
        let text = token().issue(&ring());
        assert_eq!(
            PathToken::read(&ring(), text.as_bytes(), NOW.plus_ms(999)),
            Ok(token())
        );
        assert_eq!(
            PathToken::read(&ring(), text.as_bytes(), NOW.plus_ms(1000)),
            Err(TokenError::Expired)
        );
    }

    #[test]
    fn no_changed_shortened_or_foreign_token_passes() {
        let text = token().issue(&ring()).into_bytes();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            for bad in [&changed[..], &text[..at]] {
                assert_eq!(PathToken::read(&ring(), bad, NOW), Err(TokenError::Invalid));
            }
        }
        let others = KeyRing::new(SigningKey::new("k1", b"other"), vec![]);
        assert_eq!(
            PathToken::read(&others, &text, NOW),
            Err(TokenError::Invalid)
        );
        for bad in [&b""[..], b"\xff\xfe", b"====", &[b'A'; 60_000]] {
            assert_eq!(PathToken::read(&ring(), bad, NOW), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn a_session_id_is_no_token() {
        let id = crate::signed::issue_session_id(
            &ring(),
            &SubjectKey::from_bytes([1; 16]),
            &StreamKey::mint(NOW, [2; 10]),
        );
        assert_eq!(
            PathToken::read(&ring(), id.as_bytes(), NOW),
            Err(TokenError::Invalid)
        );
    }
}
