//! Finding out who watches: by the carriers that a protected path lists, in their order.

use streamgate_tokens::cat::Access;
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::access::{GoodTokens, Stood, granted};
use super::asked::{Asked, client};
use super::credential::{Credential, credential_ends_at, earlier};
use super::id::{header_id, id, jwt_id, own_session};
use super::token::Tokens;
use super::who::{Identified, Viewer};
use super::{claim, cmcd};
use crate::config::{Config, PlaybackPath, StreamCarrier, SubjectCarrier, TokenPosition};
use crate::refusal::reason::Reason;

/// What a request asks for, as far as it matters to who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// It may be given a stream by redirect.
    pub redirects: bool,
    /// It begins anew: a cookie does not say which stream it is.
    pub anew: bool,
    /// How many good tokens in cookies are passed over: their streams play no more.
    pub passed_over: usize,
}

/// Finds out who watches. `credentials_ahead_ms`: by how much the clock by which Common Access Tokens end is
/// ahead of `now`.
///
/// # Errors
///
/// The [`Reason`] to refuse for: a bad token even where another carrier would do,
/// because whoever holds one means to be somebody, and a token of another account than the
/// one that the request names by other means.
pub fn identify<'a, H: Head>(
    config: &'a Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    wish: Wish,
    good: &mut GoodTokens,
    now: Moment,
    credentials_ahead_ms: i64,
) -> Result<Viewer<'a>, Reason> {
    let (granted, stale) = match protected.reads_cat() {
        true => match granted(config, good, asked, now.shifted_ms(credentials_ahead_ms)) {
            Err((Stood::Cookie, reason)) => (None, Some(reason)),
            granted => (granted.map_err(|(_, reason)| reason)?, None),
        },
        false => (None, None),
    };
    let access = granted.as_ref().map(|granted| &granted.access);
    let own = || own_subject(config, protected, asked, access);
    let mut tokens = Tokens::read(config, protected, asked, wish.passed_over, own, now)?;
    tokens.stale = tokens.stale.or(stale);
    let search = ViewerSearch {
        config,
        protected,
        asked,
        tokens: &tokens,
        access,
        wish,
    };
    let (subject, vouched) = search.subject()?;
    let (stream, named) = search.stream(&subject)?;
    let (limits, has_limits) = search.limits([vouched.token(), named.token()]);
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
    let ends_at = |source: &Source<'_>| match source {
        Source::Token(_, token) => credential_ends_at(config, asked.head, Credential::Token(token)),
        Source::Access(access) => {
            let end = credential_ends_at(config, asked.head, Credential::Access(access));
            end.map(|end| end.shifted_ms(credentials_ahead_ms.saturating_neg()))
        }
        // A host call: asked for where it matters.
        Source::Jwt | Source::Other => None,
    };
    let is_jwt = |source: &Source<'_>| matches!(source, Source::Jwt);
    Ok(Viewer {
        subject,
        stream,
        application: config
            .records
            .book
            .application(application)
            .ok_or(Reason::UnknownApplication)?,
        attributes,
        limits,
        expires_at: earlier(ends_at(&vouched), ends_at(&named)),
        is_by_jwt: has_limits || is_jwt(&vouched) || is_jwt(&named),
        is_by_cookie: matches!(named, Source::Token(TokenPosition::Cookie(_), _)),
        scope: scope.cloned().unwrap_or_default(),
        is_by_leading_token: protected
            .leading_token()
            .is_some_and(|position| search.tokens.is_first_at(position)),
        is_narrow: access.is_some_and(|access| access.restricts_requests),
        renewed: granted.and_then(|granted| granted.renewed),
    })
}

/// Whose account a request names by other means than a playback token: by the first of
/// them that yields one.
fn own_subject<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    access: Option<&Access>,
) -> Result<Option<SubjectKey>, Reason> {
    for carrier in &protected.subject {
        if let Some((id, _)) = said_subject(config, carrier, asked, access)? {
            return Ok(Some(config.hasher.subject(&protected.idp, &id)));
        }
    }
    Ok(None)
}

/// Whether a request may name another account than this one, by other means than a playback
/// token. An access token is not looked into.
pub(crate) fn may_name_another<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    subject: &SubjectKey,
) -> bool {
    if protected.subject.contains(&SubjectCarrier::CatSubject) {
        return true;
    }
    match own_subject(config, protected, asked, None) {
        Ok(own) => own.is_some_and(|own| own != *subject),
        Err(_) => true,
    }
}

/// The account that one carrier names, and what it is; `None` for a playback token.
fn said_subject<'a, H: Head>(
    config: &Config,
    carrier: &SubjectCarrier,
    asked: &Asked<'_, H>,
    access: Option<&'a Access>,
) -> Result<Option<(String, Source<'a>)>, Reason> {
    Ok(match carrier {
        SubjectCarrier::Token(_) => None,
        SubjectCarrier::JwtClaim(name) => {
            jwt_id(config, asked.head, name)?.map(|id| (id, Source::Jwt))
        }
        SubjectCarrier::CatSubject => match access {
            Some(access) => match &access.subject {
                Some(subject) => Some((id(subject.as_bytes())?.to_owned(), Source::Access(access))),
                None => None,
            },
            None => None,
        },
        SubjectCarrier::Header(name) => header_id(asked.head, name)?.map(|id| (id, Source::Other)),
    })
}

/// What says something of a viewer.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// A playback token, and where it stands.
    Token(&'a TokenPosition, &'a PlaybackToken),
    /// A Common Access Token.
    Access(&'a Access),
    /// The JWT that the proxy has checked.
    Jwt,
    /// Anything else; it says nothing more.
    Other,
}

impl<'a> Source<'a> {
    pub(super) fn token(self) -> Option<&'a PlaybackToken> {
        match self {
            Self::Token(_, token) => Some(token),
            Self::Access(_) | Self::Jwt | Self::Other => None,
        }
    }

    pub(super) fn access(self) -> Option<&'a Access> {
        match self {
            Self::Access(access) => Some(access),
            Self::Token(..) | Self::Jwt | Self::Other => None,
        }
    }
}

/// A request to be searched for who watches.
struct ViewerSearch<'a, H> {
    pub(super) config: &'a Config,
    pub(super) protected: &'a PlaybackPath,
    pub(super) asked: &'a Asked<'a, H>,
    pub(super) tokens: &'a Tokens<'a>,
    pub(super) access: Option<&'a Access>,
    pub(super) wish: Wish,
}

impl<H: Head> ViewerSearch<'_, H> {
    /// The subject, and what says so.
    pub(super) fn subject(&self) -> Result<(SubjectKey, Source<'_>), Reason> {
        for carrier in &self.protected.subject {
            if let SubjectCarrier::Token(position) = carrier {
                if let Some(token) = self.tokens.at(position) {
                    return Ok((token.subject, Source::Token(position, token)));
                }
                continue;
            }
            let said = said_subject(self.config, carrier, self.asked, self.access)?;
            if let Some((id, source)) = said {
                let subject = self.config.hasher.subject(&self.protected.idp, &id);
                return Ok((subject, source));
            }
        }
        Err(self.tokens.stale.unwrap_or(Reason::NoSubject))
    }

    /// The stream, and what names it.
    pub(super) fn stream(&self, subject: &SubjectKey) -> Result<(Identified, Source<'_>), Reason> {
        let external = |carrier: &str, id: &[u8], recurring| {
            let hash = self.config.hasher.external_stream(subject, carrier, id);
            let key = StreamKey::external(hash);
            (Identified::Stream { key, recurring }, Source::Other)
        };
        let session_or_external =
            |carrier: &str, id: &[u8]| match own_session(self.config, subject, id) {
                Some(key) => {
                    let recurring = false;
                    (Identified::Stream { key, recurring }, Source::Other)
                }
                None => external(carrier, id, false),
            };
        let head = self.asked.head;
        let mut redirect = Identified::Unknown;
        for carrier in &self.protected.stream {
            match carrier {
                StreamCarrier::Token(TokenPosition::Cookie(_)) if self.wish.anew => {}
                StreamCarrier::Token(position) => {
                    if let Some(token) = self.tokens.at(position) {
                        let stream = Identified::Stream {
                            key: token.stream,
                            recurring: false,
                        };
                        return Ok((stream, Source::Token(position, token)));
                    }
                }
                StreamCarrier::JwtClaim(name) => {
                    if let Some(value) = jwt_id(self.config, head, name)? {
                        let (stream, _) = external("jwt", value.as_bytes(), true);
                        return Ok((stream, Source::Jwt));
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
                    if let Some(id) = header_id(head, name)? {
                        return Ok(session_or_external("header", id.as_bytes()));
                    }
                }
                StreamCarrier::CmcdSid => {
                    if let Some(sid) = cmcd::CmcdReader::new(head, self.asked.path).sid() {
                        return Ok(session_or_external("cmcd", sid.as_bytes()));
                    }
                }
                StreamCarrier::Redirect => {
                    redirect = Identified::ByRedirect;
                    if self.wish.redirects {
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

    /// The account's limits: those in its tokens, and over them those in its JWT, if it has
    /// some.
    pub(super) fn limits(&self, tokens: [Option<&PlaybackToken>; 2]) -> (Limits, bool) {
        let mut limits = Limits::default();
        let tokens = tokens.into_iter().flatten();
        for (claim, limit) in tokens.flat_map(|token| token.limits.iter()) {
            limits.set(claim, limit);
        }
        let granted = granted_limits(self.config, self.asked.head);
        let has_granted = !granted.is_empty();
        limits.merge(&granted);
        (limits, has_granted)
    }
}

/// The account's own limits, as the JWT that the proxy has checked says them.
pub fn granted_limits(config: &Config, head: &impl Head) -> Limits {
    let mut limits = Limits::default();
    for name in config.records.book.limit_claims() {
        let claim = head.jwt_claim(&config.jwt_payload, name);
        if let Some(limit) = claim.and_then(|claim| claim::limit(&claim)) {
            limits.set(name.as_str(), limit);
        }
    }
    limits
}
