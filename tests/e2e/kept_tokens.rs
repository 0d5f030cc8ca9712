//! An origin that redirects within its host, and what a player asks of a manifest besides its bytes: the playback
//! keeps its token, and a manifest one validator.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use streamgate_tests::{Answer, Edge, Given, Player, Settings};

const MASTER: &str = "/vod/film/master.m3u8";

/// An edge whose origin answers what is below `/vod/old/` with redirects to `/vod/film/`, written like this.
fn redirecting(start: impl Fn(&Edge) -> String) -> Edge {
    let edge = Edge::start(Settings::default());
    let start = start(&edge);
    for (name, status) in [
        ("master.m3u8", 302),
        ("manifest.mpd", 301),
        ("segment-1.m4s", 307),
        ("segment-2.m4s", 308),
        ("init.mp4", 303),
        ("key", 302),
    ] {
        let location = format!("{start}/vod/film/{name}?a=1");
        let given = Given::body("moved").status(status);
        edge.origin.gives(
            &format!("/vod/old/{name}"),
            given.header("location", &location),
        );
    }
    edge
}

/// Where a redirect leads, as a path of this edge.
fn led(edge: &Edge, answer: &Answer) -> String {
    let location = answer.header("location").expect("a location");
    let here = [format!("http://127.0.0.1:{}", edge.port), String::new()];
    let path = here
        .iter()
        .find_map(|here| location.strip_prefix(here.as_str()));
    path.expect("a path").to_owned()
}

#[test]
fn a_player_that_is_redirected_within_the_host_is_one_stream() {
    let here = |edge: &Edge| format!("http://127.0.0.1:{}", edge.port);
    let starts: [fn(&Edge) -> String; 2] = [|_| String::new(), here];
    for start in starts {
        let edge = redirecting(start);
        let token = |player: &Player| format!("/~{}/vod/film/", player.token());
        let mut player = edge.player("alice");
        let opened = player.open("/vod/old/master.m3u8").expect(302);
        for (name, status) in [
            ("manifest.mpd", 301),
            ("init.mp4", 303),
            ("key", 302),
            ("segment-1.m4s", 307),
            ("segment-2.m4s", 308),
            ("segment-1.m4s", 307),
        ] {
            let answer = player.get(name).expect(status);
            let path = led(&edge, &answer);
            assert!(path.starts_with(&token(&player)), "{path}");
            let _ = edge.get(&path).send().expect(200);
        }
        let path = led(&edge, &opened);
        assert_eq!(path, format!("{}master.m3u8?a=1", token(&player)));
        let _ = edge.get(&path).send().expect(200);
        assert_eq!(edge.app("demo-web").running("alice").len(), 1);
        assert_eq!(edge.metric("starts"), 1);
        for seen in edge.origin.paths() {
            assert!(!seen.contains('~'), "{seen}");
        }
    }
}

#[test]
fn a_redirect_to_elsewhere_tells_no_token() {
    let edge = redirecting(|_| String::new());
    let mut player = edge.player("alice");
    let _ = player.open("/vod/old/master.m3u8").expect(302);
    let playing = player.path("segment-3.m4s").replace("/old/", "/film/");
    let _ = edge.get(&playing).send().expect(200);
    for location in [
        "https://other.example/vod/film/master.m3u8",
        "//other.example/vod/film/master.m3u8",
        "/open/master.m3u8",
        "/v2/sessions/demo/alice",
        "/vod/../open",
        "relative.m3u8",
        "",
    ] {
        for name in ["master.m3u8", "segment-1.m4s"] {
            let given = Given::body("moved").status(302);
            let path = format!("/vod/old/{name}");
            edge.origin.gives(&path, given.header("location", location));
            let answer = player.get(name).expect(302);
            assert_eq!(answer.header("location"), Some(location));
        }
    }
}

/// A manifest that has to be rewritten, under a strong validator and with more that is said of its bytes.
fn tagged(body: &str) -> Given {
    Given::body(body)
        .header("etag", "\"v1\"")
        .header("accept-ranges", "bytes")
        .header("content-digest", "sha-256=:AAAA:")
        .header("last-modified", "Tue, 01 Jan 2030 12:00:00 GMT")
}

#[test]
fn a_manifest_has_one_validator_whatever_is_asked_of_it() {
    let edge = Edge::start(Settings::default());
    for (body, tag) in [
        ("#EXTM3U\n#EXTINF:4,\n/vod/film/1.m4s\n", "W/\"v1\""),
        ("#EXTM3U\n#EXTINF:4,\n1.m4s\n", "\"v1\""),
    ] {
        edge.origin.gives(MASTER, tagged(body));
        let mut player = edge.player("alice");
        let whole = player.open(MASTER).expect(200);
        assert_eq!(whole.header("etag"), Some(tag));
        let is_rewritten = tag.starts_with('W');
        assert_eq!(whole.header("accept-ranges").is_none(), is_rewritten);
        assert_eq!(whole.header("content-digest").is_none(), is_rewritten);
        assert!(whole.header("last-modified").is_some());
        let ask = |header: (&str, &str)| {
            let request = edge.get(&player.path("master.m3u8"));
            request.header(header.0, header.1).send()
        };
        let unchanged = ask(("if-none-match", tag)).expect(304);
        assert_eq!(unchanged.header("etag"), Some(tag));
        let asked = edge.origin.seen().pop().expect("a request");
        let known = ("if-none-match".to_owned(), tag.to_owned());
        assert!(asked.headers.contains(&known), "{asked:?}");
        // No part of it is given.
        let part = ask(("range", "bytes=0-3")).expect(200);
        assert_eq!((part.header("etag"), &part.body), (Some(tag), &whole.body));
        let head = player.request("HEAD", "master.m3u8").expect(200);
        assert_eq!(head.header("etag"), Some("W/\"v1\""));
        for gone in ["content-length", "accept-ranges", "content-digest"] {
            assert_eq!(head.header(gone), None, "{gone}");
        }
    }
}

/// On one connection, as browsers do it: what follows a HEAD without a length is read as what it is.
#[test]
fn a_connection_goes_on_behind_a_head() {
    let edge = Edge::start(Settings::default());
    edge.origin
        .gives(MASTER, tagged("#EXTM3U\n#EXTINF:4,\n/vod/film/1.m4s\n"));
    let mut player = edge.player("alice");
    player.opens(MASTER);
    let mut connection = TcpStream::connect(("127.0.0.1", edge.port)).expect("a connection");
    let path = player.path("master.m3u8");
    let asked = format!(
        "HEAD {path} HTTP/1.1\r\nhost: edge\r\n\r\nGET {path} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(asked.as_bytes()).expect("a request");
    let mut told = String::new();
    connection.read_to_string(&mut told).expect("two answers");
    let (head, whole) = told.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{told}");
    assert!(whole.starts_with("HTTP/1.1 200"), "{told}");
    assert!(
        whole.ends_with(&format!("/~{}/vod/film/1.m4s\n", player.token())),
        "{told}"
    );
}
