//! Routes that stay as Envoy has chosen them, though a request's path is changed.

use core::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::envoy::{self, HttpStream, LogLevel};

/// What a route's configuration is called that says that the route is the same for a path with a token in front
/// and for that path without it, so that Envoy need not choose it anew (`per_route_config_name`).
const KEEP: &str = "keep_route";

/// Whether any route was ever given such a configuration. Where none was, no request asks for it.
static ANY: AtomicBool = AtomicBool::new(false);

/// Takes the configuration of a route; null if it is refused, and Envoy's log says why. There is nothing of it to look
/// at: that it is there says all.
pub(crate) fn take_configuration(name: &[u8]) -> *const c_void {
    let is_known = name == KEEP.as_bytes();
    if is_known {
        ANY.store(true, Ordering::Relaxed);
    } else {
        let line = format!(
            "streamgate: a route's configuration refused: per_route_config_name is not {KEEP}"
        );
        envoy::log(LogLevel::Error, &line);
    }
    match is_known {
        true => (&raw const ANY).cast(),
        false => core::ptr::null(),
    }
}

/// Has Envoy choose the route anew for a request whose path was changed, unless its route says that it is kept.
pub(crate) fn choose_anew(stream: HttpStream) {
    if !ANY.load(Ordering::Relaxed) || !stream.has_route_configuration() {
        stream.clear_route();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_may_say_one_thing() {
        for wrong in ["", "keep", "keep_route ", "Keep_Route"] {
            assert!(take_configuration(wrong.as_bytes()).is_null(), "{wrong}");
            assert!(!ANY.load(Ordering::Relaxed));
        }
        assert!(!take_configuration(b"keep_route").is_null());
        assert!(ANY.load(Ordering::Relaxed));
    }
}
