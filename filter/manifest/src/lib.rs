//! Rewrites manifests, so that a playback keeps the token it was given.
//!
//! A player that asked for `/~<token>/vod/film/master.m3u8` resolves the relative URLs of that
//! manifest against its address, token included. It loses the token at a URL that is an
//! absolute path (`/vod/film/720.m3u8`) or names the host (`https://host/vod/film/720.m3u8`).
//! [`rewrite`] inserts the prefix into those, and changes nothing else: each other byte stays
//! what it was and where it was among the others.
//!
//! The way of the data: [`rewrite`] tells by the first bytes what a body is; [`hls`],
//! [`dash`] and [`json`] find the URLs in it and ask [`url`] where in each the prefix goes; the caller says
//! by [`Rewriting::carries`] which paths are to have it. Nothing here knows a clock, a network
//! or Envoy.

mod bases;
mod dash;
mod gzip;
mod hls;
mod insertions;
mod json;
mod patch;
mod url;
mod variables;

use core::cell::RefCell;
use core::fmt;
use core::ops::Deref;

pub use gzip::{Packed, gunzip};
pub use url::Origin;

use insertions::Insertions;
use url::{directory, has_token, resolved, simple};

/// How a manifest is to be rewritten.
#[derive(Clone, Copy)]
pub struct Rewriting<'a> {
    /// The path that the manifest was asked for, without its token; a query is let lie.
    pub path: &'a str,
    /// The hosts that are this one, as requests name them. URLs that name another are left
    /// alone.
    pub hosts: &'a [Origin],
    /// What is inserted in front of a path: `/~` and a token.
    pub prefix: &'a str,
    /// Whether a path is to have the prefix. It is given without a query, with dot segments
    /// resolved, and where the rest cannot be known (templates, variables) only up to the
    /// last slash that is.
    pub carries: &'a dyn Fn(&str) -> Carries,
    /// The most bytes that a rewritten manifest may have.
    pub max: usize,
}

/// Whether a path is to have the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is, and so is all else in its directory.
    YesWithNeighbours,
}

/// A rewriting that is under way.
struct Task<'a> {
    rewriting: &'a Rewriting<'a>,
    /// A directory of which all is to have the prefix: manifests name one many times.
    directory: RefCell<String>,
}

impl Task<'_> {
    /// Whether a path is to have the prefix, and has none.
    fn carries(&self, path: &str) -> bool {
        if !path.starts_with('/') || has_token(path) {
            return false;
        }
        let directory = directory(path);
        let is_simple = simple(path).is_some();
        if is_simple && !directory.is_empty() && *self.directory.borrow() == directory {
            return true;
        }
        let Some(path) = resolved(path) else {
            return false;
        };
        let carries = (self.rewriting.carries)(&path);
        if is_simple && carries == Carries::YesWithNeighbours {
            directory.clone_into(&mut self.directory.borrow_mut());
        }
        carries != Carries::No
    }
}

impl<'a> Deref for Task<'a> {
    type Target = Rewriting<'a>;

    fn deref(&self) -> &Rewriting<'a> {
        self.rewriting
    }
}

impl fmt::Debug for Rewriting<'_> {
    /// Without the prefix, which holds a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rewriting")
            .field("path", &self.path)
            .field("hosts", &self.hosts)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// What became of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The manifest with the prefix inserted; `None` where there is nothing to insert: the
    /// bytes that were given are good as they are.
    pub body: Option<Vec<u8>>,
    /// How many URLs may need the prefix and were left alone, because where they lead cannot
    /// be known from the manifest: they begin with a variable that another playlist or the
    /// query defines, or are resolved against bases at different hosts.
    pub unknown: usize,
}

/// Why a body was left alone as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not UTF-8, which HLS demands and DASH has nearly always.
    NotUtf8,
    /// It is neither an HLS playlist, nor a DASH manifest or patch, nor a list of assets.
    UnknownFormat,
    /// It is no well-formed XML or JSON.
    Malformed,
    /// It has more elements in elements, periods and representations, or bases for its URLs
    /// than any manifest.
    TooComplex,
    /// With the prefix in all of its URLs it would be larger than allowed.
    TooLarge,
}

impl Unreadable {
    /// The name of the reason, for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::UnknownFormat => "unknown_format",
            Self::Malformed => "malformed",
            Self::TooComplex => "too_complex",
            Self::TooLarge => "too_large",
        }
    }
}

/// Inserts the prefix into the URLs of a manifest that need it.
///
/// # Errors
///
/// Why the body is to be passed on as it is.
pub fn rewrite(body: &[u8], rewriting: &Rewriting<'_>) -> Result<Rewritten, Unreadable> {
    let task = Task {
        rewriting,
        directory: RefCell::default(),
    };
    let text = core::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
    let start = text.trim_start_matches('\u{feff}').trim_ascii_start();
    let insertions = if start.starts_with("#EXTM3U") {
        hls::find(text, &task)
    } else if start.starts_with('<') {
        dash::find(text, &task)?
    } else if start.starts_with('{') {
        json::find(text, &task)?
    } else {
        return Err(Unreadable::UnknownFormat);
    };
    let Insertions { unknown, .. } = insertions;
    let body = insertions.into_body(body, rewriting)?;
    Ok(Rewritten { body, unknown })
}

/// Whether players ask for a manifest again while they play: a live playlist with segments, or
/// a DASH manifest that says how often it changes. It is not read for that, only searched.
#[must_use]
pub fn is_polled(manifest: &[u8]) -> bool {
    let has = |text: &str| memchr::memmem::find(manifest, text.as_bytes()).is_some();
    match has("#EXTM3U") {
        true => has("#EXT-X-TARGETDURATION") && !has("#EXT-X-ENDLIST"),
        false => has("MPD") && has("minimumUpdatePeriod"),
    }
}

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
use core::prelude::v1::test;
#[cfg(all(test, target_arch = "wasm32"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(test)]
mod tests;
