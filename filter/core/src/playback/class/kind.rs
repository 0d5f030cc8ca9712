//! What kinds of things requests fetch.

/// What kind of thing a request fetches. Only media keeps a stream alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A playlist or manifest; players poll them.
    Manifest,
    /// An initialisation segment.
    Init,
    /// A decryption key, a licence or a certificate.
    Key,
    /// Subtitles, thumbnails, pictures, metadata.
    Side,
    /// A media segment or part. Whatever is not known to be something else counts
    /// as media, so that no unusual name escapes the limit.
    Media,
}

impl Class {
    /// Every class, in the order in which patterns are tried.
    pub const ALL: [Self; 5] = [
        Self::Manifest,
        Self::Init,
        Self::Key,
        Self::Side,
        Self::Media,
    ];
}
