//! What a path at the door names.

use streamgate_values::subject::{SubjectHasher, SubjectKey};
use streamgate_values::text::{percent_decoded, split_once};

/// The longest idp or account in bytes, decoded.
const SEGMENT_MAX: usize = 256;

/// What a path names, and how it appears in logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DoorPath {
    /// The door itself, without the slash.
    Door,
    /// The page.
    Page,
    Summary,
    Accounts,
    Account(SubjectKey),
    Stream(SubjectKey, String),
    Exception(SubjectKey),
    Decisions,
    Levels,
}

/// A path at the door that names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoDoorPath {
    Unknown,
    Malformed,
}

impl DoorPath {
    /// Reads a path after the door's prefix, without its query.
    ///
    /// # Errors
    ///
    /// [`NoDoorPath`] for one that names nothing.
    pub(super) fn read(path: &[u8], hasher: &SubjectHasher) -> Result<Self, NoDoorPath> {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').skip(1).collect();
        let text = |part: &[u8]| match percent_decoded(part) {
            Ok(text) if (1..=SEGMENT_MAX).contains(&text.len()) => Ok(text),
            _ => Err(NoDoorPath::Malformed),
        };
        let named = |idp: &[u8], subject: &[u8]| Ok(hasher.subject(&text(idp)?, &text(subject)?));
        match parts.as_slice() {
            [] => Ok(Self::Door),
            [b""] => Ok(Self::Page),
            [b"v1", b"summary"] => Ok(Self::Summary),
            [b"v1", b"decisions"] => Ok(Self::Decisions),
            [b"v1", b"levels"] => Ok(Self::Levels),
            [b"v1", b"accounts"] => Ok(Self::Accounts),
            [b"v1", b"accounts", idp, subject] => Ok(Self::Account(named(idp, subject)?)),
            [b"v1", b"accounts", idp, subject, b"exception"] => {
                Ok(Self::Exception(named(idp, subject)?))
            }
            [b"v1", b"accounts", idp, subject, b"streams", code] => {
                Ok(Self::Stream(named(idp, subject)?, code_in(code)?))
            }
            [b"v1", b"hashes", hash] => Ok(Self::Account(hash_in(hash)?)),
            [b"v1", b"hashes", hash, b"exception"] => Ok(Self::Exception(hash_in(hash)?)),
            [b"v1", b"hashes", hash, b"streams", code] => {
                Ok(Self::Stream(hash_in(hash)?, code_in(code)?))
            }
            _ => Err(NoDoorPath::Unknown),
        }
    }

    /// The methods it answers to, as an `Allow` header lists them.
    pub(super) const fn allows(&self) -> &'static str {
        match self {
            Self::Door | Self::Page => "GET, HEAD",
            Self::Summary | Self::Accounts | Self::Decisions | Self::Levels => "GET",
            Self::Account(_) => "GET, DELETE",
            Self::Stream(..) => "DELETE",
            Self::Exception(_) => "PUT, DELETE",
        }
    }

    /// How it appears in logs: nothing of what it names.
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Self::Door => "",
            Self::Page => "/",
            Self::Summary => "/v1/summary",
            Self::Accounts => "/v1/accounts",
            Self::Account(_) => "/v1/accounts/{idp}/{subject}",
            Self::Stream(..) => "/v1/accounts/{idp}/{subject}/streams/{code}",
            Self::Exception(_) => "/v1/accounts/{idp}/{subject}/exception",
            Self::Decisions => "/v1/decisions",
            Self::Levels => "/v1/levels",
        }
    }
}

/// A termination code: eight hexadecimal digits.
fn code_in(part: &[u8]) -> Result<String, NoDoorPath> {
    match core::str::from_utf8(part) {
        Ok(code) if code.len() == 8 && part.iter().all(u8::is_ascii_hexdigit) => {
            Ok(code.to_ascii_lowercase())
        }
        _ => Err(NoDoorPath::Malformed),
    }
}

/// An account as logs show it: 32 hexadecimal digits.
fn hash_in(part: &[u8]) -> Result<SubjectKey, NoDoorPath> {
    let text = core::str::from_utf8(part).ok();
    let text = text.filter(|text| text.len() == 32 && part.iter().all(u8::is_ascii_hexdigit));
    let hash = text.and_then(|text| u128::from_str_radix(text, 16).ok());
    let hash = hash.ok_or(NoDoorPath::Malformed)?;
    Ok(SubjectKey::from_bytes(hash.to_be_bytes()))
}

/// A number in a query; `None` where it does not stand there or is none.
pub(super) fn number_in(query: &[u8], name: &[u8]) -> Option<u64> {
    let mut pairs = query.split(|byte| *byte == b'&');
    let value = pairs.find_map(|pair| {
        let (known, value) = split_once(pair, b'=')?;
        (known == name).then_some(value)
    })?;
    core::str::from_utf8(value).ok()?.parse().ok()
}

/// Which page is asked for, from 1 on.
pub(super) fn page_in(query: &[u8]) -> usize {
    let page = number_in(query, b"page").unwrap_or(1).max(1);
    usize::try_from(page).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn paths_name_what_the_page_says_and_nothing_else() {
        let hasher = SubjectHasher::new(b"a subject key of some length");
        let read = |path: &[u8]| DoorPath::read(path, &hasher);
        let alice = hasher.subject("acme", "a/lice");
        assert_eq!(
            read(b"/v1/accounts/acme/a%2Flice"),
            Ok(DoorPath::Account(alice))
        );
        assert_eq!(
            read(format!("/v1/hashes/{alice}").as_bytes()),
            Ok(DoorPath::Account(alice))
        );
        assert_eq!(
            read(b"/v1/accounts/acme/a%2Flice/streams/51FD351F"),
            Ok(DoorPath::Stream(alice, "51fd351f".to_owned()))
        );
        assert_eq!(read(b""), Ok(DoorPath::Door));
        assert_eq!(read(b"/"), Ok(DoorPath::Page));
        let long = [b"/v1/accounts/acme/".as_slice(), &[b'x'; 60_000]].concat();
        let cases: [(&[u8], NoDoorPath); 10] = [
            (b"/v1", NoDoorPath::Unknown),
            (b"/v1/", NoDoorPath::Unknown),
            (b"/V1/summary", NoDoorPath::Unknown),
            (b"//v1/summary", NoDoorPath::Unknown),
            (b"/v1/accounts/acme", NoDoorPath::Unknown),
            (b"/v1/accounts/acme/", NoDoorPath::Malformed),
            (b"/v1/accounts/acme/\xff", NoDoorPath::Malformed),
            (
                b"/v1/accounts/acme/alice/streams/51fd351",
                NoDoorPath::Malformed,
            ),
            (
                b"/v1/hashes/+fffffffffffffffffffffffffffffff",
                NoDoorPath::Malformed,
            ),
            (&long, NoDoorPath::Malformed),
        ];
        for (path, expected) in cases {
            assert_eq!(read(path), Err(expected), "{}", path.escape_ascii());
        }
    }

    #[test]
    fn a_number_is_one_or_none() {
        assert_eq!(number_in(b"x=1&after=17", b"after"), Some(17));
        for none in [
            &b""[..],
            b"after",
            b"after=",
            b"after=-1",
            b"after=\xff",
            b"Xafter=1",
        ] {
            assert_eq!(number_in(none, b"after"), None);
        }
    }
}
