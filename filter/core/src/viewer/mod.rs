//! Who watches: subject, stream and application of a segment request, from the
//! carriers a protected path lists, in their order.

mod access;
mod attributes;
mod claim;
pub mod cmcd;
mod cookie;
mod query;
mod token;

pub use access::GoodTokens;
pub use attributes::{attributes, carried_attributes, root};
pub(crate) use cookie::without as without_cookies;
pub(crate) use query::without as without_parameters;
pub(crate) use token::is_in_scope;

use std::sync::Arc;

use self::access::{Stood, granted};
use self::token::Tokens;
use crate::activity::Attributes;
use crate::cat::Access;
use crate::config::{Config, PlaybackPath, StreamCarrier, SubjectCarrier};
use crate::exchange::Head;
use crate::limits::Limits;
use crate::moment::Moment;
use crate::path::Reading;
use crate::policy::Application;
use crate::reason::Reason;
use crate::signed::PlaybackToken;
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;
use crate::text::{printable, split_once};

/// The longest id a header or a claim may give, in bytes.
const ID_MAX: usize = 256;

/// The query parameter that holds CMCD (CTA-5004).
pub(crate) const CMCD: &str = "CMCD";

/// Who watches, and how far that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// Whose account.
    pub subject: SubjectKey,
    /// Which stream.
    pub stream: Identified,
    /// The application whose policies hold.
    pub application: &'a Arc<Application>,
    /// What its token says of the stream.
    pub attributes: Attributes,
    /// The account's own limits, as its token or its JWT says them.
    pub limits: Limits,
    /// When what said so stops being true; a token's expiry.
    pub expires_at: Option<Moment>,
    /// What the path has to begin with for all this to hold; a token's scope.
    pub scope: String,
    /// The path's leading token says both subject and stream.
    pub is_by_leading_token: bool,
    /// All this may hold for this very request only: its access token says for which.
    pub is_narrow: bool,
    /// The renewed access token, as a header of the response.
    pub renewed: Option<(String, String)>,
}

/// Which stream a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identified {
    /// This one.
    Stream {
        /// The stream.
        key: StreamKey,
        /// Its id does not change when its player starts anew: it names a device, not a
        /// playback.
        recurring: bool,
    },
    /// None yet; a manifest request may be given a fresh one by redirect.
    ByRedirect,
    /// Nothing says which.
    Unknown,
}

/// A request as far as identification looks at it.
#[derive(Debug)]
pub struct Asked<'a, H> {
    /// Its headers.
    pub head: &'a H,
    /// The token in front of its path.
    pub token: Option<&'a [u8]>,
    /// Its path without the token, query included.
    pub path: &'a [u8],
    /// How that path is read.
    pub file: &'a Reading<'a>,
}

/// Finds out who watches. `redirects` says that this request may be given a stream by
/// redirect.
///
/// # Errors
///
/// The [`Reason`] to refuse for: a bad token even where another carrier would do,
/// because whoever holds one means to be somebody.
pub fn identify<'a, H: Head>(
    config: &'a Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    redirects: bool,
    good: &mut GoodTokens,
    now: Moment,
) -> Result<Viewer<'a>, Reason> {
    let mut tokens = Tokens::read(config, protected, asked, now)?;
    let granted = match protected.reads_cat() {
        true => match granted(config, good, asked, now) {
            Err((Stood::Cookie, reason)) => {
                tokens.stale.get_or_insert(reason);
                None
            }
            granted => granted.map_err(|(_, reason)| reason)?,
        },
        false => None,
    };
    let search = Search {
        config,
        protected,
        asked,
        tokens: &tokens,
        access: granted.as_ref().map(|granted| &granted.access),
        redirects,
    };
    let (subject, vouched) = search.subject()?;
    let (stream, named) = search.stream(&subject)?;
    let tokens = || [vouched.token(), named.token()].into_iter().flatten();
    let application = match tokens().next() {
        Some(token) => &token.application,
        None => &protected.application,
    };
    let scope = tokens()
        .map(|token| &token.scope)
        .max_by_key(|scope| scope.len());
    let mut attributes = Attributes::default();
    for token in tokens() {
        attributes.merge(&token.attributes);
    }
    let access = vouched.access().or(named.access());
    Ok(Viewer {
        subject,
        stream,
        application: config
            .ledger
            .book
            .application(application)
            .ok_or(Reason::UnknownApplication)?,
        attributes,
        limits: search.limits(tokens()),
        expires_at: tokens()
            .map(|token| token.expires_at)
            .chain(access.and_then(Access::ends_at))
            .min(),
        scope: scope.cloned().unwrap_or_default(),
        is_by_leading_token: protected
            .leading_token()
            .is_some_and(|place| search.tokens.at(place).is_some()),
        is_narrow: access.is_some_and(|access| access.restricts_requests),
        renewed: granted.and_then(|granted| granted.renewed),
    })
}

/// What says something of a viewer.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// A playback token.
    Token(&'a PlaybackToken),
    /// A Common Access Token.
    Access(&'a Access),
    /// Anything else; it says nothing more.
    Other,
}

impl<'a> Source<'a> {
    fn token(self) -> Option<&'a PlaybackToken> {
        match self {
            Self::Token(token) => Some(token),
            Self::Access(_) | Self::Other => None,
        }
    }

    fn access(self) -> Option<&'a Access> {
        match self {
            Self::Access(access) => Some(access),
            Self::Token(_) | Self::Other => None,
        }
    }
}

/// A request to be searched for who watches.
struct Search<'a, H> {
    config: &'a Config,
    protected: &'a PlaybackPath,
    asked: &'a Asked<'a, H>,
    tokens: &'a Tokens<'a>,
    access: Option<&'a Access>,
    redirects: bool,
}

impl<H: Head> Search<'_, H> {
    /// The subject, and what says so.
    fn subject(&self) -> Result<(SubjectKey, Source<'_>), Reason> {
        let by_id = |id: &str| self.config.hasher.subject(&self.protected.idp, id);
        for carrier in &self.protected.subject {
            match carrier {
                SubjectCarrier::Token(place) => {
                    if let Some(token) = self.tokens.at(place) {
                        return Ok((token.subject, Source::Token(token)));
                    }
                }
                SubjectCarrier::JwtClaim(name) => {
                    if let Some(value) = self.claim(name) {
                        return Ok((by_id(&value), Source::Other));
                    }
                }
                SubjectCarrier::CatSubject => {
                    if let Some(access) = self.access
                        && let Some(subject) = &access.subject
                    {
                        return Ok((by_id(id(subject.as_bytes())?), Source::Access(access)));
                    }
                }
                SubjectCarrier::Header(name) => {
                    if let Some(value) = self.asked.head.header(name) {
                        return Ok((by_id(id(&value)?), Source::Other));
                    }
                }
            }
        }
        Err(self.tokens.stale.unwrap_or(Reason::NoSubject))
    }

    /// The stream, and what names it.
    fn stream(&self, subject: &SubjectKey) -> Result<(Identified, Source<'_>), Reason> {
        let external = |carrier: &str, id: &[u8], recurring| {
            let hash = self.config.hasher.external_stream(subject, carrier, id);
            let key = StreamKey::external(hash);
            (Identified::Stream { key, recurring }, Source::Other)
        };
        let head = self.asked.head;
        let mut redirect = Identified::Unknown;
        for carrier in &self.protected.stream {
            match carrier {
                StreamCarrier::Token(place) => {
                    if let Some(token) = self.tokens.at(place) {
                        let key = token.stream;
                        let recurring = false;
                        return Ok((Identified::Stream { key, recurring }, Source::Token(token)));
                    }
                }
                StreamCarrier::JwtClaim(name) => {
                    if let Some(value) = self.claim(name) {
                        return Ok(external("jwt", value.as_bytes(), true));
                    }
                }
                StreamCarrier::CatId => {
                    if let Some(access) = self.access
                        && let Some(cti) = &access.id
                    {
                        let (stream, _) = external("cat", cti, true);
                        return Ok((stream, Source::Access(access)));
                    }
                }
                StreamCarrier::Header(name) => {
                    if let Some(value) = head.header(name) {
                        return Ok(external("header", id(&value)?.as_bytes(), false));
                    }
                }
                StreamCarrier::CmcdSid => {
                    if let Some(sid) = cmcd::Reader::new(head, self.asked.path).sid() {
                        return Ok(external("cmcd", sid.as_bytes(), false));
                    }
                }
                StreamCarrier::Redirect => {
                    redirect = Identified::ByRedirect;
                    if self.redirects {
                        return Ok((redirect, Source::Other));
                    }
                }
                StreamCarrier::AddressAndAgent => {
                    if let Some(client) = client(head) {
                        return Ok(external("client", &client, true));
                    }
                }
            }
        }
        Ok((redirect, Source::Other))
    }

    /// The account's limits: those in its tokens, and over them those in its JWT.
    fn limits<'t>(&self, tokens: impl Iterator<Item = &'t PlaybackToken>) -> Limits {
        let mut limits = Limits::default();
        for (claim, limit) in tokens.flat_map(|token| token.limits.iter()) {
            limits.set(claim, limit);
        }
        limits.merge(&granted_limits(self.config, self.asked.head));
        limits
    }

    /// An id in the JWT that the proxy has checked.
    fn claim(&self, name: &str) -> Option<String> {
        let value = self.asked.head.jwt_claim(&self.config.jwt_payload, name)?;
        claim::text(&value).filter(|id| id.len() <= ID_MAX)
    }
}

/// The account's own limits, as the JWT that the proxy has checked says them.
pub fn granted_limits(config: &Config, head: &impl Head) -> Limits {
    let mut limits = Limits::default();
    for name in config.ledger.book.limit_claims() {
        let claim = head.jwt_claim(&config.jwt_payload, name);
        if let Some(limit) = claim.and_then(|claim| claim::limit(&claim)) {
            limits.set(name.as_str(), limit);
        }
    }
    limits
}

/// An id that an earlier hop put into a header.
fn id(value: &[u8]) -> Result<&str, Reason> {
    match printable(value) {
        Ok(id) if (1..=ID_MAX).contains(&id.len()) => Ok(id),
        _ => Err(Reason::Malformed),
    }
}

/// A client's address together with its `User-Agent`.
fn client(head: &impl Head) -> Option<Vec<u8>> {
    let address = head.client_address()?;
    let agent = head.header("user-agent").unwrap_or_default();
    Some([without_port(&address), b"\n", &agent].concat())
}

/// `10.0.0.1:443` and `[::1]:443` without the port: it differs by connection.
fn without_port(address: &[u8]) -> &[u8] {
    match address {
        [b'[', ..] => split_once(address, b']').map_or(address, |(host, _)| host),
        _ => match split_once(address, b':') {
            // More than one colon: an IPv6 address without a port.
            Some((_, port)) if port.contains(&b':') => address,
            Some((host, _)) => host,
            None => address,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_client_is_the_same_on_every_port() {
        for (address, host) in [
            ("10.0.0.1:443", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]:443", "[::1"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(address.as_bytes()), host.as_bytes());
        }
    }
}
