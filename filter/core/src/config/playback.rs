//! Protected paths, compiled.

use core::cell::Cell;

use streamgate_policy::Sharing;
use streamgate_policy::activity::Liveness;

use super::choices::{Paused, Preflight, Start};
use crate::playback::{Classes, Exclusions};

/// A protected path.
#[derive(Debug)]
pub struct PlaybackPath {
    /// What the path begins with, for example `/vod/`.
    pub prefix: String,
    /// What is left out all the same.
    pub exclude: Exclusions,
    /// What its paths are for.
    pub classes: Classes,
    /// The application of streams that start here without saying which theirs is.
    /// It is in the book.
    pub application: String,
    /// The identity provider of subjects that come without one (headers, claims).
    pub idp: String,
    /// How streams begin here.
    pub start: Start,
    /// Where to find the subject; the first that yields one wins.
    pub subject: Vec<SubjectCarrier>,
    /// Where to find the stream; the first that yields one wins.
    pub stream: Vec<StreamCarrier>,
    /// Names for the path's segments, from the first on; empty if there is no template.
    pub template: Vec<TemplateSegment>,
    /// What requests say of their streams, by attribute.
    pub attributes: Vec<(String, AttributeSource)>,
    /// What keeps streams alive that play here.
    pub liveness: Liveness,
    /// What becomes of players that say they are paused; `None`: nothing.
    pub paused: Option<Paused>,
    /// What becomes of a browser's preflight.
    pub preflight: Preflight,
    /// The most bytes of a manifest that is rewritten; 0: none is.
    pub manifest_max: usize,
    /// Which responses are looked at for URLs that have to keep a token.
    pub looks_at: Cell<LooksAt>,
    /// Status of a refusal: 403, 409 or 410.
    pub refuse_status: u16,
    /// What is shown instead of a refused manifest.
    pub slate: Slate,
    /// How many viewers one stream may have at once; `None`: nobody looks.
    pub sharing: Option<Sharing>,
    /// How long a stream lives after its last media request, in milliseconds.
    pub timeout_ms: u64,
    /// The most of what a player says it has buffered that its stream lives longer by, in
    /// milliseconds; 0: none of it.
    pub buffer_max_ms: u64,
    /// Where its credentials may stand.
    pub credentials: Credentials,
}

/// Which responses to requests under a token are looked at, besides those that go by the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksAt {
    /// Those of what is named like a manifest.
    NamedManifests,
    /// Those of what an operator's patterns say is a manifest, too.
    AllManifests,
    /// All of them: one has been redirected to where the token has to be kept.
    All,
}

/// What can say whose account watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectCarrier {
    /// A playback token.
    Token(TokenPosition),
    /// A claim of the JWT that the proxy has checked.
    JwtClaim(String),
    /// `sub` of a Common Access Token (CTA-5007).
    CatSubject,
    /// A header that an earlier hop vouches for; its name in lower case.
    Header(String),
}

/// What can say which stream a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamCarrier {
    /// A playback token.
    Token(TokenPosition),
    /// A claim of the JWT that the proxy has checked.
    JwtClaim(String),
    /// A header that an earlier hop vouches for; its name in lower case.
    Header(String),
    /// `cti` of a Common Access Token (CTA-5007).
    CatId,
    /// CMCD's session id (CTA-5004), in the query or the `CMCD-Session` header.
    CmcdSid,
    /// A redirect of a manifest request to the same under a fresh token.
    Redirect,
    /// The client's address together with its `User-Agent`.
    AddressAndAgent,
}

/// Where a playback token stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPosition {
    /// In front of the path.
    Path,
    /// In a query parameter.
    Query(String),
    /// In a cookie.
    Cookie(String),
    /// In a header, alone or after `Bearer`; its name in lower case.
    Header(String),
}

/// What a segment of the path is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSegment {
    /// It has to read like this, or the template does not apply.
    Literal(String),
    /// It is the value of this attribute.
    Attribute(String),
    /// It may be anything.
    Any,
}

/// Where an attribute comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeSource {
    /// A segment of the path, the first being 1.
    PathSegment(u32),
    /// A query parameter.
    Query(String),
    /// A header; its name in lower case.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A claim of the JWT that the proxy has checked.
    JwtClaim(String),
    /// A keyed hash of the client's address together with its `User-Agent`.
    AddressAndAgent,
    /// A keyed hash of the network that the client's address is in.
    Network,
    /// CMCD (CTA-5004).
    Cmcd(CmcdKey),
    /// The same for every stream.
    Value(String),
}

/// What CMCD says of a playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CmcdKey {
    /// The session id.
    Sid,
    /// The content id.
    Cid,
    /// The player's state, one letter.
    #[serde(rename = "sta")]
    State,
    /// Whether the player is in the background: `true` or `false`.
    #[serde(rename = "bg")]
    Background,
}

/// Manifests to show instead of a refused one: paths or URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slate {
    /// For HLS.
    pub hls: Option<String>,
    /// For DASH.
    pub dash: Option<String>,
}

impl PlaybackPath {
    /// Every place where a playback token may stand, in order, each once or twice.
    pub fn token_positions(&self) -> impl Iterator<Item = &TokenPosition> {
        let subject = self.subject.iter().filter_map(|carrier| match carrier {
            SubjectCarrier::Token(position) => Some(position),
            _ => None,
        });
        let stream = self.stream.iter().filter_map(|carrier| match carrier {
            StreamCarrier::Token(position) => Some(position),
            _ => None,
        });
        subject.chain(stream)
    }

    /// Where the token stands that, if it is there and good, says both subject and stream.
    #[must_use]
    pub fn leading_token(&self) -> Option<&TokenPosition> {
        match (self.subject.first(), self.stream.first()) {
            (Some(SubjectCarrier::Token(subject)), Some(StreamCarrier::Token(stream)))
                if subject == stream =>
            {
                Some(subject)
            }
            _ => None,
        }
    }

    /// Whether a token in front of the path means anything here.
    #[must_use]
    pub fn reads_path_token(&self) -> bool {
        self.token_positions()
            .any(|position| *position == TokenPosition::Path)
    }

    /// Whether a Common Access Token means anything here.
    #[must_use]
    pub fn reads_cat(&self) -> bool {
        self.subject.contains(&SubjectCarrier::CatSubject)
            || self.stream.contains(&StreamCarrier::CatId)
    }

    /// Whether CMCD means anything here.
    #[must_use]
    pub fn reads_cmcd(&self) -> bool {
        let mut sources = self.attributes.iter().map(|(_, source)| source);
        self.paused.is_some()
            || self.stream.contains(&StreamCarrier::CmcdSid)
            || sources.any(|source| matches!(source, AttributeSource::Cmcd(_)))
    }

    /// The cookie that a minting redirect sets, for players that do not carry the
    /// redirect's path on.
    #[must_use]
    pub fn minted_cookie(&self) -> Option<&str> {
        self.stream.iter().find_map(|carrier| match carrier {
            StreamCarrier::Token(TokenPosition::Cookie(name)) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Where credentials may stand on a protected path, by name. Made once, because every
/// request is cleaned of them.
#[derive(Debug, Default)]
pub struct Credentials {
    /// One may stand in an address, and the filter takes `Referer` off.
    pub(crate) referer: bool,
    pub(crate) parameters: Vec<String>,
    /// The parameters, and that of CMCD, which tells viewers apart.
    pub(crate) taken_out: Vec<String>,
    pub(crate) cookies: Vec<String>,
    pub(crate) headers: Vec<String>,
}
