//! A live stream besides the one that wants to play, and which policies see it.

use super::book::Application;
use crate::activity::Stream;

/// A live stream, and who started it.
pub(super) struct Other<'a> {
    pub(super) stream: &'a Stream,
    /// `None` if it is no longer configured: no policy sees its streams then.
    pub(super) application: Option<&'a Application>,
}

impl Other<'_> {
    /// Whether a policy sees it: those do that its own application lists, whoever
    /// their tenants are.
    pub(super) fn is_seen_by(&self, policy: usize) -> bool {
        self.application
            .is_some_and(|application| application.lists(policy))
    }
}
