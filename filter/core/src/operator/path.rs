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

/// What is wrong with a parameter, for a person.
type Wrong = &'static str;

/// After which decision more are asked for.
///
/// # Errors
///
/// [`Wrong`] where it is no whole number.
pub(super) fn after_in(query: &[u8]) -> Result<Option<u64>, Wrong> {
    number_in(query, "after", "`after` is a whole number, once")
}

/// Which page is asked for, from 1 on.
///
/// # Errors
///
/// [`Wrong`] where it is none.
pub(super) fn page_in(query: &[u8]) -> Result<usize, Wrong> {
    const WRONG: Wrong = "`page` is a whole number from 1 on, once";
    match number_in(query, "page", WRONG)? {
        Some(0) => Err(WRONG),
        page => Ok(usize::try_from(page.unwrap_or(1)).unwrap_or(usize::MAX)),
    }
}

/// Looks whether the order asked for is the one there is.
///
/// # Errors
///
/// [`Wrong`] where it is another.
pub(super) fn order_in(query: &[u8]) -> Result<(), Wrong> {
    const WRONG: Wrong = "`order` is `streams`, once";
    match value_in(query, "order", WRONG)?.as_deref() {
        None | Some("streams") => Ok(()),
        Some(_) => Err(WRONG),
    }
}

/// A whole number in a query; the largest for those beyond it.
fn number_in(query: &[u8], name: &str, wrong: Wrong) -> Result<Option<u64>, Wrong> {
    let Some(digits) = value_in(query, name, wrong)? else {
        return Ok(None);
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().unwrap_or(u64::MAX);
    is_number.then_some(Some(number)).ok_or(wrong)
}

/// What a query says of `name`, which nobody encodes, decoded; `None` where it does not stand there.
fn value_in(query: &[u8], name: &str, wrong: Wrong) -> Result<Option<String>, Wrong> {
    let mut found = None;
    for pair in query.split(|byte| *byte == b'&') {
        let (known, value) = split_once(pair, b'=').unwrap_or((pair, b""));
        if known == name.as_bytes() {
            let value = percent_decoded(value).map_err(|_| wrong)?;
            if found.replace(value).is_some() {
                return Err(wrong);
            }
        }
    }
    Ok(found)
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
    fn a_parameter_is_what_it_has_to_be_or_refused_and_others_say_nothing() {
        for (query, after) in [
            (&b""[..], None),
            (b"Xafter=1&afterX=%zz&=&\xff", None),
            (b"x=1&after=17", Some(17)),
            (b"after=%31", Some(1)),
            (b"after=0", Some(0)),
            (b"after=99999999999999999999", Some(u64::MAX)),
        ] {
            assert_eq!(after_in(query), Ok(after), "{}", query.escape_ascii());
        }
        for value in [
            &b""[..],
            b"-1",
            b"+1",
            b"1.0",
            b"1e3",
            b" 1",
            b"%201",
            b"x",
            b"%zz",
            b"\xff",
            b"%00",
            "\u{661}".as_bytes(),
        ] {
            let query = |name: &[u8]| [b"a=1&", name, b"=", value, b"&z=1"].concat();
            let shown = value.escape_ascii();
            assert!(
                after_in(&query(b"after")).unwrap_err().contains("`after`"),
                "{shown}"
            );
            assert!(
                page_in(&query(b"page")).unwrap_err().contains("`page`"),
                "{shown}"
            );
            assert!(
                order_in(&query(b"order")).unwrap_err().contains("`order`"),
                "{shown}"
            );
        }
        for twice in [
            &b"after=1&after=1"[..],
            b"after=1&after=x",
            b"after",
            b"after&after=1",
        ] {
            assert!(after_in(twice).is_err(), "{}", twice.escape_ascii());
        }
        assert_eq!(page_in(b"after=x"), Ok(1));
        assert_eq!(page_in(b"page=2"), Ok(2));
        assert!(page_in(b"page=0").is_err());
        assert_eq!(order_in(b"order=streams&page=x"), Ok(()));
        assert!(order_in(b"order=Streams").is_err());
    }
}
