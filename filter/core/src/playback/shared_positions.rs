//! What all workers of an edge remember together of what was asked of late: in a fixed number of places, of
//! which each holds the latest of some accounts.

use streamgate_bytes::Fingerprinter;
use streamgate_record::ports::{Store, StoreKey, Swap};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

/// How many places there are of each kind.
const PLACES: u64 = 1_024;

/// How much is remembered in a place. The latest pushes out the first.
pub(super) const PER_POSITION: usize = 16;

/// How often a write is tried that others come before.
const TRIES: usize = 3;

/// Something that was asked, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RememberedRequest {
    pub(super) stream: StreamKey,
    /// Which manifest of the account it is, where it is one.
    pub(super) manifest: u64,
    /// Which client of the account asked, or which account.
    pub(super) client: u64,
    pub(super) followed: Followed,
    /// Of a redirect when it was, and once that is followed, when its manifest is due again.
    pub(super) at: Moment,
}

/// What has become of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// Nothing yet.
    No = 0,
    /// The manifest was asked for where it led.
    Yes = 1,
    /// The manifest was asked for where it led, and the origin redirected that: wherever the manifest is.
    LedOn = 2,
}

/// Bytes of what is remembered.
pub(super) const LEN: usize = 41;

/// Told apart within an account only, so that its own key will do.
#[inline(never)]
pub(super) fn hash(subject: &SubjectKey, text: &[u8]) -> u64 {
    Fingerprinter::new(subject.as_bytes())
        .fingerprint(text)
        .spread()
}

/// Which place is an account's.
pub(super) fn position_of(subject: &SubjectKey) -> u32 {
    position(hash(subject, b""))
}

/// Which place is a hash's.
pub(super) fn position(hash: u64) -> u32 {
    let number = hash.checked_rem(PLACES).unwrap_or_default();
    u32::try_from(number).unwrap_or_default()
}

/// Remembers one more.
pub(super) fn push(all: &mut Vec<RememberedRequest>, asked: RememberedRequest) {
    if all.len() >= PER_POSITION {
        all.remove(0);
    }
    all.push(asked);
}

/// Changes what is remembered in a place, if `change` says that it has; whether that is written.
pub(super) fn change(
    store: &impl Store,
    key: StoreKey,
    change: &mut dyn FnMut(&mut Vec<RememberedRequest>) -> bool,
) -> bool {
    for _ in 0..TRIES {
        let found = store.load(key);
        let (bytes, version) = match found {
            Some((bytes, version)) => (bytes, Some(version)),
            None => (Vec::new(), None),
        };
        let mut all: Vec<RememberedRequest> = read(&bytes).collect();
        if !change(&mut all) {
            return false;
        }
        let mut bytes = Vec::new();
        for known in &all {
            known.write(&mut bytes);
        }
        match store.swap(key, version, &bytes) {
            Swap::Conflict => {}
            swapped => return swapped == Swap::Done,
        }
    }
    false
}

pub(super) fn read(bytes: &[u8]) -> impl Iterator<Item = RememberedRequest> {
    let (all, _) = bytes.as_chunks::<LEN>();
    all.iter().filter_map(RememberedRequest::of_bytes)
}

impl RememberedRequest {
    fn write(&self, bytes: &mut Vec<u8>) {
        let [manifest, client, at] =
            [self.manifest, self.client, self.at.as_ms()].map(u64::to_le_bytes);
        bytes.extend_from_slice(self.stream.as_bytes());
        bytes.extend_from_slice(&manifest);
        bytes.extend_from_slice(&client);
        bytes.push(self.followed as u8);
        bytes.extend_from_slice(&at);
    }

    fn of_bytes(bytes: &[u8; LEN]) -> Option<Self> {
        let (stream, rest) = bytes.split_first_chunk()?;
        let (manifest, rest) = rest.split_first_chunk()?;
        let (client, rest) = rest.split_first_chunk()?;
        let (followed, rest) = rest.split_first()?;
        Some(Self {
            stream: StreamKey::from_bytes(*stream),
            manifest: u64::from_le_bytes(*manifest),
            client: u64::from_le_bytes(*client),
            followed: match followed {
                1 => Followed::Yes,
                2 => Followed::LedOn,
                _ => Followed::No,
            },
            at: Moment::from_ms(u64::from_le_bytes(*rest.first_chunk()?)),
        })
    }
}
