//! What a URL of a manifest refers to, and where in it a prefix goes.

use std::borrow::Cow;

/// A host as requests name it: with the scheme and the port that are part of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    host: String,
    port: u16,
    is_secure: bool,
}

impl Origin {
    /// The host of a request's scheme and authority; `None` where the authority is no name
    /// and port.
    #[must_use]
    pub fn new(scheme: &str, authority: &str) -> Option<Self> {
        let is_secure = scheme.eq_ignore_ascii_case("https");
        let (host, port) = host_and_port(authority)?;
        Some(Self {
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or_else(|| default_port(is_secure)),
            is_secure,
        })
    }

    /// Whether a URL with this scheme (none: that of the manifest) and authority leads here.
    fn is(&self, scheme: Option<&str>, authority: &str) -> bool {
        let is_secure = scheme.map_or(self.is_secure, |scheme| {
            scheme.eq_ignore_ascii_case("https")
        });
        // A token that was asked for over TLS is sent over nothing else.
        if self.is_secure && !is_secure {
            return false;
        }
        let Some((host, port)) = host_and_port(authority) else {
            return false;
        };
        let port = port.unwrap_or_else(|| default_port(is_secure));
        // Where a balancer ends TLS, the edge is asked by http for what viewers ask by https.
        let is_default =
            self.port == default_port(self.is_secure) && port == default_port(is_secure);
        host.eq_ignore_ascii_case(&self.host) && (port == self.port || is_default)
    }
}

const fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

/// The parts of an authority; `None` where it has user information, which a request does not
/// name, or what clients do not all read in the same way.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let in_brackets = authority.find(']').map_or(0, |end| end.saturating_add(1));
    let (host, port) = match authority.get(in_brackets..)?.find(':') {
        Some(colon) => authority.split_at_checked(in_brackets.saturating_add(colon))?,
        None => (authority, ""),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_plain) {
        return None;
    }
    match port.strip_prefix(':') {
        None | Some("") => Some((host, None)),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, Some(port.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// What a URL refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlTarget<'u> {
    /// A path at the host that the URL is resolved against; the prefix goes to its front.
    Path(&'u str),
    /// A path at a host of its own: this one. The prefix goes to `at`.
    Here {
        /// Where the path begins, in bytes.
        at: usize,
        /// The path, with a query if there is one.
        path: &'u str,
    },
    /// Relative to what it is resolved against.
    Relative(&'u str),
    /// Another host, another scheme, or what clients do not all read in the same way.
    Elsewhere,
}

/// The path of a URL that has one without being resolved, and where it begins.
pub(crate) fn absolute<'u>(url: &'u str, hosts: &[Origin]) -> Option<(usize, &'u str)> {
    match target(url, hosts) {
        UrlTarget::Path(path) => Some((0, path)),
        UrlTarget::Here { at, path } => Some((at, path)),
        UrlTarget::Relative(_) | UrlTarget::Elsewhere => None,
    }
}

/// Tells what a URL refers to.
pub(crate) fn target<'u>(url: &'u str, hosts: &[Origin]) -> UrlTarget<'u> {
    // Most URLs that are looked at are paths, and they are many: one look at each byte.
    let mut colon = None;
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'?' | b'#' => break,
            // Browsers take a backslash for a slash, and drop line ends and tabs.
            b'\\' | 0..=0x1f | 0x7f => return UrlTarget::Elsewhere,
            b':' if colon.is_none() => colon = Some(at),
            _ => {}
        }
    }
    if url.starts_with('/') && !url.starts_with("//") {
        return UrlTarget::Path(url);
    }
    let (scheme, rest) = match colon.and_then(|colon| split_scheme(url, colon)) {
        Some((scheme, rest)) if is_http(scheme) => (Some(scheme), rest),
        Some(_) => return UrlTarget::Elsewhere,
        None => (None, url),
    };
    let Some(after) = rest.strip_prefix("//") else {
        return match scheme {
            Some(_) => UrlTarget::Elsewhere,
            None => UrlTarget::Relative(rest),
        };
    };
    let end = after
        .bytes()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let Some((authority, path)) = after.split_at_checked(end.unwrap_or(after.len())) else {
        return UrlTarget::Elsewhere;
    };
    match hosts.iter().any(|host| host.is(scheme, authority)) {
        true => UrlTarget::Here {
            at: url.len().saturating_sub(path.len()),
            path,
        },
        false => UrlTarget::Elsewhere,
    }
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// A URL's scheme and what follows its first colon, if that ends one (RFC 3986, section 3.1).
fn split_scheme(url: &str, colon: usize) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_at_checked(colon)?;
    let mut bytes = scheme.bytes();
    let is_scheme = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest.strip_prefix(':')?))
}

/// A URL up to its query or fragment.
fn file(url: &str) -> &str {
    let end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    end.and_then(|end| url.get(..end)).unwrap_or(url)
}

/// A path up to and including its last slash.
pub(crate) fn directory(path: &str) -> &str {
    let file = file(path);
    let end = memchr::memrchr(b'/', file.as_bytes());
    end.and_then(|end| file.get(..=end)).unwrap_or_default()
}

/// A path without its query, if all that reads it reads it in the same way: letters, digits and
/// signs that mean nothing in a path, no empty segment, and none that begins or ends with a
/// dot.
pub(crate) fn simple(path: &str) -> Option<&str> {
    let mut last = b'.';
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'/' if last != b'/' && (last != b'.' || at == 0) => {}
            b'.' if last != b'/' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'=' | b',' | b'+' | b'@' => {}
            b'?' | b'#' if last != b'.' => return path.get(..at),
            _ => return None,
        }
        last = byte;
    }
    (last != b'.').then_some(path)
}

/// A path without query, its dot segments resolved. `None` where they lead out of the root,
/// or are spelled as only some clients read them.
pub(crate) fn resolved(path: &str) -> Option<Cow<'_, str>> {
    if let Some(simple) = simple(path) {
        return Some(Cow::Borrowed(simple));
    }
    let file = file(path);
    if !file.contains("/.") && !file.contains("/%") {
        return Some(Cow::Borrowed(file));
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut all = file.split('/').skip(1).peekable();
    while let Some(segment) = all.next() {
        let is_last = all.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                segments.pop()?;
            }
            segment if is_hidden_dots(segment) => return None,
            segment => {
                segments.push(segment);
                continue;
            }
        }
        if is_last {
            segments.push("");
        }
    }
    Some(Cow::Owned(format!("/{}", segments.join("/"))))
}

/// Whether a segment is `.` or `..` once it is decoded, or its parameters are dropped.
fn is_hidden_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    if !name.starts_with(['.', '%']) || name.len() > 6 {
        return false;
    }
    let dots = name.to_ascii_lowercase().replace("%2e", ".");
    dots == "." || dots == ".."
}

/// Whether a path has a token in front already.
pub(crate) fn has_token(path: &str) -> bool {
    path.starts_with("/~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test;

    fn is_here(request: (&str, &str), url: &str) -> bool {
        let hosts: Vec<Origin> = Origin::new(request.0, request.1).into_iter().collect();
        matches!(target(url, &hosts), UrlTarget::Here { .. })
    }

    #[test]
    fn a_host_is_known_by_its_name_and_port() {
        let plain = ("http", "Media.example");
        for url in [
            "http://media.example/a",
            "HTTP://MEDIA.EXAMPLE/a",
            "http://media.example:80/a",
            "http://media.example:/a",
            "//media.example/a",
            "//media.example:80/a",
            "https://media.example/a",
            "https://media.example:443/a",
            "http://media.example?x",
        ] {
            assert!(is_here(plain, url), "{url}");
        }
        for url in [
            "http://media.example:8080/a",
            "http://media.example.evil/a",
            "http://media.example./a",
            "http://media.example@evil/a",
            "http://evil/media.example/a",
            "http://user@media.example/a",
            "http:media.example/a",
            "http:/media.example/a",
            "http:///media.example/a",
            "http:\\\\media.example/a",
            "http://media.example\\@evil/a",
            "http://media.exampl%65/a",
            "http://media.example:80x/a",
            "http://media.example:99999999/a",
            "//evil/a",
            "ftp://media.example/a",
            "ht\ttp://media.example/a",
        ] {
            assert!(!is_here(plain, url), "{url}");
        }
    }

    #[test]
    fn what_was_asked_for_over_tls_is_not_sent_without() {
        let secure = ("https", "media.example");
        assert!(is_here(secure, "https://media.example/a"));
        assert!(is_here(secure, "https://media.example:443/a"));
        assert!(is_here(secure, "//media.example/a"));
        assert!(!is_here(secure, "http://media.example/a"));
        assert!(!is_here(secure, "http://media.example:443/a"));
    }

    #[test]
    fn a_port_that_is_not_the_default_is_part_of_the_name() {
        let odd = ("http", "[::1]:8080");
        assert!(is_here(odd, "http://[::1]:8080/a"));
        assert!(is_here(odd, "//[::1]:8080/a"));
        assert!(is_here(odd, "https://[::1]:8080/a"));
        assert!(!is_here(odd, "http://[::1]/a"));
        assert!(!is_here(odd, "https://[::1]/a"));
        assert!(!is_here(odd, "http://[::1]:80/a"));
        assert!(is_here(("http", "[::1]"), "http://[::1]/a"));
        assert_eq!(Origin::new("http", ""), None);
        assert_eq!(Origin::new("http", "a b"), None);
    }

    #[test]
    fn what_a_url_refers_to() {
        let hosts = [Origin::new("http", "host").expect("a name")];
        let cases = [
            ("/vod/a?x=//b", UrlTarget::Path("/vod/a?x=//b")),
            (
                "http://host/vod",
                UrlTarget::Here {
                    at: 11,
                    path: "/vod",
                },
            ),
            (
                "//host/vod",
                UrlTarget::Here {
                    at: 6,
                    path: "/vod",
                },
            ),
            ("http://host", UrlTarget::Here { at: 11, path: "" }),
            ("a/b.ts", UrlTarget::Relative("a/b.ts")),
            (
                "../b.ts?u=http://x",
                UrlTarget::Relative("../b.ts?u=http://x"),
            ),
            ("", UrlTarget::Relative("")),
            ("data:text/plain,/vod/", UrlTarget::Elsewhere),
            ("skd://host/vod", UrlTarget::Elsewhere),
            ("/vod\\a", UrlTarget::Elsewhere),
            ("\\vod\\a", UrlTarget::Elsewhere),
        ];
        for (url, expected) in cases {
            assert_eq!(target(url, &hosts), expected, "{url}");
        }
    }

    #[test]
    fn dot_segments_are_resolved_where_all_clients_agree() {
        for (path, expected) in [
            ("/vod/a.ts", Some("/vod/a.ts")),
            ("/vod/a.ts?x=/../", Some("/vod/a.ts")),
            ("/vod/./a/../b.ts", Some("/vod/b.ts")),
            ("/vod/a/..", Some("/vod/")),
            ("/vod/a/.", Some("/vod/a/")),
            ("/vod/.hidden/...", Some("/vod/.hidden/...")),
            ("/..", None),
            ("/a/../../b", None),
            ("/a/%2e%2E/b", None),
            ("/a/.%2e/b", None),
            ("/a/..;x/b", None),
            ("/a/%20b", Some("/a/%20b")),
        ] {
            assert_eq!(resolved(path).as_deref(), expected, "{path}");
        }
    }
}
