//! CMCD as players send it, and as none should.

use core::cell::RefCell;

use super::*;
use crate::testing::{Headers, test};

fn in_query(path: &str) -> Cmcd {
    CmcdReader::new(&Headers::default(), path.as_bytes()).all()
}

fn in_headers(headers: &[(&str, &str)]) -> Cmcd {
    CmcdReader::new(&Headers::new(headers), b"/a.m4s").all()
}

fn cmcd(sid: &str, cid: &str, state: Option<PlayerState>, background: bool) -> Cmcd {
    let id = |id: &str| (!id.is_empty()).then(|| id.to_owned());
    Cmcd {
        sid: id(sid),
        cid: id(cid),
        state,
        background,
        buffer_ms: None,
    }
}

/// Requests made like those in the players' own tests and in the standard's examples.
#[test]
fn what_players_send_in_the_query_is_read() {
    let uuid = "6e2fb550-c457-11e9-bb97-0800200c9a66";
    for (player, path, said) in [
        (
            "CTA-5004's example with every key",
            "/a.m4s?CMCD=bl%3D21300%2Cbr%3D3200%2Cbs%2Ccid%3D%22faec5fc2-ac30-11ea-bb37-0242ac130002\
             %22%2Cd%3D4004%2Cdl%3D18500%2Cmtp%3D48100%2Cnor%3D%22..%252F300kbps%252Ftrack.m4v%22\
             %2Cnrr%3D%2212323-48763%22%2Cot%3Dv%2Cpr%3D1.08%2Crtp%3D12000%2Csf%3Dd%2Csid%3D%22\
             6e2fb550-c457-11e9-bb97-0800200c9a66%22%2Cst%3Dv%2Csu%2Ctb%3D6000",
            cmcd(uuid, "faec5fc2-ac30-11ea-bb37-0242ac130002", None, false),
        ),
        (
            "hls.js, version 1",
            "/10902.m4s?a=1&CMCD=bl%3D8000%2Cbr%3D1%2Ccid%3D%22content%22%2Cd%3D2000%2Cnor%3D%22\
             10903.m4s%22%2Cot%3Dav%2Csf%3Dh%2Csid%3D%226e2fb550-c457-11e9-bb97-0800200c9a66%22%2C\
             st%3Dv%2Ctb%3D1",
            cmcd(uuid, "content", None, false),
        ),
        (
            "hls.js, version 2",
            "/10902.m4s?CMCD=bl%3D%288000%29%2Cbr%3D%281%29%2Cnor%3D%28%2210903.m4s%22%29%2Cot%3Dav\
             %2Csid%3D%226e2fb550-c457-11e9-bb97-0800200c9a66%22%2Csn%3D0%2Cst%3Dv%2Csta%3Dd%2Cv%3D2",
            cmcd(uuid, "", Some(PlayerState::Preloading), false),
        ),
        (
            "Shaka Player, version 1, among a signature",
            "/seg.mp4?Policy=x&CMCD=cid%3D%22testing%22%2Cot%3Dm%2Csf%3Dd%2Csid%3D%22\
             6e2fb550-c457-11e9-bb97-0800200c9a66%22%2Csu&Signature=y",
            cmcd(uuid, "testing", None, false),
        ),
        (
            "dash.js, version 1",
            "/chunk-stream0-00001.m4s?CMCD=br%3D1000%2Ccid%3D%2221cd726cfe3d937b5f974f72bb5bd06a\
             %22%2Cd%3D4000%2Cmtp%3D2400%2Cot%3Dv%2Csf%3Dd%2Csid%3D%226e2fb550-c457-11e9-bb97-\
             0800200c9a66%22%2Cst%3Dv%2Ctb%3D5000",
            cmcd(uuid, "21cd726cfe3d937b5f974f72bb5bd06a", None, false),
        ),
        (
            "common-media-library, version 2, everything",
            "/a?CMCD=ab%3D(2500)%2Cbg%2Cbl%3D(5000)%2Cbs%2Ccid%3D%22content-id%22%2Ccom.example-\
             exists%2Ccom.example-quote%3D%22%5C%22Quote%5C%22%22%2Cec%3D(%22ERR001%22%20%22ERR002\
             %22)%2Cmsd%3D2500%2Csid%3D%22session-id%22%2Cst%3Dv%2Csta%3Dp%2Csu%2Cv%3D2",
            cmcd("session-id", "content-id", Some(PlayerState::Playing), true),
        ),
        (
            "Media3, with a custom key",
            "/a?CMCD=br%3D840%2Ccid%3D%22mediaId%22%2Ccom.example-test%3D5%2Csid%3D%22sessionId%22",
            cmcd("sessionId", "mediaId", None, false),
        ),
    ] {
        let read = Cmcd {
            buffer_ms: None,
            ..in_query(path)
        };
        assert_eq!(read, said, "{player}");
    }
}

#[test]
fn what_players_send_in_headers_is_read() {
    for (player, headers, said) in [
        (
            "CTA-5004's example, version 1",
            &[
                (
                    "cmcd-session",
                    "cid=\"faec\",pr=1.08,sf=d,sid=\"6e2f\",st=v",
                ),
                ("cmcd-request", "bl=21300,mtp=48100,su"),
                ("cmcd-object", "br=3200,d=4004,ot=v,tb=6000"),
                ("cmcd-status", "bs,rtp=12000"),
            ][..],
            cmcd("6e2f", "faec", None, false),
        ),
        (
            "common-media-library, version 2",
            &[
                (
                    "cmcd-session",
                    "cid=\"content-id\",msd=2500,sf=d,sid=\"session-id\",st=v,v=2",
                ),
                (
                    "cmcd-request",
                    "bl=(5000),nor=(\"../testing/3.m4v\"),sn=1,sta=a,su",
                ),
                ("cmcd-status", "bg,bs,bsd=(2000),ec=(\"ERR001\" \"ERR002\")"),
            ],
            cmcd("session-id", "content-id", Some(PlayerState::Paused), true),
        ),
        (
            "hls.js, version 1: one shard",
            &[("cmcd-session", "sid=\"x\"")],
            cmcd("x", "", None, false),
        ),
        (
            "a key in a header that is not its own",
            &[("cmcd-request", "sid=\"x\",bg"), ("cmcd-status", "sta=p")],
            Cmcd::default(),
        ),
    ] {
        let read = Cmcd {
            buffer_ms: None,
            ..in_headers(headers)
        };
        assert_eq!(read, said, "{player}");
    }
}

#[test]
fn every_spelling_of_the_percent_encoding_is_read() {
    for path in [
        "/a?CMCD=sid%3D%22a%2Cb%22",
        "/a?CMCD=sid%3d%22a%2cb%22",
        "/a?CMCD=sid=%22a,b%22",
        "/a?CMCD=sid=\"a,b\"",
        "/a?%43MCD=%73%69%64%3D%22%61%2C%62%22",
        "/a?CMCD=&CMCD=sid%3D%22a%2Cb%22",
        "/a?CMCD=sid%3D%22a%2Cb%22&CMCD=sid%3D%22c%22",
        "/a?x=%zz&CMCD=nor%3D%22%zz%22%2Csid%3D%22a%2Cb%22",
        "/a?CMCD=%20sid%3D%22a%2Cb%22%20%2C%09su",
    ] {
        assert_eq!(in_query(path), cmcd("a,b", "", None, false), "{path}");
    }
    for path in [
        "/a?cmcd=sid%3D%22a%22",
        "/a?xCMCD=sid%3D%22a%22",
        "/a/CMCD=sid%3D%22a%22",
    ] {
        assert_eq!(in_query(path), Cmcd::default(), "{path}");
    }
}

#[test]
fn values_are_read_by_their_type() {
    let session = |data: &str| in_headers(&[("cmcd-session", data)]).sid;
    for (data, sid) in [
        ("sid=\"a\\\"b\\\\c\"", Some("a\"b\\c")),
        ("sid=\"x\";p=1", Some("x")),
        ("cid=\"a,sid=\\\"n\\\"\",sid=\"y\"", Some("y")),
        ("nor=(\"a,sid=\" \"b\"),sid=\"y\"", Some("y")),
        ("nor=(\"a\",\"b\"),sid=\"y\"", Some("y")),
        ("sid=\"a\",sid=\"b\"", Some("b")),
        ("sid=\"a\",sid=b", Some("a")),
        ("sid=\"ü 日\"", Some("ü 日")),
        (",,sid=\"a\",,", Some("a")),
        ("sid=x", None),
        ("sid", None),
        ("sid=", None),
        ("sid=\"", None),
        ("sid=\"\"", None),
        ("sid=\"x", None),
        ("sid=\"x\\", None),
        ("sid=\"x\\n\"", None),
        ("sid=\"x\"y", None),
        ("sid=(\"x\")", None),
        ("sid=\"a\tb\"", None),
        ("SID=\"x\"", None),
        ("side=\"x\"", None),
        ("sid =\"x\"", None),
    ] {
        assert_eq!(session(data).as_deref(), sid, "{data}");
    }

    let state = |data: &str| in_headers(&[("cmcd-request", data)]).state;
    for (data, expected) in [
        ("sta=s", Some(PlayerState::Starting)),
        ("sta=p", Some(PlayerState::Playing)),
        ("sta=k", Some(PlayerState::Seeking)),
        ("sta=r", Some(PlayerState::Rebuffering)),
        ("sta=a", Some(PlayerState::Paused)),
        ("sta=w", Some(PlayerState::Waiting)),
        ("sta=e", Some(PlayerState::Finished)),
        ("sta=f", Some(PlayerState::FatalError)),
        ("sta=q", Some(PlayerState::Quit)),
        ("sta=d", Some(PlayerState::Preloading)),
        ("sta=d;x", Some(PlayerState::Preloading)),
        ("sta=zz9", Some(PlayerState::Other)),
        ("sta=\"p\"", None),
        ("sta=1", None),
        ("sta=p q", None),
        ("sta=", None),
        ("sta", None),
    ] {
        assert_eq!(state(data), expected, "{data}");
    }

    let background = |data: &str| in_headers(&[("cmcd-status", data)]).background;
    for (data, expected) in [
        ("bg", true),
        ("bg=?1", true),
        ("bg;x=1", true),
        ("bs,bg ,rtp=1", true),
        ("bg=?0", false),
        ("bg=1", false),
        ("bg=", false),
        ("bgx", false),
        ("ec=(\"bg\" \",bg,\")", false),
    ] {
        assert_eq!(background(data), expected, "{data}");
    }
}

#[test]
fn lengths_are_bounded() {
    let id = |key: &str, length: usize| {
        let said = in_headers(&[("cmcd-session", &format!("{key}=\"{}\"", "ü".repeat(length)))]);
        said.sid.or(said.cid).is_some()
    };
    for (key, max) in [("sid", 64), ("cid", 128)] {
        assert!(id(key, max), "{key}");
        assert!(!id(key, max + 1), "{key}");
    }
    let filled = |length: usize| format!("sid=\"a\",nor=\"{}\"", "x".repeat(length - 14));
    for (length, expected) in [(BYTES_MAX, Some("a")), (BYTES_MAX + 1, None)] {
        let data = filled(length);
        assert_eq!(data.len(), length);
        let header = in_headers(&[("cmcd-session", &data)]);
        let query = in_query(&format!("/a?CMCD={data}"));
        assert_eq!(header.sid.as_deref(), expected);
        assert_eq!(query.sid.as_deref(), expected);
    }
}

/// A head that writes down what was read of it.
struct Watched(RefCell<Vec<String>>);

impl Head for Watched {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow_mut().push(name.to_owned());
        None
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        self.header(name).into_iter().collect()
    }

    fn jwt_claim_at(&self, _payload: &str, _claim: &[&str]) -> Option<Vec<u8>> {
        None
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn only_the_headers_that_can_hold_what_is_asked_are_read() {
    let read = |path: &str, ask: fn(CmcdReader<'_, Watched>)| {
        let head = Watched(RefCell::default());
        ask(CmcdReader::new(&head, path.as_bytes()));
        head.0.into_inner()
    };
    assert_eq!(read("/a", |_| ()), [""; 0]);
    assert_eq!(read("/a", |said| drop(said.sid())), ["cmcd-session"]);
    assert_eq!(read("/a", |said| drop(said.cid())), ["cmcd-session"]);
    assert_eq!(read("/a", |said| _ = said.state()), ["cmcd-request"]);
    assert_eq!(read("/a", |said| _ = said.background()), ["cmcd-status"]);
    assert_eq!(
        read("/a", |said| drop(said.all())),
        ["cmcd-session", "cmcd-request", "cmcd-status"]
    );
    let asked: fn(CmcdReader<'_, Watched>) = |said| {
        _ = (said.sid(), said.cid(), said.state(), said.background());
        _ = said.all();
    };
    assert_eq!(read("/a?CMCD=sid%3D%22q%22", asked), [""; 0]);
    // Without an id in the query, a header may have it.
    assert_eq!(read("/a?CMCD=su", asked), ["cmcd-session"]);
}

fn sid(head: &impl Head, path: &[u8]) -> Option<String> {
    CmcdReader::new(head, path).sid()
}

#[test]
fn the_session_id_is_found_where_identification_looks() {
    let head = Headers::new(&[("cmcd-session", "sid=\"h\"")]);
    assert_eq!(sid(&head, b"/a"), Some("h".to_owned()));
    assert_eq!(sid(&head, b"/a?CMCD=sid%3D%22q%22"), Some("q".to_owned()));
    assert_eq!(sid(&head, b"/a?CMCD="), Some("h".to_owned()));
    assert_eq!(sid(&head, b"/a?CMCD=su"), Some("h".to_owned()));
    assert_eq!(
        sid(&head, b"/a?CMCD=su&x&CMCD=sid%3D%22q%22"),
        Some("q".to_owned())
    );
    let twice = b"/a?CMCD=sid%3D%22q%22&CMCD=sid%3D%22r%22";
    assert_eq!(sid(&head, twice), Some("q".to_owned()));
    let long = format!("/a?CMCD=su&CMCD={}", "x".repeat(8_192));
    assert_eq!(sid(&Headers::default(), long.as_bytes()), None);
    for lines in [["cid=\"c\"", "sid=\"2\""], ["sid=\"2\"", "cid=\"c\""]] {
        let lines = lines.map(|line| ("cmcd-session", line));
        assert_eq!(sid(&Headers::new(&lines), b"/a"), Some("2".to_owned()));
    }
    let odd = Headers::default().with("cmcd-session", b"sid=\"\xff\"");
    assert_eq!(sid(&odd, b"/a"), None);
}

#[test]
fn the_last_word_counts_and_a_backslash_outside_quotes_is_none() {
    for (data, background) in [
        ("bg=?1,bg=?0", false),
        ("bg,bg=?0;x=1", false),
        ("bg=?0,bg", true),
        ("bg,bg=?2", true),
    ] {
        assert_eq!(Cmcd::read(data.as_bytes()).background, background, "{data}");
    }
    for (data, sid) in [
        // It keeps neither a comma nor a quote from its meaning.
        (r#"x=\,sid="one""#, Some("one")),
        (r#"x=\",sid="one""#, None),
        (r#"x="\",sid=",sid="one""#, Some("one")),
        (r#"x="\\",sid="one""#, Some("one")),
    ] {
        assert_eq!(Cmcd::read(data.as_bytes()).sid.as_deref(), sid, "{data}");
    }
}

#[test]
fn how_long_a_player_can_play_on_is_read_of_every_version() {
    for (said, ms) in [
        ("bl=21300", Some(21_300)),
        ("br=1,bl=0,su", Some(0)),
        ("bl=(8000)", Some(8_000)),
        ("bl=(2000;v 1000;a)", Some(1_000)),
        ("bl=( 2000;v  3000;a );x", Some(2_000)),
        ("bl=999999999999999", Some(999_999_999_999_999)),
        ("bl=1000;x=1", Some(1_000)),
        ("bl=1000,bl=x", Some(1_000)),
        ("bl=9999999999999999", None),
        ("bl=-1", None),
        ("bl=1e9", None),
        ("bl=1000.0", None),
        ("bl=", None),
        ("bl", None),
        ("bl=()", None),
        ("bl=(1000", None),
        ("bl=(1000 x)", None),
        ("bl=(1000)5", None),
        ("bl=\"1000\"", None),
        ("bl=\u{661}", None),
        ("sid=\"bl=1000\"", None),
    ] {
        let query = percent_encoding::utf8_percent_encode(said, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(
            in_query(&format!("/a?CMCD={query}")).buffer_ms,
            ms,
            "{said}"
        );
        assert_eq!(
            in_headers(&[("cmcd-request", said)]).buffer_ms,
            ms,
            "{said}"
        );
        assert_eq!(
            in_headers(&[("cmcd-session", said)]).buffer_ms,
            None,
            "{said}"
        );
    }
}
