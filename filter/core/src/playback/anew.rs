//! Finding out once more who asks, where a cookie does not play any more.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::gate::{Gate, KnownStream};
use super::lease;
use super::mint::mint;
use super::request::PlaybackRequest;
use crate::authority::Authority;
use crate::config::Start;
use crate::request::viewer::{Identified, REPEATED_MAX, Wish};
use crate::step::Step;

impl Gate {
    /// What the next good token in a cookie gets, where one whose stream is over stands before it:
    /// clients send an old cookie beside the new one, in either order. `None` if there is no other that was
    /// given later: by one from before, whoever has lost a place would start again.
    pub(super) fn by_next_cookie<H: Head, E: Host>(
        &mut self,
        request: &PlaybackRequest<'_, H, E>,
        known: &KnownStream<'_>,
        authority: &mut Authority,
    ) -> Option<Step> {
        if !known.viewer.is_by_cookie {
            return None;
        }
        for passed_over in known.passed_over.saturating_add(1)..REPEATED_MAX {
            let wish = Wish {
                redirects: false,
                anew: false,
                passed_over,
            };
            let viewer = &request.identify(wish, &mut self.good).ok()?;
            let Identified::Stream { key, recurring } = viewer.stream else {
                return None;
            };
            if !viewer.is_by_cookie || viewer.subject != known.viewer.subject {
                return None;
            }
            if key.issued_at() <= known.stream.issued_at() {
                continue;
            }
            let name = lease::name(&viewer.subject, &key);
            let next = KnownStream {
                viewer,
                stream: key,
                recurring,
                name: request.fingerprint(&self.fingerprinter, &name),
                may_begin_anew: known.may_begin_anew,
                passed_over,
            };
            return Some(self.by_record(request, &next, authority));
        }
        None
    }

    /// The redirect of a manifest request whose cookie does not play any more: its player
    /// begins anew, and the cookie only came along. `None` if there is no such redirect.
    pub(super) fn by_anew<H: Head, E: Host>(
        &mut self,
        request: &PlaybackRequest<'_, H, E>,
        authority: &mut Authority,
    ) -> Option<Step> {
        let wish = Wish {
            redirects: true,
            anew: true,
            passed_over: 0,
        };
        let viewer = request.identify(wish, &mut self.good).ok()?;
        let is_unnamed = viewer.stream == Identified::ByRedirect;
        (is_unnamed && request.protected.start == Start::Implicit)
            .then(|| mint(request, &viewer, authority))
    }
}
