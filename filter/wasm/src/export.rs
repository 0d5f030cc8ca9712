//! What Envoy calls for each request, in the place of the SDK's callbacks of these names:
//! `scripts/build` gives them the names that Envoy knows. The SDK keeps a context for every
//! request; here a request is remembered for as long as it waits for something, and nearly
//! none does (docs/decisions/0014-requests-without-contexts.md).

// Functions of the SDK are called by the names they have for the linker, and ours get
// names for Envoy.
#![allow(unsafe_code)]

use crate::go::Go;
use crate::requests::with_requests;

unsafe extern "C" {
    // As the SDK declares them, to the letter: the linker takes a call with other types for
    // one to nowhere.
    fn proxy_on_context_create(context: u32, root: u32);
    fn proxy_on_delete(context: u32);
}

/// `proxy_on_context_create`: a root context, whose parent is none, is the SDK's.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_context_create(context: u32, root: u32) {
    match root {
        // SAFETY: the SDK's function, with the arguments that Envoy gives it.
        0 => unsafe { proxy_on_context_create(context, root) },
        root => with_requests(|requests| requests.on_create(context, root)),
    }
}

/// `proxy_on_delete`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_delete(context: u32) {
    if with_requests(|requests| requests.is_root(context)) {
        // SAFETY: as above.
        unsafe { proxy_on_delete(context) }
    } else {
        with_requests(|requests| requests.on_delete(context));
    }
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
