//! Playback tokens: what says who plays, in `/~<token>/vod/…`, a query, a cookie or a
//! header. In the path it works with every player, because relative URLs inherit it
//! (contract, section 4).
//!
//! Layout, then base64url without padding: version `3` (1 byte) · key tag (2) ·
//! moment of expiry (6) · stream key (16) · subject key (16) · scope · application
//! id · attributes · limits · MAC over all after the tag (16). Texts have their length
//! in front, lists their number of entries, both in LEB128.

use streamgate_values::attributes::Attributes;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::limits::Limits;
use streamgate_values::mac::{MAC_LEN, Mac};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::keyring::{KeyRing, Purpose, Signature};
use super::{from_text, to_text};

const VERSION: u8 = 3;

/// The longest token that is looked at, in bytes of text: far above any that is issued.
const TEXT_MAX: usize = 8_192;

/// Says who plays: which stream of which subject, started by which application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybackToken {
    /// The subject.
    pub subject: SubjectKey,
    /// The stream.
    pub stream: StreamKey,
    /// The application that started the stream.
    pub application: String,
    /// What paths have to begin with for it to be good there. Empty: any path.
    pub scope: String,
    /// What the request it was issued for said about the stream.
    pub attributes: Attributes,
    /// The account's own limits, as its credential said them.
    pub limits: Limits,
    /// From this moment on the token is worth nothing.
    pub expires_at: Moment,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not of the form, or signed by no key in force. The two are not told apart,
    /// neither by the answer nor by the time it takes.
    Invalid,
    /// Genuine, but past its time.
    Expired,
}

impl PlaybackToken {
    /// The token as text, signed with the ring's first key.
    #[must_use]
    pub fn issue(&self, ring: &KeyRing) -> String {
        let mut content = Vec::new();
        content.put_moment(self.expires_at);
        content.put(self.stream.as_bytes());
        content.put(self.subject.as_bytes());
        content.put_text(&self.scope);
        content.put_text(&self.application);
        content.put_number(self.attributes.len());
        for (name, value) in self.attributes.iter() {
            content.put_text(name);
            content.put_text(value);
        }
        content.put_number(self.limits.len());
        for (claim, limit) in self.limits.iter() {
            content.put_text(claim);
            content.put(&limit.to_be_bytes());
        }
        let signature = ring.sign(Purpose::PlaybackToken, &[&content]);
        let mut bytes = vec![VERSION];
        bytes.put(&signature.tag);
        bytes.put(&content);
        bytes.put(&signature.mac.0);
        to_text(&bytes)
    }

    /// Reads and checks a token.
    ///
    /// # Errors
    ///
    /// [`TokenError::Invalid`] for everything this ring's keys did not sign,
    /// [`TokenError::Expired`] once `now` has reached its expiry.
    pub fn read(ring: &KeyRing, text: &[u8], now: Moment) -> Result<Self, TokenError> {
        // What cannot be a token is checked like one: a refusal takes as long whatever
        // was wrong.
        let bytes = (text.len() <= TEXT_MAX).then(|| from_text(text)).flatten();
        let parts = bytes.as_deref().and_then(parts);
        let (content, signature) = parts.unwrap_or((&[], NO_SIGNATURE));
        let genuine = ring.verify(Purpose::PlaybackToken, &[content], &signature);
        if !genuine || parts.is_none() {
            return Err(TokenError::Invalid);
        }
        let token = decoded(content).ok_or(TokenError::Invalid)?;
        if now >= token.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }
}

/// What is checked where there is nothing to check.
const NO_SIGNATURE: Signature = Signature {
    tag: [0; 2],
    mac: Mac([0; MAC_LEN]),
};

/// Content and signature.
fn parts(bytes: &[u8]) -> Option<(&[u8], Signature)> {
    let (&[VERSION, tag0, tag1], signed) = bytes.split_first_chunk()? else {
        return None;
    };
    let (content, mac) = signed.split_last_chunk::<MAC_LEN>()?;
    let tag = [tag0, tag1];
    let mac = Mac(*mac);
    Some((content, Signature { tag, mac }))
}

fn decoded(content: &[u8]) -> Option<PlaybackToken> {
    let mut reader = Reader::new(content);
    let expires_at = reader.moment()?;
    let stream = StreamKey::from_bytes(reader.array()?);
    let subject = SubjectKey::from_bytes(reader.array()?);
    let scope = reader.text()?.to_owned();
    let application = reader.text()?.to_owned();
    let mut attributes = Attributes::default();
    for _ in 0..reader.number()? {
        attributes.set(reader.text()?, reader.text()?);
    }
    let mut limits = Limits::default();
    for _ in 0..reader.number()? {
        limits.set(reader.text()?, u32::from_be_bytes(reader.array()?));
    }
    reader.is_empty().then_some(PlaybackToken {
        subject,
        stream,
        application,
        scope,
        attributes,
        limits,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use streamgate_values::mac::count::counted;

    use super::*;
    use crate::signed::SigningKey;
    use crate::testing::test;

    const NOW: Moment = Moment::from_ms(1_700_000_000_000);

    fn ring() -> KeyRing {
        KeyRing::new(SigningKey::new("k1", b"secret"), vec![])
    }

    #[test]
    fn a_token_of_another_version_is_refused_at_the_cost_of_a_forged_one() {
        let text = token().issue(&ring());
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            let mut bytes = from_text(text.as_bytes()).unwrap();
            bytes[0] = version;
            let other = to_text(&bytes);
            let read = || PlaybackToken::read(&ring(), other.as_bytes(), NOW);
            assert_eq!(read(), Err(TokenError::Invalid), "{version}");
            assert_eq!(counted(|| drop(read())), 1, "{version}");
        }
    }

    fn token() -> PlaybackToken {
        let mut attributes = Attributes::default();
        attributes.set("deviceId", "tv-1");
        let mut limits = Limits::default();
        limits.set("climit", 5);
        PlaybackToken {
            subject: SubjectKey::from_bytes([1; 16]),
            stream: StreamKey::mint(NOW, [2; 10]),
            application: "demo-web".to_owned(),
            scope: "/vod/".to_owned(),
            attributes,
            limits,
            expires_at: NOW.plus_ms(1000),
        }
    }

    #[test]
    fn reading_inverts_issuing_until_the_moment_of_expiry() {
        let text = token().issue(&ring());
        assert_eq!(
            PlaybackToken::read(&ring(), text.as_bytes(), NOW.plus_ms(999)),
            Ok(token())
        );
        assert_eq!(
            PlaybackToken::read(&ring(), text.as_bytes(), NOW.plus_ms(1000)),
            Err(TokenError::Expired)
        );
    }

    /// Whatever is wrong with each of these.
    fn bad_tokens() -> Vec<Vec<u8>> {
        let text = token().issue(&ring()).into_bytes();
        let mut bad = vec![
            b"".to_vec(),
            b"\xff\xfe".to_vec(),
            b"====".to_vec(),
            vec![b'A'; 60_000],
        ];
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            bad.extend([changed, text[..at].to_vec()]);
        }
        let others = KeyRing::new(SigningKey::new("k1", b"other"), vec![]);
        bad.push(token().issue(&others).into_bytes());
        let unknown = KeyRing::new(SigningKey::new("k9", b"secret"), vec![]);
        bad.push(token().issue(&unknown).into_bytes());
        bad
    }

    #[test]
    fn no_changed_shortened_or_foreign_token_passes() {
        for bad in bad_tokens() {
            let read = PlaybackToken::read(&ring(), &bad, NOW);
            assert_eq!(read, Err(TokenError::Invalid));
        }
    }

    #[test]
    fn no_flipped_bit_passes() {
        let bytes = from_text(token().issue(&ring()).as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = PlaybackToken::read(&ring(), to_text(&flipped).as_bytes(), NOW);
            assert_eq!(read, Err(TokenError::Invalid), "bit {bit}");
        }
    }

    #[test]
    fn every_token_costs_one_mac_whatever_is_wrong_with_it() {
        let good = token().issue(&ring()).into_bytes();
        for text in bad_tokens().into_iter().chain([good]) {
            let macs = counted(|| drop(PlaybackToken::read(&ring(), &text, NOW)));
            assert_eq!(macs, 1, "{}", String::from_utf8_lossy(&text));
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
            PlaybackToken::read(&ring(), id.as_bytes(), NOW),
            Err(TokenError::Invalid)
        );
    }
}
