//! Session ids: the last part of a session's URL.
//!
//! Layout, then base64url without padding (47 characters): version `2` (1 byte) ·
//! key tag (2) · stream key (16) · MAC over stream key and subject key (16). The
//! stream key begins with the moment of issue, so an id also says how old it is.

use streamgate_values::mac::{MAC_LEN, Mac};
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::keyring::{KeyRing, Purpose, Signature};
use super::{from_text, to_text};

const VERSION: u8 = 2;

/// This service never issued the id, or not for this subject (404).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownSession;

/// The session id of `stream`, good for `subject` only.
#[must_use]
pub fn issue_session_id(ring: &KeyRing, subject: &SubjectKey, stream: &StreamKey) -> String {
    let signature = ring.sign(Purpose::SessionId, &[stream.as_bytes(), subject.as_bytes()]);
    let mut bytes = Vec::with_capacity(3 + 16 + MAC_LEN);
    bytes.push(VERSION);
    bytes.extend_from_slice(&signature.tag);
    bytes.extend_from_slice(stream.as_bytes());
    bytes.extend_from_slice(&signature.mac.0);
    to_text(&bytes)
}

/// The stream that a session id names.
///
/// # Errors
///
/// [`UnknownSession`] if no key in the ring signed the id for this subject.
pub fn read_session_id(
    ring: &KeyRing,
    subject: &SubjectKey,
    text: &str,
) -> Result<StreamKey, UnknownSession> {
    let bytes = from_text(text.as_bytes()).ok_or(UnknownSession)?;
    let (&[VERSION, tag0, tag1], rest) = bytes.split_first_chunk().ok_or(UnknownSession)? else {
        return Err(UnknownSession);
    };
    let (stream, mac) = rest.split_first_chunk::<16>().ok_or(UnknownSession)?;
    let signature = Signature {
        tag: [tag0, tag1],
        mac: Mac(mac.try_into().map_err(|_| UnknownSession)?),
    };
    if ring.verify(
        Purpose::SessionId,
        &[stream, subject.as_bytes()],
        &signature,
    ) {
        Ok(StreamKey::from_bytes(*stream))
    } else {
        Err(UnknownSession)
    }
}

#[cfg(test)]
mod tests {
    use streamgate_values::moment::Moment;

    use super::*;
    use crate::signed::SigningKey;
    use crate::testing::test;

    #[test]
    fn only_the_edge_and_only_for_this_subject() {
        let ring = KeyRing::new(SigningKey::new("k1", b"secret"), vec![]);
        let alice = SubjectKey::from_bytes([1; 16]);
        let bob = SubjectKey::from_bytes([2; 16]);
        let stream = StreamKey::mint(Moment::from_ms(1_700_000_000_000), [9; 10]);
        let id = issue_session_id(&ring, &alice, &stream);
        assert_eq!(id.len(), 47);
        assert_eq!(read_session_id(&ring, &alice, &id), Ok(stream));
        assert_eq!(read_session_id(&ring, &bob, &id), Err(UnknownSession));
        let others = KeyRing::new(SigningKey::new("k1", b"other"), vec![]);
        assert_eq!(read_session_id(&others, &alice, &id), Err(UnknownSession));
    }

    #[test]
    fn an_id_of_another_version_is_unknown() {
        let ring = KeyRing::new(SigningKey::new("k1", b"secret"), vec![]);
        let alice = SubjectKey::from_bytes([1; 16]);
        let id = issue_session_id(&ring, &alice, &StreamKey::external([9; 16]));
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            let mut bytes = from_text(id.as_bytes()).unwrap();
            bytes[0] = version;
            let other = to_text(&bytes);
            assert_eq!(read_session_id(&ring, &alice, &other), Err(UnknownSession));
        }
    }

    #[test]
    fn no_changed_shortened_or_invented_id_passes() {
        let ring = KeyRing::new(SigningKey::new("k1", b"secret"), vec![]);
        let alice = SubjectKey::from_bytes([1; 16]);
        let id = issue_session_id(&ring, &alice, &StreamKey::external([9; 16]));
        for at in 0..id.len() {
            let mut changed = id.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                read_session_id(&ring, &alice, &changed),
                Err(UnknownSession)
            );
            assert_eq!(
                read_session_id(&ring, &alice, &id[..at]),
                Err(UnknownSession)
            );
        }
        for made_up in [
            "",
            "x",
            "nonsense",
            "../../etc/passwd",
            "ü",
            &"A".repeat(60_000),
        ] {
            assert_eq!(read_session_id(&ring, &alice, made_up), Err(UnknownSession));
        }
    }
}
