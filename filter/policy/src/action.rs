//! A way out for a viewer who is refused: a page that helps, or sells more screens.

use crate::message::Message;

/// What an application may offer beside a rule's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What the offer is called.
    pub label: Message,
    /// Where it leads: an https URL in each language.
    pub url: Message,
}

impl Action {
    /// Whether there is more than one language to choose from.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        self.label.has_languages() || self.url.has_languages()
    }
}
