//! One of the SDK's callbacks, with an answer it does not know.

// A function of the SDK is called by the name it has for the linker.
#![allow(unsafe_code)]

use proxy_wasm::types::Action;

/// Envoy's name for holding back headers, body and all, with the origin made to wait
/// (`FilterHeadersStatus::StopAllIterationAndWatermark`). After a mere pause Envoy goes on
/// to hand over the body, keeps what the filter does not let through, and turns the
/// response into an error when that is too much: a segment of a few megabytes.
const STOP_ALL: u32 = 4;

unsafe extern "C" {
    // As the SDK declares it, to the letter: the linker takes a call with other types for
    // one to nowhere.
    fn proxy_on_response_headers(context: u32, headers: usize, ends: bool) -> Action;
}

/// What Envoy calls as `proxy_on_response_headers`: `scripts/build` gives this its name.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn streamgate_on_response_headers(
    context: u32,
    headers: usize,
    ends: bool,
) -> u32 {
    // SAFETY: the SDK's function, with the arguments that Envoy gives it.
    match unsafe { proxy_on_response_headers(context, headers, ends) } {
        Action::Pause => STOP_ALL,
        action => action as u32,
    }
}
