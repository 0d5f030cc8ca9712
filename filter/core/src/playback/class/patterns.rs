//! Patterns over paths, as an operator writes them.

use streamgate_bytes::begins_with_any_case;
use streamgate_values::path::Reading;

use super::in_lower_case;

/// A pattern over the path without its query. `*` stands for anything within one
/// segment, `**` for any number of whole segments; case does not matter.
///
/// Nothing else is special, so that the cost of matching a path that somebody has
/// made up grows with its length only. Alternatives are patterns of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(Box<str>);

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// It begins neither with `/` nor with `**/`.
    Start,
    /// `**` together with something else in one segment.
    DoubleStar,
    /// A character that no plain path has, or that other dialects give a meaning.
    Character(char),
}

/// What a pattern may not have, beside control characters.
const SPECIAL: [char; 10] = ['?', '#', '%', ';', '\\', '[', ']', '{', '}', '!'];

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') && text != "**" && !text.starts_with("**/") {
            return Err(PatternError::Start);
        }
        let special = |char: &char| char.is_control() || SPECIAL.contains(char);
        if let Some(char) = text.chars().find(special) {
            return Err(PatternError::Character(char));
        }
        if text
            .split('/')
            .any(|segment| segment.contains("**") && segment != "**")
        {
            return Err(PatternError::DoubleStar);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    fn fits(&self, path: &[u8]) -> bool {
        fast_glob::glob_match(self.0.as_bytes(), path)
    }
}

/// Whether a pattern, or a template, may fit a path that begins with `prefix`. A template is the front of a path,
/// and a name in braces stands for anything, as a star does.
pub(crate) fn may_fit_below(pattern: &str, is_template: bool, prefix: &str) -> bool {
    let mut segments = pattern.split('/');
    let mut parts = prefix.split('/');
    let mut next = parts.next();
    while let Some(part) = next {
        next = parts.next();
        let Some(segment) = segments.next() else {
            return is_template;
        };
        if segment == "**" {
            return true;
        }
        let start = segment.split(['*', '{']).next().unwrap_or_default();
        let goes_on = start.len() < segment.len() && begins(part, start);
        // The path's own segment may go on behind the end of the prefix.
        let is_part = begins(start, part) && (next.is_none() || start.len() == part.len());
        if !goes_on && !is_part {
            return false;
        }
    }
    true
}

fn begins(text: &str, beginning: &str) -> bool {
    begins_with_any_case(text.as_bytes(), beginning.as_bytes())
}

/// Patterns of which one has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathPatterns(Box<[PathPattern]>);

impl FromIterator<PathPattern> for PathPatterns {
    fn from_iter<I: IntoIterator<Item = PathPattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

impl PathPatterns {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one fits a path in lower case.
    pub(super) fn fit(&self, path: &[u8]) -> bool {
        self.0.iter().any(|pattern| pattern.fits(path))
    }
}

/// Paths that are left out of the gate, such as advertising and slates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions(PathPatterns);

impl From<PathPatterns> for Exclusions {
    fn from(patterns: PathPatterns) -> Self {
        Self(patterns)
    }
}

impl Exclusions {
    /// Whether a path is left out. One that origins do not agree on never is:
    /// `/vod/ads/1.ts;/film/1.ts` is no advertisement.
    #[must_use]
    pub fn hold(&self, path: &Reading<'_>) -> bool {
        !self.0.is_empty() && path.is_agreed() && in_lower_case(path, |path| self.0.fit(path))
    }
}
