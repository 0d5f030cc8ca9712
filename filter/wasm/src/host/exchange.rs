//! What Envoy is asked about a request and its response, and told to do with them.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};
use streamgate_core::exchange::Answer;

/// What Envoy knows of the request or response that is acted for.
pub(crate) fn property(path: Vec<&str>) -> Option<Vec<u8>> {
    hostcalls::get_property(path).ok().flatten()
}

/// The path of the request that is acted for.
pub(crate) fn request_path() -> Option<Vec<u8>> {
    request_header(":path")
}

/// The first value of a header of the request that is acted for.
pub(crate) fn request_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name)
        .ok()
        .flatten()
}

/// All headers of the request that is acted for, as the ABI lays them out; nothing where there are
/// none. The SDK takes each of them apart into two allocations, and traps on a name that is not UTF-8.
#[allow(unsafe_code)]
pub(crate) fn request_headers() -> Vec<u8> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        // As the SDK declares it, but for a status that is a number.
        fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    }
    const REQUEST_HEADERS: u32 = 0;
    let (mut data, mut size) = (core::ptr::null_mut(), 0);
    // SAFETY: both places are valid for writes.
    let status =
        unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut data, &raw mut size) };
    if status != 0 || data.is_null() {
        return Vec::new();
    }
    // SAFETY: the host has had these bytes allocated by this module's `malloc`, the SDK's, which gives a
    // vector of exactly this capacity away, and has filled them.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

/// Answers the request that is acted for.
pub(crate) fn answer(answer: &Answer) {
    let headers = answer.headers.iter();
    let headers = headers
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    let body = (!answer.body.is_empty()).then_some(answer.body.as_slice());
    let _ = hostcalls::send_http_response(u32::from(answer.status), headers, body);
}

/// Lets the request that is acted for go on.
pub(crate) fn resume_request() {
    let _ = hostcalls::resume_http_request();
}

/// Lets the response that is acted for go on.
pub(crate) fn resume_response() {
    let _ = hostcalls::resume_http_response();
}

/// The first bytes of the request's body, at most this many.
pub(crate) fn request_body(length: usize) -> Vec<u8> {
    let body = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, length);
    body.ok().flatten().unwrap_or_default()
}

/// The status of the response; 0 without one.
pub(crate) fn response_status() -> u16 {
    hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, ":status")
        .ok()
        .flatten()
        .and_then(|status| core::str::from_utf8(&status).ok()?.parse().ok())
        .unwrap_or_default()
}

/// A header of the response.
pub(crate) fn response_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name)
        .ok()
        .flatten()
}

/// Sets a header of the response, or removes it where there is no value.
pub(crate) fn set_response_header(name: &str, value: Option<&str>) {
    let _ = hostcalls::set_map_value(MapType::HttpResponseHeaders, name, value);
}

/// Removes a trailer of the response.
pub(crate) fn remove_response_trailer(name: &str) {
    let _ = hostcalls::set_map_value(MapType::HttpResponseTrailers, name, None);
}

/// The piece of the response's body, this long, whose callback is running.
pub(crate) fn response_body(length: usize) -> Vec<u8> {
    let body = hostcalls::get_buffer(BufferType::HttpResponseBody, 0, length);
    body.ok().flatten().unwrap_or_default()
}

/// Adds a header to the response.
pub(crate) fn add_response_header(name: &str, value: &str) {
    let _ = hostcalls::add_map_value(MapType::HttpResponseHeaders, name, value);
}

/// Sets a header of the request, or removes it where there is no value.
pub(crate) fn set_request_header(name: &str, value: Option<&[u8]>) {
    let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, value);
}

/// Replaces all headers of the response.
pub(crate) fn replace_response_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a String)>) {
    let headers = headers.map(|(name, value)| (name, value.as_str()));
    let _ = hostcalls::set_map(MapType::HttpResponseHeaders, headers.collect());
}

/// Replaces the piece of the response's body, this long, whose callback is running.
pub(crate) fn replace_response_body(length: usize, body: &[u8]) {
    let _ = hostcalls::set_buffer(BufferType::HttpResponseBody, 0, length, body);
}

/// Replaces the request's path. Envoy chooses the route anew, as it does for modules of this
/// version of the ABI whenever a header of a request changes.
pub(crate) fn replace_path(path: &[u8]) {
    set_request_header(":path", Some(path));
}
