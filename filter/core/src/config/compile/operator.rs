//! The operator's door.

use streamgate_values::subject::SubjectHasher;

use super::super::limits::{DECISIONS, OPERATOR_KEYS};
use super::super::raw::RawOperator;
use super::super::{Operator, OperatorKeys};
use super::check::{Check, item, shown};

impl Check<'_> {
    pub(super) fn operator(&mut self, raw: &RawOperator, hasher: &SubjectHasher) -> Operator {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let mut segments = raw.prefix.strip_prefix('/').unwrap_or_default().split('/');
        let is_segment = |segment: &str| {
            let dots = segment.bytes().all(|byte| byte == b'.');
            !dots && segment.bytes().all(is_plain)
        };
        if !segments.all(is_segment) {
            self.wrong(
                "operator.prefix",
                shown("operator.prefix", &raw.prefix),
                "a path such as \"/streamgate\": a slash in front, none at the end, and of letters, \
                 digits, `.`, `_` and `-`",
            );
        }
        if !(1..=OPERATOR_KEYS).contains(&raw.keys.len()) {
            let found = format!("{} keys", raw.keys.len());
            self.wrong("operator.keys", found, format!("1 to {OPERATOR_KEYS} keys"));
        }
        let keys = raw.keys.iter().enumerate();
        let keys: Vec<String> = keys
            .map(|(at, key)| self.secret(&item("operator.keys", at), key))
            .collect();
        self.range("operator.decisions", raw.decisions, DECISIONS, "decisions");
        Operator {
            prefix: raw.prefix.clone(),
            keys: OperatorKeys::new(hasher, keys.iter().map(String::as_bytes)),
            decisions: raw.decisions,
        }
    }
}
