//! What URLs of a DASH manifest are, and the elements and bases they are resolved by.

use core::ops::Range;
use std::borrow::Cow;

use crate::task::Task;
use crate::url::directory;

/// The most bases that alternatives in alternatives may make.
pub(super) const BASES_MAX: usize = 64;

/// The most times that a URL is looked at together with a base.
pub(super) const STEPS_MAX: usize = 200_000;

/// A URL in a manifest.
#[derive(Debug)]
pub(crate) struct Reference<'m> {
    /// Where it begins in the manifest.
    pub(crate) at: usize,
    /// What it means, its entities resolved.
    pub(crate) text: Cow<'m, str>,
    /// What is written there.
    pub(crate) raw: &'m str,
}

impl Reference<'_> {
    /// One that is there and cannot be read: what is resolved against it leads nobody knows
    /// where.
    pub(crate) const fn unreadable(at: usize) -> Self {
        Self {
            at,
            text: Cow::Borrowed("unreadable:"),
            raw: "",
        }
    }

    /// The place in the manifest that is this one in the text; `None` where it is written in
    /// another way up to there.
    pub(super) fn position(&self, at: usize) -> Option<usize> {
        let is_same = self.raw.get(..at)? == self.text.get(..at)?;
        is_same.then_some(self.at.checked_add(at)?)
    }
}

/// What a URL is for, and with that, what it is resolved against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Segments, with the bases of each representation within; `$…$` stands for what players
    /// put there.
    Template,
    /// A segment, with the bases of each representation within.
    Segment,
    /// A document, with the bases of the element that it stands in.
    Link,
    /// What is none of the media, and may be no URL; with the bases of the element that it
    /// stands in.
    Aside,
    /// A document, with the address of the manifest itself.
    Document,
}

/// A URL that is fetched, and depends on what it is resolved against.
#[derive(Debug)]
pub(super) struct Leaf<'m> {
    /// The number of the element that it stands in.
    pub(super) scope: usize,
    pub(super) text: Cow<'m, str>,
    pub(super) role: Role,
    /// Where the prefix goes, for an absolute path; `None`: it is relative.
    pub(super) position: Option<usize>,
    /// It is resolved against a base at this host.
    pub(super) is_here: bool,
    /// It is resolved against a base at another.
    pub(super) is_elsewhere: bool,
}

/// A `BaseURL` as it is written.
#[derive(Debug)]
pub(super) struct Written<'m> {
    /// The number of the element that it stands in.
    pub(super) scope: usize,
    pub(super) reference: Reference<'m>,
    /// Where the prefix goes, if it is needed.
    pub(super) position: Option<usize>,
    /// Something that needs the prefix is resolved against it.
    pub(super) is_wanted: bool,
    /// Something that must not have the prefix is.
    pub(super) is_spoiled: bool,
}

/// What URLs are resolved against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// The path at this host; `None`: another host.
    pub(super) path: Option<String>,
    /// The `BaseURL` that would get the prefix, where that depends on what is resolved.
    pub(super) open: Option<usize>,
}

/// An element that may have bases.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) parent: Option<usize>,
    pub(super) has_children: bool,
    /// The places of its own bases among all that are written.
    pub(super) written: Range<usize>,
    /// The places of segments that are told of in it among all.
    pub(super) segments: Range<usize>,
    /// The places of all its bases, once known.
    pub(super) bases: Range<usize>,
    /// The bases that its segments were looked at with.
    pub(super) seen: Vec<Range<usize>>,
}

/// Whether a URL's path is to have the prefix.
pub(super) fn is_wanted(path: &str, role: Role, task: &Task<'_>) -> bool {
    let (path, is_whole) = known(path, role);
    task.carries(if is_whole { path } else { directory(path) })
}

/// What is known of a URL, and whether that is all of it: what is put for `$…$` is the
/// player's affair.
pub(super) fn known(url: &str, role: Role) -> (&str, bool) {
    let identifier = match role {
        Role::Template => url.find('$'),
        _ => None,
    };
    match identifier {
        Some(at) => (url.get(..at).unwrap_or_default(), false),
        None => (url, true),
    }
}
