//! What one worker remembers of streams it has let through, so that most segment
//! requests ask nobody.
//!
//! A lease says: this stream played when last looked, and its record need not be
//! touched before it is due. It holds as long as the generation of the subject's slot group is unchanged.

use core::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use streamgate_bytes::begins_with;
use streamgate_policy::{Application, Client};
use streamgate_record::ports::Host;
use streamgate_record::{Generations, LookCount};
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

/// A stream that was let through.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The stream. All that a request on the fast path needs stands beside it: looking it up
    /// as well would cost another look at memory.
    pub stream: Rc<Leased>,
    /// Place of the protected path in the configuration. Another has rules of its own.
    pub path_index: usize,
    /// The subject's slot group.
    pub group: u16,
    /// Whether [`Leased::scope`] need not be looked at.
    pub is_anywhere: bool,
    /// Its player says in headers how long it can play on.
    pub is_in_headers: bool,
    /// Generation of the subject's slot group when the record was read.
    pub generation: u32,
    /// When the generation was last known to be this.
    pub looked: Cell<LookCount>,
    /// How long before its end the record has to be touched again, in milliseconds.
    pub due_before_ms: u32,
    /// When the lease is worth nothing: the stream has lapsed, or its credential ended.
    pub ends_at: Moment,
}

impl Lease {
    /// Whether the record need not be touched yet.
    #[must_use]
    pub const fn is_fresh(&self, now: Moment) -> bool {
        now.plus_ms(self.due_before_ms as u64).as_ms() < self.ends_at.as_ms()
    }

    /// Whether no stream of the subject's slot group was ended since the record was read.
    pub(super) fn is_unchanged(&self, generations: &mut Generations, host: &impl Host) -> bool {
        if generations.is_unchanged(host, self.group, self.looked.get()) {
            return true;
        }
        let now = generations.now();
        let is_unchanged = host.generation(self.group) == self.generation;
        if is_unchanged {
            self.looked.set(now);
        }
        is_unchanged
    }
}

/// What is needed to touch a leased stream's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The subject.
    pub subject: SubjectKey,
    /// The stream.
    pub stream: StreamKey,
    /// Its application.
    pub application: Arc<Application>,
    /// When the credential ends that the stream was let through for.
    pub expires_at: Option<Moment>,
    /// What paths begin with, as they are read, that this is known of: elsewhere the token may not
    /// be good, or the stream have other attributes. Empty: it is known of all of the
    /// protected path. `None`: it is longer than is kept, and no lease is.
    pub scope: Option<Box<[u8]>>,
    /// Its id names a device rather than a playback.
    pub recurring: bool,
    /// Where its requests come from, where the path looks at that: each has a lease of its own.
    pub client: Option<Box<Client>>,
}

impl Leased {
    /// Whether this is known of what a path, as it is read, asks for. A scope that does not end
    /// with a slash is a whole path: what goes on behind it is another file.
    pub(super) fn is_known_of(&self, file: &[u8]) -> bool {
        self.scope.as_ref().is_some_and(|scope| {
            let is_whole = || scope.ends_with(b"/") || scope.len() == file.len();
            scope.is_empty() || (begins_with(file, scope) && is_whole())
        })
    }
}

/// The most leases a worker holds. In a VM, whose memory never shrinks, a full table takes 15 MB. The native
/// module has room for all of a million streams, should each worker come to serve each of them: 200 bytes
/// for each.
const LEASES_MAX: usize = if cfg!(target_arch = "wasm32") {
    92_000
} else {
    1_048_576
};

/// A worker's leases, under fingerprints of whatever names a stream on the wire: the text of a good
/// token, else a [`PlainName`], else [`name`].
pub type Leases = Recent<Lease>;

/// No leases yet.
pub(super) fn none() -> Leases {
    Leases::new(LEASES_MAX)
}

/// What no token begins with, and no name of another kind.
const BY_KEYS: u8 = 0xff;
const PLAIN: u8 = 0xfe;
/// What the name of a lease begins with that only one client has.
pub(super) const OF_CLIENT: u8 = 0xfd;

/// What the lease of a stream is found under that no leading token names.
pub(super) fn name(subject: &SubjectKey, stream: &StreamKey) -> [u8; 33] {
    let mut name = [BY_KEYS; 33];
    let (_, rest) = name.split_at_mut(1);
    let keys = subject.as_bytes().iter().chain(stream.as_bytes());
    for (to, from) in rest.iter_mut().zip(keys) {
        *to = *from;
    }
    name
}

/// What the lease of a stream is found under that is named by values of the request as they
/// stand there: what they stand for takes two signatures to find out.
pub(super) struct PlainName(Vec<u8>);

impl PlainName {
    /// The name that these values make, each with its carrier's index in the configuration.
    pub(super) fn of(said: [(usize, Vec<u8>); 2]) -> Self {
        let mut name = vec![PLAIN];
        for (carrier, value) in said {
            for number in [carrier, value.len()] {
                name.extend_from_slice(&number.to_le_bytes());
            }
            name.extend_from_slice(&value);
        }
        Self(name)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether a text may be a token's. Both keys can be read in a token, so a client could
/// make up a text that is a lease's other name.
pub(super) fn may_be_token(text: &[u8]) -> bool {
    !matches!(text.first(), Some(&(BY_KEYS | PLAIN | OF_CLIENT)))
}
