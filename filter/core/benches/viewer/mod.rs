//! A viewer at an edge in plain memory, for tests and benches outside the crate.

use core::cell::Cell;

use streamgate_core::config;
use streamgate_core::edge::Edge;
use streamgate_core::playback::Forward;
use streamgate_core::step::Step;
use streamgate_record::fleet::Ticket;
use streamgate_record::testing::MemoryHost;
use streamgate_values::head::Head;

const CONFIGURATION: &str = r#"{
  "applications": [{"id": "web", "tenant": "demo", "policies": ["household"]}],
  "policies": [{"name": "household", "rules": [
    {"name": "three-streams", "max": 3, "on_conflict": "deny_new"}
  ]}],
  "sessions": {"signing_keys": [{"id": "k1", "secret": "a signing key of some length"}]},
  "privacy": {"subject_key": "a subject key of some length"},
  "playback": [{
    "match": {"prefix": "/vod/"}, "application": "web", "idp": "acme", "start": "implicit",
    "subject": [{"token": "path"}, {"header": "x-account-id"}],
    "stream": [{"token": "path"}, {"cmcd": "sid"}, {"redirect": true}]
  }]
}"#;

/// The head of a request that says whose account watches.
struct Account<'a> {
    /// Headers that were read.
    reads: &'a Cell<u32>,
}

impl Head for Account<'_> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        match name {
            ":method" => Some(b"GET".to_vec()),
            "x-account-id" => Some(b"alice".to_vec()),
            _ => None,
        }
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        self.header(name).into_iter().collect()
    }

    fn jwt_claim_at(&self, _: &str, _: &[&str]) -> Option<Vec<u8>> {
        None
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        None
    }
}

/// A viewer whose stream plays, and whose next segments are on the fast path.
pub(crate) struct Viewer {
    host: MemoryHost,
    reads: Cell<u32>,
    edge: Edge,
    prefix: String,
}

impl Viewer {
    pub(crate) fn new() -> Self {
        let host = MemoryHost::new();
        let config = config::load(CONFIGURATION.as_bytes(), &|_| None).unwrap();
        let edge = Edge::new(config, &host);
        let prefix = String::new();
        let reads = Cell::new(0);
        let mut viewer = Self {
            host,
            reads,
            edge,
            prefix,
        };
        let Step::Reply(redirect) = viewer.ask("/vod/film/master.m3u8") else {
            panic!("a redirect to a path token")
        };
        let location = redirect.answer.header("location").unwrap();
        let prefix = location.strip_suffix("/vod/film/master.m3u8").unwrap();
        viewer.prefix = prefix.to_owned();
        let watch = viewer.segment(&viewer.path_of(1)).watch.unwrap();
        let _ = viewer
            .edge
            .on_response(&viewer.host, Ticket(1), &watch, 200, false);
        let _ = viewer.edge.on_tick(&viewer.host);
        viewer
    }

    /// The path of a segment.
    pub(crate) fn path_of(&self, number: u32) -> String {
        format!(
            "{}/vod/film/video/1080p/segment-{number:05}.m4s",
            self.prefix
        )
    }

    /// A segment that goes on to the origin.
    pub(crate) fn segment(&mut self, path: &str) -> Forward {
        match self.ask(path) {
            Step::Forward(forward) => forward,
            other => panic!("{other:?}"),
        }
    }

    /// What was asked of the host so far: headers, the store and the clock, counters.
    #[allow(dead_code, reason = "the bench does not look")]
    pub(crate) fn asked(&self) -> impl PartialEq + core::fmt::Debug + use<> {
        (self.reads.get(), self.host.calls(), self.host.counts())
    }

    pub(crate) fn ask(&mut self, path: &str) -> Step {
        let Self {
            host, reads, edge, ..
        } = self;
        edge.on_request(host, Ticket(1), &Account { reads }, path.as_bytes(), true)
    }
}
