//! Reading the types in [`super::raw`] from a [`Tree`], with the path of the field where
//! that fails.
//!
//! `serde_path_to_error` does the same around any format, at the price of wrapping every
//! type's code several times over: it made up a quarter of the filter.

use core::slice::Iter;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::tree::Tree;
use super::trouble::Trouble;

/// A value, to be read.
#[derive(Clone, Copy)]
pub(super) struct Located<'de>(pub(super) &'de Tree);

impl<'de> Located<'de> {
    fn found(self) -> Unexpected<'de> {
        match self.0 {
            Tree::Null => Unexpected::Unit,
            Tree::Truth(truth) => Unexpected::Bool(*truth),
            Tree::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Unexpected::Unsigned(number),
                (None, Some(number)) => Unexpected::Signed(number),
                (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
            },
            Tree::Text(text) => Unexpected::Str(text),
            Tree::List(_) => Unexpected::Seq,
            Tree::Fields(_) => Unexpected::Map,
            // For whoever takes any kind of value: all of them take a text.
            Tree::Hole => Unexpected::Str(""),
        }
    }

    // What follows is the same for every type: the compiler makes its code once, and for each type
    // what depends on that.

    #[cold]
    #[inline(never)]
    fn refused(self, expected: &dyn Expected) -> Trouble {
        Error::invalid_type(self.found(), expected)
    }

    #[inline(never)]
    fn text(self, expected: &dyn Expected) -> Result<&'de str, Trouble> {
        match self.0 {
            Tree::Text(text) => Ok(text),
            Tree::Hole => Ok(""),
            _ => Err(self.refused(expected)),
        }
    }

    #[inline(never)]
    fn list(self, expected: &dyn Expected) -> Result<Values<'de>, Trouble> {
        let values: &[Tree] = match self.0 {
            Tree::List(values) => values,
            Tree::Hole => &[],
            _ => return Err(self.refused(expected)),
        };
        Ok(Values(values.iter().enumerate()))
    }

    /// The fields; a hole has all of these `names`.
    #[inline(never)]
    fn fields(
        self,
        names: &'static [&'static str],
        expected: &dyn Expected,
    ) -> Result<Fields<'de>, Trouble> {
        match self.0 {
            Tree::Fields(fields) => Ok(Fields::new(fields)),
            Tree::Hole => Ok(Fields::holes(names)),
            _ => Err(self.refused(expected)),
        }
    }

    #[inline(never)]
    fn variant(self, variants: &'static [&'static str]) -> Result<Variant<'de>, Trouble> {
        let (name, content) = match self.0 {
            Tree::Hole => (variants.first().copied().unwrap_or_default(), Some(self)),
            Tree::Text(name) => (name.as_str(), None),
            Tree::Fields(fields) => match fields.as_slice() {
                [(name, content)] => (name.as_str(), Some(Located(content))),
                _ => {
                    let expected = &"one name with its value";
                    return Err(Error::invalid_value(Unexpected::Map, expected));
                }
            },
            _ => return Err(self.refused(&"a name, or one with its value")),
        };
        Ok(Variant { name, content })
    }

    /// A number; for a hole a whole one that fits any type.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match (self.0, self.found()) {
            (Tree::Hole, _) => visitor.visit_u64(0),
            (_, Unexpected::Unsigned(number)) => visitor.visit_u64(number),
            (_, Unexpected::Signed(number)) => visitor.visit_i64(number),
            (_, Unexpected::Float(number)) => visitor.visit_f64(number),
            _ => Err(self.refused(&visitor)),
        }
    }
}

impl<'de> Deserializer<'de> for Located<'de> {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match self.0 {
            Tree::List(values) => visitor.visit_seq(Values(values.iter().enumerate())),
            Tree::Fields(fields) => visitor.visit_map(Fields::new(fields)),
            _ => match self.found() {
                Unexpected::Bool(truth) => visitor.visit_bool(truth),
                Unexpected::Unsigned(number) => visitor.visit_u64(number),
                Unexpected::Signed(number) => visitor.visit_i64(number),
                Unexpected::Float(number) => visitor.visit_f64(number),
                Unexpected::Str(text) => visitor.visit_borrowed_str(text),
                _ => visitor.visit_unit(),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let text = self.text(&visitor)?;
        visitor.visit_str(text)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let list = self.list(&visitor)?;
        visitor.visit_seq(list)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let fields = self.fields(&[], &visitor)?;
        visitor.visit_map(fields)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        let fields = self.fields(names, &visitor)?;
        visitor.visit_map(fields)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        visitor.visit_enum(self.variant(variants)?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        match self.0 {
            Tree::Hole => visitor.visit_bool(false),
            Tree::Truth(truth) => visitor.visit_bool(*truth),
            _ => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        self.number(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 char str bytes byte_buf unit
        unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// A list's values.
struct Values<'de>(core::iter::Enumerate<Iter<'de, Tree>>);

impl<'de> SeqAccess<'de> for Values<'de> {
    type Error = Trouble;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Trouble> {
        let Some((index, value)) = self.0.next() else {
            return Ok(None);
        };
        match seed.deserialize(Located(value)) {
            Ok(value) => Ok(Some(value)),
            Err(trouble) => Err(trouble.at_index(index)),
        }
    }
}

/// Fields, by name.
struct Fields<'de> {
    rest: Iter<'de, (String, Tree)>,
    /// Names of fields that are all holes.
    holes: Iter<'static, &'static str>,
    /// The field whose name was read and whose value was not.
    current: (&'de str, &'de Tree),
}

impl<'de> Fields<'de> {
    fn new(fields: &'de [(String, Tree)]) -> Self {
        Self {
            rest: fields.iter(),
            holes: [].iter(),
            current: ("", &Tree::Null),
        }
    }

    fn holes(names: &'static [&'static str]) -> Self {
        Self {
            rest: [].iter(),
            holes: names.iter(),
            current: ("", &Tree::Null),
        }
    }

    fn field(&mut self) -> Option<(&'de str, &'de Tree)> {
        let written = self.rest.next().map(|(name, value)| (name.as_str(), value));
        written.or_else(|| self.holes.next().map(|name| (*name, &Tree::Hole)))
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Trouble;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Trouble> {
        let Some((name, value)) = self.field() else {
            return Ok(None);
        };
        self.current = (name, value);
        match seed.deserialize(StrDeserializer::<Trouble>::new(name)) {
            Ok(name) => Ok(Some(name)),
            Err(trouble) => Err(trouble.in_field(name)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Trouble> {
        let (name, value) = self.current;
        seed.deserialize(Located(value))
            .map_err(|trouble| trouble.in_field(name))
    }
}

/// One of several possibilities: its name alone, or with what belongs to it.
struct Variant<'de> {
    name: &'de str,
    content: Option<Located<'de>>,
}

impl Variant<'_> {
    #[cold]
    #[inline(never)]
    fn lacks_value(&self) -> Trouble {
        let expected = format!("{{{}: …}}", self.name);
        Error::invalid_type(Unexpected::UnitVariant, &expected.as_str())
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Trouble;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Trouble> {
        let name = seed.deserialize(StrDeserializer::new(self.name))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Trouble;

    fn unit_variant(self) -> Result<(), Trouble> {
        match self.content {
            None | Some(Located(Tree::Null | Tree::Hole)) => Ok(()),
            Some(content) => {
                let trouble: Trouble = Error::invalid_type(content.found(), &"the name alone");
                Err(trouble.in_field(self.name))
            }
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Trouble> {
        let Some(content) = self.content else {
            return Err(self.lacks_value());
        };
        seed.deserialize(content)
            .map_err(|trouble| trouble.in_field(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Trouble> {
        Err(Error::invalid_type(Unexpected::Map, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        Err(Error::invalid_type(Unexpected::Map, &visitor))
    }
}
