//! Query parameters of a path. Their names may be percent-encoded.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use streamgate_values::text::split_once;

/// The value of the first parameter `name`, not decoded.
pub(crate) fn value<'p>(path: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let (_, query) = split_once(path, b'?')?;
    query
        .split(|byte| *byte == b'&')
        .find_map(|pair| match split_once(pair, b'=') {
            Some((known, value)) => is(known, name).then_some(value),
            None => None,
        })
}

/// The values of the parameters `name`, decoded.
pub(crate) fn values<'p>(path: &'p [u8], name: &str) -> impl Iterator<Item = Cow<'p, [u8]>> {
    let query = split_once(path, b'?').map_or(&b""[..], |(_, query)| query);
    query
        .split(|byte| *byte == b'&')
        .filter_map(|pair| split_once(pair, b'='))
        .filter(move |(known, _)| is(known, name))
        .map(|(_, value)| percent_decode(value).into())
}

/// The path without these parameters, if it has one of them. Without any left, it has
/// no question mark either: two viewers of one segment ask for one URL.
pub(crate) fn without(path: &[u8], names: &[impl AsRef<str>]) -> Option<Vec<u8>> {
    let (file, query) = split_once(path, b'?')?;
    let is_named = |pair: &&[u8]| {
        let (name, _) = split_once(pair, b'=').unwrap_or((pair, b""));
        names.iter().any(|known| is(name, known.as_ref()))
    };
    let pairs = || query.split(|byte| *byte == b'&');
    if !pairs().any(|pair| is_named(&pair)) {
        return None;
    }
    let mut rest = file.to_vec();
    for (at, pair) in pairs().filter(|pair| !is_named(pair)).enumerate() {
        rest.push(if at == 0 { b'?' } else { b'&' });
        rest.extend_from_slice(pair);
    }
    Some(rest)
}

/// Whether a parameter's name, as it stands in a query, is this one.
fn is(written: &[u8], name: &str) -> bool {
    percent_decode(written).eq(name.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert_eq!(value(b"/a?x=1&sg=t&sg=u", "sg"), Some(&b"t"[..]));
        assert_eq!(value(b"/a?xsg=1&sg=", "sg"), Some(&b""[..]));
        for path in [&b"/a"[..], b"/a?sg", b"/sg=1", b"/a?xsg=1"] {
            assert_eq!(value(path, "sg"), None);
        }
    }

    #[test]
    fn every_value_of_a_parameter_is_found_and_decoded() {
        let found: Vec<_> = values(b"/a?sg=&x=1&%73g=a%5Fb%2D%2dc&sg=u&sg", "sg").collect();
        assert_eq!(found, [&b""[..], b"a_b--c", b"u"]);
        assert_eq!(values(b"/sg=1", "sg").count(), 0);
    }

    #[test]
    fn taking_parameters_out_leaves_the_others_as_they_are() {
        let cases: [(&str, Option<&str>); 8] = [
            ("/a?sg=t", Some("/a")),
            ("/a?sg=t&sg=u", Some("/a")),
            ("/a?x=%20&sg=t&y", Some("/a?x=%20&y")),
            ("/a?CMCD=sid%3D&x=?", Some("/a?x=?")),
            ("/a?sg", Some("/a")),
            ("/a?%73%67=t&x", Some("/a?x")),
            ("/a?xsg=1", None),
            ("/a", None),
        ];
        for (path, expected) in cases {
            let rest = without(path.as_bytes(), &["sg", "CMCD"]);
            assert_eq!(rest.as_deref(), expected.map(str::as_bytes), "{path}");
        }
    }
}
