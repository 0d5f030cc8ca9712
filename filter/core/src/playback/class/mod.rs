//! What a path on a protected prefix is for.
//!
//! The class decides whether a request counts as watching, so it must not depend on
//! how a client spells a name: a path that origins do not agree on
//! ([`Reading::is_agreed`]) counts as media, whatever the name looks like.

mod case;
mod kind;
mod names;
mod patterns;
#[cfg(test)]
mod tests;

pub use kind::Class;
pub(crate) use patterns::may_fit_below;
pub use patterns::{Exclusions, PathPattern, PathPatterns, PatternError};

use self::case::in_lower_case;
use streamgate_values::path::Reading;

/// Tells what paths are for: by an operator's patterns, then by the names that
/// packagers and servers give. Without patterns, by those names alone.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    patterns: Vec<(Class, PathPatterns)>,
    has_own_manifests: bool,
}

impl Classes {
    /// With an operator's patterns, tried in the order given.
    #[must_use]
    pub fn new(patterns: impl IntoIterator<Item = (Class, PathPatterns)>) -> Self {
        let some = |(_, patterns): &(Class, PathPatterns)| !patterns.is_empty();
        let patterns: Vec<_> = patterns.into_iter().filter(some).collect();
        let mut classes = patterns.iter().map(|(class, _)| *class);
        Self {
            has_own_manifests: classes.any(|class| class == Class::Manifest),
            patterns,
        }
    }

    /// Whether an operator says what is a manifest.
    #[must_use]
    pub const fn has_own_manifests(&self) -> bool {
        self.has_own_manifests
    }

    /// Whether an operator says what anything is.
    #[must_use]
    pub const fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether an operator says what this fetches.
    #[must_use]
    pub fn are_told_of(&self, path: &Reading<'_>) -> bool {
        let fit = |path: &[u8]| self.patterns.iter().any(|(_, patterns)| patterns.fit(path));
        self.has_patterns() && path.is_agreed() && in_lower_case(path, fit)
    }

    /// Tells by its path what a request fetches.
    #[must_use]
    pub fn classify(&self, path: &Reading<'_>) -> Class {
        if !path.is_agreed() {
            return Class::Media;
        }
        in_lower_case(path, |path| {
            let fitting = self
                .patterns
                .iter()
                .find(|(_, patterns)| patterns.fit(path));
            match fitting {
                Some((class, _)) => *class,
                None => names::class(path),
            }
        })
    }
}

/// Whether a manifest is DASH rather than HLS, by its name.
pub(super) fn is_dash(path: &[u8]) -> bool {
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let file = file.to_ascii_lowercase();
    file.ends_with(b".mpd") || file.windows(10).any(|part| part == b"format=mpd")
}
