//! The two ways in which Envoy hands a configuration over.
//!
//! Written as `google.protobuf.StringValue` it arrives as its text, which has to be
//! JSON. Written as `google.protobuf.Struct`, inline in Envoy's own YAML, it
//! arrives as that message in protobuf's binary encoding (whatever Envoy's
//! documentation says of JSON); this module turns it into the same tree.

use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Value as ProtoValue};
use serde_json::Number;

use super::tree::Tree;

/// The value of an encoded `Struct`; `None` if the bytes are none. No JSON text is
/// one: its first brace would have to be both a length and a field's tag.
pub(super) fn decode_struct(bytes: &[u8]) -> Option<Tree> {
    Struct::decode(bytes).ok().map(fields)
}

fn fields(message: Struct) -> Tree {
    let fields = message.fields.into_iter();
    Tree::Fields(fields.map(|(name, field)| (name, value(field))).collect())
}

fn value(message: ProtoValue) -> Tree {
    match message.kind {
        None | Some(Kind::NullValue(_)) => Tree::Null,
        Some(Kind::NumberValue(number)) => self::number(number),
        Some(Kind::StringValue(text)) => Tree::Text(text),
        Some(Kind::BoolValue(truth)) => Tree::Truth(truth),
        Some(Kind::StructValue(message)) => fields(message),
        Some(Kind::ListValue(list)) => Tree::List(list.values.into_iter().map(value).collect()),
    }
}

/// A `Struct` knows floating-point numbers only: whole ones become integers again.
fn number(number: f64) -> Tree {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Tree::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Tree::Null, Tree::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn text(text: &str) -> ProtoValue {
        ProtoValue {
            kind: Some(Kind::StringValue(text.to_owned())),
        }
    }

    #[test]
    fn a_struct_becomes_the_json_it_was_written_as() {
        let inner = Struct {
            fields: [("b".to_owned(), text("x"))].into(),
        };
        let list = prost_types::ListValue {
            values: vec![
                ProtoValue {
                    kind: Some(Kind::NumberValue(3.0)),
                },
                ProtoValue {
                    kind: Some(Kind::NumberValue(0.5)),
                },
                ProtoValue {
                    kind: Some(Kind::BoolValue(true)),
                },
                ProtoValue {
                    kind: Some(Kind::StructValue(inner)),
                },
            ],
        };
        let message = Struct {
            fields: [(
                "a".to_owned(),
                ProtoValue {
                    kind: Some(Kind::ListValue(list)),
                },
            )]
            .into(),
        };
        let expected = serde_json::from_str(r#"{"a": [3, 0.5, true, {"b": "x"}]}"#).ok();
        assert_eq!(decode_struct(&message.encode_to_vec()), expected);
    }

    #[test]
    fn json_text_is_no_struct() {
        for json in [
            "{}",
            "\n{}",
            "\n{\"applications\": []}",
            " ",
            "\n\n",
            "[]",
            "{\"a\":1}\n",
        ] {
            assert_eq!(decode_struct(json.as_bytes()), None, "{json:?}");
        }
    }
}
