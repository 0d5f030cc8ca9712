//! Who watches: subject, stream and application of a segment request, from the
//! carriers a protected path lists, in their order.

mod access;
mod account;
mod asked;
mod attributes;
mod claim;
pub mod cmcd;
mod cookie;
mod credential;
mod id;
mod query;
mod search;
mod token;
#[cfg(test)]
mod what_is_asked_tests;

pub use access::GoodTokens;
pub use account::Proof;
pub(crate) use account::{client_network, prove};
pub use asked::Asked;
pub(crate) use asked::{client, network};
pub use attributes::{attributes, carried_attributes, root};
pub(crate) use cookie::without as without_cookies;
pub(crate) use credential::{Credential, credential_ends_at, earlier};
pub(crate) use query::without as without_parameters;
pub(crate) use search::may_name_another;
pub use search::{Identified, Wish, granted_limits};
pub(crate) use token::{REPEATED_MAX, is_in_scope};

use std::sync::Arc;

use streamgate_policy::Application;
use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use self::access::{Stood, granted};
use self::asked::without_port;
use self::search::{Search, Source, own_subject};
use self::token::Tokens;
use crate::config::{Config, PlaybackPath, TokenPosition};
use crate::refusal::reason::Reason;

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
    /// When the tokens that said so stop being true.
    pub expires_at: Option<Moment>,
    /// The JWT that the proxy has checked said some of it, so all this ends with that, too.
    pub is_by_jwt: bool,
    /// A cookie says which stream it is: it may be one of another day.
    pub is_by_cookie: bool,
    /// What the path has to begin with for all this to hold; a token's scope.
    pub scope: String,
    /// The first text where the path's leading token stands says both subject and stream.
    pub is_by_leading_token: bool,
    /// All this may hold for this very request only: its access token says for which.
    pub is_narrow: bool,
    /// The renewed access token, as a header of the response.
    pub renewed: Option<(String, String)>,
}

impl<H: Head> Asked<'_, H> {
    /// Its cookies as one line, should the client send several. Reads them once.
    pub fn cookies(&self) -> Option<&[u8]> {
        let read = || {
            let lines = self.head.headers("cookie");
            (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
        };
        self.cookies.get_or_init(read).as_deref()
    }
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
    let search = Search {
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
