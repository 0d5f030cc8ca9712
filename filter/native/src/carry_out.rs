//! What is done to a request or to its response, once it was decided.

use std::borrow::Cow;

use streamgate_core::exchange::{Answer, LogEntry, Reply};
use streamgate_core::playback::{Rewrite, Scrub};

use crate::envoy::{Headers, HttpStream};
use crate::manifest::WholeManifest;
use crate::route;

/// The request goes on, without what it is not to take along.
pub(crate) fn forward(stream: HttpStream, strip: usize, scrub: &Scrub, path: Option<&[u8]>) {
    if let Some(path) = &scrub.path {
        replace_path(stream, path);
    } else if strip > 0 {
        let path = path.map_or_else(
            || Cow::Owned(stream.header(Headers::Request, ":path").unwrap_or_default()),
            Cow::Borrowed,
        );
        replace_path(stream, path.get(strip..).unwrap_or(&path));
    }
    for (name, value) in &scrub.headers {
        stream.set_header(Headers::Request, name, value.as_deref());
    }
    if scrub.referer {
        stream.set_header(Headers::Request, "referer", None);
    }
}

/// Replaces the request's path, and has Envoy choose the route anew, unless that is to stay.
fn replace_path(stream: HttpStream, path: &[u8]) {
    stream.set_header(Headers::Request, ":path", Some(path));
    route::choose_anew(stream);
}

/// Has a request answered by the filter.
pub(crate) fn reply(stream: HttpStream, reply: &Reply) {
    if let Some(path) = &reply.logged_path {
        stream.set_header(Headers::Request, ":path", Some(path));
        stream.set_header(Headers::Request, "referer", None);
    }
    answer(stream, &reply.answer);
}

fn answer(stream: HttpStream, answer: &Answer) {
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_ref(), value.as_str()));
    stream.send_response(answer.status, headers, &answer.body, "streamgate");
}

/// Puts the answer in the place of the origin's response; what the body is to be. An answer of the
/// filter's own would go past the filters in front of it at this point, CORS among them, and no page
/// could read it. Where the response has no body, the answer has none.
pub(crate) fn answer_instead(stream: HttpStream, answer: Answer, ends: bool) -> Vec<u8> {
    let response = Headers::Response;
    let body = if ends { Vec::new() } else { answer.body };
    for name in stream.header_names(response) {
        if !name.starts_with(b":") {
            stream.set_header_bytes(response, &name, None);
        }
    }
    let status = answer.status.to_string();
    stream.set_header(response, ":status", Some(status.as_bytes()));
    stream.add_response_header("content-length", &body.len().to_string());
    for (name, value) in &answer.headers {
        stream.add_response_header(name, value);
    }
    body
}

/// The response's headers change with its body, a manifest that was rewritten, `length` bytes long now.
pub(crate) fn describe(stream: HttpStream, length: usize) {
    let etag = stream.header(Headers::Response, "etag");
    Rewrite::describe(Some(length), etag, |name, value| {
        stream.set_header(Headers::Response, name, value.map(str::as_bytes));
    });
}

/// What trailers say of the bytes of a manifest that was rewritten goes.
pub(crate) fn describe_trailers(stream: HttpStream) {
    Rewrite::describe_trailers(|name| {
        stream.set_header(Headers::ResponseTrailers, name, None);
    });
}

/// A manifest is answered anew, with what is needed of the response's headers.
pub(crate) fn answer_with(stream: HttpStream, whole: WholeManifest) {
    let mut anew = Answer::empty(200);
    anew.headers.clear();
    anew.body = whole.body;
    for name in [
        "content-type",
        "cache-control",
        "access-control-allow-origin",
    ] {
        if let Some(value) = stream.header(Headers::Response, name)
            && let Ok(value) = String::from_utf8(value)
        {
            anew = anew.with(name, value);
        }
    }
    if whole.is_packed {
        anew = anew.with("content-encoding", "gzip");
    }
    answer(stream, &anew);
}

/// The status of the response; 0 without one.
pub(crate) fn response_status(stream: HttpStream) -> u16 {
    let status = stream.header(Headers::Response, ":status");
    let status = status.and_then(|status| core::str::from_utf8(&status).ok()?.parse().ok());
    status.unwrap_or_default()
}

/// Hands a decision to the access log, by the name that the Wasm filter gives it, so that one
/// log format does for both: `%FILTER_STATE(wasm.streamgate:PLAIN)%`, an object of JSON.
pub(crate) fn tell(stream: HttpStream, log_entry: &LogEntry) {
    stream.set_state("wasm.streamgate", &log_entry.to_json());
}
