//! Letting a request through by what this worker remembers of its stream.

use std::rc::Rc;

use streamgate_bytes::Fingerprint;
use streamgate_record::ports::Host;
use streamgate_values::head::Head;

use super::gate::Gate;
use super::lease::Lease;
use super::media;
use super::passage::{Facts, Watch};
use super::request::PlaybackRequest;
use super::rewrite::Rewrite;
use crate::request::viewer::may_name_another;
use crate::step::Step;

/// After how many passes between two ticks a worker looks whether a stream was ended: one that is too busy
/// for its ticks to come in time hears of an eviction all the same.
const LOOK_AFTER_PASSES: u64 = 1_024;

impl Gate {
    /// Decides by what this worker remembers; `None` if that does not suffice. `is_identified`:
    /// the name is of all that the request says of its viewer, not of its token alone.
    pub(super) fn by_lease<H: Head, E: Host>(
        &mut self,
        name: Fingerprint,
        request: &PlaybackRequest<'_, H, E>,
        is_identified: bool,
    ) -> Option<Step> {
        let lease = self.leases.value(name)?;
        let is_fresh = self.ticked_at.is_some_and(|tick| lease.is_fresh(tick))
            || lease.is_fresh(request.now());
        if (!is_fresh && request.now() >= lease.ends_at)
            || lease.path_index != request.path_index
            || !(lease.is_anywhere || lease.stream.is_known_of(request.asked.file))
            || !lease.is_unchanged(&mut self.generations, request.host)
        {
            return None;
        }
        if is_fresh && !request.plays_beyond(lease, self.ticked_at) {
            let passes = self.passes.get().saturating_add(1);
            self.passes.set(passes);
            if passes.is_multiple_of(LOOK_AFTER_PASSES) {
                self.generations.look(request.host);
            }
            let (file, index) = (request.asked.file, request.path_index);
            if media::ends_like_media(request.protected, file) {
                self.flows.begin(name, index, &lease.stream, false);
                return Some(request.forward(None));
            }
            let passage = request.forward(None);
            // A manifest is no media.
            let rewrite = match &passage {
                Step::Forward(forward) => forward.rewrite.as_deref(),
                _ => None,
            };
            if !rewrite.is_some_and(Rewrite::is_of_manifest)
                && media::is_media(request.protected, file)
            {
                self.flows.begin(name, index, &lease.stream, false);
            } else {
                self.flows.begin_uncounted(name, index, &lease.stream);
            }
            return Some(passage);
        }
        // Whose account the request names besides its token is looked at as often as the
        // record is: on the fast path it would cost a host call.
        if !is_identified
            && may_name_another(
                request.config,
                request.protected,
                &request.asked,
                &lease.stream.subject,
            )
        {
            return None;
        }
        let is_watching = request.is_watching();
        if (!is_watching && request.paused().is_some()) || request.asks_for_options() {
            return None;
        }
        let watch = match is_watching {
            true => Some(Watch {
                stream: Rc::clone(&lease.stream),
                name,
                path_index: request.path_index,
                path: request.kept_path(),
                languages: String::new(),
                known: true,
                more_than: 0,
                facts: Facts {
                    attributes: request.own_attributes().ok()?,
                    buffer: request.buffer(),
                    client: request.client(&lease.stream.subject),
                    ..Facts::default()
                },
            }),
            false => {
                let index = request.path_index;
                self.flows.begin_uncounted(name, index, &lease.stream);
                None
            }
        };
        Some(request.forward(watch))
    }

    /// Keeps a lease in the place of the one there was; or none, where none can be had.
    pub(super) fn keep(&mut self, name: Fingerprint, lease: Option<Lease>) {
        match lease {
            Some(lease) => self.leases.insert(name, lease),
            None => self.leases.remove(name),
        }
    }
}
