//! Common Media Client Data (CTA-5004): the session id a player gives itself.
//!
//! A signal, not a credential: it tells streams of one subject apart and says
//! nothing about whose they are.

use crate::exchange::Head;
use crate::text::{percent_decoded, printable, split_once};

/// The longest `sid` in characters (CTA-5004, section 3.2).
const SID_MAX: usize = 64;

/// CMCD's `sid`, from the query (`CMCD=…`) or the `CMCD-Session` header. A malformed
/// one counts as absent, as CTA-5004 asks of whoever reads CMCD.
pub(super) fn session_id(head: &impl Head, path: &[u8]) -> Option<String> {
    if let Some(data) = query_value(path) {
        return sid(&data);
    }
    let header = head.header("cmcd-session")?;
    sid(printable(&header).ok()?)
}

fn query_value(path: &[u8]) -> Option<String> {
    let (_, query) = split_once(path, b'?')?;
    let value = query
        .split(|byte| *byte == b'&')
        .find_map(|pair| pair.strip_prefix(b"CMCD="))?;
    percent_decoded(value).ok()
}

/// `sid="…"` out of comma-separated pairs; quoted values may hold commas.
fn sid(data: &str) -> Option<String> {
    let mut rest = data;
    while !rest.is_empty() {
        let (pair, after) = split_pair(rest);
        if let Some(("sid", value)) = pair.trim().split_once('=') {
            return unquoted(value);
        }
        rest = after;
    }
    None
}

/// The first pair, and what follows its comma.
fn split_pair(data: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, char) in data.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                let (pair, rest) = data.split_at_checked(at).unwrap_or((data, ""));
                return (pair, rest.strip_prefix(',').unwrap_or(rest));
            }
            _ => {}
        }
    }
    (data, "")
}

/// A quoted string without its quotes and escapes.
fn unquoted(value: &str) -> Option<String> {
    let inner = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        text.push(if char == '\\' { chars.next()? } else { char });
    }
    (1..=SID_MAX)
        .contains(&text.chars().count())
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Headers, test};

    #[test]
    fn the_session_id_is_found_in_query_and_header() {
        let none = Headers::default();
        let query = |path: &str| session_id(&none, path.as_bytes());
        assert_eq!(
            query("/a.m4s?x=1&CMCD=bl%3D100%2Csid%3D%226e2fb550%22"),
            Some("6e2fb550".to_owned())
        );
        assert_eq!(
            query("/a?CMCD=cid%3D%22a%2Csid%3D1%22%2Csid%3D%22x%5C%22y%22"),
            Some("x\"y".to_owned())
        );
        let header =
            Headers::new(&[("cmcd-session", "cid=\"faec\",pr=1.08,sf=d,sid=\"s 1\",st=v")]);
        assert_eq!(session_id(&header, b"/a"), Some("s 1".to_owned()));
    }

    #[test]
    fn a_malformed_one_counts_as_absent() {
        let none = Headers::default();
        let long = format!("/a?CMCD=sid%3D%22{}%22", "x".repeat(65));
        for path in [
            "/a",
            "/a?CMCD=",
            "/a?CMCD=sid%3Dx",
            "/a?CMCD=sid%3D%22%22",
            "/a?CMCD=sid%3D%22x",
            "/a?CMCD=%zz",
            &long,
        ] {
            assert_eq!(session_id(&none, path.as_bytes()), None, "{path}");
        }
        let header = Headers::new(&[("cmcd-session", "side=\"x\"")]);
        assert_eq!(session_id(&header, b"/a"), None);
    }
}
