//! Playbacks whose player asks for its manifest at the address before the redirect, over and
//! over.
//!
//! Most players stay where they were redirected to. One that does not is redirected anew each
//! time its live manifest is due, and would be another stream each time. It is told from a
//! second player by what the first has done: it was redirected, asked for the manifest there
//! once, and plays; and that manifest is one that players ask for again, after a time that it
//! says. A player that stays would have asked again there, one that plays from a list of playlists
//! would have asked for those, one that has only begun does not play yet, and one that has just
//! asked is not due. Of several alike, whoever asks goes on with the stream that has been due for
//! longest. Browsers, whose tabs look alike, stay, and are left out.
//!
//! The edge remembers the latest such redirects of all accounts, in a fixed number of places
//! that its workers share (docs/decisions/0019-manifests-keep-their-token.md).

use streamgate_record::ports::{Store, StoreKey};
use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::shared_positions::{Followed, RememberedRequest, change, hash, position_of, push, read};
use crate::request::viewer::{CMCD, without_parameters};

/// Query parameters that differ from one request for a manifest to the next (CTA-5004;
/// RFC 8216bis, delivery directives).
const PASSING: [&str; 4] = [CMCD, "_HLS_msn", "_HLS_part", "_HLS_skip"];

/// What was asked for, by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asking<'a> {
    subject: &'a SubjectKey,
    manifest: u64,
    client: u64,
}

impl<'a> Asking<'a> {
    /// A request for the manifest at this path, without its token; `client` is what can be
    /// seen of who asks.
    pub(super) fn of(subject: &'a SubjectKey, path: &[u8], client: &[u8]) -> Self {
        Self {
            subject,
            manifest: manifest(subject, path),
            client: hash(subject, client),
        }
    }

    /// The streams that it may have been redirected to before, if it follows each redirect once:
    /// those whose manifests are due by `now`, and became so since `since`. That which has been
    /// due for longest comes first.
    pub(super) fn known(&self, store: &impl Store, since: Moment, now: Moment) -> Vec<StreamKey> {
        let found = store.load(store_key(self.subject));
        let bytes = found.map(|(bytes, _)| bytes).unwrap_or_default();
        let due = read(&bytes).filter(|known| {
            self.is(known) && known.followed == Followed::Yes && (since..=now).contains(&known.at)
        });
        let due = sorted_by_key(due, |known| known.at);
        due.into_iter().map(|known| known.stream).collect()
    }

    /// It is redirected to this stream. What it was redirected to before `since` is forgotten.
    pub(super) fn redirect(
        &self,
        store: &impl Store,
        stream: StreamKey,
        since: Moment,
        now: Moment,
    ) {
        change(store, store_key(self.subject), &mut |all| {
            all.retain(|known| known.stream != stream && (known.at >= since || !self.is(known)));
            let redirected = RememberedRequest {
                stream,
                manifest: self.manifest,
                client: self.client,
                followed: Followed::No,
                at: now,
            };
            push(all, redirected);
            true
        });
    }

    const fn is(&self, known: &RememberedRequest) -> bool {
        known.manifest == self.manifest && known.client == self.client
    }
}

/// What became of a request for a manifest under a stream's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ManifestOutcome {
    /// The origin redirects it.
    Redirect,
    /// The manifest, of which players wait so many milliseconds before they ask for it again, if they do.
    Manifest(Option<u64>),
}

/// A manifest was asked for under a stream's token.
pub(super) fn follow(
    store: &impl Store,
    subject: &SubjectKey,
    stream: StreamKey,
    path: &[u8],
    outcome: ManifestOutcome,
) {
    let manifest = manifest(subject, path);
    change(store, store_key(subject), &mut |all| {
        let Some(at) = all.iter().position(|known| known.stream == stream) else {
            return false;
        };
        let Some(known) = all.get_mut(at) else {
            return false;
        };
        let is_first = match known.followed {
            Followed::No => known.manifest == manifest,
            Followed::LedOn => true,
            Followed::Yes => false,
        };
        match outcome {
            ManifestOutcome::Redirect if is_first => known.followed = Followed::LedOn,
            ManifestOutcome::Manifest(Some(wait_ms)) if is_first => {
                known.followed = Followed::Yes;
                known.at = known.at.plus_ms(wait_ms);
            }
            // It stays where it was redirected to.
            _ => {
                all.remove(at);
            }
        }
        true
    });
}

fn manifest(subject: &SubjectKey, path: &[u8]) -> u64 {
    let path = without_parameters(path, &PASSING).unwrap_or_else(|| path.to_vec());
    hash(subject, &path)
}

fn store_key(subject: &SubjectKey) -> StoreKey {
    StoreKey::Redirected(position_of(subject))
}

#[cfg(test)]
#[path = "redirected_tests.rs"]
mod tests;
