//! What the URLs of a DASH manifest are resolved against (ISO/IEC 23009-1, section 5.6), and
//! with that, which of them need the prefix.
//!
//! A `BaseURL` holds for the element that it stands in, and for all in that. Segments may be
//! told of once, further out, and are resolved against the bases of each representation. So an
//! absolute path may lead to another host, and a base at the root of this one (`https://host/`)
//! needs the prefix if what is resolved against it does.

mod settle;

use core::ops::Range;
use std::borrow::Cow;

use self::settle::Settling;
use crate::insertions::Insertions;
use crate::url::{Target, directory, target};
use crate::{Task, Unreadable};

/// The most elements with bases of their own that a manifest may have.
const SCOPES_MAX: usize = 65_536;

/// The most bases that alternatives in alternatives may make.
const BASES_MAX: usize = 32;

/// The most times that a URL is looked at together with a base.
const STEPS_MAX: usize = 200_000;

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
    fn position(&self, at: usize) -> Option<usize> {
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
struct Leaf<'m> {
    /// The number of the element that it stands in.
    scope: usize,
    text: Cow<'m, str>,
    role: Role,
    /// Where the prefix goes, for an absolute path; `None`: it is relative.
    position: Option<usize>,
    /// It is resolved against a base at this host.
    is_here: bool,
    /// It is resolved against a base at another.
    is_elsewhere: bool,
}

/// A `BaseURL` as it is written.
#[derive(Debug)]
struct Written<'m> {
    /// The number of the element that it stands in.
    scope: usize,
    reference: Reference<'m>,
    /// Where the prefix goes, if it is needed.
    position: Option<usize>,
    /// Something that needs the prefix is resolved against it.
    is_wanted: bool,
    /// Something that must not have the prefix is.
    is_spoiled: bool,
}

/// What URLs are resolved against.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    /// The path at this host; `None`: another host.
    path: Option<String>,
    /// The `BaseURL` that would get the prefix, where that depends on what is resolved.
    open: Option<usize>,
}

/// An element that may have bases.
#[derive(Debug, Default)]
struct Scope {
    parent: Option<usize>,
    has_children: bool,
    /// The places of its own bases among all that are written.
    written: Range<usize>,
    /// The places of segments that are told of in it among all.
    segments: Range<usize>,
    /// The places of all its bases, once known.
    bases: Range<usize>,
    /// The bases that its segments were looked at with.
    seen: Vec<Range<usize>>,
}

/// The elements of a manifest that may have bases.
pub(crate) struct Scopes<'m> {
    task: &'m Task<'m>,
    scopes: Vec<Scope>,
    written: Vec<Written<'m>>,
    segments: Vec<Leaf<'m>>,
    /// What is resolved where it stands.
    others: Vec<Leaf<'m>>,
    insertions: Insertions,
    current: usize,
}

impl<'m> Scopes<'m> {
    pub(crate) fn new(task: &'m Task<'m>) -> Self {
        Self {
            task,
            scopes: vec![Scope::default()],
            written: Vec::new(),
            segments: Vec::new(),
            others: Vec::new(),
            insertions: Insertions::default(),
            current: 0,
        }
    }

    /// An element begins.
    pub(crate) fn open(&mut self) -> Result<(), Unreadable> {
        let number = self.scopes.len();
        if number >= SCOPES_MAX {
            return Err(Unreadable::TooComplex);
        }
        if let Some(around) = self.scopes.get_mut(self.current) {
            around.has_children = true;
        }
        self.scopes.push(Scope {
            parent: Some(self.current),
            ..Scope::default()
        });
        self.current = number;
        Ok(())
    }

    /// The innermost element ends.
    pub(crate) fn close(&mut self) {
        let current = self.scopes.get(self.current);
        self.current = current.and_then(|scope| scope.parent).unwrap_or_default();
    }

    /// A base of the innermost element.
    pub(crate) fn add_base(&mut self, reference: Reference<'m>) {
        self.written.push(Written {
            scope: self.current,
            reference,
            position: None,
            is_wanted: false,
            is_spoiled: false,
        });
    }

    /// A URL in the innermost element.
    pub(crate) fn add_leaf(&mut self, reference: Reference<'m>, role: Role) {
        let position = match target(&reference.text, self.task.hosts) {
            Target::Elsewhere => return,
            Target::Here { at, path } => {
                // Nothing that it is resolved against changes it.
                let position = reference.position(at);
                if is_wanted(path, role, self.task) {
                    self.insertions.insert_if_known(position);
                }
                return;
            }
            Target::Path(_) => Some(reference.at),
            Target::Relative(_) if matches!(role, Role::Aside | Role::Document) => return,
            Target::Relative(_) => None,
        };
        let leaf = Leaf {
            scope: self.current,
            text: reference.text,
            role,
            position,
            is_here: false,
            is_elsewhere: false,
        };
        match role {
            Role::Template | Role::Segment => self.segments.push(leaf),
            Role::Link | Role::Aside | Role::Document => self.others.push(leaf),
        }
    }

    /// Tells where the prefix goes.
    pub(crate) fn settle(mut self) -> Result<Insertions, Unreadable> {
        // Those of an element stand together then, in the order in which they were.
        self.written.sort_by_key(|written| written.scope);
        self.segments.sort_by_key(|leaf| leaf.scope);
        for (number, written) in self.written.iter().enumerate() {
            if let Some(scope) = self.scopes.get_mut(written.scope) {
                extend(&mut scope.written, number);
            }
        }
        for (number, leaf) in self.segments.iter().enumerate() {
            if let Some(scope) = self.scopes.get_mut(leaf.scope) {
                extend(&mut scope.segments, number);
            }
        }
        let mut settling = Settling {
            bases: vec![Base {
                path: Some(self.task.path.to_owned()),
                open: None,
            }],
            written: self.written,
            task: self.task,
            insertions: self.insertions,
            steps: 0,
        };
        settling.resolve_bases(&mut self.scopes)?;
        settling.resolve_segments(&mut self.scopes, &mut self.segments)?;
        for leaf in &mut self.others {
            let bases = match (leaf.role, self.scopes.get(leaf.scope)) {
                (Role::Document, _) | (_, None) => 0..1,
                (_, Some(scope)) => scope.bases.clone(),
            };
            for base in bases {
                settling.look_at(leaf, base)?;
            }
        }
        for leaf in self.segments.iter().chain(&self.others) {
            settling.settle_leaf(leaf);
        }
        Ok(settling.settle_written())
    }
}

/// Makes a range of numbers in a row longer.
fn extend(range: &mut Range<usize>, number: usize) {
    if range.end <= range.start {
        range.start = number;
    }
    range.end = number.saturating_add(1);
}

/// Whether a URL's path is to have the prefix.
fn is_wanted(path: &str, role: Role, task: &Task<'_>) -> bool {
    let (path, is_whole) = known(path, role);
    task.carries(if is_whole { path } else { directory(path) })
}

/// What is known of a URL, and whether that is all of it: what is put for `$…$` is the
/// player's affair.
fn known(url: &str, role: Role) -> (&str, bool) {
    let identifier = match role {
        Role::Template => url.find('$'),
        _ => None,
    };
    match identifier {
        Some(at) => (url.get(..at).unwrap_or_default(), false),
        None => (url, true),
    }
}
