//! No spelling of a path leads around the gate: what any of many kinds of origins maps onto a
//! protected file is never let through undecided, and what is plain is never in the way.
//!
//! The origins are small models, written down here and nowhere else, of how servers read a
//! path. A proxy in front of one may have read it before, so each is also put behind each.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use streamgate_core::config::{self, Config};
use streamgate_core::request::surface::{Surface, surface};

/// Protected prefixes; the first that fits applies.
const PREFIXES: [&str; 3] = ["/vod/live/", "/vod/", "/members/"];

thread_local! {
    /// Read once.
    static CONFIG: Config = config();
}

/// What is wrong with how a path is taken; empty: nothing.
fn found(path: &[u8]) -> Vec<String> {
    CONFIG.with(|config| wrong(config, path))
}

fn config() -> Config {
    let path = |prefix: &&str| {
        serde_json::json!({
            "match": {"prefix": prefix},
            "application": "web",
            "start": "implicit",
            "subject": [{"token": "path"}, {"header": "x-account-id"}],
            "stream": [{"token": "path"}, {"redirect": true}],
        })
    };
    let json = serde_json::json!({
        "applications": [{"id": "web", "tenant": "demo", "policies": ["household"]}],
        "policies": [{"name": "household", "rules": [
            {"name": "three", "max": 3, "on_conflict": "deny_new"}
        ]}],
        "sessions": {
            "heartbeat": "60s", "timeout": "90s",
            "signing_keys": [{"id": "k1", "secret": "a signing key of some length"}],
        },
        "session_api": {"subject": "trusted"},
        "privacy": {"subject_key": "a subject key of some length"},
        "playback": PREFIXES.iter().map(path).collect::<Vec<_>>(),
    });
    config::load(json.to_string().as_bytes(), &|_| None).unwrap()
}

/// What a step of a model does: a path as a server has it so far into what it makes of it,
/// or nothing where it refuses.
type Step = fn(Vec<u8>) -> Option<Vec<u8>>;

/// A server: its name, what it does with a path (without its query), and whether the files
/// it finds are the same in any case.
struct Origin {
    name: &'static str,
    steps: &'static [Step],
    ignores_case: bool,
}

const fn origin(name: &'static str, steps: &'static [Step], ignores_case: bool) -> Origin {
    Origin {
        name,
        steps,
        ignores_case,
    }
}

const ORIGINS: [Origin; 12] = [
    // ngx_http_parse_complex_uri: decodes once, then merges slashes and resolves dots.
    origin(
        "nginx",
        &[cut_fragment, decode, no_nul, merge, resolve],
        false,
    ),
    origin(
        "nginx, merge_slashes off",
        &[cut_fragment, decode, no_nul, resolve_all],
        false,
    ),
    // SimpleHTTPRequestHandler.translate_path.
    origin("Python", &[cut_fragment, decode, merge, resolve], false),
    // net/url, then path.Clean of http.FileServer.
    origin("Go", &[decode, no_nul, merge, resolve], false),
    // `send`: decodeURIComponent, refuses NUL; on Windows both slashes part.
    origin("Express", &[decode_text, no_nul, merge, resolve], false),
    origin(
        "Express on Windows",
        &[decode_text, no_nul, backslashes, merge, resolve, windows],
        true,
    ),
    // Parameters go before anything is decoded (RequestUtil, HttpURI).
    origin(
        "Tomcat",
        &[parameters, decode, no_nul, backslashes, merge, resolve],
        false,
    ),
    origin(
        "Jetty",
        &[parameters, decode, no_nul, merge, resolve],
        false,
    ),
    // Parameters go after it.
    origin("Undertow", &[decode, parameters, merge, resolve], false),
    origin(
        "IIS",
        &[decode_microsoft, backslashes, merge, resolve, windows],
        true,
    ),
    // CGI scripts and their kin: strings end at NUL.
    origin("C strings", &[decode, cut_nul, merge, resolve], true),
    // Keys are what is decoded, no more.
    origin("S3", &[decode], false),
];

fn cut(path: Vec<u8>, end: u8) -> Vec<u8> {
    path.split(|byte| *byte == end).next().unwrap().to_vec()
}

fn cut_fragment(path: Vec<u8>) -> Option<Vec<u8>> {
    Some(cut(path, b'#'))
}

fn cut_nul(path: Vec<u8>) -> Option<Vec<u8>> {
    Some(cut(path, 0))
}

fn no_nul(path: Vec<u8>) -> Option<Vec<u8>> {
    (!path.contains(&0)).then_some(path)
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

fn decode(path: Vec<u8>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = &path[..];
    while let Some((byte, after)) = rest.split_first() {
        let digits =
            (*byte == b'%' && after.len() > 1 && after[..2].iter().all(u8::is_ascii_hexdigit))
                .then(|| hex(&after[..2]).unwrap());
        out.push(digits.map_or(*byte, |code| code as u8));
        rest = if digits.is_some() { &after[2..] } else { after };
    }
    Some(out)
}

fn decode_text(path: Vec<u8>) -> Option<Vec<u8>> {
    let decoded = decode(path)?;
    core::str::from_utf8(&decoded).is_ok().then_some(decoded)
}

/// Also `%uXXXX`, and UTF-8 that is longer than it may be.
fn decode_microsoft(path: Vec<u8>) -> Option<Vec<u8>> {
    let mut wide = Vec::new();
    let mut rest = &path[..];
    while let Some((byte, after)) = rest.split_first() {
        let code = (rest.len() > 5 && rest.starts_with(b"%u"))
            .then(|| hex(&rest[2..6]))
            .flatten();
        match code.and_then(|code| u8::try_from(code).ok()) {
            Some(code) => {
                wide.push(code);
                rest = &rest[6..];
            }
            None => {
                wide.push(*byte);
                rest = after;
            }
        }
    }
    let decoded = decode(wide)?;
    let mut out = Vec::new();
    let mut rest = &decoded[..];
    while let Some((byte, after)) = rest.split_first() {
        match (byte, after.first()) {
            (0xc0 | 0xc1, Some(low @ 0x80..=0xbf)) => {
                out.push((byte & 1) << 6 | (low & 0x3f));
                rest = &after[1..];
            }
            _ => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    Some(out)
}

fn backslashes(path: Vec<u8>) -> Option<Vec<u8>> {
    Some(
        path.into_iter()
            .map(|byte| if byte == b'\\' { b'/' } else { byte })
            .collect(),
    )
}

fn parameters(path: Vec<u8>) -> Option<Vec<u8>> {
    let names = path
        .split(|byte| *byte == b'/')
        .map(|segment| cut(segment.to_vec(), b';'));
    Some(names.collect::<Vec<_>>().join(&b'/'))
}

fn merge(path: Vec<u8>) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    for byte in path {
        if byte != b'/' || out.last() != Some(&b'/') {
            out.push(byte);
        }
    }
    Some(out)
}

/// Dot segments; who climbs out of the root is at the root.
fn resolve_all(path: Vec<u8>) -> Option<Vec<u8>> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    names.pop();
                }
                if is_last {
                    names.push(b"");
                }
            }
            name => names.push(name),
        }
    }
    Some([b"/", &names.join(&b'/')[..]].concat())
}

fn resolve(path: Vec<u8>) -> Option<Vec<u8>> {
    merge(resolve_all(path)?)
}

/// What Windows drops from names: streams of files, dots and blanks at the end.
fn windows(path: Vec<u8>) -> Option<Vec<u8>> {
    let names = path.split(|byte| *byte == b'/').map(|name| {
        let stream = name
            .windows(2)
            .position(|pair| pair == b":$" || pair == b"::");
        let name = &name[..stream.unwrap_or(name.len())];
        let end = name.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
        name[..end.map_or(0, |at| at + 1)].to_vec()
    });
    merge(names.collect::<Vec<_>>().join(&b'/'))
}

impl Origin {
    fn reads(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut path = path.split(|byte| *byte == b'?').next().unwrap().to_vec();
        if path.first() != Some(&b'/') {
            path.insert(0, b'/');
        }
        self.steps.iter().try_fold(path, |path, step| step(path))
    }

    /// Which protected prefix the file is found under.
    fn finds(&self, path: &[u8]) -> Option<usize> {
        let read = self.reads(path)?;
        let under = |prefix: &str| match (read.get(..prefix.len()), self.ignores_case) {
            (Some(front), true) => front.eq_ignore_ascii_case(prefix.as_bytes()),
            (front, _) => front == Some(prefix.as_bytes()),
        };
        PREFIXES.iter().position(|prefix| under(prefix))
    }
}

/// What is wrong with how a path is taken: who finds what under which prefix, and what the
/// filter makes of it.
fn wrong(config: &Config, path: &[u8]) -> Vec<String> {
    let asked = surface(config, path);
    let (is_open, path_index) = match &asked {
        Surface::Malformed | Surface::Operator => return Vec::new(),
        Surface::Playback { path_index, .. } => (false, Some(*path_index)),
        Surface::SessionApi { .. } | Surface::LeftOut { token: Some(_), .. } => return Vec::new(),
        Surface::Open | Surface::LeftOut { token: None, .. } => (true, None),
    };
    let shown = String::from_utf8_lossy(path).into_owned();
    let (_, rest) = streamgate_bytes::split_token(path);
    let mut wrong = Vec::new();
    for first in [None].into_iter().chain(ORIGINS.iter().map(Some)) {
        let passed = match first {
            None => Some(rest.to_vec()),
            Some(proxy) => proxy.reads(rest),
        };
        let Some(passed) = passed else { continue };
        for behind in &ORIGINS {
            let by = first.map_or("nobody", |first| first.name);
            if let Some(found) = behind.finds(&passed)
                && path_index != Some(found)
            {
                wrong.push(format!(
                    "{shown} is {path_index:?}, and below {} to {} behind {by}",
                    PREFIXES[found], behind.name
                ));
            }
            let read = behind.reads(&passed).unwrap_or_default();
            let token = read.starts_with(b"/~");
            let session = read.starts_with(b"/v2/");
            if is_open && (token || session) {
                let what = if token { "a token" } else { "the session API" };
                wrong.push(format!(
                    "{shown} is open, and {what} to {} behind {by}",
                    behind.name
                ));
            }
        }
    }
    wrong
}

/// A byte, spelled in one of the ways there are.
fn spelled(byte: u8) -> impl Strategy<Value = String> {
    let plain = (byte as char).to_string();
    let once = format!("%{byte:02x}");
    let mut ways = vec![
        plain.clone(),
        once.clone(),
        once.to_uppercase(),
        once.replace('%', "%25"),
        once.replace('%', "%2525"),
        format!("%u00{byte:02x}"),
        format!("%c{}%{:02x}", byte >> 6, (byte & 0x3f) | 0x80),
    ];
    if byte.is_ascii_alphabetic() {
        ways.push(plain.to_uppercase());
        ways.extend(core::iter::repeat_n(plain, 20));
    } else {
        ways.extend(core::iter::repeat_n(plain, 6));
    }
    if byte == b'/' {
        ways.extend(
            [
                "\\", "%5c", "%255c", "//", ";/", "/;x/", ";%2f", ";x=%5c", "./", "%20/", ";v=1/",
            ]
            .map(str::to_owned),
        );
        ways.extend(["/./", "/..;/", "::$INDEX_ALLOCATION/"].map(str::to_owned));
    }
    select(ways)
}

/// A text, each byte spelled in its way.
fn spellings(text: &'static str) -> impl Strategy<Value = String> {
    let bytes: Vec<_> = text.bytes().map(spelled).collect();
    bytes.prop_map(|parts| parts.concat())
}

/// What a path is put together from.
fn piece() -> BoxedStrategy<String> {
    prop_oneof![
        6 => select(vec!["/vod/", "/vod/live/", "/members/", "/x/", "/film/", "/v2/", "/~token/"]).prop_flat_map(spellings),
        4 => select(vec!["/..", "/../", "..", "/.", "/..;", "/", ";", "\\", "/q"]).prop_flat_map(spellings),
        2 => select(vec!["/vod/", "/x/", "/..%2f", "..%5c", "%2f..%2f", ";%2f..", "..\\", "%00", "%0a", "#", "?", "%", "%3f", "%23", "\u{e9}", ".", " "]).prop_map(str::to_owned),
        1 => "[ -~]{0,4}",
    ]
    .boxed()
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let raw = vec(any::<u8>(), 0..3);
    (
        vec(piece(), 1..5),
        select(vec!["", "/", "/x"]),
        raw,
        any::<bool>(),
    )
        .prop_map(|(pieces, start, raw, is_odd)| {
            let mut path = start.as_bytes().to_vec();
            path.extend(pieces.concat().into_bytes());
            if is_odd {
                path.extend(raw);
            }
            path.extend(b"seg1.m4s");
            path
        })
}

fn plain_name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,6}([.]{0,3}[A-Za-z0-9_=,:@()-]{1,6}){0,2}|[.][a-z][a-z0-9-]{0,8}"
}

#[test]
fn the_ways_that_were_found_by_hand_lead_nowhere() {
    let found: Vec<_> = [
        "/x/..%2fvod/;%2f../film/seg1.m4s",
        "/x/..%2fvod/q%5c..%5c..%2f../film/seg1.m4s",
        "/members/..%5cvod%5cq%2f../gold.m4s",
        "/VOD/sample/segment-0-001.m4s",
        "/%7Etoken/vod/1",
        "//~token/vod/1",
        "/x/../~token/vod/1",
        "/vod;%2fq/live/1",
        "/vod/;x",
        "/vod;\\x/live/1",
        "/%2576od/1",
        "/vod./1",
        "/vod%20/1",
        "/vod::$INDEX_ALLOCATION/1",
        "/%762/sessions/demo/alice",
        "/x%u002f.%252e./%u002fvod/seg1.m4s",
        "/x/.%252e./vod/seg1.m4s",
        "/x/%2e%2e./vod/seg1.m4s",
        "/x/..%2e/vod/seg1.m4s",
        "/x/%252e%252e.../vod/seg1.m4s",
        "/:::$INDEX_ALLOCATION/vod/seg1.m4s",
        "/ ::x:$DATA/vod/seg1.m4s",
    ]
    .iter()
    .flat_map(|path| found(path.as_bytes()))
    .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn no_spelling_of_a_protected_file_passes_undecided(path in path()) {
        let found = found(&path);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }

    /// However it is encoded, by whom ever.
    #[test]
    fn a_protected_path_is_one_in_every_spelling(
        path in select(vec!["/vod/film/seg1.m4s", "/members/1", "/vod/live/1"]).prop_flat_map(spellings),
    ) {
        let found = found(path.as_bytes());
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn what_is_plain_is_served(
        first in plain_name(),
        names in vec(plain_name(), 0..5),
        query in "([?][ -~]{0,12})?",
    ) {
        let first = first.to_ascii_lowercase();
        let is_ours = |name: &str| matches!(name, "vod" | "members" | "v2");
        prop_assume!(!is_ours(&first));
        let path = format!("/{first}/{}{query}", names.join("/"));
        let is_open = CONFIG.with(|config| surface(config, path.as_bytes()) == Surface::Open);
        prop_assert!(is_open, "{}", path);
        let path = format!("/vod/{first}/{}{query}", names.join("/"));
        prop_assume!(first != "live");
        let is_played = CONFIG.with(|config| {
            let found = surface(config, path.as_bytes());
            matches!(found, Surface::Playback { path_index: 1, token: None, .. })
        });
        prop_assert!(is_played, "{}", path);
    }
}
