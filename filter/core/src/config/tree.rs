//! A configuration as it was written, before anybody asks what it means.
//!
//! JSON text and an inline `Struct` both become this, so that the types in
//! [`super::raw`] are read from one thing only: the compiler makes their code once.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use streamgate_values::compact::Writer;
use streamgate_values::sorted::sorted_by_key;

/// A value.
#[derive(Debug, PartialEq)]
pub(crate) enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Fields in the order in which they stand; a name that stands twice is here twice.
    Fields(Vec<(String, Self)>),
    /// In place of a value that was wrong and is told: it is read as whatever is wanted, so
    /// that what is wrong elsewhere is told as well. Nobody writes it.
    Hole,
}

/// One step into a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathStep {
    /// Into the field of this name.
    Field(String),
    /// Into the list's item at this index, the first being 0.
    Item(usize),
}

impl Tree {
    /// A floating-point number. A whole one is an integer: a `Struct` knows no other numbers, and
    /// tools that write JSON write `1e+06`.
    pub(super) fn of_double(number: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return Self::Number(Number::from(number as i64));
        }
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }

    /// It in one spelling, whatever the order of its fields: Envoy hands them over in any.
    pub(super) fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null | Self::Hole => out.put(b"z"),
            Self::Truth(truth) => out.put(if *truth { b"t" } else { b"f" }),
            Self::Number(number) => {
                out.put(b"n");
                // An inline `Struct` has no whole numbers.
                out.put(&number.as_f64().unwrap_or_default().to_be_bytes());
            }
            Self::Text(text) => {
                out.put(b"s");
                out.put_text(text);
            }
            Self::List(items) => {
                out.put(b"l");
                out.put_number(items.len());
                for item in items {
                    item.write(out);
                }
            }
            Self::Fields(fields) => {
                out.put(b"m");
                out.put_number(fields.len());
                for (name, value) in sorted_by_key(fields, |(name, _)| name.as_str()) {
                    out.put_text(name);
                    value.write(out);
                }
            }
        }
    }

    /// Does something to every value that `steps` lead to: a name may stand twice.
    pub(super) fn at(&mut self, steps: &[PathStep], change: &mut dyn FnMut(&mut Self)) {
        let Some((step, rest)) = steps.split_first() else {
            return change(self);
        };
        match (step, self) {
            (PathStep::Field(name), Self::Fields(fields)) => {
                for (_, value) in fields.iter_mut().filter(|(known, _)| known == name) {
                    value.at(rest, change);
                }
            }
            (PathStep::Item(index), Self::List(values)) => {
                if let Some(value) = values.get_mut(*index) {
                    value.at(rest, change);
                }
            }
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::of_double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Tree::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Fields(fields))
    }
}
