//! What the URLs of a DASH manifest are resolved against (ISO/IEC 23009-1, section 5.6), and
//! with that, which of them need the prefix.
//!
//! A `BaseURL` holds for the element that it stands in, and for all in that. Segments may be
//! told of once, further out, and are resolved against the bases of each representation. So an
//! absolute path may lead to another host, and a base at the root of this one (`https://host/`)
//! needs the prefix if what is resolved against it does.

use std::borrow::Cow;

use crate::hls::carries;
use crate::insertions::Insertions;
use crate::url::{Target, directory, has_token, target};
use crate::{Rewriting, Unreadable};

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

/// A URL that is fetched.
#[derive(Debug)]
pub(crate) struct Leaf<'m> {
    reference: Reference<'m>,
    role: Role,
    /// It is resolved against a base at this host.
    is_here: bool,
    /// It is resolved against a base at another.
    is_elsewhere: bool,
}

impl<'m> Leaf<'m> {
    pub(crate) const fn new(reference: Reference<'m>, role: Role) -> Self {
        Self {
            reference,
            role,
            is_here: false,
            is_elsewhere: false,
        }
    }
}

/// A `BaseURL` as it is written.
#[derive(Debug)]
struct Written<'m> {
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
struct Scope<'m> {
    parent: Option<usize>,
    has_children: bool,
    /// The places of its own bases among all.
    written: Vec<usize>,
    /// Segments that are told of in it.
    segments: Vec<Leaf<'m>>,
    /// The places of all its bases, once known.
    bases: Vec<usize>,
    /// The bases that its segments were looked at with.
    seen: Vec<usize>,
}

/// The elements of a manifest that may have bases.
#[derive(Debug)]
pub(crate) struct Scopes<'m> {
    scopes: Vec<Scope<'m>>,
    written: Vec<Written<'m>>,
    /// What is resolved where it stands, and in which scope that is.
    others: Vec<(usize, Leaf<'m>)>,
    current: usize,
}

impl Default for Scopes<'_> {
    fn default() -> Self {
        Self {
            scopes: vec![Scope::default()],
            written: Vec::new(),
            others: Vec::new(),
            current: 0,
        }
    }
}

impl<'m> Scopes<'m> {
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
        let number = self.written.len();
        self.written.push(Written {
            reference,
            place: None,
            is_wanted: false,
            is_spoiled: false,
        });
        if let Some(scope) = self.scopes.get_mut(self.current) {
            scope.written.push(number);
        }
    }

    /// A URL in the innermost element.
    pub(crate) fn add_leaf(&mut self, leaf: Leaf<'m>) {
        match leaf.role {
            Role::Template | Role::Segment => {
                if let Some(scope) = self.scopes.get_mut(self.current) {
                    scope.segments.push(leaf);
                }
            }
            Role::Link | Role::Aside | Role::Document => self.others.push((self.current, leaf)),
        }
    }

    /// Tells where the prefix goes.
    pub(crate) fn settle(self, rewriting: &Rewriting<'_>) -> Result<Insertions, Unreadable> {
        let mut settling = Settling {
            bases: vec![Base {
                path: Some(rewriting.path.to_owned()),
                open: None,
            }],
            written: self.written,
            rewriting,
            insertions: Insertions::default(),
            steps: 0,
        };
        let mut scopes = self.scopes;
        settling.resolve_bases(&mut scopes)?;
        settling.resolve_segments(&mut scopes)?;
        for (scope, mut leaf) in self.others {
            let bases = scopes.get(scope).map(|scope| scope.bases.as_slice());
            let bases = match leaf.role {
                Role::Document => Some([0].as_slice()),
                _ => bases,
            };
            for base in bases.unwrap_or_default() {
                settling.look_at(&mut leaf, *base)?;
            }
            settling.settle_leaf(&leaf);
        }
        for leaf in scopes.iter().flat_map(|scope| &scope.segments) {
            settling.settle_leaf(leaf);
        }
        Ok(settling.settle_written())
    }
}

struct Settling<'a, 'm> {
    /// All bases; the first is the manifest's own address.
    bases: Vec<Base>,
    written: Vec<Written<'m>>,
    rewriting: &'a Rewriting<'a>,
    insertions: Insertions,
    steps: usize,
}

impl Settling<'_, '_> {
    fn step(&mut self) -> Result<(), Unreadable> {
        self.steps = self.steps.saturating_add(1);
        match self.steps > STEPS_MAX {
            true => Err(Unreadable::TooComplex),
            false => Ok(()),
        }
    }

    /// Finds the bases of each element from those of the one around it.
    fn resolve_bases(&mut self, scopes: &mut [Scope<'_>]) -> Result<(), Unreadable> {
        for number in 0..scopes.len() {
            let parent = scopes.get(number).and_then(|scope| scope.parent);
            let around = parent.and_then(|parent| scopes.get(parent));
            let around = around.map_or_else(|| vec![0], |parent| parent.bases.clone());
            let Some(scope) = scopes.get_mut(number) else {
                continue;
            };
            scope.bases = match scope.written.is_empty() {
                true => around,
                false => self.combine(&around, &scope.written)?,
            };
        }
        Ok(())
    }

    /// The bases that alternatives make with those of the element around.
    fn combine(&mut self, around: &[usize], own: &[usize]) -> Result<Vec<usize>, Unreadable> {
        let first = self.bases.len();
        for written in own {
            for base in around {
                self.step()?;
                let Some(base) = self.resolve(*written, *base) else {
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
        Ok((first..self.bases.len()).collect())
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
        let (at, path) = match (target(text, self.rewriting.hosts), &around.path) {
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
            written.is_wanted = written.is_wanted || carries(path, self.rewriting);
        }
        Some(base)
    }

    /// Looks at segments with the bases of each innermost element that they are told of in.
    fn resolve_segments(&mut self, scopes: &mut [Scope<'_>]) -> Result<(), Unreadable> {
        for number in 0..scopes.len() {
            let Some(scope) = scopes.get(number) else {
                continue;
            };
            if scope.has_children {
                continue;
            }
            let bases = scope.bases.clone();
            let mut has_segments = false;
            let mut outer = Some(number);
            while let Some(scope) = outer.and_then(|outer| scopes.get_mut(outer)) {
                outer = scope.parent;
                has_segments = has_segments || !scope.segments.is_empty();
                for base in &bases {
                    self.step()?;
                    if scope.segments.is_empty() || scope.seen.contains(base) {
                        continue;
                    }
                    self.steps = self.steps.saturating_add(scope.seen.len());
                    scope.seen.push(*base);
                    for leaf in &mut scope.segments {
                        self.look_at(leaf, *base)?;
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
        if leaf.role != Role::Aside
            && let Target::Relative(relative) = target(&leaf.reference.text, self.rewriting.hosts)
        {
            self.look_at_path(base, Some((relative, leaf.role)));
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
                carries(joined, self.rewriting)
            }
            // It leads to no file, so nothing is fetched from there.
            None if path.ends_with('/') => return,
            None => carries(path, self.rewriting),
        };
        match carries {
            true => written.is_wanted = true,
            false => written.is_spoiled = true,
        }
    }

    /// Inserts the prefix into a URL that is fetched, if it is absolute and needs it.
    fn settle_leaf(&mut self, leaf: &Leaf<'_>) {
        let (at, path) = match target(&leaf.reference.text, self.rewriting.hosts) {
            Target::Path(path) if leaf.is_here => (0, path),
            Target::Here { at, path } => (at, path),
            _ => return,
        };
        let is_path = at == 0;
        let (path, is_whole) = known(path, leaf.role);
        let path = if is_whole { path } else { directory(path) };
        if !carries(path, self.rewriting) {
            return;
        }
        match leaf.reference.place(at) {
            Some(place) if !(is_path && leaf.is_elsewhere) => self.insertions.insert(place),
            _ => self.insertions.leave(),
        }
    }

    /// Inserts the prefix into bases that need it.
    fn settle_written(mut self) -> Insertions {
        for written in &self.written {
            if !written.is_wanted {
                continue;
            }
            match written.place {
                Some(place) if !written.is_spoiled => self.insertions.insert(place),
                _ => self.insertions.leave(),
            }
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
