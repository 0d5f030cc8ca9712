//! What is wrong with a configuration, said so that it can be mended.

use core::fmt;

/// How many problems are told: one mistake in a template may be thousands in what it
/// makes, and a log or a control plane should not be flooded.
pub(super) const SHOWN: usize = 50;

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// It is not of the expected form; reading stopped here.
    Form {
        /// The field's path, for example `policies[0].rules[1].max`.
        path: String,
        /// What is wrong there.
        what: String,
    },
    /// It is of the right form but says something impossible: all that was found.
    Invalid(Vec<Problem>),
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field's path.
    pub path: String,
    /// What was found. Never a secret.
    pub found: String,
    /// What is allowed, with its unit.
    pub allowed: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { path, what } => write!(f, "{path}: {what}"),
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
        let Self {
            path,
            found,
            allowed,
        } = self;
        write!(f, "{path}: found {found}, allowed is {allowed}")
    }
}

impl core::error::Error for ConfigError {}
