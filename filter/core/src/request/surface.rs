//! What is asked: the session API, playback, or nothing of ours.

use percent_encoding::percent_decode;
use streamgate_bytes::{begins_with, begins_with_any_case, split_token};
use streamgate_values::path::Reading;

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
        path_index: usize,
        /// The token in front of the path.
        token: Option<&'p [u8]>,
        /// The path without the token, query included.
        path: &'p [u8],
        /// How it is read.
        file: Reading<'p>,
    },
    /// Left out of a protected path.
    LeftOut {
        /// Place of the protected path in the configuration.
        path_index: usize,
        /// The token in front of the path, that its segments inherited.
        token: Option<&'p [u8]>,
        /// The path without the token, query included.
        path: &'p [u8],
    },
    /// A call at the operator's door: the whole listener is that.
    Operator,
    /// Not protected.
    Open,
    /// What no player asks for, and no origin is to see:
    ///
    /// - a path with a dot segment, in some decoding;
    /// - none at all, which CONNECT has: a tunnel to whatever its route leads to;
    /// - two tokens in a row, one with no path behind it, one in front of a path that takes
    ///   none, or one that does not plainly stand in front of the path. To take it off
    ///   would lead around whatever stands before this filter and goes by paths;
    /// - the session API, or a protected path, that is one to some and another, or none of
    ///   these, to others.
    Malformed,
}

/// Tells what a path (with query) asks for.
#[must_use]
pub fn surface<'p>(config: &Config, path: &'p [u8]) -> Surface<'p> {
    let (token, rest) = split_token(path);
    if token.is_some() && (rest.first() != Some(&b'/') || rest.get(1) == Some(&b'~')) {
        return Surface::Malformed;
    }
    let Ok(file) = Reading::of(rest) else {
        return Surface::Malformed;
    };
    if config.operator.is_some() {
        return Surface::Operator;
    }
    let base = config.sessions.base_path.as_bytes();
    let has_api = config.session_api.is_some();
    if token.is_none()
        && has_api
        && let Some(after) = path.strip_prefix(base)
        && matches!(after.first(), None | Some(b'/' | b'?'))
    {
        return Surface::SessionApi { path: after };
    }
    let Ok(protected) = protected(config, &file, rest) else {
        return Surface::Malformed;
    };
    match protected {
        _ if !file.is_as_written() && file.may_begin_with(b"/~") => Surface::Malformed,
        Some((_, protected)) if token.is_some() && !protected.reads_path_token() => {
            Surface::Malformed
        }
        Some((path_index, protected)) if protected.exclude.hold(&file) => Surface::LeftOut {
            path_index,
            token,
            path: rest,
        },
        Some((path_index, _)) => Surface::Playback {
            path_index,
            token,
            path: rest,
            file,
        },
        // CONNECT has no path, and what is asked for in its tunnel nobody sees.
        None if path.is_empty() || token.is_some() || (has_api && may_be_below(&file, base)) => {
            Surface::Malformed
        }
        None => Surface::Open,
    }
}

/// Some origin may take a path for another one than others do, and that has other rules.
struct Ambiguous;

/// The first protected path that this path falls under, however it is read.
fn protected<'c>(
    config: &'c Config,
    file: &Reading<'_>,
    written: &[u8],
) -> Result<Option<(usize, &'c PlaybackPath)>, Ambiguous> {
    // In another case it is another's, where case matters to the origin.
    let mut in_another_case = None;
    let mut exact = None;
    for (path_index, protected) in config.playback.iter().enumerate() {
        let prefix = protected.prefix.as_bytes();
        if begins_with(file, prefix) {
            exact = Some(path_index);
            break;
        }
        if in_another_case.is_none() && file.may_begin_with(prefix) {
            in_another_case = Some(path_index);
        }
    }
    if exact.is_some() && in_another_case.is_some() {
        return Err(Ambiguous);
    }
    let Some(path_index) = exact.or(in_another_case) else {
        return Ok(None);
    };
    let Some(protected) = config.playback.get(path_index) else {
        return Ok(None);
    };
    match file.is_as_written() || is_nowhere_else(config, file, written, path_index, protected) {
        true => Ok(Some((path_index, protected))),
        false => Err(Ambiguous),
    }
}

/// Whether a path that is not as it is written is under this prefix to every origin. One that
/// undoes less may find it under a prefix around this one, unless this one is there without
/// anything undone. And nothing says what a hidden separator does.
fn is_nowhere_else(
    config: &Config,
    file: &Reading<'_>,
    written: &[u8],
    path_index: usize,
    protected: &PlaybackPath,
) -> bool {
    let mut others = config.playback.iter().enumerate();
    let is_nested = others.any(|(other, around)| {
        other != path_index && file.may_begin_with(around.prefix.as_bytes())
    });
    !file.is_hiding() && (!is_nested || is_written(protected.prefix.as_bytes(), written))
}

/// Whether a path begins with a prefix as it is written, or as it has to be: a prefix that
/// holds what no path may is asked for encoded.
fn is_written(prefix: &[u8], written: &[u8]) -> bool {
    let has_to_be = |byte: &u8| !byte.is_ascii_graphic() || b"\"<>^`{|}".contains(byte);
    begins_with(written, prefix)
        || (prefix.iter().any(has_to_be)
            && percent_decode(written)
                .take(prefix.len())
                .eq(prefix.iter().copied()))
}

/// Whether some origin may read a path as this one, or as one below it.
fn may_be_below(file: &Reading<'_>, path: &[u8]) -> bool {
    let ends = |rest: &[u8]| matches!(rest.first(), None | Some(b'/'));
    let is_below = begins_with_any_case(file, path) && file.get(path.len()..).is_some_and(ends);
    is_below || (file.is_hiding() && file.may_begin_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{config, config_with, test};

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
                path_index: 0,
                token: Some(b"tok"),
                path: b"/vod/a.m3u8?x",
                file: Reading::of(b"/vod/a.m3u8").unwrap()
            }
        );
        assert_eq!(asked("/v20/x"), Surface::Open);
        assert_eq!(asked("/~tok/other/x"), Surface::Malformed);
        assert_eq!(asked("/~tok"), Surface::Malformed);
        assert_eq!(asked("/~tok?x"), Surface::Malformed);
        assert_eq!(asked("/~a/~b/vod/x"), Surface::Malformed);
        assert_eq!(asked("*"), Surface::Open);
    }

    #[test]
    fn whatever_may_be_read_as_a_protected_path_is_one() {
        let config = config();
        for path in [
            "/vod/x.m4s",
            "/VOD/x.m4s",
            "/%76od/x.m4s",
            "/%2576od/x.m4s",
            "//vod/x.m4s",
            "/%2fvod/x.m4s",
            "\\vod\\x.m4s",
            "/vod%2fx.m4s",
            "/vod%5cx.m4s",
            "/vod;v=1/x.m4s",
            "/;/vod/x.m4s",
            "/vod/;x",
            "/vod./x.m4s",
            "/vod%20/x.m4s",
            "/vod::$INDEX_ALLOCATION/x.m4s",
            "vod/x.m4s",
        ] {
            let read = surface(&config, path.as_bytes());
            assert!(matches!(read, Surface::Playback { .. }), "{path}: {read:?}");
        }
        for path in [
            "/vodx/x",
            "/x/vod/x",
            "/?/vod/x",
            "/vo",
            "/%zz/x",
            "/x?/../vod/",
            "/a..b",
            "/a;b/c",
            "/a;b%2fc",
            "/.mpd",
            "*",
            "/",
            "/v20/x",
            "/v2x/",
        ] {
            assert_eq!(surface(&config, path.as_bytes()), Surface::Open, "{path}");
        }
    }

    #[test]
    fn what_no_player_asks_for_goes_nowhere() {
        let config = config();
        for path in [
            // CONNECT.
            "",
            "/x/../y",
            "/vod/../x",
            "/x/..%2fvod/;%2f../film/1.m4s",
            "/~tok/vod/../x",
            "/v2/../x",
            "/v2/sessions/a/%2e%2e",
            "/x/..%2fvod/q%5c..%5c..%2f../film/1.m4s",
            // Tokens that do not plainly stand in front.
            "/%7Etok/vod/x",
            "//~tok/vod/x",
            "/;/~tok/vod/x",
            "/~a/%7eb/vod/x",
            "/~a//~b/vod/x",
            "/%257Etok/x",
            "\\~tok\\x",
            // The session API, and what may be taken for it.
            "//v2/sessions",
            "/%762/sessions",
            "/V2/sessions",
            "/v2;x/sessions",
            "/v2%2fsessions",
            "/v2.",
            "/~tok/v2/sessions",
            // A separator that is dropped or is not.
            "/vod/x;a%2fb",
            "/vod;%2fx/y",
        ] {
            let read = surface(&config, path.as_bytes());
            assert_eq!(read, Surface::Malformed, "{path}");
        }
    }

    #[test]
    fn a_path_of_two_readings_under_two_prefixes_is_under_neither() {
        let config = config_with(|json| {
            let like = json["playback"][0].clone();
            let prefixes = ["/vod/live/", "/vod/Kinder Filme/", "/vod/", "/Other/", "/"];
            json["playback"] = prefixes
                .iter()
                .map(|prefix| {
                    let mut path = like.clone();
                    path["match"]["prefix"] = (*prefix).into();
                    path
                })
                .collect();
        })
        .unwrap();
        for (path, path_index) in [
            ("/vod/live/x", Some(0)),
            ("/vod//live/x", None),
            ("/vod/LIVE/x", None),
            ("/vod/l%69ve/x", None),
            ("/v%6fd/l%2569ve/x", None),
            ("/vod/Kinder%2520Filme/x", None),
            ("/VOD/live/x", None),
            ("/vod/live/x%20y", Some(0)),
            ("/vod/Kinder%20Filme/x", Some(1)),
            ("/vod/kinder%20filme/x", None),
            ("/vod/x%20y", Some(2)),
            ("/vod/x", Some(2)),
            ("/vod;a/x", None),
            ("/vod%2fx", None),
            ("/Vod/x", None),
            ("/Other/x", Some(3)),
            ("/other/x", None),
            ("/x", Some(4)),
            ("/x%20y", Some(4)),
            ("/x;%2fy/z", None),
        ] {
            let read = match surface(&config, path.as_bytes()) {
                Surface::Playback { path_index, .. } => Some(path_index),
                Surface::Malformed => None,
                other => panic!("{path}: {other:?}"),
            };
            assert_eq!(read, path_index, "{path}");
        }
    }

    #[test]
    fn where_everything_is_protected_a_token_is_still_one_and_stands_in_front_of_a_path() {
        let config = config_with(|json| {
            json["playback"][0]["match"]["prefix"] = "/".into();
            json["playback"].as_array_mut().unwrap().truncate(1);
        })
        .unwrap();
        let playback = |path: &'static str| {
            let read = surface(&config, path.as_bytes());
            let Surface::Playback { token, path, .. } = read else {
                return None;
            };
            let text = |bytes| core::str::from_utf8(bytes).unwrap();
            Some((token.map(text), text(path)))
        };
        for (path, expected) in [
            ("/", Some((None, "/"))),
            ("/?a", Some((None, "/?a"))),
            ("/x", Some((None, "/x"))),
            ("/x/~b", Some((None, "/x/~b"))),
            ("/~a/", Some((Some("a"), "/"))),
            ("/~a/?b", Some((Some("a"), "/?b"))),
            ("/~a/x/", Some((Some("a"), "/x/"))),
            ("/~a/x/~b/", Some((Some("a"), "/x/~b/"))),
            ("/~/x", Some((Some(""), "/x"))),
            ("/~a", None),
            ("/~a?b", None),
            ("/~a/~b", None),
            ("/~a/~b/", None),
            ("/~a/~b/x", None),
            ("/~a/~", None),
            ("/~/~b/x", None),
            ("/~a/~b?x", None),
        ] {
            assert_eq!(playback(path), expected, "{path}");
            if expected.is_none() {
                let read = surface(&config, path.as_bytes());
                assert_eq!(read, Surface::Malformed, "{path}");
            }
        }
    }

    #[test]
    fn the_session_api_is_at_its_base_path_alone_and_with_a_slash_or_a_query_behind_it() {
        let config = config();
        for (path, after) in [("/v2", ""), ("/v2/", "/"), ("/v2?x", "?x"), ("/v2//", "//")] {
            let expected = Surface::SessionApi {
                path: after.as_bytes(),
            };
            assert_eq!(surface(&config, path.as_bytes()), expected, "{path}");
        }
        assert_eq!(surface(&config, b"/v2x"), Surface::Open);
        let without = config_with(|json| {
            json.as_object_mut().unwrap().remove("session_api");
            json["playback"].as_array_mut().unwrap().truncate(1);
        })
        .unwrap();
        for path in ["/v2", "/v2/", "/V2/", "/v2%2f"] {
            assert_eq!(surface(&without, path.as_bytes()), Surface::Open, "{path}");
        }
    }
}
