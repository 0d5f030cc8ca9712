//! That an origin redirects what is below a protected path, in the middle of a stream: segments that pass by a
//! lease would lose their token there, so their responses are looked at, which costs each a host call. All workers of
//! an edge learn it from the first that sees it, and an update does not make them forget it.

use streamgate_record::ports::{Store, StoreKey};
use streamgate_values::subject::SubjectKey;

use super::shared_positions::{hash, position};
use crate::config::{Config, LooksAt, PlaybackPath};

/// The origin redirects what is below a protected path: all workers look at all responses there from their next tick
/// on, and this one at once.
pub(super) fn look_from_now_on(protected: &PlaybackPath, store: &impl Store) {
    if protected.looks_at.replace(LooksAt::All) != LooksAt::All {
        // Where another was faster, it is known.
        let _ = store.swap(redirects_under(protected), None, b"1");
    }
}

/// Learns below which protected paths the origin redirects, as other workers have seen.
pub(crate) fn learn(config: &Config, store: &impl Store) {
    for protected in &config.playback {
        if protected.looks_at.get() != LooksAt::All
            && store.load(redirects_under(protected)).is_some()
        {
            protected.looks_at.set(LooksAt::All);
        }
    }
}

/// Where it is kept that the origin redirects what is below a protected path. A path is known by its prefix,
/// so that an update changes nothing.
fn redirects_under(protected: &PlaybackPath) -> StoreKey {
    let nobody = SubjectKey::from_bytes([0; 16]);
    StoreKey::Redirects(position(hash(&nobody, protected.prefix.as_bytes())))
}
