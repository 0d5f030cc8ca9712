//! The answer that carries the page.

use streamgate_manifest::gunzip;
use streamgate_page::{CONTENT_SECURITY_POLICY, PAGE_GZIP};

use crate::exchange::Answer;
use crate::playback::accepts_gzip;

/// More than the page has in the clear, in bytes.
const PAGE_MAX: usize = 64 * 1024;

/// The way to the page.
pub(super) fn to_page(prefix: &str) -> Answer {
    Answer::empty(307).with("location", format!("{prefix}/"))
}

/// The page, packed for who says in `Accept-Encoding` that it accepts gzip, as browsers do, and in the clear for others.
pub(super) fn page(accepted: Option<&[u8]>) -> Answer {
    let mut answer = Answer::empty(200)
        .with("content-type", "text/html; charset=utf-8")
        .with("vary", "accept-encoding")
        .with("content-security-policy", CONTENT_SECURITY_POLICY)
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff");
    answer.body = PAGE_GZIP.to_vec();
    if accepted.is_some_and(accepts_gzip) {
        return answer.with("content-encoding", "gzip");
    }
    // The build has packed it well.
    answer.body = gunzip(&answer.body, PAGE_MAX).unwrap_or_default();
    answer
}
