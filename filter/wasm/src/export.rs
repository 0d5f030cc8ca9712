//! What Envoy calls, in the place of the SDK's callbacks of these names: `scripts/build` gives them
//! the names that Envoy knows. The SDK keeps a context for every request; here a request is
//! remembered for as long as it waits for something, and nearly none does
//! (docs/decisions/0014-requests-without-contexts.md).

// Functions get the names they have for the linker.
#![allow(unsafe_code)]

use crate::go::Go;
use crate::requests::{as_worker, with_requests};
use crate::root;

/// `proxy_on_context_create`: a root context is one whose own root is none.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_context_create(context: u32, root: u32) {
    with_requests(|requests| match root {
        0 => requests.add_root(context),
        root => requests.on_create(context, root),
    });
}

/// `proxy_on_configure`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_configure(root: u32, _size: usize) -> bool {
    root::on_configure(root)
}

/// `proxy_on_tick`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_tick(root: u32) {
    as_worker(root, |worker| worker.on_tick());
}

/// `proxy_on_queue_ready`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_queue_ready(root: u32, queue: u32) {
    as_worker(root, |worker| worker.on_wake(queue));
}

/// `proxy_on_http_call_response`: only root contexts make calls.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_http_call_response(
    root: u32,
    token: u32,
    headers: usize,
    body_size: usize,
    _trailers: usize,
) {
    as_worker(root, |worker| worker.on_reply(token, headers, body_size));
}

/// `proxy_on_delete`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_delete(context: u32) {
    with_requests(|requests| match requests.is_root(context) {
        true => requests.remove_root(context),
        false => requests.on_delete(context),
    });
}

/// `proxy_on_request_headers`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_request_headers(
    context: u32,
    _headers: usize,
    ends: bool,
) -> u32 {
    with_requests(|requests| requests.on_request_headers(context, ends)).to_envoy()
}

/// `proxy_on_request_body`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_request_body(context: u32, size: usize, ends: bool) -> u32 {
    with_requests(|requests| requests.on_request_body(context, size, ends)).to_envoy()
}

/// `proxy_on_request_trailers`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_request_trailers(context: u32, _trailers: usize) -> u32 {
    with_requests(|requests| requests.on_request_trailers(context)).to_envoy()
}

/// `proxy_on_response_headers`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_response_headers(
    context: u32,
    _headers: usize,
    ends: bool,
) -> u32 {
    match with_requests(|requests| requests.on_response_headers(context, ends)) {
        Go::Wait => Go::STOP_ALL,
        go @ (Go::On | Go::Collect) => go.to_envoy(),
    }
}

/// `proxy_on_response_body`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_response_body(context: u32, size: usize, ends: bool) -> u32 {
    match with_requests(|requests| requests.on_response_body(context, size, ends)) {
        Go::Collect => Go::KEEP_NOTHING,
        go @ (Go::On | Go::Wait) => go.to_envoy(),
    }
}

/// `proxy_on_response_trailers`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_response_trailers(context: u32, _trailers: usize) -> u32 {
    with_requests(|requests| requests.on_response_trailers(context)).to_envoy()
}
