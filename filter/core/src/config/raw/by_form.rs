//! What may be written in more than one form: told apart by what kind of value it is.
//!
//! serde's `untagged` does the same, by trying each form on a copy; it takes some 10 KB of the
//! filter.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Number;
use streamgate_values::decimal;

use super::super::located::Located;
use super::super::tree::Tree;
use super::policies::{RawHttps, RawMessage, RawOther, RawTest, RawUrl, RawValue, RawValues};
use super::sessions::{RawSecret, RawSecrets};
use crate::named::Named;

/// Reads a type whose form `read` knows. Where it is of none, that is all that is said.
macro_rules! by_form {
    ($($kind:ty: $read:ident, $expected:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let tree = Tree::deserialize(deserializer)?;
                $read(&tree).ok_or_else(|| D::Error::custom($expected))
            }
        }
    )*};
}

by_form! {
    RawUrl: url, "expected an https URL, or several by language: {en: …, de: …}";
    RawMessage: message, "expected a text, or texts by language: {en: …, de: …}";
    RawTest: test, "expected a value, a list of values, or one of {not: …}, {present: …}, \
                    {at_least: …}, {at_most: …}, {above: …}, {below: …}";
    RawSecrets: secrets, "expected a secret (a text or {env: NAME}) or a list of secrets";
}

fn url(tree: &Tree) -> Option<RawUrl> {
    match tree {
        Tree::Text(url) => Some(RawUrl::Text(RawHttps(url.clone()))),
        _ => by_language(tree, |url| RawHttps(url.to_owned())).map(RawUrl::ByLanguage),
    }
}

fn message(tree: &Tree) -> Option<RawMessage> {
    match tree {
        Tree::Text(text) => Some(RawMessage::Text(text.clone())),
        _ => by_language(tree, str::to_owned).map(RawMessage::ByLanguage),
    }
}

fn by_language<T>(tree: &Tree, of: impl Fn(&str) -> T) -> Option<Named<T>> {
    let Tree::Fields(fields) = tree else {
        return None;
    };
    let mut texts = Named::default();
    for (tag, text) in fields {
        let Tree::Text(text) = text else {
            return None;
        };
        texts.set(tag.clone(), of(text));
    }
    Some(texts)
}

fn test(tree: &Tree) -> Option<RawTest> {
    match tree {
        Tree::Fields(fields) => match fields.as_slice() {
            [(name, content)] => other(name, content).map(RawTest::Other),
            _ => None,
        },
        _ => match values(tree)? {
            RawValues::One(value) => Some(RawTest::Equals(value)),
            RawValues::Several(values) => Some(RawTest::AnyOf(values)),
        },
    }
}

fn other(name: &str, content: &Tree) -> Option<RawOther> {
    let bound = match content {
        Tree::Number(number) => number.as_f64(),
        _ => None,
    };
    match (name, content) {
        ("not", _) => values(content).map(RawOther::Not),
        ("present", Tree::Truth(wanted)) => Some(RawOther::Present(*wanted)),
        ("at_least", _) => bound.map(RawOther::AtLeast),
        ("at_most", _) => bound.map(RawOther::AtMost),
        ("above", _) => bound.map(RawOther::Above),
        ("below", _) => bound.map(RawOther::Below),
        _ => None,
    }
}

fn values(tree: &Tree) -> Option<RawValues> {
    match tree {
        Tree::List(list) => {
            let values: Option<_> = list.iter().map(value).collect();
            values.map(RawValues::Several)
        }
        _ => value(tree).map(RawValues::One),
    }
}

fn value(tree: &Tree) -> Option<RawValue> {
    match tree {
        Tree::Text(text) => Some(RawValue::Text(text.clone())),
        Tree::Truth(truth) => Some(RawValue::Truth(*truth)),
        Tree::Number(number) => written(number).map(RawValue::Number),
        _ => None,
    }
}

/// A number as it is written; `None` with too many digits.
fn written(number: &Number) -> Option<String> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(whole), ..) => Some(whole.to_string()),
        (None, Some(whole), _) => Some(whole.to_string()),
        (None, None, number) => number.and_then(decimal::write),
    }
}

fn secrets(tree: &Tree) -> Option<RawSecrets> {
    let secret = |tree| RawSecret::deserialize(Located(tree)).ok();
    match tree {
        Tree::List(list) => {
            let secrets: Option<_> = list.iter().map(secret).collect();
            secrets.map(RawSecrets::Several)
        }
        _ => secret(tree).map(RawSecrets::One),
    }
}
