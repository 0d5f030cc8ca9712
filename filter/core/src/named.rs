//! Values by name, as JSON has them.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A few values, each with a name of its own, by the alphabet of their names.
///
/// A `BTreeMap` does the same; the standard library's code for one takes 5 KB to 8 KB of the
/// filter for every type that is kept so.
#[derive(Debug, Clone)]
pub struct Named<V>(Vec<(String, V)>);

impl<V> Default for Named<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Named<V> {
    /// Names and values, by the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Gives a name its value; it takes the place of what the name had before.
    pub fn set(&mut self, name: String, value: V) {
        match self.index(&name) {
            Ok(index) => {
                if let Some((_, known)) = self.0.get_mut(index) {
                    *known = value;
                }
            }
            Err(index) => self.0.insert(index, (name, value)),
        }
    }

    /// Where a name is; else where it would be.
    fn index(&self, name: &str) -> Result<usize, usize> {
        let by_name = |(known, _): &(String, V)| known.as_str().cmp(name);
        self.0.binary_search_by(by_name)
    }
}

impl<V> Named<Vec<V>> {
    /// Adds a value to those of a name.
    pub fn add(&mut self, name: String, value: V) {
        match self.index(&name) {
            Ok(index) => {
                if let Some((_, known)) = self.0.get_mut(index) {
                    known.push(value);
                }
            }
            Err(index) => self.0.insert(index, (name, vec![value])),
        }
    }
}

impl<V: Serialize> Serialize for Named<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Named<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for NamedVisitor<V> {
    type Value = Named<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<V>, A::Error> {
        let mut named = Named::default();
        while let Some((name, value)) = map.next_entry()? {
            named.set(name, value);
        }
        Ok(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn names_are_in_order_and_each_has_its_latest_value() {
        let text = r#"{"b": 1, "a": 2, "c": 3, "b": 4}"#;
        let named: Named<u8> = serde_json::from_str(text).expect("a map");
        let all: Vec<_> = named.iter().map(|(name, value)| (name, *value)).collect();
        assert_eq!(all, [("a", 2), ("b", 4), ("c", 3)]);
        let written = serde_json::to_string(&named).expect("JSON");
        assert_eq!(written, r#"{"a":2,"b":4,"c":3}"#);

        let mut several: Named<Vec<u8>> = Named::default();
        for (name, value) in [("b", 1), ("a", 2), ("b", 3)] {
            several.add(name.to_owned(), value);
        }
        let written = serde_json::to_string(&several).expect("JSON");
        assert_eq!(written, r#"{"a":[2],"b":[1,3]}"#);
    }
}
