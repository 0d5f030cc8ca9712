//! Playbacks whose player asks for its manifest at the address before the redirect, over and
//! over.
//!
//! Most players stay where they were redirected to. One that does not is redirected anew each
//! time its live manifest is due, and would be another stream each time. It is told from a
//! second player by what the first has done: it was redirected, asked for the manifest there
//! once, and plays; and that manifest is one that players ask for again. A player that stays
//! would have asked again there, one that plays from a list of playlists would have asked for
//! those, and one that has only begun does not play yet. Browsers, whose tabs look alike,
//! stay, and are left out.
//!
//! The edge remembers the latest such redirects of all accounts, in a fixed number of places
//! that its workers share (docs/decisions/0019-manifests-keep-their-token.md).

use streamgate_bytes::Fingerprinter;
use streamgate_record::ports::{Store, StoreKey, Swap};
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use crate::request::viewer::{CMCD, without_parameters};

/// How many places there are.
const PLACES: u64 = 1_024;

/// How many redirects are remembered in a place. The latest push out the first.
const PER_POSITION: usize = 16;

/// How often a write is tried that others come before.
const TRIES: usize = 3;

/// Query parameters that differ from one request for a manifest to the next (CTA-5004;
/// RFC 8216bis, delivery directives).
const PASSING: [&str; 4] = [CMCD, "_HLS_msn", "_HLS_part", "_HLS_skip"];

/// A redirect, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Redirected {
    stream: StreamKey,
    /// Which manifest of the account it is.
    manifest: u64,
    /// Which client of the account asked.
    client: u64,
    /// Its manifest was asked for where it led.
    is_followed: bool,
}

/// Bytes of a redirect.
const LEN: usize = 33;

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

    /// The stream that it was redirected to before, if it follows each redirect once.
    pub(super) fn known(&self, store: &impl Store) -> Option<StreamKey> {
        let (bytes, _) = store.load(store_key(self.subject))?;
        let found = read(&bytes).find(|known| self.is(known))?;
        found.is_followed.then_some(found.stream)
    }

    /// It is redirected to this stream.
    pub(super) fn redirect(&self, store: &impl Store, stream: StreamKey) {
        change(store, self.subject, |all| {
            all.retain(|known| !self.is(known));
            if all.len() >= PER_POSITION {
                all.remove(0);
            }
            all.push(Redirected {
                stream,
                manifest: self.manifest,
                client: self.client,
                is_followed: false,
            });
            true
        });
    }

    const fn is(&self, known: &Redirected) -> bool {
        known.manifest == self.manifest && known.client == self.client
    }
}

/// A manifest was asked for under a stream's token; `is_polled` says that players ask for it
/// again.
pub(super) fn follow(
    store: &impl Store,
    subject: &SubjectKey,
    stream: StreamKey,
    path: &[u8],
    is_polled: bool,
) {
    let manifest = manifest(subject, path);
    change(store, subject, |all| {
        let Some(at) = all.iter().position(|known| known.stream == stream) else {
            return false;
        };
        let Some(known) = all.get_mut(at) else {
            return false;
        };
        if is_polled && known.manifest == manifest && !known.is_followed {
            known.is_followed = true;
        } else {
            // It stays where it was redirected to.
            all.remove(at);
        }
        true
    });
}

fn manifest(subject: &SubjectKey, path: &[u8]) -> u64 {
    let path = without_parameters(path, &PASSING).unwrap_or_else(|| path.to_vec());
    hash(subject, &path)
}

/// Told apart within an account only, so that its own key will do.
fn hash(subject: &SubjectKey, text: &[u8]) -> u64 {
    Fingerprinter::new(subject.as_bytes())
        .fingerprint(text)
        .spread()
}

fn store_key(subject: &SubjectKey) -> StoreKey {
    let number = hash(subject, b"").checked_rem(PLACES).unwrap_or_default();
    StoreKey::Redirected(u32::try_from(number).unwrap_or_default())
}

/// Changes what is remembered, if `change` says that it has.
fn change(
    store: &impl Store,
    subject: &SubjectKey,
    mut change: impl FnMut(&mut Vec<Redirected>) -> bool,
) {
    let key = store_key(subject);
    for _ in 0..TRIES {
        let found = store.load(key);
        let (bytes, version) = match found {
            Some((bytes, version)) => (bytes, Some(version)),
            None => (Vec::new(), None),
        };
        let mut all: Vec<Redirected> = read(&bytes).collect();
        if !change(&mut all) {
            return;
        }
        let bytes: Vec<u8> = all.into_iter().flat_map(Redirected::to_bytes).collect();
        // What is not remembered is one stream more.
        if store.swap(key, version, &bytes) != Swap::Conflict {
            return;
        }
    }
}

fn read(bytes: &[u8]) -> impl Iterator<Item = Redirected> {
    let (all, _) = bytes.as_chunks::<LEN>();
    all.iter().map(Redirected::of_bytes)
}

impl Redirected {
    fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let fields = self.stream.as_bytes().iter().copied();
        let fields = fields
            .chain(self.manifest.to_le_bytes())
            .chain(self.client.to_le_bytes())
            .chain([u8::from(self.is_followed)]);
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    fn of_bytes(bytes: &[u8; LEN]) -> Self {
        let mut stream = [0; 16];
        let (mut manifest, mut client) = ([0; 8], [0; 8]);
        let mut from = bytes.iter().copied();
        for to in stream.iter_mut().chain(&mut manifest).chain(&mut client) {
            *to = from.next().unwrap_or_default();
        }
        Self {
            stream: StreamKey::from_bytes(stream),
            manifest: u64::from_le_bytes(manifest),
            client: u64::from_le_bytes(client),
            is_followed: from.next() == Some(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryHost, test};

    const ALICE: SubjectKey = SubjectKey::from_bytes([1; 16]);

    fn stream(number: u8) -> StreamKey {
        StreamKey::from_bytes([number; 16])
    }

    fn asking(path: &str, client: &str) -> Asking<'static> {
        Asking::of(&ALICE, path.as_bytes(), client.as_bytes())
    }

    #[test]
    fn a_redirect_is_known_while_it_is_followed_once() {
        let host = MemoryHost::new();
        let tv = asking("/live.mpd", "tv");
        let known = || tv.known(&host);
        assert_eq!(known(), None);
        tv.redirect(&host, stream(1));
        assert_eq!(known(), None);
        for _ in 0..3 {
            follow(&host, &ALICE, stream(1), b"/live.mpd?_HLS_msn=7", true);
            assert_eq!(known(), Some(stream(1)));
            tv.redirect(&host, stream(1));
            assert_eq!(known(), None);
        }
        follow(&host, &ALICE, stream(1), b"/live.mpd", true);
        for other in [asking("/live.mpd", "phone"), asking("/live.mpd?a", "tv")] {
            assert_eq!(other.known(&host), None);
        }
        assert_eq!(
            asking("/live.mpd?CMCD=x", "tv").known(&host),
            Some(stream(1))
        );
        // It stays.
        follow(&host, &ALICE, stream(1), b"/live.mpd", true);
        assert_eq!(known(), None);
    }

    #[test]
    fn a_player_that_asks_for_other_manifests_or_for_one_that_does_not_change_stays() {
        let host = MemoryHost::new();
        for (path, is_polled) in [("/720.m3u8", true), ("/live.mpd", false)] {
            let tv = asking("/live.mpd", "tv");
            tv.redirect(&host, stream(1));
            follow(&host, &ALICE, stream(1), path.as_bytes(), is_polled);
            follow(&host, &ALICE, stream(1), b"/live.mpd", true);
            assert_eq!(tv.known(&host), None, "{path}");
        }
    }

    #[test]
    fn the_latest_redirects_are_remembered_and_no_more() {
        let host = MemoryHost::new();
        let clients: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        for (number, client) in (0..).zip(&clients) {
            asking("/live.mpd", client).redirect(&host, stream(number));
            follow(&host, &ALICE, stream(number), b"/live.mpd", true);
        }
        let known = clients
            .iter()
            .map(|client| asking("/live.mpd", client).known(&host));
        let known: Vec<_> = known.flatten().collect();
        assert_eq!(known, (24..40).map(stream).collect::<Vec<_>>());
        assert!(host.stored(store_key(&ALICE)).unwrap().len() <= PER_POSITION * LEN);
    }

    #[test]
    fn what_others_write_meanwhile_is_kept_and_nonsense_is_none() {
        let host = MemoryHost::new();
        asking("/live.mpd", "tv").redirect(&host, stream(1));
        host.lose_next_swap_at(store_key(&ALICE));
        asking("/live.mpd", "phone").redirect(&host, stream(2));
        follow(&host, &ALICE, stream(2), b"/live.mpd", true);
        assert_eq!(asking("/live.mpd", "phone").known(&host), Some(stream(2)));
        host.plant(store_key(&ALICE), b"nonsense");
        assert_eq!(asking("/live.mpd", "phone").known(&host), None);
        asking("/live.mpd", "phone").redirect(&host, stream(3));
        follow(&host, &ALICE, stream(3), b"/live.mpd", true);
        assert_eq!(asking("/live.mpd", "phone").known(&host), Some(stream(3)));
    }
}
