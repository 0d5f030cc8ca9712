//! Reading what Envoy hands over, and what is said where that fails.

use serde::Deserialize;

use super::located::Located;
use super::problem::{ConfigError, Problem, ROOT, SHOWN};
use super::raw::RawConfig;
use super::tree::Tree;
use super::wire;

/// A configuration as it was written, as far as it could be read.
#[derive(Debug)]
pub struct Parsed {
    /// All of it; what could not be read stands for nothing.
    pub raw: RawConfig,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Which parts say nothing because of that.
    pub gaps: Gaps,
    /// All of it in one spelling, for a hash, where there is an operator's door to tell it.
    pub written: Option<Vec<u8>>,
}

/// Parts of a configuration that could not be read, by their paths.
#[derive(Debug, Default)]
pub struct Gaps(Vec<String>);

impl Gaps {
    /// Whether there is none at this path, around it or inside: what is wrong there is then
    /// what somebody wrote.
    #[must_use]
    pub fn spare(&self, path: &str) -> bool {
        let touches = |gap: &String| is_within(path, gap) || is_within(gap, path);
        !self.0.iter().any(touches)
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every name is known that others may refer to.
    #[must_use]
    pub fn spare_names(&self) -> bool {
        self.spare("applications") && self.spare("policies")
    }
}

/// Whether a path leads to `part` or into it.
fn is_within(path: &str, part: &str) -> bool {
    let rest = path.strip_prefix(part);
    part.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Reads what Envoy hands over: JSON text, or a protobuf `Struct` (see `wire`).
///
/// A value that is not of the form expected is noted and read as whatever was expected, so
/// that all of them are told at once.
///
/// # Errors
///
/// [`ConfigError::Unreadable`] where it is neither.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ConfigError> {
    let mut tree = match wire::decode_struct(bytes) {
        Some(tree) => tree,
        None => serde_json::from_slice::<Tree>(bytes)
            .map_err(|error| ConfigError::Unreadable(error.to_string()))?,
    };
    let (mut problems, mut gaps) = (Vec::new(), Vec::new());
    loop {
        let trouble = match RawConfig::deserialize(Located(&tree)) {
            Ok(raw) => {
                return Ok(Parsed {
                    written: raw.operator.is_some().then(|| tree.written()),
                    raw,
                    problems,
                    gaps: Gaps(gaps),
                });
            }
            Err(trouble) => trouble,
        };
        let problem = trouble.problem();
        // What is told again could not be mended.
        if problems.len() >= SHOWN || problems.contains(&problem) {
            problems.push(Problem {
                path: ROOT.to_owned(),
                what: "what else is wrong is told once this is right".to_owned(),
            });
            return Err(ConfigError::Invalid(problems));
        }
        problems.push(problem);
        gaps.push(trouble.mend(&mut tree));
    }
}
