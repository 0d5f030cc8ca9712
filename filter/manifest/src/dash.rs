//! The URLs of a DASH manifest (ISO/IEC 23009-1), of a patch for one, and of the parts of one
//! that are linked to by `xlink:href`.

use std::borrow::Cow;

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::LocalName;
use quick_xml::reader::Reader;

use crate::bases::{Reference, Scopes};
use crate::insertions::Insertions;
use crate::patch;
use crate::task::{Task, Unreadable};
use crate::text::{Text, role_of_attribute, text_of_element};

/// How deep elements may lie in elements.
const DEPTH_MAX: usize = 64;

/// An element that is open.
#[derive(Debug)]
struct Element {
    /// Where its content begins.
    content_at: usize,
    /// What its text is, if that is a URL.
    text: Option<Text>,
    /// The URLs in it are resolved in a scope of their own.
    is_scope: bool,
}

/// Finds where the prefix goes in a manifest.
pub(crate) fn find<'m>(manifest: &'m str, task: &'m Task<'m>) -> Result<Insertions, Unreadable> {
    let mut walk = Walk {
        manifest,
        elements: Vec::new(),
        scopes: Scopes::new(task),
    };
    let mut reader = Reader::from_str(manifest);
    // Some packagers write a query's `&` as it is, and some players read it.
    reader.config_mut().allow_dangling_amp = true;
    let mut is_known = false;
    loop {
        match reader.read_event().map_err(|_| Unreadable::Malformed)? {
            Event::Start(start) => {
                is_known = is_known || is_root(start.local_name());
                walk.open(&start, is_known)?;
            }
            Event::Empty(start) => {
                is_known = is_known || is_root(start.local_name());
                walk.open(&start, is_known)?;
                walk.close(None);
            }
            Event::End(end) => {
                let name_at = position_in(manifest, end.name().into_inner());
                walk.close(name_at.and_then(|at| at.checked_sub(2)));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !walk.elements.is_empty() {
        return Err(Unreadable::Malformed);
    }
    if !is_known {
        return Err(Unreadable::UnknownFormat);
    }
    walk.scopes.settle()
}

/// Whether a document that begins with this element is looked at.
fn is_root(name: LocalName<'_>) -> bool {
    matches!(
        name.into_inner(),
        "MPD" | "Patch" | "Period" | "AdaptationSet" | "EventStream" | "SegmentList"
    )
}

/// A manifest that is being read.
struct Walk<'m> {
    manifest: &'m str,
    elements: Vec<Element>,
    scopes: Scopes<'m>,
}

impl<'m> Walk<'m> {
    fn open(&mut self, start: &BytesStart<'m>, is_known: bool) -> Result<(), Unreadable> {
        if !is_known {
            return Err(Unreadable::UnknownFormat);
        }
        if self.elements.len() >= DEPTH_MAX {
            return Err(Unreadable::TooComplex);
        }
        if let Some(around) = self.elements.last_mut() {
            // A URL has no elements in it.
            around.text = None;
        }
        let local = start.local_name();
        let name = local.into_inner();
        let mut patched = None;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Unreadable::Malformed)?;
            let (local, prefix) = attribute.key.decompose();
            let local = local.into_inner();
            if matches!(name, "add" | "replace") && prefix.is_none() {
                patched = patch::text(local, &attribute.value).or(patched);
            }
            let Some(role) = role_of_attribute(name, local, prefix.is_some()) else {
                continue;
            };
            if let Some(at) = position_in(self.manifest, &attribute.value)
                && let Some(raw) = part(self.manifest, at, attribute.value.len())
                && let Some(reference) = escaped(at, raw)
            {
                self.scopes.add_leaf(reference, role);
            }
        }
        let is_scope = matches!(
            name,
            "MPD" | "Period" | "AdaptationSet" | "EmptyAdaptationSet" | "Representation"
        );
        if is_scope {
            self.scopes.open()?;
        }
        // Behind the `>`.
        let end = position_in(self.manifest, start).map(|at| at.saturating_add(start.len()));
        self.elements.push(Element {
            content_at: end.map_or(self.manifest.len(), |end| end.saturating_add(1)),
            text: text_of_element(name).or(patched),
            is_scope,
        });
        Ok(())
    }

    /// Closes the innermost element, whose content ends here if it has some.
    fn close(&mut self, content_end: Option<usize>) {
        let Some(element) = self.elements.pop() else {
            return;
        };
        if element.is_scope {
            self.scopes.close();
        }
        let (Some(text), Some(end)) = (element.text, content_end) else {
            return;
        };
        let length = end.saturating_sub(element.content_at);
        let content = part(self.manifest, element.content_at, length);
        let Some(reference) = content.and_then(|raw| content_of(element.content_at, raw)) else {
            return;
        };
        match text {
            Text::Base => self.scopes.add_base(reference),
            Text::Leaf(role) => self.scopes.add_leaf(reference, role),
        }
    }
}

/// Where a part of a text that was borrowed from it begins.
fn position_in(whole: &str, part: &str) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = at.checked_add(part.len())?;
    (end <= whole.len()).then_some(at)
}

fn part(whole: &str, at: usize, length: usize) -> Option<&str> {
    whole.get(at..at.checked_add(length)?)
}

/// The URL that an element's content is; none where it has comments or the like in it.
fn content_of(at: usize, content: &str) -> Option<Reference<'_>> {
    let start = content.trim_ascii_start();
    let at = at.saturating_add(content.len().saturating_sub(start.len()));
    let trimmed = start.trim_ascii_end();
    let Some(data) = trimmed.strip_prefix("<![CDATA[") else {
        // What is left out of a list of bases would be taken for one that is not there.
        return match trimmed.contains('<') {
            true => Some(Reference::unreadable(at)),
            false => Some(escaped(at, trimmed).unwrap_or_else(|| Reference::unreadable(at))),
        };
    };
    let data_at = at.saturating_add(trimmed.len().saturating_sub(data.len()));
    let data = match data.strip_suffix("]]>") {
        Some(data) if !data.contains("]]>") => data,
        _ => return Some(Reference::unreadable(at)),
    };
    let start = data.trim_ascii_start();
    Some(Reference {
        at: data_at.saturating_add(data.len().saturating_sub(start.len())),
        text: Cow::Borrowed(start.trim_ascii_end()),
        raw: start,
    })
}

/// A URL as it is written in an attribute or text.
fn escaped(at: usize, raw: &str) -> Option<Reference<'_>> {
    let start = raw.trim_ascii_start();
    let raw_at = at.saturating_add(raw.len().saturating_sub(start.len()));
    let trimmed = start.trim_ascii_end();
    let text = match trimmed.contains('&') {
        true => unescape(trimmed).ok()?,
        false => Cow::Borrowed(trimmed),
    };
    Some(Reference {
        at: raw_at,
        text,
        raw: trimmed,
    })
}
