//! Which streams a rule looks at (contract, section 3).

use streamgate_values::attributes::Attributes;
use streamgate_values::decimal;

/// Conditions on a stream's attributes, all of which must hold. None: every stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Target(pub Vec<Condition>);

/// A condition on one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The attribute's name.
    pub attribute: String,
    /// What its value must be.
    pub test: Test,
}

/// What an attribute's value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of these.
    AnyOf(Vec<String>),
    /// None of these; a missing attribute passes.
    NoneOf(Vec<String>),
    /// There at all, or not.
    Present(bool),
    /// A number that compares so with another; what is no number fails.
    Number(Comparison, f64),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// ≥
    AtLeast,
    /// ≤
    AtMost,
    /// >
    Above,
    /// <
    Below,
}

impl Target {
    /// Whether a stream with these attributes is meant.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|condition| {
            condition
                .test
                .passes(attributes.known(&condition.attribute))
        })
    }

    /// Whether a stream with these attributes could be meant, once the attributes that
    /// must be known are.
    pub(super) fn may_match(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|condition| {
            let value = attributes.known(&condition.attribute);
            (value.is_none() && condition.must_be_known()) || condition.test.passes(value)
        })
    }

    /// The attributes that must be known to tell.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|condition| condition.must_be_known())
            .map(|condition| condition.attribute.as_str())
    }
}

impl Condition {
    /// Whether it says nothing of a stream without the attribute.
    fn must_be_known(&self) -> bool {
        !matches!(self.test, Test::Present(_))
    }
}

impl Test {
    fn passes(&self, value: Option<&str>) -> bool {
        let among =
            |values: &[String]| value.is_some_and(|value| values.iter().any(|v| v == value));
        match self {
            Self::AnyOf(values) => among(values),
            Self::NoneOf(values) => !among(values),
            Self::Present(wanted) => value.is_some() == *wanted,
            Self::Number(comparison, bound) => value
                .and_then(|value| decimal::read(value.trim()))
                .is_some_and(|number| match comparison {
                    Comparison::AtLeast => number >= *bound,
                    Comparison::AtMost => number <= *bound,
                    Comparison::Above => number > *bound,
                    Comparison::Below => number < *bound,
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn each_test_says_what_passes() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let live = Test::AnyOf(words(&["live", "event"]));
        let elsewhere = Test::NoneOf(words(&["home"]));
        let fast = Test::Number(Comparison::AtLeast, 4000.0);
        let slow = Test::Number(Comparison::Below, 4000.0);
        let cases = [
            (&live, Some("event"), true),
            (&live, Some("vod"), false),
            (&live, None, false),
            (&elsewhere, Some("away"), true),
            (&elsewhere, Some("home"), false),
            (&elsewhere, None, true),
            (&Test::Present(true), Some(""), true),
            (&Test::Present(true), None, false),
            (&Test::Present(false), None, true),
            (&fast, Some("4000"), true),
            (&fast, Some("3999.5"), false),
            (&fast, Some("much"), false),
            (&fast, None, false),
            (&slow, Some("-1e3"), true),
            (&slow, Some("NaN"), false),
        ];
        for (test, value, passes) in cases {
            assert_eq!(test.passes(value), passes, "{test:?} {value:?}");
        }
    }

    #[test]
    fn an_attribute_is_asked_for_only_where_a_rule_may_look_at_the_stream() {
        let condition = |attribute: &str, test| Condition {
            attribute: attribute.to_owned(),
            test,
        };
        let target = Target(vec![
            condition("contentType", Test::AnyOf(vec!["live".to_owned()])),
            condition("package", Test::NoneOf(vec!["premium".to_owned()])),
            condition("test", Test::Present(false)),
        ]);
        let cases: [(&[(&str, &str)], bool); 6] = [
            (&[], true),
            (&[("contentType", "live")], true),
            (&[("contentType", "vod")], false),
            (&[("package", "basic")], true),
            (&[("contentType", "live"), ("package", "premium")], false),
            (&[("contentType", "live"), ("test", "1")], false),
        ];
        for (known, expected) in cases {
            let mut attributes = Attributes::default();
            for (name, value) in known {
                attributes.set(*name, *value);
            }
            assert_eq!(target.may_match(&attributes), expected, "{known:?}");
        }
    }
}
