//! What is media: by its name, and where that says something else, by its size.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::path::Reading;

use super::class::Class;
use super::passage::Watch;
use super::request::PlaybackRequest;
use crate::config::{Paused, PlaybackPath};
use crate::request::viewer::cmcd;

/// The most bytes of what is named like a manifest, where more are not rewritten.
const MANIFEST_MAX: u64 = 2 * 1024 * 1024;

/// The most bytes of what is named like an initialisation segment, a key or a side file. These have a few kilobytes;
/// a segment has more.
const NO_MEDIA_MAX: u64 = 256 * 1024;

/// Whether a file's name ends as those of nearly all segments do. An initialisation segment taken for media
/// is gone before it counts.
pub(super) fn ends_like_media(protected: &PlaybackPath, file: &Reading<'_>) -> bool {
    let Some(end) = file.last_chunk::<2>() else {
        return false;
    };
    const ENDS: [u16; 4] = [
        u16::from_le_bytes(*b"4s"),
        u16::from_le_bytes(*b"ts"),
        u16::from_le_bytes(*b"p4"),
        u16::from_le_bytes(*b"4v"),
    ];
    let end = u16::from_le_bytes(*end);
    let [first, second, third, fourth] = ENDS;
    (end == first || end == second || end == third || end == fourth)
        && !protected.classes.has_patterns()
}

/// Whether a file is media.
pub(super) fn is_media(protected: &PlaybackPath, file: &Reading<'_>) -> bool {
    ends_like_media(protected, file) || protected.classes.classify(file) == Class::Media
}

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// Whether this request counts as watching, should it succeed. Players use GET; but
    /// there are origins that answer POST, or any method, with the file. OPTIONS fetches none: it
    /// is answered here.
    pub(super) fn is_watching(&self) -> bool {
        self.is_media() && self.fetches()
    }

    /// Whether its response may have a body.
    pub(super) fn fetches(&self) -> bool {
        !matches!(self.method(), b"HEAD" | b"OPTIONS")
    }

    pub(super) fn is_media(&self) -> bool {
        self.class() == Class::Media
    }

    fn class(&self) -> Class {
        self.protected.classes.classify(self.asked.file)
    }

    /// Whether the player says that it is paused, and the path cares. A media request
    /// counts as watching whatever it says.
    pub(super) fn paused(&self) -> Option<Paused> {
        let paused = self.protected.paused?;
        let says = self.cmcd().state() == Some(cmcd::PlayerState::Paused);
        (says && !self.is_media() && self.method() == b"GET").then_some(paused)
    }

    /// The most bytes that a file has which is no media, as its name says. An operator is believed whatever it has.
    pub(super) fn bytes_by_name(&self) -> u64 {
        if self.protected.classes.are_told_of(self.asked.file) {
            return u64::MAX;
        }
        let manifest_max = u64::try_from(self.protected.manifest_max).unwrap_or(u64::MAX);
        match self.class() {
            Class::Manifest => manifest_max.max(MANIFEST_MAX),
            _ => NO_MEDIA_MAX,
        }
    }
}

impl Watch {
    /// Whether a success counts as watching, by the status and headers of the response: what is media by its name does,
    /// and what has more bytes than anything else of its name. A part of something counts by the whole, and if
    /// nobody says how large that is.
    pub fn counts(&self, status: u16, header: impl Fn(&str) -> Option<Vec<u8>>) -> bool {
        if self.more_than == 0 {
            return true;
        }
        let size = match status {
            206 => {
                let range = header("content-range").unwrap_or_default();
                number(range.rsplit(|byte| *byte == b'/').next()).unwrap_or(u64::MAX)
            }
            _ => number(header("content-length").as_deref()).unwrap_or_default(),
        };
        size > self.more_than
    }
}

/// A number that is all of a text.
pub(super) fn number(text: Option<&[u8]>) -> Option<u64> {
    let text = core::str::from_utf8(text?).ok()?;
    text.trim_ascii().parse().ok()
}
