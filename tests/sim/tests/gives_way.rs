//! Who gives way after an outage in which a stream moved to another edge: its id is signed and
//! says when it was issued, or it is the player's own and copies that meet keep the first start.

use streamgate_record::fleet::{CallFailure, StoreCall};
use streamgate_sim::edge::{Outcome, SimEdge};
use streamgate_sim::request::Request;
use streamgate_sim::settings::Settings;
use streamgate_sim::store::Node;
use streamgate_values::moment::Moment;

const BEGIN_MS: u64 = 1_893_499_200_000;

/// Two edges with one worker each, and a store that can be frozen.
struct Fleet {
    edges: Vec<SimEdge>,
    node: Node,
    now_ms: u64,
    is_frozen: bool,
    /// Calls that a frozen store has not answered, and since when.
    hanging: Vec<(usize, StoreCall, u64)>,
    answers: Vec<(u32, Outcome)>,
    viewers: u32,
}

/// How a stream is told from others.
#[derive(Debug, Clone, Copy)]
enum Way {
    Session,
    Token,
    Outside,
}

/// A stream, as its player or its app names it.
enum Stream {
    Session(String),
    Token(String),
    Outside(String),
}

impl Fleet {
    fn new() -> Self {
        let settings = Settings {
            timeout_s: 30,
            limit: 3,
            shards: 1,
            slots: 64,
            password: None,
            wait_ms: 500,
            on_outage: "admit",
            signing_keys: &["k1"],
        };
        let edge = |seed| SimEdge::new(seed, [settings.config()].into_iter());
        Self {
            edges: (0..2).map(edge).collect(),
            node: Node::new(),
            now_ms: BEGIN_MS,
            is_frozen: false,
            hanging: Vec::new(),
            answers: Vec::new(),
            viewers: 0,
        }
    }

    fn makes(&mut self, edge: usize, calls: Vec<StoreCall>) {
        for call in calls {
            if self.is_frozen {
                self.hanging.push((edge, call, self.now_ms));
                continue;
            }
            let said = self.node.answer(&call.payload, self.now_ms);
            self.edges[edge].hear(0, call.id, Ok(&said));
        }
        self.resolves(edge);
    }

    fn resolves(&mut self, edge: usize) {
        for resolved in self.edges[edge].resolved(0) {
            self.answers.push((resolved.viewer, resolved.outcome));
        }
    }

    fn passes(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.now_ms += 100;
            let now_ms = self.now_ms;
            let hanging = self.hanging.iter();
            let late: Vec<_> = hanging
                .filter(|(.., since_ms)| now_ms == since_ms + 500)
                .map(|(edge, call, _)| (*edge, call.id))
                .collect();
            for (edge, call) in late {
                self.edges[edge].host.set_now(Moment::from_ms(now_ms));
                self.edges[edge].hear(0, call, Err(CallFailure));
                self.resolves(edge);
            }
            for edge in 0..2 {
                self.edges[edge].host.set_now(Moment::from_ms(self.now_ms));
                let calls = self.edges[edge].tick(0);
                self.makes(edge, calls);
            }
        }
    }

    /// The store goes on, with what had been given up.
    fn thaws(&mut self) {
        self.is_frozen = false;
        for (_, call, _) in core::mem::take(&mut self.hanging) {
            let _ = self.node.answer(&call.payload, self.now_ms);
        }
    }

    /// What a request is answered in the end.
    fn asks(&mut self, edge: usize, request: Request) -> Outcome {
        self.viewers += 1;
        let viewer = self.viewers;
        if let Some(outcome) = self.edges[edge].ask(0, viewer, request) {
            return outcome;
        }
        for _ in 0..50 {
            let calls = self.edges[edge].calls(0);
            self.makes(edge, calls);
            if let Some(at) = self.answers.iter().position(|(of, _)| *of == viewer) {
                return self.answers.remove(at).1;
            }
            self.passes(100);
        }
        panic!("no answer");
    }

    fn is_served(&mut self, edge: usize, request: Request) -> bool {
        match self.asks(edge, request) {
            Outcome::Served => true,
            Outcome::Answered(answer) => answer.status < 400,
        }
    }

    fn starts(&mut self, edge: usize, way: Way) -> Stream {
        if let Way::Outside = way {
            self.viewers += 1;
            let stream = Stream::Outside(format!("sid=\"player-{}\"", self.viewers));
            assert!(self.goes_on(edge, &stream));
            self.passes(1_000);
            return stream;
        }
        let request = match way {
            Way::Session => Request::call("POST", "/v2/sessions/acme/alice", "vod"),
            _ => Request::get("/vod/film/master.m3u8").with("x-account-id", "alice"),
        };
        let Outcome::Answered(answer) = self.asks(edge, request) else {
            panic!("served");
        };
        let location = answer
            .header("location")
            .expect("where it goes on")
            .to_owned();
        let stream = match way {
            Way::Session => Stream::Session(location),
            _ => {
                let end = location[1..].find('/').expect("a path") + 1;
                Stream::Token(location[..end].to_owned())
            }
        };
        assert!(self.goes_on(edge, &stream));
        self.passes(1_000);
        stream
    }

    fn goes_on(&mut self, edge: usize, stream: &Stream) -> bool {
        let request = match stream {
            Stream::Session(url) => Request::call("POST", url.clone(), "vod"),
            Stream::Outside(sid) => Request::get("/vod/film/1.m4s")
                .with("x-account-id", "alice")
                .with("cmcd-session", sid.clone()),
            Stream::Token(prefix) => Request::get(format!("{prefix}/vod/film/1.m4s")),
        };
        self.is_served(edge, request)
    }
}

/// Three play at the first edge, the store is frozen, a fourth starts at the second edge
/// and one of the three moves there, before it or after it; the store goes on. Who is gone then.
fn gone(way: Way, moves: usize, moves_first: bool, newest_asks_first: bool) -> Vec<usize> {
    let mut fleet = Fleet::new();
    fleet.passes(1_000);
    let mut streams = Vec::from([(); 3].map(|()| fleet.starts(0, way)));
    fleet.is_frozen = true;
    fleet.passes(1_000);
    if moves_first {
        assert!(fleet.goes_on(1, &streams[moves]));
        // Two starts at the same moment have no order.
        fleet.passes(100);
    }
    let newest = fleet.starts(1, way);
    streams.push(newest);
    if !moves_first {
        assert!(fleet.goes_on(1, &streams[moves]));
    }
    fleet.passes(1_000);
    fleet.thaws();
    let order = match newest_asks_first {
        true => [3, 2, 1, 0],
        false => [0, 1, 2, 3],
    };
    let mut gone = Vec::new();
    for _ in 0..10 {
        fleet.passes(3_000);
        for n in order {
            let edge = usize::from(n == moves || n == 3);
            if !gone.contains(&n) && !fleet.goes_on(edge, &streams[n]) {
                gone.push(n);
            }
        }
    }
    gone
}

#[test]
fn the_newest_goes_whichever_stream_moved() {
    let mut wrongs = Vec::new();
    for way in [Way::Session, Way::Token, Way::Outside] {
        for moves in 0..3 {
            for moves_first in [true, false] {
                for newest_asks_first in [true, false] {
                    let gone = gone(way, moves, moves_first, newest_asks_first);
                    if gone != [3] {
                        wrongs.push(format!(
                            "{way:?} {moves} {moves_first} {newest_asks_first}: {gone:?}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}
