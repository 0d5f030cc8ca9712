//! The whole core behind its one door, several workers over one store, on a clock
//! that tests turn. What only Envoy can show is shown in `tests/`.

mod account_proof;
mod advice;
mod ambiguous_ids;
mod attributes;
mod bounds;
mod browsing;
mod buffers;
mod by_size;
mod call_limits;
mod carriers;
mod cat;
mod clocks;
mod cm_v2;
mod cookies;
mod cookies_beside;
mod credentials;
mod door_timeouts;
mod empty_values;
mod ends;
mod evictions;
mod fleet_judgements;
mod fleet_leases;
mod foreign;
mod how_many;
mod json_bodies;
mod kept_tokens;
mod lasting;
mod leases;
mod left_out;
mod levels;
mod long_credentials;
mod long_paths;
mod long_responses;
mod manifests;
mod metadata;
mod methods;
mod nested_prefixes;
mod operator;
mod operator_fleet;
mod paused;
mod playback;
mod prefetch;
mod redirected;
mod refusals;
mod refused_again;
mod retry_after;
mod same_device;
mod secrecy;
mod session_api;
mod session_beside_player;
mod several_tokens;
mod sharing;
#[cfg(not(target_arch = "wasm32"))]
mod shipped;
mod terminating;
mod uncounted;
mod upgrades;
mod zapping;

use streamgate_record::fleet::Ticket;
use streamgate_values::head::Head;

use crate::config::Config;
use crate::edge::Edge;
use crate::exchange::{Answer, Reply};
use crate::playback::Watch;
use crate::step::Step;
use crate::testing::{Headers, MemoryHost, config};

/// Names a request: one is handled after the other.
const TICKET: Ticket = Ticket(7);

/// An edge of two workers.
struct World {
    host: MemoryHost,
    workers: [Edge; 2],
}

/// What became of a request.
#[derive(Debug)]
enum Outcome {
    /// It reached the origin like this, and the response the viewer.
    Served(Reached),
    /// The filter answered.
    Answered(Reply),
}

/// A request as the origin sees it.
#[derive(Debug)]
struct Reached {
    path: String,
    headers: Headers,
    /// What the response has more than the origin's.
    renewed: Option<(String, String)>,
}

/// A request, to be built up.
#[derive(Clone)]
struct Ask {
    method: &'static str,
    path: Vec<u8>,
    headers: Headers,
    body: Option<Vec<u8>>,
    /// What the origin will say.
    origin: u16,
    /// Headers of its response.
    origin_headers: Headers,
    worker: usize,
}

fn get(path: impl AsRef<[u8]>) -> Ask {
    Ask {
        method: "GET",
        path: path.as_ref().to_vec(),
        headers: Headers::default(),
        body: None,
        origin: 200,
        origin_headers: Headers::default(),
        worker: 0,
    }
}

impl Ask {
    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers = self.headers.with(name, value.as_ref());
        self
    }

    fn account(self, id: &str) -> Self {
        self.header("x-account-id", id)
    }

    /// A claim of a JWT that the proxy has checked.
    fn claim(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.header(&format!("(jwt) {name}"), value)
    }

    fn application(self, id: &str) -> Self {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{id}:"));
        self.header("authorization", format!("Basic {encoded}"))
    }

    fn body(mut self, body: &str) -> Self {
        self.body = Some(body.as_bytes().to_vec());
        self
    }

    fn origin_says(mut self, status: u16) -> Self {
        self.origin = status;
        self
    }

    fn origin_tells(mut self, name: &str, value: &str) -> Self {
        self.origin_headers = self.origin_headers.with(name, value.as_bytes());
        self
    }

    fn on_worker(mut self, worker: usize) -> Self {
        self.worker = worker;
        self
    }
}

impl World {
    fn new() -> Self {
        Self::with(config)
    }

    fn with(config: impl Fn() -> Config) -> Self {
        let host = MemoryHost::new();
        Self {
            workers: [(); 2].map(|()| Edge::new(config(), &host)),
            host,
        }
    }

    /// Envoy restarts: memory is gone, signing keys are the same.
    fn restart(&mut self) {
        self.host.forget_everything();
        self.workers = [(); 2].map(|()| Edge::new(config(), &self.host));
    }

    fn ask(&mut self, ask: Ask) -> Outcome {
        let Self { host, workers } = self;
        let edge = &mut workers[ask.worker];
        host.is_worker(ask.worker);
        let head = ask.headers.clone().with(":method", ask.method.as_bytes());
        let reached = |path: &[u8], headers| Reached {
            path: lossy(path),
            headers,
            renewed: None,
        };
        let mut step = edge.on_request(host, TICKET, &head, &ask.path, ask.body.is_none());
        if let Step::AwaitBody(pending) = step {
            step = edge.on_body(host, TICKET, pending, &ask.body.unwrap());
        }
        let forward = match step {
            Step::Pass => return Outcome::Served(reached(&ask.path, ask.headers)),
            Step::Reply(reply) => return Outcome::Answered(reply),
            Step::Forward(forward) => forward,
            Step::AwaitBody(_) | Step::Log(_) | Step::Park => panic!("{step:?}"),
        };
        let scrub = &forward.scrub;
        let stripped = &ask.path[forward.strip..];
        let path = scrub.path.as_deref().unwrap_or(stripped);
        let mut headers = ask.headers;
        for (name, value) in &scrub.headers {
            headers = headers.replaced(name, value.as_deref());
        }
        if scrub.referer {
            headers = headers.replaced("referer", None);
        }
        let served = Outcome::Served(Reached {
            renewed: forward.renewed,
            ..reached(path, headers)
        });
        let tells = |name: &str| ask.origin_headers.header(name);
        let counts = |watch: &Watch| watch.counts(ask.origin, tells);
        let Some(watch) = forward.watch.filter(counts) else {
            return served;
        };
        match edge.on_response(host, TICKET, &watch, ask.origin, false) {
            Step::Pass | Step::Log(_) => served,
            Step::Reply(reply) => Outcome::Answered(reply),
            step => panic!("{step:?}"),
        }
    }

    /// Every worker does what it does from time to time.
    fn tick(&mut self) {
        let Self { host, workers } = self;
        for (number, worker) in workers.iter_mut().enumerate() {
            host.is_worker(number);
            let calls = worker.on_tick(host);
            assert!(calls.is_empty(), "an edge alone calls nobody");
        }
    }

    /// Starts playback as an unmodified player does; the prefix it plays under.
    fn play(&mut self, account: &str) -> String {
        let manifest = get("/vod/a/master.m3u8").account(account);
        let answer = self.ask(manifest).answer();
        assert_eq!(answer.status, 307, "{answer:?}");
        let location = answer.header("location").unwrap();
        let prefix = location.strip_suffix("/vod/a/master.m3u8").unwrap();
        let first = self.ask(get(format!("{prefix}/vod/a/1.m4s")));
        assert_eq!(first.served(), "/vod/a/1.m4s");
        prefix.to_owned()
    }

    /// What the session API lists of an account, as `application` sees it.
    fn running(&mut self, application: &str, account: &str) -> Vec<serde_json::Value> {
        let path = format!("/v2/runningStreams/acme/{account}");
        let answer = self.ask(get(path).application(application)).answer();
        let streams = json(&answer)["runningStreams"].clone();
        streams.as_array().unwrap().clone()
    }

    /// How many live streams an account has.
    fn streams(&mut self, account: &str) -> usize {
        self.running("web", account).len()
    }
}

impl Outcome {
    fn reached(self) -> Reached {
        match self {
            Self::Served(reached) => reached,
            Self::Answered(reply) => panic!("answered: {reply:?}"),
        }
    }

    fn served(self) -> String {
        self.reached().path
    }

    fn reply(self) -> Reply {
        match self {
            Self::Answered(reply) => reply,
            Self::Served(reached) => panic!("served: {reached:?}"),
        }
    }

    fn answer(self) -> Answer {
        self.reply().answer
    }

    /// The status and the machine-readable reason of a refusal.
    fn refusal(self) -> (u16, String) {
        let answer = self.answer();
        let reason = answer.header("x-streamgate-reason").unwrap_or("none");
        (answer.status, reason.to_owned())
    }
}

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
