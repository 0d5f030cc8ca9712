//! Playback tokens of a request, wherever its path lets them stand.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use streamgate_bytes::begins_with_any_case;
use streamgate_tokens::signed::{PlaybackToken, TokenError};
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::path::Reading;
use streamgate_values::subject::SubjectKey;

use super::{Asked, cookie, query};
use crate::config::{Config, PlaybackPath, SubjectCarrier, TokenPosition};
use crate::refusal::reason::Reason;

/// How many tokens of one place are looked at. Clients repeat a cookie once or twice; each
/// costs a signature.
pub(crate) const REPEATED_MAX: usize = 8;

impl<'a, H: Head> Asked<'a, H> {
    /// The text that stands where a token may stand; the first, where there are several.
    pub fn token_text(&self, position: &TokenPosition) -> Option<Cow<'_, [u8]>> {
        match position {
            TokenPosition::Path => self.token.map(Cow::Borrowed),
            TokenPosition::Query(name) => query::values(self.path, name).next(),
            TokenPosition::Cookie(name) => {
                let token = cookie::value(self.cookies()?, name)?;
                Some(percent_decode(token).into())
            }
            TokenPosition::Header(name) => {
                let value = self.head.header(name)?;
                Some(Cow::Owned(after_bearer(&value).to_vec()))
            }
        }
    }

    /// Whether several cookies of one of these names came, each of which may hold a token.
    pub(crate) fn repeats_a_cookie(&self, protected: &PlaybackPath) -> bool {
        let is_repeated = |position: &TokenPosition| {
            matches!(position, TokenPosition::Cookie(_)) && self.token_texts(position).len() > 1
        };
        protected.token_positions().any(is_repeated)
    }

    /// All that stands there, as far as it is looked at.
    fn token_texts(&self, position: &TokenPosition) -> Vec<Cow<'_, [u8]>> {
        match position {
            TokenPosition::Path | TokenPosition::Header(_) => {
                self.token_text(position).into_iter().collect()
            }
            TokenPosition::Query(name) => {
                let values = query::values(self.path, name);
                values.take(REPEATED_MAX).collect()
            }
            TokenPosition::Cookie(name) => {
                let cookies = self.cookies().unwrap_or_default();
                let values = cookie::values(cookies, name).take(REPEATED_MAX);
                values.map(|token| percent_decode(token).into()).collect()
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

/// The good tokens of one request, all of one subject.
pub(super) struct Tokens<'a> {
    found: Vec<FoundToken<'a>>,
    /// Why a cookie, or an empty parameter or header, is worth nothing. A cookie comes along unasked,
    /// maybe from another day: it is no reason to refuse, unless nothing else says who watches.
    pub(super) stale: Option<Reason>,
}

/// A good token.
struct FoundToken<'a> {
    position: &'a TokenPosition,
    token: PlaybackToken,
    /// Nothing else stands before it in its place.
    is_first: bool,
}

impl<'a> Tokens<'a> {
    /// Reads every token that this path may carry. `own` says whose account the request
    /// names by other means than a token, if it does: it is asked once there is a good
    /// token. Where no other means says so, the first token does; a cookie only where
    /// nothing else does. `passed_over`: how many good tokens in cookies are left out.
    ///
    /// # Errors
    ///
    /// The [`Reason`] to refuse for, if a place has tokens and none of them is worth
    /// anything or of that subject: whoever holds a token means to be somebody. A cookie is
    /// let lie instead.
    pub(super) fn read<H: Head>(
        config: &Config,
        protected: &'a PlaybackPath,
        asked: &Asked<'_, H>,
        mut passed_over: usize,
        own: impl FnOnce() -> Result<Option<SubjectKey>, Reason>,
        now: Moment,
    ) -> Result<Self, Reason> {
        let mut tokens = Self {
            found: Vec::new(),
            stale: None,
        };
        let mut own = Some(own);
        let mut subject = None;
        let is_cookie = |position: &TokenPosition| matches!(position, TokenPosition::Cookie(_));
        let shown = protected
            .token_positions()
            .filter(|position| !is_cookie(position));
        let cookies = protected
            .token_positions()
            .filter(|position| is_cookie(position));
        let mut seen: Vec<&TokenPosition> = Vec::new();
        for position in shown.chain(cookies) {
            if seen.contains(&position) {
                continue;
            }
            seen.push(position);
            let mut worthless = None;
            // An app that has no token yet leaves a parameter or a header empty.
            let mut is_shown = *position == TokenPosition::Path;
            for (at, text) in asked.token_texts(position).into_iter().enumerate() {
                is_shown |= !text.is_empty();
                let reason = match PlaybackToken::read(&config.sessions.ring, &text, now) {
                    Ok(token) if is_in_scope(&token, protected, asked.file) => {
                        if let Some(own) = own.take() {
                            subject = own()?;
                        }
                        if *subject.get_or_insert(token.subject) == token.subject {
                            if is_cookie(position) && passed_over > 0 {
                                passed_over = passed_over.saturating_sub(1);
                                continue;
                            }
                            tokens.found.push(FoundToken {
                                position,
                                token,
                                is_first: at == 0,
                            });
                            worthless = None;
                            break;
                        }
                        Reason::ForeignToken
                    }
                    Ok(_) | Err(TokenError::Invalid) => Reason::TokenInvalid,
                    Err(TokenError::Expired) => Reason::TokenExpired,
                };
                worthless.get_or_insert(reason);
            }
            match worthless {
                Some(reason) if is_cookie(position) || !is_shown => tokens.stale = Some(reason),
                Some(reason) => return Err(reason),
                None => {}
            }
        }
        Ok(tokens)
    }

    /// The token that stands there.
    pub(super) fn at(&self, position: &TokenPosition) -> Option<&PlaybackToken> {
        self.found_at(position).map(|found| &found.token)
    }

    /// Whether the first text that stands there is that token's.
    pub(super) fn is_first_at(&self, position: &TokenPosition) -> bool {
        self.found_at(position).is_some_and(|found| found.is_first)
    }

    fn found_at(&self, position: &TokenPosition) -> Option<&FoundToken<'a>> {
        self.found.iter().find(|found| found.position == position)
    }
}

impl PlaybackPath {
    /// Whether a request may say whose account it is by other means than a playback token.
    pub(crate) fn has_own_subject(&self) -> bool {
        let is_token = |carrier: &SubjectCarrier| matches!(carrier, SubjectCarrier::Token(_));
        !self.subject.iter().all(is_token)
    }

    /// Whether the subject of a token in this place is held against the account that the
    /// request names by other means with each request, rather than as often as its record
    /// is looked at: cookies come along with whoever logs in at the same device.
    pub(crate) fn is_checked_each_time(&self, position: &TokenPosition) -> bool {
        matches!(position, TokenPosition::Cookie(_)) && self.has_own_subject()
    }
}

/// Whether a token is good for a path, whatever its spelling: where it was minted under the
/// prefix that the path is protected with, and for the path itself, or by the session API, for all of them.
/// A prefix within another one has rules of its own, which no token of the outer one is to lead around.
pub(crate) fn is_in_scope(token: &PlaybackToken, protected: &PlaybackPath, file: &[u8]) -> bool {
    let is_within = |scope: &str| {
        begins_with_any_case(scope.as_bytes(), protected.prefix.as_bytes())
            && Reading::of(scope.as_bytes()).is_ok_and(|scope| file.starts_with(&scope))
    };
    token.scope.is_empty() || token.scope == protected.prefix || is_within(&token.scope)
}
