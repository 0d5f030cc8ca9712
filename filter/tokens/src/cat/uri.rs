//! Which URIs a token is good for (`catu`), and the matches that `catu` and `cath`
//! share (CTA-5007).

use sha2::{Digest, Sha256};
use streamgate_values::path::Reading;
use streamgate_values::text::split_once;

use super::cbor::{self, Label};
use super::labels::CATU;
use super::{CatError, CatRequest};

/// Whether the URI that was asked for is one of those the claim allows.
pub(super) fn check(claim: &[u8], asked: &CatRequest<'_>) -> Result<(), CatError> {
    let uri = Uri::of(asked).ok_or(CatError::Uri)?;
    for (label, matches) in cbor::entries(claim)? {
        let part = match label {
            Label::Int(0) => &uri.scheme,
            Label::Int(1) => &uri.host,
            Label::Int(2) => uri.port,
            Label::Int(3) => uri.path,
            Label::Int(4) => uri.query,
            Label::Int(5) => uri.parent,
            Label::Int(6) => uri.filename,
            Label::Int(7) => uri.stem,
            Label::Int(8) => uri.extension,
            _ => return Err(CatError::Unsupported(CATU)),
        };
        if !all_match(matches, part, CATU)? {
            return Err(CatError::Uri);
        }
    }
    Ok(())
}

/// Whether `value` matches in every way that is listed. A way that is not known makes
/// `claim` one that cannot be checked. So does a regular expression (4), and SHA-512/256
/// (−2), by which implementations mean different things.
pub(super) fn all_match(matches: &[u8], value: &str, claim: i64) -> Result<bool, CatError> {
    let mut all = true;
    for (label, expected) in cbor::entries(matches)? {
        all &= match label {
            Label::Int(0) => value == cbor::text(expected)?,
            Label::Int(1) => value.starts_with(cbor::text(expected)?),
            Label::Int(2) => value.ends_with(cbor::text(expected)?),
            Label::Int(3) => value.contains(cbor::text(expected)?),
            Label::Int(-1) => Sha256::digest(value)[..] == *cbor::bytes(expected)?,
            _ => return Err(CatError::Unsupported(claim)),
        };
    }
    Ok(all)
}

/// A request's URI in its parts.
struct Uri<'a> {
    scheme: String,
    /// Without port and brackets.
    host: String,
    /// The scheme's own if none is given.
    port: &'a str,
    path: &'a str,
    /// Without its question mark.
    query: &'a str,
    /// The path up to its last slash, without it.
    parent: &'a str,
    /// The path after its last slash.
    filename: &'a str,
    /// The file name up to its last dot, without it.
    stem: &'a str,
    /// The file name from its last dot on; empty if there is none.
    extension: &'a str,
}

impl<'a> Uri<'a> {
    /// `None` for what is no UTF-8, and for paths that may mean another path to
    /// whoever serves it: what the name seems to end in, or begin with, may be dropped there.
    fn of(asked: &CatRequest<'a>) -> Option<Self> {
        let text = |bytes| core::str::from_utf8(bytes).ok();
        let scheme = text(asked.scheme)?.to_ascii_lowercase();
        let (host, port) = authority(text(asked.host)?);
        let port = port.unwrap_or(if scheme == "https" { "443" } else { "80" });

        let (path, query) = split_once(asked.path, b'?').unwrap_or((asked.path, b""));
        Reading::of(path).ok().filter(Reading::is_agreed)?;
        let (path, query) = (text(path)?, text(query)?);
        let (parent, filename) = path.rsplit_once('/')?;
        let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
        Some(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
            path,
            query,
            parent,
            filename,
            stem,
            extension: filename.strip_prefix(stem).unwrap_or_default(),
        })
    }
}

/// Host and port of an authority (RFC 3986, section 3.2).
fn authority(text: &str) -> (&str, Option<&str>) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port).filter(|port| !port.is_empty()))
        }
        _ => (text, None),
    };
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    (address.unwrap_or(host), port)
}
