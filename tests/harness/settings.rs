//! What an edge under test is started with: `envoy/edge.yaml` as it is shipped, with
//! what a test wants different.

mod bootstrap;
mod shipped;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::MachineClock;
use crate::body::Body;
use crate::store_cluster::StoreCluster;

use shipped::{plugin_of, put, shipped};

pub(crate) use bootstrap::Place;
pub(crate) use shipped::plugin_in;
pub use shipped::{secret_of, signing_key, subject_key};

/// The identity provider that vouches for all accounts in the tests.
pub const IDP: &str = "demo";

/// What to change about the edge. The default holds the applications and policies of
/// `envoy/edge.yaml` (`demo-web` and `demo-tv` share a limit of three that denies;
/// `demo-mobile` plays once and the latest wins), streams that live long enough for
/// any test, and these protected paths:
///
/// | path | |
/// |---|---|
/// | `/vod/` | as shipped: `demo-web`, header, CMCD or redirect |
/// | `/latest/` | the same for `demo-mobile` |
/// | `/members/` | only what was created through the session API |
/// | `/carried/` | the stream is named by the header `x-stream-id` |
/// | `/gone/` | refuses with 410 |
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file of `envoy/` that all else is taken from.
    file: &'static str,
    pub(crate) body: Body,
    pub(crate) plugin: Value,
    pub(crate) as_text: bool,
    pub(crate) by_lds: bool,
    pub(crate) files: Option<PathBuf>,
    pub(crate) workers: u32,
    /// What the edges of a fleet share.
    pub(crate) store: Option<StoreCluster>,
    trailers: bool,
    answers_itself: bool,
    keeps_no_statistics: bool,
    restricted: bool,
    /// What makes a second listener the operator's door.
    door: Option<Value>,
    speaks_http_3: bool,
    /// Whether its Envoy is to have served nobody before.
    alone: bool,
    /// The port of a collector that is sent the access log, too.
    collector_port: Option<u16>,
    /// The port of an origin that is not the harness's own.
    origin_port: Option<u16>,
    /// What Envoy's connection manager is told otherwise.
    manager: Vec<(&'static str, Value)>,
    /// HTTP filters in front of streamgate, and behind it.
    filters: [Vec<Value>; 2],
    /// The clock of the machine it runs on, if that is not the true one.
    pub(crate) clock: Option<MachineClock>,
    /// For how many seconds an old listener's connections may go on.
    pub(crate) drains_for_s: u32,
    /// What to change about the filters of the shipped file: which one, where, and to what.
    changed: Vec<(&'static str, &'static str, Value)>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut bootstrap = shipped("edge.yaml");
        let mut plugin = plugin_of(&mut bootstrap)["configuration"]["value"].take();
        plugin["sessions"]["heartbeat"] = "60s".into();
        plugin["sessions"]["timeout"] = "90s".into();
        let paths = plugin["playback"].as_array_mut().expect("protected paths");
        let vod = paths.first().expect("one protected path").clone();
        let mut add = |prefix: &str, changes: &[(&str, Value)]| {
            let mut path = vod.clone();
            path["match"]["prefix"] = prefix.into();
            for (pointer, value) in changes {
                put(&mut path, pointer, value.clone());
            }
            paths.push(path);
        };
        add("/latest/", &[("/application", json!("demo-mobile"))]);
        add("/members/", &[("/start", json!("session_required"))]);
        let stream_id = json!([{"header": "x-stream-id"}]);
        add("/carried/", &[("/stream", stream_id)]);
        add("/gone/", &[("/refuse/status", json!(410))]);
        Self {
            plugin,
            ..Self::shipped("edge.yaml")
        }
    }
}

impl Settings {
    /// Another file of `envoy/` as it is shipped. Different are the ports, the origin, where
    /// the log goes, and the secrets, which every edge under test holds (see
    /// [`secret_of`]).
    #[must_use]
    pub fn shipped(file: &'static str) -> Self {
        let mut bootstrap = shipped(file);
        Self {
            file,
            body: Body::chosen(),
            plugin: plugin_of(&mut bootstrap)["configuration"]["value"].take(),
            as_text: false,
            by_lds: false,
            files: None,
            workers: 2,
            store: None,
            trailers: false,
            answers_itself: false,
            keeps_no_statistics: false,
            restricted: false,
            door: None,
            speaks_http_3: false,
            alone: false,
            collector_port: None,
            origin_port: None,
            clock: None,
            drains_for_s: 1,
            manager: Vec::new(),
            filters: [Vec::new(), Vec::new()],
            changed: Vec::new(),
        }
    }

    /// With another value at a place in the plugin's configuration, given as a JSON
    /// pointer such as `/state/max_streams`. The last part may be new.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        put(&mut self.plugin, pointer, value.into());
        self
    }

    /// Without what stands at a place in the plugin's configuration.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        let (parent, last) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = self.plugin.pointer_mut(parent);
        let parent = parent.and_then(Value::as_object_mut).expect("an object");
        parent.remove(last).expect("something to leave out");
        self
    }

    /// With another value at a place in the configuration of an HTTP filter of the shipped
    /// file, both by name.
    #[must_use]
    pub fn with_filter(
        mut self,
        filter: &'static str,
        pointer: &'static str,
        value: impl Into<Value>,
    ) -> Self {
        self.changed.push((filter, pointer, value.into()));
        self
    }

    /// Streams that are gone after so many seconds of silence.
    #[must_use]
    pub fn lapsing_after(self, seconds: u32) -> Self {
        self.with("/sessions/heartbeat", "1s")
            .with("/sessions/timeout", format!("{seconds}s"))
    }

    /// On a machine with this clock.
    #[must_use]
    pub fn on_clock(mut self, clock: &MachineClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// With the plugin's configuration handed over as JSON text (`StringValue`) instead
    /// of a `Struct`.
    #[must_use]
    pub fn as_text(mut self) -> Self {
        self.as_text = true;
        self
    }

    /// With the filter as a Wasm module, whatever else was chosen.
    #[must_use]
    pub fn wasm(mut self) -> Self {
        self.body = Body::Wasm;
        self
    }

    /// With the filter as a native module, whatever else was chosen.
    #[must_use]
    pub fn native(mut self) -> Self {
        self.body = Body::Native;
        self
    }

    /// With a native module in which a request can make a hook panic.
    #[must_use]
    pub fn panicking(mut self) -> Self {
        self.body = Body::Panicking;
        self
    }

    /// With listeners that come from a file, so that they can be updated.
    #[must_use]
    pub fn by_lds(mut self) -> Self {
        self.by_lds = true;
        self
    }

    /// With so many seconds for the connections of a listener that another has replaced.
    #[must_use]
    pub fn draining_for(mut self, seconds: u32) -> Self {
        self.drains_for_s = seconds;
        self
    }

    /// With trailers of HTTP/1.1 requests and responses taken for what they are; Envoy drops them
    /// unless told otherwise.
    #[must_use]
    pub fn with_trailers(mut self) -> Self {
        self.trailers = true;
        self
    }

    /// With none of the filter's statistics kept.
    #[must_use]
    pub fn keeping_no_statistics(mut self) -> Self {
        self.keeps_no_statistics = true;
        self
    }

    /// With the filter allowed no more of Envoy than `envoy/hardened.yaml` allows it.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// With a second listener that is the operator's door, and this key to it.
    #[must_use]
    pub fn with_door(mut self, key: &str) -> Self {
        self.door = Some(json!({"keys": [key]}));
        self
    }

    /// With an Envoy that serves no other edge, neither before nor after, for tests that look at what its
    /// process takes or at all it has counted.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Whether an Envoy that has served other edges will do.
    pub(crate) fn shares_an_envoy(&self) -> bool {
        let is_as_others = self.body == Body::Wasm && self.clock.is_none();
        is_as_others && !self.alone && !self.by_lds && !self.speaks_http_3
    }

    /// With HTTP/3 besides, at the same port.
    #[must_use]
    pub fn over_http_3(mut self) -> Self {
        self.speaks_http_3 = true;
        self
    }

    /// With 200 for every path from Envoy itself, where the origin would be in the way; 421
    /// for a path that still has a token in front.
    #[must_use]
    pub fn answering_itself(mut self) -> Self {
        self.answers_itself = true;
        self
    }

    /// In front of a server at this port of the machine, in place of the harness's own.
    #[must_use]
    pub fn asking(mut self, port: u16) -> Self {
        self.origin_port = Some(port);
        self
    }

    /// With its access log sent to the collector at a port of the machine, too, as
    /// `observe/opentelemetry.yaml` has it.
    #[must_use]
    pub fn logging_to(mut self, port: u16) -> Self {
        self.collector_port = Some(port);
        self
    }

    /// With a field of Envoy's connection manager set to this.
    #[must_use]
    pub fn with_manager(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.manager.push((field, value.into()));
        self
    }

    /// With another HTTP filter of Envoy's right in front of streamgate.
    #[must_use]
    pub fn behind(mut self, filter: Value) -> Self {
        self.filters[0].push(filter);
        self
    }

    /// Behind a hop that has found out whose account it is: for players that can be given no header.
    #[must_use]
    pub fn signed_in(self, account: &str) -> Self {
        let account = json!({"key": "x-account-id", "value": account});
        self.behind(json!({
            "name": "envoy.filters.http.header_mutation",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [{"append": {"header": account}}]},
            },
        }))
    }

    /// With another HTTP filter of Envoy's right behind streamgate.
    #[must_use]
    pub fn before(mut self, filter: Value) -> Self {
        self.filters[1].push(filter);
        self
    }

    /// With an origin that serves the files under a directory.
    #[must_use]
    pub fn serving(mut self, files: PathBuf) -> Self {
        self.files = Some(files);
        self
    }
}
