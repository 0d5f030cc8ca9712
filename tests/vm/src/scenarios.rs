//! The requests whose cost is written down, each with what came before it.
//!
//! A scenario makes sure that the request met the fate it is named for; otherwise its
//! number would say nothing.

use crate::cost::Cost;
use crate::host::Host;
use crate::message::{Ask, Exchange, get, post};
use crate::vm::Vm;

/// The configuration of all scenarios: a household of three streams, and an application
/// whose latest stream wins.
const CONFIGURATION: &str = r#"{
  "applications": [
    {"id": "web", "name": "Web player", "tenant": "demo", "policies": ["household"]},
    {"id": "mobile", "tenant": "demo", "policies": ["latest-wins"]}
  ],
  "policies": [
    {"name": "household", "rules": [
      {"name": "three-streams", "max": 3, "on_conflict": "deny_new"}
    ]},
    {"name": "latest-wins", "rules": [
      {"name": "one-stream", "max": 1, "on_conflict": "stop_oldest", "message": "Plays elsewhere"}
    ]}
  ],
  "session_api": {"subject": "trusted"},
  "referer": "route",
  "sessions": {
    "heartbeat": "60s",
    "timeout": "90s",
    "signing_keys": [{"id": "k1", "secret": {"env": "SIGNING_KEY"}}]
  },
  "privacy": {"subject_key": {"env": "SUBJECT_KEY"}},
  "playback": [
    {
      "match": {"prefix": "/vod/"},
      "application": "web",
      "idp": "acme",
      "start": "implicit",
      "subject": [{"token": "path"}, {"header": "x-account-id"}],
      "stream": [{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}]
    }
  ]
}"#;

const ENVIRONMENT: [&str; 2] = [
    "SIGNING_KEY=a signing key of some length",
    "SUBJECT_KEY=a subject key of some length",
];

const TIMEOUT_MS: u64 = 90_000;

/// How often the filter has itself called.
const TICK_MS: u64 = 100;

const MANIFEST: &str = "/vod/film/master.m3u8";

/// A scenario: sets its stage and gives the cost of one request.
pub type Scenario = fn() -> Cost;

/// The scenario whose cost every segment of every viewer pays.
pub const FAST_PATH: (&str, Scenario) = ("segment, fast path", segment_fast_path);

/// All scenarios by name.
pub const ALL: [(&str, Scenario); 26] = [
    ("path that is not protected", unprotected),
    FAST_PATH,
    ("segment, lease due", segment_lease_due),
    (
        "segment, fast path, Referer taken off by the filter",
        segment_with_referer,
    ),
    ("segment, new to this worker", segment_on_another_worker),
    ("segment, CMCD player, fast path", segment_cmcd),
    ("first segment, request", first_segment_request),
    ("first segment, response", first_segment_response),
    ("segment refused, limit reached", segment_refused),
    ("segment refused, evicted", segment_evicted),
    (
        "segment refused, evicted, asked for again",
        segment_refused_again,
    ),
    ("segment refused, token invalid", segment_token_invalid),
    ("manifest poll, fast path", manifest_fast_path),
    ("manifest poll, response", manifest_response),
    ("HLS manifest of a megabyte", manifest_hls),
    ("DASH manifest of a megabyte", manifest_dash),
    ("manifest redirected", manifest_redirected),
    ("manifest refused, limit reached", manifest_refused),
    ("session create", session_create),
    ("session create with attributes", session_create_attributes),
    ("session create refused, limit reached", session_refused),
    ("session heartbeat", session_heartbeat),
    ("session stop", session_stop),
    ("running streams", running_streams),
    ("tick", tick),
    ("tick, one slot of fifteen streams", tick_full),
];

/// Two workers of one edge. The first has seen a request already, so that nothing a
/// worker does once is counted.
struct Stage {
    host: Host,
    worker: Vm,
    other_worker: Vm,
}

impl Stage {
    fn new() -> Self {
        Self::with(CONFIGURATION)
    }

    fn with(configuration: &str) -> Self {
        let host = Host::new();
        let start = || Vm::start(&host, configuration, &ENVIRONMENT);
        let (worker, other_worker) = (start(), start());
        let mut stage = Self {
            host,
            worker,
            other_worker,
        };
        stage.playing("someone-before");
        stage.tick();
        stage
    }

    /// Time passes, and both workers take note of it.
    fn advance_ms(&mut self, ms: u64) {
        self.host.advance_ms(ms);
        self.tick();
    }

    fn tick(&mut self) {
        self.worker.tick();
        self.other_worker.tick();
    }

    /// How many requests passed on the fast path, which is told at ticks.
    fn passes(&mut self) -> Option<u64> {
        self.tick();
        self.host.metric("streamgate.fast_path_passes_total")
    }

    fn ask(&mut self, ask: Ask) -> Exchange {
        self.worker.request(ask)
    }

    /// A manifest redirected, as an unmodified player asks for it; the prefix it goes on
    /// under.
    fn opened(&mut self, account: &str) -> String {
        let exchange = self.ask(get(MANIFEST).account(account));
        let answer = exchange.answer();
        assert_eq!(answer.status, 307, "{answer:?}");
        let location = answer.header("location").strip_suffix(MANIFEST);
        location.expect("a redirect to itself").to_owned()
    }

    /// A stream that plays; its prefix.
    fn playing(&mut self, account: &str) -> String {
        let prefix = self.opened(account);
        self.ask(segment(&prefix, 1)).served();
        prefix
    }

    /// A session created through the API; its URL and its prefix.
    fn session(&mut self, application: &str, account: &str) -> (String, String) {
        let exchange = self.ask(create(account).application(application));
        assert_eq!(exchange.answer().status, 202, "{:?}", exchange.answer());
        let session = exchange.answer().json();
        let text = |name: &str| {
            let text = session["session"][name].as_str();
            text.expect("a session with url and prefix").to_owned()
        };
        (text("url"), text("playbackPrefix"))
    }
}

fn segment(prefix: &str, number: u32) -> Ask {
    get(format!(
        "{prefix}/vod/film/video/1080p/segment-{number:05}.m4s"
    ))
}

fn create(account: &str) -> Ask {
    post(format!("/v2/sessions/acme/{account}"), "")
}

/// How much memory a worker has taken once it has let this many streams through, in bytes.
///
/// # Panics
///
/// If a stream does not play.
#[must_use]
pub fn memory_after(streams: u32) -> usize {
    let mut stage = Stage::new();
    for n in 0..streams {
        stage.playing(&format!("household-{n:012}"));
    }
    stage.worker.memory()
}

/// How much memory a worker takes for so many films that run at once, each in one response, in
/// bytes: most viewers have one, and three at most are of one account.
///
/// # Panics
///
/// If one does not run, or one is cut.
#[must_use]
pub fn memory_of_films(films: u32) -> usize {
    let mut stage = Stage::new();
    let prefixes: Vec<String> = (0..films)
        .map(|n| stage.playing(&format!("household-{n:012}")))
        .collect();
    // What ticks take is there before.
    stage.advance_ms(TICK_MS);
    let before = stage.worker.memory();
    let film = |prefix: &String| get(format!("{prefix}/vod/film/film.mp4"));
    let running: Vec<_> = prefixes
        .iter()
        .map(|prefix| stage.worker.begin(film(prefix)))
        .collect();
    for _ in 0..3 {
        stage.advance_ms(TICK_MS);
        for film in &running {
            stage.worker.piece_of(*film);
        }
    }
    stage.advance_ms(TICK_MS);
    let after = stage.worker.memory();
    running.into_iter().for_each(|film| stage.worker.end(film));
    after - before
}

/// What the response costs that is a manifest of a megabyte, where so many others watch, and how
/// much memory the worker takes for as many such manifests of different viewers.
///
/// # Panics
///
/// If it is not rewritten.
#[must_use]
pub fn manifest_among(viewers: u32, manifests: usize) -> (Cost, usize) {
    let line = "#EXTINF:4.000,\n/vod/film/segment-12345.m4s\n";
    let playlist = format!("#EXTM3U\n{}", line.repeat(1_000_000 / line.len()));
    let mut stage = Stage::new();
    let prefixes: Vec<String> = (0..viewers)
        .map(|n| stage.playing(&format!("household-{n:012}")))
        .collect();
    let ask = |prefix: &String| {
        let ask = get(format!("{prefix}/vod/film/video/1080p.m3u8"));
        ask.origin_gives(playlist.clone().into_bytes())
    };
    let mut asks = prefixes.iter().cycle().map(ask);
    let first = asks.next().expect("a viewer");
    let cost = stage.ask(first).response;
    let before = stage.worker.memory();
    for ask in asks.take(manifests) {
        assert!(stage.ask(ask).body().len() > playlist.len(), "left alone");
    }
    (cost, stage.worker.memory() - before)
}

/// The cost of a request that was refused for `reason`.
fn refused(exchange: &Exchange, status: u16, reason: &str) -> Cost {
    let answer = exchange.answer();
    let found = (answer.status, answer.header("x-streamgate-reason"));
    assert_eq!(found, (status, reason));
    exchange.cost()
}

/// The cost of a request that was served, with no token in its path.
fn served(exchange: &Exchange) -> Cost {
    assert!(!exchange.served().contains('~'), "{}", exchange.served());
    exchange.cost()
}

/// The cost of a session API call that was answered with `status`.
fn answered(exchange: &Exchange, status: u16) -> Cost {
    assert_eq!(exchange.answer().status, status, "{:?}", exchange.answer());
    exchange.cost()
}

fn unprotected() -> Cost {
    served(&Stage::new().ask(get("/index.html")))
}

fn segment_fast_path() -> Cost {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    stage.ask(segment(&prefix, 2)).served();
    let cost = served(&stage.ask(segment(&prefix, 3)));
    assert_eq!(stage.passes(), Some(2), "not on the fast path");
    cost
}

/// `Referer` is left to the filter.
fn segment_with_referer() -> Cost {
    let by_filter = CONFIGURATION.replacen(r#""referer": "route","#, "", 1);
    let mut stage = Stage::with(&by_filter);
    let prefix = stage.playing("alice");
    stage.ask(segment(&prefix, 2)).served();
    let cost = served(&stage.ask(segment(&prefix, 3)));
    assert_eq!(stage.passes(), Some(2), "not on the fast path");
    cost
}

fn segment_lease_due() -> Cost {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    stage.advance_ms(TIMEOUT_MS / 2);
    let cost = served(&stage.ask(segment(&prefix, 2)));
    stage.tick();
    let renewals = stage.host.metric("streamgate.lease_renewals_total");
    assert_eq!(renewals, Some(1), "no lease was due");
    cost
}

fn segment_on_another_worker() -> Cost {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    let other = stage.playing("bob");
    stage.other_worker.request(segment(&other, 2)).served();
    served(&stage.other_worker.request(segment(&prefix, 2)))
}

fn segment_cmcd() -> Cost {
    let mut stage = Stage::new();
    let ask = |number| {
        let cmcd = "CMCD=bl%3D21300%2Cbr%3D3200%2Csid%3D%226e2fb550-c457-11e9-bb97-0800200c9a66%22";
        let path = format!("/vod/film/video/1080p/segment-{number:05}.m4s?{cmcd}");
        get(path).account("alice")
    };
    stage.ask(ask(1)).served();
    stage.ask(ask(2)).served();
    let cost = served(&stage.ask(ask(3)));
    assert_eq!(stage.passes(), Some(2), "not on the fast path");
    cost
}

fn first_segment() -> Exchange {
    let mut stage = Stage::new();
    let prefix = stage.opened("alice");
    let exchange = stage.ask(segment(&prefix, 1));
    assert!(!exchange.served().contains('~'), "{}", exchange.served());
    let live = stage.host.metric("streamgate.live_streams");
    assert_eq!(live, Some(2), "no stream was started");
    exchange
}

fn first_segment_request() -> Cost {
    first_segment().request
}

fn first_segment_response() -> Cost {
    first_segment().response
}

fn segment_refused() -> Cost {
    let mut stage = Stage::new();
    let late = stage.opened("alice");
    for _ in 0..3 {
        stage.playing("alice");
    }
    refused(&stage.ask(segment(&late, 1)), 403, "limit-reached")
}

fn segment_evicted() -> Cost {
    let mut stage = Stage::new();
    let (_, victim) = stage.session("mobile", "alice");
    stage.ask(segment(&victim, 1)).served();
    stage.host.advance_ms(1);
    stage.session("mobile", "alice");
    refused(&stage.ask(segment(&victim, 2)), 403, "evicted")
}

fn segment_refused_again() -> Cost {
    let mut stage = Stage::new();
    let (_, victim) = stage.session("mobile", "alice");
    stage.ask(segment(&victim, 1)).served();
    stage.host.advance_ms(1);
    stage.session("mobile", "alice");
    stage.tick();
    stage.ask(segment(&victim, 2));
    refused(&stage.ask(segment(&victim, 3)), 403, "evicted")
}

fn segment_token_invalid() -> Cost {
    let mut stage = Stage::new();
    let mut prefix = stage.playing("alice");
    prefix.pop();
    refused(&stage.ask(segment(&prefix, 2)), 403, "token-invalid")
}

fn manifest_fast_path() -> Cost {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    stage.ask(segment(&prefix, 2)).served();
    let cost = served(&stage.ask(get(format!("{prefix}/vod/film/video/1080p.m3u8"))));
    assert_eq!(stage.passes(), Some(2), "not on the fast path");
    cost
}

fn manifest_response() -> Cost {
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n";
    manifest_given("1080p.m3u8", playlist.into(), 0)
}

/// Twenty-four thousand segments with absolute paths.
fn manifest_hls() -> Cost {
    let line = "#EXTINF:4.000,\n/vod/film/segment-12345.m4s\n";
    let playlist = format!("#EXTM3U\n{}", line.repeat(1_000_000 / line.len()));
    manifest_given("1080p.m3u8", playlist, 1_000_000 / line.len())
}

/// The same in a list of segments.
fn manifest_dash() -> Cost {
    let segment = "<SegmentURL media=\"/vod/film/segment-12345.m4s\"/>\n";
    let segments = segment.repeat(1_000_000 / segment.len());
    let manifest = format!(
        "<MPD><Period><AdaptationSet><Representation><SegmentList>{segments}</SegmentList>\
         </Representation></AdaptationSet></Period></MPD>"
    );
    manifest_given("manifest.mpd", manifest, 1_000_000 / segment.len())
}

/// What the response costs, a manifest with so many URLs that need the token.
fn manifest_given(name: &str, manifest: String, urls: usize) -> Cost {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    let length = manifest.len();
    let ask = get(format!("{prefix}/vod/film/video/{name}"));
    let exchange = stage.ask(ask.origin_gives(manifest.into_bytes()));
    assert_eq!(exchange.body().len(), length + urls * prefix.len());
    exchange.response
}

/// A manifest under a token, of which nobody knows that it is whole before its trailers come:
/// what the viewer gets, with its token taken out.
///
/// # Panics
///
/// If the manifest is not answered.
#[must_use]
pub fn manifest_with_trailers(manifest: &str) -> (u16, String) {
    let mut stage = Stage::new();
    let prefix = stage.playing("alice");
    let ask = get(format!("{prefix}/vod/film/video/1080p.m3u8"));
    let ask = ask.origin_gives(manifest.into()).and_trailers();
    let exchange = stage.ask(ask);
    let answer = exchange.answer();
    let body = String::from_utf8(answer.body.clone()).expect("a manifest");
    (answer.status, body.replace(&prefix, "/~TOKEN"))
}

fn manifest_redirected() -> Cost {
    let mut stage = Stage::new();
    answered(&stage.ask(get(MANIFEST).account("alice")), 307)
}

fn manifest_refused() -> Cost {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.playing("alice");
    }
    let manifest = get(MANIFEST).account("alice");
    refused(&stage.ask(manifest), 403, "limit-reached")
}

fn session_create() -> Cost {
    let mut stage = Stage::new();
    answered(&stage.ask(create("alice").application("web")), 202)
}

fn session_create_attributes() -> Cost {
    let mut stage = Stage::new();
    let form = "channel=News+1&deviceId=6e2fb550&deviceName=Living%20room&platform=tv";
    let call = post("/v2/sessions/acme/alice", form).application("web");
    answered(&stage.ask(call), 202)
}

fn session_refused() -> Cost {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.session("web", "alice");
    }
    answered(&stage.ask(create("alice").application("web")), 409)
}

fn session_heartbeat() -> Cost {
    let mut stage = Stage::new();
    let (url, _) = stage.session("web", "alice");
    stage.advance_ms(TIMEOUT_MS / 2);
    answered(&stage.ask(post(url, "").application("web")), 202)
}

fn session_stop() -> Cost {
    let mut stage = Stage::new();
    let (url, _) = stage.session("web", "alice");
    let stop = get(url).method("DELETE").application("web");
    answered(&stage.ask(stop), 202)
}

fn running_streams() -> Cost {
    let mut stage = Stage::new();
    stage.session("web", "alice");
    let list = get("/v2/runningStreams/acme/alice").application("web");
    answered(&stage.ask(list), 200)
}

fn tick() -> Cost {
    let mut stage = Stage::new();
    stage.host.advance_ms(TICK_MS);
    stage.worker.tick()
}

/// A tick sweeps one slot of 600 or fewer, and up to 128 of more.
fn tick_full() -> Cost {
    let places = CONFIGURATION.replacen('{', r#"{"state": {"slots": 300},"#, 1);
    let mut stage = Stage::with(&places);
    for n in 0..300 * 15 {
        stage.playing(&format!("household-{n:012}"));
    }
    stage.host.advance_ms(TICK_MS);
    stage.worker.tick()
}
