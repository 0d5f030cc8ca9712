//! What is known of a stream besides who plays it: metadata.

use std::borrow::Cow;

/// The longest name that is said of a stream, in bytes.
pub const NAME_MAX: usize = 64;

/// The most attributes a stream may have.
pub const ATTRIBUTES_MAX: usize = 32;

/// The most bytes of text that a stream's attributes may have together, names and values,
/// unless the configuration says otherwise.
pub const ATTRIBUTE_BYTES: usize = 2_048;

/// Attributes that stay as they are once set (contract, section 2).
pub const IMMUTABLE: [&str; 9] = [
    "package",
    "channel",
    "platform",
    "assetId",
    "idp",
    "mvpd",
    "hba_status",
    "hba",
    "mobileDevice",
];

/// Attribute names and values, each name once, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of attribute `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of attribute `name`, if it says anything: an empty one, or one of white space
    /// alone, is a missing one to every rule. Apps send such a value where they know none.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.trim().is_empty())
    }

    /// Sets attribute `name`, replacing its earlier value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets every attribute of `other`; says whether that changed anything.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.is_empty() {
            self.clone_from(other);
            return !other.is_empty();
        }
        let mut changed = false;
        for (name, value) in other.iter() {
            if self.value(name) != Some(value) {
                self.set(name, value);
                changed = true;
            }
        }
        changed
    }

    /// These with every attribute of `other` set.
    #[must_use]
    pub fn with<'a>(&'a self, other: &Self) -> Cow<'a, Self> {
        let mut merged = Cow::Borrowed(self);
        if !other.is_empty() {
            merged.to_mut().merge(other);
        }
        merged
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many bytes of text they are.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = self.0.iter().flat_map(|(name, value)| [name, value]);
        texts.map(String::len).sum()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
