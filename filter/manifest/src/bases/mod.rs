//! What the URLs of a DASH manifest are resolved against (ISO/IEC 23009-1, section 5.6), and
//! with that, which of them need the prefix.
//!
//! A `BaseURL` holds for the element that it stands in, and for all in that. Segments may be
//! told of once, further out, and are resolved against the bases of each representation. So an
//! absolute path may lead to another host, and a base at the root of this one (`https://host/`)
//! needs the prefix if what is resolved against it does.

mod parts;
mod settle;

use core::ops::Range;

use streamgate_values::sorted::sorted_by_key;

use self::parts::{Base, Leaf, Scope, Written, is_wanted};
pub(crate) use self::parts::{Reference, Role};
use self::settle::Settling;
use crate::insertions::Insertions;
use crate::task::{Task, Unreadable};
use crate::url::{UrlTarget, target};

/// The most elements with bases of their own that a manifest may have.
const SCOPES_MAX: usize = 65_536;

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
            UrlTarget::Elsewhere => return,
            UrlTarget::Here { at, path } => {
                // Nothing that it is resolved against changes it.
                let position = reference.position(at);
                if is_wanted(path, role, self.task) {
                    self.insertions.insert_if_known(position);
                }
                return;
            }
            UrlTarget::Path(_) => Some(reference.at),
            UrlTarget::Relative(_) if matches!(role, Role::Aside | Role::Document) => return,
            UrlTarget::Relative(_) => None,
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
        self.written = sorted_by_key(self.written, |written| written.scope);
        self.segments = sorted_by_key(self.segments, |leaf| leaf.scope);
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
