//! What is taken off a request before it goes on: two viewers of one segment ask the
//! origin, and a cache before it, for the same thing, and no token gets there.

use std::borrow::Cow;

use super::request::Request;
use crate::config::TokenPlace;
use crate::exchange::Head;
use crate::viewer::{CMCD, without_cookie, without_parameters};

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
        let mut clean = Clean::default();
        let mut parameters: Cow<'_, [&str]> = Cow::Borrowed(&[]);
        if self.protected.reads_cmcd() {
            parameters.to_mut().push(CMCD);
        }
        for place in self.protected.token_places() {
            clean.referer = true;
            match place {
                TokenPlace::Path => {}
                TokenPlace::Query(name) => parameters.to_mut().push(name),
                TokenPlace::Cookie(name) => {
                    let cookies = self.asked.head.header("cookie");
                    if let Some(rest) = cookies.and_then(|all| without_cookie(&all, name)) {
                        let rest = (!rest.is_empty()).then_some(rest);
                        clean.headers.push(("cookie".to_owned(), rest));
                    }
                }
                TokenPlace::Header(name) => {
                    if self.asked.head.header(name).is_some() {
                        clean.headers.push((name.clone(), None));
                    }
                }
            }
        }
        if !parameters.is_empty() {
            clean.path = without_parameters(self.asked.path, &parameters);
        }
        clean
    }
}
