//! Common Media Client Data: what a player says of itself with each request
//! (CTA-5004, and CTA-5004-B for version 2).
//!
//! A signal, not a credential: it tells streams of one subject apart and says
//! nothing about whose they are.

mod dictionary;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(test)]
mod reader_tests;
#[cfg(test)]
mod tests;

use percent_encoding::percent_decode;
use streamgate_values::head::Head;
use streamgate_values::text::split_once;

/// The longest `sid`, in characters.
const SID_MAX: usize = 64;

/// The longest `cid`, in characters; 64 in version 1.
const CID_MAX: usize = 128;

/// The longest query value, and the longest header, that is read, in bytes. What is
/// longer counts as absent.
const BYTES_MAX: usize = 8_192;

/// The headers' names, and what each may say of what is asked for here.
mod field {
    /// `sid`, `cid`.
    pub(super) const SESSION: &str = "cmcd-session";
    /// `sta`, `bl`.
    pub(super) const REQUEST: &str = "cmcd-request";
    /// `bg`.
    pub(super) const STATUS: &str = "cmcd-status";
}

/// What a player says of itself. Malformed values count as absent, as CTA-5004 asks of
/// whoever reads them; keys that are not listed here are not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cmcd {
    /// `sid`: its playback session's id, 1 to 64 characters.
    pub sid: Option<String>,
    /// `cid`: the content's id, 1 to 128 characters.
    pub cid: Option<String>,
    /// `sta`: what the player is doing. Version 2.
    pub state: Option<PlayerState>,
    /// `bg`: nobody can see or hear it. Version 2.
    pub background: bool,
    /// `bl`: for how long it can play on from its buffer, in milliseconds; of several kinds of
    /// media (version 2) the shortest.
    pub buffer_ms: Option<u64>,
}

/// What a player is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerState {
    /// `s`: it starts up.
    Starting,
    /// `p`: it shows something.
    Playing,
    /// `k`: it goes to another position.
    Seeking,
    /// `r`: it has run out of data.
    Rebuffering,
    /// `a`: it is paused.
    Paused,
    /// `w`: it waits for its user or for an event.
    Waiting,
    /// `e`: the content is over.
    Finished,
    /// `f`: it has given up.
    FatalError,
    /// `q`: its user has left before the end.
    Quit,
    /// `d`: it loads what it means to play later.
    Preloading,
    /// One that is not known here.
    Other,
}

impl PlayerState {
    fn of(token: &[u8]) -> Self {
        match token {
            b"s" => Self::Starting,
            b"p" => Self::Playing,
            b"k" => Self::Seeking,
            b"r" => Self::Rebuffering,
            b"a" => Self::Paused,
            b"w" => Self::Waiting,
            b"e" => Self::Finished,
            b"f" => Self::FatalError,
            b"q" => Self::Quit,
            b"d" => Self::Preloading,
            _ => Self::Other,
        }
    }
}

impl PlayerState {
    /// How CMCD writes it; `?` for one that is not known here.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Starting => "s",
            Self::Playing => "p",
            Self::Seeking => "k",
            Self::Rebuffering => "r",
            Self::Paused => "a",
            Self::Waiting => "w",
            Self::Finished => "e",
            Self::FatalError => "f",
            Self::Quit => "q",
            Self::Preloading => "d",
            Self::Other => "?",
        }
    }
}

impl Cmcd {
    /// Reads a dictionary; of a key that is repeated, the last well-formed value.
    fn read(data: &[u8]) -> Self {
        let mut said = Self::default();
        for (key, value) in dictionary::members(data) {
            match key {
                b"sid" => said.sid = dictionary::string(value, SID_MAX).or(said.sid),
                b"cid" => said.cid = dictionary::string(value, CID_MAX).or(said.cid),
                b"sta" => said.state = dictionary::token(value).map(PlayerState::of).or(said.state),
                b"bl" => {
                    said.buffer_ms = dictionary::least_integer(value).or(said.buffer_ms);
                }
                b"bg" => said.background = dictionary::boolean(value).unwrap_or(said.background),
                _ => {}
            }
        }
        said
    }
}

/// A request's CMCD, read as far as it is asked for. A player sends it in the query or
/// in headers; where the query has it, no header is looked at but for a session's id that it lacks.
#[derive(Debug)]
pub struct CmcdReader<'a, H> {
    head: &'a H,
    query: Option<Cmcd>,
}

impl<'a, H: Head> CmcdReader<'a, H> {
    /// Of a request for `path`, query included. Reads no header.
    #[must_use]
    pub fn new(head: &'a H, path: &[u8]) -> Self {
        Self {
            head,
            query: in_query(path),
        }
    }

    /// The session's id, wherever it stands: it alone tells streams apart. Reads
    /// `CMCD-Session` at most, all its lines where the first has no id.
    #[must_use]
    pub fn sid(&self) -> Option<String> {
        if let Some(Cmcd { sid: Some(sid), .. }) = &self.query {
            return Some(sid.clone());
        }
        let first = self.head.header(field::SESSION)?;
        let read = |data: &[u8]| (data.len() <= BYTES_MAX).then(|| Cmcd::read(data).sid)?;
        read(&first).or_else(|| {
            // The lines of a field are one list (RFC 9110, section 5.3).
            let lines = self.head.headers(field::SESSION);
            (lines.len() > 1).then(|| read(&lines.join(&b',')))?
        })
    }

    /// The content's id. Reads `CMCD-Session` at most.
    #[must_use]
    pub fn cid(&self) -> Option<String> {
        self.read(field::SESSION, |said| said.cid.clone())
    }

    /// What the player is doing. Reads `CMCD-Request` at most.
    #[must_use]
    pub fn state(&self) -> Option<PlayerState> {
        self.read(field::REQUEST, |said| said.state)
    }

    /// Whether nobody can see or hear it. Reads `CMCD-Status` at most.
    #[must_use]
    pub fn background(&self) -> bool {
        self.read(field::STATUS, |said| said.background)
    }

    /// For how long it can play on from its buffer, in milliseconds. Reads `CMCD-Request` at
    /// most, and that only if `reads_header`.
    #[must_use]
    pub fn buffer_ms(&self, reads_header: bool) -> Option<u64> {
        match &self.query {
            Some(said) => said.buffer_ms,
            None if reads_header => self.header(field::REQUEST).buffer_ms,
            None => None,
        }
    }

    /// Whether the query has any CMCD.
    #[must_use]
    pub const fn is_in_query(&self) -> bool {
        self.query.is_some()
    }

    /// Whether there is any CMCD in headers that every request has which says a buffer.
    #[must_use]
    pub fn is_in_headers(&self) -> bool {
        let is_there = |field| self.head.header(field).is_some();
        is_there(field::SESSION) || is_there(field::REQUEST)
    }

    /// All of it. Reads three headers at most.
    #[must_use]
    pub fn all(self) -> Cmcd {
        if let Some(said) = self.query {
            return said;
        }
        let session = self.header(field::SESSION);
        let request = self.header(field::REQUEST);
        Cmcd {
            sid: session.sid,
            cid: session.cid,
            state: request.state,
            buffer_ms: request.buffer_ms,
            background: self.header(field::STATUS).background,
        }
    }

    fn read<T>(&self, field: &str, pick: impl FnOnce(&Cmcd) -> T) -> T {
        match &self.query {
            Some(said) => pick(said),
            None => pick(&self.header(field)),
        }
    }

    fn header(&self, field: &str) -> Cmcd {
        match self.head.header(field) {
            Some(data) if data.len() <= BYTES_MAX => Cmcd::read(&data),
            _ => Cmcd::default(),
        }
    }
}

/// What the parameters `CMCD` say that have a value; of several that say the same, the first.
fn in_query(path: &[u8]) -> Option<Cmcd> {
    let (_, query) = split_once(path, b'?')?;
    let values = query.split(|byte| *byte == b'&').filter_map(|pair| {
        let (name, value) = split_once(pair, b'=')?;
        let named = percent_decode(name).eq(b"CMCD".iter().copied());
        (named && (1..=BYTES_MAX).contains(&value.len())).then_some(value)
    });
    values
        .map(|value| Cmcd::read(&percent_decode(value).collect::<Vec<_>>()))
        .reduce(|first, next| Cmcd {
            sid: first.sid.or(next.sid),
            cid: first.cid.or(next.cid),
            state: first.state.or(next.state),
            background: first.background || next.background,
            buffer_ms: first.buffer_ms.or(next.buffer_ms),
        })
}
