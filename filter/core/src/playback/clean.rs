//! What is taken off a request before it goes on: two viewers of one segment ask the
//! origin, and a cache before it, for the same thing, and no token gets there.

use std::borrow::Cow;

use super::request::Request;
use crate::config::{Config, PlaybackPath, TokenPlace};
use crate::exchange::Head;
use crate::viewer::{CMCD, without_cookies, without_parameters};

/// What is taken off a request, besides the token in front of its path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clean {
    /// The path to go on under, where its query has changed.
    pub path: Option<Vec<u8>>,
    /// Headers to replace, or to remove where there is no value; names in lower case.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Whether `Referer` goes, too: where tokens stand in URLs, they stand there.
    pub referer: bool,
}

impl Clean {
    /// What to take off a request that no path protects: a token may stand in the address
    /// of the page that asks for it.
    pub fn of_open(config: &Config, head: &impl Head) -> Option<Self> {
        // Most requests have none, and nothing is looked at but that.
        let told = head.header("referer")?;
        let mut credentials = Credentials::default();
        for protected in &config.playback {
            credentials.add(config, protected);
        }
        credentials.stand_in(&told).then_some(Self {
            referer: true,
            ..Self::default()
        })
    }
}

impl<H: Head, E> Request<'_, H, E> {
    /// What to take off this request.
    pub(super) fn clean(&self) -> Clean {
        let credentials = self.credentials();
        let head = self.asked.head;
        let mut clean = Clean {
            referer: credentials.any,
            ..Clean::default()
        };
        for name in credentials.headers {
            if head.header(name).is_some() {
                clean.headers.push((name.to_owned(), None));
            }
        }
        if !credentials.cookies.is_empty()
            && let Some(cookies) = head.header("cookie")
            && let Some(rest) = without_cookies(&cookies, &credentials.cookies)
        {
            let rest = (!rest.is_empty()).then_some(rest);
            clean.headers.push(("cookie".to_owned(), rest));
        }
        let mut parameters = credentials.parameters;
        if self.protected.reads_cmcd() {
            parameters.push(CMCD);
        }
        clean.path = without_parameters(self.asked.path, &parameters);
        clean
    }

    /// The path as it is, but for tokens in its query: to be redirected to, and to be
    /// logged.
    pub(super) fn without_token_parameters(&self) -> Cow<'_, [u8]> {
        match without_parameters(self.asked.path, &self.credentials().parameters) {
            Some(path) => Cow::Owned(path),
            None => Cow::Borrowed(self.asked.path),
        }
    }

    fn credentials(&self) -> Credentials<'_> {
        let mut credentials = Credentials::default();
        credentials.add(self.config, self.protected);
        credentials
    }
}

/// Where credentials may stand, by name.
#[derive(Default)]
struct Credentials<'a> {
    any: bool,
    parameters: Vec<&'a str>,
    cookies: Vec<&'a str>,
    headers: Vec<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Those that a protected path reads.
    fn add(&mut self, config: &'a Config, protected: &'a PlaybackPath) {
        for place in protected.token_places() {
            self.any = true;
            match place {
                TokenPlace::Path => {}
                TokenPlace::Query(name) => self.parameters.push(name),
                TokenPlace::Cookie(name) => self.cookies.push(name),
                TokenPlace::Header(name) => self.headers.push(name),
            }
        }
        if let Some(cat) = &config.cat
            && protected.reads_cat()
        {
            self.any = true;
            self.parameters.push(&cat.query);
            self.cookies.push(&cat.cookie);
            self.headers.push(&cat.header);
        }
    }

    /// Whether one of them may stand in an address: in front of its path, or in its query.
    fn stand_in(&self, address: &[u8]) -> bool {
        let mut parts = address.splitn(4, |byte| *byte == b'/');
        let path = match parts.next() {
            Some(b"") => Some(address),
            _ => parts.nth(2),
        };
        let path = path.unwrap_or_default();
        self.any
            && (path.starts_with(b"~")
                || path.starts_with(b"/~")
                || without_parameters(address, &self.parameters).is_some())
    }
}
