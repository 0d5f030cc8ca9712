//! How a request goes on to the origin, and what is to be done when its response is there.

use std::rc::Rc;
#[cfg(test)]
use std::sync::Arc;

use streamgate_bytes::Fingerprint;
use streamgate_policy::Client;
#[cfg(test)]
use streamgate_policy::Play;
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
#[cfg(test)]
use streamgate_values::subject::SubjectKey;

use super::lease::Leased;
use super::rewrite::Rewrite;

/// A request goes on to the origin.
#[derive(Debug, Default)]
pub struct Forward {
    /// How many bytes to take off the front of its path.
    pub strip: usize,
    /// What else to take off.
    pub scrub: Scrub,
    /// A renewed access token for the viewer, as a header of the response.
    pub renewed: Option<(String, String)>,
    /// What to do when the response's status is known; `None`: nothing.
    pub watch: Option<Watch>,
    /// The response is a manifest whose URLs may need the token in front of the path.
    pub rewrite: Option<Box<Rewrite>>,
}

/// What is taken off a request, besides the token in front of its path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scrub {
    /// The path to go on under, where its query has changed.
    pub path: Option<Vec<u8>>,
    /// Headers to replace, or to remove where there is no value; names in lower case.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Whether `Referer` goes, too: where tokens stand in URLs, they stand there.
    pub referer: bool,
}

/// What to do when the response to a let-through media request is known.
#[derive(Debug, Clone)]
pub struct Watch {
    pub(super) stream: Rc<Leased>,
    /// What its lease is found under.
    pub(super) name: Fingerprint,
    /// Place of the protected path in the configuration.
    pub(super) path_index: usize,
    /// The path without its token, for the log.
    pub(super) path: Vec<u8>,
    /// The viewer's `Accept-Language`: the head is gone when it is needed.
    pub(super) languages: String,
    /// The stream is on record already.
    pub(super) known: bool,
    /// A success counts where what is fetched has more bytes than this; 0: always.
    pub(super) more_than: u64,
    /// What the request says of the stream.
    pub(super) facts: Facts,
}

/// What a request says of its stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) attributes: Attributes,
    /// The account's own limits; none: what is on record holds.
    pub(super) limits: Limits,
    /// How long its player can play on from its buffer.
    pub(super) buffer: PlayerBuffer,
    /// Where it comes from, where the path looks at that.
    pub(super) client: Option<Client>,
}

/// What a request says of its player's buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PlayerBuffer {
    /// How long its player can play on from it, in milliseconds, as far as that counts.
    pub(super) ms: u64,
    /// The player's CMCD stands in headers, which take a host call to read.
    pub(super) is_in_headers: bool,
}

#[cfg(test)]
impl Watch {
    /// The first segment of a stream.
    pub(crate) fn of_a_start(subject: SubjectKey, play: &Play) -> Self {
        Self {
            stream: Rc::new(Leased {
                subject,
                stream: play.stream,
                application: Arc::clone(&play.application),
                expires_at: None,
                scope: Some(Box::default()),
                recurring: false,
                client: None,
            }),
            name: Fingerprint(0),
            path_index: 0,
            path: Vec::new(),
            languages: String::new(),
            known: false,
            more_than: 0,
            facts: Facts::default(),
        }
    }
}
