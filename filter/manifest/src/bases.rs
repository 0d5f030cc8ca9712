//! What the URLs of a DASH manifest are resolved against (ISO/IEC 23009-1, section 5.6), and
//! with that, which of them need the prefix.
//!
//! A `BaseURL` holds for the element that it stands in, and for all in that. Segments may be
//! told of once, further out, and are resolved against the bases of each representation. So an
//! absolute path may lead to another host, and a base at the root of this one (`https://host/`)
//! needs the prefix if what is resolved against it does.

use core::ops::Range;
use std::borrow::Cow;

use crate::insertions::Insertions;
use crate::url::{Target, directory, has_token, target};
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
    fn place(&self, at: usize) -> Option<usize> {
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
    place: Option<usize>,
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
    place: Option<usize>,
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
            place: None,
            is_wanted: false,
            is_spoiled: false,
        });
    }

    /// A URL in the innermost element.
    pub(crate) fn add_leaf(&mut self, reference: Reference<'m>, role: Role) {
        let place = match target(&reference.text, self.task.hosts) {
            Target::Elsewhere => return,
            Target::Here { at, path } => {
                // Nothing that it is resolved against changes it.
                let place = reference.place(at);
                if is_wanted(path, role, self.task) {
                    self.insertions.insert_if_known(place);
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
            place,
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

struct Settling<'m> {
    /// All bases; the first is the manifest's own address. Those of an element stand
    /// together.
    bases: Vec<Base>,
    written: Vec<Written<'m>>,
    task: &'m Task<'m>,
    insertions: Insertions,
    steps: usize,
}

impl Settling<'_> {
    fn step(&mut self) -> Result<(), Unreadable> {
        self.steps = self.steps.saturating_add(1);
        match self.steps > STEPS_MAX {
            true => Err(Unreadable::TooComplex),
            false => Ok(()),
        }
    }

    /// Finds the bases of each element from those of the one around it.
    fn resolve_bases(&mut self, scopes: &mut [Scope]) -> Result<(), Unreadable> {
        for number in 0..scopes.len() {
            let parent = scopes.get(number).and_then(|scope| scope.parent);
            let around = parent.and_then(|parent| scopes.get(parent));
            let around = around.map_or(0..1, |parent| parent.bases.clone());
            let Some(scope) = scopes.get_mut(number) else {
                continue;
            };
            scope.bases = match scope.written.is_empty() {
                true => around,
                false => self.combine(around, scope.written.clone())?,
            };
        }
        Ok(())
    }

    /// The bases that alternatives make with those of the element around.
    fn combine(
        &mut self,
        around: Range<usize>,
        own: Range<usize>,
    ) -> Result<Range<usize>, Unreadable> {
        let first = self.bases.len();
        for written in own {
            for base in around.clone() {
                self.step()?;
                let Some(base) = self.resolve(written, base) else {
                    continue;
                };
                let made = self.bases.get(first..).unwrap_or_default();
                if made.contains(&base) {
                    continue;
                }
                if made.len() >= BASES_MAX {
                    return Err(Unreadable::TooComplex);
                }
                self.bases.push(base);
            }
        }
        Ok(first..self.bases.len())
    }

    /// What a `BaseURL` means where it is resolved against a base.
    fn resolve(&mut self, number: usize, around: usize) -> Option<Base> {
        let around = self.bases.get(around)?;
        let written = self.written.get_mut(number)?;
        let text = &*written.reference.text;
        let elsewhere = Base {
            path: None,
            open: None,
        };
        let (at, path) = match (target(text, self.task.hosts), &around.path) {
            (Target::Here { at, path }, _) => (at, path),
            (Target::Path(path), Some(_)) => (0, path),
            (Target::Path(_), None) => {
                written.is_spoiled = true;
                return Some(elsewhere);
            }
            (Target::Relative(relative), Some(path)) => {
                return Some(Base {
                    path: Some(join(path, relative)),
                    open: around.open,
                });
            }
            (Target::Relative(_), None) | (Target::Elsewhere, _) => return Some(elsewhere),
        };
        // With a token, or without a path at which it could go, it is good as it is.
        let place = written.reference.place(at);
        let is_open = path.starts_with('/') && !has_token(path) && place.is_some();
        let base = Base {
            path: Some(if path.starts_with('/') { path } else { "/" }.to_owned()),
            open: is_open.then_some(number),
        };
        if is_open {
            written.place = place;
            written.is_wanted = written.is_wanted || self.task.carries(path);
        }
        Some(base)
    }

    /// Looks at segments with the bases of each innermost element that they are told of in.
    fn resolve_segments(
        &mut self,
        scopes: &mut [Scope],
        segments: &mut [Leaf<'_>],
    ) -> Result<(), Unreadable> {
        for number in 0..scopes.len() {
            let Some(Scope { bases, .. }) = scopes.get(number).filter(|scope| !scope.has_children)
            else {
                continue;
            };
            let bases = bases.clone();
            let mut has_segments = false;
            let mut outer = Some(number);
            while let Some(scope) = outer.and_then(|outer| scopes.get_mut(outer)) {
                self.step()?;
                outer = scope.parent;
                if scope.segments.is_empty() {
                    continue;
                }
                has_segments = true;
                self.steps = self.steps.saturating_add(scope.seen.len());
                if scope.seen.contains(&bases) {
                    continue;
                }
                if scope.has_children {
                    scope.seen.push(bases.clone());
                }
                let own = segments.get_mut(scope.segments.clone());
                for leaf in own.unwrap_or_default() {
                    for base in bases.clone() {
                        self.look_at(leaf, base)?;
                    }
                }
            }
            if !has_segments {
                // The base is the one segment.
                for base in bases {
                    self.look_at_path(base, None);
                }
            }
        }
        Ok(())
    }

    /// Looks at where a URL leads with a base.
    fn look_at(&mut self, leaf: &mut Leaf<'_>, base: usize) -> Result<(), Unreadable> {
        self.step()?;
        let Some(Base { path, .. }) = self.bases.get(base) else {
            return Ok(());
        };
        match path {
            Some(_) => leaf.is_here = true,
            None => leaf.is_elsewhere = true,
        }
        if leaf.place.is_none() {
            self.look_at_path(base, Some((&leaf.text, leaf.role)));
        }
        Ok(())
    }

    /// Looks at where a base leads, or what is resolved against it, for whether the base needs
    /// the prefix.
    fn look_at_path(&mut self, base: usize, leaf: Option<(&str, Role)>) {
        let Some(Base {
            path: Some(path),
            open: Some(open),
        }) = self.bases.get(base)
        else {
            return;
        };
        let Some(written) = self.written.get_mut(*open) else {
            return;
        };
        let carries = match leaf {
            Some((relative, role)) => {
                let (relative, is_whole) = known(relative, role);
                let joined = join(path, relative);
                let joined = if is_whole {
                    &joined
                } else {
                    directory(&joined)
                };
                self.task.carries(joined)
            }
            // It leads to no file, so nothing is fetched from there.
            None if path.ends_with('/') => return,
            None => self.task.carries(path),
        };
        match carries {
            true => written.is_wanted = true,
            false => written.is_spoiled = true,
        }
    }

    /// Inserts the prefix into an absolute path that needs it.
    fn settle_leaf(&mut self, leaf: &Leaf<'_>) {
        if leaf.place.is_some() && leaf.is_here && is_wanted(&leaf.text, leaf.role, self.task) {
            let place = leaf.place.filter(|_| !leaf.is_elsewhere);
            self.insertions.insert_if_known(place);
        }
    }

    /// Inserts the prefix into bases that need it.
    fn settle_written(mut self) -> Insertions {
        for written in self.written.iter().filter(|written| written.is_wanted) {
            let place = written.place.filter(|_| !written.is_spoiled);
            self.insertions.insert_if_known(place);
        }
        self.insertions
    }
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

/// A relative URL's path with a base.
fn join(base: &str, relative: &str) -> String {
    match relative.chars().next() {
        None | Some('?' | '#') => base.to_owned(),
        Some(_) => [directory(base), relative].concat(),
    }
}
