//! The answer that carries the page.

use streamgate_page::{CONTENT_SECURITY_POLICY, PAGE_GZIP};

use crate::exchange::Answer;

/// The way to the page.
pub(super) fn to_page(prefix: &str) -> Answer {
    Answer::empty(307).with("location", format!("{prefix}/"))
}

/// The page, packed whatever the browser says it accepts: all of them unpack gzip.
pub(super) fn page() -> Answer {
    let mut answer = Answer::empty(200)
        .with("content-type", "text/html; charset=utf-8")
        .with("content-encoding", "gzip")
        .with("content-security-policy", CONTENT_SECURITY_POLICY)
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff");
    answer.body = PAGE_GZIP.to_vec();
    answer
}
