//! Responses that have to keep the token of their request.

use streamgate_record::ports::Host;

use super::Edge;
use crate::playback::{Coding, Held, Rewrite};

impl Edge {
    /// Takes note of the head of a response that may have to keep the token of its request, with this status;
    /// `ends`: no body follows. `header` gives its headers, and `set` changes or removes one. Says whether its
    /// body is held until all of it is there.
    pub fn on_response_head(
        &self,
        host: &impl Host,
        rewrite: &Rewrite,
        status: (u16, bool),
        header: impl Fn(&str) -> Option<Vec<u8>>,
        set: impl FnMut(&str, Option<&str>),
    ) -> Held {
        rewrite.begin(&self.config, host, status, header, set)
    }

    /// A manifest whose body is there, with the token in the URLs that need it; `None`: it is
    /// good as it is.
    #[must_use]
    pub fn rewrite_manifest(
        &self,
        host: &impl Host,
        rewrite: &Rewrite,
        coding: Coding,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        rewrite.apply(&self.config, host, coding, body)
    }
}
