//! Finding out who watches, as this worker can.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::gate::Gate;
use super::request::Request;
use crate::credential_clock::credentials_ahead_ms;
use crate::refusal::reason::Reason;
use crate::request::viewer::{Viewer, Wish, identify};

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
}
