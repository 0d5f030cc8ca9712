//! The URLs of an HLS playlist (RFC 8216 and its successor's drafts): lines of their own, and
//! attributes of tags.

use crate::insertions::Insertions;
use crate::playlist::{each_url, has_variables};
use crate::task::Task;
use crate::url::absolute;
use crate::variables::{Expanded, PrefixPosition, Variables};

/// Finds where the prefix goes in a playlist.
pub(crate) fn find(playlist: &str, task: &Task<'_>) -> Insertions {
    let mut insertions = Insertions::default();
    let variables = Variables::read(playlist, task);
    for position in variables.to_rewrite() {
        insertions.insert(position);
    }
    let mut room = Expanded::default();
    each_url(playlist, |at, url| {
        if !has_variables(url) {
            if let Some(offset) = position_of_prefix(url, task) {
                insertions.insert(at.saturating_add(offset));
            }
            return;
        }
        match variables.position_of_prefix(url, &mut room, task) {
            PrefixPosition::At(offset) => insertions.insert(at.saturating_add(offset)),
            PrefixPosition::Unknown => insertions.leave(),
            PrefixPosition::Nowhere => {}
        }
    });
    insertions
}

/// Where in a URL without variables the prefix goes.
pub(crate) fn position_of_prefix(url: &str, task: &Task<'_>) -> Option<usize> {
    let (at, path) = absolute(url, task.hosts)?;
    task.carries(path).then_some(at)
}
