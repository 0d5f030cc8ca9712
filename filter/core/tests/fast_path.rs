//! A segment on the fast path allocates nothing, and asks for nothing but a bell.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use core::cell::{Cell, RefCell};

use hashbrown::HashMap;
use streamgate_core::config;
use streamgate_core::edge::{Edge, Step};
use streamgate_core::exchange::Head;
use streamgate_core::fleet::Ticket;
use streamgate_core::metric::Metric;
use streamgate_core::moment::Moment;
use streamgate_core::ports::{Clock, Entropy, Meter, Place, Store, Swap, Version};
use streamgate_core::stream_key::StreamKey;

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

/// A host that counts what is asked of it, but for bells.
#[derive(Default)]
struct Host {
    values: RefCell<HashMap<Place, Vec<u8>>>,
    asked: Cell<u32>,
}

impl Host {
    fn asked(&self) {
        self.asked.set(self.asked.get() + 1);
    }
}

impl Clock for Host {
    fn now(&self) -> Moment {
        self.asked();
        Moment::from_ms(1_893_499_200_000)
    }
}

impl Entropy for Host {
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        [7; StreamKey::RANDOM_LEN]
    }
}

impl Meter for Host {
    fn add(&self, _: Metric, _: u64) {
        self.asked();
    }

    fn add_live(&self, _: i64) {}

    fn live(&self) -> u64 {
        0
    }
}

impl Store for Host {
    fn load(&self, place: Place) -> Option<(Vec<u8>, Version)> {
        self.asked();
        let value = self.values.borrow().get(&place)?.clone();
        Some((value, Version(1)))
    }

    fn swap(&self, place: Place, _: Option<Version>, value: &[u8]) -> Swap {
        self.values.borrow_mut().insert(place, value.to_vec());
        Swap::Done
    }

    fn bell(&self, _: u32) -> u32 {
        0
    }

    fn ring(&self, _: u32) {}
}

/// The head of a request that says whose account watches.
struct Account<'a>(&'a Host);

impl Head for Account<'_> {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.asked();
        match name {
            ":method" => Some(b"GET".to_vec()),
            "x-account-id" => Some(b"alice".to_vec()),
            _ => None,
        }
    }

    fn headers(&self, _: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn jwt_claim(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_segment_on_the_fast_path_allocates_nothing_and_asks_for_nothing_but_a_bell() {
    let mut edge = Edge::new(config::load(CONFIGURATION.as_bytes(), &|_| None).unwrap());
    let host = Host::default();
    let head = Account(&host);
    let ask = |edge: &mut Edge, path: &str| {
        edge.on_request(&host, Ticket(1), &head, path.as_bytes(), true)
    };
    let Step::Reply(redirect) = ask(&mut edge, "/vod/film/master.m3u8") else {
        panic!("a redirect to a path token")
    };
    let location = redirect.answer.header("location").unwrap().to_owned();
    let prefix = location.strip_suffix("/vod/film/master.m3u8").unwrap();
    let segment = |n: u32| format!("{prefix}/vod/film/video/1080p/segment-{n:05}.m4s");
    let Step::Forward(first) = ask(&mut edge, &segment(1)) else {
        panic!("the first segment goes on")
    };
    let watch = first.watch.unwrap();
    let _ = edge.on_response(&host, Ticket(1), &watch, 200);
    let _ = edge.on_tick(&host);

    let (path, before) = (segment(2), host.asked.get());
    let made = allocation_counter::measure(|| {
        let step = ask(&mut edge, &path);
        assert!(matches!(&step, Step::Forward(forward) if forward.watch.is_none()));
    });
    assert_eq!(made.count_total, 0);
    assert_eq!(host.asked.get(), before);
}
