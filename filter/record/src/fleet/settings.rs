//! How an edge speaks with the store of its fleet.

use core::fmt;
use core::num::NonZeroU32;

/// How an edge speaks with the store of its fleet.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The proxy's name for the store's nodes.
    pub cluster: String,
    /// How many shards subjects are spread over. The same at every edge.
    pub shards: NonZeroU32,
    /// How long a start waits for the store, in milliseconds.
    pub wait_ms: u64,
    /// How long starts wait for a shard that has never answered, in milliseconds, counted from
    /// when this worker began.
    pub start_within_ms: u64,
    /// Within what time a stream is refused here that was ended elsewhere, in milliseconds.
    pub evictions_within_ms: u64,
    /// The shortest timeout of any stream, in milliseconds: signs of life have to reach the
    /// store well before it.
    pub shortest_timeout_ms: u64,
    /// What a start gets while the store does not answer.
    pub on_outage: OnOutage,
    /// What the store is told first.
    pub credentials: Option<StoreCredentials>,
    /// How this edge lays accounts out in the store, as a line for other edges to compare with
    /// theirs ([`layout_line`](super::layout_line)); `None` to say nothing.
    pub layout: Option<String>,
}

impl Settings {
    /// How often an edge reads the eviction feed of a shard, in milliseconds.
    pub(super) const fn feed_every_ms(&self) -> u64 {
        self.evictions_within_ms.div_ceil(2)
    }
}

/// What a start gets while the store does not answer.
// Streams that are known here play on in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
pub enum OnOutage {
    /// It is judged by what this edge knows.
    #[default]
    Admit,
    /// It is refused.
    Refuse,
}

/// Who this edge is to the store.
#[derive(Clone)]
pub struct StoreCredentials {
    /// The user; `None`: the store's default user.
    pub user: Option<String>,
    /// The user's password.
    pub password: String,
}

/// Never shows the password.
impl fmt::Debug for StoreCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StoreCredentials");
        shown.field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn who_this_edge_is_may_be_shown_and_its_password_may_not() {
        let credentials = StoreCredentials {
            user: Some("edge".to_owned()),
            password: "a secret".to_owned(),
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("edge"), "{shown}");
        assert!(!shown.contains("a secret"), "{shown}");
    }
}
