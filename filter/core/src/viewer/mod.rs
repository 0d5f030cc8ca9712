//! Who watches: subject, stream and application of a segment request, from the
//! carriers a protected path lists, in their order.

pub mod cmcd;

use crate::config::{Config, PlaybackPath, StreamCarrier, SubjectCarrier};
use crate::exchange::Head;
use crate::moment::Moment;
use crate::policy::Application;
use crate::reason::Reason;
use crate::signed::{PathToken, TokenError};
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;
use crate::text::printable;

/// The longest id a header may give, in bytes.
const ID_MAX: usize = 256;

/// Who watches, and how far that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// Whose account.
    pub subject: SubjectKey,
    /// Which stream.
    pub stream: Identified,
    /// The application whose policies hold.
    pub application: &'a Application,
    /// When what said so stops being true; a token's expiry.
    pub expires_at: Option<Moment>,
}

/// Which stream a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identified {
    /// This one.
    Stream(StreamKey),
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
}

/// Finds out who watches.
///
/// # Errors
///
/// The [`Reason`] to refuse for: a bad token even where another carrier would do,
/// because whoever holds one means to be somebody.
pub fn identify<'a, H: Head>(
    config: &'a Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    now: Moment,
) -> Result<Viewer<'a>, Reason> {
    let token = if protected.reads_path_token() {
        asked
            .token
            .map(|token| PathToken::read(&config.sessions.ring, token, now))
            .transpose()
            .map_err(|error| match error {
                TokenError::Invalid => Reason::TokenInvalid,
                TokenError::Expired => Reason::TokenExpired,
            })?
    } else {
        None
    };

    let subject = find_subject(config, protected, asked, token.as_ref())?;
    let stream = find_stream(config, protected, asked, token.as_ref(), &subject)?;
    let book = &config.ledger.book;
    let application = match &token {
        Some(token) => &token.application,
        None => &protected.application,
    };
    Ok(Viewer {
        subject,
        stream,
        application: book
            .application(application)
            .ok_or(Reason::UnknownApplication)?,
        expires_at: token.map(|token| token.expires_at),
    })
}

fn find_subject<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    token: Option<&PathToken>,
) -> Result<SubjectKey, Reason> {
    for carrier in &protected.subject {
        match carrier {
            SubjectCarrier::PathToken => {
                if let Some(token) = token {
                    return Ok(token.subject);
                }
            }
            SubjectCarrier::Header(name) => {
                if let Some(value) = asked.head.header(name) {
                    let id = id(&value)?;
                    return Ok(config.hasher.subject(&protected.idp, id));
                }
            }
        }
    }
    Err(Reason::NoSubject)
}

fn find_stream<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
    token: Option<&PathToken>,
    subject: &SubjectKey,
) -> Result<Identified, Reason> {
    let external = |carrier: &str, id: &[u8]| {
        let hash = config.hasher.external_stream(subject, carrier, id);
        Identified::Stream(StreamKey::external(hash))
    };
    for carrier in &protected.stream {
        match carrier {
            StreamCarrier::PathToken => {
                if let Some(token) = token {
                    return Ok(Identified::Stream(token.stream));
                }
            }
            StreamCarrier::Header(name) => {
                if let Some(value) = asked.head.header(name) {
                    return Ok(external("header", id(&value)?.as_bytes()));
                }
            }
            StreamCarrier::CmcdSid => {
                if let Some(sid) = cmcd::session_id(asked.head, asked.path) {
                    return Ok(external("cmcd", sid.as_bytes()));
                }
            }
            StreamCarrier::Redirect => return Ok(Identified::ByRedirect),
        }
    }
    Ok(Identified::Unknown)
}

/// An id that an earlier hop put into a header.
fn id(value: &[u8]) -> Result<&str, Reason> {
    match printable(value) {
        Ok(id) if (1..=ID_MAX).contains(&id.len()) => Ok(id),
        _ => Err(Reason::Malformed),
    }
}
