//! Finding out who asks, once more where a cookie does not play any more.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::gate::Gate;
use super::mint::mint;
use super::request::Request;
use crate::authority::Authority;
use crate::config::Start;
use crate::credential_clock::credentials_ahead_ms;
use crate::refusal::reason::Reason;
use crate::request::viewer::{Identified, Viewer, Wish, identify};
use crate::step::Step;

impl Gate {
    /// Finds out who watches.
    pub(super) fn identify<'a, H: Head, E: Host>(
        &mut self,
        request: &Request<'a, H, E>,
        wish: Wish,
    ) -> Result<Viewer<'a>, Reason> {
        let Request {
            config, protected, ..
        } = *request;
        let good = &mut self.good;
        let ahead_ms = credentials_ahead_ms(config, request.host);
        identify(
            config,
            protected,
            &request.asked,
            wish,
            good,
            request.now(),
            ahead_ms,
        )
    }

    /// The redirect of a manifest request whose cookie does not play any more: its player
    /// begins anew, and the cookie only came along. `None` if there is no such redirect.
    pub(super) fn by_anew<H: Head, E: Host>(
        &mut self,
        request: &Request<'_, H, E>,
        authority: &mut Authority,
    ) -> Option<Step> {
        let wish = Wish {
            redirects: true,
            anew: true,
        };
        let viewer = self.identify(request, wish).ok()?;
        let is_unnamed = viewer.stream == Identified::ByRedirect;
        (is_unnamed && request.protected.start == Start::Implicit)
            .then(|| mint(request, &viewer, authority))
    }
}
