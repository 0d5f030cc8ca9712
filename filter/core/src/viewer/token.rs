//! Playback tokens of a request, wherever its path lets them stand.

use std::borrow::Cow;

use super::{Asked, cookie, query};
use crate::config::{Config, PlaybackPath, TokenPlace};
use crate::exchange::Head;
use crate::moment::Moment;
use crate::path::Reading;
use crate::reason::Reason;
use crate::signed::{PlaybackToken, TokenError};

impl<H: Head> Asked<'_, H> {
    /// The text that stands where a token may stand.
    pub fn token_text(&self, place: &TokenPlace) -> Option<Cow<'_, [u8]>> {
        match place {
            TokenPlace::Path => self.token.map(Cow::Borrowed),
            TokenPlace::Query(name) => query::value(self.path, name).map(Cow::Borrowed),
            TokenPlace::Cookie(name) => {
                let cookies = self.head.header("cookie")?;
                cookie::value(&cookies, name).map(|token| Cow::Owned(token.to_vec()))
            }
            TokenPlace::Header(name) => {
                let value = self.head.header(name)?;
                Some(Cow::Owned(after_bearer(&value).to_vec()))
            }
        }
    }
}

/// What follows `Bearer`, in any case (RFC 9110, section 11.1), or all of it.
pub(super) fn after_bearer(value: &[u8]) -> &[u8] {
    match value.split_first_chunk::<7>() {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => {
            token.trim_ascii_start()
        }
        _ => value,
    }
}

/// The tokens of one request, each place looked at once.
pub(super) struct Tokens<'a> {
    found: Vec<(&'a TokenPlace, Option<PlaybackToken>)>,
    /// Why a cookie is worth nothing. A cookie comes along unasked, maybe from another
    /// day: it is no reason to refuse, unless nothing else says who watches.
    pub(super) stale: Option<Reason>,
}

impl<'a> Tokens<'a> {
    /// Reads every token that this path may carry.
    ///
    /// # Errors
    ///
    /// The [`Reason`] to refuse for, if there is one that is worth nothing: whoever holds
    /// a token means to be somebody.
    pub(super) fn read<H: Head>(
        config: &Config,
        protected: &'a PlaybackPath,
        asked: &Asked<'_, H>,
        now: Moment,
    ) -> Result<Self, Reason> {
        let mut tokens = Self {
            found: Vec::new(),
            stale: None,
        };
        for place in protected.token_places() {
            if tokens.found.iter().any(|(known, _)| *known == place) {
                continue;
            }
            let Some(text) = asked.token_text(place) else {
                continue;
            };
            let read = PlaybackToken::read(&config.sessions.ring, &text, now);
            let reason = match read {
                Ok(token) if is_in_scope(&token, protected, asked.file) => {
                    tokens.found.push((place, Some(token)));
                    continue;
                }
                Ok(_) | Err(TokenError::Invalid) => Reason::TokenInvalid,
                Err(TokenError::Expired) => Reason::TokenExpired,
            };
            if !matches!(place, TokenPlace::Cookie(_)) {
                return Err(reason);
            }
            tokens.found.push((place, None));
            tokens.stale = Some(reason);
        }
        Ok(tokens)
    }

    /// The token that stands there.
    pub(super) fn at(&self, place: &TokenPlace) -> Option<&PlaybackToken> {
        let found = self.found.iter().find(|(known, _)| *known == place);
        found.and_then(|(_, token)| token.as_ref())
    }
}

/// Whether a token is good for a path, whatever its spelling: where all that is protected
/// with it is in scope, or the path itself.
pub(crate) fn is_in_scope(token: &PlaybackToken, protected: &PlaybackPath, file: &[u8]) -> bool {
    protected.prefix.starts_with(&token.scope)
        || Reading::of(token.scope.as_bytes()).is_ok_and(|scope| file.starts_with(&scope))
}
