//! Why a configuration's tree is not what was expected: where, and what is said of it.

use core::fmt::{self, Display, Write};

use serde::de::{Error, Expected, Unexpected};
use streamgate_values::decimal;

use super::nearest::nearest;
use super::problem::{Problem, ROOT};
use super::secrecy::{self, NOT_SHOWN};
use super::tree::{PathStep, Tree};

/// Why a tree is not what was expected, and where.
#[derive(Debug)]
pub(super) struct Trouble(Box<Details>);

#[derive(Debug)]
struct Details {
    /// From the value where it was found outwards.
    path: Vec<PathStep>,
    what: What,
}

/// What is wrong.
#[derive(Debug)]
enum What {
    /// Said by the type that was to be read. It repeats nothing that was found.
    Said(String),
    /// A value of another kind, or one that is out of the question.
    Found {
        /// What kind of value was found, and the value where it has one.
        kind: &'static str,
        value: Option<String>,
        expected: String,
    },
    /// A name that is none of those expected.
    Unknown {
        /// `field` or `value`.
        what: &'static str,
        name: String,
        expected: &'static [&'static str],
    },
    /// A field that has to be there.
    Missing(&'static str),
    /// A field that stands twice.
    Twice(&'static str),
}

impl Trouble {
    /// What an operator is told. No text that may be a secret is part of it.
    pub(super) fn problem(&self) -> Problem {
        let steps = self.steps();
        let path = written(&steps);
        let path = if path.is_empty() {
            ROOT.to_owned()
        } else {
            path
        };
        let what = match &self.0.what {
            What::Said(what) => what.clone(),
            What::Found {
                kind,
                value,
                expected,
            } => {
                let value = match value {
                    Some(value) if secrecy::may_show_value(&path, value) => format!(" {value}"),
                    Some(_) => format!(" {NOT_SHOWN}"),
                    None => String::new(),
                };
                format!("found {kind}{value}, allowed is {expected}")
            }
            What::Unknown {
                what,
                name,
                expected,
            } => {
                let near = nearest(name, expected.iter().copied());
                if let Some(near) = near {
                    format!("unknown {what} `{name}`, did you mean `{near}`?")
                } else if secrecy::may_show_name(&path, name, expected) {
                    format!("unknown {what} `{name}`, expected {}", OneOf(expected))
                } else {
                    let path = if *what == FIELD { self.parent() } else { path };
                    let what = format!("unknown {what} {NOT_SHOWN}, expected {}", OneOf(expected));
                    return Problem { path, what };
                }
            }
            What::Missing(name) => format!("missing field `{name}`"),
            What::Twice(name) => format!("duplicate field `{name}`"),
        };
        Problem { path, what }
    }

    /// Takes what is wrong out of the tree, or fills in what is missing, and says of which
    /// part nothing can be known any more.
    pub(super) fn mend(&self, tree: &mut Tree) -> String {
        let steps = self.steps();
        match &self.0.what {
            What::Unknown { what, name, .. } if *what == FIELD => {
                let parent = steps.split_last().map_or(&[][..], |(_, parent)| parent);
                tree.at(parent, &mut |value| {
                    if let Tree::Fields(fields) = value {
                        fields.retain(|(known, _)| known != name);
                    }
                });
                // Its neighbours may be judged by what it was meant to say.
                self.parent()
            }
            What::Missing(name) => {
                tree.at(&steps, &mut |value| {
                    if let Tree::Fields(fields) = value {
                        fields.push(((*name).to_owned(), Tree::Hole));
                    }
                });
                written(&[steps.as_slice(), &[PathStep::Field((*name).to_owned())]].concat())
            }
            What::Twice(name) => {
                tree.at(&steps, &mut |value| {
                    if let Tree::Fields(fields) = value {
                        fields.retain(|(known, _)| known != name);
                        fields.push(((*name).to_owned(), Tree::Hole));
                    }
                });
                written(&[steps.as_slice(), &[PathStep::Field((*name).to_owned())]].concat())
            }
            What::Said(_) | What::Found { .. } | What::Unknown { .. } => {
                tree.at(&steps, &mut |value| *value = Tree::Hole);
                written(&steps)
            }
        }
    }

    fn steps(&self) -> Vec<PathStep> {
        self.0.path.iter().rev().cloned().collect()
    }

    /// The path of what the value is part of.
    fn parent(&self) -> String {
        let steps = self.steps();
        written(steps.split_last().map_or(&[][..], |(_, parent)| parent))
    }

    fn new(what: What) -> Self {
        let path = Vec::new();
        Self(Box::new(Details { path, what }))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn in_field(mut self, name: &str) -> Self {
        self.0.path.push(PathStep::Field(name.to_owned()));
        self
    }

    #[cold]
    #[inline(never)]
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(PathStep::Item(index));
        self
    }
}

const FIELD: &str = "field";

/// A path as it is told, for example `policies[0].rules[1].max`; empty for the whole.
fn written(steps: &[PathStep]) -> String {
    let mut path = String::new();
    for step in steps {
        // Writing to a text does not fail.
        let _ = match step {
            PathStep::Field(name) if path.is_empty() => path.write_str(name),
            PathStep::Field(name) => write!(path, ".{name}"),
            PathStep::Item(index) => write!(path, "[{index}]"),
        };
    }
    path
}

impl Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem().fmt(f)
    }
}

impl core::error::Error for Trouble {}

impl Error for Trouble {
    #[cold]
    fn custom<T: Display>(what: T) -> Self {
        Self::new(What::Said(what.to_string()))
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(said_of(found, expected))
    }

    #[cold]
    #[inline(never)]
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(said_of(found, expected))
    }

    #[cold]
    #[inline(never)]
    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        let name = name.to_owned();
        Self::new(What::Unknown {
            what: "value",
            name,
            expected,
        })
    }

    #[cold]
    #[inline(never)]
    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        let name = name.to_owned();
        Self::new(What::Unknown {
            what: FIELD,
            name,
            expected,
        })
    }

    #[cold]
    #[inline(never)]
    fn missing_field(name: &'static str) -> Self {
        Self::new(What::Missing(name))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(name: &'static str) -> Self {
        Self::new(What::Twice(name))
    }
}

/// What was found, and what might stand there, in words for whoever writes YAML or JSON.
fn said_of(found: Unexpected<'_>, expected: &dyn Expected) -> What {
    let number = |number: String| ("a number", Some(format!("`{number}`")));
    let (kind, value) = match found {
        Unexpected::Unit => ("null", None),
        Unexpected::Bool(truth) => ("a truth value", Some(format!("`{truth}`"))),
        Unexpected::Unsigned(found) => number(found.to_string()),
        Unexpected::Signed(found) => number(found.to_string()),
        Unexpected::Float(found) => {
            number(decimal::write(found).unwrap_or_else(|| "a number".to_owned()))
        }
        Unexpected::Str(text) => ("a text", Some(format!("{text:?}"))),
        Unexpected::Seq => ("a list", None),
        Unexpected::Map => ("fields", None),
        _ => ("a name alone", None),
    };
    let expected = expected.to_string();
    let expected = match expected.as_str() {
        "u16" | "u32" | "u64" => "a whole number, not negative and not too large",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list",
        expected => expected,
    };
    What::Found {
        kind,
        value,
        expected: expected.to_owned(),
    }
}

/// Names of which one is expected.
struct OneOf(&'static [&'static str]);

impl Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("none"),
            [one] => write!(f, "`{one}`"),
            [one, other] => write!(f, "`{one}` or `{other}`"),
            [first, rest @ ..] => {
                write!(f, "one of `{first}`")?;
                rest.iter().try_for_each(|name| write!(f, ", `{name}`"))
            }
        }
    }
}
