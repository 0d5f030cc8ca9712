//! What is taken off a request before it goes on: two viewers of one segment ask the
//! origin, and a cache before it, for the same thing, and no token gets there.

use std::borrow::Cow;

use streamgate_values::head::Head;

use super::passage::Scrub;
use super::request::PlaybackRequest;
use crate::config::{Cat, Config, Credentials, PlaybackPath, TokenPosition};
use crate::request::viewer::{Asked, CMCD, without_cookies, without_parameters};

/// Whether a `Referer` is an origin alone, as browsers send it to other origins: no path, no query and nobody's name,
/// so no token.
#[must_use]
pub fn is_origin_alone(referer: &[u8]) -> bool {
    let mut parts = referer.splitn(4, |byte| *byte == b'/');
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(byte);
    matches!(parts.next(), Some(b"http:" | b"https:"))
        && parts.next() == Some(b"")
        && parts.next().is_some_and(|host| host.iter().all(is_host))
        && matches!(parts.next(), None | Some(b""))
}

impl Scrub {
    /// What to take off a request that no path protects: a token may stand in the address
    /// of the page that asks for it.
    pub fn of_open(config: &Config, head: &impl Head) -> Option<Self> {
        let mut protected = config.playback.iter();
        if !protected
            .clone()
            .any(|protected| protected.credentials.referer)
        {
            return None;
        }
        // Most requests have none, and nothing is looked at but that.
        let told = head.header("referer")?;
        let is_told = protected.any(|protected| protected.credentials.stand_in(&told));
        is_told.then_some(Self {
            referer: true,
            ..Self::default()
        })
    }

    /// What to take off a request for what `protected` leaves out (`path`, without the token in
    /// front, query included). Its credentials come along there all the same: cookies unasked, and
    /// whatever a player sends with each request. CMCD stays, because no stream is told by it.
    pub fn of_left_out(protected: &PlaybackPath, head: &impl Head, path: &[u8]) -> Self {
        let credentials = &protected.credentials;
        let cookies = || head.header("cookie");
        credentials.scrub(head, cookies, path, &credentials.parameters)
    }
}

impl<H: Head, E> PlaybackRequest<'_, H, E> {
    /// What to take off this request.
    pub(super) fn scrub(&self) -> Scrub {
        let credentials = &self.protected.credentials;
        let Asked {
            head, path, file, ..
        } = self.asked;
        let parameters: &[_] = match file.is_all_of(path) {
            true => &[],
            false => &credentials.taken_out,
        };
        credentials.scrub(head, || self.asked.cookies(), path, parameters)
    }

    /// The path as it is, but for tokens in its query: to be redirected to, and to be
    /// logged.
    pub(super) fn without_token_parameters(&self) -> Cow<'_, [u8]> {
        let parameters = &self.protected.credentials.parameters;
        match without_parameters(self.asked.path, parameters) {
            Some(path) => Cow::Owned(path),
            None => Cow::Borrowed(self.asked.path),
        }
    }
}

impl Credentials {
    /// Those that a protected path reads.
    #[must_use]
    pub fn of(protected: &PlaybackPath, cat: Option<&Cat>) -> Self {
        let mut all = Self::default();
        for position in protected.token_positions() {
            all.referer = true;
            match position {
                TokenPosition::Path => {}
                TokenPosition::Query(name) => all.parameters.push(name.clone()),
                TokenPosition::Cookie(name) => all.cookies.push(name.clone()),
                TokenPosition::Header(name) => all.headers.push(name.clone()),
            }
        }
        if let Some(cat) = cat
            && protected.reads_cat()
        {
            all.referer = true;
            all.parameters.push(cat.query.clone());
            all.cookies.push(cat.cookie.clone());
            all.headers.push(cat.header.clone());
        }
        all.taken_out.clone_from(&all.parameters);
        if protected.reads_cmcd() {
            all.taken_out.push(CMCD.to_owned());
        }
        all
    }

    /// What to take off a request that may carry them, and `parameters` off its query.
    fn scrub<C: AsRef<[u8]>>(
        &self,
        head: &impl Head,
        cookies: impl FnOnce() -> Option<C>,
        path: &[u8],
        parameters: &[String],
    ) -> Scrub {
        let mut scrub = Scrub {
            referer: self.referer,
            ..Scrub::default()
        };
        for name in &self.headers {
            if head.header(name).is_some() {
                scrub.headers.push((name.clone(), None));
            }
        }
        if !self.cookies.is_empty()
            && let Some(cookies) = cookies()
            && let Some(rest) = without_cookies(cookies.as_ref(), &self.cookies)
        {
            let rest = (!rest.is_empty()).then_some(rest);
            scrub.headers.push(("cookie".to_owned(), rest));
        }
        if !parameters.is_empty() {
            scrub.path = without_parameters(path, parameters);
        }
        scrub
    }

    /// Whether one of them may stand in an address: in front of its path, or in its query.
    fn stand_in(&self, address: &[u8]) -> bool {
        let mut parts = address.splitn(4, |byte| *byte == b'/');
        let path = match parts.next() {
            Some(b"") => Some(address),
            _ => parts.nth(2),
        };
        let path = path.unwrap_or_default();
        self.referer
            && (path.starts_with(b"~")
                || path.starts_with(b"/~")
                || without_parameters(address, &self.parameters).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn an_origin_alone_is_told_from_addresses_that_say_more() {
        for origin in [
            "https://a.example",
            "http://a-b.example:80/",
            "https://[::1]:8443/",
        ] {
            assert!(is_origin_alone(origin.as_bytes()), "{origin}");
        }
        for more in [
            "",
            "/",
            "null",
            "https://a/~token",
            "https://a/~token/",
            "https://a?sg=token",
            "https://a/?sg=token",
            "https://a#token",
            "https://a//",
            "https://token@a/",
            "https:/a/",
            "ftp://a/",
            "//a/",
            "https://a\\token",
            "https://\u{fc}/",
            "https://a%2ftoken/",
        ] {
            assert!(!is_origin_alone(more.as_bytes()), "{more}");
        }
    }
}
