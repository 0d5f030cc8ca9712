//! Which call of the session API a request is.

use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::subject::SubjectKey;
use streamgate_values::text::{percent_decoded, split_once};

use crate::request::viewer::Proof;

/// The largest body in bytes; a larger one gets 413.
pub const MAX_BODY: usize = 16 * 1024;

/// The longest idp, subject or session id in bytes, decoded.
const SEGMENT_MAX: usize = 256;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `/metadata`
    Metadata,
    /// `/sessions/{idp}/{subject}`
    Sessions {
        /// The identity provider.
        idp: String,
        /// The account.
        subject: String,
    },
    /// `/sessions/{idp}/{subject}/{session}`
    Session {
        /// The identity provider.
        idp: String,
        /// The account.
        subject: String,
        /// The session id.
        session: String,
    },
    /// `/runningStreams/{idp}/{subject}`
    RunningStreams {
        /// The identity provider.
        idp: String,
        /// The account.
        subject: String,
    },
}

/// A path of the session API that names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceError {
    /// There is nothing at this path (404).
    Unknown,
    /// Its encoding is broken, or a part is empty or too long (400).
    Malformed,
}

impl Resource {
    /// Reads the path after the base path, without its query.
    ///
    /// # Errors
    ///
    /// `ResourceError` for a path that names nothing.
    pub fn read(path: &[u8]) -> Result<Self, ResourceError> {
        let mut segments = path.split(|byte| *byte == b'/').skip(1);
        let collection = segments.next().unwrap_or_default();
        let parts: Vec<&[u8]> = segments.collect();
        let text = |part: &[u8]| match percent_decoded(part) {
            Ok(text) if (1..=SEGMENT_MAX).contains(&text.len()) => Ok(text),
            _ => Err(ResourceError::Malformed),
        };
        match (collection, parts.as_slice()) {
            (b"metadata", []) => Ok(Self::Metadata),
            (b"sessions", [idp, subject]) => Ok(Self::Sessions {
                idp: text(idp)?,
                subject: text(subject)?,
            }),
            (b"sessions", [idp, subject, session]) => Ok(Self::Session {
                idp: text(idp)?,
                subject: text(subject)?,
                session: text(session)?,
            }),
            (b"runningStreams", [idp, subject]) => Ok(Self::RunningStreams {
                idp: text(idp)?,
                subject: text(subject)?,
            }),
            _ => Err(ResourceError::Unknown),
        }
    }

    /// The methods this target answers to, as an `Allow` header lists them.
    #[must_use]
    pub const fn allows(&self) -> &'static str {
        match self {
            Self::Sessions { .. } => "POST",
            Self::Session { .. } => "POST, DELETE",
            Self::Metadata | Self::RunningStreams { .. } => "GET",
        }
    }

    /// How the path appears in logs: nothing of what it names.
    #[must_use]
    pub const fn template(&self) -> &'static str {
        match self {
            Self::Metadata => "/metadata",
            Self::Sessions { .. } => "/sessions/{idp}/{subject}",
            Self::Session { .. } => "/sessions/{idp}/{subject}/{session}",
            Self::RunningStreams { .. } => "/runningStreams/{idp}/{subject}",
        }
    }

    /// Identity provider and account; empty where there are none.
    #[must_use]
    pub fn account(&self) -> (&str, &str) {
        match self {
            Self::Metadata => ("", ""),
            Self::Sessions { idp, subject }
            | Self::Session { idp, subject, .. }
            | Self::RunningStreams { idp, subject } => (idp, subject),
        }
    }
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Start a stream.
    Create {
        /// Termination codes of streams to stop for it.
        terminate: Vec<String>,
    },
    /// Keep a stream alive.
    Heartbeat {
        /// The session id.
        session: String,
    },
    /// Stop a stream.
    Stop {
        /// The session id.
        session: String,
    },
    /// List the live streams.
    RunningStreams,
    /// List the attributes that policies need.
    Metadata,
}

impl Call {
    /// Whether its body says something.
    pub(super) const fn takes_body(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Heartbeat { .. })
    }
}

/// What a body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyType {
    /// A form, or nothing is said of it.
    Form,
    /// JSON.
    Json,
    /// Something else.
    Other,
}

impl BodyType {
    /// Reads `Content-Type` (RFC 9110, section 8.3). Its parameters say nothing: forms are
    /// percent-encoded, and JSON is UTF-8 (RFC 8259, section 8.1). Of several such headers
    /// Envoy makes one, with a comma, and that is no type.
    #[must_use]
    pub fn of(head: &impl Head) -> Self {
        let Some(told) = head.header("content-type") else {
            return Self::Form;
        };
        let (name, _) = split_once(&told, b';').unwrap_or((&told, b""));
        let name = name.trim_ascii();
        if name.eq_ignore_ascii_case(b"application/json") {
            Self::Json
        } else if name.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            Self::Form
        } else {
            Self::Other
        }
    }
}

/// A call whose head is understood; its body may still be to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCall {
    /// What it asks for.
    pub call: Call,
    /// Id of the application that calls; it is in the book.
    pub application: String,
    /// Identity provider and account as in the path, still percent-encoded; for `Location`.
    pub account_path: String,
    /// The subject.
    pub subject: SubjectKey,
    /// Attributes given in the query.
    pub attributes: Attributes,
    /// What the body is said to be.
    pub body_type: BodyType,
    /// What the caller acts for the account with.
    pub proof: Proof,
    /// How the path appears in logs.
    pub logged_path: String,
    /// The viewer's `Accept-Language`.
    pub languages: String,
}

/// Splits a path into the part before the query and the query.
pub(super) fn split_query(path: &[u8]) -> (&[u8], &[u8]) {
    split_once(path, b'?').unwrap_or((path, b""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn paths_name_what_the_contract_says() {
        let account = |idp: &str, subject: &str| (idp.to_owned(), subject.to_owned());
        let (idp, subject) = account("acme", "a/lice");
        assert_eq!(
            Resource::read(b"/sessions/acme/a%2Flice"),
            Ok(Resource::Sessions { idp, subject })
        );
        let (idp, subject) = account("acme", "Alice");
        assert_eq!(
            Resource::read(b"/runningStreams/acme/Alice"),
            Ok(Resource::RunningStreams { idp, subject })
        );
    }

    #[test]
    fn other_paths_name_nothing() {
        let long = [b"/sessions/acme/".as_slice(), &[b'x'; 60_000]].concat();
        let cases: [(&[u8], ResourceError); 9] = [
            (b"", ResourceError::Unknown),
            (b"/sessions", ResourceError::Unknown),
            (b"/sessions/acme", ResourceError::Unknown),
            (b"/Sessions/acme/alice", ResourceError::Unknown),
            (b"/sessions/acme/alice/s/x", ResourceError::Unknown),
            (b"/sessions/acme/", ResourceError::Malformed),
            (b"/sessions/acme/%zz", ResourceError::Malformed),
            (b"/sessions/acme/\xff", ResourceError::Malformed),
            (&long, ResourceError::Malformed),
        ];
        for (path, expected) in cases {
            assert_eq!(Resource::read(path), Err(expected));
        }
    }
}
