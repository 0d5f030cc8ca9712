//! Who watches, and how far that is known.

use std::sync::Arc;

use streamgate_policy::Application;
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

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
