//! Attributes as they travel: query string, form or a flat JSON object.

use core::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use streamgate_values::attributes::{ATTRIBUTES_MAX, Attributes, NAME_MAX};
use streamgate_values::text::{Malformed, percent_decoded, printable, split_once};

use crate::config::Tree;

/// The longest value, in bytes.
const VALUE_MAX: usize = 256;

/// Why attributes are refused (400). Nothing of them is stored then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributesError {
    /// Broken percent-encoding, not UTF-8, or control characters.
    Malformed,
    /// One name stands there twice.
    Repeated,
    /// Too many, or a name or value too long.
    TooLarge,
    /// JSON that is no flat object of texts, numbers and truth values.
    NotFlat,
}

impl AttributesError {
    /// For the problem text.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Malformed => {
                "attributes must be percent-encoded UTF-8 without control characters, or, with \
                 content-type application/json, a flat JSON object"
            }
            Self::Repeated => "each attribute may be given once",
            Self::TooLarge => {
                "at most 32 attributes, names of at most 64 bytes, values of at most 256 bytes"
            }
            Self::NotFlat => "JSON must be one flat object of texts, numbers and truth values",
        }
    }
}

impl From<Malformed> for AttributesError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads `application/x-www-form-urlencoded` pairs into `attributes`.
///
/// # Errors
///
/// [`AttributesError`]; what was read before the error stays in `attributes`.
pub fn read_attributes(attributes: &mut Attributes, form: &[u8]) -> Result<(), AttributesError> {
    for pair in form.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        let (name, value) = split_once(pair, b'=').unwrap_or((pair, b""));
        // Thrice the bound is the longest a text can be when percent-encoded.
        if name.len() > NAME_MAX.saturating_mul(3) || value.len() > VALUE_MAX.saturating_mul(3) {
            return Err(AttributesError::TooLarge);
        }
        if name.iter().any(|byte| NEVER_IN_NAMES.contains(byte)) {
            return Err(AttributesError::Malformed);
        }
        let (name, value) = (form_decoded(name)?, form_decoded(value)?);
        if is_json(&name, &value) {
            return Err(AttributesError::Malformed);
        }
        add(attributes, name, value)?;
    }
    Ok(())
}

/// Whether a pair is a whole JSON text that was encoded as a name; an `=` in the text may have
/// parted it.
fn is_json(name: &str, value: &str) -> bool {
    let end = if value.is_empty() { name } else { value };
    let mut enclosings = [('{', '}'), ('[', ']'), ('"', '"')].into_iter();
    enclosings.any(|(first, last)| name.starts_with(first) && end.ends_with(last))
}

/// What no form encoder leaves in a name as it is. JSON, XML or a plain text that comes as a
/// form has one of these, and would be stored as an attribute of that name.
const NEVER_IN_NAMES: &[u8] = b"{}\"<>\\ \t\r\n";

/// Reads the body of a call that is sent as a form.
///
/// # Errors
///
/// As [`read_attributes`]; besides, what has no `=` is no form, but a number or a word, and
/// would be stored as an attribute of that name.
pub fn read_form(attributes: &mut Attributes, body: &[u8]) -> Result<(), AttributesError> {
    let is_text = body.iter().any(|byte| *byte != b'&');
    if is_text && !body.contains(&b'=') {
        return Err(AttributesError::Malformed);
    }
    read_attributes(attributes, body)
}

/// Reads a flat JSON object into `attributes`. Numbers are taken as they are written.
///
/// # Errors
///
/// [`AttributesError`]; what was read before the error stays in `attributes`.
pub fn read_json(attributes: &mut Attributes, json: &[u8]) -> Result<(), AttributesError> {
    read_kinds(attributes, json, "")
}

/// The same, with `mark` in front of numbers and truth values. No text holds a control character,
/// so that with one of these they cannot be taken for texts, nor texts for them.
///
/// # Errors
///
/// As [`read_json`].
pub(crate) fn read_kinds(
    attributes: &mut Attributes,
    json: &[u8],
    mark: &str,
) -> Result<(), AttributesError> {
    let mut object = Object {
        attributes,
        mark,
        refused: None,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // Asked for an object, serde_json would say what else it found, numbers and all, which takes
    // 5 KB of the filter: an object takes whatever comes.
    let read = deserializer.deserialize_any(&mut object);
    let read = read.and_then(|()| deserializer.end());
    match object.refused {
        Some(error) => Err(error),
        None => read.map_err(|_| AttributesError::NotFlat),
    }
}

/// Takes the members of an object for attributes.
struct Object<'a> {
    attributes: &'a mut Attributes,
    /// Stands in front of what is no text.
    mark: &'a str,
    /// Why the first thing that is no attribute was refused.
    refused: Option<AttributesError>,
}

impl Object<'_> {
    fn member(&mut self, name: &str, json: &str) -> Result<(), AttributesError> {
        let value = flat(json, self.mark)?;
        let name = printable(name.as_bytes())?.to_owned();
        add(self.attributes, name, value)
    }

    fn refuse<E>(&mut self, error: AttributesError) -> Result<(), E> {
        self.refused.get_or_insert(error);
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flat object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.refuse(AttributesError::NotFlat)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.refuse(AttributesError::NotFlat)
    }

    /// Reads to the end what is refused at its beginning: a body is short.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if self.refused.is_none()
                && let Err(error) = self.member(&name, value.get())
            {
                self.refuse(error)?;
            }
        }
        Ok(())
    }
}

/// A JSON value that is a text, a number or a truth value, as text; the latter with a mark.
fn flat(json: &str, mark: &str) -> Result<String, AttributesError> {
    match json.as_bytes() {
        [b'"', ..] => {
            let Ok(Tree::Text(text)) = serde_json::from_slice(json.as_bytes()) else {
                return Err(AttributesError::Malformed);
            };
            Ok(printable(text.as_bytes())?.to_owned())
        }
        [b'{' | b'[' | b'n', ..] => Err(AttributesError::NotFlat),
        _ => Ok([mark, json].concat()),
    }
}

fn add(attributes: &mut Attributes, name: String, value: String) -> Result<(), AttributesError> {
    if name.is_empty() {
        return Err(AttributesError::Malformed);
    }
    let too_large = name.len() > NAME_MAX || value.len() > VALUE_MAX;
    if too_large || attributes.len() >= ATTRIBUTES_MAX {
        return Err(AttributesError::TooLarge);
    }
    if attributes.value(&name).is_some() {
        return Err(AttributesError::Repeated);
    }
    attributes.set(name, value);
    Ok(())
}

/// In forms a `+` is a space.
fn form_decoded(encoded: &[u8]) -> Result<String, Malformed> {
    let spaced: Vec<u8> = encoded
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decoded(&spaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn read(form: &[u8]) -> Result<Attributes, AttributesError> {
        let mut attributes = Attributes::default();
        read_attributes(&mut attributes, form).map(|()| attributes)
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        let attributes = read(b"channel=News+1&deviceName=Wohnzimmer%20%C3%BC&&flag").unwrap();
        let pairs: Vec<_> = attributes.iter().collect();
        assert_eq!(
            pairs,
            [
                ("channel", "News 1"),
                ("deviceName", "Wohnzimmer ü"),
                ("flag", "")
            ]
        );
    }

    #[test]
    fn bad_input_is_refused_by_kind() {
        use AttributesError::{Malformed, Repeated, TooLarge};
        let many = "x=1&".repeat(33).replace('x', "x{}");
        let many: Vec<String> = many
            .split('&')
            .enumerate()
            .map(|(n, p)| p.replace("{}", &n.to_string()))
            .collect();
        let cases: [(Vec<u8>, AttributesError); 8] = [
            (b"a=%zz".to_vec(), Malformed),
            (b"a=%00".to_vec(), Malformed),
            (b"a=\xff".to_vec(), Malformed),
            (b"=1".to_vec(), Malformed),
            (b"a=1&a=2".to_vec(), Repeated),
            (format!("a={}", "x".repeat(257)).into_bytes(), TooLarge),
            (
                format!("{}=1", "x".repeat(1_000_000)).into_bytes(),
                TooLarge,
            ),
            (many.join("&").into_bytes(), TooLarge),
        ];
        for (form, expected) in cases {
            assert_eq!(read(&form), Err(expected));
        }
    }

    #[test]
    fn what_is_no_form_becomes_no_name() {
        for text in [
            r#"{"deviceId":"tv1"}"#,
            r#" {"deviceId":"tv1"}"#,
            r#"{"a":"x&b=1"}"#,
            r#"["a","b"]"#,
            r#""text""#,
            "<a b=\"c\"/>",
            "some text",
            "a\nb=1",
            "a\\b=1",
        ] {
            let read = read(text.as_bytes());
            assert_eq!(read, Err(AttributesError::Malformed), "{text}");
        }
        // JSON that was encoded as the name of a pair, also where it has an `=`.
        for text in [
            "%7B%22a%22:1%7D=",
            "%5B1%5D",
            "%22a%22=",
            "a=b&%7B%22a%22:%22b=c%22%7D",
        ] {
            let read = read(text.as_bytes());
            assert_eq!(read, Err(AttributesError::Malformed), "{text}");
        }
        // Meant as a name, for it was encoded.
        let attributes = read(b"a%7B%22%7D=1&b+c=2&%5Bd=3&%22e%22=4&%5Bf%5D=5").unwrap();
        let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a{\"}", "b c", "[d", "\"e\"", "[f]"]);
    }

    fn read_object(json: &str) -> Result<Attributes, AttributesError> {
        let mut attributes = Attributes::default();
        read_json(&mut attributes, json.as_bytes()).map(|()| attributes)
    }

    #[test]
    fn a_flat_object_is_read_with_numbers_as_they_are_written() {
        let read = read_object(
            r#" {"deviceId": "tv \u00fc", "live": true, "hba": false, "bitrate": 4.50e3,
                "id": 1152921504606846977, "offset": -0, "empty": "", "deviceId ": "x"} "#,
        );
        let attributes = read.unwrap();
        let pairs: Vec<_> = attributes.iter().collect();
        assert_eq!(
            pairs,
            [
                ("deviceId", "tv ü"),
                ("live", "true"),
                ("hba", "false"),
                ("bitrate", "4.50e3"),
                ("id", "1152921504606846977"),
                ("offset", "-0"),
                ("empty", ""),
                ("deviceId ", "x"),
            ]
        );
        assert_eq!(read_object("{}"), Ok(Attributes::default()));
    }

    #[test]
    fn json_that_is_not_flat_or_not_json_is_refused_by_kind() {
        use AttributesError::{Malformed, NotFlat, Repeated, TooLarge};
        let many: Vec<String> = (0..33).map(|n| format!("\"a{n}\": 1")).collect();
        let deep = "[".repeat(10_000);
        let cases = [
            (r#"{"a": null}"#.to_owned(), NotFlat),
            (r#"{"a": {"b": "c"}}"#.to_owned(), NotFlat),
            (r#"{"a": ["b"]}"#.to_owned(), NotFlat),
            (format!("{{\"a\": {deep}"), NotFlat),
            (deep, NotFlat),
            ("[]".to_owned(), NotFlat),
            ("\"a\"".to_owned(), NotFlat),
            ("null".to_owned(), NotFlat),
            ("1".to_owned(), NotFlat),
            (String::new(), NotFlat),
            (" ".to_owned(), NotFlat),
            ("{".to_owned(), NotFlat),
            (r#"{"a": 1} {"b": 2}"#.to_owned(), NotFlat),
            (r#"{"a": 1,}"#.to_owned(), NotFlat),
            (r#"{"a": 01}"#.to_owned(), NotFlat),
            (r#"{"a": NaN}"#.to_owned(), NotFlat),
            (r#"{a: 1}"#.to_owned(), NotFlat),
            ("a=1".to_owned(), NotFlat),
            (r#"{"a": "\ud800"}"#.to_owned(), Malformed),
            (r#"{"a": "\u0000"}"#.to_owned(), Malformed),
            (r#"{"a\n": "b"}"#.to_owned(), Malformed),
            (r#"{"": "b"}"#.to_owned(), Malformed),
            (r#"{"a": 1, "a": 2}"#.to_owned(), Repeated),
            (r#"{"a": 1, "\u0061": 2}"#.to_owned(), Repeated),
            // The first that is wrong counts, whatever comes after it.
            (r#"{"a": 1, "a": 2, b"#.to_owned(), Repeated),
            (r#"{"a": "\u0000", "b": 1, "b": 2}"#.to_owned(), Malformed),
            (format!("{{\"a\": \"{}\"}}", "x".repeat(257)), TooLarge),
            (format!("{{\"a\": {}}}", "1".repeat(257)), TooLarge),
            (format!("{{\"{}\": 1}}", "x".repeat(65)), TooLarge),
            (format!("{{{}}}", many.join(",")), TooLarge),
        ];
        for (json, expected) in cases {
            let shown: String = json.chars().take(80).collect();
            assert_eq!(read_object(&json), Err(expected), "{shown}");
        }
        let mut attributes = Attributes::default();
        let latin = read_json(&mut attributes, b"{\"a\": \"\xfc\"}");
        assert_eq!(latin, Err(NotFlat));
    }
}
