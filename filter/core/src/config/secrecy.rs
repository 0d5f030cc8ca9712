//! What may be repeated of a configuration that is wrong.
//!
//! A secret that stands in the wrong place is a secret still. Whatever stands where one
//! belongs, or beside it, is named by its field alone.

use super::limits::SECRET_MIN;

/// In place of what may be a secret.
pub(super) const NOT_SHOWN: &str = "(not shown)";

/// Parts of a configuration that hold secrets, at whatever depth.
const PARTS: [&str; 4] = ["privacy", "cat", "fleet", "operator"];

/// Fields that hold secrets, wherever they stand.
const FIELDS: [&str; 5] = ["signing_keys", "secret", "secrets", "keys", "password"];

/// Fields whose text is a secret, or leads to one: a neighbour of unknown name may be one
/// whose name and value were swapped.
const TEXTS: [&str; 5] = ["secret", "password", "subject_key", "public_key", "env"];

/// Whether secrets stand at this path, or may be meant to.
pub(super) fn holds_secrets(path: &str) -> bool {
    let mut names = path.split(['.', '[']);
    let part = names.next().unwrap_or_default();
    PARTS.contains(&part) || path == "sessions" || names.any(|name| FIELDS.contains(&name))
}

/// Whether a value of the wrong kind may be repeated. As it is written: a text has quotes.
pub(super) fn may_show_value(path: &str, value: &str) -> bool {
    !holds_secrets(path) && value.len() < SECRET_MIN
}

/// Whether a text that is wrong in another way may be repeated.
pub(super) fn may_show_text(path: &str, text: &str) -> bool {
    let names_one = path.ends_with(".id") || path.ends_with(".user");
    !holds_secrets(path) || text.is_empty() || (!names_one && text.len() < SECRET_MIN)
}

/// Whether a name may be repeated that is none of the `expected`, nor near one.
pub(super) fn may_show_name(path: &str, name: &str, expected: &[&str]) -> bool {
    let beside = |names: &[&str]| expected.iter().any(|known| names.contains(known));
    !beside(&TEXTS) && !holds_secrets(path) && (name.len() < SECRET_MIN || !beside(&FIELDS))
}
