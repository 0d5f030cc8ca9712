//! What is asked: the session API, playback, or nothing of ours.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use streamgate_bytes::{begins_with, is_plain, split_once, split_token};

use crate::config::{Config, PlaybackPath};

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surface<'p> {
    /// A call of the session API; `path` is what follows the base path.
    SessionApi {
        /// Path after the base path, query included.
        path: &'p [u8],
    },
    /// A request on a protected path.
    Playback {
        /// Place of the protected path in the configuration.
        place: usize,
        /// The token in front of the path.
        token: Option<&'p [u8]>,
        /// The path without the token, query included.
        path: &'p [u8],
        /// The path as an origin may understand it, without its query.
        file: Cow<'p, [u8]>,
    },
    /// Left out of a protected path, behind a token that its segments inherited.
    LeftOut {
        /// The token in front of the path.
        token: &'p [u8],
    },
    /// Not protected.
    Open,
    /// Two tokens in a row, one with no path behind it, or one in front of a path that
    /// takes none: no player builds such a URL. To take it off would lead around whatever
    /// stands before this filter and goes by paths.
    Malformed,
}

/// Tells what a path (with query) asks for.
#[must_use]
pub fn surface<'p>(config: &Config, path: &'p [u8]) -> Surface<'p> {
    let (token, rest) = split_token(path);
    if token.is_some() && (rest.starts_with(b"/~") || !rest.starts_with(b"/")) {
        return Surface::Malformed;
    }
    if token.is_none()
        && config.session_api.is_some()
        && let Some(after) = path.strip_prefix(config.sessions.base_path.as_bytes())
        && matches!(after.first(), None | Some(b'/' | b'?'))
    {
        return Surface::SessionApi { path: after };
    }
    let file = resolved(rest);
    let written = matches!(file, Cow::Owned(_)).then_some(rest);
    match protected(config, &file, written) {
        Some((_, protected)) if token.is_some() && !protected.reads_path_token() => {
            Surface::Malformed
        }
        Some((_, protected)) if protected.exclude.hold(rest) => match token {
            Some(token) => Surface::LeftOut { token },
            None => Surface::Open,
        },
        Some((place, _)) => Surface::Playback {
            place,
            token,
            path: rest,
            file,
        },
        None if token.is_some() => Surface::Malformed,
        None => Surface::Open,
    }
}

/// The first protected path that this path falls under: resolved, or else as it is
/// written, where that is something else.
fn protected<'c>(
    config: &'c Config,
    file: &[u8],
    written: Option<&[u8]>,
) -> Option<(usize, &'c PlaybackPath)> {
    let under = |path: &[u8]| {
        let mut paths = config.playback.iter().enumerate();
        paths.find(|(_, protected)| begins_with(path, protected.prefix.as_bytes()))
    };
    under(file).or_else(|| under(written?))
}

/// The path, without its query, as an origin may understand it: decoded, with empty and dot
/// segments resolved and what follows a `;` in a segment dropped, as servlet containers do.
/// `/%76od/x`, `//vod/x`, `/a/../vod/x` and `/vod;a/x` must not get around `/vod/`, nor
/// `/vod/../x` get the rules of `/vod/`.
/// Envoy normalises paths where it is told to; this does not depend on it.
pub(crate) fn resolved(path: &[u8]) -> Cow<'_, [u8]> {
    let (path, _) = split_once(path, b'?').unwrap_or((path, b""));
    // Every request passes through here, and nearly all paths are what they look like.
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    let decoded: Vec<u8> = percent_decode(path)
        .map(|byte| if byte == b'\\' { b'/' } else { byte })
        .collect();
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|byte| *byte == b'/') {
        match split_once(segment, b';').map_or(segment, |(name, _)| name) {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut resolved = vec![b'/'];
    resolved.extend_from_slice(&segments.join(&b'/'));
    if decoded.ends_with(b"/") && resolved.len() > 1 {
        resolved.push(b'/');
    }
    Cow::Owned(resolved)
}

/// Whether a path has a `.` or `..` segment, plain, percent-encoded or with
/// parameters: `/alice/../bob` begins with `/alice/` and is not Alice's.
pub(crate) fn climbs(path: &[u8]) -> bool {
    let (path, _) = split_once(path, b'?').unwrap_or((path, b""));
    let decoded: Vec<u8> = percent_decode(path).collect();
    decoded
        .split(|byte| matches!(byte, b'/' | b'\\' | b';'))
        .any(|segment| matches!(segment, b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{config, test};

    #[test]
    fn paths_are_told_apart() {
        let config = config();
        let asked = |path: &'static str| surface(&config, path.as_bytes());
        assert_eq!(
            asked("/v2/sessions/a/b?x=1"),
            Surface::SessionApi {
                path: b"/sessions/a/b?x=1"
            }
        );
        assert_eq!(
            asked("/~tok/vod/a.m3u8?x"),
            Surface::Playback {
                place: 0,
                token: Some(b"tok"),
                path: b"/vod/a.m3u8?x",
                file: Cow::Borrowed(b"/vod/a.m3u8")
            }
        );
        assert_eq!(asked("/v20/x"), Surface::Open);
        assert_eq!(asked("/~tok/other/x"), Surface::Malformed);
        assert_eq!(asked("/~tok"), Surface::Malformed);
        assert_eq!(asked("/~tok?x"), Surface::Malformed);
        assert_eq!(asked("/~a/~b/vod/x"), Surface::Malformed);
        assert_eq!(asked(""), Surface::Open);
    }

    #[test]
    fn no_spelling_of_a_protected_path_gets_around_it() {
        let config = config();
        for path in [
            "/vod/x.m4s",
            "/%76od/x.m4s",
            "//vod/x.m4s",
            "/./vod/x.m4s",
            "/a/../vod/x.m4s",
            "/a/%2e%2e/vod/x.m4s",
            "/%2fvod/x.m4s",
            "\\vod\\x.m4s",
            "/vod%2fx.m4s",
            "/vod;v=1/x.m4s",
            "/a/..;/vod/x.m4s",
        ] {
            assert!(
                matches!(surface(&config, path.as_bytes()), Surface::Playback { .. }),
                "{path}"
            );
        }
        for path in ["/vodx/x", "/x/vod/x", "/?/vod/x", "/vo", "/%zz/x"] {
            assert_eq!(surface(&config, path.as_bytes()), Surface::Open, "{path}");
        }
    }
}
