//! Attributes as they travel: query string or form body.

use crate::activity::{ATTRIBUTES_MAX, Attributes};
use crate::text::{Malformed, percent_decoded, split_once};

/// The longest name, in bytes.
const NAME_MAX: usize = 64;
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
}

impl AttributesError {
    /// For the problem text.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Malformed => {
                "attributes must be percent-encoded UTF-8 without control characters"
            }
            Self::Repeated => "each attribute may be given once",
            Self::TooLarge => {
                "at most 32 attributes, names of at most 64 bytes, values of at most 256 bytes"
            }
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
        let (name, value) = (form_decoded(name)?, form_decoded(value)?);
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
    }
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
}
