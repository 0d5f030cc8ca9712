//! The URLs of the JSON documents that HLS playlists refer to: lists of an interstitial's
//! assets, and content steering manifests.

use std::borrow::Cow;

use crate::insertions::Insertions;
use crate::task::{Task, Unreadable};
use crate::url::absolute;

/// Finds where the prefix goes in such a document.
pub(crate) fn find(document: &str, task: &Task<'_>) -> Result<Insertions, Unreadable> {
    let has = |name: &str| memchr::memmem::find(document.as_bytes(), name.as_bytes()).is_some();
    if !has("\"ASSETS\"") && !has("\"RELOAD-URI\"") && !has("\"PATHWAY-CLONES\"") {
        return Err(Unreadable::UnknownFormat);
    }
    let mut insertions = Insertions::default();
    let mut key = "";
    // Of a pathway's clone, URLs stand under the names of variants.
    let mut is_in_urls = false;
    let mut rest = document;
    while let Some((between, after)) = rest.split_once('"') {
        is_in_urls = is_in_urls && !between.contains('}');
        let Some((text, behind)) = split_string(after) else {
            return Err(Unreadable::Malformed);
        };
        rest = behind;
        if rest.trim_ascii_start().starts_with(':') {
            key = text;
            is_in_urls = is_in_urls || (key.starts_with("PER-") && key.ends_with("-URIS"));
            continue;
        }
        if !matches!(core::mem::take(&mut key), "URI" | "RELOAD-URI") && !is_in_urls {
            continue;
        }
        let at = document.len().saturating_sub(after.len());
        let Some(url) = unescaped(text) else {
            continue;
        };
        if let Some((offset, path)) = absolute(&url, task.hosts)
            && task.carries(path)
        {
            let offset = position_in(text, offset);
            insertions.insert(at.saturating_add(offset));
        }
    }
    Ok(insertions)
}

/// A string behind its first quote, up to its last, and what follows that.
fn split_string(text: &str) -> Option<(&str, &str)> {
    let mut from = 0_usize;
    loop {
        let found = memchr::memchr2(b'"', b'\\', text.as_bytes().get(from..)?)?;
        let at = from.saturating_add(found);
        let (string, rest) = text.split_at_checked(at)?;
        match rest.strip_prefix('"') {
            Some(rest) => return Some((string, rest)),
            // Whatever is escaped is no end.
            None => from = at.saturating_add(2),
        }
    }
}

/// What a string means; `None` where it has escapes that no URL needs. A slash is often
/// escaped, and need not be.
fn unescaped(string: &str) -> Option<Cow<'_, str>> {
    if !string.contains('\\') {
        return Some(Cow::Borrowed(string));
    }
    let plain = string.replace("\\/", "/");
    (!plain.contains('\\')).then_some(Cow::Owned(plain))
}

/// The place in a string that is this one in what it means. All of its escapes are of slashes.
fn position_in(string: &str, position: usize) -> usize {
    let mut meant = 0_usize;
    let mut bytes = string.bytes().enumerate();
    while meant < position
        && let Some((_, byte)) = bytes.next()
    {
        meant = meant.saturating_add(usize::from(byte != b'\\'));
    }
    bytes.next().map_or(string.len(), |(at, _)| at)
}
