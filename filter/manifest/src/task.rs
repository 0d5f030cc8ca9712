//! What is asked of a manifest, and why it may be left alone.

use core::cell::RefCell;
use core::fmt;
use core::ops::Deref;

use crate::url::{Origin, directory, has_token, resolved, simple};

/// How a manifest is to be rewritten.
#[derive(Clone, Copy)]
pub struct Rewriting<'a> {
    /// The path that the manifest was asked for, without its token; a query is let lie.
    pub path: &'a str,
    /// The hosts that are this one, as requests name them. URLs that name another are left
    /// alone.
    pub hosts: &'a [Origin],
    /// What is inserted in front of a path: `/~` and a token.
    pub prefix: &'a str,
    /// Whether a path is to have the prefix. It is given without a query, with dot segments
    /// resolved, and where the rest cannot be known (templates, variables) only up to the
    /// last slash that is.
    pub carries: &'a dyn Fn(&str) -> Carries,
    /// The most bytes that a rewritten manifest may have.
    pub max: usize,
}

/// Whether a path is to have the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is, and so is all else in its directory.
    YesWithNeighbours,
}

/// A rewriting that is under way.
pub(crate) struct Task<'a> {
    pub(crate) rewriting: &'a Rewriting<'a>,
    /// A directory of which all is to have the prefix: manifests name one many times.
    pub(crate) directory: RefCell<String>,
}

impl Task<'_> {
    /// Whether a path is to have the prefix, and has none.
    pub(crate) fn carries(&self, path: &str) -> bool {
        if !path.starts_with('/') || has_token(path) {
            return false;
        }
        let directory = directory(path);
        let is_simple = simple(path).is_some();
        if is_simple && !directory.is_empty() && *self.directory.borrow() == directory {
            return true;
        }
        let Some(path) = resolved(path) else {
            return false;
        };
        let carries = (self.rewriting.carries)(&path);
        if is_simple && carries == Carries::YesWithNeighbours {
            directory.clone_into(&mut self.directory.borrow_mut());
        }
        carries != Carries::No
    }
}

impl<'a> Deref for Task<'a> {
    type Target = Rewriting<'a>;

    fn deref(&self) -> &Rewriting<'a> {
        self.rewriting
    }
}

impl fmt::Debug for Rewriting<'_> {
    /// Without the prefix, which holds a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rewriting")
            .field("path", &self.path)
            .field("hosts", &self.hosts)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// Why a body was left alone as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not UTF-8, which HLS demands and DASH has nearly always.
    NotUtf8,
    /// It is neither an HLS playlist, nor a DASH manifest or patch, nor a list of assets.
    UnknownFormat,
    /// It is no well-formed XML or JSON.
    Malformed,
    /// It has more elements in elements, periods and representations, or bases for its URLs
    /// than any manifest.
    TooComplex,
    /// With the prefix in all of its URLs it would be larger than allowed.
    TooLarge,
}

impl Unreadable {
    /// The name of the reason, for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::UnknownFormat => "unknown_format",
            Self::Malformed => "malformed",
            Self::TooComplex => "too_complex",
            Self::TooLarge => "too_large",
        }
    }
}
