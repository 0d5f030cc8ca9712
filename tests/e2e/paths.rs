//! No spelling of a path gets protected bytes out of an origin as people run them, whatever
//! Envoy makes of it before.

use streamgate_tests::{Edge, FileServer, Settings};

/// What nobody may get without a decision, and what anybody may.
const PROTECTED: &str = "the bytes of a film";
const OPEN: &str = "what anybody may read";

const FILES: [(&str, &str); 7] = [
    ("vod/film/seg1.m4s", PROTECTED),
    ("members/gold.m4s", PROTECTED),
    ("carried/film/seg1.m4s", PROTECTED),
    ("open/film/page.txt", OPEN),
    ("open/a b.txt", OPEN),
    ("open/a..b...txt", OPEN),
    ("open/.well-known/x;y", OPEN),
];

/// What may stand in front of a path that is asked for.
const FRONTS: [&str; 28] = [
    "",
    "/",
    "/.",
    "/x/..",
    "/open/..",
    "/open/film/../..",
    "/x/%2e%2e",
    "/x/.%2E",
    "/x/..;",
    "/x/..;y",
    "/;",
    "/;x",
    "/x/..%2f",
    "/x%2f..",
    "/x/..%5c",
    "/x/..\\",
    "/x/..%252f",
    "/x/%252e%252e",
    "/%2f",
    "/%5c",
    "/~x/..",
    "/~x",
    "/v2/..",
    "/vod/..",
    "/open/..%2f",
    "/members/..%2f",
    "/x/..%2fvod/;%2f../..",
    "/open;%2f..",
];

/// What may stand for a slash behind the first.
const SLASHES: [&str; 11] = [
    "/", "//", "/./", "%2f", "%2F", "\\", "%5c", "%252f", ";/", ";x=1/", "/q%2f../",
];

/// What may be done to names.
const NAMES: [fn(&str) -> String; 5] = [
    str::to_owned,
    |name| format!("%{:02x}{}", name.as_bytes()[0], &name[1..]),
    |name| format!("%25{:02x}{}", name.as_bytes()[0], &name[1..]),
    str::to_uppercase,
    |name| format!("{name}."),
];

/// Each of them once, with some of the others.
fn spellings() -> Vec<String> {
    let mut spellings: Vec<String> = [
        "/x/..%2fvod/;%2f../film/seg1.m4s",
        "/x/..%2fvod/q%5c..%5c..%2f../film/seg1.m4s",
        "/members/..%5cvod%5cq%2f../gold.m4s",
        "/open/..%2fvod/film/;%2f../seg1.m4s",
        "/open/;%2f../../vod/film/seg1.m4s",
        "/open/%2e%2e;/vod/film/seg1.m4s",
        "/vod/film/seg1.m4s%00.txt",
        "/vod/film/seg1.m4s%3f.m3u8",
        "/vod/film/seg1.m4s;.m3u8",
        "/vod/film/seg1.m4s/.",
        "/%7Etoken/vod/film/seg1.m4s",
        "//~token/vod/film/seg1.m4s",
        "/x/../~token/vod/film/seg1.m4s",
        "/%2576od/film/seg1.m4s",
        "/VOD/film/seg1.m4s",
        "/open/../vod/film/seg1.m4s?/open/film/page.txt",
        "http://edge/x/..%2fvod/film/seg1.m4s",
        "/%u0076od/film/seg1.m4s",
        "/%c0%af/vod/film/seg1.m4s",
    ]
    .map(str::to_owned)
    .into();
    for [directory, name] in [["vod/film", "seg1.m4s"], ["members", "gold.m4s"]] {
        for (at, front) in FRONTS.iter().enumerate() {
            for (with, slash) in SLASHES.iter().enumerate() {
                let change = NAMES[(at + with) % NAMES.len()];
                let (first, rest) = directory.split_once('/').unwrap_or((directory, ""));
                let directory = match rest {
                    "" => change(first),
                    rest => format!("{}{slash}{rest}", change(first)),
                };
                spellings.push(format!("{front}/{directory}{slash}{name}"));
            }
        }
    }
    spellings
}

/// Asks for all of them, each on a connection of its own and as it is written.
fn nothing_leads_around(edge: &Edge, kind: &str) {
    let ask = |method: &str, path: &str, headers: &str| {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n{headers}\r\n");
        edge.raw(&[request.as_bytes()])
    };
    let mut got = Vec::new();
    for path in spellings() {
        let (status, answer) = ask("GET", &path, "");
        if answer.contains(PROTECTED) {
            got.push(format!("{path}: {status:?}"));
        }
    }
    assert!(got.is_empty(), "{kind}:\n{}", got.join("\n"));

    for path in [
        "/open/film/page.txt",
        "/open/film/page.txt?x=/../",
        "/open/a%20b.txt",
        "/open/a..b...txt",
        "/open/.well-known/x;y",
    ] {
        let (status, answer) = ask("GET", path, "");
        assert_eq!(status, Some(200), "{kind}: {path}: {answer}");
        assert!(answer.contains(OPEN), "{kind}: {path}: {answer}");
    }
    let path = "/carried/film/seg1.m4s";
    let who = "x-account-id: alice\r\nx-stream-id: one\r\n";
    let (status, answer) = ask("GET", path, who);
    assert!(answer.contains(PROTECTED), "{kind}: {status:?} {answer}");
    let (status, _) = ask("GET", path, "");
    assert_eq!(status, Some(403), "{kind}");
    // A browser's question beforehand is answered, and is all that is.
    let (status, answer) = ask("OPTIONS", path, "");
    assert_eq!(status, Some(403), "{kind}: {answer}");
    let question = "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\n";
    let (status, answer) = ask("OPTIONS", path, question);
    assert!(matches!(status, Some(200 | 204)), "{kind}: {answer}");
    let allowed = "access-control-allow-origin: ";
    assert!(answer.to_lowercase().contains(allowed), "{kind}: {answer}");
}

/// What is done to paths before the filter sees them.
fn whatever_envoy_does_before(origin: &FileServer) {
    for (normalised, slashes) in [
        (false, "KEEP_UNCHANGED"),
        (true, "KEEP_UNCHANGED"),
        (true, "UNESCAPE_AND_FORWARD"),
    ] {
        let settings = Settings::default()
            .asking(origin.port)
            .with_manager("normalize_path", normalised)
            .with_manager("merge_slashes", normalised)
            .with_manager("path_with_escaped_slashes_action", slashes);
        let edge = Edge::start(settings);
        nothing_leads_around(&edge, &format!("normalised {normalised}, {slashes}"));
    }
}

#[test]
fn no_spelling_gets_protected_bytes_out_of_nginx() {
    whatever_envoy_does_before(&FileServer::nginx(&FILES));
}

#[test]
fn no_spelling_gets_protected_bytes_out_of_python() {
    whatever_envoy_does_before(&FileServer::python(&FILES));
}

#[test]
fn no_spelling_gets_protected_bytes_out_of_apache() {
    whatever_envoy_does_before(&FileServer::apache(&FILES));
}
