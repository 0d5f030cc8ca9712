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

use streamgate_bytes::Fingerprinter;
use streamgate_record::ports::{Store, StoreKey, Swap};
use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;
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
    /// When it was redirected; once that is followed, when its manifest is due again.
    at: Moment,
}

/// Bytes of a redirect.
const LEN: usize = 41;

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
            self.is(known) && known.is_followed && (since..=now).contains(&known.at)
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
        change(store, self.subject, |all| {
            all.retain(|known| known.stream != stream && (known.at >= since || !self.is(known)));
            if all.len() >= PER_POSITION {
                all.remove(0);
            }
            all.push(Redirected {
                stream,
                manifest: self.manifest,
                client: self.client,
                is_followed: false,
                at: now,
            });
            true
        });
    }

    const fn is(&self, known: &Redirected) -> bool {
        known.manifest == self.manifest && known.client == self.client
    }
}

/// A manifest was asked for under a stream's token; `wait_ms` says how long players wait before
/// they ask for it again, if they do.
pub(super) fn follow(
    store: &impl Store,
    subject: &SubjectKey,
    stream: StreamKey,
    path: &[u8],
    wait_ms: Option<u64>,
) {
    let manifest = manifest(subject, path);
    change(store, subject, |all| {
        let Some(at) = all.iter().position(|known| known.stream == stream) else {
            return false;
        };
        let Some(known) = all.get_mut(at) else {
            return false;
        };
        match wait_ms {
            Some(wait_ms) if known.manifest == manifest && !known.is_followed => {
                known.is_followed = true;
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
        let mut bytes = Vec::new();
        for known in &all {
            known.write(&mut bytes);
        }
        // What is not remembered is one stream more.
        if store.swap(key, version, &bytes) != Swap::Conflict {
            return;
        }
    }
}

fn read(bytes: &[u8]) -> impl Iterator<Item = Redirected> {
    let (all, _) = bytes.as_chunks::<LEN>();
    all.iter().filter_map(Redirected::of_bytes)
}

impl Redirected {
    fn write(&self, bytes: &mut Vec<u8>) {
        let [manifest, client, at] =
            [self.manifest, self.client, self.at.as_ms()].map(u64::to_le_bytes);
        bytes.extend_from_slice(self.stream.as_bytes());
        bytes.extend_from_slice(&manifest);
        bytes.extend_from_slice(&client);
        bytes.push(u8::from(self.is_followed));
        bytes.extend_from_slice(&at);
    }

    fn of_bytes(bytes: &[u8; LEN]) -> Option<Self> {
        let (stream, rest) = bytes.split_first_chunk()?;
        let (manifest, rest) = rest.split_first_chunk()?;
        let (client, rest) = rest.split_first_chunk()?;
        let (is_followed, rest) = rest.split_first()?;
        Some(Self {
            stream: StreamKey::from_bytes(*stream),
            manifest: u64::from_le_bytes(*manifest),
            client: u64::from_le_bytes(*client),
            is_followed: *is_followed == 1,
            at: Moment::from_ms(u64::from_le_bytes(*rest.first_chunk()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryHost, NOW, test};

    const ALICE: SubjectKey = SubjectKey::from_bytes([1; 16]);
    const WAIT_MS: u64 = 2_000;
    const TIMEOUT_MS: u64 = 90_000;

    fn stream(number: u8) -> StreamKey {
        StreamKey::from_bytes([number; 16])
    }

    fn asking(path: &str, client: &str) -> Asking<'static> {
        Asking::of(&ALICE, path.as_bytes(), client.as_bytes())
    }

    /// What is asked of one host, at a moment in seconds from the first.
    struct At<'h>(&'h MemoryHost, f64);

    impl At<'_> {
        fn now(&self) -> Moment {
            NOW.plus_ms((self.1 * 1_000.0) as u64)
        }

        fn since(&self) -> Moment {
            Moment::from_ms(self.now().as_ms() - TIMEOUT_MS)
        }

        fn redirect(&self, asking: Asking<'_>, number: u8) {
            asking.redirect(self.0, stream(number), self.since(), self.now());
        }

        fn known(&self, asking: Asking<'_>) -> Vec<StreamKey> {
            asking.known(self.0, self.since(), self.now())
        }
    }

    fn follow_at(host: &MemoryHost, number: u8, path: &str, wait_ms: Option<u64>) {
        follow(host, &ALICE, stream(number), path.as_bytes(), wait_ms);
    }

    #[test]
    fn a_redirect_is_known_while_it_is_followed_once_and_is_due() {
        let host = MemoryHost::new();
        let tv = asking("/live.mpd", "tv");
        assert_eq!(At(&host, 0.0).known(tv), []);
        for round in 0..3 {
            let began = f64::from(round) * 4.0;
            At(&host, began).redirect(tv, 1);
            assert_eq!(At(&host, began + 3.9).known(tv), []);
            follow_at(&host, 1, "/live.mpd?_HLS_msn=7", Some(WAIT_MS));
            assert_eq!(At(&host, began + 1.9).known(tv), []);
            assert_eq!(At(&host, began + 2.0).known(tv), [stream(1)]);
        }
        let later = At(&host, 12.0);
        for other in [asking("/live.mpd", "phone"), asking("/live.mpd?a", "tv")] {
            assert_eq!(later.known(other), []);
        }
        let with_cmcd = asking("/live.mpd?CMCD=x", "tv");
        assert_eq!(later.known(with_cmcd), [stream(1)]);
        // It has lapsed.
        assert_eq!(At(&host, 101.0).known(tv), []);
        // It stays.
        follow_at(&host, 1, "/live.mpd", Some(WAIT_MS));
        assert_eq!(later.known(tv), []);
    }

    #[test]
    fn of_several_alike_that_which_has_been_due_for_longest_comes_first() {
        let host = MemoryHost::new();
        let tv = asking("/live.mpd", "tv");
        for (number, at) in [(1, 0.0), (2, 0.1), (3, 1.0)] {
            At(&host, at).redirect(tv, number);
        }
        for number in [3, 1, 2] {
            follow_at(&host, number, "/live.mpd", Some(WAIT_MS));
        }
        assert_eq!(At(&host, 2.5).known(tv), [stream(1), stream(2)]);
        At(&host, 2.5).redirect(tv, 1);
        follow_at(&host, 1, "/live.mpd", Some(WAIT_MS));
        let all = [2, 3, 1].map(stream);
        assert_eq!(At(&host, 4.5).known(tv), all);
        // Whoever has lapsed takes no place.
        At(&host, 93.0).redirect(tv, 9);
        let kept = host.stored(store_key(&ALICE)).unwrap().len() / LEN;
        assert_eq!(kept, 3);
    }

    #[test]
    fn a_player_that_asks_for_other_manifests_or_for_one_that_does_not_change_stays() {
        let host = MemoryHost::new();
        for (path, wait_ms) in [("/720.m3u8", Some(0)), ("/live.mpd", None)] {
            let tv = asking("/live.mpd", "tv");
            At(&host, 0.0).redirect(tv, 1);
            follow_at(&host, 1, path, wait_ms);
            follow_at(&host, 1, "/live.mpd", Some(0));
            assert_eq!(At(&host, 4.0).known(tv), [], "{path}");
        }
    }

    #[test]
    fn the_latest_redirects_are_remembered_and_no_more() {
        let host = MemoryHost::new();
        let clients: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        for (number, client) in (0..).zip(&clients) {
            At(&host, 0.0).redirect(asking("/live.mpd", client), number);
            follow_at(&host, number, "/live.mpd", Some(0));
        }
        let later = At(&host, 4.0);
        let known = clients
            .iter()
            .flat_map(|client| later.known(asking("/live.mpd", client)));
        let known: Vec<_> = known.collect();
        assert_eq!(known, (24..40).map(stream).collect::<Vec<_>>());
        assert!(host.stored(store_key(&ALICE)).unwrap().len() <= PER_POSITION * LEN);
    }

    #[test]
    fn what_others_write_meanwhile_is_kept_and_nonsense_is_none() {
        let host = MemoryHost::new();
        let (begins, later) = (At(&host, 0.0), At(&host, 4.0));
        let phone = asking("/live.mpd", "phone");
        begins.redirect(asking("/live.mpd", "tv"), 1);
        host.lose_next_swap_at(store_key(&ALICE));
        begins.redirect(phone, 2);
        follow_at(&host, 2, "/live.mpd", Some(WAIT_MS));
        assert_eq!(later.known(phone), [stream(2)]);
        host.plant(store_key(&ALICE), b"nonsense");
        assert_eq!(later.known(phone), []);
        begins.redirect(phone, 3);
        follow_at(&host, 3, "/live.mpd", Some(WAIT_MS));
        assert_eq!(later.known(phone), [stream(3)]);
    }
}
