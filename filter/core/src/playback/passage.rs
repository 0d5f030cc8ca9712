//! What the gate says of a request, and of the response to it.

use std::rc::Rc;

use streamgate_bytes::Fingerprint;
use streamgate_policy::{Client, Event};
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::subject::SubjectKey;

use super::lease::Leased;
use super::rewrite::Rewrite;
use crate::exchange::{Record, Reply};

/// What is to become of a request.
#[derive(Debug)]
#[must_use]
pub enum Passage {
    /// It goes on.
    Forward(Forward),
    /// It is answered here.
    Reply(Reply),
    /// The fleet's record of this subject has to be looked at first.
    Wait(SubjectKey),
}

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
    /// What the request says of the stream.
    pub(super) facts: Facts,
}

/// What a request says of its stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) attributes: Attributes,
    /// The account's own limits; none: what is on record holds.
    pub(super) limits: Limits,
    /// Where it comes from, where the path looks at that.
    pub(super) client: Option<Client>,
}

/// What is to become of a watched response.
#[derive(Debug)]
#[must_use]
pub enum Watched {
    /// It goes to the viewer; the access log may be told something.
    Pass(Option<Record>),
    /// It is replaced by this.
    Refuse(Reply),
    /// The fleet's store has to decide first, about this subject and event.
    Wait(SubjectKey, Event),
}
