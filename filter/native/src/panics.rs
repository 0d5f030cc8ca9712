//! Panics: none leaves a hook, and tests can ask for one.

use core::panic::AssertUnwindSafe;
use std::panic::{self, catch_unwind};

use crate::envoy::{self, HttpStream, LogLevel};

/// What the hook gives; `None` if it panicked.
pub(crate) fn guarded<R>(hook: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(hook)) {
        Ok(result) => Some(result),
        Err(payload) => {
            // Dropping it could panic again.
            if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                core::mem::forget(another);
            }
            None
        }
    }
}

/// Has panics told in Envoy's log, by where they happened: what they say may hold a part of a
/// request.
pub(crate) fn log_them() {
    panic::set_hook(Box::new(|panic| {
        let line = panic.location().map(ToString::to_string);
        let line = line.unwrap_or_else(|| "an unknown line".to_owned());
        envoy::log(
            LogLevel::Error,
            &format!("streamgate: panicked at {line}; one request is answered with 503"),
        );
    }));
}

/// Panics if the request asks for it with `x-streamgate-panic`. For tests alone.
#[cfg(feature = "panics")]
#[expect(clippy::panic, reason = "it is what a test wants to see")]
pub(crate) fn perhaps(stream: HttpStream, hook: &str) {
    use crate::envoy::Headers;
    let asked = stream.header(Headers::Request, "x-streamgate-panic");
    if asked.as_deref() == Some(hook.as_bytes()) {
        panic!("asked for by a test");
    }
}

/// Nothing: no request can make a hook panic.
#[cfg(not(feature = "panics"))]
pub(crate) const fn perhaps(_: HttpStream, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hook_panics_of_goes_no_further() {
        assert_eq!(guarded(|| 1), Some(1));
        assert_eq!(guarded(|| panic::resume_unwind(Box::new("x"))), None::<u8>);
    }

    /// What panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic::resume_unwind(Box::new(()));
        }
    }

    #[test]
    fn neither_does_what_it_leaves_behind() {
        assert_eq!(guarded(|| panic::resume_unwind(Box::new(Bomb))), None::<u8>);
    }
}
