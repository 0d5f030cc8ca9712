//! Cookies of a request: `name=value`, separated by `;` (RFC 6265, section 4.2). Clients that
//! follow its predecessor (RFC 2965; Java's `CookieManager`) begin with `$Version`, quote
//! values, and say where each cookie comes from behind it.

use streamgate_values::text::split_once;

/// The values of the cookies `name`, without quotes around them.
pub(crate) fn values<'c>(cookies: &'c [u8], name: &str) -> impl Iterator<Item = &'c [u8]> {
    pieces(cookies)
        .filter_map(|piece| piece.pair())
        .filter(move |(known, _)| *known == name.as_bytes())
        .map(|(_, value)| unquoted(value))
}

/// The value of the first cookie `name`.
pub(crate) fn value<'c>(cookies: &'c [u8], name: &str) -> Option<&'c [u8]> {
    values(cookies, name).next()
}

/// The cookies without those of these names, and what is said of those: `None` if there is
/// none of them, empty if there is no other. The others stay byte for byte as they are.
pub(crate) fn without(cookies: &[u8], names: &[impl AsRef<str>]) -> Option<Vec<u8>> {
    let is_one = |name: &[u8]| names.iter().any(|one| one.as_ref().as_bytes() == name);
    let mut rest = Vec::with_capacity(cookies.len());
    let (mut has_other, mut is_taken, mut has_taken) = (false, false, false);
    for piece in pieces(cookies) {
        let name = piece.pair().map(|(name, _)| name);
        match name {
            // Of the cookie before it.
            Some(b"$Path" | b"$Domain" | b"$Port") => {}
            // Of all of them.
            Some(b"$Version") => is_taken = false,
            Some(name) => {
                is_taken = is_one(name);
                has_taken |= is_taken;
                has_other |= !is_taken;
            }
            None => {
                is_taken = false;
                has_other |= !piece.text.trim_ascii().is_empty();
            }
        }
        if is_taken {
            continue;
        }
        if rest.is_empty() {
            rest.extend_from_slice(piece.text.trim_ascii_start());
        } else {
            rest.extend(piece.separator);
            rest.extend_from_slice(piece.text);
        }
    }
    if !has_taken {
        return None;
    }
    if !has_other {
        rest.clear();
    }
    Some(rest)
}

/// What stands between two separators, and the one before it.
struct CookiePiece<'c> {
    separator: Option<u8>,
    text: &'c [u8],
}

impl<'c> CookiePiece<'c> {
    fn pair(&self) -> Option<(&'c [u8], &'c [u8])> {
        let (name, value) = split_once(self.text, b'=')?;
        Some((name.trim_ascii(), value.trim_ascii()))
    }
}

/// The pieces of a header. A separator within quotes separates, too: where one reader takes
/// it for a part of a value and another does not, nothing can be hidden behind it.
fn pieces(cookies: &[u8]) -> impl Iterator<Item = CookiePiece<'_>> {
    // A comma separates for those who say this (RFC 2965, section 3.3.4). For all others it
    // is part of a value.
    let commas = says_version(cookies);
    let mut rest = Some(cookies);
    let mut separator = None;
    core::iter::from_fn(move || {
        let all = rest?;
        let end = all
            .iter()
            .position(|byte| *byte == b';' || (commas && *byte == b','));
        let text = end.and_then(|end| all.get(..end)).unwrap_or(all);
        let after = end.and_then(|end| all.get(end..)?.split_first());
        let piece = CookiePiece { separator, text };
        separator = after.map(|(separator, _)| *separator);
        rest = after.map(|(_, after)| after);
        Some(piece)
    })
}

fn says_version(cookies: &[u8]) -> bool {
    const VERSION: &[u8] = b"$Version";
    let mut rest = cookies;
    while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(VERSION) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// A value without the quotes around it.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value.strip_prefix(b"\"");
    inner
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn all(cookies: &str) -> Vec<String> {
        let values = values(cookies.as_bytes(), "sg");
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        values.map(text).collect()
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        for (cookies, expected) in [
            ("a=1; sg=t=; sg=u", &["t=", "u"][..]),
            ("xsg=1;sg;sgx=2;SG=3", &[]),
            ("", &[]),
            (";;; sg = t ;", &["t"]),
            ("sg=", &[""]),
            // java.net.CookieManager.
            (r#"$Version="1"; sg="t"; $Path="/vod/""#, &["t"]),
            (r#"$Version=1; sg=t; $Path=/vod/; $Domain=x"#, &["t"]),
            (r#"$Version="1", sg="t", x="1""#, &["t"]),
            (r#"sg="t"; $Path="/""#, &["t"]),
            // A comma is part of a value where nothing says otherwise.
            ("a=1,sg=t", &[]),
            ("sg=t,u", &["t,u"]),
            (r#"sg="t"#, &[r#""t"#]),
            (r#"sg=""#, &[r#"""#]),
            (r#"x="1; sg=t; y=""#, &["t"]),
        ] {
            assert_eq!(all(cookies), expected, "{cookies}");
        }
    }

    #[test]
    fn taking_cookies_out_leaves_the_others_byte_for_byte() {
        for (cookies, expected) in [
            ("a=1; sg=t; b=2;sg=u; cat=x", Some("a=1; b=2")),
            ("sg=t; a=1;  b=2", Some("a=1;  b=2")),
            ("a=1;sg=t;b=2", Some("a=1;b=2")),
            ("sg=t", Some("")),
            ("sg=t; cat=u;", Some("")),
            ("a=1", None),
            ("a; xsg=1; =sg; sg", None),
            // What has no value is somebody's, too, and nothing is nobody's.
            ("a; sg=t", Some("a")),
            (r#"$Version="1"; sg=t; "#, Some("")),
            (
                r#"a="x;y, z"; sg=t; b={"c":1,"d":2}"#,
                Some(r#"a="x;y, z"; b={"c":1,"d":2}"#),
            ),
            (r#"$Version="1"; sg="t"; $Path="/vod/""#, Some("")),
            (
                r#"$Version="1"; a="1"; $Path="/"; sg="t"; $Path="/vod/"; b="2"; $Path="/x""#,
                Some(r#"$Version="1"; a="1"; $Path="/"; b="2"; $Path="/x""#),
            ),
            (
                r#"$Version=1, sg=t, a="1,2""#,
                Some(r#"$Version=1, a="1,2""#),
            ),
            ("sg = t; a=1", Some("a=1")),
            ("sg=\"t; a=1", Some("a=1")),
            (r#"x="1; sg=t; y=""#, Some(r#"x="1; y=""#)),
        ] {
            let rest = without(cookies.as_bytes(), &["sg", "cat"]);
            assert_eq!(rest.as_deref(), expected.map(str::as_bytes), "{cookies}");
        }
    }

    #[test]
    fn what_is_read_is_taken_out() {
        // Any mix of separators, quotes and names: nothing that is found stays.
        let parts = [
            "sg",
            "=",
            "t",
            ";",
            ",",
            " ",
            "\"",
            "$Version=1",
            "x",
            "$Path",
            "%73",
        ];
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            let mut cookies = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                cookies.push_str(parts[(seed >> 16) as usize % parts.len()]);
            }
            let found = !all(&cookies).is_empty();
            let rest = without(cookies.as_bytes(), &["sg"]);
            assert_eq!(found, rest.is_some(), "{cookies}");
            let rest = rest.unwrap_or_default();
            let left = all(core::str::from_utf8(&rest).unwrap());
            assert!(left.is_empty(), "{cookies}: {left:?}");
        }
    }
}
