//! What is wrong with a configuration, said so that it can be mended.

use core::fmt;

/// How many problems are told: one mistake in a template may be thousands in what it
/// makes, and a log or a control plane should not be flooded.
pub(super) const SHOWN: usize = 50;

/// How the configuration as a whole is called.
pub(super) const ROOT: &str = "configuration";

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// It is neither JSON nor a protobuf `Struct`; where reading stopped, and why.
    Unreadable(String),
    /// It says something that is not of the form expected, or impossible: all that was
    /// found.
    Invalid(Vec<Problem>),
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field's path, for example `policies[0].rules[1].max`.
    pub path: String,
    /// What was found, and what is allowed, with its unit. Never a secret.
    pub what: String,
}

impl Problem {
    /// A value that is not allowed: `found` is the value, `allowed` what might stand there.
    #[must_use]
    pub fn new(path: &str, found: &str, allowed: &str) -> Self {
        Self {
            path: path.to_owned(),
            what: format!("found {found}, allowed is {allowed}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(what) => write!(f, "{ROOT}: {what}"),
            Self::Invalid(problems) => {
                for (at, problem) in problems.iter().take(SHOWN).enumerate() {
                    let lead = if at == 0 { "" } else { "; " };
                    write!(f, "{lead}{problem}")?;
                }
                match problems.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl core::error::Error for ConfigError {}
