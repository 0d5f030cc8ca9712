//! HTTP Basic, as the session API uses it: the user name is the application id, the
//! password is empty (contract, section 2).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::policy::{Application, PolicyBook};
use crate::text::split_once;

/// The application that calls; `None` without credentials or with ones nobody has.
pub(super) fn application<'a>(
    book: &'a PolicyBook,
    authorization: Option<&[u8]>,
) -> Option<&'a Arc<Application>> {
    let (scheme, encoded) = split_once(authorization?, b' ')?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let (id, password) = split_once(&decoded, b':')?;
    if !password.is_empty() {
        return None;
    }
    book.application(core::str::from_utf8(id).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn only_a_known_application_with_an_empty_password_is_let_in() {
        let mut book = PolicyBook::new(64);
        book.add_application("demo-web", "Demo", "demo", &[])
            .unwrap();
        let let_in = |header: &str| application(&book, Some(header.as_bytes())).is_some();
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(let_in(&basic("demo-web:")));
        assert!(let_in(&basic("demo-web:").replace("Basic", "bAsIc")));
        assert!(!let_in(&basic("demo-web:x")));
        assert!(!let_in(&basic("demo-web")));
        assert!(!let_in(&basic("nobody:")));
        assert!(!let_in("Basic !!!"));
        assert!(!let_in("Bearer abc"));
        assert!(!let_in(""));
        assert!(application(&book, None).is_none());
        assert!(application(&book, Some(b"Basic \xff\xfe")).is_none());
    }
}
