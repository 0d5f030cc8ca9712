//! Cookies of a request (RFC 6265, section 4.2).

use crate::text::split_once;

/// The value of the first cookie `name`.
pub(crate) fn value<'c>(cookies: &'c [u8], name: &str) -> Option<&'c [u8]> {
    pairs(cookies).find_map(|pair| match split_once(pair, b'=') {
        Some((known, value)) => (known == name.as_bytes()).then_some(value),
        None => None,
    })
}

/// The cookies without those of these names: `None` if there is none of them, empty if
/// there is no other.
pub(crate) fn without(cookies: &[u8], names: &[impl AsRef<str>]) -> Option<Vec<u8>> {
    let is_one = |cookies: &[u8]| {
        let mut names = names.iter();
        names.any(|name| value(cookies, name.as_ref()).is_some())
    };
    if !is_one(cookies) {
        return None;
    }
    let is_other = |pair: &&[u8]| !is_one(pair);
    let others: Vec<&[u8]> = pairs(cookies).filter(is_other).collect();
    Some(others.join(&b"; "[..]))
}

fn pairs(cookies: &[u8]) -> impl Iterator<Item = &[u8]> {
    cookies
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        assert_eq!(value(b"a=1; sg=t=; sg=u", "sg"), Some(&b"t="[..]));
        assert_eq!(value(b"xsg=1;sg", "sg"), None);
        assert_eq!(value(b"", "sg"), None);
    }

    #[test]
    fn taking_a_cookie_out_leaves_the_others() {
        let rest = |cookies: &[u8]| without(cookies, &["sg", "cat"]);
        assert_eq!(
            rest(b"a=1; sg=t; b=2;sg=u; cat=x"),
            Some(b"a=1; b=2".to_vec())
        );
        assert_eq!(rest(b"sg=t"), Some(Vec::new()));
        assert_eq!(rest(b"a=1"), None);
    }
}
