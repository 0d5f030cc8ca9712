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
mod playlist;
mod task;
mod text;
mod url;
mod variables;

use core::cell::RefCell;

pub use gzip::{Packed, gunzip};
pub use task::{Carries, Rewriting, Unreadable};
pub use url::Origin;

use insertions::Insertions;
use task::Task;

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

/// A URL with the prefix inserted, as a redirect of the path that is rewritten for has it; `None` where it needs none.
#[must_use]
pub fn with_prefix(url: &str, rewriting: &Rewriting<'_>) -> Option<String> {
    let task = Task {
        rewriting,
        directory: RefCell::default(),
    };
    let (before, after) = url.split_at_checked(hls::position_of_prefix(url, &task)?)?;
    Some([before, rewriting.prefix, after].concat())
}

/// How long players wait at least, in milliseconds, before they ask for a manifest again while
/// they play; `None` where they do not. They do for a live playlist with segments, and for a DASH
/// manifest that says how often it changes. It is not read for that, only searched.
#[must_use]
pub fn reload_wait_ms(manifest: &[u8]) -> Option<u64> {
    // Half of what they are told to wait if nothing has changed (RFC 8216, section 6.3.4), less
    // a tenth.
    const OF_A_SECOND_MS: u64 = 450;
    let after = |text: &str| {
        let at = memchr::memmem::find(manifest, text.as_bytes())?;
        manifest.get(at.saturating_add(text.len())..)
    };
    let seconds = match after("#EXTM3U") {
        Some(_) => {
            let seconds = after("#EXT-X-TARGETDURATION:")?;
            if after("#EXT-X-ENDLIST").is_some() {
                return None;
            }
            // Low-latency playlists change with each part.
            let has_parts = after("#EXT-X-PART-INF").is_some();
            Some(seconds).filter(|_| !has_parts)
        }
        None => {
            after("MPD")?;
            let period = after("minimumUpdatePeriod")?;
            period.strip_prefix(b"=\"PT").filter(|period| {
                let unit = period
                    .iter()
                    .find(|byte| !byte.is_ascii_digit() && **byte != b'.');
                unit == Some(&b'S')
            })
        }
    };
    let digits = seconds.unwrap_or_default().iter();
    let digits = digits.take_while(|byte| byte.is_ascii_digit());
    let seconds = digits.fold(0_u64, |number, digit| {
        let digit = u64::from(digit.saturating_sub(b'0'));
        number.saturating_mul(10).saturating_add(digit)
    });
    Some(seconds.saturating_mul(OF_A_SECOND_MS))
}

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
use core::prelude::v1::test;
#[cfg(all(test, target_arch = "wasm32"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(test)]
mod tests;
