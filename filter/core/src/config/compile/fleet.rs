//! The store that several edges share.

use core::num::NonZeroU32;

use streamgate_record::fleet::{Settings, StoreCredentials, layout_line};
use streamgate_values::subject::SubjectHasher;

use super::super::limits::{OUTAGE_WAIT_MS, SHARDS, SPAN_MS};
use super::super::raw::RawFleet;
use super::check::Check;

/// The longest that an eviction takes to other edges where nothing else is asked for, in
/// milliseconds.
const EVICTIONS_WITHIN_MS: u64 = 10_000;

impl Check<'_> {
    /// `shortest_timeout_ms` is that of the path, or of sessions, where streams lapse
    /// soonest. `None` after a problem.
    pub(super) fn fleet(
        &mut self,
        raw: &RawFleet,
        shortest_timeout_ms: u64,
        hasher: &SubjectHasher,
    ) -> Option<Settings> {
        self.name("fleet.cluster", &raw.cluster);
        self.range("fleet.shards", raw.shards, SHARDS, "shards");
        let wait_ms = self.duration("fleet.wait", &raw.wait, OUTAGE_WAIT_MS);
        let start_within_ms =
            self.duration("fleet.start_within", &raw.start_within, OUTAGE_WAIT_MS);
        let evictions_within_ms = match &raw.evictions_within {
            Some(text) => self.duration("fleet.evictions_within", text, SPAN_MS),
            None => Some(EVICTIONS_WITHIN_MS.min(shortest_timeout_ms.div_ceil(3))),
        };
        if let Some(user) = &raw.user {
            self.name("fleet.user", user);
            if raw.password.is_none() {
                self.wrong(
                    "fleet.user",
                    "a user without `password`",
                    "both, or neither",
                );
            }
        }
        let password = raw.password.as_ref();
        let password = password.map(|secret| self.secret("fleet.password", secret));
        Some(Settings {
            cluster: raw.cluster.clone(),
            shards: NonZeroU32::new(raw.shards)?,
            wait_ms: wait_ms?,
            start_within_ms: start_within_ms?,
            evictions_within_ms: evictions_within_ms?,
            shortest_timeout_ms,
            on_outage: raw.on_outage,
            credentials: password.map(|password| StoreCredentials {
                user: raw.user.clone(),
                password,
            }),
            layout: Some(layout_line(raw.shards, hasher)),
        })
    }
}
