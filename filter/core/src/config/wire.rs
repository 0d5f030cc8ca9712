//! The two ways in which Envoy hands a configuration over.
//!
//! Written as `google.protobuf.StringValue` it arrives as its text, which has to be
//! JSON. Written as `google.protobuf.Struct`, inline in Envoy's own YAML, it
//! arrives as that message in protobuf's binary encoding (whatever Envoy's
//! documentation says of JSON); this module turns it into the same tree.

use streamgate_values::compact::Reader;

use super::tree::Tree;

/// How deep values may lie in one another.
const DEPTH_MAX: usize = 100;

/// Tags of `Struct` and of an entry of its map, of `ListValue` and of `Value`, as they are
/// written: a field's number and the kind of what follows.
mod tag {
    pub(super) const ENTRY: u8 = 0x0a;
    pub(super) const NAME: u8 = 0x0a;
    pub(super) const VALUE: u8 = 0x12;
    pub(super) const ITEM: u8 = 0x0a;
    pub(super) const NULL: u8 = 0x08;
    pub(super) const NUMBER: u8 = 0x11;
    pub(super) const TEXT: u8 = 0x1a;
    pub(super) const TRUTH: u8 = 0x20;
    pub(super) const STRUCT: u8 = 0x2a;
    pub(super) const LIST: u8 = 0x32;
}

/// The value of an encoded `Struct`; `None` if the bytes are none. No JSON text is
/// one: its first brace would have to be both a length and a field's tag.
pub(super) fn decode_struct(bytes: &[u8]) -> Option<Tree> {
    fields(bytes, DEPTH_MAX)
}

fn fields(message: &[u8], depth: usize) -> Option<Tree> {
    let mut fields = Vec::new();
    for entry in messages(message, tag::ENTRY) {
        let mut entry = Reader::new(entry?);
        // What is left out is empty.
        let mut field = (String::new(), Tree::Null);
        while !entry.is_empty() {
            match entry.byte()? {
                tag::NAME => entry.text()?.clone_into(&mut field.0),
                tag::VALUE => field.1 = value(message_in(&mut entry)?, depth)?,
                _ => return None,
            }
        }
        fields.push(field);
    }
    Some(Tree::Fields(fields))
}

fn value(message: &[u8], depth: usize) -> Option<Tree> {
    let depth = depth.checked_sub(1)?;
    let mut reader = Reader::new(message);
    let mut value = Tree::Null;
    while !reader.is_empty() {
        value = match reader.byte()? {
            tag::NULL => reader.number().map(|_| Tree::Null)?,
            tag::NUMBER => Tree::of_double(f64::from_le_bytes(reader.array()?)),
            tag::TEXT => Tree::Text(reader.text()?.to_owned()),
            tag::TRUTH => Tree::Truth(reader.number()? != 0),
            tag::STRUCT => fields(message_in(&mut reader)?, depth)?,
            tag::LIST => {
                let items = messages(message_in(&mut reader)?, tag::ITEM);
                Tree::List(
                    items
                        .map(|item| value_of(item, depth))
                        .collect::<Option<_>>()?,
                )
            }
            _ => return None,
        };
    }
    Some(value)
}

fn value_of(message: Option<&[u8]>, depth: usize) -> Option<Tree> {
    value(message?, depth)
}

/// The messages that a message repeats under one tag; `None` where something else stands.
fn messages(message: &[u8], tag: u8) -> impl Iterator<Item = Option<&[u8]>> {
    let mut reader = Reader::new(message);
    core::iter::from_fn(move || {
        if reader.is_empty() {
            return None;
        }
        let is_one = reader.byte() == Some(tag);
        Some(is_one.then(|| message_in(&mut reader)).flatten())
    })
}

fn message_in<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = reader.number()?;
    reader.slice(len)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::value::Kind;
    use prost_types::{Struct, Value as ProtoValue};

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
    fn cut_or_too_deep_messages_are_no_struct() {
        let nested = |depth: usize| {
            let mut value = text("x");
            for _ in 0..depth {
                value = ProtoValue {
                    kind: Some(Kind::ListValue(prost_types::ListValue {
                        values: vec![value],
                    })),
                };
            }
            let fields = [("a".to_owned(), value)].into();
            Struct { fields }.encode_to_vec()
        };
        let bytes = nested(3);
        assert!(decode_struct(&bytes).is_some());
        for len in 1..bytes.len() {
            assert_eq!(decode_struct(&bytes[..len]), None, "cut to {len}");
        }
        assert!(decode_struct(&nested(DEPTH_MAX - 1)).is_some());
        assert_eq!(decode_struct(&nested(DEPTH_MAX)), None);
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
