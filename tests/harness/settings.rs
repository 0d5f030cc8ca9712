//! What an edge under test is started with: `envoy/edge.yaml` as it is shipped, with
//! what a test wants different.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use streamgate_tokens::signed::{KeyRing, SigningKey};
use streamgate_values::subject::SubjectHasher;

use crate::MachineClock;
use crate::body::{self, Body};
use crate::certificates::Certificates;
use crate::project;
use crate::store_cluster::StoreCluster;
use crate::usage::LONG_TURN_US;

/// The identity provider that vouches for all accounts in the tests.
pub const IDP: &str = "demo";

/// The file that shows how the access log is sent to a collector.
const LOGGING: &str = "../observe/opentelemetry.yaml";

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
    times_workers: bool,
    /// What makes a second listener the operator's door.
    door: Option<Value>,
    speaks_http_3: bool,
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
            times_workers: false,
            door: None,
            speaks_http_3: false,
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

    /// With trailers of HTTP/1.1 requests taken for what they are; Envoy drops them
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

    /// With Envoy's own account of how long each turn of its workers takes
    /// ([`Edge::turns`](crate::Edge::turns)).
    #[must_use]
    pub fn timing_workers(mut self) -> Self {
        self.times_workers = true;
        self
    }

    /// With a second listener that is the operator's door, and this key to it.
    #[must_use]
    pub fn with_door(mut self, key: &str) -> Self {
        self.door = Some(json!({"keys": [key]}));
        self
    }

    /// The door's listener, if there is one: it has the viewers' configuration and `operator`.
    fn door(&self, at: &Place<'_>) -> Option<Value> {
        let operator = self.door.clone()?;
        let door = self.clone().with("/operator", operator);
        let mut bootstrap = shipped(self.file);
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        let place = Place {
            port: at.door_port,
            ..*at
        };
        door.fit(&mut listener, &place);
        listener["name"] = "door".into();
        // As in the shipped file, pages of other origins have no business here.
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        filters.retain(|filter| filter["name"] != "envoy.filters.http.cors");
        Some(listener)
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

    /// The bootstrap to start Envoy with.
    pub(crate) fn bootstrap(&self, at: &Place<'_>) -> Value {
        let mut bootstrap = shipped(self.file);
        bootstrap["admin"] = shipped("edge.yaml")["admin"].take();
        let origin = &mut bootstrap["static_resources"]["clusters"][0]["load_assignment"];
        let endpoint = &mut origin["endpoints"][0]["lb_endpoints"][0]["endpoint"];
        port_of(
            &mut endpoint["address"],
            self.origin_port.unwrap_or(at.origin_port),
        );
        port_of(&mut bootstrap["admin"]["address"], at.admin_port);
        if self.keeps_no_statistics {
            let patterns = json!([{"prefix": "wasmcustom."}]);
            bootstrap["stats_config"]["stats_matcher"] =
                json!({"exclusion_list": {"patterns": patterns}});
        }
        if self.times_workers {
            bootstrap["enable_dispatcher_stats"] = true.into();
            let buckets = json!([100, 500, 1_000, LONG_TURN_US, 10_000, 100_000]);
            let matched = json!({"suffix": "dispatcher.loop_duration_us"});
            let settings = &mut bootstrap["stats_config"]["histogram_bucket_settings"];
            let settings = settings.as_array_mut().expect("buckets");
            settings.push(json!({"match": matched, "buckets": buckets}));
        }
        if let Some(port) = self.collector_port {
            let mut collector = shipped(LOGGING)["static_resources"]["clusters"][1].take();
            let endpoint = &mut collector["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
            port_of(&mut endpoint["endpoint"]["address"], port);
            let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
            clusters.expect("clusters").push(collector);
        }
        if let Some(store) = &self.store {
            let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
            let clusters = clusters.expect("clusters");
            let mut cluster = store.cluster(&at.directory.join("nodes.json"));
            if self.body != Body::Wasm {
                body::hash_by_shard(&mut cluster);
            }
            clusters.push(cluster);
            bootstrap["layered_runtime"] = shipped("fleet.yaml")["layered_runtime"].clone();
        }
        if self.body != Body::Wasm {
            let layers = &mut bootstrap["layered_runtime"]["layers"];
            let mut others = layers.as_array().cloned().unwrap_or_default();
            others.push(body::names());
            *layers = others.into();
        }
        let listeners = bootstrap["static_resources"]["listeners"].take();
        // A shipped file's other listener, if it has one, is a door of its own.
        let mut listener = listeners[0].clone();
        self.fit(&mut listener, at);
        if self.by_lds {
            bootstrap["static_resources"]
                .as_object_mut()
                .expect("an object")
                .remove("listeners");
            bootstrap["dynamic_resources"] = json!({"lds_config": {
                "resource_api_version": "V3",
                "path_config_source": {
                    "path": at.directory.join("lds.json"),
                    "watched_directory": {"path": at.directory},
                },
            }});
        } else {
            let mut listeners = vec![listener];
            listeners.extend(self.door(at));
            if self.speaks_http_3 {
                listeners.push(over_quic(listeners[0].clone(), at.directory));
            }
            bootstrap["static_resources"]["listeners"] = listeners.into();
        }
        bootstrap
    }

    /// What the listeners' file holds.
    pub(crate) fn lds(&self, at: &Place<'_>) -> Value {
        let mut bootstrap = shipped(self.file);
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        self.fit(&mut listener, at);
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        json!({"resources": [listener]})
    }

    fn fit(&self, listener: &mut Value, at: &Place<'_>) {
        port_of(&mut listener["address"], at.port);
        // Two connections open at once are served by two workers.
        listener["connection_balance_config"] = json!({"exact_balance": {}});
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = json!({"enable_trailers": self.trailers});
        if manager["access_log"].is_null() {
            let mut demo = shipped("edge.yaml");
            let listener = &mut demo["static_resources"]["listeners"][0];
            let logging = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            manager["access_log"] = logging["access_log"].take();
        }
        for (field, value) in &self.manager {
            manager[*field] = value.clone();
        }
        let log = &mut manager["access_log"][0];
        log["name"] = "envoy.access_loggers.file".into();
        let log = &mut log["typed_config"];
        log["@type"] =
            "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog".into();
        log["path"] = json!(at.directory.join("access.log"));
        if self.plugin["referer"] != "route" {
            let removed = &mut manager["route_config"]["request_headers_to_remove"];
            *removed = json!([]);
        }
        if self.collector_port.is_some() {
            let mut sent = shipped(LOGGING);
            let listener = &mut sent["static_resources"]["listeners"][0];
            let logging = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            let logs = manager["access_log"].as_array_mut().expect("logs");
            logs.push(logging["access_log"][0].take());
        }
        // The shipped file answers what it does not know; the tests want to see what
        // the origin would be asked.
        let routes = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
        *routes = match self.answers_itself {
            true => json!([
                {"match": {"prefix": "/~"}, "direct_response": {"status": 421}},
                {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
            ]),
            false => {
                json!([{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}])
            }
        };
        if self.store.is_some() {
            let routes = routes.as_array_mut().expect("routes");
            routes.insert(0, StoreCluster::tunnel());
        }

        let filters = manager["http_filters"].as_array_mut().expect("filters");
        for (name, pointer, value) in &self.changed {
            let mut filters = filters.iter_mut();
            let filter = filters.find(|filter| filter["name"] == *name);
            let filter = filter.unwrap_or_else(|| panic!("no filter {name}"));
            put(&mut filter["typed_config"], pointer, value.clone());
        }
        let is_streamgate = |filter: &Value| filter["name"] == "envoy.filters.http.wasm";
        let at = filters.iter().position(is_streamgate).expect("streamgate");
        let [front, behind] = self.filters.clone();
        filters.splice(at + 1..at + 1, behind);
        filters.splice(at..at, front);

        let plugin = plugin_in(manager);
        let environment = &mut plugin["vm_config"]["environment_variables"];
        if let Some(names) = environment["host_env_keys"].as_array() {
            let names = names.iter().filter_map(Value::as_str);
            let secrets: Map<_, _> = names
                .map(|name| (name.to_owned(), secret_of(name).into()))
                .collect();
            *environment = json!({"key_values": secrets});
        }
        plugin["vm_config"]["code"]["local"]["filename"] = json!(crate::wasm());
        if self.restricted {
            let restriction = "capability_restriction_config";
            let mut hardened = shipped("hardened.yaml");
            plugin["vm_config"][restriction] =
                plugin_of(&mut hardened)["vm_config"][restriction].take();
        }
        plugin["configuration"] = if self.as_text {
            json!({
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": self.plugin.to_string(),
            })
        } else {
            json!({
                "@type": "type.googleapis.com/google.protobuf.Struct",
                "value": self.plugin,
            })
        };
        if self.body != Body::Wasm {
            let filters = manager["http_filters"].as_array_mut().expect("filters");
            let at = filters.iter().position(is_streamgate).expect("streamgate");
            filters[at] = self.body.in_place_of(&filters[at]);
            let is_jwt = |filter: &Value| filter["name"] == "envoy.filters.http.jwt_authn";
            if filters[..at].iter().any(is_jwt) {
                filters.insert(at, body::claims(&self.plugin));
            }
        }
    }

    /// What Envoy's environment holds for the native module, which has no other.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut bootstrap = shipped(self.file);
        let environment = plugin_of(&mut bootstrap)["vm_config"]["environment_variables"].take();
        let keys = environment["host_env_keys"]
            .as_array()
            .into_iter()
            .flatten();
        let keys = keys.filter_map(Value::as_str);
        let kept = keys.map(|name| (name.to_owned(), secret_of(name)));
        let values = environment["key_values"].as_object().into_iter().flatten();
        let values =
            values.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        kept.chain(values).collect()
    }
}

/// The same listener for HTTP/3.
fn over_quic(mut listener: Value, directory: &Path) -> Value {
    let certificates = Certificates::of("localhost", directory);
    listener["name"] = "over-quic".into();
    listener["address"]["socket_address"]["protocol"] = "UDP".into();
    listener["udp_listener_config"] = json!({"quic_options": {}});
    listener["connection_balance_config"].take();
    let chain = &mut listener["filter_chains"][0];
    chain["transport_socket"] = json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": {"common_tls_context": {"tls_certificates": [{
                "certificate_chain": {"filename": certificates.certificate},
                "private_key": {"filename": certificates.key},
            }]}},
        },
    });
    chain["filters"][0]["typed_config"]["codec_type"] = "HTTP3".into();
    listener
}

/// Where an edge runs.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) port: u16,
    pub(crate) door_port: u16,
    pub(crate) admin_port: u16,
    pub(crate) origin_port: u16,
}

/// The keys that the edges under test sign with, to forge what only they could issue.
#[must_use]
pub fn signing_key() -> KeyRing {
    let secret = shipped_secret("STREAMGATE_SIGNING_KEY");
    KeyRing::new(SigningKey::new("demo-1", secret.as_bytes()), Vec::new())
}

/// What the edges under test hash accounts with.
#[must_use]
pub fn subject_key() -> SubjectHasher {
    SubjectHasher::new(shipped_secret("STREAMGATE_SUBJECT_KEY").as_bytes())
}

/// The secret that an edge under test holds where a shipped file has one of Envoy's
/// environment.
#[must_use]
pub fn secret_of(name: &str) -> String {
    format!("what {name} holds in the tests, long enough")
}

fn shipped_secret(name: &str) -> String {
    let mut bootstrap = shipped("edge.yaml");
    let environment = &plugin_of(&mut bootstrap)["vm_config"]["environment_variables"];
    let secret = environment["key_values"][name].as_str();
    secret.expect("a secret in envoy/edge.yaml").to_owned()
}

/// A file of `envoy/`.
fn shipped(name: &str) -> Value {
    let path = project().join("envoy").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The filter's part of a bootstrap.
fn plugin_of(bootstrap: &mut Value) -> &mut Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    plugin_in(&mut listener["filter_chains"][0]["filters"][0]["typed_config"])
}

fn plugin_in(connection_manager: &mut Value) -> &mut Value {
    let filters = connection_manager["http_filters"].as_array_mut();
    filters
        .expect("filters")
        .iter_mut()
        .find(|filter| filter["name"] == "envoy.filters.http.wasm")
        .map(|filter| &mut filter["typed_config"]["config"])
        .expect("the filter in envoy/edge.yaml")
}

fn port_of(address: &mut Value, port: u16) {
    address["socket_address"]["port_value"] = port.into();
}

fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = value
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("the configuration has no {parent}"));
    match parent {
        Value::Array(list) => match last.parse::<usize>() {
            Ok(at) if at < list.len() => list[at] = new,
            _ => list.push(new),
        },
        _ => parent[last] = new,
    }
}
