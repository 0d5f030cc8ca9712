//! Calls that Envoy makes for the filter. The SDK's function for them keeps each call's token until
//! its own callback sees the answer, which is not the one that Envoy calls here.

// The host's function is declared by hand.
#![allow(unsafe_code)]

const OK: u32 = 0;

/// No trailers, as the ABI has them: that there are none.
const NO_TRAILERS: [u8; 4] = [0; 4];

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    // As the SDK declares it.
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_ms: u32,
        token: *mut u32,
    ) -> u32;
}

/// Makes a call; its token, or `None` where Envoy makes none.
pub(super) fn http_call(
    cluster: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    timeout_ms: u64,
) -> Option<u32> {
    let headers = written(headers)?;
    let timeout_ms = u32::try_from(timeout_ms).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: the host reads as many bytes as it is told are there, and writes the token.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            NO_TRAILERS.as_ptr(),
            NO_TRAILERS.len(),
            timeout_ms,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

/// Headers as the ABI has them: how many there are, how long each name and value is, and then all
/// of them, each with a zero after it.
fn written(headers: &[(&str, &str)]) -> Option<Vec<u8>> {
    let mut out = u32::try_from(headers.len()).ok()?.to_le_bytes().to_vec();
    let texts = || headers.iter().flat_map(|(name, value)| [*name, *value]);
    for text in texts() {
        out.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
    }
    for text in texts() {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    Some(out)
}
