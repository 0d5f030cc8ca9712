//! Resolving the URLs of a manifest, once all of its bases are known.

use core::ops::Range;

use super::parts::{BASES_MAX, Base, Leaf, Role, STEPS_MAX, Scope, Written, is_wanted, known};
use crate::insertions::Insertions;
use crate::task::{Task, Unreadable};
use crate::url::{UrlTarget, directory, has_token, target};

/// What is found out about the URLs of a manifest.
pub(super) struct Settling<'m> {
    /// All bases; the first is the manifest's own address. Those of an element stand
    /// together.
    pub(super) bases: Vec<Base>,
    pub(super) written: Vec<Written<'m>>,
    pub(super) task: &'m Task<'m>,
    pub(super) insertions: Insertions,
    pub(super) steps: usize,
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
    pub(super) fn resolve_bases(&mut self, scopes: &mut [Scope]) -> Result<(), Unreadable> {
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
            (UrlTarget::Here { at, path }, _) => (at, path),
            (UrlTarget::Path(path), Some(_)) => (0, path),
            (UrlTarget::Path(_), None) => {
                written.is_spoiled = true;
                return Some(elsewhere);
            }
            (UrlTarget::Relative(relative), Some(path)) => {
                return Some(Base {
                    path: Some(join(path, relative)),
                    open: around.open,
                });
            }
            (UrlTarget::Relative(_), None) | (UrlTarget::Elsewhere, _) => return Some(elsewhere),
        };
        // With a token, or without a path at which it could go, it is good as it is.
        let position = written.reference.position(at);
        let is_open = path.starts_with('/') && !has_token(path) && position.is_some();
        let base = Base {
            path: Some(if path.starts_with('/') { path } else { "/" }.to_owned()),
            open: is_open.then_some(number),
        };
        if is_open {
            written.position = position;
            written.is_wanted = written.is_wanted || self.task.carries(path);
        }
        Some(base)
    }

    /// Looks at segments with the bases of each innermost element that they are told of in.
    pub(super) fn resolve_segments(
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
    pub(super) fn look_at(&mut self, leaf: &mut Leaf<'_>, base: usize) -> Result<(), Unreadable> {
        self.step()?;
        let Some(Base { path, .. }) = self.bases.get(base) else {
            return Ok(());
        };
        match path {
            Some(_) => leaf.is_here = true,
            None => leaf.is_elsewhere = true,
        }
        if leaf.position.is_none() {
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
    pub(super) fn settle_leaf(&mut self, leaf: &Leaf<'_>) {
        if leaf.position.is_some() && leaf.is_here && is_wanted(&leaf.text, leaf.role, self.task) {
            let position = leaf.position.filter(|_| !leaf.is_elsewhere);
            self.insertions.insert_if_known(position);
        }
    }

    /// Inserts the prefix into bases that need it.
    pub(super) fn settle_written(mut self) -> Insertions {
        for written in self.written.iter().filter(|written| written.is_wanted) {
            let position = written.position.filter(|_| !written.is_spoiled);
            self.insertions.insert_if_known(position);
        }
        self.insertions
    }
}

/// A relative URL's path with a base.
fn join(base: &str, relative: &str) -> String {
    match relative.chars().next() {
        None | Some('?' | '#') => base.to_owned(),
        Some(_) => [directory(base), relative].concat(),
    }
}
