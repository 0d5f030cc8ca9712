//! OPTIONS: what may be asked. It fetches nothing and is no sign of life, so it is answered
//! here: an origin that answers OPTIONS like GET would answer it with the file.
//!
//! A preflight, by which a browser asks first whether a page of another origin may ask
//! (Fetch, section 4.8), names nobody, and is answered to anybody. Any other is judged like
//! GET before it is answered.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::request::PlaybackRequest;
use crate::config::Preflight;
use crate::exchange::{Answer, Reply};
use crate::step::Step;

/// What a page may ask with, where it does not say. What it says is repeated.
const HEADERS: &str = "authorization, range, cmcd-object, cmcd-request, cmcd-session, cmcd-status";

/// The longest list of headers, and the longest origin, that is repeated, in bytes.
const REPEATED_MAX: usize = 1_024;

/// What becomes of a preflight; `None` if the request is none.
pub(super) fn answered<H: Head, E: Host>(request: &PlaybackRequest<'_, H, E>) -> Option<Step> {
    if !request.is_preflight() {
        return None;
    }
    if request.protected.preflight == Preflight::Forward {
        return Some(request.forward(None));
    }
    let repeated = |name: &str| {
        let value = request.asked.head.header(name)?;
        let is_visible = |byte: &u8| matches!(byte, b' '..=b'~');
        let is_short = (1..=REPEATED_MAX).contains(&value.len());
        (is_short && value.iter().all(is_visible)).then(|| String::from_utf8(value).ok())?
    };
    let origin = repeated("origin").unwrap_or_else(|| "*".to_owned());
    let headers = repeated("access-control-request-headers");
    let answer = Answer::empty(204)
        .with("access-control-allow-origin", origin)
        .with("access-control-allow-methods", "GET, HEAD, POST")
        .with(
            "access-control-allow-headers",
            headers.unwrap_or_else(|| HEADERS.to_owned()),
        )
        .with("access-control-max-age", "7200")
        .with(
            "vary",
            "origin, access-control-request-method, access-control-request-headers",
        );
    Some(Step::Reply(Reply {
        answer,
        logged_path: Some(request.without_token_parameters().into_owned()),
        log_entry: None,
    }))
}

/// The answer to OPTIONS that is no preflight, of a stream that may play.
pub(super) fn options<H: Head, E: Host>(request: &PlaybackRequest<'_, H, E>) -> Step {
    Step::Reply(Reply {
        answer: Answer::empty(204)
            .with("allow", "GET, HEAD, OPTIONS")
            .readable(),
        logged_path: Some(request.without_token_parameters().into_owned()),
        log_entry: None,
    })
}

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// Whether it asks what may be asked.
    pub(super) fn asks_for_options(&self) -> bool {
        self.method() == b"OPTIONS"
    }

    /// Whether a browser asks first what it may ask for.
    pub(super) fn is_preflight(&self) -> bool {
        let head = self.asked.head;
        self.asks_for_options()
            && head.header("origin").is_some()
            && head.header("access-control-request-method").is_some()
    }
}
