//! What is taken off a request before it goes on: two viewers of one segment ask the
//! origin, and a cache before it, for the same thing, and no token gets there.

use std::borrow::Cow;

use super::request::Request;
use crate::config::TokenPlace;
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

    /// The path to be redirected to: as it is, but for tokens in its query.
    pub(super) fn without_token_parameters(&self) -> Cow<'_, [u8]> {
        match without_parameters(self.asked.path, &self.credentials().parameters) {
            Some(path) => Cow::Owned(path),
            None => Cow::Borrowed(self.asked.path),
        }
    }

    fn credentials(&self) -> Credentials<'_> {
        let mut credentials = Credentials::default();
        for place in self.protected.token_places() {
            credentials.any = true;
            match place {
                TokenPlace::Path => {}
                TokenPlace::Query(name) => credentials.parameters.push(name),
                TokenPlace::Cookie(name) => credentials.cookies.push(name),
                TokenPlace::Header(name) => credentials.headers.push(name),
            }
        }
        if let Some(cat) = &self.config.cat
            && self.protected.reads_cat()
        {
            credentials.any = true;
            credentials.parameters.push(&cat.query);
            credentials.cookies.push(&cat.cookie);
            credentials.headers.push(&cat.header);
        }
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
