//! HTTP Basic, as the session API uses it: the user name is the application id, the
//! password its secret, or empty where it has none (contract, section 2).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use streamgate_policy::Application;
use streamgate_values::text::split_once;

use crate::config::{Config, SessionApi};

/// The application that calls; `None` without credentials or with ones nobody has.
pub(super) fn application<'a>(
    config: &'a Config,
    api: &SessionApi,
    authorization: Option<&[u8]>,
) -> Option<&'a Arc<Application>> {
    let (scheme, encoded) = split_once(authorization?, b' ')?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let (id, password) = split_once(&decoded, b':')?;
    let id = core::str::from_utf8(id).ok()?;
    // The password first: an unknown application takes as long as a known one.
    let is_admitted = api.secrets.admit(&config.hasher, id, password);
    let application = config.records.book.application(id);
    application.filter(|_| is_admitted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{config_with, test};

    #[test]
    fn only_a_known_application_with_its_own_password_is_let_in() {
        let config = config_with(|json| {
            json["applications"][1]["secret"] = json!("the secret of televisions");
        })
        .unwrap();
        let api = config.session_api.as_ref().unwrap();
        let let_in = |header: &str| application(&config, api, Some(header.as_bytes())).is_some();
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(let_in(&basic("web:")));
        assert!(let_in(&basic("web:").replace("Basic", "bAsIc")));
        assert!(let_in(&basic("tv:the secret of televisions")));
        assert!(!let_in(&basic("tv:")));
        assert!(!let_in(&basic("tv:the secret of television")));
        assert!(!let_in(&basic("tv:the secret of televisions:")));
        assert!(!let_in(&basic("web:the secret of televisions")));
        assert!(!let_in(&basic("web:x")));
        assert!(!let_in(&basic("web")));
        assert!(!let_in(&basic("nobody:")));
        assert!(!let_in("Basic !!!"));
        assert!(!let_in("Bearer abc"));
        assert!(!let_in(""));
        assert!(application(&config, api, None).is_none());
        assert!(application(&config, api, Some(b"Basic \xff\xfe")).is_none());
        let latin = format!("Basic {}", STANDARD.encode(b"w\xffb:"));
        assert!(!let_in(&latin));
    }
}
